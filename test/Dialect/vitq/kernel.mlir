// Kernels, in their own syntax, in generic form and as bytecode.
// RUN: vitq-opt %s | FileCheck %s
// RUN: vitq-opt %s | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --mlir-print-op-generic | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --emit-bytecode | vitq-opt | FileCheck %s
// RUN: vitq-opt %s --vitq-verify-integer-only --canonicalize --cse | FileCheck %s
// RUN: vitq-opt %s --vitq-prove-accumulators | FileCheck %s --check-prefix=RANGE

// CHECK: module attributes {vitq.target = #vitq.cpu<"x86-64-v3">}
module attributes {vitq.target = #vitq.cpu<"x86-64-v3">} {

// Constants are arguments; the range of a product is known from them nevertheless, and the
// range of what the kernel gives from its body.
// CHECK-LABEL: func.func @product
// CHECK: %[[Y:.*]] = vitq.kernel(%[[ROWS:.*]] = %{{.*}}, %[[W:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) attributes {vitq.id = 3 : i64} : (tensor<4x2xi8>, tensor<1x2xi8>, tensor<1xi32>) -> tensor<4x1xi8> {
// CHECK-NEXT: %[[SUMS:.*]] = vitq.matmul %[[ROWS]], %[[W]], %[[B]] transpose_rhs lhs <unsigned> : (tensor<4x2xi8>, tensor<1x2xi8>, tensor<1xi32>) -> tensor<4x1xi32>
// CHECK-NEXT: %[[CODES:.*]] = vitq.requant %[[SUMS]] by <1518500250, 40> round half_up {max = 10 : i64} : tensor<4x1xi32> -> tensor<4x1xi8>
// CHECK-NEXT: vitq.yield %[[CODES]] : tensor<4x1xi8>
// CHECK-NEXT: }
// RANGE-LABEL: func.func @product
// RANGE: vitq.matmul {{.*}} {vitq.accumulator_range = array<i64: -765, 775>}
// RANGE: vitq.matmul {{.*}} {vitq.accumulator_range = array<i64: -256, 20>}
func.func @product(%x: tensor<4x2xi8>) -> tensor<4x1xi32> {
  %w = arith.constant dense<[[3, -3]]> : tensor<1x2xi8>
  %b = arith.constant dense<10> : tensor<1xi32>
  %v = arith.constant dense<2> : tensor<1x1xi8>
  %y = vitq.kernel(%rows = %x, %weights = %w, %bias = %b) attributes {vitq.id = 3 : i64} : (tensor<4x2xi8>, tensor<1x2xi8>, tensor<1xi32>) -> tensor<4x1xi8> {
    %sums = vitq.matmul %rows, %weights, %bias transpose_rhs lhs <unsigned> : (tensor<4x2xi8>, tensor<1x2xi8>, tensor<1xi32>) -> tensor<4x1xi32>
    %codes = vitq.requant %sums by <1518500250, 40> round half_up {max = 10 : i64} : tensor<4x1xi32> -> tensor<4x1xi8>
    vitq.yield %codes : tensor<4x1xi8>
  }
  %z = vitq.matmul %y, %v : (tensor<4x1xi8>, tensor<1x1xi8>) -> tensor<4x1xi32>
  return %z : tensor<4x1xi32>
}

// Two results, of an op on whole rows.
// CHECK-LABEL: func.func @two_results
// CHECK: vitq.kernel({{.*}}) : (tensor<2x8xi8>, tensor<5x8xi8>) -> (tensor<2x5xi8>, tensor<2xi32>) {
// CHECK: vitq.yield %{{.*}}, %{{.*}} : tensor<2x5xi8>, tensor<2xi32>
func.func @two_results(%q: tensor<2x8xi8>, %k: tensor<5x8xi8>) -> (tensor<2x5xi8>, tensor<2xi32>) {
  %0:2 = vitq.kernel(%a = %q, %b = %k) : (tensor<2x8xi8>, tensor<5x8xi8>) -> (tensor<2x5xi8>, tensor<2xi32>) {
    %s = vitq.matmul %a, %b transpose_rhs : (tensor<2x8xi8>, tensor<5x8xi8>) -> tensor<2x5xi32>
    %codes, %sums = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1518500250, 40> : (tensor<2x5xi32>) -> (tensor<2x5xi8>, tensor<2xi32>)
    vitq.yield %codes, %sums : tensor<2x5xi8>, tensor<2xi32>
  }
  return %0#0, %0#1 : tensor<2x5xi8>, tensor<2xi32>
}

// The root may be an op on rows; a row may be the second operand; moves stand before and behind;
// a constant may be inside. Bounds look into the body.
// CHECK-LABEL: func.func @moves
// CHECK: vitq.kernel
// CHECK: vitq.transpose
// CHECK: vitq.layer_norm
// CHECK: vitq.add
// CHECK: vitq.transpose
// CHECK: vitq.yield
func.func @moves(%x: tensor<3x2xi8>, %r: tensor<2x3xi16>) -> tensor<3x2xi16> {
  %y = vitq.kernel(%a = %x, %b = %r) : (tensor<3x2xi8>, tensor<2x3xi16>) -> tensor<3x2xi16> {
    %t = vitq.transpose %a by [1, 0] : tensor<3x2xi8> -> tensor<2x3xi8>
    %n = vitq.layer_norm %t with #vitq.norm_shift by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi8> -> tensor<2x3xi8>
    %s = vitq.add %b by <1073741824, 31>, %n by <1518500250, 33> round half_up : (tensor<2x3xi16>, tensor<2x3xi8>) -> tensor<2x3xi16>
    %u = vitq.transpose %s by [1, 0] : tensor<2x3xi16> -> tensor<3x2xi16>
    vitq.yield %u : tensor<3x2xi16>
  }
  return %y : tensor<3x2xi16>
}
}
