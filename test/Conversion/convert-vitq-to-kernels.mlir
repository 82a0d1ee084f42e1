// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels="target=x86-64-v3 fuse=false" | FileCheck %s --check-prefix=APART
// RUN: not vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v5 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: unknown target 'x86-64-v5'; 'native', 'aarch64' or an LLVM CPU name, near it: x86-64-v2

// Ops that differ in data only share a kernel; types and rounding shape the code.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: memref<4x8xi32>) -> (memref<4x8xi8>, memref<4x8xi8>, memref<4x8xi8>)
// CHECK: call @vitq_requant_0(
// CHECK: call @vitq_requant_0(
// CHECK: call @vitq_requant_1(
// CHECK: func.func private @vitq_requant_0(%{{.*}}: memref<1x32xi32> {llvm.noalias}, %{{.*}}: memref<1x32xi8> {llvm.noalias}, %{{.*}}: memref<{{[0-9]+}}xi8> {llvm.noalias})
// CHECK-SAME: llvm.noinline
// CHECK-NOT: f32
// CHECK: func.func private @vitq_requant_1
func.func @main(%x: tensor<4x8xi32>) -> (tensor<4x8xi8>, tensor<4x8xi8>, tensor<4x8xi8>) {
  %a = vitq.requant %x by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
  %b = vitq.requant %x by <1418500250, 38> round half_up zero_point 7 : tensor<4x8xi32> -> tensor<4x8xi8>
  %c = vitq.requant %x by <1518500250, 40> round half_even : tensor<4x8xi32> -> tensor<4x8xi8>
  return %a, %b, %c : tensor<4x8xi8>, tensor<4x8xi8>, tensor<4x8xi8>
}

// -----

// A requantization becomes the epilogue of its product; the tile is a function
// of its own with 16-bit products. Both weights have one kernel.

// CHECK: module attributes {vitq.macs = 24640 : i64
// CHECK-SAME: vitq.signature = (tensor<7x16xi8>) -> tensor<7x16xi8>
// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_requant_0(
// CHECK: call @vitq_matmul_requant_0(
// CHECK-NOT: call @vitq_matmul
// CHECK: return
// CHECK: func.func private @vitq_matmul_requant_0(
// CHECK: call @vitq_tile_0
// CHECK: func.func private @vitq_tile_0(
// CHECK: scf.for
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: llvm.x86.avx2.pmadd.ub

// APART-LABEL: module attributes {vitq.macs = 24640 : i64
// APART: call @vitq_matmul_0(
// APART: call @vitq_requant_0(
// APART: call @vitq_matmul_0(
// APART: call @vitq_requant_0(
func.func @main(%x: tensor<7x16xi8>) -> tensor<7x16xi8> {
  %w = arith.constant dense<3> : tensor<16x110xi8>
  %v = arith.constant dense<-2> : tensor<110x16xi8>
  %a = vitq.matmul %x, %w : (tensor<7x16xi8>, tensor<16x110xi8>) -> tensor<7x110xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<7x110xi32> -> tensor<7x110xi8>
  %c = vitq.slice %b offsets [0, 0] sizes [7, 16] strides [1, 1] : tensor<7x110xi8> -> tensor<7x16xi8>
  %d = vitq.matmul %c, %v transpose_rhs : (tensor<7x16xi8>, tensor<110x16xi8>) -> tensor<7x110xi32>
  %e = vitq.requant %d by <1418500250, 41> round half_up zero_point 3 : tensor<7x110xi32> -> tensor<7x110xi8>
  %f = vitq.slice %e offsets [0, 3] sizes [7, 16] strides [1, 1] : tensor<7x110xi8> -> tensor<7x16xi8>
  return %f : tensor<7x16xi8>
}

// -----

// An accumulator with two users is computed once.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_0(
// CHECK: call @vitq_requant_0(
func.func @main(%x: tensor<2x4xi8>, %y: tensor<4x4xi8>) -> (tensor<2x4xi8>, tensor<2x4xi32>) {
  %a = vitq.matmul %x, %y : (tensor<2x4xi8>, tensor<4x4xi8>) -> tensor<2x4xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<2x4xi32> -> tensor<2x4xi8>
  return %b, %a : tensor<2x4xi8>, tensor<2x4xi32>
}

// -----

// Scores and softmax run row by row; the row sums are a second result.

// CHECK-LABEL: func.func @main
// CHECK: %[[CODES:.*]] = memref.alloc() : memref<1x3x5x5xi8>
// CHECK: %[[SUMS:.*]] = memref.alloc() : memref<1x3x5xi32>
// CHECK: call @vitq_matmul_softmax_0(
// CHECK: return %[[CODES]], %[[SUMS]]
func.func @main(%q: tensor<1x3x5x8xi8>, %k: tensor<1x3x5x8xi8>) -> (tensor<1x3x5x5xi8>, tensor<1x3x5xi32>) {
  %t = arith.constant dense<1> : tensor<256xi8>
  %s = vitq.matmul %q, %k transpose_rhs : (tensor<1x3x5x8xi8>, tensor<1x3x5x8xi8>) -> tensor<1x3x5x5xi32>
  %c, %n = vitq.softmax table by <1518500250, 40>, %s, %t : (tensor<1x3x5x5xi32>, tensor<256xi8>) -> (tensor<1x3x5x5xi8>, tensor<1x3x5xi32>)
  return %c, %n : tensor<1x3x5x5xi8>, tensor<1x3x5xi32>
}
