// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v4+avx512vnni+avx512vbmi --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni+avx512vbmi | FileCheck %s --check-prefixes=CHECK,VBMI,SHUFFLES
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v3 --convert-vitq-to-kernels=target=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,AVX2,SHUFFLES
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=aarch64 --convert-vitq-to-kernels=target=aarch64 | FileCheck %s --check-prefixes=CHECK,NEON
// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64 --convert-vitq-to-kernels=target=x86-64 | FileCheck %s --check-prefix=SSE2
// RUN: sed '/^.. -----/,$d' %s | vitq-opt - --compile --target=x86-64-v3 --emit=asm -o - | FileCheck %s --check-prefix=ASM

// A table, a transform and the codes of its sums are one pass over a row. Neighbours are added and subtracted as their
// bytes become words; then there are five more sums and differences, each of two vectors (or two of four), four or five of them
// behind an exchange. Without a lookup the table is an op of its own.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_requant_spread_0(
// SSE2-LABEL: func.func @main
// SSE2: call @vitq_matmul_requant_table_spread_0(
// CHECK: func.func private @vitq_matmul_requant_spread_0(
// VBMI-COUNT-2: llvm.x86.avx512.vpermi2var.qi.512
// VBMI-COUNT-2: llvm.x86.avx512.pmaddubs.w.512
// VBMI-COUNT-2: arith.subi
// VBMI-COUNT-10: vector.shuffle {{.*}} : vector<32xi16>, vector<32xi16>
// VBMI-COUNT-2: llvm.x86.avx512.pmul.hr.sw.512
// VBMI: llvm.x86.avx512.packuswb.512
// VBMI-NEXT: vector.shuffle {{.*}} : vector<64xi8>
// VBMI-NEXT: vector.store
// AVX2-COUNT-16: llvm.x86.avx2.pshuf.b
// AVX2-COUNT-2: llvm.x86.avx2.pmadd.ub.sw
// AVX2-COUNT-16: llvm.x86.avx2.pshuf.b
// AVX2-COUNT-2: llvm.x86.avx2.pmadd.ub.sw
// AVX2-COUNT-16: vector.shuffle {{.*}} : vector<16xi16>, vector<16xi16>
// AVX2-COUNT-2: llvm.x86.avx2.pmul.hr.sw
// AVX2: llvm.x86.avx2.packuswb
// AVX2: llvm.x86.avx2.pshuf.b
// AVX2-COUNT-2: vector.store {{.*}} : memref<5x128xi8>, vector<16xi8>
// SHUFFLES-NOT: i32>, vector
// NEON: llvm.aarch64.neon.tbl4.v16i8
// NEON-COUNT-24: vector.shuffle {{.*}} : vector<8xi16>, vector<8xi16>
// NEON: llvm.aarch64.neon.sqrdmulh
// CHECK: return

// No vector goes through the stack.
// ASM-LABEL: vitq_matmul_requant_spread_0:
// ASM: vpmaddubsw
// ASM-NOT: ymm{{.*}}(%rsp)
// ASM: vpmulhrsw
// ASM-NOT: ymm{{.*}}(%rsp)
// ASM: vpackuswb
// ASM-NOT: ymm{{.*}}(%rsp)
// ASM: retq
func.func @main(%x: tensor<5x8xi8>, %w: tensor<8x128xi8>) -> tensor<5x128xi8> {
  %t = arith.constant dense<7> : tensor<256xi8>
  %s = vitq.matmul %x, %w : (tensor<5x8xi8>, tensor<8x128xi8>) -> tensor<5x128xi32>
  %c = vitq.requant %s by <1073741824, 40> round half_up : tensor<5x128xi32> -> tensor<5x128xi8>
  %g = vitq.table %c, %t : (tensor<5x128xi8>, tensor<256xi8>) -> tensor<5x128xi8>
  %h = vitq.hadamard %g block 64 input <unsigned, zero = 9> : tensor<5x128xi8> -> tensor<5x128xi32>
  %r = vitq.requant %h by <1100, 15> round half_up result <unsigned, zero = 128> : tensor<5x128xi32> -> tensor<5x128xi8>
  return %r : tensor<5x128xi8>
}

// -----

// Sums beyond 16 bits, and multipliers that are no multiples of 2^-15, are ops of their own.

// CHECK-LABEL: func.func @main
// CHECK: call @vitq_matmul_requant_hadamard_requant_0(
// CHECK: call @vitq_matmul_requant_hadamard_requant_1(
// SSE2: return
func.func @main(%x: tensor<5x8xi8>, %w: tensor<8x128xi8>) -> (tensor<5x128xi8>, tensor<5x128xi8>) {
  %s = vitq.matmul %x, %w : (tensor<5x8xi8>, tensor<8x128xi8>) -> tensor<5x128xi32>
  %c = vitq.requant %s by <1073741824, 40> round half_up : tensor<5x128xi32> -> tensor<5x128xi16>
  %h = vitq.hadamard %c block 64 : tensor<5x128xi16> -> tensor<5x128xi32>
  %r = vitq.requant %h by <5, 15> round half_up : tensor<5x128xi32> -> tensor<5x128xi8>
  %t = vitq.matmul %x, %w : (tensor<5x8xi8>, tensor<8x128xi8>) -> tensor<5x128xi32>
  %d = vitq.requant %t by <1073741824, 40> round half_up : tensor<5x128xi32> -> tensor<5x128xi8>
  %i = vitq.hadamard %d block 64 : tensor<5x128xi8> -> tensor<5x128xi32>
  %u = vitq.requant %i by <1100000001, 35> round half_up : tensor<5x128xi32> -> tensor<5x128xi8>
  return %r, %u : tensor<5x128xi8>, tensor<5x128xi8>
}
