// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s --check-prefix=APART
// RUN: not vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v5 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: unknown target 'x86-64-v5'; 'native', 'aarch64' or an LLVM CPU name, near it: x86-64-v2

// Ops that differ in data only share a kernel; types and rounding shape the code.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: memref<4x8xi32>) -> (memref<4x8xi8>, memref<4x8xi8>, memref<4x8xi8>)
// CHECK: call @vitq_requant_0(
// CHECK: call @vitq_requant_0(
// CHECK: call @vitq_requant_1(
// CHECK: func.func private @vitq_requant_0(%{{.*}}: memref<1x32xi32> {llvm.noalias}, %{{.*}}: memref<1x32xi8> {llvm.noalias}, %{{.*}}: memref<{{[0-9]+}}xi8> {llvm.noalias}, %{{.*}}: index, %{{.*}}: index)
// CHECK-SAME: llvm.noinline
// CHECK-NOT: f32
// CHECK: func.func private @vitq_requant_1
func.func @main(%x: tensor<4x8xi32>) -> (tensor<4x8xi8>, tensor<4x8xi8>, tensor<4x8xi8>) {
  %a = vitq.requant %x by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
  %b = vitq.requant %x by <1418500250, 38> round half_up result <signed, zero = 7> : tensor<4x8xi32> -> tensor<4x8xi8>
  %c = vitq.requant %x by <1518500250, 40> round half_even : tensor<4x8xi32> -> tensor<4x8xi8>
  return %a, %b, %c : tensor<4x8xi8>, tensor<4x8xi8>, tensor<4x8xi8>
}

// -----

// A requantization becomes the epilogue of its product, in the tile, which is a
// function of its own with 16-bit products. Both weights have one kernel.

// CHECK: module attributes {vitq.macs = 25088 : i64
// CHECK-SAME: vitq.signature = (tensor<7x16xi8>) -> tensor<7x16xi8>
// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_requant_0(
// CHECK: call @vitq_matmul_requant_0(
// CHECK-NOT: call @vitq_matmul
// CHECK: return
// CHECK: func.func private @vitq_matmul_requant_0(
// CHECK: call @vitq_tile_0
// CHECK: func.func private @vitq_tile_0(
// CHECK: scf.for
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: llvm.x86.avx2.pmadd
// CHECK: arith.shrsi {{.*}} : vector<16xi32>
// CHECK: vector.store {{.*}} : memref<7x112xi8>, vector<16xi8>

// APART-LABEL: module attributes {vitq.macs = 25088 : i64
// APART: call @vitq_matmul_0(
// APART: call @vitq_requant_0(
// APART: call @vitq_matmul_0(
// APART: call @vitq_requant_0(
func.func @main(%x: tensor<7x16xi8>) -> tensor<7x16xi8> {
  %w = arith.constant dense<103> : tensor<16x112xi8>
  %v = arith.constant dense<-102> : tensor<112x16xi8>
  %a = vitq.matmul %x, %w : (tensor<7x16xi8>, tensor<16x112xi8>) -> tensor<7x112xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<7x112xi32> -> tensor<7x112xi8>
  %c = vitq.slice %b offsets [0, 0] sizes [7, 16] strides [1, 1] : tensor<7x112xi8> -> tensor<7x16xi8>
  %d = vitq.matmul %c, %v transpose_rhs : (tensor<7x16xi8>, tensor<112x16xi8>) -> tensor<7x112xi32>
  %e = vitq.requant %d by <1418500250, 41> round half_up result <signed, zero = 3> : tensor<7x112xi32> -> tensor<7x112xi8>
  %f = vitq.slice %e offsets [0, 3] sizes [7, 16] strides [1, 1] : tensor<7x112xi8> -> tensor<7x16xi8>
  return %f : tensor<7x16xi8>
}

// -----

// An accumulator with two users is computed once.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_0(
// CHECK: call @vitq_requant_0(
func.func @main(%x: tensor<2x4xi8>, %y: tensor<4x4xi8>) -> (tensor<2x4xi8>, tensor<2x4xi32>) {
  %a = vitq.matmul %x, %y : (tensor<2x4xi8>, tensor<4x4xi8>) -> tensor<2x4xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<2x4xi32> -> tensor<2x4xi8>
  return %b, %a : tensor<2x4xi8>, tensor<2x4xi32>
}

// -----

// Scores and softmax run row by row; the row sums are a second result.

// CHECK-LABEL: func.func @main
// CHECK: %[[CODES:.*]] = memref.alloc() : memref<1x3x5x5xi8>
// CHECK: %[[SUMS:.*]] = memref.alloc() : memref<1x3x5xi32>
// CHECK: call @vitq_matmul_softmax_0(
// CHECK: return %[[CODES]], %[[SUMS]]
func.func @main(%q: tensor<1x3x5x8xi8>, %k: tensor<1x3x5x8xi8>) -> (tensor<1x3x5x5xi8>, tensor<1x3x5xi32>) {
  %t = arith.constant dense<1> : tensor<256xi8>
  %s = vitq.matmul %q, %k transpose_rhs : (tensor<1x3x5x8xi8>, tensor<1x3x5x8xi8>) -> tensor<1x3x5x5xi32>
  %c, %n = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <1518500250, 40> : (tensor<1x3x5x5xi32>) -> (tensor<1x3x5x5xi8>, tensor<1x3x5xi32>)
  return %c, %n : tensor<1x3x5x5xi8>, tensor<1x3x5xi32>
}

// -----

// Tables per channel share a kernel whatever their entries and indices are, and
// up to 2, 4, 8, ... whatever their number is: three of them are stored as four.

// CHECK-LABEL: func.func @main
// CHECK: memref.view %{{.*}} : memref<1024xi8> to memref<4x256xi8>
// CHECK: call @vitq_table_0(
// CHECK: memref.view %{{.*}} : memref<1024xi8> to memref<4x256xi8>
// CHECK: call @vitq_table_0(
// CHECK: call @vitq_table_1(
// CHECK: func.func private @vitq_table_0(%{{.*}}: memref<2x3xi8> {llvm.noalias}, %{{.*}}: memref<4x256xi8> {llvm.noalias}, %{{.*}}: memref<3xi8> {llvm.noalias}
// CHECK-COUNT-2: scf.for
// CHECK-COUNT-3: memref.load
// CHECK-NOT: memref.load
// CHECK: memref.store
// CHECK: func.func private @vitq_table_1({{.*}}memref<2x256xi16>
func.func @main(%x: tensor<2x3xi8>) -> (tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi16>) {
  %t = arith.constant dense<3> : tensor<3x256xi8>
  %u = arith.constant dense<7> : tensor<4x256xi8>
  %w = arith.constant dense<1000> : tensor<2x256xi16>
  %i = arith.constant dense<[0, 2, 1]> : tensor<3xi8>
  %j = arith.constant dense<[3, 3, 0]> : tensor<3xi8>
  %k = arith.constant dense<[1, 0, 1]> : tensor<3xi8>
  %a = vitq.table %x, %t, %i : (tensor<2x3xi8>, tensor<3x256xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  %b = vitq.table %x, %u, %j : (tensor<2x3xi8>, tensor<4x256xi8>, tensor<3xi8>) -> tensor<2x3xi8>
  %c = vitq.table %x, %w, %k : (tensor<2x3xi8>, tensor<2x256xi16>, tensor<3xi8>) -> tensor<2x3xi16>
  return %a, %b, %c : tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi16>
}

// -----

// An interpolation's constants are data.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_interpolate_0(
// CHECK: call @vitq_interpolate_0(
// CHECK: func.func private @vitq_interpolate_0(
// CHECK-NOT: func.func private @vitq_interpolate
func.func @main(%x: tensor<5x2xi16>, %t: tensor<1025xi16>) -> tensor<5x2xi16> {
  %u = arith.constant dense<7> : tensor<1025xi16>
  %a = vitq.interpolate %x, %t start -512 shift 0 tail_by <1073741824, 30> : (tensor<5x2xi16>, tensor<1025xi16>) -> tensor<5x2xi16>
  %b = vitq.interpolate %a, %u start -2048 shift 2 tail_by <1518500250, 33> : (tensor<5x2xi16>, tensor<1025xi16>) -> tensor<5x2xi16>
  return %b : tensor<5x2xi16>
}

// -----

// A sum of two products in the units of one of them: it is the epilogue of the
// first, in vectors although the other side's ratio is above 1/4. Both provably are within 2^30: the sum saturates nowhere.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_0(
// CHECK: call @vitq_matmul_add_0(
// CHECK: func.func private @vitq_matmul_add_0(
// CHECK: call @vitq_tile_
// CHECK-NOT: llvm.intr.sadd.sat
func.func @main(%x: tensor<7x16xi8>, %y: tensor<7x1xi16>) -> tensor<7x32xi32> {
  %w = arith.constant dense<3> : tensor<32x16xi8>
  %v = arith.constant dense<-2> : tensor<32x1xi8>
  %a = vitq.matmul %x, %w transpose_rhs : (tensor<7x16xi8>, tensor<32x16xi8>) -> tensor<7x32xi32>
  %b = vitq.matmul %y, %v transpose_rhs : (tensor<7x1xi16>, tensor<32x1xi8>) -> tensor<7x32xi32>
  %c = vitq.add %a by <1073741824, 30>, %b by <1518500250, 29> round half_up : (tensor<7x32xi32>, tensor<7x32xi32>) -> tensor<7x32xi32>
  return %c : tensor<7x32xi32>
}

// -----

// Of a sum with numbers that may be any it is not known.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_add_0(
// CHECK: llvm.intr.sadd.sat(%{{.*}}, %{{.*}}) : (vector<16xi32>, vector<16xi32>)
func.func @main(%x: tensor<7x16xi8>, %y: tensor<7x32xi32>) -> tensor<7x32xi32> {
  %w = arith.constant dense<3> : tensor<32x16xi8>
  %a = vitq.matmul %x, %w transpose_rhs : (tensor<7x16xi8>, tensor<32x16xi8>) -> tensor<7x32xi32>
  %c = vitq.add %a by <1073741824, 30>, %y by <1073741824, 30> round half_up : (tensor<7x32xi32>, tensor<7x32xi32>) -> tensor<7x32xi32>
  return %c : tensor<7x32xi32>
}

// -----

// Shiftmax reads scores as softmax does. 8-bit codes have a table of exponentials.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_shiftmax_0(
// CHECK: call @vitq_shiftmax_0(
// CHECK: call @vitq_shiftmax_0(
// CHECK: func.func private @vitq_shiftmax_0(
// CHECK-NOT: func.func private @vitq_shiftmax
func.func @main(%q: tensor<5x8xi8>, %k: tensor<5x8xi8>, %x: tensor<5x5xi8>) -> (tensor<5x5xi16>, tensor<5x5xi8>) {
  %s = vitq.matmul %q, %k transpose_rhs : (tensor<5x8xi8>, tensor<5x8xi8>) -> tensor<5x5xi32>
  %a = vitq.shiftmax %s exponent_step -2000 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<5x5xi32> -> tensor<5x5xi16>
  %b = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 8 : tensor<5x5xi8> -> tensor<5x5xi8>
  %c = vitq.shiftmax %b exponent_step -9 fraction_bits 12 reciprocal_bits 62 result_bits 8 : tensor<5x5xi8> -> tensor<5x5xi8>
  return %a, %c : tensor<5x5xi16>, tensor<5x5xi8>
}

// -----

// Rounding to even is part of the code.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_layer_norm_0(
// CHECK: call @vitq_layer_norm_1(
func.func @main(%x: tensor<2x3xi16>) -> (tensor<2x3xi8>, tensor<2x3xi8>) {
  %a = vitq.layer_norm %x with #vitq.norm_shift by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  %b = vitq.layer_norm %x with #vitq.norm_shift<rounding = half_even> by <[1, 2, 3], [4, 5, 6]> offsets [0, 0, 0] : tensor<2x3xi16> -> tensor<2x3xi8>
  return %a, %b : tensor<2x3xi8>, tensor<2x3xi8>
}

// -----

// Attention is one kernel of heads x tiles of rows, which reads queries where the
// product before left them and writes its result token by token. Keys and values
// are packed once for each head.

// CHECK-LABEL: func.func @main
// CHECK-NOT: call @vitq_transpose
// CHECK: call @vitq_pack_0({{.*}}units = 3
// CHECK: call @vitq_pack_1(
// CHECK: call @vitq_attention_0(
// CHECK-SAME: macs = 21168 : i64
// CHECK-SAME: op = "vitq.matmul+vitq.softmax+vitq.matmul+vitq.divide_rows+vitq.transpose", units = 9 : i64
// CHECK-NOT: call @vitq_transpose
// CHECK: return
func.func @main(%q: tensor<1x14x3x24xi8>, %k: tensor<1x14x3x24xi8>, %v: tensor<1x14x3x12xi8>) -> tensor<1x14x3x12xi8> {
  %t = arith.constant dense<-1> : tensor<256xi8>
  %qh = vitq.transpose %q by [0, 2, 1, 3] : tensor<1x14x3x24xi8> -> tensor<1x3x14x24xi8>
  %kh = vitq.transpose %k by [0, 2, 1, 3] : tensor<1x14x3x24xi8> -> tensor<1x3x14x24xi8>
  %vh = vitq.transpose %v by [0, 2, 1, 3] : tensor<1x14x3x12xi8> -> tensor<1x3x14x12xi8>
  %s = vitq.matmul %qh, %kh transpose_rhs lhs <unsigned, zero = 128> : (tensor<1x3x14x24xi8>, tensor<1x3x14x24xi8>) -> tensor<1x3x14x14xi32>
  %c, %n = vitq.softmax %s with #vitq.exp_table<dense<1> : tensor<256xi8>> by <[1518500250, 1218500250, 1118500250], [40, 40, 40]> : (tensor<1x3x14x14xi32>) -> (tensor<1x3x14x14xi8>, tensor<1x3x14xi32>)
  %p = vitq.matmul %c, %vh lhs <unsigned> : (tensor<1x3x14x14xi8>, tensor<1x3x14x12xi8>) -> tensor<1x3x14x12xi32>
  %d = vitq.divide_rows %p, %n by <[1184406517, 1482896304, 1565957510], [54, 55, 55]> round half_up {axis = 1 : i64} : (tensor<1x3x14x12xi32>, tensor<1x3x14xi32>) -> tensor<1x3x14x12xi8>
  %y = vitq.transpose %d by [0, 2, 1, 3] : tensor<1x3x14x12xi8> -> tensor<1x14x3x12xi8>
  return %y : tensor<1x14x3x12xi8>
}

// -----

// So is one whose codes are powers of two in 16 bits.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_attention_0(
// CHECK-SAME: op = "vitq.matmul+vitq.softmax+vitq.matmul+vitq.divide_rows"
// CHECK: return
func.func @main(%q: tensor<1x3x14x24xi8>, %k: tensor<1x3x14x24xi8>, %v: tensor<1x3x14x12xi8>) -> tensor<1x3x14x12xi8> {
  %s = vitq.matmul %q, %k transpose_rhs : (tensor<1x3x14x24xi8>, tensor<1x3x14x24xi8>) -> tensor<1x3x14x14xi32>
  %c, %n = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <1518500250, 40> : (tensor<1x3x14x14xi32>) -> (tensor<1x3x14x14xi16>, tensor<1x3x14xi32>)
  %p = vitq.matmul %c, %v : (tensor<1x3x14x14xi16>, tensor<1x3x14x12xi8>) -> tensor<1x3x14x12xi32>
  %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : (tensor<1x3x14x12xi32>, tensor<1x3x14xi32>) -> tensor<1x3x14x12xi8>
  return %d : tensor<1x3x14x12xi8>
}

// -----

// Comparisons work on the sums of a tile in registers.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_threshold_0(
// CHECK-SAME: op = "vitq.matmul+vitq.threshold"
// CHECK-NEXT: return
func.func @main(%x: tensor<7x16xi8>) -> tensor<7x32xi8> {
  %w = arith.constant dense<3> : tensor<16x32xi8>
  %t = arith.constant dense<[-9, 0, 9]> : tensor<3xi32>
  %a = vitq.matmul %x, %w : (tensor<7x16xi8>, tensor<16x32xi8>) -> tensor<7x32xi32>
  %b = vitq.threshold %a, %t from -2 : (tensor<7x32xi32>, tensor<3xi32>) -> tensor<7x32xi8>
  return %b : tensor<7x32xi8>
}

// -----

// A table follows in the kernel of its product, on finished rows.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_requant_table_0(
// CHECK-SAME: op = "vitq.matmul+vitq.requant+vitq.table"
// CHECK-NEXT: return
func.func @main(%x: tensor<7x16xi8>) -> tensor<7x32xi8> {
  %w = arith.constant dense<3> : tensor<16x32xi8>
  %t = arith.constant dense<5> : tensor<256xi8>
  %a = vitq.matmul %x, %w : (tensor<7x16xi8>, tensor<16x32xi8>) -> tensor<7x32xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<7x32xi32> -> tensor<7x32xi8>
  %c = vitq.table %b, %t : (tensor<7x32xi8>, tensor<256xi8>) -> tensor<7x32xi8>
  return %c : tensor<7x32xi8>
}

// -----

// Patches are read from the picture: nothing copies them in memory.

// CHECK-LABEL: func.func @main
// CHECK-NOT: memref.alloc() : memref<1x4x12xi8>
// CHECK: call @vitq_matmul_requant_0({{.*}}op = "vitq.extract_patches+vitq.matmul+vitq.requant"
func.func @main(%x: tensor<1x4x4x3xi8>) -> tensor<1x4x16xi8> {
  %w = arith.constant dense<3> : tensor<12x16xi8>
  %p = vitq.extract_patches %x patch [2, 2] : tensor<1x4x4x3xi8> -> tensor<1x4x12xi8>
  %a = vitq.matmul %p, %w lhs <unsigned> : (tensor<1x4x12xi8>, tensor<12x16xi8>) -> tensor<1x4x16xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<1x4x16xi32> -> tensor<1x4x16xi8>
  return %b : tensor<1x4x16xi8>
}

// -----

// The same of windows that overlap; the sums of a depthwise convolution never are in memory.

// CHECK-LABEL: func.func @main
// CHECK-NOT: memref.alloc() : memref<{{.*}}27xi8>
// CHECK-NOT: memref.alloc() : memref<{{.*}}xi32>
// CHECK: call @vitq_matmul_requant_0({{.*}}op = "vitq.extract_patches+vitq.matmul+vitq.requant"
// CHECK: call @vitq_depthwise_requant_0({{.*}}op = "vitq.depthwise_conv2d+vitq.requant"
func.func @main(%x: tensor<1x4x4x3xi8>) -> tensor<1x2x4x16xi8> {
  %w = arith.constant dense<3> : tensor<27x16xi8>
  %k = arith.constant dense<2> : tensor<3x3x16xi8>
  %p = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [1, 1, 1, 1] padding [3] as_map : tensor<1x4x4x3xi8> -> tensor<1x4x4x27xi8>
  %a = vitq.matmul %p, %w lhs <unsigned> : (tensor<1x4x4x27xi8>, tensor<27x16xi8>) -> tensor<1x4x4x16xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<1x4x4x16xi32> -> tensor<1x4x4x16xi8>
  %c = vitq.depthwise_conv2d %b, %k strides [2, 1] pads [1, 1, 1, 1] : (tensor<1x4x4x16xi8>, tensor<3x3x16xi8>) -> tensor<1x2x4x16xi32>
  %d = vitq.requant %c by <1518500250, 40> round half_up : tensor<1x2x4x16xi32> -> tensor<1x2x4x16xi8>
  return %d : tensor<1x2x4x16xi8>
}
