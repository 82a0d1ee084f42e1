//===- EvaluateUnary.cpp - Functions of single elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>
#include <functional>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

using Real = double (*)(double);

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
/// Without overflow for large x.
static double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

/// Functions without parameters.
static Real realFunction(StringRef opType) {
  return llvm::StringSwitch<Real>(opType)
      .Case("Abs", [](double x) { return std::fabs(x); })
      .Case("Acos", [](double x) { return std::acos(x); })
      .Case("Acosh", [](double x) { return std::acosh(x); })
      .Case("Asin", [](double x) { return std::asin(x); })
      .Case("Asinh", [](double x) { return std::asinh(x); })
      .Case("Atan", [](double x) { return std::atan(x); })
      .Case("Atanh", [](double x) { return std::atanh(x); })
      .Case("Ceil", [](double x) { return std::ceil(x); })
      .Case("Cos", [](double x) { return std::cos(x); })
      .Case("Cosh", [](double x) { return std::cosh(x); })
      .Case("Erf", [](double x) { return std::erf(x); })
      .Case("Exp", [](double x) { return std::exp(x); })
      .Case("Floor", [](double x) { return std::floor(x); })
      .Case("HardSwish", [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); })
      .Case("Log", [](double x) { return std::log(x); })
      .Case("Mish", [](double x) { return x * std::tanh(softplus(x)); })
      .Case("Neg", [](double x) { return -x; })
      .Case("Reciprocal", [](double x) { return 1 / x; })
      .Case("Relu", [](double x) { return x < 0 ? 0.0 : x; })
      .Case("Round", [](double x) { return std::nearbyint(x); }) // the default rounding mode: half to even
      .Case("Sigmoid", sigmoid)
      .Case("Sign", [](double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); })
      .Case("Sin", [](double x) { return std::sin(x); })
      .Case("Sinh", [](double x) { return std::sinh(x); })
      .Case("Softplus", softplus)
      .Case("Softsign", [](double x) { return x / (1 + std::fabs(x)); })
      .Case("Sqrt", [](double x) { return std::sqrt(x); })
      .Case("Tan", [](double x) { return std::tan(x); })
      .Case("Tanh", [](double x) { return std::tanh(x); })
      .Default(nullptr);
}

/// Functions that have parameters; read once for all elements.
static std::function<double(double)> parametricFunction(NodeImporter &n) {
  const StringRef opType = n.node.opType;
  if (opType == "Elu" || opType == "Celu") {
    const double alpha = n.floatAttr("alpha", 1), inner = opType == "Celu" ? alpha : 1;
    return [=](double x) { return x < 0 ? alpha * std::expm1(x / inner) : x; };
  }
  if (opType == "Selu") {
    const double alpha = n.floatAttr("alpha", 1.67326319217681884765625);
    const double gamma = n.floatAttr("gamma", 1.05070102214813232421875);
    return [=](double x) { return x > 0 ? gamma * x : gamma * alpha * std::expm1(x); };
  }
  if (opType == "LeakyRelu") {
    const double alpha = n.floatAttr("alpha", 0.01F);
    return [=](double x) { return x < 0 ? alpha * x : x; };
  }
  if (opType == "ThresholdedRelu") {
    const double alpha = n.floatAttr("alpha", 1);
    return [=](double x) { return x > alpha ? x : 0.0; };
  }
  if (opType == "HardSigmoid") {
    const double alpha = n.floatAttr("alpha", 0.2F), beta = n.floatAttr("beta", 0.5);
    return [=](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); };
  }
  if (opType == "Swish") {
    const double alpha = n.floatAttr("alpha", 1);
    return [=](double x) { return x * sigmoid(alpha * x); };
  }
  if (opType == "Shrink") {
    const double lambd = n.floatAttr("lambd", 0.5), bias = n.floatAttr("bias", 0);
    return [=](double x) { return x < -lambd ? x + bias : x > lambd ? x - bias : 0.0; };
  }
  return realFunction(opType);
}

/// Of integers: what is no function of them is an error.
static int64_t (*integerFunction(StringRef opType, bool isUnsigned))(int64_t) {
  using Integer = int64_t (*)(int64_t);
  const Integer same = [](int64_t x) { return x; };
  return llvm::StringSwitch<Integer>(opType)
      .Case(
          "Abs", isUnsigned ? same : [](int64_t x) { return x < 0 ? wrapped(0 - static_cast<uint64_t>(x)) : x; })
      .Case("BitwiseNot", [](int64_t x) { return ~x; })
      .Case("Neg", [](int64_t x) { return wrapped(0 - static_cast<uint64_t>(x)); })
      .Case(
          "Relu", isUnsigned ? same : [](int64_t x) { return std::max<int64_t>(x, 0); })
      .Case(
          "Sign", isUnsigned ? [](int64_t x) { return static_cast<int64_t>(x != 0); }
                             : [](int64_t x) { return static_cast<int64_t>((x > 0) - (x < 0)); })
      .Default(nullptr);
}

static LogicalResult evaluateUnary(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  const auto integer = isInteger(input.dtype) ? integerFunction(n.node.opType, isUnsigned(input.dtype)) : nullptr;
  const bool roundsReals = n.node.opType == "Shrink" && isInteger(input.dtype);
  std::function<double(double)> real = parametricFunction(n);
  if (!integer && !roundsReals && (!isFloat(input.dtype) || !real))
    return n.error() << "expects " << (real ? "floats" : "integers") << ", not " << stringify(input.dtype);
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    if (integer)
      (*result)->setInt(i, integer(input.getInt(i)));
    else
      (*result)->setDouble(i, real(input.getDouble(i)));
  }
  return n.give(*result);
}

static LogicalResult evaluateGelu(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  const std::string approximate = n.stringAttr("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.error() << "approximation '" << approximate << "' is unknown";
  if (!isFloat(input.dtype))
    return n.error() << "expects floats, not " << stringify(input.dtype);
  const bool isTanh = approximate == "tanh";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  const double root = std::sqrt(2 / M_PI);
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    const double x = input.getDouble(i);
    (*result)->setDouble(i, isTanh ? x / 2 * (1 + std::tanh(root * (x + 0.044715 * x * x * x)))
                                   : x / 2 * std::erfc(-x / M_SQRT2));
  }
  return n.give(*result);
}

/// Booleans: of each element.
template <typename Predicate>
static LogicalResult evaluatePredicate(NodeImporter &n, Predicate predicate) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<Result> result = n.allocate(DType::Bool, input.shape());
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = input.size(); i < e; ++i)
    (*result)->setInt(i, predicate(input, i));
  return n.give(*result);
}

static LogicalResult evaluateNot(NodeImporter &n) {
  if (n.constant(0).dtype != DType::Bool)
    return n.error() << "expects booleans";
  return evaluatePredicate(n, [](const OnnxConstant &input, int64_t i) { return input.getInt(i) == 0; });
}

static LogicalResult evaluateIsNaN(NodeImporter &n) {
  if (!isFloat(n.constant(0).dtype))
    return n.error() << "expects floats";
  return evaluatePredicate(n, [](const OnnxConstant &input, int64_t i) { return std::isnan(input.getDouble(i)); });
}

static LogicalResult evaluateIsInf(NodeImporter &n) {
  if (!isFloat(n.constant(0).dtype))
    return n.error() << "expects floats";
  const bool positive = n.intAttr("detect_positive", 1) != 0, negative = n.intAttr("detect_negative", 1) != 0;
  return evaluatePredicate(n, [=](const OnnxConstant &input, int64_t i) {
    const double x = input.getDouble(i);
    return std::isinf(x) && (x > 0 ? positive : negative);
  });
}

static LogicalResult evaluateCast(NodeImporter &n) {
  std::optional<DType> to;
  if (n.node.opType == "CastLike") {
    to = n.constant(1).dtype;
  } else {
    to = fromOnnxType(n.intAttr("to", 0));
    if (!to)
      return n.error() << "element type " << n.intAttr("to", 0) << " is not supported";
  }
  const OnnxConstant &input = n.constant(0);
  if (*to == input.dtype)
    return n.setOutput(MaybeImported(n.input(0)));
  if (failed(n.checkFolded(*to, input.shape())))
    return failure();
  return n.setOutput(MaybeImported(Imported(castConstant(input, *to, n.outputName()))));
}

void vitq::frontend::addUnaryEvaluators(HandlerTable &table) {
  for (const char *name :
       {"Abs",        "Acos",       "Acosh",          "Asin",      "Asinh",    "Atan",      "Atanh",
        "BitwiseNot", "Ceil",       "Celu",           "Cos",       "Cosh",     "Elu",       "Erf",
        "Exp",        "Floor",      "HardSigmoid",    "HardSwish", "Log",      "LeakyRelu", "Mish",
        "Neg",        "Reciprocal", "Relu",           "Round",     "Selu",     "Shrink",    "Sigmoid",
        "Sign",       "Sin",        "Sinh",           "Softplus",  "Softsign", "Sqrt",      "Swish",
        "Tan",        "Tanh",       "ThresholdedRelu"})
    addEvaluator(table, name, evaluateUnary, 1, 1);
  addEvaluator(table, "Gelu", evaluateGelu, 1, 1);
  addEvaluator(table, "Not", evaluateNot, 1, 1);
  addEvaluator(table, "IsNaN", evaluateIsNaN, 1, 1);
  addEvaluator(table, "IsInf", evaluateIsInf, 1, 1);
  addEvaluator(table, "Cast", evaluateCast, 1, 1);
  addEvaluator(table, "CastLike", evaluateCast, 2, 2);
}
