//===- IntegerKernel.cpp - Ops that are computed together --*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

namespace {

/// One op of the body, with the numbers of the values it reads and defines.
struct BodyStep {
  Kernel kernel;
  SmallVector<unsigned, 3> operands;
  unsigned firstResult, numResults;
};

/// A body: its arguments are the first values.
struct Body {
  std::vector<BodyStep> steps;
  std::vector<std::pair<unsigned, Tensor>> constants;
  SmallVector<unsigned> yielded;
  unsigned numValues = 0;

  LogicalResult run(ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) const;
};

} // namespace

LogicalResult Body::run(ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) const {
  std::vector<Tensor> values(numValues);
  llvm::copy(in, values.begin());
  for (const auto &[number, tensor] : constants)
    values[number] = tensor;
  for (const BodyStep &step : steps) {
    SmallVector<Tensor, 4> operands;
    for (unsigned number : step.operands)
      operands.push_back(values[number]);
    if (failed(step.kernel(operands, MutableArrayRef(values).slice(step.firstResult, step.numResults))))
      return failure();
  }
  for (auto [result, number] : llvm::zip_equal(out, yielded))
    result = values[number];
  return success();
}

Kernel interp::compileKernel(integer::KernelOp op, const Engine &engine) {
  Body body;
  llvm::DenseMap<Value, unsigned> numbers;
  auto define = [&](Value value) { numbers[value] = body.numValues++; };
  Block &block = op.getBody().front();
  llvm::for_each(block.getArguments(), define);
  for (Operation &inner : block.without_terminator()) {
    const unsigned firstResult = body.numValues;
    llvm::for_each(inner.getResults(), define);
    if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
      FailureOr<Tensor> tensor = loadConstant(constant, constant.getValue(), ElementKind::F32);
      if (failed(tensor))
        return {};
      body.constants.emplace_back(firstResult, *tensor);
      continue;
    }
    BodyStep step{engine.compile(&inner), {}, firstResult, inner.getNumResults()};
    if (!step.kernel)
      return {};
    for (Value operand : inner.getOperands())
      step.operands.push_back(numbers.lookup(operand));
    body.steps.push_back(std::move(step));
  }
  for (Value value : block.getTerminator()->getOperands())
    body.yielded.push_back(numbers.lookup(value));
  return [body = std::move(body)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) { return body.run(in, out); };
}
