// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v4+avx512vnni --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni | FileCheck %s --check-prefixes=CHECK,MASKS
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,WHOLE

// The attention of windows of 49 tokens: tiles of six rows and of five, none of one. With masked moves the bias is
// added in the tile of the scores, of which only the softmax is left for rows in memory.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_attention_0({{.*}}units = 18 : i64
// CHECK: func.func private @vitq_attention_0(
// MASKS: arith.cmpi ult, %{{.*}}, %c4{{.*}} : index
// MASKS-NOT: call @vitq_rows
// MASKS: } else {
// MASKS-NOT: call @vitq_rows
// MASKS: func.func private @vitq_tile_0(
// MASKS: vector.maskedload %{{.*}} : memref<98x49xi32>, vector<16xi1>, vector<16xi32> into vector<16xi32>
// MASKS: vector.store %{{.*}} : memref<6x64xi32>, vector<16xi32>
// WHOLE: call @vitq_rows
// WHOLE-NOT: vector.maskedload
func.func @main(%q: tensor<2x49x32xi8>, %k: tensor<2x49x32xi8>, %v: tensor<2x49x32xi8>, %bias: tensor<2x49x49xi32>) -> tensor<2x49x32xi8> {
  %s = vitq.matmul %q, %k transpose_rhs lhs <unsigned> : (tensor<2x49x32xi8>, tensor<2x49x32xi8>) -> tensor<2x49x49xi32>
  %b = vitq.add %s by <1073741824, 30>, %bias by <1073741824, 30> round half_up : (tensor<2x49x49xi32>, tensor<2x49x49xi32>) -> tensor<2x49x49xi32>
  %c, %n = vitq.softmax %b with #vitq.exp_table<dense<7> : tensor<256xi8>> by <1518500250, 40>
    : (tensor<2x49x49xi32>) -> (tensor<2x49x49xi8>, tensor<2x49xi32>)
  %p = vitq.matmul %c, %v lhs <unsigned> : (tensor<2x49x49xi8>, tensor<2x49x32xi8>) -> tensor<2x49x32xi32>
  %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : (tensor<2x49x32xi32>, tensor<2x49xi32>) -> tensor<2x49x32xi8>
  return %d : tensor<2x49x32xi8>
}

// -----

// Columns that fill no vector: sums stay in registers if some lanes of one can be moved.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_add_0(
// MASKS: func.func private @vitq_tile_0(
// MASKS: vector.maskedload %{{.*}} : memref<7x20xi16>, vector<32xi1>, vector<32xi16> into vector<32xi16>
// MASKS: vector.maskedstore %{{.*}} : memref<7x20xi16>, vector<32xi1>, vector<32xi16>
// WHOLE-NOT: vector.maskedload
// WHOLE: func.func private @vitq_tile_0(
func.func @main(%x: tensor<7x16xi8>, %y: tensor<7x20xi16>) -> tensor<7x20xi16> {
  %w = arith.constant dense<103> : tensor<16x20xi8>
  %a = vitq.matmul %x, %w lhs <unsigned> : (tensor<7x16xi8>, tensor<16x20xi8>) -> tensor<7x20xi32>
  %b = vitq.add %a by <1518500250, 31>, %y by <1518500250, 31> round half_up : (tensor<7x20xi32>, tensor<7x20xi16>) -> tensor<7x20xi16>
  return %b : tensor<7x20xi16>
}

// -----

// Weights that L2 does not hold are asked for in the loops of tiles, a panel ahead.

// CHECK-LABEL: func.func @main
// CHECK: func.func private @vitq_tile_0(
// CHECK: scf.for
// CHECK-NEXT: arith.constant
// MASKS-COUNT-2: memref.prefetch %{{.*}}, read, locality<2>, data : memref<1081600xi8>
// WHOLE-COUNT-1: memref.prefetch %{{.*}}, read, locality<2>, data : memref<1081600xi8>
// CHECK-NOT: memref.prefetch
// CHECK: scf.yield
func.func @main(%x: tensor<12x1040xi8>) -> tensor<12x1040xi32> {
  %w = arith.constant dense<103> : tensor<1040x1040xi8>
  %a = vitq.matmul %x, %w lhs <unsigned> : (tensor<12x1040xi8>, tensor<1040x1040xi8>) -> tensor<12x1040xi32>
  return %a : tensor<12x1040xi32>
}

// -----

// Of many tiles each asks for a few lines only, before its loop.

// CHECK-LABEL: func.func @main
// WHOLE: func.func private @vitq_tile_0(
// WHOLE: memref.prefetch %{{.*}}, read, locality<2>, data : memref<491520xi8>
// WHOLE: memref.prefetch
// WHOLE: scf.for
// WHOLE-NOT: memref.prefetch
// WHOLE: scf.yield
func.func @main(%x: tensor<192x192xi8>) -> tensor<192x2560xi32> {
  %w = arith.constant dense<103> : tensor<192x2560xi8>
  %a = vitq.matmul %x, %w lhs <unsigned> : (tensor<192x192xi8>, tensor<192x2560xi8>) -> tensor<192x2560xi32>
  return %a : tensor<192x2560xi32>
}
