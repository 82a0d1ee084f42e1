//===- VitqAlgorithms.td - Algorithms of vitq ops ----------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ALGORITHMS
#define VITQ_ALGORITHMS

include "mlir/IR/AttrTypeBase.td"
include "dialects/vitq/VitqDialect.td"

def ExponentialAttrInterface : AttrInterface<"ExponentialAttrInterface"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    How `vitq.softmax` turns distances from a row's maximum into codes.
  }];
  let methods = [
    InterfaceMethod<"As `--nonlinear` names it.", "std::string", "getAlgorithmName">,
    InterfaceMethod<[{
        Whether rows of `length` may have codes of `bits` bits; if not, emits an error.
      }],
      "::llvm::LogicalResult", "verifyCodes",
      (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError, "unsigned":$bits, "int64_t":$length)>,
    InterfaceMethod<[{
        The code of `bits` bits for every distance: all that an algorithm is, where distances
        have 8 bits. None where it is not a table of so many entries.
      }],
      "std::optional<::vitq::numerics::DistanceTable>", "getDistanceCodes", (ins "unsigned":$bits)>,
    InterfaceMethod<"No code of `bits` bits is larger.", "int64_t", "getLargestCode", (ins "unsigned":$bits), "", [{
        return ::vitq::numerics::largestCode(bits);
      }]>,
    InterfaceMethod<"Distances are limited to this.", "int64_t", "getLastDistance", (ins), "", [{
        return ::vitq::numerics::kDistances - 1;
      }]>
  ];
}

def NormalizationAttrInterface : AttrInterface<"NormalizationAttrInterface"> {
  let cppNamespace = "::vitq::integer";
  let description = [{
    How `vitq.layer_norm` divides by the standard deviation.
  }];
  let methods = [
    InterfaceMethod<"As `--nonlinear` names it.", "std::string", "getAlgorithmName">,
    InterfaceMethod<[{
        Whether it normalizes rows of `channels` values of `bits` bits; if not, emits an error.
      }],
      "::llvm::LogicalResult", "verifyRows",
      (ins "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError, "int64_t":$channels, "unsigned":$bits)>,
    InterfaceMethod<"What is added to the variance; 1 where nothing is.", "int64_t", "getEps", (ins), "", [{
        if constexpr (requires { $_attr.getEpsilon(); })
          return $_attr.getEpsilon();
        return 1;
      }]>,
    InterfaceMethod<"Whether the mean of a row is subtracted; otherwise it is taken to be 0.", "bool", "isCentered",
      (ins), "", [{
        if constexpr (requires { $_attr.getCentered(); })
          return $_attr.getCentered();
        return true;
      }]>
  ];
}

//===----------------------------------------------------------------------===//
// Algorithms of softmax
//===----------------------------------------------------------------------===//

// Codes are functions of the distance d to the row's maximum (vitq.softmax), 0..255 unless an
// algorithm says otherwise; N is their width.
class Vitq_Exponential<string name, string spelling, list<string> own = []> : AttrDef<Vitq_Dialect, name,
    [DeclareAttrInterfaceMethods<ExponentialAttrInterface, own>]> {
  let mnemonic = spelling;
  let genVerifyDecl = 1;
}

def Vitq_ExpTableAttr : Vitq_Exponential<"ExpTable", "exp_table"> {
  let summary = "An exponential as a table";
  let description = [{
    `code = entries[d]`, read as unsigned. Written
    `#vitq.exp_table<dense<"0xFFF7F0..."> : tensor<256xi8>>`. numerics::softmaxExpTable.

    Constraints:
    * C1: 256 entries of 2 to 8 bits, which are the bits of the codes.
  }];
  let parameters = (ins "::mlir::DenseIntElementsAttr":$entries);
  let assemblyFormat = "`<` $entries `>`";
  let genMnemonicAlias = 1;
}

def Vitq_ExpShiftAttr : Vitq_Exponential<"ExpShift", "exp_shift"> {
  let summary = "I-ViT's exponential by shifts";
  let description = [{
    `code = min(2^N - 1, (E + 2^(t-1)) >> t)`, `E = shiftexp(-d)` of docs/Numerics.md with
    x0 = `step`, n = `fraction_bits`, t = `code_shift`. numerics::softmaxShiftCode.

    Constraints:
    * C1: -2^16 <= step < 0, 1 <= fraction_bits <= 30, 1 <= code_shift <= 46.
    * C2: codes have 2 to 8 bits.
  }];
  let parameters = (ins "int64_t":$step, "int64_t":$fractionBits, "int64_t":$codeShift);
  let assemblyFormat = [{
    `<` `step` `=` $step `,` `fraction_bits` `=` $fractionBits `,` `code_shift` `=` $codeShift `>`
  }];
}

def Vitq_ExpPwlAttr : Vitq_Exponential<"ExpPwl", "exp_pwl"> {
  let summary = "An exponential as lines between breakpoints";
  let description = [{
    `code = clamp((lines(-d) + 2^(t-1)) >> t, 0, 2^N - 1)`, t = `code_shift` (docs/Numerics.md,
    Lines). numerics::softmaxLinesCode.

    Constraints:
    * C1: the lines fit 32 bits for all of -255..0, and 1 <= code_shift <= 30.
    * C2: codes have 2 to 8 bits.
  }];
  let parameters = (ins "::vitq::integer::PiecewiseLinearAttr":$lines, "int64_t":$codeShift);
  let assemblyFormat = "`<` `lines` `=` $lines `,` `code_shift` `=` $codeShift `>`";
}

def Vitq_ExpPolyAttr : Vitq_Exponential<"ExpPoly", "exp_poly"> {
  let summary = "I-BERT's exponential: a polynomial of degree two on an octave";
  let description = [{
    With x0 = `step`, n = `fraction_bits`, t = `code_shift`, b = `linear`, c = `offset`
    (docs/Numerics.md, Softmax): `q = max(-d, n*x0)`, `z = floor(q / x0)`, `r = q - z*x0`,
    `code = min(2^N - 1, ((r*(r + b) + c) * 2^(n-z) + 2^(t-1)) >> t)`.
    numerics::softmaxPolynomialCode.

    Constraints:
    * C1: positive on an octave and within 62 bits: -2^16 <= step < 0, 1 <= fraction_bits <= 30,
      1 <= code_shift <= 46, linear >= -2*step, linear <= 2^20,
      offset > -step*(step + linear), offset * 2^fraction_bits < 2^62.
    * C2: codes have 2 to 8 bits.
  }];
  let parameters = (ins "int64_t":$step, "int64_t":$fractionBits, "int64_t":$linear, "int64_t":$offset,
    "int64_t":$codeShift);
  let assemblyFormat = [{
    `<` `step` `=` $step `,` `fraction_bits` `=` $fractionBits `,` `linear` `=` $linear `,`
    `offset` `=` $offset `,` `code_shift` `=` $codeShift `>`
  }];
}

def Vitq_ExpLog2Attr : Vitq_Exponential<"ExpLog2", "exp_log2", ["getLargestCode"]> {
  let summary = "Powers of two";
  let description = [{
    `code = 2^(top_exponent - d)`, 0 where d is larger, in 16 bits: every code is a power of two or
    0, told by the 4 bits of min(15, d), and a product by it is a shift. `by` of the op turns scores
    into octaves: its rounding is half up in the logarithm (after FQ-ViT's Log-Int-Softmax, but
    relative to the row's maximum instead of its sum, and with the boundary between two powers at
    sqrt(2) instead of 1.5). numerics::softmaxLog2Row.

    Constraints:
    * C1: 1 <= top_exponent <= 14.
    * C2: codes have 16 bits, and N * 2^top_exponent < 2^31 for rows of N, so that the sum fits
      32 bits.
  }];
  let parameters = (ins "int64_t":$topExponent);
  let assemblyFormat = "`<` `top_exponent` `=` $topExponent `>`";
}

def Vitq_ExpOctaveAttr : Vitq_Exponential<"ExpOctave", "exp_octave", ["getLargestCode", "getLastDistance"]> {
  let summary = "An exponential in 16 bits: one octave as a table, and shifts";
  let description = [{
    `code = (entries[d mod 256] + 2^(o-1)) >> o` with o = d div 256 (0: the entry itself) and
    d = 0..4095: an octave has 256 steps, and 16 octaves are enough for any code to become 0.
    For models that leave the softmax float and so may not lose to codes of 8 bits.
    numerics::softmaxOctaveRow.

    Constraints:
    * C1: 256 entries of 16 bits from 1 to 2^14, the first one the largest.
    * C2: codes have 16 bits, and N * entries[0] < 2^31 for rows of N, so that the sum fits 32 bits.
  }];
  let parameters = (ins "::mlir::DenseIntElementsAttr":$entries);
  let assemblyFormat = "`<` $entries `>`";
}

//===----------------------------------------------------------------------===//
// Algorithms of layer_norm
//===----------------------------------------------------------------------===//

class Vitq_Normalization<string name, string spelling> : AttrDef<Vitq_Dialect, name,
    [DeclareAttrInterfaceMethods<NormalizationAttrInterface>]> {
  let mnemonic = spelling;
}

def Vitq_NormExactAttr : Vitq_Normalization<"NormExact", "norm_exact"> {
  let summary = "A norm by the integer root and a division";
  let description = [{
    docs/Numerics.md, LayerNorm: `V = C*sum x^2 - (sum x)^2 + eps`, `k = floor(sqrt(V << 12))`,
    `F = floor(2^46 / k)`, `y = ((C*x - sum x) * F + 2^25) >> 26`,
    `out = clamp(zero + ((y * M[c] + offsets[c] + 2^(s[c]-1)) >> s[c]))`.
    numerics::layerNormNormalize gives y. With `centered = false` (RMSNorm) 0 takes the place of
    sum x.

    Constraints:
    * C1: eps >= 1, and the intermediate widths fit 64 bits (numerics::layerNormFits: C <= 2048 for
      16-bit inputs, 2047 where rows are not centered).
  }];
  let parameters = (ins "int64_t":$epsilon, DefaultValuedParameter<"bool", "true">:$centered);
  let assemblyFormat = "`<` `eps` `=` $epsilon (`,` `centered` `=` $centered^)? `>`";
}

def Vitq_NormPwlAttr : Vitq_Normalization<"NormPwl", "norm_pwl"> {
  let summary = "A norm with neither root nor division";
  let description = [{
    As `norm_exact`, but a power of 16 brings V to a code k of 12 bits, `V ~ k * 16^g`,
    `256 <= k < 4096`, and `F = floor(lines(k) * 2^(13 - 2g))` (numerics::inverseRootByLines). Lines
    in units of 2^-22 over codes in units of 2^-10 may stay below 1/sqrt(k) by a constant factor,
    which `by` of the op makes good.

    Constraints:
    * C1: as `norm_exact`.
    * C2: `2^26/sqrt(k) <= lines(k) <= 2^27/sqrt(k + 1)` for 256 <= k < 4096.
  }];
  let parameters = (ins "int64_t":$epsilon, "::vitq::integer::PiecewiseLinearAttr":$lines,
    DefaultValuedParameter<"bool", "true">:$centered);
  let assemblyFormat = "`<` `eps` `=` $epsilon `,` `lines` `=` $lines (`,` `centered` `=` $centered^)? `>`";
  let genVerifyDecl = 1;
}

def Vitq_NormShiftAttr : Vitq_Normalization<"NormShift", "norm_shift"> {
  let summary = "I-LayerNorm: ten steps of the iterated root";
  let description = [{
    Start value from the bit length, 10 iterations: `y` as in docs/Numerics.md, LayerNorm, `ivit`, then
    `out = clamp(zero + post_offsets[c] + round((y + offsets[c]) * M[c] / 2^s[c]))`,
    `y + offsets[c]` limited to 32 bits and `round` as the attribute says (`post_offsets`, all 0 where
    there are none, carries beta where gamma is 0). There is no epsilon.
    numerics::layerNormIvitRow.

    Constraints:
    * C1: C <= 2^16.
    * C2: one of `post_offsets` for each channel, or none.
  }];
  let parameters = (ins
    DefaultValuedParameter<"::vitq::integer::Rounding", "::vitq::integer::Rounding::HalfUp">:$rounding,
    OptionalParameter<"::mlir::DenseI64ArrayAttr">:$post_offsets);
  let assemblyFormat = "(`<` struct(params)^ `>`)?";
}

#endif // VITQ_ALGORITHMS
