// RUN: vitq-opt %s --vit-select-nonlinear | FileCheck %s --check-prefix=TABLE
// RUN: vitq-opt %s --vit-select-nonlinear=nonlinear=shift | FileCheck %s --check-prefix=SHIFT
// RUN: vitq-opt %s "--vit-select-nonlinear=nonlinear={lut:8,softmax=log2,layer_norm=poly}" | FileCheck %s --check-prefix=EACH
// RUN: vitq-opt %s --vit-select-nonlinear=nonlinear=softmax=table | FileCheck %s --check-prefix=SOFTMAX
// RUN: split-file %S/Inputs/nonlinear.txt %t
// RUN: vitq-opt %s --vit-select-nonlinear=nonlinear=@%t/layers.json | FileCheck %s --check-prefix=LAYERS

// DEFINE: %{choice} =
// DEFINE: %{refused} = not vitq-opt %s "--vit-select-nonlinear=nonlinear={%{choice}}" 2>&1 | FileCheck %s --check-prefix

// REDEFINE: %{choice} = magic
// RUN: %{refused}=MAGIC
// MAGIC: error: --nonlinear: 'magic' is no algorithm: table, shift, lut:N, poly, log2 or auto
// REDEFINE: %{choice} = lut
// RUN: %{refused}=LUT
// LUT: 'lut' needs a number of entries: lut:8
// REDEFINE: %{choice} = gelu=lut:1
// RUN: %{refused}=ENTRIES
// RUN: not vitq-opt %s --vit-select-nonlinear=nonlinear=gelu=lut:300 2>&1 | FileCheck %s --check-prefix=ENTRIES
// ENTRIES: a lut has 2 to 256 entries
// REDEFINE: %{choice} = shift:4
// RUN: %{refused}=NUMBER
// NUMBER: 'shift:4': only lut has a number of entries
// REDEFINE: %{choice} = gleu=table
// RUN: %{refused}=FUNCTION
// FUNCTION: 'gleu' is no nonlinear function; is 'gelu', 'silu' or 'tanh' meant?
// REDEFINE: %{choice} = tanh=shift
// RUN: %{refused}=FORM
// FORM: tanh has no form 'shift'; table and lut:N exist for all, shift and poly for gelu, softmax and layer_norm, log2 for softmax
// REDEFINE: %{choice} = @%t/none.json
// RUN: %{refused}=FILE
// FILE: cannot read '{{.*}}none.json'
// REDEFINE: %{choice} = @%t/broken.json
// RUN: %{refused}=BROKEN
// BROKEN: broken.json: [1:
// REDEFINE: %{choice} = @%t/key.json
// RUN: %{refused}=KEY
// KEY: key.json: 'layer' is not expected: "default" with a string, "functions" or "layers" with an object
// REDEFINE: %{choice} = @%t/nobody.json
// RUN: %{refused}=NOBODY
// NOBODY: --nonlinear names the layer 'mlp.0/gel', but the model has no nonlinear function of that name; is 'mlp.0/gelu', {{.*}} meant?
// REDEFINE: %{choice} = @%t/form.json
// RUN: %{refused}=LAYERFORM
// LAYERFORM: --nonlinear: the layer 'mlp.0/tanh' is a tanh, which has no form 'poly'
// REDEFINE: %{choice} = auto
// RUN: %{refused}=AUTO
// AUTO: error: the module needs a function @main of one block

!u = !quant.uniform<u8:f32, 0.5:128>
!i = !quant.uniform<i16:f32, 0.5>
!a = !quant.uniform<i32:f32, 0.5>
!e = !quant.uniform<u8:f32, 0.0039215686274509803>
!s = !quant.uniform<i32:f32, 0.0039215686274509803>

// TABLE-LABEL: func.func @all
// SHIFT-LABEL: func.func @all
// EACH-LABEL: func.func @all
// LAYERS-LABEL: func.func @all
func.func @all(%x: tensor<1x2x!u>, %i: tensor<1x2x!i>, %a: tensor<1x2x!a>, %f: tensor<1x2xf32>) {
  %g = arith.constant dense<1.0> : tensor<2xf32>
  // TABLE: vit.gelu erf using table
  // SHIFT: vit.gelu erf using shift
  // EACH: vit.gelu erf using lut:8
  // LAYERS: vit.gelu erf using lut:16
  %0 = vit.gelu erf %x : tensor<1x2x!u> -> tensor<1x2x!u> loc("mlp.0/gelu")
  // TABLE: vit.layer_norm using table
  // SHIFT: vit.layer_norm using shift
  // EACH: vit.layer_norm using poly
  // LAYERS: vit.layer_norm using shift
  %1 = vit.layer_norm %i, %g, %g eps 1.0e-6 : (tensor<1x2x!i>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x!u>
  // TABLE: vit.softmax_numerator using table
  // SHIFT: vit.softmax_numerator using shift
  // EACH: vit.softmax_numerator using log2
  // LAYERS: vit.softmax_numerator using poly
  %2, %3 = vit.softmax_numerator %a : tensor<1x2x!a> -> tensor<1x2x!e>, tensor<1x!s>
  // Four bits are powers of two, whatever all functions have, unless softmax is named.
  // TABLE: vit.softmax_numerator using log2
  // SHIFT: vit.softmax_numerator using log2
  // EACH: vit.softmax_numerator using log2
  // LAYERS: vit.softmax_numerator using log2
  // SOFTMAX: vit.softmax_numerator using table {{.*}}vit.code_bits = 4
  %few, %sum = vit.softmax_numerator %a {vit.code_bits = 4 : i64} : tensor<1x2x!a> -> tensor<1x2x!e>, tensor<1x!s>
  // A function without a shift form keeps its table.
  // TABLE: vit.tanh using table
  // SHIFT: vit.tanh using table
  // EACH: vit.tanh using lut:8
  // LAYERS: vit.tanh using table
  %4 = vit.tanh %x : tensor<1x2x!u> -> tensor<1x2x!u> loc("mlp.0/tanh")
  // Floats are not chosen for.
  // TABLE: vit.gelu erf %
  // SHIFT: vit.gelu erf %
  %5 = vit.gelu erf %f : tensor<1x2xf32> -> tensor<1x2xf32>
  return
}
