// Units beside the array: what they do on sums before these leave it, and on rows from DRAM.
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4 | FileCheck %s
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4 --systolic-allocate -o /dev/null

// A chain of units on the sums of one product; an addition whose other operand is read in DRAM.
// CHECK: systolic.placements = [
// CHECK-SAME: {node = "fc1", op = "vitq.matmul", place = "array", reason = "4 passes of 8-bit operands on elements of 4 bits"}
// CHECK-SAME: {node = "fc1", op = "vitq.requant", place = "dyadic", reason = "on the sums of 'fc1'"}
// CHECK-SAME: {node = "act", op = "vitq.table", place = "lut", reason = "on the sums of 'fc1'"}
// CHECK-SAME: {node = "fc2", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "residual", op = "vitq.add", place = "dyadic", reason = "on the sums of 'fc2'"}
// CHECK-SAME: {node = "codes", op = "vitq.threshold", place = "comparator", reason = "rows from DRAM"}
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<1x10x12xi8>, %[[R:.*]]: tensor<1x10x16xi8>
// CHECK: %[[A:.*]] = systolic.launch @linear_10x12x16_0(%[[X]], %{{.*}}) {macs = 1920 : i64} : (tensor<1x10x12xi8>, tensor<12x64xi8>) -> tensor<1x10x16xi8> units {
// CHECK-NEXT: ^bb0(%[[SUMS:.*]]: tensor<1x10x16xi32>):
// CHECK-NEXT: %[[CODES:.*]] = vitq.requant %[[SUMS]]
// CHECK-NEXT: %[[ENTRIES:.*]] = arith.constant dense<2> : tensor<256xi8>
// CHECK-NEXT: %[[T:.*]] = vitq.table %[[CODES]], %[[ENTRIES]]
// CHECK-NEXT: systolic.yield %[[T]] : tensor<1x10x16xi8>
// CHECK: %[[B:.*]] = systolic.launch @linear_10x12x16_1(%[[X]], %{{.*}}, %[[R]]) {macs = 1920 : i64, operandsForUnits = 1 : i64}
// CHECK-NEXT: ^bb0(%[[SUMS:.*]]: tensor<1x10x16xi32>, %[[OTHER:.*]]: tensor<1x10x16xi8>):
// CHECK-NEXT: vitq.add %[[SUMS]] by <1518500250, 40>, %[[OTHER]]
// CHECK: %[[C:.*]] = systolic.launch @units_10x16_{{[0-9]+}}(%{{.*}}) {operandsForUnits = 1 : i64} : (tensor<1x10x16xi32>) -> tensor<1x10x16xi8> units {
// CHECK-NEXT: ^bb0(%[[ROWS:.*]]: tensor<1x10x16xi32>):
// CHECK: vitq.threshold %[[ROWS]]
// CHECK: return %[[A]], %[[B]], %[[C]]

// Rows leave through the units; the operands of these are behind those of the product.
// CHECK-LABEL: func.func private @linear_10x12x16_0(
// CHECK-SAME: memref<10x12xi8>, %{{.*}}: memref<12x64xi8>, %{{.*}}: memref<1x10x16xi8>)
// CHECK-NOT: systolic.mvout
// CHECK: systolic.units from %{{.*}}[%c0, %c0] rows %c0 for %c10 channels %c0 for %c16
// CHECK-LABEL: func.func private @linear_10x12x16_1(
// CHECK-SAME: memref<10x12xi8>, %{{.*}}: memref<12x64xi8>, %{{.*}}: memref<1x10x16xi8>, %{{.*}}: memref<1x10x16xi8>)
// CHECK-LABEL: func.func private @units_10x16_
// CHECK-SAME: (%{{.*}}: memref<1x10x16xi32>, %{{.*}}: memref<1x10x16xi8>) attributes {systolic.routine}
// CHECK: affine.for %[[ROW:.*]] = 0 to 10 step 10 {
// CHECK-NEXT: systolic.units rows %[[ROW]] for %c10 channels %c0 for %c16{{$}}
func.func @main(%x: tensor<1x10x12xi8>, %r: tensor<1x10x16xi8>, %s: tensor<1x10x16xi32>) -> (tensor<1x10x16xi8>, tensor<1x10x16xi8>, tensor<1x10x16xi8>) {
  %w = arith.constant dense<100> : tensor<12x16xi8>
  %t = arith.constant dense<2> : tensor<256xi8>
  %l = arith.constant dense<[-7, 0, 7]> : tensor<3xi32>
  %0 = vitq.matmul %x, %w : (tensor<1x10x12xi8>, tensor<12x16xi8>) -> tensor<1x10x16xi32> loc("fc1")
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x10x16xi32> -> tensor<1x10x16xi8> loc("fc1")
  %2 = vitq.table %1, %t : (tensor<1x10x16xi8>, tensor<256xi8>) -> tensor<1x10x16xi8> loc("act")
  %3 = vitq.matmul %x, %w : (tensor<1x10x12xi8>, tensor<12x16xi8>) -> tensor<1x10x16xi32> loc("fc2")
  %4 = vitq.add %3 by <1518500250, 40>, %r by <1518500250, 30> round half_up : (tensor<1x10x16xi32>, tensor<1x10x16xi8>) -> tensor<1x10x16xi8> loc("residual")
  %5 = vitq.threshold %s, %l from -2 : (tensor<1x10x16xi32>, tensor<3xi32>) -> tensor<1x10x16xi8> loc("codes")
  return %2, %4, %5 : tensor<1x10x16xi8>, tensor<1x10x16xi8>, tensor<1x10x16xi8>
}

// -----

// Attention: a softmax takes whole rows of sums and writes codes and their sums, the division reads these.
// CHECK: {node = "softmax", op = "vitq.softmax", place = "exponent", reason = "on the sums of 'qk'"}
// CHECK-SAME: {node = "divide", op = "vitq.divide_rows", place = "exponent", reason = "on the sums of 'pv'"}
// CHECK-LABEL: func.func @main(
// CHECK: %[[P:.*]]:2 = systolic.launch @matmul_2x10x8x10_0(%{{.*}}, %{{.*}}) {attention, macs = 1600 : i64} : (tensor<1x2x10x8xi8>, tensor<1x2x10x8xi8>) -> (tensor<1x2x10x10xi8>, tensor<1x2x10xi32>) units {
// CHECK: vitq.softmax %{{.+}} by <7, 9>
// CHECK: systolic.yield %{{.*}}, %{{.*}} : tensor<1x2x10x10xi8>, tensor<1x2x10xi32>
// CHECK: systolic.launch @matmul_2x10x10x8_1(%[[P]]#0, %{{.*}}, %[[P]]#1) {attention, macs = 1600 : i64, operandsForUnits = 1 : i64}
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<1x2x10x8xi32>, %{{.*}}: tensor<1x2x10xi32>):
// CHECK-NEXT: vitq.divide_rows
// CHECK-LABEL: func.func private @matmul_2x10x8x10_0(
// Rows of the second head follow those of the first.
// CHECK: systolic.units from {{.*}} rows %c10 for %c10 channels %c0 for %c10
func.func @main(%q: tensor<1x2x10x8xi8>, %k: tensor<1x2x10x8xi8>, %v: tensor<1x2x10x8xi8>) -> tensor<1x2x10x8xi8> {
  %t = arith.constant dense<2> : tensor<256xi8>
  %0 = vitq.matmul %q, %k transpose_rhs : (tensor<1x2x10x8xi8>, tensor<1x2x10x8xi8>) -> tensor<1x2x10x10xi32> loc("qk")
  %1, %s = vitq.softmax %0 with #vitq.exp_table<dense<2> : tensor<256xi8>> by <7, 9> : (tensor<1x2x10x10xi32>) -> (tensor<1x2x10x10xi8>, tensor<1x2x10xi32>) loc("softmax")
  %2 = vitq.matmul %1, %v lhs <unsigned> : (tensor<1x2x10x10xi8>, tensor<1x2x10x8xi8>) -> tensor<1x2x10x8xi32> loc("pv")
  %3 = vitq.divide_rows %2, %s by <1518500250, 40> round half_up : (tensor<1x2x10x8xi32>, tensor<1x2x10xi32>) -> tensor<1x2x10x8xi8> loc("divide")
  return %3 : tensor<1x2x10x8xi8>
}

// -----

// Rows that no product makes. A unit is as good as its numbers: a table of 16-bit entries is the host's.
// CHECK: {node = "norm", op = "vitq.layer_norm", place = "norm", reason = "rows from DRAM"}
// CHECK-SAME: {node = "wide", op = "vitq.table", place = "host", reason = "its entries have more than 8 bits"}
// CHECK-LABEL: func.func @main(
// CHECK: systolic.launch @units_20x4_{{[0-9]}}(%{{.*}}) {operandsForUnits = 1 : i64} : (tensor<1x20x4xi16>) -> tensor<1x20x4xi8> units {
// CHECK: vitq.layer_norm %{{.+}} with #vitq.norm_exact
// CHECK: vitq.table
// Sixteen rows at a time.
// CHECK-LABEL: func.func private @units_20x4_
// CHECK: affine.for %[[ROW:.*]] = 0 to 20 step 16 {
// CHECK-NEXT: %[[REST:.*]] = affine.min #{{.*}}(%[[ROW]])
// CHECK-NEXT: systolic.units rows %[[ROW]] for %[[REST]] channels %c0 for %c4
func.func @main(%x: tensor<1x20x4xi16>, %z: tensor<1x20x4xi8>) -> (tensor<1x20x4xi8>, tensor<1x20x4xi16>) {
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <[1, -2, 3, 4], [4, 5, 6, 7]> offsets [-7, 0, 7, 9] result <unsigned, zero = 12> : tensor<1x20x4xi16> -> tensor<1x20x4xi8> loc("norm")
  %t = arith.constant dense<300> : tensor<256xi16>
  %1 = vitq.table %z, %t : (tensor<1x20x4xi8>, tensor<256xi16>) -> tensor<1x20x4xi16> loc("wide")
  return %0, %1 : tensor<1x20x4xi8>, tensor<1x20x4xi16>
}

// -----

// Sums that somebody else reads leave the array as they are; the unit then takes rows from DRAM.
// CHECK: {node = "requant", op = "vitq.requant", place = "dyadic", reason = "rows from DRAM"}
// CHECK-LABEL: func.func @main(
// CHECK: %[[Y:.*]] = systolic.launch @linear_2x8x16_0(%{{.*}}, %{{.*}}) {macs = 256 : i64} : (tensor<2x8xi8>, tensor<8x64xi8>) -> tensor<2x16xi32>
// CHECK-NEXT: %[[Q:.*]] = systolic.launch @units_2x16_1(%[[Y]])
// CHECK: return %[[Y]], %[[Q]]
func.func @main(%x: tensor<2x8xi8>) -> (tensor<2x16xi32>, tensor<2x16xi8>) {
  %w = arith.constant dense<100> : tensor<8x16xi8>
  %0 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x16xi8>) -> tensor<2x16xi32> loc("fc")
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<2x16xi32> -> tensor<2x16xi8> loc("requant")
  return %0, %1 : tensor<2x16xi32>, tensor<2x16xi8>
}

// -----

// What no unit computes, and why.
// CHECK: {node = "log2", op = "vitq.softmax", place = "host", reason = "softmax in powers of two is in no unit"}
// CHECK-SAME: {node = "octave", op = "vitq.softmax", place = "host", reason = "softmax with codes of 16 bits is in no unit"}
// CHECK-SAME: {node = "twice", op = "vitq.add", place = "host", reason = "its operands have not the same shape, or are one tensor"}
// CHECK-SAME: {node = "given", op = "vitq.threshold", place = "host", reason = "its thresholds are no constants"}
// CHECK-LABEL: func.func @main(
func.func @main(%s: tensor<1x2x3x4xi32>, %x: tensor<1x4x8xi8>, %a: tensor<1x4x8xi32>, %t: tensor<3xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>, tensor<1x2x3x4xi16>, tensor<1x4x8xi8>, tensor<1x4x8xi8>) {
  %0, %1 = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>) loc("log2")
  %4, %5 = vitq.softmax %s with #vitq.exp_octave<dense<16384> : tensor<256xi16>> by <7, 9> : (tensor<1x2x3x4xi32>) -> (tensor<1x2x3x4xi16>, tensor<1x2x3xi32>) loc("octave")
  %2 = vitq.add %x by <1, 1>, %x by <1, 2> round half_up : (tensor<1x4x8xi8>, tensor<1x4x8xi8>) -> tensor<1x4x8xi8> loc("twice")
  %3 = vitq.threshold %a, %t from -2 : (tensor<1x4x8xi32>, tensor<3xi32>) -> tensor<1x4x8xi8> loc("given")
  return %0, %1, %4, %2, %3 : tensor<1x2x3x4xi16>, tensor<1x2x3xi32>, tensor<1x2x3x4xi16>, tensor<1x4x8xi8>, tensor<1x4x8xi8>
}

// -----

// Codes below 8 bits are bytes to units; constants of them keep their width, in which they are stored. A product says
// how it reads its left operand's, and has weights that its elements hold packed.
// CHECK: {node = "narrow", op = "vitq.requant", place = "dyadic", reason = "rows from DRAM"}
// CHECK-SAME: {node = "product", op = "vitq.matmul", place = "array", reason = "1 pass of operands of 4 and 3 bits on elements of 4 bits"}
// CHECK-SAME: {node = "entries", op = "vitq.table", place = "lut"
// CHECK-SAME: {node = "table", op = "vitq.table", place = "lut"
// CHECK-SAME: {node = "constant", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "sum", op = "vitq.add", place = "dyadic"
// CHECK-SAME: {node = "wide", op = "vitq.table", place = "host", reason = "its entries have more than 8 bits"}
// CHECK-LABEL: func.func @main(
// CHECK: systolic.launch @linear_4x8x8_{{[0-9]}}(%{{.*}}, %{{.*}}) {lhs_code = #vitq.code<unsigned>, {{.*}} : (tensor<1x4x8xi4>, tensor<8x8xi3>) -> tensor<1x4x16xi32>
// CHECK: vitq.table {{.*}} : (tensor<1x4x8xi5>, tensor<32xi8>) -> tensor<1x4x8xi8>
// CHECK: systolic.launch @linear_4x8x8_{{[0-9]}}(%{{.*}}, %{{.*}}) {lhs_code = #vitq.code<unsigned>, {{.*}} : (tensor<4x8xi4>, tensor<8x8xi3>) -> tensor<4x16xi32>
// CHECK: func.func private @linear_4x8x8_{{[0-9]}}(%{{.*}}: memref<4x8xi8>, %{{.*}}: memref<8x8xi4>, %{{.*}}: memref<4x16xi32>)
func.func @main(%x: tensor<1x4x8xi8>) -> (tensor<1x4x8xi32>, tensor<1x4x8xi8>, tensor<4x8xi32>, tensor<1x4x8xi8>, tensor<1x4x8xi16>) {
  %q = vitq.requant %x by <1518500250, 35> round half_up result <unsigned> : tensor<1x4x8xi8> -> tensor<1x4x8xi4> loc("narrow")
  %w = arith.constant dense<-3> : tensor<8x8xi3>
  %0 = vitq.matmul %q, %w lhs <unsigned> : (tensor<1x4x8xi4>, tensor<8x8xi3>) -> tensor<1x4x8xi32> loc("product")
  %e = arith.constant dense<-9> : tensor<16xi5>
  %n = vitq.table %q, %e input <unsigned> : (tensor<1x4x8xi4>, tensor<16xi5>) -> tensor<1x4x8xi5> loc("entries")
  %t = arith.constant dense<5> : tensor<32xi8>
  %1 = vitq.table %n, %t input <unsigned> : (tensor<1x4x8xi5>, tensor<32xi8>) -> tensor<1x4x8xi8> loc("table")
  %c = arith.constant dense<7> : tensor<4x8xi4>
  %2 = vitq.matmul %c, %w lhs <unsigned> : (tensor<4x8xi4>, tensor<8x8xi3>) -> tensor<4x8xi32> loc("constant")
  %d = arith.constant dense<1> : tensor<1x4x8xi4>
  %3 = vitq.add %x by <1, 1>, %d by <1, 1> round half_up : (tensor<1x4x8xi8>, tensor<1x4x8xi4>) -> tensor<1x4x8xi8> loc("sum")
  %l = arith.constant dense<500> : tensor<16xi16>
  %4 = vitq.table %q, %l input <unsigned> : (tensor<1x4x8xi4>, tensor<16xi16>) -> tensor<1x4x8xi16> loc("wide")
  return %0, %1, %2, %3, %4 : tensor<1x4x8xi32>, tensor<1x4x8xi8>, tensor<4x8xi32>, tensor<1x4x8xi8>, tensor<1x4x8xi16>
}

// -----

// The unit of norms takes rows that are not centered, too.
// CHECK: {node = "rms", op = "vitq.layer_norm", place = "norm", reason = "rows from DRAM"}
// CHECK-LABEL: func.func @main(
// CHECK: systolic.launch
// CHECK: vitq.layer_norm {{.*}}centered = false
func.func @main(%x: tensor<1x20x4xi16>) -> tensor<1x20x4xi8> {
  %0 = vitq.layer_norm %x with #vitq.norm_exact<eps = 1, centered = false> by <[1, -2, 3, 4], [4, 5, 6, 7]> offsets [-7, 0, 7, 9] result <unsigned, zero = 12> : tensor<1x20x4xi16> -> tensor<1x20x4xi8> loc("rms")
  return %0 : tensor<1x20x4xi8>
}

// -----

// What makes rows shorter that the host has computed stays there, unless it is asked for on the array.
// CHECK: {node = "spread", op = "vitq.hadamard", place = "host", reason = "it is no work of the array or of a unit"}
// CHECK-SAME: {node = "codes", op = "vitq.requant", place = "host", reason = "the host computes its rows and writes fewer bytes so"}
func.func @main(%x: tensor<1x4x64xi8>) -> tensor<1x4x64xi8> {
  %0 = vitq.hadamard %x block 64 : tensor<1x4x64xi8> -> tensor<1x4x64xi32> loc("spread")
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x4x64xi32> -> tensor<1x4x64xi8> loc("codes")
  return %1 : tensor<1x4x64xi8>
}
