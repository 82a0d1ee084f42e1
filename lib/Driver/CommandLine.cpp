//===- CommandLine.cpp - vitq-opt's own command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/CommandLine.h"

#include "DiagnosticPrinter.h"
#include "vitq/Analysis/NonlinearChoice.h"
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

#include <cmath>

using namespace mlir;

namespace vitq {
namespace {

/// Reads one of the values of an option; an error names all of them.
template <typename T>
class ValueParser : public llvm::cl::parser<T> {
public:
  using llvm::cl::parser<T>::parser;

  bool parse(llvm::cl::Option &option, StringRef, StringRef text, T &value) {
    std::string names;
    for (const auto &known : this->Values) {
      if (known.Name == text) {
        value = known.V.getValue();
        return false;
      }
      names += (names.empty() ? "" : ", ") + known.Name.str();
    }
    return option.error("'" + text + "' is none of " + names);
  }
};

/// Reads a finite number.
class NumberParser : public llvm::cl::parser<double> {
public:
  using parser::parser;

  bool parse(llvm::cl::Option &option, StringRef, StringRef text, double &value) {
    if (text.getAsDouble(value) || !std::isfinite(value))
      return option.error("'" + text + "' is no finite number");
    return false;
  }
};

template <typename T>
using ValueOption = llvm::cl::opt<T, /*ExternalStorage=*/false, ValueParser<T>>;
using NumberOption = llvm::cl::opt<double, /*ExternalStorage=*/false, NumberParser>;

/// The values of --emit: those of every target, then those that one or another has.
const std::vector<EmitKind> &emitKinds() {
  static const std::vector<EmitKind> all = [] {
    std::vector<EmitKind> kinds(3);
    kinds[0].name = "mlir";
    kinds[0].description = "MLIR text";
    kinds[1].name = "bytecode";
    kinds[1].description = "MLIR bytecode";
    kinds[2].name = kOnnxKind;
    kinds[2].description = "ONNX model with QuantizeLinear and DequantizeLinear, of the quantized phase; with "
                           "--stop-after=integer one of the program's integers";
    for (const TargetBackend *backend : registeredTargets())
      for (const EmitKind &kind : backend->emitKinds())
        if (llvm::none_of(kinds, [&](const EmitKind &known) { return known.name == kind.name; }))
          kinds.push_back(kind);
    return kinds;
  }();
  return all;
}

/// An index into emitKinds.
enum class EmitIndex : unsigned {};

class EmitParser : public ValueParser<EmitIndex> {
public:
  explicit EmitParser(llvm::cl::Option &option) : ValueParser<EmitIndex>(option) {
    for (auto [i, kind] : llvm::enumerate(emitKinds()))
      addLiteralOption(kind.name, static_cast<EmitIndex>(i), kind.description);
  }
};

/// How --target is written.
std::string describeTargets() {
  std::string text;
  for (const TargetBackend *backend : registeredTargets())
    text += (text.empty() ? "" : "; or for " + backend->subject().str() + " ") + backend->syntax().str() + " (" +
            backend->example().str() + ")";
  return text;
}

/// The options of the compiler. mlir-opt registers its own beside them.
struct CompilerFlags {
  llvm::cl::OptionCategory category{"vitq: compiling a model"};
  llvm::cl::opt<bool> compile{"compile", llvm::cl::desc("Compile the model through all phases"),
                              llvm::cl::cat(category)};
  ValueOption<Phase> stopAfter{
      "stop-after", llvm::cl::desc("Stop compiling after this phase and write the module (implies --compile)"),
      llvm::cl::values(clEnumValN(Phase::Float, "float", "the recovered float model"),
                       clEnumValN(Phase::Quantized, "quantized", "calibrated, with casts"),
                       clEnumValN(Phase::Deferred, "deferred", "dequantization deferred"),
                       clEnumValN(Phase::Integer, "integer", "integers only"),
                       clEnumValN(Phase::Target, "target", "LLVM dialect, or tile programs of a systolic array")),
      llvm::cl::init(Phase::Target), llvm::cl::cat(category)};
  llvm::cl::opt<EmitIndex, /*ExternalStorage=*/false, EmitParser> emit{
      "emit", llvm::cl::desc("What to write (implies --compile)"), llvm::cl::init(EmitIndex()),
      llvm::cl::cat(category)};
  const std::string targets = describeTargets();
  llvm::cl::opt<std::string> target{"target", llvm::cl::desc(targets), llvm::cl::init("native"),
                                    llvm::cl::cat(category)};
  llvm::cl::opt<std::string> hostTarget{"host-target",
                                        llvm::cl::desc("CPU beside a systolic array, spelt as a --target (native)"),
                                        llvm::cl::init("native"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> place{
      "place",
      llvm::cl::desc("Ops that run on the systolic array or the host whatever the compiler would choose: "
                     "OP=array or OP=host, OP an op's or a node's name; several with commas"),
      llvm::cl::cat(category)};
  llvm::cl::list<std::string> outputs{
      "output", llvm::cl::CommaSeparated, llvm::cl::value_desc("NAME,..."),
      llvm::cl::desc("What of an ONNX model is compiled: outputs, or values or nodes of its graph (its first output)"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> name{"name", llvm::cl::desc("Name of the program (default: stem of the output file)"),
                                  llvm::cl::cat(category)};
  llvm::cl::opt<bool> externalData{"external-data",
                                   llvm::cl::desc("Of --emit=onnx: write the weights to a file beside the model"),
                                   llvm::cl::cat(category)};
  llvm::cl::opt<bool> openmp{"openmp", llvm::cl::desc("Make NAME_run_mt too, which runs in several threads (libomp)"),
                             llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> batch{"batch", llvm::cl::desc("Images of one run of the program (1)"), llvm::cl::init(1),
                               llvm::cl::cat(category)};
  llvm::cl::list<std::string> shapes{
      "shape", llvm::cl::desc("Shape of an input whose axes an ONNX model leaves open: INPUT:1x3x224x224"),
      llvm::cl::cat(category)};
  ValueOption<BatchSchedule> batchSchedule{
      "batch-schedule", llvm::cl::desc("How compiled code computes a batch"),
      llvm::cl::values(clEnumValN(BatchSchedule::Auto, "auto", "what reads less memory (default)"),
                       clEnumValN(BatchSchedule::Together, "together", "every step for all images"),
                       clEnumValN(BatchSchedule::InTurn, "in-turn", "all steps for one image after the other")),
      llvm::cl::init(BatchSchedule::Auto), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> data{"calibration-data",
                                  llvm::cl::desc("Images to calibrate on: a folder of JPEG or PNG, or .npy/.npz"),
                                  llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> limit{"calibration-limit", llvm::cl::desc("Calibrate on the first N images only (0 = all)"),
                               llvm::cl::init(0), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> preprocess{
      "preprocess", llvm::cl::desc("e.g. resize=248,crop=224,mean=0.5,std=0.5, or @preprocessor_config.json"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> saveRanges{"save-ranges", llvm::cl::desc("Write the calibrated ranges to this JSON file"),
                                        llvm::cl::cat(category)};
  llvm::cl::opt<std::string> loadRanges{"load-ranges",
                                        llvm::cl::desc("Use the ranges in this JSON file instead of calibrating"),
                                        llvm::cl::cat(category)};
  llvm::cl::opt<std::string> nonlinear{
      "nonlinear",
      llvm::cl::desc("Integer algorithms of nonlinear functions: table (default), shift, lut:N, poly, log2 or auto; "
                     "FUNCTION=ALGORITHM; @layers.json; several separated by commas"),
      llvm::cl::init("table"), llvm::cl::cat(category)};
  ValueOption<approximation::Method> lutMethod{"lut-method", llvm::cl::desc("How tables of lines (lut:N) are fitted"),
                                               CompileOptions::lutMethodValues(),
                                               llvm::cl::init(approximation::Method::Optimal), llvm::cl::cat(category)};
  NumberOption nonlinearBudget{"nonlinear-budget",
                               llvm::cl::desc("Loss of SQNR in dB that --nonlinear=auto accepts in a layer (0.5)"),
                               llvm::cl::init(0.5), llvm::cl::cat(category)};
  ValueOption<Recipe> recipe{"recipe", llvm::cl::desc("How tensors are quantized"), CompileOptions::recipeValues(),
                             llvm::cl::init(Recipe::Default), llvm::cl::cat(category)};
  ValueOption<Toggle> rotateResidual =
      toggle("rotate-residual", "Rotate the residual stream, so that no channel reaches far");
  ValueOption<Toggle> rotateHeads = toggle("rotate-heads", "Rotate queries, keys and values in each head");
  llvm::cl::opt<uint64_t> seed{"seed", llvm::cl::desc("Seed of the signs that rotations begin with"), llvm::cl::init(0),
                               llvm::cl::cat(category)};
  NumberOption splitOutliers{
      "split-outliers",
      llvm::cl::desc("Compute channels beyond this many times the median channel's maximum in 16 bits (0: none)"),
      llvm::cl::init(-1.0), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> ownScales{"own-scales",
                                   llvm::cl::desc("Give this many channels of GELU their own scale (0: none)"),
                                   llvm::cl::init(-1), llvm::cl::cat(category)};
  ValueOption<Toggle> headScales = toggle("head-scales", "One scale for each head of queries, keys and values");
  ValueOption<Toggle> normScales =
      toggle("norm-scales", "One scale for each channel of LayerNorm, folded into the next layer");
  ValueOption<Toggle> fitFunctionRanges =
      toggle("fit-function-ranges", "Choose the input range of GELU by the error of its output");
  ValueOption<Toggle> biasCompensation =
      toggle("bias-compensation", "Add to each bias what rounding the weights takes from the mean");
  llvm::cl::opt<std::string> observer{
      "observer",
      llvm::cl::desc("Ranges: KIND=minmax|percentile:P|mse,... with KIND residual, attention, function, argument, "
                     "linear or all"),
      llvm::cl::cat(category)};
  NumberOption headroom{"headroom",
                        llvm::cl::desc("Factor by which the residual stream's range exceeds the calibrated one"),
                        llvm::cl::init(0.0), llvm::cl::cat(category)};
  llvm::cl::list<std::string> reports{
      "report",
      llvm::cl::desc("Write a report: JSON or one HTML page when the path ends in .json or .html, else text; may be "
                     "given several times"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> reportData{
      "report-data", llvm::cl::desc("Images that the report measures on (default: those of the calibration)"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> reportLabels{"report-labels",
                                          llvm::cl::desc("Their classes, for the accuracy: .csv (file,class) or .npy"),
                                          llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> reportLimit{"report-limit",
                                     llvm::cl::desc("Images that are compared op by op (default 16, 0 = all)"),
                                     llvm::cl::init(16), llvm::cl::cat(category)};
  llvm::cl::opt<bool> reportTimes{
      "report-times", llvm::cl::desc("Report the time and memory of each pass (=false: reports that can be compared)"),
      llvm::cl::init(true), llvm::cl::cat(category)};

  ValueOption<Toggle> toggle(StringRef name, StringRef description) {
    return ValueOption<Toggle>(name, llvm::cl::desc(description), CompileOptions::toggleValues(),
                               llvm::cl::init(Toggle::Recipe), llvm::cl::cat(category));
  }

  /// Whether the user asked for the compiler.
  bool wanted() const {
    return compile || stopAfter.getNumOccurrences() || emit.getNumOccurrences() || !reports.empty();
  }
};

/// LLVM's code generator registers some of our names for debugging flags of its own
/// (`--stop-after`); here they mean what vitq says.
void takeOptionNames() {
  auto &registered = llvm::cl::getRegisteredOptions();
  for (StringRef name : {"compile",
                         "stop-after",
                         "emit",
                         "target",
                         "host-target",
                         "place",
                         "name",
                         "openmp",
                         "batch",
                         "batch-schedule",
                         "calibration-data",
                         "calibration-limit",
                         "preprocess",
                         "save-ranges",
                         "load-ranges",
                         "nonlinear",
                         "nonlinear-budget",
                         "lut-method",
                         "report",
                         "report-data",
                         "report-labels",
                         "report-limit",
                         "report-times",
                         "recipe",
                         "split-outliers",
                         "own-scales",
                         "head-scales",
                         "norm-scales",
                         "fit-function-ranges",
                         "bias-compensation",
                         "observer",
                         "headroom",
                         "rotate-residual",
                         "rotate-heads",
                         "seed"})
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
  if (outside(flags.headroom, 1, 16))
    return "--headroom must be 1 to 16";
  if (outside(flags.nonlinearBudget, 0, 200))
    return "--nonlinear-budget must be 0 to 200 dB";
  if (llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(flags.nonlinear); !choice)
    return "--nonlinear: " + llvm::toString(choice.takeError());
  return {};
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
  options.compile.seed = flags.seed.getValue();
  options.compile.headScales = flags.headScales.getValue();
  options.compile.normScales = flags.normScales.getValue();
  options.compile.fitFunctionRanges = flags.fitFunctionRanges.getValue();
  options.compile.biasCompensation = flags.biasCompensation.getValue();
  options.compile.observer = flags.observer.getValue();
  options.compile.headroom = flags.headroom.getValue();
  if (isModuleKind(options.emit) && !flags.stopAfter.getNumOccurrences())
    options.stopAfter = options.emit == kOnnxKind ? Phase::Quantized : Phase::Integer;
  if (std::string problem = checkEmit(options); !problem.empty())
    return problem;
  if (std::string problem = checkNumbers(flags); !problem.empty())
    return problem;
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
