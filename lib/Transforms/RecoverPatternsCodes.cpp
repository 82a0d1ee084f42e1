//===- RecoverPatternsCodes.cpp - Weights and casts of quantized models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What a quantized model's codes need so that the patterns of float models hold for it:
// weights that are codes with scales, casts between ops that belong together, and scalar
// factors, which are factors of a scale.

#include "RecoverPatterns.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {
/// dequantize(scast(constant)).
struct CodedWeight {
  Value integers;
  Tensor codes;
  quant::QuantizedType type;
  UniformParameters parameters;
};
} // namespace

/// None when `weight` is none whose rows have a scale each, or all one.
static std::optional<CodedWeight> codedWeight(Value weight) {
  auto dequantize = weight.getDefiningOp<vit::DequantizeOp>();
  auto cast = dequantize ? dequantize.getInput().getDefiningOp<quant::StorageCastOp>() : quant::StorageCastOp();
  if (!cast)
    return std::nullopt;
  FailureOr<Tensor> codes = getIntTensor(cast.getInput());
  quant::QuantizedType type = getQuantizedType(dequantize.getInput());
  std::optional<UniformParameters> parameters = getUniformParameters(type);
  if (failed(codes) || !parameters || parameters->axis > 0)
    return std::nullopt;
  return CodedWeight{cast.getInput(), *codes, type, *parameters};
}

static Value makeCodedWeight(PatternRewriter &rewriter, Location loc, const CodedWeight &like, const Tensor &codes,
                             ArrayRef<double> scales, StringRef name) {
  Type element;
  quant::QuantizedType type = like.type;
  if (like.parameters.axis < 0 && scales.size() == 1)
    element = quant::UniformQuantizedType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(),
                                               scales.front(), like.parameters.zeroPoint(), type.getStorageTypeMin(),
                                               type.getStorageTypeMax());
  else
    element =
        quant::UniformQuantizedPerAxisType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(), scales,
                                                SmallVector<int64_t>(scales.size(), like.parameters.zeroPoint()), 0,
                                                type.getStorageTypeMin(), type.getStorageTypeMax());
  auto storage = RankedTensorType::get(codes.shape(), type.getStorageType());
  Value integers = createConstant(rewriter, loc, storage, codes, name);
  Value cast = quant::StorageCastOp::create(rewriter, loc, RankedTensorType::get(codes.shape(), element), integers);
  return vit::DequantizeOp::create(rewriter, loc, RankedTensorType::get(codes.shape(), rewriter.getF32Type()), cast);
}

FailureOr<Value> recover::takeRows(PatternRewriter &rewriter, Location loc, Value weight, ArrayRef<int64_t> rows,
                                   StringRef role) {
  auto named = [&](Value value) { return (getBlobName(value) + "." + role).str(); };
  if (std::optional<CodedWeight> coded = codedWeight(weight)) {
    SmallVector<double> scales;
    if (coded->parameters.axis < 0)
      scales = coded->parameters.scales;
    else
      for (int64_t row : rows)
        scales.push_back(coded->parameters.scale(row));
    return makeCodedWeight(rewriter, loc, *coded, gathered(coded->codes, rows, 0), scales, named(coded->integers));
  }
  FailureOr<std::vector<float>> values = getFloatConstantF32(weight);
  if (failed(values))
    return failure();
  SmallVector<int64_t> shape(shapeOf(weight));
  const int64_t width = static_cast<int64_t>(values->size()) / shape[0];
  shape[0] = rows.size();
  std::vector<float> taken;
  taken.reserve(rows.size() * width);
  for (int64_t row : rows)
    taken.insert(taken.end(), values->begin() + row * width, values->begin() + (row + 1) * width);
  return Value(
      createFloatConstant(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()), taken, named(weight)));
}

FailureOr<Value> recover::reshapeWeight(PatternRewriter &rewriter, Value weight, ArrayRef<int64_t> shape) {
  if (std::optional<CodedWeight> coded = codedWeight(weight))
    return makeCodedWeight(rewriter, weight.getLoc(), *coded, coded->codes.reshaped(shape), coded->parameters.scales,
                           getBlobName(coded->integers));
  auto constant = weight.getDefiningOp<arith::ConstantOp>();
  llvm::Expected<Tensor> values = constant ? readTensor(constant.getValue())
                                           : llvm::createStringError(llvm::inconvertibleErrorCode(), "no constant");
  if (!values || values->kind() != ElementKind::F32) {
    llvm::consumeError(values.takeError());
    return failure();
  }
  const Tensor whole = Tensor::view(ElementKind::F32, shape, values->bytes(), std::make_shared<Tensor>(*values));
  return createConstant(rewriter, weight.getLoc(), RankedTensorType::get(shape, rewriter.getF32Type()), whole,
                        getBlobName(weight))
      .getResult();
}

FailureOr<Value> recover::scaleRows(PatternRewriter &rewriter, Value weight, ArrayRef<float> factors) {
  if (std::optional<CodedWeight> coded = codedWeight(weight)) {
    SmallVector<double> scales;
    Tensor codes = coded->codes.converted(coded->codes.kind());
    const int64_t width = codes.numElements() / static_cast<int64_t>(factors.size());
    Tensor scaled = Tensor::allocate(codes.kind(), codes.shape());
    for (auto [row, factor] : llvm::enumerate(factors)) {
      const double scale = coded->parameters.scale(row);
      scales.push_back(factor == 0 ? scale : scale * std::abs(static_cast<double>(factor)));
      for (int64_t i = static_cast<int64_t>(row) * width, e = i + width; i < e; ++i) {
        const int64_t code = factor == 0 ? 0 : factor < 0 ? -codes.intAt(i) : codes.intAt(i);
        if (code > coded->type.getStorageTypeMax())
          return failure(); // -128 has no counterpart
        scaled.setInt(i, code);
      }
    }
    CodedWeight like = *coded;
    like.parameters.axis = 0;
    return makeCodedWeight(rewriter, weight.getLoc(), like, scaled, scales, getBlobName(coded->integers));
  }
  FailureOr<std::vector<float>> values = getFloatConstantF32(weight);
  if (failed(values))
    return failure();
  const size_t width = values->size() / factors.size();
  for (size_t i = 0; i < values->size(); ++i)
    (*values)[i] *= factors[i / width];
  return Value(createFloatConstant(rewriter, weight.getLoc(), cast<RankedTensorType>(weight.getType()), *values,
                                   getBlobName(weight)));
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

/// The value before moves of one operand.
static Value beforeMoves(Value value) {
  for (Operation *op = value.getDefiningOp(); vit::isMove(op) && op->getNumOperands() == 1; op = value.getDefiningOp())
    value = op->getOperand(0);
  return value;
}

/// The same codes as those of another scale.
static Value withScale(PatternRewriter &rewriter, Location loc, Value codes, double factor) {
  quant::QuantizedType type = getQuantizedType(codes);
  Type element;
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(type))
    element = quant::UniformQuantizedType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(),
                                               uniform.getScale() * factor, uniform.getZeroPoint(),
                                               type.getStorageTypeMin(), type.getStorageTypeMax());
  else
    return {};
  Value integers =
      quant::StorageCastOp::create(rewriter, loc, withElementType(codes.getType(), type.getStorageType()), codes);
  return quant::StorageCastOp::create(rewriter, loc, withElementType(codes.getType(), element), integers);
}

namespace {

/// dequantize(quantize(x)) -> x where x has those codes already, moved or not.
struct DropRepeatedCasts : OpRewritePattern<vit::DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::DequantizeOp op, PatternRewriter &rewriter) const override {
    auto quantize = op.getInput().getDefiningOp<vit::QuantizeOp>();
    if (!quantize)
      return rewriter.notifyMatchFailure(op, "no dequantize of a quantize");
    auto source = beforeMoves(quantize.getInput()).getDefiningOp<vit::DequantizeOp>();
    if (!source || getQuantizedType(source.getInput()) != getQuantizedType(op.getInput()))
      return rewriter.notifyMatchFailure(op, "the value has no codes of this type yet");
    if (!isa<quant::UniformQuantizedType>(getQuantizedType(op.getInput())))
      return rewriter.notifyMatchFailure(op, "the type has more than one scale");
    return replaceWith(rewriter, op, quantize.getInput());
  }
};

/// Whether `value` is a convolution, moved or not.
static bool isConvolution(Value value) { return static_cast<bool>(beforeMoves(value).getDefiningOp<vit::Conv2dOp>()); }

/// move(dequantize(quantize(conv))) -> dequantize(quantize(move(conv))), and the same of the sum of two: the
/// convolution and its view become a patch embedding.
struct SinkCastsOfConvolution : RewritePattern {
  explicit SinkCastsOfConvolution(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  /// The move again, of another value.
  static Value moved(PatternRewriter &rewriter, Operation *move, Value input) {
    Operation *again = rewriter.clone(*move);
    again->setOperand(0, input);
    return again->getResult(0);
  }

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isViewOp(op))
      return rewriter.notifyMatchFailure(op, "no view");
    Value input = op->getOperand(0);
    if (auto sum = input.getDefiningOp<vit::AddOp>(); sum && sum->hasOneUse() &&
                                                      sum.getLhs().getType() == sum.getRhs().getType() &&
                                                      isConvolution(sum.getLhs()) && isConvolution(sum.getRhs())) {
      Value lhs = moved(rewriter, op, sum.getLhs()), rhs = moved(rewriter, op, sum.getRhs());
      return replaceWith<vit::AddOp>(rewriter, op, {lhs, rhs});
    }
    auto dequantize = input.getDefiningOp<vit::DequantizeOp>();
    auto quantize = dequantize ? dequantize.getInput().getDefiningOp<vit::QuantizeOp>() : vit::QuantizeOp();
    if (!quantize || !dequantize->hasOneUse() || !quantize->hasOneUse() ||
        !isa<quant::UniformQuantizedType>(getQuantizedType(quantize.getResult())))
      return rewriter.notifyMatchFailure(op, "no cast to one scale of this use alone");
    auto sum = quantize.getInput().getDefiningOp<vit::AddOp>();
    if (!isConvolution(quantize.getInput()) && !(sum && isConvolution(sum.getLhs()) && isConvolution(sum.getRhs())))
      return rewriter.notifyMatchFailure(op, "no convolution before the cast");
    Value view = moved(rewriter, op, quantize.getInput());
    Value codes = vit::QuantizeOp::create(rewriter, quantize.getLoc(),
                                          withElementType(view.getType(), getQuantizedType(quantize.getResult())), view,
                                          quantize.getRounding());
    rewriter.replaceOpWithNewOp<vit::DequantizeOp>(op, op->getResult(0).getType(), codes);
    return success();
  }
};

/// The convolution that `op` gives, its channels last or, behind a transpose of this use alone, behind the batch.
static vit::Conv2dOp convolutionOf(Operation *op) {
  if (auto view = dyn_cast_or_null<vit::TransposeOp>(op);
      view && view.getPermutation() == ArrayRef<int64_t>{0, 3, 1, 2} && view.getInput().hasOneUse())
    op = view.getInput().getDefiningOp();
  return dyn_cast_or_null<vit::Conv2dOp>(op);
}

/// conv * c, conv + c with a number for each channel -> conv with other weights or bias: what multiplies the
/// scales of an integer convolution back, and adds its bias.
template <typename OpTy>
struct FoldIntoConvolution : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    constexpr bool isMul = std::is_same_v<OpTy, vit::MulOp>;
    Value other;
    Operation *producer = matchOperand(op, other, [](Operation *op) { return static_cast<bool>(convolutionOf(op)); });
    vit::Conv2dOp conv = convolutionOf(producer);
    if (!conv || producer->getResult(0).getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no operand is a convolution of this use alone");
    const int64_t channels = shapeOf(conv)[3];
    const size_t behind = producer == conv ? 0 : 2; // axes behind the channels
    FailureOr<std::vector<float>> values = getFloatConstantF32(other);
    ArrayRef<int64_t> shape = shapeOf(other);
    auto isOne = [](int64_t size) { return size == 1; };
    const bool perChannel = !failed(values) && shape.size() > behind && llvm::all_of(shape.take_back(behind), isOne) &&
                            static_cast<int64_t>(values->size()) == channels &&
                            shape.drop_back(behind).back() == channels;
    if (failed(values) || (values->size() != 1 && !perChannel))
      return rewriter.notifyMatchFailure(op, "the other operand has no number for each channel");
    if (values->size() == 1)
      values->assign(channels, values->front());
    FailureOr<std::vector<float>> bias =
        conv.getBias() ? getFloatConstantF32(conv.getBias()) : std::vector<float>(channels, 0.0f);
    if (failed(bias))
      return rewriter.notifyMatchFailure(op, "the bias is no constant");
    FailureOr<Value> weight =
        isMul ? scaleRows(rewriter, conv.getWeight(), *values) : FailureOr<Value>(conv.getWeight());
    if (failed(weight))
      return rewriter.notifyMatchFailure(op, "the weight is no constant, or its codes have no negative");
    for (auto [term, value] : llvm::zip_equal(*bias, *values))
      term = isMul ? term * value : term + value;
    SmallVector<Value> operands{conv.getInput(), *weight};
    if (conv.getBias() || !isMul)
      operands.push_back(createFloatConstant(rewriter, op.getLoc(),
                                             RankedTensorType::get({channels}, rewriter.getF32Type()), *bias,
                                             conv.getBias() ? getBlobName(conv.getBias()) : getBlobName(other)));
    Value result = vit::createInferred<vit::Conv2dOp>(rewriter, op.getLoc(), operands, conv->getAttrs());
    if (behind)
      result = makeTranspose(rewriter, op.getLoc(), result, {0, 3, 1, 2});
    return replaceWith(rewriter, op, result);
  }
};

/// Whether codes are made of `value` behind moves or a scalar factor.
static bool reachesQuantize(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    if (isa<vit::QuantizeOp>(user))
      return true;
    double factor = 0;
    const bool passes = (vit::isMove(user) && user->getNumOperands() == 1) ||
                        (user->getNumResults() == 1 && matchScalarProduct(user->getResult(0), factor));
    return passes && reachesQuantize(user->getResult(0));
  });
}

/// A slice of channels of a packed projection that has codes of its own -> a projection of its own, as
/// attention makes of float ones: slice(transpose(reshape(linear))) or less.
struct SplitPackedProjection : OpRewritePattern<vit::SliceOp> {
  using OpRewritePattern::OpRewritePattern;

  /// The only axis that the slice cuts.
  static std::optional<int64_t> cutAxis(vit::SliceOp slice) {
    std::optional<int64_t> cut;
    for (auto [axis, size] : llvm::enumerate(shapeOf(slice.getInput()))) {
      if (slice.getSizes()[axis] == size)
        continue;
      if (cut)
        return std::nullopt;
      cut = axis;
    }
    return cut;
  }

  LogicalResult matchAndRewrite(vit::SliceOp slice, PatternRewriter &rewriter) const override {
    std::optional<int64_t> cut = cutAxis(slice);
    if (!cut || !reachesQuantize(slice.getResult()))
      return rewriter.notifyMatchFailure(slice, "cuts no axis or several, or gets no codes");
    int64_t axis = *cut;
    SmallVector<vit::TransposeOp> transposes;
    Value value = slice.getInput();
    while (auto transpose = value.getDefiningOp<vit::TransposeOp>()) {
      axis = transpose.getPermutation()[axis];
      transposes.push_back(transpose);
      value = transpose.getInput();
    }
    auto reshape = value.getDefiningOp<vit::ReshapeOp>();
    auto linear = (reshape ? reshape.getInput() : value).getDefiningOp<vit::LinearOp>();
    if (!linear)
      return rewriter.notifyMatchFailure(slice, "no view of a linear");
    const int64_t channels = shapeOf(linear).back();
    SmallVector<int64_t> shape(shapeOf(value));
    // Axes from `first` on are the channels.
    size_t first = shape.size();
    int64_t product = 1;
    while (first > 0 && product < channels)
      product *= shape[--first];
    if (product != channels || axis < static_cast<int64_t>(first))
      return rewriter.notifyMatchFailure(slice, "the axis is not made of channels");
    int64_t stride = 1;
    for (int64_t size : ArrayRef(shape).drop_front(axis + 1))
      stride *= size;
    const int64_t offset = slice.getOffsets()[*cut], step = slice.getStrides()[*cut], size = slice.getSizes()[*cut];
    SmallVector<int64_t> rows;
    for (int64_t c = 0; c < channels; ++c)
      if (int64_t index = c / stride % shape[axis] - offset; index >= 0 && index % step == 0 && index / step < size)
        rows.push_back(c);
    FailureOr<Value> part = projectionOf(rewriter, linear, rows, "part" + std::to_string(offset));
    if (failed(part))
      return rewriter.notifyMatchFailure(slice, "weight or bias is no constant");
    shape[axis] = size;
    Value result = makeReshape(rewriter, slice.getLoc(), *part, shape);
    for (vit::TransposeOp transpose : llvm::reverse(transposes))
      result = makeTranspose(rewriter, transpose.getLoc(), result, transpose.getPermutation());
    return replaceWith(rewriter, slice, result);
  }

  static FailureOr<Value> projectionOf(PatternRewriter &rewriter, vit::LinearOp linear, ArrayRef<int64_t> rows,
                                       StringRef role) {
    FailureOr<Value> weight = takeRows(rewriter, linear.getLoc(), linear.getWeight(), rows, role);
    if (failed(weight))
      return failure();
    Value bias;
    if (linear.getBias()) {
      FailureOr<Value> taken = takeRows(rewriter, linear.getLoc(), linear.getBias(), rows, role);
      if (failed(taken))
        return failure();
      bias = *taken;
    }
    return makeLinear(rewriter, suffixed(linear.getLoc(), role), linear.getInput(), *weight, bias);
  }
};

/// dequantize(quantize(e)) -> e for codes that numerators of a softmax have anyway: 8 bits from 0 to 1, or 16.
struct DropNumeratorCasts : OpRewritePattern<vit::DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::DequantizeOp op, PatternRewriter &rewriter) const override {
    auto quantize = op.getInput().getDefiningOp<vit::QuantizeOp>();
    auto numerator =
        quantize ? quantize.getInput().getDefiningOp<vit::SoftmaxNumeratorOp>() : vit::SoftmaxNumeratorOp();
    if (!numerator || quantize.getInput() != numerator.getNumerator())
      return rewriter.notifyMatchFailure(op, "no casts of a numerator");
    auto type = dyn_cast<quant::UniformQuantizedType>(getQuantizedType(op.getInput()));
    if (!type)
      return rewriter.notifyMatchFailure(op, "more than one scale");
    const bool wide = type.getStorageTypeIntegralWidth() > 8, before = numerator.getWide();
    numerator.setWide(wide);
    auto own = dyn_cast_or_null<quant::UniformQuantizedType>(numerator.getFixedResultType(0));
    if (!own || own.getStorageType() != type.getStorageType() || own.isSigned() != type.isSigned() ||
        own.getZeroPoint() != type.getZeroPoint() || !isNear(type.getScale(), own.getScale(), 1e-6)) {
      numerator.setWide(before);
      return rewriter.notifyMatchFailure(op, "other codes than its own");
    }
    numerator->setAttr(kCodedAttr, rewriter.getUnitAttr());
    return replaceWith(rewriter, op, quantize.getInput());
  }
};

/// x / reshape(sum of numerators) -> divide_rows.
struct RecoverDivideRows : OpRewritePattern<vit::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::DivOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getRhs().getDefiningOp<vit::ReshapeOp>();
    auto numerator = reshape ? reshape.getInput().getDefiningOp<vit::SoftmaxNumeratorOp>() : vit::SoftmaxNumeratorOp();
    if (!numerator || reshape.getInput() != numerator.getSum())
      return rewriter.notifyMatchFailure(op, "no division by the sum of numerators");
    SmallVector<int64_t> kept(shapeOf(numerator.getSum()));
    kept.push_back(1);
    if (shapeOf(op.getRhs()) != ArrayRef<int64_t>(kept) || op.getLhs().getType() != op.getType() ||
        shapeOf(op.getLhs()).drop_back() != shapeOf(numerator.getSum()))
      return rewriter.notifyMatchFailure(op, "not one divisor for each row");
    return replaceWith<vit::DivideRowsOp>(rewriter, op, {op.getLhs(), numerator.getSum()});
  }
};

/// quantize(x * c) -> the codes of x in a scale smaller by c.
struct FoldFactorIntoQuantize : OpRewritePattern<vit::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::QuantizeOp op, PatternRewriter &rewriter) const override {
    double factor = 0;
    Value input = op.getInput().hasOneUse() ? matchScalarProduct(op.getInput(), factor) : Value();
    auto type = dyn_cast<quant::UniformQuantizedType>(getQuantizedType(op.getResult()));
    if (!input || !type || !(factor > 0x1p-64) || !(factor < 0x1p64))
      return rewriter.notifyMatchFailure(op, "no positive multiple of a value, or more than one scale");
    Type finer = quant::UniformQuantizedType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(),
                                                  type.getScale() / factor, type.getZeroPoint(),
                                                  type.getStorageTypeMin(), type.getStorageTypeMax());
    auto codes =
        vit::QuantizeOp::create(rewriter, op.getLoc(), withElementType(op.getType(), finer), input, op.getRounding());
    Value integers = quant::StorageCastOp::create(
        rewriter, op.getLoc(), withElementType(op.getType(), type.getStorageType()), codes.getResult());
    rewriter.replaceOpWithNewOp<quant::StorageCastOp>(op, op.getType(), integers);
    return success();
  }
};

/// quantize(x * c) with a positive number for each channel -> the codes of x with a scale for each channel, read
/// with the one that they had: SmoothQuant's factors.
struct FoldFactorsIntoQuantize : OpRewritePattern<vit::QuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::QuantizeOp op, PatternRewriter &rewriter) const override {
    auto mul = op.getInput().getDefiningOp<vit::MulOp>();
    auto type = dyn_cast<quant::UniformQuantizedType>(getQuantizedType(op.getResult()));
    ArrayRef<int64_t> shape = shapeOf(op);
    if (!mul || !mul->hasOneUse() || !type || shape.empty())
      return rewriter.notifyMatchFailure(op, "no product for this use alone, or more than one scale");
    for (int i = 0; i < 2; ++i) {
      Value input = mul->getOperand(i);
      std::optional<std::vector<float>> factors = getChannelConstant(mul->getOperand(1 - i), shape.back());
      if (!factors || isConstant(input) || input.getType() != mul.getType() ||
          !llvm::all_of(*factors, [](float c) { return c > 0x1p-64F && c < 0x1p64F; }))
        continue;
      auto scales = llvm::map_to_vector(*factors, [&](float c) { return type.getScale() / c; });
      Type channels = quant::UniformQuantizedPerAxisType::get(
          type.getFlags(), type.getStorageType(), type.getExpressedType(), scales,
          SmallVector<int64_t>(scales.size(), type.getZeroPoint()), static_cast<int32_t>(shape.size() - 1),
          type.getStorageTypeMin(), type.getStorageTypeMax());
      auto codes = vit::QuantizeOp::create(rewriter, op.getLoc(), withElementType(op.getType(), channels), input,
                                           op.getRounding());
      Value integers = quant::StorageCastOp::create(
          rewriter, op.getLoc(), withElementType(op.getType(), type.getStorageType()), codes.getResult());
      rewriter.replaceOpWithNewOp<quant::StorageCastOp>(op, op.getType(), integers);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no positive factor for each channel");
  }
};

/// dequantize(q) * c -> the same codes, dequantized in a scale larger by c.
struct FoldFactorIntoDequantize : OpRewritePattern<vit::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    double factor = 0;
    Value input = matchScalarProduct(op.getResult(), factor);
    auto dequantize = input ? input.getDefiningOp<vit::DequantizeOp>() : vit::DequantizeOp();
    if (!dequantize || !(factor > 0x1p-64) || !(factor < 0x1p64))
      return rewriter.notifyMatchFailure(op, "no positive multiple of a dequantization");
    Value codes = withScale(rewriter, op.getLoc(), dequantize.getInput(), factor);
    if (!codes)
      return rewriter.notifyMatchFailure(op, "more than one scale");
    rewriter.replaceOpWithNewOp<vit::DequantizeOp>(op, op.getType(), codes);
    return success();
  }
};

} // namespace

void recover::populateCastPatterns(RewritePatternSet &patterns) {
  patterns.add<DropRepeatedCasts, DropNumeratorCasts, RecoverDivideRows, SinkCastsOfConvolution,
               FoldIntoConvolution<vit::AddOp>, FoldIntoConvolution<vit::MulOp>, SplitPackedProjection>(
      patterns.getContext());
}

void recover::populateCastFactorPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldFactorIntoQuantize, FoldFactorsIntoQuantize, FoldFactorIntoDequantize>(patterns.getContext());
}
