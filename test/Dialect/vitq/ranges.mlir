// Ranges of results, seen in the bounds of products by 1.
// RUN: vitq-opt %s --vitq-prove-accumulators | FileCheck %s

// The range of a table is that of its entries, of all tables together.
// CHECK-LABEL: func.func @tables
func.func @tables(%x: tensor<1x2xi8>) -> tensor<1x1xi32> {
  %w = arith.constant dense<[[1, 1]]> : tensor<1x2xi8>
  %a = arith.constant dense<-7> : tensor<1x256xi16>
  %b = arith.constant dense<300> : tensor<1x256xi16>
  %t = vitq.concat %a, %b axis 0 : (tensor<1x256xi16>, tensor<1x256xi16>) -> tensor<2x256xi16>
  %i = arith.constant dense<[0, 1]> : tensor<2xi8>
  %y = vitq.table %x, %t, %i : (tensor<1x2xi8>, tensor<2x256xi16>, tensor<2xi8>) -> tensor<1x2xi16>
  // CHECK: vitq.accumulator_range = array<i64: -14, 600>
  %acc = vitq.matmul %y, %w transpose_rhs : (tensor<1x2xi16>, tensor<1x2xi8>) -> tensor<1x1xi32>
  return %acc : tensor<1x1xi32>
}

// Entries, and a tail that begins at code 20480 and ends at 32767, halved.
// CHECK-LABEL: func.func @interpolate
func.func @interpolate(%x: tensor<1x1xi16>) -> tensor<1x1xi32> {
  %w = arith.constant dense<1> : tensor<1x1xi8>
  %t = arith.constant dense<-5> : tensor<1025xi16>
  %y = vitq.interpolate %x, %t start 4096 shift 4 tail_by <1073741824, 31> : (tensor<1x1xi16>, tensor<1025xi16>) -> tensor<1x1xi16>
  // CHECK: vitq.accumulator_range = array<i64: -5, 16384>
  %acc = vitq.matmul %y, %w : (tensor<1x1xi16>, tensor<1x1xi8>) -> tensor<1x1xi32>
  return %acc : tensor<1x1xi32>
}

// The input does not reach the tail.
// CHECK-LABEL: func.func @interpolate_inside
func.func @interpolate_inside(%x: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %w = arith.constant dense<1> : tensor<1x1xi8>
  %t = arith.constant dense<9> : tensor<1025xi16>
  %c = vitq.requant %x by <1073741824, 30> round half_up {max = 500 : i64} : tensor<1x1xi32> -> tensor<1x1xi16>
  %y = vitq.interpolate %c, %t start -512 shift 0 tail_by <1073741824, 30> : (tensor<1x1xi16>, tensor<1025xi16>) -> tensor<1x1xi16>
  // CHECK: vitq.accumulator_range = array<i64: 0, 9>
  %acc = vitq.matmul %y, %w : (tensor<1x1xi16>, tensor<1x1xi8>) -> tensor<1x1xi32>
  return %acc : tensor<1x1xi32>
}

// Normalized codes are not negative.
// CHECK-LABEL: func.func @shiftmax
func.func @shiftmax(%x: tensor<1x2xi8>) -> (tensor<1x1xi32>, tensor<1x1xi32>) {
  %w = arith.constant dense<[[1, 1]]> : tensor<1x2xi8>
  %y = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 16 : tensor<1x2xi8> -> tensor<1x2xi16>
  %z = vitq.shiftmax %x exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 8 : tensor<1x2xi8> -> tensor<1x2xi8>
  // CHECK: vitq.accumulator_range = array<i64: 0, 65534>
  %a = vitq.matmul %y, %w transpose_rhs : (tensor<1x2xi16>, tensor<1x2xi8>) -> tensor<1x1xi32>
  // CHECK: vitq.accumulator_range = array<i64: 0, 254>
  %b = vitq.matmul %z, %w transpose_rhs : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x1xi32>
  return %a, %b : tensor<1x1xi32>, tensor<1x1xi32>
}

// Powers of two from 2^14 down, and as many levels as there are thresholds.
// CHECK-LABEL: func.func @comparisons
func.func @comparisons(%x: tensor<1x2xi32>, %l: tensor<1x2xi16>, %t: tensor<3xi32>, %s: tensor<5x2xi32>)
    -> (tensor<1x1xi32>, tensor<1x1xi32>, tensor<1x1xi32>) {
  %w = arith.constant dense<[[1, 1]]> : tensor<1x2xi8>
  %p, %sum = vitq.softmax %x with #vitq.exp_log2<top_exponent = 14> by <1, 1> : (tensor<1x2xi32>) -> (tensor<1x2xi16>, tensor<1xi32>)
  %y = vitq.threshold %x, %t from -1 : (tensor<1x2xi32>, tensor<3xi32>) -> tensor<1x2xi8>
  %z = vitq.norm_quant %l, %s negative [false, true] eps 1 from 3 result <unsigned> : (tensor<1x2xi16>, tensor<5x2xi32>) -> tensor<1x2xi8>
  // CHECK: vitq.accumulator_range = array<i64: 0, 32768>
  %a = vitq.matmul %p, %w transpose_rhs : (tensor<1x2xi16>, tensor<1x2xi8>) -> tensor<1x1xi32>
  // CHECK: vitq.accumulator_range = array<i64: -2, 4>
  %b = vitq.matmul %y, %w transpose_rhs : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x1xi32>
  // CHECK: vitq.accumulator_range = array<i64: 0, 16>
  %c = vitq.matmul %z, %w transpose_rhs lhs <unsigned> : (tensor<1x2xi8>, tensor<1x2xi8>) -> tensor<1x1xi32>
  return %a, %b, %c : tensor<1x1xi32>, tensor<1x1xi32>, tensor<1x1xi32>
}
