//===- Quantize.cpp - Choose quantized types and insert the casts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The pass looks at every use of a float value, asks the using op which code it is to
// have there, and quantizes each value once, where it is produced (before moves), to
// the widest kind its users want; narrower users requantize from that.

#include "QuantizeDetail.h"
#include "QuantizeScores.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/Scores.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-quantize"

namespace vitq {
#define GEN_PASS_DEF_VITQUANTIZEPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

namespace {

class Quantizer {
public:
  Quantizer(func::FuncOp function, QuantizedLayout layout, double headroom)
      : function(function), rewriter(function.getContext()), layout(layout), headroom(headroom), scores(headroom) {}

  LogicalResult run() {
    scores.find(function, !isIVit(), [](MatmulOp op) { return accumulatorAxis(op); });
    for (Operation &op : llvm::make_early_inc_range(function.front()))
      if (failed(prepare(&op)))
        return failure();
    widenResults();
    function.walk([&](LinearOp op) { widenRow(op); });
    for (Operation &op : function.front())
      for (OpOperand &use : op.getOpOperands())
        if (Kind kind = wanted(use); kind != Kind::None)
          uses.push_back({&use, kind});
    for (auto &[use, kind] : uses) {
      Value source = root(use->get());
      Kind &widest = kinds[source];
      bool isWide = isPartOfStream(use->get(), source) || isWideFunction(source.getDefiningOp());
      widest = std::max({widest, kind, isWide ? Kind::Signed16 : Kind::None});
    }
    takeWide();
    keepCasts();
    if (isIVit())
      function.walk([&](LinearOp op) { shareRange(op); });
    // What is joined may have codes of its own, so joins come last.
    for (bool joins : {false, true})
      for (auto &[value, kind] : kinds)
        if (kind != Kind::Accumulator && joins == isMove(value.getDefiningOp()) && failed(quantizeRoot(value, kind)))
          return failure();
    for (auto &[use, kind] : uses)
      if (failed(narrow(*use, kind)))
        return failure();
    scores.quantizeExactSums(rewriter, layout);
    return success();
  }

private:
  bool isIVit() const { return layout == QuantizedLayout::IVit; }

  //===--------------------------------------------------------------------===//
  // Which kind a use wants
  //===--------------------------------------------------------------------===//

  /// Whether `value`, to which moves lead from `stream`, holds only some elements of that
  /// sum: the class token of the residual stream, say. These have a range of their own,
  /// so codes of 8 bits are made behind the moves.
  static bool isPartOfStream(Value value, Value stream) {
    auto elements = [](Value v) { return cast<ShapedType>(v.getType()).getNumElements(); };
    return elements(value) < elements(stream) && isResidual(stream.getDefiningOp());
  }

  /// Whether `op` is a function of 16-bit codes, which gives 16 bits to all readers.
  static bool isWideFunction(Operation *op) { return isa_and_nonnull<UnaryFunction>(op) && op->hasAttr(kWideAttr); }

  /// The axis along which the scales of an accumulator vary.
  static int64_t accumulatorAxis(QuantizableOp op) {
    // Of products of activations only where heads were given scales of their own.
    bool ofWeights = llvm::any_of(op->getOperands(), [](Value operand) { return isConstant(operand); });
    bool heads = llvm::any_of(op->getOperands(), [](Value operand) {
      Operation *source = root(operand).getDefiningOp();
      return source && source->hasAttr(kCodeRangesAttr);
    });
    return ofWeights || heads ? op.getResultCode(0).channelAxis : kNoAxis;
  }

  /// Whether a user can take `value` as it is: the exact sum, which has a scale already.
  bool takesAsItIs(Value value, CodeSpec code) {
    if (!code.takesAccumulator || !isContraction(value) || (isIVit() && code.kind != CodeKind::Accumulator))
      return false;
    auto known = accumulatorAxes.try_emplace(value, 0);
    if (known.second)
      known.first->second = accumulatorAxis(value.getDefiningOp<QuantizableOp>());
    int64_t axis = known.first->second;
    return axis == kNoAxis || code.channelAxis == kAnyAxis || axis == code.channelAxis;
  }

  Kind wanted(OpOperand &use) {
    if (scores.isExactSum(use.getOwner()) || scores.isExactSum(root(use.get()).getDefiningOp()))
      return Kind::None;
    auto op = dyn_cast<QuantizableOp>(use.getOwner());
    Value value = use.get();
    if (!op || isConstant(value) || isCoded(value) ||
        !isa<FloatType>(cast<ShapedType>(value.getType()).getElementType()))
      return Kind::None;
    CodeSpec code = op.getOperandCode(use.getOperandNumber());
    switch (code.kind) {
    case CodeKind::None:
      return Kind::None;
    case CodeKind::Code:
      return kindOfCode(op, value, code);
    case CodeKind::Residual:
      if (!isIVit() && code.takesAccumulator && isAccumulatorSum(value))
        return Kind::Accumulator;
      [[fallthrough]];
    case CodeKind::Accumulator:
    case CodeKind::Probability:
      return takesAsItIs(value, code) ? Kind::None : Kind::Signed16;
    }
    llvm_unreachable("unknown kind of code");
  }

  Kind kindOfCode(QuantizableOp op, Value value, CodeSpec code) const {
    // The normalization of pixels goes into the weights of their reader.
    if (!isIVit() && pixelsOf(op))
      return Kind::None;
    if (auto source = root(value).getDefiningOp<QuantizableOp>();
        source && source.getResultCode(0).kind == CodeKind::Probability)
      return Kind::Probability;
    if (op->hasAttr(kWideAttr))
      return Kind::Signed16;
    return isIVit() || code.isSigned ? Kind::Signed8 : Kind::Unsigned8;
  }

  /// Uses that 16 bits serve as well take the codes that another one made necessary.
  void takeWide() {
    for (auto &[use, kind] : uses) {
      auto op = cast<QuantizableOp>(use->getOwner());
      if (!isIVit() && op.getOperandCode(use->getOperandNumber()).takesWide &&
          kinds.lookup(root(use->get())) == Kind::Signed16)
        kind = Kind::Signed16;
    }
  }

  /// A value that a quantized model has codes of is computed once, as all its codes want
  /// it: as 16-bit codes, unless one type is all that is wanted. Sums of products have no
  /// codes of their own: each quantization reads them.
  void keepCasts() {
    for (auto cast : function.front().getOps<QuantizeOp>()) {
      // Some ops know one way to round only. That differs for ties, which a quotient of
      // reals as good as never is.
      auto computed = cast.getInput().getDefiningOp<QuantizableOp>();
      if (computed && computed.getResultRounding() == ResultRounding::HalfUp)
        cast.setRounding(Rounding::HalfUp);
      Value source = root(cast.getInput());
      Operation *op = source.getDefiningOp();
      if (isContraction(source) || isCoded(source) || !(isa_and_nonnull<QuantizableOp>(op) || isMove(op)))
        continue;
      bool alone =
          !isMove(op) && !isWideFunction(op) && !kinds.contains(source) &&
          llvm::all_of(source.getUsers(), [&](Operation *user) {
            return isa<QuantizeOp>(user) && user->getResult(0).getType() == cast.getType() && cast.getInput() == source;
          });
      if (!alone)
        kinds[source] = std::max(kinds.lookup(source), Kind::Signed16);
    }
  }

  //===--------------------------------------------------------------------===//
  // Types
  //===--------------------------------------------------------------------===//

  FailureOr<Range> rangeOf(Value value) {
    if (auto shared = sharedRanges.find(value); shared != sharedRanges.end())
      return shared->second;
    return calibratedRange(value);
  }

  /// I-ViT gives the queries, keys and values of one packed projection one scale.
  void shareRange(LinearOp op) {
    if (!feedsMatmul(op.getResult()))
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
    return llvm::any_of(value.getUses(), [](OpOperand &use) {
      if (isMove(use.getOwner()))
        return use.getOwner()->getNumOperands() == 1 && feedsMatmul(use.getOwner()->getResult(0));
      auto user = dyn_cast<QuantizableOp>(use.getOwner());
      return user && user.getOperandCode(use.getOperandNumber()).tensor == TensorKind::Attention;
    });
  }

  quant::QuantizedType typeFor(Value value, Range range, Kind kind) const {
    // What a mask removes has the lowest code: far enough below rows with a lower
    // maximum than any that was calibrated, too.
    if (kind == Kind::Signed16 && scores.isMasked(value))
      range = {std::min(range.first, -std::max(std::abs(range.first), std::abs(range.second)) - kSoftmaxReach),
               range.second};
    return quantize::typeFor(value, range, kind, headroom);
  }

  /// The type a value gets where it is produced.
  FailureOr<quant::QuantizedType> rootTypeFor(Value value, Kind kind) {
    Operation *op = value.getDefiningOp();
    if (op && (kind == Kind::Signed8 || kind == Kind::Unsigned8) && op->hasAttr(kCodeRangesAttr)) {
      std::optional<ChannelRanges> ranges = getCodeRanges(op);
      if (!ranges || static_cast<int64_t>(ranges->min.size()) != shapeOf(value).back())
        return op->emitError("'") << kCodeRangesAttr << "' must hold a finite [min, max] for each of "
                                  << shapeOf(value).back() << " channels";
      return quantize::typeFor(value, *ranges, kind);
    }
    // Shiftmax gives 16 bits in the unit of probabilities only.
    if (auto quantizable = dyn_cast_or_null<QuantizableOp>(op);
        kind == Kind::Signed16 && quantizable && quantizable.getResultCode(0).kind == CodeKind::Probability)
      kind = Kind::Probability;
    FailureOr<Range> range = kind == Kind::Probability ? FailureOr<Range>(Range(0, 1)) : rangeOf(value);
    if (failed(range))
      return failure();
    return typeFor(value, *range, kind);
  }

  //===--------------------------------------------------------------------===//
  // Op by op, before kinds are collected
  //===--------------------------------------------------------------------===//

  LogicalResult prepare(Operation *op) {
    if (!isa_and_nonnull<VitDialect>(op->getDialect()) || isMove(op) || isa<QuantizeOp, DequantizeOp>(op))
      return success();
    auto quantizable = dyn_cast<QuantizableOp>(op);
    if (!quantizable)
      return op->emitError("'") << op->getName()
                                << "' cannot be quantized: no pattern recovered it as part of a larger function; "
                                   "see the remarks of vit-recover-patterns";
    if (!isIVit() && quantizable.getResultCode(0).kind == CodeKind::Probability)
      return op->emitError("'") << op->getName()
                                << "' cannot be quantized with its division in this layout; run "
                                   "vit-defer-softmax-division first";
    if (failed(prepareConstants(quantizable)))
      return failure();
    fixResults(quantizable);
    return success();
  }

  /// Results whose codes are the same in every model.
  void fixResults(QuantizableOp op) {
    SmallVector<Type> types;
    for (OpResult result : op->getResults()) {
      Type fixed = op.getFixedResultType(result.getResultNumber());
      if (!fixed)
        return;
      types.push_back(withElementType(result.getType(), fixed));
    }
    rewriter.setInsertionPoint(op);
    Operation *quantized =
        rewriter.create(op->getLoc(), op->getName().getIdentifier(), op->getOperands(), types, op->getAttrs());
    SmallVector<Value> reals;
    for (auto [from, to] : llvm::zip_equal(op->getResults(), quantized->getResults()))
      reals.push_back(DequantizeOp::create(rewriter, op->getLoc(), from.getType(), to));
    rewriter.replaceOp(op, reals);
  }

  /// Constant operands of a computation, such as the position embedding.
  LogicalResult prepareConstants(QuantizableOp op) {
    for (OpOperand &use : op->getOpOperands()) {
      CodeKind kind = op.getOperandCode(use.getOperandNumber()).kind;
      if (kind == CodeKind::None || !isConstant(use.get()) || scores.isExactSum(op))
        continue;
      FailureOr<std::vector<double>> values = getFloatConstant(use.get());
      if (failed(values))
        continue;
      double absMax = 0, lowest = scores.lowestTerm(op, use.getOperandNumber());
      for (double value : *values)
        absMax = std::max(absMax, std::abs(std::max(value, lowest)));
      unsigned width = kind == CodeKind::Code && !op->hasAttr(kWideAttr) ? 8 : 16;
      rewriter.setInsertionPoint(op);
      FailureOr<Value> constant =
          quantizeConstant(rewriter, op.getLoc(), use.get(),
                           getPerTensorType(op.getContext(), width, true, numerics::symmetricScale(absMax, width), 0));
      if (failed(constant))
        return failure();
      use.set(*constant);
    }
    return success();
  }

  /// A function that gives the program's result is computed in 16 bits: nothing
  /// behind it makes up for codes of 8.
  void widenResults() {
    for (Value result : function.front().getTerminator()->getOperands()) {
      Operation *op = root(result).getDefiningOp();
      auto quantizable = dyn_cast_or_null<QuantizableOp>(op);
      if (quantizable && isa<UnaryFunction>(op) && quantizable.getOperandCode(0).kind == CodeKind::Code)
        op->setAttr(kWideAttr, rewriter.getUnitAttr());
    }
  }

  /// A layer that reads a residual stream of one row itself, without a norm between (a head
  /// behind attention pooling), reads its 16 bits where any weights leave room for them in
  /// the accumulator.
  void widenRow(LinearOp op) {
    constexpr int64_t kMostChannels = 512; // times 2^15 and 127, below 2^31
    ArrayRef<int64_t> shape = shapeOf(op.getInput());
    Value stream = root(op.getInput());
    if (!isIVit() && ShapedType::getNumElements(shape) == shape.back() && shape.back() <= kMostChannels &&
        isResidual(stream.getDefiningOp()) && !isPartOfStream(op.getInput(), stream))
      op->setAttr(kWideAttr, rewriter.getUnitAttr());
  }

  //===--------------------------------------------------------------------===//
  // Inserting casts
  //===--------------------------------------------------------------------===//

  LogicalResult quantizeRoot(Value value, Kind kind) {
    FailureOr<quant::QuantizedType> type = rootTypeFor(value, kind);
    if (failed(type))
      return failure();
    LDBG() << nodeName(value.getLoc()) << ": " << *type;
    if (Operation *op = value.getDefiningOp(); isMove(op)) {
      quant::UniformQuantizedType own = codesOfParts(op, cast<quant::UniformQuantizedType>(*type));
      return quantizeJoined(op, own ? own : cast<quant::UniformQuantizedType>(*type));
    }
    rewriter.setInsertionPointAfterValue(value);
    Value real = castPair(rewriter, value.getLoc(), value, *type, layout);
    Operation *quantized = real.getDefiningOp()->getOperand(0).getDefiningOp();
    auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(*type);
    if (perAxis && !feedsMatmul(value))
      real = foldScales(value, quantized->getResult(0), perAxis);
    rewriter.replaceUsesWithIf(value, real, [&](OpOperand &use) {
      return use.getOwner() != quantized && (isSingleMove(use.getOwner()) || wanted(use) != Kind::None ||
                                             (isa<QuantizeOp>(use.getOwner()) && !isContraction(value)));
    });
    quantizedRoots[real] = value;
    return success();
  }

  static bool isSingleMove(Operation *op) { return isMove(op) && op->getNumOperands() == 1; }

  /// Reads codes of differing scales as if they had one. The linear layers behind get
  /// the rest of each scale as a factor of the weight's column (docs/Rules.md, R1): vit-quantize-weights
  /// finds it in the per-axis type.
  Value foldScales(Value value, Value codes, quant::UniformQuantizedPerAxisType type) {
    double common = *llvm::min_element(type.getScales());
    auto perTensor = getPerTensorType(function.getContext(), type.getStorageTypeIntegralWidth(), type.isSigned(),
                                      common, type.getZeroPoints()[0]);
    Value integers = quant::StorageCastOp::create(rewriter, value.getLoc(),
                                                  withElementType(value.getType(), type.getStorageType()), codes);
    Value folded =
        quant::StorageCastOp::create(rewriter, value.getLoc(), withElementType(value.getType(), perTensor), integers);
    return DequantizeOp::create(rewriter, value.getLoc(), value.getType(), folded);
  }

  /// The codes that a quantized model has of all parts of a join but constants, if these have `wanted`'s kind and
  /// hold the constants; null otherwise.
  static quant::UniformQuantizedType codesOfParts(Operation *op, quant::UniformQuantizedType wanted) {
    quant::UniformQuantizedType own;
    for (Value part : op->getOperands()) {
      if (isConstant(part))
        continue;
      auto type = dyn_cast_or_null<quant::UniformQuantizedType>(codedType(part));
      if (!type || (own && own != type))
        return {};
      own = type;
    }
    if (!own || own.getStorageType() != wanted.getStorageType() || own.isSigned() != wanted.isSigned())
      return {};
    auto real = [&](int64_t code) { return own.getScale() * static_cast<double>(code - own.getZeroPoint()); };
    const double low = real(own.getStorageTypeMin()), high = real(own.getStorageTypeMax()), slack = own.getScale() / 2;
    for (Value part : op->getOperands())
      if (FailureOr<std::vector<double>> values = getFloatConstant(part);
          isConstant(part) &&
          (failed(values) || !llvm::all_of(*values, [&](double x) { return x >= low - slack && x <= high + slack; })))
        return {};
    return own;
  }

  /// All inputs of a move of several (a concatenation) get the result's type, so that it
  /// only moves codes.
  LogicalResult quantizeJoined(Operation *op, quant::UniformQuantizedType type) {
    for (OpOperand &use : op->getOpOperands()) {
      rewriter.setInsertionPoint(op);
      if (isConstant(use.get())) {
        FailureOr<Value> constant = quantizeConstant(rewriter, op->getLoc(), use.get(), type);
        if (failed(constant))
          return failure();
        use.set(*constant);
      } else if (codedType(use.get()) != type) {
        FailureOr<Value> codes = codesOf(rewriter, use.get(), type, layout, headroom);
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
    Value source = root(use.get()), quantized = quantizedRoots.lookup(source);
    Value original = quantized ? quantized : source;
    if (kinds.lookup(original) == kind)
      return success();
    Value &narrowed = narrower[{use.get(), static_cast<int>(kind)}];
    if (!narrowed) {
      // What a slice reads may be much smaller than the rest.
      bool part = isPartOfStream(use.get(), original);
      std::optional<Range> own = part ? getCalibratedRange(use.get()) : std::nullopt;
      FailureOr<Range> range = own ? FailureOr<Range>(*own) : rangeOf(original);
      if (failed(range))
        return failure();
      rewriter.setInsertionPointAfterValue(use.get());
      narrowed = castPair(rewriter, use.getOwner()->getLoc(), use.get(), typeFor(original, *range, kind), layout);
    }
    use.set(narrowed);
    return success();
  }

  func::FuncOp function;
  IRRewriter rewriter;
  QuantizedLayout layout;
  double headroom;
  SmallVector<std::pair<OpOperand *, Kind>> uses;
  llvm::MapVector<Value, Kind> kinds;
  llvm::DenseMap<Value, Range> sharedRanges;
  BiasedScores scores;
  /// Of contractions, before their operands become codes.
  llvm::DenseMap<Value, int64_t> accumulatorAxes;
  llvm::DenseMap<Value, Value> quantizedRoots;
  llvm::DenseMap<std::pair<Value, int>, Value> narrower;
};

class Quantize : public vitq::impl::VitQuantizePassBase<Quantize> {
  using VitQuantizePassBase::VitQuantizePassBase;

  void runOnOperation() override {
    if (!(headroom >= 1.0) || headroom > 16) {
      getOperation().emitError("vit-quantize: headroom must be 1 to 16");
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (succeeded(function) && layout == QuantizedLayout::IVit)
      for (Operation &op : function->front())
        if (isa<QuantizeOp>(op)) {
          op.emitError("I-ViT's layout (--recipe=ivit) is one of float models, and '")
              << nodeName(op.getLoc()) << "' has codes of its own; compile a quantized model without it";
          return signalPassFailure();
        }
    if (failed(function) || failed(Quantizer(*function, layout, headroom).run()))
      signalPassFailure();
  }
};

} // namespace
