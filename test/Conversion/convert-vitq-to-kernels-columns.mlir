// RUN: vitq-opt %s --split-input-file --vitq-form-kernels=target=x86-64-v4+avx512vnni --convert-vitq-to-kernels=target=x86-64-v4+avx512vnni | FileCheck %s

// Units of a product with few rows are parts of its panels: 24 panels of 64 columns here, and of each 2 tiles, one of
// them of a row. Who reads the result must wait: no rows are said to be a unit's own.

// CHECK-LABEL: func.func @main(%{{.*}}: memref<7x128xi8>)
// CHECK: call @vitq_matmul_requant_0(
// CHECK-SAME: vitq.step = {macs = 1376256 : i64, node = "{{.*}}", op = "vitq.matmul+vitq.requant", units = 48 : i64}
// CHECK: func.func private @vitq_matmul_requant_0({{.*}}, %[[FIRST:.*]]: index, %[[LAST:.*]]: index)
// CHECK: scf.for
// CHECK: scf.if
// CHECK: scf.for
// CHECK: call @vitq_tile_0(
// CHECK: scf.if
// CHECK: call @vitq_tile_1(
func.func @main(%x: tensor<7x128xi8>) -> tensor<7x1536xi8> {
  %w = arith.constant dense<101> : tensor<1536x128xi8>
  %s = vitq.matmul %x, %w transpose_rhs lhs <unsigned, zero = 128> : (tensor<7x128xi8>, tensor<1536x128xi8>) -> tensor<7x1536xi32>
  %y = vitq.requant %s by <1518500250, 42> round half_up : tensor<7x1536xi32> -> tensor<7x1536xi8>
  return %y : tensor<7x1536xi8>
}

// -----

// Rows are shared out where there are enough of them, where ops behind need whole ones, and where little is to be done.

// CHECK-LABEL: func.func @main(%{{.*}}: memref<197x64xi8>
// CHECK: call @vitq_matmul_requant_0(
// CHECK-SAME: rows = 197 : i64, units = 33 : i64
// CHECK: call @vitq_matmul_requant_table_0(
// CHECK-SAME: rows = 7 : i64, units = 2 : i64
// CHECK: call @vitq_matmul_0(
// CHECK-SAME: rows = 7 : i64, units = 2 : i64
func.func @main(%x: tensor<197x64xi8>, %z: tensor<7x64xi8>) -> (tensor<197x128xi8>, tensor<7x128xi8>, tensor<7x128xi32>) {
  %w = arith.constant dense<101> : tensor<128x64xi8>
  %s = vitq.matmul %x, %w transpose_rhs lhs <unsigned, zero = 128> : (tensor<197x64xi8>, tensor<128x64xi8>) -> tensor<197x128xi32>
  %y = vitq.requant %s by <1518500250, 42> round half_up : tensor<197x128xi32> -> tensor<197x128xi8>
  %t = vitq.matmul %z, %w transpose_rhs lhs <unsigned, zero = 128> : (tensor<7x64xi8>, tensor<128x64xi8>) -> tensor<7x128xi32>
  %n = vitq.requant %t by <1518500250, 42> round half_up : tensor<7x128xi32> -> tensor<7x128xi8>
  %g = arith.constant dense<1> : tensor<256xi8>
  %u = vitq.table %n, %g : (tensor<7x128xi8>, tensor<256xi8>) -> tensor<7x128xi8>
  %v = vitq.matmul %z, %w transpose_rhs lhs <unsigned> : (tensor<7x64xi8>, tensor<128x64xi8>) -> tensor<7x128xi32>
  return %y, %u, %v : tensor<197x128xi8>, tensor<7x128xi8>, tensor<7x128xi32>
}
