// RUN: vitq-opt %s --vitq-to-llvm=target=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,MADD
// RUN: vitq-opt %s --vitq-to-llvm=target=x86-64-v4+avx512vnni | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: vitq-opt %s --vitq-to-llvm=target=aarch64 | FileCheck %s --check-prefixes=CHECK,PLAIN

// CHECK: llvm.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr)
// CHECK-NOT: builtin.unrealized_conversion_cast
// MADD: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>)
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"({{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>)
// PLAIN-NOT: llvm.call_intrinsic "llvm.aarch64.neon.{{[us]*}}dot
func.func @main(%x: tensor<7x16xi8>) -> tensor<7x16xi8> {
  %w = arith.constant dense<3> : tensor<16x16xi8>
  %a = vitq.matmul %x, %w lhs <unsigned, zero = 9> : (tensor<7x16xi8>, tensor<16x16xi8>) -> tensor<7x16xi32>
  %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<7x16xi32> -> tensor<7x16xi8>
  return %b : tensor<7x16xi8>
}
