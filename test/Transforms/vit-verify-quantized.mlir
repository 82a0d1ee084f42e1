// RUN: vitq-opt %s --vit-verify-quantized --split-input-file --verify-diagnostics
// RUN: not vitq-opt %s --vit-verify-quantized=deferred --split-input-file 2>&1 | FileCheck %s
// RUN: vitq-opt %S/Inputs/deferred.mlir --vit-verify-quantized=deferred --split-input-file --verify-diagnostics

!u = !quant.uniform<u8:f32, 0.5:128>
!w = !quant.uniform<i8:f32, 0.5>

// Moves between a dequantization and a contraction are allowed until it is deferred.
// CHECK: verify-quantized.mlir:[[#@LINE+7]]:8: error: operand #0 is not quantized: vit-defer-dequant left it float
// CHECK: verify-quantized.mlir:[[#@LINE+5]]:8: note: it is computed here
// CHECK: verify-quantized.mlir:[[#@LINE+5]]:8: error: operand #1 is not quantized: vit-defer-dequant left it float
func.func @moved(%x: tensor<1x4x!u>, %w: tensor<2x2x!w>) -> tensor<1x2x2xf32> {
  %xd = vit.dequantize %x : tensor<1x4x!u> -> tensor<1x4xf32>
  %wd = vit.dequantize %w : tensor<2x2x!w> -> tensor<2x2xf32>
  %r = vit.reshape %xd to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32>
  %y = vit.linear %r, %wd : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// -----

// CHECK-COUNT-2: error: operand #{{[01]}} is not quantized: vit-defer-dequant left it float
func.func @float(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+2 {{operand #0 is neither quantized nor the dequantization of a quantized value: vit-quantize left it float}}
  // expected-error @+1 {{operand #1 is neither quantized nor the dequantization of a quantized value: vit-quantize left it float}}
  %y = vit.linear %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:128>
!w = !quant.uniform<i8:f32, 0.5>

// A function between them is not.
// CHECK-COUNT-2: error: operand #{{[01]}} is not quantized: vit-defer-dequant left it float
func.func @computed(%x: tensor<1x2x!u>, %w: tensor<2x2x!w>) -> tensor<1x2xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<2x2x!w> -> tensor<2x2xf32>
  // expected-note @+1 {{it is computed here}}
  %g = vit.gelu erf %xd : tensor<1x2xf32> -> tensor<1x2xf32>
  // expected-error @+1 {{operand #0 is neither quantized nor the dequantization of a quantized value: vit-quantize left it float}}
  %y = vit.linear %g, %wd : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:128>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>

// Quantized operands, and a float bias: accepted before deferral and, without the bias, after it.
func.func @accepted(%x: tensor<1x2x!u>, %w: tensor<2x2x!w>, %b: tensor<2xf32>) -> (tensor<1x2x!a>, tensor<1x2xf32>) {
  %y = vit.linear %x, %w : (tensor<1x2x!u>, tensor<2x2x!w>) -> tensor<1x2x!a>
  %xd = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<2x2x!w> -> tensor<2x2xf32>
  // CHECK-COUNT-3: error: operand #{{[012]}} is not quantized: vit-defer-dequant left it float
  %z = vit.linear %xd, %wd, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y, %z : tensor<1x2x!a>, tensor<1x2xf32>
}
