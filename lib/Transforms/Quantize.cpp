//===- Quantize.cpp - Choose quantized types and insert the casts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The pass looks at every use of a float value, asks which kind of code the using
// op wants, and quantizes each value once, where it is produced (before moves), to
// the widest kind its users want; narrower users requantize from that. Weights
// come last: scales of their inputs may be folded into them.

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Data/Preprocess.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace vitq {
#define GEN_PASS_DEF_VITQUANTIZEPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

namespace {

/// What a use wants, ordered by precision.
enum class Kind : uint8_t {
  None,        // takes the float value: an accumulator, or already quantized
  Signed8,     // right operand of a matmul; any operand in I-ViT's layout
  Unsigned8,   // left operand of a contraction, argument of a function
  Signed16,    // residual stream
  Probability, // softmax in I-ViT's layout: 16 bits, scale 2^-15
  Accumulator  // sum of accumulators: 32 bits, scales of the first one
};

using Range = std::pair<double, double>;

class Quantizer {
public:
  Quantizer(func::FuncOp function, const Parameters &parameters)
      : function(function), rewriter(function.getContext()), parameters(parameters) {}

  LogicalResult run() {
    for (Operation &op : llvm::make_early_inc_range(function.front()))
      if (failed(prepare(&op)))
        return failure();
    widenResults();
    for (Operation &op : function.front())
      for (OpOperand &use : op.getOpOperands())
        if (Kind kind = wanted(use); kind != Kind::None)
          uses.push_back({&use, kind});
    for (auto &[use, kind] : uses) {
      Kind &widest = kinds[root(use->get())];
      widest = std::max(widest, kind);
    }
    function.walk([&](LinearOp op) {
      linearInputs[op].means = meansOf(op.getInput());
      shareRange(op);
    });
    // What is joined may have codes of its own, so joins come last.
    for (bool joins : {false, true})
      for (auto &[value, kind] : kinds)
        if (kind != Kind::Accumulator && joins == isa_and_nonnull<ConcatOp>(value.getDefiningOp()) &&
            failed(quantizeRoot(value, kind)))
          return failure();
    for (auto &[use, kind] : uses)
      if (failed(narrow(*use, kind)))
        return failure();
    // A bias that is added moves an op's operands: `uses` is no longer valid.
    if (failed(quantizeWeights()))
      return failure();
    for (auto &[value, kind] : kinds)
      if (kind == Kind::Accumulator && failed(quantizeSum(value.getDefiningOp<AddOp>())))
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

  static bool isDequantized(Value value) { return value.getDefiningOp<DequantizeOp>() != nullptr; }
  /// An accumulator that the user can take as it is.
  bool isAccumulator(Value value) const {
    return isDequantized(value) || (!parameters.isIVit() && isContraction(value.getDefiningOp()));
  }
  /// A sum of two accumulators on its way to another add: it stays one.
  bool isAccumulatorSum(Value value) const {
    auto add = value.getDefiningOp<AddOp>();
    return add && !parameters.isIVit() && value.hasOneUse() && isa<AddOp>(*value.user_begin()) &&
           add.getLhs().getDefiningOp<LinearOp>() && add.getRhs().getDefiningOp<LinearOp>() &&
           shapeOf(add.getLhs()) == shapeOf(add.getRhs());
  }

  Kind wanted(OpOperand &use) const {
    Operation *op = use.getOwner();
    Value value = use.get();
    if (isConstant(value) || isDequantized(value) ||
        !isa<FloatType>(cast<ShapedType>(value.getType()).getElementType()))
      return Kind::None;
    unsigned index = use.getOperandNumber();
    bool ivit = parameters.isIVit();
    Kind eight = op->hasAttr(kWideAttr) ? Kind::Signed16 : ivit ? Kind::Signed8 : Kind::Unsigned8;
    return TypeSwitch<Operation *, Kind>(op)
        .Case<LinearOp, PatchEmbedOp>([&](auto) { return index == 0 ? eight : Kind::None; })
        .Case<MatmulOp>([&](auto) {
          if (root(value).getDefiningOp<SoftmaxOp>())
            return Kind::Probability;
          return index == 0 ? eight : Kind::Signed8;
        })
        .Case<AddOp>([&](auto) {
          if (isAccumulatorSum(value))
            return Kind::Accumulator;
          return isAccumulator(value) ? Kind::None : Kind::Signed16;
        })
        .Case<ReluOp>([&](auto) { return isAccumulator(value) ? Kind::None : Kind::Signed16; })
        // Channels of a linear layer have scales of their own, a row has one.
        .Case<SoftmaxNumeratorOp>([&](auto) {
          return isAccumulator(value) && !value.getDefiningOp<LinearOp>() ? Kind::None : Kind::Signed16;
        })
        .Case<SoftmaxOp>([&](auto) { return Kind::Signed8; })
        .Case<DivideRowsOp>([&](auto) { return index == 0 && !isAccumulator(value) ? Kind::Signed16 : Kind::None; })
        .Case<LayerNormOp>([&](auto) { return index == 0 ? Kind::Signed16 : Kind::None; })
        .Case<MeanOp>([&](auto) { return Kind::Signed16; })
        .Case<ConcatOp>([&](auto) { return Kind::None; }) // quantized with its result
        .Case<MulOp, UnaryFunction>([&](auto) { return eight; })
        .Default([](Operation *) { return Kind::None; });
  }

  //===--------------------------------------------------------------------===//
  // Types
  //===--------------------------------------------------------------------===//

  FailureOr<Range> rangeOf(Value value) {
    if (auto shared = sharedRanges.find(value); shared != sharedRanges.end())
      return shared->second;
    if (std::optional<Range> range = getCalibratedRange(value))
      return *range;
    return emitError(value.getLoc(), "value has no calibrated range; run vit-calibrate on images first, or load "
                                     "ranges that were saved for this model");
  }

  /// I-ViT gives the queries, keys and values of one packed projection one scale.
  void shareRange(LinearOp op) {
    if (!parameters.isIVit() || !feedsMatmul(op.getResult()))
      return;
    std::optional<Range> range = getCalibratedRange(op.getResult());
    for (Operation *user : op.getInput().getUsers())
      if (auto sibling = dyn_cast<LinearOp>(user); sibling && feedsMatmul(sibling.getResult()))
        if (std::optional<Range> other = getCalibratedRange(sibling.getResult()); other && range)
          range = Range(std::min(range->first, other->first), std::max(range->second, other->second));
    if (range)
      sharedRanges[op.getResult()] = *range;
  }
  static bool feedsMatmul(Value value) {
    return llvm::any_of(value.getUsers(), [](Operation *user) {
      return isa<MatmulOp>(user) || (isMove(user) && feedsMatmul(user->getResult(0)));
    });
  }

  /// Functions whose results lie mostly on one side of zero, and their arguments.
  static bool isLopsided(Value value) {
    if (isa_and_nonnull<UnaryFunction>(value.getDefiningOp()))
      return true;
    return llvm::any_of(value.getUsers(), [](Operation *user) { return isa<UnaryFunction>(user); });
  }

  /// Scale and zero point of unsigned 8-bit codes.
  static numerics::ScaleZeroPoint unsignedCode(Value value, Range range) {
    auto [min, max] = range;
    double absMax = std::max(std::abs(min), std::abs(max));
    // Zero point 128 keeps slack on the shorter side for unseen values; a range
    // that wastes a quarter of the codes that way gets its own zero point.
    if (isLopsided(value) || max - min < 1.5 * absMax)
      return numerics::asymmetricScale(min, max, 8);
    return {numerics::symmetricScale(absMax, 8), 128};
  }

  /// What layer_norms that read `value` (or a part of it) need for the scale of 16-bit
  /// codes.
  static double smallestScale(Value value) {
    double scale = 0;
    for (Operation *user : value.getUsers()) {
      if (isMove(user))
        scale = std::max(scale, smallestScale(user->getResult(0)));
      else if (auto norm = dyn_cast<LayerNormOp>(user); norm && norm.getInput() == value)
        scale = std::max(scale,
                         numerics::layerNormSmallestScale(norm.getEps().convertToDouble(), shapeOf(value).back(), 16));
    }
    return scale;
  }

  quant::QuantizedType typeFor(Value value, Range range, Kind kind) {
    MLIRContext *context = function.getContext();
    double absMax = std::max(std::abs(range.first), std::abs(range.second));
    if (kind == Kind::Probability)
      return getPerTensorType(context, 16, true, 0x1p-15, 0);
    if (kind == Kind::Signed16)
      return getPerTensorType(context, 16, true,
                              std::max(numerics::symmetricScale(absMax, 16, parameters.headroom), smallestScale(value)),
                              0);
    if (kind == Kind::Signed8)
      return getPerTensorType(context, 8, true, numerics::symmetricScale(absMax, 8), 0);
    numerics::ScaleZeroPoint code = unsignedCode(value, range);
    return getPerTensorType(context, 8, false, code.scale, code.zeroPoint);
  }

  /// One scale for each index of the last axis, from `vit.code_ranges`. All have one
  /// zero point, so that a contraction can fold it.
  quant::QuantizedType typeFor(Value value, const ChannelRanges &ranges, Kind kind) {
    bool isSigned = kind == Kind::Signed8;
    auto rangeOfChannel = [&](size_t c) { return Range(ranges.min[c], ranges.max[c]); };
    size_t narrowest = 0, channels = ranges.min.size();
    for (size_t c = 1; c < channels; ++c)
      if (ranges.max[c] - ranges.min[c] < ranges.max[narrowest] - ranges.min[narrowest])
        narrowest = c;
    Range widest(0, 0);
    for (size_t c = 0; c < channels; ++c)
      widest = {std::min<double>(widest.first, ranges.min[c]), std::max<double>(widest.second, ranges.max[c])};
    int64_t zeroPoint =
        isSigned ? 0 : unsignedCode(value, isLopsided(value) ? rangeOfChannel(narrowest) : widest).zeroPoint;
    SmallVector<double> scales;
    for (size_t c = 0; c < channels; ++c) {
      auto [min, max] = rangeOfChannel(c);
      if (isSigned || zeroPoint == 128) {
        scales.push_back(numerics::symmetricScale(std::max(std::abs(min), std::abs(max)), 8));
        continue;
      }
      double above = zeroPoint < 255 ? max / static_cast<double>(255 - zeroPoint) : 0;
      double below = zeroPoint > 0 ? -min / static_cast<double>(zeroPoint) : 0;
      double scale = std::max(above, below);
      scales.push_back(scale > numerics::kTinyRange ? scale : 1.0);
    }
    SmallVector<int64_t> zeroPoints(channels, zeroPoint);
    auto axis = static_cast<int32_t>(shapeOf(value).size() - 1);
    return quant::UniformQuantizedPerAxisType::get(isSigned ? quant::QuantizationFlags::Signed : 0,
                                                   rewriter.getI8Type(), rewriter.getF32Type(), scales, zeroPoints,
                                                   axis, quant::QuantizedType::getDefaultMinimumForInteger(isSigned, 8),
                                                   quant::QuantizedType::getDefaultMaximumForInteger(isSigned, 8));
  }

  /// The type a value gets where it is produced.
  FailureOr<quant::QuantizedType> rootTypeFor(Value value, Kind kind) {
    Operation *op = value.getDefiningOp();
    if (op && (kind == Kind::Signed8 || kind == Kind::Unsigned8) && op->hasAttr(kCodeRangesAttr)) {
      std::optional<ChannelRanges> ranges = getCodeRanges(op);
      if (!ranges || static_cast<int64_t>(ranges->min.size()) != shapeOf(value).back())
        return op->emitError("'") << kCodeRangesAttr << "' must hold a finite [min, max] for each of "
                                  << shapeOf(value).back() << " channels";
      return typeFor(value, *ranges, kind);
    }
    FailureOr<Range> range = kind == Kind::Probability ? FailureOr<Range>(Range(0, 1)) : rangeOf(value);
    if (failed(range))
      return failure();
    return typeFor(value, *range, kind);
  }

  //===--------------------------------------------------------------------===//
  // Op by op, before kinds are collected
  //===--------------------------------------------------------------------===//

  LogicalResult prepare(Operation *op) {
    rewriter.setInsertionPoint(op);
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case<PatchEmbedOp>([&](PatchEmbedOp embed) {
          return quantizePatchEmbed(rewriter, embed, /*foldPixels=*/!parameters.isIVit(), parameters);
        })
        .Case<SoftmaxNumeratorOp>([&](SoftmaxNumeratorOp softmax) { return prepareSoftmax(softmax); })
        .Case<AddOp, MulOp>([&](auto binary) { return prepareConstants(binary); })
        .Case<SubOp, DivOp, PowOp, SqrtOp, ErfOp, ExpOp, IsNaNOp, WhereOp, Conv2dOp>([&](Operation *left) {
          return left->emitError("'") << left->getName()
                                      << "' cannot be quantized: no pattern recovered it as part of a larger function; "
                                         "see the remarks of vit-recover-patterns";
        })
        .Case<SoftmaxOp>([&](SoftmaxOp softmax) -> LogicalResult {
          if (parameters.isIVit())
            return success();
          return softmax.emitError("'vit.softmax' cannot be quantized with its division in this layout; run "
                                   "vit-defer-softmax-division first");
        })
        .Default([](Operation *) { return success(); });
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
          quantizeConstant(rewriter, op.getLoc(), use.get(),
                           getPerTensorType(op.getContext(), width, true, numerics::symmetricScale(absMax, width), 0));
      if (failed(constant))
        return failure();
      use.set(*constant);
    }
    return success();
  }

  std::vector<double> meansOf(Value value) const {
    Operation *op = value.getDefiningOp();
    std::optional<std::vector<double>> means = op && parameters.compensateBias ? getChannelMeans(op) : std::nullopt;
    return means ? *means : std::vector<double>();
  }

  //===--------------------------------------------------------------------===//
  // Inserting casts
  //===--------------------------------------------------------------------===//

  /// Functions that are tables have one rounding.
  Rounding roundingOf(Value value) const {
    Operation *op = value.getDefiningOp();
    bool table = isa_and_nonnull<UnaryFunction, MulOp, NormalizePixelsOp>(op) && !isa<GeluOp>(op);
    return table ? Rounding::HalfUp : parameters.rounding();
  }

  /// quantize, dequantize after the current insertion point.
  Value castPair(Location loc, Value value, quant::QuantizedType type) {
    Value quantized =
        QuantizeOp::create(rewriter, loc, withElementType(value.getType(), type), value, roundingOf(value));
    return DequantizeOp::create(rewriter, loc, value.getType(), quantized);
  }

  LogicalResult quantizeRoot(Value value, Kind kind) {
    FailureOr<quant::QuantizedType> type = rootTypeFor(value, kind);
    if (failed(type))
      return failure();
    if (auto concat = value.getDefiningOp<ConcatOp>())
      return quantizeConcat(concat, cast<quant::UniformQuantizedType>(*type));
    rewriter.setInsertionPointAfterValue(value);
    Value real = castPair(value.getLoc(), value, *type);
    Operation *quantized = real.getDefiningOp()->getOperand(0).getDefiningOp();
    auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(*type);
    if (perAxis && !feedsMatmul(value))
      real = foldScales(value, quantized->getResult(0), perAxis);
    rewriter.replaceUsesWithIf(value, real, [&](OpOperand &use) {
      return use.getOwner() != quantized && (isMove(use.getOwner()) || wanted(use) != Kind::None);
    });
    quantizedRoots[real] = value;
    return success();
  }

  /// Reads codes of differing scales as if they had one, for linear layers that get
  /// the rest of each scale as a factor of the weight's column (METHODS.md R1).
  Value foldScales(Value value, Value codes, quant::UniformQuantizedPerAxisType type) {
    double common = *llvm::min_element(type.getScales());
    auto perTensor = getPerTensorType(function.getContext(), 8, type.isSigned(), common, type.getZeroPoints()[0]);
    Value integers = quant::StorageCastOp::create(rewriter, value.getLoc(),
                                                  withElementType(value.getType(), type.getStorageType()), codes);
    Value folded =
        quant::StorageCastOp::create(rewriter, value.getLoc(), withElementType(value.getType(), perTensor), integers);
    for (Operation *user : value.getUsers())
      if (auto linear = dyn_cast<LinearOp>(user))
        for (double scale : type.getScales())
          linearInputs[linear].factors.push_back(scale / common);
    return DequantizeOp::create(rewriter, value.getLoc(), value.getType(), folded);
  }

  LogicalResult quantizeWeights() {
    WalkResult result = function.walk([&](LinearOp op) {
      return failed(quantizeLinear(rewriter, op, linearInputs[op], parameters)) ? WalkResult::interrupt()
                                                                                : WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// The sum of two accumulators in units of the first.
  LogicalResult quantizeSum(AddOp op) {
    auto first = op.getLhs().getDefiningOp<CommutesWithDequant>();
    SmallVector<Type> types(first->getNumOperands());
    for (unsigned i : first.getDeferrableOperands())
      if (auto dequantize = root(first->getOperand(i)).getDefiningOp<DequantizeOp>())
        types[i] = getQuantizedType(dequantize.getInput());
    std::string reason;
    FailureOr<Type> type = first.getDeferredElementType(types, reason);
    if (failed(type))
      return op.emitError("the accumulator of '") << nodeName(first->getLoc()) << "' has no scale: " << reason;
    rewriter.setInsertionPointAfter(op);
    Value real = castPair(op.getLoc(), op.getResult(), cast<quant::QuantizedType>(*type));
    rewriter.replaceAllUsesExcept(op.getResult(), real, real.getDefiningOp()->getOperand(0).getDefiningOp());
    quantizedRoots[real] = op.getResult();
    return success();
  }

  /// All inputs of a concat get the result's type, so that it only moves codes.
  LogicalResult quantizeConcat(ConcatOp op, quant::UniformQuantizedType type) {
    for (OpOperand &use : op->getOpOperands()) {
      rewriter.setInsertionPoint(op);
      if (isConstant(use.get())) {
        FailureOr<Value> constant = quantizeConstant(rewriter, op.getLoc(), use.get(), type);
        if (failed(constant))
          return failure();
        use.set(*constant);
      } else {
        FailureOr<Value> codes = codesOf(use.get(), type);
        if (failed(codes))
          return failure();
        Operation *moved = use.get().getDefiningOp();
        use.set(DequantizeOp::create(rewriter, use.get().getLoc(), use.get().getType(), *codes));
        eraseUnread(moved);
      }
    }
    return success();
  }

  /// A use that wants less than its value's kind gets codes of its own kind.
  LogicalResult narrow(OpOperand &use, Kind kind) {
    Value original = originalRoot(use.get());
    if (kinds.lookup(original) == kind)
      return success();
    Value &narrowed = narrower[{use.get(), static_cast<int>(kind)}];
    if (!narrowed) {
      FailureOr<Range> range = rangeOf(original);
      if (failed(range))
        return failure();
      rewriter.setInsertionPointAfterValue(use.get());
      narrowed = castPair(use.getOwner()->getLoc(), use.get(), typeFor(original, *range, kind));
    }
    use.set(narrowed);
    return success();
  }

  /// A function that gives the program's result is computed in 16 bits: nothing
  /// behind it makes up for codes of 8.
  void widenResults() {
    for (Value result : function.front().getTerminator()->getOperands())
      if (Operation *op = root(result).getDefiningOp(); isa_and_nonnull<UnaryFunction>(op) && !isa<ReluOp>(op))
        op->setAttr(kWideAttr, rewriter.getUnitAttr());
  }

  /// What codes of `value` of a concat's or the program's result are made from: codes
  /// that it has already, but for accumulators; for 32 bits its own codes where it has
  /// no 32-bit form.
  FailureOr<Value> sourceOfCodes(Value value, unsigned width) {
    Operation *op = value.getDefiningOp();
    if (!op || isContraction(op))
      return value;
    for (Operation *user : op->getUsers())
      if (auto quantize = dyn_cast<QuantizeOp>(user))
        for (Operation *reader : quantize->getUsers())
          if (auto real = dyn_cast<DequantizeOp>(reader))
            return real.getResult();
    if (width <= 16 || !isa<SoftmaxOp, DivideRowsOp, LayerNormOp, MulOp, UnaryFunction>(op) || isa<ReluOp>(op))
      return value;
    FailureOr<quant::QuantizedType> type = rootTypeFor(value, isa<SoftmaxOp>(op) ? Kind::Probability : Kind::Signed16);
    if (failed(type))
      return failure();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointAfterValue(value);
    return castPair(value.getLoc(), value, *type);
  }

  /// Codes of a value, made at the insertion point. Elements are moved as codes: scales
  /// of classes do not commute with a choice of classes, a sum has no codes but its own.
  FailureOr<Value> codesOf(Value value, quant::UniformQuantizedType type) {
    Operation *op = value.getDefiningOp();
    if (isConstant(value)) {
      FailureOr<Value> real = quantizeConstant(rewriter, value.getLoc(), value, type);
      if (failed(real))
        return failure();
      return real->getDefiningOp<DequantizeOp>().getInput();
    }
    if (isMove(op) || isa_and_nonnull<ConcatOp>(op)) {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands()) {
        FailureOr<Value> codes = codesOf(operand, type);
        if (failed(codes))
          return failure();
        operands.push_back(*codes);
      }
      return rewriter
          .create(op->getLoc(), op->getName().getIdentifier(), operands, withElementType(value.getType(), type),
                  op->getAttrs())
          ->getResult(0);
    }
    FailureOr<Value> real = sourceOfCodes(value, type.getStorageTypeIntegralWidth());
    if (failed(real))
      return failure();
    return QuantizeOp::create(rewriter, value.getLoc(), withElementType(value.getType(), type), *real,
                              roundingOf(*real))
        .getResult();
  }

  /// Erases what the program's result was moved by before its codes were.
  void eraseUnread(Operation *op) {
    if (!(isMove(op) || isa_and_nonnull<ConcatOp>(op)) || !op->use_empty())
      return;
    SmallVector<Value> operands(op->getOperands());
    op->erase();
    for (Value operand : operands)
      eraseUnread(operand.getDefiningOp());
  }

  /// One scale for all classes; fine enough that class scales cost nothing.
  LogicalResult quantizeResult() {
    auto ret = cast<func::ReturnOp>(function.front().getTerminator());
    SmallVector<Type> types;
    for (OpOperand &use : ret->getOpOperands()) {
      FailureOr<Range> range = rangeOf(originalRoot(use.get()));
      if (failed(range))
        return failure();
      double absMax = std::max(std::abs(range->first), std::abs(range->second));
      auto type = getPerTensorType(ret.getContext(), 32, true, numerics::symmetricScale(absMax, 24), 0);
      rewriter.setInsertionPoint(ret);
      FailureOr<Value> codes = codesOf(use.get(), type);
      if (failed(codes))
        return failure();
      Operation *real = use.get().getDefiningOp();
      use.set(*codes);
      eraseUnread(real);
      types.push_back(codes->getType());
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
  llvm::DenseMap<Operation *, LinearInput> linearInputs;
  llvm::DenseMap<Value, Range> sharedRanges;
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
    Parameters parameters{headroom, weightBits, compensateBias, layout};
    if (failed(takePixels(function)) || failed(Quantizer(function, parameters).run()))
      return signalPassFailure();
    // What only this pass needs, and is big.
    getOperation().walk([](Operation *op) {
      removeCalibrationStatistics(op);
      op->removeDiscardableAttr(kCodeRangesAttr);
    });
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
    if (auto range = function.getArgAttrOfType<DenseF64ArrayAttr>(0, kRangeAttr))
      normalized->setAttr(kRangeAttr, range);
    image.replaceAllUsesExcept(normalized.getResult(), normalized);
    function.setFunctionType(builder.getFunctionType({pixels}, function.getResultTypes()));
    return success();
  }
};

} // namespace
