// RUN: split-file %s %t
// RUN: vitq-opt %t/model.mlir --vit-assign-bits=bits=weights=4,activations=6,query=5 | FileCheck %t/model.mlir
// RUN: vitq-opt %t/model.mlir --vit-assign-bits=bits=activations=3,residual=12 | FileCheck %t/model.mlir --check-prefix=FEW
// RUN: vitq-opt %t/model.mlir --vit-assign-bits=bits=@%t/layers.json | FileCheck %t/model.mlir --check-prefix=LAYERS
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=weights=9 2>&1 | FileCheck %s --check-prefix=RANGE
// RANGE: error: --bits: weights has 2 to 8 bits, not 9
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=norm=x 2>&1 | FileCheck %s --check-prefix=NUMBER
// NUMBER: error: --bits: norm has 2 to 8 bits, or 16: give a number
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=residual=4 2>&1 | FileCheck %s --check-prefix=RESIDUAL
// RESIDUAL: error: --bits: residual has 8 to 16 bits, not 4
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=probabilities=3 2>&1 | FileCheck %s --check-prefix=PROBABILITIES
// PROBABILITIES: error: --bits: probabilities have 4 to 8 bits, not 3
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=hiden=4 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: --bits: 'hiden' is no kind of tensor; is 'hidden'{{.*}} meant?
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=@%t/unknown.json 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: --bits names the layer 'fc3', but the model has no layer or product of that name; is 'fc1'{{.*}} meant?
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=@%t/key.json 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: --bits: {{.*}}key.json: 'layer' is not expected: "bits" or "layers" with an object
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=@%t/number.json 2>&1 | FileCheck %s --check-prefix=NO-NUMBER
// NO-NUMBER: error: --bits: {{.*}}number.json: layer 'fc1': weights has 2 to 8 bits: give a number
// RUN: not vitq-opt %t/model.mlir --vit-assign-bits=bits=@%t/absent.json 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: --bits: cannot read '{{.*}}absent.json'

//--- layers.json
{"bits": {"weights": 4}, "layers": {"fc1": 6, "fc2": {"hidden": 5}, "head": {"weights": 7}}}
//--- unknown.json
{"layers": {"fc3": 4}}
//--- key.json
{"layer": {"fc1": 4}}
//--- number.json
{"layers": {"fc1": {"weights": "few"}}}
//--- model.mlir

// The head, which gives the result, keeps 8 bits unless it is named. What two read has the bits of who wants more.
// CHECK-LABEL: func.func @main
// CHECK: vit.layer_norm {{.*}} {vit.code_bits = 6 : i64}
// CHECK: vit.linear {{.*}} {vit.code_bits = 6 : i64, vit.weight_bits = 4 : i64}
// CHECK: vit.matmul {{.*}} transpose_rhs
// CHECK: vit.linear {{.*}} {vit.weight_bits = 4 : i64}
// CHECK: vit.gelu {{.*}} {vit.code_bits = 6 : i64}
// CHECK: vit.linear {{.*}} {vit.weight_bits = 4 : i64}
// CHECK: vit.add
// CHECK-NOT: bits
// CHECK: return

// FEW: vit.layer_norm {{.*}} {vit.code_bits = 3 : i64}
// FEW: vit.linear {{.*}} {vit.code_bits = 3 : i64} :
// FEW: vit.add {{.*}} {vit.stream_bits = 12 : i64}

// LAYERS: vit.linear {{.*}} {vit.weight_bits = 4 : i64}
// LAYERS: vit.linear {{.*}} {vit.weight_bits = 6 : i64}
// LAYERS: vit.gelu {{.*}} {vit.code_bits = 5 : i64}
// LAYERS: vit.linear {{.*}} {vit.weight_bits = 4 : i64}
// LAYERS: vit.linear {{.*}} {vit.weight_bits = 7 : i64}
func.func @main(%x: tensor<1x4x8xf32>) -> tensor<1x4x2xf32> {
  %g = arith.constant dense<1.0> : tensor<8xf32>
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %wh = arith.constant dense<1.0> : tensor<2x8xf32>
  %n = vit.layer_norm %x, %g, %g eps 1.0e-6 : (tensor<1x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  %q = vit.linear %n, %w : (tensor<1x4x8xf32>, tensor<8x8xf32>) -> tensor<1x4x8xf32> loc("q")
  %s = vit.matmul %q, %q transpose_rhs : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x4xf32>
  %p = vit.softmax %s : tensor<1x4x4xf32> -> tensor<1x4x4xf32>
  %u = vit.linear %n, %w : (tensor<1x4x8xf32>, tensor<8x8xf32>) -> tensor<1x4x8xf32> loc("fc1")
  %h = vit.gelu erf %u : tensor<1x4x8xf32> -> tensor<1x4x8xf32>
  %v = vit.linear %h, %w : (tensor<1x4x8xf32>, tensor<8x8xf32>) -> tensor<1x4x8xf32> loc("fc2")
  %r = vit.add %u, %v : (tensor<1x4x8xf32>, tensor<1x4x8xf32>) -> tensor<1x4x8xf32>
  %m = vit.layer_norm %r, %g, %g eps 1.0e-6 : (tensor<1x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x4x8xf32>
  %y = vit.linear %m, %wh : (tensor<1x4x8xf32>, tensor<2x8xf32>) -> tensor<1x4x2xf32> loc("head")
  return %y : tensor<1x4x2xf32>
}
