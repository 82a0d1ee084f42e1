// RUN: vitq-opt %s --vitq-requant-to-thresholds --split-input-file | FileCheck %s
// RUN: vitq-opt %s --vitq-requant-to-thresholds=norms --split-input-file | FileCheck %s --check-prefix=NORMS

// T_k = 64 * (k - 1/2), ties up: level -1 from -96 on.
// CHECK-LABEL: func.func @tensor
func.func @tensor(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // CHECK: %[[T:.+]] = arith.constant dense<[-96, -32, 32]> : tensor<3xi32>
  // CHECK: vitq.threshold %{{.+}}, %[[T]] from -2 {vitq.id = 5 : i64} : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi8>
  %y = vitq.requant %x by <1073741824, 36> round half_up {min = -2 : i64, max = 1 : i64, vitq.id = 5 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

// Ties to even: -1.5 goes to -2, -0.5 to 0. Zero points count, and a threshold is no lower
// than the lowest input. The second multiplier is half the first.
// CHECK-LABEL: func.func @channels
func.func @channels(%x: tensor<2x2xi8>) -> tensor<2x2xi8> {
  // CHECK{LITERAL}: dense<[[-85, -128], [-22, -54]]> : tensor<2x2xi32>
  // CHECK: vitq.threshold %{{.+}}, %{{.+}} from 0 result <unsigned> : (tensor<2x2xi8>, tensor<2x2xi32>) -> tensor<2x2xi8>
  %y = vitq.requant %x by <[1073741824, 1073741824], [36, 37]> round half_even input <signed, zero = 10> result <unsigned, zero = 2>
    {min = 0 : i64, max = 2 : i64} : tensor<2x2xi8> -> tensor<2x2xi8>
  return %y : tensor<2x2xi8>
}

// -----

// The second channel's accumulators are 0, as its multiplier is: no level is reached, for
// which there is room above the product's bound.
// CHECK-LABEL: func.func @dead_channel
func.func @dead_channel(%x: tensor<1x2xi8>, %a: tensor<1x2xi32>) -> (tensor<1x2xi8>, tensor<1x2xi8>) {
  %w = arith.constant dense<[[1, 2], [0, 0]]> : tensor<2x2xi8>
  %p = vitq.matmul %x, %w transpose_rhs : (tensor<1x2xi8>, tensor<2x2xi8>) -> tensor<1x2xi32>
  // CHECK-DAG{LITERAL}: dense<[[32, 382]]> : tensor<1x2xi32>
  // CHECK: vitq.threshold %{{.+}} from 0
  %y = vitq.requant %p by <[1073741824, 0], [36, 1]> round half_up {min = 0 : i64, max = 1 : i64} : tensor<1x2xi32> -> tensor<1x2xi8>
  // Accumulators of which nothing is known may be 2^31 - 1.
  // CHECK: vitq.requant
  %z = vitq.requant %a by <[1073741824, 0], [36, 1]> round half_up {min = 0 : i64, max = 1 : i64} : tensor<1x2xi32> -> tensor<1x2xi8>
  return %y, %z : tensor<1x2xi8>, tensor<1x2xi8>
}

// -----

// More than 16 levels; a multiplier per row; a function that falls.
// CHECK-LABEL: func.func @unchanged
// CHECK-COUNT-3: vitq.requant
// CHECK-NOT: vitq.threshold
func.func @unchanged(%x: tensor<2x2xi32>) -> (tensor<2x2xi8>, tensor<2x2xi8>, tensor<2x2xi8>) {
  %a = vitq.requant %x by <1073741824, 36> round half_up {min = -8 : i64, max = 8 : i64} : tensor<2x2xi32> -> tensor<2x2xi8>
  %b = vitq.requant %x by <[1073741824, 1073741824], [36, 37]> round half_up {axis = 0 : i64, min = 0 : i64, max = 1 : i64} : tensor<2x2xi32> -> tensor<2x2xi8>
  %c = vitq.requant %x by <-1073741824, 36> round half_up {min = 0 : i64, max = 1 : i64} : tensor<2x2xi32> -> tensor<2x2xi8>
  return %a, %b, %c : tensor<2x2xi8>, tensor<2x2xi8>, tensor<2x2xi8>
}

// -----

// Codes are 16 * normalized + 16 (0 for the last channel) + 5, levels begin at 8 and 24:
// tau = (8 - 1/2 - 5 - 16) / 16 for channel 0. gamma = 0 gives 21: always the first
// level, never the second.
// CHECK-LABEL: func.func @norm
// CHECK: vitq.layer_norm %{{.+}} with #vitq.norm_exact
// NORMS-LABEL: func.func @norm
// NORMS-NOT: vitq.layer_norm
func.func @norm(%x: tensor<2x4xi16>) -> tensor<2x4xi8> {
  // NORMS{LITERAL}: dense<[[-746496, -746496, -2147483647, 25600], [25600, 25600, 2147483647, 1401856]]> : tensor<2x4xi32>
  // NORMS: vitq.norm_quant %{{.+}}, %{{.+}} negative [false, true, false, false] eps 9 from 0 result <unsigned> : (tensor<2x4xi16>, tensor<2x4xi32>) -> tensor<2x4xi8>
  %n = vitq.layer_norm %x with #vitq.norm_exact<eps = 9> by <[1073741824, -1073741824, 0, 1073741824], [40, 40, 40, 40]>
    offsets [17592186044416, 17592186044416, 17592186044416, 0] result <signed, zero = 5> : tensor<2x4xi16> -> tensor<2x4xi8>
  %y = vitq.requant %n by <1073741824, 34> round half_up result <unsigned> {min = 0 : i64, max = 2 : i64} : tensor<2x4xi8> -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}
