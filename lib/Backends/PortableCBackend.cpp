//===- PortableCBackend.cpp - Programs as C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeProgram.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Backends/Backends.h"
#include "vitq/Target/Isa/NonlinearCost.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Isa/ProductCost.h"
#include "vitq/Target/PortableC.h"

using namespace mlir;
using namespace vitq;

namespace {

class PortableCTarget : public Target {
public:
  explicit PortableCTarget(TargetDesc desc) { native.target = std::move(desc); }

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
  LogicalResult addPasses(ModuleOp, OpPassManager &pm) override {
    buildVitqToPortableCPipeline(pm, native.fuse);
    return success();
  }
  LogicalResult emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;
  LogicalResult describe(ModuleOp module, const EmitRequest &, TargetFacts &facts) override {
    readSizes(module, facts.native);
    return success();
  }

private:
  NativeOptions native;
};

class PortableCBackend : public TargetBackend {
public:
  StringRef name() const override { return "c"; }
  StringRef subject() const override { return "C compilers"; }
  StringRef syntax() const override { return "c"; }
  StringRef example() const override { return "c"; }

  ArrayRef<EmitKind> emitKinds() const override {
    static constexpr EmitKind::Sibling besides[] = {{".h", "the header of the program"},
                                                    {".json", "the manifest of the program"}};
    static const EmitKind kinds[] = {{"c", "freestanding C99, header and manifest", ".c",
                                      "C is written with its header and manifest", true, besides}};
    return kinds;
  }

  llvm::Expected<std::unique_ptr<Target>> parse(StringRef config, const TargetOptions &) const override {
    if (!config.empty())
      return llvm::createStringError("--target=c has no configuration, but there is '" + config +
                                     "'; what the C is compiled for is said to its compiler");
    llvm::Expected<TargetDesc> desc = TargetDesc::parse(kPortable);
    if (!desc)
      return desc.takeError();
    return std::make_unique<PortableCTarget>(std::move(*desc));
  }
};

} // namespace

LogicalResult PortableCTarget::emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) {
  native.name = request.name;
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(describe(module, request, facts)) || failed(emitPortableC(module, native, os)))
    return failure();
  const std::string header = headerOf(module, native), manifest = manifestOf(module, native, /*codeBytes=*/0);
  return writeTogether(module, {{request.output, text},
                                {siblingOf(request.output, ".h"), header},
                                {siblingOf(request.output, ".json"), manifest}});
}

std::unique_ptr<TargetBackend> vitq::createPortableCBackend() { return std::make_unique<PortableCBackend>(); }
