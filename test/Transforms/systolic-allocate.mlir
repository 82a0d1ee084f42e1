// Addresses of tiles.
// RUN: vitq-opt %s -split-input-file --systolic-allocate | FileCheck %s
// Again: the same.
// RUN: vitq-opt %s -split-input-file --systolic-allocate | vitq-opt -split-input-file --systolic-allocate | FileCheck %s

// Left operands from the first row on, right ones (with `transpose` too) from the last one back; each
// tile of sums in a bank of its own, of 512 rows here.
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
// CHECK-LABEL: func private @banks
func.func private @banks() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c10 = arith.constant 10 : index
  %c16 = arith.constant 16 : index
  // CHECK: systolic.alloc at 0 : <scratchpad, [2, 2], [16, 16], i8>
  %a0 = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // CHECK: systolic.alloc at 64 : <scratchpad, [1, 3], [10, 16], i8>
  %a1 = systolic.alloc : !systolic.tiles<scratchpad, [1, 3], [10, 16], i8>
  // CHECK: systolic.alloc at 16352 : <scratchpad, [2, 1], [16, 16], i8>
  %b0 = systolic.alloc : !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  // CHECK: systolic.alloc at 16320 : <scratchpad, [2, 1], [16, 16], i8>
  %b1 = systolic.alloc : !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  // CHECK: systolic.alloc at 0 : <accumulator, [2, 1], [16, 16], i32>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 1], [16, 16], i32>
  // CHECK: systolic.alloc at 512 : <accumulator, [2, 1], [16, 16], i32>
  %d = systolic.alloc : !systolic.tiles<accumulator, [2, 1], [16, 16], i32>
  systolic.preload %b0[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 1], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  systolic.compute %a0[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  systolic.preload %b1[%c0, %c0] rows %c16 cols %c16 transpose into %d[%c0, %c0] : !systolic.tiles<accumulator, [2, 1], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  systolic.compute %a1[%c0, %c0] rows %c10 cols %c16 fresh : !systolic.tiles<scratchpad, [1, 3], [10, 16], i8>
  return
}

// No room for banks of their own: one behind the other.
// CHECK-LABEL: func private @full
func.func private @full() attributes {systolic.routine} {
  // CHECK: systolic.alloc at 0 : <accumulator, [33, 1], [16, 16], i32>
  %c = systolic.alloc : !systolic.tiles<accumulator, [33, 1], [16, 16], i32>
  // CHECK: systolic.alloc at 528 : <accumulator, [31, 1], [16, 16], i32>
  %d = systolic.alloc : !systolic.tiles<accumulator, [31, 1], [16, 16], i32>
  return
}

// Addresses that were there are replaced; what is no routine is left alone.
// CHECK-LABEL: func private @again
func.func private @again() attributes {systolic.routine} {
  // CHECK: systolic.alloc at 0 : <scratchpad
  %a = systolic.alloc at 4096 : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  return
}
// CHECK: func @main
func.func @main() {
  return
}
}

// -----

// Sums that stay: the right operand is the one of the computes.
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
// CHECK-LABEL: func private @outputs
func.func private @outputs() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  // CHECK: systolic.alloc at 16368 : <scratchpad
  %b = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  // CHECK: systolic.alloc at 0 : <scratchpad
  %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c0] fresh last : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>, !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  return
}
}
