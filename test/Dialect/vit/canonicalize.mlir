// RUN: vitq-opt %s --canonicalize | FileCheck %s
// RUN: vitq-opt %s --canonicalize | vitq-opt --canonicalize | FileCheck %s

!a = !quant.uniform<u8:f32, 0.1:128>
!b = !quant.uniform<u8:f32, 0.2:128>

// CHECK-LABEL: func @reshape_same
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_same(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = vit.reshape %x to [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @reshape_other
// CHECK: vit.reshape
func.func @reshape_other(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  %0 = vit.reshape %x to [3, 2] : tensor<2x3xf32> -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// CHECK-LABEL: func @reshape_reshape
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xf32>)
// CHECK-NEXT: %[[R:.*]] = vit.reshape %[[X]] to [3, 4] : tensor<2x6xf32> -> tensor<3x4xf32>
// CHECK-NEXT: return %[[R]]
func.func @reshape_reshape(%x: tensor<2x6xf32>) -> tensor<3x4xf32> {
  %0 = vit.reshape %x to [12] : tensor<2x6xf32> -> tensor<12xf32>
  %1 = vit.reshape %0 to [3, 4] : tensor<12xf32> -> tensor<3x4xf32>
  return %1 : tensor<3x4xf32>
}

// CHECK-LABEL: func @reshape_back
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_back(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  %0 = vit.reshape %x to [12] : tensor<2x6xf32> -> tensor<12xf32>
  %1 = vit.reshape %0 to [2, 6] : tensor<12xf32> -> tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// The inner reshape rounds to another scale: it stays.
// CHECK-LABEL: func @reshape_requantizes
// CHECK: vit.reshape %{{.*}} to [6]
// CHECK: vit.reshape %{{.*}} to [2, 3]
func.func @reshape_requantizes(%x: tensor<2x3x!a>) -> tensor<2x3x!a> {
  %0 = vit.reshape %x to [6] : tensor<2x3x!a> -> tensor<6x!b>
  %1 = vit.reshape %0 to [2, 3] : tensor<6x!b> -> tensor<2x3x!a>
  return %1 : tensor<2x3x!a>
}

// The shape is the same, the scale is not.
// CHECK-LABEL: func @reshape_same_shape_requantizes
// CHECK: vit.reshape
func.func @reshape_same_shape_requantizes(%x: tensor<2x3x!a>) -> tensor<2x3x!b> {
  %0 = vit.reshape %x to [2, 3] : tensor<2x3x!a> -> tensor<2x3x!b>
  return %0 : tensor<2x3x!b>
}

// CHECK-LABEL: func @transpose_identity
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @transpose_identity(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = vit.transpose %x by [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// A square tensor has the same type before and after, and is not the same.
// CHECK-LABEL: func @transpose_square
// CHECK: vit.transpose
func.func @transpose_square(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  %0 = vit.transpose %x by [1, 0] : tensor<3x3xf32> -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// CHECK-LABEL: func @transpose_transpose
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: %[[R:.*]] = vit.transpose %[[X]] by [0, 2, 1] : tensor<2x3x4xf32> -> tensor<2x4x3xf32>
// CHECK-NEXT: return %[[R]]
func.func @transpose_transpose(%x: tensor<2x3x4xf32>) -> tensor<2x4x3xf32> {
  %0 = vit.transpose %x by [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %1 = vit.transpose %0 by [1, 0, 2] : tensor<4x2x3xf32> -> tensor<2x4x3xf32>
  return %1 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func @transpose_back
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
// CHECK-NEXT: return %[[X]]
func.func @transpose_back(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = vit.transpose %x by [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %1 = vit.transpose %0 by [1, 2, 0] : tensor<4x2x3xf32> -> tensor<2x3x4xf32>
  return %1 : tensor<2x3x4xf32>
}

// The axis of the scales moves with the data.
// CHECK-LABEL: func @transpose_per_axis
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-NEXT: return %[[X]]
func.func @transpose_per_axis(%x: tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) -> tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>> {
  %0 = vit.transpose %x by [1, 0] : tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>> -> tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  %1 = vit.transpose %0 by [1, 0] : tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>> -> tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  return %1 : tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
}

// CHECK-LABEL: func @transpose_requantizes
// CHECK-COUNT-2: vit.transpose
func.func @transpose_requantizes(%x: tensor<2x3x!a>) -> tensor<2x3x!a> {
  %0 = vit.transpose %x by [1, 0] : tensor<2x3x!a> -> tensor<3x2x!b>
  %1 = vit.transpose %0 by [1, 0] : tensor<3x2x!b> -> tensor<2x3x!a>
  return %1 : tensor<2x3x!a>
}

// CHECK-LABEL: func @concat_one
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @concat_one(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = vit.concat %x axis 1 : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @concat_one_requantizes
// CHECK: vit.concat
func.func @concat_one_requantizes(%x: tensor<2x3x!a>) -> tensor<2x3x!b> {
  %0 = vit.concat %x axis 1 : (tensor<2x3x!a>) -> tensor<2x3x!b>
  return %0 : tensor<2x3x!b>
}

// CHECK-LABEL: func @slice_all
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @slice_all(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = vit.slice %x offsets [0, 0] sizes [2, 3] strides [1, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @slice_part
// CHECK: vit.slice
func.func @slice_part(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %0 = vit.slice %x offsets [0, 1] sizes [2, 2] strides [1, 1] : tensor<2x3xf32> -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// CHECK-LABEL: func @broadcast_same
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @broadcast_same(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = vit.broadcast %x to [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @broadcast_more
// CHECK: vit.broadcast
func.func @broadcast_more(%x: tensor<2x3xf32>) -> tensor<1x2x3xf32> {
  %0 = vit.broadcast %x to [1, 2, 3] : tensor<2x3xf32> -> tensor<1x2x3xf32>
  return %0 : tensor<1x2x3xf32>
}

// An op without users is dropped: all are pure.
// CHECK-LABEL: func @unused
// CHECK-NEXT: return
func.func @unused(%x: tensor<2x3xf32>) {
  %0 = vit.quantize %x round half_up : tensor<2x3xf32> -> tensor<2x3x!a>
  %1 = vit.dequantize %0 : tensor<2x3x!a> -> tensor<2x3xf32>
  %2 = vit.gelu erf %1 : tensor<2x3xf32> -> tensor<2x3xf32>
  return
}
