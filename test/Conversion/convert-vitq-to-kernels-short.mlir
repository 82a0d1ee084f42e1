// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=aarch64 | FileCheck %s --check-prefix=NEON
// RUN: vitq-opt %s --split-input-file --convert-vitq-to-kernels=target=x86-64-v3+avxvnni | FileCheck %s --check-prefix=VNNI

// 255 * 8 * 2 eight times is below 2^15: 16-bit sums of eight groups, the last of six.

// CHECK-LABEL: func.func private @vitq_tile_0(
// CHECK: %[[SUMS:.*]]:12 = scf.for %{{.*}} = %c0 to %c30 step %c8{{.*}}vector<8xi32>
// CHECK: arith.minsi
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK: scf.for {{.*}} -> (vector<16xi16>
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"{{.*}}
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: pmadd
// Signed operands: 128 * 8 is 2^10, of which 32 would be one too many.
// NEON-LABEL: func.func private @vitq_tile_0(
// NEON: step %c16
// NEON-NOT: aarch64
// NEON: llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"
// VNNI-LABEL: func.func private @vitq_tile_0(
// VNNI-NOT: pmadd
// VNNI: vpdpbusd
func.func @main(%x: tensor<12x120xi8>) -> tensor<12x16xi32> {
  %w = arith.constant dense<-8> : tensor<16x120xi4>
  %y = vitq.matmul %x, %w transpose_rhs lhs <unsigned> : (tensor<12x120xi8>, tensor<16x120xi4>) -> tensor<12x16xi32>
  return %y : tensor<12x16xi32>
}

// -----

// The weights of each column count, whatever their type: 64 twice is as much as 16 bits hold, so that each product is
// widened at once, in tiles of five rows.

// CHECK-LABEL: func.func private @vitq_tile_0(
// CHECK: %{{.*}}:10 = scf.for {{.*}} step %c1{{.*}}vector<8xi32>
// CHECK: pmadd.ub.sw
// CHECK: pmadd.wd
func.func @main(%x: tensor<10x64xi8>) -> tensor<10x16xi32> {
  %w = arith.constant dense<-64> : tensor<16x64xi8>
  %y = vitq.matmul %x, %w transpose_rhs lhs <unsigned> : (tensor<10x64xi8>, tensor<16x64xi8>) -> tensor<10x16xi32>
  return %y : tensor<10x16xi32>
}

// -----

// 65 twice is more, in one column of sixteen.

// CHECK-LABEL: func.func private @vitq_tile_0(
// CHECK-NOT: pmadd.ub.sw
// CHECK: pmadd.wd
func.func @main(%x: tensor<12x2xi8>) -> tensor<12x16xi32> {
  %w = arith.constant dense<[[64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 65], [64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 65]]> : tensor<2x16xi8>
  %y = vitq.matmul %x, %w lhs <unsigned> : (tensor<12x2xi8>, tensor<2x16xi8>) -> tensor<12x16xi32>
  return %y : tensor<12x16xi32>
}

// -----

// So do the codes that the type of the activations allows: of 4 bits, 15 * 127 * 2 fits eight times.

// CHECK-LABEL: func.func private @vitq_tile_
// CHECK: scf.for {{.*}} step %c8
// CHECK: pmadd.ub.sw
func.func @main(%x: tensor<12x64xi8>) -> tensor<12x16xi32> {
  %w = arith.constant dense<127> : tensor<16x64xi8>
  %c = vitq.requant %x by <1073741824, 34> round half_up result <unsigned> : tensor<12x64xi8> -> tensor<12x64xi4>
  %y = vitq.matmul %c, %w transpose_rhs lhs <unsigned> : (tensor<12x64xi4>, tensor<16x64xi8>) -> tensor<12x16xi32>
  return %y : tensor<12x16xi32>
}

// -----

// Weights of one row are unpacked in the tile: a block of two vectors from 32 bytes, which have no place in memory.

// CHECK-LABEL: func.func private @vitq_matmul_0(
// CHECK-NOT: vector.load
// CHECK-LABEL: func.func private @vitq_tile_0(
// CHECK: vector.load {{.*}} : memref<{{[0-9]+}}xi8>, vector<32xi8>
// CHECK: arith.shrui
// CHECK: pmadd.ub.sw
// VNNI-LABEL: func.func private @vitq_tile_0(
// VNNI: arith.shrui
// VNNI: vpdpbusd
func.func @main(%x: tensor<1x64xi8>) -> tensor<1x16xi32> {
  %w = arith.constant dense<-7> : tensor<16x64xi8>
  %y = vitq.matmul %x, %w transpose_rhs lhs <unsigned> : (tensor<1x64xi8>, tensor<16x64xi8>) -> tensor<1x16xi32>
  return %y : tensor<1x16xi32>
}
