//===- ImportElementwise.cpp - Functions of single elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

FailureOr<Shape> vitq::frontend::broadcastShapes(NodeImporter &n, ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  FailureOr<vit::Shape> shape = vit::inferBroadcast(n.loc, a, b);
  if (failed(shape))
    return failure();
  if (!countElements(*shape))
    return n.error() << "the result is too large";
  return Shape(*shape);
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

using IntFunction = std::optional<int64_t> (*)(int64_t, int64_t);
using RealFunction = double (*)(double, double);

namespace {
/// A function of two numbers on constants. Without `ofInts` it takes floats only.
struct BinaryFunction {
  RealFunction ofReals;
  IntFunction ofInts = nullptr;
  bool givesBool = false;
};
} // namespace

/// A NaN stays one, as in ONNX Runtime; std::fmin and std::fmax drop it.
static double minReal(double a, double b) { return std::isnan(a) || a < b ? a : b; }
static double maxReal(double a, double b) { return std::isnan(a) || a > b ? a : b; }

/// Arithmetic modulo 2^64, as two's complement machines do.
static int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }

static std::optional<int64_t> divideInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  return b == -1 ? wrap(0 - static_cast<uint64_t>(a)) : a / b;
}
/// The sign of the result is the divisor's (ONNX Mod with fmod = 0).
static std::optional<int64_t> moduloInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  if (b == -1)
    return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
/// The sign of the result is the dividend's (Mod with fmod = 1).
static std::optional<int64_t> remainderInts(int64_t a, int64_t b) {
  if (b == 0)
    return std::nullopt;
  return b == -1 ? 0 : a % b;
}
static std::optional<int64_t> powInts(int64_t base, int64_t exponent) {
  if (exponent < 0 || exponent > 64)
    return std::nullopt;
  uint64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i)
    result *= static_cast<uint64_t>(base);
  return wrap(result);
}

static BinaryFunction binaryFunction(StringRef opType) {
  using I = std::optional<int64_t>;
  return llvm::StringSwitch<BinaryFunction>(opType)
      .Case("Add", {[](double a, double b) { return a + b; },
                    [](int64_t a, int64_t b) -> I { return wrap(uint64_t(a) + uint64_t(b)); }})
      .Case("Sub", {[](double a, double b) { return a - b; },
                    [](int64_t a, int64_t b) -> I { return wrap(uint64_t(a) - uint64_t(b)); }})
      .Case("Mul", {[](double a, double b) { return a * b; },
                    [](int64_t a, int64_t b) -> I { return wrap(uint64_t(a) * uint64_t(b)); }})
      .Case("Div", {[](double a, double b) { return a / b; }, divideInts})
      .Case("Mod", {[](double a, double b) { return std::fmod(a, b); }, moduloInts})
      .Case("Pow", {[](double a, double b) { return std::pow(a, b); }, powInts})
      .Case("Min", {minReal, [](int64_t a, int64_t b) -> I { return std::min(a, b); }})
      .Case("Max", {maxReal, [](int64_t a, int64_t b) -> I { return std::max(a, b); }})
      .Case("Equal",
            {[](double a, double b) { return double(a == b); }, [](int64_t a, int64_t b) -> I { return a == b; }, true})
      .Case("Less",
            {[](double a, double b) { return double(a < b); }, [](int64_t a, int64_t b) -> I { return a < b; }, true})
      .Case("LessOrEqual",
            {[](double a, double b) { return double(a <= b); }, [](int64_t a, int64_t b) -> I { return a <= b; }, true})
      .Case("Greater",
            {[](double a, double b) { return double(a > b); }, [](int64_t a, int64_t b) -> I { return a > b; }, true})
      .Case("GreaterOrEqual",
            {[](double a, double b) { return double(a >= b); }, [](int64_t a, int64_t b) -> I { return a >= b; }, true})
      .Case("And", {[](double, double) { return 0.0; }, [](int64_t a, int64_t b) -> I { return a && b; }, true})
      .Case("Or", {[](double, double) { return 0.0; }, [](int64_t a, int64_t b) -> I { return a || b; }, true})
      .Default({});
}

static MaybeImported foldBinary(NodeImporter &n, const OnnxConstant &lhs, const OnnxConstant &rhs) {
  BinaryFunction function = binaryFunction(n.node.opType);
  if (n.node.opType == "Mod" && n.intAttr("fmod", 0) != 0)
    function.ofInts = remainderInts;
  bool real = isFloat(lhs.dtype);
  if (isFloat(rhs.dtype) != real || (lhs.dtype == DType::Bool) != (rhs.dtype == DType::Bool))
    return n.error() << "operands are " << stringify(lhs.dtype) << " and " << stringify(rhs.dtype);
  FailureOr<Shape> shape = broadcastShapes(n, lhs.shape(), rhs.shape());
  if (failed(shape))
    return failure();
  if (!countElements(*shape, kMaxFoldedElements))
    return n.error() << "the result is too large";
  ConstantPtr a = lhs.with(broadcastTo(lhs.elements, *shape), ""), b = rhs.with(broadcastTo(rhs.elements, *shape), "");
  auto result = std::make_shared<OnnxConstant>(function.givesBool ? DType::Bool : lhs.dtype, *shape, n.outputName());
  for (int64_t i = 0, e = result->size(); i < e; ++i) {
    if (real) {
      double value = function.ofReals(a->getDouble(i), b->getDouble(i));
      result->setDouble(i, value);
      continue;
    }
    std::optional<int64_t> value = function.ofInts(a->getInt(i), b->getInt(i));
    if (!value)
      return n.error() << "no integer result of " << a->getInt(i) << " and " << b->getInt(i);
    result->setInt(i, *value);
  }
  return Imported(result);
}

/// Reductions of constants by a function of two numbers: the sizes that torch's var()
/// multiplies, for instance.
template <int64_t AxesAreInputSince>
static LogicalResult importConstantReduce(NodeImporter &n) {
  const ConstantPtr &input = n.input(0).constant;
  if (!input || input->dtype == DType::Bool || input->size() == 0)
    return n.error() << "is supported on constant numbers only";
  const auto rank = static_cast<int64_t>(input->shape().size());
  bool given = false;
  FailureOr<Shape> axes = n.axes(rank, AxesAreInputSince, given);
  if (failed(axes))
    return failure();
  if (axes->empty() && n.intAttr("noop_with_empty_axes", 0))
    return n.setOutput(MaybeImported(n.input(0)));
  if (axes->empty())
    *axes = range(0, rank);
  // Reduced axes go to the end, so that the elements of each result stand together.
  Shape order, shape;
  for (int64_t axis : range(0, rank)) {
    const bool reduced = llvm::is_contained(*axes, axis);
    if (!reduced)
      order.push_back(axis);
    if (!reduced || n.intAttr("keepdims", 1) != 0)
      shape.push_back(reduced ? 1 : input->shape()[axis]);
  }
  order.append(axes->begin(), axes->end());
  const BinaryFunction function = binaryFunction(llvm::StringSwitch<StringRef>(n.node.opType)
                                                     .Case("ReduceSum", "Add")
                                                     .Case("ReduceProd", "Mul")
                                                     .Case("ReduceMax", "Max")
                                                     .Default("Min"));
  ConstantPtr sorted = input->with(transposed(input->elements, order), "");
  auto result = std::make_shared<OnnxConstant>(input->dtype, shape, n.outputName());
  const int64_t count = input->size() / result->size();
  for (int64_t i = 0, e = result->size(); i < e; ++i) {
    double value = sorted->getDouble(i * count);
    int64_t integer = sorted->getInt(i * count);
    for (int64_t k = i * count + 1; k < (i + 1) * count; ++k) {
      value = function.ofReals(value, sorted->getDouble(k));
      integer = *function.ofInts(integer, sorted->getInt(k));
    }
    if (isFloat(input->dtype))
      result->setDouble(i, value);
    else
      result->setInt(i, integer);
  }
  return n.setOutput(MaybeImported(Imported(ConstantPtr(result))));
}

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult importBinary(NodeImporter &n) {
  const Imported &lhs = n.input(0), &rhs = n.input(1);
  if (lhs.constant && rhs.constant)
    return n.setOutput(foldBinary(n, *lhs.constant, *rhs.constant));
  if (!lhs.isFloat() || !rhs.isFloat())
    return n.error() << "mixes the image's floats with integers";
  if (failed(broadcastShapes(n, lhs.shape(), rhs.shape())))
    return failure();
  FailureOr<Value> a = n.materialize(lhs), b = n.materialize(rhs);
  if (failed(a) || failed(b))
    return failure();
  return n.setOutput(n.create<OpTy>({*a, *b}));
}

/// The exponent may be of another type than the base.
static LogicalResult importPow(NodeImporter &n) {
  if (const ConstantPtr &exponent = n.input(1).constant;
      exponent && n.input(0).isFloat() && !isFloat(exponent->dtype) && exponent->dtype != DType::Bool)
    n.setInput(1, Imported(castConstant(*exponent, DType::F32, exponent->name)));
  return importBinary<vit::PowOp>(n);
}

/// Functions of two constants only.
static LogicalResult importConstantBinary(NodeImporter &n) {
  Imported result = n.input(0);
  for (size_t i = 0; i < n.numInputs(); ++i) {
    if (!n.input(i).constant)
      return n.error() << "is supported on constants only";
    if (i == 0)
      continue;
    MaybeImported next = foldBinary(n, *result.constant, *n.input(i).constant);
    if (failed(next))
      return failure();
    result = *next;
  }
  return n.setOutput(MaybeImported(result));
}

static LogicalResult importMul(NodeImporter &n) {
  for (int i = 0; i < 2; ++i) {
    Value hard = n.input(i).hardSigmoidOf;
    if (!hard)
      continue;
    if (n.input(1 - i).value != hard)
      return n.error() << "reads a HardSigmoid; only x * HardSigmoid(x) is supported";
    return n.setOutput(n.create<vit::HardSwishOp>(hard));
  }
  return importBinary<vit::MulOp>(n);
}

static LogicalResult importWhere(NodeImporter &n) {
  const Imported &condition = n.input(0);
  if (!condition.isBool())
    return n.error() << "the condition must be booleans";
  FailureOr<Shape> branches = broadcastShapes(n, n.input(1).shape(), n.input(2).shape());
  if (failed(branches))
    return failure();
  FailureOr<Shape> shape = broadcastShapes(n, condition.shape(), *branches);
  if (failed(shape))
    return failure();
  const ConstantPtr &lhs = n.input(1).constant, &rhs = n.input(2).constant;
  if (condition.constant && lhs && rhs) {
    if (lhs->dtype != rhs->dtype || !countElements(*shape, kMaxFoldedElements))
      return n.error() << "operands differ in type, or the result is too large";
    auto broadcast = [&](const OnnxConstant &operand) {
      return operand.with(broadcastTo(operand.elements, *shape), "");
    };
    ConstantPtr c = broadcast(*condition.constant), a = broadcast(*lhs), b = broadcast(*rhs);
    auto result = std::make_shared<OnnxConstant>(lhs->dtype, *shape, n.outputName());
    for (int64_t i = 0, e = result->size(); i < e; ++i) {
      const OnnxConstant &from = c->getInt(i) ? *a : *b;
      if (isFloat(from.dtype))
        result->setDouble(i, from.getDouble(i));
      else
        result->setInt(i, from.getInt(i));
    }
    return n.setOutput(MaybeImported(Imported(result)));
  }
  if (!n.input(1).isFloat() || !n.input(2).isFloat())
    return n.error() << "chooses between numbers that are no floats, and depends on the image";
  int chosen = condition.negated ? 2 : 1;
  FailureOr<Value> c = n.materialize(condition), a = n.materialize(n.input(chosen)),
                   b = n.materialize(n.input(3 - chosen));
  if (failed(c) || failed(a) || failed(b))
    return failure();
  auto op = vit::createInferred<vit::WhereOp>(n.builder, n.loc, n.builder.getF32Type(), {*c, *a, *b});
  return n.setOutput(op ? MaybeImported(Imported(op.getResult())) : MaybeImported(failure()));
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

static double real(StringRef opType, double x) {
  if (opType == "Sqrt")
    return std::sqrt(x);
  if (opType == "Exp")
    return std::exp(x);
  if (opType == "Erf")
    return std::erf(x);
  if (opType == "Tanh")
    return std::tanh(x);
  if (opType == "Sigmoid")
    return 1 / (1 + std::exp(-x));
  if (opType == "Relu")
    return std::max(x, 0.0);
  if (opType == "Neg")
    return -x;
  if (opType == "Reciprocal")
    return 1 / x;
  if (opType == "Abs")
    return std::fabs(x);
  if (opType == "Floor")
    return std::floor(x);
  if (opType == "Ceil")
    return std::ceil(x);
  return std::numeric_limits<double>::quiet_NaN();
}

/// Folds Neg, Abs and Not of integers, everything of floats.
static MaybeImported foldUnary(NodeImporter &n, const OnnxConstant &input) {
  StringRef opType = n.node.opType;
  if (isFloat(input.dtype))
    return Imported(mapConstant(input, [&](double x) { return real(opType, x); }, n.outputName()));
  if (opType != "Neg" && opType != "Abs" && opType != "Not")
    return n.error() << "expects floats, not " << stringify(input.dtype);
  auto result = std::make_shared<OnnxConstant>(input.dtype, input.shape(), n.outputName());
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    int64_t x = input.getInt(i), negated = wrap(0 - static_cast<uint64_t>(x));
    result->setInt(i, opType == "Not" ? x == 0 : opType == "Neg" || x < 0 ? negated : x);
  }
  return Imported(result);
}

template <typename OpTy>
static LogicalResult importUnary(NodeImporter &n) {
  if (n.input(0).constant)
    return n.setOutput(foldUnary(n, *n.input(0).constant));
  return n.setOutput(n.create<OpTy>(n.input(0).value));
}

/// Of booleans that depend on the image the next Where takes the other operand.
static LogicalResult importNot(NodeImporter &n) {
  Imported input = n.input(0);
  if (!input.isBool())
    return n.error() << "expects booleans";
  if (input.constant)
    return n.setOutput(foldUnary(n, *input.constant));
  input.negated = !input.negated;
  return n.setOutput(MaybeImported(input));
}

static LogicalResult importConstantUnary(NodeImporter &n) {
  if (n.input(0).constant)
    return n.setOutput(foldUnary(n, *n.input(0).constant));
  return n.error() << "is supported on constants only";
}

static LogicalResult importIsNaN(NodeImporter &n) {
  const Imported &input = n.input(0);
  if (!input.isFloat())
    return n.error() << "expects floats";
  if (!input.constant) {
    auto op = vit::createInferred<vit::IsNaNOp>(n.builder, n.loc, n.builder.getI1Type(), input.value);
    return n.setOutput(op ? MaybeImported(Imported(op.getResult())) : MaybeImported(failure()));
  }
  auto result = std::make_shared<OnnxConstant>(DType::Bool, input.shape(), n.outputName());
  for (int64_t i = 0, e = result->size(); i < e; ++i)
    result->setInt(i, std::isnan(input.constant->getDouble(i)));
  return n.setOutput(MaybeImported(Imported(ConstantPtr(result))));
}

/// -x as x * -1, 1/x as 1 / x: patterns need no further ops.
template <typename OpTy, bool ConstantFirst>
static LogicalResult importWithConstant(NodeImporter &n, double constant) {
  if (n.input(0).constant)
    return n.setOutput(foldUnary(n, *n.input(0).constant));
  auto tensor = std::make_shared<OnnxConstant>(DType::F32, ArrayRef<int64_t>(), "");
  tensor->setDouble(0, constant);
  FailureOr<Value> c = n.materialize(Imported(ConstantPtr(tensor)));
  if (failed(c))
    return failure();
  SmallVector<Value> operands{n.input(0).value, *c};
  if (ConstantFirst)
    std::swap(operands[0], operands[1]);
  return n.setOutput(n.create<OpTy>(operands));
}
static LogicalResult importNeg(NodeImporter &n) { return importWithConstant<vit::MulOp, false>(n, -1.0); }
static LogicalResult importReciprocal(NodeImporter &n) { return importWithConstant<vit::DivOp, true>(n, 1.0); }

static LogicalResult importGelu(NodeImporter &n) {
  std::string approximate = n.stringAttr("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.error() << "approximation '" << approximate << "' is unknown";
  FailureOr<Value> x = n.materialize(n.input(0));
  if (failed(x))
    return failure();
  auto kind = approximate == "tanh" ? vit::GeluKind::Tanh : vit::GeluKind::Erf;
  return n.setOutput(
      n.create<vit::GeluOp>(*x, n.builder.getNamedAttr("kind", vit::GeluKindAttr::get(n.builder.getContext(), kind))));
}

static LogicalResult importHardSwish(NodeImporter &n) {
  FailureOr<Value> x = n.materialize(n.input(0));
  return failed(x) ? failure() : n.setOutput(n.create<vit::HardSwishOp>(*x));
}

static LogicalResult importHardSigmoid(NodeImporter &n) {
  double alpha = n.floatAttr("alpha", 0.2), beta = n.floatAttr("beta", 0.5);
  if (!n.input(0).value || std::fabs(alpha - 1.0 / 6) > 1e-6 || beta != 0.5)
    return n.error() << "only HardSigmoid with alpha 1/6 and beta 1/2 is supported, as part of a hard swish";
  Imported result;
  result.hardSigmoidOf = n.input(0).value;
  return n.setOutput(MaybeImported(result));
}

static LogicalResult importIdentity(NodeImporter &n) { return n.setOutput(MaybeImported(n.input(0))); }

static LogicalResult importDropout(NodeImporter &n) {
  const ConstantPtr &training = n.input(2).constant;
  if (n.has(2) && (!training || training->size() != 1 || training->getInt(0) != 0))
    return n.error() << "is in training mode; export the model for inference";
  return importIdentity(n);
}

static LogicalResult importCast(NodeImporter &n) {
  const std::optional<DType> to = fromOnnxType(n.intAttr("to", 0));
  if (!to)
    return n.error() << "element type " << n.intAttr("to", 0) << " is not supported";
  if (n.input(0).constant)
    return n.setOutput(MaybeImported(Imported(castConstant(*n.input(0).constant, *to, n.outputName()))));
  if (!isFloat(*to))
    return n.error() << "makes the image's data " << stringify(*to) << ", which is not supported";
  return importIdentity(n);
}

void vitq::frontend::addElementwiseHandlers(HandlerTable &table) {
  table["Add"] = {importBinary<vit::AddOp>, 2, 2};
  table["Sub"] = {importBinary<vit::SubOp>, 2, 2};
  table["Mul"] = {importMul, 2, 2};
  table["Div"] = {importBinary<vit::DivOp>, 2, 2};
  table["Pow"] = {importPow, 2, 2};
  for (const char *name :
       {"Mod", "Min", "Max", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or"})
    table[name] = {importConstantBinary, 2, 2};
  table["Min"].maxInputs = table["Max"].maxInputs = 16;
  table["ReduceSum"] = {importConstantReduce<13>, 1, 2};
  for (const char *name : {"ReduceProd", "ReduceMax", "ReduceMin"})
    table[name] = {importConstantReduce<18>, 1, 2};
  table["IsNaN"] = {importIsNaN, 1, 1};
  table["Where"] = {importWhere, 3, 3};
  table["Sqrt"] = {importUnary<vit::SqrtOp>, 1, 1};
  table["Exp"] = {importUnary<vit::ExpOp>, 1, 1};
  table["Erf"] = {importUnary<vit::ErfOp>, 1, 1};
  table["Tanh"] = {importUnary<vit::TanhOp>, 1, 1};
  table["Sigmoid"] = {importUnary<vit::SigmoidOp>, 1, 1};
  table["Relu"] = {importUnary<vit::ReluOp>, 1, 1};
  for (const char *name : {"Abs", "Floor", "Ceil"})
    table[name] = {importConstantUnary, 1, 1};
  table["Not"] = {importNot, 1, 1};
  table["Neg"] = {importNeg, 1, 1};
  table["Reciprocal"] = {importReciprocal, 1, 1};
  table["Gelu"] = {importGelu, 1, 1};
  table["HardSwish"] = {importHardSwish, 1, 1};
  table["HardSigmoid"] = {importHardSigmoid, 1, 1};
  table["Identity"] = {importIdentity, 1, 1};
  table["Dropout"] = {importDropout, 1, 3};
  table["Cast"] = {importCast, 1, 1};
}
