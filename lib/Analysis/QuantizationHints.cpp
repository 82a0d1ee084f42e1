//===- QuantizationHints.cpp - What passes tell vit-quantize -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizationHints.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "mlir/IR/BuiltinOps.h"

#include <cmath>

using namespace mlir;

namespace vitq {

std::optional<ChannelRanges> getCodeRanges(Operation *op) {
  auto values = op->getAttrOfType<DenseElementsAttr>(kCodeRangesAttr);
  auto type = values ? dyn_cast<RankedTensorType>(values.getType()) : nullptr;
  if (!type || type.getRank() != 2 || type.getDimSize(1) != 2 || !type.getElementType().isF32())
    return std::nullopt;
  ChannelRanges ranges;
  size_t index = 0;
  for (float value : values.getValues<float>()) {
    if (!std::isfinite(value))
      return std::nullopt;
    (index++ % 2 ? ranges.max : ranges.min).push_back(value);
  }
  for (size_t i = 0; i < ranges.min.size(); ++i)
    if (ranges.min[i] > ranges.max[i])
      return std::nullopt;
  return ranges;
}

void setCodeRanges(Operation *op, const ChannelRanges &ranges) {
  SmallVector<float> values;
  for (size_t i = 0; i < ranges.min.size(); ++i)
    values.append({ranges.min[i], ranges.max[i]});
  auto type = RankedTensorType::get({static_cast<int64_t>(ranges.min.size()), 2}, Float32Type::get(op->getContext()));
  op->setAttr(kCodeRangesAttr, DenseElementsAttr::get(type, ArrayRef<float>(values)));
}

static int64_t bitsAt(Operation *op, llvm::StringRef name) {
  auto bits = op ? op->getAttrOfType<IntegerAttr>(name) : IntegerAttr();
  return bits && bits.getInt() >= 2 && bits.getInt() < kDefaultCodeBits ? bits.getInt() : kDefaultCodeBits;
}
int64_t getWeightBits(Operation *op) { return bitsAt(op, kWeightBitsAttr); }
int64_t getCodeBits(Value value) { return bitsAt(value.getDefiningOp(), kCodeBitsAttr); }

int64_t getStreamBits(Value value) {
  Operation *op = value.getDefiningOp();
  auto bits = op ? op->getAttrOfType<IntegerAttr>(kStreamBitsAttr) : IntegerAttr();
  return bits && bits.getInt() >= 8 && bits.getInt() < kDefaultStreamBits ? bits.getInt() : kDefaultStreamBits;
}

FailureOr<unsigned> getWeightBits(Operation *op, unsigned otherwise) {
  Attribute attribute = op->getAttr(kWeightBitsAttr);
  if (!attribute)
    return otherwise;
  auto bits = dyn_cast<IntegerAttr>(attribute);
  if (!bits || !bits.getType().isSignlessInteger(64) || bits.getInt() < 2 || bits.getInt() > 8)
    return op->emitError("'") << kWeightBitsAttr << "' must be an i64 from 2 to 8, but is " << attribute;
  return static_cast<unsigned>(bits.getInt());
}

void recordDecision(Operation *op, llvm::StringRef pass, const llvm::Twine &text) {
  auto module = op->getParentOfType<ModuleOp>();
  Builder builder(op->getContext());
  SmallVector<Attribute> decisions;
  if (auto list = module->getAttrOfType<ArrayAttr>(kDecisionsAttr))
    decisions.append(list.begin(), list.end());
  decisions.push_back(
      builder.getDictionaryAttr({builder.getNamedAttr("pass", builder.getStringAttr(pass)),
                                 builder.getNamedAttr("node", builder.getStringAttr(nodeName(op->getLoc()))),
                                 builder.getNamedAttr("text", builder.getStringAttr(text))}));
  module->setAttr(kDecisionsAttr, builder.getArrayAttr(decisions));
}

Location suffixed(Location loc, llvm::StringRef suffix) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return NameLoc::get(StringAttr::get(loc.getContext(), name.getName().getValue() + "." + suffix));
  return loc;
}

} // namespace vitq
