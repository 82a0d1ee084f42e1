// RUN: vitq-opt %s --vitq-form-kernels=target=x86-64-v4+avx512vnni --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni | FileCheck %s
// RUN: vitq-opt %s --vitq-form-kernels=target=x86-64-v3 --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s --check-prefix=APART

// A tile's sums wait in memory, in two places by turns: the first tile only stores them, the others compute what the
// one before left, and the last one's become results in a loop. Tiles of fewer rows are as ever.

// CHECK: func.func private @vitq_matmul_add_0(
// CHECK: call @vitq_tile_0(
// CHECK: scf.for
// CHECK: call @vitq_tile_beside_0(
// CHECK: scf.for
// CHECK: llvm.x86.avx512.packssdw.512
// CHECK: call @vitq_tile_1(

// Four groups of k for half a row. The 16-bit operand is multiplied by halves of its multiplier: the upper half of one
// product, and a dot product of pairs for 16 numbers each. The constants are where the compiler does not know it.

// CHECK: func.func private @vitq_tile_beside_0(
// CHECK: scf.for {{.*}} -> (vector<16xi32>,
// CHECK: scf.for
// CHECK-COUNT-24: llvm.x86.avx512.vpdpbusd.512
// CHECK: llvm.inline_asm "", "=r,0,r"
// CHECK-COUNT-2: llvm.x86.avx512.vpdpwssd.512
// CHECK: llvm.x86.avx512.packssdw.512
// CHECK: scf.for
// CHECK-COUNT-24: llvm.x86.avx512.vpdpbusd.512
// CHECK: llvm.inline_asm "", "=r,0,r"
// CHECK-COUNT-2: llvm.x86.avx512.vpdpwssd.512

// APART-NOT: @vitq_tile_beside_0

func.func @main(%x: tensor<27x192xi8>, %y: tensor<27x192xi16>) -> tensor<27x192xi16> {
  %w = arith.constant dense<3> : tensor<192x192xi8>
  %s = vitq.matmul %x, %w lhs <unsigned> : (tensor<27x192xi8>, tensor<192x192xi8>) -> tensor<27x192xi32>
  %r = vitq.add %s by <1518500250, 40>, %y by <1342115791, 30> round half_up : (tensor<27x192xi32>, tensor<27x192xi16>) -> tensor<27x192xi16>
  return %r : tensor<27x192xi16>
}
