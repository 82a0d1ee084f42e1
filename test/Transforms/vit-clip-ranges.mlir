// RUN: vitq-opt %s --vit-clip-ranges=observers=linear=percentile:75,function=mse --split-input-file | FileCheck %s
// RUN: vitq-opt %s --vit-clip-ranges --split-input-file | FileCheck %s --check-prefix=MINMAX
// RUN: not vitq-opt %s --vit-clip-ranges=observers=gelu=mse --split-input-file 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not vitq-opt %s --vit-clip-ranges=observers=linear=percentile:200 --split-input-file 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not vitq-opt %s --vit-clip-ranges=observers=all=mse --split-input-file 2>&1 | FileCheck %s --check-prefix=MISSING

// KIND: error: {{.*}}'gelu=mse' is no observer: write KIND=METHOD with KIND residual, attention, function, argument, linear or all, and METHOD minmax, percentile:P (50 < P <= 100) or mse
// METHOD: error: {{.*}}'linear=percentile:200' is no observer
// MISSING: error: {{.*}}'scores' has no calibrated histogram, which an observer other than minmax needs; calibrate again, or compile with --observer=argument=minmax

// Bin 641 is [1, 1.03), bin 769 [16, 16.5): of 100 values one is large. Three
// quarters of them lie in [1, 1.03) up to 0.757 of its width.
// MINMAX-LABEL: func.func @main
// MINMAX: vit.layer_norm {{.*}}vit.range = array<f64: -2.000000e+00, 1.600000e+01>
// CHECK-LABEL: func.func @main
// CHECK: vit.layer_norm {{.*}}vit.range = array<f64: 1.00{{.*}}, 1.02{{.*}}>
// CHECK: vit.gelu {{.*}}vit.range = array<f64: 0.000000e+00, 1.525000e+01>
func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 {vit.range = array<f64: -2.0, 16.0>, vit.histogram = dense<[[641, 99], [769, 1]]> : tensor<2x2xi64>} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %u = vit.linear %n, %w {vit.range = array<f64: -4.0, 6.0>} : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32> loc("scores")
  %a = vit.gelu erf %u {vit.range = array<f64: 0.0, 16.0>, vit.histogram = dense<[[641, 1000000], [769, 1]]> : tensor<2x2xi64>} : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %v = vit.linear %a, %w : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  return %v : tensor<1x2x2xf32>
}

// -----

// A concat holds what its operands hold: nothing is wanted of it.
// CHECK-LABEL: func.func @main
// CHECK: vit.concat {{.*}}vit.range = array<f64: -2.000000e+00, 1.600000e+01>
// CHECK: vit.layer_norm {{.*}}vit.range = array<f64: -2.000000e+00, 1.600000e+01>
func.func @main(%x: tensor<1x1x2xf32>) -> tensor<1x2x2xf32> {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %c = vit.concat %x, %x axis 1 {vit.range = array<f64: -2.0, 16.0>} : (tensor<1x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x2x2xf32>
  %n = vit.layer_norm %c, %g, %g eps 1.0e-6 {vit.range = array<f64: -2.0, 16.0>} : (tensor<1x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  return %n : tensor<1x2x2xf32>
}
