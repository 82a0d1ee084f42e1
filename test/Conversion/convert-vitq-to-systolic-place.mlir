// --place: where ops run, by op and by node.
// RUN: vitq-opt %s --vitq-to-systolic="config=edge-8x8-int4 place=softmax=host,blocks.0.fc=host,a=b=array" | FileCheck %s
// A node that is wanted on the array means its product; its other ops run where they can.
// RUN: vitq-opt %s --vitq-to-systolic="place=blocks.0.fc=array,matmul=array" | FileCheck %s --check-prefix=ARRAY
// RUN: vitq-opt %s --vitq-to-systolic="place=matmul=host" | FileCheck %s --check-prefix=HOST

// CHECK: {node = "blocks.0.fc", op = "vitq.matmul", place = "host", reason = "as asked for"}
// CHECK-SAME: {node = "blocks.0.fc", op = "vitq.requant", place = "host", reason = "as asked for"}
// CHECK-SAME: {node = "a=b", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "softmax", op = "vitq.softmax", place = "host", reason = "as asked for"}
// CHECK-LABEL: func.func @main(
// CHECK: vitq.matmul
// CHECK: vitq.requant
// CHECK: systolic.launch @linear_4x8x8_0
// CHECK: vitq.softmax

// ARRAY: {node = "blocks.0.fc", op = "vitq.matmul", place = "array"
// ARRAY-SAME: {node = "blocks.0.fc", op = "vitq.requant", place = "host", reason = "the array has no dyadic unit"}

// HOST-LABEL: func.func @main(
// HOST-NOT: systolic.launch
func.func @main(%x: tensor<1x4x8xi8>) -> (tensor<1x4x8xi8>, tensor<1x4xi32>) {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %t = arith.constant dense<2> : tensor<256xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("blocks.0.fc")
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x4x8xi32> -> tensor<1x4x8xi8> loc("blocks.0.fc")
  %2 = vitq.matmul %1, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("a=b")
  %3, %4 = vitq.softmax %2 with #vitq.exp_table<dense<2> : tensor<256xi8>> by <7, 9> : (tensor<1x4x8xi32>) -> (tensor<1x4x8xi8>, tensor<1x4xi32>) loc("softmax")
  return %3, %4 : tensor<1x4x8xi8>, tensor<1x4xi32>
}
