//===- VitqAttrs.td - Attributes of the vitq dialect -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ATTRS
#define VITQ_ATTRS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "dialects/vitq/VitqAlgorithms.td"
include "dialects/vitq/VitqDialect.td"
include "dialects/vitq/VitqTargets.td"

def Vitq_Rounding : I32EnumAttr<"Rounding", "how a right shift rounds", [
    I32EnumAttrCase<"HalfUp", 0, "half_up">,
    I32EnumAttrCase<"HalfEven", 1, "half_even">,
    I32EnumAttrCase<"HalfAway", 2, "half_away">,
    I32EnumAttrCase<"Floor", 3, "floor">]> {
  let cppNamespace = "::vitq::integer";
  let genSpecializedAttr = 0;
}
def Vitq_RoundingAttr : EnumAttr<Vitq_Dialect, Vitq_Rounding, "rounding">;

def Vitq_CodeAttr : AttrDef<Vitq_Dialect, "Code"> {
  let mnemonic = "code";
  let summary = "How the integers of a tensor are read";
  let description = [{
    The sign of codes and the one that stands for 0; their bits are the element type's.
    Written `#vitq.code<unsigned, zero = 131>`, `#vitq.code<signed>`. Ranges, clamps, table
    sizes and bounds come from the two (numerics::Code; docs/Numerics.md, Codes).
  }];
  let parameters = (ins "bool":$isUnsigned, "int64_t":$zero);
  let hasCustomAssemblyFormat = 1;
  let constBuilderCall = "::vitq::integer::CodeAttr::get($_builder.getContext(), $0)";
  let extraClassDeclaration = [{
    bool isUnsigned() const { return getIsUnsigned(); }
    /// Of tensors of `type`, whose elements have at most 32 bits.
    ::vitq::numerics::Code of(::mlir::Type type) const;
    static CodeAttr get(::mlir::MLIRContext *context, const ::vitq::numerics::Code &code) {
      return get(context, code.isUnsigned, code.zero);
    }
  }];
}

def Vitq_DyadicAttr : AttrDef<Vitq_Dialect, "Dyadic"> {
  let mnemonic = "dyadic";
  let summary = "Dyadic multiplier M / 2^c, one or one per channel";
  let description = [{
    The factor `multipliers[i] / 2^shifts[i]`. Written `#vitq.dyadic<M, c>` when
    there is one and `#vitq.dyadic<[M0, M1, ...], [c0, c1, ...]>` when there is one
    per channel. |M| < 2^31, 1 <= c <= 62, so that `acc * M + 2^(c-1)` fits
    64 bits for every 32-bit `acc` (docs/Numerics.md, Requantization).
  }];
  let parameters = (ins ArrayRefParameter<"int32_t">:$multipliers,
                        ArrayRefParameter<"int32_t">:$shifts);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    size_t size() const { return getMultipliers().size(); }
    /// Entry `i`, or the only one.
    int32_t multiplier(size_t i) const { return getMultipliers()[size() == 1 ? 0 : i]; }
    int32_t shift(size_t i) const { return getShifts()[size() == 1 ? 0 : i]; }
    ::vitq::numerics::Dyadic entry(size_t i) const { return {multiplier(i), shift(i)}; }
  }];
}

def Vitq_PiecewiseLinearAttr : AttrDef<Vitq_Dialect, "PiecewiseLinear"> {
  let mnemonic = "pwl";
  let summary = "A function of an integer as lines between breakpoints";
  let description = [{
    `f(q) = slopes[i] * q + intercepts[i]`, i the number of breakpoints <= q: a code equal
    to a breakpoint belongs to the entry on its right (docs/Numerics.md, Lines).
    Written `#vitq.pwl<breakpoints = [-40, 12], slopes = [0, 3, 64], intercepts = [-2, 118, -610]>`.
    numerics::PiecewiseLinear.

    Constraints:
    * C1: 2 to 256 slopes, as many intercepts, one breakpoint fewer.
    * C2: breakpoints never fall.
  }];
  let parameters = (ins ArrayRefParameter<"int32_t">:$breakpoints, ArrayRefParameter<"int32_t">:$slopes,
                        ArrayRefParameter<"int32_t">:$intercepts);
  let assemblyFormat = [{
    `<` `breakpoints` `=` `[` $breakpoints `]` `,` `slopes` `=` `[` $slopes `]` `,` `intercepts` `=` `[` $intercepts `]` `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    size_t entries() const { return getSlopes().size(); }
    ::vitq::numerics::PiecewiseLinear lines() const;
    static PiecewiseLinearAttr get(::mlir::MLIRContext *context, const ::vitq::numerics::PiecewiseLinear &lines);
  }];
}

#endif // VITQ_ATTRS
