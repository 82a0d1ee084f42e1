//===- VitOps.td - Operations of the vit dialect -----------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VIT_OPS
#define VIT_OPS

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"
include "dialects/vit/VitAttrs.td"
include "dialects/vit/VitInterfaces.td"

//===----------------------------------------------------------------------===//
// Types and base classes
//===----------------------------------------------------------------------===//

def Vit_FloatTensor : Type<
  StaticShapeTensorOf<[F32, F64]>.predicate,
  "statically shaped tensor of f32 or f64", "::mlir::RankedTensorType">;
def Vit_QuantTensor : Type<
  StaticShapeTensorOf<[quant_QuantizedType]>.predicate,
  "statically shaped tensor of a !quant type", "::mlir::RankedTensorType">;
def Vit_Tensor : Type<
  StaticShapeTensorOf<[F32, F64, quant_QuantizedType]>.predicate,
  "statically shaped tensor of f32, f64 or a !quant type", "::mlir::RankedTensorType">;
def Vit_BoolTensor : Type<
  StaticShapeTensorOf<[I1]>.predicate,
  "statically shaped tensor of i1", "::mlir::RankedTensorType">;

// Compares the declared result shapes with the inferred ones.
def Vit_ShapesInferred : NativeOpTrait<"ShapesInferred"> {
  let cppNamespace = "::vitq::vit";
}

class Vit_Op<string mnemonic, list<Trait> traits = []>
    : Op<Vit_Dialect, mnemonic, [Pure, InferShapedTypeOpAdaptor, Vit_ShapesInferred] # traits>;

// Elementary ops exist for patterns to match; they never see a quantized type.
class Vit_ElementaryUnaryOp<string mnemonic>
    : Vit_Op<mnemonic, [DeclareOpInterfaceMethods<UnaryFunction>, PermutableOp]> {
  let arguments = (ins Vit_FloatTensor:$input);
  let results = (outs Vit_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

class Vit_ElementaryBinaryOp<string mnemonic> : Vit_Op<mnemonic, [PermutableOp]> {
  let arguments = (ins Vit_FloatTensor:$lhs, Vit_FloatTensor:$rhs);
  let results = (outs Vit_FloatTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
}

class Vit_UnaryOp<string mnemonic, list<Trait> traits = [], list<string> quantizable = [], list<string> function = []>
    : Vit_Op<mnemonic, [DeclareOpInterfaceMethods<UnaryFunction, function>, PermutableOp,
        DeclareOpInterfaceMethods<QuantizableOp, ["getBarrierReason"] # quantizable>] # traits> {
  let arguments = (ins Vit_Tensor:$input, OptionalAttr<Vit_AlgorithmAttr>:$algorithm);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "(`using` `` $algorithm^)? $input attr-dict `:` type($input) `->` type($result)";
}

class Vit_BinaryOp<string mnemonic, list<Trait> traits = []>
    : Vit_Op<mnemonic, [PermutableOp] # traits> {
  let arguments = (ins Vit_Tensor:$lhs, Vit_Tensor:$rhs);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

def Vit_QuantizeOp : Vit_Op<"quantize", [PermutableOp]> {
  let summary = "Quantize a float tensor";
  let description = [{
    `q = clamp(round(x / scale) + zero_point, storage_min, storage_max)` with the
    scale and zero point of the result's element type (per tensor, or per slice
    of the quantized axis). The quotient is rounded as `rounding` says (half up:
    `floor(x/scale + 1/2)`), the clamp happens in 64 bits before narrowing; NaN
    becomes the zero point (docs/Numerics.md, Reals to codes).

    There is no folder: a quantization is never removed.

    Constraints:
    * C1: input and result have the same shape.
    * C2: the quantized axis of a per-axis type exists and has as many entries
      as the type has scales.

    Example:
    ```mlir
    %q = vit.quantize %x round half_up : tensor<4x8xf32> -> tensor<4x8x!quant.uniform<u8:f32, 0.1:128>>
    ```
  }];
  let arguments = (ins Vit_FloatTensor:$input,
    DefaultValuedAttr<Vit_RoundingAttr, "::vitq::vit::Rounding::HalfUp">:$rounding);
  let results = (outs Vit_QuantTensor:$result);
  let assemblyFormat = "$input `round` `` $rounding attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Vit_DequantizeOp : Vit_Op<"dequantize", [PermutableOp]> {
  let summary = "The real values of a quantized tensor";
  let description = [{
    `x = scale * (q - zero_point)`.

    Constraints:
    * C1: input and result have the same shape.
    * C2: the quantized axis of a per-axis type exists and has as many entries
      as the type has scales.

    Example:
    ```mlir
    %x = vit.dequantize %q : tensor<4x8x!quant.uniform<u8:f32, 0.1:128>> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_QuantTensor:$input);
  let results = (outs Vit_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

class Vit_ContractionOp<string mnemonic, list<Trait> traits = []> : Vit_Op<mnemonic,
    [DeclareOpInterfaceMethods<CommutesWithDequant,
       ["getDeferrableOperands", "getBiasOperandIndex"]>,
     DeclareOpInterfaceMethods<QuantizableOp, ["getResultCode", "getResultRounding"]>] # traits>;

def Vit_LinearOp : Vit_ContractionOp<"linear", [DeclareOpInterfaceMethods<WeightedOp, ["isRowProduct"]>,
    DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation", "isPermutedOperand"]>]> {
  let summary = "Fully connected layer";
  let description = [{
    `y[..., o] = sum_i x[..., i] * w[o, i] + b[o]`.

    Shapes: input `[..., K]`, weight `[N, K]`, bias `[N]`, result `[..., N]`.

    On quantized operands the result is the exact integer accumulator
    `sum_i (x_q - z_x)(w_q - z_w) + b_q` of type
    `!quant.uniform<i32:f32:axis, {s_x * s_w[o]}>` (docs/Rules.md, R1 and R2).

    Constraints:
    * C1: shapes as above.
    * C2: input, weight and result are all float or all quantized.
    * C3: the bias of a float contraction is float; that of a quantized one has the
      result's storage type, scales and zero points (along its only axis).

    Example:
    ```mlir
    %y = vit.linear %x, %w, %b : (tensor<1x197x192xf32>, tensor<768x192xf32>, tensor<768xf32>) -> tensor<1x197x768xf32>
    %a = vit.linear %q, %v
      : (tensor<2x4x!quant.uniform<u8:f32, 0.1:128>>, tensor<2x4x!quant.uniform<i8:f32:0, {0.5, 0.25}>>)
      -> tensor<2x2x!quant.uniform<i32:f32:1, {0.05, 0.025}>>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, Vit_Tensor:$weight, Optional<Vit_Tensor>:$bias);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vit_MatmulOp : Vit_ContractionOp<"matmul"> {
  let summary = "Batched matrix product of two activations";
  let description = [{
    `y[b, m, n] = scale * sum_k lhs[b, m, k] * rhs[b, k, n]`, or with
    `transpose_rhs` `... rhs[b, n, k]`. `scale` is 1 unless given; attention keeps
    its `1/sqrt(d)` there (docs/Rules.md, R4: never an op of its own).

    Shapes: lhs `[B..., M, K]`, rhs `[B..., K, N]` or `[B..., N, K]`.

    On quantized operands the result is the exact accumulator
    `sum_k (lhs_q - z_l)(rhs_q - z_r)`; `scale` is part of its type's scale.

    Constraints:
    * C1: equal batch dimensions, equal contracted dimensions, rank >= 2.
    * C2: operands and result are all float or all quantized.
    * C3: `scale` is finite and positive.

    Example:
    ```mlir
    %s = vit.matmul %q, %k transpose_rhs scale 0.125
      : (tensor<1x3x197x64xf32>, tensor<1x3x197x64xf32>) -> tensor<1x3x197x197xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$lhs, Vit_Tensor:$rhs, UnitAttr:$transpose_rhs,
    DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`transpose_rhs` $transpose_rhs^)? (`scale` $scale^)? attr-dict `:`
    `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vit_PatchEmbedOp : Vit_ContractionOp<"patch_embed",
    [DeclareOpInterfaceMethods<WeightedOp, ["makeOnPixels", "canReadPixels"]>]> {
  let summary = "Patch embedding: a convolution whose stride is its kernel";
  let description = [{
    `y[b, p, o] = sum_{c,i,j} x[b, c, P_h*p_h + i, P_w*p_w + j] * w[o, c, i, j] + b[o]`
    with patch index `p = p_h * (W / P_w) + p_w`, rows of patches first.

    Shapes: input `[B, C, H, W]`, or `[B, H, W, C]` with `channels_last`; weight
    `[D, C, P_h, P_w]`; bias `[D]`; result `[B, (H/P_h)*(W/P_w), D]`.

    Quantized operands as in `vit.linear`.

    Constraints:
    * C1: shapes as above; the patch size divides the image size.
    * C2: input, weight and result are all float or all quantized.
    * C3: the bias of a float contraction is float; that of a quantized one has the
      result's storage type, scales and zero points (along its only axis).

    Example:
    ```mlir
    %t = vit.patch_embed %image, %w, %b
      : (tensor<1x3x224x224xf32>, tensor<192x3x16x16xf32>, tensor<192xf32>) -> tensor<1x196x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, Vit_Tensor:$weight, Optional<Vit_Tensor>:$bias,
    UnitAttr:$channels_last);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    (`channels_last` $channels_last^)? $input `,` $weight (`,` $bias^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vit_Conv2dOp : Vit_ContractionOp<"conv2d",
    [MapOp, DeclareOpInterfaceMethods<WeightedOp, ["makeOnPixels", "canReadPixels"]>]> {
  let summary = "Two-dimensional convolution of maps, channels last";
  let description = [{
    `y[b, h, w, o] = sum_{c,i,j} x[b, s_h*h + d_h*i - p_t, s_w*w + d_w*j - p_l, g*C/G + c] * k[o, c, i, j] + bias[o]`
    with G `groups`, `g = o / (D/G)` the group of the output channel, strides s, dilations d,
    and pads `[p_t, p_l, p_b, p_r]` (top, left, bottom, right). Outside of the map x is 0, or
    `padding[c]` in channel c, where that is given.

    Shapes: input `[B, H, W, C]`; weight `[D, C/G, K_h, K_w]`, as ONNX has it; bias `[D]`;
    result `[B, H', W', D]` with `H' = (H + p_t + p_b - d_h*(K_h - 1) - 1) / s_h + 1`, rounded
    down, W' alike. A convolution over one axis has height 1.

    On quantized operands the result is the exact accumulator, as of `vit.linear`. Outside of
    the map then stands the zero point, or the code nearest to `padding[c]` (half up), so that
    0 is 0 exactly (docs/Rules.md, R2). The input may have a scale for each channel where
    each output channel reads one channel (depthwise).

    A convolution whose windows tile the image that the model reads is `vit.patch_embed`;
    one of 1 x 1 elements with stride 1 is `vit.linear`.

    Constraints:
    * C1: ranks are 4, channels divide by `groups`, attributes have two (pads:
      four) entries, all positive (pads: not negative), and the result is not empty.
    * C2: input, weight and result are all float or all quantized.
    * C3: the bias of a float contraction is float; that of a quantized one has the
      result's storage type, scales and zero points (along its only axis).
    * C4: `padding` has a finite number for each channel of the input.

    Example:
    ```mlir
    %y = vit.conv2d %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>}
      : (tensor<1x32x32x3xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x16x16x16xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, Vit_Tensor:$weight, Optional<Vit_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations,
    DefaultValuedAttr<I64Attr, "1">:$groups, OptionalAttr<DenseF64ArrayAttr>:$padding);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::vitq::vit::Windows getWindows();
    /// Whether each output channel reads one channel of the input.
    bool isDepthwise();
  }];
}

//===----------------------------------------------------------------------===//
// Attention and normalization
//===----------------------------------------------------------------------===//

def Vit_SoftmaxOp : Vit_Op<"softmax",
    [DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation"]>,
     DeclareOpInterfaceMethods<QuantizableOp, ["getResultCode", "getResultRounding", "getBarrierReason"]>]> {
  let summary = "Softmax over the last axis";
  let description = [{
    `y[..., i] = exp(x[..., i]) / sum_j exp(x[..., j])`, computed relative to the
    row maximum. On quantized types the quotient is part of the op (I-ViT's
    Shiftmax); `vit.softmax_numerator` leaves it for later.

    A mask is a constant that is added to `x` (docs/Recipes.md, Masks).

    Example:
    ```mlir
    %p = vit.softmax %s : tensor<1x3x197x197xf32> -> tensor<1x3x197x197xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, OptionalAttr<Vit_AlgorithmAttr>:$algorithm);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "(`using` `` $algorithm^)? $input attr-dict `:` type($input) `->` type($result)";
}

def Vit_SoftmaxNumeratorOp : Vit_Op<"softmax_numerator",
    [DeclareOpInterfaceMethods<QuantizableOp, ["getFixedResultType", "getBarrierReason"]>]> {
  let summary = "Softmax without its division: exponentials relative to the row maximum, and their sum";
  let description = [{
    `e[..., i] = exp(x[..., i] - max_j x[..., j])`, `sum[...] = sum_i e[..., i]`.
    `vit.softmax %x` = `vit.divide_rows` of the two; the division commutes with
    the product by V and waits until after it (docs/Rules.md, R10).

    On quantized types `sum` is the sum of the *codes* of `e`: same scale, so
    that code rounding cancels in the quotient.

    Codes of `e` have 8 bits, of which the largest stands for 1; 16 bits where the op is `wide`, in
    steps of 2^-t with the largest t <= 14 and N * 2^(t+7) < 2^31, so that no product with 8-bit
    values overflows 32 bits. `vit-adopt-codes` makes it wide in a model that has codes of its own,
    where the float softmax may not lose more than these do.

    Shapes: input `[..., N]`, numerator `[..., N]`, sum `[...]`.

    Constraints:
    * C1: shapes as above, rank >= 1.
    * C2: a quantized numerator has zero point 0, and `sum` has its scale.

    Example:
    ```mlir
    %e, %sum = vit.softmax_numerator using table %s : tensor<1x3x17x17x!quant.uniform<i8:f32, 0.1>>
      -> tensor<1x3x17x17x!quant.uniform<u8:f32, 4.0e-3>>, tensor<1x3x17x!quant.uniform<i32:f32, 4.0e-3>>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, OptionalAttr<Vit_AlgorithmAttr>:$algorithm, UnitAttr:$wide);
  let results = (outs Vit_Tensor:$numerator, Vit_Tensor:$sum);
  let assemblyFormat = [{
    (`wide` $wide^)? (`using` `` $algorithm^)? $input attr-dict `:` type($input) `->` type($numerator) `,` type($sum)
  }];
  let hasVerifier = 1;
}

def Vit_DivideRowsOp : Vit_Op<"divide_rows", [DeclareOpInterfaceMethods<QuantizableOp, ["getBarrierReason"]>]> {
  let summary = "Divide every row by its own number";
  let description = [{
    `y[..., i] = x[..., i] / (divisor[...] + eps)`; eps is 0 unless given. Linear attention
    divides by sums of products that may vanish together with x.

    Shapes: input `[..., N]`, divisor `[...]`, result `[..., N]`.

    Constraints:
    * C1: shapes as above.
    * C2: eps is finite and not negative.

    Example:
    ```mlir
    %y = vit.divide_rows %o, %sum : (tensor<1x3x197x64xf32>, tensor<1x3x197xf32>) -> tensor<1x3x197x64xf32>
    %z = vit.divide_rows %o, %sum eps 1.0e-15
      : (tensor<1x3x197x64xf32>, tensor<1x3x197xf32>) -> tensor<1x3x197x64xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, Vit_Tensor:$divisor, OptionalAttr<Vit_AlgorithmAttr>:$algorithm,
    DefaultValuedOptionalAttr<F64Attr, "0.0">:$eps);
  let results = (outs Vit_Tensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = [{
    (`using` `` $algorithm^)? $input `,` $divisor (`eps` $eps^)? attr-dict `:` `(` type($input) `,` type($divisor) `)` `->` type($result)
  }];
}

def Vit_LayerNormOp : Vit_Op<"layer_norm",
    [DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation", "isPermutedOperand"]>,
     DeclareOpInterfaceMethods<QuantizableOp, ["getResultRounding", "getBarrierReason"]>]> {
  let summary = "Layer normalization over the last axis";
  let description = [{
    `y[..., c] = gamma[c] * (x[..., c] - mean) / sqrt(var + eps) + beta[c]` with mean
    and (biased) variance over the last axis. A common positive scale of the
    input cancels (docs/Rules.md, R8). With `rms` the mean is taken to be 0 (RMSNorm).

    Constraints:
    * C1: gamma and beta are float vectors as long as the last axis.
    * C2: eps is finite and not negative.

    Example:
    ```mlir
    %y = vit.layer_norm %x, %gamma, %beta eps 1.0e-6
      : (tensor<1x197x192xf32>, tensor<192xf32>, tensor<192xf32>) -> tensor<1x197x192xf32>
    %z = vit.layer_norm rms %y, %gamma, %beta eps 1.0e-6
      : (tensor<1x197x192xf32>, tensor<192xf32>, tensor<192xf32>) -> tensor<1x197x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, Vit_FloatTensor:$gamma, Vit_FloatTensor:$beta,
    F64Attr:$eps, UnitAttr:$rms, OptionalAttr<Vit_AlgorithmAttr>:$algorithm,
    DefaultValuedOptionalAttr<Vit_RoundingAttr, "::vitq::vit::Rounding::HalfUp">:$rounding);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    (`rms` $rms^)? (`using` `` $algorithm^)? $input `,` $gamma `,` $beta `eps` $eps attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Functions of one variable
//===----------------------------------------------------------------------===//

def Vit_GeluOp : Vit_Op<"gelu", [DeclareOpInterfaceMethods<UnaryFunction, ["approachesIdentity", "getArrayFunction"]>, PermutableOp,
    DeclareOpInterfaceMethods<QuantizableOp, ["getResultRounding", "getBarrierReason"]>]> {
  let summary = "Gaussian error linear unit";
  let description = [{
    `erf`: `x/2 * (1 + erf(x/sqrt 2))`; `tanh`:
    `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`; `quick`: `x * sigmoid(1.702 x)`.
    Not scale-covariant: a barrier for dequantization (docs/Rules.md, R11). `rounding`
    is how codes of the result are rounded. The result may have one scale per channel.

    Example:
    ```mlir
    %y = vit.gelu erf using lut:8 %x : tensor<1x197x768xf32> -> tensor<1x197x768xf32>
    ```
  }];
  let arguments = (ins Vit_GeluKindAttr:$kind, Vit_Tensor:$input,
    OptionalAttr<Vit_AlgorithmAttr>:$algorithm,
    DefaultValuedOptionalAttr<Vit_RoundingAttr, "::vitq::vit::Rounding::HalfUp">:$rounding);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    `` $kind (`using` `` $algorithm^)? $input attr-dict `:` type($input) `->` type($result)
  }];
}

def Vit_ReluOp : Vit_UnaryOp<"relu", [], ["hasWideResult"]> {
  let summary = "max(x, 0)";
  let description = [{
    Example:
    ```mlir
    %y = vit.relu %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_SigmoidOp : Vit_UnaryOp<"sigmoid", [], [], ["getArrayFunction"]> {
  let summary = "1 / (1 + exp(-x))";
  let description = [{
    Example:
    ```mlir
    %y = vit.sigmoid using table %x : tensor<4x8x!quant.uniform<i8:f32, 0.05>> -> tensor<4x8x!quant.uniform<u8:f32, 4.0e-3>>
    ```
  }];
}

def Vit_TanhOp : Vit_UnaryOp<"tanh"> {
  let summary = "Hyperbolic tangent";
  let description = [{
    Example:
    ```mlir
    %y = vit.tanh %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_HardSwishOp : Vit_UnaryOp<"hard_swish", [], [], ["approachesIdentity"]> {
  let summary = "x * clamp(x/6 + 1/2, 0, 1)";
  let description = [{
    Example:
    ```mlir
    %y = vit.hard_swish %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_SiluOp : Vit_UnaryOp<"silu", [], [], ["approachesIdentity", "getArrayFunction"]> {
  let summary = "x * sigmoid(x)";
  let description = [{
    Example:
    ```mlir
    %y = vit.silu using lut:16 %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_MishOp : Vit_UnaryOp<"mish", [], [], ["approachesIdentity"]> {
  let summary = "x * tanh(log(1 + exp(x)))";
  let description = [{
    Example:
    ```mlir
    %y = vit.mish %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_SoftplusOp : Vit_UnaryOp<"softplus", [], [], ["approachesIdentity"]> {
  let summary = "log(1 + exp(x))";
  let description = [{
    Example:
    ```mlir
    %y = vit.softplus %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_AbsOp : Vit_UnaryOp<"abs"> {
  let summary = "Absolute value";
  let description = [{
    Example:
    ```mlir
    %y = vit.abs %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_ClampOp : Vit_UnaryOp<"clamp", [], ["hasWideResult"]> {
  let summary = "min(max(x, min), max), or one of the two";
  let description = [{
    ReLU6 and HardTanh, and bounds of either side alone. Quantization is monotone, so that
    on codes this is the requantization to the result's scale, clamped at the codes of the bounds.

    Constraints:
    * C1: there is a bound, bounds are finite, and min <= max.

    Example:
    ```mlir
    %y = vit.clamp %x min 0.0 max 6.0 : tensor<4x8xf32> -> tensor<4x8xf32>
    %z = vit.clamp %y max 1.0 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, OptionalAttr<F64Attr>:$min, OptionalAttr<F64Attr>:$max);
  let assemblyFormat = "$input (`min` $min^)? (`max` $max^)? attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

// Functions with parameters, which are finite (C1).
class Vit_ParametricOp<string mnemonic, list<string> function = []> : Vit_UnaryOp<mnemonic, [], [], function> {
  let hasVerifier = 1;
}

def Vit_HardSigmoidOp : Vit_ParametricOp<"hard_sigmoid"> {
  let summary = "min(max(alpha * x + beta, 0), 1)";
  let description = [{
    Constraints:
    * C1: alpha and beta are finite.

    Example:
    ```mlir
    %y = vit.hard_sigmoid %x alpha 0.2 beta 0.5 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, F64Attr:$alpha, F64Attr:$beta, OptionalAttr<Vit_AlgorithmAttr>:$algorithm);
  let assemblyFormat = [{
    (`using` `` $algorithm^)? $input `alpha` $alpha `beta` $beta attr-dict `:` type($input) `->` type($result)
  }];
}

def Vit_LeakyReluOp : Vit_ParametricOp<"leaky_relu"> {
  let summary = "x where it is positive, alpha * x elsewhere";
  let description = [{
    Constraints:
    * C1: alpha is finite.

    Example:
    ```mlir
    %y = vit.leaky_relu %x alpha 0.01 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, F64Attr:$alpha, OptionalAttr<Vit_AlgorithmAttr>:$algorithm);
  let assemblyFormat = [{
    (`using` `` $algorithm^)? $input `alpha` $alpha attr-dict `:` type($input) `->` type($result)
  }];
}

def Vit_EluOp : Vit_ParametricOp<"elu", ["approachesIdentity"]> {
  let summary = "gain * x where x is positive, gain * alpha * (exp(x / width) - 1) elsewhere";
  let description = [{
    ELU has gain and width 1; SELU a gain of about 1.05; CELU a width equal to its alpha.

    Constraints:
    * C1: alpha, gain and width are finite, and width is positive.

    Example:
    ```mlir
    %y = vit.elu %x alpha 1.0 gain 1.0 width 1.0 : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, F64Attr:$alpha, F64Attr:$gain, F64Attr:$width,
    OptionalAttr<Vit_AlgorithmAttr>:$algorithm);
  let assemblyFormat = [{
    (`using` `` $algorithm^)? $input `alpha` $alpha `gain` $gain `width` $width attr-dict `:` type($input) `->`
    type($result)
  }];
}

def Vit_SqrtOp : Vit_ElementaryUnaryOp<"sqrt"> {
  let summary = "Square root; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.sqrt %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_ErfOp : Vit_ElementaryUnaryOp<"erf"> {
  let summary = "Error function; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.erf %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

def Vit_ExpOp : Vit_ElementaryUnaryOp<"exp"> {
  let summary = "Exponential; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.exp %x : tensor<4x8xf32> -> tensor<4x8xf32>
    ```
  }];
}

//===----------------------------------------------------------------------===//
// Elementwise, two operands
//===----------------------------------------------------------------------===//

def Vit_AddOp : Vit_Op<"add",
    [PermutableOp, DeclareOpInterfaceMethods<RowLinearOp, ["keepsOffsets"]>,
     DeclareOpInterfaceMethods<QuantizableOp, ["getResultCode", "getResultRounding", "getBarrierReason"]>]> {
  let summary = "Sum, broadcast as in NumPy";
  let description = [{
    On quantized types each operand is brought to the result's scale by itself and
    rounded as `rounding` says; the sum is clamped to the storage range (docs/Rules.md,
    R12). A barrier for dequantization unless all scales agree. The sum of two
    accumulators may be an accumulator: 32 bits, one scale per channel.

    Example:
    ```mlir
    %y = vit.add %x, %position : (tensor<2x197x192xf32>, tensor<1x197x192xf32>) -> tensor<2x197x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$lhs, Vit_Tensor:$rhs,
    DefaultValuedOptionalAttr<Vit_RoundingAttr, "::vitq::vit::Rounding::HalfUp">:$rounding);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
}

def Vit_MulOp : Vit_BinaryOp<"mul", [DeclareOpInterfaceMethods<QuantizableOp, ["getBarrierReason"]>]> {
  let summary = "Product, broadcast as in NumPy";
  let description = [{
    Example:
    ```mlir
    %y = vit.mul %x, %half : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
    ```
  }];
}

def Vit_SubOp : Vit_ElementaryBinaryOp<"sub"> {
  let summary = "Difference, broadcast as in NumPy; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.sub %x, %mean : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def Vit_DivOp : Vit_ElementaryBinaryOp<"div"> {
  let summary = "Quotient, broadcast as in NumPy; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.div %x, %deviation : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
    ```
  }];
}

def Vit_PowOp : Vit_ElementaryBinaryOp<"pow"> {
  let summary = "Power, broadcast as in NumPy; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.pow %x, %two : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32>
    ```
  }];
}

def Vit_IsNaNOp : Vit_Op<"is_nan", [PermutableOp]> {
  let summary = "Whether each element is not a number; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %n = vit.is_nan %x : tensor<4x8xf32> -> tensor<4x8xi1>
    ```
  }];
  let arguments = (ins Vit_FloatTensor:$input);
  let results = (outs Vit_BoolTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
}

def Vit_WhereOp : Vit_Op<"where", [PermutableOp]> {
  let summary = "Elementwise choice, broadcast as in NumPy; elementary, float only";
  let description = [{
    Example:
    ```mlir
    %y = vit.where %n, %zero, %x : (tensor<4x8xi1>, tensor<f32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    ```
  }];
  let arguments = (ins Vit_BoolTensor:$condition, Vit_FloatTensor:$lhs, Vit_FloatTensor:$rhs);
  let results = (outs Vit_FloatTensor:$result);
  let assemblyFormat = "$condition `,` $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Vit_MeanOp : Vit_Op<"mean", [DeclareOpInterfaceMethods<CommutesWithDequant>,
    DeclareOpInterfaceMethods<RowLinearOp>,
    DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation", "permuteAttributes"]>,
    DeclareOpInterfaceMethods<QuantizableOp, ["hasWideResult", "getResultRounding"]>]> {
  let summary = "Arithmetic mean over some axes";
  let description = [{
    Shapes: the reduced axes are dropped, or have size 1 with `keep_dims`. The
    factor 1/N folds into the scale of a quantized result (docs/Rules.md, R13).

    Constraints:
    * C1: axes are sorted, distinct and inside the input's rank.

    Example:
    ```mlir
    %m = vit.mean %x axes [1] : tensor<1x196x192xf32> -> tensor<1x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `axes` $axes (`keep_dims` $keep_dims^)? attr-dict `:` type($input) `->` type($result)
  }];
}

def Vit_HadamardOp : Vit_Op<"hadamard", [DeclareOpInterfaceMethods<CommutesWithDequant>,
    DeclareOpInterfaceMethods<QuantizableOp, ["hasWideResult", "getResultRounding"]>]> {
  let summary = "Hadamard's transform of blocks of channels";
  let description = [{
    `y[.., b n + j] = sum over i of (-1)^(i . j) s[i] x[.., b n + i] / sqrt(n)` in blocks of n along the last axis, with
    fixed signs `s` (docs/Numerics.md, Hadamard): an orthogonal matrix, by n log2(n) additions a block. What one
    channel holds is spread over n. On quantized operands the result is the exact sum; `1 / sqrt(n)` is in its scale
    (docs/Rules.md, R13). QuaRot (Ashkboos et al. 2024, section 4) puts it in front of the second layer of an MLP.

    With `centers` and `shifts`, numbers for each channel of the last axis, `(x - centers) 2^shifts` stands for `x`: what
    a channel always has is not spread, what counts more is spread with more weight. On codes these are zero points of
    channels, centers rounded to a step of the codes, and shifts to the left.

    Constraints:
    * C1: the block is a power of two, 2 to 256.
    * C2: the block divides the last axis.
    * C3: there is a shift for each channel, 0 to 4.
    * C4: there is a finite center for each channel.

    Example:
    ```mlir
    %y = vit.hadamard %x block 64 : tensor<1x197x768xf32> -> tensor<1x197x768xf32>
    %z = vit.hadamard %u block 2 centers [0.5, 0.0, 0.125, 1.0] shifts [0, 1, 4, 2] : tensor<1x3x4xf32> -> tensor<1x3x4xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, I64Attr:$block, OptionalAttr<DenseF32ArrayAttr>:$centers,
    OptionalAttr<DenseI8ArrayAttr>:$shifts);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `block` $block (`centers` $centers^)? (`shifts` $shifts^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Shape ops. They move elements and commute with per-tensor dequantization
// (docs/Rules.md, R13).
//===----------------------------------------------------------------------===//

class Vit_ShapeOp<string mnemonic, list<Trait> traits = []> : Vit_Op<mnemonic,
    [DeclareOpInterfaceMethods<CommutesWithDequant>, MoveOp] # traits>;

def Vit_ReshapeOp : Vit_ShapeOp<"reshape",
    [DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation", "permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    Constraints:
    * C1: `shape` has no negative entry and as many elements as the input.

    Example:
    ```mlir
    %h = vit.reshape %x to [1, 197, 3, 64] : tensor<1x197x192xf32> -> tensor<1x197x3x64xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$input `to` $shape attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Vit_TransposeOp : Vit_ShapeOp<"transpose", [DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "Permuted axes";
  let description = [{
    Axis `i` of the result is axis `permutation[i]` of the input.

    Constraints:
    * C1: `permutation` is a permutation of the input's axes.

    Example:
    ```mlir
    %h = vit.transpose %x by [0, 2, 1, 3] : tensor<1x197x3x64xf32> -> tensor<1x3x197x64xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$input `by` $permutation attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Vit_ConcatOp : Vit_ShapeOp<"concat",
    [DeclareOpInterfaceMethods<PermutableOp, ["permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "Tensors joined along one axis";
  let description = [{
    Quantized inputs of unequal scales are requantized to the result's (docs/Rules.md, R13).

    Constraints:
    * C1: at least one input; equal ranks and equal sizes on all other axes;
      the axis exists.

    Example:
    ```mlir
    %t = vit.concat %class, %patches axis 1 : (tensor<1x1x192xf32>, tensor<1x196x192xf32>) -> tensor<1x197x192xf32>
    ```
  }];
  let arguments = (ins Variadic<Vit_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Vit_SliceOp : Vit_ShapeOp<"slice",
    [DeclareOpInterfaceMethods<PermutableOp, ["permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "A strided box of a tensor";
  let description = [{
    `y[i] = x[offsets + i * strides]`, for `i` below `sizes`.

    Constraints:
    * C1: one offset, size and stride for every axis; sizes and strides are
      positive; the box lies inside the input.

    Example:
    ```mlir
    %t = vit.slice %x offsets [0, 0, 0] sizes [1, 1, 192] strides [1, 1, 1]
      : tensor<1x197x192xf32> -> tensor<1x1x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$offsets,
    DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$strides);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `offsets` $offsets `sizes` $sizes `strides` $strides attr-dict `:`
    type($input) `->` type($result)
  }];
  let hasFolder = 1;
}

def Vit_GatherOp : Vit_ShapeOp<"gather",
    [DeclareOpInterfaceMethods<PermutableOp, ["permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "Chosen slices along one axis";
  let description = [{
    `y[..., i, ...] = x[..., indices[i], ...]` along `axis`.

    Constraints:
    * C1: the axis exists, there is an index, every index is inside the axis.

    Example:
    ```mlir
    %t = vit.gather %x indices [0, 2, 1] axis 1 : tensor<1x4x8xf32> -> tensor<1x3x8xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$indices, I64Attr:$axis);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$input `indices` $indices `axis` $axis attr-dict `:` type($input) `->` type($result)";
}

def Vit_BroadcastOp : Vit_ShapeOp<"broadcast",
    [DeclareOpInterfaceMethods<PermutableOp, ["getResultPermutation", "permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp>]> {
  let summary = "A tensor repeated along axes of size 1, as in NumPy";
  let description = [{
    Constraints:
    * C1: the input's shape broadcasts to `shape`.

    Example:
    ```mlir
    %y = vit.broadcast %x to [2, 1, 192] : tensor<1x1x192xf32> -> tensor<2x1x192xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$input `to` $shape attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
}

def Vit_PadOp : Vit_ShapeOp<"pad",
    [DeclareOpInterfaceMethods<PermutableOp, ["permuteAttributes"]>,
     DeclareOpInterfaceMethods<RowLinearOp, ["keepsOffsets"]>]> {
  let summary = "A tensor surrounded by real zeros";
  let description = [{
    Quantized: padding is the zero point.

    Constraints:
    * C1: one `low` and one `high` count for every axis, none negative.

    Example:
    ```mlir
    %y = vit.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : tensor<1x3x8x8xf32> -> tensor<1x3x10x10xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$input `low` $low `high` $high attr-dict `:` type($input) `->` type($result)";
}

//===----------------------------------------------------------------------===//
// Maps of features [B, H, W, C]
//===----------------------------------------------------------------------===//

def Vit_MaxPoolOp : Vit_ShapeOp<"max_pool", [MapOp]> {
  let summary = "The largest element of each window";
  let description = [{
    `y[b, i, j, c] = max x[b, i*s_h - p_top + k*d_h, j*s_w - p_left + l*d_w, c]` over the
    taps `0 <= k < kernel[0]`, `0 <= l < kernel[1]` that lie inside the map: padding is no
    element. `pads` are top, left, bottom, right; the result has
    `floor((H + p_top + p_bottom - d_h*(k_h - 1) - 1) / s_h) + 1` rows, columns likewise.

    The result holds elements of its input, so that this is a move: one scale, and scales of
    channels, pass it (docs/Rules.md, R13).

    Constraints:
    * C1: shape `[B, H, W, C]`; kernel, strides and dilations are two positive numbers, pads
      four that are not negative, and the kernel fits the padded map.
    * C2: each window has a tap inside the map.

    Example:
    ```mlir
    %y = vit.max_pool %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1]
      : tensor<1x8x8x16xf32> -> tensor<1x4x4x16xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations attr-dict `:`
    type($input) `->` type($result)
  }];
}

def Vit_ResampleOp : Vit_Op<"resample",
    [MapOp, DeclareOpInterfaceMethods<QuantizableOp, ["hasWideResult", "getBarrierReason"]>]> {
  let summary = "Weighted sums over windows, along rows and columns: average pooling, resizing";
  let description = [{
    `y[b, i, j, c] = 1/divisor * sum_{k,l} row_weights[i*K + k] * column_weights[j*L + l] *
    x[b, rows[i] + k, columns[j] + l, c]`, K and L the numbers of weights for each row and column
    of the result. Average pooling, with padding that counts or does not, and linear and cubic
    resizing are sums of this kind, whose weights are rational: as integers over a common
    divisor they are exact, and quantization rounds the result only.

    Shapes: input `[B, H, W, C]`, result `[B, #rows, #columns, C]`.

    Constraints:
    * C1: shapes as above; as many weights for each row, and for each column, at least one.
    * C2: windows `[rows[i], rows[i] + K)` lie inside the map, those of columns likewise.
    * C3: the divisor is positive.
    * C4: the largest sum of magnitudes of a row's weights times that of a column's is at most
      2^22, so that sums of codes of 8 bits fit 32.

    Example:
    ```mlir
    %y = vit.resample %x rows [0, 2] weights [1, 1, 1, 1] columns [0, 2] weights [1, 1, 1, 1] over 4
      : tensor<1x4x4x16xf32> -> tensor<1x2x2x16xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$input, DenseI64ArrayAttr:$rows, DenseI64ArrayAttr:$row_weights,
    DenseI64ArrayAttr:$columns, DenseI64ArrayAttr:$column_weights, I64Attr:$divisor);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = [{
    $input `rows` $rows `weights` $row_weights `columns` $columns `weights` $column_weights `over` $divisor attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Pixels
//===----------------------------------------------------------------------===//

def Vit_NormalizePixelsOp : Vit_Op<"normalize_pixels", [DeclareOpInterfaceMethods<QuantizableOp, ["getBarrierReason"]>]> {
  let summary = "Bytes of an image as the network's normalized input";
  let description = [{
    `y[b, c, h, w] = (p[b, h, w, c] - mean[c]) / std[c]` where `p` is the real value of
    the pixel, `byte / 255`. Quantization folds this op into the patch embedding:
    `1/std` into the weights before they are quantized, `mean` into the bias by the
    sums of the quantized weights. I-ViT's layout quantizes its result instead: a
    table for each channel.

    Shapes: pixels `[B, H, W, C]` of `!quant.uniform<u8:f32, 1/255>`, result `[B, C, H, W]`.

    Constraints:
    * C1: shapes as above; `mean` and `std` have C entries; `std` is positive.

    Example:
    ```mlir
    %x = vit.normalize_pixels %p mean [0.5, 0.4, 0.3] std [0.5, 0.25, 1.0]
      : tensor<1x8x6x3x!quant.uniform<u8:f32, 0.0039215686274509803>> -> tensor<1x3x8x6xf32>
    ```
  }];
  let arguments = (ins Vit_Tensor:$pixels, DenseF64ArrayAttr:$mean, DenseF64ArrayAttr:$std);
  let results = (outs Vit_Tensor:$result);
  let assemblyFormat = "$pixels `mean` $mean `std` $std attr-dict `:` type($pixels) `->` type($result)";
}

#endif // VIT_OPS
