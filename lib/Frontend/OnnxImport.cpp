//===- OnnxImport.cpp - ONNX files as vit functions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Frontend/OnnxImport.h"

#include "Importer.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// What is not supported
//===----------------------------------------------------------------------===//

/// One error for everything in the file that cannot be imported, so that a
/// user sees all of it at once.
static LogicalResult reportProblems(const Model &model, Location loc) {
  SmallVector<Problem> problems(model.problems.begin(), model.problems.end());
  for (const Node &node : model.nodes) {
    std::string name = node.domain.empty() ? node.opType : node.domain + "::" + node.opType;
    if (!node.domain.empty() || !operatorHandlers().contains(node.opType))
      problems.push_back({"unsupported operator " + name, node.name});
  }
  if (!model.outputs.empty())
    if (const ValueInfo &output = model.outputs.front(); output.type != "float")
      problems.push_back(
          {"unsupported output type " + (output.type.empty() ? "(no tensor)" : output.type), output.name});
  if (problems.empty())
    return success();
  llvm::MapVector<StringRef, SmallVector<StringRef>> grouped;
  for (const Problem &problem : problems)
    grouped[problem.what].push_back(problem.where);
  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto &[what, places] : grouped) {
    os << "\n  " << what;
    if (places.size() == 1 && places.front().empty())
      continue;
    constexpr size_t kShown = 4;
    os << ", " << places.size() << (places.size() == 1 ? " time: " : " times: ");
    llvm::interleaveComma(ArrayRef<StringRef>(places).take_front(kShown), os);
    if (places.size() > kShown)
      os << ", ...";
  }
  return emitError(loc) << "cannot be imported:" << text;
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

namespace {
class GraphImporter {
public:
  GraphImporter(const Model &model, ModuleOp module, const ImportOptions &options)
      : model(model), module(module), options(options), builder(module.getBodyRegion()), state(builder) {
    state.opset = model.opset;
    state.needed = model.needed;
  }
  LogicalResult run();

private:
  FailureOr<const ValueInfo *> findImage();
  /// Nodes that the first output needs, each after those it reads.
  FailureOr<SmallVector<const Node *>> sortNodes();
  LogicalResult declareFunction(const ValueInfo &image);

  const Model &model;
  ModuleOp module;
  const ImportOptions &options;
  OpBuilder builder;
  ImportState state;
  func::FuncOp function;
};
} // namespace

FailureOr<const ValueInfo *> GraphImporter::findImage() {
  Location loc = module.getLoc();
  std::string found;
  for (const ValueInfo &input : model.inputs)
    found += (found.empty() ? "'" : ", '") + input.name + "' (" + (input.type.empty() ? "no tensor" : input.type) +
             ", rank " + (input.hasShape ? std::to_string(input.dims.size()) : "unknown") + ")";
  if (model.inputs.size() != 1)
    return emitError(loc) << "the model must have one input, an image; found " << (found.empty() ? "none" : found);
  const ValueInfo &image = model.inputs.front();
  if (image.type != "float" || !image.hasShape || image.dims.size() != 4)
    return emitError(loc) << "the model's input must be a float image [B, C, H, W]; found " << found;
  return &image;
}

FailureOr<SmallVector<const Node *>> GraphImporter::sortNodes() {
  llvm::StringMap<const Node *> producers;
  for (const Node &node : model.nodes)
    for (const std::string &output : node.outputs) {
      if (output.empty())
        continue;
      if (!producers.try_emplace(output, &node).second || model.initializers.count(output) ||
          output == model.inputs.front().name)
        return emitError(NameLoc::get(builder.getStringAttr(node.name)))
               << node.opType << ": defines the value '" << output << "' a second time";
    }
  // A depth-first walk with an explicit stack: graphs can be deep.
  llvm::DenseMap<const Node *, bool> done; // false while on the stack
  SmallVector<const Node *> order;
  SmallVector<std::pair<const Node *, size_t>> stack;
  auto it = producers.find(model.outputs.front().name);
  if (it != producers.end()) {
    stack.push_back({it->second, 0});
    done[it->second] = false;
  }
  while (!stack.empty()) {
    auto &[node, next] = stack.back();
    if (next == node->inputs.size() + node->captured.size()) {
      done[node] = true;
      order.push_back(node);
      stack.pop_back();
      continue;
    }
    const size_t inputs = node->inputs.size();
    const std::string &name = next < inputs ? node->inputs[next] : node->captured[next - inputs];
    ++next;
    auto producer = producers.find(name);
    if (name.empty() || producer == producers.end())
      continue; // an initializer, the image, or an error found later
    auto [known, isNew] = done.try_emplace(producer->second, false);
    if (isNew)
      stack.push_back({producer->second, 0});
    else if (!known->second)
      return emitError(NameLoc::get(builder.getStringAttr(producer->second->name)))
             << producer->second->opType << ": depends on its own result '" << name << "'";
  }
  return order;
}

LogicalResult GraphImporter::declareFunction(const ValueInfo &image) {
  FailureOr<Shape> shape = resolveInputShape(model, image, options.batch, module.getLoc());
  if (failed(shape))
    return failure();
  auto type = RankedTensorType::get(*shape, builder.getF32Type());
  Location loc = NameLoc::get(builder.getStringAttr(image.name));
  function = func::FuncOp::create(builder, loc, "main", builder.getFunctionType(type, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  state.values[image.name] = Imported(Value(entry->getArgument(0)));
  return success();
}

LogicalResult GraphImporter::run() {
  Location loc = module.getLoc();
  if (model.outputs.empty())
    return emitError(loc) << "the model has no output";
  FailureOr<const ValueInfo *> image = findImage();
  if (failed(image))
    return failure();
  if (model.outputs.size() > 1)
    emitRemark(loc) << "the model has " << model.outputs.size() << " outputs; only the first, '"
                    << model.outputs.front().name << "', is compiled";
  FailureOr<SmallVector<const Node *>> nodes = sortNodes();
  if (failed(nodes) || failed(declareFunction(**image)))
    return failure();
  for (const auto &[name, tensor] : model.initializers)
    state.values[name] = Imported(tensor);
  for (const Node *node : *nodes)
    if (failed(NodeImporter(state, *node).run()))
      return failure();
  const std::string &outputName = model.outputs.front().name;
  auto output = state.values.find(outputName);
  if (output == state.values.end())
    return emitError(loc) << "nothing defines the output '" << outputName << "'";
  if (!output->second.value || output->second.value == function.getArgument(0))
    return emitError(loc) << "the output '" << outputName << "' does not depend on the image";
  if (!output->second.isFloat())
    return emitError(loc) << "the output '" << outputName << "' is no float";
  func::ReturnOp::create(builder, NameLoc::get(builder.getStringAttr(outputName)), output->second.value);
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), output->second.value.getType()));
  return success();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

namespace {
/// Diagnostics of an import, emitted again at the end with the file's name in
/// front: an error found by shape inference knows only its node.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(MLIRContext *context)
      : handler(std::make_unique<ScopedDiagnosticHandler>(context, [this](Diagnostic &diagnostic) {
          collected.push_back({diagnostic.getLocation(), diagnostic.getSeverity(), diagnostic.str()});
          return success();
        })) {}

  void emit(StringRef path) {
    handler.reset();
    for (const Entry &entry : collected) {
      auto name = dyn_cast<NameLoc>(entry.loc);
      auto diagnostic = entry.severity == DiagnosticSeverity::Error     ? emitError(entry.loc)
                        : entry.severity == DiagnosticSeverity::Warning ? emitWarning(entry.loc)
                                                                        : emitRemark(entry.loc);
      diagnostic << path << ": ";
      if (name && name.getName() != path)
        diagnostic << "node '" << name.getName().getValue() << "': ";
      diagnostic << entry.message;
    }
  }

private:
  struct Entry {
    Location loc;
    DiagnosticSeverity severity;
    std::string message;
  };
  SmallVector<Entry> collected;
  std::unique_ptr<ScopedDiagnosticHandler> handler;
};
} // namespace

static FailureOr<OwningOpRef<ModuleOp>> importModel(llvm::Expected<Model> model, StringRef name, MLIRContext *context,
                                                    const ImportOptions &options) {
  Location loc = NameLoc::get(StringAttr::get(context, name));
  if (!model)
    return emitError(loc) << llvm::toString(model.takeError());
  if (failed(reportProblems(*model, loc)))
    return failure();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  if (failed(GraphImporter(*model, *module, options).run()) || failed(verify(*module)))
    return failure();
  return module;
}

static FailureOr<OwningOpRef<ModuleOp>> importNamed(llvm::Expected<Model> model, StringRef name, MLIRContext *context,
                                                    const ImportOptions &options) {
  context->loadDialect<vit::VitDialect, arith::ArithDialect, func::FuncDialect>();
  DiagnosticCollector diagnostics(context);
  FailureOr<OwningOpRef<ModuleOp>> module = importModel(std::move(model), name, context, options);
  diagnostics.emit(name);
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> vitq::frontend::importOnnx(StringRef path, MLIRContext *context,
                                                            const ImportOptions &options) {
  return importNamed(loadOnnxModel(path), path, context, options);
}

FailureOr<OwningOpRef<ModuleOp>> vitq::frontend::importOnnx(llvm::MemoryBufferRef model, MLIRContext *context,
                                                            const ImportOptions &options) {
  return importNamed(parseOnnxModel(model.getBuffer()), model.getBufferIdentifier(), context, options);
}
