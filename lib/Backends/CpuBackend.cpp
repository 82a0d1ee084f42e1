//===- CpuBackend.cpp - Programs for CPUs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeProgram.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Backends/Backends.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/Stages.h"
#include "vitq/Target/Isa/NonlinearCost.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Isa/ProductCost.h"
#include "vitq/Target/OnnxOperator.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace vitq;

/// Weights of this size are still in a cache (L3) when the next image needs them. Then
/// nothing is gained by computing a step for several images, whose activations would be
/// too many for L1 and L2.
static constexpr int64_t kCachedWeights = 32 << 20;

bool vitq::computesInTurn(ModuleOp module, BatchSchedule schedule) {
  func::FuncOp main = lookupMain(module);
  const bool ofOneImage = main && llvm::all_of(main.getArgumentTypes(), [](Type type) {
                            auto tensor = dyn_cast<RankedTensorType>(type);
                            return tensor && tensor.getRank() > 0 && tensor.getDimSize(0) == 1;
                          });
  if (!ofOneImage)
    return false;
  if (schedule != BatchSchedule::Auto)
    return schedule == BatchSchedule::InTurn;
  int64_t weights = 0;
  module.walk([&](arith::ConstantOp constant) {
    if (auto type = dyn_cast<RankedTensorType>(constant.getType()))
      weights += type.getNumElements() * type.getElementTypeBitWidth() / 8;
  });
  return weights <= kCachedWeights;
}

namespace {

class CpuTarget : public Target {
public:
  CpuTarget(TargetDesc desc, const TargetOptions &options) : options(options) {
    native.target = std::move(desc);
    native.openmp = options.openmp;
  }

  Attribute capabilities(MLIRContext *context) const override {
    context->getOrLoadDialect<integer::VitqDialect>();
    return integer::CpuAttr::get(context, native.target.text);
  }
  double nonlinearCost(StringRef function, const AlgorithmSpec &spec, unsigned inputBits) const override {
    return ::vitq::nonlinearCost(function, spec, inputBits, native.target);
  }
  /// Energy is not modelled.
  std::optional<double> productCost(const ProductWork &work, Effort effort, MLIRContext *) const override {
    return effort == Effort::Latency ? std::optional(::vitq::productCost(work, native.target)) : std::nullopt;
  }
  double functionCost(StringRef function, int64_t elements, Effort) const override {
    return static_cast<double>(elements) * nonlinearCost(function, AlgorithmSpec(), 8);
  }
  LogicalResult addPasses(ModuleOp module, OpPassManager &pm) override;
  LogicalResult emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;
  LogicalResult describe(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;

private:
  LogicalResult writeText(ModuleOp module, const EmitRequest &request) const;
  LogicalResult writeProgram(ModuleOp module, StringRef object, const EmitRequest &request, uint64_t codeBytes) const;

  TargetOptions options;
  NativeOptions native;
};

class CpuBackend : public TargetBackend {
public:
  StringRef name() const override { return kDefaultBackend; }
  StringRef subject() const override { return "CPUs"; }
  StringRef syntax() const override { return "native or CPU+FEATURES"; }
  StringRef example() const override { return "x86-64-v4+avx512vnni"; }

  ArrayRef<EmitKind> emitKinds() const override {
    static constexpr EmitKind::Sibling besides[] = {{".h", "the header of the object"},
                                                    {".json", "the manifest of the object"}};
    static constexpr EmitKind::Sibling library[] = {{kOnnxOperatorSuffix, "the library of the model's operator"}};
    static const EmitKind kinds[] = {
        {"so", "shared library", ".so", "a shared library cannot be written to standard output", false, {}},
        {"obj", "object file, header and manifest", ".o", "an object is written with its header and manifest", false,
         besides},
        {"onnxruntime", "operator of ONNX Runtime and a model that calls it", ".onnx",
         "a model is written with the library of its operator", true, library},
        {"asm", "assembly", ".s", "", false, {}},
        {"llvm", "LLVM IR", ".ll", "", false, {}}};
    return kinds;
  }

  ArrayRef<TargetFlag> flags() const override {
    static constexpr TargetFlag all[] = {{"openmp", "CPUs"}, {"batch", "CPUs"}, {"batch-schedule", "CPUs"}};
    return all;
  }

  llvm::Expected<std::unique_ptr<Target>> parse(StringRef config, const TargetOptions &options) const override {
    llvm::Expected<TargetDesc> desc = parseMachine(config);
    if (!desc)
      return desc.takeError();
    return std::make_unique<CpuTarget>(std::move(*desc), options);
  }
};

} // namespace

LogicalResult CpuTarget::addPasses(ModuleOp module, OpPassManager &pm) {
  if (options.batch > 1) {
    if (computesInTurn(module, options.batchSchedule)) {
      native.turns = options.batch;
    } else {
      VitqSetBatchPassOptions batch;
      batch.batch = options.batch;
      pm.addPass(createVitqSetBatchPass(batch));
    }
  }
  buildVitqToLLVMPipeline(pm, native.target.text, native.fuse, native.openmp);
  return success();
}

LogicalResult CpuTarget::describe(ModuleOp module, const EmitRequest &, TargetFacts &facts) {
  readSizes(module, facts.native);
  readSteps(module, native, facts.native);
  return success();
}

LogicalResult CpuTarget::writeText(ModuleOp module, const EmitRequest &request) const {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream os(text);
  if (failed(request.kind == "llvm" ? emitLLVM(module, native, os) : emitAssembly(module, native, os)))
    return failure();
  return reportError(module, writeFileAtomically(request.output, text.str()));
}

LogicalResult CpuTarget::writeProgram(ModuleOp module, StringRef object, const EmitRequest &request,
                                      uint64_t codeBytes) const {
  Stage stage("link or write");
  if (request.kind == "so")
    return reportError(module, linkSharedObject(ArrayRef<char>(object.data(), object.size()), request.output));
  if (request.kind == "onnxruntime")
    return reportError(module, writeOnnxOperator(ArrayRef<char>(object.data(), object.size()),
                                                 describeProgram(module, native, codeBytes), request.output));
  const std::string header = headerOf(module, native), manifest = manifestOf(module, native, codeBytes);
  return writeTogether(module, {{request.output, object},
                                {siblingOf(request.output, ".h"), header},
                                {siblingOf(request.output, ".json"), manifest}});
}

LogicalResult CpuTarget::emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) {
  native.name = request.name;
  if (failed(describe(module, request, facts)))
    return failure();
  if (request.kind == "llvm" || request.kind == "asm")
    return writeText(module, request);
  FailureOr<llvm::SmallString<0>> object = compileObject(module, native, facts.native);
  if (failed(object))
    return failure();
  if (request.wantsMeasuredTimes && native.target.runsOnHost() &&
      failed(measureSteps(module, native, object->str(), facts.native)))
    return failure();
  return writeProgram(module, object->str(), request, static_cast<uint64_t>(*facts.native.codeBytes));
}

std::unique_ptr<TargetBackend> vitq::createCpuBackend() { return std::make_unique<CpuBackend>(); }
