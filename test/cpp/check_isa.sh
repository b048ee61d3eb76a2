#!/bin/sh
# Reads the object files and fails where code for a newer CPU could run on an older one: where an object of the baseline
# holds an instruction with a VEX or EVEX encoding, or where an object of a tier (isa_NAME, but the scalar one) defines a
# symbol other than its table, which the linker could take for everybody's.
#   check_isa.sh OBJECT...
set -eu
[ $# -gt 0 ] || { echo "usage: $0 OBJECT..." >&2; exit 2; }
bad=0 baseline=0 tiers=0
for object in "$@"; do
  case $object in
    *isa_scalar*) tier= ;;
    *isa_*) tier=$(basename "$object" | sed 's/^isa_\([a-z0-9]*\).*/\1/') ;;
    *) tier= ;;
  esac
  if [ -z "$tier" ]; then
    baseline=$((baseline + 1))
    found=$(objdump -d --no-show-raw-insn "$object" |
      awk -F '\t' '/^ .*:\t/ && $2 ~ /^v/ && $2 !~ /^ver[rw]/ || /%[yz]mm/ { n++; if (n == 1) print $2 } ')
  else
    tiers=$((tiers + 1))
    found=$(nm -C --defined-only --extern-only "$object" | awk -v own="nabla::$tier::table" '{
      name = $0; sub(/^[0-9a-f]* . /, "", name)
      if (name != own) print name }' | head -3)
  fi
  [ -z "$found" ] || { echo "$object: $found"; bad=1; }
done
[ $tiers -gt 0 ] || { echo "no object of a tier among them"; exit 1; }
[ $bad -eq 0 ] || exit 1
echo "$baseline baseline objects without newer instructions, $tiers tiers that define their table alone"
