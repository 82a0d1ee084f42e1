// Every op, type and attribute of the dialect, in its own syntax, in generic form and as bytecode.
// RUN: vitq-opt %s -split-input-file | FileCheck %s
// RUN: vitq-opt %s -split-input-file | vitq-opt -split-input-file | FileCheck %s
// RUN: vitq-opt %s -split-input-file --mlir-print-op-generic | vitq-opt -split-input-file | FileCheck %s
// RUN: vitq-opt %s -split-input-file --verify-roundtrip | FileCheck %s
// Effects keep the instructions of a routine and their order.
// RUN: vitq-opt %s -split-input-file --canonicalize --cse --loop-invariant-code-motion | FileCheck %s --check-prefix=KEPT

// CHECK: module attributes {systolic.config = #systolic.config<"gemmini-16x16">, systolic.placements = [{node = "blocks.0", op = "vitq.matmul", place = "array", reason = "1 pass"}]}
module attributes {systolic.config = #systolic.config<"gemmini-16x16">,
                   systolic.placements = [{node = "blocks.0", op = "vitq.matmul", place = "array", reason = "1 pass"}]} {

// Weights stay; what the next compute needs is loaded before it.
// CHECK-LABEL: func private @weights_stay
// CHECK-SAME: attributes {systolic.cycles = 120 : i64, systolic.fixed_cycles = 130 : i64, systolic.routine}
// KEPT-LABEL: func private @weights_stay
func.func private @weights_stay(%x: memref<20x32xi8>, %w: memref<32x48xi8>, %b: memref<1x48xi32>, %y: memref<20x48xi32>,
                                %z: memref<20x48xi8>)
    attributes {systolic.routine, systolic.cycles = 120 : i64, systolic.fixed_cycles = 130 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  // CHECK: %[[LHS:.*]] = systolic.alloc : <scratchpad, [2, 2], [16, 16], i8>
  // KEPT-COUNT-3: systolic.alloc
  %lhs = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // CHECK: %[[RHS:.*]] = systolic.alloc at 16288 : <scratchpad, [2, 3], [16, 16], i8>
  %rhs = systolic.alloc at 16288 : !systolic.tiles<scratchpad, [2, 3], [16, 16], i8>
  // CHECK: %[[SUMS:.*]] = systolic.alloc at 0 : <accumulator, [2, 3], [16, 16], i32>
  %sums = systolic.alloc at 0 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32>
  // CHECK: systolic.mvin %{{.*}}[%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} along 0 to %[[LHS]][%{{.*}}, %{{.*}}] : memref<20x32xi8> to <scratchpad, [2, 2], [16, 16], i8>
  // KEPT: systolic.mvin
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c32 along 0 to %lhs[%c0, %c0] : memref<20x32xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // CHECK: systolic.mvin %{{.*}} to %[[LHS]][%{{.*}}, %{{.*}}] row %{{[^ ]*}} : memref<20x32xi8>
  // KEPT: systolic.mvin
  systolic.mvin %x[%c0, %c0] rows %c4 cols %c32 along 0 to %lhs[%c0, %c0] row %c4 : memref<20x32xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // KEPT: systolic.mvin
  systolic.mvin %x[%c16, %c0] rows %c4 cols %c32 along 0 to %lhs[%c1, %c0] : memref<20x32xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // CHECK: affine.for
  // KEPT: affine.for
  affine.for %k = 0 to 2 {
    %row = affine.apply affine_map<(d0) -> (d0 * 16)>(%k)
    // KEPT: systolic.mvin
    systolic.mvin %w[%row, %c0] rows %c16 cols %c48 along 0 to %rhs[%k, %c0] : memref<32x48xi8> to !systolic.tiles<scratchpad, [2, 3], [16, 16], i8>
  }
  // CHECK: systolic.mvin %{{.*}}[%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} along 0 broadcast to %[[SUMS]][%{{.*}}, %{{.*}}] : memref<1x48xi32> to <accumulator, [2, 3], [16, 16], i32>
  // KEPT: systolic.mvin {{.*}} broadcast
  systolic.mvin %b[%c0, %c0] rows %c16 cols %c16 along 0 broadcast to %sums[%c0, %c0] : memref<1x48xi32> to !systolic.tiles<accumulator, [2, 3], [16, 16], i32>
  // CHECK: systolic.mvin %{{.*}} to %[[SUMS]][%{{.*}}, %{{.*}}] accumulate : memref<20x48xi32> to
  // KEPT: systolic.mvin {{.*}} accumulate
  systolic.mvin %y[%c0, %c0] rows %c16 cols %c16 along 0 to %sums[%c0, %c0] accumulate : memref<20x48xi32> to !systolic.tiles<accumulator, [2, 3], [16, 16], i32>
  // KEPT: affine.for
  affine.for %k = 0 to 2 {
    // CHECK: systolic.preload %[[RHS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} into %[[SUMS]][%{{.*}}, %{{.*}}] adding %{{.*}} : <accumulator, [2, 3], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 3], [16, 16], i8>
    // KEPT: systolic.preload
    systolic.preload %rhs[%k, %c0] rows %c16 cols %c16 into %sums[%c0, %c0] adding %c1 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 3], [16, 16], i8>
    // CHECK: systolic.compute %[[LHS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} fresh : <scratchpad, [2, 2], [16, 16], i8>
    // KEPT: systolic.compute
    systolic.compute %lhs[%c0, %k] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
    // CHECK: systolic.preload rows %{{.*}} cols %{{.*}} into %[[SUMS]][%{{.*}}, %{{.*}}] shift 4 : <accumulator, [2, 3], [16, 16], i32>
    // KEPT: systolic.preload
    systolic.preload rows %c16 cols %c16 into %sums[%c1, %c0] shift 4 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32>
    // CHECK: systolic.compute %[[LHS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} lhs_unsigned rhs_unsigned : <scratchpad, [2, 2], [16, 16], i8>
    // KEPT: systolic.compute
    systolic.compute %lhs[%c1, %k] rows %c4 cols %c16 lhs_unsigned rhs_unsigned : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  }
  // CHECK: systolic.preload %[[RHS]][%{{.*}}] rows %{{.*}} cols %{{.*}} transpose into
  // KEPT: systolic.preload
  systolic.preload %rhs[%c0, %c1] rows %c16 cols %c16 transpose into %sums[%c0, %c1] : !systolic.tiles<accumulator, [2, 3], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 3], [16, 16], i8>
  // KEPT: systolic.compute
  systolic.compute %lhs[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // CHECK: systolic.fence
  // KEPT: systolic.fence
  systolic.fence
  // CHECK: systolic.mvout %[[SUMS]][%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} to %{{.*}}[%{{.*}}, %{{.*}}] along 0 : <accumulator, [2, 3], [16, 16], i32> to memref<20x48xi32>
  // KEPT: systolic.mvout
  systolic.mvout %sums[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32> to memref<20x48xi32>
  // CHECK: systolic.mvout %{{.*}} shift 7 to %{{.*}} : <accumulator, [2, 3], [16, 16], i32> to memref<20x48xi8>
  // KEPT: systolic.mvout
  systolic.mvout %sums[%c0, %c0] rows %c16 cols %c48 shift 7 to %z[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32> to memref<20x48xi8>
  // CHECK: systolic.mvout %{{.*}} shift 0 relu to %{{.*}}
  // KEPT: systolic.mvout
  systolic.mvout %sums[%c1, %c0] rows %c4 cols %c48 shift 0 relu to %z[%c16, %c0] along 0 : !systolic.tiles<accumulator, [2, 3], [16, 16], i32> to memref<20x48xi8>
  return
}

// Rows along another dimension than the one before the last, of a view whose strides are known.
// CHECK-LABEL: func private @view
func.func private @view(%x: memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c16 = arith.constant 16 : index
  %lhs = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  // CHECK: systolic.mvin {{.*}} along 2 to {{.*}} : memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>> to
  systolic.mvin %x[%c0, %c2, %c3, %c0] rows %c16 cols %c16 along 2 to %lhs[%c0, %c0] : memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>> to !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  // CHECK: systolic.mvin {{.*}} along 1 to
  systolic.mvin %x[%c0, %c0, %c3, %c0] rows %c3 cols %c16 along 1 to %lhs[%c0, %c0] : memref<1x3x20x16xi8, strided<[960, 16, 48, 1]>> to !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  return
}

func.func private @store(%x: memref<16x32xi8>, %y: memref<16x48xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %sums = systolic.alloc : !systolic.tiles<accumulator, [1, 3], [16, 16], i32>
  systolic.mvout %sums[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 3], [16, 16], i32> to memref<16x48xi32>
  return
}

// Equal launches are one; one that nobody wants is none.
// CHECK-LABEL: func @launch
// KEPT-LABEL: func @launch
func.func @launch(%x: tensor<1x16x32xi8>) -> (tensor<1x16x48xi32>, tensor<1x16x48xi32>) {
  // CHECK: systolic.launch @store(%{{.*}}) {attention, macs = 24576 : i64} : (tensor<1x16x32xi8>) -> tensor<1x16x48xi32>
  // KEPT: systolic.launch
  // KEPT-NOT: systolic.launch
  %0 = systolic.launch @store(%x) {macs = 24576 : i64, attention} : (tensor<1x16x32xi8>) -> tensor<1x16x48xi32>
  // CHECK: systolic.launch
  %1 = systolic.launch @store(%x) {macs = 24576 : i64, attention} : (tensor<1x16x32xi8>) -> tensor<1x16x48xi32>
  // CHECK: systolic.launch @store(%{{.*}}) : (tensor<1x16x32xi8>) -> tensor<1x16x48xi32>
  %2 = systolic.launch @store(%x) : (tensor<1x16x32xi8>) -> tensor<1x16x48xi32>
  // KEPT: return
  return %0, %1 : tensor<1x16x48xi32>, tensor<1x16x48xi32>
}

// CHECK-LABEL: func @launch_narrow
func.func @launch_narrow(%x: tensor<16x32xi4>) -> tensor<16x48xi32> {
  // CHECK: systolic.launch @store(%{{.*}}) {lhs_code = #vitq.code<unsigned>} : (tensor<16x32xi4>) -> tensor<16x48xi32>
  %0 = systolic.launch @store(%x) {lhs_code = #vitq.code<unsigned>} : (tensor<16x32xi4>) -> tensor<16x48xi32>
  return %0 : tensor<16x48xi32>
}
}

// -----

// Planes, and units.
// CHECK: module attributes {systolic.config = #systolic.config<"edge-8x8-int4,rows=16">}
module attributes {systolic.config = #systolic.config<"edge-8x8-int4,rows=16">} {

// CHECK-LABEL: func private @planes
func.func private @planes(%x: memref<8x16xi8>, %r: memref<8x8xi8>, %y: memref<8x8xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  // CHECK: systolic.alloc : <scratchpad, [2, 1, 1], [8, 16], i4>
  %lhs = systolic.alloc : !systolic.tiles<scratchpad, [2, 1, 1], [8, 16], i4>
  %rhs = systolic.alloc : !systolic.tiles<scratchpad, [2, 1, 1], [16, 8], i4>
  %sums = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [8, 8], i32>
  // CHECK: systolic.mvin {{.*}} to %{{.*}}[%{{.*}}, %{{.*}}] split : memref<8x16xi8> to <scratchpad, [2, 1, 1], [8, 16], i4>
  systolic.mvin %x[%c0, %c0] rows %c8 cols %c16 along 0 to %lhs[%c0, %c0] split : memref<8x16xi8> to !systolic.tiles<scratchpad, [2, 1, 1], [8, 16], i4>
  // CHECK: systolic.preload %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] rows
  systolic.preload %rhs[%c1, %c0, %c0] rows %c16 cols %c8 into %sums[%c0, %c0] shift 8 : !systolic.tiles<accumulator, [1, 1], [8, 8], i32>, !systolic.tiles<scratchpad, [2, 1, 1], [16, 8], i4>
  systolic.compute %lhs[%c1, %c0, %c0] rows %c8 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 1, 1], [8, 16], i4>
  // CHECK: systolic.units from %{{.*}}[%{{.*}}, %{{.*}}] rows %{{.*}} for %{{.*}} channels %{{.*}} for %{{.*}} : !systolic.tiles<accumulator, [1, 1], [8, 8], i32>
  systolic.units from %sums[%c0, %c0] rows %c0 for %c8 channels %c0 for %c8 : !systolic.tiles<accumulator, [1, 1], [8, 8], i32>
  return
}

// CHECK-LABEL: func private @units
func.func private @units(%x: memref<8x8xi32>, %y: memref<8x8xi8>, %s: memref<8xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  // CHECK: systolic.units rows %{{.*}} for %{{.*}} channels %{{.*}} for %{{.*}}{{$}}
  systolic.units rows %c0 for %c8 channels %c0 for %c8
  return
}

// CHECK-LABEL: func @launch
func.func @launch(%x: tensor<8x16xi8>, %r: tensor<8x8xi8>, %z: tensor<1x8x8xi32>, %e: tensor<256xi8>) {
  // CHECK: systolic.launch @planes(%{{.*}}, %{{.*}}) {operandsForUnits = 1 : i64} : (tensor<8x16xi8>, tensor<8x8xi8>) -> tensor<8x8xi8> units {
  // CHECK-NEXT: ^bb0(%{{.*}}: tensor<8x8xi32>, %{{.*}}: tensor<8x8xi8>):
  // CHECK: systolic.yield %{{.*}} : tensor<8x8xi8>
  %0 = systolic.launch @planes(%x, %r) {operandsForUnits = 1 : i64} : (tensor<8x16xi8>, tensor<8x8xi8>) -> tensor<8x8xi8> units {
  ^bb0(%sums: tensor<8x8xi32>, %rest: tensor<8x8xi8>):
    %y = vitq.add %rest by <1, 1>, %sums by <3, 9> round half_up : (tensor<8x8xi8>, tensor<8x8xi32>) -> tensor<8x8xi8>
    systolic.yield %y : tensor<8x8xi8>
  }
  // CHECK: systolic.launch @units(%{{.*}}) {operandsForUnits = 1 : i64} : (tensor<1x8x8xi32>) -> (tensor<1x8x8xi8>, tensor<1x8xi32>) units {
  %1:2 = systolic.launch @units(%z) {operandsForUnits = 1 : i64} : (tensor<1x8x8xi32>) -> (tensor<1x8x8xi8>, tensor<1x8xi32>) units {
  ^bb0(%rows: tensor<1x8x8xi32>):
    %table = arith.constant dense<1> : tensor<256xi8>
    %codes, %sums = vitq.softmax %rows with #vitq.exp_table<dense<1> : tensor<256xi8>> by <7, 9> : (tensor<1x8x8xi32>) -> (tensor<1x8x8xi8>, tensor<1x8xi32>)
    // CHECK: systolic.yield %{{.*}}, %{{.*}} : tensor<1x8x8xi8>, tensor<1x8xi32>
    systolic.yield %codes, %sums : tensor<1x8x8xi8>, tensor<1x8xi32>
  }
  return
}
}

// -----

// Sums stay.
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {

// CHECK-LABEL: func private @sums_stay
func.func private @sums_stay() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %lhs = systolic.alloc : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>
  %rhs = systolic.alloc : !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  %sums = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  // CHECK: systolic.compute %{{.*}}[%{{.*}}, %{{.*}}] rows %{{.*}} cols %{{.*}} with %{{.*}}[%{{.*}}, %{{.*}}] fresh : <scratchpad, [1, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  systolic.compute %lhs[%c0, %c0] rows %c16 cols %c16 with %rhs[%c0, %c0] fresh : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  // CHECK: systolic.compute {{.*}} with {{.*}} last rhs_unsigned :
  systolic.compute %lhs[%c0, %c1] rows %c16 cols %c16 with %rhs[%c1, %c0] last rhs_unsigned : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
  return
}
}

// -----

// Without a configuration only what is true of all arrays is checked.
// CHECK-LABEL: func private @any_array
func.func private @any_array(%x: memref<64x1024xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  // CHECK: systolic.alloc : <scratchpad, [4, 1, 1], [64, 1024], i2>
  %lhs = systolic.alloc : !systolic.tiles<scratchpad, [4, 1, 1], [64, 1024], i2>
  %sums = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [64, 64], i32>
  systolic.mvin %x[%c0, %c0] rows %c64 cols %c1024 along 0 to %lhs[%c0, %c0] split : memref<64x1024xi8> to !systolic.tiles<scratchpad, [4, 1, 1], [64, 1024], i2>
  systolic.preload rows %c64 cols %c64 into %sums[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [64, 64], i32>
  systolic.compute %lhs[%c0, %c0, %c0] rows %c64 cols %c1024 : !systolic.tiles<scratchpad, [4, 1, 1], [64, 1024], i2>
  return
}
