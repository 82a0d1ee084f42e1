// RUN: vitq-opt %s --vit-take-pixels --vit-quantize --vit-quantize-weights --vit-quantize-result --split-input-file --verify-diagnostics | FileCheck %s

// Pixels: 1/std into the weight before it is quantized, mean into the bias by the
// sums of the quantized weights. 0.1/0.5 .. -0.4/0.5 quantize to 32, 63, 95, -127 with
// scale 0.8/127; their sum 63 * 0.8/127 * 0.5 = 0.1984252 is taken from the bias 0.1.
module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
// CHECK-LABEL: func.func @main
// CHECK-SAME:    %[[P:.+]]: tensor<1x4x4x1x!quant.uniform<u8:f32, 0.0039215686274509803>>
// CHECK-SAME:    -> tensor<1x4x1x!quant.uniform<i32:f32, 3.576{{.*}}E-7>>
func.func @main(%img: tensor<1x1x4x4xf32>) -> tensor<1x4x1xf32> {
  // CHECK-DAG: %[[W8:.+]] = arith.constant dense<{{\[\[\[\[}}32, 63], [95, -127{{.*}}> : tensor<1x1x2x2xi8>
  // CHECK-DAG: %[[B:.+]] = arith.constant dense<-0.0984251{{.*}}> : tensor<1xf32>
  // CHECK-DAG: %[[WQ:.+]] = quant.scast %[[W8]] : tensor<1x1x2x2xi8> to tensor<1x1x2x2x!quant.uniform<i8<-127:127>:f32:0, {0.00629921{{.*}}}>>
  // CHECK-DAG: %[[W:.+]] = vit.dequantize %[[WQ]]
  // CHECK-DAG: %[[X:.+]] = vit.dequantize %[[P]]
  // CHECK: %[[Y:.+]] = vit.patch_embed channels_last %[[X]], %[[W]], %[[B]]
  // CHECK: vit.quantize %[[Y]]
  %w = arith.constant dense<[[[[0.1,0.2],[0.3,-0.4]]]]> : tensor<1x1x2x2xf32>
  %b = arith.constant dense<[0.1]> : tensor<1xf32>
  %e = vit.patch_embed %img, %w, %b {vit.range = array<f64: -3.0, 3.0>} : (tensor<1x1x4x4xf32>, tensor<1x1x2x2xf32>, tensor<1xf32>) -> tensor<1x4x1xf32>
  return %e : tensor<1x4x1xf32>
}
}

// -----

// Kinds: a residual add takes the accumulator as it is and its result is 16 bits
// with 10 % headroom; GELU's argument and result use all codes; a value used by
// both an add and a linear (post-norm) is 16 bits once and 8 bits from that.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  // The scale of an all-zero channel is 1.
  // CHECK: quant.scast %{{.+}} : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {0.01574803{{.*}},1.000000e+00}>>
  // CHECK: %[[L:.+]] = vit.linear
  %l = vit.linear %x0, %w {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[A:.+]] = vit.add %[[L]], %
  %a = vit.add %l, %x0 {vit.range = array<f64: -2.0, 2.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[AQ:.+]] = vit.quantize %[[A]] {{.*}} -> tensor<1x2x2x!quant.uniform<i16:f32, 6.714{{.*}}E-5>>
  // CHECK: %[[AD:.+]] = vit.dequantize %[[AQ]]
  // CHECK: %[[N:.+]] = vit.layer_norm %[[AD]]
  %n = vit.layer_norm %a, %g, %g eps 1.0e-6 {vit.range = array<f64: -2.0, 2.5>} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[NQ:.+]] = vit.quantize %[[N]] {{.*}} -> tensor<1x2x2x!quant.uniform<i16:f32, 8.392{{.*}}E-5>>
  // CHECK: %[[ND:.+]] = vit.dequantize %[[NQ]]
  // CHECK: %[[N8:.+]] = vit.quantize %[[ND]] {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32, 0.019685{{.*}}:128>>
  // CHECK: %[[N8D:.+]] = vit.dequantize %[[N8]]
  // CHECK: %[[U:.+]] = vit.linear %[[N8D]]
  %u = vit.linear %n, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: vit.quantize %[[U]] {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32, 0.039215{{.*}}:102>>
  // CHECK: %[[G:.+]] = vit.gelu
  %ge = vit.gelu erf %u {vit.range = array<f64: -0.17, 6.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  // CHECK: vit.quantize %[[G]] {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32, 0.024196{{.*}}:7>>
  %v = vit.linear %ge, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: vit.add %[[ND]], %
  %r = vit.add %n, %v {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %r : tensor<1x2x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{value has no calibrated range; run vit-calibrate on images first}}
  %l = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %g = vit.gelu erf %l : tensor<1x2xf32> -> tensor<1x2xf32>
  return %g : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{'vit.sqrt' cannot be quantized: no pattern recovered it}}
  %l = vit.sqrt %x0 : tensor<1x2xf32> -> tensor<1x2xf32>
  return %l : tensor<1x2xf32>
}

// -----

// expected-error @+1 {{the image must be a tensor [B, C, H, W]}}
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  return %x : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %w = vit.broadcast %x0 to [2, 2] : tensor<1x2xf32> -> tensor<2x2xf32>
  // expected-error @+1 {{weight is no constant; only products of activations (vit.matmul) may vary}}
  %l = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %l : tensor<1x2xf32>
}

// -----

// Code ranges: the widest channel has a scale of its own, all have one zero point;
// the codes are read as if they had the common scale, and the weight's column has
// the factor: 2 becomes 8. The outlier path is 16 bits, and the sum of its
// accumulator and that of the 8-bit path is an accumulator of the latter's scales.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %wo = arith.constant dense<[[3.0], [-4.0]]> : tensor<2x1xf32>
  %w1 = arith.constant dense<[[1.0, 0.5]]> : tensor<1x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  %u = vit.linear %x0, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[G:.+]] = vit.gelu
  // CHECK: %[[GQ:.+]] = vit.quantize %[[G]] {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32:2, {4.000000e-03:5,1.600000e-02:5}>>
  // CHECK: %[[GI:.+]] = quant.scast %[[GQ]] : {{.*}} to tensor<1x2x2xi8>
  // CHECK: %[[GS:.+]] = quant.scast %[[GI]] : tensor<1x2x2xi8> to tensor<1x2x2x!quant.uniform<u8:f32, 4.000000e-03:5>>
  // CHECK: %[[GD:.+]] = vit.dequantize %[[GS]]
  %g = vit.gelu erf %u {vit.range = array<f64: -0.02, 4.0>, vit.code_ranges = dense<[[-0.02, 1.0], [-0.02, 4.0]]> : tensor<2x2xf32>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  // CHECK: arith.constant dense<{{\[\[}}32, 127], [127, 127]]> : tensor<2x2xi8>
  // CHECK: %[[Y:.+]] = vit.linear %[[GD]]
  %y = vit.linear %g, %w : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[U1:.+]] = vit.linear
  // CHECK: vit.quantize %[[U1]] {{.*}} -> tensor<1x2x1x!quant.uniform<i16:f32, 0.00335{{.*}}>>
  %u1 = vit.linear %x0, %w1 {vit.range = array<f64: -100.0, 6.0>} : (tensor<1x2x2xf32>, tensor<1x2xf32>) -> tensor<1x2x1xf32>
  // CHECK: %[[G1:.+]] = vit.gelu
  // CHECK: vit.quantize %[[G1]] {{.*}} -> tensor<1x2x1x!quant.uniform<i16:f32, 0.00335{{.*}}>>
  %g1 = vit.gelu erf %u1 {vit.range = array<f64: -0.17, 100.0>, vit.wide} : tensor<1x2x1xf32> -> tensor<1x2x1xf32>
  // CHECK: %[[Y1:.+]] = vit.linear
  %y1 = vit.linear %g1, %wo {vit.wide} : (tensor<1x2x1xf32>, tensor<2x1xf32>) -> tensor<1x2x2xf32>
  // CHECK: %[[S:.+]] = vit.add %[[Y]], %[[Y1]]
  // CHECK: vit.quantize %[[S]] {{.*}} -> tensor<1x2x2x!quant.uniform<i32:f32:2, {2.51{{.*}}E-4,1.25{{.*}}E-4}>>
  %s = vit.add %y, %y1 : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: vit.add
  %r = vit.add %s, %x0 {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %r : tensor<1x2x2xf32>
}

// -----

// Code ranges of a query: one scale for each channel, no fold.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  // CHECK: %[[Q:.+]] = vit.linear
  // CHECK: vit.quantize %[[Q]] {{.*}} -> tensor<1x2x2x!quant.uniform<u8:f32:2, {0.0314{{.*}}:128,0.00787{{.*}}:128}>>
  // CHECK-NOT: quant.scast %{{.+}} : tensor<1x2x2x
  %q = vit.linear %x0, %w {vit.range = array<f64: -4.0, 4.0>, vit.code_ranges = dense<[[-4.0, 4.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %s = vit.matmul %q, %x0 transpose_rhs {vit.range = array<f64: -4.0, 4.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %s : tensor<1x2x2xf32>
}

// -----

// Pixels that something else than a patch embedding reads become codes of the normalized
// image, here the 16 bits of a layer_norm.
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.+]] = vit.normalize_pixels
// CHECK: vit.quantize %[[N]] {{.*}} -> tensor<1x1x2x2x!quant.uniform<i16:f32
func.func @main(%x: tensor<1x1x2x2xf32> {vit.range = array<f64: -1.0, 1.0>}) -> tensor<1x1x2x2xf32> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<0.0> : tensor<2xf32>
  %n = vit.layer_norm %x, %g, %b eps 1.0e-5 {vit.range = array<f64: -2.0, 2.0>} : (tensor<1x1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x1x2x2xf32>
  return %n : tensor<1x1x2x2xf32>
}

// -----

// Factors of a product have 16 bits: nothing is lost before it is requantized.
// CHECK-LABEL: func.func @main
// CHECK: vit.gelu
// CHECK: vit.quantize {{.*}} -> tensor<1x2x2x!quant.uniform<i16:f32
// CHECK: vit.mul
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  %u = vit.linear %x0, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %v = vit.linear %x0, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %g = vit.gelu erf %u {vit.range = array<f64: -0.2, 6.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %p = vit.mul %g, %v {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %y = vit.linear %p, %w {vit.range = array<f64: -90.0, 90.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// -----

// A layer that reads a residual stream of one row itself reads its 16 bits.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x1x2x!quant.uniform<i16:f32
// CHECK-NOT: u8
// CHECK: vit.linear {{.*}}vit.wide
func.func @main(%x: tensor<1x1x2x!quant.uniform<i16:f32, 0.001>>) -> tensor<1x1x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x1x2x!quant.uniform<i16:f32, 0.001>> -> tensor<1x1x2xf32>
  %a = vit.add %x0, %x0 {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x1x2xf32>
  %l = vit.linear %a, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x1x2xf32>, tensor<2x2xf32>) -> tensor<1x1x2xf32>
  return %l : tensor<1x1x2xf32>
}

// -----

// One of several rows reads 8.
// CHECK-LABEL: func.func @main
// CHECK: vit.quantize {{.*}} -> tensor<1x3x2x!quant.uniform<u8:f32
// CHECK: vit.linear
// CHECK-NOT: vit.wide
func.func @main(%y: tensor<1x3x2x!quant.uniform<i16:f32, 0.001>>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %y0 = vit.dequantize %y : tensor<1x3x2x!quant.uniform<i16:f32, 0.001>> -> tensor<1x3x2xf32>
  %b = vit.add %y0, %y0 {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %m = vit.linear %b, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %m : tensor<1x3x2xf32>
}

// -----

// A function that the program gives and a layer reads has 16 bits; the layer's 8 are made from these.
// CHECK-LABEL: func.func @main
// CHECK: %[[G:.+]] = vit.gelu {{.*}}vit.wide
// CHECK: %[[Q:.+]] = vit.quantize %[[G]] {{.*}} -> tensor<1x3x2x!quant.uniform<i16:f32
// CHECK: %[[D:.+]] = vit.dequantize %[[Q]]
// CHECK: vit.quantize %[[D]] {{.*}} -> tensor<1x3x2x!quant.uniform<u8:f32
func.func @main(%y: tensor<1x3x2x!quant.uniform<u8:f32, 0.1>>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %y0 = vit.dequantize %y : tensor<1x3x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x3x2xf32>
  %l = vit.linear %y0, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %g = vit.gelu erf %l {vit.range = array<f64: -0.2, 36.0>} : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %m = vit.linear %g, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %m, %g : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

// -----

// A part of what has 16 bits is joined at 8: only the part gets these codes, where it is.
// CHECK-LABEL: func.func @main
// CHECK: %[[L:.+]] = vit.linear
// CHECK: %[[Q:.+]] = vit.quantize %[[L]] {{.*}} -> tensor<1x3x2x!quant.uniform<i16:f32
// CHECK: %[[D:.+]] = vit.dequantize %[[Q]]
// CHECK: %[[S:.+]] = vit.slice %[[D]]
// CHECK: vit.quantize %[[S]] {{.*}} -> tensor<1x1x2x!quant.uniform<u8:f32
// CHECK: vit.concat
func.func @main(%y: tensor<1x3x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x4x2xf32> {
  %w = arith.constant dense<[[2.0, 2.0], [4.0, 1.0]]> : tensor<2x2xf32>
  %t = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %y0 = vit.dequantize %y : tensor<1x3x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x3x2xf32>
  %l = vit.linear %y0, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %s = vit.slice %l offsets [0, 0, 0] sizes [1, 1, 2] strides [1, 1, 1] {vit.range = array<f64: -24.0, 36.0>} : tensor<1x3x2xf32> -> tensor<1x1x2xf32>
  %p = vit.mul %l, %t {vit.range = array<f64: -12.0, 18.0>} : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %c = vit.concat %s, %p axis 1 {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x1x2xf32>, tensor<1x3x2xf32>) -> tensor<1x4x2xf32>
  %m = vit.linear %c, %w {vit.range = array<f64: -24.0, 36.0>} : (tensor<1x4x2xf32>, tensor<2x2xf32>) -> tensor<1x4x2xf32>
  return %m : tensor<1x4x2xf32>
}

// -----

// A depthwise convolution takes the 16 bits that a sum wants of its input as well; alone it wants 8, as others do.
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x4x4x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x4x4x2xf32> {
  %k = arith.constant dense<0.5> : tensor<2x1x3x3xf32>
  %w = arith.constant dense<0.25> : tensor<2x2x3x3xf32>
  %x0 = vit.dequantize %x : tensor<1x4x4x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x4x4x2xf32>
  %a = vit.add %x0, %x0 {vit.range = array<f64: -2.0, 2.0>} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  // CHECK: vit.quantize %{{.+}} : tensor<1x4x4x2xf32> -> tensor<1x4x4x2x!quant.uniform<i16:f32
  // CHECK: %[[A:.+]] = vit.dequantize
  // CHECK: %[[D:.+]] = vit.conv2d %[[A]],{{.*}}groups = 2
  %d = vit.conv2d %a, %k {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, vit.range = array<f64: -4.0, 4.0>} : (tensor<1x4x4x2xf32>, tensor<2x1x3x3xf32>) -> tensor<1x4x4x2xf32>
  // CHECK: %[[B:.+]] = vit.add
  // CHECK: %[[BQ:.+]] = vit.quantize %[[B]] {{.*}} -> tensor<1x4x4x2x!quant.uniform<u8:f32
  // CHECK: %[[BD:.+]] = vit.dequantize %[[BQ]]
  // CHECK: %[[E:.+]] = vit.conv2d %[[BD]],{{.*}}groups = 2
  %b = vit.add %a, %d {vit.range = array<f64: -4.0, 4.0>} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %e = vit.conv2d %b, %k {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, vit.range = array<f64: -4.0, 4.0>} : (tensor<1x4x4x2xf32>, tensor<2x1x3x3xf32>) -> tensor<1x4x4x2xf32>
  return %e : tensor<1x4x4x2xf32>
}
