//===- Launch.cpp - Calls of the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Launch.h"

#include "mlir/IR/Matchers.h"
#include "vitq/Simulator/Simulator.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// void vitq_array_launch(int32_t, char *const *): part of whatever runs the program.
static func::FuncOp launchFunction(ModuleOp module) {
  if (auto found = module.lookupSymbol<func::FuncOp>(simulator::kLaunchSymbol))
    return found;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  // With bare pointers the extent is of no consequence.
  auto pointers = MemRefType::get({1}, b.getI64Type());
  auto function = func::FuncOp::create(b, UnknownLoc::get(module.getContext()), simulator::kLaunchSymbol,
                                       b.getFunctionType({b.getI32Type(), pointers}, {}));
  function.setPrivate();
  return function;
}

/// Stores the addresses of `buffers` in an array and hands it over.
static void emitLaunch(Emitter &e, func::FuncOp function, Value number, ValueRange buffers) {
  const auto count = static_cast<int64_t>(buffers.size());
  Type i64 = e.b.getI64Type();
  Value pointers = e.op<memref::AllocaOp>(MemRefType::get({count}, i64));
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    Value address = e.op<memref::ExtractAlignedPointerAsIndexOp>(buffer);
    e.store(e.op<arith::IndexCastOp>(i64, address), pointers, e.index(static_cast<int64_t>(i)));
  }
  auto type = cast<MemRefType>(function.getArgumentTypes()[1]);
  Value first = memref::ReinterpretCastOp::create(e.b, e.loc, type, pointers, /*offset=*/0, ArrayRef<int64_t>{1},
                                                  ArrayRef<int64_t>{1});
  func::CallOp::create(e.b, e.loc, function, ValueRange{number, first});
}

Values vitq::kernels::lowerLaunch(systolic::LaunchOp op, int64_t number, KernelModule &module, MemrefOf memrefOf) {
  func::FuncOp function = launchFunction(op->getParentOfType<ModuleOp>());
  OpBuilder &b = module.builder();
  Values buffers, results;
  for (Value input : op.getInputs())
    if (!matchPattern(input, m_Constant()))
      buffers.push_back(memrefOf(input));
  for (Value output : op.getOutputs()) {
    auto type = cast<RankedTensorType>(output.getType());
    results.push_back(module.alloc(op.getLoc(), type.getShape(), elementOf(output)));
  }
  buffers.append(results);
  Values args = buffers;
  args.push_back(arith::ConstantIntOp::create(b, op.getLoc(), b.getI32Type(), number));
  const Step step(op.getLoc(), systolic::LaunchOp::getOperationName().str(), op.getMacs());
  module.call(step, "array_launch", args,
              [&](Emitter &e, ValueRange in) { emitLaunch(e, function, in.back(), in.drop_back()); });
  return results;
}
