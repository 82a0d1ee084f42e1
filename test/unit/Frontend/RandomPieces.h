//===- RandomPieces.h - Random functions of taken-apart ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_FRONTEND_RANDOMPIECES_H
#define VITQ_TEST_UNIT_FRONTEND_RANDOMPIECES_H

#include "dialects/vit/Vit.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "vitq/Support/Constants.h"

#include <random>

namespace vitq::test {

/// Makes a module with a function @main of one tensor that a chain of LayerNorms,
/// activations, attentions, linear layers and views computes, in the pieces that
/// exporters write and in orders, ranks and broadcast shapes that none has written yet.
/// Some pieces are damaged: a wrong axis, factor or operand, which no pattern may take
/// for the real thing.
class RandomPieces {
public:
  RandomPieces(mlir::MLIRContext *context, unsigned seed)
      : module(mlir::ModuleOp::create(mlir::UnknownLoc::get(context))), builder(module->getBodyRegion()),
        loc(builder.getUnknownLoc()), random(seed) {}

  mlir::OwningOpRef<mlir::ModuleOp> make() {
    llvm::SmallVector<int64_t> shape;
    for (int i = 0, rank = 2 + pick(3); i < rank; ++i)
      shape.push_back(i + 2 < rank ? 1 + pick(2) : 2 + 2 * pick(3));
    auto type = mlir::RankedTensorType::get(shape, builder.getF32Type());
    auto function = mlir::func::FuncOp::create(builder, loc, "main", builder.getFunctionType(type, {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    Value x = function.getArgument(0);
    for (int i = 0, pieces = 1 + pick(4); i < pieces; ++i)
      x = addPiece(x);
    mlir::func::ReturnOp::create(builder, loc, x);
    function.setFunctionType(builder.getFunctionType(type, x.getType()));
    return std::move(module);
  }

private:
  using Value = mlir::Value;
  static constexpr int64_t kMaxElements = 4096;

  int pick(int choices) { return static_cast<int>(random() % static_cast<unsigned>(choices)); }
  bool oneIn(int choices) { return pick(choices) == 0; }
  float real(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); }

  static llvm::ArrayRef<int64_t> shapeOf(Value value) { return vit::shapeOf(value); }
  static int64_t rankOf(Value value) { return shapeOf(value).size(); }

  template <typename OpTy>
  Value make(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return vit::createInferred<OpTy>(builder, loc, operands, attributes)->getResult(0);
  }
  mlir::NamedAttribute i64s(llvm::StringRef name, llvm::ArrayRef<int64_t> values) {
    return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
  }
  Value reshape(Value x, llvm::ArrayRef<int64_t> shape) { return make<vit::ReshapeOp>(x, i64s("shape", shape)); }
  Value transpose(Value x, llvm::ArrayRef<int64_t> by) { return make<vit::TransposeOp>(x, i64s("permutation", by)); }

  /// `OpTy` of a and b; just a where damaged pieces do not fit together.
  template <typename OpTy>
  Value binary(Value a, Value b) {
    return canBroadcast(a, shapeOf(b)) ? make<OpTy>({a, b}) : a;
  }
  /// The same in either order.
  template <typename OpTy>
  Value commute(Value a, Value b) {
    return oneIn(2) ? binary<OpTy>(a, b) : binary<OpTy>(b, a);
  }

  Value constant(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
    return createFloatConstant(builder, loc, mlir::RankedTensorType::get(shape, builder.getF32Type()), values, "c");
  }
  /// A number in a shape that mostly leaves `x` its own: a scalar, ones of any rank.
  Value number(Value x, float value) {
    llvm::SmallVector<int64_t> shape(pick(static_cast<int>(rankOf(x)) + 3), 1);
    if (!shape.empty() && oneIn(12))
      shape[pick(static_cast<int>(shape.size()))] = 2;
    if (!canBroadcast(x, shape))
      shape.clear();
    return constant(shape, std::vector<float>(mlir::ShapedType::getNumElements(shape), value));
  }
  /// Numbers for each channel, mostly; else for each row, element, or for all.
  Value vector(Value x, float low, float high) {
    llvm::SmallVector<int64_t> shape(shapeOf(x).end() - (oneIn(6) ? rankOf(x) : 1), shapeOf(x).end());
    if (oneIn(8))
      shape.back() = 1;
    for (int i = 0, extra = oneIn(3) ? pick(3) : 0; i < extra; ++i)
      shape.insert(shape.begin(), oneIn(8) ? 2 : 1);
    if (!canBroadcast(x, shape))
      shape.assign(1, shapeOf(x).back());
    std::vector<float> values(mlir::ShapedType::getNumElements(shape));
    for (float &value : values)
      value = real(low, high);
    return constant(shape, values);
  }
  static bool canBroadcast(Value x, llvm::ArrayRef<int64_t> shape) {
    auto result = vit::inferBroadcast(std::nullopt, shapeOf(x), shape);
    return succeeded(result) && mlir::ShapedType::getNumElements(*result) <= kMaxElements;
  }

  static bool canMultiply(Value a, Value b) {
    return succeeded(vit::inferMatmul(std::nullopt, shapeOf(a), shapeOf(b), false, false));
  }

  /// `value`, or something near it that is another function.
  float exactly(float value) { return oneIn(12) ? value * 1.25f + 0.125f : value; }
  /// `x` times a factor, as a product or a quotient.
  Value scaled(Value x, float factor) {
    if (oneIn(2))
      return binary<vit::DivOp>(x, number(x, 1 / factor));
    return commute<vit::MulOp>(x, number(x, factor));
  }

  Value rowMean(Value x) {
    int64_t axis = oneIn(12) ? pick(static_cast<int>(rankOf(x))) : rankOf(x) - 1;
    if (oneIn(2))
      return make<vit::MeanOp>(x, {i64s("axes", axis), builder.getNamedAttr("keep_dims", builder.getUnitAttr())});
    llvm::SmallVector<int64_t> kept(shapeOf(x));
    kept[axis] = 1;
    Value mean = make<vit::MeanOp>(x, i64s("axes", axis));
    Value factored = oneIn(8) ? scaled(mean, exactly(1)) : mean;
    return reshape(shapeOf(factored) == shapeOf(mean) ? factored : mean, kept);
  }
  Value layerNorm(Value x) {
    Value centered = binary<vit::SubOp>(x, rowMean(x));
    Value again = oneIn(2) ? centered : binary<vit::SubOp>(oneIn(12) ? centered : x, rowMean(x));
    Value square =
        oneIn(2) ? binary<vit::MulOp>(again, again) : binary<vit::PowOp>(again, number(again, oneIn(12) ? 4.0f : 2.0f));
    Value variance = rowMean(square);
    if (oneIn(4))
      variance = scaled(variance, real(0.5f, 2.0f));
    Value radicand =
        commute<vit::AddOp>(variance, oneIn(12) ? vector(variance, 1e-3f, 1e-2f) : number(variance, 1e-3f));
    Value result;
    switch (pick(4)) {
    case 0:
      result = binary<vit::DivOp>(centered, binary<vit::PowOp>(radicand, number(radicand, exactly(0.5f))));
      break;
    case 1:
      result = commute<vit::MulOp>(centered, binary<vit::PowOp>(radicand, number(radicand, exactly(-0.5f))));
      break;
    case 2:
      result =
          commute<vit::MulOp>(centered, binary<vit::DivOp>(number(radicand, exactly(1)), make<vit::SqrtOp>(radicand)));
      break;
    default:
      result = binary<vit::DivOp>(centered, make<vit::SqrtOp>(radicand));
    }
    if (!oneIn(4))
      result = commute<vit::MulOp>(result, vector(result, 0.5f, 1.5f));
    if (!oneIn(4))
      result = commute<vit::AddOp>(result, vector(result, -1, 1));
    return result;
  }

  /// 1/2 x (1 + y) in some order.
  Value halfGate(Value x, Value y) {
    Value gate = commute<vit::AddOp>(y, number(y, exactly(1)));
    if (oneIn(3))
      return scaled(commute<vit::MulOp>(x, gate), exactly(0.5f));
    return oneIn(2) ? commute<vit::MulOp>(scaled(x, exactly(0.5f)), gate)
                    : commute<vit::MulOp>(x, scaled(gate, exactly(0.5f)));
  }
  Value activation(Value x) {
    switch (pick(3)) {
    case 0:
      return halfGate(x, make<vit::ErfOp>(scaled(x, exactly(0.70710678f))));
    case 1: {
      Value cube = oneIn(2) ? binary<vit::PowOp>(x, number(x, oneIn(12) ? 2.0f : 3.0f))
                            : commute<vit::MulOp>(x, binary<vit::MulOp>(x, x));
      Value inner = commute<vit::AddOp>(x, scaled(cube, exactly(0.044715f)));
      return halfGate(x, make<vit::TanhOp>(scaled(inner, exactly(0.79788456f))));
    }
    default:
      Value argument = oneIn(2) ? x : scaled(x, exactly(1.702f));
      Value gate = make<vit::SigmoidOp>(argument);
      return commute<vit::MulOp>(oneIn(8) ? scaled(x, 1.5f) : x, gate);
    }
  }

  Value linear(Value x, int64_t outputs) {
    llvm::SmallVector<int64_t> shape{outputs, shapeOf(x).back()};
    std::vector<float> weight(outputs * shape[1]), bias(outputs);
    for (float &w : weight)
      w = real(-0.5f, 0.5f);
    for (float &b : bias)
      b = real(-0.5f, 0.5f);
    llvm::SmallVector<Value> operands{x, constant(shape, weight)};
    if (oneIn(2))
      operands.push_back(constant(outputs, bias));
    Value y = make<vit::LinearOp>(operands);
    if (oneIn(2))
      y = commute<vit::MulOp>(y, vector(y, 0.5f, 1.5f));
    if (oneIn(2))
      y = commute<vit::AddOp>(y, vector(y, -1, 1));
    return y;
  }

  /// Scores with a mask that may leave nothing of a row, and the guard against that.
  Value guardedSoftmax(Value scores) {
    llvm::SmallVector<int64_t> shape(shapeOf(scores).take_back(2));
    shape.insert(shape.begin(), pick(3), 1);
    std::vector<float> mask(shape[shape.size() - 2] * shape.back());
    const int kind = pick(3); // nothing, some, perhaps all of a row
    for (float &value : mask)
      value = kind == 0 || !oneIn(kind == 1 ? 4 : 2) ? 0.0f : -INFINITY;
    if (kind == 1)
      for (size_t i = 0; i < mask.size(); i += shape.back())
        mask[i] = 0;
    if (oneIn(2)) {
      llvm::SmallVector<int64_t> kept;
      for (float value : mask)
        kept.push_back(value == 0);
      Value condition =
          createIntConstant(builder, loc, mlir::RankedTensorType::get(shape, builder.getI1Type()), kept, "mask");
      scores = vit::createInferred<vit::WhereOp>(builder, loc, builder.getF32Type(),
                                                 {condition, scores, number(scores, -INFINITY)});
    } else {
      scores = commute<vit::AddOp>(scores, constant(shape, mask));
    }
    Value softmax = make<vit::SoftmaxOp>(scores);
    if (kind == 1 && oneIn(3))
      return softmax;
    Value isNaN = vit::createInferred<vit::IsNaNOp>(builder, loc, builder.getI1Type(), softmax);
    return vit::createInferred<vit::WhereOp>(builder, loc, builder.getF32Type(), {isNaN, number(softmax, 0), softmax});
  }
  Value attention(Value x) {
    llvm::ArrayRef<int64_t> shape = shapeOf(x);
    int64_t tokens = shape[rankOf(x) - 2], batch = mlir::ShapedType::getNumElements(shape.drop_back(2));
    const int64_t heads = 1 + pick(2), size = 2;
    x = reshape(x, {batch, tokens, shape.back()});
    auto project = [&] {
      return transpose(reshape(linear3(x, heads * size), {batch, tokens, heads, size}), {0, 2, 1, 3});
    };
    Value q = project(), k = transpose(project(), {0, 1, 3, 2}), v = project();
    if (oneIn(2)) {
      q = scaled(q, 0.84f);
      k = scaled(k, 0.84f);
    }
    if (rankOf(q) != 4 || !canMultiply(q, k))
      return x;
    Value scores = make<vit::MatmulOp>({q, k});
    if (oneIn(2))
      scores = scaled(scores, oneIn(6) ? -0.7f : 0.7f);
    Value weights = oneIn(3) ? make<vit::SoftmaxOp>(scores) : guardedSoftmax(scores);
    if (!canMultiply(weights, v))
      return weights; // a factor broadcast them
    Value mixed = transpose(make<vit::MatmulOp>({weights, v}), {0, 2, 1, 3});
    const int64_t channels = heads * size;
    if (mlir::ShapedType::getNumElements(shapeOf(mixed)) != batch * tokens * channels)
      return mixed;
    return linear3(reshape(mixed, {batch, tokens, channels}), 4);
  }
  /// A linear layer whose result has rank 3 and its input's rows, whatever is added.
  Value linear3(Value x, int64_t outputs) {
    Value y = linear(x, outputs);
    llvm::SmallVector<int64_t> shape{shapeOf(x)[0], shapeOf(x)[1], outputs};
    if (mlir::ShapedType::getNumElements(shapeOf(y)) == mlir::ShapedType::getNumElements(shape))
      return shapeOf(y) == llvm::ArrayRef<int64_t>(shape) ? y : reshape(y, shape);
    llvm::SmallVector<int64_t> zeros(rankOf(y), 0), ones(rankOf(y), 1), sizes(shapeOf(y));
    std::fill(sizes.begin(), sizes.end() - 3, 1);
    llvm::copy(shape, sizes.end() - 3);
    return reshape(make<vit::SliceOp>(y, {i64s("offsets", zeros), i64s("sizes", sizes), i64s("strides", ones)}), shape);
  }

  Value view(Value x) {
    llvm::SmallVector<int64_t> shape(shapeOf(x));
    switch (pick(4)) {
    case 0: {
      if (oneIn(2) && shape.size() > 1) {
        int64_t last = shape.pop_back_val();
        shape.back() *= last;
      } else {
        shape.insert(shape.begin() + pick(static_cast<int>(shape.size()) + 1), 1);
      }
      return reshape(x, shape);
    }
    case 1: {
      llvm::SmallVector<int64_t> by = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
      std::shuffle(by.begin(), by.end(), random);
      return transpose(x, by);
    }
    case 2: {
      int64_t axis = pick(static_cast<int>(rankOf(x)));
      llvm::SmallVector<int64_t> indices;
      for (int i = 0, count = 1 + pick(3); i < count; ++i)
        indices.push_back(pick(static_cast<int>(shape[axis])));
      return make<vit::GatherOp>(
          x, {i64s("indices", indices), builder.getNamedAttr("axis", builder.getI64IntegerAttr(axis))});
    }
    default: {
      llvm::SmallVector<int64_t> offsets(rankOf(x), 0), strides(rankOf(x), 1);
      int64_t axis = pick(static_cast<int>(rankOf(x)));
      offsets[axis] = pick(static_cast<int>(shape[axis]));
      shape[axis] = 1 + pick(static_cast<int>(shape[axis] - offsets[axis]));
      return make<vit::SliceOp>(x, {i64s("offsets", offsets), i64s("sizes", shape), i64s("strides", strides)});
    }
    }
  }

  Value addPiece(Value x) {
    if (rankOf(x) < 2 || rankOf(x) > 6)
      return reshape(x, {1, mlir::ShapedType::getNumElements(shapeOf(x))});
    switch (pick(6)) {
    case 0:
    case 1:
      return layerNorm(x);
    case 2:
      return activation(x);
    case 3:
      return attention(x);
    case 4:
      return linear(x, 2 + 2 * pick(3));
    default:
      return view(x);
    }
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::OpBuilder builder;
  mlir::Location loc;
  std::mt19937 random;
};

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_FRONTEND_RANDOMPIECES_H
