// What has no integer form: each fault is one error, at the op.
// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file --verify-diagnostics
// RUN: not vitq-opt %s --convert-vit-to-vitq=mantissa-bits=32 --split-input-file 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: convert-vit-to-vitq: mantissa-bits must be 2 to 31

!u = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>
func.func @unsigned_weight(%x: tensor<1x2x!u>, %w: tensor<2x2x!u>) -> tensor<1x2x!a> {
  // expected-error @+1 {{the right operand of '?' must be signed, of at most 8 bits, with zero point 0}}
  %0 = vit.linear %x, %w : (tensor<1x2x!u>, tensor<2x2x!u>) -> tensor<1x2x!a>
  return %0 : tensor<1x2x!a>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>
func.func @computed_weight(%x: tensor<1x2x!u>, %w: tensor<2x2x!w>) -> tensor<1x2x!a> {
  // expected-error @+1 {{weight and bias must be constants, so that the zero point can be folded into the bias}}
  %0 = vit.linear %x, %w : (tensor<1x2x!u>, tensor<2x2x!w>) -> tensor<1x2x!a>
  return %0 : tensor<1x2x!a>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:255>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>
func.func @bias_with_zero_point(%x: tensor<1x2x!u>) -> tensor<1x2x!a> {
  %w8 = arith.constant dense<[[0, 0], [-127, -127]]> : tensor<2x2xi8>
  %w = quant.scast %w8 : tensor<2x2xi8> to tensor<2x2x!w>
  %b32 = arith.constant dense<[0, 2147483647]> : tensor<2xi32>
  %b = quant.scast %b32 : tensor<2xi32> to tensor<2x!a>
  // expected-error @+1 {{the bias of '?' with its zero point leaves 32 bits in channel 1}}
  %0 = vit.linear %x, %w, %b : (tensor<1x2x!u>, tensor<2x2x!w>, tensor<2x!a>) -> tensor<1x2x!a>
  return %0 : tensor<1x2x!a>
}

// -----

!c = !quant.uniform<u8:f32:1, {0.5:10, 0.5:20}>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>
func.func @zero_points_of_heads(%x: tensor<1x2x2x2x!c>, %w: tensor<1x2x2x2x!w>) -> tensor<1x2x2x2x!a> {
  // expected-error @+1 {{the left operand of '?' must have one zero point}}
  %0 = vit.matmul %x, %w : (tensor<1x2x2x2x!c>, tensor<1x2x2x2x!w>) -> tensor<1x2x2x2x!a>
  return %0 : tensor<1x2x2x2x!a>
}

// -----

!u = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.25>
func.func @computed_kernel(%x: tensor<1x1x2x2x!u>, %w: tensor<1x1x2x2x!w>) -> tensor<1x1x1x!a> {
  // expected-error @+1 {{the weight of a patch embedding must be a constant}}
  %0 = vit.patch_embed %x, %w : (tensor<1x1x2x2x!u>, tensor<1x1x2x2x!w>) -> tensor<1x1x1x!a>
  return %0 : tensor<1x1x1x!a>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>
func.func @float_input(%x: tensor<1x2xf32>) -> tensor<1x2x!u> {
  // expected-error @+1 {{'?' quantizes a float value that no integer op computes}}
  %q = vit.quantize %x round half_up : tensor<1x2xf32> -> tensor<1x2x!u>
  return %q : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<u8:f32:1, {0.5:10, 0.5:20}>
!u = !quant.uniform<u8:f32, 0.5:10>
func.func @two_zero_points(%x: tensor<1x2x!a>) -> tensor<1x2x!u> {
  %d = vit.dequantize %x : tensor<1x2x!a> -> tensor<1x2xf32>
  // expected-error @+1 {{requantization needs one zero point on each side}}
  %q = vit.quantize %d round half_up : tensor<1x2xf32> -> tensor<1x2x!u>
  return %q : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<i8:f32:0, {0.5, 0.25}>
!b = !quant.uniform<i8:f32:1, {0.5, 0.25}>
func.func @two_axes(%x: tensor<2x2x!a>) -> tensor<2x2x!b> {
  %d = vit.dequantize %x : tensor<2x2x!a> -> tensor<2x2xf32>
  // expected-error @+1 {{requantization between scales along axes 0 and 1}}
  %q = vit.quantize %d round half_up : tensor<2x2xf32> -> tensor<2x2x!b>
  return %q : tensor<2x2x!b>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>
!c = !quant.uniform<u8:f32:1, {0.5:10, 0.5:20}>
func.func @zero_points_of_a_sum(%x: tensor<1x2x!u>) -> tensor<1x2x!c> {
  // expected-error @+1 {{the result of an add must have one zero point}}
  %0 = vit.add %x, %x : (tensor<1x2x!u>, tensor<1x2x!u>) -> tensor<1x2x!c>
  return %0 : tensor<1x2x!c>
}

// -----

!t = !quant.uniform<i8:f32:1, {0.5, 0.25}>
!u = !quant.uniform<i8:f32, 0.5>
func.func @tokens_of_a_sum(%x: tensor<1x2x3x!t>, %y: tensor<1x2x3x!u>) -> tensor<1x2x3x!u> {
  // expected-error @+1 {{operands of '?' may vary in scale along the last axis only}}
  %0 = vit.add %x, %y : (tensor<1x2x3x!t>, tensor<1x2x3x!u>) -> tensor<1x2x3x!u>
  return %0 : tensor<1x2x3x!u>
}

// -----

!a = !quant.uniform<i32:f32, 0.5>
!u = !quant.uniform<i8:f32, 0.5>
func.func @wide_product(%x: tensor<1x2x!a>, %y: tensor<1x2x!u>) -> tensor<1x2x!u> {
  // expected-error @+1 {{a product needs operands of at most 16 bits}}
  %0 = vit.mul %x, %y : (tensor<1x2x!a>, tensor<1x2x!u>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<i32:f32, 0.5>
func.func @wide_mean(%x: tensor<1x2x4x!a>) -> tensor<1x4x!a> {
  // expected-error @+1 {{a mean needs operands of at most 16 bits with one zero point}}
  %0 = vit.mean %x axes [1] : tensor<1x2x4x!a> -> tensor<1x4x!a>
  return %0 : tensor<1x4x!a>
}

// -----

!c = !quant.uniform<u8:f32:2, {0.5:10, 0.5:20}>
func.func @padded(%x: tensor<1x2x2x!c>) -> tensor<1x3x2x!c> {
  // expected-error @+1 {{padding needs one zero point}}
  %0 = vit.pad %x low [0, 1, 0] high [0, 0, 0] : tensor<1x2x2x!c> -> tensor<1x3x2x!c>
  return %0 : tensor<1x3x2x!c>
}

// -----

!c = !quant.uniform<u8:f32:1, {0.5:10, 0.5:20}>
!u = !quant.uniform<u8:f32, 0.5:10>
func.func @rectified(%x: tensor<1x2x!c>) -> tensor<1x2x!u> {
  // expected-error @+1 {{a rectifier needs one input zero point}}
  %0 = vit.relu %x : tensor<1x2x!c> -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>
!c = !quant.uniform<u8:f32:1, {0.5:10, 0.5:20}>
func.func @zero_points_of_a_function(%x: tensor<1x2x!u>) -> tensor<1x2x!c> {
  // expected-error @+1 {{the result of '?' must have one zero point}}
  %0 = vit.gelu erf %x : tensor<1x2x!u> -> tensor<1x2x!c>
  return %0 : tensor<1x2x!c>
}

// -----

!s = !quant.uniform<i16:f32, 0.5>
!u = !quant.uniform<u8:f32, 0.5:10>
func.func @wide_function(%x: tensor<1x2x!s>) -> tensor<1x2x!u> {
  // expected-error @+1 {{argument and result of a function of 16-bit codes must be signed 16 bits with zero point 0}}
  %0 = vit.gelu erf %x : tensor<1x2x!s> -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<i32:f32, 0.5>
!u = !quant.uniform<u8:f32, 0.5:10>
func.func @wide_table(%x: tensor<1x2x!a>) -> tensor<1x2x!u> {
  // expected-error @+1 {{a table needs an input of at most 8 bits and a result of at most 16 bits, got 32 and 8 bits}}
  %0 = vit.sigmoid %x : tensor<1x2x!a> -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!f = !quant.uniform<i8:f32, 1.0e-6>
func.func @fine_gelu(%x: tensor<1x2x!f>) -> tensor<1x2x!f> {
  // expected-error @+1 {{ShiftGELU cannot represent the input scale}}
  %0 = vit.gelu erf using shift %x : tensor<1x2x!f> -> tensor<1x2x!f>
  return %0 : tensor<1x2x!f>
}

// -----

!p = !quant.uniform<u8:f32, 0.00392>
!n = !quant.uniform<i32:f32, 0.01>
func.func @wide_image(%x: tensor<1x2x2x1x!p>) -> tensor<1x1x2x2x!n> {
  // expected-error @+1 {{the image must be bytes of at most 127 channels}}
  %0 = vit.normalize_pixels %x mean [0.5] std [0.5] : tensor<1x2x2x1x!p> -> tensor<1x1x2x2x!n>
  return %0 : tensor<1x1x2x2x!n>
}

// -----

!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<i8:f32, 0.0039>
!t = !quant.uniform<i32:f32, 0.0039>
func.func @signed_probabilities(%x: tensor<1x3x3x!s>) -> tensor<1x3x3x!e> {
  // expected-error @+1 {{softmax needs unsigned codes of at most 8 bits or signed ones of 16, and scores with one scale, or one for each head (axis 1)}}
  %0, %1 = vit.softmax_numerator %x : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!t>
  return %0 : tensor<1x3x3x!e>
}

// -----

!a = !quant.uniform<i16:f32, 0.5>
!u = !quant.uniform<i8:f32, 0.5>
func.func @wide_windows(%x: tensor<1x2x1x1x!a>) -> tensor<1x1x1x1x!u> {
  // expected-error @+1 {{weighted sums over windows need operands of at most 8 bits}}
  %0 = vit.resample %x rows [0] weights [1, 1] columns [0] weights [1] over 2 : tensor<1x2x1x1x!a> -> tensor<1x1x1x1x!u>
  return %0 : tensor<1x1x1x1x!u>
}

// -----

!u = !quant.uniform<i8:f32, 0.5>
!t = !quant.uniform<i8:f32, 0.0039>
func.func @narrow_sums(%x: tensor<1x2x!u>, %s: tensor<1x!t>) -> tensor<1x2x!u> {
  // expected-error @+1 {{rows are divided by sums of 16 or 32 bits with zero point 0}}
  %0 = vit.divide_rows %x, %s : (tensor<1x2x!u>, tensor<1x!t>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!s = !quant.uniform<i16:f32, 0.5>
!u = !quant.uniform<i8:f32, 0.5>
func.func @computed_gamma(%x: tensor<1x2x!s>, %g: tensor<2xf32>) -> tensor<1x2x!u> {
  // expected-error @+1 {{gamma and beta of '?' must be constants}}
  %0 = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x2x!s>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<u8:f32, 0.5:128>
!u = !quant.uniform<i8:f32, 0.5>
func.func @unsigned_rms_norm(%x: tensor<1x2x!a>) -> tensor<1x2x!u> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error @+1 {{layer_norm without centering needs signed codes with zero point 0}}
  %0 = vit.layer_norm rms %x, %g, %g eps 1.0e-6 : (tensor<1x2x!a>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!a = !quant.uniform<i32:f32, 0.5>
!u = !quant.uniform<i8:f32, 0.5>
func.func @wide_norm(%x: tensor<1x2x!a>) -> tensor<1x2x!u> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error @+1 {{layer_norm needs an input of at most 16 bits}}
  %0 = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x2x!a>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!s = !quant.uniform<i16:f32, 0.5>
!u = !quant.uniform<i8:f32, 1.0e-20>
func.func @large_gamma(%x: tensor<1x2x!s>) -> tensor<1x2x!u> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error @+1 {{gamma or beta of '?' is too large for its calibrated output range; recalibrate}}
  %0 = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x2x!s>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  return %0 : tensor<1x2x!u>
}

// -----

!u = !quant.uniform<u8:f32, 0.5>
!p = !quant.uniform<i16:f32, 3.0517578125e-05>
func.func @unsigned_scores(%x: tensor<1x2x!u>) -> tensor<1x2x!p> {
  // expected-error @+1 {{Shiftmax needs signed scores of at most 8 bits, and signed results of at most 8, or of 16, bits with zero point 0 and scale 2^(1 - bits)}}
  %0 = vit.softmax %x : tensor<1x2x!u> -> tensor<1x2x!p>
  return %0 : tensor<1x2x!p>
}

// -----

!f = !quant.uniform<i8:f32, 1.0e-10>
!p = !quant.uniform<i16:f32, 3.0517578125e-05>
func.func @fine_scores(%x: tensor<1x2x!f>) -> tensor<1x2x!p> {
  // expected-error @+1 {{Shiftmax cannot represent the scale of the scores, 1.000000e-10; use --recipe=default}}
  %0 = vit.softmax %x : tensor<1x2x!f> -> tensor<1x2x!p>
  return %0 : tensor<1x2x!p>
}

// -----

!u = !quant.uniform<i8:f32, 0.5>
func.func @float_operand() -> tensor<1x2x!u> {
  // expected-note @+1 {{the operand is computed here}}
  %0 = arith.constant dense<1.0> : tensor<1x2xf32>
  // expected-error @+1 {{operand or result of '?' is not quantized: vit-quantize and vit-defer-dequant left it float}}
  %1 = vit.relu %0 : tensor<1x2xf32> -> tensor<1x2x!u>
  return %1 : tensor<1x2x!u>
}
