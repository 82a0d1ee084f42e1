//===- Quantize.cpp - Choose quantized types and insert the casts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The pass looks at every use of a float value, asks which kind of code the using
// op wants, and quantizes each value once, where it is produced (before moves), to
// the widest kind its users want; narrower users requantize from that.

#include "vitq/Numerics/Quantize.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Data/Preprocess.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

#include "llvm/ADT/TypeSwitch.h"

namespace vitq {
#define GEN_PASS_DEF_VITQUANTIZEPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// What a use wants, ordered by precision.
enum class Kind : uint8_t {
  None,      // takes the float value: an accumulator, or already quantized
  Signed8,   // right operand of a matmul
  Unsigned8, // left operand of a contraction, argument of a function
  Signed16   // residual stream
};

struct Parameters {
  double headroom;
  unsigned weightBits;
};

class Quantizer {
public:
  Quantizer(func::FuncOp function, const Parameters &parameters)
      : function(function), rewriter(function.getContext()), parameters(parameters) {}

  LogicalResult run() {
    for (Operation &op : llvm::make_early_inc_range(function.front()))
      if (failed(prepare(&op)))
        return failure();
    for (Operation &op : function.front())
      for (OpOperand &use : op.getOpOperands())
        if (Kind kind = wanted(use); kind != Kind::None)
          uses.push_back({&use, kind});
    for (auto &[use, kind] : uses) {
      Kind &widest = kinds[root(use->get())];
      widest = std::max(widest, kind);
    }
    for (auto &[value, kind] : kinds)
      if (failed(quantizeRoot(value, kind)))
        return failure();
    for (auto &[use, kind] : uses)
      if (failed(narrow(*use, kind)))
        return failure();
    return quantizeResult();
  }

private:
  //===--------------------------------------------------------------------===//
  // Which kind a use wants
  //===--------------------------------------------------------------------===//

  static bool isMove(Operation *op) {
    return isa_and_nonnull<ReshapeOp, TransposeOp, SliceOp, GatherOp, BroadcastOp, PadOp>(op);
  }
  static bool isContraction(Operation *op) { return isa_and_nonnull<LinearOp, MatmulOp, PatchEmbedOp>(op); }

  /// The value that moves lead to.
  static Value root(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (!isMove(op))
        break;
      value = op->getOperand(0);
    }
    return value;
  }

  /// An accumulator that the user can take as it is.
  static bool isAccumulator(Value value) { return isContraction(value.getDefiningOp()) || isDequantized(value); }
  static bool isDequantized(Value value) { return value.getDefiningOp<DequantizeOp>() != nullptr; }

  static Kind wanted(OpOperand &use) {
    Operation *op = use.getOwner();
    Value value = use.get();
    if (isConstant(value) || isDequantized(value) ||
        !isa<FloatType>(cast<ShapedType>(value.getType()).getElementType()))
      return Kind::None;
    unsigned index = use.getOperandNumber();
    return TypeSwitch<Operation *, Kind>(op)
        .Case<LinearOp, PatchEmbedOp>([&](auto) { return index == 0 ? Kind::Unsigned8 : Kind::None; })
        .Case<MatmulOp>([&](auto) { return index == 0 ? Kind::Unsigned8 : Kind::Signed8; })
        .Case<AddOp, ReluOp>([&](auto) { return isAccumulator(value) ? Kind::None : Kind::Signed16; })
        .Case<SoftmaxNumeratorOp>([&](auto) { return isAccumulator(value) ? Kind::None : Kind::Signed16; })
        .Case<DivideRowsOp>([&](auto) { return index == 0 && !isAccumulator(value) ? Kind::Signed16 : Kind::None; })
        .Case<LayerNormOp>([&](auto) { return index == 0 ? Kind::Signed16 : Kind::None; })
        .Case<MeanOp>([&](auto) { return Kind::Signed16; })
        .Case<ConcatOp>([&](auto) { return Kind::None; }) // quantized with its result
        .Case<MulOp>([&](auto) { return Kind::Unsigned8; })
        .Case<UnaryFunction>([&](auto) { return Kind::Unsigned8; })
        .Default([](Operation *) { return Kind::None; });
  }

  //===--------------------------------------------------------------------===//
  // Types
  //===--------------------------------------------------------------------===//

  FailureOr<std::pair<double, double>> rangeOf(Value value) {
    if (std::optional<std::pair<double, double>> range = getCalibratedRange(value))
      return *range;
    return emitError(value.getLoc(), "value has no calibrated range; run vit-calibrate on images first, or load "
                                     "ranges that were saved for this model");
  }

  /// Functions whose results lie mostly on one side of zero, and their arguments.
  static bool isLopsided(Value value) {
    if (isa_and_nonnull<UnaryFunction>(value.getDefiningOp()))
      return true;
    return llvm::any_of(value.getUsers(), [](Operation *user) { return isa<UnaryFunction>(user); });
  }

  quant::QuantizedType typeFor(Value value, std::pair<double, double> range, Kind kind) {
    MLIRContext *context = function.getContext();
    auto [min, max] = range;
    double absMax = std::max(std::abs(min), std::abs(max));
    if (kind == Kind::Signed16)
      return getPerTensorType(context, 16, true, numerics::symmetricScale(absMax, 16, parameters.headroom), 0);
    if (kind == Kind::Signed8)
      return getPerTensorType(context, 8, true, numerics::symmetricScale(absMax, 8), 0);
    // Zero point 128 keeps slack on the shorter side for unseen values; a range
    // that wastes a quarter of the codes that way gets its own zero point.
    if (isLopsided(value) || max - min < 1.5 * absMax) {
      numerics::ScaleZeroPoint chosen = numerics::asymmetricScale(min, max, 8);
      return getPerTensorType(context, 8, false, chosen.scale, chosen.zeroPoint);
    }
    return getPerTensorType(context, 8, false, numerics::symmetricScale(absMax, 8), 128);
  }

  //===--------------------------------------------------------------------===//
  // Constants
  //===--------------------------------------------------------------------===//

  /// Codes of a constant, as a quant-typed value and its dequantization.
  Value dequantizedConstant(Location loc, Value constant, ArrayRef<int64_t> codes, quant::QuantizedType type) {
    auto storage = withElementType(constant.getType(), type.getStorageType());
    auto integers = createIntConstant(rewriter, loc, storage, codes, getBlobName(constant));
    Value cast = quant::StorageCastOp::create(rewriter, loc, withElementType(constant.getType(), type), integers);
    return DequantizeOp::create(rewriter, loc, constant.getType(), cast);
  }

  FailureOr<Value> quantizeConstant(Location loc, Value constant, quant::UniformQuantizedType type) {
    std::optional<std::vector<double>> values = getFloatConstant(constant);
    if (!values)
      return emitError(loc, "operand is no constant whose elements can be read");
    SmallVector<int64_t> codes;
    for (double value : *values)
      codes.push_back(numerics::quantizeReal(value, type.getScale(), type.getZeroPoint(), type.getStorageTypeMin(),
                                             type.getStorageTypeMax(), numerics::Rounding::HalfUp));
    return dequantizedConstant(loc, constant, codes, type);
  }

  /// Quantizes a weight [N, ...] symmetrically per output channel. `rowSums`
  /// receives, for every channel and input channel, the sum of dequantized weights.
  FailureOr<Value> quantizeWeight(Operation *op, Value weight, std::vector<double> values) {
    ArrayRef<int64_t> shape = shapeOf(weight);
    int64_t channels = shape[0], row = values.size() / channels;
    int64_t limit = (int64_t(1) << (parameters.weightBits - 1)) - 1;
    SmallVector<double> scales;
    SmallVector<int64_t> codes;
    for (int64_t c = 0; c < channels; ++c) {
      double absMax = 0;
      for (int64_t i = 0; i < row; ++i)
        absMax = std::max(absMax, std::abs(values[c * row + i]));
      scales.push_back(numerics::symmetricScale(absMax, parameters.weightBits));
      for (int64_t i = 0; i < row; ++i)
        codes.push_back(
            numerics::quantizeReal(values[c * row + i], scales.back(), 0, -limit, limit, numerics::Rounding::HalfEven));
    }
    return dequantizedConstant(op->getLoc(), weight, codes,
                               getSymmetricPerAxisType(op->getContext(), 8, parameters.weightBits, scales, 0));
  }

  FailureOr<std::vector<double>> weightValues(Operation *op, Value weight) {
    if (std::optional<std::vector<double>> values = getFloatConstant(weight))
      return *values;
    return op->emitError("weight is no constant; only products of activations (vit.matmul) may vary");
  }

  //===--------------------------------------------------------------------===//
  // Op by op, before kinds are collected
  //===--------------------------------------------------------------------===//

  LogicalResult prepare(Operation *op) {
    rewriter.setInsertionPoint(op);
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case<LinearOp>([&](LinearOp linear) { return prepareLinear(linear); })
        .Case<PatchEmbedOp>([&](PatchEmbedOp embed) { return preparePatchEmbed(embed); })
        .Case<SoftmaxNumeratorOp>([&](SoftmaxNumeratorOp softmax) { return prepareSoftmax(softmax); })
        .Case<AddOp, MulOp>([&](auto binary) { return prepareConstants(binary); })
        .Case<SubOp, DivOp, PowOp, SqrtOp, ErfOp, ExpOp, WhereOp, Conv2dOp, SoftmaxOp>([&](Operation *left) {
          return left->emitError("'") << left->getName()
                                      << "' cannot be quantized: no pattern recovered it as part of a larger function; "
                                      << (isa<SoftmaxOp>(left) ? "run vit-defer-softmax-division first"
                                                               : "see the remarks of vit-recover-patterns");
        })
        .Default([](Operation *) { return success(); });
  }

  LogicalResult prepareLinear(LinearOp op) {
    FailureOr<std::vector<double>> values = weightValues(op, op.getWeight());
    if (failed(values))
      return failure();
    FailureOr<Value> weight = quantizeWeight(op, op.getWeight(), std::move(*values));
    if (failed(weight))
      return failure();
    op.getWeightMutable().assign(*weight);
    return success();
  }

  /// Folds pixel normalization into the weights and the bias.
  LogicalResult preparePatchEmbed(PatchEmbedOp op) {
    FailureOr<std::vector<double>> values = weightValues(op, op.getWeight());
    if (failed(values))
      return failure();
    auto pixels = op.getInput().getDefiningOp<NormalizePixelsOp>();
    ArrayRef<int64_t> shape = shapeOf(op.getWeight());
    int64_t area = shape[2] * shape[3];
    if (pixels)
      for (auto [i, value] : llvm::enumerate(*values))
        value /= pixels.getStd()[(i / area) % shape[1]];
    FailureOr<Value> weight = quantizeWeight(op, op.getWeight(), *values);
    if (failed(weight))
      return failure();
    op.getWeightMutable().assign(*weight);
    return pixels ? foldMean(op, pixels) : success();
  }

  LogicalResult foldMean(PatchEmbedOp op, NormalizePixelsOp pixels) {
    auto cast = op.getWeight().getDefiningOp<DequantizeOp>().getInput().getDefiningOp<quant::StorageCastOp>();
    std::optional<std::vector<int64_t>> codes = getIntConstant(cast.getInput());
    UniformParameters type = *getUniformParameters(getQuantizedType(cast.getResult()));
    ArrayRef<int64_t> shape = shapeOf(op.getWeight());
    int64_t channels = shape[1], area = shape[2] * shape[3];
    std::vector<double> bias(shape[0], 0.0);
    if (op.getBias()) {
      std::optional<std::vector<double>> given = getFloatConstant(op.getBias());
      if (!given)
        return op.emitError("bias is no constant");
      bias = std::move(*given);
    }
    std::vector<float> folded;
    for (int64_t d = 0; d < shape[0]; ++d) {
      for (int64_t c = 0; c < channels; ++c) {
        int64_t sum = 0;
        for (int64_t i = 0; i < area; ++i)
          sum += (*codes)[(d * channels + c) * area + i];
        bias[d] -= pixels.getMean()[c] * type.scale(d) * static_cast<double>(sum);
      }
      folded.push_back(static_cast<float>(bias[d]));
    }
    auto biasType = RankedTensorType::get({shape[0]}, rewriter.getF32Type());
    Value newBias = createFloatConstant(rewriter, op.getLoc(), biasType, folded,
                                        op.getBias() ? getBlobName(op.getBias()) : "patch_embed_bias");
    Value real =
        DequantizeOp::create(rewriter, pixels.getLoc(),
                             withElementType(pixels.getPixels().getType(), rewriter.getF32Type()), pixels.getPixels());
    auto embed = PatchEmbedOp::create(rewriter, op.getLoc(), op.getType(), real, op.getWeight(), newBias,
                                      /*channels_last=*/true);
    embed->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    rewriter.replaceOp(op, embed);
    if (pixels->use_empty())
      rewriter.eraseOp(pixels);
    return success();
  }

  /// Codes relative to the row maximum, and the sums of the codes.
  LogicalResult prepareSoftmax(SoftmaxNumeratorOp op) {
    MLIRContext *context = op.getContext();
    Type numerator = withElementType(op.getNumerator().getType(), getPerTensorType(context, 8, false, 1.0 / 255, 0));
    Type sum = withElementType(op.getSum().getType(), getPerTensorType(context, 32, true, 1.0 / 255, 0));
    auto quantized =
        SoftmaxNumeratorOp::create(rewriter, op.getLoc(), TypeRange{numerator, sum}, op->getOperands(), op->getAttrs());
    SmallVector<Value> reals;
    for (auto [from, to] : llvm::zip_equal(op->getResults(), quantized->getResults()))
      reals.push_back(DequantizeOp::create(rewriter, op.getLoc(), from.getType(), to));
    rewriter.replaceOp(op, reals);
    return success();
  }

  /// A constant operand of an add (position embedding) or a mul.
  template <typename OpTy>
  LogicalResult prepareConstants(OpTy op) {
    for (OpOperand &use : op->getOpOperands()) {
      std::optional<std::vector<double>> values = getFloatConstant(use.get());
      if (!values)
        continue;
      double absMax = 0;
      for (double value : *values)
        absMax = std::max(absMax, std::abs(value));
      unsigned width = isa<AddOp>(op) ? 16 : 8;
      FailureOr<Value> constant =
          quantizeConstant(op.getLoc(), use.get(),
                           getPerTensorType(op.getContext(), width, true, numerics::symmetricScale(absMax, width), 0));
      if (failed(constant))
        return failure();
      use.set(*constant);
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Inserting casts
  //===--------------------------------------------------------------------===//

  /// quantize, dequantize after the current insertion point.
  Value castPair(Location loc, Value value, quant::QuantizedType type) {
    Value quantized = QuantizeOp::create(rewriter, loc, withElementType(value.getType(), type), value);
    return DequantizeOp::create(rewriter, loc, value.getType(), quantized);
  }

  LogicalResult quantizeRoot(Value value, Kind kind) {
    FailureOr<std::pair<double, double>> range = rangeOf(value);
    if (failed(range))
      return failure();
    quant::QuantizedType type = typeFor(value, *range, kind);
    if (auto concat = value.getDefiningOp<ConcatOp>())
      return quantizeConcat(concat, cast<quant::UniformQuantizedType>(type));
    rewriter.setInsertionPointAfterValue(value);
    Value real = castPair(value.getLoc(), value, type);
    rewriter.replaceUsesWithIf(value, real, [&](OpOperand &use) {
      return use.getOwner() != real.getDefiningOp()->getOperand(0).getDefiningOp() &&
             (isMove(use.getOwner()) || wanted(use) != Kind::None);
    });
    quantizedRoots[real] = value;
    return success();
  }

  /// All inputs of a concat get the result's type, so that it only moves codes.
  LogicalResult quantizeConcat(ConcatOp op, quant::UniformQuantizedType type) {
    for (OpOperand &use : op->getOpOperands()) {
      rewriter.setInsertionPoint(op);
      if (isConstant(use.get())) {
        FailureOr<Value> constant = quantizeConstant(op.getLoc(), use.get(), type);
        if (failed(constant))
          return failure();
        use.set(*constant);
      } else {
        rewriter.setInsertionPointAfterValue(use.get());
        use.set(castPair(use.get().getLoc(), use.get(), type));
      }
    }
    return success();
  }

  /// A use that wants less than its value's kind gets codes of its own kind.
  LogicalResult narrow(OpOperand &use, Kind kind) {
    Value source = root(use.get());
    Value original = quantizedRoots.lookup(source) ? quantizedRoots.lookup(source) : source;
    if (kinds.lookup(original) == kind)
      return success();
    Value &narrowed = narrower[{use.get(), static_cast<int>(kind)}];
    if (!narrowed) {
      FailureOr<std::pair<double, double>> range = rangeOf(original);
      if (failed(range))
        return failure();
      rewriter.setInsertionPointAfterValue(use.get());
      narrowed = castPair(use.getOwner()->getLoc(), use.get(), typeFor(original, *range, kind));
    }
    use.set(narrowed);
    return success();
  }

  /// One scale for all classes; fine enough that class scales cost nothing.
  LogicalResult quantizeResult() {
    auto ret = cast<func::ReturnOp>(function.front().getTerminator());
    SmallVector<Type> types;
    for (OpOperand &use : ret->getOpOperands()) {
      FailureOr<std::pair<double, double>> range = rangeOf(originalRoot(use.get()));
      if (failed(range))
        return failure();
      double absMax = std::max(std::abs(range->first), std::abs(range->second));
      auto type = getPerTensorType(ret.getContext(), 32, true, numerics::symmetricScale(absMax, 24), 0);
      rewriter.setInsertionPoint(ret);
      Value result =
          QuantizeOp::create(rewriter, use.get().getLoc(), withElementType(use.get().getType(), type), use.get());
      use.set(result);
      types.push_back(result.getType());
    }
    function.setFunctionType(rewriter.getFunctionType(function.getArgumentTypes(), types));
    return success();
  }

  Value originalRoot(Value value) {
    Value source = root(value);
    Value original = quantizedRoots.lookup(source);
    return original ? original : source;
  }

  func::FuncOp function;
  IRRewriter rewriter;
  const Parameters &parameters;
  SmallVector<std::pair<OpOperand *, Kind>> uses;
  llvm::MapVector<Value, Kind> kinds;
  llvm::DenseMap<Value, Value> quantizedRoots;
  llvm::DenseMap<std::pair<Value, int>, Value> narrower;
};

class Quantize : public vitq::impl::VitQuantizePassBase<Quantize> {
  using VitQuantizePassBase::VitQuantizePassBase;

  void runOnOperation() override {
    if (weightBits < 2 || weightBits > 8 || !(headroom >= 1.0) || headroom > 16) {
      getOperation().emitError("vit-quantize: weight-bits must be 2 to 8 and headroom 1 to 16");
      return signalPassFailure();
    }
    auto function = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!function || !function.getBody().hasOneBlock()) {
      getOperation().emitError("vit-quantize: the module has no function @main of one block");
      return signalPassFailure();
    }
    if (failed(takePixels(function)) || failed(Quantizer(function, Parameters{headroom, weightBits}).run()))
      signalPassFailure();
  }

  /// The float image becomes bytes and vit.normalize_pixels.
  LogicalResult takePixels(func::FuncOp function) {
    if (function.getNumArguments() != 1)
      return function.emitError("vit-quantize: @main must take one image");
    BlockArgument image = function.getArgument(0);
    auto type = cast<RankedTensorType>(image.getType());
    if (!isa<FloatType>(type.getElementType()))
      return success(); // already pixels
    bool embedded =
        type.getRank() == 4 && llvm::all_of(image.getUsers(), [](Operation *user) { return isa<PatchEmbedOp>(user); });
    if (!embedded)
      return function.emitError(
          "vit-quantize: the image must feed a patch embedding (a convolution whose stride is its "
          "kernel, without padding) and nothing else");
    data::Preprocess preprocess;
    if (auto text = getOperation()->getAttrOfType<StringAttr>(kPreprocessAttr)) {
      llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(text.getValue());
      if (!parsed)
        return getOperation().emitError(llvm::toString(parsed.takeError()));
      preprocess = *parsed;
    }
    int64_t channels = type.getDimSize(1);
    if (llvm::Error error = preprocess.checkChannels(static_cast<int>(channels)))
      return getOperation().emitError(llvm::toString(std::move(error)));
    SmallVector<double> mean, stdDev;
    for (int64_t c = 0; c < channels; ++c) {
      mean.push_back(preprocess.meanOf(c));
      stdDev.push_back(preprocess.stdDevOf(c));
    }
    auto pixel = getPerTensorType(&getContext(), 8, false, 1.0 / 255, 0);
    auto pixels = RankedTensorType::get({type.getDimSize(0), type.getDimSize(2), type.getDimSize(3), channels}, pixel);
    OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
    image.setType(pixels);
    auto normalized = NormalizePixelsOp::create(builder, image.getLoc(), type, image, mean, stdDev);
    image.replaceAllUsesExcept(normalized.getResult(), normalized);
    function.setFunctionType(builder.getFunctionType({pixels}, function.getResultTypes()));
    return success();
  }
};

} // namespace
