// RUN: vitq-opt %s --vit-take-pixels --vit-quantize --vit-quantize-weights --vit-quantize-result --split-input-file | FileCheck %s

// One channel, head or token must not decide what codes are left for the others.

// Three channels of GELU: the last is positive on every image and the narrowest. Alone
// it would have zero point 0, which would take the others' negative codes away.
// CHECK-LABEL: func.func @main
// CHECK: vit.gelu
// CHECK: vit.quantize {{.*}} -> tensor<1x1x3x!quant.uniform<u8:f32:2, {0.0203{{.*}}:9,0.0203{{.*}}:9,0.0247{{.*}}:9}>>
func.func @main(%x: tensor<1x1x3x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x3xf32>
  %u = vit.dequantize %x : tensor<1x1x3x!quant.uniform<u8:f32, 0.1>> -> tensor<1x1x3xf32>
  %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 6.1>, vit.code_ranges = dense<[[-0.17, 5.0], [-0.17, 5.0], [5.9, 6.1]]> : tensor<3x2xf32>} : tensor<1x1x3xf32> -> tensor<1x1x3xf32>
  %y = vit.linear %g, %w {vit.range = array<f64: -1.0, 10.0>} : (tensor<1x1x3xf32>, tensor<1x3xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

// A scale for each channel of a LayerNorm; a large beta makes one channel all positive
// and the widest. The range of all would give zero point 23 and the others a fifth
// of their codes.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x1x4x!quant.uniform<u8:f32:2, {0.00787{{.*}}:128,0.00787{{.*}}:128,0.00787{{.*}}:128,0.0787{{.*}}:128}>>
func.func @main(%x: tensor<1x1x4x!quant.uniform<i16:f32, 0.1>>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x4xf32>
  %g = arith.constant dense<1.0> : tensor<4xf32>
  %u = vit.dequantize %x : tensor<1x1x4x!quant.uniform<i16:f32, 0.1>> -> tensor<1x1x4xf32>
  %n = vit.layer_norm %u, %g, %g eps 1.0e-6 {vit.range = array<f64: -1.0, 10.0>, vit.code_ranges = dense<[[-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0], [8.0, 10.0]]> : tensor<4x2xf32>} : (tensor<1x1x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x1x4xf32>
  %y = vit.linear %n, %w {vit.range = array<f64: -1.0, 10.0>} : (tensor<1x1x4xf32>, tensor<1x4xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

// Of two heads of the queries one is all positive and wide.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32:2, {0.0944{{.*}}:128,0.00787{{.*}}:128}>>
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  %q = vit.linear %x0, %w {vit.range = array<f64: -1.0, 12.0>, vit.code_ranges = dense<[[0.0, 12.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %s = vit.matmul %q, %x0 transpose_rhs {vit.range = array<f64: -4.0, 4.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %s : tensor<1x2x2xf32>
}

// -----

// The class token of a residual stream without a norm behind it: it is taken from 16
// bits, and its codes cover its own range, not that of the other tokens.
// CHECK-LABEL: func.func @main
// CHECK: %[[A:.+]] = vit.add
// CHECK: %[[AQ:.+]] = vit.quantize %[[A]] {{.*}} -> tensor<1x3x2x!quant.uniform<i16
// CHECK: %[[AD:.+]] = vit.dequantize %[[AQ]]
// CHECK: %[[C:.+]] = vit.slice %[[AD]]
// CHECK: %[[R:.+]] = vit.reshape %[[C]]
// CHECK: vit.quantize %[[R]] {{.*}} -> tensor<1x2x!quant.uniform<u8:f32, 0.0039{{.*}}:128>>
func.func @main(%x: tensor<1x3x2x!quant.uniform<i16:f32, 0.1>>) -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2xf32>
  %x0 = vit.dequantize %x : tensor<1x3x2x!quant.uniform<i16:f32, 0.1>> -> tensor<1x3x2xf32>
  %a = vit.add %x0, %x0 {vit.range = array<f64: -40.0, 40.0>} : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c = vit.slice %a offsets [0, 0, 0] sizes [1, 1, 2] strides [1, 1, 1] {vit.range = array<f64: -0.5, 0.5>} : tensor<1x3x2xf32> -> tensor<1x1x2xf32>
  %r = vit.reshape %c to [1, 2] {vit.range = array<f64: -0.5, 0.5>} : tensor<1x1x2xf32> -> tensor<1x2xf32>
  %y = vit.linear %r, %w {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Rows of a weight that are small beside their bias: the scale is what the bias needs
// to stay below 2^31 with the products, so a row of 1e-42 keeps its bias, exactly as a
// row of zeros does. Without a bias a row of zeros has scale 1.
// CHECK-LABEL: func.func @main
// CHECK-DAG: arith.constant dense<{{\[\[}}127, 127], [0, 0], [0, 0], [4, 4], [0, 0]]> : tensor<5x2xi8>
// CHECK-DAG: tensor<5x2x!quant.uniform<i8<-127:127>:f32:0, {0.00787{{.*}},2.32844{{.*}}E-8,2.32844{{.*}}E-8,2.32844{{.*}}E-8,1.000000e+00}>>
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x5xf32> {
  %w = arith.constant dense<[[1.0, 1.0], [1.0e-42, 1.0e-42], [0.0, 0.0], [1.0e-7, 1.0e-7], [0.0, 0.0]]> : tensor<5x2xf32>
  %b = arith.constant dense<[5.0, 5.0, 5.0, -5.0, 0.0]> : tensor<5xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %y = vit.linear %x0, %w, %b {vit.range = array<f64: -30.0, 30.0>} : (tensor<1x2xf32>, tensor<5x2xf32>, tensor<5xf32>) -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// -----

// Two accumulators in units of the first, whose row is zero: its scale leaves room for
// the other's reach, 3276.8 * 2 * 1.
// CHECK-LABEL: func.func @main
// CHECK-DAG: tensor<1x2x!quant.uniform<i8<-127:127>:f32:0, {3.075{{.*}}E-5}>>
func.func @main(%x: tensor<1x1x2x!quant.uniform<i16:f32, 0.1>>) -> tensor<1x1x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x2xf32>
  %one = arith.constant dense<1.0> : tensor<1x2xf32>
  %o0 = vit.dequantize %x : tensor<1x1x2x!quant.uniform<i16:f32, 0.1>> -> tensor<1x1x2xf32>
  %a = vit.linear %o0, %zero {vit.range = array<f64: 0.0, 0.0>} : (tensor<1x1x2xf32>, tensor<1x2xf32>) -> tensor<1x1x1xf32>
  %b = vit.linear %o0, %one {vit.range = array<f64: -6000.0, 6000.0>, vit.wide} : (tensor<1x1x2xf32>, tensor<1x2xf32>) -> tensor<1x1x1xf32>
  %s = vit.add %a, %b {vit.range = array<f64: -6000.0, 6000.0>} : (tensor<1x1x1xf32>, tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %t = vit.add %o0, %s {vit.range = array<f64: -6000.0, 6000.0>} : (tensor<1x1x2xf32>, tensor<1x1x1xf32>) -> tensor<1x1x2xf32>
  return %t : tensor<1x1x2xf32>
}
