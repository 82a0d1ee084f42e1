//===- ShiftChannels.cpp - Spread channels by what they count -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a transform spreads is coded with one step for all. Let channel c have the deviation sigma and its column of
// weights the norm w, and multiply it by d before the transform. An error of the codes comes out of the layer with the
// sum over channels of (w / d)^2, and the step grows with the sum of (sigma d)^2: their product is least with d^2 = w /
// sigma, where it is the square of the sum of sigma w.
//
//===----------------------------------------------------------------------===//

#include "CalibrationImages.h"
#include "Rotation.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-shift-channels"

namespace vitq {
#define GEN_PASS_DEF_VITSHIFTCHANNELSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Sums of the values of each channel and of their squares. They are integers, of 2^-40: those of doubles would depend
/// on which thread takes which images.
struct Sums {
  using Sum = __int128;
  static constexpr double kUnit = 0x1p-40;

  std::vector<Sum> values, squares;
  int64_t rows = 0;

  explicit Sums(size_t channels = 0) : values(channels, 0), squares(channels, 0) {}

  void add(const Tensor &tensor) {
    const size_t channels = values.size();
    std::vector<double> first(channels, 0.0), second(channels, 0.0);
    ArrayRef<float> row = tensor.values<float>();
    rows += static_cast<int64_t>(row.size() / channels);
    for (; !row.empty(); row = row.drop_front(channels))
      for (size_t c = 0; c < channels; ++c) {
        const double x = row[c];
        first[c] += x;
        second[c] += x * x;
      }
    for (size_t c = 0; c < channels; ++c) {
      values[c] += toSum(first[c]);
      squares[c] += toSum(second[c]);
    }
  }
  void merge(const Sums &other) {
    rows += other.rows;
    for (size_t c = 0; c < values.size(); ++c) {
      values[c] += other.values[c];
      squares[c] += other.squares[c];
    }
  }
  double variance(size_t channel) const {
    const double mean = toReal(values[channel]);
    return std::max(toReal(squares[channel]) - mean * mean, 0.0);
  }

private:
  static Sum toSum(double sum) { return static_cast<Sum>(std::clamp(std::round(sum / kUnit), -0x1p100, 0x1p100)); }
  double toReal(Sum sum) const { return static_cast<double>(sum) * kUnit / static_cast<double>(rows); }
};

/// A transform, and the layers that read it.
struct Spread {
  HadamardOp op;
  SmallVector<LinearOp> readers;
  /// Of its operand.
  Sums sums;
};

class ShiftChannels : public vitq::impl::VitShiftChannelsPassBase<ShiftChannels> {
  using VitShiftChannelsPassBase::VitShiftChannelsPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function))
      return signalPassFailure();
    collect(*function);
    if (spreads.empty())
      return;
    FailureOr<CalibrationImages> images =
        CalibrationImages::open(*function, data, preprocess, limit, "shifting channels by what they count ");
    if (failed(images) || failed(measure(*function, *images)))
      return signalPassFailure();
    for (Spread &spread : spreads)
      if (failed(shift(spread)))
        return signalPassFailure();
  }

  /// Transforms that give few codes to layers alone.
  void collect(func::FuncOp function) {
    spreads.clear();
    for (auto op : function.front().getOps<HadamardOp>()) {
      if (op.getShifts() || op.getCenters() || getCodeBits(op.getResult()) > atMost || !op.getInput().getDefiningOp() ||
          op->use_empty())
        continue;
      Spread spread{op, {}, Sums(shapeOf(op.getInput()).back())};
      for (OpOperand &use : op.getResult().getUses())
        if (auto reader = dyn_cast<LinearOp>(use.getOwner());
            reader && use.getOperandNumber() == 0 && isConstant(reader.getWeight()))
          spread.readers.push_back(reader);
      if (llvm::hasNItems(op->getUses(), spread.readers.size()))
        spreads.push_back(std::move(spread));
    }
  }

  LogicalResult measure(func::FuncOp function, const CalibrationImages &images) {
    FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
    if (failed(interpreter))
      return failure();
    llvm::DenseMap<Operation *, SmallVector<size_t>> indices;
    for (auto [i, spread] : llvm::enumerate(spreads))
      indices[spread.op.getInput().getDefiningOp()].push_back(i);
    std::vector<std::unique_ptr<std::vector<Sums>>> parts;
    auto makeObserver = [&] {
      auto &part = *parts.emplace_back(std::make_unique<std::vector<Sums>>());
      for (const Spread &spread : spreads)
        part.emplace_back(spread.sums.values.size());
      return [&](Operation *op, ArrayRef<Tensor> tensors) {
        if (auto found = indices.find(op); found != indices.end())
          for (size_t i : found->second)
            part[i].add(tensors.front());
      };
    };
    if (failed(images.run(**interpreter, "what channels count", makeObserver)))
      return failure();
    for (const auto &part : parts)
      for (auto [spread, sums] : llvm::zip_equal(spreads, *part))
        spread.sums.merge(sums);
    return success();
  }

  LogicalResult shift(Spread &spread) {
    const size_t channels = spread.sums.values.size();
    const auto block = static_cast<size_t>(spread.op.getBlock());
    // The readers' weights as they were before the transform, and the squares of their columns.
    std::vector<std::vector<float>> weights;
    std::vector<double> norms(channels, 0.0);
    for (LinearOp reader : spread.readers) {
      FailureOr<std::vector<float>> weight = elementsOf(reader->getOpOperand(1));
      if (failed(weight))
        return failure();
      transformRows(*weight, block, numerics::hadamardBlockBack<double>);
      for (auto [i, value] : llvm::enumerate(*weight))
        norms[i % channels] += static_cast<double>(value) * static_cast<double>(value);
      weights.push_back(std::move(*weight));
    }
    const SmallVector<int8_t> shifts = chooseShifts(spread.sums, norms);
    if (llvm::all_of(shifts, [](int8_t shift) { return shift == 0; }))
      return success();
    for (auto [reader, weight] : llvm::zip_equal(spread.readers, weights)) {
      for (auto [i, value] : llvm::enumerate(weight))
        value = std::ldexp(value, -shifts[i % channels]);
      transformRows(weight, block, numerics::hadamardBlock<double>);
      replaceConstant(reader->getOpOperand(1), weight);
    }
    spread.op.setShifts(ArrayRef<int8_t>(shifts));
    record(spread.op, shifts);
    return success();
  }

  /// log2 of d, less its mean over the channels, from -2 to 2; the least becomes 0.
  static SmallVector<int8_t> chooseShifts(const Sums &sums, ArrayRef<double> norms) {
    std::vector<double> exponents;
    double mean = 0;
    size_t known = 0;
    for (auto [c, norm] : llvm::enumerate(norms)) {
      exponents.push_back(0.25 * (std::log2(norm) - std::log2(sums.variance(c))));
      if (std::isfinite(exponents.back()))
        mean += exponents.back(), ++known;
    }
    mean = known > 0 ? mean / static_cast<double>(known) : 0;
    SmallVector<int8_t> shifts;
    for (double exponent : exponents) // What is always 0, or counts nothing, takes part as most do.
      shifts.push_back(std::isfinite(exponent) ? static_cast<int8_t>(std::clamp(std::round(exponent - mean), -2.0, 2.0))
                                               : int8_t(0));
    const int8_t least = *llvm::min_element(shifts);
    for (int8_t &shift : shifts)
      shift = static_cast<int8_t>(shift - least);
    return shifts;
  }

  static void transformRows(MutableArrayRef<float> weight, size_t block,
                            llvm::function_ref<void(MutableArrayRef<double>)> transform) {
    std::vector<double> part(block);
    const double factor = 1 / std::sqrt(static_cast<double>(block));
    for (; !weight.empty(); weight = weight.drop_front(block)) {
      llvm::copy(weight.take_front(block), part.begin());
      transform(part);
      for (auto [to, from] : llvm::zip(weight, part))
        to = static_cast<float>(from * factor);
    }
  }

  void record(HadamardOp op, ArrayRef<int8_t> shifts) {
    std::array<size_t, numerics::kMaxHadamardShift + 1> counts{};
    for (int8_t shift : shifts)
      ++counts[static_cast<size_t>(shift)];
    std::string text;
    llvm::raw_string_ostream os(text);
    os << "channels times";
    for (auto [shift, count] : llvm::enumerate(counts))
      if (count > 0)
        os << (os.tell() > 14 ? ", " : " ") << (1 << shift) << ": " << count;
    recordDecision(op, "vit-shift-channels", text);
    LDBG() << nodeName(op.getLoc()) << ": " << text;
    ++numShifted;
  }

  std::vector<Spread> spreads;
};

} // namespace
