// RUN: vitq-opt %s --vit-take-pixels --vit-quantize="layout=ivit headroom=1" --vit-quantize-weights --vit-quantize-result="layout=ivit headroom=1" | FileCheck %s

// I-ViT's layout: the normalized image is quantized; every result has codes of its
// own, signed and symmetric, rounded half to even; queries, keys and values of one
// input share a scale (that of the widest); probabilities have scale 2^-15.
module attributes {vit.preprocess = "mean=0.5,std=0.5"} {
// CHECK-LABEL: func.func @main
func.func @main(%img: tensor<1x1x4x4xf32> {vit.range = array<f64: -1.0, 1.0>}) -> tensor<1x4x2xf32> {
  %we = arith.constant dense<0.5> : tensor<2x1x2x2xf32>
  %w = arith.constant dense<[[1.0, 2.0], [0.5, 0.25]]> : tensor<2x2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  // CHECK: %[[N:.+]] = vit.normalize_pixels %{{.+}} mean [5.000000e-01] std [5.000000e-01]
  // CHECK: vit.quantize %[[N]] round half_up : {{.*}} -> tensor<1x1x4x4x!quant.uniform<i8:f32, 0.00787{{.*}}>>
  // CHECK: %[[E:.+]] = vit.patch_embed
  // CHECK: vit.quantize %[[E]] round half_even : {{.*}} -> tensor<1x4x2x!quant.uniform<i16:f32, 9.15{{.*}}E-5>>
  %e = vit.patch_embed %img, %we {vit.range = array<f64: -3.0, 3.0>} : (tensor<1x1x4x4xf32>, tensor<2x1x2x2xf32>) -> tensor<1x4x2xf32>
  %n = vit.layer_norm %e, %one, %one eps 1.0e-6 {vit.range = array<f64: -2.0, 2.0>} : (tensor<1x4x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x4x2xf32>
  // CHECK: %[[Q:.+]] = vit.linear
  // CHECK: vit.quantize %[[Q]] round half_even : {{.*}} -> tensor<1x4x2x!quant.uniform<i8:f32, 0.0472{{.*}}>>
  %q = vit.linear %n, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x4x2xf32>, tensor<2x2xf32>) -> tensor<1x4x2xf32>
  // CHECK: %[[K:.+]] = vit.linear
  // CHECK: vit.quantize %[[K]] round half_even : {{.*}} -> tensor<1x4x2x!quant.uniform<i8:f32, 0.0472{{.*}}>>
  %k = vit.linear %n, %w {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x4x2xf32>, tensor<2x2xf32>) -> tensor<1x4x2xf32>
  // CHECK: %[[S:.+]] = vit.matmul
  // CHECK: vit.quantize %[[S]] round half_even : {{.*}} -> tensor<1x4x4x!quant.uniform<i8:f32, 0.0629{{.*}}>>
  %s = vit.matmul %q, %k transpose_rhs {vit.range = array<f64: -8.0, 8.0>} : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x4xf32>
  // CHECK: %[[P:.+]] = vit.softmax
  // CHECK: vit.quantize %[[P]] round half_even : {{.*}} -> tensor<1x4x4x!quant.uniform<i16:f32, 3.0517578125E-5>>
  %p = vit.softmax %s {vit.range = array<f64: 0.0, 1.0>} : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %o = vit.matmul %p, %k {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x4x4xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  // CHECK: %[[Y:.+]] = vit.linear
  // CHECK: vit.quantize %[[Y]] round half_even : {{.*}} -> tensor<1x4x2x!quant.uniform<i16:f32, 1.22{{.*}}E-4>>
  %y = vit.linear %o, %w {vit.range = array<f64: -4.0, 4.0>} : (tensor<1x4x2xf32>, tensor<2x2xf32>) -> tensor<1x4x2xf32>
  // CHECK: vit.add
  %r = vit.add %e, %y {vit.range = array<f64: -5.0, 5.0>} : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  return %r : tensor<1x4x2xf32>
}
}
