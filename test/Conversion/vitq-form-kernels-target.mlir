// The target: of the flag, or the module's.
// RUN: split-file %s %t
// RUN: vitq-opt %t/own.mlir --vitq-form-kernels | FileCheck %s
// RUN: not vitq-opt %t/none.mlir --vitq-form-kernels 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not vitq-opt %t/none.mlir --vitq-form-kernels=target=x86-64-v5 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not vitq-opt %t/none.mlir --vitq-form-kernels='target=#vitq.dyadic<1,2>' 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not vitq-opt %t/none.mlir --vitq-form-kernels='target=#vitq.gpu' 2>&1 | FileCheck %s --check-prefix=SYNTAX

// CHECK: vitq.kernel
// NONE: error: kernels are formed for a target: name one (target=...), or set 'vitq.target'
// UNKNOWN: error: unknown target 'x86-64-v5'; 'native', 'aarch64' or an LLVM CPU name, near it: x86-64-v2
// OTHER: error: #vitq.dyadic<1, 2> is no target that kernels are formed for
// SYNTAX: error: unknown attribute `gpu` in dialect `vitq`

//--- own.mlir
module attributes {vitq.target = #vitq.cpu<"x86-64-v3">} {
  func.func @main(%x: tensor<2x4xi8>, %y: tensor<4x4xi8>) -> tensor<2x4xi8> {
    %a = vitq.matmul %x, %y : (tensor<2x4xi8>, tensor<4x4xi8>) -> tensor<2x4xi32>
    %b = vitq.requant %a by <1518500250, 40> round half_up : tensor<2x4xi32> -> tensor<2x4xi8>
    return %b : tensor<2x4xi8>
  }
}

//--- none.mlir
func.func @main(%x: tensor<2x4xi8>) -> tensor<2x4xi8> {
  return %x : tensor<2x4xi8>
}
