//===- EvaluateBinary.cpp - Functions of two and more operands -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

using I = std::optional<int64_t>;

/// A NaN stays one, as in ONNX Runtime; std::fmin and std::fmax drop it.
static double minReal(double a, double b) { return std::isnan(a) || a < b ? a : b; }
static double maxReal(double a, double b) { return std::isnan(a) || a > b ? a : b; }

static uint64_t u(int64_t x) { return static_cast<uint64_t>(x); }

static I divideInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  return b == -1 ? wrapped(0 - u(a)) : a / b;
}
/// The sign of the result is the divisor's (ONNX Mod with fmod = 0).
static I moduloInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  if (b == -1)
    return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
/// The sign of the result is the dividend's (Mod with fmod = 1).
static I remainderInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  return b == -1 ? 0 : a % b;
}
static I divideUnsigned(int64_t a, int64_t b) { return b ? I(wrapped(u(a) / u(b))) : std::nullopt; }
static I moduloUnsigned(int64_t a, int64_t b) { return b ? I(wrapped(u(a) % u(b))) : std::nullopt; }

static BinaryFunction arithmetic(StringRef opType) {
  return llvm::StringSwitch<BinaryFunction>(opType)
      .Cases({"Add", "Sum", "Mean"},
             {[](double a, double b) { return a + b; }, [](int64_t a, int64_t b) -> I { return wrapped(u(a) + u(b)); }})
      .Case("Sub",
            {[](double a, double b) { return a - b; }, [](int64_t a, int64_t b) -> I { return wrapped(u(a) - u(b)); }})
      .Case("Mul",
            {[](double a, double b) { return a * b; }, [](int64_t a, int64_t b) -> I { return wrapped(u(a) * u(b)); }})
      .Case("Div", {[](double a, double b) { return a / b; }, divideInts, divideUnsigned})
      .Case("Mod", {[](double a, double b) { return std::fmod(a, b); }, moduloInts, moduloUnsigned})
      .Case("Min", {minReal, [](int64_t a, int64_t b) -> I { return std::min(a, b); },
                    [](int64_t a, int64_t b) -> I { return wrapped(std::min(u(a), u(b))); }})
      .Case("Max", {maxReal, [](int64_t a, int64_t b) -> I { return std::max(a, b); },
                    [](int64_t a, int64_t b) -> I { return wrapped(std::max(u(a), u(b))); }})
      .Case("BitwiseAnd", {nullptr, [](int64_t a, int64_t b) -> I { return a & b; }})
      .Case("BitwiseOr", {nullptr, [](int64_t a, int64_t b) -> I { return a | b; }})
      .Case("BitwiseXor", {nullptr, [](int64_t a, int64_t b) -> I { return a ^ b; }})
      .Default({});
}

/// The result is 0 or 1.
static BinaryFunction comparison(StringRef opType) {
  return llvm::StringSwitch<BinaryFunction>(opType)
      .Case("Equal",
            {[](double a, double b) { return double(a == b); }, [](int64_t a, int64_t b) -> I { return a == b; }})
      .Case("Less", {[](double a, double b) { return double(a < b); }, [](int64_t a, int64_t b) -> I { return a < b; },
                     [](int64_t a, int64_t b) -> I { return u(a) < u(b); }})
      .Case("LessOrEqual",
            {[](double a, double b) { return double(a <= b); }, [](int64_t a, int64_t b) -> I { return a <= b; },
             [](int64_t a, int64_t b) -> I { return u(a) <= u(b); }})
      .Case("Greater",
            {[](double a, double b) { return double(a > b); }, [](int64_t a, int64_t b) -> I { return a > b; },
             [](int64_t a, int64_t b) -> I { return u(a) > u(b); }})
      .Case("GreaterOrEqual",
            {[](double a, double b) { return double(a >= b); }, [](int64_t a, int64_t b) -> I { return a >= b; },
             [](int64_t a, int64_t b) -> I { return u(a) >= u(b); }})
      .Default({});
}

static BinaryFunction logic(StringRef opType) {
  return llvm::StringSwitch<BinaryFunction>(opType)
      .Case("And", {nullptr, [](int64_t a, int64_t b) -> I { return a && b; }})
      .Case("Or", {nullptr, [](int64_t a, int64_t b) -> I { return a || b; }})
      .Case("Xor", {nullptr, [](int64_t a, int64_t b) -> I { return a != b; }})
      .Default({});
}

BinaryFunction vitq::frontend::binaryFunction(StringRef opType) { return arithmetic(opType); }

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// The type that operands have in common. Halves, floats and doubles meet in the widest: weights may have
/// been widened.
static FailureOr<DType> commonType(NodeImporter &n, size_t first = 0) {
  DType type = n.constant(first).dtype;
  for (size_t i = first + 1; i < n.numInputs(); ++i) {
    const DType other = n.constant(i).dtype;
    if (other == type)
      continue;
    if (!isFloat(type) || !isFloat(other))
      return n.error() << "operands are " << stringify(type) << " and " << stringify(other);
    type = type == DType::F64 || other == DType::F64 ? DType::F64 : DType::F32;
  }
  return type;
}

/// `function` of elements of the same place in `a` and `b`.
static LogicalResult apply(NodeImporter &n, const BinaryFunction &function, DType type, const OnnxConstant &a,
                           const OnnxConstant &b, OnnxConstant &result) {
  const auto ofInts = function.integer(type);
  for (int64_t i = 0, e = result.size(); i < e; ++i) {
    if (isFloat(type)) {
      result.setDouble(i, function.ofReals(a.getDouble(i), b.getDouble(i)));
      continue;
    }
    std::optional<int64_t> value = ofInts(a.getInt(i), b.getInt(i));
    if (!value)
      return n.error() << "no integer result of " << a.getInt(i) << " and " << b.getInt(i);
    result.setInt(i, *value);
  }
  return success();
}

static LogicalResult evaluate(NodeImporter &n, BinaryFunction function, DType type, DType resultType) {
  if (isFloat(type) ? !function.ofReals : !function.ofInts)
    return n.error() << "is no function of " << stringify(type);
  FailureOr<Shape> shape = broadcastInputs(n);
  if (failed(shape))
    return failure();
  FailureOr<Result> result = n.allocate(resultType, *shape);
  if (failed(result))
    return failure();
  if (n.numInputs() == 1)
    return n.setOutput(MaybeImported(n.input(0)));
  if (failed(apply(n, function, type, *broadcast(n.constant(0), *shape), *broadcast(n.constant(1), *shape), **result)))
    return failure();
  for (size_t i = 2; i < n.numInputs(); ++i) {
    if (failed(n.spend((*result)->size())) ||
        failed(apply(n, function, type, **result, *broadcast(n.constant(i), *shape), **result)))
      return failure();
  }
  return n.give(*result);
}

static LogicalResult evaluateArithmetic(NodeImporter &n) {
  BinaryFunction function = arithmetic(n.node.opType);
  FailureOr<DType> type = commonType(n);
  if (failed(type))
    return failure();
  if (*type == DType::Bool)
    return n.error() << "is no function of bool";
  if (n.node.opType == "Mod") {
    const bool fmod = n.intAttr("fmod", 0) != 0;
    if (!fmod && isFloat(*type))
      return n.error() << "of floats needs the attribute fmod = 1";
    if (fmod)
      function.ofInts = remainderInts;
  }
  return evaluate(n, function, *type, *type);
}

static LogicalResult evaluateComparison(NodeImporter &n) {
  FailureOr<DType> type = commonType(n);
  return failed(type) ? failure() : evaluate(n, comparison(n.node.opType), *type, DType::Bool);
}

static LogicalResult evaluateLogic(NodeImporter &n) {
  for (size_t i = 0; i < 2; ++i)
    if (n.constant(i).dtype != DType::Bool)
      return n.error() << "expects booleans, not " << stringify(n.constant(i).dtype);
  return evaluate(n, logic(n.node.opType), DType::Bool, DType::Bool);
}

/// Summed in double, divided once.
static LogicalResult evaluateMean(NodeImporter &n) {
  FailureOr<DType> type = commonType(n);
  FailureOr<Shape> shape = failed(type) ? FailureOr<Shape>() : broadcastInputs(n);
  if (failed(shape))
    return failure();
  if (!isFloat(*type))
    return n.error() << "expects floats, not " << stringify(*type);
  FailureOr<Result> result = n.allocate(*type, *shape, /*work=*/static_cast<double>(n.numInputs()));
  if (failed(result))
    return failure();
  std::vector<double> sums((*result)->size());
  for (size_t i = 0; i < n.numInputs(); ++i) {
    ConstantPtr operand = broadcast(n.constant(i), *shape);
    for (auto [k, sum] : llvm::enumerate(sums))
      sum += operand->getDouble(static_cast<int64_t>(k));
  }
  for (auto [k, sum] : llvm::enumerate(sums))
    (*result)->setDouble(static_cast<int64_t>(k), sum / static_cast<double>(n.numInputs()));
  return n.give(*result);
}

//===----------------------------------------------------------------------===//
// Operands of different types
//===----------------------------------------------------------------------===//

/// Modulo 2^64; of a negative exponent what the real power truncates to.
static I powInts(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0)
      return std::nullopt;
    return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  }
  uint64_t result = 1, square = u(base);
  for (uint64_t rest = u(exponent); rest; rest /= 2, square *= square)
    if (rest % 2)
      result *= square;
  return wrapped(result);
}

/// The result has the base's type, the exponent any.
static LogicalResult evaluatePow(NodeImporter &n) {
  FailureOr<Shape> shape = broadcastInputs(n);
  if (failed(shape))
    return failure();
  const DType type = n.constant(0).dtype, exponentType = n.constant(1).dtype;
  if (type == DType::Bool || exponentType == DType::Bool)
    return n.error() << "is no function of bool";
  FailureOr<Result> result = n.allocate(type, *shape);
  if (failed(result))
    return failure();
  ConstantPtr base = broadcast(n.constant(0), *shape), exponent = broadcast(n.constant(1), *shape);
  BinaryFunction function{[](double a, double b) { return std::pow(a, b); }, powInts};
  // An integer to the power of a real is a real until it is rounded.
  const bool real = isFloat(type) || isFloat(exponentType);
  if (failed(apply(n, function, real ? DType::F64 : type, *base, *exponent, **result)))
    return failure();
  return n.give(*result);
}

static LogicalResult evaluateBitShift(NodeImporter &n) {
  const std::string direction = n.stringAttr("direction", "");
  FailureOr<DType> type = commonType(n);
  if (failed(type))
    return failure();
  if (!isUnsigned(*type) || (direction != "LEFT" && direction != "RIGHT"))
    return n.error() << "expects unsigned integers and a direction, LEFT or RIGHT";
  BinaryFunction function;
  if (direction == "LEFT")
    function.ofInts = [](int64_t a, int64_t b) -> I { return u(b) < 64 ? wrapped(u(a) << b) : 0; };
  else
    function.ofInts = [](int64_t a, int64_t b) -> I { return u(b) < 64 ? wrapped(u(a) >> b) : 0; };
  return evaluate(n, function, *type, *type);
}

static LogicalResult evaluatePRelu(NodeImporter &n) {
  FailureOr<DType> type = commonType(n);
  if (failed(type))
    return failure();
  BinaryFunction function{[](double x, double slope) { return x < 0 ? x * slope : x; },
                          [](int64_t x, int64_t slope) -> I { return x < 0 ? wrapped(u(x) * u(slope)) : x; },
                          [](int64_t x, int64_t) -> I { return x; }};
  return evaluate(n, function, *type, *type);
}

static LogicalResult evaluateWhere(NodeImporter &n) {
  if (n.constant(0).dtype != DType::Bool)
    return n.error() << "the condition must be booleans";
  FailureOr<DType> type = commonType(n, 1);
  FailureOr<Shape> shape = failed(type) ? FailureOr<Shape>() : broadcastInputs(n);
  if (failed(shape))
    return failure();
  FailureOr<Result> result = n.allocate(*type, *shape);
  if (failed(result))
    return failure();
  ConstantPtr condition = broadcast(n.constant(0), *shape), branches[2];
  for (int i = 0; i < 2; ++i) {
    ConstantPtr branch = broadcast(n.constant(2 - i), *shape);
    branches[i] = branch->dtype == *type ? branch : castConstant(*branch, *type, "");
  }
  for (int64_t i = 0, e = (*result)->size(); i < e; ++i)
    copyElement(**result, i, *branches[condition->getInt(i)], i);
  return n.give(*result);
}

/// Bounds are attributes before opset 11, inputs since. A lower bound above the upper one gives the upper one.
static LogicalResult evaluateClip(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  if (input.dtype == DType::Bool)
    return n.error() << "is no function of bool";
  std::optional<BinaryFunction> functions[2];
  std::shared_ptr<OnnxConstant> bounds[2];
  for (int i = 0; i < 2; ++i) {
    const char *name = i ? "max" : "min";
    if (n.opset() < 11 ? n.node.find(name) == nullptr : !n.has(i + 1))
      continue;
    bounds[i] = std::make_shared<OnnxConstant>(input.dtype, ArrayRef<int64_t>(), "");
    if (n.opset() < 11) {
      bounds[i]->setDouble(0, n.floatAttr(name, 0));
    } else {
      const OnnxConstant &bound = n.constant(i + 1);
      if (bound.size() != 1 || (bound.dtype != input.dtype && !(isFloat(bound.dtype) && isFloat(input.dtype))))
        return n.error() << "input '" << name << "' must be one " << stringify(input.dtype);
      bounds[i] = std::make_shared<OnnxConstant>(*castConstant(bound, input.dtype, ""));
    }
    functions[i] = arithmetic(i ? "Min" : "Max");
  }
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    copyElement(**result, i, input, i);
    for (int k = 0; k < 2; ++k) {
      if (!functions[k])
        continue;
      if (isFloat(input.dtype))
        (*result)->setDouble(i, functions[k]->ofReals((*result)->getDouble(i), bounds[k]->getDouble(0)));
      else
        (*result)->setInt(i, *functions[k]->integer(input.dtype)((*result)->getInt(i), bounds[k]->getInt(0)));
    }
  }
  return n.give(*result);
}

void vitq::frontend::addBinaryEvaluators(HandlerTable &table) {
  for (const char *name : {"Add", "Sub", "Mul", "Div", "Mod", "BitwiseAnd", "BitwiseOr", "BitwiseXor"})
    addEvaluator(table, name, evaluateArithmetic, 2, 2);
  for (const char *name : {"Sum", "Min", "Max"})
    addEvaluator(table, name, evaluateArithmetic, 1, kManyInputs);
  addEvaluator(table, "Mean", evaluateMean, 1, kManyInputs);
  for (const char *name : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
    addEvaluator(table, name, evaluateComparison, 2, 2);
  for (const char *name : {"And", "Or", "Xor"})
    addEvaluator(table, name, evaluateLogic, 2, 2);
  addEvaluator(table, "Pow", evaluatePow, 2, 2);
  addEvaluator(table, "BitShift", evaluateBitShift, 2, 2);
  addEvaluator(table, "PRelu", evaluatePRelu, 2, 2);
  addEvaluator(table, "Where", evaluateWhere, 3, 3);
  addEvaluator(table, "Clip", evaluateClip, 1, 3);
}
