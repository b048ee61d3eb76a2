#!/bin/sh
# Reads the object file of the AVX2 kernels and fails unless the hot loop of the 6 x 16 float tile, and of the 6 x 8
# double tile, is what it has to be: 12 fused multiply-adds for each step of k and no operand on the stack.
#   check_spills.sh OBJECT
set -eu
[ $# -eq 1 ] || { echo "usage: $0 OBJECT" >&2; exit 2; }
objdump -d -C --no-show-raw-insn "$1" | awk '
  function close_loop(   i, fma, stack) {
    # From the target of a backward jump to the jump itself.
    for (i = 1; i <= n && at[i] != target; i++);
    if (i > n) return
    for (; i <= n; i++) {
      if (i < n && code[i] ~ /\tj/) return  # not the innermost
      if (code[i] ~ /vfmadd/) fma++
      if (code[i] ~ /\(%rsp|-0x[0-9a-f]+\(%rbp/) stack++
    }
    if (!fma) return
    loops[tile]++
    if (fma != 12 || stack) {
      printf "%s: a loop with %d multiply-adds and %d stack operands\n", tile, fma, stack
      bad = 1
    }
  }
  /^[0-9a-f]+ </ {
    tile = ""; n = 0
    if ($0 ~ /gemm_tile<float, 6, 2, false>/) tile = "float"
    if ($0 ~ /gemm_tile<double, 6, 2, false>/) tile = "double"
    next
  }
  tile != "" && $1 ~ /^[0-9a-f]+:$/ {
    n++
    at[n] = substr($1, 1, length($1) - 1)
    code[n] = $0
    if ($2 ~ /^j/ && $3 ~ /^[0-9a-f]+$/) { target = $3; close_loop() }
  }
  END {
    if (!loops["float"] || !loops["double"]) { print "no loop found in the register tiles"; exit 1 }
    if (bad) exit 1
    printf "%d float, %d double loops: 12 multiply-adds a step, no stack\n", loops["float"], loops["double"]
  }'
