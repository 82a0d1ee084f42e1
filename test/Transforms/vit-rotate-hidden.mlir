// RUN: vitq-opt %s --vit-rotate-hidden=block=4 --split-input-file | FileCheck %s
// RUN: vitq-opt %s --vit-rotate-hidden="block=4 at-most=4" --split-input-file | FileCheck %s --check-prefix=FEW
// RUN: not vitq-opt %s --vit-rotate-hidden=block=3 --split-input-file 2>&1 | FileCheck %s --check-prefix=BLOCK
// BLOCK: error: vit-rotate-hidden: block must be a power of two from 2 to 256

// The transform takes the bits of the codes; weights are rows times the same matrix: ones become 2 * (1, 1, 1, -1) / 2 by
// the signs of the fourth number. Six channels have blocks of two. More than 8 bits are spread, and of these what sums of 16
// bits have room for where weights have few; 8 in front of codes of 4.
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = arith.constant {{.*}}: tensor<2x4xf32>
// CHECK: %[[G:.*]] = vit.gelu erf %{{.*}} : tensor<1x3x4xf32>
// CHECK: %[[H:.*]] = vit.hadamard %[[G]] block 4 {vit.code_bits = 6 : i64, vit.wide} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
// CHECK: vit.linear %[[H]],
// CHECK: vit.tanh %{{.*}} {vit.stream_bits = 11 : i64}
// CHECK: vit.hadamard %{{.*}} block 2 {vit.wide} : tensor<1x3x6xf32> -> tensor<1x3x6xf32>
// CHECK: vit.hadamard %{{.*}} block 4 {vit.code_bits = 4 : i64} :
// FEW-LABEL: func.func @main
// FEW-COUNT-1: vit.hadamard
// FEW-NOT: vit.hadamard
func.func @main(%x: tensor<1x3x4xf32>, %z: tensor<1x3x6xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x2xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x4xf32>
  %v = arith.constant dense<1.0> : tensor<2x6xf32>
  %g = vit.gelu erf %x {vit.code_bits = 6 : i64} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  %y = vit.linear %g, %w : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  %t = vit.tanh %z : tensor<1x3x6xf32> -> tensor<1x3x6xf32>
  %u = vit.linear %t, %v {vit.weight_bits = 5 : i64} : (tensor<1x3x6xf32>, tensor<2x6xf32>) -> tensor<1x3x2xf32>
  %i = vit.silu %x {vit.code_bits = 4 : i64} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  %j = vit.linear %i, %w : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  return %y, %u, %j : tensor<1x3x2xf32>, tensor<1x3x2xf32>, tensor<1x3x2xf32>
}

// -----

// What something else reads, or is computed in 16 bits, is left alone.
// CHECK-LABEL: func.func @main
// CHECK-NOT: vit.hadamard
// CHECK: return
func.func @main(%x: tensor<1x3x4xf32>) -> (tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x3x2xf32>) {
  %w = arith.constant dense<1.0> : tensor<2x4xf32>
  %g = vit.gelu erf %x : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  %y = vit.linear %g, %w : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  %t = vit.tanh %x {vit.wide} : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
  %u = vit.linear %t, %w {vit.wide} : (tensor<1x3x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2xf32>
  return %y, %g, %u : tensor<1x3x2xf32>, tensor<1x3x4xf32>, tensor<1x3x2xf32>
}
