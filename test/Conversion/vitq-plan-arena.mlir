// RUN: vitq-opt %s --split-input-file --vitq-plan-arena | FileCheck %s

// %a and %c never live together, so %c takes the place of %a; a reshaped view
// keeps its buffer alive. The result is written in place.

// CHECK: module attributes {vitq.arena_bytes = 256 : i64, vitq.arena_lower_bound = 256 : i64, vitq.arena_peak = {bytes = array<i64: 128, 128>}, vitq.arena_plan = {{\[}}array<i64: 0, 128, 0, 0>, array<i64: 128, 128, 0, 0>, array<i64: 0, 128, 0, 0>], vitq.thread_arena_bytes = 0 : i64}
func.func private @f(memref<32xi32>, memref<32xi32>)
func.func private @g(memref<4x8xi32>, memref<32xi8>)

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[IN:.*]]: memref<128xi8>, %[[OUT:.*]]: memref<32xi8>, %[[ARENA:.*]]: memref<256xi8>) {
// CHECK: %[[X:.*]] = memref.view %[[IN]]
// CHECK: %[[C0:.*]] = arith.constant 0
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%[[C0]]][] : memref<256xi8> to memref<32xi32>
// CHECK: call @f(%[[X]], %[[A]])
// CHECK: %[[C128:.*]] = arith.constant 128
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%[[C128]]][] : memref<256xi8> to memref<32xi32>
// CHECK: call @f(%[[A]], %[[B]])
// CHECK: %[[CZERO:.*]] = arith.constant 0
// CHECK: %[[C:.*]] = memref.view %[[ARENA]][%[[CZERO]]][] : memref<256xi8> to memref<32xi32>
// CHECK: call @f(%[[B]], %[[C]])
// CHECK: memref.reinterpret_cast %[[C]]
// CHECK: %[[Y:.*]] = memref.view %[[OUT]]
// CHECK: call @g(%{{.*}}, %[[Y]])
// CHECK-NOT: memref.copy
// CHECK: return{{$}}
func.func @main(%x: memref<32xi32>) -> memref<32xi8> {
  %a = memref.alloc() : memref<32xi32>
  call @f(%x, %a) : (memref<32xi32>, memref<32xi32>) -> ()
  %b = memref.alloc() : memref<32xi32>
  call @f(%a, %b) : (memref<32xi32>, memref<32xi32>) -> ()
  %c = memref.alloc() : memref<32xi32>
  call @f(%b, %c) : (memref<32xi32>, memref<32xi32>) -> ()
  %v = memref.reinterpret_cast %c to offset: [0], sizes: [4, 8], strides: [8, 1] : memref<32xi32> to memref<4x8xi32>
  %y = memref.alloc() : memref<32xi8>
  call @g(%v, %y) : (memref<4x8xi32>, memref<32xi8>) -> ()
  return %y : memref<32xi8>
}

// -----

// What is returned twice, or was an input, is copied; inputs lie at multiples of 64
// bytes, and every result has an operand of its own.

// CHECK: vitq.arena_bytes = 64
func.func private @f(memref<3xi8>, memref<3xi8>)
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%{{.*}}: memref<67xi8>, %{{.*}}: memref<3xi8>, %{{.*}}: memref<3xi8>, %{{.*}}: memref<3xi8>, %{{.*}}: memref<64xi8>)
// CHECK: arith.constant 64
// CHECK: call @f
// CHECK-COUNT-3: memref.copy
func.func @main(%x: memref<3xi8>, %y: memref<3xi8>) -> (memref<3xi8>, memref<3xi8>, memref<3xi8>) {
  %a = memref.alloc() : memref<3xi8>
  call @f(%y, %a) : (memref<3xi8>, memref<3xi8>) -> ()
  return %a, %a, %x : memref<3xi8>, memref<3xi8>, memref<3xi8>
}

// -----

// The working memory of a kernel call: every thread more needs the largest.

// CHECK: vitq.arena_bytes = 320 : i64, vitq.arena_lower_bound = 320 : i64, vitq.arena_peak = {{{.*}}}, vitq.arena_plan = {{.*}}, vitq.thread_arena_bytes = 192 : i64
func.func private @f(memref<64xi8>, memref<64xi8>, memref<130xi8>)
func.func private @g(memref<64xi8>, memref<64xi8>, memref<8xi8>)
func.func @main(%x: memref<64xi8>) -> memref<64xi8> {
  %a = memref.alloc() : memref<64xi8>
  %s = memref.alloc() {vitq.scratch} : memref<130xi8>
  call @f(%x, %a, %s) : (memref<64xi8>, memref<64xi8>, memref<130xi8>) -> ()
  %b = memref.alloc() : memref<64xi8>
  %t = memref.alloc() {vitq.scratch} : memref<8xi8>
  call @f(%a, %b, %s) : (memref<64xi8>, memref<64xi8>, memref<130xi8>) -> ()
  %y = memref.alloc() : memref<64xi8>
  call @g(%b, %y, %t) : (memref<64xi8>, memref<64xi8>, memref<8xi8>) -> ()
  return %y : memref<64xi8>
}

// -----

// Placing the largest first would leave a hole: 192 (%b), behind it 128 (%a, %d), and
// %c between them for nothing. What reached highest is placed earlier the next time.

// CHECK: vitq.arena_bytes = 320 : i64, vitq.arena_lower_bound = 320 : i64
func.func private @f(memref<128xi8>)
func.func private @ab(memref<128xi8>, memref<192xi8>)
func.func private @bc(memref<192xi8>, memref<64xi8>)
func.func private @cd(memref<64xi8>, memref<256xi8>)
func.func private @d(memref<256xi8>, memref<8xi8>)
func.func @main(%x: memref<128xi8>) -> memref<8xi8> {
  %a = memref.alloc() : memref<128xi8>
  call @f(%a) : (memref<128xi8>) -> ()
  %b = memref.alloc() : memref<192xi8>
  call @ab(%a, %b) : (memref<128xi8>, memref<192xi8>) -> ()
  %c = memref.alloc() : memref<64xi8>
  call @bc(%b, %c) : (memref<192xi8>, memref<64xi8>) -> ()
  %d = memref.alloc() : memref<256xi8>
  call @cd(%c, %d) : (memref<64xi8>, memref<256xi8>) -> ()
  %y = memref.alloc() : memref<8xi8>
  call @d(%d, %y) : (memref<256xi8>, memref<8xi8>) -> ()
  return %y : memref<8xi8>
}
