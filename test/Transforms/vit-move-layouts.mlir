// RUN: vitq-opt %s --vit-move-layouts --split-input-file | FileCheck %s

// Between two convolutions of a residual block no transpose is left: factors by channel are constants of another
// shape, a gate of one number for each channel a reshape.
// CHECK-LABEL: func.func @block
// CHECK-SAME: (%[[X:.+]]: tensor<1x8x6x4xf32>, %[[G:.+]]: tensor<1x4x1x1xf32>
// CHECK-NOT: vit.transpose
// CHECK-DAG: %[[C:.+]] = arith.constant dense<{{\[\[\[\[}}1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]]]]> : tensor<1x1x1x4xf32>
// CHECK-DAG: %[[S:.+]] = arith.constant dense<2.000000e+00> : tensor<f32>
// CHECK: %[[M:.+]] = vit.mul %[[X]], %[[C]] : (tensor<1x8x6x4xf32>, tensor<1x1x1x4xf32>) -> tensor<1x8x6x4xf32>
// CHECK: %[[E:.+]] = vit.gelu erf %[[M]]
// CHECK: %[[H:.+]] = vit.mul %[[E]], %[[S]]
// CHECK: %[[R:.+]] = vit.reshape %[[G]] to [1, 1, 1, 4]
// CHECK: %[[T:.+]] = vit.mul %[[H]], %[[R]]
// CHECK: %[[A:.+]] = vit.add %[[T]], %[[X]]
// CHECK-NEXT: return %[[A]] : tensor<1x8x6x4xf32>
func.func @block(%x: tensor<1x8x6x4xf32>, %g: tensor<1x4x1x1xf32>) -> tensor<1x8x6x4xf32> {
  %c = arith.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %s = arith.constant dense<2.0> : tensor<f32>
  %t = vit.transpose %x by [0, 3, 1, 2] : tensor<1x8x6x4xf32> -> tensor<1x4x8x6xf32>
  %m = vit.mul %t, %c : (tensor<1x4x8x6xf32>, tensor<4x1x1xf32>) -> tensor<1x4x8x6xf32>
  %e = vit.gelu erf %m : tensor<1x4x8x6xf32> -> tensor<1x4x8x6xf32>
  %h = vit.mul %e, %s : (tensor<1x4x8x6xf32>, tensor<f32>) -> tensor<1x4x8x6xf32>
  %k = vit.mul %h, %g : (tensor<1x4x8x6xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x6xf32>
  %a = vit.add %k, %t : (tensor<1x4x8x6xf32>, tensor<1x4x8x6xf32>) -> tensor<1x4x8x6xf32>
  %b = vit.transpose %a by [0, 2, 3, 1] : tensor<1x4x8x6xf32> -> tensor<1x8x6x4xf32>
  return %b : tensor<1x8x6x4xf32>
}

// -----

// Attributes that number axes, or have an entry for each.
// CHECK-LABEL: func.func @axes
// CHECK-SAME: (%[[X:.+]]: tensor<1x8x6x4xf32>
// CHECK-NOT: vit.transpose
// CHECK: %[[C:.+]] = vit.concat %[[X]], %[[X]] axis 3
// CHECK: %[[S:.+]] = vit.slice %[[C]] offsets [0, 2, 0, 1] sizes [1, 3, 6, 4] strides [1, 2, 1, 1]
// CHECK: %[[P:.+]] = vit.pad %[[S]] low [0, 1, 2, 0] high [0, 3, 4, 0]
// CHECK: %[[I:.+]] = vit.gather %[[P]] indices [0, 2] axis 3
// CHECK: %[[M:.+]] = vit.mean %[[I]] axes [1, 2] : {{.*}} -> tensor<1x2xf32>
// CHECK: %[[K:.+]] = vit.mean %[[I]] axes [1, 2] keep_dims : {{.*}} -> tensor<1x1x1x2xf32>
// CHECK: %[[B:.+]] = vit.broadcast %[[K]] to [1, 5, 7, 2]
// CHECK: %[[R:.+]] = vit.reshape %[[B]] to [1, 35, 2]
// CHECK: return %[[M]], %[[R]]
func.func @axes(%x: tensor<1x8x6x4xf32>) -> (tensor<1x2xf32>, tensor<1x35x2xf32>) {
  %t = vit.transpose %x by [0, 3, 1, 2] : tensor<1x8x6x4xf32> -> tensor<1x4x8x6xf32>
  %c = vit.concat %t, %t axis 1 : (tensor<1x4x8x6xf32>, tensor<1x4x8x6xf32>) -> tensor<1x8x8x6xf32>
  %s = vit.slice %c offsets [0, 1, 2, 0] sizes [1, 4, 3, 6] strides [1, 1, 2, 1] : tensor<1x8x8x6xf32> -> tensor<1x4x3x6xf32>
  %p = vit.pad %s low [0, 0, 1, 2] high [0, 0, 3, 4] : tensor<1x4x3x6xf32> -> tensor<1x4x7x12xf32>
  %i = vit.gather %p indices [0, 2] axis 1 : tensor<1x4x7x12xf32> -> tensor<1x2x7x12xf32>
  %m = vit.mean %i axes [2, 3] : tensor<1x2x7x12xf32> -> tensor<1x2xf32>
  %k = vit.mean %i axes [2, 3] keep_dims : tensor<1x2x7x12xf32> -> tensor<1x2x1x1xf32>
  %b = vit.broadcast %k to [1, 2, 5, 7] : tensor<1x2x1x1xf32> -> tensor<1x2x5x7xf32>
  %r = vit.reshape %b to [1, 2, 35] : tensor<1x2x5x7xf32> -> tensor<1x2x35xf32>
  %f = vit.transpose %r by [0, 2, 1] : tensor<1x2x35xf32> -> tensor<1x35x2xf32>
  return %m, %f : tensor<1x2xf32>, tensor<1x35x2xf32>
}

// -----

// Tokens that become a map and tokens again; scales of channels move with them.
// CHECK-LABEL: func.func @tokens
// CHECK-SAME: (%[[X:.+]]: tensor<2x48x4xf32>
// CHECK-NOT: vit.transpose
// CHECK: %[[R:.+]] = vit.reshape %[[X]] to [2, 8, 6, 4]
// CHECK: %[[Q:.+]] = vit.quantize %[[R]] {{.*}} -> tensor<2x8x6x4x!quant.uniform<i8:f32:3, {{.*}}>>
// CHECK: %[[D:.+]] = vit.dequantize %[[Q]]
// CHECK: return %[[D]] : tensor<2x8x6x4xf32>
func.func @tokens(%x: tensor<2x48x4xf32>) -> tensor<2x8x6x4xf32> {
  %t = vit.transpose %x by [0, 2, 1] : tensor<2x48x4xf32> -> tensor<2x4x48xf32>
  %r = vit.reshape %t to [2, 4, 8, 6] : tensor<2x4x48xf32> -> tensor<2x4x8x6xf32>
  %q = vit.quantize %r round half_up : tensor<2x4x8x6xf32> -> tensor<2x4x8x6x!quant.uniform<i8:f32:1, {0.1, 0.2, 0.3, 0.4}>>
  %d = vit.dequantize %q : tensor<2x4x8x6x!quant.uniform<i8:f32:1, {0.1, 0.2, 0.3, 0.4}>> -> tensor<2x4x8x6xf32>
  %b = vit.transpose %d by [0, 2, 3, 1] : tensor<2x4x8x6xf32> -> tensor<2x8x6x4xf32>
  return %b : tensor<2x8x6x4xf32>
}

// -----

// A softmax along the columns, a sum with what is in the old order and a reshape that mixes channels and rows read the
// transpose as before; other transposes stay.
// CHECK-LABEL: func.func @barriers
// CHECK: %[[T:.+]] = vit.transpose %{{.+}} by [0, 3, 1, 2]
// CHECK: vit.softmax %[[T]]
// CHECK: vit.add %[[T]], %{{.+}}
// CHECK: vit.reshape %[[T]] to [1, 16, 12]
// CHECK: %[[H:.+]] = vit.transpose %{{.+}} by [0, 2, 1, 3]
// CHECK: vit.relu %[[H]]
func.func @barriers(%x: tensor<1x8x6x4xf32>, %y: tensor<1x4x8x6xf32>) -> (tensor<1x4x8x6xf32>, tensor<1x4x8x6xf32>, tensor<1x16x12xf32>, tensor<1x6x8x4xf32>) {
  %t = vit.transpose %x by [0, 3, 1, 2] : tensor<1x8x6x4xf32> -> tensor<1x4x8x6xf32>
  %s = vit.softmax %t : tensor<1x4x8x6xf32> -> tensor<1x4x8x6xf32>
  %a = vit.add %t, %y : (tensor<1x4x8x6xf32>, tensor<1x4x8x6xf32>) -> tensor<1x4x8x6xf32>
  %r = vit.reshape %t to [1, 16, 12] : tensor<1x4x8x6xf32> -> tensor<1x16x12xf32>
  %h = vit.transpose %x by [0, 2, 1, 3] : tensor<1x8x6x4xf32> -> tensor<1x6x8x4xf32>
  %o = vit.relu %h : tensor<1x6x8x4xf32> -> tensor<1x6x8x4xf32>
  return %s, %a, %r, %o : tensor<1x4x8x6xf32>, tensor<1x4x8x6xf32>, tensor<1x16x12xf32>, tensor<1x6x8x4xf32>
}
