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

// -----

func.func @main(%x: tensor<4x8xi8>) -> tensor<32xi32> {
  // expected-error @+1 {{is no kernel of a CPU: it does not work on rows}}
  %0 = vitq.kernel(%a = %x) : (tensor<4x8xi8>) -> tensor<16xi32> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<4x8xi8>, tensor<4x8xi8>) -> tensor<4x4xi32>
    %y = vitq.reshape %s to [16] : tensor<4x4xi32> -> tensor<16xi32>
    vitq.yield %y : tensor<16xi32>
  }
  %1 = vitq.concat %0, %0 axis 0 : (tensor<16xi32>, tensor<16xi32>) -> tensor<32xi32>
  return %1 : tensor<32xi32>
}

// -----

func.func @main(%x: tensor<4x8xi8>, %y: tensor<2x4x4xi32>) -> tensor<2x4x4xi32> {
  // expected-error @+1 {{is no kernel of a CPU: its result has more rows}}
  %0 = vitq.kernel(%a = %x, %b = %y) : (tensor<4x8xi8>, tensor<2x4x4xi32>) -> tensor<2x4x4xi32> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<4x8xi8>, tensor<4x8xi8>) -> tensor<4x4xi32>
    %t = vitq.add %b by <1073741824, 30>, %s by <1073741824, 30> round half_up : (tensor<2x4x4xi32>, tensor<4x4xi32>) -> tensor<2x4x4xi32>
    vitq.yield %t : tensor<2x4x4xi32>
  }
  return %0 : tensor<2x4x4xi32>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> tensor<4x1x4xi32> {
  // expected-error @+1 {{is no kernel of a CPU: only an attention writes whole rows in another order}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<4x1x4xi32> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %t = vitq.transpose %s by [1, 0, 2] : tensor<1x4x4xi32> -> tensor<4x1x4xi32>
    vitq.yield %t : tensor<4x1x4xi32>
  }
  return %0 : tensor<4x1x4xi32>
}

// -----

// Rows that a move in the midst reads are in no memory.
func.func @main(%x: tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: only an attention writes whole rows in another order}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %t = vitq.transpose %s by [1, 0, 2] : tensor<1x4x4xi32> -> tensor<4x1x4xi32>
    %q = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    vitq.yield %q : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> tensor<4x1x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: its rows are written in another order already}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<4x1x4xi8> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %t = vitq.transpose %d by [1, 0, 2] : tensor<1x4x4xi8> -> tensor<4x1x4xi8>
    %u = vitq.transpose %t by [1, 0, 2] : tensor<4x1x4xi8> -> tensor<1x4x4xi8>
    %v = vitq.transpose %u by [1, 0, 2] : tensor<1x4x4xi8> -> tensor<4x1x4xi8>
    vitq.yield %v : tensor<4x1x4xi8>
  }
  return %0 : tensor<4x1x4xi8>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> tensor<1x4x4xi32> {
  // expected-error @+1 {{is no kernel of a CPU: something must follow the second product}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<1x4x4xi32> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    vitq.yield %p : tensor<1x4x4xi32>
  }
  return %0 : tensor<1x4x4xi32>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> tensor<1x4x4xi32> {
  // expected-error @+1 {{is no kernel of a CPU: a kernel has two products at most, and ops between them}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<1x4x4xi32> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %e = vitq.matmul %d, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    vitq.yield %e : tensor<1x4x4xi32>
  }
  return %0 : tensor<1x4x4xi32>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>, %t: tensor<4xi32>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: products of an attention have no bias}}
  %0 = vitq.kernel(%a = %x, %b = %t) : (tensor<1x4x4xi8>, tensor<4xi32>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %a, %b transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>, tensor<4xi32>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    vitq.yield %d : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>, %t: tensor<4x4xi8>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: heads that share a matrix are one product}}
  %0 = vitq.kernel(%a = %x, %b = %t) : (tensor<1x4x4xi8>, tensor<4x4xi8>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %b transpose_rhs : (tensor<1x4x4xi8>, tensor<4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    vitq.yield %d : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}

// -----

func.func @main(%x: tensor<1x4x4xi16>, %t: tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: operands of an attention have 8 bits}}
  %0 = vitq.kernel(%a = %x, %b = %t) : (tensor<1x4x4xi16>, tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %b transpose_rhs : (tensor<1x4x4xi16>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %b : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    vitq.yield %d : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> (tensor<1x4x4xi16>, tensor<1x4xi32>) {
  // expected-error @+1 {{is no kernel of a CPU: an attention has one result}}
  %0:2 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> (tensor<1x4x4xi16>, tensor<1x4xi32>) {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x4x4xi32> -> tensor<1x4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d, %n = vitq.softmax %p with #vitq.exp_log2<top_exponent = 14> by <1518500250, 40> : (tensor<1x4x4xi32>) -> (tensor<1x4x4xi16>, tensor<1x4xi32>)
    vitq.yield %d, %n : tensor<1x4x4xi16>, tensor<1x4xi32>
  }
  return %0#0, %0#1 : tensor<1x4x4xi16>, tensor<1x4xi32>
}

// -----

func.func @main(%x: tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: what stands before it has two results}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x4x4xi8>) -> tensor<1x4x4xi8> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x4x4xi8>, tensor<1x4x4xi8>) -> tensor<1x4x4xi32>
    %d, %n = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <1518500250, 40> : (tensor<1x4x4xi32>) -> (tensor<1x4x4xi16>, tensor<1x4xi32>)
    %c = vitq.requant %d by <1518500250, 40> round half_up : tensor<1x4x4xi16> -> tensor<1x4x4xi8>
    vitq.yield %c : tensor<1x4x4xi8>
  }
  return %0 : tensor<1x4x4xi8>
}

// -----

func.func @main(%x: tensor<1x60000x4xi8>) -> tensor<1x60000x4xi8> {
  // expected-error @+1 {{is no kernel of a CPU: a tile of scores does not stay in L2}}
  %0 = vitq.kernel(%a = %x) : (tensor<1x60000x4xi8>) -> tensor<1x60000x4xi8> {
    %s = vitq.matmul %a, %a transpose_rhs : (tensor<1x60000x4xi8>, tensor<1x60000x4xi8>) -> tensor<1x60000x60000xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<1x60000x60000xi32> -> tensor<1x60000x60000xi8>
    %p = vitq.matmul %c, %a : (tensor<1x60000x60000xi8>, tensor<1x60000x4xi8>) -> tensor<1x60000x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x60000x4xi32> -> tensor<1x60000x4xi8>
    vitq.yield %d : tensor<1x60000x4xi8>
  }
  return %0 : tensor<1x60000x4xi8>
}

// -----

func.func @main(%x: tensor<4x4xi8>) -> tensor<4x4xi8> {
  %w = arith.constant dense<3> : tensor<4x4xi8>
  // expected-error @+1 {{is no kernel of a CPU: weights of a product are packed when it is compiled}}
  %0 = vitq.kernel(%a = %x, %b = %w) : (tensor<4x4xi8>, tensor<4x4xi8>) -> tensor<4x4xi8> {
    %s = vitq.matmul %a, %b transpose_rhs : (tensor<4x4xi8>, tensor<4x4xi8>) -> tensor<4x4xi32>
    %c = vitq.requant %s by <1518500250, 40> round half_up : tensor<4x4xi32> -> tensor<4x4xi8>
    %p = vitq.matmul %c, %a : (tensor<4x4xi8>, tensor<4x4xi8>) -> tensor<4x4xi32>
    %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<4x4xi32> -> tensor<4x4xi8>
    vitq.yield %d : tensor<4x4xi8>
  }
  return %0 : tensor<4x4xi8>
}

// -----

// Nothing to multiply.
func.func @main(%x: tensor<1x0xi8>) -> tensor<1x2xi32> {
  %w = arith.constant dense<> : tensor<2x0xi8>
  // expected-error @+1 {{'vitq.matmul' op computes with a tensor without elements ('tensor<1x0xi8>'), for which there is no code; leave the op out}}
  %0 = vitq.matmul %x, %w transpose_rhs : (tensor<1x0xi8>, tensor<2x0xi8>) -> tensor<1x2xi32>
  return %0 : tensor<1x2xi32>
}

// -----

// No rows.
func.func @main(%x: tensor<0x3xi32>) -> tensor<0x3xi8> {
  // expected-error @+1 {{'vitq.requant' op computes with a tensor without elements ('tensor<0x3xi32>'), for which there is no code; leave the op out}}
  %0 = vitq.requant %x by <1073741824, 30> round half_up : tensor<0x3xi32> -> tensor<0x3xi8>
  return %0 : tensor<0x3xi8>
}

// -----

func.func @main(%x: tensor<1x4x4x16xi8>, %k: tensor<3x3x16xi8>) -> tensor<1x2x2x16xi32> {
  // expected-error @+1 {{has no kernel where weight or bias are no constants}}
  %c = vitq.depthwise_conv2d %x, %k : (tensor<1x4x4x16xi8>, tensor<3x3x16xi8>) -> tensor<1x2x2x16xi32>
  return %c : tensor<1x2x2x16xi32>
}

// -----

func.func @main(%x: tensor<1x4x4x16xi8>, %k: tensor<3x3x16xi8>, %w: tensor<16x16xi8>) -> tensor<1x4x4x16xi32> {
  // expected-error @+1 {{is no kernel of a CPU: a product reads all channels of the places that it sums}}
  %y = vitq.kernel(%a = %x, %b = %k, %v = %w) : (tensor<1x4x4x16xi8>, tensor<3x3x16xi8>, tensor<16x16xi8>) -> tensor<1x4x4x16xi32> {
    %c = vitq.depthwise_conv2d %a, %b pads [1, 1, 1, 1] : (tensor<1x4x4x16xi8>, tensor<3x3x16xi8>) -> tensor<1x4x4x16xi32>
    %d = vitq.requant %c by <1518500250, 40> round half_up : tensor<1x4x4x16xi32> -> tensor<1x4x4x16xi8>
    %e = vitq.matmul %d, %v : (tensor<1x4x4x16xi8>, tensor<16x16xi8>) -> tensor<1x4x4x16xi32>
    vitq.yield %e : tensor<1x4x4x16xi32>
  }
  return %y : tensor<1x4x4x16xi32>
}
