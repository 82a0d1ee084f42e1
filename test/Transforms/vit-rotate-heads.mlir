// RUN: vitq-opt %s --vit-rotate-heads --split-input-file --verify-diagnostics | FileCheck %s

// Queries and keys; values, and the layer that reads them.
// CHECK: text = "queries and keys are rotated in each of 2 heads, in blocks of 2 channels"
// CHECK-SAME: text = "values are rotated in each of 2 heads, in blocks of 2 channels"
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x3x4xf32>) -> tensor<1x3x1xf32> {
  %wq = arith.constant dense<1.0> : tensor<4x4xf32>
  %wk = arith.constant dense<1.0> : tensor<4x4xf32>
  %wv = arith.constant dense<1.0> : tensor<4x4xf32>
  %bq = arith.constant dense<1.0> : tensor<4xf32>
  %wo = arith.constant dense<1.0> : tensor<1x4xf32>
  %q0 = vit.linear %x, %wq, %bq : (tensor<1x3x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %k0 = vit.linear %x, %wk : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %v0 = vit.linear %x, %wv : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %q1 = vit.reshape %q0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %k1 = vit.reshape %k0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %v1 = vit.reshape %v0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %q = vit.transpose %q1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %k = vit.transpose %k1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %v = vit.transpose %v1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  %p = vit.softmax %s : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %o = vit.matmul %p, %v : (tensor<1x2x3x3xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  %o1 = vit.transpose %o by [0, 2, 1, 3] : tensor<1x2x3x2xf32> -> tensor<1x3x2x2xf32>
  %o0 = vit.reshape %o1 to [1, 3, 4] : tensor<1x3x2x2xf32> -> tensor<1x3x4xf32>
  %y = vit.linear %o0, %wo : (tensor<1x3x4xf32>, tensor<1x4xf32>) -> tensor<1x3x1xf32>
  return %y : tensor<1x3x1xf32>
}

// -----

// Queries that are multiplied between (a rotary embedding does that) are left alone.
// CHECK-NOT: vitq.decisions
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x3x4xf32>, %f: tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32> {
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %q0 = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %k0 = vit.linear %x, %w : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %q1 = vit.reshape %q0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %k1 = vit.reshape %k0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %q2 = vit.transpose %q1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %k = vit.transpose %k1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %q = vit.mul %q2, %f : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %s : tensor<1x2x3x3xf32>
}

// -----

func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-error @+1 {{has a calibrated range, which a rotation would make wrong: run vit-rotate-heads before vit-calibrate}}
  %y = vit.linear %x, %w {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}
