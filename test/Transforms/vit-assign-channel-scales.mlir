// RUN: vitq-opt %s --vit-assign-channel-scales=own=1 --split-input-file --verify-diagnostics | FileCheck %s
// RUN: vitq-opt %s --vit-assign-channel-scales="heads=false own=0 norms=on" --split-input-file | FileCheck %s --check-prefix=NORMS

// Heads of queries and keys: two channels each share a range. Values of a matmul
// that are no projection keep theirs.
// CHECK: text = "one scale for each of 2 heads, which reach 2 to 5"
// CHECK-LABEL: func.func @main
// CHECK: vit.linear {{.*}}vit.code_ranges = dense<{{\[\[}}-1.000000e+00, 2.000000e+00], [-1.000000e+00, 2.000000e+00], [-5.000000e+00, 4.000000e+00], [-5.000000e+00, 4.000000e+00]]> : tensor<4x2xf32>
// CHECK: vit.linear {{.*}}vit.code_ranges
// NORMS-LABEL: func.func @main
// NORMS-NOT: vit.code_ranges
func.func @main(%x: tensor<1x3x4xf32>) -> tensor<1x2x3x3xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %q0 = vit.linear %x, %w {vit.range = array<f64: -5.0, 4.0>, vit.channel_range = dense<[[-1.0, 1.5], [-0.5, 2.0], [-5.0, 1.0], [-1.0, 4.0]]> : tensor<4x2xf32>} : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %k0 = vit.linear %x, %w {vit.range = array<f64: -5.0, 4.0>, vit.channel_range = dense<[[-1.0, 1.5], [-0.5, 2.0], [-5.0, 1.0], [-1.0, 4.0]]> : tensor<4x2xf32>} : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  %q1 = vit.reshape %q0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %k1 = vit.reshape %k0 to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %q = vit.transpose %q1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %k = vit.transpose %k1 by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  return %s : tensor<1x2x3x3xf32>
}

// -----

// The channel that reaches farthest has its own range, clamped to that of the tensor
// (an observer may have narrowed it); a function that anything but a linear layer
// reads has one scale.
// CHECK-LABEL: func.func @main
// CHECK: vit.gelu {{.*}}vit.code_ranges = dense<{{\[\[}}-1.700000e-01, 2.000000e+00], [-1.700000e-01, 7.000000e+00], [-1.700000e-01, 2.000000e+00]]> : tensor<3x2xf32>
// CHECK: vit.tanh
// CHECK-NOT: vit.code_ranges
// NORMS-LABEL: func.func @main
// NORMS: vit.layer_norm {{.*}}vit.code_ranges = dense<{{\[\[}}-1.000000e+00, 3.000000e+00], [-2.000000e+00, 2.000000e+00]]> : tensor<2x2xf32>
// NORMS-NOT: vit.code_ranges
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x3xf32> {
  %w1 = arith.constant dense<0.5> : tensor<3x2xf32>
  %w2 = arith.constant dense<0.5> : tensor<3x3xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.channel_range = dense<[[-1.0, 3.0], [-2.0, 2.0]]> : tensor<2x2xf32>} : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %u = vit.linear %n, %w1 : (tensor<1x3x2xf32>, tensor<3x2xf32>) -> tensor<1x3x3xf32>
  %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 7.0>, vit.channel_range = dense<[[-0.17, 1.0], [-0.17, 8.0], [-0.1, 2.0]]> : tensor<3x2xf32>} : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %v = vit.linear %g, %w2 : (tensor<1x3x3xf32>, tensor<3x3xf32>) -> tensor<1x3x3xf32>
  %t = vit.tanh %v {vit.channel_range = dense<[[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]> : tensor<3x2xf32>} : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %r = vit.add %t, %t : (tensor<1x3x3xf32>, tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  return %r : tensor<1x3x3xf32>
}

// -----

func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x3xf32> {
  %w1 = arith.constant dense<0.5> : tensor<3x2xf32>
  %w2 = arith.constant dense<0.5> : tensor<3x3xf32>
  %u = vit.linear %x, %w1 : (tensor<1x3x2xf32>, tensor<3x2xf32>) -> tensor<1x3x3xf32>
  // expected-error @+1 {{has no calibrated channel ranges, which scales of their own need; calibrate again, or compile with --recipe=minmax}}
  %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 7.0>} : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %v = vit.linear %g, %w2 : (tensor<1x3x3xf32>, tensor<3x3xf32>) -> tensor<1x3x3xf32>
  return %v : tensor<1x3x3xf32>
}

// -----

// A product that a linear layer reads has own scales as a function has: gate times value.
// CHECK-LABEL: func.func @main
// CHECK: vit.mul {{.*}}vit.code_ranges = dense<{{\[\[}}-3.000000e+00, 2.000000e+00], [-1.000000e+00, 9.000000e+00], [-3.000000e+00, 2.000000e+00]]> : tensor<3x2xf32>
func.func @main(%g: tensor<1x3x3xf32>, %v: tensor<1x3x3xf32>) -> tensor<1x3x3xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3xf32>
  %m = vit.mul %g, %v {vit.range = array<f64: -3.0, 9.0>, vit.channel_range = dense<[[-3.0, 1.0], [-1.0, 9.0], [-0.1, 2.0]]> : tensor<3x2xf32>} : (tensor<1x3x3xf32>, tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  %l = vit.linear %m, %w : (tensor<1x3x3xf32>, tensor<3x3xf32>) -> tensor<1x3x3xf32>
  return %l : tensor<1x3x3xf32>
}

// -----

// What a depthwise convolution reads: sums of products have a scale for each channel, a
// rectifier's result has not. A dense convolution takes up the scales of a table's largest channel, as a linear layer does.
// CHECK-LABEL: func.func @depthwise
// CHECK: vit.linear {{.*}}vit.code_ranges = dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [-4.000000e+00, 2.000000e+00], [0.000000e+00, 3.000000e+00]]> : tensor<3x2xf32>
// CHECK: vit.conv2d
// CHECK-NOT: vit.code_ranges
// CHECK: vit.conv2d
// CHECK-NOT: vit.code_ranges
// CHECK: vit.silu {{.*}}vit.code_ranges = dense<{{\[\[}}-2.000000e-01, 2.000000e+00], [-2.000000e-01, 7.000000e+00], [-2.000000e-01, 2.000000e+00]]> : tensor<3x2xf32>
// CHECK: vit.conv2d
// CHECK-NOT: vit.code_ranges
// CHECK: return
// NORMS-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<1x4x4x2xf32>) -> tensor<1x4x4x3xf32> {
  %w = arith.constant dense<0.5> : tensor<3x2xf32>
  %k = arith.constant dense<0.5> : tensor<3x1x1x1xf32>
  %d = arith.constant dense<0.5> : tensor<3x3x1x1xf32>
  %u = vit.linear %x, %w {vit.range = array<f64: -4.0, 3.0>, vit.channel_range = dense<[[-1.0, 1.0], [-4.0, 2.0], [0.0, 3.0]]> : tensor<3x2xf32>} : (tensor<1x4x4x2xf32>, tensor<3x2xf32>) -> tensor<1x4x4x3xf32>
  %v = vit.conv2d %u, %k {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 3 : i64, vit.channel_range = dense<[[0.0, 1.0], [0.0, 6.0], [0.0, 3.0]]> : tensor<3x2xf32>} : (tensor<1x4x4x3xf32>, tensor<3x1x1x1xf32>) -> tensor<1x4x4x3xf32>
  %r = vit.relu %v {vit.range = array<f64: 0.0, 6.0>, vit.channel_range = dense<[[0.0, 1.0], [0.0, 6.0], [0.0, 3.0]]> : tensor<3x2xf32>} : tensor<1x4x4x3xf32> -> tensor<1x4x4x3xf32>
  %s = vit.conv2d %r, %k {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 3 : i64, vit.channel_range = dense<[[0.0, 1.0], [0.0, 6.0], [0.0, 3.0]]> : tensor<3x2xf32>} : (tensor<1x4x4x3xf32>, tensor<3x1x1x1xf32>) -> tensor<1x4x4x3xf32>
  %f = vit.silu %s {vit.range = array<f64: -0.2, 7.0>, vit.channel_range = dense<[[-0.2, 1.0], [-0.2, 8.0], [-0.1, 2.0]]> : tensor<3x2xf32>} : tensor<1x4x4x3xf32> -> tensor<1x4x4x3xf32>
  %y = vit.conv2d %f, %d {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x3xf32>, tensor<3x3x1x1xf32>) -> tensor<1x4x4x3xf32>
  return %y : tensor<1x4x4x3xf32>
}
