//===- CommandLine.cpp - vitq-opt's own command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/CommandLine.h"

#include "CompilerFlags.h"
#include "DiagnosticPrinter.h"
#include "vitq/Analysis/BitChoice.h"
#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Data/Synthetic.h"
#include "vitq/Driver/Driver.h"
#include "vitq/Driver/FlagRules.h"
#include "vitq/InitAll.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Debug.h"
#include "llvm/Support/InitLLVM.h"

using namespace mlir;

namespace vitq {
namespace {

/// LLVM's code generator registers some of our names for debugging flags of its own
/// (`--stop-after`); here they mean what vitq says.
void takeOptionNames() {
  auto &registered = llvm::cl::getRegisteredOptions();
  SmallVector<StringRef> names = {"compile",        "stop-after",       "emit",
                                  "target",         "host-target",      "place",
                                  "name",           "openmp",           "batch",
                                  "batch-schedule", "weights",          "ram",
                                  "flash",          "calibration-data", "calibration-limit",
                                  "preprocess",     "nonlinear",        "nonlinear-budget",
                                  "lut-method",     "report",           "report-data",
                                  "report-labels",  "report-limit",     "report-times"};
  names.append(quantizationFlags().begin(), quantizationFlags().end());
  for (StringRef name : names)
    if (llvm::cl::Option *option = registered.lookup(name))
      option->removeArgument();
}

/// What is wrong with the numbers, or nothing. A number that is not given may have a
/// value of its own that means so.
std::string checkNumbers(const CompilerFlags &flags) {
  auto outside = [](const auto &option, auto low, auto high) {
    return option.getNumOccurrences() && !(option >= low && option <= high);
  };
  constexpr int64_t any = std::numeric_limits<int64_t>::max();
  if (outside(flags.batch, 1, 4096))
    return "--batch must be 1 to 4096";
  if (outside(flags.limit, 0, any))
    return "--calibration-limit must be at least 0 (0: all images)";
  if (outside(flags.reportLimit, 0, any))
    return "--report-limit must be at least 0";
  if (flags.splitOutliers != 0 && outside(flags.splitOutliers, 1, std::numeric_limits<double>::max()))
    return "--split-outliers must be at least 1, or 0 for none";
  if (outside(flags.ownScales, 0, 127))
    return "--own-scales must be 0 to 127";
  if (outside(flags.weightBits, 2U, 8U))
    return "--weight-bits must be 2 to 8";
  if (outside(flags.activationBits, 2U, 8U))
    return "--activation-bits must be 2 to 8";
  if (llvm::Expected<BitChoice> choice = BitChoice::parse(flags.bits); !choice)
    return "--bits: " + llvm::toString(choice.takeError());
  if (outside(flags.headroom, 1, 16))
    return "--headroom must be 1 to 16";
  if (outside(flags.nonlinearBudget, 0, 200))
    return "--nonlinear-budget must be 0 to 200 dB";
  if (llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(flags.nonlinear); !choice)
    return "--nonlinear: " + llvm::toString(choice.takeError());
  return {};
}

/// Bytes as in 262144, 256K or 1M, where K is 1024; 0 if the text is none.
int64_t bytesOf(StringRef text) {
  const int64_t unit = text.consume_back_insensitive("K") ? 1 << 10 : text.consume_back_insensitive("M") ? 1 << 20 : 1;
  int64_t number = 0;
  return text.getAsInteger(10, number) || number < 1 || number > (int64_t(1) << 40) / unit ? 0 : number * unit;
}

/// What is wrong with a size, or nothing.
std::string readSize(const llvm::cl::opt<std::string> &flag, int64_t &bytes) {
  bytes = bytesOf(flag.getValue());
  if (!flag.getNumOccurrences() || bytes > 0)
    return {};
  return ("--" + flag.ArgStr + "='" + flag.getValue() + "' is no size: give bytes, or as in 256K and 1M").str();
}

std::string readInto(const CompilerFlags &flags, DriverOptions &options) {
  options.stopAfter = flags.stopAfter;
  options.emit = emitKinds()[static_cast<size_t>(flags.emit.getValue())].name.str();
  options.target = flags.target;
  options.targetOptions.hostTarget = flags.hostTarget;
  options.targetOptions.place = flags.place;
  options.externalData = flags.externalData;
  options.targetOptions.openmp = flags.openmp;
  options.targetOptions.batch = flags.batch;
  options.targetOptions.batchSchedule = flags.batchSchedule;
  options.targetOptions.weights = flags.weights;
  options.shapes.assign(flags.shapes.begin(), flags.shapes.end());
  options.name = flags.name;
  options.outputs.assign(flags.outputs.begin(), flags.outputs.end());
  options.reports.assign(flags.reports.begin(), flags.reports.end());
  options.reportData = flags.reportData;
  options.reportLabels = flags.reportLabels;
  options.reportLimit = flags.reportLimit;
  options.reportTimes = flags.reportTimes;
  options.compile.data = flags.data.getValue();
  options.compile.limit = flags.limit.getValue();
  options.compile.preprocess = flags.preprocess.getValue();
  options.compile.saveRanges = flags.saveRanges.getValue();
  options.compile.loadRanges = flags.loadRanges.getValue();
  options.compile.nonlinear = flags.nonlinear.getValue();
  options.compile.lutMethod = flags.lutMethod.getValue();
  options.compile.nonlinearBudget = flags.nonlinearBudget.getValue();
  options.compile.target = flags.target.getValue();
  options.compile.hostTarget = flags.hostTarget.getValue();
  options.compile.recipe = flags.recipe.getValue();
  options.compile.splitOutliers = flags.splitOutliers.getValue();
  options.compile.ownScales = flags.ownScales.getValue();
  options.compile.rotateResidual = flags.rotateResidual.getValue();
  options.compile.rotateHeads = flags.rotateHeads.getValue();
  options.compile.rotateHidden = flags.rotateHidden.getValue();
  options.compile.shiftChannels = flags.shiftChannels.getValue();
  options.compile.weightBits = flags.weightBits.getValue();
  options.compile.activationBits = flags.activationBits.getValue();
  options.compile.bits = flags.bits.getValue();
  options.compile.fitWeights = flags.fitWeights.getValue();
  options.compile.bitsFront = flags.bitsFront.getValue();
  options.compile.centerChannels = flags.centerChannels.getValue();
  options.compile.fitCodeRanges = flags.fitCodeRanges.getValue();
  options.compile.seed = flags.seed.getValue();
  options.compile.headScales = flags.headScales.getValue();
  options.compile.normScales = flags.normScales.getValue();
  options.compile.fitFunctionRanges = flags.fitFunctionRanges.getValue();
  options.compile.biasCompensation = flags.biasCompensation.getValue();
  options.compile.observer = flags.observer.getValue();
  options.compile.headroom = flags.headroom.getValue();
  if (isModuleKind(options.emit) && !flags.stopAfter.getNumOccurrences())
    options.stopAfter = options.emit == kOnnxKind ? Phase::Quantized : Phase::Integer;
  if (std::string problem = readSize(flags.ram, options.targetOptions.ramBudget); !problem.empty())
    return problem;
  if (std::string problem = readSize(flags.flash, options.targetOptions.flashBudget); !problem.empty())
    return problem;
  if (std::string problem = checkEmit(options); !problem.empty())
    return problem;
  if (std::string problem = checkNumbers(flags); !problem.empty())
    return problem;
  if (data::SyntheticSpec::isMeant(options.compile.data.getValue()))
    if (llvm::Error error = data::SyntheticSpec::parse(options.compile.data.getValue()).takeError())
      return "--calibration-data: " + llvm::toString(std::move(error));
  // An ONNX model is a float model; of a module nothing is known yet.
  const bool isOnnx = StringRef(options.input).ends_with_insensitive(".onnx");
  if (std::string problem = findIdleFlag(options, isOnnx ? std::optional(Phase::Float) : std::nullopt);
      !problem.empty())
    return problem;
  if (options.reportData.empty() && !options.reportLabels.empty() && options.compile.data.empty())
    return "--report-labels needs the images: give --report-data=FOLDER";
  return {};
}

/// The options of the compiler that were given, by name, as they were written.
std::map<std::string, std::string> givenFlags(const CompilerFlags &flags, ArrayRef<const char *> arguments) {
  std::map<std::string, std::string> given;
  auto &registered = llvm::cl::getRegisteredOptions();
  for (auto [i, word] : llvm::enumerate(arguments)) {
    StringRef argument = word;
    auto [name, value] = argument.ltrim('-').split('=');
    llvm::cl::Option *option = argument.starts_with("-") ? registered.lookup(name) : nullptr;
    if (!option || !option->getNumOccurrences() || !llvm::is_contained(option->Categories, &flags.category))
      continue;
    const bool valueFollows = !argument.contains('=') && i + 1 < arguments.size() &&
                              option->getValueExpectedFlag() == llvm::cl::ValueRequired;
    given[name.str()] = valueFollows ? (argument + " " + arguments[i + 1]).str() : argument.str();
  }
  return given;
}

/// What is wrong with the options of a call that does not compile, or nothing.
std::string checkUncompiled(const std::map<std::string, std::string> &given, StringRef input) {
  for (const auto &[name, text] : given)
    if (name != "compile" &&
        !((name == "batch" || name == "output" || name == "shape") && input.ends_with_insensitive(".onnx")))
      return text + " is for compiling a model: give --compile too";
  return {};
}

/// Flags of mlir-opt that mean nothing beside --compile, and what to do instead.
constexpr std::pair<StringLiteral, StringLiteral> kUncompiledFlags[] = {
    {"emit-bytecode", "give --emit=bytecode"},
    {"split-input-file", "compile one model at a time"},
    {"verify-diagnostics", "run the passes one by one"},
    {"show-dialects", "leave out --compile"},
    {"run-reproducer", "leave out --compile"},
    {"dump-pass-pipeline", "give it with --vitq-compile, the pipeline of the same passes"},
};

/// Passes and the rest of mlir-opt are for vitq-opt as an mlir-opt.
std::string checkNoPasses(DialectRegistry &registry) {
  for (auto [name, instead] : kUncompiledFlags)
    if (llvm::cl::Option *option = llvm::cl::getRegisteredOptions().lookup(name); option && option->getNumOccurrences())
      return ("--" + name + " has no effect with --compile: " + instead).str();
  MLIRContext context(registry);
  PassManager pm(&context);
  if (failed(MlirOptMainConfig::createFromCLOptions().setupPassPipeline(pm)) || pm.size() == 0)
    return {};
  std::string text;
  llvm::raw_string_ostream(text) << pm.getPasses().begin()->getArgument();
  return "--" + text +
         " has no effect with --compile, which runs passes of its own: write a module with --stop-after=PHASE and run "
         "the pass on it";
}

int fail(const llvm::Twine &problem) {
  llvm::errs() << "vitq-opt: error: " << problem << "\n";
  return 1;
}

int runCompiler(const CompilerFlags &flags, DialectRegistry &registry, StringRef input, StringRef output,
                std::map<std::string, std::string> given) {
  DriverOptions options;
  options.given = std::move(given);
  options.input = input.str();
  options.output = output.str();
  if (std::string problem = readInto(flags, options); !problem.empty())
    return fail(problem);
  if (std::string problem = checkNoPasses(registry); !problem.empty())
    return fail(problem);
  MLIRContext context(registry);
  DiagnosticPrinter diagnostics(&context, input);
  return failed(compile(options, &context));
}

/// mlir-opt on an imported model.
int runPassesOnOnnx(const CompilerFlags &flags, DialectRegistry &registry, StringRef input, StringRef output) {
  MLIRContext context(registry);
  DiagnosticPrinter diagnostics(&context, input);
  frontend::ImportOptions import;
  import.batch = flags.batch;
  import.outputs.assign(flags.outputs.begin(), flags.outputs.end());
  for (const std::string &shape : flags.shapes)
    if (llvm::Error error = frontend::parseInputShape(shape, import))
      return fail("--shape: " + llvm::toString(std::move(error)));
  FailureOr<OwningOpRef<ModuleOp>> module = loadModule(input, &context, import);
  if (failed(module))
    return 1;
  PassManager pm(&context);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (failed(applyPassManagerCLOptions(pm)) || failed(config.setupPassPipeline(pm)) || failed(pm.run(**module)))
    return 1;
  return failed(writeModule(**module, output, config.shouldEmitBytecode()));
}

/// --help is about compiling a model; --help-hidden has the passes, and what MLIR and
/// LLVM register for themselves.
void hideOtherOptions(llvm::cl::OptionCategory &own) {
  auto &registered = llvm::cl::getRegisteredOptions();
  for (auto [name, option] : registered) {
    const bool shown =
        llvm::is_contained(option->Categories, &own) || name == "help" || name == "help-hidden" || name == "version";
    if (!shown && option->getOptionHiddenFlag() == llvm::cl::NotHidden)
      option->setHiddenFlag(llvm::cl::Hidden);
  }
}

#ifndef NDEBUG
/// --debug-only, which the libraries of LLVM lack when they were built without assertions.
struct DebugFlags {
  /// LLVM's own, if it is there after all.
  bool isNew = [] {
    llvm::cl::Option *option = llvm::cl::getRegisteredOptions().lookup("debug-only");
    if (option)
      option->removeArgument();
    return !option;
  }();
  llvm::cl::list<std::string> types{"debug-only", llvm::cl::CommaSeparated, llvm::cl::value_desc("pass,..."),
                                    llvm::cl::desc("Log what these passes decide"), llvm::cl::Hidden};

  void apply() {
    if (types.empty())
      return;
    llvm::DebugFlag = true;
    const auto names = llvm::map_to_vector(types, [](const std::string &type) { return type.c_str(); });
    llvm::setCurrentDebugTypes(const_cast<const char **>(names.data()), names.size());
  }
};
#endif

} // namespace

int runVitqOpt(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerAllDialects(registry);
  mlir::registerAllPasses();
  registerAllPasses();
  registerAllPipelines();
  takeOptionNames();
  CompilerFlags flags;
#ifndef NDEBUG
  DebugFlags debug;
#endif
  registerCLIOptions("", registry);
  hideOtherOptions(flags.category);
  llvm::cl::SetVersionPrinter(
      [](llvm::raw_ostream &os) { os << "vitq " VITQ_VERSION " with LLVM " LLVM_VERSION_STRING "\n"; });
  auto [input, output] = parseCLIOptions(argc, argv,
                                         "vitq: integer-only vision transformers\n\n"
                                         "Without --compile: an mlir-opt, with a flag for each pass (--help-hidden)\n");
#ifndef NDEBUG
  debug.apply();
#endif
  std::map<std::string, std::string> given = givenFlags(flags, ArrayRef<const char *>(argv, argc).drop_front());
  if (flags.wanted())
    return runCompiler(flags, registry, input, output, std::move(given));
  if (std::string problem = checkUncompiled(given, input); !problem.empty())
    return fail(problem);
  if (StringRef(input).ends_with_insensitive(".onnx"))
    return runPassesOnOnnx(flags, registry, input, output);
  return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
}

} // namespace vitq
