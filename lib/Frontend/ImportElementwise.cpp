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
// Two operands
//===----------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult importBinary(NodeImporter &n) {
  const Imported &lhs = n.input(0), &rhs = n.input(1);
  return n.setOutput(n.apply<OpTy>(lhs, rhs));
}

/// The exponent may be of another type than the base.
static LogicalResult importPow(NodeImporter &n) {
  if (const ConstantPtr &exponent = n.input(1).constant;
      exponent && n.input(0).isFloat() && !isFloat(exponent->dtype) && exponent->dtype != DType::Bool)
    n.setInput(1, Imported(castConstant(*exponent, DType::F32, exponent->name)));
  return importBinary<vit::PowOp>(n);
}

MaybeImported vitq::frontend::chooseBetween(NodeImporter &n, const Imported &condition, const Imported &x,
                                            const Imported &y) {
  if (!condition.isBool())
    return n.error() << "the condition must be booleans";
  FailureOr<Shape> branches = broadcastShapes(n, x.shape(), y.shape());
  if (failed(branches) || failed(broadcastShapes(n, condition.shape(), *branches)))
    return failure();
  if (!x.isFloat() || !y.isFloat())
    return n.error() << "chooses between numbers that are no floats, and depends on the image";
  FailureOr<Value> c = n.materialize(condition), a = n.materialize(condition.negated ? y : x),
                   b = n.materialize(condition.negated ? x : y);
  if (failed(c) || failed(a) || failed(b))
    return failure();
  auto op = vit::createInferred<vit::WhereOp>(n.builder, n.loc, n.builder.getF32Type(), {*c, *a, *b});
  return op ? MaybeImported(Imported(op.getResult())) : MaybeImported(failure());
}

static LogicalResult importWhere(NodeImporter &n) {
  return n.setOutput(chooseBetween(n, n.input(0), n.input(1), n.input(2)));
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult importUnary(NodeImporter &n) {
  return n.setOutput(n.create<OpTy>(n.input(0).value));
}

/// Of booleans that depend on the image the next Where takes the other operand.
static LogicalResult importNot(NodeImporter &n) {
  Imported input = n.input(0);
  if (!input.isBool())
    return n.error() << "expects booleans";
  input.negated = !input.negated;
  return n.setOutput(MaybeImported(input));
}

static LogicalResult importIsNaN(NodeImporter &n) {
  const Imported &input = n.input(0);
  if (!input.isFloat())
    return n.error() << "expects floats";
  auto op = vit::createInferred<vit::IsNaNOp>(n.builder, n.loc, n.builder.getI1Type(), input.value);
  return n.setOutput(op ? MaybeImported(Imported(op.getResult())) : MaybeImported(failure()));
}

/// -x as x * -1, 1/x as 1 / x: patterns need no further ops.
template <typename OpTy, bool ConstantFirst>
static LogicalResult importWithConstant(NodeImporter &n, double constant) {
  FailureOr<Value> c = n.materialize(NodeImporter::scalar(constant));
  if (failed(c))
    return failure();
  SmallVector<Value> operands{n.input(0).value, *c};
  if (ConstantFirst)
    std::swap(operands[0], operands[1]);
  return n.setOutput(n.create<OpTy>(operands));
}
static LogicalResult importNeg(NodeImporter &n) { return importWithConstant<vit::MulOp, false>(n, -1.0); }
static LogicalResult importReciprocal(NodeImporter &n) { return importWithConstant<vit::DivOp, true>(n, 1.0); }

MaybeImported vitq::frontend::makeGelu(NodeImporter &n, const Imported &input, vit::GeluKind kind) {
  FailureOr<Value> x = n.materialize(input);
  if (failed(x))
    return failure();
  return n.create<vit::GeluOp>(*x,
                               n.builder.getNamedAttr("kind", vit::GeluKindAttr::get(n.builder.getContext(), kind)));
}

static LogicalResult importGelu(NodeImporter &n) {
  std::string approximate = n.stringAttr("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.error() << "approximation '" << approximate << "' is unknown";
  return n.setOutput(makeGelu(n, n.input(0), approximate == "tanh" ? vit::GeluKind::Tanh : vit::GeluKind::Erf));
}

static LogicalResult importHardSwish(NodeImporter &n) {
  FailureOr<Value> x = n.materialize(n.input(0));
  return failed(x) ? failure() : n.setOutput(n.create<vit::HardSwishOp>(*x));
}

/// `OpTy` with parameters that are attributes of the node, with these defaults.
template <typename OpTy>
static LogicalResult importParametric(NodeImporter &n, ArrayRef<std::pair<const char *, double>> parameters) {
  SmallVector<NamedAttribute> attributes;
  for (auto [name, value] : parameters) {
    if (!std::isfinite(value))
      return n.error() << "attribute '" << name << "' must be finite";
    attributes.push_back(n.builder.getNamedAttr(name, n.builder.getF64FloatAttr(value)));
  }
  return n.setOutput(n.create<OpTy>(n.input(0).value, attributes));
}

static LogicalResult importHardSigmoid(NodeImporter &n) {
  return importParametric<vit::HardSigmoidOp>(
      n, {{"alpha", n.floatAttr("alpha", 0.2)}, {"beta", n.floatAttr("beta", 0.5)}});
}

static LogicalResult importLeakyRelu(NodeImporter &n) {
  return importParametric<vit::LeakyReluOp>(n, {{"alpha", n.floatAttr("alpha", 0.01)}});
}

/// ELU, SELU and CELU.
static LogicalResult importElu(NodeImporter &n, double alpha, double gain, double width) {
  if (!(width > 0))
    return n.error() << "attribute 'alpha' must be positive";
  return importParametric<vit::EluOp>(n, {{"alpha", alpha}, {"gain", gain}, {"width", width}});
}
static LogicalResult importElu(NodeImporter &n) { return importElu(n, n.floatAttr("alpha", 1.0), 1, 1); }
static LogicalResult importCelu(NodeImporter &n) {
  const double alpha = n.floatAttr("alpha", 1.0);
  return importElu(n, alpha, 1, alpha);
}
static LogicalResult importSelu(NodeImporter &n) {
  return importElu(n, n.floatAttr("alpha", 1.67326319217681884765625), n.floatAttr("gamma", 1.05070102214813232421875),
                   1);
}

/// One slope is a leaky rectifier; others are relu(x) + slope * min(x, 0).
static LogicalResult importPRelu(NodeImporter &n) {
  const Imported &x = n.input(0), &slope = n.input(1);
  if (!slope.constant || !slope.isFloat() || slope.constant->size() == 0)
    return n.error() << "the slope must be a constant of floats";
  FailureOr<Shape> shape = broadcastShapes(n, x.shape(), slope.shape());
  if (failed(shape))
    return failure();
  if (ArrayRef<int64_t>(*shape) != x.shape())
    return n.error() << "the slope must broadcast to the input's shape";
  const double first = slope.constant->getDouble(0);
  bool isOne = true;
  for (int64_t i = 1; i < slope.constant->size(); ++i)
    isOne &= slope.constant->getDouble(i) == first;
  if (isOne)
    return importParametric<vit::LeakyReluOp>(n, {{"alpha", first}});
  MaybeImported positive = n.create<vit::ReluOp>(x.value), negative = makeClamp(n, x, std::nullopt, 0.0);
  MaybeImported scaled = failed(negative) ? negative : n.apply<vit::MulOp>(*negative, slope);
  return failed(positive) || failed(scaled) ? failure() : n.setOutput(n.apply<vit::AddOp>(*positive, *scaled));
}

/// A bound of a Clip, an attribute before opset 11; nothing where there is none.
static FailureOr<std::optional<double>> readBound(NodeImporter &n, size_t i, const std::string &name, double none) {
  double value = n.floatAttr(name, none);
  if (n.has(i)) {
    const ConstantPtr &bound = n.input(i).constant;
    if (!bound || bound->size() != 1)
      return n.error() << "input '" << name << "' must be a known number";
    value = bound->getDouble(0);
  }
  if (std::isnan(value))
    return n.error() << "input '" << name << "' must be a known number";
  // What no float exceeds bounds nothing.
  const bool isBound = none < 0 ? value > none : value < none;
  return isBound ? std::optional<double>(value) : std::optional<double>();
}

MaybeImported vitq::frontend::makeClamp(NodeImporter &n, const Imported &input, std::optional<double> low,
                                        std::optional<double> high) {
  // Above the upper bound everything is that, as ONNX says.
  if (low && high && *low > *high)
    low = high;
  if (!low && !high)
    return input;
  FailureOr<Value> x = n.materialize(input);
  if (failed(x))
    return failure();
  if (low == 0.0 && !high)
    return n.create<vit::ReluOp>(*x);
  SmallVector<NamedAttribute> attributes;
  if (low)
    attributes.push_back(n.builder.getNamedAttr("min", n.builder.getF64FloatAttr(*low)));
  if (high)
    attributes.push_back(n.builder.getNamedAttr("max", n.builder.getF64FloatAttr(*high)));
  return n.create<vit::ClampOp>(*x, attributes);
}

static LogicalResult importClip(NodeImporter &n) {
  constexpr double largest = std::numeric_limits<float>::max();
  FailureOr<std::optional<double>> low = readBound(n, 1, "min", -largest), high = readBound(n, 2, "max", largest);
  if (failed(low) || failed(high))
    return failure();
  return n.setOutput(makeClamp(n, n.input(0), *low, *high));
}

/// Of one value and numbers.
template <bool IsMax>
static LogicalResult importBound(NodeImporter &n) {
  std::optional<Imported> value;
  std::optional<double> bound;
  for (size_t i = 0; i < n.numInputs(); ++i) {
    const Imported &input = n.input(i);
    if (!input.constant) {
      if (value || !input.isFloat())
        return n.error() << "is supported of one value and numbers only";
      value = input;
    } else if (!input.isFloat() || input.constant->size() != 1 || !std::isfinite(input.constant->getDouble(0))) {
      return n.error() << "is supported of one value and numbers only";
    } else {
      const double number = input.constant->getDouble(0);
      bound = !bound ? number : IsMax ? std::max(*bound, number) : std::min(*bound, number);
    }
  }
  if (!value)
    return n.error() << "is supported of one value and numbers only";
  return n.setOutput(IsMax ? makeClamp(n, *value, bound, std::nullopt) : makeClamp(n, *value, std::nullopt, bound));
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
  if (!isFloat(*to))
    return n.error() << "makes the image's data " << stringify(*to) << ", which is not supported";
  if (!n.input(0).codes)
    return importIdentity(n);
  if (!areNumbers(n.input(0).codes))
    return n.error() << "computes with codes of the image's data; only moves, DequantizeLinear and operators made for "
                        "codes may read them";
  return n.setOutput(Imported(n.input(0).value));
}

void vitq::frontend::addElementwiseHandlers(HandlerTable &table) {
  table["Add"] = {importBinary<vit::AddOp>, 2, 2};
  table["Sub"] = {importBinary<vit::SubOp>, 2, 2};
  table["Mul"] = {importBinary<vit::MulOp>, 2, 2};
  table["Div"] = {importBinary<vit::DivOp>, 2, 2};
  table["Pow"] = {importPow, 2, 2};
  table["IsNaN"] = {importIsNaN, 1, 1};
  table["Where"] = {importWhere, 3, 3};
  table["Sqrt"] = {importUnary<vit::SqrtOp>, 1, 1};
  table["Exp"] = {importUnary<vit::ExpOp>, 1, 1};
  table["Erf"] = {importUnary<vit::ErfOp>, 1, 1};
  table["Tanh"] = {importUnary<vit::TanhOp>, 1, 1};
  table["Sigmoid"] = {importUnary<vit::SigmoidOp>, 1, 1};
  table["Relu"] = {importUnary<vit::ReluOp>, 1, 1};
  table["Abs"] = {importUnary<vit::AbsOp>, 1, 1};
  table["Mish"] = {importUnary<vit::MishOp>, 1, 1};
  table["Softplus"] = {importUnary<vit::SoftplusOp>, 1, 1};
  table["LeakyRelu"] = {importLeakyRelu, 1, 1};
  table["Elu"] = {importElu, 1, 1};
  table["Celu"] = {importCelu, 1, 1};
  table["Selu"] = {importSelu, 1, 1};
  table["PRelu"] = {importPRelu, 2, 2};
  table["Max"] = {importBound<true>, 1, kManyInputs};
  table["Min"] = {importBound<false>, 1, kManyInputs};
  table["Not"] = {importNot, 1, 1};
  table["Neg"] = {importNeg, 1, 1};
  table["Reciprocal"] = {importReciprocal, 1, 1};
  table["Gelu"] = {importGelu, 1, 1};
  table["HardSwish"] = {importHardSwish, 1, 1};
  table["HardSigmoid"] = {importHardSigmoid, 1, 1};
  table["Clip"] = {importClip, 1, 3};
  table["Identity"] = {importIdentity, 1, 1};
  table["Dropout"] = {importDropout, 1, 3};
  table["Cast"] = {importCast, 1, 1};
  table["Cast"].onCodes = OperatorHandler::OnCodes::Handled;
}
