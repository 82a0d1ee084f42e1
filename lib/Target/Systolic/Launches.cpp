//===- Launches.cpp - Launches in the interpreter -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Launches.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Analysis/CodeSigns.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

/// A kernel that runs launch `number`: constants come from the image, other operands are bytes as a program has them.
static InterpreterOptions::Kernel makeKernel(LaunchOp launch, uint32_t number, const simulator::Program &program,
                                             std::shared_ptr<const CodeSigns> signs) {
  SmallVector<Value> inputs(launch.getInputs());
  SmallVector<Type> results(launch.getResultTypes());
  return [=, &program](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    // Nothing is written there: operands are inputs or results.
    SmallVector<char *> pointers;
    SmallVector<Tensor> operandBytes;
    const std::vector<simulator::Operand> &operands = program.launches[number].operands;
    for (size_t i = 0; i < in.size(); ++i) {
      operandBytes.push_back(signs->inMemory(in[i], inputs[i]));
      pointers.push_back(const_cast<char *>(isConstant(inputs[i]) ? program.image.data() + operands[i].offset
                                                                  : operandBytes.back().bytes()));
    }
    for (auto [tensor, type] : llvm::zip(out, results)) {
      tensor = Tensor::allocate(*storageKindOf(getElementTypeOrSelf(type)), cast<RankedTensorType>(type).getShape());
      std::fill_n(tensor.mutableBytes(), tensor.numBytes(), char(0));
      pointers.push_back(tensor.mutableBytes());
    }
    simulator::Executor(program).run(number, pointers);
    return success();
  };
}

InterpreterOptions systolic::interpretLaunches(ModuleOp module, const simulator::Program &program) {
  DenseMap<Operation *, uint32_t> numbers;
  auto signs = std::make_shared<CodeSigns>();
  if (func::FuncOp main = lookupMain(module)) {
    for (auto [number, launch] : llvm::enumerate(main.getOps<LaunchOp>()))
      numbers[launch] = static_cast<uint32_t>(number);
    // Whoever made the program has found them.
    if (FailureOr<CodeSigns> found = CodeSigns::of(main); succeeded(found))
      *signs = std::move(*found);
  }
  InterpreterOptions options;
  options.external = [=, &program](Operation *op) -> InterpreterOptions::Kernel {
    auto launch = dyn_cast<LaunchOp>(op);
    auto found = numbers.find(op);
    return launch && found != numbers.end() ? makeKernel(launch, found->second, program, signs)
                                            : InterpreterOptions::Kernel();
  };
  return options;
}
