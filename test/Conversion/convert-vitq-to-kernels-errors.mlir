// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3 --verify-diagnostics

func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // Unsigned numbers of 32 bits.
  // expected-error @+1 {{'vitq.requant' op has no kernel}}
  %c = vitq.requant %x by <1073741824, 30> round half_up input <unsigned> : tensor<2x3xi32> -> tensor<2x3xi8>
  return %c : tensor<2x3xi8>
}

// -----

func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  // expected-error @+1 {{'arith.addi' op has no kernel}}
  %0 = arith.addi %x, %x : tensor<1x2xi8>
  return %0 : tensor<1x2xi8>
}

// -----

// expected-error @+1 {{operands and results must be statically shaped tensors of integers of 8 bits or more}}
func.func @main(%x: tensor<?x2xi8>) -> tensor<?x2xi8> {
  return %x : tensor<?x2xi8>
}

// -----

// expected-error @below {{the module needs a function @main of one block}}
module {
  func.func @other() {
    return
  }
}
