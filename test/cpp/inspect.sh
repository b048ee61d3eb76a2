#!/bin/sh
# Reads the object files of the core and fails unless
#   - no instruction of a newer CPU is in an object that a baseline CPU runs: only isa_avx2 may have VEX encodings, and only
#     isa_avx512 EVEX encodings, opmask or 512-bit registers;
#   - the innermost loop of the whole register tile of GEMM, in float and double, has its exact number of fused
#     multiply-adds for a step of k and no vector on the stack; tiers that prefetch B do so in one loop of two;
#   - each kernel of rows that may write by streaming stores has one (x86-64).
#   inspect.sh OBJDUMP PROCESSOR OBJECT...
set -eu
[ $# -gt 2 ] || { echo "usage: $0 OBJDUMP PROCESSOR OBJECT..." >&2; exit 2; }
objdump=$1
processor=$2
shift 2
failed=0

# leaks OBJECT PATTERN: fails when an instruction matches.
leaks() {
  found=$("$objdump" -d --no-show-raw-insn "$1" | awk -F'\t' -v pattern="$2" '
    NF > 1 { n++; if ($2 ~ pattern) { if (!bad++) print $2 } }
    END { if (n < 5) print "no instructions read" }')
  if [ -n "$found" ]; then
    echo "$1: $found"
    failed=1
  fi
}

# loop OBJECT ROWS VECTORS FMA STACK PREFETCHES: FMA and STACK are patterns; the share of loops that prefetch is 1 in PREFETCHES.
loop() {
  "$objdump" -d -C --no-show-raw-insn "$1" | awk -v rows="$2" -v vectors="$3" -v fma_name="$4" -v stack_name="$5" -v fetches="$6" '
    function close_loop(   i, fma, stack, fetch) {
      # From the target of a backward jump to the jump itself.
      for (i = 1; i <= n && at[i] != target; i++);
      if (i > n) return
      for (; i <= n; i++) {
        if (i < n && code[i] ~ /\t(j|b\.|b |cb|tb)/) return  # not the innermost
        if (code[i] ~ fma_name) fma++
        if (code[i] ~ stack_name) stack++
        if (code[i] ~ /prefetch|prfm/) fetch++
      }
      if (!fma) return
      loops[tile]++
      if (fetch) fetching[tile]++
      if (fma != rows * vectors || stack) {
        printf "%s: a loop with %d multiply-adds and %d stack operands\n", tile, fma, stack
        bad = 1
      }
    }
    /^[0-9a-f]+ </ {
      tile = ""; n = 0
      if ($0 ~ "gemm_tile<float, " rows ", " vectors ", false, ") tile = "float"
      if ($0 ~ "gemm_tile<double, " rows ", " vectors ", false, ") tile = "double"
      next
    }
    tile != "" && $1 ~ /^[0-9a-f]+:$/ {
      n++
      at[n] = substr($1, 1, length($1) - 1)
      code[n] = $0
      target = ""
      if ($2 ~ /^(j|b\.|cb|tb)/) for (i = 3; i <= NF; i++) if ($i ~ /^[0-9a-f]+$/) target = $i
      if (target != "") close_loop()
    }
    END {
      if (!loops["float"] || !loops["double"]) { print "no loop found in the register tiles"; exit 1 }
      for (tile in loops) {
        if (fetching[tile] * fetches != (fetches ? loops[tile] : 0) || (!fetches && fetching[tile])) {
          printf "%s: %d of %d loops prefetch\n", tile, fetching[tile], loops[tile]
          bad = 1
        }
      }
      if (bad) exit 1
      printf "%d float, %d double loops: %d multiply-adds a step, no stack\n", loops["float"], loops["double"],
        rows * vectors
    }' || { echo "$1: the tile of $2 rows and $3 vectors is not what it has to be"; failed=1; }
}

# rows OBJECT PATTERN: every kernel of rows that may write by streaming stores has one.
rows() {
  "$objdump" -d -C --no-show-raw-insn "$1" | awk -v pattern="$2" '
    /^[0-9a-f]+ </ {
      at = ""
      if (match($0, /(softmax_row|log_softmax_row|softmax_backward_row|log_softmax_backward_row|cross_entropy_backward_row|standardize_rows|standardize_backward_rows|scaled_backward_rows)<(float|double)>/))
        at = substr($0, RSTART, RLENGTH)
      if (at != "") seen[at] = seen[at] + 0
    }
    at != "" && $0 ~ pattern { seen[at]++ }
    END {
      for (name in seen) {
        count++
        if (!seen[name]) { print name " has no streaming store"; bad = 1 }
      }
      if (count != 16) { print count " kernels of rows found"; bad = 1 }
      exit bad
    }' || failed=1
}

tiles=0
objects=0
for object in "$@"; do
  objects=$((objects + 1))
  case $processor:$object in
    x86_64:*isa_avx512*)
      rows "$object" 'vmovntp[sd]'
      loop "$object" 12 2 'vfmadd' '[xyz]mm.*\(%[re]sp|\(%[re]sp.*[xyz]mm|-0x[0-9a-f]+\(%rbp.*[xyz]mm|[xyz]mm.*-0x[0-9a-f]+\(%rbp' 2
      tiles=$((tiles + 1))
      ;;
    x86_64:*isa_avx2*)
      rows "$object" 'vmovntp[sd]'
      loop "$object" 6 2 'vfmadd' '\(%rsp|-0x[0-9a-f]+\(%rbp' 0
      leaks "$object" '%zmm|%k[0-7]|[xy]mm(1[6-9]|2[0-9]|3[01])|\{1to'
      tiles=$((tiles + 1))
      ;;
    x86_64:*) leaks "$object" '^v[a-z]|%[yz]mm|%k[0-7]|^(andn[lq]?|bextr|bls[ir]|mulx|pdep|pext|rorx|sarx|shlx|shrx|bzhi|lzcnt|movbe) ' ;;
    aarch64:*isa_neon*)
      loop "$object" 8 3 'fmla' '\[sp|\[x29' 0
      tiles=$((tiles + 1))
      ;;
    aarch64:*) leaks "$object" '(^|[ ,{])(z[0-9]+|p[0-9]+)\.[bhsd]' ;;
  esac
done
case $processor in
  x86_64) wanted=2 ;;
  aarch64) wanted=1 ;;
  *) echo "nothing to inspect on $processor"; exit 0 ;;
esac
[ $tiles -eq $wanted ] && [ $objects -gt 20 ] || { echo "$tiles tiers in $objects objects: not all were given"; failed=1; }
[ $failed -eq 0 ] && echo "$objects objects: no instruction of a newer CPU in those of an older one"
exit $failed
