//===- census.cpp - A pass of one's own among vitq's -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts the ops of a model where dequantization has been deferred, and once more
// when everything is an integer.
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Driver/Driver.h"
#include "vitq/InitAll.h"

#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include <map>

namespace {

class CensusPass : public mlir::PassWrapper<CensusPass, mlir::OperationPass<mlir::ModuleOp>> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CensusPass)
  llvm::StringRef getArgument() const final { return "census"; }
  llvm::StringRef getDescription() const final { return "Print how often each op of vit and vitq occurs"; }

  void runOnOperation() final {
    std::map<llvm::StringRef, unsigned> counts;
    uint64_t macs = 0;
    getOperation().walk([&](mlir::Operation *op) {
      if (llvm::isa<vitq::vit::VitDialect, vitq::integer::VitqDialect>(op->getDialect()))
        ++counts[op->getName().getStringRef()];
      if (auto matmul = llvm::dyn_cast<vitq::integer::MatmulOp>(op))
        macs += matmul.getType().getNumElements() * matmul.getLhs().getType().getShape().back();
    });
    llvm::outs() << "census:\n";
    for (auto [name, count] : counts)
      llvm::outs() << "  " << name << " " << count << "\n";
    if (macs)
      llvm::outs() << "  multiply-accumulates " << macs << "\n";
  }
};

} // namespace

int main(int argc, char **argv) {
  if (argc != 4) {
    llvm::errs() << "usage: census MODEL.onnx CALIBRATION-IMAGES PREPROCESS\n";
    return 2;
  }
  mlir::DialectRegistry registry;
  vitq::registerAllDialects(registry);
  vitq::registerAllPasses();
  vitq::registerAllPipelines();
  mlir::PassRegistration<CensusPass>();

  mlir::MLIRContext context(registry);
  auto model = vitq::loadModule(argv[1], &context);
  if (failed(model))
    return 1;
  // vitq-compile, taken apart.
  const std::string pipeline = "builtin.module(vitq-to-float,vitq-to-quantized{data=" + std::string(argv[2]) +
                               " preprocess=" + argv[3] + "},vitq-to-deferred,census,vitq-to-integer,census)";
  auto passes = mlir::parsePassPipeline(pipeline);
  if (failed(passes))
    return 1;
  mlir::PassManager manager(&context);
  static_cast<mlir::OpPassManager &>(manager) = std::move(*passes);
  return failed(manager.run(**model));
}
