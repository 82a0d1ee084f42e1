// RUN: vitq-opt %s --vitq-form-kernels=target=x86-64-v4+avx512vnni+avx512vbmi --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni+avx512vbmi | FileCheck %s
// RUN: vitq-opt %s --vitq-form-kernels=target=x86-64-v4+avx512vnni --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni | FileCheck %s --check-prefix=APART

// Codes of the next unit are computed beside the products of codes and values, three rows at a time: a piece of 64
// columns between the products of four groups of k. Two calls for a tile, and one unit ahead of the loop.

// CHECK: func.func private @vitq_attention_0(
// CHECK: scf.if
// CHECK: call @vitq_tile_0(
// CHECK: scf.for
// CHECK: call @vitq_tile_0(
// CHECK: vector.reduction <maxsi>
// CHECK: call @vitq_tile_beside_0(
// CHECK: call @vitq_tile_beside_0(

// CHECK: func.func private @vitq_tile_beside_0(
// CHECK: scf.for {{.*}} -> (vector<16xi32>,
// CHECK: scf.for
// CHECK-COUNT-12: llvm.x86.avx512.vpdpbusd.512
// CHECK: arith.maxsi
// CHECK: arith.muli
// CHECK-COUNT-12: llvm.x86.avx512.vpdpbusd.512
// CHECK: llvm.x86.avx512.vpermi2var.qi.512

// APART-NOT: @vitq_tile_beside_0

func.func @main(%q: tensor<3x192x64xi8>, %k: tensor<3x192x64xi8>, %v: tensor<3x192x64xi8>) -> tensor<3x192x64xi8> {
  %s = vitq.matmul %q, %k transpose_rhs lhs <unsigned, zero = 128> : (tensor<3x192x64xi8>, tensor<3x192x64xi8>) -> tensor<3x192x192xi32>
  %c, %n = vitq.softmax %s with #vitq.exp_shift<step = -24, fraction_bits = 15, code_shift = 12> by <23170, 24> : (tensor<3x192x192xi32>) -> (tensor<3x192x192xi8>, tensor<3x192xi32>)
  %p = vitq.matmul %c, %v lhs <unsigned> : (tensor<3x192x192xi8>, tensor<3x192x64xi8>) -> tensor<3x192x64xi32>
  %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : (tensor<3x192x64xi32>, tensor<3x192xi32>) -> tensor<3x192x64xi8>
  return %d : tensor<3x192x64xi8>
}
