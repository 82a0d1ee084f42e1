// RUN: vitq-opt %s --vit-defer-dequant --split-input-file --verify-diagnostics | FileCheck %s

!u8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32:0, {0.25, 0.5, 1.0}>

// R1: the contraction reads codes, the bias is on the accumulator's grid.
// CHECK-LABEL: func.func @linear
// CHECK-SAME:    %[[X:.+]]: tensor<1x2x!quant.uniform<u8{{.*}}>, %[[W:.+]]: tensor<3x2x
func.func @linear(%x: tensor<1x2x!u8>, %w: tensor<3x2x!w8>) -> tensor<1x3xf32> {
  // CHECK: %[[BI:.+]] = arith.constant dense<[8, 8, 6]> : tensor<3xi32>
  // CHECK: %[[B:.+]] = quant.scast %[[BI]] : tensor<3xi32> to tensor<3x!quant.uniform<i32:f32:0, {1.250000e-01,2.500000e-01,5.000000e-01}>>
  // CHECK: %[[A:.+]] = vit.linear %[[X]], %[[W]], %[[B]] : {{.*}} -> tensor<1x3x!quant.uniform<i32:f32:1, {1.250000e-01,2.500000e-01,5.000000e-01}>>
  // CHECK: %[[Y:.+]] = vit.dequantize %[[A]]
  // CHECK: return %[[Y]]
  %xd = vit.dequantize %x : tensor<1x2x!u8> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w8> -> tensor<3x2xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %y = vit.linear %xd, %wd, %b : (tensor<1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:128>
!k = !quant.uniform<i8:f32:1, {0.25, 0.5}>

// R4: one scale per head on K; 1/sqrt(d) goes into the scale.
// CHECK-LABEL: func.func @heads
func.func @heads(%q: tensor<1x2x5x4x!q>, %k: tensor<1x2x5x4x!k>) -> tensor<1x2x5x5xf32> {
  // CHECK: vit.matmul %{{.+}}, %{{.+}} transpose_rhs scale 5.000000e-01 : {{.*}} -> tensor<1x2x5x5x!quant.uniform<i32:f32:1, {6.250000e-02,1.250000e-01}>>
  %qd = vit.dequantize %q : tensor<1x2x5x4x!q> -> tensor<1x2x5x4xf32>
  %kd = vit.dequantize %k : tensor<1x2x5x4x!k> -> tensor<1x2x5x4xf32>
  %s = vit.matmul %qd, %kd transpose_rhs scale 0.5 : (tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) -> tensor<1x2x5x5xf32>
  return %s : tensor<1x2x5x5xf32>
}

// -----

!c = !quant.uniform<i16:f32:2, {0.25, 0.5, 1.0, 2.0}>

// R13: moves carry the scales' axis along; a reshape that splits it is a barrier.
// CHECK-LABEL: func.func @moves
func.func @moves(%x: tensor<1x3x4x!c>) -> (tensor<1x4x3xf32>, tensor<1x3x2x2xf32>) {
  // CHECK: vit.transpose %{{.+}} by [0, 2, 1] : {{.*}} -> tensor<1x4x3x!quant.uniform<i16:f32:1, {
  // CHECK: vit.reshape %{{.+}} to [1, 3, 2, 2] : tensor<1x3x4xf32>
  %d = vit.dequantize %x : tensor<1x3x4x!c> -> tensor<1x3x4xf32>
  %t = vit.transpose %d by [0, 2, 1] : tensor<1x3x4xf32> -> tensor<1x4x3xf32>
  // expected-remark @+1 {{R13: the op changes axis 2, along which the scales vary; requantize per tensor first}}
  %r = vit.reshape %d to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  return %t, %r : tensor<1x4x3xf32>, tensor<1x3x2x2xf32>
}

// -----

!a = !quant.uniform<i16:f32, 0.5>
!b = !quant.uniform<i32:f32:1, {0.25, 0.5}>
!s = !quant.uniform<i16:f32, 0.75>

// R12: an add is a barrier; it takes the quantized types itself.
// CHECK-LABEL: func.func @add
func.func @add(%a: tensor<1x2x!a>, %b: tensor<1x2x!b>) -> tensor<1x2x!s> {
  // CHECK: %[[S:.+]] = vit.add %{{.+}}, %{{.+}} : (tensor<1x2x!quant.uniform<i16{{.*}}>>, tensor<1x2x!quant.uniform<i32{{.*}}>>) -> tensor<1x2x!quant.uniform<i16
  // CHECK-NEXT: return %[[S]]
  %ad = vit.dequantize %a : tensor<1x2x!a> -> tensor<1x2xf32>
  %bd = vit.dequantize %b : tensor<1x2x!b> -> tensor<1x2xf32>
  // expected-remark @+1 {{R12: the operands of an add have scales of their own}}
  %y = vit.add %ad, %bd : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %q = vit.quantize %y round half_up : tensor<1x2xf32> -> tensor<1x2x!s>
  return %q : tensor<1x2x!s>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:128>

// R11: a barrier whose result stays float is left alone.
// CHECK-LABEL: func.func @gelu
func.func @gelu(%x: tensor<1x2x!u>) -> (tensor<1x2xf32>, tensor<1x2x!u>) {
  // CHECK: vit.gelu {{.*}} : tensor<1x2xf32> -> tensor<1x2xf32>
  %d = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  // expected-remark @+1 {{R11: the function is not scale-covariant}}
  %g = vit.gelu erf %d : tensor<1x2xf32> -> tensor<1x2xf32>
  %q = vit.quantize %g round half_up : tensor<1x2xf32> -> tensor<1x2x!u>
  return %g, %q : tensor<1x2xf32>, tensor<1x2x!u>
}

// -----

// Illegal layouts (METHODS.md 1.1, the table) are errors with a remedy.
!xc = !quant.uniform<u8:f32:1, {0.5:128, 0.25:128}>
!w = !quant.uniform<i8:f32:0, {0.25, 0.5, 1.0}>
func.func @input_per_channel(%x: tensor<1x2x!xc>, %w: tensor<3x2x!w>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!xc> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w> -> tensor<3x2xf32>
  // expected-error @+1 {{dequantization cannot be deferred: R1: input scales vary along the contracted axis; fold them into the weight}}
  %y = vit.linear %xd, %wd : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:128>
!wi = !quant.uniform<i8:f32:1, {0.25, 0.5}>
func.func @weight_per_input(%x: tensor<1x2x!x>, %w: tensor<3x2x!wi>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!wi> -> tensor<3x2xf32>
  // expected-error @+1 {{R1: weight scales vary along the contracted axis}}
  %y = vit.linear %xd, %wd : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!xt = !quant.uniform<u8:f32:0, {0.5:128, 0.25:128}>
!w = !quant.uniform<i8:f32, 0.25>
func.func @token_scales_and_bias(%x: tensor<2x2x!xt>, %w: tensor<3x2x!w>) -> tensor<2x3xf32> {
  %xd = vit.dequantize %x : tensor<2x2x!xt> -> tensor<2x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w> -> tensor<3x2xf32>
  %b = arith.constant dense<1.0> : tensor<3xf32>
  // expected-error @+1 {{R1: with one input scale per token the bias has no common scale}}
  %y = vit.linear %xd, %wd, %b : (tensor<2x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:128>
!kc = !quant.uniform<i8:f32:2, {0.25, 0.5}>
func.func @k_per_channel(%q: tensor<1x3x2x!q>, %k: tensor<1x3x2x!kc>) -> tensor<1x3x3xf32> {
  %qd = vit.dequantize %q : tensor<1x3x2x!q> -> tensor<1x3x2xf32>
  %kd = vit.dequantize %k : tensor<1x3x2x!kc> -> tensor<1x3x2xf32>
  // expected-error @+1 {{R4: K has one scale per channel, the contracted axis of Q*K^T}}
  %s = vit.matmul %qd, %kd transpose_rhs : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  return %s : tensor<1x3x3xf32>
}

// -----

!p = !quant.uniform<u8:f32, 0.5>
!vt = !quant.uniform<i8:f32:1, {0.25, 0.5, 1.0}>
func.func @v_per_token(%p: tensor<1x3x3x!p>, %v: tensor<1x3x2x!vt>) -> tensor<1x3x2xf32> {
  %pd = vit.dequantize %p : tensor<1x3x3x!p> -> tensor<1x3x3xf32>
  %vd = vit.dequantize %v : tensor<1x3x2x!vt> -> tensor<1x3x2xf32>
  // expected-error @+1 {{R5: V has one scale per token, the contracted axis of P*V}}
  %o = vit.matmul %pd, %vd : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %o : tensor<1x3x2xf32>
}

// -----

!qc = !quant.uniform<u8:f32:2, {0.25:128, 0.5:128}>
!k = !quant.uniform<i8:f32, 0.5>
func.func @q_per_channel(%q: tensor<1x3x2x!qc>, %k: tensor<1x3x2x!k>) -> tensor<1x3x3xf32> {
  %qd = vit.dequantize %q : tensor<1x3x2x!qc> -> tensor<1x3x2xf32>
  %kd = vit.dequantize %k : tensor<1x3x2x!k> -> tensor<1x3x2xf32>
  // expected-error @+1 {{R4/R5: lhs scales vary along the contracted axis}}
  %s = vit.matmul %qd, %kd transpose_rhs : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  return %s : tensor<1x3x3xf32>
}

// -----

// R13: a reshape that splits an axis into groups of equal scales keeps one scale for
// each group: queries of two heads.
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<1x3x4x!quant.uniform<u8:f32:2, {0.5:128, 0.5:128, 0.25:128, 0.25:128}>>) -> tensor<1x2x3x2xf32> {
  // CHECK: vit.reshape %{{.+}} to [1, 3, 2, 2] : {{.*}} -> tensor<1x3x2x2x!quant.uniform<u8:f32:2, {5.000000e-01:128,2.500000e-01:128}>>
  // CHECK: vit.transpose %{{.+}} by [0, 2, 1, 3] : {{.*}} -> tensor<1x2x3x2x!quant.uniform<u8:f32:1, {5.000000e-01:128,2.500000e-01:128}>>
  %d = vit.dequantize %x : tensor<1x3x4x!quant.uniform<u8:f32:2, {0.5:128, 0.5:128, 0.25:128, 0.25:128}>> -> tensor<1x3x4xf32>
  %r = vit.reshape %d to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
  %t = vit.transpose %r by [0, 2, 1, 3] : tensor<1x3x2x2xf32> -> tensor<1x2x3x2xf32>
  return %t : tensor<1x2x3x2xf32>
}

// -----

// The rounding of a quantization goes with the op that takes it.
// CHECK-LABEL: func.func @rounding
func.func @rounding(%x: tensor<1x2x!quant.uniform<i8:f32, 0.5>>) -> tensor<1x2x!quant.uniform<i8:f32, 0.25>> {
  // CHECK: vit.gelu erf %{{.+}} {rounding = #vit<rounding half_even>} : {{.*}} -> tensor<1x2x!quant.uniform<i8:f32, 2.500000e-01>>
  %d = vit.dequantize %x : tensor<1x2x!quant.uniform<i8:f32, 0.5>> -> tensor<1x2xf32>
  // expected-remark @+1 {{R11}}
  %g = vit.gelu erf %d : tensor<1x2xf32> -> tensor<1x2xf32>
  %q = vit.quantize %g round half_even : tensor<1x2xf32> -> tensor<1x2x!quant.uniform<i8:f32, 0.25>>
  return %q : tensor<1x2x!quant.uniform<i8:f32, 0.25>>
}

// -----

// R1: a bias that the accumulator cannot hold is no clamp.
func.func @bias_beyond_32_bits(%x: tensor<2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<2x1xf32> {
  %w8 = arith.constant dense<1> : tensor<1x2xi8>
  %w = quant.scast %w8 : tensor<1x2xi8> to tensor<1x2x!quant.uniform<i8<-127:127>:f32:0, {1.0e-10}>>
  %b = arith.constant dense<5.0> : tensor<1xf32>
  %xr = vit.dequantize %x : tensor<2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<2x2xf32>
  %wr = vit.dequantize %w : tensor<1x2x!quant.uniform<i8<-127:127>:f32:0, {1.0e-10}>> -> tensor<1x2xf32>
  // expected-error @+1 {{R1: the bias 5.000000e+00 of channel 0 leaves 32 bits in units of input scale times weight scale, 1.000000e-11; give that row of the weight a larger scale}}
  %y = vit.linear %xr, %wr, %b : (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}
