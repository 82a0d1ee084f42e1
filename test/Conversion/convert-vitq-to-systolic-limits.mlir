// Products of nothing stay on the host; those with too many instructions, and modules that were converted
// before, are refused.
// RUN: split-file %s %t
// RUN: vitq-opt %t/empty.mlir --vitq-to-systolic | FileCheck %s
// RUN: not vitq-opt %t/large.mlir --vitq-to-systolic=config=rows=2,cols=2 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not vitq-opt %t/empty.mlir --vitq-to-systolic --vitq-to-systolic=config=edge-8x8-int4 2>&1 | FileCheck %s --check-prefix=TWICE
// CHECK: {node = "fc", op = "vitq.matmul", place = "host", reason = "it has nothing to multiply"}
// CHECK: vitq.matmul
// LARGE: error: {{.*}}' takes 33554432 instructions on this array, more than the 16777216 of a routine; use a larger one (rows, cols, stream-rows, bits), or the host
// TWICE: error: is in the form of an array already, systolic:gemmini-16x16

//--- empty.mlir
func.func @main(%x: tensor<1x0x8xi8>) -> tensor<1x0x8xi32> {
  %w = arith.constant dense<3> : tensor<8x8xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x0x8xi8>, tensor<8x8xi8>) -> tensor<1x0x8xi32> loc("fc")
  return %0 : tensor<1x0x8xi32>
}

//--- large.mlir
func.func @main(%x: tensor<512x512xi8>) -> tensor<512x512xi32> {
  %w = arith.constant dense<3> : tensor<512x512xi8>
  %0 = vitq.matmul %x, %w : (tensor<512x512xi8>, tensor<512x512xi8>) -> tensor<512x512xi32>
  return %0 : tensor<512x512xi32>
}
