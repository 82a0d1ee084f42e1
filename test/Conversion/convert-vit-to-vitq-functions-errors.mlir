// What functions by lines and polynomials cannot be lowered for.
// RUN: not vitq-opt %s --convert-vit-to-vitq --split-input-file 2>&1 >/dev/null | FileCheck %s --implicit-check-not=error:

!x = !quant.uniform<i8:f32, 0.0005>

// CHECK: error: loc("mlp/gelu"): 'mlp/gelu': the polynomial leaves 32 bits for the input scale 5.000000e-04; use --nonlinear=table for it
func.func @poly_too_fine(%x: tensor<1x2x!x>) -> tensor<1x2x!x> {
  %0 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!x> loc("mlp/gelu")
  return %0 : tensor<1x2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 1.0e-10>
!y = !quant.uniform<u8:f32, 0.005>

// CHECK: error: loc("mlp/sigmoid"): 'mlp/sigmoid': at lambda 0 and scale 1e-10, 32-bit intercepts in steps are too narrow; {{.*}}; use --nonlinear=table for it
func.func @intercepts_too_wide(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.sigmoid using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/sigmoid")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.1>
!y = !quant.uniform<i32:f32, 0.1>

// CHECK: error: loc("mlp/silu"): a piecewise-linear function needs an input and a result of at most 16 bits, got 8 and 32 bits
func.func @wide_result(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.silu using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/silu")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32:1, {0.1, 0.2}>
!y = !quant.uniform<i8:f32, 0.1>

// CHECK: error: loc("mlp/silu"): 'mlp/silu' needs one scale per tensor here, but axis 1 has 2
func.func @channels_of_input(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.silu using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/silu")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.1>
!y = !quant.uniform<i8:f32:0, {0.1, 0.2}>

// CHECK: error: loc("mlp/silu"): the result of 'mlp/silu' may vary in scale along the last axis only
func.func @channels_in_front(%x: tensor<2x1x!x>) -> tensor<2x1x!y> {
  %0 = vit.silu using lut:8 %x : tensor<2x1x!x> -> tensor<2x1x!y> loc("mlp/silu")
  return %0 : tensor<2x1x!y>
}
