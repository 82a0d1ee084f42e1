// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s
// RUN: not vitq-opt %s --vit-recover-patterns=max-rounds=1 --split-input-file 2>&1 | FileCheck %s --check-prefix=ROUNDS
// ROUNDS: error: patterns were still changing the function after 1 rounds

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.+]]: tensor<1x4x8xf32>
// CHECK: %[[G:.+]] = arith.constant dense<[1.0{{.*}}, 2.0{{.*}}
// CHECK: %[[B:.+]] = arith.constant dense<5.0
// CHECK: %[[N:.+]] = vit.layer_norm %[[X]], %[[G]], %[[B]] eps 9.9999999747524271E-7
// CHECK-NEXT: return %[[N]]
func.func @main(%x: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %eps = arith.constant dense<1.0e-6> : tensor<f32>
  %gamma = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %beta = arith.constant dense<5.0> : tensor<8xf32>
  %mean = vit.mean %x axes [2] keep_dims : tensor<1x4x8xf32> -> tensor<1x4x1xf32>
  %c = vit.sub %x, %mean : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  %sq = vit.pow %c, %two : (tensor<1x4x8xf32>, tensor<f32>) -> tensor<1x4x8xf32>
  %var = vit.mean %sq axes [2] keep_dims : tensor<1x4x8xf32> -> tensor<1x4x1xf32>
  %ve = vit.add %eps, %var : (tensor<f32>, tensor<1x4x1xf32>) -> tensor<1x4x1xf32>
  %s = vit.sqrt %ve : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %n = vit.div %c, %s : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  %g = vit.mul %gamma, %n : (tensor<8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %b = vit.add %g, %beta : (tensor<1x4x8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  return %b : tensor<1x4x8xf32>
}

// -----

// A constant of higher rank: the layer_norm has its input's type, a reshape the rest.
// CHECK-LABEL: func.func @higher_rank
// CHECK: %[[N:.+]] = vit.layer_norm %{{.+}} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[N]] to [1, 2, 3]
// CHECK-NEXT: %[[S:.+]] = vit.slice %[[R]]
// CHECK-NEXT: return %[[S]]
func.func @higher_rank(%x: tensor<2x3xf32>) -> tensor<1x1x3xf32> {
  %two = arith.constant dense<2.0> : tensor<1x1x1xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %gamma = arith.constant dense<[[[1.0, 2.0, 3.0]]]> : tensor<1x1x3xf32>
  %mean = vit.mean %x axes [1] keep_dims : tensor<2x3xf32> -> tensor<2x1xf32>
  %c = vit.sub %x, %mean : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %sq = vit.pow %c, %two : (tensor<2x3xf32>, tensor<1x1x1xf32>) -> tensor<1x2x3xf32>
  %var = vit.mean %sq axes [2] keep_dims : tensor<1x2x3xf32> -> tensor<1x2x1xf32>
  %ve = vit.add %var, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %s = vit.sqrt %ve : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %n = vit.div %c, %s : (tensor<2x3xf32>, tensor<1x2x1xf32>) -> tensor<1x2x3xf32>
  %g = vit.mul %n, %gamma : (tensor<1x2x3xf32>, tensor<1x1x3xf32>) -> tensor<1x2x3xf32>
  %y = vit.slice %g offsets [0, 0, 0] sizes [1, 1, 3] strides [1, 1, 1] : tensor<1x2x3xf32> -> tensor<1x1x3xf32>
  return %y : tensor<1x1x3xf32>
}

// -----

// A constant that repeats x makes something else of it.
// CHECK-LABEL: func.func @repeated
// CHECK-NOT: vit.layer_norm
// CHECK: vit.sqrt
func.func @repeated(%x: tensor<2x3xf32>) -> tensor<4x2x3xf32> {
  %two = arith.constant dense<2.0> : tensor<4x1x1xf32>
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %mean = vit.mean %x axes [1] keep_dims : tensor<2x3xf32> -> tensor<2x1xf32>
  %c = vit.sub %x, %mean : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %sq = vit.pow %c, %two : (tensor<2x3xf32>, tensor<4x1x1xf32>) -> tensor<4x2x3xf32>
  %var = vit.mean %sq axes [2] keep_dims : tensor<4x2x3xf32> -> tensor<4x2x1xf32>
  %ve = vit.add %var, %eps : (tensor<4x2x1xf32>, tensor<f32>) -> tensor<4x2x1xf32>
  %s = vit.sqrt %ve : tensor<4x2x1xf32> -> tensor<4x2x1xf32>
  %n = vit.div %c, %s : (tensor<2x3xf32>, tensor<4x2x1xf32>) -> tensor<4x2x3xf32>
  return %n : tensor<4x2x3xf32>
}

// -----

// x.var() of torch: the axis is kept by a reshape, an unbiased variance is 4/3 of the
// other one, which goes into gamma and eps.
// CHECK-LABEL: func.func @torch_var
// CHECK: %[[G:.+]] = arith.constant dense<0.866025388>
// CHECK: %[[N:.+]] = vit.layer_norm %{{.+}}, %[[G]], %{{.+}} eps 7.4999{{.+}}E-6
// CHECK-NEXT: return %[[N]]
func.func @torch_var(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %eps = arith.constant dense<1.0e-5> : tensor<f32>
  %unbiased = arith.constant dense<1.33333337> : tensor<f32>
  %mean = vit.mean %x axes [2] keep_dims : tensor<1x2x4xf32> -> tensor<1x2x1xf32>
  %c = vit.sub %x, %mean : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %mean2 = vit.mean %x axes [2] keep_dims : tensor<1x2x4xf32> -> tensor<1x2x1xf32>
  %d = vit.sub %x, %mean2 : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  %sq = vit.mul %d, %d : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %v = vit.mean %sq axes [2] : tensor<1x2x4xf32> -> tensor<1x2xf32>
  %u = vit.mul %v, %unbiased : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %var = vit.reshape %u to [1, 2, 1] : tensor<1x2xf32> -> tensor<1x2x1xf32>
  %ve = vit.add %var, %eps : (tensor<1x2x1xf32>, tensor<f32>) -> tensor<1x2x1xf32>
  %s = vit.sqrt %ve : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  %n = vit.div %c, %s : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  return %n : tensor<1x2x4xf32>
}

// -----

// The variance is over another axis than the mean: no LayerNorm, but rows of what was centered are divided by their
// length.
// CHECK-LABEL: func.func @other_axis
// CHECK: vit.mean %{{.+}} axes [1] keep_dims
// CHECK: %[[C:.+]] = vit.add
// CHECK: vit.layer_norm rms %[[C]]
// CHECK-NOT: vit.sqrt
func.func @other_axis(%x: tensor<1x4x8xf32>) -> tensor<1x4x8xf32> {
  %eps = arith.constant dense<1.0e-6> : tensor<f32>
  %mean = vit.mean %x axes [1] keep_dims : tensor<1x4x8xf32> -> tensor<1x1x8xf32>
  %c = vit.sub %x, %mean : (tensor<1x4x8xf32>, tensor<1x1x8xf32>) -> tensor<1x4x8xf32>
  %sq = vit.mul %c, %c : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %var = vit.mean %sq axes [2] keep_dims : tensor<1x4x8xf32> -> tensor<1x4x1xf32>
  %ve = vit.add %var, %eps : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %s = vit.sqrt %ve : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %n = vit.div %c, %s : (tensor<1x4x8xf32>, tensor<1x4x1xf32>) -> tensor<1x4x8xf32>
  return %n : tensor<1x4x8xf32>
}

// -----

// CHECK-LABEL: func.func @gelu_erf
// CHECK-NEXT: %[[G:.+]] = vit.gelu erf %{{.+}}
// CHECK-NEXT: return %[[G]]
func.func @gelu_erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %d = vit.div %x, %root : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %e = vit.erf %d : tensor<4xf32> -> tensor<4xf32>
  %a = vit.add %one, %e : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %h = vit.mul %half, %a : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %g = vit.mul %x, %h : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

// -----

// erf of something else than x / sqrt 2.
// CHECK-LABEL: func.func @no_gelu
// CHECK-NOT: vit.gelu
// CHECK: vit.erf
func.func @no_gelu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %e = vit.erf %x : tensor<4xf32> -> tensor<4xf32>
  %a = vit.add %e, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %h = vit.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %g = vit.mul %h, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @gelu_tanh
// CHECK-NEXT: vit.gelu tanh %{{.+}}
// CHECK-NEXT: return
func.func @gelu_tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %three = arith.constant dense<3.0> : tensor<f32>
  %c = arith.constant dense<0.044715> : tensor<f32>
  %k = arith.constant dense<0.797884583> : tensor<f32>
  %p = vit.pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %m = vit.mul %p, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %a = vit.add %x, %m : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %u = vit.mul %a, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %t = vit.tanh %u : tensor<4xf32> -> tensor<4xf32>
  %o = vit.add %t, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %h = vit.mul %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %g = vit.mul %h, %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

// -----

// The factor of a GELU may be behind a reshape, where a tool puts codes there.
// CHECK-LABEL: func.func @gelu_reshaped
// CHECK-NEXT: %[[G:.+]] = vit.gelu erf %{{.+}} : tensor<1x2x4xf32> -> tensor<1x2x4xf32>
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[G]] to [2, 4]
// CHECK-NEXT: return %[[R]]
func.func @gelu_reshaped(%x: tensor<1x2x4xf32>) -> tensor<2x4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %k = arith.constant dense<0.707106769> : tensor<f32>
  %kx = vit.mul %x, %k : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %e = vit.erf %kx : tensor<1x2x4xf32> -> tensor<1x2x4xf32>
  %a = vit.add %e, %one : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %p = vit.mul %x, %a : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %r = vit.reshape %p to [2, 4] : tensor<1x2x4xf32> -> tensor<2x4xf32>
  %g = vit.mul %r, %half : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  return %g : tensor<2x4xf32>
}

// -----

// SmoothQuant's factors are factors of the channels' scales.
// CHECK-LABEL: func.func @channel_factors
// CHECK-SAME: (%[[X:.+]]: tensor<3x2xf32>
// CHECK-NEXT: %[[Q:.+]] = vit.quantize %[[X]] round half_even : tensor<3x2xf32> -> tensor<3x2x!quant.uniform<i8:f32:1, {2.000000e-01:3,5.000000e-02:3}>>
// CHECK-NEXT: %[[I:.+]] = quant.scast %[[Q]]
// CHECK-NEXT: %[[C:.+]] = quant.scast %[[I]] : tensor<3x2xi8> to tensor<3x2x!quant.uniform<i8:f32, 1.000000e-01:3>>
// CHECK-NEXT: vit.dequantize %[[C]]
func.func @channel_factors(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %c = arith.constant dense<[[0.5, 2.0]]> : tensor<1x2xf32>
  %y = vit.mul %x, %c : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  %q = vit.quantize %y round half_even : tensor<3x2xf32> -> tensor<3x2x!quant.uniform<i8:f32, 0.1:3>>
  %d = vit.dequantize %q : tensor<3x2x!quant.uniform<i8:f32, 0.1:3>> -> tensor<3x2xf32>
  return %d : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func.func @gelu_tanh_factored
// CHECK-NEXT: vit.gelu tanh %{{.+}}
// CHECK-NEXT: return
func.func @gelu_tanh_factored(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %c = arith.constant dense<0.044715> : tensor<f32>
  %k = arith.constant dense<0.797884583> : tensor<f32>
  %kx = vit.mul %x, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %cx = vit.mul %x, %c : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %cxx = vit.mul %cx, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %a = vit.add %cxx, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %u = vit.mul %kx, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %t = vit.tanh %u : tensor<4xf32> -> tensor<4xf32>
  %o = vit.add %t, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %xo = vit.mul %x, %o : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %g = vit.mul %xo, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %g : tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @gates
// CHECK-DAG: vit.gelu quick %{{.+}}
// CHECK-DAG: vit.silu %{{.+}}
// CHECK-DAG: vit.sigmoid
func.func @gates(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %c = arith.constant dense<1.702> : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %cx = vit.mul %c, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %s = vit.sigmoid %cx : tensor<4xf32> -> tensor<4xf32>
  %quick = vit.mul %x, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %t = vit.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
  %silu = vit.mul %t, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  // No function we know.
  %x2 = vit.mul %x, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %v = vit.sigmoid %x2 : tensor<4xf32> -> tensor<4xf32>
  %other = vit.mul %x, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %quick, %silu, %other : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @patch_embed
// CHECK: %[[P:.+]] = vit.patch_embed %{{.+}}, %{{.+}}, %{{.+}} : (tensor<2x1x4x4xf32>, {{.+}}) -> tensor<2x4x3xf32>
// CHECK-NEXT: return %[[P]]
func.func @patch_embed(%x: tensor<2x1x4x4xf32>) -> tensor<2x4x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x1x2x2xf32>
  %b = arith.constant dense<2.0> : tensor<3xf32>
  %l = vit.transpose %x by [0, 2, 3, 1] : tensor<2x1x4x4xf32> -> tensor<2x4x4x1xf32>
  %m = vit.conv2d %l, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<2x4x4x1xf32>, tensor<3x1x2x2xf32>, tensor<3xf32>) -> tensor<2x2x2x3xf32>
  %c = vit.transpose %m by [0, 3, 1, 2] : tensor<2x2x2x3xf32> -> tensor<2x3x2x2xf32>
  %r = vit.reshape %c to [2, 3, 4] : tensor<2x3x2x2xf32> -> tensor<2x3x4xf32>
  %t = vit.transpose %r by [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
  return %t : tensor<2x4x3xf32>
}

// -----

// The stride is not the kernel's size.
// CHECK-LABEL: func.func @overlapping
// CHECK-NOT: vit.patch_embed
// CHECK: vit.conv2d
func.func @overlapping(%x: tensor<1x1x5x5xf32>) -> tensor<1x4x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x1x3x3xf32>
  %l = vit.transpose %x by [0, 2, 3, 1] : tensor<1x1x5x5xf32> -> tensor<1x5x5x1xf32>
  %m = vit.conv2d %l, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x5x5x1xf32>, tensor<3x1x3x3xf32>) -> tensor<1x2x2x3xf32>
  %c = vit.transpose %m by [0, 3, 1, 2] : tensor<1x2x2x3xf32> -> tensor<1x3x2x2xf32>
  %t = vit.transpose %c by [0, 2, 3, 1] : tensor<1x3x2x2xf32> -> tensor<1x2x2x3xf32>
  %r = vit.reshape %t to [1, 4, 3] : tensor<1x2x2x3xf32> -> tensor<1x4x3xf32>
  return %r : tensor<1x4x3xf32>
}

// -----

// Bias from the left, then LayerScale.
// CHECK-LABEL: func.func @layer_scale
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}1.0{{.*}}, 2.0{{.*}}], [6.0{{.*}}, 8.0{{.*}}]]>
// CHECK-DAG: %[[B:.+]] = arith.constant dense<[5.0{{.*}}, 1.2{{.*}}
// CHECK: vit.linear %{{.+}}, %[[W]], %[[B]]
// CHECK-NEXT: return
func.func @layer_scale(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %gamma = arith.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %a = vit.add %b, %l : (tensor<2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %m = vit.mul %a, %gamma : (tensor<1x3x2xf32>, tensor<1x1x2xf32>) -> tensor<1x3x2xf32>
  return %m : tensor<1x3x2xf32>
}

// -----

// A linear that something else reads keeps its bias.
// CHECK-LABEL: func.func @shared_linear
// CHECK: vit.linear %{{.+}}, %{{.+}} :
// CHECK: vit.add
func.func @shared_linear(%x: tensor<1x3x2xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %a = vit.add %l, %b : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  return %a, %l : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

// -----

// The class token is cut out before it is normalized.
// CHECK-LABEL: func.func @token
// CHECK: %[[S:.+]] = vit.slice %{{.+}} offsets [0, 0, 0] sizes [1, 1, 2]
// CHECK: vit.layer_norm %[[S]]
func.func @token(%x: tensor<1x3x2xf32>, %g: tensor<2xf32>) -> tensor<1x1x2xf32> {
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %s = vit.slice %n offsets [0, 0, 0] sizes [1, 1, 2] strides [1, 1, 1] : tensor<1x3x2xf32> -> tensor<1x1x2xf32>
  return %s : tensor<1x1x2xf32>
}

// -----

// A reshape behind a transpose that is no strided view of it stays.
// CHECK-LABEL: func.func @no_view
// CHECK: %[[T:.+]] = vit.transpose
// CHECK: %[[R:.+]] = vit.reshape %[[T]] to [1, 17, 64]
// CHECK: vit.linear %[[R]]
func.func @no_view(%x: tensor<1x4x17x16xf32>, %w: tensor<64x64xf32>) -> tensor<1x17x64xf32> {
  %t = vit.transpose %x by [3, 2, 1, 0] : tensor<1x4x17x16xf32> -> tensor<16x17x4x1xf32>
  %r = vit.reshape %t to [1, 17, 64] : tensor<16x17x4x1xf32> -> tensor<1x17x64xf32>
  %y = vit.linear %r, %w : (tensor<1x17x64xf32>, tensor<64x64xf32>) -> tensor<1x17x64xf32>
  return %y : tensor<1x17x64xf32>
}

// -----

// Constants whose elements were left out of the text cannot be folded.
// CHECK-LABEL: func.func @elided
// CHECK: vit.layer_norm
// CHECK: vit.mul
// CHECK: vit.linear
// CHECK: vit.add
func.func @elided(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %elided = arith.constant dense_resource<__elided__> : tensor<4xf32>
  %weight = arith.constant dense_resource<__elided__> : tensor<4x4xf32>
  %c = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %n = vit.layer_norm %x, %elided, %elided eps 1.0e-6 : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %m = vit.mul %n, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %l = vit.linear %m, %weight, %elided : (tensor<1x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %y = vit.add %l, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// -----

// Slices of a linear become layers of their own: biases that are added behind can be theirs.
// CHECK-LABEL: func.func @packed
// CHECK-DAG: %[[B:.+]] = arith.constant dense<[5.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[W0:.+]] = arith.constant dense<{{\[}}[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: %[[W1:.+]] = arith.constant dense<{{\[}}[5.000000e+00, 6.000000e+00], [7.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: %[[L0:.+]] = vit.linear %{{.+}}, %[[W0]], %[[B]] :
// CHECK-DAG: %[[S:.+]] = vit.silu %[[L0]]
// CHECK-DAG: %[[L1:.+]] = vit.linear %{{.+}}, %[[W1]] :
// CHECK: vit.mul %[[S]], %[[L1]]
func.func @packed(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %b = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<4x2xf32>) -> tensor<1x3x4xf32>
  %v = vit.slice %l offsets [0, 0, 2] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %g = vit.slice %l offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %a = vit.add %g, %b : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %s = vit.silu %a : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %m = vit.mul %s, %v : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %m : tensor<1x3x2xf32>
}

// -----

// What takes more than runs of channels leaves the layer whole.
// CHECK-LABEL: func.func @not_packed
// CHECK: vit.linear
// CHECK-NOT: vit.linear
func.func @not_packed(%x: tensor<1x3x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %l = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<4x2xf32>) -> tensor<1x3x4xf32>
  %v = vit.slice %l offsets [0, 1, 2] sizes [1, 2, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x2x2xf32>
  %g = vit.slice %l offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %s = vit.silu %g : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  return %v, %s : tensor<1x2x2xf32>, tensor<1x3x2xf32>
}

// -----

// A difference is a sum with the negated value; constant factors meet.
// CHECK-LABEL: func.func @difference
// CHECK: %[[C:.+]] = arith.constant dense<-5.000000e-01> : tensor<f32>
// CHECK: %[[M:.+]] = vit.mul %{{.+}}, %[[C]]
// CHECK-NEXT: vit.add %{{.+}}, %[[M]]
func.func @difference(%x: tensor<1x4xf32>, %y: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %a = vit.silu %y : tensor<1x4xf32> -> tensor<1x4xf32>
  %m = vit.mul %a, %half : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %s = vit.sub %x, %m : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %s : tensor<1x4xf32>
}

// -----

// The argument is a product itself.
// CHECK-LABEL: func.func @gelu_of_gated
// CHECK: %[[X:.+]] = vit.mul
// CHECK: %[[G:.+]] = vit.gelu erf %[[X]]
// CHECK: return %[[G]]
func.func @gelu_of_gated(%z: tensor<2x4xf32>, %gate: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %x = vit.mul %z, %gate : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %d = vit.div %x, %root : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  %e = vit.erf %d : tensor<2x4xf32> -> tensor<2x4xf32>
  %a = vit.add %one, %e : (tensor<f32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %m = vit.mul %x, %a : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %g = vit.mul %m, %half : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
  return %g : tensor<2x4xf32>
}

// -----

// The constant factor came behind a transpose.
// CHECK-LABEL: func.func @gelu_transposed
// CHECK: %[[G:.+]] = vit.gelu erf %arg0 : tensor<1x2x4xf32>
// CHECK: vit.transpose %[[G]] by [0, 2, 1]
// CHECK-NOT: vit.erf
func.func @gelu_transposed(%x: tensor<1x2x4xf32>) -> tensor<1x4x2xf32> {
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %root = arith.constant dense<1.41421354> : tensor<f32>
  %d = vit.div %x, %root : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %e = vit.erf %d : tensor<1x2x4xf32> -> tensor<1x2x4xf32>
  %a = vit.add %one, %e : (tensor<f32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %m = vit.mul %x, %a : (tensor<1x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %t = vit.transpose %m by [0, 2, 1] : tensor<1x2x4xf32> -> tensor<1x4x2xf32>
  %g = vit.mul %t, %half : (tensor<1x4x2xf32>, tensor<f32>) -> tensor<1x4x2xf32>
  return %g : tensor<1x4x2xf32>
}
