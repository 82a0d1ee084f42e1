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
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Target/Isa/NonlinearCost.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Isa/ProductCost.h"
#include "vitq/Target/PortableC.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vitq;

namespace {

class PortableCTarget : public Target {
public:
  PortableCTarget(TargetDesc desc, const TargetOptions &options) : options(options) { native.target = std::move(desc); }

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
  LogicalResult describe(ModuleOp module, const EmitRequest &request, TargetFacts &facts) override;

private:
  LogicalResult checkBudgets(ModuleOp module, const Manifest &manifest, const NativeFacts &facts) const;

  TargetOptions options;
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
                                                    {".json", "the manifest of the program"},
                                                    {".bin", "the file of weights (--weights=separate)"}};
    static const EmitKind kinds[] = {{"c", "freestanding C99, header and manifest", ".c",
                                      "C is written with its header and manifest", true, besides}};
    return kinds;
  }

  ArrayRef<TargetFlag> flags() const override {
    static constexpr TargetFlag all[] = {{"weights", "C compilers"}, {"ram", "C compilers"}, {"flash", "C compilers"}};
    return all;
  }

  llvm::Expected<std::unique_ptr<Target>> parse(StringRef config, const TargetOptions &options) const override {
    if (!config.empty())
      return llvm::createStringError("--target=c has no configuration, but there is '" + config +
                                     "'; what the C is compiled for is said to its compiler");
    llvm::Expected<TargetDesc> desc = TargetDesc::parse(kPortable);
    if (!desc)
      return desc.takeError();
    return std::make_unique<PortableCTarget>(std::move(*desc), options);
  }
};

} // namespace

/// Machine code for Cortex-M4 and RV32IM is 0.16 to 0.2 bytes for each of its C (-O2): some room beside that.
static int64_t estimateCode(StringRef source) { return static_cast<int64_t>(source.size()) / 4; }

/// Lines of nothing but numbers are constants, which weightBytes counts.
static std::string withoutConstants(StringRef source) {
  std::string code;
  for (StringRef rest = source; !rest.empty();) {
    auto [line, after] = rest.split('\n');
    if (line.starts_with("#ifdef VITQ_PROGRAM"))
      break;
    if (line.find_first_not_of("0123456789,};") != StringRef::npos && !line.starts_with("VITQ_CONSTANT("))
      code += line.str() + "\n";
    rest = after;
  }
  return code;
}

/// The first thing that does not fit, and what would.
LogicalResult PortableCTarget::checkBudgets(ModuleOp module, const Manifest &manifest, const NativeFacts &facts) const {
  if (facts.ramBudget && *facts.ramBytes > *facts.ramBudget) {
    InFlightDiagnostic error = emitError(UnknownLoc::get(module.getContext()))
                               << "the program needs " << *facts.ramBytes << " bytes of RAM beside the stack ("
                               << manifest.arenaBytes << " of arena, " << manifest.input.bytes() << " of input, "
                               << manifest.outputBytes() << " of output), but --ram gives " << *facts.ramBudget;
    if (auto peak = module->getAttrOfType<DictionaryAttr>(kArenaPeakAttr)) {
      auto node = peak.getAs<StringAttr>("node");
      error << "; the arena holds most at " << (node ? "'" + node.str() + "'" : "one step") << ", with buffers of ";
      llvm::interleaveComma(peak.getAs<DenseI64ArrayAttr>("bytes").asArrayRef(), error);
      error << " bytes at once: no order of steps that keeps them takes less than " << manifest.arenaLowerBound;
    }
    return error << "; give --ram=" << (*facts.ramBytes + 1023) / 1024
                 << "K, or compile a model of fewer tokens or channels";
  }
  if (facts.flashBudget && *facts.flashBytes > *facts.flashBudget)
    return emitError(UnknownLoc::get(module.getContext()))
           << "the program needs about " << *facts.flashBytes << " bytes of flash (" << *facts.weightBytes
           << " of constants, the rest machine code by an estimate), but --flash gives " << *facts.flashBudget
           << "; give --flash=" << (*facts.flashBytes + 1023) / 1024
           << "K, or weights of fewer bits (--weight-bits=4, --bits=auto:size=N)";
  return success();
}

/// Nothing is written unless all of it fits.
LogicalResult PortableCTarget::emit(ModuleOp module, const EmitRequest &request, TargetFacts &facts) {
  native.name = request.name;
  native.stem = llvm::sys::path::stem(request.output).str();
  if (StringRef(native.stem).find_first_of("\"\\\n\r") != StringRef::npos)
    return module.emitError(
        "the C includes its header by the name of the file, which has a quote, a backslash or a new "
        "line in it: give -o another name");
  std::string text;
  WeightBlob blob, *weights = options.weights == WeightPlacement::Separate ? &blob : nullptr;
  llvm::raw_string_ostream os(text);
  if (failed(emitPortableC(module, native, os, weights)))
    return failure();
  readSizes(module, facts.native);
  readSteps(module, native, facts.native);
  const Manifest program = describeProgram(module, native, /*codeBytes=*/0);
  facts.native.ramBytes = static_cast<int64_t>(program.arenaBytes + program.input.bytes() + program.outputBytes());
  facts.native.flashBytes = facts.native.weightBytes.value_or(0) + estimateCode(withoutConstants(text));
  if (options.ramBudget)
    facts.native.ramBudget = options.ramBudget;
  if (options.flashBudget)
    facts.native.flashBudget = options.flashBudget;
  if (failed(checkBudgets(module, program, facts.native)))
    return failure();
  const std::string header = portableHeaderOf(module, native, weights),
                    manifest = manifestOf(module, native, /*codeBytes=*/0);
  SmallVector<std::pair<std::string, StringRef>> files = {{request.output, text},
                                                          {siblingOf(request.output, ".h"), header},
                                                          {siblingOf(request.output, ".json"), manifest}};
  if (weights)
    files.emplace_back(siblingOf(request.output, ".bin"), weights->bytes);
  return writeTogether(module, files);
}

LogicalResult PortableCTarget::describe(ModuleOp module, const EmitRequest &, TargetFacts &facts) {
  readSizes(module, facts.native);
  return success();
}

std::unique_ptr<TargetBackend> vitq::createPortableCBackend() { return std::make_unique<PortableCBackend>(); }
