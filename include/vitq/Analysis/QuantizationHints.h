//===- QuantizationHints.h - What passes tell vit-quantize -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_QUANTIZATIONHINTS_H
#define VITQ_ANALYSIS_QUANTIZATIONHINTS_H

#include "vitq/Analysis/CalibrationStatistics.h"

#include "mlir/IR/Location.h"
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/Twine.h"

namespace vitq {

/// `dense<...> : tensor<Cx2xf32>` on an op: the ranges (min, max) that the codes of
/// its result are to cover, one for each index of the last axis. Indices with
/// different ranges get scales of their own. `vit-assign-channel-scales` writes it,
/// `vit-quantize` reads and removes it; without it a tensor has one scale, from
/// `vit.range`.
inline constexpr llvm::StringLiteral kCodeRangesAttr = "vit.code_ranges";
/// Integers on an op, written by `vit-assign-bits`, 8 where absent: the bits of the codes of its weight (2 to 8, read
/// by `vit-fit-weights` and `vit-quantize-weights`), and those of its result where that gets few (2 to 8, read by
/// `vit-fit-code-ranges` and `vit-quantize`).
inline constexpr llvm::StringLiteral kWeightBitsAttr = "vit.weight_bits", kCodeBitsAttr = "vit.code_bits";
inline constexpr int64_t kDefaultCodeBits = 8;
/// Probabilities of as many bits are powers of two, unless an algorithm of softmax is named.
inline constexpr int64_t kPowersOfTwoBits = 4;
/// The same for a sum of the residual stream, 16 where absent: the bits that its scale is for (8 to 16). It is held in
/// 16 bits all the same.
inline constexpr llvm::StringLiteral kStreamBitsAttr = "vit.stream_bits";
inline constexpr int64_t kDefaultStreamBits = 16;
/// What the attributes say; an op or value without, or with anything else, has the default.
int64_t getWeightBits(mlir::Operation *op);
int64_t getCodeBits(mlir::Value value);
int64_t getStreamBits(mlir::Value value);
/// Unit attribute of a function, a product or a softmax: its operand and its result are
/// quantized to 16 bits, not 8. `vit-split-outliers` and `vit-adopt-codes` write it.
inline constexpr llvm::StringLiteral kWideAttr = "vit.wide";
/// Unit attribute of an op: a quantized model has the codes that its result has anyway.
inline constexpr llvm::StringLiteral kCodedAttr = "vit.coded";
/// On the module: what the passes of the recipe decided, one dictionary
/// {pass, node, text} each, in order. Reports print them.
inline constexpr llvm::StringLiteral kDecisionsAttr = "vitq.decisions";

std::optional<ChannelRanges> getCodeRanges(mlir::Operation *op);
void setCodeRanges(mlir::Operation *op, const ChannelRanges &ranges);

/// The bits of `vit.weight_bits` on `op`, or `otherwise`; an error at `op` for what is no integer of 2 to 8.
mlir::FailureOr<unsigned> getWeightBits(mlir::Operation *op, unsigned otherwise);

/// Appends a decision of `pass` about `op` (its ONNX node) to the module's list.
void recordDecision(mlir::Operation *op, llvm::StringRef pass, const llvm::Twine &text);

/// `loc` with "." and `suffix` appended to the name of its node: an op that a pass
/// took out of another.
mlir::Location suffixed(mlir::Location loc, llvm::StringRef suffix);

} // namespace vitq

#endif // VITQ_ANALYSIS_QUANTIZATIONHINTS_H
