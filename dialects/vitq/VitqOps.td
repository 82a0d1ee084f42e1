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
def Vitq_Tensor : Vitq_TensorOf<[I8, I16, I32], "i8, i16 or i32">;
def Vitq_Tensor8 : Vitq_TensorOf<[I8], "i8">;
def Vitq_Tensor16 : Vitq_TensorOf<[I16], "i16">;
def Vitq_Tensor8or32 : Vitq_TensorOf<[I8, I32], "i8 or i32">;
def Vitq_Tensor8or16 : Vitq_TensorOf<[I8, I16], "i8 or i16">;
def Vitq_Tensor32 : Vitq_TensorOf<[I32], "i32">;

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
class Vitq_RowOp<string mnemonic, list<string> rowwise = [], list<string> batchable = [], list<string> integer = []>
    : Vitq_Op<mnemonic, batchable, integer, [DeclareOpInterfaceMethods<RowwiseOp, rowwise>]>;

// An op that only moves elements: its range is its inputs' range, its element
// type theirs.
class Vitq_MoveOp<string mnemonic, list<string> batchable = []>
    : Vitq_Op<mnemonic, batchable, [], [SameOperandsAndResultElementType, MoveOp]>;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

def Vitq_MatmulOp : Vitq_RowOp<"matmul", [], ["getBatchOperand"]> {
  let summary = "Matrix product with 32-bit accumulators";
  let description = [{
    `acc[b, m, n] = bias[n] + sum_k (lhs[b, m, k] - lhs_zero_point) * rhs[b, k, n]`,
    or with `transpose_rhs` `... rhs[b, n, k]`, in 32 bits. That no accumulator
    overflows is proved by `vitq-prove-accumulators`, not assumed. lhs is read as
    unsigned with `lhs_unsigned`; rhs is signed. A rank-2 rhs is shared by all batches.

    Shapes: lhs `[B..., M, K]`, rhs `[K, N]` or `[B..., K, N]` (transposed: `[N, K]`),
    bias `[N]`, result `[B..., M, N]`. lhs i8 or i16, rhs i8, bias and result i32.

    Constraints:
    * C1: shapes as above.
    * C2: the zero point is a value of the lhs type.
  }];
  let arguments = (ins Vitq_Tensor8or16:$lhs, Vitq_Tensor8:$rhs, Optional<Vitq_Tensor32>:$bias,
    UnitAttr:$lhs_unsigned, DefaultValuedAttr<I64Attr, "0">:$lhs_zero_point,
    UnitAttr:$transpose_rhs);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`,` $bias^)? (`transpose_rhs` $transpose_rhs^)? (`lhs_unsigned` $lhs_unsigned^)?
    (`lhs_zero_point` $lhs_zero_point^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vitq_RequantOp : Vitq_RowOp<"requant", ["isElementwise"]> {
  let summary = "Requantization by a dyadic multiplier";
  let description = [{
    `y = clamp(zero_point + round((x - input_zero_point) * M[c] / 2^shift[c]), min, max)`
    in 64 bits; `round` as the attribute says, half up being
    `(p + 2^(shift-1)) >> shift` with an arithmetic shift. `c` is the index along
    `axis` (counted from the end when negative) when there is more than one
    multiplier. `min` and `max` default to the range of the result type, read as
    unsigned with `result_unsigned` (docs/Numerics.md, Requantization).

    Constraints:
    * C1: one multiplier, or one per index of `axis`.
    * C2: min <= max, both in the range of the result type.
    * C3: zero points are values of their types (`x - input_zero_point` fits 32 bits).
  }];
  let arguments = (ins Vitq_Tensor:$input, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    UnitAttr:$input_unsigned, DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    OptionalAttr<I64Attr>:$min, OptionalAttr<I64Attr>:$max);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `by` $by `round` `` $rounding (`input_unsigned` $input_unsigned^)?
    (`input_zero_point` $input_zero_point^)? (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_AddOp : Vitq_RowOp<"add", ["getRowOperand", "isElementwise"], ["getBatchOperand"]> {
  let summary = "Sum of two quantized tensors of different scales";
  let description = [{
    `y = clamp(zero_point + round((a - lhs_zero_point) * Ma / 2^ca) + round((b - rhs_zero_point) * Mb / 2^cb))`:
    each operand is requantized to the sum's scale and rounded by itself; the sum
    is clamped to the result type (docs/Rules.md, R12). There is no
    intermediate narrow tensor. Multipliers per channel index the last axis. rhs broadcasts to
    lhs as in NumPy.

    With a 32-bit result two accumulators are summed in one unit: the multiplier
    `<1073741824, 30>` is exactly 1, so that one side stays as it is. The sum is
    formed in 64 bits and saturates at the ends of the 32-bit range.

    Constraints:
    * C1: the result has lhs's shape, to which rhs broadcasts.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_Tensor:$lhs, Vitq_Tensor:$rhs, Vitq_DyadicAttr:$lhs_by, Vitq_DyadicAttr:$rhs_by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    UnitAttr:$lhs_unsigned, DefaultValuedAttr<I64Attr, "0">:$lhs_zero_point,
    UnitAttr:$rhs_unsigned, DefaultValuedAttr<I64Attr, "0">:$rhs_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $lhs `by` $lhs_by `,` $rhs `by` $rhs_by `round` `` $rounding (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_MulOp : Vitq_RowOp<"mul", ["getRowOperand", "isElementwise"], ["getBatchOperand"]> {
  let summary = "Product of two quantized tensors";
  let description = [{
    `y = clamp(zero_point + round((a - lhs_zero_point) * (b - rhs_zero_point) * M / 2^c))`. The
    product of the operands fits 32 bits (C4). rhs broadcasts to lhs as in NumPy.

    Constraints:
    * C1: the result has lhs's shape, to which rhs broadcasts.
    * C2: there is one multiplier.
    * C3: zero points are values of their types.
    * C4: the product of the operands' largest magnitudes, zero points subtracted,
      is below 2^31.
  }];
  let arguments = (ins Vitq_Tensor8or16:$lhs, Vitq_Tensor8or16:$rhs, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    UnitAttr:$lhs_unsigned, DefaultValuedAttr<I64Attr, "0">:$lhs_zero_point,
    UnitAttr:$rhs_unsigned, DefaultValuedAttr<I64Attr, "0">:$rhs_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `by` $by `round` `` $rounding (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? attr-dict `:` `(` type($lhs) `,` type($rhs) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_SumOp : Vitq_Op<"sum", ["growLeadingAxis"]> {
  let summary = "Sum over some axes in 32 bits";
  let description = [{
    `y = sum (x - input_zero_point)` over `axes`. A mean is this and a
    requantization whose multiplier holds 1/N.

    Constraints:
    * C1: axes are sorted, distinct and inside the input's rank.
    * C2: the sum of as many extreme values fits 32 bits.
    * C3: the zero point is a value of the input type.
  }];
  let arguments = (ins Vitq_Tensor8or16:$input, DenseI64ArrayAttr:$axes, UnitAttr:$keep_dims,
    UnitAttr:$input_unsigned, DefaultValuedAttr<I64Attr, "0">:$input_zero_point);
  let results = (outs Vitq_Tensor32:$result);
  let assemblyFormat = [{
    $input `axes` $axes (`keep_dims` $keep_dims^)? (`input_unsigned` $input_unsigned^)?
    (`input_zero_point` $input_zero_point^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

def Vitq_TableOp : Vitq_RowOp<"table", ["isElementwise"], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Exact function of 8-bit values: a 256-entry table";
  let description = [{
    `y = table[t][i]` with `i = x` read as unsigned with `input_unsigned`, otherwise
    `i = x + 128`. `t` is 0 for a table of shape `[256]`; for `[T, 256]` it is
    `index[c]`, `c` along the last axis (channels with scales of their own). An index
    is below T, which the interpreter checks when it runs. Kernels need a constant
    index and check it when they are built.

    Constraints:
    * C1: table is `[256]`, or `[T, 256]` with T <= 128 and an index of shape `[C]`.
    * C2: table and result have the same element type.
  }];
  let arguments = (ins Vitq_Tensor8:$input, Vitq_Tensor:$table, Optional<Vitq_Tensor8>:$index,
    UnitAttr:$input_unsigned);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $table (`,` $index^)? (`input_unsigned` $input_unsigned^)? attr-dict `:`
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
  let summary = "Piecewise-linear function of 8- or 16-bit values, requantized";
  let description = [{
    With `q = x - input_zero_point`, `i` the number of breakpoints <= q and
    `acc = slopes[i] * q + intercepts[i]` in 32 bits,
    `y = clamp(zero_point + round(acc * M[c] / 2^s[c]))`, `c` along the last axis when there
    is more than one multiplier (docs/Numerics.md, Lines; intercepts in input steps,
    so that any input scale will do). numerics::PiecewiseLinear.

    Constraints:
    * C1: every line is within 32 bits for every code of the input.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_Tensor8or16:$input, Vitq_PiecewiseLinearAttr:$lines, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    UnitAttr:$input_unsigned, DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `lines` $lines `by` $by `round` `` $rounding (`input_unsigned` $input_unsigned^)?
    (`input_zero_point` $input_zero_point^)? (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_PolyGeluOp : Vitq_RowOp<"poly_gelu", ["isElementwise"], [], ["getAlgorithmName"]> {
  let summary = "I-BERT's GELU: erf as a polynomial of degree two";
  let description = [{
    With `q = x - input_zero_point` and `erf = one - (min(|q|, clip) - clip)^2`,
    `acc = q * (one + sgn(q) * erf)` in 32 bits and
    `y = clamp(zero_point + round(acc * M[c] / 2^s[c]))`, `c` along the last axis when there
    is more than one multiplier. acc has the scale S / (2 * one) for an input of scale S
    (I-BERT's; docs/Numerics.md, GELU by a polynomial). numerics::PolyGelu.

    Constraints:
    * C1: clip >= 0, one >= 1, and acc fits 32 bits for every code of the input.
    * C2: one multiplier, or one per index of the last axis.
    * C3: zero points are values of their types.
  }];
  let arguments = (ins Vitq_Tensor8or16:$input, I64Attr:$clip, I64Attr:$one, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    UnitAttr:$input_unsigned, DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `clip` $clip `one` $one `by` $by `round` `` $rounding (`input_unsigned` $input_unsigned^)?
    (`input_zero_point` $input_zero_point^)? (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_GeluOp : Vitq_RowOp<"gelu", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "ShiftGELU: GELU by shifts and one reciprocal per row";
  let description = [{
    On `a = x - input_zero_point`, row by row over the last axis, with
    `sigma` as in docs/Numerics.md, GELU (`exponent_step` = x0 < 0, `fraction_bits` = n, a reciprocal
    of `reciprocal_bits` bits): `y = clamp(zero_point + round(a * sigma * M / 2^c))`,
    `sigma` in 0..127 standing for 0..1 (scale 2^-7). I-ViT has 23 fraction bits and
    31 reciprocal bits, which lose the quotient where a row's sum nears 2^31
    (docs/Numerics.md, GELU); 62 bits do not. numerics::shiftGeluRow.

    Constraints:
    * C1: -2^16 <= exponent_step < 0 and 1 <= fraction_bits <= 30.
    * C2: one multiplier.
    * C3: zero points are values of their types.
    * C4: reciprocal_bits is 31 or 62.
  }];
  let arguments = (ins Vitq_Tensor8:$input, I64Attr:$exponent_step, I64Attr:$fraction_bits,
    Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    UnitAttr:$input_unsigned, DefaultValuedAttr<I64Attr, "0">:$input_zero_point,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    DefaultValuedAttr<I64Attr, "62">:$reciprocal_bits);
  let results = (outs Vitq_Tensor8or16:$result);
  let assemblyFormat = [{
    `shift` $input `exponent_step` $exponent_step `fraction_bits` $fraction_bits
    (`reciprocal_bits` $reciprocal_bits^)? `by` $by
    `round` `` $rounding (`input_unsigned` $input_unsigned^)? (`input_zero_point` $input_zero_point^)?
    (`unsigned` $result_unsigned^)? (`zero_point` $zero_point^)? attr-dict `:`
    type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_SoftmaxOp : Vitq_RowOp<"softmax", [], ["computesAlongLastAxis"], ["hasUnsignedResult", "getAlgorithmName"]> {
  let summary = "Softmax codes relative to the row maximum, and their sums";
  let description = [{
    Row by row over the last axis, on 32-bit scores:
    `d[i] = min(255, round((max_j x[j] - x[i]) * M / 2^c))` (half up; the difference is
    saturated to 2^31 - 1 first), then

    * `table`: `code[i] = table[d[i]]`, table of shape `[256]` read as unsigned;
    * `shift`: `code[i] = min(255, (E + 2^(t-1)) >> t)`, `E = shiftexp(-d[i])` of
      docs/Numerics.md with x0 = `exponent_step`, n = `fraction_bits`, t = `code_shift`;
    * `pwl`: `code[i] = clamp((lines(-d[i]) + 2^(t-1)) >> t, 0, 255)`, t = `code_shift`
      (docs/Numerics.md, Lines);
    * `poly`: I-BERT's exponential (docs/Numerics.md, Softmax) with x0, n, t as in
      `shift`, b = `linear`, c = `offset`: `q = max(-d[i], n*x0)`, `z = floor(q / x0)`,
      `r = q - z*x0`, `code[i] = min(255, ((r*(r + b) + c) * 2^(n-z) + 2^(t-1)) >> t)`;
    * `log2`: `code[i] = 2^(top_exponent - d[i])`, 0 where d[i] is larger, in 16 bits:
      every code is a power of two or 0, told by the 4 bits of min(15, d[i]), and a
      product by it is a shift. `by` then turns scores into octaves: its rounding is
      half up in the logarithm (after FQ-ViT's Log-Int-Softmax, but
      relative to the row's maximum instead of its sum, and with the boundary between
      two powers at sqrt(2) instead of 1.5).

    `sum = sum_i code[i]`. Codes are unsigned bytes, or signed 16-bit numbers (`log2`).
    The division by the sum happens after the product by V (`vitq.divide_rows`,
    docs/Rules.md, R10). All but `log2` are functions of 256 distances, which kernels
    tabulate. numerics::softmaxTableRow, softmaxShiftCode, softmaxLinesCode,
    softmaxPolynomialCode, softmaxLog2Row.

    Shapes: input `[..., N]` i32, codes `[..., N]` i8 (`log2`: i16), sums `[...]` i32. More
    than one multiplier: one per index of axis 1 (heads).

    Constraints:
    * C1: shapes as above; N <= 2^23, and N * 2^top_exponent < 2^31, so that the sum fits
      32 bits.
    * C2: `table` has a table of 256 entries; `shift` has exponent_step, fraction_bits and
      code_shift; `pwl` lines and code_shift; `poly` exponent_step, fraction_bits, linear,
      offset and code_shift; `log2` top_exponent; none has what belongs to another.
    * C3: one multiplier, or one per index of axis 1; multipliers are positive.
    * C4: -2^16 <= exponent_step < 0, 1 <= fraction_bits <= 30, 1 <= code_shift <= 46.
    * C5: codes are i16 with `log2` and i8 otherwise.
    * C6: 1 <= top_exponent <= 14.
    * C7: `poly` is positive on an octave and fits 62 bits: linear >= -2*exponent_step,
      linear <= 2^20, offset > -exponent_step*(exponent_step + linear),
      offset * 2^fraction_bits < 2^62.
    * C8: the lines of `pwl` fit 32 bits for all of -255..0, and code_shift <= 30.
  }];
  let arguments = (ins Vitq_Tensor32:$input, Optional<Vitq_Tensor8>:$table,
    Vitq_SoftmaxAlgorithmAttr:$algorithm, Vitq_DyadicAttr:$by,
    OptionalAttr<I64Attr>:$exponent_step, OptionalAttr<I64Attr>:$fraction_bits,
    OptionalAttr<I64Attr>:$code_shift, OptionalAttr<Vitq_PiecewiseLinearAttr>:$lines,
    OptionalAttr<I64Attr>:$linear, OptionalAttr<I64Attr>:$offset, OptionalAttr<I64Attr>:$top_exponent);
  let results = (outs Vitq_Tensor8or16:$codes, Vitq_Tensor32:$sums);
  let assemblyFormat = [{
    `` $algorithm `by` $by `,` $input (`,` $table^)? (`lines` $lines^)? attr-dict `:`
    functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Vitq_ShiftmaxOp : Vitq_RowOp<"shiftmax", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
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

    Constraints:
    * C1: rank >= 1.
    * C2: -2^30 <= exponent_step < 0 and 1 <= fraction_bits <= 30.
    * C3: reciprocal_bits is 31 or 62.
    * C4: result_bits is the width of the result.
  }];
  let arguments = (ins Vitq_Tensor8or32:$input, I64Attr:$exponent_step, I64Attr:$fraction_bits,
    I64Attr:$reciprocal_bits, I64Attr:$result_bits);
  let results = (outs Vitq_Tensor8or16:$result);
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
    (x / sum in units of 2^-24), `y = clamp(zero_point + round(u * M / 2^c))`.
    numerics::divideRow.

    With `lines`, R takes no division: a power of eight brings the sum s to a code k of 12
    bits, `s ~ k * 8^g`, `512 <= k < 4096`, and `R = floor(lines(k) * 2^(8 - 3g))`
    (GQA-LUT's multi-range scaling; numerics::reciprocalByLines). Lines in
    units of 2^-22 over codes in units of 2^-10 may stay below 1/k by a constant factor,
    which `by` makes good; R is never above the exact one, so all widths stay.

    Shapes: input `[..., N]` i32, sums `[...]` i32, result `[..., N]`.

    Constraints:
    * C1: shapes as above.
    * C2: one multiplier, or one per index of `axis`.
    * C3: the zero point is a value of the result type.
    * C4: `5/8 * 2^32/k <= lines(k) <= 2^32/(k + 1)` for 512 <= k < 4096.
  }];
  let arguments = (ins Vitq_Tensor32:$input, Vitq_Tensor32:$sums, Vitq_DyadicAttr:$by,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    DefaultValuedAttr<I64Attr, "-1">:$axis,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    OptionalAttr<Vitq_PiecewiseLinearAttr>:$lines);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = [{
    $input `,` $sums `by` $by `round` `` $rounding (`unsigned` $result_unsigned^)?
    (`zero_point` $zero_point^)? (`lines` $lines^)? attr-dict `:`
    `(` type($input) `,` type($sums) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

def Vitq_LayerNormOp : Vitq_RowOp<"layer_norm", [], ["computesAlongLastAxis"], ["getAlgorithmName"]> {
  let summary = "Integer layer normalization over the last axis";
  let description = [{
    * `exact` (docs/Numerics.md, LayerNorm): `V = C*sum x^2 - (sum x)^2 + eps`, `k = floor(sqrt(V << 12))`,
      `F = floor(2^46 / k)`, `y = ((C*x - sum x) * F + 2^25) >> 26`,
      `out = clamp(zero_point + ((y * M[c] + offsets[c] + 2^(s[c]-1)) >> s[c]))`.
      numerics::layerNormNormalize gives y.
    * `pwl`: the same with neither root nor division: a power of 16 brings V to a code k of
      12 bits, `V ~ k * 16^g`, `256 <= k < 4096`, and `F = floor(lines(k) * 2^(13 - 2g))`
      (numerics::inverseRootByLines). Lines in units of 2^-22 over codes in
      units of 2^-10 may stay below 1/sqrt(k) by a constant factor, which `by` makes good.
    * `shift` (I-LayerNorm, bit-length start value, 10 iterations): `y` as in
      docs/Numerics.md, LayerNorm, `ivit`, then
      `out = clamp(zero_point + post_offsets[c] + round((y + offsets[c]) * M[c] / 2^s[c]))`,
      `y + offsets[c]` limited to 32 bits and `round` as the attribute says
      (`post_offsets` carries beta where gamma is 0). `eps` is not used.
      numerics::layerNormIvitRow.

    `by` has one entry per channel, as has `offsets`.

    Constraints:
    * C1: multipliers, offsets and post_offsets: one per index of the last axis;
      post_offsets only with `shift`.
    * C2: `exact` and `pwl`: eps >= 1 and the intermediate widths fit 64 bits
      (numerics::layerNormFits: C <= 2048 for 16-bit inputs); `shift`: C <= 2^16.
    * C3: the zero point is a value of the result type.
    * C4: `exact` and `pwl` round half up.
    * C5: `pwl` has lines, the others none.
    * C6: `2^26/sqrt(k) <= lines(k) <= 2^27/sqrt(k + 1)` for 256 <= k < 4096.
  }];
  let arguments = (ins Vitq_Tensor8or16:$input, Vitq_NormAlgorithmAttr:$algorithm,
    Vitq_DyadicAttr:$by, DenseI64ArrayAttr:$offsets,
    OptionalAttr<DenseI64ArrayAttr>:$post_offsets, I64Attr:$eps,
    UnitAttr:$input_unsigned,
    UnitAttr:$result_unsigned, DefaultValuedAttr<I64Attr, "0">:$zero_point,
    DefaultValuedAttr<Vitq_RoundingAttr, "::vitq::integer::Rounding::HalfUp">:$rounding,
    OptionalAttr<Vitq_PiecewiseLinearAttr>:$lines);
  let results = (outs Vitq_Tensor8or16:$result);
  let assemblyFormat = [{
    `` $algorithm $input `by` $by `offsets` $offsets (`post_offsets` $post_offsets^)? `eps` $eps
    (`round` `` $rounding^)? (`input_unsigned` $input_unsigned^)?
    (`unsigned` $result_unsigned^)? (`zero_point` $zero_point^)? (`lines` $lines^)? attr-dict `:`
    type($input) `->` type($result)
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
    `vitq.layer_norm exact` where a value lies beside a threshold. numerics::normQuantRow.

    Shapes: squares `[L, C]`, input and result alike.

    Constraints:
    * C1: squares is `[L, C]`, 1 <= L <= 15, and negative has C entries.
    * C2: eps >= 1, C <= 2048 and the intermediate widths fit 64 bits
      (numerics::layerNormFits).
    * C3: min and min + L are values of the result type.
  }];
  let arguments = (ins Vitq_Tensor8or16:$input, Vitq_Tensor32:$squares, DenseBoolArrayAttr:$negative,
    I64Attr:$eps, I64Attr:$min, UnitAttr:$input_unsigned, UnitAttr:$result_unsigned);
  let results = (outs Vitq_Tensor8or16:$result);
  let assemblyFormat = [{
    $input `,` $squares `negative` $negative `eps` $eps `from` $min (`input_unsigned` $input_unsigned^)?
    (`unsigned` $result_unsigned^)? attr-dict `:` functional-type(operands, results)
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

    Constraints:
    * C1: thresholds is `[L]`, or `[L, C]` with C the size of the last axis; 1 <= L <= 15.
    * C2: min and min + L are values of the result type.
    * C3: a 32-bit input is signed.
  }];
  let arguments = (ins Vitq_Tensor:$input, Vitq_Tensor32:$thresholds, I64Attr:$min,
    UnitAttr:$input_unsigned, UnitAttr:$result_unsigned);
  let results = (outs Vitq_Tensor8or16:$result);
  let assemblyFormat = [{
    $input `,` $thresholds `from` $min (`input_unsigned` $input_unsigned^)?
    (`unsigned` $result_unsigned^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

def Vitq_ExtractPatchesOp : Vitq_MoveOp<"extract_patches"> {
  let summary = "Rows of non-overlapping image patches";
  let description = [{
    `y[b, p, (i*P_w + j)*C + c] = x[b, P_h*p_h + i, P_w*p_w + j, c]`, patch
    `p = p_h*(W/P_w) + p_w`.

    Shapes: input `[B, H, W, C]`, result `[B, (H/P_h)*(W/P_w), P_h*P_w*C]`.

    Constraints:
    * C1: rank 4, and the patch size divides the image size.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$patch);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `patch` $patch attr-dict `:` type($input) `->` type($result)";
}

def Vitq_ReshapeOp : Vitq_MoveOp<"reshape", ["growLeadingAxis"]> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
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
    Constraints:
    * C1: the input's shape broadcasts to `shape`.
  }];
  let arguments = (ins Vitq_Tensor:$input, DenseI64ArrayAttr:$shape);
  let results = (outs Vitq_Tensor:$result);
  let assemblyFormat = "$input `to` $shape attr-dict `:` type($input) `->` type($result)";
}

def Vitq_PadOp : Vitq_MoveOp<"pad", ["growLeadingAxis"]> {
  let summary = "A tensor surrounded by a value";
  let description = [{
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
