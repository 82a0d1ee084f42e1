// The shift requantizer: what is a power of two, half to even, to 8 signed bits, is done where sums are stored.
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic --systolic-allocate | FileCheck %s
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=units=none | FileCheck %s --check-prefix=NONE

// 2^30 / 2^37. The second one is the same product, but another routine, with ReLU: its codes begin at 0.
// CHECK: {node = "a", op = "vitq.requant", place = "shift", reason = "times 2^-7 where the sums are stored"}
// CHECK-SAME: {node = "b", op = "vitq.requant", place = "shift", reason = "times 2^-7 where the sums are stored"}
// CHECK-LABEL: func.func @main(
// CHECK: systolic.launch @linear_4x8x24_0(%{{.*}}, %{{.*}}) {macs = 768 : i64} : (tensor<1x4x8xi8>, tensor<8x64xi8>) -> tensor<1x4x24xi8>
// CHECK: systolic.launch @linear_4x8x24_1(
// CHECK-NOT: vitq.requant
// CHECK-LABEL: func.func private @linear_4x8x24_0(
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<4x24xi8>)
// CHECK: systolic.mvout {{.*}} shift 7 to %[[Y]]
// CHECK-LABEL: func.func private @linear_4x8x24_1(
// CHECK: systolic.mvout {{.*}} shift 7 relu to

// NONE: {node = "a", op = "vitq.requant", place = "host", reason = "the array has no dyadic unit"}
// NONE-LABEL: func.func @main(
// NONE-COUNT-2: vitq.requant
// NONE-NOT: shift 7
func.func @main(%x: tensor<1x4x8xi8>) -> (tensor<1x4x24xi8>, tensor<1x4x24xi8>) {
  %w = arith.constant dense<1> : tensor<8x24xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x24xi8>) -> tensor<1x4x24xi32> loc("a")
  %1 = vitq.requant %0 by <1073741824, 37> round half_even : tensor<1x4x24xi32> -> tensor<1x4x24xi8> loc("a")
  %2 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x24xi8>) -> tensor<1x4x24xi32> loc("b")
  %3 = vitq.requant %2 by <1073741824, 37> round half_even {min = 0 : i64} : tensor<1x4x24xi32> -> tensor<1x4x24xi8> loc("b")
  return %1, %3 : tensor<1x4x24xi8>, tensor<1x4x24xi8>
}

// -----

// Other roundings, zero points, ends and multipliers are the host's, and sums of more than 24 bits, which a scale in
// 32-bit floats (Gemmini's) does not hold exactly.
// CHECK: systolic.placements
// CHECK-NOT: place = "shift"
// CHECK-LABEL: func.func @main(
// CHECK-COUNT-6: vitq.requant
// CHECK-NOT: systolic.mvout {{.*}} shift
func.func @main(%x: tensor<2x8xi8>, %l: tensor<2x2048xi8>) -> (tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi16>, tensor<2x8xi8>) {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %v = arith.constant dense<127> : tensor<2048x8xi8>
  %0 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x8xi8>) -> tensor<2x8xi32>
  %1 = vitq.requant %0 by <1073741824, 37> round half_up : tensor<2x8xi32> -> tensor<2x8xi8>
  %2 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x8xi8>) -> tensor<2x8xi32>
  %3 = vitq.requant %2 by <1073741824, 37> round half_even result <signed, zero = 3> : tensor<2x8xi32> -> tensor<2x8xi8>
  %4 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x8xi8>) -> tensor<2x8xi32>
  %5 = vitq.requant %4 by <1073741825, 37> round half_even : tensor<2x8xi32> -> tensor<2x8xi8>
  %6 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x8xi8>) -> tensor<2x8xi32>
  %7 = vitq.requant %6 by <1073741824, 37> round half_even result <unsigned> : tensor<2x8xi32> -> tensor<2x8xi8>
  %8 = vitq.matmul %x, %w : (tensor<2x8xi8>, tensor<8x8xi8>) -> tensor<2x8xi32>
  %9 = vitq.requant %8 by <1073741824, 37> round half_even : tensor<2x8xi32> -> tensor<2x8xi16>
  %10 = vitq.matmul %l, %v : (tensor<2x2048xi8>, tensor<2048x8xi8>) -> tensor<2x8xi32>
  %11 = vitq.requant %10 by <1073741824, 37> round half_even : tensor<2x8xi32> -> tensor<2x8xi8>
  return %1, %3, %5, %7, %9, %11 : tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi8>, tensor<2x8xi16>, tensor<2x8xi8>
}
