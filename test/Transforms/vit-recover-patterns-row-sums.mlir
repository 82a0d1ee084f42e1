// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// Two softmaxes that a gate mixes, one of positions alone and so a constant (ConViT): their rows
// sum to 1, so that the division is none.
// CHECK-LABEL: func.func @gated
// CHECK-NOT: vit.div
// CHECK-NOT: vit.mean
// CHECK: %[[A:.+]] = vit.add
// CHECK: vit.matmul %[[A]]
func.func @gated(%x: tensor<1x2x4x5xf32>, %v: tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32> {
  %own = arith.constant dense<[[[[0.75]], [[0.25]]]]> : tensor<1x2x1x1xf32>
  %positions = arith.constant dense<[[[[0.05, 0.05, 0.05, 0.05, 0.05]], [[0.15, 0.15, 0.15, 0.15, 0.15]]]]> : tensor<1x2x1x5xf32>
  %five = arith.constant dense<5.0> : tensor<f32>
  %p = vit.softmax %x : tensor<1x2x4x5xf32> -> tensor<1x2x4x5xf32>
  %scaled = vit.mul %own, %p : (tensor<1x2x1x1xf32>, tensor<1x2x4x5xf32>) -> tensor<1x2x4x5xf32>
  %a = vit.add %scaled, %positions : (tensor<1x2x4x5xf32>, tensor<1x2x1x5xf32>) -> tensor<1x2x4x5xf32>
  %mean = vit.mean %a axes [3] : tensor<1x2x4x5xf32> -> tensor<1x2x4xf32>
  %sum = vit.mul %mean, %five : (tensor<1x2x4xf32>, tensor<f32>) -> tensor<1x2x4xf32>
  %divisor = vit.reshape %sum to [1, 2, 4, 1] : tensor<1x2x4xf32> -> tensor<1x2x4x1xf32>
  %n = vit.div %a, %divisor : (tensor<1x2x4x5xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x5xf32>
  %y = vit.matmul %n, %v : (tensor<1x2x4x5xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32>
  return %y : tensor<1x2x4x3xf32>
}

// -----

// Sums that are not known: the division goes behind the product with the values.
// CHECK-LABEL: func.func @positive
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x4x5xf32>, %[[V:.+]]: tensor<1x2x5x3xf32>)
// CHECK-DAG: %[[ONES:.+]] = arith.constant dense<1.000000e+00> : tensor<1x2x1x5xf32>
// CHECK-DAG: %[[R:.+]] = vit.relu %[[X]]
// CHECK-DAG: %[[SUMS:.+]] = vit.matmul %[[R]], %[[ONES]] transpose_rhs
// CHECK-DAG: %[[ROWS:.+]] = vit.reshape %[[SUMS]] to [1, 2, 4]
// CHECK-DAG: %[[Y:.+]] = vit.matmul %[[R]], %[[V]] :
// CHECK: %[[Z:.+]] = vit.divide_rows %[[Y]], %[[ROWS]]
// CHECK: return %[[Z]]
func.func @positive(%x: tensor<1x2x4x5xf32>, %v: tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32> {
  %five = arith.constant dense<5.0> : tensor<f32>
  %a = vit.relu %x : tensor<1x2x4x5xf32> -> tensor<1x2x4x5xf32>
  %mean = vit.mean %a axes [3] keep_dims : tensor<1x2x4x5xf32> -> tensor<1x2x4x1xf32>
  %sum = vit.mul %mean, %five : (tensor<1x2x4x1xf32>, tensor<f32>) -> tensor<1x2x4x1xf32>
  %n = vit.div %a, %sum : (tensor<1x2x4x5xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x5xf32>
  %y = vit.matmul %n, %v : (tensor<1x2x4x5xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32>
  return %y : tensor<1x2x4x3xf32>
}

// -----

// What is added to the sums is added when rows are divided; where they are 1, a little of it makes no difference.
// CHECK-LABEL: func.func @eps
// CHECK: %[[Y:.+]] = vit.matmul
// CHECK: vit.divide_rows %{{.+}}, %{{.+}} eps 0.00100000
// CHECK-LABEL: func.func @eps_of_ones
// CHECK-NOT: vit.div
func.func @eps(%x: tensor<1x2x4x5xf32>, %v: tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32> {
  %five = arith.constant dense<5.0> : tensor<f32>
  %eps = arith.constant dense<1.0e-3> : tensor<f32>
  %a = vit.relu %x : tensor<1x2x4x5xf32> -> tensor<1x2x4x5xf32>
  %mean = vit.mean %a axes [3] keep_dims : tensor<1x2x4x5xf32> -> tensor<1x2x4x1xf32>
  %sum = vit.mul %mean, %five : (tensor<1x2x4x1xf32>, tensor<f32>) -> tensor<1x2x4x1xf32>
  %more = vit.add %sum, %eps : (tensor<1x2x4x1xf32>, tensor<f32>) -> tensor<1x2x4x1xf32>
  %n = vit.div %a, %more : (tensor<1x2x4x5xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x5xf32>
  %y = vit.matmul %n, %v : (tensor<1x2x4x5xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32>
  return %y : tensor<1x2x4x3xf32>
}
func.func @eps_of_ones(%x: tensor<1x2x4x5xf32>, %v: tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32> {
  %five = arith.constant dense<5.0> : tensor<f32>
  %eps = arith.constant dense<1.0e-9> : tensor<f32>
  %a = vit.softmax %x : tensor<1x2x4x5xf32> -> tensor<1x2x4x5xf32>
  %mean = vit.mean %a axes [3] keep_dims : tensor<1x2x4x5xf32> -> tensor<1x2x4x1xf32>
  %sum = vit.mul %mean, %five : (tensor<1x2x4x1xf32>, tensor<f32>) -> tensor<1x2x4x1xf32>
  %more = vit.add %eps, %sum : (tensor<f32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x1xf32>
  %n = vit.div %a, %more : (tensor<1x2x4x5xf32>, tensor<1x2x4x1xf32>) -> tensor<1x2x4x5xf32>
  %y = vit.matmul %n, %v : (tensor<1x2x4x5xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x4x3xf32>
  return %y : tensor<1x2x4x3xf32>
}

// -----

// Rows that may sum to nothing stay as they are; so does a division by the sum of others, or by
// the mean.
// CHECK-LABEL: func.func @signed
// CHECK-COUNT-3: vit.div
func.func @signed(%x: tensor<1x4x5xf32>, %v: tensor<1x5x3xf32>) -> tensor<1x4x3xf32> {
  %five = arith.constant dense<5.0> : tensor<f32>
  %mean = vit.mean %x axes [2] keep_dims : tensor<1x4x5xf32> -> tensor<1x4x1xf32>
  %sum = vit.mul %mean, %five : (tensor<1x4x1xf32>, tensor<f32>) -> tensor<1x4x1xf32>
  %n = vit.div %x, %sum : (tensor<1x4x5xf32>, tensor<1x4x1xf32>) -> tensor<1x4x5xf32>
  %p = vit.softmax %n : tensor<1x4x5xf32> -> tensor<1x4x5xf32>
  %other = vit.div %p, %sum : (tensor<1x4x5xf32>, tensor<1x4x1xf32>) -> tensor<1x4x5xf32>
  %r = vit.relu %other : tensor<1x4x5xf32> -> tensor<1x4x5xf32>
  %rmean = vit.mean %r axes [2] keep_dims : tensor<1x4x5xf32> -> tensor<1x4x1xf32>
  %by_mean = vit.div %r, %rmean : (tensor<1x4x5xf32>, tensor<1x4x1xf32>) -> tensor<1x4x5xf32>
  %y = vit.matmul %by_mean, %v : (tensor<1x4x5xf32>, tensor<1x5x3xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}
