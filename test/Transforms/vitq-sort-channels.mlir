// RUN: vitq-opt %s --split-input-file --vitq-sort-channels | FileCheck %s

// Channels 0, 2 and 3 use table 1, channel 1 table 0: the former come first. Rows of
// the weights before, bias, multipliers and index, and columns of the weights after
// move alike.

// CHECK-LABEL: func.func @hidden
func.func @hidden(%x: tensor<3x2xi8>) -> tensor<3x2xi32> {
  // CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}1, 2], [5, 6], [7, 8], [3, 4]]> : tensor<4x2xi8>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<[10, 30, 40, 20]> : tensor<4xi32>
  // CHECK-DAG: %[[I:.*]] = arith.constant dense<[1, 1, 1, 0]> : tensor<4xi8>
  // CHECK-DAG: %[[V:.*]] = arith.constant dense<{{\[\[}}1, 3, 4, 2], [5, 7, 8, 6]]> : tensor<2x4xi8>
  %w = arith.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %b = arith.constant dense<[10, 20, 30, 40]> : tensor<4xi32>
  %t = arith.constant dense<7> : tensor<2x256xi8>
  %i = arith.constant dense<[1, 0, 1, 1]> : tensor<4xi8>
  %v = arith.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<2x4xi8>
  // CHECK: %[[A:.*]] = vitq.matmul %{{.*}}, %[[W]], %[[B]] transpose_rhs
  %a = vitq.matmul %x, %w, %b transpose_rhs : (tensor<3x2xi8>, tensor<4x2xi8>, tensor<4xi32>) -> tensor<3x4xi32>
  // CHECK: vitq.requant %[[A]] by <[1000000001, 1000000003, 1000000004, 1000000002], [33, 35, 36, 34]>
  %r = vitq.requant %a by <[1000000001, 1000000002, 1000000003, 1000000004], [33, 34, 35, 36]> round half_up : tensor<3x4xi32> -> tensor<3x4xi8>
  // CHECK: vitq.table %{{.*}}, %{{.*}}, %[[I]]
  %g = vitq.table %r, %t, %i : (tensor<3x4xi8>, tensor<2x256xi8>, tensor<4xi8>) -> tensor<3x4xi8>
  // CHECK: vitq.matmul %{{.*}}, %[[V]] transpose_rhs
  %y = vitq.matmul %g, %v transpose_rhs : (tensor<3x4xi8>, tensor<2x4xi8>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// -----

// The channels of a result keep their order.

// CHECK-LABEL: func.func @result
// CHECK: vitq.requant %{{.*}} by <[1000000001, 1000000002], [33, 34]>
func.func @result(%x: tensor<3x2xi8>) -> tensor<3x2xi8> {
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %t = arith.constant dense<7> : tensor<2x256xi8>
  %i = arith.constant dense<[1, 0]> : tensor<2xi8>
  %a = vitq.matmul %x, %w transpose_rhs : (tensor<3x2xi8>, tensor<2x2xi8>) -> tensor<3x2xi32>
  %r = vitq.requant %a by <[1000000001, 1000000002], [33, 34]> round half_up : tensor<3x2xi32> -> tensor<3x2xi8>
  %g = vitq.table %r, %t, %i : (tensor<3x2xi8>, tensor<2x256xi8>, tensor<2xi8>) -> tensor<3x2xi8>
  return %g : tensor<3x2xi8>
}
