//===- CommandLine.cpp - vitq-opt's own command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/CommandLine.h"

#include "DiagnosticPrinter.h"
#include "vitq/Driver/Driver.h"
#include "vitq/InitAll.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace vitq {
namespace {

/// The options of the compiler. mlir-opt registers its own beside them.
struct CompilerFlags {
  llvm::cl::OptionCategory category{"vitq: compiling a model"};
  llvm::cl::opt<bool> compile{"compile", llvm::cl::desc("Compile the model through all phases"),
                              llvm::cl::cat(category)};
  llvm::cl::opt<Phase> stopAfter{
      "stop-after", llvm::cl::desc("Stop compiling after this phase and write the module (implies --compile)"),
      llvm::cl::values(clEnumValN(Phase::Float, "float", "the recovered float model"),
                       clEnumValN(Phase::Quantized, "quantized", "calibrated, with casts"),
                       clEnumValN(Phase::Deferred, "deferred", "dequantization deferred"),
                       clEnumValN(Phase::Integer, "integer", "integers only"),
                       clEnumValN(Phase::Target, "target", "LLVM dialect of the target")),
      llvm::cl::init(Phase::Target), llvm::cl::cat(category)};
  llvm::cl::opt<OutputKind> emit{
      "emit", llvm::cl::desc("What to write (implies --compile)"),
      llvm::cl::values(clEnumValN(OutputKind::MLIR, "mlir", "MLIR text"),
                       clEnumValN(OutputKind::Bytecode, "bytecode", "MLIR bytecode"),
                       clEnumValN(OutputKind::LLVM, "llvm", "LLVM IR"),
                       clEnumValN(OutputKind::Assembly, "asm", "assembly"),
                       clEnumValN(OutputKind::Object, "obj", "object file, header and manifest"),
                       clEnumValN(OutputKind::SharedObject, "so", "shared library")),
      llvm::cl::init(OutputKind::MLIR), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> target{
      "target", llvm::cl::desc("native, or a CPU name or level with features, e.g. x86-64-v4+avx512vnni"),
      llvm::cl::init("native"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> name{"name", llvm::cl::desc("Name of the program (default: stem of the output file)"),
                                  llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> batch{"batch", llvm::cl::desc("Size of a batch axis that the model leaves open"),
                               llvm::cl::init(1), llvm::cl::cat(category)};
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
  llvm::cl::opt<vit::Algorithm> nonlinear{
      "nonlinear", llvm::cl::desc("Integer algorithm of nonlinear functions"),
      llvm::cl::values(clEnumValN(vit::Algorithm::Table, "table", "exact tables (default)"),
                       clEnumValN(vit::Algorithm::Shift, "shift", "Shiftmax, ShiftGELU, I-LayerNorm")),
      llvm::cl::init(vit::Algorithm::Table), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> report{
      "report", llvm::cl::desc("Write a report: JSON when the path ends in .json, else text"), llvm::cl::cat(category)};

  /// Whether the user asked for the compiler.
  bool wanted() const {
    return compile || stopAfter.getNumOccurrences() || emit.getNumOccurrences() || !report.empty();
  }
};

/// LLVM's code generator registers some of our names for debugging flags of its own
/// (`--stop-after`); here they mean what vitq says.
void takeOptionNames() {
  auto &registered = llvm::cl::getRegisteredOptions();
  for (StringRef name : {"compile", "stop-after", "emit", "target", "name", "batch", "calibration-data",
                         "calibration-limit", "preprocess", "save-ranges", "load-ranges", "nonlinear", "report"})
    if (llvm::cl::Option *option = registered.lookup(name))
      option->removeArgument();
}

std::string readInto(const CompilerFlags &flags, DriverOptions &options) {
  options.batch = flags.batch;
  options.stopAfter = flags.stopAfter;
  options.emit = flags.emit;
  options.target = flags.target;
  options.name = flags.name;
  options.report = flags.report;
  options.compile.data = flags.data.getValue();
  options.compile.limit = flags.limit.getValue();
  options.compile.preprocess = flags.preprocess.getValue();
  options.compile.saveRanges = flags.saveRanges.getValue();
  options.compile.loadRanges = flags.loadRanges.getValue();
  options.compile.nonlinear = flags.nonlinear.getValue();
  bool native = options.emit != OutputKind::MLIR && options.emit != OutputKind::Bytecode;
  if (!native && !flags.stopAfter.getNumOccurrences())
    options.stopAfter = Phase::Integer;
  if (native && options.stopAfter != Phase::Target)
    return "--emit=llvm, asm, obj and so need the whole way: leave out --stop-after";
  if (options.emit == OutputKind::SharedObject && options.output == "-")
    return "a shared library cannot be written to standard output: give -o FILE.so";
  if (options.emit == OutputKind::Object && options.output == "-")
    return "an object is written with its header and manifest: give -o FILE.o";
  llvm::SmallString<128> manifest(options.output);
  llvm::sys::path::replace_extension(manifest, ".json");
  for (StringRef path : {StringRef(options.report), StringRef(options.compile.saveRanges),
                         StringRef(options.compile.loadRanges)})
    if (options.emit == OutputKind::Object && path == manifest)
      return "'" + path.str() +
             "' is where the manifest of the object goes: give the report and the ranges other names";
  if (options.batch < 1)
    return "--batch must be at least 1";
  return {};
}

int runCompiler(const CompilerFlags &flags, DialectRegistry &registry, StringRef input, StringRef output) {
  DriverOptions options;
  options.input = input.str();
  options.output = output.str();
  if (std::string problem = readInto(flags, options); !problem.empty()) {
    llvm::errs() << "vitq-opt: error: " << problem << "\n";
    return 1;
  }
  MLIRContext context(registry);
  DiagnosticPrinter diagnostics(&context, input);
  return failed(compile(options, &context));
}

/// mlir-opt on an imported model.
int runPassesOnOnnx(const CompilerFlags &flags, DialectRegistry &registry, StringRef input, StringRef output) {
  MLIRContext context(registry);
  DiagnosticPrinter diagnostics(&context, input);
  FailureOr<OwningOpRef<ModuleOp>> module = loadModule(input, &context, flags.batch);
  if (failed(module))
    return 1;
  PassManager pm(&context);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (failed(applyPassManagerCLOptions(pm)) || failed(config.setupPassPipeline(pm)) || failed(pm.run(**module)))
    return 1;
  return failed(writeModule(**module, output, config.shouldEmitBytecode()));
}

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
  auto [input, output] = registerAndParseCLIOptions(argc, argv, "vitq: integer-only vision transformers", registry);
  if (flags.wanted())
    return runCompiler(flags, registry, input, output);
  if (StringRef(input).ends_with_insensitive(".onnx"))
    return runPassesOnOnnx(flags, registry, input, output);
  return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
}

} // namespace vitq
