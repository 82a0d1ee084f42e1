//===- RotateResidual.cpp - Spread the residual stream over its channels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rotation.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-rotate-residual"

namespace vitq {
#define GEN_PASS_DEF_VITROTATERESIDUALPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Values that row-linear ops connect, and what stands at the ends.
struct Stream {
  int64_t channels = 0;
  /// Layers whose results are values of it.
  llvm::SetVector<Operation *> writers;
  /// Constant operands of its ops.
  SmallVector<OpOperand *> constants;
  SmallVector<LayerNormOp> norms;
  /// Ops within it.
  SmallVector<RowLinearOp> links;
  /// Layers that read it as it is.
  SmallVector<OpOperand *> layers;
  /// Norms whose results are values of it.
  llvm::SetVector<Operation *> normWriters;
  /// What keeps it from being multiplied by a matrix; null if nothing does.
  Operation *barrier = nullptr;
};

bool isFloatValue(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 0 && isa<FloatType>(type.getElementType()) && !isConstant(value);
}

RowLinearOp linkOf(Operation *op) {
  auto link = dyn_cast_or_null<RowLinearOp>(op);
  return link && link.isRowLinear() ? link : RowLinearOp();
}

/// Whether each row of the weight multiplies each channel once, in order.
bool readsEachChannelOnce(WeightedOp op) {
  ArrayRef<int64_t> shape = shapeOf(op->getOperand(1));
  const int64_t channels = shapeOf(op->getOperand(0)).back();
  if (ShapedType::getNumElements(shape) != shape.front() * channels)
    return false;
  for (int64_t c = 0; c < channels; ++c)
    if (op.getInputChannel(c) != c)
      return false;
  return true;
}

class Streams {
public:
  explicit Streams(func::FuncOp function) {
    for (Operation &op : function.front())
      if (RowLinearOp link = linkOf(&op)) {
        classes.insert(op.getResult(0).getAsOpaquePointer());
        for (Value operand : op.getOperands())
          if (isFloatValue(operand))
            classes.unionSets(op.getResult(0).getAsOpaquePointer(), operand.getAsOpaquePointer());
      }
    function.walk([&](Operation *op) {
      for (Value result : op->getResults())
        add(result);
      for (OpOperand &use : op->getOpOperands())
        add(use);
    });
  }

  /// The stream that `value` belongs to.
  Stream &of(Value value) { return streams[leaderOf(value)]; }
  auto all() { return llvm::make_second_range(streams); }

private:
  void *leaderOf(Value value) {
    void *key = value.getAsOpaquePointer();
    auto leader = classes.findLeader(key);
    return leader == classes.member_end() ? key : *leader;
  }

  /// A value, by what defines it.
  void add(Value value) {
    if (!isFloatValue(value))
      return;
    Stream &stream = of(value);
    stream.channels = shapeOf(value).back();
    Operation *op = value.getDefiningOp();
    if (RowLinearOp link = linkOf(op))
      stream.links.push_back(link);
    else if (isWriter(op))
      stream.writers.insert(op);
    else if (isa<LayerNormOp>(op))
      stream.normWriters.insert(op);
    else
      stream.barrier = op;
  }

  /// A use, by what reads it.
  void add(OpOperand &use) {
    Operation *op = use.getOwner();
    const bool inLink = static_cast<bool>(linkOf(op));
    if (isConstant(use.get()) && inLink)
      return of(op->getResult(0)).constants.push_back(&use);
    if (!isFloatValue(use.get()))
      return;
    Stream &stream = of(use.get());
    // The image is what it is.
    if (isa<BlockArgument>(use.get()))
      stream.barrier = op;
    if (inLink)
      return;
    auto norm = dyn_cast<LayerNormOp>(op);
    auto layer = dyn_cast<WeightedOp>(op);
    if (norm && use.getOperandNumber() == 0 && isConstant(norm.getGamma()) && isConstant(norm.getBeta()))
      stream.norms.push_back(norm);
    else if (layer && use.getOperandNumber() == 0 && isConstant(op->getOperand(1)) && readsEachChannelOnce(layer))
      stream.layers.push_back(&use);
    else
      stream.barrier = op;
  }

  static bool isWriter(Operation *op) {
    return isa<WeightedOp>(op) &&
           llvm::all_of(op->getOperands().drop_front(), [](Value operand) { return isConstant(operand); });
  }

  llvm::EquivalenceClasses<void *> classes;
  llvm::MapVector<void *, Stream> streams;
};

class RotateResidual : public vitq::impl::VitRotateResidualPassBase<RotateResidual> {
  using VitRotateResidualPassBase::VitRotateResidualPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(checkUncalibrated(*function, "vit-rotate-residual")))
      return signalPassFailure();
    Streams streams(*function);
    for (Stream &stream : streams.all())
      if (stream.norms.empty() || !mayRotate(stream, streams))
        continue;
      else if (failed(rotate(stream, streams)))
        return signalPassFailure();
    reportBarriers();
  }

  //===--------------------------------------------------------------------===//
  // What may be rotated
  //===--------------------------------------------------------------------===//

  bool mayRotate(Stream &stream, Streams &streams) {
    if (Operation *barrier = barrierOf(stream, streams)) {
      barriers.try_emplace(barrier, stream.channels);
      return false;
    }
    return stream.channels > 1;
  }

  /// One remark for all streams that are left alone: a model of post-norms has one for each sum.
  void reportBarriers() const {
    if (barriers.empty())
      return;
    auto [barrier, channels] = barriers.front();
    InFlightDiagnostic remark = barrier->emitRemark("'")
                                << nodeName(barrier->getLoc()) << "' (" << barrier->getName()
                                << ") keeps the residual stream of " << channels << " channels";
    if (barriers.size() > 1)
      remark << ", and other ops keep " << barriers.size() - 1 << " others,";
    remark << " from being rotated: only layers with constant weights and LayerNorms may read it, and only such layers "
              "write it";
  }

  static Operation *barrierOf(Stream &stream, Streams &streams) {
    if (stream.barrier)
      return stream.barrier;
    if (!stream.normWriters.empty()) // gamma has no place to go
      return stream.normWriters.front();
    if (!stream.layers.empty()) // without its mean they would read something else
      return stream.layers.front()->getOwner();
    for (OpOperand *constant : stream.constants)
      if (shapeOf(constant->get()).empty() || shapeOf(constant->get()).back() != stream.channels)
        return constant->getOwner();
    for (Operation *writer : stream.writers)
      if (shapeOf(writer->getOperand(1)).front() != stream.channels)
        return writer;
    for (LayerNormOp norm : stream.norms) {
      Stream &behind = streams.of(norm.getResult());
      if (behind.barrier)
        return behind.barrier;
      if (norm.getRms() != stream.norms.front().getRms() || behind.normWriters.size() != 1 || !behind.writers.empty() ||
          !behind.norms.empty() || !behind.constants.empty())
        return norm;
      for (RowLinearOp link : behind.links)
        if (!link.keepsOffsets()) // beta would not pass
          return link;
    }
    return nullptr;
  }

  //===--------------------------------------------------------------------===//
  // Rotating
  //===--------------------------------------------------------------------===//

  LogicalResult rotate(Stream &stream, Streams &streams) {
    const bool centers = !stream.norms.front().getRms();
    Rotation rotation(stream.channels, seed);
    if (rotation.blocks() > 1)
      stream.norms.front().emitRemark("no Hadamard matrix of order ")
          << stream.channels << " is known: the residual stream is rotated in " << rotation.blocks() << " blocks of "
          << rotation.order() << " channels";
    for (Operation *writer : stream.writers)
      for (OpOperand &operand : writer->getOpOperands().drop_front())
        if (failed(rotateChannels(operand, rotation, centers, /*axis=*/0)))
          return failure();
    for (OpOperand *constant : stream.constants)
      if (failed(
              rotateChannels(*constant, rotation, centers, static_cast<int64_t>(shapeOf(constant->get()).size()) - 1)))
        return failure();
    for (LayerNormOp norm : stream.norms)
      if (failed(rotateNorm(norm, streams.of(norm.getResult()), rotation)))
        return failure();
    for (LayerNormOp norm : stream.norms)
      recordDecision(norm, "vit-rotate-residual",
                     "reads a stream of " + llvm::Twine(stream.channels) + " channels that was " +
                         (centers ? "centred and " : "") + "rotated: it is an RMS norm without gamma and beta");
    LDBG() << stream.channels << " channels: " << stream.writers.size() << " writers, " << stream.norms.size()
           << " norms";
    ++numStreams;
    return success();
  }

  /// The norm has no factors of its own left: gamma goes into the weights that read it, and beta into their biases.
  LogicalResult rotateNorm(LayerNormOp norm, Stream &behind, const Rotation &rotation) {
    FailureOr<std::vector<float>> gamma = elementsOf(norm->getOpOperand(1)), beta = elementsOf(norm->getOpOperand(2));
    if (failed(gamma) || failed(beta))
      return failure();
    for (OpOperand *use : behind.layers)
      if (failed(rotateReader(cast<WeightedOp>(use->getOwner()), *gamma, *beta, rotation)))
        return failure();
    replaceConstant(norm->getOpOperand(1), std::vector<float>(gamma->size(), 1.0f));
    replaceConstant(norm->getOpOperand(2), std::vector<float>(beta->size(), 0.0f));
    norm.setRms(true);
    return success();
  }

  LogicalResult rotateReader(WeightedOp op, ArrayRef<float> gamma, ArrayRef<float> beta, const Rotation &rotation) {
    FailureOr<std::vector<float>> weight = elementsOf(op->getOpOperand(1)), bias = std::vector<float>();
    if (op->getNumOperands() > 2)
      bias = elementsOf(op->getOpOperand(2));
    if (failed(weight) || failed(bias))
      return failure();
    const size_t channels = gamma.size(), rows = weight->size() / channels;
    std::vector<double> row(channels), added(rows, 0.0);
    for (size_t d = 0; d < rows; ++d) {
      for (size_t c = 0; c < channels; ++c) {
        row[c] = (*weight)[d * channels + c];
        added[d] += row[c] * beta[c];
        row[c] *= gamma[c];
      }
      rotation.apply(row);
      llvm::copy(row, weight->begin() + static_cast<ptrdiff_t>(d * channels));
    }
    replaceConstant(op->getOpOperand(1), *weight);
    if (llvm::all_of(added, [](double x) { return x == 0; }))
      return success();
    std::vector<float> sum(rows);
    for (size_t d = 0; d < rows; ++d)
      sum[d] = static_cast<float>(added[d] + (bias->empty() ? 0.0 : (*bias)[d]));
    if (op->getNumOperands() > 2) {
      replaceConstant(op->getOpOperand(2), sum);
      return success();
    }
    OpBuilder builder(op);
    auto type = RankedTensorType::get({static_cast<int64_t>(rows)}, builder.getF32Type());
    op->insertOperands(2, createFloatConstant(builder, op.getLoc(), type, sum, "bias").getResult());
    return success();
  }

  /// Multiplies the constant along one axis, its first or its last.
  LogicalResult rotateChannels(OpOperand &operand, const Rotation &rotation, bool centers, int64_t axis) {
    const size_t channels = shapeOf(operand.get())[axis];
    return updateConstant(operand, [&](MutableArrayRef<float> values) {
      const size_t count = values.size() / channels;
      const size_t step = axis == 0 ? count : 1, next = axis == 0 ? 1 : channels;
      std::vector<double> row(channels);
      for (size_t i = 0; i < count; ++i) {
        double mean = 0;
        for (size_t c = 0; c < channels; ++c)
          mean += row[c] = values[i * next + c * step];
        mean /= static_cast<double>(channels);
        for (double &x : row)
          x -= centers ? mean : 0.0;
        rotation.apply(row);
        for (size_t c = 0; c < channels; ++c)
          values[i * next + c * step] = static_cast<float>(row[c]);
      }
    });
  }

  /// What keeps a stream from being rotated, and the stream's channels.
  llvm::MapVector<Operation *, int64_t> barriers;
};

} // namespace
