//===- SystolicSetTarget.cpp - Name the array of a module -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/systolic/Systolic.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Target/Systolic/Wishes.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "systolic-set-target"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

namespace vitq {
#define GEN_PASS_DEF_SYSTOLICSETTARGETPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

namespace {
struct SystolicSetTarget : vitq::impl::SystolicSetTargetPassBase<SystolicSetTarget> {
  using SystolicSetTargetPassBase::SystolicSetTargetPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    SystolicSetTargetPassBase::getDependentDialects(registry);
    registerSystolicKernelTarget(registry);
  }

  void runOnOperation() override {
    if (failed(run()))
      signalPassFailure();
  }

private:
  LogicalResult run() {
    ModuleOp module = getOperation();
    Location loc = UnknownLoc::get(&getContext());
    llvm::Expected<simulator::Config> parsed = simulator::Config::parse(config);
    if (!parsed)
      return emitError(loc, llvm::toString(parsed.takeError()));
    llvm::Expected<PlacementWishes> wishes = PlacementWishes::parse(place);
    if (!wishes)
      return emitError(loc, llvm::toString(wishes.takeError()));
    if (std::string name = wishes->unusedName(module); !name.empty())
      return emitError(loc) << "place: no op and no node is called '" << name << "'";
    if (std::optional<simulator::Config> own = configOf(module))
      return module.emitError() << "is in the form of an array already, systolic:" << own->str();
    LDBG() << "array " << parsed->str() << ", wishes '" << place << "'";
    module->setAttr(integer::kTargetAttr, ConfigAttr::get(&getContext(), parsed->str()));
    if (!place.empty())
      module->setAttr(kWishesAttr, StringAttr::get(&getContext(), place.getValue()));
    return success();
  }
};
} // namespace
