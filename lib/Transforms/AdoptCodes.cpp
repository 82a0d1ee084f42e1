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
// left ones, and functions between floats take 16 bits.

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
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
    SmallVector<MatmulOp> products;
    function.walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp product : products)
      if (failed(center(product)))
        return failure();
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
    if (codes->axis >= 0 || codes->width > 8) {
      emitRemark(product.getLoc()) << "the codes of the right operand of '" << nodeName(product.getLoc())
                                   << "' are not kept: "
                                   << (codes->width > 8 ? "they have more than 8 bits"
                                                        : "they have several zero points")
                                   << ", which no product of integers takes there; it gets codes of its own";
      return recode(product, read);
    }
    const int64_t middle = codes->isSigned ? 0 : 128, shift = middle - codes->zeroPoint();
    MLIRContext *context = product.getContext();
    Type shifted = getPerTensorType(context, 8, true, codes->scale(), codes->zeroPoint() - middle),
         centered = getPerTensorType(context, 8, true, codes->scale(), 0);
    rewriter.setInsertionPointAfter(read);
    // A zero point that no 8 bits have is none of a type: the middle one does not need it.
    Value real = read.getResult();
    Type type = real.getType();
    Value signedCodes =
        QuantizeOp::create(rewriter, read.getLoc(), withElementType(type, shifted), real, Rounding::HalfUp);
    Value integers = quant::StorageCastOp::create(rewriter, read.getLoc(),
                                                  withElementType(type, rewriter.getIntegerType(8)), signedCodes);
    Value around = quant::StorageCastOp::create(rewriter, read.getLoc(), withElementType(type, centered), integers);
    Value reread = DequantizeOp::create(rewriter, read.getLoc(), type, around);
    product.getRhsMutable().assign(repeatMoves(product, product.getRhs(), reread));
    ++numCentered;
    LDBG() << nodeName(product.getLoc()) << ": zero point " << codes->zeroPoint() << ", shift " << shift;
    if (shift == 0 || onlyFeedsSoftmax(product.getResult()))
      return success();
    addRowSums(product, codes->scale(), shift);
    return success();
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

  /// Adds scale * shift times the sums of the left operand's rows to a product.
  void addRowSums(MatmulOp product, double scale, int64_t shift) {
    Location loc = product.getLoc();
    const int64_t k = shapeOf(product.getLhs()).back();
    rewriter.setInsertionPointAfter(product);
    const double unit = scale * static_cast<double>(std::abs(shift)) * product.getScale().convertToDouble();
    if (product.getLhs().getDefiningOp<SoftmaxOp>()) {
      // Rows that are not coded add up to 1.
      auto type = RankedTensorType::get({1}, rewriter.getF32Type());
      return addTo(product, createFloatConstant(rewriter, loc, type, {static_cast<float>(shift > 0 ? unit : -unit)},
                                                "zero_point"));
    }
    auto storage = RankedTensorType::get({1, k}, rewriter.getIntegerType(8));
    Value ones = createIntConstant(rewriter, loc, storage, SmallVector<int64_t>(k, shift > 0 ? 1 : -1), "row_sum");
    Value codes = quant::StorageCastOp::create(
        rewriter, loc, withElementType(storage, getPerTensorType(product.getContext(), 8, true, unit, 0)), ones);
    Value weight = DequantizeOp::create(rewriter, loc, withElementType(storage, rewriter.getF32Type()), codes);
    addTo(product,
          createInferred<LinearOp>(rewriter, suffixed(loc, "zero_point"), ValueRange{product.getLhs(), weight}));
  }

  void addTo(MatmulOp product, Value term) {
    auto sum = createInferred<AddOp>(rewriter, product.getLoc(), ValueRange{product.getResult(), term});
    sum->setDiscardableAttrs(product->getDiscardableAttrDictionary());
    rewriter.replaceAllUsesExcept(product.getResult(), sum.getResult(), sum);
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

  /// Whether the model has codes of `value`, behind moves.
  static bool isQuantized(Value value) {
    return llvm::any_of(value.getUsers(), [](Operation *user) {
      return isa<QuantizeOp>(user) || (isMove(user) && isQuantized(user->getResult(0)));
    });
  }

  /// A function or a product of which the model codes a part, and leaves an operand float, takes and gives 16
  /// bits: its codes decide how exact it is.
  static void widen(Operation *op) {
    auto quantizable = dyn_cast<QuantizableOp>(op);
    if (!quantizable || quantizable.hasWideResult() || quantizable.getResultCode(0).kind != CodeKind::Code)
      return;
    auto isFloat = [&](OpOperand &operand) {
      CodeSpec code = quantizable.getOperandCode(operand.getOperandNumber());
      return code.kind == CodeKind::Code && !isConstant(operand.get()) && !isCoded(operand.get());
    };
    auto isCode = [](Value operand) { return isCoded(operand); };
    if (llvm::any_of(op->getOpOperands(), isFloat) &&
        (isQuantized(op->getResult(0)) || llvm::any_of(op->getOperands(), isCode)))
      op->setAttr(kWideAttr, UnitAttr::get(op->getContext()));
  }

public:
  unsigned numHoisted = 0, numCentered = 0;

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
  }
};

} // namespace
