// Kernels of a systolic array: a product with what units do on its sums, or one unit's op on rows from DRAM.
// RUN: vitq-opt %s -split-input-file --vitq-form-kernels='target=#systolic.config<"edge-8x8-int4">' | FileCheck %s
// RUN: vitq-opt %s -split-input-file --systolic-set-target --vitq-form-kernels | FileCheck %s --check-prefix=SHIFT

// The table's result is read twice: the kernel ends there. A move is in no kernel, its reader begins another.
// CHECK-LABEL: func.func @main(
// CHECK: %[[A:.*]] = vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.table
// CHECK-NEXT: vitq.yield
// CHECK: %[[B:.*]] = vitq.reshape %[[A]]
// CHECK: %[[C:.*]] = vitq.kernel(%{{.*}} = %[[B]]) : (tensor<4x8xi8>) -> tensor<4x8xi8> {
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
// CHECK: return %[[A]], %[[C]]

// This array has no unit for the first requantization; 2^-8, half to even, is done where sums are stored.
// SHIFT-LABEL: func.func @main(
// SHIFT: vitq.kernel(
// SHIFT-NEXT: vitq.matmul
// SHIFT-NEXT: vitq.yield
// SHIFT-NOT: vitq.kernel
func.func @main(%x: tensor<1x4x8xi8>) -> (tensor<1x4x8xi8>, tensor<4x8xi8>) {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %t = arith.constant dense<2> : tensor<256xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x4x8xi32> -> tensor<1x4x8xi8>
  %2 = vitq.table %1, %t : (tensor<1x4x8xi8>, tensor<256xi8>) -> tensor<1x4x8xi8>
  %3 = vitq.reshape %2 to [4, 8] : tensor<1x4x8xi8> -> tensor<4x8xi8>
  %4 = vitq.requant %3 by <1518500250, 31> round half_up : tensor<4x8xi8> -> tensor<4x8xi8>
  return %2, %4 : tensor<1x4x8xi8>, tensor<4x8xi8>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// SHIFT-LABEL: func.func @main(
// SHIFT: vitq.kernel(
// SHIFT-NEXT: vitq.matmul
// SHIFT-NEXT: vitq.requant
// SHIFT-NEXT: vitq.yield
func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x8xi8> {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>
  %1 = vitq.requant %0 by <1, 8> round half_even : tensor<1x4x8xi32> -> tensor<1x4x8xi8>
  return %1 : tensor<1x4x8xi8>
}

// -----

// What shrinks rows that the host has just computed stays there: it writes a fourth of the bytes.
// CHECK-LABEL: func.func @main(
// CHECK: vitq.hadamard
// CHECK-NEXT: vitq.requant
// CHECK-NOT: vitq.kernel
// CHECK: return
func.func @main(%x: tensor<1x4x64xi8>) -> tensor<1x4x64xi8> {
  %0 = vitq.hadamard %x block 64 : tensor<1x4x64xi8> -> tensor<1x4x64xi32>
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x4x64xi32> -> tensor<1x4x64xi8>
  return %1 : tensor<1x4x64xi8>
}
