//===- Interpreter.cpp - Running vit and vitq functions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Interpreter/Interpreter.h"
#include "Engine.h"
#include "QuantizedType.h"
#include "vitq/Support/MainFunction.h"

#include "dialects/vit/Vit.h"
#include "vitq/Tensor/Attributes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

Engine::~Engine() = default;

namespace {

/// One op, with the numbers of the values it reads, defines and uses last.
struct Step {
  Operation *op;
  Kernel kernel;
  SmallVector<unsigned, 3> operands;
  SmallVector<unsigned, 3> lastUses;
  unsigned firstResult;
};

/// What an argument accepts, and what it is inside.
struct Argument {
  SmallVector<int64_t> shape;
  /// The kind inside.
  ElementKind kind;
  /// For a quantized argument: the kind of its storage, and how it is read.
  std::optional<ElementKind> storage;
  bool isSigned = true;
  /// Set where it is read as reals (`ignoreCasts`).
  std::optional<QuantizedType> codes;
};

} // namespace

struct Interpreter::Impl {
  func::FuncOp function;
  ElementKind floatKind = ElementKind::F32;
  SmallVector<Argument> arguments;
  std::vector<Step> steps;
  /// The numbers of constants, and their values.
  std::vector<std::pair<unsigned, Tensor>> constants;
  SmallVector<unsigned> returned;
  llvm::DenseMap<Value, unsigned> numbers;
  unsigned numValues = 0;
  int64_t macs = 0;

  LogicalResult addArgument(BlockArgument argument, bool ignoreCasts);
  LogicalResult addBody(const InterpreterOptions &options);
  void markLastUses();
  FailureOr<Tensor> bindInput(unsigned index, const Tensor &input) const;
  LogicalResult bind(ArrayRef<Tensor> inputs, std::vector<Tensor> &values) const;
  LogicalResult execute(const Step &step, std::vector<Tensor> &values) const;
  MutableArrayRef<Tensor> resultsOf(const Step &step, std::vector<Tensor> &values) const {
    return {values.data() + step.firstResult, step.op->getNumResults()};
  }
};

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::Impl::addArgument(BlockArgument argument, bool ignoreCasts) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type || !type.hasStaticShape())
    return emitError(function.getLoc(), "argument ") << argument.getArgNumber() << " is no statically shaped tensor";
  Argument entry;
  entry.shape.assign(type.getShape().begin(), type.getShape().end());
  Type element = type.getElementType();
  std::optional<ElementKind> kind;
  if (auto quantized = dyn_cast<quant::QuantizedType>(element)) {
    kind = ElementKind::I32;
    entry.storage = exactKindOf(quantized.getStorageType());
    entry.isSigned = quantized.isSigned();
    if (ignoreCasts)
      entry.codes = QuantizedType::get(type);
    if (!entry.storage)
      kind = std::nullopt;
    else if (entry.codes)
      kind = floatKind;
  } else if (element.isF32() || element.isF64()) {
    kind = floatKind;
  } else if (auto integer = dyn_cast<IntegerType>(element)) {
    kind = exactKindOf(integer);
  }
  if (!kind)
    return emitError(function.getLoc(), "argument ")
           << argument.getArgNumber() << " has an element type that cannot be run: " << element;
  entry.kind = *kind;
  arguments.push_back(std::move(entry));
  return success();
}

LogicalResult Interpreter::Impl::addBody(const InterpreterOptions &options) {
  std::unique_ptr<Engine> engines[] = {options.ignoreCasts ? createCastlessEngine(options.useDouble)
                                                           : createQuantizedEngine(options.useDouble),
                                       createFloatEngine(options.useDouble), createIntegerEngine()};
  auto define = [&](Value value) { numbers[value] = numValues++; };
  Block &body = function.getBody().front();
  llvm::for_each(body.getArguments(), define);
  bool allKnown = true;
  for (Operation &op : body) {
    if (isa<func::ReturnOp>(op)) {
      for (Value value : op.getOperands())
        returned.push_back(numbers.lookup(value));
      continue;
    }
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      FailureOr<Tensor> tensor = loadConstant(constant, constant.getValue(), floatKind);
      allKnown &= succeeded(tensor);
      define(constant);
      if (succeeded(tensor))
        constants.emplace_back(numbers.lookup(constant), *tensor);
      continue;
    }
    Step step{&op, nullptr, {}, {}, numValues};
    for (const std::unique_ptr<Engine> &engine : engines)
      if ((step.kernel = engine->compile(&op)))
        break;
    if (!step.kernel && options.external)
      step.kernel = options.external(&op);
    if (!step.kernel) {
      op.emitOpError("cannot be run by the interpreter, which knows vit and vitq ops, arith.constant and quant.scast "
                     "on tensors of f32, f64, !quant.uniform, i1, i8, i16, i32 and i64");
      allKnown = false;
    }
    for (Value operand : op.getOperands())
      step.operands.push_back(numbers.lookup(operand));
    llvm::for_each(op.getResults(), define);
    macs += macsOf(&op);
    steps.push_back(std::move(step));
  }
  return success(allKnown);
}

void Interpreter::Impl::markLastUses() {
  // From the end: the first step seen that reads a value is its last use. A
  // result that nobody reads dies where it is born; constants never do.
  std::vector<bool> alive(numValues, false);
  for (unsigned number : returned)
    alive[number] = true;
  for (auto &[number, tensor] : constants)
    alive[number] = true;
  for (Step &step : llvm::reverse(steps)) {
    auto use = [&](unsigned number) {
      if (!alive[number]) {
        alive[number] = true;
        step.lastUses.push_back(number);
      }
    };
    for (unsigned i = 0; i < step.op->getNumResults(); ++i)
      use(step.firstResult + i);
    for (unsigned number : step.operands)
      use(number);
  }
}

FailureOr<std::unique_ptr<Interpreter>> Interpreter::create(func::FuncOp function, const InterpreterOptions &options) {
  auto impl = std::make_unique<Impl>();
  impl->function = function;
  impl->floatKind = options.useDouble ? ElementKind::F64 : ElementKind::F32;
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return emitError(function.getLoc(), "function '")
           << function.getName() << "' has no body of one block, so it cannot be run";
  for (BlockArgument argument : function.getArguments())
    if (failed(impl->addArgument(argument, options.ignoreCasts)))
      return failure();
  if (failed(impl->addBody(options)))
    return failure();
  impl->markLastUses();
  return std::unique_ptr<Interpreter>(new Interpreter(std::move(impl)));
}

FailureOr<std::unique_ptr<Interpreter>> Interpreter::create(ModuleOp module, const InterpreterOptions &options) {
  func::FuncOp function = lookupMain(module);
  auto functions = module.getOps<func::FuncOp>();
  if (!function && llvm::hasSingleElement(functions))
    function = *functions.begin();
  if (!function)
    return emitError(module.getLoc(), "module has no function 'main' to run");
  return create(function, options);
}

Interpreter::Interpreter(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Interpreter::~Interpreter() = default;
func::FuncOp Interpreter::getFunction() const { return impl->function; }
int64_t Interpreter::macs() const { return impl->macs; }

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

FailureOr<Tensor> Interpreter::Impl::bindInput(unsigned index, const Tensor &input) const {
  const Argument &argument = arguments[index];
  bool fits = input.kind() == argument.kind || input.kind() == argument.storage ||
              (argument.kind == floatKind && (input.kind() == ElementKind::F32 || input.kind() == ElementKind::F64));
  auto describe = [](ArrayRef<int64_t> shape, ElementKind kind) {
    std::string text = "tensor<";
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text + toString(kind).str() + ">";
  };
  if (!fits || input.shape() != ArrayRef<int64_t>(argument.shape)) {
    func::FuncOp target = function;
    emitError(target.getLoc(), "input ") << index << " is " << describe(input.shape(), input.kind()) << ", argument "
                                         << index << " takes "
                                         << describe(argument.shape, argument.storage.value_or(argument.kind));
    return failure();
  }
  if (argument.storage && !isFloat(input.kind())) {
    const Tensor codes = input.kind() != ElementKind::I32 ? widenCodes(input, argument.isSigned) : input;
    return argument.codes ? convertFloat(argument.codes->dequantize(codes), floatKind) : codes;
  }
  return convertFloat(input, floatKind);
}

/// The inputs and the constants.
LogicalResult Interpreter::Impl::bind(ArrayRef<Tensor> inputs, std::vector<Tensor> &values) const {
  if (inputs.size() != arguments.size()) {
    func::FuncOp target = function;
    return emitError(target.getLoc(), "function takes ")
           << arguments.size() << " inputs, " << inputs.size() << " given";
  }
  values.assign(numValues, Tensor());
  for (auto [i, input] : llvm::enumerate(inputs)) {
    FailureOr<Tensor> bound = bindInput(i, input);
    if (failed(bound))
      return failure();
    values[i] = *bound;
  }
  for (const auto &[number, tensor] : constants)
    values[number] = tensor;
  return success();
}

LogicalResult Interpreter::Impl::execute(const Step &step, std::vector<Tensor> &values) const {
  SmallVector<Tensor, 4> operands;
  for (unsigned number : step.operands)
    operands.push_back(values[number]);
  return step.kernel(operands, resultsOf(step, values));
}

LogicalResult Interpreter::run(ArrayRef<Tensor> inputs, SmallVectorImpl<Tensor> &results, Observer observer) const {
  std::vector<Tensor> values;
  if (failed(impl->bind(inputs, values)))
    return failure();
  for (const Step &step : impl->steps) {
    if (failed(impl->execute(step, values)))
      return failure();
    if (observer)
      observer(step.op, impl->resultsOf(step, values));
    for (unsigned number : step.lastUses)
      values[number] = Tensor();
  }
  results.clear();
  for (unsigned number : impl->returned)
    results.push_back(values[number]);
  return success();
}

FailureOr<Interpreter::Run> Interpreter::begin(ArrayRef<Tensor> inputs) const {
  Run run;
  run.interpreter = this;
  if (failed(impl->bind(inputs, run.values)))
    return failure();
  return run;
}

LogicalResult Interpreter::Run::runUntil(Operation *op) {
  const std::vector<Step> &steps = interpreter->impl->steps;
  for (; position < steps.size() && steps[position].op != op; ++position) {
    if (failed(interpreter->impl->execute(steps[position], values)))
      return failure();
    for (unsigned number : steps[position].lastUses)
      values[number] = Tensor();
  }
  assert((position < steps.size() || !op) && "the run is past this op");
  return success();
}

const Tensor &Interpreter::Run::operand(unsigned index) const {
  return values[interpreter->impl->steps[position].operands[index]];
}

Tensor Interpreter::Run::valueOf(Value value) const {
  auto number = interpreter->impl->numbers.find(value);
  return number != interpreter->impl->numbers.end() ? values[number->second] : Tensor();
}

LogicalResult Interpreter::Run::compute(ArrayRef<std::pair<unsigned, Tensor>> replaced,
                                        SmallVectorImpl<Tensor> &results) const {
  const Step &step = interpreter->impl->steps[position];
  SmallVector<Tensor, 4> operands;
  for (unsigned number : step.operands)
    operands.push_back(values[number]);
  for (const auto &[index, tensor] : replaced) {
    if (index == operands.size())
      operands.emplace_back();
    operands[index] = tensor;
  }
  results.assign(step.op->getNumResults(), Tensor());
  return step.kernel(operands, results);
}

void Interpreter::Run::skip(ArrayRef<Tensor> results) {
  const Step &step = interpreter->impl->steps[position++];
  llvm::copy(results, interpreter->impl->resultsOf(step, values).begin());
  for (unsigned number : step.lastUses)
    values[number] = Tensor();
}

SmallVector<Tensor> Interpreter::Run::results() const {
  return llvm::map_to_vector(interpreter->impl->returned, [&](unsigned number) { return values[number]; });
}

LogicalResult Interpreter::record(ArrayRef<Tensor> inputs, Record &record) const {
  if (failed(impl->bind(inputs, record.values)))
    return failure();
  for (const Step &step : impl->steps)
    if (failed(impl->execute(step, record.values)))
      return failure();
  return success();
}

const Tensor &Interpreter::valueOf(const Record &record, Value value) const {
  auto number = impl->numbers.find(value);
  assert(number != impl->numbers.end() && "a value of another function");
  return record.values[number->second];
}

LogicalResult Interpreter::rerun(const Record &record, Value changed, const Tensor &tensor,
                                 SmallVectorImpl<Tensor> &results) const {
  return rerun(record, {{changed, tensor}}, results);
}

LogicalResult Interpreter::rerun(const Record &record, ArrayRef<std::pair<Value, Tensor>> changed,
                                 SmallVectorImpl<Tensor> &results) const {
  std::vector<Tensor> values = record.values;
  std::vector<bool> differs(impl->numValues, false);
  for (const auto &[value, tensor] : changed) {
    const unsigned number = impl->numbers.lookup(value);
    assert(tensor.kind() == values[number].kind() && tensor.shape() == values[number].shape() && "not that value");
    values[number] = tensor;
    differs[number] = true;
  }
  for (const Step &step : impl->steps) {
    bool depends = llvm::any_of(step.operands, [&](unsigned operand) { return differs[operand]; });
    if (!depends || llvm::any_of(changed, [&](const auto &own) { return step.op == own.first.getDefiningOp(); }))
      continue;
    if (failed(impl->execute(step, values)))
      return failure();
    for (unsigned i = 0; i < step.op->getNumResults(); ++i)
      differs[step.firstResult + i] = true;
    for (unsigned last : step.lastUses)
      values[last] = Tensor();
  }
  results.clear();
  for (unsigned returned : impl->returned)
    results.push_back(values[returned]);
  return success();
}
