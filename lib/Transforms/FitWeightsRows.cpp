//===- FitWeightsRows.cpp - Rows that reach the result -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model that reads its class from one token takes it out of the stream at its end, and what the last block does with
// the others is for nothing. Which rows count is asked of the function itself: a row counts if the result changes with
// it.
//
//===----------------------------------------------------------------------===//

#include "FitWeights.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

/// More rows of an image than this are no class tokens.
static constexpr size_t kMostRows = 4;
/// Behind this many layers all of whose rows count, none is expected of which only some do.
static constexpr size_t kEnough = 8;

static size_t rowsOf(Operation *op) {
  auto type = cast<ShapedType>(op->getResult(0).getType());
  return static_cast<size_t>(type.getNumElements() / type.getShape().back());
}

namespace {

/// One run of the function without casts, and what becomes of it when rows change.
class Probe {
public:
  Probe(func::FuncOp function, const Interpreter &interpreter) : function(function), interpreter(interpreter) {}

  LogicalResult record(const Tensor &input) {
    if (failed(interpreter.record(input, recorded)))
      return failure();
    for (Value value : function.front().getTerminator()->getOperands())
      results.push_back(interpreter.valueOf(recorded, value));
    return success();
  }

  /// Whether the result is another when the rows of op's result change for which `changes` says so.
  FailureOr<bool> matters(Operation *op, llvm::function_ref<bool(size_t)> changes) const {
    const Tensor &old = interpreter.valueOf(recorded, op->getResult(0));
    Tensor changed = Tensor::allocate(ElementKind::F32, old.shape());
    const auto row = static_cast<size_t>(old.shape().back());
    for (size_t i = 0, e = static_cast<size_t>(old.numElements()); i < e; ++i) {
      const float value = old.data<float>()[i];
      changed.mutableData<float>()[i] = changes(i / row) ? 1 - 2 * value : value;
    }
    SmallVector<Tensor> others;
    if (failed(interpreter.rerun(recorded, op->getResult(0), changed, others)))
      return failure();
    return !llvm::equal(results, others, [](const Tensor &a, const Tensor &b) { return a.raw() == b.raw(); });
  }

private:
  func::FuncOp function;
  const Interpreter &interpreter;
  Interpreter::Record recorded;
  std::vector<Tensor> results;
};

} // namespace

/// Few rows of `op`, at most `most`, that count, one by one; empty: none, or too many.
static FailureOr<SmallVector<size_t>> fewRows(const Probe &probe, Operation *op, size_t most) {
  SmallVector<size_t> rows;
  for (size_t row = 0, e = rowsOf(op); row < e; ++row) {
    FailureOr<bool> counts = probe.matters(op, [&](size_t i) { return i == row; });
    if (failed(counts))
      return failure();
    if (!*counts)
      continue;
    rows.push_back(row);
    if (rows.size() > most || 4 * rows.size() > rowsOf(op))
      return SmallVector<size_t>();
  }
  return rows;
}

FailureOr<RowWeights> RowWeights::find(func::FuncOp function, ArrayRef<WeightedOp> ops, const Tensor &input) {
  RowWeights weights;
  InterpreterOptions options;
  options.ignoreCasts = true;
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function, options);
  if (failed(interpreter))
    return failure();
  Probe probe(function, **interpreter);
  if (failed(probe.record(input)))
    return failure();
  size_t full = 0;
  for (WeightedOp op : llvm::reverse(ops)) {
    if (!op.isRowProduct() || rowsOf(op) < 2 || full == kEnough)
      continue;
    if (weights.rows.empty()) {
      FailureOr<SmallVector<size_t>> rows = fewRows(probe, op, kMostRows * input.shape()[0]);
      if (failed(rows))
        return failure();
      if (rows->empty())
        break;
      weights.rows = std::move(*rows);
      weights.count = rowsOf(op);
    }
    if (rowsOf(op) != weights.count)
      continue;
    FailureOr<bool> others = probe.matters(op, [&](size_t i) { return !llvm::is_contained(weights.rows, i); });
    if (failed(others))
      return failure();
    if (*others)
      ++full;
    else
      weights.alone.insert(op);
  }
  return weights;
}

std::vector<double> RowWeights::of(Operation *op, size_t rowCount, double special) const {
  std::vector<double> weights(rowCount, 1.0);
  if (const double weight = weightOf(op, rowCount, special); weight != 1)
    for (size_t row : rows)
      weights[row] = weight;
  return weights;
}

std::string RowWeights::describe(Operation *op, size_t rowCount, double special) const {
  const double weight = weightOf(op, rowCount, special);
  if (weight == 1)
    return "";
  return llvm::formatv("row{0} {1:$[, ]} counting {2:f0} times", rows.size() > 1 ? "s" : "",
                       llvm::make_range(rows.begin(), rows.end()), weight)
      .str();
}
