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
#include "vitq/Analysis/Places.h"
#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Calibration/Calibration.h"
#include "vitq/Data/ByteImages.h"
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
  llvm::Expected<SmallVector<Tensor>> run(const Tensor &input) const override;
  const Interpreter *getInterpreter() const override { return interpreter.get(); }
  const simulator::Program *getArrayProgram() const override { return array ? &*array : nullptr; }

protected:
  llvm::Error encodeLaunches(InterpreterOptions &options);
  llvm::Error describe();
  llvm::Error describeInput(RankedTensorType type);
  llvm::Error describeOutput(OutputInfo &output, RankedTensorType type, double scale) const;
  llvm::Error describeOutputs(func::FuncOp function);
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
  ModuleProgram(StringRef path, const frontend::ImportOptions &options);
  ~ModuleProgram() override { interpreter.reset(); }
  llvm::Error open();
  std::string takeDiagnostics() const override { return std::exchange(errors, std::string()); }

private:
  LogicalResult load();

  const frontend::ImportOptions options;
  MLIRContext context;
  mutable std::string errors;
  OwningOpRef<ModuleOp> owned;
};

} // namespace

ModuleProgram::ModuleProgram(StringRef path, const frontend::ImportOptions &options)
    : InterpretedProgram(path, nullptr), options(options), context(MLIRContext::Threading::DISABLED) {
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
    const std::string message = diagnostic.str(),
                      place = describePlace(diagnostic.getLocation(), information.path, message);
    os << (place.empty() && !StringRef(message).contains(information.path) ? information.path + ": " : place)
       << message;
  });
}

LogicalResult ModuleProgram::load() {
  if (!StringRef(information.path).ends_with(".onnx")) {
    owned = parseSourceFile<ModuleOp>(information.path, ParserConfig(&context));
    return success(static_cast<bool>(owned));
  }
  auto imported = frontend::importOnnx(information.path, &context, options);
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

llvm::Error InterpretedProgram::describeOutput(OutputInfo &output, RankedTensorType type, double scale) const {
  if (!type || type.getRank() == 0 || !type.hasStaticShape() || type.getDimSize(0) != information.batch() ||
      type.getNumElements() < 1)
    return fail("output '" + output.name + "' must be a tensor with a leading axis of " +
                llvm::Twine(information.batch()) + ", the batch");
  llvm::append_range(output.shape, type.getShape());
  Type element = type.getElementType();
  output.isFloat = element.isF32();
  auto uniform = dyn_cast<quant::UniformQuantizedType>(element);
  if (output.isFloat)
    output.scale = 1.0;
  else if (uniform && uniform.getZeroPoint() == 0 && uniform.getStorageTypeIntegralWidth() == 32)
    output.scale = uniform.getScale();
  else if (!element.isInteger(32))
    return fail("output '" + output.name + "' must be of f32, or of 32-bit codes with one scale and zero point 0");
  else if (scale > 0)
    output.scale = scale;
  return llvm::Error::success();
}

llvm::Error InterpretedProgram::describeOutputs(func::FuncOp function) {
  const SmallVector<double> scales = getOutputScales(module, function.getNumResults());
  for (auto [name, type, scale] : llvm::zip_equal(resultNames(function), function.getResultTypes(), scales)) {
    OutputInfo &output = information.outputs.emplace_back();
    output.name = name;
    if (llvm::Error error = describeOutput(output, dyn_cast<RankedTensorType>(type), scale))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error InterpretedProgram::describe() {
  func::FuncOp function = interpreter->getFunction();
  if (function.getNumArguments() != 1 || function.getNumResults() == 0)
    return fail("'main' must take one image tensor and give a tensor");
  if (llvm::Error error = describeInput(dyn_cast<RankedTensorType>(function.getArgument(0).getType())))
    return error;
  if (llvm::Error error = describeOutputs(function))
    return error;
  auto macs = static_cast<uint64_t>(interpreter->macs());
  if (array)
    for (const simulator::Launch &launch : array->launches)
      macs = llvm::SaturatingAdd(macs, launch.macs);
  if (macs)
    information.macs = static_cast<int64_t>(std::min<uint64_t>(macs, std::numeric_limits<int64_t>::max()));
  information.readsBytes = information.floatInput && module->hasAttr(data::kReadsBytesAttr);
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

llvm::Expected<SmallVector<Tensor>> InterpretedProgram::run(const Tensor &input) const {
  SmallVector<Tensor> results;
  if (failed(interpreter->run(input, results)))
    return takeErrors("cannot be run");
  return results;
}

llvm::Expected<std::unique_ptr<Program>> runner::openModule(StringRef path, const frontend::ImportOptions &options) {
  auto program = std::make_unique<ModuleProgram>(path, options);
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
