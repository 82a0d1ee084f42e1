// RUN: vitq-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @widths
func.func @widths(%x: tensor<2x3xi8>, %w: tensor<4x3xi2>, %t: tensor<8xi5>) -> tensor<2x4xi5> {
  // CHECK: vitq.requant %{{.*}} by <1, 1> round half_up result <unsigned, zero = 3> : tensor<2x3xi8> -> tensor<2x3xi3>
  %q = vitq.requant %x by <1, 1> round half_up input <signed> result <unsigned, zero = 3> : tensor<2x3xi8> -> tensor<2x3xi3>
  // CHECK: vitq.matmul %{{.*}}, %{{.*}} transpose_rhs lhs <unsigned, zero = 3> : (tensor<2x3xi3>, tensor<4x3xi2>) -> tensor<2x4xi32>
  %s = vitq.matmul %q, %w transpose_rhs lhs <unsigned, zero = 3> : (tensor<2x3xi3>, tensor<4x3xi2>) -> tensor<2x4xi32>
  // CHECK: vitq.requant %{{.*}} by <1, 1> round half_up : tensor<2x4xi32> -> tensor<2x4xi3>
  %r = vitq.requant %s by <1, 1> round half_up result <signed, zero = 0> : tensor<2x4xi32> -> tensor<2x4xi3>
  // CHECK: vitq.table %{{.*}}, %{{.*}} : (tensor<2x4xi3>, tensor<8xi5>) -> tensor<2x4xi5>
  %y = vitq.table %r, %t : (tensor<2x4xi3>, tensor<8xi5>) -> tensor<2x4xi5>
  return %y : tensor<2x4xi5>
}

// -----

func.func @zero(%x: tensor<2x3xi4>) {
  // expected-error @+1 {{input zero point 8 is outside [-8, 7]}}
  %0 = vitq.requant %x by <1, 2> round half_up input <signed, zero = 8> : tensor<2x3xi4> -> tensor<2x3xi8>
  return
}

// -----

func.func @table(%x: tensor<2x3xi4>, %t: tensor<256xi8>) {
  // expected-error @+1 {{needs a table [16], or a table [T, 16], T <= 128, with one index per channel}}
  %0 = vitq.table %x, %t : (tensor<2x3xi4>, tensor<256xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @clamp(%x: tensor<2x3xi32>) {
  // expected-error @+1 {{clamp range [0, 16] is not inside [0, 15]}}
  %0 = vitq.requant %x by <1, 2> round half_up result <unsigned> {max = 16 : i64} : tensor<2x3xi32> -> tensor<2x3xi4>
  return
}

// -----

func.func @one_bit(%x: tensor<2x3xi1>) {
  // expected-error @+1 {{operand #0 must be statically shaped tensor of i2 to i8, i16 or i32}}
  %0 = vitq.requant %x by <1, 2> round half_up : tensor<2x3xi1> -> tensor<2x3xi8>
  return
}

// -----

func.func @sign(%x: tensor<2x3xi8>) {
  // expected-error @+1 {{expected 'signed' or 'unsigned'}}
  %0 = vitq.requant %x by <1, 2> round half_up input <zero = 3> : tensor<2x3xi8> -> tensor<2x3xi8>
  return
}
