// Every numbered constraint of dialects/vitq/VitqKernelOps.td, violated. The labels are
// checked by test/lint/constraints.test.
// RUN: vitq-opt %s -split-input-file -verify-diagnostics

// vitq.kernel C1
func.func @arguments(%x: tensor<4xi8>) {
  // expected-error @+1 {{the body needs an argument for each operand, of its type}}
  %0 = "vitq.kernel"(%x) ({
  ^bb0(%a: tensor<5xi8>):
    %y = vitq.requant %a by <5, 7> round half_up : tensor<5xi8> -> tensor<5xi8>
    vitq.yield %y : tensor<5xi8>
  }) : (tensor<4xi8>) -> tensor<5xi8>
  return
}

// -----

// vitq.kernel C2
func.func @sum(%x: tensor<4x3xi8>) {
  %0 = vitq.kernel(%a = %x) : (tensor<4x3xi8>) -> tensor<4xi32> {
    // expected-error @+1 {{'vitq.sum' op is neither an op on rows nor a move, as those of a kernel are}}
    %y = vitq.sum %a axes [1] : tensor<4x3xi8> -> tensor<4xi32>
    vitq.yield %y : tensor<4xi32>
  }
  return
}

// -----

// vitq.kernel C2
func.func @other_dialect(%x: tensor<4xi8>) {
  %0 = vitq.kernel(%a = %x) : (tensor<4xi8>) -> tensor<4xi8> {
    // expected-error @+1 {{'arith.addi' op is neither an op on rows nor a move, as those of a kernel are}}
    %y = arith.addi %a, %a : tensor<4xi8>
    vitq.yield %y : tensor<4xi8>
  }
  return
}

// -----

// vitq.kernel C2
func.func @only_moves(%x: tensor<4x3xi8>) {
  // expected-error @+1 {{has no op on rows}}
  %0 = vitq.kernel(%a = %x) : (tensor<4x3xi8>) -> tensor<3x4xi8> {
    %y = vitq.transpose %a by [1, 0] : tensor<4x3xi8> -> tensor<3x4xi8>
    vitq.yield %y : tensor<3x4xi8>
  }
  return
}

// -----

// vitq.kernel C3
func.func @unconnected(%x: tensor<4xi8>) {
  %0 = vitq.kernel(%a = %x) : (tensor<4xi8>) -> tensor<4xi8> {
    // expected-note @+1 {{this is before it}}
    %y = vitq.requant %a by <5, 7> round half_up : tensor<4xi8> -> tensor<4xi8>
    // expected-error @+1 {{'vitq.requant' op reads no row of what stands before it in the kernel}}
    %z = vitq.requant %a by <5, 8> round half_up : tensor<4xi8> -> tensor<4xi8>
    vitq.yield %z : tensor<4xi8>
  }
  return
}

// -----

// The sums of rows are no row.
// vitq.kernel C3
func.func @no_row(%x: tensor<4xi32>, %z: tensor<4x3xi32>) {
  %0 = vitq.kernel(%a = %x, %b = %z) : (tensor<4xi32>, tensor<4x3xi32>) -> tensor<4x3xi8> {
    // expected-note @+1 {{this is before it}}
    %y = vitq.requant %a by <5, 7> round half_up : tensor<4xi32> -> tensor<4xi32>
    // expected-error @+1 {{'vitq.divide_rows' op reads no row of what stands before it in the kernel}}
    %d = vitq.divide_rows %b, %y by <1184406517, 54> round half_up : (tensor<4x3xi32>, tensor<4xi32>) -> tensor<4x3xi8>
    vitq.yield %d : tensor<4x3xi8>
  }
  return
}

// -----

// vitq.kernel C4
func.func @yields_first(%x: tensor<4xi8>) {
  // expected-error @+1 {{the body must yield the results of its last op}}
  %0 = vitq.kernel(%a = %x) : (tensor<4xi8>) -> tensor<4xi8> {
    %y = vitq.requant %a by <5, 7> round half_up : tensor<4xi8> -> tensor<4xi8>
    %z = vitq.requant %y by <5, 8> round half_up : tensor<4xi8> -> tensor<4xi8>
    vitq.yield %y : tensor<4xi8>
  }
  return
}

// -----

// vitq.kernel C4
func.func @result_type(%x: tensor<4xi8>) {
  // expected-error @+1 {{successor operand type #0 'tensor<4xi8>' should match successor input type #0 'tensor<4xi16>'}}
  %0 = vitq.kernel(%a = %x) : (tensor<4xi8>) -> tensor<4xi16> {
    %y = vitq.requant %a by <5, 7> round half_up : tensor<4xi8> -> tensor<4xi8>
    // expected-note @+1 {{region branch point}}
    vitq.yield %y : tensor<4xi8>
  }
  return
}

// -----

func.func @type_of_others(%x: tensor<4xi8>) {
  // expected-error @+1 {{the type names 2 operands of the 1 there are}}
  %0 = vitq.kernel(%a = %x) : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8> {
    vitq.yield %a : tensor<4xi8>
  }
  return
}

// -----

// expected-error @+1 {{attribute 'vitq.target' must be a target that kernels are formed for}}
module attributes {vitq.target = "native"} {
}
