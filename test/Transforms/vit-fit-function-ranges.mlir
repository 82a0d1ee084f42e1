// RUN: vitq-opt %s --vit-fit-function-ranges --split-input-file --verify-diagnostics | FileCheck %s

// Nearly all arguments lie in [1, 1.03), a few in [-16.5, -16) where GELU is 0: its
// codes need not reach there. The upper end, where GELU is steep, stays.
// CHECK: text = "its argument is coded over [-0.25, 6] instead of [-16, 6]: the error of its result falls by {{.+}} dB"
// CHECK-LABEL: func.func @main
// CHECK: vit.linear {{.*}}vit.range = array<f64: -2.500000e-01, 6.000000e+00>
// CHECK: vit.gelu
func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %u = vit.linear %x, %w {vit.range = array<f64: -16.0, 6.0>, vit.histogram = dense<[[-768, 3], [600, 50], [641, 1000], [650, 2000], [660, 500], [720, 10]]> : tensor<6x2xi64>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %a = vit.gelu erf %u {vit.range = array<f64: -0.17, 6.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %a : tensor<1x2x2xf32>
}

// -----

// 16-bit arguments, and those with other users, keep their ranges.
// CHECK-LABEL: func.func @main
// CHECK: vit.range = array<f64: -1.600000e+01, 6.000000e+00>
// CHECK: vit.range = array<f64: -1.600000e+01, 6.000000e+00>
func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %u = vit.linear %x, %w {vit.range = array<f64: -16.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %a = vit.gelu erf %u {vit.range = array<f64: -0.17, 6.0>, vit.wide} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %v = vit.linear %x, %w {vit.range = array<f64: -16.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %b = vit.sigmoid %v {vit.range = array<f64: 0.0, 1.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %c = vit.add %v, %b : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %d = vit.add %c, %a : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %d : tensor<1x2x2xf32>
}

// -----

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  // expected-note @+1 {{the argument is computed here}}
  %u = vit.linear %x, %w {vit.range = array<f64: -16.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  // expected-error @+1 {{has no calibrated histogram, which choosing its range needs; calibrate again, or compile with --fit-function-ranges=off}}
  %a = vit.gelu erf %u {vit.range = array<f64: -0.17, 6.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %a : tensor<1x2x2xf32>
}

// -----

// In between SiLU dips to -0.28: it is not flat from -16 to -0.25 though its values
// there are near each other, and what lies in the dip keeps its codes.
// CHECK-LABEL: func.func @main
// CHECK: vit.linear {{.*}}vit.range = array<f64: -4.000000e+00, 6.000000e+00>
// CHECK: vit.silu
func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %u = vit.linear %x, %w {vit.range = array<f64: -16.0, 6.0>, vit.histogram = dense<[[-768, 3], [600, 50], [641, 1000], [650, 2000], [660, 500], [720, 10]]> : tensor<6x2xi64>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %a = vit.silu %u {vit.range = array<f64: -0.28, 6.0>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %a : tensor<1x2x2xf32>
}
