//===- ChooseBits.cpp - Bits of weights by what they cost and lose -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationImages.h"
#include "QuantizeDetail.h"

#include "vitq/Analysis/BitChoice.h"
#include "vitq/Analysis/Knapsack.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/Progress.h"
#include "vitq/Tensor/MemoryPool.h"

#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <atomic>
#include <cmath>
#include <thread>

#define DEBUG_TYPE "vit-choose-bits"

namespace vitq {
#define GEN_PASS_DEF_VITCHOOSEBITSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

constexpr unsigned kWidths[] = {2, 3, 4, 5, 6, 8};
constexpr size_t kNumWidths = std::size(kWidths);

/// A layer whose weights may get fewer bits.
struct Layer {
  WeightedOp op;
  std::string name;
  int64_t elements = 0;
  /// Of each width: the weights rounded to it, and what the result's classes lose (KL divergence, nats).
  std::array<Tensor, kNumWidths> rounded;
  std::array<double, kNumWidths> loss = {};

  double bytes(size_t width) const { return static_cast<double>(elements) * kWidths[width] / 8; }
};

/// Rows rounded to the scale of least squared error, from 1 to 0.4 times that of their largest weight.
Tensor roundRows(const Tensor &weight, unsigned bits) {
  const int64_t rows = weight.shape()[0], row = weight.numElements() / rows;
  const int64_t limit = (int64_t(1) << (bits - 1)) - 1;
  Tensor result = Tensor::allocate(ElementKind::F32, weight.shape());
  const float *from = weight.data<float>();
  float *to = result.mutableData<float>();
  for (int64_t r = 0; r < rows; ++r, from += row, to += row) {
    double absMax = 0;
    for (int64_t i = 0; i < row; ++i)
      absMax = std::max(absMax, static_cast<double>(std::abs(from[i])));
    double least = INFINITY, best = 1;
    for (int step = 20; step >= 8; --step) {
      const double scale = numerics::symmetricScale(absMax * step / 20, static_cast<int>(bits));
      double error = 0;
      for (int64_t i = 0; i < row; ++i) {
        const double code =
            std::clamp(std::nearbyint(from[i] / scale), static_cast<double>(-limit), static_cast<double>(limit));
        const double e = code * scale - from[i];
        error += e * e;
      }
      if (error < least)
        least = error, best = scale;
    }
    for (int64_t i = 0; i < row; ++i)
      to[i] = static_cast<float>(best * static_cast<double>(numerics::quantizeReal(from[i], best, 0, -limit, limit)));
  }
  return result;
}

/// The mean over rows (the last axis) of KL(softmax(p) || softmax(q)).
double divergence(const Tensor &p, const Tensor &q) {
  const int64_t n = p.shape().back(), rows = p.numElements() / n;
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) {
    ArrayRef<float> a = p.values<float>().slice(row * n, n), b = q.values<float>().slice(row * n, n);
    auto logSum = [](ArrayRef<float> x) {
      const double top = *llvm::max_element(x);
      double total = 0;
      for (float value : x)
        total += std::exp(value - top);
      return top + std::log(total);
    };
    const double la = logSum(a), lb = logSum(b);
    for (auto [x, y] : llvm::zip_equal(a, b))
      sum += std::exp(x - la) * ((x - la) - (y - lb));
  }
  return sum / static_cast<double>(rows);
}

class ChooseBits : public vitq::impl::VitChooseBitsPassBase<ChooseBits> {
  using VitChooseBitsPassBase::VitChooseBitsPassBase;

  void runOnOperation() override {
    llvm::Expected<BitChoice> parsed = BitChoice::parse(bits);
    if (!parsed) {
      emitError(getOperation().getLoc(), "--bits: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    if (!parsed->weightBudget())
      return;
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function))
      return signalPassFailure();
    std::vector<Layer> layers;
    double fixed = 0;
    if (failed(collect(*function, *parsed, layers, fixed)) ||
        failed(checkBudget(layers, fixed, *parsed->weightBudget())))
      return signalPassFailure();
    FailureOr<CalibrationImages> images = CalibrationImages::open(*function, data, preprocess, limit, "--bits=auto ");
    if (failed(images) || failed(measure(*function, *images, layers)) ||
        failed(choose(layers, fixed, *parsed->weightBudget())))
      signalPassFailure();
  }

  /// What may be chosen, and the bytes of all other weights of layers.
  LogicalResult collect(func::FuncOp function, const BitChoice &choice, std::vector<Layer> &layers, double &fixed) {
    for (WeightedOp op : function.front().getOps<WeightedOp>()) {
      Value weight = op->getOperand(1);
      if (!isConstant(weight))
        continue;
      Layer layer{op, nodeName(op->getLoc()), cast<ShapedType>(weight.getType()).getNumElements(), {}, {}};
      if (op->hasAttr(kWideAttr) || quantize::isFirstOrLast(op) || choice.ofLayer(TensorRole::Weights, layer.name) ||
          !weight.hasOneUse()) {
        fixed += static_cast<double>(layer.elements * getWeightBits(op)) / 8;
        continue;
      }
      FailureOr<std::vector<float>> values = getFloatConstantF32(weight, [&] { return op->emitOpError("weight "); });
      if (failed(values))
        return failure();
      Tensor tensor = Tensor::allocate(ElementKind::F32, shapeOf(weight));
      llvm::copy(*values, tensor.mutableData<float>());
      for (size_t w = 0; w < kNumWidths; ++w)
        layer.rounded[w] = roundRows(tensor, kWidths[w]);
      layers.push_back(std::move(layer));
    }
    return success();
  }

  LogicalResult checkBudget(ArrayRef<Layer> layers, double fixed, double budget) {
    double least = fixed, most = fixed;
    for (const Layer &layer : layers)
      least += layer.bytes(0), most += layer.bytes(kNumWidths - 1);
    if (budget >= least)
      return success();
    return emitError(getOperation().getLoc(), "--bits=auto: weights of ")
           << sizeOf(budget) << " are asked for, but with 2 bits they take " << sizeOf(least) << " (with 8 bits "
           << sizeOf(most) << "); of these the first layer, the last one and what --bits names take " << sizeOf(fixed);
  }

  static std::string sizeOf(double bytes) {
    const bool isLarge = bytes >= 1e6;
    return llvm::formatv("{0:f2} {1}", bytes / (isLarge ? 1e6 : 1e3), isLarge ? "MB" : "kB").str();
  }

  /// One run of what is behind a layer for each width and image.
  LogicalResult measure(func::FuncOp function, const CalibrationImages &images, std::vector<Layer> &layers) {
    FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
    if (failed(interpreter))
      return failure();
    Progress progress("bits", images.batches() * layers.size());
    std::atomic<uint64_t> next{0};
    std::atomic<bool> failedAny{false};
    // By image, so that sums do not depend on threads.
    std::vector<std::vector<std::array<double, kNumWidths>>> losses(images.batches());
    auto work = [&] {
      const MemoryPool pool;
      for (uint64_t index = next++; index < images.batches() && !failedAny; index = next++) {
        FailureOr<Tensor> input = images.batch(index, function.getLoc());
        Interpreter::Record record;
        losses[index].resize(layers.size());
        if (failed(input) || failed((*interpreter)->record({*input}, record))) {
          failedAny = true;
          return;
        }
        const Tensor &whole = (*interpreter)->valueOf(record, resultOf(function));
        for (auto [l, layer] : llvm::enumerate(layers)) {
          for (size_t w = 0; w < kNumWidths; ++w) {
            SmallVector<Tensor> results;
            WeightedOp op = layer.op;
            failedAny =
                failedAny || failed((*interpreter)->rerun(record, op->getOperand(1), layer.rounded[w], results));
            if (!failedAny)
              losses[index][l][w] = divergence(whole, results.front());
          }
          progress.advance();
        }
      }
    };
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
      workers.emplace_back(work);
    work();
    for (std::thread &worker : workers)
      worker.join();
    for (auto [l, layer] : llvm::enumerate(layers))
      for (size_t w = 0; w < kNumWidths; ++w) {
        for (const auto &image : losses)
          layer.loss[w] += failedAny ? 0 : image[l][w] / static_cast<double>(images.batches());
      }
    return failure(failedAny);
  }

  static Value resultOf(func::FuncOp function) { return function.front().getTerminator()->getOperand(0); }

  static std::vector<std::vector<KnapsackChoice>> groupsOf(ArrayRef<Layer> layers) {
    std::vector<std::vector<KnapsackChoice>> groups;
    for (const Layer &layer : layers) {
      auto &group = groups.emplace_back();
      for (size_t w = 0; w < kNumWidths; ++w)
        group.push_back({layer.loss[w], layer.bytes(w)});
    }
    return groups;
  }

  LogicalResult choose(ArrayRef<Layer> layers, double fixed, double budget) {
    const auto groups = groupsOf(layers);
    const std::vector<size_t> chosen = solveKnapsack(groups, budget - fixed);
    if (chosen.empty() && !layers.empty())
      return emitError(getOperation().getLoc(), "--bits=auto: no choice of bits is within the budget");
    for (auto [layer, w] : llvm::zip_equal(layers, chosen)) {
      WeightedOp op = layer.op;
      op->removeAttr(kWeightBitsAttr);
      if (kWidths[w] < kDefaultCodeBits)
        op->setAttr(kWeightBitsAttr, Builder(&getContext()).getI64IntegerAttr(kWidths[w]));
      std::string text = std::to_string(kWidths[w]) + " bits;";
      for (size_t i = 0; i < kNumWidths; ++i)
        text += llvm::formatv(" {0}: {1:e2}", kWidths[i], layer.loss[i]).str();
      text += " nats lost";
      recordDecision(op, "vit-choose-bits", text);
      LDBG() << layer.name << ": " << text;
      ++numLayers;
    }
    return frontFile.empty() ? success() : writeFront(layers, groups, fixed);
  }

  /// Budgets from the least to the most, with what each would lose.
  LogicalResult writeFront(ArrayRef<Layer> layers, const std::vector<std::vector<KnapsackChoice>> &groups,
                           double fixed) {
    double least = 0, most = 0;
    for (const Layer &layer : layers)
      least += layer.bytes(0), most += layer.bytes(kNumWidths - 1);
    llvm::json::Array points;
    constexpr int count = 24;
    for (int i = 0; i <= count; ++i) {
      const double budget = least * 1.001 + (most - least * 1.001) * i / count;
      const std::vector<size_t> chosen = solveKnapsack(groups, budget);
      if (chosen.empty() && !layers.empty())
        continue;
      double loss = 0, bytes = fixed;
      llvm::json::Object bits;
      for (auto [g, choices] : llvm::enumerate(groups)) {
        loss += choices[chosen[g]].loss;
        bytes += choices[chosen[g]].cost;
        bits[layers[g].name] = kWidths[chosen[g]];
      }
      points.push_back(llvm::json::Object{{"bytes", bytes}, {"loss_nats", loss}, {"weight_bits", std::move(bits)}});
    }
    llvm::json::Value all = llvm::json::Object{{"version", 1}, {"front", std::move(points)}};
    if (llvm::Error error = writeFileAtomically(frontFile, llvm::formatv("{0:2}\n", all).str()))
      return emitError(getOperation().getLoc(), llvm::toString(std::move(error)));
    return success();
  }
};

} // namespace
