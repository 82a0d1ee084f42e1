//===- Cases.cpp - Compiling damaged files ------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

#include "vitq/InitAll.h"
#include "vitq/Support/AtomicFile.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::fuzz;

static constexpr llvm::StringLiteral kPreprocess = "mean=0.5,std=0.5";

static std::string join(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return std::string(path);
}

static llvm::Expected<std::string> readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createFileError(path, buffer.getError());
  return (*buffer)->getBuffer().str();
}

/// Compiles as vitq-opt does, and gives the errors.
static LogicalResult compileQuietly(const DriverOptions &options, const DialectRegistry &registry,
                                    std::string &errors) {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors += "error: " + diagnostic.str() + "\n";
  });
  return compile(options, &context);
}

std::string Case::name() const { return kKindNames[static_cast<size_t>(kind)].str() + ":" + std::to_string(seed); }

Cases::Cases(llvm::StringRef digits, llvm::StringRef work)
    : model(join(digits, "digits.onnx")), pixels(join(digits, "calibration.npy")), ranges(join(work, "ranges.json")),
      work(work.str()) {
  registerAllDialects(registry);
}

llvm::Expected<std::unique_ptr<Cases>> Cases::create(llvm::StringRef digits, llvm::StringRef work) {
  std::unique_ptr<Cases> cases(new Cases(digits, work));
  DriverOptions options;
  options.input = cases->model;
  options.output = join(work, "good.mlir");
  options.compile.data = cases->pixels;
  options.compile.preprocess = kPreprocess.str();
  options.compile.saveRanges = cases->ranges;
  std::string errors;
  if (failed(compileQuietly(options, cases->registry, errors)))
    return llvm::createStringError("the undamaged files cannot be compiled: " + errors);
  for (auto [path, use] :
       {std::pair<StringRef, std::function<void(std::string)>>{
            cases->model,
            [&](std::string text) {
              cases->constants = std::make_unique<ModelMutator>(addConstantSubgraph(text));
              cases->quantized = std::make_unique<ModelMutator>(quantizeModel(text));
              cases->composites = std::make_unique<ModelMutator>(composeModel(text));
              cases->models = std::make_unique<ModelMutator>(std::move(text));
            }},
        {cases->ranges, [&](std::string text) { cases->tables = std::make_unique<RangesMutator>(std::move(text)); }},
        {cases->pixels, [&](std::string text) { cases->arrays = std::make_unique<NpyMutator>(std::move(text)); }}}) {
    llvm::Expected<std::string> text = readFile(path);
    if (!text)
      return text.takeError();
    use(std::move(*text));
  }
  return cases;
}

std::string Cases::folder(Case which) const {
  std::string name = which.name();
  std::replace(name.begin(), name.end(), ':', '-');
  return join(work, name);
}

std::string Cases::damagedFile(Case which) const {
  constexpr const char *names[] = {"damaged.onnx", "damaged.json", "damaged.npy",
                                   "damaged.onnx", "damaged.onnx", "damaged.onnx"};
  return join(folder(which), names[static_cast<size_t>(which.kind)]);
}

void Cases::setOptions(Case which, DriverOptions &options) const {
  constexpr Recipe recipes[] = {Recipe::Default, Recipe::MinMax, Recipe::IVit};
  options.input = isModel(which.kind) ? damagedFile(which) : model;
  options.output = join(folder(which), "out.mlir");
  // I-ViT's layout is one of float models.
  options.compile.recipe = recipes[which.seed % (which.kind == Kind::Quantized ? 2 : 3)];
  if (which.seed % 5 == 4)
    options.compile.nonlinear = "shift";
  // Ranges stop most damaged models early; calibrating runs them.
  bool calibrate = which.kind == Kind::Npy || which.kind == Kind::Quantized || which.kind == Kind::Composite ||
                   (isModel(which.kind) && which.seed % 2);
  if (!calibrate) {
    options.compile.loadRanges = which.kind == Kind::Ranges ? damagedFile(which) : ranges;
    return;
  }
  options.compile.data = which.kind == Kind::Npy ? damagedFile(which) : pixels;
  options.compile.preprocess = kPreprocess.str();
  options.compile.limit = 2;
}

llvm::Error Cases::write(Case which) const {
  if (std::error_code ec = llvm::sys::fs::create_directories(folder(which)))
    return llvm::createFileError(folder(which), ec);
  std::string bytes = which.kind == Kind::Model       ? models->mutate(which.seed)
                      : which.kind == Kind::Constants ? constants->mutate(which.seed)
                      : which.kind == Kind::Quantized ? quantized->mutate(which.seed)
                      : which.kind == Kind::Composite ? composites->mutate(which.seed)
                      : which.kind == Kind::Ranges    ? tables->mutate(which.seed)
                                                      : arrays->mutate(which.seed);
  return writeFileAtomically(damagedFile(which), bytes);
}

Outcome Cases::run(Case which) const {
  if (llvm::Error error = write(which))
    return {Outcome::Wrong, llvm::toString(std::move(error))};
  std::string errors;
  DriverOptions options;
  setOptions(which, options);
  LogicalResult result = compileQuietly(options, registry, errors);
  return judge(which, succeeded(result), std::move(errors));
}

llvm::Expected<std::vector<std::string>> Cases::prepare(Case which) const {
  if (llvm::Error error = write(which))
    return std::move(error);
  DriverOptions options;
  setOptions(which, options);
  constexpr const char *recipes[] = {"default", "minmax", "ivit"};
  std::vector<std::string> arguments = {options.input, "--stop-after=integer", "-o", options.output,
                                        "--recipe=" +
                                            std::string(recipes[which.seed % (which.kind == Kind::Quantized ? 2 : 3)])};
  if (options.compile.nonlinear == "shift")
    arguments.push_back("--nonlinear=shift");
  auto add = [&](const char *flag, const std::string &value) {
    if (!value.empty())
      arguments.push_back(flag + value);
  };
  add("--load-ranges=", options.compile.loadRanges);
  add("--calibration-data=", options.compile.data);
  add("--preprocess=", options.compile.preprocess);
  if (options.compile.limit)
    arguments.push_back("--calibration-limit=" + std::to_string(options.compile.limit));
  return arguments;
}

Outcome Cases::judge(Case which, bool succeeded, std::string messages) const {
  std::error_code ec;
  std::string left;
  bool written = false;
  for (llvm::sys::fs::directory_iterator it(folder(which), ec), end; !ec && it != end; it.increment(ec)) {
    StringRef name = llvm::sys::path::filename(it->path());
    written |= name == "out.mlir";
    if (name != "out.mlir" && !name.starts_with("damaged."))
      left += " " + name.str();
  }
  bool explained = llvm::StringRef(messages).contains("error: ");
  std::string problem;
  if (succeeded != written)
    problem = succeeded ? "succeeded without an output" : "failed and left an output";
  else if (!left.empty())
    problem = "left files behind:" + left;
  else if (succeeded == explained)
    problem = succeeded ? "succeeded with an error" : "failed without a diagnostic";
  if (!problem.empty())
    return {Outcome::Wrong, problem + "\n" + messages};
  llvm::sys::fs::remove_directories(folder(which));
  return {succeeded ? Outcome::Ok : Outcome::Diagnosed, std::move(messages)};
}
