// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 | FileCheck %s
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels='target=#vitq.cpu<"x86-64-v3">' | FileCheck %s
// Forming them again changes nothing.
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 --vitq-form-kernels=target=x86-64-v3 | FileCheck %s
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC

// What works on the rows of a product is in its kernel, as long as nobody else reads them. A
// residual sum may take its row as any of its operands. Constants stay outside.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<7x16xi8>, %[[R:.*]]: tensor<7x32xi16>)
// CHECK: %[[W:.*]] = arith.constant dense<3>
// CHECK: %[[B:.*]] = arith.constant dense<9>
// CHECK-NEXT: %[[Y:.*]] = vitq.kernel(%[[A0:.*]] = %[[X]], %[[A1:.*]] = %[[W]], %[[A2:.*]] = %[[B]], %[[A3:.*]] = %[[R]]) attributes {vitq.id = 2 : i64} : (tensor<7x16xi8>, tensor<16x32xi8>, tensor<32xi32>, tensor<7x32xi16>) -> tensor<7x32xi16> {
// CHECK-NEXT:   %[[S:.*]] = vitq.matmul %[[A0]], %[[A1]], %[[A2]] {vitq.id = 0 : i64}
// CHECK-NEXT:   %[[Q:.*]] = vitq.requant %[[S]] by {{.*}} {vitq.id = 1 : i64}
// CHECK-NEXT:   %[[T:.*]] = vitq.add %[[A3]] by {{.*}}, %[[Q]] by
// CHECK-NEXT:   vitq.yield %[[T]] : tensor<7x32xi16>
// CHECK-NEXT: }
// CHECK-NEXT: return %[[Y]], %[[Y]]
// LOC: vitq.yield {{.*}} loc(#[[FUSED:.*]])
// LOC-DAG: #[[FIRST:.*]] = loc("mlp/MatMul")
// LOC-DAG: #[[SECOND:.*]] = loc("mlp/Add")
// LOC-DAG: #[[FUSED]] = loc(fused[#[[FIRST]], #[[SECOND]]])
func.func @main(%x: tensor<7x16xi8>, %r: tensor<7x32xi16>) -> (tensor<7x32xi16>, tensor<7x32xi16>) {
  %w = arith.constant dense<3> : tensor<16x32xi8>
  %b = arith.constant dense<9> : tensor<32xi32>
  %a = vitq.matmul %x, %w, %b {vitq.id = 0 : i64} : (tensor<7x16xi8>, tensor<16x32xi8>, tensor<32xi32>) -> tensor<7x32xi32> loc("mlp/MatMul")
  %q = vitq.requant %a by <1518500250, 40> round half_up {vitq.id = 1 : i64} : tensor<7x32xi32> -> tensor<7x32xi16> loc("mlp/MatMul")
  %s = vitq.add %r by <1073741824, 31>, %q by <1518500250, 33> round half_up {vitq.id = 2 : i64} : (tensor<7x32xi16>, tensor<7x32xi16>) -> tensor<7x32xi16> loc("mlp/Add")
  return %s, %s : tensor<7x32xi16>, tensor<7x32xi16>
}

// -----

// Sums with two readers stay outside, and what follows them; rows from memory too.

// CHECK-LABEL: func.func @main(
// CHECK-NOT: vitq.kernel
// CHECK: return
func.func @main(%x: tensor<2x4xi8>, %y: tensor<4x4xi8>, %z: tensor<2x4xi16>) -> (tensor<2x4xi8>, tensor<2x4xi32>, tensor<2x4xi8>) {
  %a = vitq.matmul %x, %y : (tensor<2x4xi8>, tensor<4x4xi8>) -> tensor<2x4xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<2x4xi32> -> tensor<2x4xi8>
  %c = vitq.requant %z by <1518500250, 40> round half_up : tensor<2x4xi16> -> tensor<2x4xi8>
  %d = vitq.requant %c by <1518500250, 33> round half_up : tensor<2x4xi8> -> tensor<2x4xi8>
  return %b, %a, %d : tensor<2x4xi8>, tensor<2x4xi32>, tensor<2x4xi8>
}

// -----

// An op that reads the results of two products follows the first one. Rows that are read twice by
// one op are no row that flows.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.matmul
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.add
// CHECK-NEXT: vitq.yield
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
// CHECK: vitq.add
func.func @main(%x: tensor<7x16xi8>, %w: tensor<32x16xi8>) -> (tensor<7x32xi32>, tensor<7x32xi8>) {
  %a = vitq.matmul %x, %w transpose_rhs : (tensor<7x16xi8>, tensor<32x16xi8>) -> tensor<7x32xi32>
  %b = vitq.matmul %x, %w transpose_rhs lhs <unsigned> : (tensor<7x16xi8>, tensor<32x16xi8>) -> tensor<7x32xi32>
  %c = vitq.add %a by <1073741824, 30>, %b by <1518500250, 29> round half_up : (tensor<7x32xi32>, tensor<7x32xi32>) -> tensor<7x32xi32>
  %d = vitq.matmul %x, %w transpose_rhs : (tensor<7x16xi8>, tensor<32x16xi8>) -> tensor<7x32xi32>
  %e = vitq.requant %d by <1518500250, 40> round half_up : tensor<7x32xi32> -> tensor<7x32xi8>
  %f = vitq.add %e by <1518500250, 33>, %e by <1518500250, 33> round half_up : (tensor<7x32xi8>, tensor<7x32xi8>) -> tensor<7x32xi8>
  return %c, %f : tensor<7x32xi32>, tensor<7x32xi8>
}

// -----

// A product of patches alone is a kernel: it reads the picture. With another reader the patches are in memory.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(%[[PICTURE:.*]] = %{{.*}}, %[[W:.*]] = %{{.*}}) : (tensor<1x4x4x3xi8>, tensor<12x16xi8>) -> tensor<1x4x16xi32> {
// CHECK-NEXT: %[[P:.*]] = vitq.extract_patches %[[PICTURE]]
// CHECK-NEXT: vitq.matmul %[[P]], %[[W]]
// CHECK: %[[Q:.*]] = vitq.extract_patches
// CHECK-NEXT: vitq.matmul %[[Q]]
// CHECK-NEXT: return
func.func @main(%x: tensor<1x4x4x3xi8>, %w: tensor<12x16xi8>) -> (tensor<1x4x16xi32>, tensor<1x4x12xi8>, tensor<1x4x16xi32>) {
  %p = vitq.extract_patches %x patch [2, 2] : tensor<1x4x4x3xi8> -> tensor<1x4x12xi8>
  %a = vitq.matmul %p, %w : (tensor<1x4x12xi8>, tensor<12x16xi8>) -> tensor<1x4x16xi32>
  %q = vitq.extract_patches %x patch [2, 2] : tensor<1x4x4x3xi8> -> tensor<1x4x12xi8>
  %b = vitq.matmul %q, %w : (tensor<1x4x12xi8>, tensor<12x16xi8>) -> tensor<1x4x16xi32>
  return %a, %q, %b : tensor<1x4x16xi32>, tensor<1x4x12xi8>, tensor<1x4x16xi32>
}

// -----

// Windows that overlap are read from the map too; a depthwise convolution is a root of its own, whose places a product
// behind it does not read one by one.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.extract_patches
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.depthwise_conv2d
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
// CHECK: vitq.matmul
func.func @main(%x: tensor<1x4x4x3xi8>, %w: tensor<16x27xi8>, %k: tensor<3x3x16xi8>, %v: tensor<16x16xi8>) -> tensor<1x4x4x16xi32> {
  %p = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [1, 1, 1, 1] padding [3] as_map : tensor<1x4x4x3xi8> -> tensor<1x4x4x27xi8>
  %a = vitq.matmul %p, %w transpose_rhs : (tensor<1x4x4x27xi8>, tensor<16x27xi8>) -> tensor<1x4x4x16xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<1x4x4x16xi32> -> tensor<1x4x4x16xi8>
  %c = vitq.depthwise_conv2d %b, %k pads [1, 1, 1, 1] : (tensor<1x4x4x16xi8>, tensor<3x3x16xi8>) -> tensor<1x4x4x16xi32>
  %d = vitq.requant %c by <1518500250, 40> round half_up : tensor<1x4x4x16xi32> -> tensor<1x4x4x16xi8>
  %e = vitq.matmul %d, %v : (tensor<1x4x4x16xi8>, tensor<16x16xi8>) -> tensor<1x4x4x16xi32>
  return %e : tensor<1x4x4x16xi32>
}

// -----

// An attention is one kernel, with the transposes that it reads and writes by strides. One of them is
// read by another op too, and stays. A mask is added to the scores.

// CHECK-LABEL: func.func @main(
// CHECK: %[[KH:.*]] = vitq.transpose
// CHECK-NOT: vitq.transpose
// CHECK: vitq.kernel(
// CHECK-NEXT: %[[Q:.*]] = vitq.transpose
// CHECK-NEXT: %[[K:.*]] = vitq.transpose
// CHECK-NEXT: %[[V:.*]] = vitq.transpose
// CHECK-NEXT: %[[S:.*]] = vitq.matmul %[[Q]], %[[K]] transpose_rhs
// CHECK-NEXT: %[[M:.*]] = vitq.add %[[S]]
// CHECK-NEXT: %[[C:.*]], %[[N:.*]] = vitq.softmax %[[M]]
// CHECK-NEXT: %[[P:.*]] = vitq.matmul %[[C]], %[[V]]
// CHECK-NEXT: %[[D:.*]] = vitq.divide_rows %[[P]], %[[N]]
// CHECK-NEXT: %[[Y:.*]] = vitq.transpose %[[D]]
// CHECK-NEXT: vitq.yield %[[Y]]
// CHECK-NEXT: }
// CHECK-NEXT: return %{{.*}}, %[[KH]]
func.func @main(%q: tensor<1x14x3x24xi8>, %k: tensor<1x14x3x24xi8>, %v: tensor<1x14x3x12xi8>, %mask: tensor<14x14xi32>) -> (tensor<1x14x3x12xi8>, tensor<1x3x14x24xi8>) {
  %qh = vitq.transpose %q by [0, 2, 1, 3] : tensor<1x14x3x24xi8> -> tensor<1x3x14x24xi8>
  %kh = vitq.transpose %k by [0, 2, 1, 3] : tensor<1x14x3x24xi8> -> tensor<1x3x14x24xi8>
  %vh = vitq.transpose %v by [0, 2, 1, 3] : tensor<1x14x3x12xi8> -> tensor<1x3x14x12xi8>
  %s = vitq.matmul %qh, %kh transpose_rhs : (tensor<1x3x14x24xi8>, tensor<1x3x14x24xi8>) -> tensor<1x3x14x14xi32>
  %m = vitq.add %s by <1073741824, 30>, %mask by <1073741824, 30> round half_up : (tensor<1x3x14x14xi32>, tensor<14x14xi32>) -> tensor<1x3x14x14xi32>
  %c, %n = vitq.softmax %m with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1518500250, 40> : (tensor<1x3x14x14xi32>) -> (tensor<1x3x14x14xi8>, tensor<1x3x14xi32>)
  %p = vitq.matmul %c, %vh lhs <unsigned> : (tensor<1x3x14x14xi8>, tensor<1x3x14x12xi8>) -> tensor<1x3x14x12xi32>
  %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : (tensor<1x3x14x12xi32>, tensor<1x3x14xi32>) -> tensor<1x3x14x12xi8>
  %y = vitq.transpose %d by [0, 2, 1, 3] : tensor<1x3x14x12xi8> -> tensor<1x14x3x12xi8>
  return %y, %kh : tensor<1x14x3x12xi8>, tensor<1x3x14x24xi8>
}

// -----

// Where its sums have another reader, an attention is no kernel; its products are, each with what follows.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.softmax
// CHECK-NEXT: vitq.yield
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.divide_rows
// CHECK-NEXT: vitq.yield
func.func @main(%q: tensor<3x14x24xi8>, %v: tensor<3x14x12xi8>) -> (tensor<3x14x12xi8>, tensor<3x14xi32>) {
  %s = vitq.matmul %q, %q transpose_rhs : (tensor<3x14x24xi8>, tensor<3x14x24xi8>) -> tensor<3x14x14xi32>
  %c, %n = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1518500250, 40> : (tensor<3x14x14xi32>) -> (tensor<3x14x14xi8>, tensor<3x14xi32>)
  %p = vitq.matmul %c, %v lhs <unsigned> : (tensor<3x14x14xi8>, tensor<3x14x12xi8>) -> tensor<3x14x12xi32>
  %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : (tensor<3x14x12xi32>, tensor<3x14xi32>) -> tensor<3x14x12xi8>
  return %d, %n : tensor<3x14x12xi8>, tensor<3x14xi32>
}

// -----

// So is one whose rows of scores are too long for a cache.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.shiftmax
// CHECK-NEXT: vitq.yield
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
func.func @main(%q: tensor<1x60000x8xi8>, %v: tensor<1x60000x8xi8>) -> tensor<1x60000x8xi8> {
  %s = vitq.matmul %q, %q transpose_rhs : (tensor<1x60000x8xi8>, tensor<1x60000x8xi8>) -> tensor<1x60000x60000xi32>
  %c = vitq.shiftmax %s exponent_step -2000 fraction_bits 15 reciprocal_bits 31 result_bits 8 : tensor<1x60000x60000xi32> -> tensor<1x60000x60000xi8>
  %p = vitq.matmul %c, %v : (tensor<1x60000x60000xi8>, tensor<1x60000x8xi8>) -> tensor<1x60000x8xi32>
  %d = vitq.requant %p by <1518500250, 40> round half_up : tensor<1x60000x8xi32> -> tensor<1x60000x8xi8>
  return %d : tensor<1x60000x8xi8>
}

// -----

// Layers with weights that follow each other are no attention.

// CHECK-LABEL: func.func @main(
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
// CHECK: vitq.kernel(
// CHECK-NEXT: vitq.matmul
// CHECK-NEXT: vitq.requant
// CHECK-NEXT: vitq.yield
func.func @main(%x: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %w = arith.constant dense<3> : tensor<8x8xi8>
  %a = vitq.matmul %x, %w : (tensor<4x8xi8>, tensor<8x8xi8>) -> tensor<4x8xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
  %c = vitq.matmul %b, %w : (tensor<4x8xi8>, tensor<8x8xi8>) -> tensor<4x8xi32>
  %d = vitq.requant %c by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
  return %d : tensor<4x8xi8>
}
