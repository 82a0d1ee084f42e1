//===- AdoptCodes.cpp - A quantized model's own codes, as integers can have them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The casts that a quantized model brought stay, with their scales and zero points. What
// the integer phase cannot do as it stands is said in another way that means the same:
// casts move to where a value is computed, zero points of right operands become sums of
// left ones, 16-bit right operands become two of 8 bits, and functions between floats take 16.

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-adopt-codes"

namespace vitq {
#define GEN_PASS_DEF_VITADOPTCODESPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

namespace {

class CodeAdopter {
public:
  explicit CodeAdopter(func::FuncOp function) : function(function), rewriter(function.getContext()) {}

  LogicalResult run() {
    SmallVector<QuantizeOp> casts;
    function.walk([&](QuantizeOp op) { casts.push_back(op); });
    bool coded = !casts.empty();
    function.walk([&](DequantizeOp) { coded = true; });
    if (!coded)
      return success(); // a float model
    for (QuantizeOp cast : casts)
      hoist(cast);
    SmallVector<SoftmaxOp> softmaxes;
    function.walk([&](SoftmaxOp op) { softmaxes.push_back(op); });
    if (!casts.empty())
      llvm::for_each(softmaxes, [&](SoftmaxOp op) { dropWideCodes(op); });
    SmallVector<MatmulOp> products;
    function.walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp product : products)
      if (failed(center(product)))
        return failure();
    if (!casts.empty())
      function.walk([&](Operation *op) { widen(op); });
    return success();
  }

private:
  /// quantize(move(x)) -> move(quantize(x)), so that the op that computes x gives codes.
  /// Of a move that takes only a part the cast stays behind it.
  void hoist(QuantizeOp cast) {
    auto type = dyn_cast<quant::UniformQuantizedType>(getQuantizedType(cast.getResult()));
    if (!type)
      return;
    auto elements = [](Value value) { return ::mlir::cast<ShapedType>(value.getType()).getNumElements(); };
    SmallVector<Operation *> moves;
    Value source = cast.getInput();
    for (Operation *op = source.getDefiningOp(); isMove(op) && op->getNumOperands() == 1; op = source.getDefiningOp()) {
      if (elements(op->getOperand(0)) != elements(op->getResult(0)))
        break;
      moves.push_back(op);
      source = op->getOperand(0);
    }
    if (moves.empty() || source.getDefiningOp<DequantizeOp>())
      return;
    rewriter.setInsertionPointAfterValue(source);
    Value codes = QuantizeOp::create(rewriter, cast.getLoc(), withElementType(source.getType(), type), source,
                                     cast.getRounding());
    rewriter.setInsertionPoint(cast);
    for (Operation *op : llvm::reverse(moves))
      codes = rewriter
                  .create(op->getLoc(), op->getName().getIdentifier(), codes,
                          withElementType(op->getResult(0).getType(), type), op->getAttrs())
                  ->getResult(0);
    rewriter.replaceOp(cast, codes);
    for (Operation *op : moves)
      if (op->use_empty())
        rewriter.eraseOp(op);
    ++numHoisted;
  }

  /// Whether rows of `value` only go to softmax, which takes the same from all of a row.
  static bool onlyFeedsSoftmax(Value value) {
    return !value.use_empty() && llvm::all_of(value.getUsers(), [](Operation *user) {
      if (auto quantizable = dyn_cast<QuantizableOp>(user))
        return isa<SoftmaxOp, SoftmaxNumeratorOp>(user);
      return false;
    });
  }

  /// Codes of 16 bits behind a softmax say no more than its numerators' 16 bits do, and would have the division
  /// in front of the product.
  void dropWideCodes(SoftmaxOp softmax) {
    for (Operation *user : llvm::make_early_inc_range(softmax->getUsers())) {
      auto cast = dyn_cast<QuantizeOp>(user);
      if (!cast || getQuantizedType(cast.getResult()).getStorageTypeIntegralWidth() <= 8)
        continue;
      for (Operation *reader : llvm::make_early_inc_range(cast->getUsers()))
        if (isa<DequantizeOp>(reader))
          rewriter.replaceOp(reader, softmax.getResult());
      if (cast->use_empty())
        rewriter.eraseOp(cast);
    }
  }

  /// The right operand of a product has signed codes of 8 bits and zero point 0:
  ///   l . s(q - z) = l . s(q - 128) + s(128 - z) * sum(l)
  LogicalResult center(MatmulOp product) {
    auto read = root(product.getRhs()).getDefiningOp<DequantizeOp>();
    if (!read)
      return success();
    std::optional<UniformParameters> codes = getUniformParameters(getQuantizedType(read.getInput()));
    if (!codes ||
        (codes->isSigned && codes->width <= 8 && llvm::all_of(codes->zeroPoints, [](int64_t z) { return z == 0; })))
      return success();
    if (codes->axis >= 0) {
      emitRemark(product.getLoc()) << "the codes of the right operand of '" << nodeName(product.getLoc())
                                   << "' are not kept: they have several zero points, which no product of integers "
                                      "takes there; it gets codes of its own";
      return recode(product, read);
    }
    const unsigned bits = codes->width > 8 ? 16 : 8;
    const int64_t middle = codes->isSigned ? 0 : int64_t(1) << (bits - 1), shift = middle - codes->zeroPoint();
    DequantizeOp around = shift == 0 && codes->isSigned ? read : readAround(read, *codes, bits, middle);
    LDBG() << nodeName(product.getLoc()) << ": zero point " << codes->zeroPoint() << ", shift " << shift;
    Value sum = product.getResult();
    if (bits == 16)
      sum = takeApart(product, around, codes->scale());
    else
      product.getRhsMutable().assign(repeatMoves(product, product.getRhs(), around));
    numCentered += shift != 0;
    if (shift != 0 && !onlyFeedsSoftmax(sum))
      addRowSums(product, sum, codes->scale(), shift);
    return success();
  }

  /// The codes of `read` less `middle`, as signed ones with zero point 0.
  DequantizeOp readAround(DequantizeOp read, const UniformParameters &codes, unsigned bits, int64_t middle) {
    MLIRContext *context = read.getContext();
    Type shifted = getPerTensorType(context, bits, true, codes.scale(), codes.zeroPoint() - middle),
         centered = getPerTensorType(context, bits, true, codes.scale(), 0);
    rewriter.setInsertionPointAfter(read);
    // A zero point that no such code has is none of a type: the middle one does not need it.
    Value real = read.getResult();
    Type type = real.getType();
    Value signedCodes =
        QuantizeOp::create(rewriter, read.getLoc(), withElementType(type, shifted), real, Rounding::HalfUp);
    Value integers = quant::StorageCastOp::create(rewriter, read.getLoc(),
                                                  withElementType(type, rewriter.getIntegerType(bits)), signedCodes);
    Value around = quant::StorageCastOp::create(rewriter, read.getLoc(), withElementType(type, centered), integers);
    return DequantizeOp::create(rewriter, read.getLoc(), type, around);
  }

  /// l . r -> l . high + l . low for a right operand r of 16 bits in steps of `scale`, where high is r in steps of
  /// 257 and low the rest: both have 8 bits, and their sum is off by one step at most. Gives the sum.
  Value takeApart(MatmulOp product, DequantizeOp read, double scale) {
    constexpr double kHighStep = 257;
    MLIRContext *context = product.getContext();
    Location loc = read.getLoc();
    Value real = read.getResult();
    rewriter.setInsertionPointAfter(read);
    auto coded = [&](Value value, unsigned bits, double step) -> Value {
      Type type = withElementType(value.getType(), getPerTensorType(context, bits, true, step, 0));
      return DequantizeOp::create(rewriter, loc, value.getType(),
                                  QuantizeOp::create(rewriter, loc, type, value, Rounding::HalfUp));
    };
    Value high = coded(real, 8, kHighStep * scale);
    Value minusOne =
        createFloatConstant(rewriter, loc, RankedTensorType::get({1}, rewriter.getF32Type()), {-1.0F}, "minus_one");
    Value negative = coded(createInferred<MulOp>(rewriter, loc, ValueRange{high, minusOne}), 16, kHighStep * scale);
    Value low = coded(createInferred<AddOp>(rewriter, loc, ValueRange{real, negative}), 8, scale);
    Value moves = product.getRhs();
    Value highRight = repeatMoves(product, moves, high), lowRight = repeatMoves(product, moves, low);
    rewriter.setInsertionPoint(product);
    auto rest = cast<MatmulOp>(rewriter.clone(*product));
    rest->setLoc(suffixed(product.getLoc(), "low"));
    rest.getRhsMutable().assign(lowRight);
    product.getRhsMutable().assign(highRight);
    rewriter.setInsertionPointAfter(product);
    AddOp sum = addTo(product, rest);
    // Rows of a softmax add up to 1, so that the rest of each product is half a step of `high` at most.
    if (std::optional<Range> range = getCalibratedRange(product.getResult())) {
      const double reach = kHighStep * scale / 2;
      rest->setAttr(kRangeAttr, rewriter.getDenseF64ArrayAttr({-reach, reach}));
      product->setAttr(kRangeAttr, rewriter.getDenseF64ArrayAttr({range->first - reach, range->second + reach}));
    }
    ++numTakenApart;
    return sum.getResult();
  }

  /// The moves between the root of `from` and `from`, of another value.
  Value repeatMoves(MatmulOp before, Value from, Value source) {
    SmallVector<Operation *> moves;
    for (Operation *op = from.getDefiningOp(); isMove(op) && op->getNumOperands() == 1;
         op = op->getOperand(0).getDefiningOp())
      moves.push_back(op);
    rewriter.setInsertionPoint(before);
    for (Operation *op : llvm::reverse(moves)) {
      IRMapping mapping;
      mapping.map(op->getOperand(0), source);
      source = rewriter.clone(*op, mapping)->getResult(0);
    }
    return source;
  }

  /// Adds scale * shift times the sums of the left operand's rows to `to`, the product.
  void addRowSums(MatmulOp product, Value to, double scale, int64_t shift) {
    Location loc = product.getLoc();
    const int64_t k = shapeOf(product.getLhs()).back();
    rewriter.setInsertionPointAfterValue(to);
    const double unit = scale * static_cast<double>(std::abs(shift)) * product.getScale().convertToDouble();
    if (product.getLhs().getDefiningOp<SoftmaxOp>()) {
      // Rows that are not coded add up to 1.
      auto type = RankedTensorType::get({1}, rewriter.getF32Type());
      addTo(to, createFloatConstant(rewriter, loc, type, {static_cast<float>(shift > 0 ? unit : -unit)}, "zero_point"));
      return;
    }
    auto storage = RankedTensorType::get({1, k}, rewriter.getIntegerType(8));
    Value ones = createIntConstant(rewriter, loc, storage, SmallVector<int64_t>(k, shift > 0 ? 1 : -1), "row_sum");
    Value codes = quant::StorageCastOp::create(
        rewriter, loc, withElementType(storage, getPerTensorType(product.getContext(), 8, true, unit, 0)), ones);
    Value weight = DequantizeOp::create(rewriter, loc, withElementType(storage, rewriter.getF32Type()), codes);
    addTo(to, createInferred<LinearOp>(rewriter, suffixed(loc, "zero_point"), ValueRange{product.getLhs(), weight}));
  }

  /// `value` + `term` in the place of `value`, with its statistics.
  AddOp addTo(Value value, Value term) {
    auto sum = createInferred<AddOp>(rewriter, value.getLoc(), ValueRange{value, term});
    sum->setDiscardableAttrs(value.getDefiningOp()->getDiscardableAttrDictionary());
    rewriter.replaceAllUsesExcept(value, sum.getResult(), sum);
    return sum;
  }

  /// Codes of 8 bits for the operand, from its calibrated range.
  LogicalResult recode(MatmulOp product, DequantizeOp read) {
    FailureOr<Range> range = calibratedRange(read.getResult());
    if (failed(range))
      return failure();
    rewriter.setInsertionPointAfter(read);
    Value real = castPair(rewriter, read.getLoc(), read.getResult(),
                          typeFor(read.getResult(), *range, Kind::Signed8, 1.0), QuantizedLayout::Vitq);
    product.getRhsMutable().assign(repeatMoves(product, product.getRhs(), real));
    return success();
  }

  /// The bits of the codes that `value` has; 0 where it is float.
  static unsigned bitsOf(Value value) {
    auto read = root(value).getDefiningOp<DequantizeOp>();
    return read ? getQuantizedType(read.getInput()).getStorageTypeIntegralWidth() : 0;
  }

  /// What the model leaves float must not lose more than what it codes. A softmax gets numerators of 16 bits; a
  /// function with a float argument takes and gives 16 bits, and so does one of 16-bit codes.
  void widen(Operation *op) {
    if (isa<SoftmaxOp>(op)) {
      op->setAttr(kWideAttr, rewriter.getUnitAttr());
    } else if (auto numerator = dyn_cast<SoftmaxNumeratorOp>(op)) {
      if (!numerator->removeAttr(kCodedAttr))
        numerator.setWide(true);
    } else if (isa<UnaryFunction>(op)) {
      auto quantizable = dyn_cast<QuantizableOp>(op);
      if (!quantizable || quantizable.hasWideResult())
        return;
      Value argument = op->getOperand(0);
      const unsigned bits = bitsOf(argument);
      if (bits == 0 ? isCoded(argument) : bits <= 8)
        return;
      op->setAttr(kWideAttr, rewriter.getUnitAttr());
      if (bits > 8)
        readAroundZero(op->getOpOperand(0));
    }
  }

  /// 16-bit codes with a zero point become those of the same range around 0.
  void readAroundZero(OpOperand &use) {
    Value source = root(use.get());
    std::optional<UniformParameters> codes =
        getUniformParameters(getQuantizedType(source.getDefiningOp<DequantizeOp>().getInput()));
    if (!codes || codes->axis >= 0 || (codes->isSigned && codes->zeroPoint() == 0))
      return;
    const double reach =
        static_cast<double>(std::max(codes->max - codes->zeroPoint(), codes->zeroPoint() - codes->min));
    const double step = codes->scale() * std::max(1.0, reach / numerics::largestCode(15));
    rewriter.setInsertionPointAfterValue(use.get());
    use.set(castPair(rewriter, use.getOwner()->getLoc(), use.get(),
                     getPerTensorType(function.getContext(), 16, true, step, 0), QuantizedLayout::Vitq));
  }

public:
  unsigned numHoisted = 0, numCentered = 0, numTakenApart = 0;

private:
  func::FuncOp function;
  IRRewriter rewriter;
};

class AdoptCodes : public vitq::impl::VitAdoptCodesPassBase<AdoptCodes> {
  using VitAdoptCodesPassBase::VitAdoptCodesPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function))
      return signalPassFailure();
    CodeAdopter adopter(*function);
    if (failed(adopter.run()))
      return signalPassFailure();
    numHoisted += adopter.numHoisted;
    numCentered += adopter.numCentered;
    numTakenApart += adopter.numTakenApart;
  }
};

} // namespace
