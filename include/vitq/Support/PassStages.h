//===- PassStages.h - Passes as stages of a compilation -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_PASSSTAGES_H
#define VITQ_SUPPORT_PASSSTAGES_H

#include "vitq/Support/Stages.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"

#include <optional>

namespace vitq {

/// Records every pass that works on a module, by the name of its flag. Passes nested
/// in one count as part of it: they may run in other threads.
class PassStages : public mlir::PassInstrumentation {
public:
  void runBeforePass(mlir::Pass *pass, mlir::Operation *op) override {
    if (op->getParentOp())
      return;
    llvm::StringRef flag = pass->getArgument();
    stage.emplace(flag.empty() ? pass->getName() : flag);
  }
  void runAfterPass(mlir::Pass *, mlir::Operation *op) override {
    if (!op->getParentOp())
      stage.reset();
  }
  void runAfterPassFailed(mlir::Pass *pass, mlir::Operation *op) override { runAfterPass(pass, op); }

private:
  std::optional<Stage> stage;
};

} // namespace vitq

#endif // VITQ_SUPPORT_PASSSTAGES_H
