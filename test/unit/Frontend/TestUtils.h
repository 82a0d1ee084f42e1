//===- TestUtils.h - Importing and running in tests --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_FRONTEND_TESTUTILS_H
#define VITQ_TEST_UNIT_FRONTEND_TESTUTILS_H

#include "dialects/vit/Vit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Transforms/Passes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace vitq::test {

/// A context, and what it reported.
struct Session {
  mlir::MLIRContext context;
  std::string messages;
  mlir::ScopedDiagnosticHandler handler;

  Session()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          messages += diagnostic.str() + "\n";
          return mlir::success();
        }) {
    context.disableMultithreading();
  }

  /// Null after an error.
  mlir::OwningOpRef<mlir::ModuleOp> import(const std::string &path, int64_t batch = 1) {
    frontend::ImportOptions options;
    options.batch = batch;
    auto module = frontend::importOnnx(path, &context, options);
    return failed(module) ? mlir::OwningOpRef<mlir::ModuleOp>() : std::move(*module);
  }

  bool recover(mlir::ModuleOp module, bool verifyFloat = true) {
    mlir::PassManager manager(&context);
    manager.addPass(createVitRecoverPatternsPass());
    if (verifyFloat)
      manager.addPass(createVitVerifyFloatPass());
    return succeeded(manager.run(module));
  }
};

inline std::vector<double> run(mlir::ModuleOp module, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
  InterpreterOptions options;
  options.useDouble = true;
  auto interpreter = Interpreter::create(module, options);
  if (failed(interpreter))
    return {};
  llvm::SmallVector<vitq::Tensor> results;
  if (failed((*interpreter)->run({vitq::Tensor::of<float>(shape, values)}, results)))
    return {};
  llvm::ArrayRef<double> result = results.front().values<double>();
  return std::vector<double>(result.begin(), result.end());
}

/// The largest difference of elements; infinite when there are no results.
template <typename A, typename B>
double maxDifference(const A &a, const B &b) {
  if (a.size() != b.size() || a.empty())
    return INFINITY;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

inline unsigned countOps(mlir::ModuleOp module, llvm::StringRef name) {
  unsigned count = 0;
  module.walk([&](mlir::Operation *op) { count += op->getName().getStringRef() == name; });
  return count;
}

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_FRONTEND_TESTUTILS_H
