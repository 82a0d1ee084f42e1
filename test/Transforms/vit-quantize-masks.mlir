// RUN: vitq-opt %s --vit-take-pixels --vit-quantize --vit-quantize-weights --vit-quantize-result --split-input-file | FileCheck %s
// RUN: vitq-opt %s --vit-take-pixels --vit-quantize=layout=ivit --vit-quantize-weights --vit-quantize-result=layout=ivit --split-input-file | FileCheck %s --check-prefix=IVIT

// Scores of [-2, 6] and a mask of the lowest float: the mask is added in the unit of the
// product, 0.1 * 6 / 127, in which the sum stays an accumulator. What is masked has -2^28.
// I-ViT's sum has 16 bits for its range and the reach of softmax below it, (18 + 24) * 1.1 /
// 32767 a step; its mask's codes end at twice that range and the scores', -2 * (46.2 + 6):
// any sum with it is the lowest code.
// CHECK-LABEL: func.func @main
// CHECK: %[[C:.+]] = arith.constant dense<{{\[\[\[\[}}0, -268435456, 106]]]]> : tensor<1x1x1x3xi32>
// CHECK: quant.scast %[[C]] : tensor<1x1x1x3xi32> to tensor<1x1x1x3x!quant.uniform<i32:f32, 0.0047244{{.*}}>>
// CHECK: %[[A:.+]] = vit.add
// CHECK: vit.quantize %[[A]] {{.*}} -> tensor<1x2x3x3x!quant.uniform<i32:f32, 0.0047244{{.*}}>>
// IVIT-LABEL: func.func @main
// IVIT: arith.constant dense<{{\[}}0, -32768, 157]> : tensor<3xi16>
// IVIT: quant.scast %{{.+}} : tensor<3xi16> to tensor<3x!quant.uniform<i16:f32, 0.003186{{.*}}>>
// IVIT: %[[A:.+]] = vit.add
// IVIT: vit.quantize %[[A]] {{.*}} -> tensor<1x2x3x3x!quant.uniform<i16:f32, 0.0014099{{.*}}>>
func.func @main(%x: tensor<1x2x3x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x3x3xf32> {
  %mask = arith.constant dense<[0.0, -3.40282347E+38, 0.5]> : tensor<3xf32>
  %q = vit.dequantize %x : tensor<1x2x3x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x3x2xf32>
  %k = vit.relu %q {vit.range = array<f64: 0.0, 6.0>} : tensor<1x2x3x2xf32> -> tensor<1x2x3x2xf32>
  %s = vit.matmul %q, %k transpose_rhs {vit.range = array<f64: -2.0, 6.0>} : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  %a = vit.add %s, %mask {vit.range = array<f64: -18.0, 6.0>} : (tensor<1x2x3x3xf32>, tensor<3xf32>) -> tensor<1x2x3x3xf32>
  %e, %sum = vit.softmax_numerator %a {vit.range = array<f64: 0.0, 1.0, 1.0, 3.0>} : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>, tensor<1x2x3xf32>
  %p = vit.divide_rows %e, %sum {vit.range = array<f64: 0.0, 1.0>} : (tensor<1x2x3x3xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x3xf32>
  return %p : tensor<1x2x3x3xf32>
}

// -----

// A sum that softmax does not read: an ordinary constant term.
// CHECK-LABEL: func.func @main
// CHECK: quant.scast %{{.+}} : tensor<2xi16> to tensor<2x!quant.uniform<i16:f32, 0.0305{{.*}}>>
func.func @main(%x: tensor<1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2xf32> {
  %c = arith.constant dense<[1.0, -1000.0]> : tensor<2xf32>
  %q = vit.dequantize %x : tensor<1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2xf32>
  %a = vit.add %q, %c {vit.range = array<f64: -1000.0, 6.0>} : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %a : tensor<1x2xf32>
}

// -----

// Where a row is masked altogether, its scores must not be told apart: heads with scales of
// their own meet at 16 bits and one scale before the mask.
// CHECK-LABEL: func.func @main
// CHECK: %[[S:.+]] = vit.matmul
// CHECK: %[[SQ:.+]] = vit.quantize %[[S]] {{.*}} -> tensor<1x2x1x1x!quant.uniform<i16:f32, 2.0142{{.*}}E-4>>
// CHECK: %[[SD:.+]] = vit.dequantize %[[SQ]]
// CHECK: vit.add %[[SD]]
func.func @main(%x: tensor<1x1x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x1x1xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %mask = arith.constant dense<-3.40282347E+38> : tensor<1xf32>
  %x0 = vit.dequantize %x : tensor<1x1x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x1x2xf32>
  %q = vit.linear %x0, %w {vit.range = array<f64: -4.0, 4.0>, vit.code_ranges = dense<[[-4.0, 4.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : (tensor<1x1x2xf32>, tensor<2x2xf32>) -> tensor<1x1x2xf32>
  %q4 = vit.reshape %q to [1, 1, 2, 1] : tensor<1x1x2xf32> -> tensor<1x1x2x1xf32>
  %qh = vit.transpose %q4 by [0, 2, 1, 3] : tensor<1x1x2x1xf32> -> tensor<1x2x1x1xf32>
  %s = vit.matmul %qh, %qh transpose_rhs {vit.range = array<f64: 0.0, 6.0>} : (tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %a = vit.add %s, %mask {vit.range = array<f64: -18.0, 6.0>} : (tensor<1x2x1x1xf32>, tensor<1xf32>) -> tensor<1x2x1x1xf32>
  %e, %sum = vit.softmax_numerator %a {vit.range = array<f64: 0.0, 1.0, 1.0, 3.0>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>, tensor<1x2x1xf32>
  %p = vit.divide_rows %e, %sum {vit.range = array<f64: 0.0, 1.0>} : (tensor<1x2x1x1xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x1xf32>
  return %p : tensor<1x2x1x1xf32>
}

// -----

// Heads with scales of their own: the bias, one for all heads, comes to the unit of each,
// 4 / 127 times 4 / 127, which is the scale of K, and 1 / 127 times that.
// CHECK-LABEL: func.func @main
// CHECK: %[[S:.+]] = vit.matmul
// CHECK: %[[R:.+]] = vit.reshape %[[S]] to [1, 2, 1, 2]
// CHECK: %[[C:.+]] = arith.constant dense<{{\[\[\[}}[504, 0]], {{\[\[}}2016, 0]]]]> : tensor<1x2x1x2xi32>
// CHECK: quant.scast %[[C]] : tensor<1x2x1x2xi32> to tensor<1x2x1x2x!quant.uniform<i32:f32:1, {9.9200{{.*}}E-4,2.4800{{.*}}E-4}>>
// CHECK: %[[A:.+]] = vit.add %[[R]]
// CHECK: vit.quantize %[[A]] {{.*}} -> tensor<1x2x1x2x!quant.uniform<i32:f32:1, {9.9200{{.*}}E-4,2.4800{{.*}}E-4}>>
func.func @main(%x: tensor<1x2x2x!quant.uniform<u8:f32, 0.1>>) -> tensor<1x2x1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [1.0, 0.0]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[0.5, 0.0]> : tensor<2xf32>
  %x0 = vit.dequantize %x : tensor<1x2x2x!quant.uniform<u8:f32, 0.1>> -> tensor<1x2x2xf32>
  %q = vit.linear %x0, %w {vit.range = array<f64: -4.0, 4.0>, vit.code_ranges = dense<[[-4.0, 4.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %q4 = vit.reshape %q to [1, 2, 2, 1] : tensor<1x2x2xf32> -> tensor<1x2x2x1xf32>
  %qh = vit.transpose %q4 by [0, 2, 1, 3] : tensor<1x2x2x1xf32> -> tensor<1x2x2x1xf32>
  %q1 = vit.slice %qh offsets [0, 0, 0, 0] sizes [1, 2, 1, 1] strides [1, 1, 1, 1] : tensor<1x2x2x1xf32> -> tensor<1x2x1x1xf32>
  %s = vit.matmul %q1, %qh transpose_rhs {vit.range = array<f64: 0.0, 6.0>} : (tensor<1x2x1x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x1x2xf32>
  %r = vit.reshape %s to [1, 2, 1, 2] : tensor<1x2x1x2xf32> -> tensor<1x2x1x2xf32>
  %a = vit.add %r, %bias {vit.range = array<f64: 0.0, 6.5>} : (tensor<1x2x1x2xf32>, tensor<2xf32>) -> tensor<1x2x1x2xf32>
  %e, %sum = vit.softmax_numerator %a {vit.range = array<f64: 0.0, 1.0, 1.0, 2.0>} : tensor<1x2x1x2xf32> -> tensor<1x2x1x2xf32>, tensor<1x2x1xf32>
  %p = vit.divide_rows %e, %sum {vit.range = array<f64: 0.0, 1.0>} : (tensor<1x2x1x2xf32>, tensor<1x2x1xf32>) -> tensor<1x2x1x2xf32>
  return %p : tensor<1x2x1x2xf32>
}

// -----

// A constant that 32 bits do not hold in the unit of the product has 16 of its own.
// CHECK-LABEL: func.func @main
// CHECK: arith.constant dense<{{.*}}> : tensor<3xi16>
func.func @main(%x: tensor<1x2x3x2x!quant.uniform<u8:f32, 1.0e-6>>) -> tensor<1x2x3x3xf32> {
  %bias = arith.constant dense<[0.0, 3.0, 0.5]> : tensor<3xf32>
  %q = vit.dequantize %x : tensor<1x2x3x2x!quant.uniform<u8:f32, 1.0e-6>> -> tensor<1x2x3x2xf32>
  %k = vit.relu %q {vit.range = array<f64: 0.0, 1.0e-4>} : tensor<1x2x3x2xf32> -> tensor<1x2x3x2xf32>
  %s = vit.matmul %q, %k transpose_rhs {vit.range = array<f64: -2.0e-8, 6.0e-8>} : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x3xf32>
  %a = vit.add %s, %bias {vit.range = array<f64: 0.0, 3.0>} : (tensor<1x2x3x3xf32>, tensor<3xf32>) -> tensor<1x2x3x3xf32>
  %e, %sum = vit.softmax_numerator %a {vit.range = array<f64: 0.0, 1.0, 1.0, 3.0>} : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>, tensor<1x2x3xf32>
  %p = vit.divide_rows %e, %sum {vit.range = array<f64: 0.0, 1.0>} : (tensor<1x2x3x3xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x3xf32>
  return %p : tensor<1x2x3x3xf32>
}
