//===- RunCase.cpp - What vitq makes of a case -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunCase.h"

#include "lib/Frontend/Importer.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;
using namespace vitq::operators;

namespace {
/// Collects what is reported.
struct Messages {
  std::string text;
  ScopedDiagnosticHandler handler;
  explicit Messages(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
            text += (text.empty() ? "" : "; ") + diagnostic.str();
          return success();
        }) {}
};
} // namespace

//===----------------------------------------------------------------------===//
// Models of a case
//===----------------------------------------------------------------------===//

/// The model with output `k` first, and inputs that `isData` does not choose as initializers.
static onnx::ModelProto bind(const Case &which, int k, function_ref<bool(size_t)> isData) {
  onnx::ModelProto model = which.model;
  onnx::GraphProto &graph = *model.mutable_graph();
  graph.mutable_output()->SwapElements(0, k);
  onnx::GraphProto inputs;
  for (int i = 0; i < graph.input_size() && i < static_cast<int>(which.inputs.size()); ++i) {
    onnx::TensorProto &tensor = *graph.add_initializer();
    tensor = which.inputs[i];
    tensor.set_name(graph.input(i).name());
    if (isData(i))
      graph.mutable_initializer()->RemoveLast();
  }
  graph.clear_input();
  return model;
}

/// All nodes in their order, without an image.
static FailureOr<ConstantPtr> evaluate(const onnx::ModelProto &proto, MLIRContext &context) {
  llvm::Expected<Model> model = parseOnnxModel(proto.SerializeAsString(), ImportOptions());
  Location loc = UnknownLoc::get(&context);
  if (!model)
    return emitError(loc) << llvm::toString(model.takeError());
  if (!model->problems.empty())
    return emitError(loc) << model->problems.front().what;
  context.loadDialect<vit::VitDialect, arith::ArithDialect>();
  OpBuilder builder(&context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToStart(module->getBody());
  ImportState state(builder);
  state.opset = model->opset;
  state.needed = model->needed;
  for (const auto &[name, tensor] : model->initializers)
    state.values[name] = Imported(tensor);
  for (const Node &node : model->nodes)
    if (failed(NodeImporter(state, node).run()))
      return failure();
  ConstantPtr result = state.values.lookup(proto.graph().output(0).name()).constant;
  // Null where ops were made, as of composite operators.
  return result;
}

/// A tensor of a file, as the importer reads it.
static FailureOr<ConstantPtr> readTensor(const onnx::TensorProto &tensor, MLIRContext &context) {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  onnx::GraphProto &graph = *model.mutable_graph();
  *graph.add_initializer() = tensor;
  graph.mutable_initializer(0)->set_name("x");
  onnx::NodeProto &node = *graph.add_node();
  node.set_op_type("Identity");
  node.add_input("x");
  node.add_output("y");
  graph.add_output()->set_name("y");
  return evaluate(model, context);
}

//===----------------------------------------------------------------------===//
// Comparing
//===----------------------------------------------------------------------===//

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t size : shape)
    text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

static double toleranceOf(DType type, const Options &options) {
  return std::max(options.tolerance, type == DType::F16 ? 2e-3 : type == DType::BF16 ? 1.6e-2 : 0);
}

static Outcome compare(ArrayRef<int64_t> shape, function_ref<double(int64_t)> real,
                       function_ref<int64_t(int64_t)> integer, const OnnxConstant &expected, const Options &options) {
  if (shape != expected.shape())
    return {Outcome::Wrong, "shape " + shapeText(shape) + ", expected " + shapeText(expected.shape())};
  Outcome outcome;
  outcome.kind = Outcome::Passed;
  double largest = 0;
  if (frontend::isFloat(expected.dtype))
    for (int64_t i = 0; i < expected.size(); ++i)
      if (std::isfinite(expected.getDouble(i)))
        largest = std::max(largest, std::fabs(expected.getDouble(i)));
  for (int64_t i = 0; i < expected.size(); ++i) {
    const double wanted = expected.getDouble(i), is = real(i);
    if (!frontend::isFloat(expected.dtype)) {
      if (integer(i) != expected.getInt(i))
        return {Outcome::Wrong, llvm::formatv("element {0} is {1}, expected {2}", i, integer(i), expected.getInt(i))};
      continue;
    }
    if (wanted == is || (std::isnan(wanted) && std::isnan(is)))
      continue;
    // What is small beside the others is the difference of large ones.
    const double relative = std::fabs(is - wanted) / std::max(std::fabs(wanted), std::max(largest / 100, 1e-30));
    outcome.worst = std::isnan(relative) ? INFINITY : std::max(outcome.worst, relative);
    if (!(relative <= toleranceOf(expected.dtype, options)))
      return {Outcome::Wrong, llvm::formatv("element {0} is {1}, expected {2}", i, is, wanted), outcome.worst};
  }
  return outcome;
}

/// The worse of two outcomes; nothing is the best.
static Outcome worse(Outcome a, Outcome b) {
  if (a.kind == Outcome::None)
    return b;
  if (b.kind == Outcome::Passed || (b.kind == Outcome::Refused && a.kind == Outcome::Wrong)) {
    a.worst = std::max(a.worst, b.worst);
    a.isQuantizable &= b.isQuantizable || b.kind != Outcome::Passed;
    return a;
  }
  return b;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

static Outcome compareConstant(const OnnxConstant &result, const onnx::TensorProto &wanted, const Options &options,
                               MLIRContext &context) {
  FailureOr<ConstantPtr> expected = readTensor(wanted, context);
  if (failed(expected))
    return {Outcome::Wrong, "the expected output cannot be read"};
  if (result.dtype != (*expected)->dtype)
    return {Outcome::Wrong,
            "is " + stringify(result.dtype).str() + ", expected " + stringify((*expected)->dtype).str()};
  return compare(
      result.shape(), [&](int64_t i) { return result.getDouble(i); }, [&](int64_t i) { return result.getInt(i); },
      **expected, options);
}

Outcome operators::runOnConstants(const Case &which, const Options &options, MLIRContext &context) {
  Outcome outcome;
  for (size_t k = 0; k < which.outputs.size(); ++k) {
    Messages messages(context);
    FailureOr<ConstantPtr> result = evaluate(bind(which, static_cast<int>(k), [](size_t) { return false; }), context);
    if (succeeded(result) && !*result)
      return {};
    outcome = worse(outcome, failed(result) ? Outcome{Outcome::Refused, messages.text}
                                            : compareConstant(**result, which.outputs[k], options, context));
  }
  return outcome;
}

static int64_t elementsOf(const onnx::TensorProto &tensor) {
  int64_t count = 1;
  for (int64_t size : tensor.dims())
    count *= size;
  return count;
}

/// Nodes that take `name` out of the image, from element `begin` on.
static void addPart(onnx::GraphProto &graph, const std::string &name, const onnx::TensorProto &tensor, int64_t begin) {
  auto addInts = [&](const std::string &ints, ArrayRef<int64_t> values) {
    onnx::TensorProto &list = *graph.add_initializer();
    list.set_name(ints);
    list.set_data_type(onnx::TensorProto::INT64);
    list.add_dims(static_cast<int64_t>(values.size()));
    for (int64_t value : values)
      list.add_int64_data(value);
  };
  addInts(name + ".places", range(begin, begin + elementsOf(tensor)));
  addInts(name + ".shape", Shape(tensor.dims().begin(), tensor.dims().end()));
  auto addNode = [&](const char *op, const std::string &second, const std::string &first, const std::string &output) {
    onnx::NodeProto &node = *graph.add_node();
    node.set_op_type(op);
    node.set_name(output);
    node.add_input(first);
    node.add_input(second);
    node.add_output(output);
    return &node;
  };
  onnx::AttributeProto &axis = *addNode("Gather", name + ".places", "image", name + ".part")->add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(3);
  addNode("Reshape", name + ".shape", name + ".part", name);
}

static void declareImage(onnx::GraphProto &graph, int64_t size) {
  onnx::ValueInfoProto &image = *graph.add_input();
  image.set_name("image");
  auto *type = image.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  for (int64_t extent : {int64_t(1), int64_t(1), int64_t(1), size})
    type->mutable_shape()->add_dim()->set_dim_value(extent);
}

/// Whether everything in @main has an integer form, or moves elements or constants.
static bool isQuantizable(ModuleOp module) {
  bool all = true;
  (*module.getOps<func::FuncOp>().begin()).walk([&](Operation *op) {
    if (op->getName().getDialectNamespace() == "vit")
      all &= isa<vit::QuantizableOp>(op) || op->hasTrait<vit::MoveOp>();
  });
  return all;
}

static Outcome runModel(const onnx::ModelProto &model, ArrayRef<float> pixels, const onnx::TensorProto &wanted,
                        const Options &options, MLIRContext &context) {
  Messages messages(context);
  const std::string bytes = model.SerializeAsString();
  auto module = importOnnx(llvm::MemoryBufferRef(bytes, "case"), &context);
  if (failed(module))
    return {Outcome::Refused, messages.text};
  FailureOr<ConstantPtr> expected = readTensor(wanted, context);
  if (failed(expected))
    return {Outcome::Wrong, "the expected output cannot be read"};
  InterpreterOptions interpretation;
  interpretation.useDouble = true;
  auto interpreter = Interpreter::create(**module, interpretation);
  SmallVector<Tensor> results;
  const int64_t size = static_cast<int64_t>(pixels.size());
  if (failed(interpreter) || failed((*interpreter)->run({Tensor::of<float>({1, 1, 1, size}, pixels)}, results)))
    return {Outcome::Wrong, "does not run: " + messages.text};
  const Tensor &result = results.front();
  Outcome outcome = compare(
      result.shape(), [&](int64_t i) { return result.realAt(i); }, [](int64_t) { return 0; }, **expected, options);
  outcome.isQuantizable = isQuantizable(**module);
  return outcome;
}

Outcome operators::runOnData(const Case &which, bool allInputs, const Options &options, MLIRContext &context) {
  // The floats of the image, in the order of the inputs.
  SmallVector<size_t> chosen;
  std::vector<float> pixels;
  for (size_t i = 0; i < which.inputs.size() && (allInputs || chosen.empty()); ++i) {
    const onnx::TensorProto &tensor = which.inputs[i];
    if (tensor.data_type() != onnx::TensorProto::FLOAT || elementsOf(tensor) == 0)
      continue;
    FailureOr<ConstantPtr> values = readTensor(tensor, context);
    if (failed(values))
      return {};
    chosen.push_back(i);
    llvm::append_range(pixels, (*values)->elements.values<float>());
  }
  Outcome outcome;
  for (size_t k = 0; k < which.outputs.size(); ++k) {
    if (chosen.empty() || which.outputs[k].data_type() != onnx::TensorProto::FLOAT)
      continue;
    onnx::ModelProto model = bind(which, static_cast<int>(k), [&](size_t i) { return llvm::is_contained(chosen, i); });
    declareImage(*model.mutable_graph(), static_cast<int64_t>(pixels.size()));
    int64_t begin = 0;
    for (size_t i : chosen) {
      addPart(*model.mutable_graph(), which.model.graph().input(static_cast<int>(i)).name(), which.inputs[i], begin);
      begin += elementsOf(which.inputs[i]);
    }
    outcome = worse(outcome, runModel(model, pixels, which.outputs[k], options, context));
  }
  return outcome;
}

bool operators::hasIntegerForm(StringRef opType, MLIRContext &context) {
  constexpr int64_t kChannels = 8, kMost = 3;
  for (int64_t count = 1; count <= kMost; ++count) {
    onnx::ModelProto model;
    model.add_opset_import()->set_version(kMaxOpset);
    onnx::GraphProto &graph = *model.mutable_graph();
    declareImage(graph, kChannels);
    onnx::NodeProto &node = *graph.add_node();
    node.set_op_type(opType.str());
    node.add_input("image");
    node.add_output("y");
    for (int64_t i = 1; i < count; ++i) {
      onnx::TensorProto &constant = *graph.add_initializer();
      constant.set_name("c" + std::to_string(i));
      constant.set_data_type(onnx::TensorProto::FLOAT);
      constant.add_dims(kChannels);
      for (int64_t c = 0; c < kChannels; ++c)
        constant.add_float_data(1);
      node.add_input(constant.name());
    }
    onnx::ValueInfoProto &output = *graph.add_output();
    output.set_name("y");
    output.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    Messages messages(context);
    const std::string bytes = model.SerializeAsString();
    auto module = importOnnx(llvm::MemoryBufferRef(bytes, "probe"), &context);
    if (succeeded(module) && isQuantizable(**module))
      return true;
  }
  return false;
}
