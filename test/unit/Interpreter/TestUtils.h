//===- TestUtils.h - Running IR text in tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_INTERPRETER_TESTUTILS_H
#define VITQ_TEST_UNIT_INTERPRETER_TESTUTILS_H

#include "vitq/Interpreter/Interpreter.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace vitq::test {

/// A context with the dialects of every phase; keeps the errors that were emitted.
class InterpreterTest : public ::testing::Test {
protected:
  InterpreterTest() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::func::FuncDialect, mlir::arith::ArithDialect, mlir::quant::QuantDialect, vit::VitDialect,
                    integer::VitqDialect>();
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler(
        [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  }

  /// An interpreter for `func.func @main` with the given signature and body.
  std::unique_ptr<Interpreter> create(const std::string &text, InterpreterOptions options = {}) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << errors;
    if (!module)
      return nullptr;
    auto interpreter = Interpreter::create(*module, options);
    return failed(interpreter) ? nullptr : std::move(*interpreter);
  }

  /// The results of a module for `inputs`; none after an error.
  std::vector<Tensor> run(const std::string &text, llvm::ArrayRef<Tensor> inputs, InterpreterOptions options = {}) {
    std::unique_ptr<Interpreter> interpreter = create(text, options);
    llvm::SmallVector<Tensor> results;
    if (!interpreter || failed(interpreter->run(inputs, results)))
      return {};
    return {results.begin(), results.end()};
  }

  /// The results of one op: `op` uses %a, %b ... of `types` and gives %r.
  std::vector<Tensor> runOp(const std::string &op, const std::vector<std::string> &types, const std::string &result,
                            llvm::ArrayRef<Tensor> inputs, InterpreterOptions options = {}) {
    std::string arguments;
    for (size_t i = 0; i < types.size(); ++i)
      arguments += std::string(i ? ", %" : "%") + static_cast<char>('a' + i) + ": " + types[i];
    std::vector<Tensor> results = run("func.func @main(" + arguments + ") -> " + result + " {\n  %r = " + op +
                                          "\n  return %r : " + result + "\n}",
                                      inputs, options);
    EXPECT_EQ(results.size(), 1u) << errors;
    if (results.empty())
      results.push_back(Tensor::of<int32_t>({0}, {}));
    return results;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string errors;
};

template <typename T>
std::vector<T> valuesOf(const Tensor &tensor) {
  if (tensor.kind() != kindOf<T>()) {
    ADD_FAILURE() << "a tensor of " << toString(tensor.kind()).str();
    return {};
  }
  return tensor.values<T>().vec();
}

inline void expectNear(const Tensor &tensor, const std::vector<double> &expected, double tolerance = 1e-6) {
  std::vector<float> values = valuesOf<float>(tensor);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], tolerance) << "element " << i;
}

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_INTERPRETER_TESTUTILS_H
