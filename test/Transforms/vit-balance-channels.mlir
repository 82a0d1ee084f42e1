// RUN: vitq-opt %s --vit-balance-channels --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not vitq-opt %s --vit-balance-channels=threshold=0.5 --split-input-file 2>&1 | FileCheck %s --check-prefix=INVALID

// INVALID: vit-balance-channels: threshold must be at least 1

// Channel 1 of a rectifier's result reaches 60 where the others reach 1 to 2: it is
// divided by 32, the farthest of the others reaching 2.
// CHECK: text = "1 of 4 channels reach up to 60 where the others reach 2: they are divided by powers of two, which the weights that read them take up"
// CHECK-LABEL: func.func @main
// CHECK-DAG:   %[[W1:.+]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.125000e-02, 6.250000e-02], [1.000000e+00, 2.000000e+00], [1.000000e+00, 2.000000e+00]]> : tensor<4x2xf32>
// CHECK-DAG:   %[[B1:.+]] = arith.constant dense<[5.000000e-01, 1.562500e-02, 5.000000e-01, 5.000000e-01]> : tensor<4xf32>
// CHECK-DAG:   %[[W2:.+]] = arith.constant dense<{{\[\[}}1.000000e+00, 3.200000e+01, 1.000000e+00, 1.000000e+00], [2.000000e+00, 6.400000e+01, 2.000000e+00, 2.000000e+00]]> : tensor<2x4xf32>
// CHECK-DAG:   %[[U:.+]] = vit.linear %{{.+}}, %[[W1]], %[[B1]] {vit.channel_range = dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [-9.375000e-01, 1.875000e+00], [-1.000000e+00, 1.000000e+00], [-1.000000e+00, 2.000000e+00]]> : tensor<4x2xf32>, vit.range = array<f64: -1.000000e+00, 2.000000e+00>}
// CHECK-DAG:   vit.relu %[[U]] {vit.channel_mean = dense<[5.000000e-01, 1.562500e-01, 5.000000e-01, 5.000000e-01]> : tensor<4xf64>, vit.channel_range = {{.+}}, vit.range = array<f64: 0.000000e+00, 2.000000e+00>}
// CHECK:       vit.linear %{{.+}}, %[[W2]] :
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]> : tensor<4x2xf32>
  %b1 = arith.constant dense<0.5> : tensor<4xf32>
  %w2 = arith.constant dense<[[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]]> : tensor<2x4xf32>
  %u = vit.linear %x, %w1, %b1 {vit.range = array<f64: -30.0, 60.0>, vit.channel_range = dense<[[-1.0, 1.0], [-30.0, 60.0], [-1.0, 1.0], [-1.0, 2.0]]> : tensor<4x2xf32>} : (tensor<1x3x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %r = vit.relu %u {vit.range = array<f64: 0.0, 60.0>, vit.channel_range = dense<[[0.0, 1.0], [0.0, 60.0], [0.0, 1.0], [0.0, 2.0]]> : tensor<4x2xf32>, vit.channel_mean = dense<[0.5, 5.0, 0.5, 0.5]> : tensor<4xf64>} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  %y = vit.linear %r, %w2 : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// A layer_norm with two readers; a dead channel is no measure.
// CHECK-LABEL: func.func @main
// CHECK-DAG:   %[[GAMMA:.+]] = arith.constant dense<[0.000000e+00, 1.000000e+00, 1.000000e+00, 6.250000e-02]> : tensor<4xf32>
// CHECK-DAG:   %[[BETA:.+]] = arith.constant dense<[0.000000e+00, 2.500000e-01, 2.500000e-01, 1.562500e-02]> : tensor<4xf32>
// CHECK-DAG:   %[[W:.+]] = arith.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01, 5.000000e-01, 8.000000e+00], [5.000000e-01, 5.000000e-01, 5.000000e-01, 8.000000e+00]]> : tensor<2x4xf32>
// CHECK-DAG:   %[[N:.+]] = vit.layer_norm %{{.+}}, %[[GAMMA]], %[[BETA]] eps {{.+}} {vit.channel_range = {{.+}}, vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
// CHECK:       vit.linear %[[N]], %[[W]] :
// CHECK:       arith.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01, 5.000000e-01, 8.000000e+00], [5.000000e-01, 5.000000e-01, 5.000000e-01, 8.000000e+00]]> : tensor<2x4xf32>
// CHECK:       vit.linear %[[N]], %{{.+}} :
func.func @main(%x: tensor<1x3x4xf32>) -> tensor<1x3x2xf32> {
  %gamma = arith.constant dense<[0.0, 1.0, 1.0, 1.0]> : tensor<4xf32>
  %beta = arith.constant dense<[0.0, 0.25, 0.25, 0.25]> : tensor<4xf32>
  %w = arith.constant dense<0.5> : tensor<2x4xf32>
  %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 {vit.range = array<f64: -32.0, 20.0>, vit.channel_range = dense<[[0.0, 0.0], [-2.0, 2.0], [-1.0, 1.0], [-32.0, 20.0]]> : tensor<4x2xf32>} : (tensor<1x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %a = vit.linear %n, %w : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  %b = vit.linear %n, %w : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  %c = vit.add %a, %b : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %c : tensor<1x3x2xf32>
}

// -----

// The first of two heads of values reaches 32 times as far: what lies between the layers
// follows, and the range that an observer narrowed stays narrow.
// CHECK-LABEL: func.func @main
// CHECK-DAG:   %[[WV:.+]] = arith.constant dense<{{\[\[}}3.125000e-02, 3.125000e-02], [1.000000e+00, 1.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG:   %[[WP:.+]] = arith.constant dense<{{\[\[}}3.200000e+01, 1.000000e+00], [3.200000e+01, 1.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG:   vit.linear %{{.+}}, %[[WV]] {vit.channel_range = dense<{{\[\[}}-1.250000e+00, 1.250000e+00], [-2.000000e+00, 2.000000e+00]]> : tensor<2x2xf32>, vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
// CHECK-DAG:   vit.transpose %{{.+}} by [0, 2, 1, 3] {vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
// CHECK-DAG:   vit.divide_rows {{.+}} {vit.range = array<f64: -1.000000e+00, 1.000000e+00>}
// CHECK-DAG:   vit.reshape %{{.+}} to [1, 3, 2] {vit.channel_range = dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [-1.000000e+00, 1.000000e+00]]> : tensor<2x2xf32>, vit.range = array<f64: -1.000000e+00, 1.000000e+00>}
// CHECK:       vit.linear %{{.+}}, %[[WP]] :
func.func @main(%x: tensor<1x3x2xf32>, %p: tensor<1x2x3x3xf32>, %sum: tensor<1x2x3xf32>) -> tensor<1x3x2xf32> {
  %wv = arith.constant dense<1.0> : tensor<2x2xf32>
  %wp = arith.constant dense<1.0> : tensor<2x2xf32>
  %v = vit.linear %x, %wv {vit.range = array<f64: -40.0, 40.0>, vit.channel_range = dense<[[-64.0, 50.0], [-2.0, 2.0]]> : tensor<2x2xf32>} : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %v1 = vit.reshape %v to [1, 3, 2, 1] {vit.range = array<f64: -40.0, 40.0>} : tensor<1x3x2xf32> -> tensor<1x3x2x1xf32>
  %v2 = vit.transpose %v1 by [0, 2, 1, 3] {vit.range = array<f64: -40.0, 40.0>} : tensor<1x3x2x1xf32> -> tensor<1x2x3x1xf32>
  %m = vit.matmul %p, %v2 : (tensor<1x2x3x3xf32>, tensor<1x2x3x1xf32>) -> tensor<1x2x3x1xf32>
  %d = vit.divide_rows %m, %sum {vit.range = array<f64: -32.0, 32.0>} : (tensor<1x2x3x1xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3x1xf32>
  %t = vit.transpose %d by [0, 2, 1, 3] {vit.range = array<f64: -32.0, 32.0>} : tensor<1x2x3x1xf32> -> tensor<1x3x2x1xf32>
  %r = vit.reshape %t to [1, 3, 2] {vit.range = array<f64: -32.0, 32.0>, vit.channel_range = dense<[[-32.0, 32.0], [-1.0, 1.0]]> : tensor<2x2xf32>} : tensor<1x3x2x1xf32> -> tensor<1x3x2xf32>
  %y = vit.linear %r, %wp : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}

// -----

// Left alone: another reader than a linear layer, a function that is not homogeneous,
// channels that reach about as far.
// CHECK-LABEL: func.func @main
// CHECK-NOT:   vitq.decisions
// CHECK:       vit.layer_norm {{.+}} {vit.channel_range = dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [-3.200000e+01, 2.000000e+01]]> : tensor<2x2xf32>}
// CHECK:       vit.gelu {{.+}} {vit.channel_range = dense<{{\[\[}}-1.700000e-01, 1.000000e+00], [-1.700000e-01, 2.000000e+01]]> : tensor<2x2xf32>}
// CHECK:       vit.relu {{.+}} {vit.channel_range = dense<{{\[\[}}0.000000e+00, 1.000000e+00], [0.000000e+00, 6.000000e+00]]> : tensor<2x2xf32>}
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %w = arith.constant dense<0.5> : tensor<2x2xf32>
  %n = vit.layer_norm %x, %one, %one eps 1.0e-6 {vit.channel_range = dense<[[-1.0, 1.0], [-32.0, 20.0]]> : tensor<2x2xf32>} : (tensor<1x3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %u = vit.linear %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %g = vit.gelu erf %u {vit.channel_range = dense<[[-0.17, 1.0], [-0.17, 20.0]]> : tensor<2x2xf32>} : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %v = vit.linear %g, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %r = vit.relu %v {vit.channel_range = dense<[[0.0, 1.0], [0.0, 6.0]]> : tensor<2x2xf32>} : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %y = vit.linear %r, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %s = vit.add %y, %n : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %s : tensor<1x3x2xf32>
}

// -----

// Convolutions write and read as linear layers do; of a depthwise one a row reads one channel.
// CHECK-LABEL: func.func @convolutions
// CHECK:       %[[W1:.+]] = arith.constant dense<{{.+}}1.000000e+00{{.+}}3.125000e-02{{.+}}> : tensor<2x1x1x1xf32>
// CHECK:       %[[U:.+]] = vit.conv2d %{{.+}}, %[[W1]]
// CHECK:       %[[R:.+]] = vit.relu %[[U]]
// CHECK:       %[[W2:.+]] = arith.constant dense<{{.+}}1.000000e+00{{.+}}3.200000e+01{{.+}}> : tensor<1x2x1x1xf32>
// CHECK:       vit.conv2d %[[R]], %[[W2]]
// CHECK:       %[[W3:.+]] = arith.constant dense<{{.+}}1.000000e+00{{.+}}3.200000e+01{{.+}}> : tensor<2x1x1x1xf32>
// CHECK:       vit.conv2d %[[R]], %[[W3]]
func.func @convolutions(%x: tensor<1x4x4x1xf32>) -> (tensor<1x4x4x1xf32>, tensor<1x4x4x2xf32>) {
  %w1 = arith.constant dense<1.0> : tensor<2x1x1x1xf32>
  %w2 = arith.constant dense<1.0> : tensor<1x2x1x1xf32>
  %u = vit.conv2d %x, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, vit.range = array<f64: -30.0, 60.0>, vit.channel_range = dense<[[-1.0, 2.0], [-30.0, 60.0]]> : tensor<2x2xf32>} : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
  %r = vit.relu %u {vit.range = array<f64: 0.0, 60.0>, vit.channel_range = dense<[[0.0, 2.0], [0.0, 60.0]]> : tensor<2x2xf32>} : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32>
  %y = vit.conv2d %r, %w2 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x4x4x1xf32>
  %z = vit.conv2d %r, %w1 {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2 : i64} : (tensor<1x4x4x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
  return %y, %z : tensor<1x4x4x1xf32>, tensor<1x4x4x2xf32>
}

// -----

// A weight whose data was left out.
func.func @main(%x: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %w1 = arith.constant dense<[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]> : tensor<4x2xf32>
  %b1 = arith.constant dense<0.5> : tensor<4xf32>
  %w2 = arith.constant dense_resource<elided> : tensor<2x4xf32>
  %u = vit.linear %x, %w1, %b1 {vit.range = array<f64: -30.0, 60.0>, vit.channel_range = dense<[[-1.0, 1.0], [-30.0, 60.0], [-1.0, 1.0], [-1.0, 2.0]]> : tensor<4x2xf32>} : (tensor<1x3x2xf32>, tensor<4x2xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  %r = vit.relu %u {vit.range = array<f64: 0.0, 60.0>, vit.channel_range = dense<[[0.0, 1.0], [0.0, 60.0], [0.0, 1.0], [0.0, 2.0]]> : tensor<4x2xf32>, vit.channel_mean = dense<[0.5, 5.0, 0.5, 0.5]> : tensor<4xf64>} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  // expected-error @+1 {{operand #1 has no data for its resource 'elided'; was the module printed with elided resources?}}
  %y = vit.linear %r, %w2 : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  return %y : tensor<1x3x2xf32>
}
