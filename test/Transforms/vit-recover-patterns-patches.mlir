// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// Rows of pixels in the order (y, x, channel) that a linear reads: its weight is put in the order of a convolution's.
// CHECK-LABEL: func.func @rows
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x4x4xf32>
// CHECK: %[[W:.+]] = arith.constant dense<{{\[\[\[\[}}0.000000e+00, 2.000000e+00], [4.000000e+00, 6.000000e+00]],
// CHECK-SAME: {{\[\[}}1.000000e+00, 3.000000e+00], [5.000000e+00, 7.000000e+00]]]]> : tensor<1x2x2x2xf32>
// CHECK: %[[P:.+]] = vit.patch_embed %[[X]], %[[W]] : (tensor<1x2x4x4xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x1xf32>
// CHECK-NEXT: return %[[P]]
func.func @rows(%x: tensor<1x2x4x4xf32>) -> tensor<1x4x1xf32> {
  %w = arith.constant dense<[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]> : tensor<1x8xf32>
  %a = vit.reshape %x to [1, 2, 2, 2, 2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2x2x2xf32>
  %b = vit.transpose %a by [0, 2, 4, 3, 5, 1] : tensor<1x2x2x2x2x2xf32> -> tensor<1x2x2x2x2x2xf32>
  %c = vit.reshape %b to [1, 4, 8] : tensor<1x2x2x2x2x2xf32> -> tensor<1x4x8xf32>
  %y = vit.linear %c, %w : (tensor<1x4x8xf32>, tensor<1x8xf32>) -> tensor<1x4x1xf32>
  return %y : tensor<1x4x1xf32>
}

// -----

// The same by indices, as an unfold is exported, joined from slices.
// CHECK-LABEL: func.func @unfold
// CHECK: vit.patch_embed %{{.+}} : (tensor<1x1x4x2xf32>, tensor<3x1x2x2xf32>, tensor<3xf32>) -> tensor<1x2x3xf32>
// CHECK-NEXT: return
func.func @unfold(%x: tensor<1x1x4x2xf32>, %w: tensor<3x4xf32>) -> tensor<1x2x3xf32> {
  %weight = arith.constant dense<1.0> : tensor<3x4xf32>
  %bias = arith.constant dense<2.0> : tensor<3xf32>
  %rows = vit.gather %x indices [0, 2, 1, 3] axis 2 : tensor<1x1x4x2xf32> -> tensor<1x1x4x2xf32>
  %left = vit.slice %rows offsets [0, 0, 0, 0] sizes [1, 1, 4, 1] strides [1, 1, 1, 1] : tensor<1x1x4x2xf32> -> tensor<1x1x4x1xf32>
  %right = vit.slice %rows offsets [0, 0, 0, 1] sizes [1, 1, 4, 1] strides [1, 1, 1, 1] : tensor<1x1x4x2xf32> -> tensor<1x1x4x1xf32>
  %a = vit.reshape %left to [1, 2, 2, 1] : tensor<1x1x4x1xf32> -> tensor<1x2x2x1xf32>
  %b = vit.reshape %right to [1, 2, 2, 1] : tensor<1x1x4x1xf32> -> tensor<1x2x2x1xf32>
  %c = vit.concat %a, %b axis 3 : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x2xf32>
  %t = vit.transpose %c by [0, 2, 1, 3] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %r = vit.reshape %t to [1, 2, 4] : tensor<1x2x2x2xf32> -> tensor<1x2x4xf32>
  %y = vit.linear %r, %weight, %bias : (tensor<1x2x4xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// -----

// Rows of one line of the image are patches; columns of it are, too, but not row by row.
// CHECK-LABEL: func.func @lines
// CHECK: vit.patch_embed
// CHECK: vit.linear
func.func @lines(%x: tensor<1x1x2x4xf32>) -> (tensor<1x2x1xf32>, tensor<1x4x1xf32>) {
  %w = arith.constant dense<1.0> : tensor<1x4xf32>
  %v = arith.constant dense<1.0> : tensor<1x2xf32>
  %a = vit.reshape %x to [1, 2, 4] : tensor<1x1x2x4xf32> -> tensor<1x2x4xf32>
  %y = vit.linear %a, %w : (tensor<1x2x4xf32>, tensor<1x4xf32>) -> tensor<1x2x1xf32>
  %b = vit.gather %a indices [1, 0, 2, 3] axis 2 : tensor<1x2x4xf32> -> tensor<1x2x4xf32>
  %t = vit.transpose %b by [0, 2, 1] : tensor<1x2x4xf32> -> tensor<1x4x2xf32>
  %z = vit.linear %t, %v : (tensor<1x4x2xf32>, tensor<1x2xf32>) -> tensor<1x4x1xf32>
  return %y, %z : tensor<1x2x1xf32>, tensor<1x4x1xf32>
}

// -----

// Patches in two axes, channels last.
// CHECK-LABEL: func.func @channels_last
// CHECK: %[[P:.+]] = vit.patch_embed {{.*}} -> tensor<2x4x3xf32>
// CHECK-NEXT: %[[R:.+]] = vit.reshape %[[P]] to [2, 2, 2, 3]
// CHECK-NEXT: return %[[R]]
func.func @channels_last(%x: tensor<2x1x4x4xf32>) -> tensor<2x2x2x3xf32> {
  %w = arith.constant dense<1.0> : tensor<3x1x2x2xf32>
  %l = vit.transpose %x by [0, 2, 3, 1] : tensor<2x1x4x4xf32> -> tensor<2x4x4x1xf32>
  %m = vit.conv2d %l, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<2x4x4x1xf32>, tensor<3x1x2x2xf32>) -> tensor<2x2x2x3xf32>
  %c = vit.transpose %m by [0, 3, 1, 2] : tensor<2x2x2x3xf32> -> tensor<2x3x2x2xf32>
  %t = vit.transpose %c by [0, 2, 3, 1] : tensor<2x3x2x2xf32> -> tensor<2x2x2x3xf32>
  return %t : tensor<2x2x2x3xf32>
}

// -----

// (x - 2) / [2, 4] of two channels, in the graph: weights of 1 become 1/2 and 1/4, of which a patch has four each.
// CHECK-LABEL: func.func @normalized
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x2x2xf32>
// CHECK: %[[W:.+]] = arith.constant dense<{{\[\[\[\[}}5.000000e-01, 5.000000e-01], {{.*}}2.500000e-01]]]]>
// CHECK: %[[B:.+]] = arith.constant dense<-5.000000e+00> : tensor<1xf32>
// CHECK: vit.patch_embed %[[X]], %[[W]], %[[B]]
func.func @normalized(%x: tensor<1x2x2x2xf32>) -> tensor<1x1x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2x2x2xf32>
  %bias = arith.constant dense<1.0> : tensor<1xf32>
  %mean = arith.constant dense<2.0> : tensor<1x2x1x1xf32>
  %std = arith.constant dense<[[[2.0]], [[4.0]]]> : tensor<2x1x1xf32>
  %s = vit.sub %x, %mean : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %d = vit.div %s, %std : (tensor<1x2x2x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %e = vit.patch_embed %d, %w, %bias : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1xf32>) -> tensor<1x1x1xf32>
  return %e : tensor<1x1x1xf32>
}

// -----

// The same of a convolution: around the image stands what was 0, 2 in both channels.
// CHECK-LABEL: func.func @normalized_convolution
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x3x3xf32>
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{\[\[\[\[}}5.000000e-01, 5.000000e-01], {{.*}}2.500000e-01]]]]>
// CHECK-DAG: %[[B:.+]] = arith.constant dense<-6.000000e+00> : tensor<1xf32>
// CHECK-DAG: %[[L:.+]] = vit.transpose %[[X]] by [0, 2, 3, 1]
// CHECK: vit.conv2d %[[L]], %[[W]], %[[B]] {{.*}}padding = array<f64: 2.000000e+00, 2.000000e+00>
func.func @normalized_convolution(%x: tensor<1x2x3x3xf32>) -> tensor<1x4x4x1xf32> {
  %w = arith.constant dense<1.0> : tensor<1x2x2x2xf32>
  %mean = arith.constant dense<2.0> : tensor<1x2x1x1xf32>
  %std = arith.constant dense<[[[2.0]], [[4.0]]]> : tensor<2x1x1xf32>
  %s = vit.sub %x, %mean : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %d = vit.div %s, %std : (tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %l = vit.transpose %d by [0, 2, 3, 1] : tensor<1x2x3x3xf32> -> tensor<1x3x3x2xf32>
  %c = vit.conv2d %l, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
    : (tensor<1x3x3x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x4x1xf32>
  return %c : tensor<1x4x4x1xf32>
}

// -----

// Of single elements, but not of the image: a linear layer. Zeros around a map are the convolution's own.
// CHECK-LABEL: func.func @pointwise
// CHECK-SAME: (%[[X:.+]]: tensor<1x4x4x3xf32>, %[[Y:.+]]: tensor<1x4x4x3xf32>
// CHECK: %[[R:.+]] = vit.relu %[[X]]
// CHECK: %[[P:.+]] = vit.linear %[[R]], %{{.+}} : (tensor<1x4x4x3xf32>, tensor<5x3xf32>) -> tensor<1x4x4x5xf32>
// CHECK: %[[C:.+]] = vit.conv2d %[[R]], %{{.+}} {{.*}}pads = array<i64: 1, 2, 0, 1>
// CHECK-NEXT: return %[[P]], %[[C]]
func.func @pointwise(%x: tensor<1x4x4x3xf32>, %y: tensor<1x4x4x3xf32>) -> (tensor<1x4x4x5xf32>, tensor<1x4x5x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<5x3x1x1xf32>
  %v = arith.constant dense<1.0> : tensor<2x3x2x3xf32>
  %r = vit.relu %x : tensor<1x4x4x3xf32> -> tensor<1x4x4x3xf32>
  %p = vit.conv2d %r, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x4x4x3xf32>, tensor<5x3x1x1xf32>) -> tensor<1x4x4x5xf32>
  %z = vit.pad %r low [0, 1, 1, 0] high [0, 0, 1, 0] : tensor<1x4x4x3xf32> -> tensor<1x5x6x3xf32>
  %c = vit.conv2d %z, %v {strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x5x6x3xf32>, tensor<2x3x2x3xf32>) -> tensor<1x4x5x2xf32>
  return %p, %c : tensor<1x4x4x5xf32>, tensor<1x4x5x2xf32>
}

// -----

// Channels first for one reader: the rows, transposed.
// CHECK-LABEL: func.func @planes
// CHECK: %[[P:.+]] = vit.patch_embed {{.*}} -> tensor<1x4x3xf32>
// CHECK: vit.transpose %{{.+}} by [0, 3, 1, 2]
// CHECK: %[[R:.+]] = vit.reshape %{{.+}} to [1, 3, 4]
// CHECK: %[[Y:.+]] = vit.linear %[[R]]
// CHECK: return %[[P]], %[[Y]]
func.func @planes(%x: tensor<1x1x4x4xf32>) -> (tensor<1x4x3xf32>, tensor<1x3x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<3x1x2x2xf32>
  %v = arith.constant dense<0.5> : tensor<4x4xf32>
  %l = vit.transpose %x by [0, 2, 3, 1] : tensor<1x1x4x4xf32> -> tensor<1x4x4x1xf32>
  %m = vit.conv2d %l, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>}
    : (tensor<1x4x4x1xf32>, tensor<3x1x2x2xf32>) -> tensor<1x2x2x3xf32>
  %c = vit.transpose %m by [0, 3, 1, 2] : tensor<1x2x2x3xf32> -> tensor<1x3x2x2xf32>
  %r = vit.reshape %c to [1, 3, 4] : tensor<1x3x2x2xf32> -> tensor<1x3x4xf32>
  %t = vit.transpose %r by [0, 2, 1] : tensor<1x3x4xf32> -> tensor<1x4x3xf32>
  %y = vit.linear %r, %v : (tensor<1x3x4xf32>, tensor<4x4xf32>) -> tensor<1x3x4xf32>
  return %t, %y : tensor<1x4x3xf32>, tensor<1x3x4xf32>
}
