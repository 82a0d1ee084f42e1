//===- FitWeightsStreams.cpp - A function with and without casts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FitWeights.h"

#include "mlir/IR/Threading.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::quantize;

/// Images [B, C, H, W] of floats, or [B, H, W, C] of bytes, shifted by a 25th of the height and a 32nd of the width, at
/// least a pixel: up or down and left or right in turn, by `turn`. What is pushed out on one side is missed on the
/// other: the edge is repeated there.
static Tensor shiftedCopy(const Tensor &images, size_t turn) {
  const bool bytes = images.kind() == ElementKind::I8;
  ArrayRef<int64_t> shape = images.shape();
  const int64_t outer = bytes ? shape[0] : shape[0] * shape[1], height = shape[bytes ? 1 : 2],
                width = shape[bytes ? 2 : 3], inner = bytes ? shape[3] : 1;
  const int64_t down = std::max<int64_t>(1, height / 25) * (turn & 1 ? 1 : -1),
                right = std::max<int64_t>(1, width / 32) * (turn & 2 ? 1 : -1);
  Tensor result = Tensor::allocate(images.kind(), shape);
  auto copy = [&](const auto *from, auto *to) {
    for (int64_t i = 0; i < outer; ++i, from += height * width * inner)
      for (int64_t y = 0; y < height; ++y)
        for (int64_t x = 0; x < width; ++x, to += inner) {
          const int64_t row = std::clamp<int64_t>(y - down, 0, height - 1),
                        column = std::clamp<int64_t>(x - right, 0, width - 1);
          std::copy_n(from + (row * width + column) * inner, inner, to);
        }
  };
  if (bytes)
    copy(images.data<uint8_t>(), result.mutableData<uint8_t>());
  else
    copy(images.data<float>(), result.mutableData<float>());
  return result;
}

FailureOr<std::unique_ptr<Streams>> Streams::create(func::FuncOp function, const CalibrationImages &images,
                                                    bool completesSums, bool shifted) {
  std::unique_ptr<Streams> streams(new Streams(function.getContext(), images.size(), images.batchSize()));
  streams->completesSums = completesSums;
  InterpreterOptions real;
  real.ignoreCasts = true;
  FailureOr<std::unique_ptr<Interpreter>> withoutCasts = Interpreter::create(function, real);
  FailureOr<std::unique_ptr<Interpreter>> withCasts = Interpreter::create(function);
  if (failed(withoutCasts) || failed(withCasts))
    return failure();
  streams->withoutCasts = std::move(*withoutCasts);
  streams->withCasts = std::move(*withCasts);
  const size_t runs = images.batches() * (shifted ? 2 : 1);
  streams->exact.resize(runs);
  streams->coded.resize(runs);
  streams->exactResults.resize(runs);
  streams->wantedResults.resize(runs);
  auto begin = [&](size_t run) -> LogicalResult {
    FailureOr<Tensor> input = images.batch(streams->batchOf(run), function.getLoc());
    if (failed(input))
      return failure();
    if (run >= images.batches())
      *input = shiftedCopy(*input, run);
    FailureOr<Interpreter::Run> exact = streams->withoutCasts->begin(*input);
    FailureOr<Interpreter::Run> coded = streams->withCasts->begin(*input);
    if (failed(exact) || failed(coded))
      return failure();
    streams->exact[run] = std::move(*exact);
    streams->coded[run] = std::move(*coded);
    return success();
  };
  if (failed(failableParallelForEachN(function.getContext(), 0, runs, begin)))
    return failure();
  return streams;
}

void Streams::forRuns(llvm::function_ref<void(size_t)> body) const { parallelFor(context, 0, runs(), body); }

/// The other terms of the sums that `value` goes into and nothing else reads.
static SmallVector<Value> otherTerms(Value value) {
  SmallVector<Value> terms;
  while (value.hasOneUse()) {
    auto sum = dyn_cast<vit::AddOp>(*value.user_begin());
    if (!sum)
      break;
    terms.push_back(sum.getLhs() == value ? sum.getRhs() : sum.getLhs());
    value = sum.getResult();
  }
  return terms;
}

/// `result` and what `with` lacks of `without`, two tensors of its shape, in its place.
static void addDifference(Tensor &result, const Tensor &without, const Tensor &with) {
  Tensor sum = Tensor::allocate(ElementKind::F32, result.shape());
  for (int64_t i = 0; i < sum.numElements(); ++i)
    sum.mutableData<float>()[i] = result.data<float>()[i] + (without.data<float>()[i] - with.data<float>()[i]);
  result = sum;
}

LogicalResult Streams::runUntil(Operation *op) {
  const SmallVector<Value> terms = completesSums ? otherTerms(op->getResult(0)) : SmallVector<Value>();
  return failableParallelForEachN(context, 0, runs(), [&](size_t run) -> LogicalResult {
    SmallVector<Tensor> results;
    if (failed(exact[run].runUntil(op)) || failed(exact[run].compute({}, results)) || failed(coded[run].runUntil(op)))
      return failure();
    exactResults[run] = wantedResults[run] = results.front();
    for (Value term : terms) {
      const Tensor without = exact[run].valueOf(term), with = coded[run].valueOf(term);
      // A term that comes later, is broadcast, or is held in codes has no say.
      const bool isKnown = llvm::all_of(ArrayRef<Tensor>{without, with}, [&](const Tensor &tensor) {
        return !tensor.empty() && tensor.kind() == ElementKind::F32 && tensor.shape() == results.front().shape();
      });
      if (isKnown)
        addDifference(wantedResults[run], without, with);
    }
    return success();
  });
}

FailureOr<std::vector<Tensor>> Streams::compute(const Tensor &weight, const Tensor &bias) const {
  SmallVector<std::pair<unsigned, Tensor>> replaced;
  if (!weight.empty())
    replaced.emplace_back(1, weight);
  if (!bias.empty())
    replaced.emplace_back(2, bias);
  std::vector<Tensor> all(runs());
  if (failed(failableParallelForEachN(context, 0, runs(), [&](size_t run) -> LogicalResult {
        SmallVector<Tensor> results;
        if (failed(coded[run].compute(replaced, results)))
          return failure();
        all[run] = results.front();
        return success();
      })))
    return failure();
  return all;
}

void Streams::finish(ArrayRef<Tensor> codedResults) {
  for (size_t run = 0; run < runs(); ++run) {
    exact[run].skip(exactResults[run]);
    coded[run].skip(codedResults[run]);
    exactResults[run] = wantedResults[run] = Tensor();
  }
}
