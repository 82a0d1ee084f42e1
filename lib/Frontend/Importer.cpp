//===- Importer.cpp - Importing one ONNX node -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include "ConstantCodes.h"

#include "llvm/ADT/ScopeExit.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

ArrayRef<int64_t> Imported::shape() const {
  if (constant)
    return constant->shape();
  if (surrounded)
    return surroundedShape;
  for (Value of : {value, rowMaximumOf, distanceOf})
    if (of)
      return vit::shapeOf(of);
  return {}; // a scale
}

bool Imported::isBool() const {
  if (constant)
    return constant->dtype == DType::Bool;
  return value && cast<ShapedType>(value.getType()).getElementType().isInteger(1);
}

const HandlerTable &vitq::frontend::operatorHandlers() {
  static const HandlerTable table = [] {
    HandlerTable all;
    addAttentionHandlers(all);
    addContractionHandlers(all);
    addConvolutionHandlers(all);
    addControlHandlers(all);
    addEinsumHandlers(all);
    addElementwiseHandlers(all);
    addMicrosoftHandlers(all);
    addNormHandlers(all);
    addReduceHandlers(all);
    addResizeHandlers(all);
    addRotaryHandlers(all);
    addShapeHandlers(all);
    addWindowHandlers(all);
    // Evaluators know which operators have handlers.
    addBinaryEvaluators(all);
    addContractionEvaluators(all);
    addIndexingEvaluators(all);
    addMoveEvaluators(all);
    addNormalizeEvaluators(all);
    addReduceEvaluators(all);
    addUnaryEvaluators(all);
    addWindowEvaluators(all);
    addPartHandlers(all);
    addQuantizedHandlers(all);
    return all;
  }();
  return table;
}

NodeImporter::NodeImporter(ImportState &state, const Node &node)
    : node(node), builder(state.builder), loc(NameLoc::get(StringAttr::get(state.builder.getContext(), node.name))),
      state(state) {}

InFlightDiagnostic NodeImporter::error() {
  return emitError(NameLoc::get(builder.getStringAttr(node.name))) << node.qualifiedType() << ": ";
}

void NodeImporter::setPart(StringRef part) {
  loc = NameLoc::get(builder.getStringAttr(part.empty() ? Twine(node.name) : node.name + "." + part));
}

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

/// All results of one model together, in bytes, and the work for them: the weights may be moved and cast a few times.
static constexpr double kMaxFoldedTotal = 0x1p31, kMaxFoldedPerWeight = 4;
static constexpr double kMaxFoldedWork = 0x1p31, kMaxWorkPerWeight = 16;

LogicalResult NodeImporter::readInputs(const OperatorHandler &handler) {
  size_t given = node.inputs.size();
  while (given && node.inputs[given - 1].empty())
    --given;
  if (given < handler.minInputs || given > handler.maxInputs)
    return error() << "has " << given << " inputs, expected " << handler.minInputs
                   << (handler.minInputs == handler.maxInputs ? "" : " or more");
  for (size_t i = 0; i < given; ++i) {
    Imported value;
    if (!node.inputs[i].empty()) {
      auto it = state.values.find(node.inputs[i]);
      if (it == state.values.end())
        return error() << "reads the value '" << node.inputs[i] << "', which nothing defines";
      value = it->second;
    } else if (i < handler.minInputs) {
      return error() << "input " << i << " is missing";
    }
    bool readsBooleans = node.opType == "Where" || node.opType == "Not" || node.opType == "Identity";
    if (!value.constant && value.isBool() && (!readsBooleans || i > 0))
      return error() << "reads booleans that depend on the image; only a Where may choose by them";
    if (failed(checkCodes(value, handler)))
      return failure();
    inputs.push_back(value);
  }
  return success();
}

LogicalResult NodeImporter::run() {
  if (state.maxFoldedBytes == 0) {
    double weights = 0;
    for (const auto &value : state.values)
      if (value.second.constant)
        weights += static_cast<double>(value.second.constant->elements.numBytes());
    state.maxFoldedBytes = kMaxFoldedTotal + kMaxFoldedPerWeight * weights;
    state.maxFoldedWork = kMaxFoldedWork + kMaxWorkPerWeight * weights;
  }
  const auto found = operatorHandlers().find(node.qualifiedType());
  if (found == operatorHandlers().end())
    return error() << "is an unsupported operator";
  const OperatorHandler &handler = found->second;
  if (failed(readInputs(handler)))
    return failure();
  if (node.outputs.empty() || llvm::none_of(node.outputs, [&](StringRef o) { return state.needed.contains(o); }))
    return error() << "has no output";
  if (handler.onCodes == OperatorHandler::OnCodes::Moved && failed(readConstantCodes()))
    return failure();
  const bool hasPart = llvm::any_of(inputs, [](const Imported &value) { return value.isPart(); });
  const bool isConstant = !inputs.empty() && !hasPart &&
                          llvm::all_of(inputs, [](const Imported &value) { return value.constant || !value; });
  // Moves of coded constants keep the codes.
  const bool isCoded =
      handler.onCodes == OperatorHandler::OnCodes::Moved &&
      llvm::any_of(inputs, [](const Imported &value) { return value.constant && value.constant->codes; });
  auto *import = hasPart && handler.onPart                    ? handler.onPart
                 : isConstant && handler.evaluate && !isCoded ? handler.evaluate
                                                              : handler.import;
  if (!import)
    return error() << "is supported on constants only";
  if (failed(import(*this)) || attributeError)
    return failure();
  if (handler.onCodes == OperatorHandler::OnCodes::Moved && failed(moveCodes()))
    return failure();
  for (const std::string &output : node.outputs)
    if (state.needed.contains(output) && !state.values.count(output))
      return error() << "output '" << output << "' is not supported";
  return countFolded();
}

LogicalResult NodeImporter::checkCodes(const Imported &value, const OperatorHandler &handler) {
  if (handler.onCodes == OperatorHandler::OnCodes::Handled)
    return success();
  if (value.surrounded)
    return node.opType == "MaxPool" ? LogicalResult(success())
                                    : error() << "reads a map with -inf around it; only MaxPool may";
  if ((value.rowMaximumOf || value.distanceOf) && !handler.onPart)
    return error() << "reads the maximum of rows; only exp(x - max(x)) is supported";
  if (value.isPart() && !handler.onPart)
    return error() << "reads codes, or a scale, of a DynamicQuantizeLinear; only products, Cast and Mul may";
  if (!value.codes || handler.onCodes == OperatorHandler::OnCodes::Moved)
    return success();
  return error() << "computes with codes of the image's data; only moves, DequantizeLinear and operators made for "
                    "codes may read them";
}

LogicalResult NodeImporter::readConstantCodes() {
  const auto *coded = llvm::find_if(inputs, [](const Imported &input) { return static_cast<bool>(input.codes); });
  if (coded == inputs.end())
    return success();
  const Type codes = coded->codes;
  for (Imported &input : inputs) {
    if (!input.constant || frontend::isFloat(input.constant->dtype))
      continue;
    MaybeImported real = constantAsCodes(*this, input, codes);
    if (failed(real))
      return failure();
    input = *real;
  }
  return success();
}

LogicalResult NodeImporter::moveCodes() {
  std::optional<Type> joined;
  for (const Imported &input : inputs) {
    if (!input.value)
      continue;
    if (joined && input.codes != *joined)
      return error() << "joins codes of different scales or types; join what they stand for (DequantizeLinear first)";
    joined = input.codes;
  }
  Type codes = joined.value_or(Type());
  if (!codes)
    return success();
  if (!isa<quant::UniformQuantizedType>(codes))
    return error() << "moves codes with more than one scale; only codes of one scale may be moved";
  if (llvm::any_of(inputs,
                   [](const Imported &input) { return input.constant && input.isFloat() && !input.constant->codes; }))
    return error() << "joins codes and floats";
  for (const std::string &output : node.outputs)
    if (auto it = state.values.find(output); it != state.values.end() && it->second.value)
      it->second.codes = codes;
  return success();
}

const Imported &NodeImporter::input(size_t i) const {
  static const Imported none;
  return i < inputs.size() ? inputs[i] : none;
}

void NodeImporter::setOutput(size_t i, Imported value) { state.values[node.outputs[i]] = std::move(value); }

LogicalResult NodeImporter::setOutput(MaybeImported value) {
  if (failed(value))
    return failure();
  setOutput(0, std::move(*value));
  return success();
}

FailureOr<Shape> NodeImporter::intsInput(size_t i, StringRef what) {
  const ConstantPtr &tensor = input(i).constant;
  if (!tensor)
    return error() << "input '" << what << "' depends on the image; it must be known at compile time";
  if (isFloat(tensor->dtype) || tensor->dtype == DType::Bool || tensor->shape().size() > 1)
    return error() << "input '" << what << "' must be a vector of integers";
  return tensor->ints();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// What importing a node costs, and an op.
static constexpr double kNodeWork = 0x1p12, kOpWork = 0x1p17;

LogicalResult NodeImporter::checkFolded(DType type, ArrayRef<int64_t> shape) {
  std::optional<int64_t> count = countElements(shape, kMaxFoldedElements);
  if (!count || *count * static_cast<int64_t>(sizeOf(frontend::kindOf(type))) > kMaxFoldedBytes)
    return error() << "the result is too large, or has a negative size";
  return success();
}

LogicalResult NodeImporter::spend(double work) {
  state.foldedWork += work;
  if (state.foldedWork > state.maxFoldedWork)
    return error() << "computing what depends on constants only takes too long; simplify the model before its export";
  return success();
}

FailureOr<Result> NodeImporter::allocate(DType type, ArrayRef<int64_t> shape, double work) {
  if (failed(checkFolded(type, shape)))
    return failure();
  auto result = std::make_shared<OnnxConstant>(type, shape, outputName());
  // An element is read, converted, computed, rounded and written.
  constexpr double kElementWork = 16;
  if (failed(spend(kElementWork * work * static_cast<double>(result->size()))))
    return failure();
  return result;
}

LogicalResult NodeImporter::give(Result result, size_t i) {
  if (wantsOutput(i)) {
    result->name = node.outputs[i];
    setOutput(i, Imported(ConstantPtr(std::move(result))));
  }
  return success();
}

LogicalResult NodeImporter::countFolded() {
  auto isPartOf = [](const Tensor &part, const Imported &whole) {
    if (!whole.constant)
      return false;
    ArrayRef<char> bytes = whole.constant->elements.raw();
    return part.bytes() >= bytes.begin() && part.bytes() <= bytes.end();
  };
  for (const std::string &output : node.outputs) {
    auto it = state.values.find(output);
    if (it == state.values.end() || !it->second.constant || inputs.empty())
      continue;
    const Tensor &result = it->second.constant->elements;
    if (llvm::none_of(inputs, [&](const Imported &input) { return isPartOf(result, input); }))
      state.foldedBytes += static_cast<double>(result.numBytes());
  }
  if (state.foldedBytes > state.maxFoldedBytes)
    return error() << "what was computed of constants up to here takes more memory than a model needs";
  return success();
}

LogicalResult NodeImporter::runGraph(const Graph &graph, ArrayRef<Imported> values,
                                     SmallVectorImpl<Imported> &outputs) {
  assert((graph.inputs.size() == values.size() || values.empty()) && "the caller counts");
  // Names of the graph are its own: what they mean around it comes back at the end.
  SmallVector<std::pair<StringRef, Imported>> hidden;
  auto define = [&](StringRef name, Imported value) {
    Imported &entry = state.values[name];
    hidden.push_back({name, entry});
    entry = std::move(value);
    if (!entry)
      state.values.erase(name);
  };
  llvm::scope_exit restore([&] {
    for (auto &[name, value] : llvm::reverse(hidden)) {
      if (value)
        state.values[name] = value;
      else
        state.values.erase(name);
    }
  });
  for (auto [name, value] : llvm::zip(graph.inputs, values))
    define(name, value);
  for (const auto &[name, tensor] : graph.initializers)
    define(name, Imported(tensor));
  for (const Node &inner : graph.nodes)
    for (const std::string &output : inner.outputs)
      define(output, Imported());
  for (const auto &name : graph.needed)
    state.needed.insert(name.getKey());
  for (const Node &inner : graph.nodes) {
    NodeImporter importer(state, inner);
    const bool reads = llvm::any_of(inner.inputs, [&](StringRef name) { return state.values.lookup(name).value; });
    if (failed(importer.spend(reads ? kOpWork : kNodeWork)) || failed(importer.run()))
      return failure();
  }
  for (const std::string &name : graph.outputs) {
    Imported output = state.values.lookup(name);
    if (!output)
      return error() << "nothing defines the output '" << name << "' of its graph";
    outputs.push_back(output);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

FailureOr<int64_t> NodeImporter::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return error() << "axis " << axis << " is outside a tensor of rank " << rank;
  return axis < 0 ? axis + rank : axis;
}

FailureOr<Shape> NodeImporter::axes(int64_t rank, int64_t inputSince, bool &given) {
  Shape list;
  given = false;
  if (opset() >= inputSince) {
    given = has(1);
    if (given) {
      FailureOr<Shape> ints = intsInput(1, "axes");
      if (failed(ints))
        return failure();
      list = *ints;
    }
  } else if (std::optional<Shape> ints = intsAttr("axes")) {
    given = true;
    list = *ints;
  }
  llvm::SmallBitVector seen(rank);
  for (int64_t &entry : list) {
    FailureOr<int64_t> normal = axis(entry, rank);
    if (failed(normal))
      return failure();
    if (seen[*normal])
      return error() << "axis " << entry << " is given twice";
    seen.set(*normal);
    entry = *normal;
  }
  return list;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const OnnxAttribute *NodeImporter::attr(const std::string &name, OnnxAttribute::Kind kind) {
  const OnnxAttribute *attribute = node.find(name);
  if (!attribute || attribute->kind == kind)
    return attribute;
  error() << "attribute '" << name << "' has a wrong type";
  attributeError = true;
  return nullptr;
}

int64_t NodeImporter::intAttr(const std::string &name, int64_t otherwise) {
  auto *attribute = attr(name, OnnxAttribute::Kind::Int);
  return attribute ? attribute->i : otherwise;
}

double NodeImporter::floatAttr(const std::string &name, double otherwise) {
  auto *attribute = attr(name, OnnxAttribute::Kind::Float);
  return attribute ? attribute->f : otherwise;
}

std::string NodeImporter::stringAttr(const std::string &name, StringRef otherwise) {
  auto *attribute = attr(name, OnnxAttribute::Kind::String);
  return attribute ? attribute->s : otherwise.str();
}

std::optional<Shape> NodeImporter::intsAttr(const std::string &name) {
  auto *attribute = attr(name, OnnxAttribute::Kind::Ints);
  if (!attribute)
    return std::nullopt;
  return Shape(attribute->ints.begin(), attribute->ints.end());
}

FailureOr<const Graph *> NodeImporter::graphAttr(const std::string &name) {
  auto *attribute = attr(name, OnnxAttribute::Kind::Graph);
  if (!attribute || !attribute->graph)
    return error() << "has no graph '" << name << "'";
  return attribute->graph.get();
}

LogicalResult NodeImporter::checkAttributes(ArrayRef<StringRef> known) {
  for (const auto &[name, attribute] : node.attributes)
    if (!llvm::is_contained(known, name))
      return error() << "attribute '" << name << "' is not supported";
  return success();
}

NamedAttribute NodeImporter::i64s(StringRef name, ArrayRef<int64_t> values) {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
}
NamedAttribute NodeImporter::i64(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
