// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file --verify-diagnostics | FileCheck %s

!u8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32:0, {0.25, 0.5}>
!acc = !quant.uniform<i32:f32:1, {0.125, 0.25}>
!bias = !quant.uniform<i32:f32:0, {0.125, 0.25}>
!y8 = !quant.uniform<u8:f32, 1.0:128>

// The zero point goes into the bias: 100 - 10 * (1 + 2), 200 - 10 * (3 - 4).
// quantize(dequantize) is a requantization by 0.125 and 0.25.
// CHECK: module attributes {vitq.output_scale = 1.000000e+00 : f64, vitq.scales = {"0" = {axis = 1 : i64, node = "fc", scale = array<f64: 1.250000e-01, 2.500000e-01>, zero_point = array<i64: 0, 0>}, "1" = {
// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[X:.+]]: tensor<1x2xi8>) -> tensor<1x2xi8>
func.func @main(%x: tensor<1x2x!u8>) -> tensor<1x2x!y8> {
  // CHECK-DAG: %[[W:.+]] = arith.constant dense<{{\[\[}}1, 2], [3, -4]]> : tensor<2x2xi8>
  // CHECK-DAG: %[[B:.+]] = arith.constant dense<[70, 210]> : tensor<2xi32>
  // CHECK: %[[A:.+]] = vitq.matmul %[[X]], %[[W]], %[[B]] transpose_rhs lhs <unsigned> {vitq.id = 0 : i64}
  // CHECK: %[[Y:.+]] = vitq.requant %[[A]] by <[1073741824, 1073741824], [33, 32]> round half_up result <unsigned, zero = 128> {axis = 1 : i64, vitq.id = 1 : i64} : tensor<1x2xi32> -> tensor<1x2xi8>
  // CHECK: return %[[Y]]
  %w8 = arith.constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>
  %w = quant.scast %w8 : tensor<2x2xi8> to tensor<2x2x!w8>
  %b32 = arith.constant dense<[100, 200]> : tensor<2xi32>
  %b = quant.scast %b32 : tensor<2xi32> to tensor<2x!bias>
  %a = vit.linear %x, %w, %b : (tensor<1x2x!u8>, tensor<2x2x!w8>, tensor<2x!bias>) -> tensor<1x2x!acc> loc("fc")
  %d = vit.dequantize %a : tensor<1x2x!acc> -> tensor<1x2xf32>
  %q = vit.quantize %d round half_up : tensor<1x2xf32> -> tensor<1x2x!y8>
  return %q : tensor<1x2x!y8>
}

// -----

!p8 = !quant.uniform<u8:f32, 0.0039215686274509803>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 9.8039215686274508E-4>

// A channels-last patch embedding is rows of patches times the permuted weight.
// CHECK-LABEL: func.func @patches
func.func @patches(%x: tensor<1x2x2x2x!p8>) -> tensor<1x1x1x!acc> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}1, 5, 2, 6, 3, 7, 4, 8]]> : tensor<1x8xi8>
  // CHECK: %[[P:.+]] = vitq.extract_patches %{{.+}} patch [2, 2] : tensor<1x2x2x2xi8> -> tensor<1x1x8xi8>
  // CHECK: vitq.matmul %[[P]]
  %w8 = arith.constant dense<[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]> : tensor<1x2x2x2xi8>
  %w = quant.scast %w8 : tensor<1x2x2x2xi8> to tensor<1x2x2x2x!w8>
  %y = vit.patch_embed channels_last %x, %w : (tensor<1x2x2x2x!p8>, tensor<1x2x2x2x!w8>) -> tensor<1x1x1x!acc>
  return %y : tensor<1x1x1x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 0.125>

// Windows with the zero point around the map; two groups are two products. 100 - 10 * 10, 200 - 10 * 26.
// CHECK-LABEL: func.func @convolution
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x3x2xi8>
func.func @convolution(%x: tensor<1x2x3x2x!x8>) -> tensor<1x2x2x2x!acc> {
  // CHECK-DAG: %[[W0:.+]] = arith.constant dense<{{\[\[}}1, 2, 3, 4]]> : tensor<1x4xi8>
  // CHECK-DAG: %[[W1:.+]] = arith.constant dense<{{\[\[}}5, 6, 7, 8]]> : tensor<1x4xi8>
  // CHECK-DAG: %[[B0:.+]] = arith.constant dense<0> : tensor<1xi32>
  // CHECK-DAG: %[[B1:.+]] = arith.constant dense<-60> : tensor<1xi32>
  // CHECK-DAG: %[[S0:.+]] = vitq.slice %[[X]] offsets [0, 0, 0, 0] sizes [1, 2, 3, 1] strides [1, 1, 1, 1]
  // CHECK-DAG: %[[P0:.+]] = vitq.extract_patches %[[S0]] patch [2, 2] strides [1, 2] pads [1, 0, 0, 1] padding [10] as_map : tensor<1x2x3x1xi8> -> tensor<1x2x2x4xi8>
  // CHECK-DAG: %[[A0:.+]] = vitq.matmul %[[P0]], %[[W0]], %[[B0]] transpose_rhs lhs <unsigned>
  // CHECK-DAG: %[[S1:.+]] = vitq.slice %[[X]] offsets [0, 0, 0, 1]
  // CHECK-DAG: %[[P1:.+]] = vitq.extract_patches %[[S1]]
  // CHECK-DAG: %[[A1:.+]] = vitq.matmul %[[P1]], %[[W1]], %[[B1]] transpose_rhs
  // CHECK: vitq.concat %[[A0]], %[[A1]] axis 3 {vitq.id = 0 : i64}
  %w8 = arith.constant dense<[[[[1, 2], [3, 4]]], [[[5, 6], [7, 8]]]]> : tensor<2x1x2x2xi8>
  %w = quant.scast %w8 : tensor<2x1x2x2xi8> to tensor<2x1x2x2x!w8>
  %b32 = arith.constant dense<[100, 200]> : tensor<2xi32>
  %b = quant.scast %b32 : tensor<2xi32> to tensor<2x!acc>
  %p = vit.conv2d %x, %w, %b {strides = array<i64: 1, 2>, pads = array<i64: 1, 0, 0, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, padding = array<f64: 0.0, 0.0>}
    : (tensor<1x2x3x2x!x8>, tensor<2x1x2x2x!w8>, tensor<2x!acc>) -> tensor<1x2x2x2x!acc>
  return %p : tensor<1x2x2x2x!acc>
}

// -----

!p8 = !quant.uniform<u8:f32, 0.0039215686274509803>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 9.8039215686274508E-4>

// Around pixels stand those that are 0 when they are normalized: a code for each channel, 127.5 becomes 128.
// CHECK-LABEL: func.func @border_of_pixels
func.func @border_of_pixels(%x: tensor<1x2x2x2x!p8>) -> tensor<1x3x3x1x!acc> {
  // CHECK-DAG: arith.constant dense<{{\[\[}}1, 5, 2, 6, 3, 7, 4, 8]]> : tensor<1x8xi8>
  // CHECK-DAG: %[[P:.+]] = vitq.extract_patches %{{.+}} patch [2, 2] strides [1, 1] pads [1, 1, 1, 1] padding [128, 51] as_map : tensor<1x2x2x2xi8> -> tensor<1x3x3x8xi8>
  // CHECK: vitq.matmul %[[P]]
  %w8 = arith.constant dense<[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]> : tensor<1x2x2x2xi8>
  %w = quant.scast %w8 : tensor<1x2x2x2xi8> to tensor<1x2x2x2x!w8>
  %y = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, padding = array<f64: 0.5, 0.2>}
    : (tensor<1x2x2x2x!p8>, tensor<1x2x2x2x!w8>) -> tensor<1x3x3x1x!acc>
  return %y : tensor<1x3x3x1x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 0.125>

// Codes of 16 bits are read as they are.
// CHECK-LABEL: func.func @depthwise_wide
// CHECK-SAME: (%[[X:.+]]: tensor<1x3x3x2xi16>
func.func @depthwise_wide(%x: tensor<1x3x3x2x!quant.uniform<i16:f32, 0.5>>) -> tensor<1x2x3x2x!acc> {
  // CHECK: vitq.depthwise_conv2d %[[X]], %{{.+}} strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]{{.*}} : (tensor<1x3x3x2xi16>, tensor<2x1x2xi8>) -> tensor<1x2x3x2xi32>
  %w8 = arith.constant dense<[[[[1], [2]]], [[[3], [4]]]]> : tensor<2x1x2x1xi8>
  %w = quant.scast %w8 : tensor<2x1x2x1xi8> to tensor<2x1x2x1x!w8>
  %y = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64}
    : (tensor<1x3x3x2x!quant.uniform<i16:f32, 0.5>>, tensor<2x1x2x1x!w8>) -> tensor<1x2x3x2x!acc>
  return %y : tensor<1x2x3x2x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 0.125>

// Each channel by itself; a channel that two outputs read is there twice.
// CHECK-LABEL: func.func @depthwise
// CHECK-SAME: (%[[X:.+]]: tensor<1x3x3x2xi8>
func.func @depthwise(%x: tensor<1x3x3x2x!x8>) -> (tensor<1x2x3x2x!acc>, tensor<1x3x3x4x!acc>) {
  // CHECK-DAG: %[[W:.+]] = arith.constant dense<{{\[\[\[}}1, 3]], {{\[\[}}2, 4]]]> : tensor<2x1x2xi8>
  // CHECK: vitq.depthwise_conv2d %[[X]], %[[W]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] input <unsigned, zero = 10>
  // CHECK: %[[R:.+]] = vitq.reshape %[[X]] to [1, 3, 3, 2, 1]
  // CHECK: %[[B:.+]] = vitq.broadcast %[[R]] to [1, 3, 3, 2, 2]
  // CHECK: %[[T:.+]] = vitq.reshape %[[B]] to [1, 3, 3, 4]
  // CHECK: vitq.depthwise_conv2d %[[T]], %{{.+}} : (tensor<1x3x3x4xi8>, tensor<1x1x4xi8>) -> tensor<1x3x3x4xi32>
  %w8 = arith.constant dense<[[[[1], [2]]], [[[3], [4]]]]> : tensor<2x1x2x1xi8>
  %w = quant.scast %w8 : tensor<2x1x2x1xi8> to tensor<2x1x2x1x!w8>
  %y = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64}
    : (tensor<1x3x3x2x!x8>, tensor<2x1x2x1x!w8>) -> tensor<1x2x3x2x!acc>
  %v8 = arith.constant dense<[[[[1]]], [[[2]]], [[[3]]], [[[4]]]]> : tensor<4x1x1x1xi8>
  %v = quant.scast %v8 : tensor<4x1x1x1xi8> to tensor<4x1x1x1x!w8>
  %z = vit.conv2d %x, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64}
    : (tensor<1x3x3x2x!x8>, tensor<4x1x1x1x!w8>) -> tensor<1x3x3x4x!acc>
  return %y, %z : tensor<1x2x3x2x!acc>, tensor<1x3x3x4x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 0.125>
func.func @weight_of_the_image(%x: tensor<1x3x3x2x!x8>, %w: tensor<1x2x2x2x!w8>) -> tensor<1x2x2x1x!acc> {
  // expected-error @+1 {{the weight of a convolution must be a constant}}
  %y = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x3x2x!x8>, tensor<1x2x2x2x!w8>) -> tensor<1x2x2x1x!acc>
  return %y : tensor<1x2x2x1x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32, 0.5:10>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32, 0.125>
func.func @bias_of_the_image(%x: tensor<1x3x3x4x!x8>, %b: tensor<2x!acc>) -> tensor<1x3x3x2x!acc> {
  %w8 = arith.constant dense<1> : tensor<2x2x1x1xi8>
  %w = quant.scast %w8 : tensor<2x2x1x1xi8> to tensor<2x2x1x1x!w8>
  // expected-error @+1 {{the bias of a grouped convolution must be a constant}}
  %y = vit.conv2d %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64}
    : (tensor<1x3x3x4x!x8>, tensor<2x2x1x1x!w8>, tensor<2x!acc>) -> tensor<1x3x3x2x!acc>
  return %y : tensor<1x3x3x2x!acc>
}

// -----

!x8 = !quant.uniform<u8:f32:3, {0.5:10, 0.25:10}>
!w8 = !quant.uniform<i8:f32, 0.25>
!acc = !quant.uniform<i32:f32:3, {0.125, 0.0625}>
func.func @scales_of_channels(%x: tensor<1x3x3x2x!x8>, %v: tensor<1x2x1x1x!w8>) -> tensor<1x3x3x1x!acc> {
  %w8 = arith.constant dense<1> : tensor<1x2x2x2xi8>
  %w = quant.scast %w8 : tensor<1x2x2x2xi8> to tensor<1x2x2x2x!w8>
  // expected-error @+1 {{the input of '?' must have one scale}}
  %y = vit.conv2d %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 0, 0, 1>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x3x2x!x8>, tensor<1x2x2x2x!w8>) -> tensor<1x3x3x1x!acc>
  return %y : tensor<1x3x3x1x!acc>
}

// -----

!q = !quant.uniform<u8:f32, 0.5:128>
!k = !quant.uniform<i8:f32, 0.5>
!s = !quant.uniform<i32:f32, 0.25>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!sum = !quant.uniform<i32:f32, 0.0039215686274509803>
!o = !quant.uniform<i32:f32, 0.0019607843137254902>

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<1x3x4x!q>, %k: tensor<1x3x4x!k>) -> tensor<1x3x4x!q> {
  // CHECK: %[[S:.+]] = vitq.matmul %{{.+}}, %[[K:.+]] transpose_rhs lhs <unsigned, zero = 128>
  // 0.25 / (ln2 / 16)
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vitq.softmax %[[S]] with #exp_table by <1549082005, 28>
  // CHECK: %[[O:.+]] = vitq.matmul %[[E]], %[[K]] lhs <unsigned> {{.*}}: (
  // The codes' scale cancels: 0.5 / 0.5 / 2^24.
  // CHECK: vitq.divide_rows %[[O]], %[[SUM]] by <1073741824, 54> round half_up result <unsigned, zero = 128>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<1x3x4x!q>, tensor<1x3x4x!k>) -> tensor<1x3x3x!s>
  %e, %sum = vit.softmax_numerator using table %s : tensor<1x3x3x!s> -> tensor<1x3x3x!e>, tensor<1x3x!sum>
  %o = vit.matmul %e, %k : (tensor<1x3x3x!e>, tensor<1x3x4x!k>) -> tensor<1x3x4x!o>
  %y = vit.divide_rows %o, %sum : (tensor<1x3x4x!o>, tensor<1x3x!sum>) -> tensor<1x3x4x!q>
  return %y : tensor<1x3x4x!q>
}

// -----

!a = !quant.uniform<i32:f32:1, {0.5, 0.25}>
!r = !quant.uniform<i16:f32, 0.5>
!u = !quant.uniform<u8:f32, 0.5:10>

// An add requantizes each operand by itself (docs/Rules.md, R12); a rectifier is a clamp at the
// zero point; ShiftGELU has x0 = floor(-1/(1.702 * 0.5)).
// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%a: tensor<1x2x!a>, %r: tensor<1x2x!r>, %u: tensor<1x2x!u>) -> (tensor<1x2x!r>, tensor<1x2x!u>, tensor<1x2x!u>, tensor<1x2x!u>) {
  // CHECK: vitq.add %{{.+}} by <[1073741824, 1073741824], [30, 31]>, %{{.+}} by <1073741824, 30> round half_up
  %0 = vit.add %a, %r : (tensor<1x2x!a>, tensor<1x2x!r>) -> tensor<1x2x!r>
  // CHECK: vitq.requant %{{.+}} result <unsigned, zero = 10> {axis = 1 : i64, max = 255 : i64, min = 10 : i64
  %1 = vit.relu %a : tensor<1x2x!a> -> tensor<1x2x!u>
  // CHECK: vitq.table %{{.+}} input <unsigned>
  %2 = vit.gelu erf using table %u : tensor<1x2x!u> -> tensor<1x2x!u>
  // CHECK: vitq.gelu shift %{{.+}} exponent_step -2 fraction_bits {{[0-9]+}} by <1073741824, 37> round half_up input <unsigned, zero = 10> result <unsigned, zero = 10>
  %3 = vit.gelu erf using shift %u : tensor<1x2x!u> -> tensor<1x2x!u>
  return %0, %1, %2, %3 : tensor<1x2x!r>, tensor<1x2x!u>, tensor<1x2x!u>, tensor<1x2x!u>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>

// CHECK-LABEL: func.func @both_broadcast
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x1xi8>, %[[Y:.+]]: tensor<1x1x3xi8>)
func.func @both_broadcast(%x: tensor<1x2x1x!u>, %y: tensor<1x1x3x!u>) -> (tensor<1x2x3x!u>, tensor<1x2x3x!u>) {
  // CHECK: %[[A:.+]] = vitq.broadcast %[[Y]] to [1, 2, 3]
  // CHECK: vitq.add %[[A]] by {{.*}}, %[[X]] by
  %0 = vit.add %x, %y : (tensor<1x2x1x!u>, tensor<1x1x3x!u>) -> tensor<1x2x3x!u>
  // CHECK: %[[B:.+]] = vitq.broadcast %[[Y]] to [1, 2, 3]
  // CHECK: vitq.mul %[[B]], %[[X]]
  %1 = vit.mul %x, %y : (tensor<1x2x1x!u>, tensor<1x1x3x!u>) -> tensor<1x2x3x!u>
  return %0, %1 : tensor<1x2x3x!u>, tensor<1x2x3x!u>
}

// -----

!u = !quant.uniform<u8:f32, 0.5:10>

// One fault is one error.
func.func @float_left(%x: tensor<1x2x!u>) -> tensor<1x2xf32> {
  %d = vit.dequantize %x : tensor<1x2x!u> -> tensor<1x2xf32>
  // expected-error @unknown {{'sig' still computes on floats: vit-quantize gave its operands no codes}}
  %g = vit.sigmoid %d : tensor<1x2xf32> -> tensor<1x2xf32> loc("sig")
  return %g : tensor<1x2xf32>
}

// -----

!w = !quant.uniform<i16:f32, 0.5>
!t = !quant.uniform<u8:f32, 1.0e-12>

func.func @ratio(%x: tensor<1x2x!w>) -> tensor<1x2x!t> {
  %d = vit.dequantize %x : tensor<1x2x!w> -> tensor<1x2xf32>
  // expected-error @+1 {{the ratio of scales 5.000000e+11 is too large for a dyadic multiplier of 31 bits; check the calibrated ranges of the node and its consumers}}
  %q = vit.quantize %d round half_up : tensor<1x2xf32> -> tensor<1x2x!t>
  return %q : tensor<1x2x!t>
}

// -----

!x = !quant.uniform<u8:f32, 0.5:10>
!y = !quant.uniform<i8:f32, 0.25>
!a = !quant.uniform<i32:f32, 0.125>
!r = !quant.uniform<i32:f32, 0.5>

// Bounds are codes, 1/divisor is in the multiplier, and eps is a number of units of the sums.
// CHECK-LABEL: func.func @windows
func.func @windows(%x: tensor<1x2x2x3x!x>, %a: tensor<1x2x3x!a>, %d: tensor<1x2x!r>)
    -> (tensor<1x1x1x3x!x>, tensor<1x1x2x3x!y>, tensor<1x2x3x!x>, tensor<1x2x3x!y>, tensor<1x2x3x!y>) {
  // CHECK: vitq.max_pool %{{.+}} kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] input <unsigned>
  %0 = vit.max_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x2x3x!x> -> tensor<1x1x1x3x!x>
  // CHECK: vitq.resample %{{.+}} rows [0] weights [1, 1] columns [0, 1] weights [1, 1] by <1073741824, 30> round half_up input <unsigned, zero = 10> {
  %1 = vit.resample %x rows [0] weights [1, 1] columns [0, 1] weights [1, 1] over 2 : tensor<1x2x2x3x!x> -> tensor<1x1x2x3x!y>
  // CHECK: vitq.requant %{{.+}} by <1073741824, 32> round half_up result <unsigned, zero = 10> {max = 22 : i64, min = 8 : i64
  %2 = vit.clamp %a min -1.0 max 6.0 : tensor<1x2x3x!a> -> tensor<1x2x3x!x>
  // CHECK: vitq.divide_rows %{{.+}}, %arg2 by
  %3 = vit.divide_rows %a, %d eps 1.0e-9 : (tensor<1x2x3x!a>, tensor<1x2x!r>) -> tensor<1x2x3x!y>
  // CHECK-DAG: %[[EPS:.+]] = arith.constant dense<2> : tensor<1xi32>
  // CHECK: %[[SUM:.+]] = vitq.add %arg2 by <1073741824, 30>, %[[EPS]] by <1073741824, 30> round half_up
  // CHECK: vitq.divide_rows %{{.+}}, %[[SUM]] by
  %4 = vit.divide_rows %a, %d eps 1.0 : (tensor<1x2x3x!a>, tensor<1x2x!r>) -> tensor<1x2x3x!y>
  return %0, %1, %2, %3, %4 : tensor<1x1x1x3x!x>, tensor<1x1x2x3x!y>, tensor<1x2x3x!x>, tensor<1x2x3x!y>, tensor<1x2x3x!y>
}
