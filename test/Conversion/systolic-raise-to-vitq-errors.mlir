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

// -----

// Three patches of two places each, of what is no map.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<4xi8>, %w: tensor<2x2xi8>) -> tensor<3x2xi32> {
  // expected-error @+1 {{reads 'tensor<4xi8>' as 'memref<3x1x2xi8, strided<[1, 1, 1]>>', which are no patches of a map}}
  %y = systolic.launch @patches(%x, %w) {macs = 12 : i64} : (tensor<4xi8>, tensor<2x2xi8>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}
func.func private @patches(%x: memref<3x1x2xi8, strided<[1, 1, 1]>>, %w: memref<2x2xi8>, %y: memref<3x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  affine.for %m = 0 to 3 step 2 {
    %rows = affine.min affine_map<(d0) -> (2, 3 - d0)>(%m)
    systolic.mvin %x[%m, %c0, %c0] rows %rows cols %c2 along 0 to %lhs[%c0, %c0] : memref<3x1x2xi8, strided<[1, 1, 1]>> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
    systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
    systolic.compute %lhs[%c0, %c0] rows %rows cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
    systolic.mvout %sums[%c0, %c0] rows %rows cols %c2 to %y[%m, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<3x2xi32>
  }
  return
}
}

// -----

// The right operand's two rows are no number of a patch's elements.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<5xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @threes(%x, %w) {macs = 8 : i64} : (tensor<5xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{has no 2 elements in the last dimensions of its left operand, as its right one has rows}}
func.func private @threes(%x: memref<2x1x3xi8, strided<[2, 1, 1]>>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %x[%c0, %c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x1x3xi8, strided<[2, 1, 1]>> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// Two codes lie in a byte: what begins at an odd one is nowhere.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2,bits=4">} {
func.func private @within(%x: memref<2x4xi4>, %y: memref<2x4xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i4>
  // expected-error @+1 {{begins within a byte: at code 1 of 4 bits, with rows 4 apart}}
  systolic.mvin %x[%c0, %c1] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x4xi4> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i4>
  return
}
func.func @main(%x: tensor<2x4xi4>) -> tensor<2x4xi32> {
  %y = systolic.launch @within(%x) {macs = 1 : i64} : (tensor<2x4xi4>) -> tensor<2x4xi32>
  return %y : tensor<2x4xi32>
}
}
