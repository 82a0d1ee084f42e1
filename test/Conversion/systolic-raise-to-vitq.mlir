// What the instructions of a routine compute, found in them alone.
// RUN: vitq-opt %s -split-input-file --systolic-raise-to-vitq -verify-diagnostics | FileCheck %s

// What the conversion makes can be raised, also after simplification, for any array.
// DEFINE: %{config} =
// DEFINE: %{there_and_back} = vitq-opt -split-input-file --vitq-to-systolic=config=%{config} --systolic-allocate --canonicalize --cse --systolic-raise-to-vitq
// REDEFINE: %{config} = gemmini-16x16
// RUN: %{there_and_back} %S/convert-vitq-to-systolic.mlir | FileCheck %s --check-prefix=BACK
// RUN: %{there_and_back} %S/convert-vitq-to-systolic-shift.mlir | FileCheck %s --check-prefix=BACK
// REDEFINE: %{config} = gemmini-16x16,dataflow=os
// RUN: %{there_and_back} %S/convert-vitq-to-systolic.mlir | FileCheck %s --check-prefix=BACK
// REDEFINE: %{config} = rows=8,cols=4,bits=3
// RUN: %{there_and_back} %S/convert-vitq-to-systolic.mlir | FileCheck %s --check-prefix=BACK
// REDEFINE: %{config} = edge-8x8-int4
// RUN: %{there_and_back} %S/convert-vitq-to-systolic-units.mlir | FileCheck %s --check-prefix=BACK
// BACK-NOT: systolic
// BACK: vitq.matmul
// BACK-NOT: systolic

// Two tiles of K, a bias, and the requantization that a unit does.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2,units=all">} {
// CHECK-NOT: systolic
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<2x4xi8>, %[[W:.*]]: tensor<4x2xi8>
// CHECK: %[[B:.*]] = vitq.reshape %{{.*}} to [2] : tensor<1x2xi32> -> tensor<2xi32>
// CHECK: %[[Y:.*]] = vitq.matmul %[[X]], %[[W]], %[[B]] : (tensor<2x4xi8>, tensor<4x2xi8>, tensor<2xi32>) -> tensor<2x2xi32>
// CHECK: vitq.requant %[[Y]] by <1518500250, 40> round half_up
func.func @main(%x: tensor<2x4xi8>, %w: tensor<4x2xi8>, %b: tensor<1x2xi32>) -> tensor<2x2xi8> {
  %y = systolic.launch @linear(%x, %w, %b) {macs = 16 : i64} : (tensor<2x4xi8>, tensor<4x2xi8>, tensor<1x2xi32>) -> tensor<2x2xi8> units {
  ^bb0(%sums: tensor<2x2xi32>):
    %q = vitq.requant %sums by <1518500250, 40> round half_up : tensor<2x2xi32> -> tensor<2x2xi8>
    systolic.yield %q : tensor<2x2xi8>
  }
  return %y : tensor<2x2xi8>
}
func.func private @linear(%x: memref<2x4xi8>, %w: memref<4x2xi8>, %b: memref<1x2xi32>, %y: memref<2x2xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 2], [2, 2], i8>
  %rhs = systolic.alloc at 4 : !systolic.tiles<scratchpad, [2, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c4 along 0 to %lhs[%c0, %c0] : memref<2x4xi8> to !systolic.tiles<scratchpad, [1, 2], [2, 2], i8>
  systolic.mvin %b[%c0, %c0] rows %c2 cols %c2 along 0 broadcast to %sums[%c0, %c0] : memref<1x2xi32> to !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  affine.for %k = 0 to 2 {
    %row = affine.apply affine_map<(d0) -> (d0 * 2)>(%k)
    systolic.mvin %w[%row, %c0] rows %c2 cols %c2 along 0 to %rhs[%k, %c0] : memref<4x2xi8> to !systolic.tiles<scratchpad, [2, 1], [2, 2], i8>
    systolic.preload %rhs[%k, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] adding %c1 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [2, 1], [2, 2], i8>
    systolic.compute %lhs[%c0, %k] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 2], [2, 2], i8>
  }
  systolic.units from %sums[%c0, %c0] rows %c0 for %c2 channels %c0 for %c2 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  return
}
}

// -----

// Weights that were never loaded.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: instruction 1 (preload weights 0x2 rows 2 cols 2 sums 0x0) reads 2 elements of a scratchpad row that holds 0}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// A product that is added twice.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: instruction 6 (mvout local 0x0 rows 2 cols 2 to 2 + 0 pitch 8) has products of k = 0 twice}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] adding %c1 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// Only half of K.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: instruction 4 (mvout local 0x0 rows 2 cols 2 to 2 + 0 pitch 8) lacks products from k = 1 on}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c1 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// A result of which only one row is written.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: it does not give element [1, 0]}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c1 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// Sums in the wrong place of a plane.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: instruction 4 (mvout local 0x0 rows 2 cols 2 to 2 + 0 pitch 8) shifts planes 0 and 0 by 1}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] shift 1 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// Sums that nobody made.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{is no matrix product: instruction 0 (mvout local 0x0 rows 2 cols 2 to 2 + 0 pitch 8) stores sums without products}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// Rows of weights that are one: no matrix of the operand's elements.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> tensor<2x2xi32> {
  %y = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}
// expected-error @+1 {{multiplies what is no element of its operands}}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8, strided<[0, 1]>>, %y: memref<2x2xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8, strided<[0, 1]>> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// A product of what is a result.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> (tensor<2x2xi32>, tensor<2x2xi8>) {
  // expected-error @+1 {{reads a result or writes an operand}}
  %y, %z = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> (tensor<2x2xi32>, tensor<2x2xi8>)
  return %y, %z : tensor<2x2xi32>, tensor<2x2xi8>
}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>, %z: memref<2x2xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %z[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// A result that nothing is written to.
module attributes {systolic.config = #systolic.config<"rows=2,cols=2">} {
func.func @main(%x: tensor<2x2xi8>, %w: tensor<2x2xi8>) -> (tensor<2x2xi32>, tensor<2x2xi8>) {
  // expected-error @+1 {{has more results than the sums}}
  %y, %z = systolic.launch @product(%x, %w) {macs = 8 : i64} : (tensor<2x2xi8>, tensor<2x2xi8>) -> (tensor<2x2xi32>, tensor<2x2xi8>)
  return %y, %z : tensor<2x2xi32>, tensor<2x2xi8>
}
func.func private @product(%x: memref<2x2xi8>, %w: memref<2x2xi8>, %y: memref<2x2xi32>, %z: memref<2x2xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %lhs = systolic.alloc at 0 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %rhs = systolic.alloc at 2 : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>
  systolic.mvin %x[%c0, %c0] rows %c2 cols %c2 along 0 to %lhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvin %w[%c0, %c0] rows %c2 cols %c2 along 0 to %rhs[%c0, %c0] : memref<2x2xi8> to !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.preload %rhs[%c0, %c0] rows %c2 cols %c2 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [2, 2], i32>, !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.compute %lhs[%c0, %c0] rows %c2 cols %c2 fresh : !systolic.tiles<scratchpad, [1, 1], [2, 2], i8>
  systolic.mvout %sums[%c0, %c0] rows %c2 cols %c2 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 2], i32> to memref<2x2xi32>
  return
}
}

// -----

// expected-error @below {{needs 'systolic.config': run convert-vitq-to-systolic first}}
module {
  func.func @main() {
    return
  }
}
