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

// -----

// A kernel of another target.
func.func @main(%x: tensor<4x8xi32>) -> tensor<4x8xi8> {
  // expected-error @+1 {{'vitq.kernel' op is no kernel of a CPU: a CPU's kernels of several ops begin with a product; form kernels for one (--vitq-form-kernels=target=...)}}
  %0 = vitq.kernel(%a = %x) : (tensor<4x8xi32>) -> tensor<4x8xi8> {
    %y = vitq.requant %a by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
    vitq.yield %y : tensor<4x8xi8>
  }
  return %0 : tensor<4x8xi8>
}

// -----

func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: it reads more than a row of what stands before it}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x8xi8>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x8xi8>, tensor<1x4x8xi8>) -> tensor<1x4x4xi32>
    %y = vitq.add %s by <1518500250, 40>, %s by <1518500250, 41> round half_up : (tensor<1x4x4xi32>, tensor<1x4x4xi32>) -> tensor<1x4x4xi8>
    vitq.yield %y : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}
