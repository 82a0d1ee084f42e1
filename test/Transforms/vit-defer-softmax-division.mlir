// RUN: vitq-opt %s --vit-defer-softmax-division | FileCheck %s
// RUN: vitq-opt %s --vit-defer-softmax-division=masked-only=true | FileCheck %s --check-prefix=MASKED

// CHECK-LABEL: func.func @attention
// CHECK-SAME:    %[[S:.+]]: tensor<1x2x5x5xf32>, %[[V:.+]]: tensor<1x2x5x3xf32>
func.func @attention(%s: tensor<1x2x5x5xf32>, %v: tensor<1x2x5x3xf32>) -> tensor<1x2x5x3xf32> {
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vit.softmax_numerator %[[S]] {vit.range = array<f64: 0.000000e+00, 1.000000e+00, 1.000000e+00, 5.000000e+00>}
  // CHECK: %[[U:.+]] = vit.matmul %[[E]], %[[V]] : (
  // CHECK: %[[O:.+]] = vit.divide_rows %[[U]], %[[SUM]] {vit.range = array<f64: -2.000000e+00, 2.000000e+00>}
  // CHECK: return %[[O]]
  %p = vit.softmax %s {vit.range = array<f64: 0.0, 1.0>} : tensor<1x2x5x5xf32> -> tensor<1x2x5x5xf32>
  %o = vit.matmul %p, %v {vit.range = array<f64: -2.0, 2.0>} : (tensor<1x2x5x5xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x5x3xf32>
  return %o : tensor<1x2x5x3xf32>
}

// A softmax that is no left operand of a product keeps its division.
// CHECK-LABEL: func.func @classifier
func.func @classifier(%s: tensor<1x10xf32>) -> tensor<1x10xf32> {
  // CHECK: %[[E:.+]], %[[SUM:.+]] = vit.softmax_numerator
  // CHECK: vit.divide_rows %[[E]], %[[SUM]]
  %p = vit.softmax %s : tensor<1x10xf32> -> tensor<1x10xf32>
  return %p : tensor<1x10xf32>
}

// The right operand contracts over another axis than the softmax.
// CHECK-LABEL: func.func @right_operand
func.func @right_operand(%s: tensor<1x4x4xf32>, %v: tensor<1x4x4xf32>) -> tensor<1x4x4xf32> {
  // CHECK: %[[P:.+]] = vit.divide_rows
  // CHECK: vit.matmul %{{.+}}, %[[P]]
  %p = vit.softmax %s : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %o = vit.matmul %v, %p : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  return %o : tensor<1x4x4xf32>
}

// MASKED-LABEL: func.func @attention
// MASKED: vit.softmax %
// MASKED-LABEL: func.func @masked
// MASKED: vit.softmax_numerator
// MASKED: vit.divide_rows
// CHECK-LABEL: func.func @masked
// CHECK: vit.softmax_numerator
func.func @masked(%s: tensor<1x2x2xf32>, %v: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %mask = arith.constant dense<[0.0, -1.0e9]> : tensor<2xf32>
  %m = vit.add %s, %mask : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %o = vit.matmul %p, %v : (tensor<1x2x2xf32>, tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  return %o : tensor<1x2x3xf32>
}
