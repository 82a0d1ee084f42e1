//===- Names.cpp - What values are called in a range table -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "dialects/vit/Vit.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::calibration;

/// The first name in a location, looking into fused and call locations without
/// recursion.
static std::optional<StringRef> nameOf(Location location) {
  std::optional<StringRef> name;
  location->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return name;
}

static bool isFloatTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && isa<FloatType>(type.getElementType());
}

std::vector<NamedValue> calibration::collectValues(func::FuncOp function) {
  std::vector<NamedValue> values = {{"input", nullptr, 0}};
  llvm::StringMap<unsigned> uses;
  uses["input"] = 1;
  for (Operation &op : function.getBody().front()) {
    if (!isa_and_nonnull<vit::VitDialect>(op.getDialect()))
      continue;
    std::string name = nameOf(op.getLoc()).value_or(op.getName().getStringRef()).str();
    if (unsigned earlier = uses[name]++)
      name += "#" + std::to_string(earlier);
    for (OpResult result : op.getResults()) {
      unsigned number = result.getResultNumber();
      if (isFloatTensor(result))
        values.push_back({number == 0 ? name : name + ":" + std::to_string(number), &op, number});
    }
  }
  return values;
}

static bool hasOneFloatResult(Operation *op) {
  return isa_and_nonnull<vit::VitDialect>(op->getDialect()) && op->getNumResults() == 1 &&
         isFloatTensor(op->getResult(0));
}

/// Moves have their operand's, except for functions that read a part of it.
bool calibration::wantsHistogram(Operation *op) {
  return hasOneFloatResult(op) && (!vit::isMove(op) || llvm::any_of(op->getUsers(), [](Operation *user) {
           return isa<vit::UnaryFunction>(user);
         }));
}

bool calibration::wantsChannels(Operation *op) {
  if (!hasOneFloatResult(op))
    return false;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  if (shape.empty() || shape.back() < 1 || shape.back() > kMaxStatisticsChannels)
    return false;
  return isa<vit::LinearOp, vit::LayerNormOp, vit::UnaryFunction>(op) ||
         llvm::any_of(op->getResult(0).getUses(), [](OpOperand &use) {
           return isa<vit::WeightedOp>(use.getOwner()) && use.getOperandNumber() == 0;
         });
}

/// Sets what `table` has of `value` beside its range.
static LogicalResult attachStatistics(const NamedValue &value, const RangeTable &table, StringRef origin) {
  removeCalibrationStatistics(value.op);
  if (value.op->getNumResults() != 1)
    return success();
  if (auto found = table.histograms.find(value.name); found != table.histograms.end())
    setHistogram(value.op, found->second);
  auto found = table.channels.find(value.name);
  if (found == table.channels.end())
    return success();
  auto type = cast<RankedTensorType>(value.op->getResult(0).getType());
  int64_t channels = type.getRank() == 0 ? 1 : type.getShape().back();
  const ChannelStatistics &statistics = found->second;
  if (type.getRank() == 0 || static_cast<int64_t>(statistics.means.size()) != channels) {
    return emitError(value.op->getLoc())
           << "'" << value.name << "' has " << channels << " channels (" << type << "), in " << origin << " it has "
           << statistics.means.size()
           << "; it was made for another model, so calibrate again (vit-calibrate with data=)";
  }
  setChannelRanges(value.op, statistics.ranges);
  setChannelMeans(value.op, statistics.means);
  return success();
}

LogicalResult calibration::attachRanges(func::FuncOp function, const RangeTable &table, StringRef origin) {
  Builder builder(function.getContext());
  llvm::MapVector<Operation *, SmallVector<double, 4>> byOp;
  for (const NamedValue &value : collectValues(function)) {
    auto found = table.ranges.find(value.name);
    if (found == table.ranges.end()) {
      return emitError(value.op ? value.op->getLoc() : function.getLoc())
             << "no range for '" << value.name << "' in " << origin
             << "; it was made for another model, so calibrate again (vit-calibrate with data=)";
    }
    byOp[value.op].append({found->second.min, found->second.max});
    if (value.op && failed(attachStatistics(value, table, origin)))
      return failure();
  }
  for (auto &[op, numbers] : byOp) {
    Attribute attribute = builder.getDenseF64ArrayAttr(numbers);
    if (op)
      op->setAttr(kRangeAttr, attribute);
    else
      function.setArgAttr(0, kRangeAttr, attribute);
  }
  if (auto module = function->getParentOfType<ModuleOp>())
    module->setAttr(kImagesAttr, builder.getI64IntegerAttr(static_cast<int64_t>(table.images)));
  return success();
}
