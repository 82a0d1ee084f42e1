// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// Softmax as PyTorch's attention has it: no row is masked altogether, nothing to guard.
// CHECK-LABEL: func.func @guarded
// CHECK-SAME: (%[[X:.+]]: tensor<1x2x3x3xf32>
// CHECK-NEXT: %[[P:.+]] = vit.softmax %[[X]]
// CHECK-NEXT: return %[[P]]
func.func @guarded(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %zeros = arith.constant dense<0.0> : tensor<1x1x3x3xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %s = vit.add %x, %zeros : (tensor<1x2x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x2x3x3xf32>
  %p = vit.softmax %s : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %n = vit.is_nan %p : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xi1>
  %y = vit.where %n, %zero, %p : (tensor<1x2x3x3xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  return %y : tensor<1x2x3x3xf32>
}

// -----

// CHECK-LABEL: func.func @all_true
// CHECK-SAME: (%[[X:.+]]: tensor<1x3x3xf32>
// CHECK-NEXT: %[[P:.+]] = vit.softmax %[[X]]
// CHECK-NEXT: return %[[P]]
func.func @all_true(%x: tensor<1x3x3xf32>) -> tensor<1x3x3xf32> {
  %mask = arith.constant dense<true> : tensor<3x3xi1>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %s = vit.where %mask, %x, %low : (tensor<3x3xi1>, tensor<1x3x3xf32>, tensor<f32>) -> tensor<1x3x3xf32>
  %p = vit.softmax %s : tensor<1x3x3xf32> -> tensor<1x3x3xf32>
  %n = vit.is_nan %p : tensor<1x3x3xf32> -> tensor<1x3x3xi1>
  %y = vit.where %n, %zero, %p : (tensor<1x3x3xi1>, tensor<f32>, tensor<1x3x3xf32>) -> tensor<1x3x3xf32>
  return %y : tensor<1x3x3xf32>
}

// -----

// A mask that leaves something of each row, behind a factor and a reshape: the guard
// goes, the mask is added.
// CHECK-LABEL: func.func @causal
// CHECK-NOT: vit.where
// CHECK: vit.add
// CHECK: %[[P:.+]] = vit.softmax
// CHECK-NOT: vit.is_nan
// CHECK-NOT: vit.where
// CHECK: return
func.func @causal(%x: tensor<1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %mask = arith.constant dense<[[true, false], [true, true]]> : tensor<2x2xi1>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %m = vit.where %mask, %x, %low : (tensor<2x2xi1>, tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %h = vit.mul %m, %half : (tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %s = vit.reshape %h to [1, 1, 2, 2] : tensor<1x2x2xf32> -> tensor<1x1x2x2xf32>
  %p = vit.softmax %s : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  %n = vit.is_nan %p : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xi1>
  %y = vit.where %n, %zero, %p : (tensor<1x1x2x2xi1>, tensor<f32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// -----

// Two masks that leave nothing of the second row together: it is 0 there.
// CHECK-LABEL: func.func @masked_row
// CHECK: arith.constant dense<{{.*}}-3.40282347E+38
// CHECK: %[[P:.+]] = vit.softmax
// CHECK: %[[ROWS:.+]] = arith.constant dense<{{\[\[\[}}1.000000e+00], [0.000000e+00]]]> : tensor<1x2x1xf32>
// CHECK: %[[Y:.+]] = vit.mul %[[P]], %[[ROWS]]
// CHECK-NEXT: return %[[Y]]
func.func @masked_row(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %a = arith.constant dense<[[0.0, 0.0], [0.0, 0xFF800000]]> : tensor<2x2xf32>
  %b = arith.constant dense<[[0.0, 0.0], [0xFF800000, 0.0]]> : tensor<2x2xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %m = vit.add %x, %a : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %s = vit.add %b, %m : (tensor<2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %n = vit.is_nan %p : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %y = vit.where %n, %zero, %p : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %y : tensor<1x2x2xf32>
}

// -----

// The same behind equal views of the probabilities.
// CHECK-LABEL: func.func @masked_row_views
// CHECK: %[[P:.+]] = vit.softmax
// CHECK: %[[Y:.+]] = vit.mul %[[P]]
// CHECK: vit.reshape %[[Y]]
// CHECK-NOT: vit.is_nan
// CHECK-NOT: vit.where
func.func @masked_row_views(%x: tensor<1x2x2xf32>) -> tensor<2x2xf32> {
  %a = arith.constant dense<[[0.0, 0.0], [0xFF800000, 0xFF800000]]> : tensor<2x2xf32>
  %zeros = arith.constant dense<0.0> : tensor<2x2xf32>
  %s = vit.add %x, %a : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %p0 = vit.reshape %p to [2, 2] : tensor<1x2x2xf32> -> tensor<2x2xf32>
  %p1 = vit.reshape %p to [2, 2] : tensor<1x2x2xf32> -> tensor<2x2xf32>
  %n = vit.is_nan %p0 : tensor<2x2xf32> -> tensor<2x2xi1>
  %y = vit.where %n, %zeros, %p1 : (tensor<2x2xi1>, tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Left alone: masked rows become 1, or something else than the probabilities.
// CHECK-LABEL: func.func @masked_row_one
// CHECK: vit.is_nan
// CHECK: vit.where
// CHECK: vit.is_nan
// CHECK: vit.where
func.func @masked_row_one(%x: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %a = arith.constant dense<[[0.0, 0.0], [0xFF800000, 0xFF800000]]> : tensor<2x2xf32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %s = vit.add %x, %a : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %n = vit.is_nan %p : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %y = vit.where %n, %one, %p : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %q = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %o = vit.is_nan %q : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %z = vit.where %o, %zero, %x : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %y, %z : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// -----

// A mask that was moved, and one that is no number.
// CHECK-LABEL: func.func @moved_mask
// CHECK: vit.is_nan
// CHECK: vit.is_nan
func.func @moved_mask(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %a = arith.constant dense<[[0.0, 0xFF800000], [0.0, 0xFF800000]]> : tensor<2x2xf32>
  %nan = arith.constant dense<[0x7FC00000, 0.0]> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %m = vit.add %x, %a : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32>
  %s = vit.transpose %m by [0, 2, 1] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %p = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %n = vit.is_nan %p : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %y = vit.where %n, %zero, %p : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %t = vit.add %y, %nan : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %q = vit.softmax %t : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %o = vit.is_nan %q : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %z = vit.where %o, %zero, %q : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %z : tensor<1x2x2xf32>
}

// -----

// Codes between softmax and guard are numbers.
// CHECK-LABEL: func.func @codes
// CHECK: vit.softmax
// CHECK: %[[D:.+]] = vit.dequantize
// CHECK-NEXT: return %[[D]]
func.func @codes(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %p = vit.softmax %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  %q = vit.quantize %p round half_even : tensor<1x2x2xf32> -> tensor<1x2x2x!quant.uniform<u8:f32, 3.9e-3>>
  %d = vit.dequantize %q : tensor<1x2x2x!quant.uniform<u8:f32, 3.9e-3>> -> tensor<1x2x2xf32>
  %n = vit.is_nan %d : tensor<1x2x2xf32> -> tensor<1x2x2xi1>
  %w = vit.where %n, %zero, %d : (tensor<1x2x2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  return %w : tensor<1x2x2xf32>
}
