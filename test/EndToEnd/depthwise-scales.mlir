// RUN: vitq-opt %s --vitq-to-quantized --vitq-to-deferred --vitq-to-integer | FileCheck %s

// A block of MobileNet by the default recipe: the first depthwise convolution reads the sums of another layer, a scale
// for each channel; the second one those of a rectifier, one scale for all.
// CHECK:      vitq.matmul
// CHECK:      %[[CODES:.+]] = vitq.requant
// CHECK-SAME: by <[{{[0-9]+, [0-9]+}}]
// CHECK:      vitq.depthwise_conv2d %[[CODES]]
// CHECK:      vitq.depthwise_conv2d
module attributes {vit.calibration_images = 4 : i64, vit.preprocess = "mean=0.5,std=0.5"} {
  func.func @main(%image: tensor<1x3x4x4xf32> {vit.range = array<f64: -1.0, 1.0>}) -> tensor<1x4x4x2xf32> {
    %w = arith.constant dense<[[0.5, 0.25, 0.125], [2.0, 1.0, 0.5]]> : tensor<2x3xf32>
    %k = arith.constant dense<0.5> : tensor<2x1x3x3xf32>
    %x = vit.transpose %image by [0, 2, 3, 1] {vit.range = array<f64: -1.0, 1.0>} : tensor<1x3x4x4xf32> -> tensor<1x4x4x3xf32>
    %u = vit.linear %x, %w {vit.range = array<f64: -3.5, 3.5>, vit.channel_range = dense<[[-0.875, 0.875], [-3.5, 3.5]]> : tensor<2x2xf32>} : (tensor<1x4x4x3xf32>, tensor<2x3xf32>) -> tensor<1x4x4x2xf32>
    %v = vit.conv2d %u, %k {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, vit.range = array<f64: -8.0, 8.0>, vit.channel_range = dense<[[-2.0, 2.0], [-8.0, 8.0]]> : tensor<2x2xf32>} : (tensor<1x4x4x2xf32>, tensor<2x1x3x3xf32>) -> tensor<1x4x4x2xf32>
    %r = vit.relu %v {vit.range = array<f64: 0.0, 8.0>, vit.channel_range = dense<[[0.0, 2.0], [0.0, 8.0]]> : tensor<2x2xf32>} : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32>
    %y = vit.conv2d %r, %k {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, vit.range = array<f64: -8.0, 8.0>} : (tensor<1x4x4x2xf32>, tensor<2x1x3x3xf32>) -> tensor<1x4x4x2xf32>
    return %y : tensor<1x4x4x2xf32>
  }
}
