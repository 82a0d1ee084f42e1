//===- GatherRows.cpp - Windows and rolls as one gather of rows -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/DebugLog.h"

#include <numeric>

#define DEBUG_TYPE "vit-gather-rows"

namespace vitq {
#define GEN_PASS_DEF_VITGATHERROWSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

/// A row is what lies along the last axis.
using Rows = SmallVector<int64_t, 0>;

static int64_t lastSize(Value value) { return shapeOf(value).back(); }
static int64_t countRows(Value value) { return ShapedType::getNumElements(shapeOf(value)) / lastSize(value); }

static bool isIdentity(ArrayRef<int64_t> rows) {
  return llvm::equal(rows, llvm::seq<int64_t>(0, static_cast<int64_t>(rows.size())));
}

/// For each row of what `op` moves the row of its operands, counted through all of
/// them; none where rows do not stay whole.
static std::optional<Rows> movedRows(Operation *op) {
  if (!isMove(op) || shapeOf(op->getResult(0)).empty())
    return std::nullopt;
  const int64_t width = lastSize(op->getResult(0));
  SmallVector<Tensor> numbered;
  int64_t first = 0;
  for (Value operand : op->getOperands()) {
    if (shapeOf(operand).empty() || lastSize(operand) != width)
      return std::nullopt;
    Tensor elements = Tensor::allocate(ElementKind::I64, shapeOf(operand));
    std::iota(elements.mutableData<int64_t>(), elements.mutableData<int64_t>() + elements.numElements(), first);
    first += elements.numElements();
    numbered.push_back(elements);
  }
  std::optional<Tensor> moved = recover::moveTensors(op, numbered, /*padding=*/-1);
  if (!moved)
    return std::nullopt;
  Rows rows;
  ArrayRef<int64_t> elements = moved->values<int64_t>();
  for (size_t begin = 0; begin < elements.size(); begin += width) {
    const int64_t start = elements[begin];
    if (start < 0 || start % width != 0)
      return std::nullopt;
    for (int64_t i = 1; i < width; ++i)
      if (elements[begin + i] != start + i)
        return std::nullopt;
    rows.push_back(start / width);
  }
  return rows;
}

namespace {

/// Ops that move whole rows of `source` and nothing else, up to one result.
struct RowMoves {
  Value source;
  llvm::SetVector<Operation *> ops;
  /// For each row of the result the row of the source.
  Rows rows;
};

class GatherRows : public vitq::impl::VitGatherRowsPassBase<GatherRows> {
  using VitGatherRowsPassBase::VitGatherRowsPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      // From the end, so that moves behind a linear layer join those before it.
      SmallVector<Operation *> ops;
      function.walk([&](Operation *op) { ops.push_back(op); });
      for (Operation *op : llvm::reverse(ops))
        if (!erased.contains(op) && isEnd(op))
          rewrite(op);
    }
    movesOf.clear();
    erased.clear();
  }

  /// The rows that an op moves; each op is asked once.
  const std::optional<Rows> &rowsOf(Operation *op) {
    auto [at, isNew] = movesOf.try_emplace(op);
    if (isNew)
      at->second = movedRows(op);
    return at->second;
  }
  /// Whether all rows stay where they are.
  bool isReshape(Operation *op) {
    return op->getNumOperands() == 1 && isIdentity(*rowsOf(op)) &&
           countRows(op->getResult(0)) == countRows(op->getOperand(0));
  }
  bool movesRows(Operation *op) { return op && isMove(op) && rowsOf(op).has_value(); }

  /// Whether moves of rows end here: something reads them that does not move them on.
  bool isEnd(Operation *op) {
    return movesRows(op) && !op->use_empty() &&
           llvm::any_of(op->getUsers(), [&](Operation *user) { return !movesRows(user); });
  }

  std::optional<RowMoves> trace(Operation *end);
  bool collect(Value value, RowMoves &moves, llvm::DenseMap<Value, Rows> &known);
  void rewrite(Operation *end);
  Value gather(IRRewriter &rewriter, Location loc, Value input, ArrayRef<int64_t> rows, ArrayRef<int64_t> shape);

  llvm::DenseMap<Operation *, std::optional<Rows>> movesOf;
  llvm::DenseSet<Operation *> erased;
};

} // namespace

/// Where the rows of `value` are in the source; false where there is a second source.
bool GatherRows::collect(Value value, RowMoves &moves, llvm::DenseMap<Value, Rows> &known) {
  if (known.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  Rows rows;
  if (!movesRows(op)) {
    if (moves.source && moves.source != value)
      return false;
    moves.source = value;
    rows.resize(countRows(value));
    std::iota(rows.begin(), rows.end(), int64_t(0));
  } else {
    Rows operands;
    for (Value operand : op->getOperands()) {
      if (!collect(operand, moves, known))
        return false;
      llvm::append_range(operands, known.find(operand)->second);
    }
    for (int64_t row : *rowsOf(op))
      rows.push_back(operands[row]);
    moves.ops.insert(op);
  }
  known.try_emplace(value, std::move(rows));
  return true;
}

/// The moves that end in `end`; none where others read what is between.
std::optional<RowMoves> GatherRows::trace(Operation *end) {
  RowMoves moves;
  llvm::DenseMap<Value, Rows> known;
  if (!collect(end->getResult(0), moves, known) || isConstant(moves.source))
    return std::nullopt;
  for (Operation *op : moves.ops)
    if (op != end && llvm::any_of(op->getUsers(), [&](Operation *user) { return !moves.ops.contains(user); }))
      return std::nullopt;
  moves.rows = known.find(end->getResult(0))->second;
  return moves;
}

/// Rows of `input` under another shape. The leading axis stays that of the images.
Value GatherRows::gather(IRRewriter &rewriter, Location loc, Value input, ArrayRef<int64_t> rows,
                         ArrayRef<int64_t> shape) {
  SmallVector<int64_t> flat{1, countRows(input), lastSize(input)}, result(shape);
  result.back() = lastSize(input);
  Value value = input;
  if (!isIdentity(rows) || static_cast<int64_t>(rows.size()) != countRows(input)) {
    if (shapeOf(value) != ArrayRef<int64_t>(flat))
      value = createInferred<ReshapeOp>(rewriter, loc, value,
                                        rewriter.getNamedAttr("shape", rewriter.getDenseI64ArrayAttr(flat)));
    value = createInferred<GatherOp>(rewriter, loc, value,
                                     {rewriter.getNamedAttr("indices", rewriter.getDenseI64ArrayAttr(rows)),
                                      rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(1))});
    ++numGathers;
  }
  if (shapeOf(value) == ArrayRef<int64_t>(result))
    return value;
  return createInferred<ReshapeOp>(rewriter, loc, value,
                                   rewriter.getNamedAttr("shape", rewriter.getDenseI64ArrayAttr(result)));
}

void GatherRows::rewrite(Operation *end) {
  std::optional<RowMoves> moves = trace(end);
  if (!moves)
    return;
  Value result = end->getResult(0);
  const bool undone = isIdentity(moves->rows) && static_cast<int64_t>(moves->rows.size()) == countRows(moves->source);
  // Rows that keep their order are slices; what strides say, kernels read in place.
  if (undone ? moves->ops.size() < 2 : llvm::is_sorted(moves->rows))
    return;
  const bool copies = llvm::count_if(moves->ops, [&](Operation *op) { return !isReshape(op); }) > 1 &&
                      (undone || recover::traceView(result).source != moves->source);
  // Rows of the layer's input move instead of its results, where they are no longer.
  auto linear = moves->source.getDefiningOp<LinearOp>();
  const bool hoist = linear && !undone && isConstant(linear.getWeight()) &&
                     lastSize(linear.getInput()) <= 2 * lastSize(linear.getResult()) &&
                     static_cast<int64_t>(moves->rows.size()) <= countRows(linear.getInput()) &&
                     llvm::all_of(linear->getUsers(), [&](Operation *user) { return moves->ops.contains(user); });
  if (!hoist && !copies)
    return;
  LDBG() << nodeName(end->getLoc()) << ": " << moves->ops.size() << " ops are one gather of rows"
         << (hoist ? ", before the layer that makes them" : "");
  IRRewriter rewriter(end);
  Value replacement;
  if (hoist) {
    rewriter.setInsertionPoint(linear);
    SmallVector<Value> operands(linear->getOperands());
    operands[0] = gather(rewriter, end->getLoc(), linear.getInput(), moves->rows, shapeOf(result));
    replacement = createInferred<LinearOp>(rewriter, linear.getLoc(), operands, linear->getAttrs());
    ++numHoisted;
  } else {
    replacement = gather(rewriter, end->getLoc(), moves->source, moves->rows, shapeOf(result));
  }
  rewriter.replaceAllUsesWith(result, replacement);
  for (Operation *op : llvm::reverse(moves->ops)) {
    movesOf.erase(op);
    erased.insert(op);
    rewriter.eraseOp(op);
  }
  if (!hoist)
    return;
  erased.insert(linear);
  rewriter.eraseOp(linear);
  // What moved in front of the layer may join moves there.
  if (Operation *before = replacement.getDefiningOp()->getOperand(0).getDefiningOp();
      movesRows(before) && isEnd(before))
    rewrite(before);
}
