// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni+avx512vbmi | FileCheck %s --check-prefixes=CHECK,VBMI
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=aarch64 | FileCheck %s --check-prefixes=CHECK,NEON
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64 | FileCheck %s --check-prefixes=CHECK,SSE2

// Bytes are looked up in registers. The last vector overlaps its neighbour. Without
// the instruction, it is one byte after the other.

// CHECK-LABEL: func.func @main
// CHECK: func.func private @vitq_table_0(
// VBMI: scf.for
// VBMI-COUNT-2: llvm.x86.avx512.vpermi2var.qi.512
// VBMI: arith.select
// AVX2: scf.for
// AVX2-COUNT-16: llvm.x86.avx2.pshuf.b
// AVX2-NOT: llvm.x86.avx2.pshuf.b
// AVX2: vector.store
// NEON: scf.for
// NEON: llvm.aarch64.neon.tbl4.v16i8
// NEON-COUNT-3: llvm.aarch64.neon.tbx4.v16i8
// SSE2: scf.for
// SSE2-NOT: vector
// SSE2: return
func.func @main(%x: tensor<2x300xi8>, %t: tensor<256xi8>) -> tensor<2x300xi8> {
  %a = vitq.table %x, %t : (tensor<2x300xi8>, tensor<256xi8>) -> tensor<2x300xi8>
  return %a : tensor<2x300xi8>
}

// -----

// Blocks that differ in which columns have a table of their own share a kernel, up
// to 8 such columns. These are looked up once more.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_table_0(
// CHECK: call @vitq_table_0(
// CHECK: func.func private @vitq_table_0(
// VBMI: llvm.x86.avx512.vpermi2var.qi.512
// AVX2: llvm.x86.avx2.pshuf.b
// NEON: llvm.aarch64.neon.tbl4.v16i8
// VBMI: memref<{{.*}}xi8> to memref<8xi32>
// AVX2: memref<{{.*}}xi8> to memref<8xi32>
// NEON: memref<{{.*}}xi8> to memref<8xi32>
// CHECK-NOT: func.func private
func.func @main(%x: tensor<2x32xi8>) -> (tensor<2x32xi8>, tensor<2x32xi8>) {
  %t = arith.constant dense<3> : tensor<3x256xi8>
  %u = arith.constant dense<7> : tensor<4x256xi8>
  %i = arith.constant dense<[0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]> : tensor<32xi8>
  %j = arith.constant dense<[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]> : tensor<32xi8>
  %a = vitq.table %x, %t, %i : (tensor<2x32xi8>, tensor<3x256xi8>, tensor<32xi8>) -> tensor<2x32xi8>
  %b = vitq.table %x, %u, %j : (tensor<2x32xi8>, tensor<4x256xi8>, tensor<32xi8>) -> tensor<2x32xi8>
  return %a, %b : tensor<2x32xi8>, tensor<2x32xi8>
}

// -----

// Sums of squares by the 16-bit dot product, the root without a division, one
// division for a row, and a normalization within 32 bits but for one product.

// CHECK-LABEL: func.func @main
// CHECK: func.func private @vitq_layer_norm_0(
// VBMI-COUNT-2: llvm.x86.avx512.pmaddw.d.512
// AVX2-COUNT-2: llvm.x86.avx2.pmadd.wd
// CHECK-COUNT-1: arith.divui %{{.*}} : i64
// CHECK-NOT: arith.divui %{{.*}} : i64
// CHECK: return
func.func @main(%x: tensor<1x64xi16>) -> tensor<1x64xi8> {
  %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 5> by <[500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000], [40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40]> offsets [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    : tensor<1x64xi16> -> tensor<1x64xi8>
  return %a : tensor<1x64xi8>
}

// -----

// Roots of several rows side by side, as one waits for its division; then those of the rows that are left.

// CHECK-LABEL: func.func @main
// CHECK: func.func private @vitq_layer_norm_0(
// VBMI-COUNT-5: arith.divui %{{.*}} : i64
// AVX2-COUNT-3: arith.divui %{{.*}} : i64
// NEON-COUNT-5: arith.divui %{{.*}} : i64
// SSE2-COUNT-1: arith.divui %{{.*}} : i64
// CHECK-NOT: arith.divui %{{.*}} : i64
// CHECK: return
func.func @main(%x: tensor<9x64xi16>) -> tensor<9x64xi8> {
  %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 5> by <[500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000, 500000000], [40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40]> offsets [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    : tensor<9x64xi16> -> tensor<9x64xi8>
  return %a : tensor<9x64xi8>
}

// -----

// Blocks of 16 x 16 bytes get another last axis in registers, by interleaving rows four times.

// CHECK-LABEL: func.func @main
// CHECK: func.func private @vitq_transpose_0(
// CHECK-COUNT-16: vector.load %{{.*}} : memref<2x20x33xi8>, vector<16xi8>
// CHECK-COUNT-64: vector.shuffle
// CHECK-COUNT-16: vector.store %{{.*}} : memref<2x33x20xi8>, vector<16xi8>
// CHECK-NOT: memref.load
// CHECK: return
func.func @main(%x: tensor<2x20x33xi8>) -> tensor<2x33x20xi8> {
  %y = vitq.transpose %x by [0, 2, 1] : tensor<2x20x33xi8> -> tensor<2x33x20xi8>
  return %y : tensor<2x33x20xi8>
}
