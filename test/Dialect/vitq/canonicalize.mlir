// RUN: vitq-opt %s --canonicalize | FileCheck %s
// RUN: vitq-opt %s --canonicalize | vitq-opt --canonicalize | FileCheck %s

// CHECK-LABEL: func @reshape_same
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xi8>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_same(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %0 = vitq.reshape %x to [2, 3] : tensor<2x3xi8> -> tensor<2x3xi8>
  return %0 : tensor<2x3xi8>
}

// CHECK-LABEL: func @reshape_reshape
// CHECK-SAME: (%[[X:.*]]: tensor<2x6xi16>)
// CHECK-NEXT: %[[R:.*]] = vitq.reshape %[[X]] to [3, 4] : tensor<2x6xi16> -> tensor<3x4xi16>
// CHECK-NEXT: return %[[R]]
func.func @reshape_reshape(%x: tensor<2x6xi16>) -> tensor<3x4xi16> {
  %0 = vitq.reshape %x to [12] : tensor<2x6xi16> -> tensor<12xi16>
  %1 = vitq.reshape %0 to [3, 4] : tensor<12xi16> -> tensor<3x4xi16>
  return %1 : tensor<3x4xi16>
}

// CHECK-LABEL: func @reshape_other
// CHECK: vitq.reshape
func.func @reshape_other(%x: tensor<2x3xi8>) -> tensor<3x2xi8> {
  %0 = vitq.reshape %x to [3, 2] : tensor<2x3xi8> -> tensor<3x2xi8>
  return %0 : tensor<3x2xi8>
}

// CHECK-LABEL: func @transpose_identity
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xi8>)
// CHECK-NEXT: return %[[X]]
func.func @transpose_identity(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %0 = vitq.transpose %x by [0, 1] : tensor<2x3xi8> -> tensor<2x3xi8>
  return %0 : tensor<2x3xi8>
}

// A square tensor has the same type before and after, and is not the same.
// CHECK-LABEL: func @transpose_square
// CHECK: vitq.transpose
func.func @transpose_square(%x: tensor<3x3xi8>) -> tensor<3x3xi8> {
  %0 = vitq.transpose %x by [1, 0] : tensor<3x3xi8> -> tensor<3x3xi8>
  return %0 : tensor<3x3xi8>
}

// CHECK-LABEL: func @slice_all
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xi8>)
// CHECK-NEXT: return %[[X]]
func.func @slice_all(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %0 = vitq.slice %x offsets [0, 0] sizes [2, 3] strides [1, 1] : tensor<2x3xi8> -> tensor<2x3xi8>
  return %0 : tensor<2x3xi8>
}

// CHECK-LABEL: func @slice_part
// CHECK: vitq.slice
func.func @slice_part(%x: tensor<2x3xi8>) -> tensor<2x2xi8> {
  %0 = vitq.slice %x offsets [0, 1] sizes [2, 2] strides [1, 1] : tensor<2x3xi8> -> tensor<2x2xi8>
  return %0 : tensor<2x2xi8>
}

// i = x + 128 of a signed input: -128 is entry 0, 1 is entry 129.
// CHECK-LABEL: func @table_signed
// CHECK-NEXT: %[[R:.*]] = arith.constant dense<7> : tensor<2xi16>
// CHECK-NEXT: return %[[R]]
func.func @table_signed() -> tensor<2xi16> {
  %x = arith.constant dense<[-128, 1]> : tensor<2xi8>
  %t = arith.constant dense<7> : tensor<256xi16>
  %0 = vitq.table %x, %t : (tensor<2xi8>, tensor<256xi16>) -> tensor<2xi16>
  return %0 : tensor<2xi16>
}

// table[i] = i, as i8: unsigned inputs come back, signed ones are shifted by 128.
// CHECK-LABEL: func @table_values
// CHECK-DAG: %[[U:.*]] = arith.constant dense<[0, 1, 127, -128, -1]> : tensor<5xi8>
// CHECK-DAG: %[[S:.*]] = arith.constant dense<[-128, -127, -1, 0, 127]> : tensor<5xi8>
// CHECK: return %[[U]], %[[S]]
func.func @table_values() -> (tensor<5xi8>, tensor<5xi8>) {
  %x = arith.constant dense<[0, 1, 127, -128, -1]> : tensor<5xi8>
  %t = arith.constant dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"> : tensor<256xi8>
  %0 = vitq.table %x, %t input <unsigned> : (tensor<5xi8>, tensor<256xi8>) -> tensor<5xi8>
  %1 = vitq.table %x, %t : (tensor<5xi8>, tensor<256xi8>) -> tensor<5xi8>
  return %0, %1 : tensor<5xi8>, tensor<5xi8>
}

// CHECK-LABEL: func @table_unknown
// CHECK: vitq.table
func.func @table_unknown(%x: tensor<2xi8>) -> tensor<2xi16> {
  %t = arith.constant dense<7> : tensor<256xi16>
  %0 = vitq.table %x, %t : (tensor<2xi8>, tensor<256xi16>) -> tensor<2xi16>
  return %0 : tensor<2xi16>
}

// Requantization rounds; the identity multiplier 2/2^1 is not looked for.
// CHECK-LABEL: func @requant_requant
// CHECK-COUNT-2: vitq.requant
func.func @requant_requant(%x: tensor<2xi8>) -> tensor<2xi8> {
  %0 = vitq.requant %x by <3, 4> round half_up : tensor<2xi8> -> tensor<2xi8>
  %1 = vitq.requant %0 by <2, 1> round half_up : tensor<2xi8> -> tensor<2xi8>
  return %1 : tensor<2xi8>
}

// CHECK-LABEL: func @unused
// CHECK-NEXT: return
func.func @unused(%x: tensor<2x3xi8>, %w: tensor<3x4xi8>) {
  %0 = vitq.matmul %x, %w : (tensor<2x3xi8>, tensor<3x4xi8>) -> tensor<2x4xi32>
  %1 = vitq.requant %0 by <3, 4> round half_up : tensor<2x4xi32> -> tensor<2x4xi8>
  return
}
