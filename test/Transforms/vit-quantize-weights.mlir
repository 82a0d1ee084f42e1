// RUN: vitq-opt %s --vit-quantize-weights --split-input-file --verify-diagnostics | FileCheck %s
// RUN: vitq-opt %s --vit-quantize-weights=weight-bits=4 --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=FOUR
// RUN: not vitq-opt %s --vit-quantize-weights=weight-bits=9 --split-input-file 2>&1 | FileCheck %s --check-prefix=NINE
// NINE: error: vit-quantize-weights: weight-bits must be 2 to 8

// One scale a row; activations and the result are left alone.
// CHECK-LABEL: func.func @main
// FOUR-LABEL: func.func @main
// CHECK: arith.constant dense<{{\[\[}}64, 127], [-127, 0]]> : tensor<2x2xi8>
// CHECK: quant.scast %{{.+}} : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:0, {0.0157480314{{.*}},0.0314960629{{.*}}}>>
// CHECK: %[[Y:.+]] = vit.linear
// CHECK: return %[[Y]] : tensor<1x2xf32>
// FOUR: arith.constant dense<{{\[\[}}4, 7], [-7, 0]]> : tensor<2x2xi4>
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [-4.0, 0.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %y = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Scales of input channels that were folded multiply the columns: 1 and 4 times.
// CHECK-LABEL: func.func @main
// CHECK: arith.constant dense<{{\[\[}}32, 127]]> : tensor<1x2xi8>
// FOUR-LABEL: func.func @main
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32:1, {0.1,0.4}>>) -> tensor<1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2xf32>
  %i = quant.scast %x : tensor<1x2x!quant.uniform<u8:f32:1, {0.1,0.4}>> to tensor<1x2xi8>
  %q = quant.scast %i : tensor<1x2xi8> to tensor<1x2x!quant.uniform<u8:f32, 0.1>>
  %x0 = vit.dequantize %q : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %y = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{weight is no constant; only products of activations (vit.matmul) may vary}}
  %y = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>, %b: tensor<2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{bias is no constant}}
  %y = vit.linear %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// Constants whose data was left out.
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense_resource<elided> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{weight has no data for its resource 'elided'; was the module printed with elided resources?}}
  %y = vit.linear %x0, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %b = arith.constant dense_resource<elided> : tensor<2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{bias has no data for its resource 'elided'}}
  %y = vit.linear %x0, %w, %b : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!t = !quant.uniform<u8:f32:1, {0.1, 0.2}>
func.func @main(%x: tensor<1x2x2x!t>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %b = arith.constant dense<1.0> : tensor<2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!t> -> tensor<1x2x2xf32>
  %g = vit.gelu erf %x0 {vit.wide} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %y = vit.linear %x0, %w, %b : (tensor<1x2x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32> loc("first")
  %z = vit.linear %g, %w {vit.wide} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // expected-error @+1 {{the accumulator of 'first' has no scale: linear layer (R1, docs/Rules.md): with one input scale per token the bias has no common scale}}
  %s = vit.add %y, %z : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %r = vit.add %s, %x0 : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %r : tensor<1x2x2xf32>
}

// -----

// A convolution of the image reads its bytes: 1/std is in the weight, the mean in the bias, and around the image stands
// the byte that is 0 when it is normalized: 127.5 of 255 becomes 128, and 0.2 * 255 is 51.
// CHECK-LABEL: func.func @main
// FOUR-LABEL: func.func @main
// CHECK-SAME: (%[[P:.+]]: tensor<1x2x2x2x
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{\[\[\[\[}}127, 0]], {{\[\[}}64, 0]]]]> : tensor<1x2x1x2xi8>
// CHECK-DAG: %[[B:.+]] = arith.constant dense<-1.20{{.*}}> : tensor<1xf32>
// CHECK: %[[X:.+]] = vit.dequantize %[[P]]
// CHECK-NOT: vit.normalize_pixels
// CHECK: vit.conv2d %[[X]], %{{.+}}, %[[B]] {dilations = array<i64: 1, 1>, padding = array<f64: 0.501960{{[0-9]*}}, 2.000000e-01>, pads = array<i64: 0, 1, 0, 1>, strides = array<i64: 1, 1>}
func.func @main(%p: tensor<1x2x2x2x!quant.uniform<u8:f32, 0.0039215686274509803>>) -> tensor<1x2x3x1xf32> {
  %w = arith.constant dense<[[[[1.0, 0.0]], [[1.0, 0.0]]]]> : tensor<1x2x1x2xf32>
  %n = vit.normalize_pixels %p mean [0.5, 0.2] std [0.5, 1.0] : tensor<1x2x2x2x!quant.uniform<u8:f32, 0.0039215686274509803>> -> tensor<1x2x2x2xf32>
  %m = vit.transpose %n by [0, 2, 3, 1] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %y = vit.conv2d %m, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, dilations = array<i64: 1, 1>}
    : (tensor<1x2x2x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x3x1xf32>
  return %y : tensor<1x2x3x1xf32>
}

// -----

// Each op may have bits of its own.
// CHECK-LABEL: func.func @main
// CHECK: arith.constant dense<{{\[\[}}2, 3], [-3, 0]]> : tensor<2x2xi3>
// CHECK: !quant.uniform<i3:f32:0,
// FOUR-LABEL: func.func @main
// FOUR: !quant.uniform<i3:f32:0,
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [-4.0, 0.0]]> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %y = vit.linear %x0, %w {vit.weight_bits = 3 : i64} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  // expected-error @+1 {{'vit.weight_bits' must be an i64 from 2 to 8, but is 9 : i64}}
  %y = vit.linear %x0, %w {vit.weight_bits = 9 : i64} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
