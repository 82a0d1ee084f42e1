// What cannot run on an array, or not where it is wanted.
// RUN: split-file %s %t
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=gemini-16x16 2>&1 | FileCheck %s --check-prefix=PRESET
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=rows=0 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=gemmini-16x16,row=8 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=scratchpad-banks=1,scratchpad-rows=31 2>&1 | FileCheck %s --check-prefix=SMALL
// PRESET: error: there is no preset 'gemini-16x16' of a systolic array; did you mean 'gemmini-16x16'?
// ZERO: error: rows=0: must be 1 to 1024
// KEY: error: a systolic array has no 'row'; did you mean 'rows'?
// SMALL: error: the scratchpad has 31 rows (scratchpad-banks * scratchpad-rows) and must hold one tile of each operand, 16 + 16 rows: make it larger or stream-rows smaller

// Accumulators that are too narrow for K; those of the width that is named are not.
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=accumulator-bits=16 2>&1 | FileCheck %s --check-prefix=NARROW
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=accumulator-bits=18 2>&1 | FileCheck %s --check-prefix=NARROW
// RUN: vitq-opt %t/linear.mlir --vitq-to-systolic=config=accumulator-bits=19 -o /dev/null
// NARROW: error: {{.*}}'fc': its sums over K = 8 need accumulators of 19 bits, but the array has {{16|18}} (accumulator-bits=19)

// Memory for the tiles of an array, but not for what a product needs of them: planes, whole rows.
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=config=bits=2,scratchpad-banks=1,scratchpad-rows=32 2>&1 | FileCheck %s --check-prefix=PLANES
// PLANES: error: {{.*}}does not fit the array: one tile of each operand needs 80 scratchpad rows of 32 and 4 accumulator rows of 1024; make them larger

// Wishes.
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=place=requant=array 2>&1 | FileCheck %s --check-prefix=UNIT
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic="config=edge-8x8-int4 place=reshape=array" 2>&1 | FileCheck %s --check-prefix=WORK
// RUN: not vitq-opt %t/wide.mlir --vitq-to-systolic=place=wide=array 2>&1 | FileCheck %s --check-prefix=WIDE
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=place=fc1=array 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=place=fc=gpu 2>&1 | FileCheck %s --check-prefix=WHERE
// RUN: not vitq-opt %t/linear.mlir --vitq-to-systolic=place=fc 2>&1 | FileCheck %s --check-prefix=FORM
// UNIT: error: {{.*}}'q': vitq.requant is to run on the array, but the array has no dyadic unit; choose another configuration (units=...), or let it run on the host
// WORK: error: {{.*}}'r': vitq.reshape is to run on the array, but it is no work of the array or of a unit
// WIDE: error: {{.*}}'wide': vitq.matmul is to run on the array, but its left operand has 16 bits and the array takes 8
// NAME: error: place: no op and no node is called 'fc1'
// WHERE: error: place: 'fc=gpu' is not OP=array or OP=host, where OP is the name of an op (softmax, matmul, ...) or of a node
// FORM: error: place: 'fc' is not OP=array or OP=host

// What --vitq-form-kernels did not make, or not for this array.
// RUN: not vitq-opt %t/linear.mlir --convert-vitq-to-systolic 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not vitq-opt %t/linear.mlir --systolic-set-target --vitq-form-kernels=target=x86-64-v3 --convert-vitq-to-systolic 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not vitq-opt %t/wishes.mlir --vitq-form-kernels 2>&1 | FileCheck %s --check-prefix=WISHES
// RUN: not vitq-opt %t/wishes.mlir --convert-vitq-to-systolic 2>&1 | FileCheck %s --check-prefix=WISHES
// RUN: vitq-opt %t/linear.mlir --systolic-set-target --convert-vitq-to-systolic | FileCheck %s --check-prefix=APART
// TARGET: error: {{.*}}has no 'vitq.target' that is a #systolic.config: run systolic-set-target and vitq-form-kernels first
// OTHER: error: {{.*}}'vitq.kernel' op is no kernel of the array: the array has no dyadic unit
// WISHES: error: {{.*}}place: 'softmax' is not OP=array or OP=host
// APART: {node = "fc", op = "vitq.matmul", place = "host", reason = "it is in no kernel of the array (vitq-form-kernels)"}

// RUN: not vitq-opt %t/no-main.mlir --vitq-to-systolic 2>&1 | FileCheck %s --check-prefix=MAIN
// MAIN: error: the module needs a function @main of one block

//--- linear.mlir
func.func @main(%x: tensor<1x4x8xi8>) -> tensor<4x8xi8> {
  %w = arith.constant dense<-128> : tensor<8x8xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("fc")
  %1 = vitq.requant %0 by <1518500250, 40> round half_up : tensor<1x4x8xi32> -> tensor<1x4x8xi8> loc("q")
  %2 = vitq.reshape %1 to [4, 8] : tensor<1x4x8xi8> -> tensor<4x8xi8> loc("r")
  return %2 : tensor<4x8xi8>
}

//--- wide.mlir
func.func @main(%x: tensor<1x4x8xi16>) -> tensor<1x4x8xi32> {
  %w = arith.constant dense<1> : tensor<8x8xi8>
  %0 = vitq.matmul %x, %w : (tensor<1x4x8xi16>, tensor<8x8xi8>) -> tensor<1x4x8xi32> loc("wide")
  return %0 : tensor<1x4x8xi32>
}

//--- wishes.mlir
module attributes {systolic.wishes = "softmax", vitq.target = #systolic.config<"gemmini-16x16">} {
func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  return %x : tensor<4xi8>
}
}

//--- no-main.mlir
func.func @other() {
  return
}
