//===- VitRules.h - Names of the rules of operand reordering -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What remarks and errors call the rules of docs/Rules.md.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DIALECTS_VIT_RULES_H
#define VITQ_DIALECTS_VIT_RULES_H

#include "llvm/ADT/StringRef.h"

namespace vitq::vit::rules {

constexpr llvm::StringLiteral kLinear = "linear layer (R1, docs/Rules.md)";
constexpr llvm::StringLiteral kScores = "scores Q*K^T (R4, docs/Rules.md)";
constexpr llvm::StringLiteral kWeightedSum = "weighted sum P*V (R5, docs/Rules.md)";
constexpr llvm::StringLiteral kLayerNorm = "LayerNorm (R8, docs/Rules.md)";
constexpr llvm::StringLiteral kSoftmax = "softmax (R10, docs/Rules.md)";
constexpr llvm::StringLiteral kFunction = "nonlinear function (R11, docs/Rules.md)";
constexpr llvm::StringLiteral kAdd = "residual add (R12, docs/Rules.md)";
constexpr llvm::StringLiteral kMove = "move or mean (R13, docs/Rules.md)";

} // namespace vitq::vit::rules

#endif // VITQ_DIALECTS_VIT_RULES_H
