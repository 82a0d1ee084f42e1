// RUN: vitq-opt %s --vit-verify-quantized --split-input-file --verify-diagnostics
// RUN: not vitq-opt %s --vit-verify-quantized=deferred --split-input-file 2>&1 | FileCheck %s

!u = !quant.uniform<u8:f32, 0.5:128>
!w = !quant.uniform<i8:f32, 0.5>

// CHECK: operand #0 is not quantized; run vit-defer-dequant
// CHECK: operand #1 is not quantized; run vit-defer-dequant
func.func @moved(%x: tensor<1x4x!u>, %w: tensor<2x2x!w>) -> tensor<1x2x2xf32> {
  %xd = vit.dequantize %x : tensor<1x4x!u> -> tensor<1x4xf32>
  %wd = vit.dequantize %w : tensor<2x2x!w> -> tensor<2x2xf32>
  %r = vit.reshape %xd to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32>
  %y = vit.linear %r, %wd : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// -----

func.func @float(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+2 {{operand #0 is neither quantized nor the dequantization of a quantized value; run vit-quantize}}
  // expected-error @+1 {{operand #1 is neither quantized nor the dequantization of a quantized value; run vit-quantize}}
  %y = vit.linear %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
