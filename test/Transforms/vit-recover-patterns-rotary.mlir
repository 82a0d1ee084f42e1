// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// Halves of which one is negated: the sign goes into the table.
// CHECK-LABEL: func.func @halves
// CHECK: %[[C:.+]] = vit.concat
// CHECK-NEXT: %[[S:.+]] = arith.constant dense<[-1.000000e+00, -2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-NEXT: %[[M:.+]] = vit.mul %[[C]], %[[S]]
// CHECK-NEXT: return %[[M]]
func.func @halves(%x: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %sin = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %minus = arith.constant dense<-1.0> : tensor<f32>
  %a = vit.slice %x offsets [0, 0, 2] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %b = vit.slice %x offsets [0, 0, 0] sizes [1, 3, 2] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x3x2xf32>
  %n = vit.mul %a, %minus : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  %c = vit.concat %n, %b axis 2 : (tensor<1x3x2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x4xf32>
  %m = vit.mul %c, %sin : (tensor<1x3x4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
  return %m : tensor<1x3x4xf32>
}

// -----

// Every other channel, through the shape ops that interleave them.
// CHECK-LABEL: func.func @interleaved
// CHECK: %[[S:.+]] = arith.constant dense<{{\[\[}}-1.000000e+00, 2.000000e+00, -3.000000e+00, 4.000000e+00],
// CHECK-SAME: [-5.000000e+00, 6.000000e+00, -7.000000e+00, 8.000000e+00]]> : tensor<2x4xf32>
// CHECK: vit.mul %{{.+}}, %[[S]]
// CHECK-NEXT: return
func.func @interleaved(%x: tensor<2x2x4xf32>) -> tensor<2x2x4xf32> {
  %sin = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %minus = arith.constant dense<-1.0> : tensor<f32>
  %a = vit.slice %x offsets [0, 0, 1] sizes [2, 2, 2] strides [1, 1, 2] : tensor<2x2x4xf32> -> tensor<2x2x2xf32>
  %b = vit.slice %x offsets [0, 0, 0] sizes [2, 2, 2] strides [1, 1, 2] : tensor<2x2x4xf32> -> tensor<2x2x2xf32>
  %n = vit.mul %a, %minus : (tensor<2x2x2xf32>, tensor<f32>) -> tensor<2x2x2xf32>
  %p = vit.reshape %n to [2, 2, 2, 1] : tensor<2x2x2xf32> -> tensor<2x2x2x1xf32>
  %q = vit.reshape %b to [2, 2, 2, 1] : tensor<2x2x2xf32> -> tensor<2x2x2x1xf32>
  %c = vit.concat %p, %q axis 3 : (tensor<2x2x2x1xf32>, tensor<2x2x2x1xf32>) -> tensor<2x2x2x2xf32>
  %r = vit.reshape %c to [2, 2, 4] : tensor<2x2x2x2xf32> -> tensor<2x2x4xf32>
  %m = vit.mul %r, %sin : (tensor<2x2x4xf32>, tensor<2x4xf32>) -> tensor<2x2x4xf32>
  return %m : tensor<2x2x4xf32>
}

// -----

// Read by something else too, it stays.
// CHECK-LABEL: func.func @shared
// CHECK: vit.mul
// CHECK: vit.concat
// CHECK: vit.mul
func.func @shared(%x: tensor<1x2xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>) {
  %sin = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %minus = arith.constant dense<-1.0> : tensor<f32>
  %n = vit.mul %x, %minus : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  %c = vit.concat %n, %x axis 1 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %m = vit.mul %c, %sin : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  return %m, %c : tensor<1x4xf32>, tensor<1x4xf32>
}
