// RUN: vitq-opt %s --vit-gather-rows --split-input-file | FileCheck %s

// Windows are put back into the image: the rows of the layer's input move instead.
// CHECK-LABEL: func.func @windows
// CHECK-SAME: %[[X:.+]]: tensor<4x4x2xf32>
// CHECK: %[[F:.+]] = vit.reshape %[[X]] to [1, 16, 2]
// CHECK: %[[G:.+]] = vit.gather %[[F]] indices [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15] axis 1
// CHECK: %[[H:.+]] = vit.reshape %[[G]] to [1, 4, 4, 2]
// CHECK: %[[Y:.+]] = vit.linear %[[H]], %{{.+}} : (tensor<1x4x4x2xf32>, tensor<3x2xf32>) -> tensor<1x4x4x3xf32>
// CHECK: return %[[Y]]
func.func @windows(%x: tensor<4x4x2xf32>) -> tensor<1x4x4x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x2xf32>
  %y = vit.linear %x, %w : (tensor<4x4x2xf32>, tensor<3x2xf32>) -> tensor<4x4x3xf32>
  %r = vit.reshape %y to [1, 2, 2, 2, 2, 3] : tensor<4x4x3xf32> -> tensor<1x2x2x2x2x3xf32>
  %t = vit.transpose %r by [0, 1, 3, 2, 4, 5] : tensor<1x2x2x2x2x3xf32> -> tensor<1x2x2x2x2x3xf32>
  %z = vit.reshape %t to [1, 4, 4, 3] : tensor<1x2x2x2x2x3xf32> -> tensor<1x4x4x3xf32>
  return %z : tensor<1x4x4x3xf32>
}

// -----

// A cyclic shift and windows: one gather.
// CHECK-LABEL: func.func @roll
// CHECK-SAME: %[[X:.+]]: tensor<1x2x4x2xf32>
// CHECK: %[[F:.+]] = vit.reshape %[[X]] to [1, 8, 2]
// CHECK: %[[G:.+]] = vit.gather %[[F]] indices [1, 2, 5, 6, 3, 0, 7, 4] axis 1
// CHECK: %[[H:.+]] = vit.reshape %[[G]] to [2, 4, 2]
// CHECK: return %[[H]]
func.func @roll(%x: tensor<1x2x4x2xf32>) -> tensor<2x4x2xf32> {
  %a = vit.slice %x offsets [0, 0, 1, 0] sizes [1, 2, 3, 2] strides [1, 1, 1, 1] : tensor<1x2x4x2xf32> -> tensor<1x2x3x2xf32>
  %b = vit.slice %x offsets [0, 0, 0, 0] sizes [1, 2, 1, 2] strides [1, 1, 1, 1] : tensor<1x2x4x2xf32> -> tensor<1x2x1x2xf32>
  %c = vit.concat %a, %b axis 2 : (tensor<1x2x3x2xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x4x2xf32>
  %r = vit.reshape %c to [1, 2, 2, 2, 2] : tensor<1x2x4x2xf32> -> tensor<1x2x2x2x2xf32>
  %t = vit.transpose %r by [0, 2, 1, 3, 4] : tensor<1x2x2x2x2xf32> -> tensor<1x2x2x2x2xf32>
  %z = vit.reshape %t to [2, 4, 2] : tensor<1x2x2x2x2xf32> -> tensor<2x4x2xf32>
  return %z : tensor<2x4x2xf32>
}

// -----

// Moves on both sides of a layer undo each other.
// CHECK-LABEL: func.func @there_and_back
// CHECK-SAME: %[[X:.+]]: tensor<1x4x2xf32>
// CHECK-NOT: vit.gather
// CHECK-NOT: vit.transpose
// CHECK: %[[Y:.+]] = vit.linear
// CHECK: return %[[Y]]
func.func @there_and_back(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %i = vit.gather %x indices [3, 2, 1, 0] axis 1 : tensor<1x4x2xf32> -> tensor<1x4x2xf32>
  %y = vit.linear %i, %w : (tensor<1x4x2xf32>, tensor<2x2xf32>) -> tensor<1x4x2xf32>
  %o = vit.gather %y indices [3, 2, 1, 0] axis 1 : tensor<1x4x2xf32> -> tensor<1x4x2xf32>
  return %o : tensor<1x4x2xf32>
}

// -----

// What strides describe, rows that are cut, and a layer with many more inputs than outputs
// stay as they are. What others read is where a gather ends.
// CHECK-LABEL: func.func @stays
// CHECK-SAME: %[[X:.+]]: tensor<1x4x4xf32>,
// CHECK-NOT: vit.gather
// CHECK: %[[U:.+]] = vit.gather %[[X]] indices [1, 2, 3, 0] axis 1
// CHECK: vit.transpose %[[U]] by [1, 0, 2]
// CHECK: vit.linear
// CHECK-NOT: vit.gather
// CHECK: return
func.func @stays(%x: tensor<1x4x4xf32>, %v: tensor<1x4x8xf32>) -> (tensor<1x2x4x2xf32>, tensor<4x1x4xf32>, tensor<1x4x4xf32>, tensor<4x1x2xf32>, tensor<1x4x3xf32>) {
  %heads = vit.reshape %x to [1, 4, 2, 2] : tensor<1x4x4xf32> -> tensor<1x4x2x2xf32>
  %a = vit.transpose %heads by [0, 2, 1, 3] : tensor<1x4x2x2xf32> -> tensor<1x2x4x2xf32>
  %s = vit.slice %x offsets [0, 0, 0] sizes [1, 1, 4] strides [1, 1, 1] : tensor<1x4x4xf32> -> tensor<1x1x4xf32>
  %t = vit.slice %x offsets [0, 1, 0] sizes [1, 3, 4] strides [1, 1, 1] : tensor<1x4x4xf32> -> tensor<1x3x4xf32>
  %u = vit.concat %t, %s axis 1 : (tensor<1x3x4xf32>, tensor<1x1x4xf32>) -> tensor<1x4x4xf32>
  %b = vit.transpose %u by [1, 0, 2] : tensor<1x4x4xf32> -> tensor<4x1x4xf32>
  %w = arith.constant dense<1.0> : tensor<2x8xf32>
  %y = vit.linear %v, %w : (tensor<1x4x8xf32>, tensor<2x8xf32>) -> tensor<1x4x2xf32>
  %c = vit.transpose %y by [1, 0, 2] : tensor<1x4x2xf32> -> tensor<4x1x2xf32>
  %p = vit.slice %x offsets [0, 0, 1] sizes [1, 4, 3] strides [1, 1, 1] : tensor<1x4x4xf32> -> tensor<1x4x3xf32>
  return %a, %b, %u, %c, %p : tensor<1x2x4x2xf32>, tensor<4x1x4xf32>, tensor<1x4x4xf32>, tensor<4x1x2xf32>, tensor<1x4x3xf32>
}
