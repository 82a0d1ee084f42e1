// Every numbered constraint of dialects/vit/Vit{Ops,Attrs}.td, violated. The labels are
// checked by test/lint/constraints.test.
// RUN: vitq-opt %s -split-input-file -verify-diagnostics

// vit.quantize C1
func.func @quantize_shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'vit.quantize' op result #0 has shape [3, 2] but the operands give [2, 3]}}
  %0 = vit.quantize %x round half_up : tensor<2x3xf32> -> tensor<3x2x!quant.uniform<u8:f32, 0.1:128>>
  return
}

// -----

// vit.quantize C2
func.func @quantize_axis(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{quantized axis 2 is outside rank 2}}
  %0 = vit.quantize %x round half_up : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<i8:f32:2, {0.1, 0.2, 0.3}>>
  return
}

// -----

// vit.quantize C2
func.func @quantize_scales(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{type has 2 scales for an axis of size 3}}
  %0 = vit.quantize %x round half_up : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<i8:f32:1, {0.1, 0.2}>>
  return
}

// -----

// A quantization starts at real numbers: there is no requantization.
func.func @quantize_quantized(%x: tensor<2x!quant.uniform<u8:f32, 0.1:128>>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor of f32 or f64}}
  %0 = vit.quantize %x round half_up : tensor<2x!quant.uniform<u8:f32, 0.1:128>> -> tensor<2x!quant.uniform<u8:f32, 0.2:128>>
  return
}

// -----

// Shapes are static.
func.func @dynamic(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor}}
  %0 = vit.relu %x : tensor<?x3xf32> -> tensor<?x3xf32>
  return
}

// -----

// vit.dequantize C1
func.func @dequantize_shape(%x: tensor<2x3x!quant.uniform<u8:f32, 0.1:128>>) {
  // expected-error @+1 {{result #0 has shape [6] but the operands give [2, 3]}}
  %0 = vit.dequantize %x : tensor<2x3x!quant.uniform<u8:f32, 0.1:128>> -> tensor<6xf32>
  return
}

// -----

// vit.dequantize C2
func.func @dequantize_scales(%x: tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.2, 0.3}>>) {
  // expected-error @+1 {{type has 3 scales for an axis of size 2}}
  %0 = vit.dequantize %x : tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.2, 0.3}>> -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C1
func.func @linear_features(%x: tensor<2x4xf32>, %w: tensor<3x5xf32>) {
  // expected-error @+1 {{input has 4 features but the weight takes 5}}
  %0 = vit.linear %x, %w : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C1
func.func @linear_bias(%x: tensor<2x4xf32>, %w: tensor<3x4xf32>, %b: tensor<4xf32>) {
  // expected-error @+1 {{bias must have shape [3], got [4]}}
  %0 = vit.linear %x, %w, %b : (tensor<2x4xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C1
func.func @linear_weight_rank(%x: tensor<2x4xf32>, %w: tensor<1x3x4xf32>) {
  // expected-error @+1 {{expects an input of rank >= 1 and a weight [N, K], got [2, 4] and [1, 3, 4]}}
  %0 = vit.linear %x, %w : (tensor<2x4xf32>, tensor<1x3x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C2
func.func @linear_mixed(%x: tensor<2x4xf32>, %w: tensor<3x4x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error @+1 {{'vit.linear' op operands must both be float or both be quantized}}
  %0 = vit.linear %x, %w : (tensor<2x4xf32>, tensor<3x4x!quant.uniform<i8:f32, 0.5>>) -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C2
func.func @linear_result(%x: tensor<2x4x!quant.uniform<i8:f32, 0.5>>, %w: tensor<3x4x!quant.uniform<i8:f32, 0.5>>) {
  // expected-error @+1 {{'vit.linear' op result must be quantized like the operands}}
  %0 = vit.linear %x, %w : (tensor<2x4x!quant.uniform<i8:f32, 0.5>>, tensor<3x4x!quant.uniform<i8:f32, 0.5>>) -> tensor<2x3xf32>
  return
}

// -----

// vit.linear C3
func.func @linear_float_bias(%x: tensor<2x4x!quant.uniform<i8:f32, 0.5>>, %w: tensor<3x4x!quant.uniform<i8:f32, 0.5>>, %b: tensor<3xf32>) {
  // expected-error @+1 {{the bias of a quantized contraction must be quantized to the accumulator's scale}}
  %0 = vit.linear %x, %w, %b : (tensor<2x4x!quant.uniform<i8:f32, 0.5>>, tensor<3x4x!quant.uniform<i8:f32, 0.5>>, tensor<3xf32>) -> tensor<2x3x!quant.uniform<i32:f32, 0.25>>
  return
}

// -----

// vit.linear C3
func.func @linear_bias_scale(%x: tensor<2x4x!quant.uniform<i8:f32, 0.5>>, %w: tensor<3x4x!quant.uniform<i8:f32, 0.5>>, %b: tensor<3x!quant.uniform<i32:f32, 0.5>>) {
  // expected-error @+1 {{the bias must have the storage type, scales and zero points of the result}}
  %0 = vit.linear %x, %w, %b : (tensor<2x4x!quant.uniform<i8:f32, 0.5>>, tensor<3x4x!quant.uniform<i8:f32, 0.5>>, tensor<3x!quant.uniform<i32:f32, 0.5>>) -> tensor<2x3x!quant.uniform<i32:f32, 0.25>>
  return
}

// -----

// vit.linear C3
func.func @linear_quantized_bias(%x: tensor<2x4xf32>, %w: tensor<3x4xf32>, %b: tensor<3x!quant.uniform<i32:f32, 0.5>>) {
  // expected-error @+1 {{the bias of a float contraction must be float}}
  %0 = vit.linear %x, %w, %b : (tensor<2x4xf32>, tensor<3x4xf32>, tensor<3x!quant.uniform<i32:f32, 0.5>>) -> tensor<2x3xf32>
  return
}

// -----

// vit.matmul C1
func.func @matmul_batch(%a: tensor<2x3x4xf32>, %b: tensor<1x4x5xf32>) {
  // expected-error @+1 {{batch dimensions of [2, 3, 4] and [1, 4, 5] differ}}
  %0 = vit.matmul %a, %b : (tensor<2x3x4xf32>, tensor<1x4x5xf32>) -> tensor<2x3x5xf32>
  return
}

// -----

// vit.matmul C1
func.func @matmul_contracted(%a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>) {
  // expected-error @+1 {{contracted sizes 4 and 5 differ}}
  %0 = vit.matmul %a, %b transpose_rhs : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

// vit.matmul C1
func.func @matmul_rank(%a: tensor<4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{expects matrices, got [4] and [4, 5]}}
  %0 = vit.matmul %a, %b : (tensor<4xf32>, tensor<4x5xf32>) -> tensor<5xf32>
  return
}

// -----

// vit.matmul C2
func.func @matmul_mixed(%a: tensor<3x4x!quant.uniform<i8:f32, 0.5>>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{'vit.matmul' op operands must both be float or both be quantized}}
  %0 = vit.matmul %a, %b : (tensor<3x4x!quant.uniform<i8:f32, 0.5>>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

// vit.matmul C3
func.func @matmul_scale_zero(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{scale must be finite and positive}}
  %0 = vit.matmul %a, %b scale 0.0 : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

// vit.matmul C3
func.func @matmul_scale_nan(%a: tensor<3x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @+1 {{scale must be finite and positive}}
  %0 = vit.matmul %a, %b scale 0x7FF8000000000000 : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

// vit.patch_embed C1
func.func @patch_size(%x: tensor<1x3x8x8xf32>, %w: tensor<6x3x3x2xf32>) {
  // expected-error @+1 {{patch 3x2 does not divide the image 8x8}}
  %0 = vit.patch_embed %x, %w : (tensor<1x3x8x8xf32>, tensor<6x3x3x2xf32>) -> tensor<1x8x6xf32>
  return
}

// -----

// vit.patch_embed C1
func.func @patch_channels(%x: tensor<1x3x8x8xf32>, %w: tensor<6x3x2x2xf32>) {
  // expected-error @+1 {{image has 8 channels but the weight takes 3}}
  %0 = vit.patch_embed channels_last %x, %w : (tensor<1x3x8x8xf32>, tensor<6x3x2x2xf32>) -> tensor<1x16x6xf32>
  return
}

// -----

// vit.patch_embed C1
func.func @patch_rank(%x: tensor<3x8x8xf32>, %w: tensor<6x3x2x2xf32>) {
  // expected-error @+1 {{expects an image and a weight of rank 4}}
  %0 = vit.patch_embed %x, %w : (tensor<3x8x8xf32>, tensor<6x3x2x2xf32>) -> tensor<1x16x6xf32>
  return
}

// -----

// vit.patch_embed C1
func.func @patch_bias(%x: tensor<1x3x8x8xf32>, %w: tensor<6x3x2x2xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{bias must have shape [6], got [3]}}
  %0 = vit.patch_embed %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<6x3x2x2xf32>, tensor<3xf32>) -> tensor<1x16x6xf32>
  return
}

// -----

// vit.patch_embed C2
func.func @patch_mixed(%x: tensor<1x3x8x8x!quant.uniform<u8:f32, 0.1>>, %w: tensor<6x3x2x2xf32>) {
  // expected-error @+1 {{'vit.patch_embed' op operands must both be float or both be quantized}}
  %0 = vit.patch_embed %x, %w : (tensor<1x3x8x8x!quant.uniform<u8:f32, 0.1>>, tensor<6x3x2x2xf32>) -> tensor<1x16x6xf32>
  return
}

// -----

// vit.patch_embed C3
func.func @patch_bias_scale(%x: tensor<1x1x2x2x!quant.uniform<u8:f32, 0.5>>, %w: tensor<2x1x2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>,
                            %b: tensor<2x!quant.uniform<i32:f32:0, {0.25, 0.25}>>) {
  // expected-error @+1 {{the bias must have the storage type, scales and zero points of the result}}
  %0 = vit.patch_embed %x, %w, %b : (tensor<1x1x2x2x!quant.uniform<u8:f32, 0.5>>, tensor<2x1x2x2x!quant.uniform<i8:f32:0, {0.5, 0.25}>>, tensor<2x!quant.uniform<i32:f32:0, {0.25, 0.25}>>)
    -> tensor<1x1x2x!quant.uniform<i32:f32:2, {0.25, 0.125}>>
  return
}

// -----

// vit.conv2d C1
func.func @conv_rank(%x: tensor<3x8x8xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+1 {{expects a map [B, H, W, C] and a weight of rank 4}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<3x8x8xf32>, tensor<6x3x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// vit.conv2d C1
func.func @conv_groups(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+1 {{3 input channels in 3 groups do not fit the weight [6, 3, 3, 3]}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 3} : (tensor<1x8x8x3xf32>, tensor<6x3x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// vit.conv2d C1
func.func @conv_pads(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+1 {{strides and dilations must be two positive numbers, pads four that are not negative}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, -1, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x8x3xf32>, tensor<6x3x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// vit.conv2d C1
func.func @conv_stride(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+1 {{strides and dilations must be two positive numbers}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 0>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x8x3xf32>, tensor<6x3x3x3xf32>) -> tensor<1x6x6x6xf32>
  return
}

// -----

// vit.conv2d C1
func.func @conv_empty(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x5x5xf32>) {
  // expected-error @+1 {{windows of 5x5 with dilations 2x2 reach over 9x9, more than the padded map of 8x8}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 2, 2>} : (tensor<1x8x8x3xf32>, tensor<6x3x5x5xf32>) -> tensor<1x0x0x6xf32>
  return
}

// -----

// vit.conv2d C1
func.func @conv_far(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x5x5xf32>) {
  // expected-error @+1 {{strides and dilations must be two positive numbers}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 4611686018427387904, 1>} : (tensor<1x8x8x3xf32>, tensor<6x3x5x5xf32>) -> tensor<1x8x4x6xf32>
  return
}

// -----

// vit.conv2d C2
func.func @conv_half_quantized(%x: tensor<1x8x8x3x!quant.uniform<u8:f32, 0.1>>, %w: tensor<6x3x1x1xf32>) {
  // expected-error @+1 {{operands must both be float or both be quantized}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x8x3x!quant.uniform<u8:f32, 0.1>>, tensor<6x3x1x1xf32>) -> tensor<1x8x8x6x!quant.uniform<i32:f32, 0.1>>
  return
}

// -----

// vit.conv2d C3
func.func @conv_bias(%x: tensor<1x8x8x3x!quant.uniform<u8:f32, 0.1>>, %w: tensor<6x3x1x1x!quant.uniform<i8:f32, 0.5>>, %b: tensor<6xf32>) {
  // expected-error @+1 {{the bias of a quantized contraction must be quantized to the accumulator's scale}}
  %0 = vit.conv2d %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x8x8x3x!quant.uniform<u8:f32, 0.1>>, tensor<6x3x1x1x!quant.uniform<i8:f32, 0.5>>, tensor<6xf32>) -> tensor<1x8x8x6x!quant.uniform<i32:f32, 0.05>>
  return
}

// -----

// vit.conv2d C4
func.func @conv_padding(%x: tensor<1x8x8x3xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+1 {{padding needs a finite number for each of 3 channels}}
  %0 = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, padding = array<f64: 0.5, 0.25>} : (tensor<1x8x8x3xf32>, tensor<6x3x3x3xf32>) -> tensor<1x8x8x6xf32>
  return
}

// -----

func.func @softmax_scalar(%x: tensor<f32>) {
  // expected-error @+1 {{expects rank >= 1}}
  %0 = vit.softmax %x : tensor<f32> -> tensor<f32>
  return
}

// -----

// vit.softmax_numerator C1
func.func @numerator_sum(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{result #1 has shape [3] but the operands give [2]}}
  %0, %1 = vit.softmax_numerator %x : tensor<2x3xf32> -> tensor<2x3xf32>, tensor<3xf32>
  return
}

// -----

// vit.softmax_numerator C1
func.func @numerator_scalar(%x: tensor<f32>) {
  // expected-error @+1 {{expects rank >= 1}}
  %0, %1 = vit.softmax_numerator %x : tensor<f32> -> tensor<f32>, tensor<f32>
  return
}

// -----

// vit.softmax_numerator C2
func.func @numerator_zero_point(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{a quantized numerator needs one scale, which its sum shares, and zero point 0}}
  %0, %1 = vit.softmax_numerator %x : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<u8:f32, 0.5:1>>, tensor<2x!quant.uniform<i32:f32, 0.5>>
  return
}

// -----

// vit.softmax_numerator C2
func.func @numerator_sum_scale(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{a quantized numerator needs one scale, which its sum shares, and zero point 0}}
  %0, %1 = vit.softmax_numerator %x : tensor<2x3xf32> -> tensor<2x3x!quant.uniform<u8:f32, 0.5>>, tensor<2x!quant.uniform<i32:f32, 0.25>>
  return
}

// -----

// vit.divide_rows C1
func.func @divide_rows(%x: tensor<2x3xf32>, %d: tensor<3xf32>) {
  // expected-error @+1 {{divisor must have the input's shape without its last axis}}
  %0 = vit.divide_rows %x, %d : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.layer_norm C1
func.func @layer_norm_gamma(%x: tensor<2x3xf32>, %g: tensor<2xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{gamma must have shape [3], got [2]}}
  %0 = vit.layer_norm %x, %g, %b eps 1.0e-6 : (tensor<2x3xf32>, tensor<2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.layer_norm C1
func.func @layer_norm_beta(%x: tensor<2x3xf32>, %g: tensor<3xf32>, %b: tensor<1x3xf32>) {
  // expected-error @+1 {{beta must have shape [3], got [1, 3]}}
  %0 = vit.layer_norm %x, %g, %b eps 1.0e-6 : (tensor<2x3xf32>, tensor<3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.layer_norm C2
func.func @layer_norm_eps(%x: tensor<2x3xf32>, %g: tensor<3xf32>) {
  // expected-error @+1 {{eps must be finite and not negative}}
  %0 = vit.layer_norm %x, %g, %g eps -1.0e-6 : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gelu_shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'vit.gelu' op result #0 has shape [3] but the operands give [2, 3]}}
  %0 = vit.gelu erf %x : tensor<2x3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @add_shapes(%x: tensor<2x3xf32>, %y: tensor<2xf32>) {
  // expected-error @+1 {{shapes [2, 3] and [2] do not broadcast}}
  %0 = vit.add %x, %y : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @where_shapes(%c: tensor<4xi1>, %x: tensor<2x3xf32>) {
  // expected-error @+1 {{shapes [2, 3] and [4] do not broadcast}}
  %0 = vit.where %c, %x, %x : (tensor<4xi1>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.hadamard C1
func.func @hadamard_block(%x: tensor<2x6xf32>) {
  // expected-error @+1 {{has blocks of 6 channels: a power of two from 2 to 256 is needed}}
  %0 = vit.hadamard %x block 6 : tensor<2x6xf32> -> tensor<2x6xf32>
  return
}

// -----

// vit.hadamard C2
func.func @hadamard_channels(%x: tensor<2x6xf32>) {
  // expected-error @+1 {{has blocks of 4 channels, which do not divide the last axis}}
  %0 = vit.hadamard %x block 4 : tensor<2x6xf32> -> tensor<2x6xf32>
  return
}

// -----

// vit.hadamard C3
func.func @hadamard_shifts(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{needs a shift of 0 to 4 for each channel}}
  %0 = vit.hadamard %x block 2 shifts [0, 5] : tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

// vit.hadamard C4
func.func @hadamard_centers(%x: tensor<2x2xf32>) {
  // expected-error @+1 {{needs a finite center for each channel}}
  %0 = vit.hadamard %x block 2 centers [1.0] : tensor<2x2xf32> -> tensor<2x2xf32>
  return
}

// -----

// vit.mean C1
func.func @mean_unsorted(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axes [1, 0] must be sorted, distinct and below the rank 2}}
  %0 = vit.mean %x axes [1, 0] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

// vit.mean C1
func.func @mean_outside(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axes [2] must be sorted, distinct and below the rank 2}}
  %0 = vit.mean %x axes [2] : tensor<2x3xf32> -> tensor<2xf32>
  return
}

// -----

// vit.mean C1
func.func @mean_negative(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axes [-1] must be sorted, distinct and below the rank 2}}
  %0 = vit.mean %x axes [-1] : tensor<2x3xf32> -> tensor<2xf32>
  return
}

// -----

// vit.reshape C1
func.func @reshape_count(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{cannot reshape [2, 3] to [7]}}
  %0 = vit.reshape %x to [7] : tensor<2x3xf32> -> tensor<7xf32>
  return
}

// -----

// vit.reshape C1
func.func @reshape_negative(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{cannot reshape [2, 3] to [-2, -3]}}
  %0 = vit.reshape %x to [-2, -3] : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.transpose C1
func.func @transpose_repeated(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{[0, 0] is not a permutation of 2 axes}}
  %0 = vit.transpose %x by [0, 0] : tensor<2x3xf32> -> tensor<2x2xf32>
  return
}

// -----

// vit.transpose C1
func.func @transpose_short(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{[0] is not a permutation of 2 axes}}
  %0 = vit.transpose %x by [0] : tensor<2x3xf32> -> tensor<2xf32>
  return
}

// -----

// vit.concat C1
func.func @concat_none() {
  // expected-error @+1 {{needs at least one input}}
  %0 = vit.concat axis 0 : () -> tensor<0xf32>
  return
}

// -----

// vit.concat C1
func.func @concat_sizes(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error @+1 {{inputs [2, 3] and [2, 4] differ outside axis 0}}
  %0 = vit.concat %x, %y axis 0 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

// vit.concat C1
func.func @concat_axis(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axis 2 is outside rank 2}}
  %0 = vit.concat %x axis 2 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.slice C1
func.func @slice_outside(%x: tensor<2x9xf32>) {
  // expected-error @+1 {{box of axis 1 lies outside [0, 9)}}
  %0 = vit.slice %x offsets [0, 1] sizes [2, 3] strides [1, 4] : tensor<2x9xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.slice C1
func.func @slice_stride(%x: tensor<2x9xf32>) {
  // expected-error @+1 {{box of axis 0 lies outside [0, 2)}}
  %0 = vit.slice %x offsets [1, 0] sizes [2, 3] strides [-1, 1] : tensor<2x9xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.slice C1
func.func @slice_rank(%x: tensor<2x9xf32>) {
  // expected-error @+1 {{needs one offset, size and stride for each of 2 axes}}
  %0 = vit.slice %x offsets [0] sizes [2] strides [1] : tensor<2x9xf32> -> tensor<2xf32>
  return
}

// -----

// vit.gather C1
func.func @gather_index(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{index 3 is outside [0, 3)}}
  %0 = vit.gather %x indices [0, 3] axis 1 : tensor<2x3xf32> -> tensor<2x2xf32>
  return
}

// -----

// vit.gather C1
func.func @gather_none(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{needs at least one index}}
  %0 = vit.gather %x indices [] axis 1 : tensor<2x3xf32> -> tensor<2x0xf32>
  return
}

// -----

// vit.gather C1
func.func @gather_axis(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{axis -1 is outside rank 2}}
  %0 = vit.gather %x indices [0] axis -1 : tensor<2x3xf32> -> tensor<2x1xf32>
  return
}

// -----

// vit.broadcast C1
func.func @broadcast_smaller(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{shape [2, 3] does not broadcast to [1, 3]}}
  %0 = vit.broadcast %x to [1, 3] : tensor<2x3xf32> -> tensor<1x3xf32>
  return
}

// -----

// vit.broadcast C1
func.func @broadcast_negative(%x: tensor<1x3xf32>) {
  // expected-error @+1 {{shape [-2, 3] has a negative size}}
  %0 = vit.broadcast %x to [-2, 3] : tensor<1x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.pad C1
func.func @pad_negative(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{needs one low and one high count, not negative, for each of 2 axes}}
  %0 = vit.pad %x low [0, 0] high [0, -1] : tensor<2x3xf32> -> tensor<2x2xf32>
  return
}

// -----

// vit.pad C1
func.func @pad_rank(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{needs one low and one high count, not negative, for each of 2 axes}}
  %0 = vit.pad %x low [0] high [0] : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.normalize_pixels C1
func.func @pixels_rank(%p: tensor<8x6x3x!quant.uniform<u8:f32, 0.1>>) {
  // expected-error @+1 {{expects pixels [B, H, W, C]}}
  %0 = vit.normalize_pixels %p mean [0.5, 0.5, 0.5] std [0.5, 0.5, 0.5] : tensor<8x6x3x!quant.uniform<u8:f32, 0.1>> -> tensor<3x8x6xf32>
  return
}

// -----

// vit.normalize_pixels C1
func.func @pixels_mean(%p: tensor<1x8x6x3x!quant.uniform<u8:f32, 0.1>>) {
  // expected-error @+1 {{needs 3 means and as many positive standard deviations}}
  %0 = vit.normalize_pixels %p mean [0.5] std [0.5, 0.5, 0.5] : tensor<1x8x6x3x!quant.uniform<u8:f32, 0.1>> -> tensor<1x3x8x6xf32>
  return
}

// -----

// vit.normalize_pixels C1
func.func @pixels_std(%p: tensor<1x8x6x3x!quant.uniform<u8:f32, 0.1>>) {
  // expected-error @+1 {{needs 3 means and as many positive standard deviations}}
  %0 = vit.normalize_pixels %p mean [0.5, 0.5, 0.5] std [0.5, 0.0, 0.5] : tensor<1x8x6x3x!quant.uniform<u8:f32, 0.1>> -> tensor<1x3x8x6xf32>
  return
}

// -----

// #vit.algorithm C1
func.func @lut_without_entries(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{algorithm 'lut' cannot have 0 entries: lut has 2 to 256, the others none}}
  %0 = vit.tanh using lut %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// #vit.algorithm C1
func.func @lut_of_one(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{algorithm 'lut' cannot have 1 entries: lut has 2 to 256, the others none}}
  %0 = vit.tanh using lut:1 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// #vit.algorithm C1
func.func @lut_of_257(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{algorithm 'lut' cannot have 257 entries: lut has 2 to 256, the others none}}
  %0 = vit.tanh using lut:257 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// #vit.algorithm C1
func.func @table_with_entries(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{algorithm 'table' cannot have 8 entries: lut has 2 to 256, the others none}}
  %0 = vit.tanh using table:8 %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.clamp C1
func.func @clamp_unbounded(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{needs a bound, and bounds that are finite, with min <= max}}
  %0 = vit.clamp %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.clamp C1
func.func @clamp_crossed(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{needs a bound, and bounds that are finite, with min <= max}}
  %0 = vit.clamp %x min 2.0 max 1.0 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.hard_sigmoid C1
func.func @hard_sigmoid_infinite(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{has a parameter that is not finite}}
  %0 = vit.hard_sigmoid %x alpha 0x7FF0000000000000 beta 0.5 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.leaky_relu C1
func.func @leaky_relu_infinite(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{has a parameter that is not finite}}
  %0 = vit.leaky_relu %x alpha 0x7FF0000000000000 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.elu C1
func.func @elu_infinite(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{has a parameter that is not finite}}
  %0 = vit.elu %x alpha 0x7FF0000000000000 gain 1.0 width 1.0 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.elu C1
func.func @elu_narrow(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{width must be positive}}
  %0 = vit.elu %x alpha 1.0 gain 1.0 width 0.0 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}

// -----

// vit.divide_rows C2
func.func @divide_rows_eps(%x: tensor<2x3xf32>, %d: tensor<2xf32>) {
  // expected-error @+1 {{eps must be finite and not negative}}
  %0 = vit.divide_rows %x, %d eps -1.0 : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

// vit.max_pool C1
func.func @max_pool_strides(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{expects a map [B, H, W, C], two sizes, strides and dilations that are positive}}
  %0 = vit.max_pool %x kernel [2, 2] strides [0, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xf32> -> tensor<1x2x2x2xf32>
  return
}

// -----

// vit.max_pool C1
func.func @max_pool_large(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{kernel 7 is larger than the padded map of 6}}
  %0 = vit.max_pool %x kernel [7, 2] strides [1, 1] pads [1, 0, 1, 0] dilations [1, 1] : tensor<1x4x4x2xf32> -> tensor<1x1x3x2xf32>
  return
}

// -----

// vit.max_pool C2
func.func @max_pool_padding(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{window 0 along axis 1 holds padding only: pads 2 and 0, kernel 2, size 4}}
  %0 = vit.max_pool %x kernel [2, 2] strides [2, 2] pads [2, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xf32> -> tensor<1x3x2x2xf32>
  return
}

// -----

// vit.resample C1
func.func @resample_rank(%x: tensor<4x4x2xf32>) {
  // expected-error @+1 {{expects a map [B, H, W, C]}}
  %0 = vit.resample %x rows [0] weights [1] columns [0] weights [1] over 1 : tensor<4x4x2xf32> -> tensor<1x1x2xf32>
  return
}

// -----

// vit.resample C1
func.func @resample_weights(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{3 weights for 2 rows}}
  %0 = vit.resample %x rows [0, 1] weights [1, 1, 1] columns [0] weights [1] over 1 : tensor<1x4x4x2xf32> -> tensor<1x2x1x2xf32>
  return
}

// -----

// vit.resample C2
func.func @resample_window(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{window [3, 3 + 2) of a column is outside [0, 4)}}
  %0 = vit.resample %x rows [0] weights [1] columns [3] weights [1, 1] over 1 : tensor<1x4x4x2xf32> -> tensor<1x1x1x2xf32>
  return
}

// -----

// vit.resample C3
func.func @resample_divisor(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{divisor must be positive}}
  %0 = vit.resample %x rows [0] weights [1] columns [0] weights [1] over 0 : tensor<1x4x4x2xf32> -> tensor<1x1x1x2xf32>
  return
}

// -----

// vit.resample C4
func.func @resample_gain(%x: tensor<1x4x4x2xf32>) {
  // expected-error @+1 {{weights add up to 4194432, and at most 2^22 fit 32 bits with codes of 8}}
  %0 = vit.resample %x rows [0] weights [-32769] columns [0] weights [128] over 1 : tensor<1x4x4x2xf32> -> tensor<1x1x1x2xf32>
  return
}
