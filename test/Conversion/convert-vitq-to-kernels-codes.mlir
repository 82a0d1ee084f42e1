// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v4+avx512vnni --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni --verify-diagnostics | FileCheck %s

// A code below 8 bits takes a byte in memory; its constants take their bits: 3 * 64 * 128 / 8
// for the weights, a panel of which is unpacked before its tiles.

// CHECK: memref.global "private" constant @vitq_blob_{{[0-9]+}} : memref<3072xi8>
// CHECK-LABEL: func.func @main(
// CHECK-SAME: memref<16x64xi8>
// CHECK: memref.alloc() : memref<16x64xi8>
// CHECK: call @vitq_requant_0(
// CHECK: call @vitq_matmul_requant_0(
func.func @main(%x: tensor<16x64xi8>) -> tensor<16x128xi8> {
  %w = arith.constant dense<-3> : tensor<128x64xi3>
  %q = vitq.requant %x by <1073741824, 34> round half_up result <unsigned> : tensor<16x64xi8> -> tensor<16x64xi4>
  %s = vitq.matmul %q, %w transpose_rhs lhs <unsigned> : (tensor<16x64xi4>, tensor<128x64xi3>) -> tensor<16x128xi32>
  %y = vitq.requant %s by <1073741824, 34> round half_up : tensor<16x128xi32> -> tensor<16x128xi8>
  return %y : tensor<16x128xi8>
}

// -----

// Other constants are unpacked into a buffer: 2 * 64 / 8 bytes for a block of 64 codes.

// CHECK: memref.global "private" constant @vitq_blob_{{[0-9]+}} : memref<16xi8>
// CHECK-LABEL: func.func @main(
// CHECK: call @vitq_unpack_0(
func.func @main(%x: tensor<2x65xi8>) -> tensor<2x65xi8> {
  %c = arith.constant dense<[[-2, 1, 0, -1, 1], [1, 1, 0, 0, -2]]> : tensor<2x5xi2>
  %z = vitq.pad %c low [0, 0] high [0, 60] value 1 : tensor<2x5xi2> -> tensor<2x65xi2>
  %d = arith.constant dense<[-2]> : tensor<1xi2>
  %y = vitq.add %x by <1073741824, 30>, %z by <1073741824, 30> round half_up : (tensor<2x65xi8>, tensor<2x65xi2>) -> tensor<2x65xi8>
  return %y : tensor<2x65xi8>
}

// -----

// A byte holds a code in one way.
func.func @main(%x: tensor<4x8xi8>) -> tensor<4x8xi8> {
  // expected-note @+1 {{here they are unsigned}}
  %q = vitq.requant %x by <1073741824, 34> round half_up result <unsigned> : tensor<4x8xi8> -> tensor<4x8xi4>
  %r = vitq.reshape %q to [8, 4] : tensor<4x8xi4> -> tensor<8x4xi4>
  %t = vitq.reshape %r to [4, 8] : tensor<8x4xi4> -> tensor<4x8xi4>
  // expected-error @+1 {{'vitq.requant' op takes codes of 'i4' as signed that are unsigned elsewhere; a byte holds them one way only}}
  %y = vitq.requant %t by <1073741824, 30> round half_up : tensor<4x8xi4> -> tensor<4x8xi8>
  return %y : tensor<4x8xi8>
}

// -----

// expected-error @+1 {{operands and results must be statically shaped tensors of integers of 8 bits or more}}
func.func @main(%x: tensor<4x8xi4>) -> tensor<4x8xi4> {
  return %x : tensor<4x8xi4>
}

// -----

func.func @main(%x: tensor<4x8xi8>, %t: tensor<16xi8>) -> tensor<4x8xi8> {
  %q = vitq.requant %x by <1073741824, 34> round half_up : tensor<4x8xi8> -> tensor<4x8xi4>
  // expected-error @+1 {{the table of narrow codes must be a constant}}
  %y = vitq.table %q, %t : (tensor<4x8xi4>, tensor<16xi8>) -> tensor<4x8xi8>
  return %y : tensor<4x8xi8>
}
