//===- VitAttrs.td - Attributes of the vit dialect ---------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VIT_ATTRS
#define VIT_ATTRS

include "mlir/IR/EnumAttr.td"
include "dialects/vit/VitDialect.td"

def Vit_GeluKind : I32EnumAttr<"GeluKind", "which function GELU stands for", [
    I32EnumAttrCase<"Erf", 0, "erf">,
    I32EnumAttrCase<"Tanh", 1, "tanh">,
    I32EnumAttrCase<"Quick", 2, "quick">]> {
  let cppNamespace = "::vitq::vit";
  let genSpecializedAttr = 0;
}
def Vit_GeluKindAttr : EnumAttr<Vit_Dialect, Vit_GeluKind, "gelu_kind">;

def Vit_Rounding : I32EnumAttr<"Rounding", "how a quotient is rounded to an integer", [
    I32EnumAttrCase<"HalfUp", 0, "half_up">,
    I32EnumAttrCase<"HalfEven", 1, "half_even">]> {
  let cppNamespace = "::vitq::vit";
  let genSpecializedAttr = 0;
}
def Vit_RoundingAttr : EnumAttr<Vit_Dialect, Vit_Rounding, "rounding">;

def Vit_Algorithm : I32EnumAttr<"Algorithm", "integer algorithm of a nonlinearity", [
    I32EnumAttrCase<"Table", 0, "table">,
    I32EnumAttrCase<"Shift", 1, "shift">,
    I32EnumAttrCase<"IVit", 2, "ivit">,
    I32EnumAttrCase<"Lut", 3, "lut">,
    I32EnumAttrCase<"Poly", 4, "poly">,
    I32EnumAttrCase<"Log2", 5, "log2">]> {
  let cppNamespace = "::vitq::vit";
  let genSpecializedAttr = 0;
}

def Vit_AlgorithmAttr : AttrDef<Vit_Dialect, "Algorithm"> {
  let mnemonic = "algorithm";
  let summary = "Integer algorithm chosen for a nonlinearity";
  let description = [{
    `table`: exact tables; `shift`: shift-based (I-ViT's functions with constants
    from the calibrated range), `ivit` the same with the published constants;
    `lut:N`: piecewise linear with N entries; `poly`: I-BERT's polynomials;
    `log2`: 4-bit powers of two (softmax only). docs/Numerics.md.

    Constraints:
    * C1: `lut` has 2 to 256 entries, the others none.
  }];
  let parameters = (ins EnumParameter<Vit_Algorithm>:$kind, DefaultValuedParameter<"int64_t", "0">:$entries);
  let assemblyFormat = "$kind (`` `:` `` $entries^)?";
  let genVerifyDecl = 1;
}

#endif // VIT_ATTRS
