// RUN: vitq-opt %s --vit-quantize="layout=ivit headroom=1" | FileCheck %s

// Probabilities that a product reads have their own unit in 16 bits, too.
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.+]] = vit.softmax
// CHECK: %[[Q:.+]] = vit.quantize %[[P]] round half_even : {{.*}} -> tensor<1x4x!quant.uniform<i16:f32, 3.0517578125E-5>>
// CHECK: %[[D:.+]] = vit.dequantize %[[Q]]
// CHECK: vit.mul %[[D]]
func.func @main(%x: tensor<1x4x!quant.uniform<i16:f32, 0.1>>) -> tensor<1x4xf32> {
  %q = vit.dequantize %x : tensor<1x4x!quant.uniform<i16:f32, 0.1>> -> tensor<1x4xf32>
  %r = vit.relu %q {vit.range = array<f64: 0.0, 8.0>} : tensor<1x4xf32> -> tensor<1x4xf32>
  %p = vit.softmax %r {vit.range = array<f64: 0.0, 0.5>} : tensor<1x4xf32> -> tensor<1x4xf32>
  %y = vit.mul %p, %r {vit.range = array<f64: 0.0, 4.0>} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
