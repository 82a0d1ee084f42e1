// Codes of few bits on elements of few bits: no more planes than they have, and weights packed in DRAM.
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4 | FileCheck %s
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4,bits=2 | FileCheck %s --check-prefix=BITS2
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic | FileCheck %s --check-prefix=BITS8
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4 --systolic-allocate --systolic-raise-to-vitq | FileCheck %s --check-prefix=BACK
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=config=edge-8x8-int4,bits=3 --systolic-allocate --systolic-raise-to-vitq | FileCheck %s --check-prefix=BACK

// Four bits by four: one pass. The left operand's bytes give one plane, unsigned; weights of 8 bits that need no more
// than four lie two in a byte, in rows of whole requests.
// CHECK: reason = "1 pass of 4-bit operands on elements of 4 bits"
// CHECK-LABEL: func.func private @linear_20x40x24_{{[0-9]}}(
// CHECK-SAME: %[[X:.*]]: memref<20x40xi8>, %[[W:.*]]: memref<40x128xi4>,
// CHECK-DAG: %[[LHS:.*]] = systolic.alloc : <scratchpad, [1, {{[0-9]+}}, {{[0-9]+}}], [20, 8], i4>
// CHECK-DAG: %[[RHS:.*]] = systolic.alloc : <scratchpad, [{{[0-9]+}}, {{[0-9]+}}], [8, 8], i4>
// CHECK-DAG: systolic.mvin %[[X]]{{.*}} to %[[LHS]]{{.*}} split :
// CHECK-DAG: systolic.mvin %[[W]]{{.*}} to %[[RHS]][{{[^]]*}}] :
// CHECK: systolic.preload
// CHECK-NEXT: systolic.compute {{.*}} fresh lhs_unsigned :

// On elements of two bits they are two planes each, and weights are bytes.
// BITS2: reason = "4 passes of 4-bit operands on elements of 2 bits"
// BITS2-LABEL: func.func private @linear_20x40x24_{{[0-9]}}(
// BITS2-SAME: memref<20x40xi8>, %{{.*}}: memref<40x64xi8>

// BITS8: reason = "1 pass of 4-bit operands on elements of 8 bits"
// BITS8: memref<40x64xi8>

// BACK: vitq.matmul {{.*}} lhs <unsigned> :
func.func @main(%x: tensor<1x20x40xi8>) -> tensor<1x20x24xi32> {
  %codes = vitq.requant %x by <1518500250, 35> round half_up result <unsigned> : tensor<1x20x40xi8> -> tensor<1x20x40xi4>
  %w = arith.constant dense<-7> : tensor<40x24xi8>
  %b = arith.constant dense<3> : tensor<24xi32>
  %y = vitq.matmul %codes, %w, %b lhs <unsigned> : (tensor<1x20x40xi4>, tensor<40x24xi8>, tensor<24xi32>) -> tensor<1x20x24xi32> loc("fc")
  return %y : tensor<1x20x24xi32>
}

// -----

// Eight bits by four: two passes.
// CHECK: reason = "2 passes of operands of 8 and 4 bits on elements of 4 bits"
// CHECK: systolic.compute {{.*}} fresh lhs_unsigned :
// CHECK: systolic.preload rows {{.*}} shift 4
// CHECK: systolic.compute
// CHECK-NOT: shift 8
// BITS2: reason = "8 passes of operands of 8 and 4 bits on elements of 2 bits"
// BITS8: reason = "1 pass of operands of 8 and 4 bits on elements of 8 bits"
// BACK: vitq.matmul
func.func @main(%x: tensor<1x8x8xi8>) -> tensor<1x8x8xi32> {
  %w = arith.constant dense<-8> : tensor<8x8xi4>
  %y = vitq.matmul %x, %w : (tensor<1x8x8xi8>, tensor<8x8xi4>) -> tensor<1x8x8xi32> loc("fc")
  return %y : tensor<1x8x8xi32>
}
