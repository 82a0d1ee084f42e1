// Products on an array of 8-bit operands, what the host does for them, and the tile programs.
// RUN: vitq-opt %s -split-input-file --systolic-set-target --vitq-form-kernels --convert-vitq-to-systolic | FileCheck %s
// What is made stays correct when it is simplified.
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic --systolic-allocate --canonicalize -o /dev/null
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=gemmini-16x16,dataflow=os | FileCheck %s --check-prefix=OS
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=rows=8,cols=8,bits=4 | FileCheck %s --check-prefix=BITS4

// Unsigned codes q enter as q - 128, by a table of the host. With the bias b and the zero point z that
// makes b + (128 - z) * sum_k w = 7 + 125 * 127 * 40. Weights begin at requests of the DMA, and so do rows of
// the result, which the host shortens.
// CHECK: systolic.config = #systolic.config<"gemmini-16x16">
// CHECK-SAME: systolic.placements = [{node = "fc", op = "vitq.matmul", place = "array", reason = "1 pass of 8-bit operands on elements of 8 bits"},
// CHECK-SAME: {node = "?", op = "vitq.table", place = "host", reason = "codes less 128: the array's elements are signed"},
// CHECK-SAME: {node = "fc", op = "vitq.slice", place = "host", reason = "rows of sums are padded to whole requests"}]
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<1x20x40xi8>)
// CHECK: %[[LESS:.*]] = arith.constant dense_resource<less_half> : tensor<256xi8>
// CHECK: %[[SIGNED:.*]] = vitq.table %[[X]], %[[LESS]] input <unsigned>
// CHECK: %[[W:.*]] = arith.constant dense_resource<weights> : tensor<40x64xi8>
// CHECK: %[[B:.*]] = arith.constant dense<635007> : tensor<1x24xi32>
// CHECK: %[[Y:.*]] = systolic.launch @linear_20x40x24_0(%[[SIGNED]], %[[W]], %[[B]]) {macs = 19200 : i64} : (tensor<1x20x40xi8>, tensor<40x64xi8>, tensor<1x24xi32>) -> tensor<1x20x32xi32>
// CHECK: %[[R:.*]] = vitq.slice %[[Y]] offsets [0, 0, 0] sizes [1, 20, 24] strides [1, 1, 1] : tensor<1x20x32xi32> -> tensor<1x20x24xi32>
// CHECK: return %[[R]]

// The routine: tiles of 16 x 16, several of them in one move, edges masked, the bias in each row. While
// rows are computed, the next ones are loaded and those before stored.
// CHECK-LABEL: func.func private @linear_20x40x24_0(
// CHECK-SAME: %[[LHS:.*]]: memref<20x40xi8>, %[[RHS:.*]]: memref<40x64xi8>, %[[BIAS:.*]]: memref<1x24xi32>, %[[OUT:.*]]: memref<20x32xi32>)
// CHECK-SAME: systolic.cycles = {{[0-9]+}} : i64, systolic.fixed_cycles = {{[0-9]+}} : i64, systolic.routine
// CHECK-DAG: systolic.alloc : <scratchpad, [1, 3], [16, 16], i8>
// CHECK-DAG: %[[WEIGHTS:.*]] = systolic.alloc : <scratchpad, [3, 2], [16, 16], i8>
// CHECK-DAG: systolic.alloc : <accumulator, [1, 2], [16, 16], i32>
// CHECK: systolic.mvin %[[RHS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} along 0 to %[[WEIGHTS]]
// CHECK: systolic.mvin %[[LHS]]
// CHECK: systolic.mvin %[[BIAS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} along 0 broadcast
// CHECK: affine.min #{{.*}}
// CHECK: systolic.preload %[[WEIGHTS]]{{.*}} adding %{{.*}} :
// CHECK-NEXT: systolic.compute {{.*}} fresh :
// CHECK: systolic.mvout {{.*}} to %[[OUT]]
// CHECK: systolic.preload
// CHECK-NEXT: systolic.compute

// Sums that stay: the right operand streams too, the last compute of a tile writes them.
// OS: systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">
// OS-LABEL: func.func private @linear_20x40x24_0(
// OS: systolic.preload rows %{{.*}} cols %{{.*}} into
// OS-NEXT: systolic.compute {{.*}} with {{.*}} fresh :
// OS-NEXT: systolic.compute {{.*}} with %{{[^ ]*}} %{{[^ ]*}} :
// OS-NEXT: systolic.compute {{.*}} with {{.*}} last :

// Elements of 4 bits: two planes of each operand, high bits signed as the operand is; no table, the
// zero point goes into the bias: 7 - 3 * 127 * 40.
// BITS4: reason = "4 passes of 8-bit operands on elements of 4 bits"
// BITS4-NOT: vitq.table
// BITS4: arith.constant dense<-15233> : tensor<1x24xi32>
// BITS4-LABEL: func.func private @linear_20x40x24_0(
// BITS4-DAG: systolic.alloc : <scratchpad, [2, {{.*}}], [8, 8], i4>
// BITS4: systolic.mvin {{.*}} split
// BITS4: systolic.preload %{{.*}}[%c0, {{.*}} into
// BITS4: systolic.compute %{{.*}}[%c0, {{.*}} fresh lhs_unsigned rhs_unsigned
// BITS4: systolic.preload rows {{.*}} shift 4
// BITS4: systolic.compute %{{.*}}[%c1, {{.*}} lhs_unsigned rhs_unsigned
// BITS4: systolic.preload %{{.*}}[%c1, {{.*}} shift 4
// BITS4: systolic.compute %{{.*}}[%c0, {{.*}} fresh lhs_unsigned :
// BITS4: systolic.preload rows {{.*}} shift 8
// BITS4: systolic.compute %{{.*}}[%c1, {{.*}} lhs_unsigned :
func.func @main(%x: tensor<1x20x40xi8>) -> tensor<1x20x24xi32> {
  %w = arith.constant dense<127> : tensor<40x24xi8>
  %b = arith.constant dense<7> : tensor<24xi32>
  %y = vitq.matmul %x, %w, %b lhs <unsigned, zero = 3> : (tensor<1x20x40xi8>, tensor<40x24xi8>, tensor<24xi32>) -> tensor<1x20x24xi32> loc("fc")
  return %y : tensor<1x20x24xi32>
}

// -----

// Q K^T: transpositions become strides, the right operand is transposed on its way into the array. Its
// correction is a product of one row, which the host computes for each head: (128 - 200) * sum_k K.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[Q:.*]]: tensor<1x20x3x16xi8>, %[[K:.*]]: tensor<1x20x3x16xi8>)
// CHECK: %[[SIGNED:.*]] = vitq.table %[[Q]], %{{.*}} input <unsigned>
// CHECK: %[[KT:.*]] = vitq.transpose %[[K]] by [0, 2, 1, 3]
// CHECK: %[[ROW:.*]] = arith.constant dense<-72> : tensor<1x3x1x16xi8>
// CHECK: %[[SUMS:.*]] = vitq.matmul %[[ROW]], %[[KT]] transpose_rhs : (tensor<1x3x1x16xi8>, tensor<1x3x20x16xi8>) -> tensor<1x3x1x20xi32>
// CHECK: %[[S:.*]] = systolic.launch @matmul_3x20x16x20_0(%[[SIGNED]], %[[K]], %[[SUMS]]) {attention, macs = 19200 : i64} : (tensor<1x20x3x16xi8>, tensor<1x20x3x16xi8>, tensor<1x3x1x20xi32>) -> tensor<1x3x20x32xi32>
// CHECK: vitq.slice %[[S]]
// CHECK-LABEL: func.func private @matmul_3x20x16x20_0(
// CHECK-SAME: memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>>, %{{.*}}: memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>>, %{{.*}}: memref<1x3x1x20xi32>, %{{.*}}: memref<1x3x20x32xi32>)
// CHECK: systolic.mvin {{.*}} along 2 to
// CHECK: systolic.preload {{.*}} transpose into

// The right operand cannot be transposed where it streams: the host does.
// OS-LABEL: func.func @main(
// OS: %[[T:.*]] = vitq.transpose %{{.*}} by [0, 1, 3, 2] : tensor<1x3x20x16xi8> -> tensor<1x3x16x20xi8>
// OS: systolic.launch @matmul_3x20x16x20_0(%{{.*}}, %[[T]], %{{.*}})
// OS-NOT: transpose into

// A factor below -128 has 16 bits, which is no matter to the host.
// BITS4-LABEL: func.func @main(
// BITS4: arith.constant dense<-200> : tensor<1x3x1x16xi16>
func.func @main(%q: tensor<1x20x3x16xi8>, %k: tensor<1x20x3x16xi8>) -> tensor<1x3x20x20xi32> {
  %0 = vitq.transpose %q by [0, 2, 1, 3] : tensor<1x20x3x16xi8> -> tensor<1x3x20x16xi8>
  %1 = vitq.transpose %k by [0, 2, 1, 3] : tensor<1x20x3x16xi8> -> tensor<1x3x20x16xi8>
  %2 = vitq.matmul %0, %1 transpose_rhs lhs <unsigned, zero = 200> : (tensor<1x3x20x16xi8>, tensor<1x3x20x16xi8>) -> tensor<1x3x20x20xi32> loc("qk")
  return %2 : tensor<1x3x20x20xi32>
}

// -----

// P V: 128 * sum of each column of V.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[P:.*]]: tensor<1x3x20x20xi8>, %[[V:.*]]: tensor<1x20x3x16xi8>)
// CHECK: %[[ROW:.*]] = arith.constant dense<-128> : tensor<1x3x1x20xi8>
// CHECK: %[[SUMS:.*]] = vitq.matmul %[[ROW]], %{{.*}} lhs <unsigned> : (tensor<1x3x1x20xi8>, tensor<1x3x20x16xi8>) -> tensor<1x3x1x16xi32>
// CHECK: systolic.launch @matmul_3x20x20x16_0(%{{.*}}, %[[V]], %[[SUMS]]) {attention, macs = 19200 : i64} : (tensor<1x3x20x20xi8>, tensor<1x20x3x16xi8>, tensor<1x3x1x16xi32>) -> tensor<1x3x20x16xi32>
// CHECK-NEXT: return

// No correction where both signs can be read; the batches' routine has no bias.
// BITS4-LABEL: func.func @main(
// BITS4-SAME: %[[P:.*]]: tensor<1x3x20x20xi8>, %[[V:.*]]: tensor<1x20x3x16xi8>)
// BITS4-NOT: vitq.transpose
// BITS4-NOT: vitq.matmul
// BITS4: systolic.launch @matmul_3x20x20x16_0(%[[P]], %[[V]]) {attention, macs = 19200 : i64}
func.func @main(%p: tensor<1x3x20x20xi8>, %v: tensor<1x20x3x16xi8>) -> tensor<1x3x20x16xi32> {
  %0 = vitq.transpose %v by [0, 2, 1, 3] : tensor<1x20x3x16xi8> -> tensor<1x3x20x16xi8>
  %1 = vitq.matmul %p, %0 lhs <unsigned> : (tensor<1x3x20x20xi8>, tensor<1x3x20x16xi8>) -> tensor<1x3x20x16xi32> loc("pv")
  return %1 : tensor<1x3x20x16xi32>
}

// -----

// A left operand of 16 bits stays on the host, and so does what is no product. Equal products share a
// routine; neither needs a bias, so the first sums replace what is there.
// CHECK: systolic.placements = [
// CHECK-SAME: {node = "wide", op = "vitq.matmul", place = "host", reason = "its left operand has 16 bits and the array takes 8"}
// CHECK-SAME: {node = "first", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "second", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "softmax", op = "vitq.softmax", place = "host", reason = "the array has no exponent unit"}
// CHECK-SAME: {node = "reshape", op = "vitq.reshape", place = "host", reason = "it is no work of the array or of a unit"}
// CHECK-LABEL: func.func @main(
// CHECK: vitq.matmul %{{.*}} : (tensor<1x4x8xi16>, tensor<8x4xi8>) -> tensor<1x4x4xi32>
// CHECK: systolic.launch @linear_4x8x4_0(%{{.*}}, %{{.*}}) {macs = 128 : i64}
// CHECK: systolic.launch @linear_4x8x4_0(%{{.*}}, %{{.*}}) {macs = 128 : i64}
// CHECK: vitq.softmax
// CHECK: vitq.reshape
// CHECK-LABEL: func.func private @linear_4x8x4_0(
// CHECK: systolic.preload %{{.*}} adding %c0 :
// CHECK-NOT: func.func
func.func @main(%a: tensor<1x4x8xi16>, %b: tensor<1x4x8xi8>) -> (tensor<1x4x4xi32>, tensor<1x4x4xi32>, tensor<1x4x4xi8>, tensor<1x4xi32>, tensor<4x4xi32>) {
  %w = arith.constant dense<1> : tensor<8x4xi8>
  %t = arith.constant dense<2> : tensor<256xi8>
  %0 = vitq.matmul %a, %w : (tensor<1x4x8xi16>, tensor<8x4xi8>) -> tensor<1x4x4xi32> loc("wide")
  %1 = vitq.matmul %b, %w : (tensor<1x4x8xi8>, tensor<8x4xi8>) -> tensor<1x4x4xi32> loc("first")
  %2 = vitq.matmul %b, %w : (tensor<1x4x8xi8>, tensor<8x4xi8>) -> tensor<1x4x4xi32> loc("second")
  %3, %4 = vitq.softmax %2 with #vitq.exp_table<dense<2> : tensor<256xi8>> by <7, 9> : (tensor<1x4x4xi32>) -> (tensor<1x4x4xi8>, tensor<1x4xi32>) loc("softmax")
  %5 = vitq.reshape %1 to [4, 4] : tensor<1x4x4xi32> -> tensor<4x4xi32> loc("reshape")
  return %0, %1, %3, %4, %5 : tensor<1x4x4xi32>, tensor<1x4x4xi32>, tensor<1x4x4xi8>, tensor<1x4xi32>, tensor<4x4xi32>
}
