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
  // expected-remark @+1 {{move or mean (R13, docs/Rules.md): the op changes axis 2, along which the scales vary; requantize per tensor first}}
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
  // expected-remark @+1 {{residual add (R12, docs/Rules.md): the operands have scales of their own and are requantized}}
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
  // expected-remark @+1 {{nonlinear function (R11, docs/Rules.md): it is not scale-covariant; it is computed on codes}}
  %g = vit.gelu erf %d : tensor<1x2xf32> -> tensor<1x2xf32>
  %q = vit.quantize %g round half_up : tensor<1x2xf32> -> tensor<1x2x!u>
  return %g, %q : tensor<1x2xf32>, tensor<1x2x!u>
}

// -----

// Illegal layouts (docs/Rules.md, Legal layouts of scales) are errors with a remedy.
!xc = !quant.uniform<u8:f32:1, {0.5:128, 0.25:128}>
!w = !quant.uniform<i8:f32:0, {0.25, 0.5, 1.0}>
func.func @input_per_channel(%x: tensor<1x2x!xc>, %w: tensor<3x2x!w>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!xc> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w> -> tensor<3x2xf32>
  // expected-error @+1 {{dequantization cannot be deferred: linear layer (R1, docs/Rules.md): input scales vary along the contracted axis; fold them into the weight}}
  %y = vit.linear %xd, %wd : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:128>
!wi = !quant.uniform<i8:f32:1, {0.25, 0.5}>
func.func @weight_per_input(%x: tensor<1x2x!x>, %w: tensor<3x2x!wi>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!wi> -> tensor<3x2xf32>
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): weight scales vary along the contracted axis}}
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
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): with one input scale per token the bias has no common scale}}
  %y = vit.linear %xd, %wd, %b : (tensor<2x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:128>
!kc = !quant.uniform<i8:f32:2, {0.25, 0.5}>
func.func @k_per_channel(%q: tensor<1x3x2x!q>, %k: tensor<1x3x2x!kc>) -> tensor<1x3x3xf32> {
  %qd = vit.dequantize %q : tensor<1x3x2x!q> -> tensor<1x3x2xf32>
  %kd = vit.dequantize %k : tensor<1x3x2x!kc> -> tensor<1x3x2xf32>
  // expected-error @+1 {{scores Q*K^T (R4, docs/Rules.md): K has one scale per channel, the contracted axis of Q*K^T}}
  %s = vit.matmul %qd, %kd transpose_rhs : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x3xf32>
  return %s : tensor<1x3x3xf32>
}

// -----

!p = !quant.uniform<u8:f32, 0.5>
!vt = !quant.uniform<i8:f32:1, {0.25, 0.5, 1.0}>
func.func @v_per_token(%p: tensor<1x3x3x!p>, %v: tensor<1x3x2x!vt>) -> tensor<1x3x2xf32> {
  %pd = vit.dequantize %p : tensor<1x3x3x!p> -> tensor<1x3x3xf32>
  %vd = vit.dequantize %v : tensor<1x3x2x!vt> -> tensor<1x3x2xf32>
  // expected-error @+1 {{weighted sum P*V (R5, docs/Rules.md): V has one scale per token, the contracted axis of P*V}}
  %o = vit.matmul %pd, %vd : (tensor<1x3x3xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %o : tensor<1x3x2xf32>
}

// -----

!qc = !quant.uniform<u8:f32:2, {0.25:128, 0.5:128}>
!k = !quant.uniform<i8:f32, 0.5>
func.func @q_per_channel(%q: tensor<1x3x2x!qc>, %k: tensor<1x3x2x!k>) -> tensor<1x3x3xf32> {
  %qd = vit.dequantize %q : tensor<1x3x2x!qc> -> tensor<1x3x2xf32>
  %kd = vit.dequantize %k : tensor<1x3x2x!k> -> tensor<1x3x2xf32>
  // expected-error @+1 {{scores Q*K^T (R4, docs/Rules.md): lhs scales vary along the contracted axis}}
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
  // expected-remark @+1 {{dequantization stops at '?': nonlinear function (R11, docs/Rules.md)}}
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
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): the bias 5.000000e+00 of channel 0 leaves 32 bits in units of input scale times weight scale, 1.000000e-11; give that row of the weight a larger scale}}
  %y = vit.linear %xr, %wr, %b : (tensor<2x2xf32>, tensor<1x2xf32>, tensor<1xf32>) -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// What stops at a barrier, and why.
!u = !quant.uniform<u8:f32, 0.5:128>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!s = !quant.uniform<i32:f32, 0.0039215686274509803>
// CHECK-LABEL: func.func @barriers
func.func @barriers(%x: tensor<1x2x!u>, %e: tensor<1x2x!e>, %s: tensor<1x!s>, %p: tensor<1x2x2x1x!u>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1x2x2xf32>) {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %d = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  %ed = vit.dequantize %e : tensor<1x2x!e> -> tensor<1x2xf32>
  %sd = vit.dequantize %s : tensor<1x!s> -> tensor<1xf32>
  // expected-remark @+1 {{LayerNorm (R8, docs/Rules.md): a common scale cancels, so the dequantization ends here}}
  %n = vit.layer_norm %d, %g, %g eps 1.0e-6 : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  // expected-remark @+1 {{softmax (R10, docs/Rules.md): it is not scale-covariant}}
  %f = vit.softmax %d : tensor<1x2xf32> -> tensor<1x2xf32>
  // expected-remark @+1 {{softmax (R10, docs/Rules.md): the exponential is not scale-covariant; only the division by the row sum moves on}}
  %c, %sum = vit.softmax_numerator %d : tensor<1x2xf32> -> tensor<1x2xf32>, tensor<1xf32>
  // expected-remark @+1 {{softmax (R10, docs/Rules.md): the reciprocal of the row sum is taken here, once per row}}
  %q = vit.divide_rows %ed, %sd : (tensor<1x2xf32>, tensor<1xf32>) -> tensor<1x2xf32>
  // expected-remark @+1 {{nonlinear function (R11, docs/Rules.md): a rectifier bounds the range; the clamp of the requantization does it}}
  %r = vit.relu %d : tensor<1x2xf32> -> tensor<1x2xf32>
  // expected-remark @+1 {{the product of two quantized tensors is requantized at once}}
  %m = vit.mul %d, %d : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  // expected-remark @+1 {{pixels become codes of the normalized image by a table}}
  %i = vit.normalize_pixels %p mean [0.5] std [0.5] : tensor<1x2x2x1x!u> -> tensor<1x1x2x2xf32>
  return %n, %f, %c, %sum, %q, %r, %m, %i : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1x2x2xf32>
}

// -----

!q = !quant.uniform<u8:f32:1, {0.25:128, 0.5:128}>
!k = !quant.uniform<i8:f32:1, {0.25, 0.5, 0.25}>
func.func @two_axes(%q: tensor<1x2x2x!q>, %k: tensor<1x3x2x!k>) -> tensor<1x2x3xf32> {
  %qd = vit.dequantize %q : tensor<1x2x2x!q> -> tensor<1x2x2xf32>
  %kd = vit.dequantize %k : tensor<1x3x2x!k> -> tensor<1x3x2xf32>
  // expected-error @+1 {{scores Q*K^T (R4, docs/Rules.md): the scales of lhs and rhs vary along different axes and a type holds one; make one of them per tensor}}
  %s = vit.matmul %qd, %kd transpose_rhs : (tensor<1x2x2xf32>, tensor<1x3x2xf32>) -> tensor<1x2x3xf32>
  return %s : tensor<1x2x3xf32>
}

// -----

!x = !quant.uniform<u8:f32:1, {0.25:128, 0.5:128}>
!w = !quant.uniform<i8:f32:0, {0.25, 0.5, 1.0}>
func.func @tokens_and_channels(%x: tensor<1x2x4x!x>, %w: tensor<3x4x!w>) -> tensor<1x2x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x4x!x> -> tensor<1x2x4xf32>
  %wd = vit.dequantize %w : tensor<3x4x!w> -> tensor<3x4xf32>
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): per-token input scales and per-channel weight scales need two scale axes; quantize the weight per tensor, or the input per tensor}}
  %y = vit.linear %xd, %wd : (tensor<1x2x4xf32>, tensor<3x4xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8:f32, 0.5>
func.func @float_weight(%x: tensor<1x2x!x>, %w: tensor<3x2xf32>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  // expected-error @+1 {{dequantization cannot be deferred: an operand is not quantized; calibrate and quantize it}}
  %y = vit.linear %xd, %w : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!x = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8:f32, 0.5>
// expected-note @below {{the bias is this value}}
func.func @computed_bias(%x: tensor<1x2x!x>, %w: tensor<3x2x!w>, %b: tensor<3xf32>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w> -> tensor<3x2xf32>
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): the bias is no constant, so it cannot be brought to the accumulator's scale at compile time}}
  %y = vit.linear %xd, %wd, %b : (tensor<1x2xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!a = !quant.uniform<i8:f32, 0.5>
!b = !quant.uniform<i8:f32, 0.25>
!m = !quant.uniform<i8:f32:1, {0.5, 0.25}>
// CHECK-LABEL: func.func @moves_that_stop
func.func @moves_that_stop(%a: tensor<1x2x!a>, %b: tensor<1x2x!b>, %m: tensor<1x2x!m>) -> (tensor<1x4xf32>, tensor<1x1xf32>) {
  %ad = vit.dequantize %a : tensor<1x2x!a> -> tensor<1x2xf32>
  %bd = vit.dequantize %b : tensor<1x2x!b> -> tensor<1x2xf32>
  %md = vit.dequantize %m : tensor<1x2x!m> -> tensor<1x2xf32>
  // expected-remark @+1 {{move or mean (R13, docs/Rules.md): the inputs' scales differ; they are requantized to the result's}}
  %c = vit.concat %ad, %bd axis 1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  // expected-remark @+1 {{move or mean (R13, docs/Rules.md): the mean runs along the axis of the scales; requantize per tensor first}}
  %n = vit.mean %md axes [1] keep_dims : tensor<1x2xf32> -> tensor<1x1xf32>
  return %c, %n : tensor<1x4xf32>, tensor<1x1xf32>
}

// -----

// Scales in blocks.
!x = !quant.uniform<i8:f32:{0:1,1:1}, {{0.5, 0.25}}>
!w = !quant.uniform<i8:f32, 0.5>
func.func @blocks_of_input(%x: tensor<1x2x!x>, %w: tensor<3x2x!w>) -> tensor<1x3xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<3x2x!w> -> tensor<3x2xf32>
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): the input has scales in blocks; quantize it per tensor}}
  %y = vit.linear %xd, %wd : (tensor<1x2xf32>, tensor<3x2xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

!x = !quant.uniform<i8:f32, 0.5>
!w = !quant.uniform<i8:f32:{0:1,1:1}, {{0.5, 0.25}}>
func.func @blocks_of_weight(%x: tensor<1x2x!x>, %w: tensor<1x2x!w>) -> tensor<1x1xf32> {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  %wd = vit.dequantize %w : tensor<1x2x!w> -> tensor<1x2xf32>
  // expected-error @+1 {{linear layer (R1, docs/Rules.md): the weight has scales in blocks; quantize it per tensor or per output channel}}
  %y = vit.linear %xd, %wd : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

!x = !quant.uniform<i8:f32, 0.5>
!w = !quant.uniform<i8:f32:{0:1,1:1,2:1}, {{{0.5, 0.25}}}>
func.func @blocks_of_values(%x: tensor<1x1x1x!x>, %w: tensor<1x1x2x!w>) -> tensor<1x1x2xf32> {
  %xd = vit.dequantize %x : tensor<1x1x1x!x> -> tensor<1x1x1xf32>
  %wd = vit.dequantize %w : tensor<1x1x2x!w> -> tensor<1x1x2xf32>
  // expected-error @+1 {{weighted sum P*V (R5, docs/Rules.md): an operand has scales in blocks; quantize it per tensor, or along one axis}}
  %y = vit.matmul %xd, %wd : (tensor<1x1x1xf32>, tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  return %y : tensor<1x1x2xf32>
}

// -----

!x = !quant.uniform<i8:f32:{0:1,1:1}, {{0.5, 0.25}}>
// CHECK-LABEL: func.func @blocks_that_stop
func.func @blocks_that_stop(%x: tensor<1x2x!x>) -> (tensor<2x1xf32>, tensor<1xf32>) {
  %xd = vit.dequantize %x : tensor<1x2x!x> -> tensor<1x2xf32>
  // expected-remark @+1 {{move or mean (R13, docs/Rules.md): elements with scales in blocks cannot be moved; quantize per tensor, or along one axis}}
  %t = vit.transpose %xd by [1, 0] : tensor<1x2xf32> -> tensor<2x1xf32>
  // expected-remark @+1 {{move or mean (R13, docs/Rules.md): a mean over scales in blocks has no scale; requantize per tensor first}}
  %m = vit.mean %xd axes [1] : tensor<1x2xf32> -> tensor<1xf32>
  return %t, %m : tensor<2x1xf32>, tensor<1xf32>
}
