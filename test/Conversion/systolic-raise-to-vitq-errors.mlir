// Routines whose numbers no instruction holds.
// RUN: vitq-opt %s -split-input-file --systolic-raise-to-vitq -verify-diagnostics

module attributes {systolic.config = #systolic.config<"units=all">} {
func.func private @far(%x: memref<2x16xi8>, %y: memref<2x16xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %row = arith.constant 4294967296 : index
  // expected-error @+1 {{begins at a row or channel that no instruction holds}}
  systolic.units rows %row for %c1 channels %c0 for %c16
  return
}
func.func @main(%x: tensor<2x16xi8>) -> tensor<2x16xi8> {
  %y = systolic.launch @far(%x) {operandsForUnits = 1 : i64} : (tensor<2x16xi8>) -> tensor<2x16xi8> units {
  ^bb0(%rows: tensor<2x16xi8>):
    %q = vitq.requant %rows by <1518500250, 31> round half_up : tensor<2x16xi8> -> tensor<2x16xi8>
    systolic.yield %q : tensor<2x16xi8>
  }
  return %y : tensor<2x16xi8>
}
}

// -----

module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @pitch(%x: memref<2x16xi8, strided<[5000000000, 1]>>, %y: memref<2x16xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 16], i8>
  // expected-error @+1 {{addresses DRAM beyond what an instruction can hold (4 GiB, 256 operands)}}
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c16 along 0 to %lhs[%c0, %c0] : memref<2x16xi8, strided<[5000000000, 1]>> to !systolic.tiles<scratchpad, [1, 1], [2, 16], i8>
  return
}
func.func @main(%x: tensor<2x16xi8>) -> tensor<2x16xi32> {
  %y = systolic.launch @pitch(%x) {macs = 1 : i64} : (tensor<2x16xi8>) -> tensor<2x16xi32>
  return %y : tensor<2x16xi32>
}
}

// -----

module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @offset(%x: memref<4x16xi8, strided<[4611686018427387904, 1]>>, %y: memref<2x16xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 16], i8>
  // expected-error @+1 {{reaches elements beyond 64 bits}}
  systolic.mvin %x[%c3, %c0] rows %c1 cols %c16 along 0 to %lhs[%c0, %c0] : memref<4x16xi8, strided<[4611686018427387904, 1]>> to !systolic.tiles<scratchpad, [1, 1], [2, 16], i8>
  return
}
func.func @main(%x: tensor<4x16xi8>) -> tensor<2x16xi32> {
  %y = systolic.launch @offset(%x) {macs = 1 : i64} : (tensor<4x16xi8>) -> tensor<2x16xi32>
  return %y : tensor<2x16xi32>
}
}
