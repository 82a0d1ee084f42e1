//===- SelectNonlinearMeasure.cpp - Errors of nonlinear algorithms -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each op is taken out of the model into a module of its own, which is lowered by the
// same conversion and run by the same interpreter as the whole.
//
//===----------------------------------------------------------------------===//

#include "SelectNonlinearMeasure.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Threading.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>

using namespace mlir;
using namespace vitq;

/// `op` alone in a function of its first operand, with results and operand of these types.
static OwningOpRef<ModuleOp> isolate(Operation *op, Type operand, TypeRange results) {
  OpBuilder b(op->getContext());
  Location loc = op->getLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToStart(module->getBody());
  auto function = func::FuncOp::create(b, loc, "main", b.getFunctionType({operand}, results));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  IRMapping map;
  map.map(op->getOperand(0), entry->getArgument(0));
  for (Value other : op->getOperands().drop_front())
    if (Operation *constant = other.getDefiningOp(); constant && constant->hasTrait<OpTrait::ConstantLike>())
      b.clone(*constant, map);
  Operation *own = b.clone(*op, map);
  own->removeAttr("algorithm");
  for (auto [result, type] : llvm::zip_equal(own->getResults(), results))
    result.setType(type);
  func::ReturnOp::create(b, loc, own->getResults());
  return module;
}

static Type realType(Type type) { return withElementType(type, Float32Type::get(type.getContext())); }

/// What codes stand for; channels along the axis of the parameters.
static std::vector<double> dequantize(const Tensor &tensor, const UniformParameters &p) {
  int64_t inner = 1;
  if (p.axis >= 0)
    for (int64_t size : tensor.shape().drop_front(p.axis + 1))
      inner *= size;
  std::vector<double> values(tensor.numElements());
  auto fill = [&](auto load) {
    for (int64_t i = 0; i < tensor.numElements(); ++i) {
      const size_t c = p.axis < 0 ? 0 : static_cast<size_t>(i / inner) % p.scales.size();
      values[i] = p.scales[c] * static_cast<double>(load(i) - p.zeroPoints[c]);
    }
  };
  switch (tensor.kind()) {
  case ElementKind::I8:
    if (p.isSigned)
      fill([&](int64_t i) { return static_cast<int64_t>(tensor.data<int8_t>()[i]); });
    else
      fill([&](int64_t i) { return static_cast<int64_t>(tensor.data<uint8_t>()[i]); });
    break;
  case ElementKind::I16:
    if (p.isSigned)
      fill([&](int64_t i) { return static_cast<int64_t>(tensor.data<int16_t>()[i]); });
    else
      fill([&](int64_t i) { return static_cast<int64_t>(tensor.data<uint16_t>()[i]); });
    break;
  default:
    fill([&](int64_t i) { return static_cast<int64_t>(tensor.data<int32_t>()[i]); });
  }
  return values;
}

static std::vector<double> realValues(const Tensor &tensor) {
  ArrayRef<float> values = tensor.values<float>();
  return std::vector<double>(values.begin(), values.end());
}

/// Numerators and sums as quotients; other results as they are.
static std::vector<double> quotients(std::vector<std::vector<double>> results) {
  std::vector<double> values = std::move(results.front());
  if (results.size() == 2) {
    const size_t row = values.size() / results[1].size();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] /= results[1][i / row];
  }
  return values;
}

FailureOr<NonlinearMeasurement> NonlinearMeasurement::create(func::FuncOp function, ArrayRef<Operation *> ops,
                                                             const CalibrationImages &images) {
  NonlinearMeasurement measurement;
  llvm::DenseMap<Value, SmallVector<Operation *>> readers;
  for (Operation *op : ops) {
    readers[op->getOperand(0)].push_back(op);
    measurement.samples[op];
  }
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
  if (failed(interpreter))
    return failure();
  const size_t count = images.batches();
  for (auto &[op, own] : measurement.samples)
    own.inputs.resize(count);
  auto runOne = [&](size_t i) -> LogicalResult {
    FailureOr<Tensor> image = images.batch(i, function.getLoc());
    if (failed(image))
      return failure();
    SmallVector<Tensor> results;
    // Every image has its own place, and none is added here.
    auto keep = [&](Operation *op, MutableArrayRef<Tensor> values) {
      for (auto [result, value] : llvm::zip_equal(op->getResults(), values))
        for (Operation *reader : readers.lookup(result))
          measurement.samples.find(reader)->second.inputs[i] = value;
    };
    return (*interpreter)->run(*image, results, keep);
  };
  if (failed(failableParallelForEachN(function.getContext(), 0, count, runOne)))
    return failure();
  for (auto &[op, own] : measurement.samples) {
    // The model's input, and constants, are the result of no op that was run.
    if (llvm::any_of(own.inputs, [](const Tensor &input) { return input.empty(); }))
      return op->emitError("--nonlinear=auto cannot measure '")
             << nodeName(op->getLoc()) << "', whose operand no op computes; choose for its function or layer by name";
    if (failed(measurement.addReferences(op, own)))
      return failure();
  }
  return measurement;
}

LogicalResult NonlinearMeasurement::addReferences(Operation *op, Samples &own) {
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(realType(type));
  OwningOpRef<ModuleOp> module = isolate(op, realType(op->getOperand(0).getType()), types);
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(*module);
  if (failed(interpreter))
    return failure();
  const UniformParameters parameters = *getUniformParameters(getQuantizedType(op->getOperand(0)));
  for (const Tensor &codes : own.inputs) {
    const std::vector<double> values = dequantize(codes, parameters);
    Tensor input = Tensor::of<float>(codes.shape(), SmallVector<float, 0>(values.begin(), values.end()));
    SmallVector<Tensor> results;
    if (failed((*interpreter)->run(input, results)))
      return failure();
    std::vector<std::vector<double>> real;
    for (const Tensor &result : results)
      real.push_back(realValues(result));
    own.references.push_back(quotients(std::move(real)));
  }
  return success();
}

int64_t NonlinearMeasurement::elementsOf(Operation *op) const {
  return cast<ShapedType>(op->getOperand(0).getType()).getNumElements();
}

/// Codes as an integer function takes them, in the width of their type.
static Tensor narrow(const Tensor &codes, unsigned width) {
  if (width == 32)
    return codes;
  Tensor result = Tensor::allocate(width == 8 ? ElementKind::I8 : ElementKind::I16, codes.shape());
  for (int64_t i = 0; i < codes.numElements(); ++i) {
    const int32_t code = codes.data<int32_t>()[i];
    if (width == 8)
      result.mutableData<int8_t>()[i] = static_cast<int8_t>(code);
    else
      result.mutableData<int16_t>()[i] = static_cast<int16_t>(code);
  }
  return result;
}

llvm::Expected<double> NonlinearMeasurement::sqnr(Operation *op, const AlgorithmSpec &spec,
                                                  approximation::Method lutMethod) {
  const Samples &own = samples[op];
  OwningOpRef<ModuleOp> module = isolate(op, op->getOperand(0).getType(), op->getResultTypes());
  module->walk([&](Operation *inner) {
    if (inner->getName() == op->getName())
      inner->setAttr("algorithm", vit::AlgorithmAttr::get(op->getContext(), spec.kind, spec.entries));
  });
  // A candidate that cannot be lowered is no error of the model.
  std::string why;
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &diagnostic) {
    if (why.empty())
      why = diagnostic.str();
    return success();
  });
  PassManager manager(op->getContext(), ModuleOp::getOperationName());
  ConvertVitToVitqPassOptions options;
  options.lutMethod = lutMethod;
  manager.addPass(createConvertVitToVitqPass(options));
  if (failed(manager.run(*module)))
    return llvm::createStringError(why);
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(*module);
  if (failed(interpreter))
    return llvm::createStringError(why);
  const UniformParameters from = *getUniformParameters(getQuantizedType(op->getOperand(0)));
  SmallVector<UniformParameters> to;
  for (Value result : op->getResults())
    to.push_back(*getUniformParameters(getQuantizedType(result)));
  // Power of the signal and of the error, image by image.
  const size_t images = own.inputs.size();
  std::vector<std::pair<double, double>> powers(images);
  std::vector<char> done(images);
  parallelFor(op->getContext(), 0, images, [&](size_t i) {
    SmallVector<Tensor> results;
    if (failed((*interpreter)->run(narrow(own.inputs[i], from.width), results)))
      return;
    done[i] = 1;
    std::vector<std::vector<double>> real;
    for (auto [result, parameters] : llvm::zip_equal(results, to))
      real.push_back(dequantize(result, parameters));
    for (auto [x, y] : llvm::zip_equal(own.references[i], quotients(std::move(real)))) {
      powers[i].first += x * x;
      powers[i].second += (x - y) * (x - y);
    }
  });
  if (llvm::is_contained(done, 0))
    return llvm::createStringError(why);
  double signal = 0, noise = 0;
  for (auto [ofSignal, ofError] : powers) {
    signal += ofSignal;
    noise += ofError;
  }
  if (noise == 0)
    return std::numeric_limits<double>::infinity();
  return 10 * std::log10(std::max(signal, std::numeric_limits<double>::min()) / noise);
}
