// Every numbered constraint of dialects/vitq/Vitq{Ops,Attrs}.td, violated. The labels are
// checked by test/lint/constraints.test.
// RUN: vitq-opt %s -split-input-file -verify-diagnostics

// vitq.matmul C1
func.func @matmul_1(%a: tensor<3x4xi8>, %b: tensor<5x6xi8>) {
  // expected-error @+1 {{contracted sizes 4 and 5 differ}}
  %0 = vitq.matmul %a, %b : (tensor<3x4xi8>, tensor<5x6xi8>) -> tensor<3x6xi32>
  return
}

// -----

// vitq.matmul C1
func.func @matmul_2(%a: tensor<2x3x4xi8>, %b: tensor<3x4x6xi8>) {
  // expected-error @+1 {{batch dimensions of [2, 3, 4] and [3, 4, 6] differ}}
  %0 = vitq.matmul %a, %b : (tensor<2x3x4xi8>, tensor<3x4x6xi8>) -> tensor<2x3x6xi32>
  return
}

// -----

// vitq.matmul C1
func.func @matmul_3(%a: tensor<3x4xi8>, %b: tensor<4x6xi8>, %c: tensor<3xi32>) {
  // expected-error @+1 {{bias must have shape [6], got [3]}}
  %0 = vitq.matmul %a, %b, %c : (tensor<3x4xi8>, tensor<4x6xi8>, tensor<3xi32>) -> tensor<3x6xi32>
  return
}

// -----

// vitq.matmul C1
func.func @matmul_4(%a: tensor<3x4xi8>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{'vitq.matmul' op result #0 has shape [6, 3] but the operands give [3, 6]}}
  %0 = vitq.matmul %a, %b : (tensor<3x4xi8>, tensor<4x6xi8>) -> tensor<6x3xi32>
  return
}

// -----

// vitq.matmul C2
func.func @matmul_5(%a: tensor<3x4xi8>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{lhs zero point 128 is outside [-128, 127]}}
  %0 = vitq.matmul %a, %b lhs <signed, zero = 128> : (tensor<3x4xi8>, tensor<4x6xi8>) -> tensor<3x6xi32>
  return
}

// -----

// vitq.matmul C2
func.func @matmul_6(%a: tensor<3x4xi8>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{lhs zero point -1 is outside [0, 255]}}
  %0 = vitq.matmul %a, %b lhs <unsigned, zero = -1> : (tensor<3x4xi8>, tensor<4x6xi8>) -> tensor<3x6xi32>
  return
}

// -----

// No floats.
func.func @f7(%a: tensor<3x4xf32>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor of i2 to i8, or i16}}
  %0 = vitq.matmul %a, %b : (tensor<3x4xf32>, tensor<4x6xi8>) -> tensor<3x6xi32>
  return
}

// -----

// Shapes are static.
func.func @f8(%a: tensor<?x4xi8>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor}}
  %0 = vitq.matmul %a, %b : (tensor<?x4xi8>, tensor<4x6xi8>) -> tensor<?x6xi32>
  return
}

// -----

// Types are signless.
func.func @f9(%a: tensor<3x4xui8>, %b: tensor<4x6xi8>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor}}
  %0 = vitq.matmul %a, %b : (tensor<3x4xui8>, tensor<4x6xi8>) -> tensor<3x6xi32>
  return
}

// -----

// vitq.requant C1
func.func @requant_10(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{requantization has 2 multipliers for 3 channels}}
  %0 = vitq.requant %x by <[1, 2], [3, 4]> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C1
func.func @requant_11(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{axis 2 is outside rank 2}}
  %0 = vitq.requant %x by <[1, 2], [3, 4]> round half_up {axis = 2 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C1
func.func @requant_12(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{axis -3 is outside rank 2}}
  %0 = vitq.requant %x by <[1, 2], [3, 4]> round half_up {axis = -3 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C2
func.func @requant_13(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{clamp range [5, 4] is not inside [-128, 127]}}
  %0 = vitq.requant %x by <1, 2> round half_up {min = 5 : i64, max = 4 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C2
func.func @requant_14(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{clamp range [-1, 255] is not inside [0, 255]}}
  %0 = vitq.requant %x by <1, 2> round half_up result <unsigned> {min = -1 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C3
func.func @requant_15(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{zero point 128 is outside [-128, 127]}}
  %0 = vitq.requant %x by <1, 2> round half_up result <signed, zero = 128> : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// vitq.requant C3
func.func @requant_16(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{input zero point of a 32-bit value must be 0}}
  %0 = vitq.requant %x by <1, 2> round half_up input <signed, zero = 1> : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @f17(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{result #0 has shape [3, 2] but the operands give [2, 3]}}
  %0 = vitq.requant %x by <1, 2> round half_up : tensor<2x3xi32> -> tensor<3x2xi8>
  return
}

// -----

// vitq.add C1
func.func @add_18(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{shape [2, 3] does not broadcast to [3]}}
  %0 = vitq.add %b by <1, 1>, %a by <1, 1> round half_up : (tensor<3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.add C1
func.func @add_19(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{result #0 has shape [3] but the operands give [2, 3]}}
  %0 = vitq.add %a by <1, 1>, %b by <1, 1> round half_up : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<3xi8>
  return
}

// -----

// vitq.add C2
func.func @add_20(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{lhs has 2 multipliers for 3 channels}}
  %0 = vitq.add %a by <[1, 2], [1, 1]>, %b by <1, 1> round half_up : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.add C2
func.func @add_21(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{rhs has 2 multipliers for 3 channels}}
  %0 = vitq.add %a by <1, 1>, %b by <[1, 2], [1, 1]> round half_up : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.add C3
func.func @add_22(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{lhs zero point 200 is outside [-128, 127]}}
  %0 = vitq.add %a by <1, 1>, %b by <1, 1> round half_up lhs <signed, zero = 200> : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.add C3
func.func @add_23(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{rhs zero point 256 is outside [0, 255]}}
  %0 = vitq.add %a by <1, 1>, %b by <1, 1> round half_up rhs <unsigned, zero = 256> : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.add C3
func.func @add_24(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{zero point -1 is outside [0, 255]}}
  %0 = vitq.add %a by <1, 1>, %b by <1, 1> round half_up result <unsigned, zero = -1> : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.mul C1
func.func @mul_25(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{shape [2, 3] does not broadcast to [3]}}
  %0 = vitq.mul %b, %a by <1, 1> round half_up : (tensor<3xi8>, tensor<2x3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.mul C2
func.func @mul_26(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{product has 2 multipliers for 3 channels}}
  %0 = vitq.mul %a, %b by <[1, 2], [1, 1]> round half_up : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.mul C3
func.func @mul_27(%a: tensor<2x3xi8>, %b: tensor<3xi8>) {
  // expected-error @+1 {{rhs zero point 200 is outside [-128, 127]}}
  %0 = vitq.mul %a, %b by <1, 1> round half_up rhs <signed, zero = 200> : (tensor<2x3xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.mul C4
func.func @mul_28(%a: tensor<3xi16>) {
  // expected-error @+1 {{products up to 4294836225 do not fit 32 bits}}
  %0 = vitq.mul %a, %a by <1, 1> round half_up lhs <unsigned> rhs <unsigned> : (tensor<3xi16>, tensor<3xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.mul C4
func.func @mul_29(%a: tensor<3xi16>) {
  // expected-error @+1 {{products up to 4294836225 do not fit 32 bits}}
  %0 = vitq.mul %a, %a by <1, 1> round half_up lhs <signed, zero = 32767> rhs <signed, zero = -32768> : (tensor<3xi16>, tensor<3xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.sum C1
func.func @sum_30(%a: tensor<2x3xi8>) {
  // expected-error @+1 {{axes [1, 1] must be sorted, distinct and below the rank 2}}
  %0 = vitq.sum %a axes [1, 1] : tensor<2x3xi8> -> tensor<2xi32>
  return
}

// -----

// vitq.sum C2
func.func @sum_31(%a: tensor<32769xi16>) {
  // expected-error @+1 {{a sum of 32769 values of 16 bits may not fit 32 bits}}
  %0 = vitq.sum %a axes [0] : tensor<32769xi16> -> tensor<i32>
  return
}

// -----

// vitq.sum C3
func.func @sum_32(%a: tensor<2x3xi8>) {
  // expected-error @+1 {{input zero point -129 is outside [-128, 127]}}
  %0 = vitq.sum %a axes [1] input <signed, zero = -129> : tensor<2x3xi8> -> tensor<2xi32>
  return
}

// -----

// vitq.table C1
func.func @table_33(%a: tensor<3xi8>, %t: tensor<255xi8>) {
  // expected-error @+1 {{needs a table [256]}}
  %0 = vitq.table %a, %t : (tensor<3xi8>, tensor<255xi8>) -> tensor<3xi8>
  return
}

// -----

// vitq.table C1
func.func @table_34(%a: tensor<3xi8>, %t: tensor<2x256xi8>) {
  // expected-error @+1 {{needs a table [256]}}
  %0 = vitq.table %a, %t : (tensor<3xi8>, tensor<2x256xi8>) -> tensor<3xi8>
  return
}

// -----

// vitq.table C1
func.func @table_35(%a: tensor<3xi8>, %t: tensor<2x256xi8>, %i: tensor<4xi8>) {
  // expected-error @+1 {{with one index per channel}}
  %0 = vitq.table %a, %t, %i : (tensor<3xi8>, tensor<2x256xi8>, tensor<4xi8>) -> tensor<3xi8>
  return
}

// -----

// vitq.table C1
func.func @table_36(%a: tensor<3xi8>, %t: tensor<129x256xi8>, %i: tensor<3xi8>) {
  // expected-error @+1 {{T <= 128}}
  %0 = vitq.table %a, %t, %i : (tensor<3xi8>, tensor<129x256xi8>, tensor<3xi8>) -> tensor<3xi8>
  return
}

// -----

// vitq.table C2
func.func @table_37(%a: tensor<3xi8>, %t: tensor<256xi16>) {
  // expected-error @+1 {{table and result must have the same element type}}
  %0 = vitq.table %a, %t : (tensor<3xi8>, tensor<256xi16>) -> tensor<3xi8>
  return
}

// -----

// vitq.interpolate C1
func.func @interpolate_1(%x: tensor<3xi16>, %t: tensor<1024xi16>) {
  // expected-error @+1 {{needs a table [1025]}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <1, 1> : (tensor<3xi16>, tensor<1024xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C1
func.func @interpolate_2(%x: tensor<3xi16>, %t: tensor<1025xi8>) {
  // expected-error @+1 {{operand #1 must be statically shaped tensor of i16}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <1, 1> : (tensor<3xi16>, tensor<1025xi8>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C1
func.func @interpolate_3(%x: tensor<3xi32>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor of i16}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <1, 1> : (tensor<3xi32>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C1
func.func @interpolate_4(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{result #0 has shape [4] but the operands give [3]}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <1, 1> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<4xi16>
  return
}

// -----

// vitq.interpolate C2
func.func @interpolate_5(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{shift 7 is outside [0, 6]}}
  %0 = vitq.interpolate %x, %t start 0 shift 7 tail_by <1, 1> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C2
func.func @interpolate_6(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{shift -1 is outside [0, 6]}}
  %0 = vitq.interpolate %x, %t start 0 shift -1 tail_by <1, 1> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C2
func.func @interpolate_7(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{start 32768 is outside [-32768, 32767]}}
  %0 = vitq.interpolate %x, %t start 32768 shift 0 tail_by <1, 1> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C3
func.func @interpolate_8(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{tail needs exactly one multiplier, which is positive}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <0, 1> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.interpolate C3
func.func @interpolate_9(%x: tensor<3xi16>, %t: tensor<1025xi16>) {
  // expected-error @+1 {{tail needs exactly one multiplier, which is positive}}
  %0 = vitq.interpolate %x, %t start 0 shift 0 tail_by <[1, 1, 1], [1, 1, 1]> : (tensor<3xi16>, tensor<1025xi16>) -> tensor<3xi16>
  return
}

// -----

// vitq.pwl C1
func.func @pwl_high(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{has a line that leaves 32 bits for some code of its input}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 16777216], intercepts = [0, 16777216]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.pwl C1
func.func @pwl_low(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{has a line that leaves 32 bits for some code of its input}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [16777216, 1], intercepts = [-1, 0]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.pwl C1
func.func @pwl_zero_point(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{has a line that leaves 32 bits for some code of its input}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 65536], intercepts = [0, 0]> by <1, 1> round half_up input <signed, zero = -1> : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.pwl C2
func.func @pwl_channels(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{by has 2 multipliers for 3 channels}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4]> by <[1, 2], [1, 1]> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.pwl C3
func.func @pwl_input_zero(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{input zero point -1 is outside [0, 255]}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4]> by <1, 1> round half_up input <unsigned, zero = -1> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.pwl C3
func.func @pwl_zero(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{zero point 128 is outside [-128, 127]}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4]> by <1, 1> round half_up result <signed, zero = 128> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C1
func.func @poly_gelu_clip(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs clip >= 0, one >= 1 and a product within 32 bits; got clip -1 and one 9}}
  %0 = vitq.poly_gelu %x clip -1 one 9 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C1
func.func @poly_gelu_one(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs clip >= 0, one >= 1 and a product within 32 bits; got clip 5 and one 0}}
  %0 = vitq.poly_gelu %x clip 5 one 0 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C1
func.func @poly_gelu_wide_one(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs clip >= 0, one >= 1 and a product within 32 bits; got clip 0 and one 8388608}}
  %0 = vitq.poly_gelu %x clip 0 one 8388608 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C1
func.func @poly_gelu_wide_clip(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs clip >= 0, one >= 1 and a product within 32 bits; got clip 4096 and one 1}}
  %0 = vitq.poly_gelu %x clip 4096 one 1 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C1
func.func @poly_gelu_codes(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{needs clip >= 0, one >= 1 and a product within 32 bits; got clip 5 and one 32768}}
  %0 = vitq.poly_gelu %x clip 5 one 32768 by <1, 1> round half_up : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C2
func.func @poly_gelu_channels(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{by has 4 multipliers for 3 channels}}
  %0 = vitq.poly_gelu %x clip 5 one 6 by <[1, 2, 3, 4], [1, 1, 1, 1]> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C3
func.func @poly_gelu_input_zero(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{input zero point 256 is outside [0, 255]}}
  %0 = vitq.poly_gelu %x clip 5 one 6 by <1, 1> round half_up input <unsigned, zero = 256> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.poly_gelu C3
func.func @poly_gelu_zero(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{zero point of a 32-bit value must be 0}}
  %0 = vitq.poly_gelu %x clip 5 one 6 by <1, 1> round half_up result <signed, zero = 1> : tensor<2x3xi8> -> tensor<2x3xi32>
  return
}

// -----

// vitq.gelu C1
func.func @gelu_38(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{exponent step 0 is outside [-65536, -1]}}
  %0 = vitq.gelu shift %x exponent_step 0 fraction_bits 8 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.gelu C1
func.func @gelu_39(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{exponent step -65537 is outside [-65536, -1]}}
  %0 = vitq.gelu shift %x exponent_step -65537 fraction_bits 8 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.gelu C1
func.func @gelu_40(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{fraction bits 31 are outside [1, 30]}}
  %0 = vitq.gelu shift %x exponent_step -5 fraction_bits 31 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.gelu C2
func.func @gelu_41(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs exactly one multiplier}}
  %0 = vitq.gelu shift %x exponent_step -5 fraction_bits 8 by <[1, 2, 3], [1, 1, 1]> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.gelu C3
func.func @gelu_42(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{input zero point 128 is outside [-128, 127]}}
  %0 = vitq.gelu shift %x exponent_step -5 fraction_bits 8 by <1, 1> round half_up input <signed, zero = 128> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.gelu C4
func.func @gelu_43(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{reciprocal bits 32 are neither 31 nor 62}}
  %0 = vitq.gelu shift %x exponent_step -5 fraction_bits 8 reciprocal_bits 32 by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.softmax C1
func.func @softmax_43(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{result #1 has shape [1, 2, 4] but the operands give [1, 2, 3]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x4xi32>)
  return
}

// -----

// vitq.softmax C1
func.func @softmax_44(%x: tensor<8388609xi32>) {
  // expected-error @+1 {{rows of more than 2^23 elements overflow the sum of codes}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1, 1> : (tensor<8388609xi32>) -> (tensor<8388609xi8>, tensor<i32>)
  return
}

// -----

// vitq.softmax C1
func.func @softmax_45(%x: tensor<i32>) {
  // expected-error @+1 {{expects rank >= 1}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1, 1> : (tensor<i32>) -> (tensor<i8>, tensor<i32>)
  return
}

// -----

// vitq.softmax C2
func.func @softmax_50(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{softmax has 3 multipliers for 2 channels}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <[1, 2, 3], [1, 1, 1]> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.softmax C2
func.func @softmax_51(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{multipliers must be positive}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <[1, 0], [1, 1]> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.softmax C2
func.func @softmax_52(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{multipliers per head need an input of rank >= 3}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi8>> by <[1, 2, 3], [1, 1, 1]> : (tensor<2x3xi32>) -> (tensor<2x3xi8>, tensor<2xi32>)
  return
}

// -----

// #vitq.exp_shift C1
func.func @softmax_53(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{code shift 47 is outside [1, 46]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_shift<step = -16, fraction_bits = 15, code_shift = 47> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_shift C1
func.func @softmax_54(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{step 0 is outside [-65536, -1]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_shift<step = 0, fraction_bits = 15, code_shift = 8> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_shift C1
func.func @softmax_55(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{fraction bits 0 are outside [1, 30]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_shift<step = -16, fraction_bits = 0, code_shift = 8> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.softmax C3
// #vitq.exp_log2 C2
func.func @softmax_201(%x: tensor<131072xi32>) {
  // expected-error @+1 {{the sum of 131072 codes up to 2^14 may not fit 32 bits}}
  %0, %1 = vitq.softmax %x with #vitq.exp_log2<top_exponent = 14> by <1, 1> : (tensor<131072xi32>) -> (tensor<131072xi16>, tensor<i32>)
  return
}

// -----

// #vitq.exp_table C1
func.func @softmax_202(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{exp_table needs 256 entries of 2 to 8 bits, not 'tensor<255xi8>'}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<255xi8>> by <1, 1> : (tensor<2x3xi32>) -> (tensor<2x3xi8>, tensor<2xi32>)
  return
}

// -----

// vitq.softmax C3
// #vitq.exp_log2 C2
func.func @softmax_208(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{codes of 'log2' have 16 bits, not 8}}
  %0, %1 = vitq.softmax %x with #vitq.exp_log2<top_exponent = 14> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.softmax C3
// #vitq.exp_pwl C2
func.func @softmax_209(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{codes of 'lut:3' have 2 to 8 bits, not 16}}
  %0, %1 = vitq.softmax %x with #vitq.exp_pwl<lines = <breakpoints = [-85, -31], slopes = [2, 44, 162], intercepts = [447, 4052, 7771]>, code_shift = 5> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_octave C1
func.func @softmax_octave_count(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{exp_octave needs 256 entries of 16 bits from 1 to 16384, of which the first is the largest}}
  %0, %1 = vitq.softmax %x with #vitq.exp_octave<dense<1> : tensor<255xi16>> by <1, 1> : (tensor<2x3xi32>) -> (tensor<2x3xi16>, tensor<2xi32>)
  return
}

// -----

// #vitq.exp_octave C1
func.func @softmax_octave_zero(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{exp_octave needs 256 entries of 16 bits from 1 to 16384, of which the first is the largest}}
  %0, %1 = vitq.softmax %x with #vitq.exp_octave<dense<0> : tensor<256xi16>> by <1, 1> : (tensor<2x3xi32>) -> (tensor<2x3xi16>, tensor<2xi32>)
  return
}

// -----

// vitq.softmax C3
// #vitq.exp_octave C2
func.func @softmax_octave_bits(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{codes of 'exp_octave' have 16 bits, not 8}}
  %0, %1 = vitq.softmax %x with #vitq.exp_octave<dense<1> : tensor<256xi16>> by <1, 1> : (tensor<2x3xi32>) -> (tensor<2x3xi8>, tensor<2xi32>)
  return
}

// -----

// vitq.softmax C3
// #vitq.exp_octave C2
func.func @softmax_octave_sum(%x: tensor<131072xi32>) {
  // expected-error @+1 {{the sum of 131072 codes up to 16384 may not fit 32 bits}}
  %0, %1 = vitq.softmax %x with #vitq.exp_octave<dense<16384> : tensor<256xi16>> by <1, 1> : (tensor<131072xi32>) -> (tensor<131072xi16>, tensor<i32>)
  return
}

// -----

// #vitq.exp_log2 C1
func.func @softmax_210(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{top exponent 15 is outside [1, 14]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_log2<top_exponent = 15> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_poly C1
func.func @softmax_211(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{the polynomial is not positive on an octave, or exceeds 62 bits}}
  %0, %1 = vitq.softmax %x with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 736, code_shift = 18> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_poly C1
func.func @softmax_212(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{the polynomial is not positive on an octave, or exceeds 62 bits}}
  %0, %1 = vitq.softmax %x with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 140737488355328, code_shift = 18> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_pwl C1
func.func @softmax_213(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{exp_pwl has a line that leaves 32 bits for some distance}}
  %0, %1 = vitq.softmax %x with #vitq.exp_pwl<lines = <breakpoints = [-3], slopes = [0, 2147483647], intercepts = [0, 0]>, code_shift = 5> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.softmax C3
func.func @softmax_table(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{codes of 'table' have the 4 bits of its entries, not 8}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi4>> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_table C1
func.func @softmax_table2(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{exp_table needs 256 entries of 2 to 8 bits, not 'tensor<256xi16>'}}
  %0, %1 = vitq.softmax %x with #vitq.exp_table<dense<1> : tensor<256xi16>> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_shift C2
func.func @softmax_shift(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{codes of 'shift' have 2 to 8 bits, not 16}}
  %0, %1 = vitq.softmax %x with #vitq.exp_shift<step = -16, fraction_bits = 15, code_shift = 8> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_poly C2
func.func @softmax_poly(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{codes of 'poly' have 2 to 8 bits, not 16}}
  %0, %1 = vitq.softmax %x with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 1487, code_shift = 18> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>)
  return
}

// -----

// #vitq.exp_pwl C1
func.func @softmax_214(%x: tensor<1x2x3x4xi32>) {
  // expected-error @+1 {{code shift 31 is outside [1, 30]}}
  %0, %1 = vitq.softmax %x with #vitq.exp_pwl<lines = <breakpoints = [-85, -31], slopes = [2, 44, 162], intercepts = [447, 4052, 7771]>, code_shift = 31> by <1, 1> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi8>, tensor<1x2x3xi32>)
  return
}

// -----

// vitq.shiftmax C1
func.func @shiftmax_1(%x: tensor<i8>) {
  // expected-error @+1 {{expects rank >= 1}}
  %0 = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<i8> -> tensor<i16>
  return
}

// -----

// vitq.shiftmax C2
func.func @shiftmax_2(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{exponent step 0 is outside [-1073741824, -1]}}
  %0 = vitq.shiftmax %x exponent_step 0 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.shiftmax C2
func.func @shiftmax_3(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{exponent step -1073741825 is outside [-1073741824, -1]}}
  %0 = vitq.shiftmax %x exponent_step -1073741825 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.shiftmax C2
func.func @shiftmax_4(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{fraction bits 31 are outside [1, 30]}}
  %0 = vitq.shiftmax %x exponent_step -20 fraction_bits 31 reciprocal_bits 31 result_bits 16 : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.shiftmax C3
func.func @shiftmax_5(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{reciprocal bits 30 are neither 31 nor 62}}
  %0 = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 30 result_bits 16 : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.shiftmax C4
func.func @shiftmax_6(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{result bits 8 are not the width of the result, 16}}
  %0 = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 8 : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.divide_rows C1
func.func @divide_rows_56(%x: tensor<2x3xi32>, %s: tensor<3xi32>) {
  // expected-error @+1 {{sums must have the input's shape without its last axis}}
  %0 = vitq.divide_rows %x, %s by <1, 1> round half_up : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.divide_rows C2
func.func @divide_rows_57(%x: tensor<2x3xi32>, %s: tensor<2xi32>) {
  // expected-error @+1 {{requantization has 2 multipliers for 3 channels}}
  %0 = vitq.divide_rows %x, %s by <[1, 2], [1, 1]> round half_up : (tensor<2x3xi32>, tensor<2xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.divide_rows C3
func.func @divide_rows_58(%x: tensor<2x3xi32>, %s: tensor<2xi32>) {
  // expected-error @+1 {{zero point 256 is outside [0, 255]}}
  %0 = vitq.divide_rows %x, %s by <1, 1> round half_up result <unsigned, zero = 256> : (tensor<2x3xi32>, tensor<2xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.divide_rows C4
func.func @divide_rows_215(%x: tensor<2x3xi32>, %s: tensor<2xi32>) {
  // expected-error @+1 {{lines must stay between 5/8 of the reciprocal and the reciprocal}}
  %0 = vitq.divide_rows %x, %s by <1, 1> round half_up lines <breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, 2800000]> : (tensor<2x3xi32>, tensor<2xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.divide_rows C4
func.func @divide_rows_216(%x: tensor<2x3xi32>, %s: tensor<2xi32>) {
  // expected-error @+1 {{lines must stay between 5/8 of the reciprocal and the reciprocal}}
  %0 = vitq.divide_rows %x, %s by <1, 1> round half_up lines <breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, 2093998]> : (tensor<2x3xi32>, tensor<2xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C1
func.func @layer_norm_59(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{needs one multiplier and one offset for each of 3 channels}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <1, 4> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C1
func.func @layer_norm_60(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{needs one multiplier and one offset for each of 3 channels}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <[1, 2, 3], [4, 5, 6]> offsets [0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.norm_shift C1
func.func @norm_of_many_channels(%x: tensor<65537xi8>) {
  // expected-error @+1 {{with 65537 channels overflows 64 bits}}
  %0 = vitq.layer_norm %x with #vitq.norm_shift by <1, 4> offsets [0] : tensor<65537xi8> -> tensor<65537xi8>
  return
}

// -----

// vitq.layer_norm C2
// #vitq.norm_shift C2
func.func @layer_norm_61(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{needs one post offset for each of 3 channels}}
  %0 = vitq.layer_norm %x with #vitq.norm_shift<post_offsets = [1, 2]> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C2
// #vitq.norm_exact C1
func.func @layer_norm_62(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{with 3 channels and eps 0 overflows 64 bits}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 0> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C2
// #vitq.norm_exact C1
func.func @layer_norm_219(%x: tensor<1x2048xi16>) {
  // expected-error @+1 {{with 2048 channels and eps 1 overflows 64 bits}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1, centered = false> by <1, 4> offsets [0] : tensor<1x2048xi16> -> tensor<1x2048xi8>
  return
}

// -----

// vitq.layer_norm C4
func.func @layer_norm_220(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{without centering needs signed codes with zero point 0}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1, centered = false> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] input <unsigned> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C4
func.func @layer_norm_221(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{without centering needs signed codes with zero point 0}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1, centered = false> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] input <signed, zero = 3> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C3
func.func @layer_norm_63(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{zero point 128 is outside [-128, 127]}}
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] result <signed, zero = 128> : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.layer_norm C2
// #vitq.norm_pwl C1
func.func @layer_norm_218(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{with 3 channels and eps 0 overflows 64 bits}}
  %0 = vitq.layer_norm %x with #vitq.norm_pwl<eps = 0, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, -461], intercepts = [9638200, 6071126, 3824086]>> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.norm_pwl C2
func.func @layer_norm_222(%x: tensor<2x3xi16>) {
  // expected-error @+1 {{lines must stay between half of the inverse root and the inverse root}}
  %0 = vitq.layer_norm %x with #vitq.norm_pwl<eps = 1, lines = <breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, 2793998]>> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return
}

// -----

// vitq.norm_quant C1
func.func @norm_quant_223(%x: tensor<2x3xi16>, %s: tensor<16x3xi32>) {
  // expected-error @+1 {{needs squares [L, 3] with 1 <= L <= 15, and a sign for each channel}}
  %0 = vitq.norm_quant %x, %s negative [false, true, false] eps 1 from 0 : (tensor<2x3xi16>, tensor<16x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.norm_quant C1
func.func @norm_quant_224(%x: tensor<2x3xi16>, %s: tensor<2x3xi32>) {
  // expected-error @+1 {{needs squares [L, 3] with 1 <= L <= 15, and a sign for each channel}}
  %0 = vitq.norm_quant %x, %s negative [false] eps 1 from 0 : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.norm_quant C2
func.func @norm_quant_225(%x: tensor<2x3xi16>, %s: tensor<2x3xi32>) {
  // expected-error @+1 {{with 3 channels and eps 0 overflows 64 bits}}
  %0 = vitq.norm_quant %x, %s negative [false, true, false] eps 0 from 0 : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.norm_quant C3
func.func @norm_quant_226(%x: tensor<2x3xi16>, %s: tensor<2x3xi32>) {
  // expected-error @+1 {{levels 126 to 128 are not inside [-128, 127]}}
  %0 = vitq.norm_quant %x, %s negative [false, true, false] eps 1 from 126 : (tensor<2x3xi16>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.threshold C1
func.func @threshold_227(%x: tensor<2x3xi32>, %t: tensor<3x2xi32>) {
  // expected-error @+1 {{needs thresholds [L], or [L, C] with one column for each channel, 1 <= L <= 15}}
  %0 = vitq.threshold %x, %t from 0 : (tensor<2x3xi32>, tensor<3x2xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.threshold C1
func.func @threshold_228(%x: tensor<2x3xi32>, %t: tensor<16xi32>) {
  // expected-error @+1 {{needs thresholds [L], or [L, C] with one column for each channel, 1 <= L <= 15}}
  %0 = vitq.threshold %x, %t from 0 : (tensor<2x3xi32>, tensor<16xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.threshold C2
func.func @threshold_229(%x: tensor<2x3xi32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{levels 254 to 256 are not inside [0, 255]}}
  %0 = vitq.threshold %x, %t from 254 result <unsigned> : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.threshold C3
func.func @threshold_230(%x: tensor<2x3xi32>, %t: tensor<2x3xi32>) {
  // expected-error @+1 {{a 32-bit input must be signed}}
  %0 = vitq.threshold %x, %t from 0 input <unsigned> : (tensor<2x3xi32>, tensor<2x3xi32>) -> tensor<2x3xi8>
  return
}

// -----

// vitq.extract_patches C1
func.func @extract_patches_64(%x: tensor<1x4x6x3xi8>) {
  // expected-error @+1 {{patch 3x3 does not divide the image 4x6}}
  %0 = vitq.extract_patches %x patch [3, 3] : tensor<1x4x6x3xi8> -> tensor<1x2x27xi8>
  return
}

// -----

// vitq.extract_patches C1
func.func @extract_patches_66(%x: tensor<1x4x6x3xi8>) {
  // expected-error @+1 {{windows of 3x3 with dilations 3x1 reach over 7x3, more than the padded map of 5x6}}
  %0 = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [0, 0, 1, 0] dilations [3, 1] : tensor<1x4x6x3xi8> -> tensor<1x2x27xi8>
  return
}

// -----

// vitq.extract_patches C2
func.func @extract_patches_67(%x: tensor<1x4x6x3xi8>) {
  // expected-error @+1 {{padding needs one code of 8 bits, or one for each of 3 channels}}
  %0 = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [1, 1, 1, 1] padding [1, 2] : tensor<1x4x6x3xi8> -> tensor<1x24x27xi8>
  return
}

// -----

// vitq.extract_patches C2
func.func @extract_patches_68(%x: tensor<1x4x6x3xi8>) {
  // expected-error @+1 {{padding needs one code of 8 bits, or one for each of 3 channels}}
  %0 = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [1, 1, 1, 1] padding [256] : tensor<1x4x6x3xi8> -> tensor<1x24x27xi8>
  return
}

// -----

// vitq.depthwise_conv2d C1
func.func @depthwise_conv2d_69(%x: tensor<1x4x6x3xi8>, %w: tensor<3x3x2xi8>) {
  // expected-error @+1 {{expects a map [B, H, W, C] and a weight [K_h, K_w, C], got [1, 4, 6, 3] and [3, 3, 2]}}
  %0 = vitq.depthwise_conv2d %x, %w : (tensor<1x4x6x3xi8>, tensor<3x3x2xi8>) -> tensor<1x2x4x3xi32>
  return
}

// -----

// vitq.depthwise_conv2d C1
func.func @depthwise_conv2d_70(%x: tensor<1x4x6x3xi8>, %w: tensor<5x3x3xi8>) {
  // expected-error @+1 {{windows of 5x3 with dilations 1x1 reach over 5x3, more than the padded map of 4x6}}
  %0 = vitq.depthwise_conv2d %x, %w : (tensor<1x4x6x3xi8>, tensor<5x3x3xi8>) -> tensor<1x0x4x3xi32>
  return
}

// -----

// vitq.depthwise_conv2d C1
func.func @depthwise_conv2d_71(%x: tensor<1x4x6x3xi8>, %w: tensor<3x3x3xi8>, %b: tensor<2xi32>) {
  // expected-error @+1 {{bias must have shape [3], got [2]}}
  %0 = vitq.depthwise_conv2d %x, %w, %b : (tensor<1x4x6x3xi8>, tensor<3x3x3xi8>, tensor<2xi32>) -> tensor<1x2x4x3xi32>
  return
}

// -----

// vitq.depthwise_conv2d C2
func.func @depthwise_conv2d_72(%x: tensor<1x4x6x3xi8>, %w: tensor<3x3x3xi8>) {
  // expected-error @+1 {{input zero point 300 is outside [0, 255]}}
  %0 = vitq.depthwise_conv2d %x, %w input <unsigned, zero = 300> : (tensor<1x4x6x3xi8>, tensor<3x3x3xi8>) -> tensor<1x2x4x3xi32>
  return
}

// -----

// vitq.depthwise_conv2d C2
func.func @depthwise_conv2d_16_bits(%x: tensor<1x4x6x3xi16>, %w: tensor<3x3x3xi8>) {
  // expected-error @+1 {{input zero point -40000 is outside [-32768, 32767]}}
  %0 = vitq.depthwise_conv2d %x, %w input <signed, zero = -40000> : (tensor<1x4x6x3xi16>, tensor<3x3x3xi8>) -> tensor<1x2x4x3xi32>
  return
}

// -----

// An accumulator is requantized before it is read again.
func.func @depthwise_conv2d_32_bits(%x: tensor<1x4x6x3xi32>, %w: tensor<3x3x3xi8>) {
  // expected-error @+1 {{operand #0 must be}}
  %0 = vitq.depthwise_conv2d %x, %w : (tensor<1x4x6x3xi32>, tensor<3x3x3xi8>) -> tensor<1x2x4x3xi32>
  return
}

// -----

// vitq.extract_patches C1
func.func @extract_patches_65(%x: tensor<4x6x3xi8>) {
  // expected-error @+1 {{expects a map [B, H, W, C] and two patch sizes}}
  %0 = vitq.extract_patches %x patch [2, 2] : tensor<4x6x3xi8> -> tensor<6x12xi8>
  return
}

// -----

// vitq.reshape C1
func.func @reshape_66(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{cannot reshape [2, 3] to [7]}}
  %0 = vitq.reshape %x to [7] : tensor<2x3xi8> -> tensor<7xi8>
  return
}

// -----

// A move keeps the element type.
func.func @f67(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{'vitq.reshape' op requires the same element type for all operands and results}}
  %0 = vitq.reshape %x to [2, 3] : tensor<2x3xi8> -> tensor<2x3xi16>
  return
}

// -----

// vitq.transpose C1
func.func @transpose_68(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{[1, 2] is not a permutation of 2 axes}}
  %0 = vitq.transpose %x by [1, 2] : tensor<2x3xi8> -> tensor<3x2xi8>
  return
}

// -----

func.func @f69(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{'vitq.transpose' op requires the same element type for all operands and results}}
  %0 = vitq.transpose %x by [0, 1] : tensor<2x3xi8> -> tensor<2x3xi32>
  return
}

// -----

// vitq.concat C1
func.func @concat_70() {
  // expected-error @+1 {{needs at least one input}}
  %0 = vitq.concat axis 0 : () -> tensor<0xi8>
  return
}

// -----

// vitq.concat C1
func.func @concat_71(%x: tensor<2x3xi8>, %y: tensor<2x4xi8>) {
  // expected-error @+1 {{inputs [2, 3] and [2, 4] differ outside axis 0}}
  %0 = vitq.concat %x, %y axis 0 : (tensor<2x3xi8>, tensor<2x4xi8>) -> tensor<4x3xi8>
  return
}

// -----

// vitq.concat C1
func.func @concat_72(%x: tensor<2x3xi8>, %y: tensor<2x3xi16>) {
  // expected-error @+1 {{same element type}}
  %0 = vitq.concat %x, %y axis 0 : (tensor<2x3xi8>, tensor<2x3xi16>) -> tensor<4x3xi8>
  return
}

// -----

// vitq.concat C1
func.func @concat_73(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{axis -1 is outside rank 2}}
  %0 = vitq.concat %x, %x axis -1 : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x6xi8>
  return
}

// -----

// vitq.slice C1
func.func @slice_74(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{box of axis 1 lies outside [0, 3)}}
  %0 = vitq.slice %x offsets [0, 2] sizes [2, 2] strides [1, 1] : tensor<2x3xi8> -> tensor<2x2xi8>
  return
}

// -----

// vitq.slice C1
func.func @slice_75(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs one offset, size and stride for each of 2 axes}}
  %0 = vitq.slice %x offsets [0, 0] sizes [2] strides [1, 1] : tensor<2x3xi8> -> tensor<2xi8>
  return
}

// -----

// vitq.gather C1
func.func @gather_76(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{index -1 is outside [0, 3)}}
  %0 = vitq.gather %x indices [-1] axis 1 : tensor<2x3xi8> -> tensor<2x1xi8>
  return
}

// -----

// vitq.gather C1
func.func @gather_77(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs at least one index}}
  %0 = vitq.gather %x indices [] axis 1 : tensor<2x3xi8> -> tensor<2x0xi8>
  return
}

// -----

// vitq.gather C1
func.func @gather_78(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{axis 2 is outside rank 2}}
  %0 = vitq.gather %x indices [0] axis 2 : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// vitq.broadcast C1
func.func @broadcast_79(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{shapes [2, 3] and [3, 2] do not broadcast}}
  %0 = vitq.broadcast %x to [3, 2] : tensor<2x3xi8> -> tensor<3x2xi8>
  return
}

// -----

// vitq.pad C1
func.func @pad_80(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{needs one low and one high count, not negative, for each of 2 axes}}
  %0 = vitq.pad %x low [0, -1] high [0, 0] value 0 : tensor<2x3xi8> -> tensor<2x2xi8>
  return
}

// -----

// vitq.pad C2
func.func @pad_81(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{value 256 does not fit 8 bits}}
  %0 = vitq.pad %x low [0, 1] high [0, 0] value 256 : tensor<2x3xi8> -> tensor<2x4xi8>
  return
}

// -----

// vitq.pad C2
func.func @pad_82(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{value -129 does not fit 8 bits}}
  %0 = vitq.pad %x low [0, 1] high [0, 0] value -129 : tensor<2x3xi8> -> tensor<2x4xi8>
  return
}

// -----

// #vitq.dyadic
func.func @f83(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{dyadic shift 0 is outside [1, 62]}}
  %0 = vitq.requant %x by <1, 0> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.dyadic
func.func @f84(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{dyadic shift 63 is outside [1, 62]}}
  %0 = vitq.requant %x by <1, 63> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.dyadic
func.func @f85(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{dyadic multiplier -2^31 is outside (-2^31, 2^31)}}
  %0 = vitq.requant %x by <-2147483648, 5> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.dyadic
func.func @f86(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{dyadic needs as many shifts as multipliers, at least one; got 2 multipliers and 1 shifts}}
  %0 = vitq.requant %x by <[1, 2], [3]> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.dyadic
func.func @f87(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{expected integer value}}
  %0 = vitq.requant %x by <[], []> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.pwl C1
func.func @lines_1(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{pwl needs 2 to 256 slopes, as many intercepts and one breakpoint fewer; got 1 slopes, 1 intercepts and 1 breakpoints}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1], intercepts = [3]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.pwl C1
func.func @lines_257(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{got 257 slopes, 257 intercepts and 256 breakpoints}}
  %0 = vitq.pwl %x lines <breakpoints = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], slopes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], intercepts = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.pwl C1
func.func @lines_breakpoints(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{got 2 slopes, 2 intercepts and 2 breakpoints}}
  %0 = vitq.pwl %x lines <breakpoints = [0, 1], slopes = [1, 2], intercepts = [3, 4]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.pwl C1
func.func @lines_intercepts(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{got 2 slopes, 3 intercepts and 1 breakpoints}}
  %0 = vitq.pwl %x lines <breakpoints = [0], slopes = [1, 2], intercepts = [3, 4, 5]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// #vitq.pwl C2
func.func @lines_fall(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{the breakpoints of a pwl must not fall}}
  %0 = vitq.pwl %x lines <breakpoints = [4, 3], slopes = [1, 2, 3], intercepts = [3, 4, 5]> by <1, 1> round half_up : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}

// -----

// Attributes of the dialect on any op.
func.func @f88(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{attribute 'vitq.id' must be an integer}}
  %0 = vitq.reshape %x to [6] {vitq.id = "a"} : tensor<2x3xi8> -> tensor<6xi8>
  return
}

// -----

// expected-error @+1 {{attribute 'vitq.scales' must be a dictionary}}
module attributes {vitq.scales = 1.0} {
}

// -----

// vitq.max_pool C1
func.func @max_pool_sizes(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{expects a map [B, H, W, C], two sizes, strides and dilations that are positive}}
  %0 = vitq.max_pool %x kernel [2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x4x2xi8> -> tensor<1x2x2x2xi8>
  return
}

// -----

// vitq.max_pool C2
func.func @max_pool_padding(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{window 2 along axis 2 holds padding only: pads 0 and 3, kernel 2, size 4}}
  %0 = vitq.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 3] dilations [1, 1] : tensor<1x4x4x2xi8> -> tensor<1x2x3x2xi8>
  return
}

// -----

// vitq.resample C1
func.func @resample_weights(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{0 weights for 1 columns}}
  %0 = vitq.resample %x rows [0] weights [1] columns [0] weights [] by <9, 12> round half_up : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi8>
  return
}

// -----

// vitq.resample C2
func.func @resample_window(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{window [-1, -1 + 1) of a row is outside [0, 4)}}
  %0 = vitq.resample %x rows [-1] weights [1] columns [0] weights [1] by <9, 12> round half_up : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi8>
  return
}

// -----

// vitq.resample C3
func.func @resample_overflow(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{sums of codes times weights of 16777216 in all do not fit 32 bits}}
  %0 = vitq.resample %x rows [0] weights [4096] columns [0] weights [4096] by <9, 12> round half_up : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi8>
  return
}

// -----

// vitq.resample C4
func.func @resample_by(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{needs exactly one multiplier}}
  %0 = vitq.resample %x rows [0] weights [1] columns [0] weights [1] by <[9, 9], [12, 12]> round half_up : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi8>
  return
}

// -----

// vitq.resample C5
func.func @resample_zero(%x: tensor<1x4x4x2xi8>) {
  // expected-error @+1 {{input zero point -129 is outside [-128, 127]}}
  %0 = vitq.resample %x rows [0] weights [1] columns [0] weights [1] by <9, 12> round half_up input <signed, zero = -129> : tensor<1x4x4x2xi8> -> tensor<1x1x1x2xi8>
  return
}

// -----

// vitq.hadamard C1
func.func @hadamard_block(%x: tensor<2x1024xi8>) {
  // expected-error @+1 {{has blocks of 512 channels: a power of two from 2 to 256 is needed}}
  %0 = vitq.hadamard %x block 512 : tensor<2x1024xi8> -> tensor<2x1024xi32>
  return
}

// -----

// vitq.hadamard C2
func.func @hadamard_channels(%x: tensor<2x6xi8>) {
  // expected-error @+1 {{has blocks of 4 channels, which do not divide the last axis}}
  %0 = vitq.hadamard %x block 4 : tensor<2x6xi8> -> tensor<2x6xi32>
  return
}

// -----

// vitq.hadamard C3
func.func @hadamard_zero(%x: tensor<2x8xi4>) {
  // expected-error @+1 {{input zero point 16 is outside [0, 15]}}
  %0 = vitq.hadamard %x block 4 input <unsigned, zero = 16> : tensor<2x8xi4> -> tensor<2x8xi32>
  return
}

// -----

// vitq.hadamard C4
func.func @hadamard_shifts(%x: tensor<2x2xi8>) {
  // expected-error @+1 {{needs a shift of 0 to 4 for each channel}}
  %0 = vitq.hadamard %x block 2 shifts [1] : tensor<2x2xi8> -> tensor<2x2xi32>
  return
}

// -----

// vitq.hadamard C5
func.func @hadamard_zeros(%x: tensor<2x2xi8>) {
  // expected-error @+1 {{needs a zero point in [-128, 127] for each channel}}
  %0 = vitq.hadamard %x block 2 zeros [1, 128] : tensor<2x2xi8> -> tensor<2x2xi32>
  return
}
