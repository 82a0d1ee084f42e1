//===- Compiler.cpp - Compiling models in memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "PipelineOptions.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Backends/Backends.h"
#include "vitq/Calibration/Calibration.h"
#include "vitq/Driver/Driver.h"
#include "vitq/Driver/FlagRules.h"
#include "vitq/Driver/Measure.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/InitAll.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/Progress.h"
#include "vitq/Target/FloatScan.h"
#include "vitq/Target/NativeCompiler.h"
#include "vitq/Target/Onnx.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::capi;

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// The name of a node, or a place in a text.
static std::string locationText(Location location) {
  std::string text;
  location->walk([&](Location inner) {
    if (auto name = dyn_cast<NameLoc>(inner))
      text = name.getName().str();
    else if (auto file = dyn_cast<FileLineColLoc>(inner))
      text = (file.getFilename().getValue() + ":" + llvm::Twine(file.getLine()) + ":" + llvm::Twine(file.getColumn()))
                 .str();
    return text.empty() ? WalkResult::advance() : WalkResult::interrupt();
  });
  return text;
}

static VitqSeverity severityOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return VITQ_NOTE;
  case DiagnosticSeverity::Remark:
    return VITQ_REMARK;
  case DiagnosticSeverity::Warning:
    return VITQ_WARNING;
  case DiagnosticSeverity::Error:
    return VITQ_ERROR;
  }
  return VITQ_ERROR;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

namespace {

/// One compilation, in a context of its own.
class Compilation {
public:
  explicit Compilation(const Request &request);

  /// `forProgram`: the batch is set when the program is complete, as calibration and everything that is measured is
  /// about single images.
  LogicalResult lowerTo(Phase last, bool forProgram = false);
  LogicalResult measureRanges();
  LogicalResult write(bool bytecode, llvm::function_ref<void(llvm::StringRef)> write);
  LogicalResult writeQuantized(llvm::function_ref<void(llvm::StringRef)> write);
  std::unique_ptr<Program> emitProgram();

private:
  LogicalResult fail(const llvm::Twine &message) { return emitError(UnknownLoc::get(&context), message); }
  LogicalResult fail(llvm::Error error) { return fail(llvm::toString(std::move(error))); }

  LogicalResult readOptions();
  LogicalResult checkOptions();
  LogicalResult load();
  LogicalResult take(FailureOr<OwningOpRef<ModuleOp>> loaded);
  LogicalResult checkCalibration(Phase now);
  LogicalResult calibrate();
  LogicalResult measureReport();
  void setReport(Program &program);

  const Request &request;
  Progress::Quiet quiet;
  MLIRContext context;
  std::unique_ptr<ScopedDiagnosticHandler> handler;
  PipelineOptions options;
  OwningOpRef<ModuleOp> module;
  bool setsBatch = false;
  /// The calibrated float module, where the report measures.
  OwningOpRef<ModuleOp> reference;
  Report report;
};

} // namespace

static DialectRegistry allDialects() {
  DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

Compilation::Compilation(const Request &request) : request(request), context(allDialects()) {
  context.printOpOnDiagnostic(false);
  // The engine calls handlers one at a time, also from several threads.
  handler = std::make_unique<ScopedDiagnosticHandler>(&context, [this](Diagnostic &diagnostic) {
    if (!this->request.diagnostics)
      return success();
    auto add = [this](Diagnostic &entry) {
      this->request.diagnostics->add(severityOf(entry.getSeverity()), locationText(entry.getLocation()), entry.str());
    };
    add(diagnostic);
    for (Diagnostic &note : diagnostic.getNotes())
      add(note);
    return success();
  });
}

LogicalResult Compilation::readOptions() {
  for (const auto &[key, value] : request.options.pipeline)
    if (std::string problem = options.set(key, value); !problem.empty())
      return fail(problem);
  return success();
}

/// Whether options make others meaningless. One set of options serves several calls: what
/// only has no effect on the way between two phases is none of its mistakes.
LogicalResult Compilation::checkOptions() {
  std::map<std::string, std::string> given;
  for (const auto &[key, value] : request.options.pipeline)
    if (key.starts_with("nonlinear") || key == "lut-method" || key == "recipe" || key == "split-outliers")
      given[key] = "option '" + key + "=" + value + "'";
    else if (key == "load-ranges")
      given[key] = "option 'load-ranges'";
  std::string problem = findIdleFlag({options, given, "the model"});
  return problem.empty() ? success() : fail(problem);
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

LogicalResult Compilation::load() {
  const VitqModel &model = request.model;
  llvm::StringRef bytes(static_cast<const char *>(model.data), model.size);
  llvm::StringRef name = model.name ? model.name : "the model";
  if (model.format == VITQ_MODEL_MLIR)
    return bytes.empty() ? fail("'" + name + "': the data is empty")
                         // A copy: the lexer wants a zero at the end.
                         : take(parseModule(llvm::MemoryBuffer::getMemBufferCopy(bytes, name), name, &context));
  frontend::ImportOptions import;
  import.batch = setsBatch ? 1 : request.options.batch;
  import.outputs = request.options.outputs;
  import.shapes = request.options.shapes;
  // An error in it is one of its own, later.
  auto preprocess = data::parsePreprocess(options.preprocess.empty() ? "" : options.preprocess.getValue());
  std::optional<data::Size> size = preprocess ? data::resultSize(*preprocess) : std::nullopt;
  llvm::consumeError(preprocess.takeError());
  if (request.images)
    size = data::Size{request.images->height, request.images->width};
  if (size) {
    import.height = size->height;
    import.width = size->width;
  }
  return take(frontend::importOnnx(llvm::MemoryBufferRef(bytes, name), &context, import));
}

LogicalResult Compilation::take(FailureOr<OwningOpRef<ModuleOp>> loaded) {
  if (failed(loaded))
    return failure();
  module = std::move(*loaded);
  return success();
}

//===----------------------------------------------------------------------===//
// Calibration
//===----------------------------------------------------------------------===//

/// Whether there is one thing to calibrate on where it is needed, and none elsewhere.
LogicalResult Compilation::checkCalibration(Phase now) {
  const bool files = !options.data.empty() || !options.loadRanges.empty();
  if (request.images && files)
    return fail("calibration images were given in memory and by the option 'data' or 'load-ranges'; give one of them");
  if (request.images && now != Phase::Float)
    return fail("calibration images were given, but the model is quantized already");
  if (!request.images && !files && now == Phase::Float && !hasRanges(*module))
    return fail("quantizing needs calibration images in memory, or the option 'data' or 'load-ranges'");
  return success();
}

/// Measures the ranges of the float phase on the images in memory.
LogicalResult Compilation::calibrate() {
  func::FuncOp function = lookupMain(*module);
  auto type = function && function.getNumArguments() == 1
                  ? dyn_cast<RankedTensorType>(function.getArgument(0).getType())
                  : nullptr;
  if (!type || type.getRank() != 4 || !type.hasStaticShape())
    return fail("calibration needs a function 'main' of one float image tensor [B, C, H, W]");
  const VitqImages &images = *request.images;
  if (images.channels != type.getDimSize(1) || images.height != type.getDimSize(2) ||
      images.width != type.getDimSize(3))
    return fail("the calibration images are " + llvm::Twine(images.height) + "x" + llvm::Twine(images.width) + "x" +
                llvm::Twine(images.channels) + " (height, width, channels), the model takes " +
                llvm::Twine(type.getDimSize(2)) + "x" + llvm::Twine(type.getDimSize(3)) + "x" +
                llvm::Twine(type.getDimSize(1)));
  data::Preprocess preprocess;
  if (!options.preprocess.empty()) {
    llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(options.preprocess);
    if (!parsed)
      return fail(parsed.takeError());
    preprocess = std::move(*parsed);
  }
  // Not above 2^64: the sizes are those of the model.
  const uint64_t bytes = images.count * static_cast<uint64_t>(type.getNumElements() / type.getDimSize(0));
  auto source = data::ImageSource::fromPixels(llvm::ArrayRef<uint8_t>(images.pixels, bytes), images.count,
                                              {images.height, images.width}, images.channels, preprocess,
                                              images.channels, "the calibration images");
  if (!source)
    return fail(source.takeError());
  calibration::CalibrationOptions limits;
  if (options.limit)
    limits.limit = options.limit;
  FailureOr<calibration::RangeTable> table = calibration::calibrate(function, **source, limits);
  if (failed(table) || failed(calibration::attachRanges(function, *table, "the calibration")))
    return failure();
  (*module)->setAttr(calibration::kPreprocessAttr, StringAttr::get(&context, table->preprocess));
  if (options.saveRanges.empty())
    return success();
  if (llvm::Error error = calibration::saveRanges(*table, options.saveRanges))
    return fail(std::move(error));
  return success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

LogicalResult Compilation::lowerTo(Phase last, bool forProgram) {
  setsBatch = forProgram && request.options.batch > 1;
  if (failed(readOptions()) || failed(checkOptions()) || failed(load()))
    return failure();
  const Phase now = getPhase(*module);
  if (now > last)
    return fail("the model is in a later phase than the one that is wanted");
  if (last > Phase::Float && failed(checkCalibration(now)))
    return failure();
  PhaseHooks hooks;
  if (request.images)
    hooks.calibrate = [this](ModuleOp) { return calibrate(); };
  hooks.calibrated = [this](ModuleOp calibrated) {
    report.recordRanges(calibrated);
    if (request.options.measures)
      reference = calibrated.clone();
  };
  return lowerToPhase(*module, last, options, hooks);
}

/// Up to the calibrated float module, of which only the file of ranges is wanted.
LogicalResult Compilation::measureRanges() {
  if (failed(lowerTo(Phase::Float)))
    return failure();
  if (options.saveRanges.empty())
    return fail("the option 'save-ranges' must name the file that the ranges go to");
  if (getPhase(*module) != Phase::Float)
    return fail("the model is quantized already: there are no ranges to measure");
  if (failed(checkCalibration(Phase::Float)))
    return failure();
  if (request.images)
    return calibrate();
  PassManager passes(&context);
  addCalibratePasses(passes, options);
  return passes.run(*module);
}

/// What the report says of the integer phase.
LogicalResult Compilation::measureReport() {
  DriverOptions driver;
  driver.input = request.model.name ? request.model.name : "the model";
  driver.compile.copyOptionValuesFrom(options);
  report.setInput(driver.input, options.nonlinear.getValue());
  report.setOptions(describeOptions(options));
  report.recordIntegerModule(*module);
  if (!request.options.measures)
    return success();
  if (!reference || options.data.empty())
    return fail("option 'report=measured' needs a float model, and images in the option 'data'");
  return measure(*reference, *module, driver, report);
}

LogicalResult Compilation::writeQuantized(llvm::function_ref<void(llvm::StringRef)> write) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (failed(printOnnx(*module, os)))
    return failure();
  write(text);
  return success();
}

LogicalResult Compilation::write(bool bytecode, llvm::function_ref<void(llvm::StringRef)> write) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (llvm::Error error = printModule(*module, os, bytecode))
    return fail(std::move(error));
  write(text);
  return success();
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

std::unique_ptr<Program> Compilation::emitProgram() {
  auto failed = [&](llvm::Error error) {
    (void)fail(std::move(error));
    return nullptr;
  };
  llvm::Expected<TargetDesc> target = TargetDesc::parse(request.options.target);
  if (!target)
    return failed(target.takeError());
  NativeOptions native;
  native.target = *target;
  native.name = request.options.name;
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream os(object);
  if (mlir::failed(measureReport()))
    return nullptr;
  if (setsBatch && computesInTurn(*module))
    native.turns = request.options.batch;
  else if (setsBatch && mlir::failed(setBatch(*module, request.options.batch)))
    return nullptr;
  if (mlir::failed(lowerToLLVM(*module, native)) || mlir::failed(emitObject(*module, native, os)))
    return nullptr;
  auto program = std::make_unique<Program>();
  program->object.assign(object.begin(), object.end());
  llvm::Expected<uint64_t> codeBytes = codeBytesOf(program->object);
  if (!codeBytes)
    return failed(codeBytes.takeError());
  auto floats = scanForFloat(llvm::arrayRefFromStringRef(object));
  if (!floats)
    return failed(floats.takeError());
  if (!floats->empty())
    return failed(llvm::createStringError("the object computes with floats: '" + floats->front().mnemonic + "' in " +
                                          floats->front().function));
  program->manifest = describeProgram(*module, native, *codeBytes);
  program->manifestText = program->manifest.toJSON();
  program->header = headerOf(*module, native);
  setReport(*program);
  if (!target->runsOnHost())
    return program;
  auto jit = JitProgram::load(program->object);
  if (!jit)
    return failed(jit.takeError());
  program->jit = std::move(*jit);
  program->compiled = program->jit->getCompiled();
  return program;
}

/// The report, with the facts of the object.
void Compilation::setReport(Program &program) {
  const Manifest &manifest = program.manifest;
  NativeFacts facts;
  facts.target = manifest.target;
  facts.weightBytes = static_cast<int64_t>(manifest.weightBytes);
  facts.arenaBytes = static_cast<int64_t>(manifest.arenaBytes);
  facts.arenaLowerBound = static_cast<int64_t>(manifest.arenaLowerBound);
  facts.codeBytes = static_cast<int64_t>(manifest.codeBytes);
  facts.floatInstructions = 0;
  report.setNative(std::move(facts));
  program.report = llvm::formatv("{0:2}", report.toJSON()).str();
}

static Phase phaseOf(VitqPhase phase) {
  switch (phase) {
  case VITQ_PHASE_FLOAT:
    return Phase::Float;
  case VITQ_PHASE_QUANTIZED:
    return Phase::Quantized;
  case VITQ_PHASE_DEFERRED:
    return Phase::Deferred;
  case VITQ_PHASE_INTEGER:
    return Phase::Integer;
  }
  return Phase::Integer;
}

bool capi::lower(const Request &request, VitqPhase phase, bool bytecode,
                 llvm::function_ref<void(llvm::StringRef)> write) {
  Compilation compilation(request);
  return succeeded(compilation.lowerTo(phaseOf(phase))) && succeeded(compilation.write(bytecode, write));
}

bool capi::calibrate(const Request &request) { return succeeded(Compilation(request).measureRanges()); }

bool capi::quantize(const Request &request, llvm::function_ref<void(llvm::StringRef)> write) {
  Compilation compilation(request);
  return succeeded(compilation.lowerTo(Phase::Quantized)) && succeeded(compilation.writeQuantized(write));
}

std::unique_ptr<Program> capi::compile(const Request &request) {
  Compilation compilation(request);
  return succeeded(compilation.lowerTo(Phase::Integer, /*forProgram=*/true)) ? compilation.emitProgram() : nullptr;
}
