//===- VitqOps.td - Operations of the vitq dialect -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_OPS
#define VITQ_OPS

include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/vit/VitInterfaces.td"
include "dialects/vitq/VitqAttrs.td"
include "dialects/vitq/VitqInterfaces.td"

class Vitq_TensorOf<list<Type> types, string text> : Type<
  StaticShapeTensorOf<types>.predicate, "statically shaped tensor of " # text,
  "::mlir::RankedTensorType">;

// Element types say how many bits a code has (docs/Numerics.md, Codes): "narrow" codes
// have 2 to 8, residual streams 16, accumulators 32.
defvar Vitq_NarrowTypes = [I<2>, I<3>, I<4>, I<5>, I<6>, I<7>, I8];
def Vitq_Tensor : Vitq_TensorOf<!listconcat(Vitq_NarrowTypes, [I16, I32]), "i2 to i8, i16 or i32">;
def Vitq_TensorNarrow : Vitq_TensorOf<Vitq_NarrowTypes, "i2 to i8">;
def Vitq_Tensor8 : Vitq_TensorOf<[I8], "i8">;
def Vitq_Tensor16 : Vitq_TensorOf<[I16], "i16">;
def Vitq_TensorNarrowOr32 : Vitq_TensorOf<!listconcat(Vitq_NarrowTypes, [I32]), "i2 to i8, or i32">;
def Vitq_TensorNarrowOr16 : Vitq_TensorOf<!listconcat(Vitq_NarrowTypes, [I16]), "i2 to i8, or i16">;
def Vitq_Tensor32 : Vitq_TensorOf<[I32], "i32">;

// Signed codes of which 0 stands for 0, unless something else is written.
def Vitq_CodeOf : DefaultValuedAttr<Vitq_CodeAttr, "false, 0">;

// Compares the declared result shapes with the inferred ones.
def Vitq_ShapesInferred : NativeOpTrait<"ShapesInferred"> {
  let cppNamespace = "::vitq::vit";
}

// `batchable` and `integer` are the methods of these interfaces that the op has of its own.
class Vitq_Op<string mnemonic, list<string> batchable = [], list<string> integer = [], list<Trait> traits = []>
    : Op<Vitq_Dialect, mnemonic, [Pure, InferShapedTypeOpAdaptor, Vitq_ShapesInferred,
         DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>,
         DeclareOpInterfaceMethods<BatchableOp, batchable>,
         DeclareOpInterfaceMethods<IntegerOp, integer>] # traits>;

// An op on rows. `rowwise` are the methods of RowwiseOp that it has of its own.
class Vitq_RowOp<string mnemonic, list<string> rowwise = [], list<string> batchable = [], list<string> integer = [],
                 list<Trait> traits = []>
    : Vitq_Op<mnemonic, batchable, integer, [DeclareOpInterfaceMethods<RowwiseOp, rowwise>] # traits>;

// An op that only moves elements: its range is its inputs' range, its element
// type theirs.
class Vitq_MoveOp<string mnemonic, list<string> batchable = []>
    : Vitq_Op<mnemonic, batchable, [], [SameOperandsAndResultElementType, MoveOp]>;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

def Vitq_MatmulOp : Vitq_RowOp<"matmul", [], ["getBatchOperand"], ["getOperandCode"],
    [DeclareOpInterfaceMethods<ProductOp>]> {
  let summary = "Matrix product with 32-bit accumulators";
  let description = [{
    `acc[b, m, n] = bias[n] + sum_k (lhs[b, m, k] - lhs.zero) * rhs[b, k, n]`,
    or with `transpose_rhs` `... rhs[b, n, k]`, in 32 bits. That no accumulator
    overflows is proved by `vitq-prove-accumulators`, not assumed. lhs is read as
    `lhs` says; rhs is signed, and 0 is 0. A rank-2 rhs is shared by all batches.

    Shapes: lhs `[B..., M, K]`, rhs `[K, N]` or `[B..., K, N]` (transposed: `[N, K]`),
    bias `[N]`, result `[B..., M, N]`. lhs of 2 to 8 or 16 bits, rhs of 2 to 8, bias and result i32.

    ```mlir
    %acc = vitq.matmul %x, %w, %bias transpose_rhs lhs <unsigned, zero = 131>
        : (tensor<1x197x192xi8>, tensor<768x192xi4>, tensor<768xi32>) -> tensor<1x197x768xi32>
    ```

    Constraints:
    * C1: shapes as above.
    * C2: the zero point is a value of the lhs type.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$lhs, Vitq_TensorNarrow:$rhs, Optional<Vitq_Tensor32>:$bias,
    Vitq_CodeOf:$lhs_code,
    UnitAttr:$transpose_rhs);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`,` $bias^)? (`transpose_rhs` $transpose_rhs^)? (`lhs` $lhs_code^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vitq_DepthwiseConv2dOp : Vitq_Op<"depthwise_conv2d", [], ["getOperandCode"],
    [DeclareOpInterfaceMethods<ProductOp>]> {
  let summary = "Convolution of each channel of a map by itself, with 32-bit accumulators";
  let description = [{
    `acc[b, h, w, c] = bias[c] + sum_{i,j} (x[b, s_h*h + d_h*i - p_t, s_w*w + d_w*j - p_l, c] - input.zero) * k[i, j, c]`
    in 32 bits, with strides s, dilations d and pads `[p_t, p_l, p_b, p_r]` (top, left, bottom,
    right); strides and dilations are 1, pads 0 where they are not given. Outside of the map x
    is `input.zero`. The input, of at most 8 bits or of 16, is read as `input` says; the weight
    is signed, and 0 is 0. That no accumulator overflows is proved by `vitq-prove-accumulators`.

    Shapes: input `[B, H, W, C]`, weight `[K_h, K_w, C]`, bias `[C]`, result `[B, H', W', C]`,
    H' and W' as of `vit.conv2d`.

    ```mlir
    %acc = vitq.depthwise_conv2d %x, %k, %bias strides [2, 2] pads [1, 1, 1, 1] input <unsigned, zero = 131>
        : (tensor<1x56x56x64xi8>, tensor<3x3x64xi8>, tensor<64xi32>) -> tensor<1x28x28x64xi32>
    ```

    Constraints:
    * C1: shapes as above; the result is not empty.
    * C2: the zero point is a value of the input type.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, Vitq_TensorNarrow:$weight, Optional<Vitq_Tensor32>:$bias,
    OptionalAttr<DenseI64ArrayAttr>:$strides, OptionalAttr<DenseI64ArrayAttr>:$pads,
    OptionalAttr<DenseI64ArrayAttr>:$dilations, Vitq_CodeOf:$input_code);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)?
    (`input` $input_code^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::vitq::vit::Windows getWindows();
  }];
}

def Vitq_RequantOp : Vitq_RowOp<"requant", ["isElementwise"]> {
  let summary = "Requantization by a dyadic multiplier";
  let description = [{
    `y = clamp(result.zero + round((x - input.zero) * M[c] / 2^shift[c]), min, max)`
    in 64 bits; `round` as the attribute says, half up being
    `(p + 2^(shift-1)) >> shift` with an arithmetic shift. `c` is the index along
    `axis` (counted from the end when negative) when there is more than one
    multiplier. `min` and `max` default to the range of the result's codes (docs/Numerics.md,
    Requantization).

    ```mlir
    %y = vitq.requant %acc by <1518500250, 38> round half_up result <unsigned, zero = 131>
        : tensor<1x197x768xi32> -> tensor<1x197x768xi8>
    ```

    Constraints:
    * C1: one multiplier, or one per index of `axis`.
    * C2: min <= max, both in the range of the result type.
    * C3: zero points are values of their types (`x - input.zero` fits 32 bits).
  }];
  let arguments = (ins Vitq_Tensor:$input, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    Vitq_CodeOf:$input_code,
    Vitq_CodeOf:$result_code,
    OptionalAttr<I64Attr>:$min, OptionalAttr<I64Attr>:$max);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `by` $by `round` `` $rounding (`input` $input_code^)? (`result` $result_code^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_AddOp : Vitq_RowOp<"add", ["getRowOperand", "isElementwise"], ["getBatchOperand"]> {
  let summary = "Sum of two quantized tensors of different scales";
  let description = [{
    `y = clamp(result.zero + round((a - lhs.zero) * Ma / 2^ca) + round((b - rhs.zero) * Mb / 2^cb))`:
    each operand is requantized to the sum's scale and rounded by itself; the sum
    is clamped to the result type (docs/Rules.md, R12). There is no
    intermediate narrow tensor. Multipliers per channel index the last axis. rhs broadcasts to
    lhs as in NumPy.

    With a 32-bit result two accumulators are summed in one unit: the multiplier
    `<1073741824, 30>` is exactly 1, so that one side stays as it is. The sum is
    formed in 64 bits and saturates at the ends of the 32-bit range.

    ```mlir
    %y = vitq.add %a by <1518500250, 41>, %x by <1073741824, 30> round half_up
        : (tensor<1x197x192xi32>, tensor<1x197x192xi16>) -> tensor<1x197x192xi16>
    ```

    Constraints:
    * C1: the result has lhs's shape, to which rhs broadcasts.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_Tensor:$lhs, Vitq_Tensor:$rhs, Vitq_DyadicAttr:$lhs_by, Vitq_DyadicAttr:$rhs_by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$lhs_code,
    Vitq_CodeOf:$rhs_code,
    Vitq_CodeOf:$result_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $lhs `by` $lhs_by `,` $rhs `by` $rhs_by `round` `` $rounding (`lhs` $lhs_code^)? (`rhs` $rhs_code^)? (`result` $result_code^)? attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_MulOp : Vitq_RowOp<"mul", ["getRowOperand", "isElementwise"], ["getBatchOperand"]> {
  let summary = "Product of two quantized tensors";
  let description = [{
    `y = clamp(result.zero + round((a - lhs.zero) * (b - rhs.zero) * M / 2^c))`. The
    product of the operands fits 32 bits (C4). rhs broadcasts to lhs as in NumPy. Multipliers
    per channel index the last axis.

    ```mlir
    %y = vitq.mul %a, %b by <1518500250, 38> round half_up lhs <unsigned> result <signed, zero = -3>
        : (tensor<1x197x192xi8>, tensor<192xi16>) -> tensor<1x197x192xi8>
    ```

    Constraints:
    * C1: the result has lhs's shape, to which rhs broadcasts.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
    * C4: the product of the operands' largest magnitudes, zero points subtracted,
      is below 2^31.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$lhs, Vitq_TensorNarrowOr16:$rhs, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$lhs_code,
    Vitq_CodeOf:$rhs_code,
    Vitq_CodeOf:$result_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `by` $by `round` `` $rounding (`lhs` $lhs_code^)? (`rhs` $rhs_code^)? (`result` $result_code^)? attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_SumOp : Vitq_Op<"sum", ["growLeadingAxis"]> {
  let summary = "Sum over some axes in 32 bits";
  let description = [{
    `y = sum (x - input.zero)` over `axes`. A mean is this and a
    requantization whose multiplier holds 1/N.

    ```mlir
    %y = vitq.sum %x axes [1] input <unsigned, zero = 128> : tensor<1x197x192xi8> -> tensor<1x192xi32>
    ```

    Constraints:
    * C1: axes are sorted, distinct and inside the input's rank.
    * C2: the sum of as many extreme values fits 32 bits.
    * C3: the zero point is a value of the input type.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims,
    Vitq_CodeOf:$input_code);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $input `axes` $axes (`keep_dims` $keep_dims^)? (`input` $input_code^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_HadamardOp : Vitq_RowOp<"hadamard", [], ["computesAlongLastAxis"]> {
  let summary = "Hadamard's transform of blocks of channels, as sums";
  let description = [{
    `y[.., b n + j] = sum over i of (-1)^(i . j) s[i] (x[.., b n + i] - input.zero)` in blocks of n along the last axis,
    in 32 bits: `i . j` is the number of bits that i and j have in common, `s[i] = (-1)^(i0 i1 + i2 i3 + ...)` with the bits
    of i (docs/Numerics.md, Hadamard). Codes of w bits grow to w + log2(n). With `zeros` channels have zero
    points of their own in place of `input.zero`; with `shifts` the differences are shifted to the left, channel by
    channel. numerics::hadamardRow.

    ```mlir
    %y = vitq.hadamard %x block 64 input <unsigned, zero = 9> : tensor<1x197x768xi8> -> tensor<1x197x768xi32>
    %z = vitq.hadamard %u block 2 zeros [3, 0, -4, 9] shifts [0, 1, 4, 2] : tensor<1x3x4xi8> -> tensor<1x3x4xi32>
    ```

    Constraints:
    * C1: the block is a power of two, 2 to 256.
    * C2: the block divides the last axis.
    * C3: the zero point is a value of the input type.
    * C4: there is a shift for each channel, 0 to 4.
    * C5: there is a zero point for each channel, a value of the input type.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, I64Attr:$block, OptionalAttr<DenseI32ArrayAttr>:$zeros,
    OptionalAttr<DenseI8ArrayAttr>:$shifts, Vitq_CodeOf:$input_code);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $input `block` $block (`zeros` $zeros^)? (`shifts` $shifts^)? (`input` $input_code^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_ResampleOp : Vitq_Op<"resample"> {
  let summary = "Weighted sums over windows, along rows and columns, requantized";
  let description = [{
    With `acc[b, i, j, c] = sum_{k,l} row_weights[i*K + k] * column_weights[j*L + l] *
    (x[b, rows[i] + k, columns[j] + l, c] - input.zero)` in 32 bits, K and L the numbers of weights
    for each row and column of the result,
    `y = clamp(result.zero + round(acc * M / 2^s))`, one multiplier for all elements
    (docs/Numerics.md, Requantization).

    Shapes: input `[B, H, W, C]`, result `[B, #rows, #columns, C]`.

    ```mlir
    %y = vitq.resample %x rows [0, 2] weights [1, 1, 1, 1] columns [0, 2] weights [1, 1, 1, 1]
        by <1073741824, 32> round half_up input <unsigned, zero = 128> result <unsigned, zero = 128>
        : tensor<1x4x4x16xi8> -> tensor<1x2x2x16xi8>
    ```

    Constraints:
    * C1: shapes as above; as many weights for each row, and for each column, at least one.
    * C2: windows `[rows[i], rows[i] + K)` lie inside the map, those of columns likewise.
    * C3: the largest sum of magnitudes of a row's weights, times that of a column's, times
      that of a code less its zero point, is below 2^31.
    * C4: there is one multiplier.
    * C5: zero points are values of their types.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, DenseI64ArrayAttr:$rows, DenseI64ArrayAttr:$row_weights,
    DenseI64ArrayAttr:$columns, DenseI64ArrayAttr:$column_weights, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$input_code,
    Vitq_CodeOf:$result_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `rows` $rows `weights` $row_weights `columns` $columns `weights` $column_weights `by` $by
    `round` `` $rounding (`input` $input_code^)? (`result` $result_code^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

def Vitq_TableOp : Vitq_RowOp<"table", ["isElementwise"], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Exact function of narrow codes: a table with an entry for each";
  let description = [{
    `y = table[t][i]`, i the place of x among the 2^N codes of the input in the order of what
    they stand for: x where codes are unsigned, x + 2^(N-1) otherwise. `t` is 0 for a table of
    shape `[2^N]`; for `[T, 2^N]` it is `index[c]`, `c` along the last axis (channels with scales of their own). An index
    is below T, which the interpreter checks when it runs. Kernels need a constant
    index and check it when they are built.

    ```mlir
    %y = vitq.table %x, %table input <unsigned> : (tensor<1x197x768xi4>, tensor<16xi8>) -> tensor<1x197x768xi8>
    ```

    Constraints:
    * C1: table is `[2^N]`, or `[T, 2^N]` with T <= 128 and an index of shape `[C]`.
    * C2: table and result have the same element type.
  }];
  let arguments = (ins Vitq_TensorNarrow:$input, Vitq_Tensor:$table, Optional<Vitq_Tensor8>:$index,
    Vitq_CodeOf:$input_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $table (`,` $index^)? (`input` $input_code^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Vitq_InterpolateOp : Vitq_RowOp<"interpolate", ["isElementwise"], [], ["getAlgorithmName"]> {
  let summary = "Function of 16-bit values: a table with linear interpolation, and an identity tail";
  let description = [{
    A function that is nearly constant below some value and nearly the identity
    above another one, such as GELU, of values that do not fit 8 bits (docs/Recipes.md,
    What each part is for).
    With `d = x - start` in 32 bits,

    * `d < 0`: `y = table[0]`;
    * `d >= 1024 << shift`: `y = clamp((x * M + 2^(c-1)) >> c)`, the input in units of the
      result, `tail_by` = M / 2^c;
    * otherwise, with `i = d >> shift` and `f = d - (i << shift)`,
      `y = table[i] + (((table[i+1] - table[i]) * f + ((1 << shift) >> 1)) >> shift)`,
      which lies between the two entries.

    Codes are signed, and both zero points are 0. Entry `i` stands for the input
    `start + (i << shift)`. numerics::interpolate.

    Shapes: table `[1025]`, input and result alike.

    ```mlir
    %y = vitq.interpolate %x, %table start -8192 shift 4 tail_by <1518500250, 31>
        : (tensor<1x197x768xi16>, tensor<1025xi16>) -> tensor<1x197x768xi16>
    ```

    Constraints:
    * C1: the table has 1025 entries; input, table and result are i16.
    * C2: 0 <= shift <= 6, and start is a 16-bit value.
    * C3: `tail_by` is one positive multiplier.
  }];
  let arguments = (ins Vitq_Tensor16:$input, Vitq_Tensor16:$table, I64Attr:$start, I64Attr:$shift,
    Vitq_DyadicAttr:$tail_by);
  let results = (outs Vitq_Tensor16:$result);
  let assemblyFormat = [{
    $input `,` $table `start` $start `shift` $shift `tail_by` $tail_by attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vitq_PwlOp : Vitq_RowOp<"pwl", ["isElementwise"], [], ["getAlgorithmName"]> {
  let summary = "Piecewise-linear function of codes, requantized";
  let description = [{
    With `q = x - input.zero`, `i` the number of breakpoints <= q and
    `acc = slopes[i] * q + intercepts[i]` in 32 bits,
    `y = clamp(result.zero + round(acc * M[c] / 2^s[c]))`, `c` along the last axis when there
    is more than one multiplier (docs/Numerics.md, Lines; intercepts in input steps,
    so that any input scale will do). numerics::PiecewiseLinear.

    ```mlir
    %y = vitq.pwl %x lines <breakpoints = [-40, 12], slopes = [0, 3, 64], intercepts = [-2, 118, -610]>
        by <1518500250, 38> round half_up result <unsigned, zero = 3> : tensor<1x197x768xi8> -> tensor<1x197x768xi8>
    ```

    Constraints:
    * C1: every line is within 32 bits for every code of the input.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, Vitq_PiecewiseLinearAttr:$lines, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$input_code,
    Vitq_CodeOf:$result_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `lines` $lines `by` $by `round` `` $rounding (`input` $input_code^)? (`result` $result_code^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_PolyGeluOp : Vitq_RowOp<"poly_gelu", ["isElementwise"], [], ["getAlgorithmName"]> {
  let summary = "I-BERT's GELU: erf as a polynomial of degree two";
  let description = [{
    With `q = x - input.zero` and `erf = one - (min(|q|, clip) - clip)^2`,
    `acc = q * (one + sgn(q) * erf)` in 32 bits and
    `y = clamp(result.zero + round(acc * M[c] / 2^s[c]))`, `c` along the last axis when there
    is more than one multiplier. acc has the scale S / (2 * one) for an input of scale S
    (I-BERT's; docs/Numerics.md, GELU by a polynomial). numerics::PolyGelu.

    ```mlir
    %y = vitq.poly_gelu %x clip 25 one 692 by <1588889636, 40> round half_up input <unsigned, zero = 128>
        : tensor<1x197x768xi8> -> tensor<1x197x768xi8>
    ```

    Constraints:
    * C1: clip >= 0, one >= 1, and acc fits 32 bits for every code of the input.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, I64Attr:$clip, I64Attr:$one, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$input_code,
    Vitq_CodeOf:$result_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `clip` $clip `one` $one `by` $by `round` `` $rounding (`input` $input_code^)? (`result` $result_code^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_GeluOp : Vitq_RowOp<"gelu", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "ShiftGELU: GELU by shifts and one reciprocal per row";
  let description = [{
    On `a = x - input.zero`, row by row over the last axis, with
    `sigma` as in docs/Numerics.md, GELU (`exponent_step` = x0 < 0, `fraction_bits` = n, a reciprocal
    of `reciprocal_bits` bits): `y = clamp(result.zero + round(a * sigma * M / 2^c))`,
    `sigma` in 0..127 standing for 0..1 (scale 2^-7). I-ViT has 23 fraction bits and
    31 reciprocal bits, which lose the quotient where a row's sum nears 2^31
    (docs/Numerics.md, GELU); 62 bits do not. numerics::shiftGeluRow.

    ```mlir
    %y = vitq.gelu shift %x exponent_step -9 fraction_bits 12 by <1518500250, 37> round half_up
        : tensor<1x197x768xi8> -> tensor<1x197x768xi8>
    ```

    Constraints:
    * C1: -2^16 <= exponent_step < 0 and 1 <= fraction_bits <= 30.
    * C2: one multiplier.
    * C3: zero points are values of their types.
    * C4: reciprocal_bits is 31 or 62.
  }];
  let arguments = (ins Vitq_TensorNarrow:$input, I64Attr:$exponent_step, I64Attr:$fraction_bits,
    Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    Vitq_CodeOf:$input_code,
    Vitq_CodeOf:$result_code,
    DefaultValuedAttr<I64Attr, "62">:$reciprocal_bits);
  let results = (outs Vitq_TensorNarrowOr16:$result);
  let assemblyFormat = [{
    `shift` $input `exponent_step` $exponent_step `fraction_bits` $fraction_bits
    (`reciprocal_bits` $reciprocal_bits^)? `by` $by
    `round` `` $rounding (`input` $input_code^)?
    (`result` $result_code^)? attr-dict `:`
    type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_SoftmaxOp : Vitq_RowOp<"softmax", [], ["computesAlongLastAxis"],
    ["hasUnsignedResult", "getAlgorithmName", "getWrittenCode"]> {
  let summary = "Softmax codes relative to the row maximum, and their sums";
  let description = [{
    Row by row over the last axis, on 32-bit scores:
    `d[i] = min(L, round((max_j x[j] - x[i]) * M / 2^c))` (half up; the difference is
    saturated to 2^31 - 1 first; L is the algorithm's last distance, 255 for most), `code[i]` what
    the algorithm makes of d[i] (`#vitq.exp_table`, `exp_shift`, `exp_pwl`, `exp_poly`, `exp_log2`,
    `exp_octave`), `sum = sum_i code[i]`.

    Codes are unsigned, or signed 16-bit numbers (`exp_log2`, `exp_octave`). The division by the
    sum happens after the product by V (`vitq.divide_rows`, docs/Rules.md, R10).
    numerics::softmaxTableRow, softmaxLog2Row, softmaxOctaveRow.

    Shapes: input `[..., N]` i32, codes `[..., N]`, sums `[...]` i32. More than one
    multiplier: one per index of axis 1 (heads).

    ```mlir
    %codes, %sums = vitq.softmax %scores with #vitq.exp_shift<step = -16, fraction_bits = 15, code_shift = 11> by <1518500250, 38>
        : (tensor<1x3x197x197xi32>) -> (tensor<1x3x197x197xi8>, tensor<1x3x197xi32>)
    ```

    Constraints:
    * C1: shapes as above; N <= 2^23, so that the sum fits 32 bits.
    * C2: one multiplier, or one per index of axis 1; multipliers are positive.
    * C3: the algorithm gives codes of these bits in rows of this length.
  }];
  let arguments = (ins Vitq_Tensor32:$input, Vitq_DyadicAttr:$by, ExponentialAttrInterface:$algorithm);
  let results = (outs Vitq_TensorNarrowOr16:$codes, Vitq_Tensor32:$sums);
  let assemblyFormat = [{
    $input `with` $algorithm `by` $by attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Of 16 bits the sign stays 0.
    bool hasUnsignedCodes() { return getCodes().getType().getElementTypeBitWidth() <= 8; }
  }];
}

def Vitq_ShiftmaxOp : Vitq_RowOp<"shiftmax", [], ["computesAlongLastAxis"],
    ["getAlgorithmName", "getOperandCode", "getWrittenCode"]> {
  let summary = "I-ViT's Shiftmax: normalized softmax codes";
  let description = [{
    Row by row over the last axis, on signed codes (docs/Numerics.md, Shiftmax as
    published), with
    x0 = `exponent_step`, n = `fraction_bits`, m = `reciprocal_bits`, k = `result_bits`:
    `E[i] = shiftexp(x[i] - max_j x[j])`, `S = min(sum_i E[i], 2^m - 1)`,
    `F = floor((2^m - 1) / S)`, `y[i] = min((E[i] * F) >> (m - k + 1), 2^(k-1) - 1)`,
    codes of scale 2^-(k-1). The sum saturates while it is formed; no product
    exceeds 62 bits. I-ViT has n = 15, m = 31 and k = 16. numerics::shiftmaxRow.

    Unlike `vitq.softmax` it divides by the sum before the product by V, as published.

    Shapes: input `[..., N]`, result `[..., N]` of signed codes.

    ```mlir
    %y = vitq.shiftmax %x exponent_step -9 fraction_bits 15 reciprocal_bits 31 result_bits 16
        : tensor<1x3x197x197xi8> -> tensor<1x3x197x197xi16>
    ```

    Constraints:
    * C1: rank >= 1.
    * C2: -2^30 <= exponent_step < 0 and 1 <= fraction_bits <= 30.
    * C3: reciprocal_bits is 31 or 62.
    * C4: result_bits is the width of the result.
  }];
  let arguments = (ins Vitq_TensorNarrowOr32:$input, I64Attr:$exponent_step, I64Attr:$fraction_bits,
    I64Attr:$reciprocal_bits, I64Attr:$result_bits);
  let results = (outs Vitq_TensorNarrowOr16:$result);
  let assemblyFormat = [{
    $input `exponent_step` $exponent_step `fraction_bits` $fraction_bits
    `reciprocal_bits` $reciprocal_bits `result_bits` $result_bits attr-dict `:`
    type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_DivideRowsOp : Vitq_RowOp<"divide_rows", ["getRowOperand", "isElementwise"], ["getBatchOperand"], ["getAlgorithmName"]> {
  let summary = "Requantization with a reciprocal per row";
  let description = [{
    With `R = floor(2^40 / max(1, sum))`, one per row, `u = clamp32((x * R + 2^15) >> 16)`
    (x / sum in units of 2^-24), `y = clamp(result.zero + round(u * M / 2^c))`.
    numerics::divideRow.

    With `lines`, R takes no division: a power of eight brings the sum s to a code k of 12
    bits, `s ~ k * 8^g`, `512 <= k < 4096`, and `R = floor(lines(k) * 2^(8 - 3g))`
    (GQA-LUT's multi-range scaling; numerics::reciprocalByLines). Lines in
    units of 2^-22 over codes in units of 2^-10 may stay below 1/k by a constant factor,
    which `by` makes good; R is never above the exact one, so all widths stay.

    Shapes: input `[..., N]` i32, sums `[...]` i32, result `[..., N]`.

    ```mlir
    %y = vitq.divide_rows %context, %sums by <1073741824, 54> round half_up result <unsigned, zero = 128>
        : (tensor<1x3x197x64xi32>, tensor<1x3x197xi32>) -> tensor<1x3x197x64xi8>
    ```

    Constraints:
    * C1: shapes as above.
    * C2: one multiplier, or one per index of `axis`.
    * C3: the zero point is a value of the result type.
    * C4: `5/8 * 2^32/k <= lines(k) <= 2^32/(k + 1)` for 512 <= k < 4096.
  }];
  let arguments = (ins Vitq_Tensor32:$input, Vitq_Tensor32:$sums, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    Vitq_CodeOf:$result_code,
    OptionalAttr<Vitq_PiecewiseLinearAttr>:$lines);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $sums `by` $by `round` `` $rounding (`result` $result_code^)? (`lines` $lines^)? attr-dict `:`
    `(` type($input) `,` type($sums) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_LayerNormOp : Vitq_RowOp<"layer_norm", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Integer layer normalization over the last axis";
  let description = [{
    Row by row over the last axis of C channels: the values less their mean, divided by the
    standard deviation as the algorithm says (`#vitq.norm_exact`, `norm_pwl`, `norm_shift`,
    which give the arithmetic), times `by`, plus `offsets`, which have one entry per channel.
    The input's zero point cancels where the algorithm centers rows.

    ```mlir
    %y = vitq.layer_norm %x with #vitq.norm_exact<eps = 17> by <[268435456, -536870912], [41, 41]> offsets [4398046511104, 0]
        result <unsigned, zero = 131> : tensor<1x197x2xi16> -> tensor<1x197x2xi8>
    ```

    Constraints:
    * C1: multipliers and offsets: one per index of the last axis.
    * C2: the algorithm takes as many channels of the input's bits.
    * C3: the zero point is a value of the result type.
    * C4: codes whose rows are not centered are signed, and their zero point is 0.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, Vitq_DyadicAttr:$by, DenseI64ArrayAttr:$offsets,
    NormalizationAttrInterface:$algorithm, Vitq_CodeOf:$input_code, Vitq_CodeOf:$result_code);
  let results = (outs Vitq_TensorNarrowOr16:$result);
  let assemblyFormat = [{
    $input `with` $algorithm `by` $by `offsets` $offsets (`input` $input_code^)? (`result` $result_code^)?
    attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Quantizers made of comparisons
//===----------------------------------------------------------------------===//

def Vitq_NormQuantOp : Vitq_RowOp<"norm_quant", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Layer normalization to a few levels: comparisons, no root, no division";
  let description = [{
    NormQ (docs/Rules.md, R9). Row by row over the last axis of C channels,
    with `V = C*sum x^2 - (sum x)^2 + eps`, `n = max(0, bits(V) - 31)`, `v = V >> n`,
    `e = C*x - sum x`, negated where `negative[c]` (gamma < 0), and
    `g = sgn(e) * ((e^2 >> n) << 20)`:

    `y = min + #{k : g >= squares[k, c] * v}`.

    `squares[k, c]` is `sgn(tau) * tau^2` in units of 2^-20, `tau` the normalized value from
    which on level k + 1 is reached. Its largest magnitude, 2^31 - 1, means never, or always.
    As e^2 < C * V, nothing exceeds 62 bits. Codes may differ from those of
    `#vitq.norm_exact` where a value lies beside a threshold. numerics::normQuantRow.

    Shapes: squares `[L, C]`, input and result alike.

    ```mlir
    %y = vitq.norm_quant %x, %squares negative [false, true] eps 17 from -2
        : (tensor<1x197x2xi16>, tensor<3x2xi32>) -> tensor<1x197x2xi2>
    ```

    Constraints:
    * C1: squares is `[L, C]`, 1 <= L <= 15, and negative has C entries.
    * C2: eps >= 1, C <= 2048 and the intermediate widths fit 64 bits
      (numerics::layerNormFits).
    * C3: min and min + L are values of the result type.
  }];
  let arguments = (ins Vitq_TensorNarrowOr16:$input, Vitq_Tensor32:$squares, DenseBoolArrayAttr:$negative,
    I64Attr:$eps, I64Attr:$min, Vitq_CodeOf:$input_code, Vitq_CodeOf:$result_code);
  let results = (outs Vitq_TensorNarrowOr16:$result);
  let assemblyFormat = [{
    $input `,` $squares `negative` $negative `eps` $eps `from` $min (`input` $input_code^)?
    (`result` $result_code^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vitq_ThresholdOp : Vitq_RowOp<"threshold", ["isElementwise"], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Quantizer made of comparisons";
  let description = [{
    `y = min + #{k : x >= thresholds[k]}`, or `thresholds[k, c]` with c along the last axis:
    a requantization to few levels without a multiplication (docs/Rules.md, R6). Thresholds
    found from a `vitq.requant` give the same code for every input
    (numerics::requantizeThresholds).

    Shapes: thresholds `[L]` or `[L, C]`, input and result alike.

    ```mlir
    %y = vitq.threshold %x, %thresholds from 0 result <unsigned>
        : (tensor<1x197x192xi32>, tensor<3xi32>) -> tensor<1x197x192xi2>
    ```

    Constraints:
    * C1: thresholds is `[L]`, or `[L, C]` with C the size of the last axis; 1 <= L <= 15.
    * C2: min and min + L are values of the result type.
    * C3: a 32-bit input is signed.
  }];
  let arguments = (ins Vitq_Tensor:$input, Vitq_Tensor32:$thresholds, I64Attr:$min,
    Vitq_CodeOf:$input_code, Vitq_CodeOf:$result_code);
  let results = (outs Vitq_TensorNarrowOr16:$result);
  let assemblyFormat = [{
    $input `,` $thresholds `from` $min (`input` $input_code^)?
    (`result` $result_code^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

def Vitq_ExtractPatchesOp : Vitq_MoveOp<"extract_patches"> {
  let summary = "Rows of patches of a map";
  let description = [{
    `y[b, p, (i*P_w + j)*C + c] = x[b, s_h*h + d_h*i - p_t, s_w*w + d_w*j - p_l, c]`, patch
    `p = h*W' + w`, with strides s, dilations d and pads `[p_t, p_l, p_b, p_r]` (top, left,
    bottom, right). Without `strides` patches lie side by side (s is the patch's size), without
    `dilations` d is 1, without `pads` p is 0. Outside of the map stands `padding`: one code, or
    one for each channel; 0 if there is none.

    Shapes: input `[B, H, W, C]`, result `[B, H'*W', P_h*P_w*C]`, or with `as_map`
    `[B, H', W', P_h*P_w*C]`; H' and W' as of `vit.conv2d`.

    ```mlir
    %y = vitq.extract_patches %x patch [16, 16] : tensor<1x224x224x3xi8> -> tensor<1x196x768xi8>
    %z = vitq.extract_patches %x patch [3, 3] strides [2, 2] pads [1, 1, 1, 1] padding [124, 116, 104] as_map
        : tensor<1x224x224x3xi8> -> tensor<1x112x112x27xi8>
    ```

    Constraints:
    * C1: rank 4; attributes have two (pads: four) entries, all positive (pads: not negative),
      and the result is not empty. Without `strides` and pads patches cover the map.
    * C2: `padding` has one code, or one for each channel, that fits the element type, as
      signed or unsigned.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$patch, OptionalAttr<DenseI64ArrayAttr>:$strides,
    OptionalAttr<DenseI64ArrayAttr>:$pads, OptionalAttr<DenseI64ArrayAttr>:$dilations,
    OptionalAttr<DenseI64ArrayAttr>:$padding, UnitAttr:$as_map);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `patch` $patch (`strides` $strides^)? (`pads` $pads^)? (`dilations` $dilations^)? (`padding` $padding^)?
    (`as_map` $as_map^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::vitq::vit::Windows getWindows();
    /// What stands outside of the map in `channel`.
    int64_t paddingOf(int64_t channel);
  }];
}

def Vitq_ReshapeOp : Vitq_MoveOp<"reshape", ["growLeadingAxis"]> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    ```mlir
    %y = vitq.reshape %x to [1, 197, 3, 64] : tensor<1x197x192xi8> -> tensor<1x197x3x64xi8>
    ```

    Constraints:
    * C1: `shape` has no negative entry and as many elements as the input.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `to` $shape attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
}

def Vitq_TransposeOp : Vitq_MoveOp<"transpose", ["growLeadingAxis"]> {
  let summary = "Permuted axes";
  let description = [{
    Axis `i` of the result is axis `permutation[i]` of the input.

    ```mlir
    %y = vitq.transpose %x by [0, 2, 1, 3] : tensor<1x197x3x64xi8> -> tensor<1x3x197x64xi8>
    ```

    Constraints:
    * C1: `permutation` is a permutation of the input's axes.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `by` $permutation attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
}

def Vitq_ConcatOp : Vitq_MoveOp<"concat", ["getBatchOperand", "growLeadingAxis"]> {
  let summary = "Tensors joined along one axis";
  let description = [{
    ```mlir
    %y = vitq.concat %class, %patches axis 1 : (tensor<1x1x192xi16>, tensor<1x196x192xi16>) -> tensor<1x197x192xi16>
    ```

    Constraints:
    * C1: at least one input; equal ranks, element types and sizes on all other
      axes; the axis exists.
  }];
  let arguments = (ins Variadic<Vitq_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$inputs `axis` $axis attr-dict `:` functional-type(operands, results)";
}

def Vitq_SliceOp : Vitq_MoveOp<"slice", ["growLeadingAxis"]> {
  let summary = "A strided box of a tensor";
  let description = [{
    `y[i] = x[offsets + i * strides]`, for `i` below `sizes`.

    ```mlir
    %y = vitq.slice %x offsets [0, 0, 0] sizes [1, 1, 192] strides [1, 1, 1]
        : tensor<1x197x192xi16> -> tensor<1x1x192xi16>
    ```

    Constraints:
    * C1: one offset, size and stride for every axis; sizes and strides are
      positive; the box lies inside the input.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$offsets,
    DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$strides);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `offsets` $offsets `sizes` $sizes `strides` $strides attr-dict `:`
    type($input) `->` type($result)
  }];
  let hasFolder = 1;
}

def Vitq_GatherOp : Vitq_MoveOp<"gather", ["growLeadingAxis"]> {
  let summary = "Chosen slices along one axis";
  let description = [{
    `y[..., i, ...] = x[..., indices[i], ...]` along `axis`.

    ```mlir
    %y = vitq.gather %x indices [0, 196] axis 1 : tensor<1x197x192xi16> -> tensor<1x2x192xi16>
    ```

    Constraints:
    * C1: the axis exists, there is an index, every index is inside the axis.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$indices, I64Attr:$axis);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `indices` $indices `axis` $axis attr-dict `:` type($input) `->` type($result)";
}

def Vitq_BroadcastOp : Vitq_MoveOp<"broadcast", ["growLeadingAxis"]> {
  let summary = "A tensor repeated along axes of size 1, as in NumPy";
  let description = [{
    ```mlir
    %y = vitq.broadcast %x to [4, 197, 192] : tensor<197x192xi16> -> tensor<4x197x192xi16>
    ```

    Constraints:
    * C1: the input's shape broadcasts to `shape`.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `to` $shape attr-dict `:` type($input) `->` type($result)";
}

def Vitq_MaxPoolOp : Vitq_MoveOp<"max_pool"> {
  let summary = "The largest element of each window";
  let description = [{
    `y[b, i, j, c] = max x[b, i*s_h - p_top + k*d_h, j*s_w - p_left + l*d_w, c]` over the
    taps `0 <= k < kernel[0]`, `0 <= l < kernel[1]` that lie inside the map, of codes that are
    signed or unsigned as `input` says. `pads` are top, left, bottom, right.

    ```mlir
    %y = vitq.max_pool %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1] input <unsigned>
        : tensor<1x8x8x16xi8> -> tensor<1x4x4x16xi8>
    ```

    Constraints:
    * C1: shape `[B, H, W, C]`; kernel, strides and dilations are two positive numbers, pads
      four that are not negative, and the kernel fits the padded map.
    * C2: each window has a tap inside the map.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations, Vitq_CodeOf:$input_code);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `kernel` $kernel `strides` $strides `pads` $pads `dilations` $dilations (`input` $input_code^)? attr-dict `:`
    type($input) `->` type($result)
  }];
}

def Vitq_PadOp : Vitq_MoveOp<"pad", ["growLeadingAxis"]> {
  let summary = "A tensor surrounded by a value";
  let description = [{
    ```mlir
    %y = vitq.pad %x low [0, 0, 1] high [0, 0, 2] value -3 : tensor<1x4x5xi8> -> tensor<1x4x8xi8>
    ```

    Constraints:
    * C1: one `low` and one `high` count for every axis, none negative.
    * C2: `value` fits the element type, as signed or unsigned.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
    DefaultValuedAttr<I64Attr, "0">:$value);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `low` $low `high` $high `value` $value attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

#endif // VITQ_OPS
