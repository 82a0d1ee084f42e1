//===- TestUtils.h - Helpers for the tests of lib/Calibration ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_CALIBRATION_TESTUTILS_H
#define VITQ_TEST_UNIT_CALIBRATION_TESTUTILS_H

#include "vitq/Calibration/Calibration.h"

#include "dialects/vit/Vit.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <string>

namespace vitq::calibration::test {

/// A folder that exists as long as the object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    if (llvm::sys::fs::createUniqueDirectory("vitq-test", folder))
      ADD_FAILURE() << "cannot make a temporary folder";
  }
  ~TemporaryFolder() { llvm::sys::fs::remove_directories(folder); }

  std::string path(llvm::StringRef name) const {
    llvm::SmallString<128> result(folder);
    llvm::sys::path::append(result, name);
    return std::string(result);
  }
  /// Writes a file and gives its path.
  std::string write(llvm::StringRef name, llvm::StringRef contents) const {
    std::error_code ec;
    llvm::raw_fd_ostream(path(name), ec) << contents;
    EXPECT_FALSE(ec) << name.str();
    return path(name);
  }

private:
  llvm::SmallString<128> folder;
};

/// A context with the dialects of a float model; keeps the errors that were emitted.
class ModuleTest : public ::testing::Test {
protected:
  ModuleTest() {
    context
        .loadDialect<mlir::func::FuncDialect, mlir::arith::ArithDialect, mlir::quant::QuantDialect, vit::VitDialect>();
    context.getDiagEngine().registerHandler(
        [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  }

  /// `@main` of a module with the given text.
  mlir::func::FuncOp parse(const std::string &text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << errors;
    return module ? module->lookupSymbol<mlir::func::FuncOp>("main") : nullptr;
  }
  /// The first op of a kind.
  template <typename Op>
  Op find(mlir::func::FuncOp function) {
    auto ops = function.getOps<Op>();
    return ops.empty() ? Op() : *ops.begin();
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string errors;
};

} // namespace vitq::calibration::test

#endif // VITQ_TEST_UNIT_CALIBRATION_TESTUTILS_H
