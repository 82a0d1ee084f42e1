// RUN: vitq-opt %s --vitq-plan-arena --vitq-add-entry-points="target=x86-64-v3 openmp=true" | FileCheck %s
// RUN: vitq-opt %S/Inputs/steps.mlir --vitq-plan-arena --vitq-add-entry-points="target=x86-64-v3 openmp=true" | FileCheck %s --check-prefix=ORDER
// RUN: vitq-opt %s --vitq-plan-arena --vitq-add-entry-points="target=aarch64 profile=true" | FileCheck %s --check-prefix=ARM
// RUN: vitq-opt %s --vitq-plan-arena --vitq-add-entry-points="target=x86-64-v3 profile=false" | FileCheck %s --check-prefix=PLAIN
// RUN: not vitq-opt %s --vitq-add-entry-points 2>&1 | FileCheck %s --check-prefix=EARLY
// RUN: not vitq-opt %s --vitq-plan-arena --vitq-add-entry-points=target=x86-64-v5 2>&1 | FileCheck %s --check-prefix=TARGET

// EARLY: error: the buffers of @main have no places yet: run --vitq-plan-arena first
// TARGET: error: unknown target 'x86-64-v5'

// CHECK: module attributes {vitq.arena_bytes = 128 : i64
// CHECK-SAME: vitq.openmp
// CHECK-SAME: vitq.steps = [{kernel = "f", macs = 12 : i64, node = "a", op = "vitq.matmul"}, {kernel = "g", macs = 0 : i64, node = "b", op = "vitq.table"}]
// CHECK-SAME: vitq.thread_arena_bytes = 64 : i64
// Time is taken before the first step and after each, if there is a place for it.
// CHECK: func.func @main({{.*}}, %[[TICKS:.*]]: memref<3xi64>)
// CHECK: call @vitq_tick(%[[TICKS]], %c0
// CHECK: call @f
// CHECK: call @vitq_tick(%[[TICKS]], %c1
// CHECK: call @g
// CHECK: call @vitq_tick(%[[TICKS]], %c2
// CHECK: func.func private @vitq_tick(%[[T:.*]]: memref<3xi64>, %[[I:.*]]: index) attributes {llvm.noinline}
// CHECK: scf.if
// CHECK: %[[NOW:.*]] = llvm.call_intrinsic "llvm.readcyclecounter"() : () -> i64
// CHECK: memref.store %[[NOW]], %[[T]][%[[I]]]
// ARM: llvm.call_intrinsic "llvm.readsteadycounter"

// The arena of 1024 threads; thread t > 0 has its scratch at 128 + (t - 1) * 64.
// CHECK: func.func private @main_mt({{.*}}, %[[ARENA:.*]]: memref<65600xi8>, %[[THREADS:.*]]: i32)
// CHECK: omp.parallel num_threads(%[[THREADS]] : i32) {
// CHECK-DAG: %[[T:.*]] = arith.index_cast
// CHECK-DAG: call @omp_get_thread_num() : () -> i32
// CHECK-DAG: call @omp_get_num_threads() : () -> i32
// CHECK: arith.select
// CHECK: call @f
// CHECK: omp.barrier
// CHECK: call @g
// CHECK-NOT: omp.barrier
// CHECK: omp.terminator

// Who must wait: readers of what another step wrote, unless both share out its rows
// alike; not steps that only read the same.
// ORDER: omp.parallel
// ORDER-NOT: omp.barrier
// ORDER: call @copy({{.*}})
// ORDER-NOT: omp.barrier
// ORDER: call @copy({{.*}})
// ORDER-NOT: omp.barrier
// ORDER: call @copy({{.*}})
// ORDER: omp.barrier
// ORDER: call @copy({{.*}})
// ORDER: omp.barrier
// ORDER: call @copy({{.*}})
// ORDER-NOT: omp.barrier
// ORDER: omp.terminator

// PLAIN: func.func @main({{.*}}, {{.*}}, %{{.*}}: memref<{{[0-9]+}}xi8>) {
// PLAIN-NOT: vitq_tick
// PLAIN-NOT: func.func private @main_
func.func private @f(memref<16xi8>, memref<16xi8>, memref<64xi8>, index, index)
func.func private @g(memref<16xi8>, memref<16xi8>, index, index)
func.func @main(%x: memref<16xi8>) -> memref<16xi8> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %t = memref.alloc() : memref<16xi8>
  %s = memref.alloc() {vitq.scratch} : memref<64xi8>
  %u = memref.alloc() : memref<16xi8>
  call @f(%x, %t, %s, %c0, %c4) {vitq.step = {macs = 12 : i64, node = "a", op = "vitq.matmul", units = 4 : i64}} : (memref<16xi8>, memref<16xi8>, memref<64xi8>, index, index) -> ()
  call @g(%t, %u, %c0, %c4) {vitq.step = {macs = 0 : i64, node = "b", op = "vitq.table", units = 4 : i64}} : (memref<16xi8>, memref<16xi8>, index, index) -> ()
  return %u : memref<16xi8>
}
