// RUN: vitq-opt %s --vit-recover-patterns --split-input-file | FileCheck %s

// A choice by a constant is a mask that is added; the lowest finite float stands for
// whatever low number the exporter wrote.
// CHECK-LABEL: func.func @choice
// CHECK-SAME: %[[S:.+]]: tensor<1x2x3x3xf32>
// CHECK: %[[M:.+]] = arith.constant dense<{{\[\[}}0.000000e+00, -3.40282347E+38, 0.000000e+00]]> : tensor<1x3xf32>
// CHECK: %[[A:.+]] = vit.add %[[S]], %[[M]]
// CHECK: vit.softmax %[[A]]
func.func @choice(%s: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %kept = arith.constant dense<[[true, false, true]]> : tensor<1x3xi1>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %m = vit.where %kept, %s, %low : (tensor<1x3xi1>, tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %p = vit.softmax %m : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  return %p : tensor<1x2x3x3xf32>
}

// -----

// The other way round; the reader is a reshape before softmax.
// CHECK-LABEL: func.func @choice_of_the_other
// CHECK: arith.constant dense<{{\[}}-3.40282347E+38, 0.000000e+00]> : tensor<2xf32>
// CHECK: vit.add
// CHECK-NOT: vit.where
func.func @choice_of_the_other(%s: tensor<1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %masked = arith.constant dense<[true, false]> : tensor<2xi1>
  %low = arith.constant dense<-1.0e9> : tensor<f32>
  %m = vit.where %masked, %low, %s : (tensor<2xi1>, tensor<f32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %r = vit.reshape %m to [1, 1, 2, 2] : tensor<1x2x2xf32> -> tensor<1x1x2x2xf32>
  %p = vit.softmax %r : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  return %p : tensor<1x1x2x2xf32>
}

// -----

// Nothing is masked: the scores themselves.
// CHECK-LABEL: func.func @all_true
// CHECK-SAME: %[[S:.+]]: tensor<1x2x2xf32>
// CHECK: vit.softmax %[[S]]
func.func @all_true(%s: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %kept = arith.constant dense<true> : tensor<1x1x2xi1>
  %low = arith.constant dense<0xFF800000> : tensor<f32>
  %m = vit.where %kept, %s, %low : (tensor<1x1x2xi1>, tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p : tensor<1x2x2xf32>
}

// -----

// A bias for each head, a mask for each row, and a scale behind them: one constant,
// and the scale on the product. -inf - inf and 4 * -inf stay finite.
// CHECK-LABEL: func.func @bias_mask_scale
// CHECK: %[[S:.+]] = vit.matmul %{{.+}}, %{{.+}} transpose_rhs scale 5.000000e-01
// CHECK: %[[C:.+]] = arith.constant dense<{{\[\[\[}}[5.000000e-01, -1.70141173E+38]], {{\[\[}}1.000000e+00, -1.70141173E+38]]]]> : tensor<1x2x1x2xf32>
// CHECK: %[[A:.+]] = vit.add %[[S]], %[[C]]
// CHECK: vit.softmax %[[A]]
func.func @bias_mask_scale(%q: tensor<1x2x2x3xf32>, %k: tensor<1x2x2x3xf32>) -> tensor<1x2x2x2xf32> {
  %bias = arith.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %mask = arith.constant dense<[[0.0, 0xFF800000]]> : tensor<1x2xf32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<1x2x2x3xf32>, tensor<1x2x2x3xf32>) -> tensor<1x2x2x2xf32>
  %a = vit.add %s, %bias : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %b = vit.add %mask, %a : (tensor<1x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %c = vit.mul %b, %half : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %p = vit.softmax %c : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  return %p : tensor<1x2x2x2xf32>
}

// -----

// Left alone: a constant that is not low, a condition that is computed, a reader beside
// softmax, a sum that something else reads.
// CHECK-LABEL: func.func @not_low
// CHECK: vit.where
func.func @not_low(%s: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %kept = arith.constant dense<[true, false]> : tensor<2xi1>
  %low = arith.constant dense<-100.0> : tensor<f32>
  %m = vit.where %kept, %s, %low : (tensor<2xi1>, tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p : tensor<1x2x2xf32>
}

// CHECK-LABEL: func.func @computed_condition
// CHECK: vit.where
func.func @computed_condition(%s: tensor<1x2x2xf32>, %kept: tensor<2xi1>) -> tensor<1x2x2xf32> {
  %low = arith.constant dense<-1.0e9> : tensor<f32>
  %m = vit.where %kept, %s, %low : (tensor<2xi1>, tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p : tensor<1x2x2xf32>
}

// CHECK-LABEL: func.func @other_reader
// CHECK: vit.where
func.func @other_reader(%s: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %kept = arith.constant dense<[true, false]> : tensor<2xi1>
  %low = arith.constant dense<-1.0e9> : tensor<f32>
  %m = vit.where %kept, %s, %low : (tensor<2xi1>, tensor<1x2x2xf32>, tensor<f32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p, %m : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// CHECK-LABEL: func.func @sum_read_twice
// CHECK: %[[A:.+]] = vit.add
// CHECK: vit.add %[[A]]
func.func @sum_read_twice(%s: tensor<1x2x2xf32>) -> (tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %one = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %two = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %a = vit.add %s, %one : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %b = vit.add %a, %two : (tensor<1x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %b : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p, %a : tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

// -----

// Rows that are low throughout: what is above -2^20 is shifted, so that it does not widen
// the range of the scores. The last row stays and is uniform.
// CHECK-LABEL: func.func @low_rows
// CHECK{LITERAL}: arith.constant dense<[[0.000000e+00, -5.000000e+00], [0.000000e+00, 0.000000e+00], [-1.000000e+09, -1.000000e+09]]>
// CHECK-NOT: arith.constant
// CHECK: vit.add
func.func @low_rows(%s: tensor<1x3x2xf32>) -> tensor<1x3x2xf32> {
  %mask = arith.constant dense<[[0.0, -5.0], [-1.0e4, -1.0e4], [-1.0e9, -1.0e9]]> : tensor<3x2xf32>
  %m = vit.add %s, %mask : (tensor<1x3x2xf32>, tensor<3x2xf32>) -> tensor<1x3x2xf32>
  %p = vit.softmax %m : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  return %p : tensor<1x3x2xf32>
}

// Of one number for each row nothing remains.
// CHECK-LABEL: func.func @row_constants
// CHECK-NOT: vit.add
// CHECK: vit.softmax
func.func @row_constants(%s: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
  %mask = arith.constant dense<[[-1.0e4], [0.0]]> : tensor<2x1xf32>
  %m = vit.add %mask, %s : (tensor<2x1xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>
  %p = vit.softmax %m : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
  return %p : tensor<1x2x2xf32>
}

// -----

// A mask for each window, added where windows are apart from images, meets the bias.
// CHECK-LABEL: func.func @windows
// CHECK: %[[S:.+]] = vit.matmul
// CHECK: %[[C:.+]] = arith.constant dense<{{\[\[\[}}[1.000000e+00, -9.900000e+01]], {{\[\[}}2.000000e+00, -9.800000e+01]]], {{\[\[\[}}1.000000e+00, 1.000000e+00]], {{\[\[}}2.000000e+00, 2.000000e+00]]]]> : tensor<2x2x1x2xf32>
// CHECK: %[[A:.+]] = vit.add %[[S]], %[[C]] : (tensor<2x2x1x2xf32>, tensor<2x2x1x2xf32>)
// CHECK: %[[P:.+]] = vit.softmax %[[A]] : tensor<2x2x1x2xf32>
// CHECK: return %[[P]]
func.func @windows(%q: tensor<2x2x1x3xf32>, %k: tensor<2x2x2x3xf32>) -> tensor<2x2x1x2xf32> {
  %bias = arith.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %mask = arith.constant dense<[[[[[0.0, -100.0]]], [[[0.0, 0.0]]]]]> : tensor<1x2x1x1x2xf32>
  %s = vit.matmul %q, %k transpose_rhs : (tensor<2x2x1x3xf32>, tensor<2x2x2x3xf32>) -> tensor<2x2x1x2xf32>
  %b = vit.add %s, %bias : (tensor<2x2x1x2xf32>, tensor<1x2x1x1xf32>) -> tensor<2x2x1x2xf32>
  %r = vit.reshape %b to [1, 2, 2, 1, 2] : tensor<2x2x1x2xf32> -> tensor<1x2x2x1x2xf32>
  %m = vit.add %r, %mask : (tensor<1x2x2x1x2xf32>, tensor<1x2x1x1x2xf32>) -> tensor<1x2x2x1x2xf32>
  %t = vit.reshape %m to [2, 2, 1, 2] : tensor<1x2x2x1x2xf32> -> tensor<2x2x1x2xf32>
  %p = vit.softmax %t : tensor<2x2x1x2xf32> -> tensor<2x2x1x2xf32>
  return %p : tensor<2x2x1x2xf32>
}
