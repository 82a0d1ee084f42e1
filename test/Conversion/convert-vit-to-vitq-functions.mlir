// Functions of one variable by lines and by I-BERT's polynomial.
// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file --verify-diagnostics | FileCheck %s

!x = !quant.uniform<u8:f32, 0.1:10>
!y = !quant.uniform<u8:f32, 0.05:3>
func.func @eight_bits(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!y>, tensor<1x2x!y>) {
  %0 = vit.gelu erf using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  %1 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!y>
  %2 = vit.tanh using lut:2 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  return %0, %1, %2 : tensor<1x2x!y>, tensor<1x2x!y>, tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i16:f32, 0.0005>
!y = !quant.uniform<i16:f32, 0.001>
!z = !quant.uniform<u16:f32, 0.0001:200>
func.func @sixteen_bits(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!z>) {
  %0 = vit.gelu erf using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  %1 = vit.sigmoid using lut:16 %x : tensor<1x2x!x> -> tensor<1x2x!z>
  return %0, %1 : tensor<1x2x!y>, tensor<1x2x!z>
}

// -----

!x = !quant.uniform<i8:f32, 0.05>
!y = !quant.uniform<u8:f32:1, {0.05:7, 0.025:7}>
func.func @channels(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!y>) {
  %0 = vit.silu using lut:4 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  %1 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!y>
  return %0, %1 : tensor<1x2x!y>, tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.001>
func.func @poly_too_fine(%x: tensor<1x2x!x>) -> tensor<1x2x!x> {
  %0 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!x> loc("mlp/gelu")
  return %0 : tensor<1x2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 1.0e-9>
!y = !quant.uniform<u8:f32, 0.005>
func.func @intercepts_too_wide(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.sigmoid using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/sigmoid")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 100.0>
func.func @slopes_are_zero(%x: tensor<1x2x!x>) -> tensor<1x2x!x> {
  %0 = vit.tanh using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!x> loc("mlp/tanh")
  return %0 : tensor<1x2x!x>
}

// -----

!x = !quant.uniform<i8:f32, 0.1>
!y = !quant.uniform<i32:f32, 0.1>
func.func @wide_result(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.silu using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/silu")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32:1, {0.1, 0.2}>
!y = !quant.uniform<i8:f32, 0.1>
func.func @channels_of_input(%x: tensor<1x2x!x>) -> tensor<1x2x!y> {
  %0 = vit.silu using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y> loc("mlp/silu")
  return %0 : tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i8:f32, 0.1>
!y = !quant.uniform<i8:f32:0, {0.1, 0.2}>
func.func @channels_in_front(%x: tensor<2x1x!x>) -> tensor<2x1x!y> {
  %0 = vit.silu using lut:8 %x : tensor<2x1x!x> -> tensor<2x1x!y> loc("mlp/silu")
  return %0 : tensor<2x1x!y>
}
