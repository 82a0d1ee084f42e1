// RUN: vitq-opt %s --vit-rotate-residual --split-input-file --verify-diagnostics | FileCheck %s

// Two channels: H = [[1, 1], [1, -1]] / sqrt 2, and no mean is left. A sum's constant and what the layers write are
// multiplied by it, gamma, beta and it go into the layer that reads the norm.
// CHECK: text = "reads a stream of 2 channels that was centred and rotated: it is an RMS norm without gamma and beta"
// CHECK-LABEL: func.func @main
// CHECK:       %[[U:.+]] = vit.linear
// CHECK:       %[[S:.+]] = vit.add %[[U]], %{{.+}}
// CHECK-DAG:   %[[ONE:.+]] = arith.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK-DAG:   %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK:       %[[N:.+]] = vit.layer_norm rms %[[S]], %[[ONE]], %[[ZERO]]
// CHECK:       %[[C:.+]] = vit.slice %[[N]]
// CHECK:       %[[B:.+]] = arith.constant dense<3.000000e+00> : tensor<1xf32>
// CHECK:       vit.linear %[[C]], %{{.+}}, %[[B]]
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %p = arith.constant dense<[[[1.0, 2.0]]]> : tensor<1x1x2xf32>
  %g = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %h = arith.constant dense<[[2.0, 1.0]]> : tensor<1x2xf32>
  %u = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %s = vit.add %u, %p : (tensor<1x3x2xf32>, tensor<1x1x2xf32>) -> tensor<1x3x2xf32>
  %n = vit.layer_norm %s, %g, %b eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %c = vit.slice %n offsets [0, 0, 0] sizes [1, 1, 2] strides [1, 1, 1] : tensor<1x3x2xf32> -> tensor<1x1x2xf32>
  %y = vit.linear %c, %h : (tensor<1x1x2xf32>, tensor<1x2xf32>) -> tensor<1x1x1xf32>
  return %y : tensor<1x1x1xf32>
}

// -----

// No Hadamard matrix of order 6 exists: three blocks of 2 channels.
// CHECK-LABEL: func.func @main
// CHECK: vit.layer_norm rms
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x1xf32> {
  %w = arith.constant dense<1.0> : tensor<6x2xf32>
  %g = arith.constant dense<1.0> : tensor<6xf32>
  %h = arith.constant dense<1.0> : tensor<1x6xf32>
  %u = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<6x2xf32>) -> tensor<1x3x6xf32>
  // expected-remark @+1 {{no Hadamard matrix of order 6 is known: the residual stream is rotated in 3 blocks of 2 channels}}
  %n = vit.layer_norm %u, %g, %g eps 1.0e-6 : (tensor<1x3x6xf32>, tensor<6xf32>, tensor<6xf32>) -> tensor<1x3x6xf32>
  %y = vit.linear %n, %h : (tensor<1x3x6xf32>, tensor<1x6xf32>) -> tensor<1x3x1xf32>
  return %y : tensor<1x3x1xf32>
}

// -----

// A norm whose result is part of the stream: its gamma has no place to go.
// CHECK-LABEL: func.func @main
// CHECK-NOT: rms
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %u = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  // expected-remark @+1 {{(vit.layer_norm) keeps the residual stream of 2 channels from being rotated: only layers with constant weights and LayerNorms may read it, and only such layers write it}}
  %n = vit.layer_norm %u, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %v = vit.linear %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %s = vit.add %n, %v : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %m = vit.layer_norm %s, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %y = vit.linear %m, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// What the program is given is no layer's result, whether a norm reads it or a sum.
// CHECK-LABEL: func.func @main
// CHECK-NOT: rms
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // expected-remark @+1 {{(vit.add) keeps the residual stream of 2 channels from being rotated}}
  %s = vit.add %x, %g : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %n = vit.layer_norm %s, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %y = vit.linear %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// A head that reads the stream without a norm between.
// CHECK-LABEL: func.func @main
// CHECK-NOT: rms
func.func @main(%x: tensor<1x3x2xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  %u = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %n = vit.layer_norm %u, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %y = vit.linear %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  // expected-remark @+1 {{(vit.linear) keeps the residual stream of 2 channels from being rotated}}
  %z = vit.linear %u, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y, %z : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

// -----

func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-error @+1 {{has a calibrated range, which a rotation would make wrong: run vit-rotate-residual before vit-calibrate}}
  %y = vit.linear %x, %w {vit.range = array<f64: -1.0, 1.0>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// A weight whose data was left out.
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense_resource<elided> : tensor<2x2xf32>
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // expected-error @+1 {{operand #1 has no data for its resource 'elided'; was the module printed with elided resources?}}
  %u = vit.linear %x, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %n = vit.layer_norm %u, %g, %g eps 1.0e-6 : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %y = vit.linear %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}
