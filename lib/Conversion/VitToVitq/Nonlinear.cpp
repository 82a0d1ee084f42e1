//===- Nonlinear.cpp - Functions of one variable -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recording.h"

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Support/Constants.h"

#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

bool lowering::usesShift(std::optional<vit::AlgorithmAttr> algorithm) {
  return vit::kindOf(algorithm) == vit::Algorithm::Shift || vit::kindOf(algorithm) == vit::Algorithm::IVit;
}

unsigned lowering::entriesOf(std::optional<vit::AlgorithmAttr> algorithm) {
  return vit::kindOf(algorithm) == vit::Algorithm::Lut ? static_cast<unsigned>(algorithm->getEntries()) : 0;
}

InFlightDiagnostic lowering::noLines(Operation *op, llvm::Error error) {
  return op->emitError("'") << nodeName(op->getLoc()) << "': " << llvm::toString(std::move(error))
                            << "; use --nonlinear=table for it";
}

FailureOr<UniformParameters> lowering::channelParametersOf(Operation *op, Value value) {
  FailureOr<UniformParameters> parameters = parametersOf(op, value);
  if (failed(parameters))
    return failure();
  if (parameters->axis >= 0 && parameters->axis != static_cast<int64_t>(vit::shapeOf(value).size()) - 1)
    return op->emitError("the result of '") << nodeName(op->getLoc()) << "' may vary in scale along the last axis only";
  if (!llvm::all_equal(parameters->zeroPoints))
    return op->emitError("the result of '") << nodeName(op->getLoc()) << "' must have one zero point";
  return parameters;
}

namespace {

/// Quantization is monotone: the codes of the bounds bound the codes.
std::pair<int64_t, int64_t> boundsOf(vit::ReluOp, const UniformParameters &result) {
  return {result.zeroPoint(), result.max};
}
std::pair<int64_t, int64_t> boundsOf(vit::ClampOp op, const UniformParameters &result) {
  auto code = [&](const std::optional<APFloat> &bound, int64_t otherwise) {
    return bound ? numerics::quantizeReal(bound->convertToDouble(), result.scale(), result.zeroPoint(), result.min,
                                          result.max, numerics::Rounding::HalfUp)
                 : otherwise;
  };
  return {code(op.getMin(), result.min), code(op.getMax(), result.max)};
}

/// A rectifier, or another clamp, is a requantization that clamps.
template <typename OpTy>
struct LowerClamp : Lowering<OpTy> {
  using Lowering<OpTy>::Lowering;
  using Lowering<OpTy>::convert;
  using Lowering<OpTy>::context;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    SmallVector<double> factors;
    for (double scale : input->scales)
      factors.push_back(scale / result->scale());
    FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    if (!llvm::all_equal(input->zeroPoints))
      return op.emitError("a rectifier needs one input zero point");
    const auto [lo, hi] = boundsOf(op, *result);
    auto requant = rewriter.replaceOpWithNewOp<integer::RequantOp>(
        op, convert(op.getType()), adaptor.getInput(), *by, integer::Rounding::HalfUp, input->axis,
        codeAttr(op, *input), codeAttr(op, *result), rewriter.getI64IntegerAttr(lo), rewriter.getI64IntegerAttr(hi));
    recordScale(requant, op);
    return success();
  }
};

/// Tables of a function, one for each scale of the result, and which channel has
/// which (null when there is one).
struct Tables {
  Value table, index;
};

template <typename MakeEntries>
Tables makeTables(Operation *op, const UniformParameters &to, Type element, ConversionPatternRewriter &rewriter,
                  MakeEntries makeEntries) {
  SmallVector<double> scales(to.scales);
  llvm::sort(scales);
  scales.erase(llvm::unique(scales), scales.end());
  SmallVector<int64_t> entries, index;
  for (double scale : scales) {
    std::vector<int32_t> table = makeEntries(scale);
    entries.append(table.begin(), table.end());
  }
  auto count = static_cast<int64_t>(scales.size()), length = static_cast<int64_t>(entries.size()) / count;
  if (to.axis < 0)
    return {createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({length}, element), entries, "table"), {}};
  for (double scale : to.scales)
    index.push_back(std::distance(scales.begin(), llvm::lower_bound(scales, scale)));
  return {createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({count, length}, element), entries, "tables"),
          createIntConstant(rewriter, op->getLoc(),
                            RankedTensorType::get({static_cast<int64_t>(index.size())}, rewriter.getI8Type()), index,
                            "table_index")};
}

LogicalResult lowerToTable(vit::UnaryFunction op, Value input, RankedTensorType type,
                           ConversionPatternRewriter &rewriter) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = channelParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (from->width > 8 || to->width > 16)
    return op->emitError("a table needs an input of at most 8 bits and a result of at most 16 bits, got ")
           << from->width << " and " << to->width << " bits";
  Tables tables = makeTables(op, *to, type.getElementType(), rewriter, [&](double scale) {
    return numerics::buildTable([&](double x) { return op.evaluate(x); }, from->scale(), from->code(), scale,
                                {to->width, !to->isSigned, to->zeroPoint()});
  });
  auto lookup =
      integer::TableOp::create(rewriter, op->getLoc(), type, input, tables.table, tables.index, signAttr(op, *from));
  recordScale(lookup, op);
  rewriter.replaceOp(op, lookup);
  return success();
}

/// 16-bit codes: a table with interpolation where the function bends, the identity
/// beyond (docs/Numerics.md, Interpolation); of a function that is bounded a table of all codes.
LogicalResult lowerToInterpolation(vit::UnaryFunction op, Value input, RankedTensorType type,
                                   ConversionPatternRewriter &rewriter, const Context &context) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = perTensorParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (from->width != 16 || to->width != 16 || !from->isSigned || !to->isSigned || from->zeroPoint() != 0 ||
      to->zeroPoint() != 0)
    return op->emitError("argument and result of a function of 16-bit codes must be signed 16 bits with zero point 0");
  // The identity starts where the function is within half a code of it, at 8 or further.
  const bool isBounded = !op.approachesIdentity();
  double bend = isBounded ? std::numeric_limits<double>::infinity() : 8;
  while (bend < 64 && std::abs(op.evaluate(bend) - bend) > to->scale() / 2)
    bend *= 2;
  unsigned shift = 0;
  while (shift < 6 && static_cast<double>(numerics::kInterpolationIntervals << shift) * from->scale() < 2 * bend)
    ++shift;
  int64_t start = -((numerics::kInterpolationIntervals / 2) << shift);
  numerics::InterpolationTable entries = numerics::buildInterpolationTable([&](double x) { return op.evaluate(x); },
                                                                           from->scale(), to->scale(), start, shift);
  FailureOr<integer::DyadicAttr> tail = makeDyadic(op, {isBounded ? 1.0 : from->scale() / to->scale()}, context);
  if (failed(tail))
    return failure();
  Value table = createIntConstant(rewriter, op->getLoc(),
                                  RankedTensorType::get({static_cast<int64_t>(entries.size())}, type.getElementType()),
                                  SmallVector<int64_t>(entries.begin(), entries.end()), "table");
  auto lookup = integer::InterpolateOp::create(rewriter, op->getLoc(), type, input, table, start, shift, *tail);
  recordScale(lookup, op);
  rewriter.replaceOp(op, lookup);
  return success();
}

/// How vitq/Approximation/Functions.h calls a function.
StringRef registeredName(vit::UnaryFunction op) {
  return TypeSwitch<Operation *, StringRef>(op)
      .Case([](vit::GeluOp gelu) -> StringRef {
        switch (gelu.getKind()) {
        case vit::GeluKind::Erf:
          return "gelu";
        case vit::GeluKind::Tanh:
          return "gelu-tanh";
        case vit::GeluKind::Quick:
          return "gelu-quick";
        }
        return "gelu";
      })
      .Case<vit::SiluOp>([](auto) { return "silu"; })
      .Case<vit::SigmoidOp>([](auto) { return "sigmoid"; })
      .Case<vit::TanhOp>([](auto) { return "tanh"; })
      .Default([](auto) { return "hardswish"; });
}

/// A table of lines with the entries that were asked for, fitted for the input's codes
/// and stored with as many fraction bits, up to 6, as slopes of 8 bits allow
/// (docs/Numerics.md, Lines).
LogicalResult lowerToLines(vit::UnaryFunction op, Value input, RankedTensorType type, unsigned entries,
                           ConversionPatternRewriter &rewriter, const Context &context) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op->getOperand(0)),
                               to = channelParametersOf(op, op->getResult(0));
  if (failed(from) || failed(to))
    return failure();
  if (from->width > 16 || to->width > 16)
    return op->emitError("a piecewise-linear function needs an input and a result of at most 16 bits, got ")
           << from->width << " and " << to->width << " bits";
  approximation::FitProblem problem;
  problem.function = [&](double x) { return op.evaluate(x); };
  problem.name = op->getName().stripDialect().str();
  problem.scale = from->scale();
  problem.firstCode = from->min - from->zeroPoint();
  problem.lastCode = from->max - from->zeroPoint();
  problem.entries = entries;
  problem.format = {6, 8, 32, /*interceptInSteps=*/true};
  llvm::Expected<approximation::PiecewiseTable> table =
      approximation::fitBy(context.lutMethod, problem, registeredName(op));
  if (!table)
    return noLines(op, table.takeError());
  SmallVector<double> factors;
  for (double scale : to->scales)
    factors.push_back(std::ldexp(from->scale(), -static_cast<int>(table->fractionBits)) / scale);
  FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
  if (failed(by))
    return failure();
  const numerics::PiecewiseLinear lines = table->lines();
  if (!lines.fits(problem.firstCode, problem.lastCode))
    return noLines(op, llvm::createStringError("a line of it leaves 32 bits"));
  auto pwl = integer::PwlOp::create(rewriter, op->getLoc(), type, input,
                                    integer::PiecewiseLinearAttr::get(op->getContext(), lines), *by,
                                    integer::Rounding::HalfUp, codeAttr(op, *from), codeAttr(op, *to));
  recordScale(pwl, op);
  rewriter.replaceOp(op, pwl);
  return success();
}

/// I-BERT's polynomial.
LogicalResult lowerToPolynomial(vit::GeluOp op, Value input, RankedTensorType type, ConversionPatternRewriter &rewriter,
                                const Context &context) {
  FailureOr<UniformParameters> from = perTensorParametersOf(op, op.getInput()),
                               to = channelParametersOf(op, op.getResult());
  if (failed(from) || failed(to))
    return failure();
  const numerics::PolyGelu poly = numerics::polyGeluConstants(from->scale());
  if (!poly.fits(std::max(from->max - from->zeroPoint(), from->zeroPoint() - from->min)))
    return op->emitError("'") << nodeName(op->getLoc()) << "': the polynomial leaves 32 bits for the input scale "
                              << from->scale() << "; use --nonlinear=table for it";
  SmallVector<double> factors;
  for (double scale : to->scales)
    factors.push_back(from->scale() / (2.0 * static_cast<double>(poly.one)) / scale);
  FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
  if (failed(by))
    return failure();
  auto gelu = integer::PolyGeluOp::create(rewriter, op->getLoc(), type, input, poly.clip, poly.one, *by,
                                          integer::Rounding::HalfUp, codeAttr(op, *from), codeAttr(op, *to));
  recordScale(gelu, op);
  rewriter.replaceOp(op, gelu);
  return success();
}

struct LowerGelu : Lowering<vit::GeluOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::GeluOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = channelParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (unsigned entries = entriesOf(op.getAlgorithm()))
      return lowerToLines(op, adaptor.getInput(), convert(op.getType()), entries, rewriter, context);
    if (vit::kindOf(op.getAlgorithm()) == vit::Algorithm::Poly)
      return lowerToPolynomial(op, adaptor.getInput(), convert(op.getType()), rewriter, context);
    if (input->width == 16)
      return lowerToInterpolation(op, adaptor.getInput(), convert(op.getType()), rewriter, context);
    if (!usesShift(op.getAlgorithm()))
      return lowerToTable(op, adaptor.getInput(), convert(op.getType()), rewriter);
    int64_t x0 = numerics::shiftGeluX0(input->scale());
    if (x0 < -65536 || x0 >= 0)
      return op.emitError("ShiftGELU cannot represent the input scale ") << input->scale() << "; use --nonlinear=table";
    // I-ViT published n = 23 and a 31-bit reciprocal (docs/Numerics.md, GELU).
    bool published = vit::kindOf(op.getAlgorithm()) == vit::Algorithm::IVit;
    double amax = static_cast<double>(input->max - input->zeroPoint());
    int64_t fraction = published ? 23 : static_cast<int64_t>(numerics::shiftGeluBits(input->scale(), amax));
    // sigma has 7 fraction bits.
    SmallVector<double> factors;
    for (double scale : result->scales)
      factors.push_back(input->scale() / 128 / scale);
    FailureOr<integer::DyadicAttr> by = makeDyadic(op, factors, context);
    if (failed(by))
      return failure();
    auto create = [&](RankedTensorType type, integer::DyadicAttr multiplier, integer::CodeAttr code) {
      return integer::GeluOp::create(rewriter, op.getLoc(), type, adaptor.getInput(), x0, fraction, multiplier,
                                     convertRounding(op.getRounding()), codeAttr(op, *input), code,
                                     published ? 31 : 62);
    };
    RankedTensorType type = convert(op.getType());
    Operation *replacement;
    if (result->axis < 0) {
      replacement = create(type, *by, codeAttr(op, *result));
    } else {
      // a * sigma fits 16 bits as it is; its channels are brought to their scales then.
      auto one = integer::DyadicAttr::get(op.getContext(), {1 << 30}, {30});
      Value products = create(RankedTensorType::get(type.getShape(), rewriter.getI16Type()), one, plainCode(op));
      replacement =
          integer::RequantOp::create(rewriter, op.getLoc(), type, products, *by, convertRounding(op.getRounding()),
                                     result->axis, plainCode(op), codeAttr(op, *result), IntegerAttr(), IntegerAttr());
    }
    recordScale(replacement, op);
    rewriter.replaceOp(op, replacement);
    return success();
  }
};

/// Pixels as signed codes of the normalized image: a table for each channel.
struct LowerNormalizePixels : Lowering<vit::NormalizePixelsOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::NormalizePixelsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> pixels = perTensorParametersOf(op, op.getPixels()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(pixels) || failed(result))
      return failure();
    auto image = cast<RankedTensorType>(adaptor.getPixels().getType());
    Type element = convert(op.getType()).getElementType();
    if (pixels->width != 8 || result->width > 16 || image.getShape().back() >= numerics::kMaxTables)
      return op.emitError("the image must be bytes of at most 127 channels");
    SmallVector<int64_t> entries, index;
    for (auto [c, mean] : llvm::enumerate(op.getMean())) {
      double offset = mean, divisor = op.getStd()[c];
      std::vector<int32_t> table =
          numerics::buildTable([=](double p) { return (p - offset) / divisor; }, pixels->scale(), pixels->code(),
                               result->scale(), result->code());
      entries.append(table.begin(), table.end());
      index.push_back(static_cast<int64_t>(c));
    }
    int64_t channels = index.size();
    Value tables =
        createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({channels, pixels->code().count()}, element),
                          entries, "pixel_tables");
    Value indices = createIntConstant(rewriter, op.getLoc(), RankedTensorType::get({channels}, rewriter.getI8Type()),
                                      index, "pixel_index");
    Value codes = integer::TableOp::create(rewriter, op.getLoc(), RankedTensorType::get(image.getShape(), element),
                                           adaptor.getPixels(), tables, indices, signAttr(op, *pixels));
    auto planes = vit::createInferred<integer::TransposeOp>(
        rewriter, op.getLoc(), codes,
        rewriter.getNamedAttr("permutation", rewriter.getDenseI64ArrayAttr({0, 3, 1, 2})));
    recordScale(planes, op);
    rewriter.replaceOp(op, planes);
    return success();
  }
};

template <typename OpTy>
struct LowerFunction : Lowering<OpTy> {
  using Lowering<OpTy>::Lowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = this->convert(op.getType());
    if (unsigned entries = entriesOf(op.getAlgorithm()))
      return lowerToLines(op, adaptor.getInput(), type, entries, rewriter, this->context);
    if (type.getElementTypeBitWidth() == 16)
      if (quant::QuantizedType input = getQuantizedType(op.getInput());
          input && input.getStorageTypeIntegralWidth() == 16)
        return lowerToInterpolation(op, adaptor.getInput(), type, rewriter, this->context);
    return lowerToTable(op, adaptor.getInput(), type, rewriter);
  }
};

} // namespace

void lowering::populateNonlinearPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                         const Context &context) {
  patterns.add<LowerClamp<vit::ReluOp>, LowerClamp<vit::ClampOp>, LowerGelu, LowerFunction<vit::SigmoidOp>,
               LowerFunction<vit::TanhOp>, LowerFunction<vit::HardSwishOp>, LowerFunction<vit::SiluOp>,
               LowerFunction<vit::MishOp>, LowerFunction<vit::SoftplusOp>, LowerFunction<vit::AbsOp>,
               LowerFunction<vit::HardSigmoidOp>, LowerFunction<vit::LeakyReluOp>, LowerFunction<vit::EluOp>,
               LowerNormalizePixels>(converter, patterns.getContext(), context);
}
