// RUN: vitq-opt %s --vit-take-pixels --vit-quantize --split-input-file | FileCheck %s

// What is spread over 64 channels has as many steps as sums of 16 bits have room for: the farthest is (8 * 7.83 + 64 * 8.17)
// / 2 = 292.76, with two steps of each number to spare: 292.76 / (32767 - 128). The codes behind have a step of 7.5 / 127, or a
// little more: that of the sums, an eighth, is 622 / 2^15 of it.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x1x64x!quant.uniform<i16:f32, 0.0089696{{[0-9]*}}>>
// CHECK: vit.quantize {{.*}} -> tensor<1x1x64x!quant.uniform<u8:f32, 0.05906{{[0-9]*}}:128>>
func.func @main(%x: tensor<1x1x64x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x64xf32>
  %u = vit.dequantize %x : tensor<1x1x64x!quant.uniform<u8:f32, 0.1>> -> tensor<1x1x64xf32>
  %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 8.0>, vit.stream_bits = 11 : i64} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %h = vit.hadamard %g block 64 {vit.wide, vit.range = array<f64: -7.5, 7.5>} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %y = vit.linear %h, %w {vit.range = array<f64: -1.0, 10.0>} : (tensor<1x1x64xf32>, tensor<1x64xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

// In front of few codes there are 8 bits; all 16 where these are wanted.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x1x64x!quant.uniform<u8:f32, 0.0320{{[0-9]*}}:5>>
// CHECK: vit.quantize {{.*}} -> tensor<1x1x64x!quant.uniform<u4:f32, {{.*}}>>
// CHECK: vit.quantize {{.*}} -> tensor<1x1x64x!quant.uniform<i16:f32, 2.685{{[0-9]*}}E-4>>
func.func @main(%x: tensor<1x1x64x!quant.uniform<u8:f32, 0.1>>) -> (tensor<1x1x64xf32>, tensor<1x1x64xf32>) {
  %w = arith.constant dense<1.0> : tensor<64x64xf32>
  %u = vit.dequantize %x : tensor<1x1x64x!quant.uniform<u8:f32, 0.1>> -> tensor<1x1x64xf32>
  %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 8.0>} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %h = vit.hadamard %g block 64 {vit.code_bits = 4 : i64, vit.range = array<f64: -7.5, 7.5>} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %y = vit.linear %h, %w {vit.range = array<f64: -1.0, 10.0>} : (tensor<1x1x64xf32>, tensor<64x64xf32>) -> tensor<1x1x64xf32>
  %a = vit.tanh %u {vit.range = array<f64: -0.17, 8.0>} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %b = vit.hadamard %a block 64 {vit.wide, vit.range = array<f64: -7.5, 7.5>} : tensor<1x1x64xf32> -> tensor<1x1x64xf32>
  %z = vit.linear %b, %w {vit.range = array<f64: -1.0, 10.0>} : (tensor<1x1x64xf32>, tensor<64x64xf32>) -> tensor<1x1x64xf32>
  return %y, %z : tensor<1x1x64xf32>, tensor<1x1x64xf32>
}
