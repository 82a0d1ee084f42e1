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

FailureOr<std::unique_ptr<Streams>> Streams::create(func::FuncOp function, const CalibrationImages &images,
                                                    bool completesSums) {
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
  const size_t runs = images.batches();
  streams->exact.resize(runs);
  streams->coded.resize(runs);
  streams->exactResults.resize(runs);
  streams->wantedResults.resize(runs);
  auto begin = [&](size_t run) -> LogicalResult {
    FailureOr<Tensor> input = images.batch(run, function.getLoc());
    if (failed(input))
      return failure();
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
