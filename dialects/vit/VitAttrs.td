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

def Vit_Algorithm : I32EnumAttr<"Algorithm", "integer algorithm chosen for a nonlinearity", [
    I32EnumAttrCase<"Table", 0, "table">,
    I32EnumAttrCase<"Shift", 1, "shift">,
    I32EnumAttrCase<"IVit", 2, "ivit">]> {
  let cppNamespace = "::vitq::vit";
  let genSpecializedAttr = 0;
}
def Vit_AlgorithmAttr : EnumAttr<Vit_Dialect, Vit_Algorithm, "algorithm">;

#endif // VIT_ATTRS
