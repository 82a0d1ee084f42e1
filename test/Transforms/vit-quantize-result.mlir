// RUN: vitq-opt %s --vit-quantize-result --split-input-file --verify-diagnostics | FileCheck %s
// RUN: vitq-opt %s --vit-quantize-result="layout=ivit headroom=1" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=IVIT

// An accumulator: 32 bits, one scale for all classes, 24 bits for the range. Statistics
// are gone.
// CHECK-LABEL: func.func @main
// CHECK: %[[Y:.+]] = vit.linear
// CHECK-NOT: vit.channel_mean
// CHECK: %[[Q:.+]] = vit.quantize %[[Y]] round half_up : tensor<1x2xf32> -> tensor<1x2x!quant.uniform<i32:f32, 1.1920930{{.*}}E-6>>
// CHECK: return %[[Q]]
// IVIT-LABEL: func.func @main
// IVIT: vit.quantize %{{.+}} round half_even
func.func @main(%x: tensor<1x2xf32>, %w: tensor<2x2xf32>) -> tensor<1x2xf32> {
  %y = vit.linear %x, %w {vit.range = array<f64: -2.0, 10.0>, vit.channel_mean = dense<[0.0, 10.0]> : tensor<2xf64>} : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

// A function has no 32-bit form: 16-bit codes of its own first. A choice of classes
// moves codes.
// CHECK-LABEL: func.func @main
// CHECK: %[[G:.+]] = vit.gelu
// CHECK: %[[S:.+]] = vit.quantize %[[G]] {{.*}} -> tensor<1x4x!quant.uniform<i16:f32, 3.357{{.*}}E-4>>
// CHECK: %[[D:.+]] = vit.dequantize %[[S]]
// CHECK: %[[Q:.+]] = vit.quantize %[[D]] {{.*}} -> tensor<1x4x!quant.uniform<i32:f32
// CHECK: %[[C:.+]] = vit.slice %[[Q]]
// CHECK: return %[[C]]
// IVIT-LABEL: func.func @main
// IVIT: vit.quantize {{.*}} -> tensor<1x4x!quant.uniform<i16:f32, 3.0518{{.*}}E-4>>
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %g = vit.gelu erf %x {vit.range = array<f64: -0.17, 10.0>} : tensor<1x4xf32> -> tensor<1x4xf32>
  %c = vit.slice %g offsets [0, 1] sizes [1, 2] strides [1, 1] : tensor<1x4xf32> -> tensor<1x2xf32>
  return %c : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  // expected-error @+1 {{value has no calibrated range; run vit-calibrate on images first, or load ranges that were saved for this model}}
  %r = vit.relu %x : tensor<1x2xf32> -> tensor<1x2xf32>
  return %r : tensor<1x2xf32>
}
