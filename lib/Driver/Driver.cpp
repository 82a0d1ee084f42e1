//===- Driver.cpp - One command from a model to a program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/Driver.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Data/ByteImages.h"
#include "vitq/Data/Preprocess.h"
#include "vitq/Data/Synthetic.h"
#include "vitq/Driver/FlagRules.h"
#include "vitq/Driver/Measure.h"
#include "vitq/InitAll.h"
#include "vitq/Report/Report.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/PassStages.h"
#include "vitq/Target/Onnx.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

namespace vitq {

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

FailureOr<OwningOpRef<ModuleOp>> parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer, llvm::StringRef name,
                                             MLIRContext *context) {
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, context);
  if (!module || failed(refuseElided(*module, name)))
    return failure();
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> loadModule(llvm::StringRef path, MLIRContext *context,
                                            const frontend::ImportOptions &options) {
  Stage stage("read the model");
  if (path.ends_with_insensitive(".onnx"))
    return frontend::importOnnx(path, context, options);
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer) {
    emitError(UnknownLoc::get(context)) << "cannot read '" << path << "': " << buffer.getError().message();
    return failure();
  }
  return parseModule(std::move(*buffer), path, context);
}

llvm::Error printModule(ModuleOp module, llvm::raw_ostream &os, bool bytecode) {
  if (!bytecode) {
    // What is written is never elided, whatever the flags of diagnostics say.
    constexpr int64_t all = std::numeric_limits<int64_t>::max();
    module->print(os, OpPrintingFlags().enableDebugInfo().elideLargeElementsAttrs(all).elideLargeResourceString(all));
    os << "\n";
  } else if (failed(writeBytecodeToFile(module, os))) {
    return llvm::createStringError("the module cannot be written as bytecode");
  }
  return llvm::Error::success();
}

LogicalResult writeModule(ModuleOp module, llvm::StringRef path, bool bytecode) {
  llvm::Error error =
      writeFileAtomically(path, [&](llvm::raw_ostream &os) { return printModule(module, os, bytecode); });
  if (error)
    return emitError(UnknownLoc::get(module.getContext()), llvm::toString(std::move(error)));
  return success();
}

/// What quantizing a float module needs, and what the user may have forgotten.
static LogicalResult checkCalibration(ModuleOp module, const CompileOptions &options) {
  Location loc = UnknownLoc::get(module.getContext());
  if (options.data.empty() && options.loadRanges.empty() && !hasRanges(module))
    return emitError(
        loc, "quantizing needs calibration: give images with --calibration-data=FOLDER, or ranges of an earlier "
             "run with --load-ranges=FILE");
  if (data::SyntheticSpec::isMeant(options.data.getValue()))
    emitWarning(loc,
                "--calibration-data=synthetic is a last resort: ranges, and whatever else is measured, are those of "
                "pictures that were made up, and real ones may go beyond. It cost 2 to 3 dB where that was measured "
                "(docs/Recipes.md, Calibration without images); a few real images are better");
  if (!options.data.empty() && options.preprocess.empty() && !module->hasAttr(data::kReadsBytesAttr))
    emitWarning(loc, "without --preprocess images are only scaled to 0..1; a model trained with mean and std wants "
                     "--preprocess=mean=M,std=S, or @preprocessor_config.json");
  return success();
}

/// Classes can be counted where an output has them.
static LogicalResult checkLabels(ModuleOp module, const DriverOptions &options) {
  func::FuncOp main = lookupMain(module);
  if (options.reportLabels.empty() || !main)
    return success();
  for (Type type : main.getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && tensor.getRank() == 2)
      return success();
  return emitError(UnknownLoc::get(module.getContext()),
                   "--report-labels needs an output [batch, classes], and the model gives none; choose one with "
                   "--output=NAME, or leave --report-labels out");
}

/// What choosing algorithms needs, before the work that comes first.
static LogicalResult checkNonlinear(ModuleOp module, const CompileOptions &options) {
  Location loc = UnknownLoc::get(module.getContext());
  llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(options.nonlinear);
  if (!choice)
    return emitError(loc, "--nonlinear: ") << llvm::toString(choice.takeError());
  if (choice->hasAuto() && options.recipe != Recipe::IVit && options.data.empty())
    return emitError(loc, "--nonlinear=auto measures on images: give a folder with --calibration-data")
           << (options.loadRanges.empty() ? "" : " instead of --load-ranges");
  return success();
}

/// Runs the passes between the module's phase and the wanted one. `reference` receives
/// the calibrated float module, if there is one and a report wants it.
static LogicalResult runPhases(ModuleOp module, const DriverOptions &options, Report &report,
                               OwningOpRef<ModuleOp> &reference) {
  Phase now = getPhase(module);
  if (failed(checkLabels(module, options)))
    return failure();
  if (now == Phase::Float && options.stopAfter > Phase::Float && failed(checkCalibration(module, options.compile)))
    return failure();
  if (now < Phase::Integer && options.stopAfter >= Phase::Integer && failed(checkNonlinear(module, options.compile)))
    return failure();
  if (now != Phase::Float)
    report.recordRanges(module);
  PhaseHooks hooks;
  hooks.calibrated = [&](ModuleOp calibrated) {
    report.recordRanges(calibrated);
    if (!options.reports.empty() && options.stopAfter >= Phase::Integer)
      reference = calibrated.clone();
  };
  return lowerToPhase(module, options.stopAfter, options.compile, hooks);
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

/// The batch is set when the integer phase is complete: calibration and everything that
/// is measured is about single images. What is written earlier is the imported model,
/// with the batch where it leaves it open.
static bool setsBatch(const DriverOptions &options) {
  return options.targetOptions.batch > 1 && options.stopAfter >= Phase::Integer;
}

/// What an ONNX model leaves open: as the flags say, or as large as images become.
static llvm::Expected<frontend::ImportOptions> importOptions(const DriverOptions &options) {
  frontend::ImportOptions result;
  result.batch = setsBatch(options) ? 1 : options.targetOptions.batch;
  result.outputs = options.outputs;
  for (const std::string &shape : options.shapes)
    if (llvm::Error error = frontend::parseInputShape(shape, result))
      return llvm::createStringError("--shape: " + llvm::toString(std::move(error)));
  if (options.compile.preprocess.empty())
    return result;
  llvm::Expected<data::Preprocess> preprocess = data::parsePreprocess(options.compile.preprocess.getValue());
  if (!preprocess) {
    llvm::consumeError(preprocess.takeError()); // An error of its own.
  } else if (std::optional<data::Size> size = data::resultSize(*preprocess)) {
    result.height = size->height;
    result.width = size->width;
  } else if (options.stopAfter == Phase::Float) {
    return llvm::createStringError("--preprocess has no effect on the float model but by resize= or crop=, which give "
                                   "the height and width that a model leaves open");
  }
  return result;
}

/// From the integer phase to what was asked for.
static LogicalResult emitTarget(ModuleOp module, Target &target, const DriverOptions &options, llvm::StringRef kind,
                                Report &report) {
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  // What --mlir-print-ir-after-all and its like ask for, where they are registered.
  (void)applyPassManagerCLOptions(pm);
  pm.addInstrumentation(std::make_unique<PassStages>());
  // Which vitq-form-kernels asks.
  if (Attribute capabilities = target.capabilities(module.getContext());
      isa_and_present<integer::KernelTargetAttrInterface>(capabilities))
    module->setAttr(integer::kTargetAttr, capabilities);
  if (failed(target.addPasses(module, pm)) || failed(pm.run(module)))
    return failure();
  const EmitRequest request{kind, programName(options), options.output, !options.reports.empty(),
                            !options.reports.empty() && options.reportTimes};
  TargetFacts facts;
  facts.native.target = options.target;
  if (!isModuleKind(kind)) {
    if (failed(target.emit(module, request, facts)))
      return failure();
  } else if (failed(writeModule(module, options.output, kind == "bytecode")) ||
             failed(target.describe(module, request, facts))) {
    return failure();
  }
  report.setNative(std::move(facts.native));
  if (facts.array)
    report.setArray(std::move(*facts.array));
  return success();
}

/// The target, and which of its kinds is written.
static llvm::Error openTarget(const DriverOptions &options, std::unique_ptr<Target> &target, llvm::StringRef &kind) {
  if (std::string problem = checkEmit(options); !problem.empty())
    return llvm::createStringError(problem);
  if (!needsTarget(options)) {
    if (kind.empty())
      kind = "mlir";
    return llvm::Error::success();
  }
  const TargetName name = cantFail(findTarget(options.target)); // Checked above.
  if (kind.empty())
    kind = options.stopAfter == Phase::Target ? name.backend->emitKinds().front().name : "mlir";
  return name.backend->parse(name.config, options.targetOptions).moveInto(target);
}

/// What is made of the target alone. Flags about a model would have no effect.
static llvm::Error emitAlone(const Target &target, const DriverOptions &options, llvm::StringRef kind) {
  if (options.input != "-")
    return llvm::createStringError("--emit=" + kind + " is made of --target=" + options.target + " alone: leave out '" +
                                   options.input + "'");
  for (const auto &[name, text] : options.given)
    if (name != "target" && name != "emit" && name != "compile")
      return llvm::createStringError(text + " has no effect: --emit=" + kind +
                                     " is made of --target=" + options.target + " alone");
  return target.emitAlone({kind, programName(options), options.output});
}

LogicalResult compile(const DriverOptions &options, MLIRContext *context) {
  registerAllTargets();
  // First what would make all the work useless.
  std::unique_ptr<Target> target;
  llvm::StringRef kind = options.emit;
  if (llvm::Error error = openTarget(options, target, kind))
    return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  for (const std::string &path : options.reports)
    if (llvm::Error error = checkWritable(path))
      return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  if (const EmitKind *own = target ? cantFail(findTarget(options.target)).backend->findEmitKind(kind) : nullptr;
      own && own->needsNoModel) {
    if (llvm::Error error = emitAlone(*target, options, kind))
      return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
    return success();
  }
  std::optional<StageRecorder> recorder;
  if (options.reportTimes && !options.reports.empty())
    recorder.emplace();
  FailureOr<OwningOpRef<ModuleOp>> module = failure();
  if (llvm::Expected<frontend::ImportOptions> imported = importOptions(options))
    module = loadModule(options.input, context, *imported);
  else
    return emitError(UnknownLoc::get(context), llvm::toString(imported.takeError()));
  if (failed(module))
    return failure();
  // What the phase of a module decides is known only now.
  if (std::string problem = findIdleFlag(options, getPhase(**module)); !problem.empty())
    return emitError(UnknownLoc::get(context), problem);
  Report report;
  report.setInput(options.input, options.compile.nonlinear.getValue());
  report.setOptions(describeOptions(options.compile));
  OwningOpRef<ModuleOp> reference;
  if (failed(runPhases(**module, options, report, reference)))
    return failure();
  if (options.stopAfter >= Phase::Integer)
    report.recordIntegerModule(**module);
  if (reference && failed(measure(*reference, **module, options, report)))
    return failure();
  if (setsBatch(options) && options.stopAfter == Phase::Integer &&
      failed(setBatch(**module, options.targetOptions.batch)))
    return failure();
  if (options.stopAfter == Phase::Target) {
    if (failed(emitTarget(**module, *target, options, kind, report)))
      return failure();
  } else if (failed(kind == kOnnxKind ? writeOnnx(**module, options.output, options.externalData)
                                      : writeModule(**module, options.output, kind == "bytecode"))) {
    return failure();
  }
  if (recorder)
    report.setStages(recorder->stages());
  for (const std::string &path : options.reports)
    if (llvm::Error error = report.write(path))
      return emitError(UnknownLoc::get(context), llvm::toString(std::move(error)));
  return success();
}

} // namespace vitq
