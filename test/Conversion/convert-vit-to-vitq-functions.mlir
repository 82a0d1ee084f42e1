// Functions of one variable by lines and by I-BERT's polynomial.
// RUN: vitq-opt %s --convert-vit-to-vitq --split-input-file | FileCheck %s

!x = !quant.uniform<u8:f32, 0.1:10>
!y = !quant.uniform<u8:f32, 0.05:3>

// Lines in units of 0.1 * 2^-6, breakpoints relative to the zero point; the last one is
// x itself: 64 * q. 0.1 * 2^-6 / 0.05 = 2^-5.
// CHECK-LABEL: func.func @eight_bits
func.func @eight_bits(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!y>, tensor<1x2x!y>) {
  // CHECK: vitq.pwl %{{.+}} lines <breakpoints = [{{([0-9-]+, )+[0-9]+}}], slopes = [{{([0-9-]+, )+}}64], intercepts = [{{([0-9-]+, )+}}0]> by <1073741824, 35> round half_up
  // CHECK-SAME: input <unsigned, zero = 10> result <unsigned, zero = 3> {vitq.id = 0 : i64} : tensor<1x2xi8> -> tensor<1x2xi8>
  %0 = vit.gelu erf using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  // floor(1.769 * sqrt(2) / 0.1), floor(2 / (0.2888 * 0.01)), 0.1 / (2 * 692) / 0.05
  // CHECK: vitq.poly_gelu %{{.+}} clip 25 one 692 by <1588889636, 40> round half_up input <unsigned, zero = 10> result <unsigned, zero = 3> {vitq.id = 1 : i64}
  %1 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!y>
  // CHECK: vitq.pwl %{{.+}} lines <breakpoints = [{{[0-9]+}}], slopes = [{{[0-9]+}}, 0], intercepts = [{{-?[0-9]+, [0-9]+}}]> by <1073741824, 35>
  %2 = vit.tanh using lut:2 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  return %0, %1, %2 : tensor<1x2x!y>, tensor<1x2x!y>, tensor<1x2x!y>
}

// -----

!x = !quant.uniform<i16:f32, 0.0005>
!y = !quant.uniform<i16:f32, 0.001>
!z = !quant.uniform<u16:f32, 0.0001:200>

// CHECK-LABEL: func.func @sixteen_bits
func.func @sixteen_bits(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!z>) {
  // CHECK: vitq.pwl %{{.+}} lines <breakpoints = [-{{([0-9-]+, )+[0-9]+}}], {{.+}}> by <1073741824, 37> round half_up {vitq.id = 0 : i64} : tensor<1x2xi16> -> tensor<1x2xi16>
  %0 = vit.gelu erf using lut:8 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  // CHECK: vitq.pwl %{{.+}} lines <breakpoints = [-{{([0-9-]+, )+[0-9]+}}], {{.+}}> by <1342177280, 34> round half_up result <unsigned, zero = 200> {vitq.id = 1 : i64} : tensor<1x2xi16> -> tensor<1x2xi16>
  %1 = vit.sigmoid using lut:16 %x : tensor<1x2x!x> -> tensor<1x2x!z>
  return %0, %1 : tensor<1x2x!y>, tensor<1x2x!z>
}

// -----

!x = !quant.uniform<i8:f32, 0.05>
!y = !quant.uniform<u8:f32:1, {0.05:7, 0.025:7}>

// CHECK-LABEL: func.func @channels
func.func @channels(%x: tensor<1x2x!x>) -> (tensor<1x2x!y>, tensor<1x2x!y>) {
  // CHECK: vitq.pwl %{{.+}} by <[1073741824, 1073741824], [36, 35]> round half_up result <unsigned, zero = 7>
  %0 = vit.silu using lut:4 %x : tensor<1x2x!x> -> tensor<1x2x!y>
  // CHECK: vitq.poly_gelu %{{.+}} clip 50 one 2770 by <[1587742423, 1587742423], [43, 42]> round half_up result <unsigned, zero = 7>
  %1 = vit.gelu erf using poly %x : tensor<1x2x!x> -> tensor<1x2x!y>
  return %0, %1 : tensor<1x2x!y>, tensor<1x2x!y>
}
