// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file | FileCheck %s

// GELU of channels with two scales: two tables and an index; the codes are then
// read as if they had one scale.
// CHECK-LABEL: func.func @main
// CHECK: %[[T:.+]] = arith.constant dense_resource<tables> : tensor<2x256xi8>
// CHECK: %[[I:.+]] = arith.constant dense<[0, 1, 0, 0]> : tensor<4xi8>
// CHECK: vitq.table %{{.+}}, %[[T]], %[[I]] input <unsigned>
func.func @main(%u: tensor<1x2x4x!quant.uniform<u8:f32, 0.1:128>>) -> tensor<1x2x4x!quant.uniform<u8:f32, 0.01:5>> {
  %g = vit.gelu erf using table %u : tensor<1x2x4x!quant.uniform<u8:f32, 0.1:128>> -> tensor<1x2x4x!quant.uniform<u8:f32:2, {0.01:5, 0.02:5, 0.01:5, 0.01:5}>>
  %i = quant.scast %g : tensor<1x2x4x!quant.uniform<u8:f32:2, {0.01:5, 0.02:5, 0.01:5, 0.01:5}>> to tensor<1x2x4xi8>
  %r = quant.scast %i : tensor<1x2x4xi8> to tensor<1x2x4x!quant.uniform<u8:f32, 0.01:5>>
  return %r : tensor<1x2x4x!quant.uniform<u8:f32, 0.01:5>>
}

// -----

// 16-bit GELU: entries from -512 << 1 on, the identity above; 0.01 * 1024 passes 8.
// CHECK-LABEL: func.func @main
// CHECK: vitq.interpolate %{{.+}}, %{{.+}} start -1024 shift 1 tail_by <1073741824, 31>
func.func @main(%u: tensor<1x2x1x!quant.uniform<i16:f32, 0.01>>) -> tensor<1x2x1x!quant.uniform<i16:f32, 0.02>> {
  %g = vit.gelu erf using table %u : tensor<1x2x1x!quant.uniform<i16:f32, 0.01>> -> tensor<1x2x1x!quant.uniform<i16:f32, 0.02>>
  return %g : tensor<1x2x1x!quant.uniform<i16:f32, 0.02>>
}

// -----

// Likewise a hard swish, the identity from 3 on.
// CHECK-LABEL: func.func @main
// CHECK: vitq.interpolate %{{.+}}, %{{.+}} start -1024 shift 1 tail_by <1073741824, 31>
func.func @main(%u: tensor<1x2x1x!quant.uniform<i16:f32, 0.01>>) -> tensor<1x2x1x!quant.uniform<i16:f32, 0.02>> {
  %g = vit.hard_swish using table %u : tensor<1x2x1x!quant.uniform<i16:f32, 0.01>> -> tensor<1x2x1x!quant.uniform<i16:f32, 0.02>>
  return %g : tensor<1x2x1x!quant.uniform<i16:f32, 0.02>>
}

// -----

// The sum of two accumulators in units of the first: its multipliers are 1.
// CHECK-LABEL: func.func @main
// CHECK: vitq.add %{{.+}} by <1073741824, 30>, %{{.+}} by <[1073741824, 1073741824], [32, 31]> round half_up
func.func @main(%a: tensor<1x2x2x!quant.uniform<i32:f32:2, {0.5, 0.25}>>, %b: tensor<1x2x2x!quant.uniform<i32:f32:2, {0.125, 0.125}>>) -> tensor<1x2x2x!quant.uniform<i32:f32:2, {0.5, 0.25}>> {
  %s = vit.add %a, %b : (tensor<1x2x2x!quant.uniform<i32:f32:2, {0.5, 0.25}>>, tensor<1x2x2x!quant.uniform<i32:f32:2, {0.125, 0.125}>>) -> tensor<1x2x2x!quant.uniform<i32:f32:2, {0.5, 0.25}>>
  return %s : tensor<1x2x2x!quant.uniform<i32:f32:2, {0.5, 0.25}>>
}

// -----

// layer_norm in units of each channel's scale: twice the scale, half the multiplier.
// CHECK-LABEL: func.func @main
// CHECK: vitq.layer_norm %{{.+}} with #vitq.norm_exact<eps = {{[0-9]+}}> by <[1024, 2048], [23, 23]> offsets [16777216, 33554432]
func.func @main(%x: tensor<1x2x2x!quant.uniform<i16:f32, 0.01>>) -> tensor<1x2x2x!quant.uniform<u8:f32:2, {0.5:128, 0.25:128}>> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %n = vit.layer_norm using table %x, %one, %one eps 1.0e-6 : (tensor<1x2x2x!quant.uniform<i16:f32, 0.01>>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x!quant.uniform<u8:f32:2, {0.5:128, 0.25:128}>>
  return %n : tensor<1x2x2x!quant.uniform<u8:f32:2, {0.5:128, 0.25:128}>>
}

// -----

// I-ViT: pixels by a table for each channel, Shiftmax with its published constants,
// ShiftGELU with 23 bits and a 31-bit reciprocal, roundings half to even.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.+]] = vitq.table %{{.+}}, %{{.+}}, %{{.+}} input <unsigned> : (tensor<1x1x2x2xi8>, tensor<2x256xi8>, tensor<2xi8>)
// CHECK: vitq.transpose %[[C]] by [0, 3, 1, 2]
// CHECK: vitq.shiftmax %{{.+}} exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 16
// CHECK: vitq.gelu shift %{{.+}} exponent_step -15 fraction_bits 23 reciprocal_bits 31 by <1073741824, 37> round half_even
func.func @main(%p: tensor<1x1x2x2x!quant.uniform<u8:f32, 0.00392156862745098>>, %s: tensor<1x2x2x!quant.uniform<i8:f32, 0.05>>, %u: tensor<1x2x2x!quant.uniform<i8:f32, 0.04>>) -> (tensor<1x2x1x2x!quant.uniform<i8:f32, 0.0078125>>, tensor<1x2x2x!quant.uniform<i16:f32, 0.000030517578125>>, tensor<1x2x2x!quant.uniform<i8:f32, 0.04>>) {
  %n = vit.normalize_pixels %p mean [0.5, 0.25] std [0.5, 0.5] : tensor<1x1x2x2x!quant.uniform<u8:f32, 0.00392156862745098>> -> tensor<1x2x1x2x!quant.uniform<i8:f32, 0.0078125>>
  %f = vit.softmax using ivit %s : tensor<1x2x2x!quant.uniform<i8:f32, 0.05>> -> tensor<1x2x2x!quant.uniform<i16:f32, 0.000030517578125>>
  %g = vit.gelu erf using ivit %u {rounding = #vit<rounding half_even>} : tensor<1x2x2x!quant.uniform<i8:f32, 0.04>> -> tensor<1x2x2x!quant.uniform<i8:f32, 0.04>>
  return %n, %f, %g : tensor<1x2x1x2x!quant.uniform<i8:f32, 0.0078125>>, tensor<1x2x2x!quant.uniform<i16:f32, 0.000030517578125>>, tensor<1x2x2x!quant.uniform<i8:f32, 0.04>>
}
