//===- SortChannels.cpp - Channels of one table next to each other -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/Sequence.h"

namespace vitq {
#define GEN_PASS_DEF_VITQSORTCHANNELSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::integer;

namespace {

/// A table with an index between two products with constant weights, and the new
/// order of the channels: position i holds what was channel order[i].
struct HiddenChannels {
  MatmulOp before;
  RequantOp requant;
  TableOp table;
  MatmulOp after;
  SmallVector<int64_t> order;
};

struct VitqSortChannels : ::vitq::impl::VitqSortChannelsPassBase<VitqSortChannels> {
  void runOnOperation() override;
};

} // namespace

static bool isConstantMatrix(Value value) {
  return isConstant(value) && cast<RankedTensorType>(value.getType()).getRank() == 2;
}

static std::optional<HiddenChannels> match(TableOp table) {
  HiddenChannels hidden;
  hidden.table = table;
  hidden.requant = table.getInput().getDefiningOp<RequantOp>();
  if (!table.getIndex() || !isConstant(table.getIndex()) || !hidden.requant || !hidden.requant->hasOneUse() ||
      !table->hasOneUse())
    return std::nullopt;
  hidden.before = hidden.requant.getInput().getDefiningOp<MatmulOp>();
  hidden.after = dyn_cast<MatmulOp>(*table->user_begin());
  if (!hidden.before || !hidden.before->hasOneUse() || !hidden.after || hidden.after.getLhs() != table.getResult())
    return std::nullopt;
  if (!isConstantMatrix(hidden.before.getRhs()) || !isConstantMatrix(hidden.after.getRhs()) ||
      (hidden.before.getBias() && !isConstant(hidden.before.getBias())))
    return std::nullopt;
  // Multipliers per channel are those of the last axis.
  const int64_t rank = hidden.requant.getType().getRank(), axis = hidden.requant.getAxis();
  if (hidden.requant.getBy().size() != 1 && axis != -1 && axis != rank - 1)
    return std::nullopt;

  std::vector<int64_t> index = *getIntConstant(table.getIndex());
  DenseMap<int64_t, int64_t> uses;
  for (int64_t t : index)
    ++uses[t];
  hidden.order = llvm::to_vector(llvm::seq<int64_t>(0, index.size()));
  // The table of most channels first; channels of one table keep their order.
  auto rankOf = [&](int64_t channel) { return std::tuple(-uses[index[channel]], index[channel], channel); };
  llvm::sort(hidden.order, [&](int64_t a, int64_t b) { return rankOf(a) < rankOf(b); });
  if (llvm::is_sorted(hidden.order))
    return std::nullopt;
  return hidden;
}

/// The constant `value` with the entries along `axis` in the new order.
static Value reorder(OpBuilder &b, Value value, unsigned axis, ArrayRef<int64_t> order) {
  auto type = cast<RankedTensorType>(value.getType());
  const std::vector<int64_t> from = *getIntConstant(value);
  std::vector<int64_t> to(from.size());
  int64_t inner = 1;
  for (int64_t size : type.getShape().drop_front(axis + 1))
    inner *= size;
  const auto count = static_cast<int64_t>(order.size());
  for (int64_t outer = 0; outer < type.getNumElements() / (inner * count); ++outer)
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(from.begin() + (outer * count + order[i]) * inner, inner, to.begin() + (outer * count + i) * inner);
  return createIntConstant(b, value.getLoc(), type, to, getBlobName(value));
}

static void apply(const HiddenChannels &hidden) {
  MatmulOp before = hidden.before, after = hidden.after;
  RequantOp requant = hidden.requant;
  TableOp table = hidden.table;
  OpBuilder b(before);
  before.getRhsMutable().assign(reorder(b, before.getRhs(), before.getTransposeRhs() ? 0 : 1, hidden.order));
  if (before.getBias())
    before.getBiasMutable().assign(reorder(b, before.getBias(), 0, hidden.order));
  if (DyadicAttr by = requant.getBy(); by.size() != 1) {
    SmallVector<int32_t> multipliers, shifts;
    for (int64_t channel : hidden.order) {
      multipliers.push_back(by.multiplier(channel));
      shifts.push_back(by.shift(channel));
    }
    requant.setByAttr(DyadicAttr::get(requant.getContext(), multipliers, shifts));
  }
  table.getIndexMutable().assign(reorder(b, table.getIndex(), 0, hidden.order));
  after.getRhsMutable().assign(reorder(b, after.getRhs(), after.getTransposeRhs() ? 1 : 0, hidden.order));
}

void VitqSortChannels::runOnOperation() {
  getOperation().walk([&](TableOp table) {
    if (std::optional<HiddenChannels> hidden = match(table)) {
      apply(*hidden);
      ++numSorted;
    }
  });
}
