// Sums over tokens and divisions by them, hard gates, norms over other axes.
// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// Additive attention: the weights are the same for all channels.
// CHECK-LABEL: func.func @additive
// CHECK: %[[S:.+]] = vit.softmax %arg1
// CHECK: %[[R:.+]] = vit.reshape %[[S]] to [1, 4, 1, 9]
// CHECK: %[[T:.+]] = vit.transpose %arg0 by [0, 2, 3, 1]
// CHECK: vit.matmul %[[R]], %[[T]] : (tensor<1x4x1x9xf32>, tensor<1x4x9x8xf32>) -> tensor<1x4x1x8xf32>
// CHECK-NOT: vit.mean
func.func @additive(%k: tensor<1x8x4x9xf32>, %q: tensor<1x1x4x9xf32>) -> tensor<1x8x4x1xf32> {
  %nine = arith.constant dense<9.0> : tensor<f32>
  %s = vit.softmax %q : tensor<1x1x4x9xf32> -> tensor<1x1x4x9xf32>
  %p = vit.mul %k, %s : (tensor<1x8x4x9xf32>, tensor<1x1x4x9xf32>) -> tensor<1x8x4x9xf32>
  %m = vit.mean %p axes [3] keep_dims : tensor<1x8x4x9xf32> -> tensor<1x8x4x1xf32>
  %y = vit.mul %m, %nine : (tensor<1x8x4x1xf32>, tensor<f32>) -> tensor<1x8x4x1xf32>
  return %y : tensor<1x8x4x1xf32>
}

// -----

// A mean of squares is none, and neither is one whose factors both vary.
// CHECK-LABEL: func.func @no_weights
// CHECK: vit.mean
// CHECK: vit.mean
func.func @no_weights(%k: tensor<1x8x9xf32>, %q: tensor<1x8x9xf32>) -> (tensor<1x8xf32>, tensor<1x8xf32>) {
  %p = vit.mul %k, %q : (tensor<1x8x9xf32>, tensor<1x8x9xf32>) -> tensor<1x8x9xf32>
  %m = vit.mean %p axes [2] : tensor<1x8x9xf32> -> tensor<1x8xf32>
  %s = vit.mul %k, %k : (tensor<1x8x9xf32>, tensor<1x8x9xf32>) -> tensor<1x8x9xf32>
  %n = vit.mean %s axes [2] : tensor<1x8x9xf32> -> tensor<1x8xf32>
  return %m, %n : tensor<1x8xf32>, tensor<1x8xf32>
}

// -----

// Linear attention: values and a column of ones in one product, then the quotient.
// CHECK-LABEL: func.func @linear_attention
// CHECK-DAG: %[[ONES:.+]] = arith.constant dense<1.000000e+00> : tensor<1x2x9x1xf32>
// CHECK-NOT: vit.concat
// CHECK-NOT: vit.slice
// CHECK-DAG: vit.matmul %{{.+}}, %[[ONES]] : (tensor<1x2x4x9xf32>, tensor<1x2x9x1xf32>) -> tensor<1x2x4x1xf32>
// CHECK: vit.divide_rows %{{.+}}, %{{.+}} eps 1.0000000{{.+}} : (tensor<1x2x9x5xf32>, tensor<1x2x9xf32>) -> tensor<1x2x9x5xf32>
// CHECK-NOT: vit.div %
func.func @linear_attention(%a: tensor<1x2x9x4xf32>, %b: tensor<1x2x4x9xf32>, %v: tensor<1x2x9x5xf32>)
    -> tensor<1x2x9x5xf32> {
  %ones = arith.constant dense<1.0> : tensor<1x2x9x1xf32>
  %eps = arith.constant dense<1.0e-15> : tensor<f32>
  %q = vit.relu %a : tensor<1x2x9x4xf32> -> tensor<1x2x9x4xf32>
  %k = vit.relu %b : tensor<1x2x4x9xf32> -> tensor<1x2x4x9xf32>
  %w = vit.concat %v, %ones axis 3 : (tensor<1x2x9x5xf32>, tensor<1x2x9x1xf32>) -> tensor<1x2x9x6xf32>
  %kv = vit.matmul %k, %w : (tensor<1x2x4x9xf32>, tensor<1x2x9x6xf32>) -> tensor<1x2x4x6xf32>
  %o = vit.matmul %q, %kv : (tensor<1x2x9x4xf32>, tensor<1x2x4x6xf32>) -> tensor<1x2x9x6xf32>
  %n = vit.slice %o offsets [0, 0, 0, 0] sizes [1, 2, 9, 5] strides [1, 1, 1, 1] : tensor<1x2x9x6xf32> -> tensor<1x2x9x5xf32>
  %d = vit.slice %o offsets [0, 0, 0, 5] sizes [1, 2, 9, 1] strides [1, 1, 1, 1] : tensor<1x2x9x6xf32> -> tensor<1x2x9x1xf32>
  %e = vit.add %d, %eps : (tensor<1x2x9x1xf32>, tensor<f32>) -> tensor<1x2x9x1xf32>
  %y = vit.div %n, %e : (tensor<1x2x9x5xf32>, tensor<1x2x9x1xf32>) -> tensor<1x2x9x5xf32>
  return %y : tensor<1x2x9x5xf32>
}

// -----

// A divisor that may be negative stays.
// CHECK-LABEL: func.func @signed_divisor
// CHECK: vit.div %
func.func @signed_divisor(%x: tensor<1x2x3xf32>, %d: tensor<1x2x1xf32>) -> tensor<1x2x3xf32> {
  %y = vit.div %x, %d : (tensor<1x2x3xf32>, tensor<1x2x1xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// -----

// CHECK-LABEL: func.func @gates
// CHECK: vit.hard_swish %arg0
// CHECK: vit.hard_sigmoid %arg0 alpha 0.1666{{.*}} beta 5.000000e-01
// CHECK: vit.mish %arg0
// CHECK-NOT: vit.clamp
func.func @gates(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
  %three = arith.constant dense<3.0> : tensor<f32>
  %six = arith.constant dense<6.0> : tensor<f32>
  %s = vit.add %x, %three : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %c = vit.clamp %s min 0.0 max 6.0 : tensor<1x4xf32> -> tensor<1x4xf32>
  %p = vit.mul %x, %c : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %h = vit.div %p, %six : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %t = vit.add %x, %three : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %d = vit.clamp %t min 0.0 max 6.0 : tensor<1x4xf32> -> tensor<1x4xf32>
  %g = vit.div %d, %six : (tensor<1x4xf32>, tensor<f32>) -> tensor<1x4xf32>
  %l = vit.softplus %x : tensor<1x4xf32> -> tensor<1x4xf32>
  %u = vit.tanh %l : tensor<1x4xf32> -> tensor<1x4xf32>
  %m = vit.mul %x, %u : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  return %h, %g, %m : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>
}

// -----

// LayerNorm over the channels of [B, C, H, W].
// CHECK-LABEL: func.func @norm_of_channels
// CHECK-DAG: %[[G:.+]] = arith.constant dense<[2.000000e+00, 3.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[T:.+]] = vit.transpose %arg0 by [0, 2, 3, 1]
// CHECK: %[[N:.+]] = vit.layer_norm %[[T]], %[[G]], %{{.+}} eps 9.99
// CHECK: vit.transpose %[[N]] by [0, 3, 1, 2]
func.func @norm_of_channels(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %eps = arith.constant dense<1.0e-6> : tensor<f32>
  %two = arith.constant dense<2.0> : tensor<f32>
  %g = arith.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %m = vit.mean %x axes [1] keep_dims : tensor<1x2x3x4xf32> -> tensor<1x1x3x4xf32>
  %c = vit.sub %x, %m : (tensor<1x2x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x2x3x4xf32>
  %s = vit.pow %c, %two : (tensor<1x2x3x4xf32>, tensor<f32>) -> tensor<1x2x3x4xf32>
  %v = vit.mean %s axes [1] keep_dims : tensor<1x2x3x4xf32> -> tensor<1x1x3x4xf32>
  %e = vit.add %v, %eps : (tensor<1x1x3x4xf32>, tensor<f32>) -> tensor<1x1x3x4xf32>
  %r = vit.sqrt %e : tensor<1x1x3x4xf32> -> tensor<1x1x3x4xf32>
  %d = vit.div %c, %r : (tensor<1x2x3x4xf32>, tensor<1x1x3x4xf32>) -> tensor<1x2x3x4xf32>
  %y = vit.mul %d, %g : (tensor<1x2x3x4xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x4xf32>
  return %y : tensor<1x2x3x4xf32>
}
