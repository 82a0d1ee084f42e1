// RUN: vitq-opt %s --vit-assign-channel-scales="heads=false own=0 norms=auto" --split-input-file | FileCheck %s

// 2^14 rows were seen: ranges stay as they are. Three channels of four reach an eighth of
// what one does, so that nearly three quarters of the error go.
// CHECK: text = "one scale for each channel, folded into the weights that read it (5.8 dB less error)"
// CHECK-LABEL: func.func @many_rows
// CHECK: vit.layer_norm {{.*}}vit.code_ranges = dense<{{\[\[}}-8.000000e+00, 8.000000e+00], [-1.000000e+00, 1.000000e+00], [-1.000000e+00, 1.000000e+00], [-1.000000e+00, 1.000000e+00]]>
module attributes {vit.calibration_images = 1024 : i64} {
  func.func @many_rows(%x: tensor<1x16x4xf32>) -> tensor<1x16x2xf32> {
    %w = arith.constant dense<0.5> : tensor<2x4xf32>
    %one = arith.constant dense<1.0> : tensor<4xf32>
    %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.range = array<f64: -8.0, 8.0>, vit.channel_range = dense<[[-8.0, 8.0], [-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]> : tensor<4x2xf32>} : (tensor<1x16x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x16x4xf32>
    %y = vit.linear %n, %w : (tensor<1x16x4xf32>, tensor<2x4xf32>) -> tensor<1x16x2xf32>
    return %y : tensor<1x16x2xf32>
  }
}

// -----

// 128 rows: half the logarithm, so ranges are sqrt(2) times as wide around their middle, but
// no wider than the tensor's.
// CHECK-LABEL: func.func @few_rows
// CHECK: vit.layer_norm {{.*}}vit.code_ranges = dense<{{\[\[}}-8.000000e+00, 8.000000e+00], [-1.41421354, 1.41421354], [-0.414213568, 2.41421366], [-1.41421354, 1.41421354]]>
module attributes {vit.calibration_images = 8 : i64} {
  func.func @few_rows(%x: tensor<1x16x4xf32>) -> tensor<1x16x2xf32> {
    %w = arith.constant dense<0.5> : tensor<2x4xf32>
    %one = arith.constant dense<1.0> : tensor<4xf32>
    %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.range = array<f64: -8.0, 8.0>, vit.channel_range = dense<[[-8.0, 8.0], [-1.0, 1.0], [0.0, 2.0], [-1.0, 1.0]]> : tensor<4x2xf32>} : (tensor<1x16x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x16x4xf32>
    %y = vit.linear %n, %w : (tensor<1x16x4xf32>, tensor<2x4xf32>) -> tensor<1x16x2xf32>
    return %y : tensor<1x16x2xf32>
  }
}

// -----

// Four rows: three and a half times as wide would leave nothing of the gain.
// CHECK-LABEL: func.func @hardly_any_rows
// CHECK-NOT: vit.code_ranges
module attributes {vit.calibration_images = 4 : i64} {
  func.func @hardly_any_rows(%x: tensor<1x1x4xf32>) -> tensor<1x1x2xf32> {
    %w = arith.constant dense<0.5> : tensor<2x4xf32>
    %one = arith.constant dense<1.0> : tensor<4xf32>
    %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.range = array<f64: -4.0, 4.0>, vit.channel_range = dense<[[-4.0, 4.0], [-1.5, 1.5], [-1.5, 1.5], [-1.5, 1.5]]> : tensor<4x2xf32>} : (tensor<1x1x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x1x4xf32>
    %y = vit.linear %n, %w : (tensor<1x1x4xf32>, tensor<2x4xf32>) -> tensor<1x1x2xf32>
    return %y : tensor<1x1x2xf32>
  }
}

// -----

// Weights count: here what reads the far channel is all of the error.
// CHECK-LABEL: func.func @weights
// CHECK-NOT: vit.code_ranges
module attributes {vit.calibration_images = 1024 : i64} {
  func.func @weights(%x: tensor<1x16x2xf32>) -> tensor<1x16x1xf32> {
    %w = arith.constant dense<[[1.0, 0.01]]> : tensor<1x2xf32>
    %one = arith.constant dense<1.0> : tensor<2xf32>
    %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.range = array<f64: -8.0, 8.0>, vit.channel_range = dense<[[-8.0, 8.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : (tensor<1x16x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x16x2xf32>
    %y = vit.linear %n, %w : (tensor<1x16x2xf32>, tensor<1x2xf32>) -> tensor<1x16x1xf32>
    return %y : tensor<1x16x1xf32>
  }
}

// -----

// Without the number of images nothing is known of how settled the ranges are.
// CHECK-LABEL: func.func @no_images
// CHECK-NOT: vit.code_ranges
func.func @no_images(%x: tensor<1x16x4xf32>) -> tensor<1x16x2xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.range = array<f64: -8.0, 8.0>, vit.channel_range = dense<[[-8.0, 8.0], [-1.0, 1.0], [-1.0, 1.0], [-1.0, 1.0]]> : tensor<4x2xf32>} : (tensor<1x16x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x16x4xf32>
  %y = vit.linear %n, %w : (tensor<1x16x4xf32>, tensor<2x4xf32>) -> tensor<1x16x2xf32>
  return %y : tensor<1x16x2xf32>
}
