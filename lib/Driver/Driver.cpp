//===- Driver.cpp - One command from a model to a program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/Driver.h"

#include "EmitNative.h"
#include "Measure.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Report/Report.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/Progress.h"
#include "vitq/Target/TargetDesc.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace vitq {

Phase getPhase(ModuleOp module) {
  bool integerOps = false, quantizedContraction = false, quantizedTypes = false;
  module.walk([&](Operation *op) {
    integerOps |= op->getName().getDialectNamespace() == "vitq";
    for (Value operand : op->getOperands()) {
      bool quantized = getQuantizedType(operand) != nullptr;
      quantizedContraction |= quantized && isa<vit::LinearOp, vit::MatmulOp>(op);
      quantizedTypes |= quantized;
    }
  });
  if (integerOps)
    return Phase::Integer;
  if (quantizedContraction)
    return Phase::Deferred;
  return quantizedTypes ? Phase::Quantized : Phase::Float;
}

/// An elided constant reads back as a resource without data: its weights are gone.
static LogicalResult refuseElided(ModuleOp module, llvm::StringRef path) {
  WalkResult result = module.walk([&](arith::ConstantOp op) {
    auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue());
    if (!resource || (resource.getRawHandle().getBlob() && resource.getRawHandle().getKey() != "__elided__"))
      return WalkResult::advance();
    op.emitError() << "'" << path << "': constant '" << resource.getRawHandle().getKey()
                   << "' has no data: the file was printed with elided constants; write it again without eliding";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

FailureOr<OwningOpRef<ModuleOp>> loadModule(llvm::StringRef path, MLIRContext *context, int64_t batch) {
  if (path.ends_with_insensitive(".onnx"))
    return frontend::importOnnx(path, context, {batch});
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    emitError(UnknownLoc::get(context)) << "cannot read '" << path << "': " << buffer.getError().message();
    return failure();
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  if (!module || failed(refuseElided(*module, path)))
    return failure();
  return module;
}

LogicalResult writeModule(ModuleOp module, llvm::StringRef path, bool bytecode) {
  llvm::Error error = writeFileAtomically(path, [&](llvm::raw_ostream &os) -> llvm::Error {
    if (!bytecode) {
      // What is written is never elided, whatever the flags of diagnostics say.
      constexpr int64_t all = std::numeric_limits<int64_t>::max();
      module->print(os, OpPrintingFlags().enableDebugInfo().elideLargeElementsAttrs(all).elideLargeResourceString(all));
      os << "\n";
    } else if (failed(writeBytecodeToFile(module, os))) {
      return llvm::createStringError("cannot write bytecode");
    }
    return llvm::Error::success();
  });
  if (error)
    return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
  return success();
}

namespace {
/// Passes done, on a terminal.
class PassProgress : public PassInstrumentation {
public:
  PassProgress(size_t passes) : progress("compiling, passes", passes) {}
  void runAfterPass(Pass *, Operation *) override { progress.advance(1); }

private:
  Progress progress;
};
} // namespace

static LogicalResult runPhase(ModuleOp module, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager pm(module.getContext());
  add(pm);
  pm.addInstrumentation(std::make_unique<PassProgress>(pm.size()));
  return pm.run(module);
}

static llvm::StringRef nonlinearName(const CompileOptions &options) {
  return vit::stringifyAlgorithm(options.nonlinear);
}

/// Runs the passes between the module's phase and the wanted one. `reference` receives
/// the calibrated float module, if there is one and a report wants it.
static LogicalResult runPhases(ModuleOp module, const DriverOptions &options, Report &report,
                               OwningOpRef<ModuleOp> &reference) {
  Phase now = getPhase(module);
  Phase last = options.stopAfter;
  if (now == Phase::Float) {
    if (failed(runPhase(module, addFloatPasses)))
      return failure();
    if (last == Phase::Float)
      return success();
    const CompileOptions &compile = options.compile;
    bool ranges = module
                      .walk([](Operation *op) {
                        return op->hasAttr(kRangeAttr) ? WalkResult::interrupt() : WalkResult::advance();
                      })
                      .wasInterrupted();
    if (compile.data.empty() && compile.loadRanges.empty() && !ranges)
      return emitError(
          UnknownLoc::get(module.getContext()),
          "quantizing needs calibration: give images with --calibration-data=FOLDER, or ranges of an earlier "
          "run with --load-ranges=FILE");
    if (!compile.data.empty() && compile.preprocess.empty())
      emitWarning(UnknownLoc::get(module.getContext()),
                  "without --preprocess images are only scaled to 0..1; a model trained with mean and std wants "
                  "--preprocess=mean=M,std=S, or @preprocessor_config.json");
    if (compile.data.empty() && compile.loadRanges.empty() && !compile.preprocess.empty() &&
        !module->hasAttr(kPreprocessAttr))
      module->setAttr(kPreprocessAttr, StringAttr::get(module.getContext(), compile.preprocess));
    if (failed(runPhase(module, [&](OpPassManager &pm) { addCalibratePasses(pm, compile); })))
      return failure();
    report.recordRanges(module);
    if (!options.reports.empty() && last >= Phase::Integer)
      reference = module.clone();
    if (failed(runPhase(module, [&](OpPassManager &pm) { addQuantizePasses(pm, compile); })))
      return failure();
  } else {
    report.recordRanges(module);
  }
  if (now <= Phase::Quantized && last >= Phase::Deferred && failed(runPhase(module, addDeferPasses)))
    return failure();
  if (now <= Phase::Deferred && last >= Phase::Integer &&
      failed(runPhase(module, [&](OpPassManager &pm) { addIntegerPasses(pm, options.compile); })))
    return failure();
  return success();
}

static std::string programName(const DriverOptions &options) {
  std::string name = options.name;
  if (name.empty())
    name = llvm::sys::path::stem(options.output == "-" ? options.input : options.output).str();
  // The name becomes a C identifier.
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  if (name.empty() || llvm::isDigit(name[0]))
    name.insert(0, "_");
  return name;
}

LogicalResult compile(const DriverOptions &options, MLIRContext *context) {
  // Before the work that a wrong name would make useless.
  if (options.stopAfter == Phase::Target)
    if (llvm::Expected<TargetDesc> target = TargetDesc::parse(options.target); !target)
      return emitError(UnknownLoc::get(context), llvm::toString(target.takeError()));
  for (const std::string &path : options.reports)
    if (llvm::Error error = checkWritable(path))
      return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  FailureOr<OwningOpRef<ModuleOp>> module = loadModule(options.input, context, options.batch);
  if (failed(module))
    return failure();
  Report report;
  report.setInput(options.input, nonlinearName(options.compile));
  report.setOptions(describeOptions(options.compile));
  OwningOpRef<ModuleOp> reference;
  if (failed(runPhases(**module, options, report, reference)))
    return failure();
  if (options.stopAfter >= Phase::Integer)
    report.recordIntegerModule(**module);
  if (reference && failed(measure(*reference, **module, options, report)))
    return failure();
  if (options.stopAfter == Phase::Target) {
    NativeRequest request{programName(options), options.target, options.output, options.emit};
    FailureOr<NativeFacts> facts = emitNative(**module, request);
    if (failed(facts))
      return failure();
    report.setNative(*facts);
  } else if (failed(writeModule(**module, options.output, options.emit == OutputKind::Bytecode))) {
    return failure();
  }
  for (const std::string &path : options.reports)
    if (llvm::Error error = report.write(path))
      return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  return success();
}

} // namespace vitq
