// RUN: vitq-opt %s --vit-center-channels --split-input-file | FileCheck %s
// RUN: vitq-opt %s --vit-center-channels=at-most=4 --split-input-file | FileCheck %s --check-prefix=FEW

// beta less the mean; the bias behind plus the weights times it: 3 + 1 + 2 = 6. Statistics are to be measured again.
// CHECK: text = "the mean of each channel is in the biases, not in the codes"
// CHECK-LABEL: func.func @main
// CHECK: %[[BETA:.*]] = arith.constant dense<[0.000000e+00, -1.000000e+00]> : tensor<2xf32>
// CHECK: vit.layer_norm %{{.*}}, %{{.*}}, %[[BETA]] eps
// CHECK-NOT: vit.channel_mean
// CHECK: %[[BIAS:.*]] = arith.constant dense<6.000000e+00> : tensor<3xf32>
// CHECK: vit.linear %{{.*}}, %{{.*}}, %[[BIAS]] :
// FEW-LABEL: func.func @main
// FEW: vit.channel_mean
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x3xf32> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<3x2xf32>
  %b = arith.constant dense<3.0> : tensor<3xf32>
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 {vit.channel_mean = dense<[1.0, 2.0]> : tensor<2xf64>, vit.range = array<f64: -1.0, 3.0>} : (tensor<1x4x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x4x2xf32>
  %y = vit.linear %n, %w, %b : (tensor<1x4x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}

// -----

// A norm that a sum reads too keeps its mean.
// CHECK-LABEL: func.func @main
// CHECK: vit.channel_mean
func.func @main(%x: tensor<1x4x2xf32>) -> (tensor<1x4x2xf32>, tensor<1x4x3xf32>) {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<3x2xf32>
  %b = arith.constant dense<3.0> : tensor<3xf32>
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 {vit.channel_mean = dense<[1.0, 2.0]> : tensor<2xf64>} : (tensor<1x4x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x4x2xf32>
  %s = vit.add %n, %x : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %y = vit.linear %n, %w, %b : (tensor<1x4x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x4x3xf32>
  return %s, %y : tensor<1x4x2xf32>, tensor<1x4x3xf32>
}

// -----

// What is spread: the mean leaves the channels before the transform, here shifted by 1 and 0 bits. (2 * 2 + 1, 2 * 2 - 1)
// / sqrt 2 in all, 8 / sqrt 2 = 5.6568542, times the weights go into the bias.
// CHECK: text = "the mean of each channel is in the biases, not in the codes"
// CHECK-LABEL: func.func @main
// CHECK-NOT: vit.channel_mean
// CHECK: vit.hadamard %{{.*}} block 2 centers [2.000000e+00, 1.000000e+00] shifts [1, 0] : tensor<1x4x2xf32>
// CHECK: %[[BIAS:.*]] = arith.constant dense<8.65685462> : tensor<3xf32>
// CHECK: vit.linear %{{.*}}, %{{.*}}, %[[BIAS]] :
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x2xf32>
  %b = arith.constant dense<3.0> : tensor<3xf32>
  %t = vit.tanh %x {vit.channel_mean = dense<[2.0, 1.0]> : tensor<2xf64>} : tensor<1x4x2xf32> -> tensor<1x4x2xf32>
  %h = vit.hadamard %t block 2 shifts [1, 0] : tensor<1x4x2xf32> -> tensor<1x4x2xf32>
  %y = vit.linear %h, %w, %b : (tensor<1x4x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}

// -----

// A mean of two rows, one of each image, is none.
// CHECK-LABEL: func.func @main
// CHECK: vit.channel_mean
module attributes {vit.calibration_images = 2 : i64} {
  func.func @main(%x: tensor<1x1x2xf32>) -> tensor<1x1x3xf32> {
    %g = arith.constant dense<1.0> : tensor<2xf32>
    %w = arith.constant dense<1.0> : tensor<3x2xf32>
    %b = arith.constant dense<3.0> : tensor<3xf32>
    %n = vit.layer_norm %x, %g, %g eps 1.0e-6 {vit.channel_mean = dense<[1.0, 2.0]> : tensor<2xf64>} : (tensor<1x1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x1x2xf32>
    %y = vit.linear %n, %w, %b : (tensor<1x1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x1x3xf32>
    return %y : tensor<1x1x3xf32>
  }
}
