//===- Counterparts.cpp - Which value stands for which -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Comparison/Comparison.h"

#include "vitq/Analysis/Scores.h"

#include "dialects/vitq/Vitq.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::comparison;

/// Whether an op of the reference or the program only moves elements of one value.
static bool isMoveOfOne(Operation *op) { return vit::isMove(op) && op->getNumOperands() == 1; }

/// Whether integer codes without a record are unsigned.
static bool hasUnsignedResult(Operation *op) {
  auto integer = dyn_cast<integer::IntegerOp>(op);
  return integer && integer.hasUnsignedResult();
}

/// The recorded scale of an integer op's first result; nothing in it is taken on
/// trust, as the module may have been written by hand.
static std::optional<std::pair<StringRef, UniformParameters>> recordedScale(Operation *op) {
  auto module = op->getParentOfType<ModuleOp>();
  auto id = op->getAttrOfType<IntegerAttr>(integer::kIdAttr);
  auto scales = module ? module->getAttrOfType<DictionaryAttr>(integer::kScalesAttr) : DictionaryAttr();
  auto record = id && scales ? scales.getAs<DictionaryAttr>(std::to_string(id.getInt())) : DictionaryAttr();
  if (!record)
    return std::nullopt;
  auto node = record.getAs<StringAttr>("node");
  auto scale = record.getAs<DenseF64ArrayAttr>("scale");
  auto zeroPoint = record.getAs<DenseI64ArrayAttr>("zero_point");
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!node || !scale || !zeroPoint || scale.empty() || scale.size() != zeroPoint.size() || !type ||
      !type.getElementType().isInteger())
    return std::nullopt;
  UniformParameters result;
  result.scales.assign(scale.asArrayRef().begin(), scale.asArrayRef().end());
  result.zeroPoints.assign(zeroPoint.asArrayRef().begin(), zeroPoint.asArrayRef().end());
  if (auto axis = record.getAs<IntegerAttr>("axis"))
    result.axis = axis.getInt();
  else if (result.scales.size() > 1)
    // Without a record of the axis: the last one that long.
    for (int64_t i = type.getRank() - 1; i >= 0 && result.axis < 0; --i)
      if (type.getDimSize(i) == scale.size())
        result.axis = i;
  bool fits = result.axis < 0 ? scale.size() == 1
                              : result.axis < type.getRank() && type.getDimSize(result.axis) == scale.size();
  if (!fits || !llvm::all_of(scale.asArrayRef(), [](double s) { return std::isfinite(s) && s > 0; }))
    return std::nullopt;
  result.isSigned = !(record.get("unsigned") || hasUnsignedResult(op));
  result.width = type.getElementTypeBitWidth();
  result.min = result.isSigned ? llvm::minIntN(result.width) : 0;
  result.max = result.isSigned ? llvm::maxIntN(result.width) : static_cast<int64_t>(llvm::maxUIntN(result.width));
  return std::make_pair(node.getValue(), result);
}

namespace {
/// A value of the program that may stand for one of the reference.
struct Candidate {
  OpResult value;
  std::optional<UniformParameters> codes;
};
} // namespace

/// The values of the program by node, in order.
static llvm::StringMap<std::vector<Candidate>> collectCandidates(func::FuncOp program) {
  llvm::StringMap<std::vector<Candidate>> candidates;
  for (Operation &op : program.getBody().front()) {
    if (op.getNumResults() == 0 || isMoveOfOne(&op))
      continue;
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    if (!type)
      continue;
    if (isa_and_nonnull<integer::VitqDialect>(op.getDialect())) {
      if (auto recorded = recordedScale(&op))
        candidates[recorded->first].push_back({op.getResult(0), recorded->second});
      continue;
    }
    // The dequantization of a value is not another one.
    if (!isa_and_nonnull<vit::VitDialect>(op.getDialect()) || isa<vit::DequantizeOp>(op))
      continue;
    auto codes = getUniformParameters(type.getElementType());
    if (codes || isa<FloatType>(type.getElementType()))
      candidates[nodeName(op.getLoc())].push_back({op.getResult(0), codes});
  }
  return candidates;
}

static ArrayRef<int64_t> shapeOfResult(OpResult value) { return cast<ShapedType>(value.getType()).getShape(); }

std::vector<Counterpart> comparison::findCounterparts(func::FuncOp reference, func::FuncOp program) {
  llvm::StringMap<std::vector<Candidate>> candidates = collectCandidates(program);
  llvm::MapVector<Operation *, Counterpart> found;
  auto take = [&](OpResult value, std::vector<Candidate> &list) {
    auto last = llvm::find_if(llvm::reverse(list), [&](const Candidate &candidate) {
      return shapeOfResult(candidate.value) == shapeOfResult(value);
    });
    if (last == list.rend())
      return;
    Counterpart pair{value, last->value, last->codes, {}, isMaskedScores(value)};
    bool numerators = isa<vit::SoftmaxNumeratorOp, integer::SoftmaxOp>(last->value.getOwner());
    if (numerators && isa<vit::SoftmaxOp>(value.getOwner()))
      pair.rowSums = last->value.getOwner()->getResult(1);
    found[value.getOwner()] = pair;
    // What comes after it belongs to later values of the reference.
    list.erase(std::prev(last.base()), list.end());
  };
  for (Operation &op : llvm::reverse(reference.getBody().front())) {
    if (!isa_and_nonnull<vit::VitDialect>(op.getDialect()) || op.getNumResults() == 0 || isMoveOfOne(&op))
      continue;
    auto type = dyn_cast<RankedTensorType>(op.getResult(0).getType());
    if (!type || !isa<FloatType>(type.getElementType()))
      continue;
    if (auto list = candidates.find(nodeName(op.getLoc())); list != candidates.end())
      take(op.getResult(0), list->second);
  }
  std::vector<Counterpart> result;
  for (auto &[op, pair] : llvm::reverse(found))
    result.push_back(pair);
  return result;
}
