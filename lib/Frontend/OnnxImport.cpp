//===- OnnxImport.cpp - ONNX files as vit functions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Frontend/OnnxImport.h"

#include "ConstantCodes.h"
#include "Importer.h"
#include "Opsets.h"

#include "vitq/Data/ByteImages.h"
#include "vitq/Support/Constants.h"

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

/// Whether an output of this type may be codes.
static bool isCode(StringRef type) {
  return llvm::is_contained({"int4", "uint4", "int8", "uint8", "int16", "uint16"}, type);
}

/// Problems, those with the same cause as one line.
static std::string describe(ArrayRef<Problem> problems) {
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
  return text;
}

/// Adds the operators that an opset does not have or that are not supported. Whether the file
/// contradicts itself.
static bool checkNodes(ArrayRef<Node> nodes, int64_t opset, SmallVectorImpl<Problem> &problems) {
  const bool isKnown = opset >= kMinOpset && opset <= kLastOpset;
  bool isMisfit = false;
  for (const Node &node : nodes) {
    OpsetProblem problem = isKnown ? checkOpset(node, opset) : OpsetProblem();
    if (!problem.what.empty())
      problems.push_back({problem.what, node.name});
    else if (!operatorHandlers().contains(node.qualifiedType()))
      problems.push_back({"unsupported operator " + node.qualifiedType(), node.name});
    isMisfit |= problem.isMisfit;
  }
  return isMisfit;
}

/// One error for everything in the file that cannot be imported, so that a
/// user sees all of it at once.
static LogicalResult reportProblems(const Model &model, Location loc) {
  SmallVector<Problem> problems(model.problems.begin(), model.problems.end());
  const bool isMisfit = checkNodes(model.nodes, model.opset, problems);
  for (const ValueInfo &output : model.outputs)
    if (output.type != "float" && !isCode(output.type) && llvm::is_contained(model.results, output.name))
      problems.push_back(
          {"unsupported output type " + (output.type.empty() ? "(no tensor)" : output.type), output.name});
  if (problems.empty())
    return success();
  InFlightDiagnostic error = emitError(loc) << "cannot be imported:" << describe(problems);
  if (isMisfit)
    error << "\n  the file says opset " << model.opset
          << ", which cannot hold these operators: its conversion to another opset failed; export the model again "
             "without converting it (torch: opset_version=20)";
  return failure();
}

//===----------------------------------------------------------------------===//
// The graph
//===----------------------------------------------------------------------===//

namespace {
class GraphImporter {
public:
  GraphImporter(Model &model, ModuleOp module, const ImportOptions &options)
      : model(model), module(module), options(options), builder(module.getBodyRegion()), state(builder) {
    state.opset = model.opset;
    state.needed = model.needed;
  }
  LogicalResult run();

private:
  FailureOr<const ValueInfo *> findImage();
  /// Nodes that the results need, each after those it reads.
  FailureOr<SmallVector<const Node *>> sortNodes() const;
  FailureOr<llvm::StringMap<const Node *>> findProducers() const;
  /// Says which outputs are left out, where the user did not.
  void remarkOthers();
  LogicalResult declareFunction(const ValueInfo &input);
  void declareBytes(Value image, bool channelsLast);
  FailureOr<Value> findResult(StringRef name);
  LogicalResult returnResults();
  LogicalResult importNodes(ArrayRef<const Node *> nodes);
  void remarkDynamicScales();

  Model &model;
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
  const bool isShaped = image.hasShape || options.shapes.count(image.name);
  if ((image.type != "float" && image.type != "uint8") || !isShaped || (image.hasShape && image.dims.size() != 4))
    return emitError(loc) << "the model's input must be a float image [B, C, H, W], or one of bytes; found " << found;
  return &image;
}

FailureOr<llvm::StringMap<const Node *>> GraphImporter::findProducers() const {
  llvm::StringMap<const Node *> producers;
  for (const Node &node : model.nodes)
    for (const std::string &output : node.outputs) {
      if (output.empty())
        continue;
      if (!producers.try_emplace(output, &node).second || model.initializers.count(output) ||
          output == model.inputs.front().name)
        return emitError(NameLoc::get(StringAttr::get(builder.getContext(), node.name)))
               << node.opType << ": defines the value '" << output << "' a second time";
    }
  return producers;
}

FailureOr<SmallVector<const Node *>> GraphImporter::sortNodes() const {
  FailureOr<llvm::StringMap<const Node *>> producers = findProducers();
  if (failed(producers))
    return failure();
  // A depth-first walk with an explicit stack: graphs can be deep.
  llvm::DenseMap<const Node *, bool> done; // false while on the stack
  SmallVector<const Node *> order;
  SmallVector<std::pair<const Node *, size_t>> stack;
  // False: the value is computed from itself.
  auto visit = [&](StringRef name) {
    auto producer = producers->find(name);
    if (name.empty() || producer == producers->end())
      return true; // an initializer, the image, or an error found later
    auto [known, isNew] = done.try_emplace(producer->second, false);
    if (isNew)
      stack.push_back({producer->second, 0});
    return isNew || known->second;
  };
  for (const std::string &result : model.results) {
    visit(result);
    while (!stack.empty()) {
      auto &[node, next] = stack.back();
      const size_t inputs = node->inputs.size();
      if (next == inputs + node->captured.size()) {
        done[node] = true;
        order.push_back(node);
        stack.pop_back();
        continue;
      }
      const std::string &name = next < inputs ? node->inputs[next] : node->captured[next - inputs];
      ++next;
      if (visit(name))
        continue;
      const Node &producer = *producers->lookup(name);
      return emitError(NameLoc::get(StringAttr::get(builder.getContext(), producer.name)))
             << producer.opType << ": depends on its own result '" << name << "'";
    }
  }
  return order;
}

void GraphImporter::remarkOthers() {
  if (!options.outputs.empty() || model.outputs.size() < 2)
    return;
  InFlightDiagnostic remark = emitRemark(module.getLoc());
  remark << "the model has " << model.outputs.size() << " outputs; only the first, '" << model.results.front()
         << "', is compiled; --output=NAME,... chooses among all: ";
  constexpr size_t kShown = 8;
  llvm::interleaveComma(ArrayRef(model.outputs).take_front(kShown), remark,
                        [&](const ValueInfo &output) { remark << output.name; });
  if (model.outputs.size() > kShown)
    remark << ", ...";
}

/// Whether a shape is that of an image whose channels come last.
static bool hasChannelsLast(ArrayRef<std::optional<int64_t>> dims) {
  auto areChannels = [](std::optional<int64_t> size) { return size && (*size == 1 || *size == 3 || *size == 4); };
  return dims.size() == 4 && areChannels(dims[3]) && !areChannels(dims[1]);
}

/// The image's bytes as the model reads them: the argument stands for [0, 1], in planes.
void GraphImporter::declareBytes(Value image, bool channelsLast) {
  Location loc = image.getLoc();
  Value most = createFloatConstant(builder, loc, RankedTensorType::get({}, builder.getF32Type()), {255.0F}, "255");
  Value bytes = vit::createInferred<vit::MulOp>(builder, loc, ValueRange{image, most});
  if (channelsLast)
    bytes = vit::createInferred<vit::TransposeOp>(
        builder, loc, bytes, builder.getNamedAttr("permutation", builder.getDenseI64ArrayAttr({0, 2, 3, 1})));
  Imported &value = state.values[model.inputs.front().name];
  value = Imported(bytes);
  value.codes = quantizedType(builder.getContext(), Grid{{1.0}, {0}, -1, 8, /*isSigned=*/false});
  module->setAttr(data::kReadsBytesAttr, builder.getUnitAttr());
  emitRemark(loc) << "the model reads bytes and normalizes them itself: --preprocess needs no mean and std";
}

LogicalResult GraphImporter::declareFunction(const ValueInfo &input) {
  ValueInfo image = input;
  ImportOptions given = options;
  const bool channelsLast = input.type == "uint8" && hasChannelsLast(input.dims);
  if (channelsLast) {
    auto inPlanes = [](auto &sizes) {
      if (sizes.size() == 4)
        std::rotate(sizes.begin() + 1, sizes.begin() + 3, sizes.end());
    };
    inPlanes(image.dims);
    inPlanes(image.dimNames);
    if (auto own = given.shapes.find(image.name); own != given.shapes.end())
      inPlanes(own->second);
  }
  FailureOr<Shape> shape = resolveInputShape(model, image, given, module.getLoc(), channelsLast);
  if (failed(shape))
    return failure();
  auto type = RankedTensorType::get(*shape, builder.getF32Type());
  Location loc = NameLoc::get(builder.getStringAttr(image.name));
  function = func::FuncOp::create(builder, loc, "main", builder.getFunctionType(type, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  if (input.type == "uint8")
    declareBytes(entry->getArgument(0), channelsLast);
  else
    state.values[image.name] = Imported(Value(entry->getArgument(0)));
  return success();
}

FailureOr<Value> GraphImporter::findResult(StringRef name) {
  Location loc = module.getLoc();
  auto output = state.values.find(name);
  if (output == state.values.end())
    return emitError(loc) << "nothing defines the output '" << name << "'";
  if (output->second.surrounded)
    return emitError(loc) << "the output '" << name << "' has -inf around it, which only MaxPool may read";
  if (!output->second.value || output->second.value == function.getArgument(0))
    return emitError(loc) << "the output '" << name << "' does not depend on the image";
  // Codes are returned as the reals that they stand for.
  if ((!output->second.isFloat() && !output->second.codes) || !output->second.dynamicScales.empty())
    return emitError(loc) << "the output '" << name << "' is no float";
  return output->second.value;
}

LogicalResult GraphImporter::returnResults() {
  SmallVector<Value> results;
  SmallVector<Location> names;
  for (StringRef name : model.results) {
    FailureOr<Value> result = findResult(name);
    if (failed(result))
      return failure();
    results.push_back(*result);
    names.push_back(NameLoc::get(builder.getStringAttr(name)));
  }
  func::ReturnOp::create(builder, builder.getFusedLoc(names), results);
  function.setFunctionType(builder.getFunctionType(function.getArgumentTypes(), TypeRange(ValueRange(results))));
  return success();
}

/// Goes on after a node that cannot be imported, so that all of them are reported; what is
/// computed from one is left out.
LogicalResult GraphImporter::importNodes(ArrayRef<const Node *> nodes) {
  llvm::StringMap<unsigned> readers;
  auto forEachRead = [](const Node &node, llvm::function_ref<void(StringRef)> visit) {
    llvm::for_each(node.inputs, visit);
    llvm::for_each(node.captured, visit);
  };
  for (const Node *node : nodes)
    forEachRead(*node, [&](StringRef name) { ++readers[name]; });
  for (const std::string &result : model.results)
    ++readers[result];
  for (auto &[name, tensor] : model.initializers)
    state.values[name] = Imported(std::move(tensor));
  model.initializers.clear();
  llvm::StringSet<> lost;
  bool complete = true;
  for (const Node *node : nodes) {
    bool isLost = false;
    forEachRead(*node, [&](StringRef name) { isLost |= !name.empty() && lost.contains(name); });
    if (isLost || failed(NodeImporter(state, *node).run())) {
      complete = false;
      lost.insert_range(node->outputs);
    }
    // Weights that were taken over in another form go as soon as nobody reads them.
    forEachRead(*node, [&](StringRef name) {
      if (--readers[name] == 0)
        state.values.erase(name);
    });
  }
  return success(complete);
}

void GraphImporter::remarkDynamicScales() {
  if (state.dynamicNodes.empty())
    return;
  emitRemark(module.getLoc()) << state.dynamicNodes.size()
                              << (state.dynamicNodes.size() == 1 ? " tensor is" : " tensors are")
                              << " quantized by a scale that is computed for each image (DynamicQuantizeLinear), the "
                                 "first at '"
                              << state.dynamicNodes.front()
                              << "'; the program has fixed scales in their place, from calibration";
}

LogicalResult GraphImporter::run() {
  Location loc = module.getLoc();
  if (model.results.empty())
    return emitError(loc) << "the model has no output";
  FailureOr<const ValueInfo *> image = findImage();
  if (failed(image))
    return failure();
  remarkOthers();
  FailureOr<SmallVector<const Node *>> nodes = sortNodes();
  if (failed(nodes) || failed(declareFunction(**image)))
    return failure();
  if (failed(importNodes(*nodes)))
    return failure();
  remarkDynamicScales();
  return returnResults();
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
      : context(context), handler(std::make_unique<ScopedDiagnosticHandler>(context, [this](Diagnostic &diagnostic) {
          collected.push_back({diagnostic.getLocation(), diagnostic.getSeverity(), diagnostic.str()});
          return success();
        })) {}

  void emit(StringRef path) {
    handler.reset();
    SmallVector<Problem> failures;
    for (const Entry &entry : collected)
      if (entry.severity == DiagnosticSeverity::Error)
        failures.push_back({entry.message, nodeOf(entry, path).str()});
    // Several are one error.
    if (failures.size() > 1)
      emitError(NameLoc::get(StringAttr::get(context, path))) << path << ": cannot be imported:" << describe(failures);
    for (const Entry &entry : collected) {
      if (entry.severity == DiagnosticSeverity::Error && failures.size() > 1)
        continue;
      auto diagnostic = entry.severity == DiagnosticSeverity::Error     ? emitError(entry.loc)
                        : entry.severity == DiagnosticSeverity::Warning ? emitWarning(entry.loc)
                                                                        : emitRemark(entry.loc);
      diagnostic << path << ": ";
      if (StringRef node = nodeOf(entry, path); !node.empty())
        diagnostic << "node '" << node << "': ";
      diagnostic << entry.message;
    }
  }

private:
  struct Entry {
    Location loc;
    DiagnosticSeverity severity;
    std::string message;
  };
  static StringRef nodeOf(const Entry &entry, StringRef path) {
    auto name = dyn_cast<NameLoc>(entry.loc);
    return name && name.getName() != path ? name.getName().getValue() : StringRef();
  }

  MLIRContext *context;
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
  context->loadDialect<vit::VitDialect, arith::ArithDialect, func::FuncDialect, quant::QuantDialect>();
  DiagnosticCollector diagnostics(context);
  FailureOr<OwningOpRef<ModuleOp>> module = importModel(std::move(model), name, context, options);
  diagnostics.emit(name);
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> vitq::frontend::importOnnx(StringRef path, MLIRContext *context,
                                                            const ImportOptions &options) {
  return importNamed(loadOnnxModel(path, options), path, context, options);
}

FailureOr<OwningOpRef<ModuleOp>> vitq::frontend::importOnnx(llvm::MemoryBufferRef model, MLIRContext *context,
                                                            const ImportOptions &options) {
  return importNamed(parseOnnxModel(model.getBuffer(), options), model.getBufferIdentifier(), context, options);
}
