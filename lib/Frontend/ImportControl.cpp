//===- ImportControl.cpp - Graphs inside nodes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What decides must be known at compile time: then the branch that is taken, and each
// turn of a loop, becomes part of the graph around it, whether it reads the image or not.

#include "Importer.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

/// A boolean that is known at compile time.
static FailureOr<bool> knownCondition(NodeImporter &n, const Imported &value, StringRef what) {
  if (!value.constant)
    return n.error() << what << " depends on the image; it must be known at compile time";
  if (value.constant->dtype != DType::Bool || value.constant->size() != 1)
    return n.error() << what << " must be one boolean";
  return value.constant->getInt(0) != 0;
}

static LogicalResult importIf(NodeImporter &n) {
  FailureOr<bool> condition = knownCondition(n, n.input(0), "the condition");
  FailureOr<const Graph *> branch =
      failed(condition) ? FailureOr<const Graph *>() : n.graphAttr(*condition ? "then_branch" : "else_branch");
  if (failed(branch))
    return failure();
  SmallVector<Imported> outputs;
  if (failed(n.runGraph(**branch, {}, outputs)))
    return failure();
  if (outputs.size() < n.node.outputs.size())
    return n.error() << "the branch has " << outputs.size() << " outputs, not " << n.node.outputs.size();
  for (size_t i = 0; i < n.node.outputs.size(); ++i)
    if (n.wantsOutput(i))
      n.setOutput(i, outputs[i]);
  return success();
}

/// More turns than any model needs; each may add ops.
static constexpr int64_t kMaxTurns = 1 << 16;

namespace {
/// A loop: its body reads the turn's number, the condition and values that it carries on; it gives the next condition,
/// the next values, and one part each of tensors that are joined at the end.
class LoopImporter {
public:
  LoopImporter(NodeImporter &n, const Graph &body)
      : n(n), body(body), carried(body.inputs.size() - 2), parts(body.outputs.size() - 1 - carried) {}
  LogicalResult run();

private:
  LogicalResult turn(int64_t number);
  MaybeImported join(ArrayRef<Imported> turns);

  NodeImporter &n;
  const Graph &body;
  /// The number of values carried on, and of tensors that are joined.
  size_t carried, parts;
  Imported condition;
  SmallVector<Imported> values;
  SmallVector<SmallVector<Imported>> collected;
};
} // namespace

static Imported scalar(DType type, int64_t value) {
  auto constant = std::make_shared<OnnxConstant>(type, ArrayRef<int64_t>(), "");
  constant->setInt(0, value);
  return Imported(ConstantPtr(constant));
}

LogicalResult LoopImporter::turn(int64_t number) {
  SmallVector<Imported> inputs{scalar(DType::I64, number), condition}, outputs;
  llvm::append_range(inputs, values);
  if (failed(n.runGraph(body, inputs, outputs)))
    return failure();
  condition = outputs.front();
  for (size_t i = 0; i < carried; ++i)
    values[i] = outputs[1 + i];
  for (size_t i = 0; i < parts; ++i)
    if (n.wantsOutput(carried + i))
      collected[i].push_back(outputs[1 + carried + i]);
  return success();
}

/// The parts along a new first axis.
MaybeImported LoopImporter::join(ArrayRef<Imported> turns) {
  if (turns.empty())
    return n.error() << "has no turn, so that the shape of a result is unknown";
  SmallVector<Imported> rows;
  for (const Imported &part : turns) {
    Shape shape{1};
    llvm::append_range(shape, part.shape());
    MaybeImported row = n.reshape(part, shape);
    if (failed(row))
      return failure();
    rows.push_back(*row);
  }
  return n.concat(rows, 0);
}

LogicalResult LoopImporter::run() {
  collected.resize(parts);
  condition = n.has(1) ? n.input(1) : scalar(DType::Bool, 1);
  for (size_t i = 0; i < carried; ++i)
    values.push_back(n.input(2 + i));
  int64_t turns = std::numeric_limits<int64_t>::max();
  if (n.has(0)) {
    const ConstantPtr &given = n.input(0).constant;
    if (!given || given->size() != 1 || !isInteger(given->dtype))
      return n.error() << "the number of turns must be one integer that is known at compile time";
    turns = given->getInt(0);
  }
  for (int64_t number = 0; number < turns; ++number) {
    FailureOr<bool> goesOn = knownCondition(n, condition, "the condition");
    if (failed(goesOn))
      return failure();
    if (!*goesOn)
      break;
    if (number == kMaxTurns)
      return n.error() << "has more than " << kMaxTurns << " turns";
    if (failed(turn(number)))
      return failure();
  }
  for (size_t i = 0; i < n.node.outputs.size(); ++i) {
    if (!n.wantsOutput(i))
      continue;
    MaybeImported value = i < carried ? MaybeImported(values[i]) : join(collected[i - carried]);
    if (failed(value))
      return failure();
    n.setOutput(i, *value);
  }
  return success();
}

static LogicalResult importLoop(NodeImporter &n) {
  FailureOr<const Graph *> body = n.graphAttr("body");
  if (failed(body))
    return failure();
  const size_t inputs = (*body)->inputs.size(), outputs = (*body)->outputs.size();
  if (inputs < 2 || outputs + 1 < inputs || n.numInputs() > inputs || n.node.outputs.size() + 1 > outputs)
    return n.error() << "the body's inputs and outputs do not fit the loop's";
  for (size_t i = 2; i < inputs; ++i)
    if (!n.has(i))
      return n.error() << "input " << i << " is missing";
  return LoopImporter(n, **body).run();
}

void vitq::frontend::addControlHandlers(HandlerTable &table) {
  table["If"] = {importIf, 1, 1};
  table["Loop"] = {importLoop, 0, kManyInputs};
}
