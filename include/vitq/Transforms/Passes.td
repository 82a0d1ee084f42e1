//===- Passes.td - Passes inside a phase -------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TRANSFORMS_PASSES
#define VITQ_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def VitRecoverPatternsPass : Pass<"vit-recover-patterns", "::mlir::ModuleOp"> {
  let summary = "Recognize transformer building blocks in imported elementary ops";
  let description = [{
    Exporters take a transformer apart, each in its own way. This pass puts it
    together so that equal models become equal functions:

    | found | becomes |
    |---|---|
    | `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps)`, then `* c`, `+ c` | `vit.layer_norm` |
    | `x/2 * (1 + erf(x/sqrt 2))`, its tanh form, `x * sigmoid(1.702 x)`, in any order | `vit.gelu` |
    | `x * sigmoid(x)` | `vit.silu` |
    | `conv2d` with stride = kernel, no padding, seen as `[B, patches, D]` | `vit.patch_embed` |
    | `linear + c`, `linear * c` (LayerScale) | bias, scaled weight rows |
    | a packed qkv `linear` of which heads are cut in any way | three `linear`s |
    | `q k^T` with scales before or after, heads in any layout | `vit.matmul %q, %k transpose_rhs scale s` |
    | `layer_norm` of all tokens, then a slice | `layer_norm` of the slice |

    Heads are `[B, H, N, d]`, made by reshape to `[B, N, H, d]` and transpose
    `[0, 2, 1, 3]`; tokens are `[B, N, C]`, whatever layout (sequence first,
    `[B*H, N, d]`, `[B*N, C]`) the model used. A scale within 1e-6 of
    `1/sqrt(d)` becomes exactly that. An op that takes over from several has the
    location of the one whose result it computes; the parts of a packed
    projection have its name with `.q`, `.k`, `.v` appended.

    Before:
    ```mlir
    %t = vit.transpose %k by [0, 1, 3, 2] : tensor<1x4x17x16xf32> -> tensor<1x4x16x17xf32>
    %m = vit.matmul %q, %t : (tensor<1x4x17x16xf32>, tensor<1x4x16x17xf32>) -> tensor<1x4x17x17xf32>
    %s = vit.mul %m, %quarter : (tensor<1x4x17x17xf32>, tensor<f32>) -> tensor<1x4x17x17xf32>
    ```
    After:
    ```mlir
    %s = vit.matmul %q, %k transpose_rhs scale 2.5e-01 : (tensor<1x4x17x16xf32>, tensor<1x4x17x16xf32>) -> tensor<1x4x17x17xf32>
    ```

    An elementary op that no pattern takes is left as it is; `vit-verify-float`
    says which and why.
  }];
  let dependentDialects = ["::vitq::vit::VitDialect", "::mlir::arith::ArithDialect"];
}

def VitVerifyFloatPass : Pass<"vit-verify-float", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the float phase";
  let description = [{
    Succeeds when the module is a float vit program as `vit-quantize` expects it:

    * one function `@main`, whose operands and results are statically shaped
      tensors with a leading batch axis;
    * only `func`, `arith.constant` and `vit` ops, no quantized type but that of
      the pixels that `vit.normalize_pixels` reads;
    * the location of every op but constants is a name: its ONNX node;
    * no elementary op is left that only exists to be matched (`sub`, `div`,
      `pow`, `sqrt`, `erf`, `exp`, `where`, and `conv2d`).

    Every violation is an error at the op. The module is not changed.
  }];
}

def VitCalibratePass : Pass<"vit-calibrate", "::mlir::ModuleOp"> {
  let summary = "Attach the ranges of a float model's values, from images or from a file";
  let description = [{
    Runs `@main` on the images of `data` (all, or the first `limit`), prepared as
    `preprocess` says, and attaches the smallest and the largest value seen:
    `vit.range = array<f64: min, max>` on every op with a float result (one pair for
    each result) and on the argument. `vit.preprocess` on the module keeps the
    preprocessing. `save-ranges` writes the ranges to a JSON file under the names
    of the ONNX nodes; `load-ranges` reads such a file instead of looking at images.
    A value that the file does not name, or that is NaN or infinite, is an error.

    ```mlir
    %y = vit.relu %x : ...  loc("/mlp/Relu")
    ```
    becomes
    ```mlir
    %y = vit.relu %x {vit.range = array<f64: 0.0, 3.25>} : ...  loc("/mlp/Relu")
    ```
  }];
  let options = [
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "",
           "resize=N|HxW,crop=N|HxW,interpolation=bicubic|bilinear,mean=M,std=S, or @FILE.json">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">,
    Option<"saveRanges", "save-ranges", "std::string", "", "JSON file to write the ranges to">,
    Option<"loadRanges", "load-ranges", "std::string", "", "JSON file to read the ranges from, instead of images">
  ];
}

def VitDeferSoftmaxDivisionPass : Pass<"vit-defer-softmax-division", "::mlir::ModuleOp"> {
  let summary = "Move the division of softmax behind the product by V";
  let description = [{
    Splits `vit.softmax` into `vit.softmax_numerator` and `vit.divide_rows`, and moves
    the division behind a `vit.matmul` that contracts over the softmax axis:
    `(E / sum) * V = (E * V) / sum`, exact over the reals (METHODS.md R10).

    ```mlir
    %p = vit.softmax %s : tensor<1x3x197x197xf32> -> tensor<1x3x197x197xf32>
    %o = vit.matmul %p, %v : ...
    ```
    becomes
    ```mlir
    %e, %sum = vit.softmax_numerator %s : ...
    %u = vit.matmul %e, %v : ...
    %o = vit.divide_rows %u, %sum : ...
    ```
    A softmax used otherwise keeps its division where it is. Calibrated ranges
    (`vit.range`) move along: the division takes that of the product.
  }];
  let statistics = [Statistic<"numDeferred", "num-deferred", "Divisions moved behind a matmul">];
}

def VitQuantizePass : Pass<"vit-quantize", "::mlir::ModuleOp"> {
  let summary = "Choose quantized types and insert the casts";
  let description = [{
    W8A8 with a 16-bit residual stream, from the ranges that `vit-calibrate` left
    on the ops (`vit.range`):

    * weights: signed 8 bits, symmetric, one scale per output channel;
    * operands of contractions: 8 bits per tensor. The left operand is unsigned:
      with zero point 128 where its range is nearly symmetric, otherwise with
      the zero point that uses all codes; the right operand of a matmul is signed
      with zero point 0;
    * operands and results of residual adds, operands of layer_norm: signed 16
      bits, one scale per add, `headroom` above the calibrated range; accumulators
      enter an add as they are (METHODS.md R12);
    * softmax: 8-bit codes relative to the row maximum (scale 1/255) and their sums
      (PTQ.md 4.5);
    * pixels: raw bytes; `1/std` goes into the patch embedding's weights before
      they are quantized, `mean` into its bias by the sums of the quantized weights;
    * the result: 32 bits, one scale for all classes.

    The function computes on dequantized values afterwards: every quantization is a
    `vit.quantize` followed by a `vit.dequantize`.

    ```mlir
    %y = vit.linear %x, %w, %b : ...
    ```
    becomes
    ```mlir
    %q = vit.quantize %x round half_up : tensor<1x197x192xf32> -> tensor<1x197x192x!quant.uniform<u8:f32, 0.02:128>>
    %d = vit.dequantize %q : ...
    %wq = quant.scast %w8 : tensor<768x192xi8> to tensor<768x192x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    %wd = vit.dequantize %wq : ...
    %y = vit.linear %d, %wd, %b : ...
    ```
    Refuses a value without a range, an elementary op that no pattern recovered,
    and a weight that is no constant.
  }];
  let options = [
    Option<"headroom", "headroom", "double", "1.1",
           "Factor by which 16-bit ranges exceed the calibrated ones (1 = none)">,
    Option<"weightBits", "weight-bits", "unsigned", "8", "Width of weights in bits (2 to 8)">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitVerifyQuantizedPass : Pass<"vit-verify-quantized", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the quantized phase";
  let description = [{
    Every operand of a contraction (`vit.linear`, `vit.matmul`, `vit.patch_embed`) but
    the bias is quantized or the dequantization of a quantized value (moved by shape
    ops or not); with `deferred` it is quantized, and so is the bias. Violations are errors at the
    op. The module is not changed.
  }];
  let options = [
    Option<"deferred", "deferred", "bool", "false", "Require quantized operands: dequantizations are deferred">
  ];
}

def VitDeferDequantPass : Pass<"vit-defer-dequant", "::mlir::ModuleOp"> {
  let summary = "Move dequantizations behind the ops that commute with them (operand reordering)";
  let description = [{
    For every op whose operands are dequantized and which says, through the interface
    `CommutesWithDequant`, that it commutes with dequantization for their scale
    layouts: the op is applied to the quantized values and its result is dequantized
    instead (METHODS.md 1.1, rules R1 to R13). A constant bias is quantized to the
    accumulator's scale.

    ```mlir
    %xd = vit.dequantize %xq : ...
    %wd = vit.dequantize %wq : ...
    %y = vit.linear %xd, %wd, %b : ...
    ```
    becomes
    ```mlir
    %a = vit.linear %xq, %wq, %bq : (..., ...) -> tensor<1x197x768x!quant.uniform<i32:f32:2, {...}>>
    %y = vit.dequantize %a : ...
    ```

    An op that does not commute (GELU, softmax, layer_norm, an add of unequal scales)
    is a barrier: a remark says why, and where all its operands are dequantized and
    its results only quantized, it takes the quantized types itself (it then
    *means* dequantize, compute, quantize). A contraction with an illegal scale
    layout is an error that says the reason and the remedy.
  }];
  let options = [
    Option<"remarks", "remarks", "bool", "true", "Emit a remark for every barrier">
  ];
  let statistics = [
    Statistic<"numDeferred", "num-deferred", "Ops that now compute on quantized values">,
    Statistic<"numBarriers", "num-barriers", "Ops that dequantization cannot cross">
  ];
}

def VitSelectNonlinearPass : Pass<"vit-select-nonlinear", "::mlir::ModuleOp"> {
  let summary = "Choose the integer algorithm of every nonlinearity";
  let description = [{
    Sets `using <algorithm>` on softmax, GELU, layer_norm and the other functions of one
    variable that are on quantized types:

    * `table`: exact 256-entry tables (exponent table for softmax, exact square root
      for layer_norm);
    * `shift`: Shiftmax, ShiftGELU, I-LayerNorm (I-ViT; METHODS.md 2.4 to 2.6); functions
      that have no shift form keep their table.

    ```mlir
    %g = vit.gelu erf %u : ...
    ```
    becomes, with `nonlinear=shift`,
    ```mlir
    %g = vit.gelu erf using shift %u : ...
    ```
  }];
  let options = [
    Option<"nonlinear", "nonlinear", "::vitq::vit::Algorithm", "::vitq::vit::Algorithm::Table",
           "Integer algorithm of nonlinear functions",
           [{::llvm::cl::values(
             clEnumValN(::vitq::vit::Algorithm::Table, "table", "exact tables"),
             clEnumValN(::vitq::vit::Algorithm::Shift, "shift", "I-ViT's shift-based functions"))}]>
  ];
}

def VitqVerifyIntegerOnlyPass : Pass<"vitq-verify-integer-only", "::mlir::ModuleOp"> {
  let summary = "Check that no float is left from input to output";
  let description = [{
    Every value, every attribute and every function type of the module is free of
    float and quantized types; only the module attributes `vitq.scales`,
    `vitq.output_scale` and `vit.preprocess`, which no lowering reads, may hold floats.
    Ops are of the `vitq`, `arith` (constants) and `func` dialects. Violations are
    errors that name the ONNX node. The module is not changed.
  }];
}

def VitqProveAccumulatorsPass : Pass<"vitq-prove-accumulators", "::mlir::ModuleOp"> {
  let summary = "Prove that no 32-bit accumulator overflows";
  let description = [{
    For every `vitq.matmul`, per output channel,
    `sum_k max over lhs of (lhs - z) * w[k, n]` plus the bias, and the same for the minimum, with
    the lhs range from the integer range analysis of its producer; where the rhs is
    no constant, `K * max|lhs - z| * max|rhs|` (METHODS.md R3). Partial sums in any
    order stay inside the bound, so that targets may reorder them. The union is
    recorded as the attribute `vitq.accumulator_range = array<i64: min, max>`; a bound that
    leaves 32 bits is an error that names the node.
  }];
}

#endif // VITQ_TRANSFORMS_PASSES
