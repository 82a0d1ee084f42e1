// RUN: vitq-opt %s --convert-vitq-to-kernels=target=x86-64 | FileCheck %s
// RUN: vitq-opt %s --vitq-to-llvm=target=x86-64 | FileCheck %s --check-prefix=LLVM
// RUN: not vitq-opt %s --vitq-to-llvm="target=x86-64 openmp" 2>&1 | FileCheck %s --check-prefix=OPENMP

// OPENMP: error: a program that launches a systolic array has no variant for threads: leave out --openmp

module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
  // The array's part is none of the host's.
  // CHECK-NOT: @linear
  // LLVM-NOT: @linear
  func.func private @linear(%x: memref<1x4x8xi8>, %w: memref<8x8xi8>, %y: memref<1x4x8xi32>) attributes {systolic.routine} {
    return
  }

  // A kernel hands over what is no constant, and then the result.
  // CHECK-LABEL: func.func @main(
  // CHECK-SAME:    %[[X:.*]]: memref<1x4x8xi8>)
  // CHECK:         %[[Y:.*]] = memref.alloc() : memref<1x4x8xi32>
  // CHECK:         %[[ZERO:.*]] = arith.constant 0 : i32
  // CHECK:         call @vitq_array_launch_0(%[[X]], %[[Y]], %[[ZERO]], {{.*}}) {vitq.step = {macs = 256 : i64, node = "first", op = "systolic.launch", units = 1 : i64}}
  // Ops on its sums are kernels of their own.
  // CHECK:         %[[ROWS:.*]] = memref.reinterpret_cast %[[Y]] to
  // CHECK:         call @vitq_requant_0(%[[ROWS]]
  // CHECK:         %[[ONE:.*]] = arith.constant 1 : i32
  // CHECK:         call @vitq_array_launch_0({{.*}}, %[[ONE]], {{.*}}) {vitq.step = {macs = 256 : i64, node = "second", op = "systolic.launch", units = 1 : i64}}
  // CHECK:         return
  func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x8xi32> {
    %w = arith.constant dense<1> : tensor<8x8xi8>
    %y = systolic.launch @linear(%x, %w) {macs = 256 : i64} : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("first")
    %q = vitq.requant %y by <1518500250, 40> round half_up : tensor<1x4x8xi32> -> tensor<1x4x8xi8>
    %z = systolic.launch @linear(%q, %w) {macs = 256 : i64} : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("second")
    return %z : tensor<1x4x8xi32>
  }

  // CHECK-LABEL: func.func private @vitq_array_launch(i32, memref<1xi64>)
  // CHECK-LABEL: func.func private @vitq_array_launch_0(
  // CHECK-SAME:    %[[IN:.*]]: memref<1x4x8xi8> {llvm.noalias}, %[[OUT:.*]]: memref<1x4x8xi32> {llvm.noalias}, %[[NUMBER:.*]]: i32
  // CHECK:         %[[POINTERS:.*]] = memref.alloca() : memref<2xi64>
  // CHECK:         %[[P0:.*]] = memref.extract_aligned_pointer_as_index %[[IN]]
  // CHECK:         %[[I0:.*]] = arith.index_cast %[[P0]] : index to i64
  // CHECK:         memref.store %[[I0]], %[[POINTERS]][%{{.*}}]
  // CHECK:         %[[P1:.*]] = memref.extract_aligned_pointer_as_index %[[OUT]]
  // CHECK:         %[[FIRST:.*]] = memref.reinterpret_cast %[[POINTERS]] to offset: [0], sizes: [1], strides: [1] : memref<2xi64> to memref<1xi64>
  // CHECK:         call @vitq_array_launch(%[[NUMBER]], %[[FIRST]]) : (i32, memref<1xi64>) -> ()

  // LLVM: llvm.func @vitq_array_launch(i32, !llvm.ptr)
}
