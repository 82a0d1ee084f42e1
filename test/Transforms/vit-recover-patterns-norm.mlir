// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// RMSNorm: a norm that is not centered. What is multiplied and added folds into it.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.+]]: tensor<1x4x2xf32>
// CHECK-DAG: %[[G:.+]] = arith.constant dense<[3.0{{.*}}, 4.0{{.*}}]>
// CHECK-DAG: %[[B:.+]] = arith.constant dense<[5.0{{.*}}, 6.0{{.*}}]>
// CHECK: %[[L:.+]] = vit.layer_norm rms %[[X]], %[[G]], %[[B]] eps 9.9999999747524271E-7
// CHECK-NEXT: return %[[L]]
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %eps = arith.constant dense<1.0e-6> : tensor<f32>
  %gamma = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %beta = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %sq = vit.pow %x, %two : (tensor<1x4x2xf32>, tensor<f32>) -> tensor<1x4x2xf32>
  %mean = vit.mean %sq axes [2] keep_dims : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  %me = vit.add %mean, %eps : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %s = vit.sqrt %me : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %r = vit.div %one, %s : (tensor<f32>, tensor<1x4x1xf32>) -> tensor<1x4x1xf32>
  %n = vit.mul %x, %r : (tensor<1x4x2xf32>, tensor<1x4x1xf32>) -> tensor<1x4x2xf32>
  %g = vit.mul %gamma, %n : (tensor<2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %b = vit.add %g, %beta : (tensor<1x4x2xf32>, tensor<2xf32>) -> tensor<1x4x2xf32>
  return %b : tensor<1x4x2xf32>
}

// -----

// The squares are of another value, or of two axes: no RMSNorm.
// CHECK-LABEL: func.func @main
// CHECK-NOT: vit.layer_norm
// CHECK: vit.sqrt
// CHECK: vit.sqrt
func.func @main(%x: tensor<1x4x2xf32>, %y: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %eps = arith.constant dense<1.0e-6> : tensor<f32>
  %sq = vit.pow %y, %two : (tensor<1x4x2xf32>, tensor<f32>) -> tensor<1x4x2xf32>
  %mean = vit.mean %sq axes [2] keep_dims : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  %me = vit.add %mean, %eps : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %s = vit.sqrt %me : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %n = vit.div %x, %s : (tensor<1x4x2xf32>, tensor<1x4x1xf32>) -> tensor<1x4x2xf32>
  %sq2 = vit.pow %n, %two : (tensor<1x4x2xf32>, tensor<f32>) -> tensor<1x4x2xf32>
  %mean2 = vit.mean %sq2 axes [1, 2] keep_dims : tensor<1x4x2xf32> -> tensor<1x1x1xf32>
  %me2 = vit.add %mean2, %eps : (tensor<1x1x1xf32>, tensor<f32>) -> tensor<1x1x1xf32>
  %s2 = vit.sqrt %me2 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
  %n2 = vit.div %n, %s2 : (tensor<1x4x2xf32>, tensor<1x1x1xf32>) -> tensor<1x4x2xf32>
  return %n2 : tensor<1x4x2xf32>
}

// -----

// x / max(|x|, 1e-12): the sum of squares is twice their mean, and nothing is constant in it.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.+]]: tensor<1x4x2xf32>
// CHECK: %[[G:.+]] = arith.constant dense<0.707106769> : tensor<2xf32>
// CHECK: %[[L:.+]] = vit.layer_norm rms %[[X]], %[[G]], %{{.+}} eps {{[45].*[eE]-25}}
// CHECK-NEXT: return %[[L]]
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %sq = vit.mul %x, %x : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %mean = vit.mean %sq axes [2] keep_dims : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  %sum = vit.mul %mean, %two : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %s = vit.sqrt %sum : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %a = vit.clamp %s min 1.0e-12 : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %e = vit.broadcast %a to [1, 4, 2] : tensor<1x4x1xf32> -> tensor<1x4x2xf32>
  %n = vit.div %x, %e : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  return %n : tensor<1x4x2xf32>
}

// -----

// A bound that is no guard makes another function of it.
// CHECK-LABEL: func.func @main
// CHECK: vit.sqrt
// CHECK: vit.clamp
func.func @main(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %sq = vit.mul %x, %x : (tensor<1x4x2xf32>, tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  %mean = vit.mean %sq axes [2] keep_dims : tensor<1x4x2xf32> -> tensor<1x4x1xf32>
  %s = vit.sqrt %mean : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %a = vit.clamp %s min 0.5 : tensor<1x4x1xf32> -> tensor<1x4x1xf32>
  %n = vit.div %x, %a : (tensor<1x4x2xf32>, tensor<1x4x1xf32>) -> tensor<1x4x2xf32>
  return %n : tensor<1x4x2xf32>
}
