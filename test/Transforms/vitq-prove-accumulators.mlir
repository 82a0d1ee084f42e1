// RUN: vitq-opt %s --vitq-prove-accumulators --split-input-file --verify-diagnostics | FileCheck %s

// Per channel: 255 * (1 + 2) + 5 above, 255 * -3 below; the union over channels.
// CHECK-LABEL: func.func @constant
func.func @constant(%x: tensor<1x2xi8>) -> tensor<1x2xi32> {
  %w = arith.constant dense<[[1, 2], [-3, 0]]> : tensor<2x2xi8>
  %b = arith.constant dense<[5, 0]> : tensor<2xi32>
  // CHECK: vitq.accumulator_range = array<i64: -765, 770>
  %y = vitq.matmul %x, %w, %b transpose_rhs lhs <unsigned> : (tensor<1x2xi8>, tensor<2x2xi8>, tensor<2xi32>) -> tensor<1x2xi32>
  return %y : tensor<1x2xi32>
}

// -----

// The producer's range counts: a requantization clamped to [0, 10].
// CHECK-LABEL: func.func @producer
func.func @producer(%x: tensor<1x2xi32>) -> tensor<1x1xi32> {
  %w = arith.constant dense<[[1, -2]]> : tensor<1x2xi8>
  %q = vitq.requant %x by #vitq.dyadic<1073741824, 30> round half_up result <unsigned> {max = 10 : i64} : tensor<1x2xi32> -> tensor<1x2xi8>
  // CHECK: vitq.accumulator_range = array<i64: -20, 10>
  %y = vitq.matmul %q, %w transpose_rhs lhs <unsigned> : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x1xi32>
  return %y : tensor<1x1xi32>
}

// -----

// Products of activations: K * max|lhs - z| * 128.
// CHECK-LABEL: func.func @dynamic
func.func @dynamic(%x: tensor<1x2x64xi8>, %k: tensor<1x2x64xi8>) -> tensor<1x2x2xi32> {
  // CHECK: vitq.accumulator_range = array<i64: -1048576, 1048576>
  %y = vitq.matmul %x, %k transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x2x64xi8>, tensor<1x2x64xi8>) -> tensor<1x2x2xi32>
  return %y : tensor<1x2x2xi32>
}

// -----

func.func @overflow(%x: tensor<1x1000xi16>, %k: tensor<1000x1xi8>) -> tensor<1x1xi32> {
  // expected-error @+1 {{the accumulator may reach [-4194304000, 4194304000], beyond 32 bits; quantize the operands to fewer bits or split the contraction}}
  %y = vitq.matmul %x, %k : (tensor<1x1000xi16>, tensor<1000x1xi8>) -> tensor<1x1xi32>
  return %y : tensor<1x1xi32>
}
