// RUN: vitq-opt %s --vit-select-nonlinear | FileCheck %s --check-prefix=TABLE
// RUN: vitq-opt %s --vit-select-nonlinear=nonlinear=shift | FileCheck %s --check-prefix=SHIFT
// RUN: not vitq-opt %s --vit-select-nonlinear=nonlinear=magic 2>&1 | FileCheck %s --check-prefix=BAD

// BAD: magic

!u = !quant.uniform<u8:f32, 0.5:128>
!i = !quant.uniform<i16:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.5>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!s = !quant.uniform<i32:f32, 0.0039215686274509803>

// TABLE-LABEL: func.func @all
// SHIFT-LABEL: func.func @all
func.func @all(%x: tensor<1x2x!u>, %i: tensor<1x2x!i>, %a: tensor<1x2x!a>, %f: tensor<1x2xf32>) {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // TABLE: vit.gelu erf using table
  // SHIFT: vit.gelu erf using shift
  %0 = vit.gelu erf %x : tensor<1x2x!u> -> tensor<1x2x!u>
  // TABLE: vit.layer_norm using table
  // SHIFT: vit.layer_norm using shift
  %1 = vit.layer_norm %i, %g, %g eps 1.0e-6 : (tensor<1x2x!i>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  // TABLE: vit.softmax_numerator using table
  // SHIFT: vit.softmax_numerator using shift
  %2, %3 = vit.softmax_numerator %a : tensor<1x2x!a> -> tensor<1x2x!e>, tensor<1x!s>
  // A function without a shift form keeps its table.
  // TABLE: vit.tanh using table
  // SHIFT: vit.tanh using table
  %4 = vit.tanh %x : tensor<1x2x!u> -> tensor<1x2x!u>
  // Floats are not chosen for.
  // TABLE: vit.gelu erf %
  // SHIFT: vit.gelu erf %
  %5 = vit.gelu erf %f : tensor<1x2xf32> -> tensor<1x2xf32>
  return
}
