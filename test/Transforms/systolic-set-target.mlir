// The array of a module and what the user wants of it; convert-vitq-to-systolic-errors.mlir has what is refused.
// RUN: vitq-opt %s --systolic-set-target | FileCheck %s --check-prefix=DEFAULT
// RUN: vitq-opt %s --systolic-set-target="config=edge-8x8-int4,bits=8 place=softmax=host,fc=array" | FileCheck %s
// The last one counts.
// RUN: vitq-opt %s --systolic-set-target --systolic-set-target="config=edge-8x8-int4,bits=8 place=softmax=host,fc=array" | FileCheck %s

// DEFAULT: module attributes {vitq.target = #systolic.config<"gemmini-16x16">} {
// CHECK: module attributes {systolic.wishes = "softmax=host,fc=array", vitq.target = #systolic.config<"edge-8x8-int4,bits=8">} {
func.func @main(%x: tensor<1x4x8xi8>) -> (tensor<1x4x8xi8>, tensor<1x4xi32>) {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %t = arith.constant dense<2> : tensor<256xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("fc")
  %1, %2 = vitq.softmax %0 with #vitq.exp_table<dense<2> : tensor<256xi8>> by <7, 9> : (tensor<1x4x8xi32>) -> (tensor<1x4x8xi8>, tensor<1x4xi32>)
  return %1, %2 : tensor<1x4x8xi8>, tensor<1x4xi32>
}
