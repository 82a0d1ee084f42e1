// RUN: vitq-opt %s --vit-take-pixels --vit-quantize --vit-quantize-weights=compensate-bias=true --vit-quantize-result | FileCheck %s

// 0.3 of 1.0 quantizes to 38/127: with inputs of mean 10 the result is short of
// 10 * (0.3 - 38/127) = 0.00787, which the bias takes up.
// CHECK: %[[B:.+]] = arith.constant dense<0.00787{{.*}}> : tensor<1xf32>
// CHECK: vit.linear %{{.+}}, %{{.+}}, %[[B]] {{.*}}-> tensor<1x2x1xf32>
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x1xf32> {
  %w = arith.constant dense<[[1.0, 0.3]]> : tensor<1x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  %r = vit.relu %x0 {vit.range = array<f64: 0.0, 25.0>, vit.channel_mean = dense<[0.0, 10.0]> : tensor<2xf64>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %y = vit.linear %r, %w {vit.range = array<f64: 0.0, 25.0>} : (tensor<1x2x2xf32>, tensor<1x2xf32>) -> tensor<1x2x1xf32>
  return %y : tensor<1x2x1xf32>
}
