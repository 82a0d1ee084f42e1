//===- ModuleProgram.cpp - Interpreted models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramKinds.h"

#include "dialects/systolic/Systolic.h"
#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Calibration/Calibration.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Target/Systolic/Launches.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::runner;

namespace {

/// A module that somebody holds. Where it has launches of a systolic array, the
/// simulator computes them.
class InterpretedProgram : public Program {
public:
  InterpretedProgram(StringRef path, ModuleOp module) : module(module) { information.path = path.str(); }
  llvm::Error prepare();
  llvm::Expected<Tensor> run(const Tensor &input) const override;
  const Interpreter *getInterpreter() const override { return interpreter.get(); }
  const simulator::Program *getArrayProgram() const override { return array ? &*array : nullptr; }

protected:
  llvm::Error encodeLaunches(InterpreterOptions &options);
  llvm::Error describe();
  llvm::Error describeInput(RankedTensorType type);
  llvm::Error describeOutput(RankedTensorType type);
  llvm::Error fail(const llvm::Twine &what) const { return llvm::createStringError(information.path + ": " + what); }
  /// `takeDiagnostics` as an error.
  llvm::Error takeErrors(const char *otherwise) const {
    std::string text = takeDiagnostics();
    return text.empty() ? fail(otherwise) : llvm::createStringError(text);
  }

  ModuleOp module;
  std::optional<simulator::Program> array;
  std::unique_ptr<Interpreter> interpreter;
};

/// A module read from a file.
class ModuleProgram final : public InterpretedProgram {
public:
  explicit ModuleProgram(StringRef path);
  ~ModuleProgram() override { interpreter.reset(); }
  llvm::Error open();
  std::string takeDiagnostics() const override { return std::exchange(errors, std::string()); }

private:
  LogicalResult load();

  MLIRContext context;
  mutable std::string errors;
  OwningOpRef<ModuleOp> owned;
};

} // namespace

/// "file:line:column: " or "node: ", as compilers do, and "path: " for other locations;
/// nothing where the message says the same.
static void printLocation(llvm::raw_ostream &os, Location location, StringRef path, StringRef message) {
  if (auto file = dyn_cast<FileLineColLoc>(location))
    os << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn() << ": ";
  else if (auto name = dyn_cast<NameLoc>(location); name && !name.getName().empty())
    os << (message.starts_with(name.getName().getValue()) ? "" : (name.getName().getValue() + ": ").str());
  else if (!message.contains(path))
    os << path << ": ";
}

ModuleProgram::ModuleProgram(StringRef path)
    : InterpretedProgram(path, nullptr), context(MLIRContext::Threading::DISABLED) {
  DialectRegistry registry;
  registry.insert<func::FuncDialect, arith::ArithDialect, quant::QuantDialect, vit::VitDialect, integer::VitqDialect,
                  systolic::SystolicDialect>();
  context.appendDialectRegistry(registry);
  // The engine calls handlers one at a time, also from several threads.
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return;
    llvm::raw_string_ostream os(errors);
    if (!errors.empty())
      os << "\n";
    std::string message = diagnostic.str();
    printLocation(os, diagnostic.getLocation(), information.path, message);
    os << message;
  });
}

LogicalResult ModuleProgram::load() {
  if (!StringRef(information.path).ends_with(".onnx")) {
    owned = parseSourceFile<ModuleOp>(information.path, ParserConfig(&context));
    return success(static_cast<bool>(owned));
  }
  auto imported = frontend::importOnnx(information.path, &context);
  if (failed(imported))
    return failure();
  owned = std::move(*imported);
  PassManager manager(&context);
  manager.addPass(createVitRecoverPatternsPass());
  return manager.run(*owned);
}

llvm::Error InterpretedProgram::describeInput(RankedTensorType type) {
  Type element = type ? type.getElementType() : Type();
  if (!type || type.getRank() != 4 || !type.hasStaticShape())
    return fail("'main' must take one image tensor of rank 4");
  llvm::append_range(information.inputShape, type.getShape());
  auto quantized = dyn_cast<quant::QuantizedType>(element);
  information.floatInput = isa<FloatType>(element);
  if (!information.floatInput && !element.isInteger(8) &&
      !(quantized && !quantized.isSigned() && quantized.getStorageTypeIntegralWidth() == 8))
    return fail("'main' must take float or 8-bit pixels");
  return llvm::Error::success();
}

llvm::Error InterpretedProgram::describeOutput(RankedTensorType type) {
  if (!type || type.getRank() != 2 || !type.hasStaticShape() || type.getDimSize(0) != information.batch() ||
      type.getDimSize(1) < 1)
    return fail("'main' must give one tensor [batch, classes]");
  llvm::append_range(information.outputShape, type.getShape());
  Type element = type.getElementType();
  if ((information.floatOutput = isa<FloatType>(element))) {
    information.outputScale = 1.0;
    return llvm::Error::success();
  }
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element); uniform && uniform.getZeroPoint() == 0) {
    information.outputScale = uniform.getScale();
  } else if (element.isInteger(32)) {
    if (auto scale = module->getAttrOfType<FloatAttr>(kOutputScaleAttr))
      information.outputScale = scale.getValueAsDouble();
  } else {
    return fail("'main' must give float logits, or 32-bit ones with one scale and zero point 0");
  }
  return llvm::Error::success();
}

llvm::Error InterpretedProgram::describe() {
  func::FuncOp function = interpreter->getFunction();
  if (function.getNumArguments() != 1 || function.getNumResults() != 1)
    return fail("'main' must take one image tensor and give one tensor of logits");
  if (llvm::Error error = describeInput(dyn_cast<RankedTensorType>(function.getArgument(0).getType())))
    return error;
  if (llvm::Error error = describeOutput(dyn_cast<RankedTensorType>(function.getResultTypes()[0])))
    return error;
  auto macs = static_cast<uint64_t>(interpreter->macs());
  if (array)
    for (const simulator::Launch &launch : array->launches)
      macs = llvm::SaturatingAdd(macs, launch.macs);
  if (macs)
    information.macs = static_cast<int64_t>(std::min<uint64_t>(macs, std::numeric_limits<int64_t>::max()));
  auto text = module->getAttrOfType<StringAttr>(calibration::kPreprocessAttr);
  if (!text)
    return llvm::Error::success();
  llvm::Expected<data::Preprocess> preprocess =
      text.getValue().empty() ? data::Preprocess() : data::parsePreprocess(text.getValue());
  if (!preprocess)
    return fail("vit.preprocess: " + llvm::toString(preprocess.takeError()));
  information.preprocess = *preprocess;
  return llvm::Error::success();
}

/// The instructions of a module in the form of the array.
llvm::Error InterpretedProgram::encodeLaunches(InterpreterOptions &options) {
  FailureOr<simulator::Program> encoded = systolic::encodeProgram(module);
  if (failed(encoded))
    return takeErrors("cannot be encoded for the array");
  array = std::move(*encoded);
  options = systolic::interpretLaunches(module, *array);
  return llvm::Error::success();
}

llvm::Error InterpretedProgram::prepare() {
  InterpreterOptions options;
  if (systolic::configOf(module))
    if (llvm::Error error = encodeLaunches(options))
      return error;
  FailureOr<std::unique_ptr<Interpreter>> created = Interpreter::create(module, options);
  if (failed(created))
    return takeErrors("cannot be run");
  interpreter = std::move(*created);
  return describe();
}

llvm::Error ModuleProgram::open() {
  if (failed(load()))
    return takeErrors("cannot be read");
  module = *owned;
  return prepare();
}

llvm::Expected<Tensor> InterpretedProgram::run(const Tensor &input) const {
  SmallVector<Tensor> results;
  if (failed(interpreter->run(input, results)))
    return takeErrors("cannot be run");
  return results.front();
}

llvm::Expected<std::unique_ptr<Program>> runner::openModule(StringRef path) {
  auto program = std::make_unique<ModuleProgram>(path);
  if (llvm::Error error = program->open())
    return error;
  return std::unique_ptr<Program>(std::move(program));
}

llvm::Expected<std::unique_ptr<Program>> runner::wrapModule(ModuleOp module, StringRef path) {
  auto program = std::make_unique<InterpretedProgram>(path, module);
  if (llvm::Error error = program->prepare())
    return error;
  return std::unique_ptr<Program>(std::move(program));
}

Program::~Program() = default;

llvm::Error Program::setThreads(int) {
  return llvm::createStringError(information.path + ": --num-threads is for compiled programs (.so)");
}

llvm::Error Program::runProfiled(const Tensor &, std::vector<uint64_t> &) const {
  return llvm::createStringError(information.path + ": --profile is for compiled programs (.so)");
}

llvm::Expected<std::unique_ptr<Program>> runner::openProgram(StringRef path) {
  if (path.ends_with(".vsys") || isSystolicProgram(path))
    return openSystolicProgram(path);
  if (path.ends_with(".so"))
    return openSharedObject(path);
  if (path.ends_with(".onnx") || path.ends_with(".mlir") || path.ends_with(".mlirbc"))
    return openModule(path);
  return llvm::createStringError(path + ": is none of .so, .vsys, .onnx, .mlir, .mlirbc");
}
