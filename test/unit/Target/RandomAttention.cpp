//===- RandomAttention.cpp - Random attentions --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomGenerator.h"

using namespace vitq::test;
using namespace mlir;
using namespace vitq::integer;

/// A tensor of this shape, maybe a transpose of another that has the same rows.
Value Generator::strided(ArrayRef<int64_t> shape) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (flip())
    return argument(shape, 8);
  Shape order = llvm::to_vector(llvm::seq<int64_t>(0, rank)), source(shape);
  for (int64_t i = rank - 2; i > 0; --i)
    std::swap(order[i], order[random.between(0, i)]);
  for (auto [axis, from] : llvm::enumerate(order))
    source[from] = shape[axis];
  return TransposeOp::create(b, loc, tensor(shape, 8), argument(source, 8), b.getDenseI64ArrayAttr(order));
}

/// Sums of 32 bits requantized, or with a mask added, or as they are.
Value Generator::masked(Value scores) {
  ArrayRef<int64_t> sizes = shapeOf(scores);
  if (random.oneIn(3))
    return scores;
  if (flip())
    return RequantOp::create(b, loc, tensor(sizes, 32), scores, dyadic(flip() ? 1 : sizes.back()), rounding(), i64(-1),
                             code(false, 0), code(false, 0), IntegerAttr(), IntegerAttr());
  Shape mask(sizes);
  mask.erase(mask.begin(), mask.begin() + random.between(0, static_cast<int64_t>(mask.size()) - 1));
  for (int64_t &size : mask)
    if (random.oneIn(4))
      size = 1;
  return AddOp::create(b, loc, tensor(sizes, 32), scores, fresh(mask, 32), addend(1), addend(1), rounding(),
                       code(false, 0), code(false, 0), code(false, 0));
}

/// An attention of any rank, its heads anywhere, with ops between the products and behind them.
void Generator::wholeAttention() {
  const int64_t rows = random.pick<int64_t>({1, 3, 7, 17, 49, 64});
  const int64_t columns = random.pick<int64_t>({1, 3, 16, 33, 49, 64});
  const int64_t depth = random.pick<int64_t>({1, 3, 16, 24}), width = random.pick<int64_t>({1, 3, 16, 64});
  Shape heads;
  for (int64_t i = random.between(0, 3); i > 0; --i)
    heads.push_back(random.between(1, 3));
  auto shaped = [&](int64_t first, int64_t second) {
    Shape shape(heads);
    shape.append({first, second});
    return shape;
  };
  Value query = strided(shaped(rows, depth));
  Value scores = MatmulOp::create(b, loc, tensor(shaped(rows, columns), 32), query, strided(shaped(columns, depth)),
                                  Value(), read(query), unit(true));
  SoftmaxOp softmax = anySoftmax(masked(scores), dyadic(1, true));
  const auto context = tensor(shaped(rows, width), 32);
  Value product = MatmulOp::create(b, loc, context, softmax.getCodes(), strided(shaped(columns, width)), Value(),
                                   softmax.getWrittenCode(), unit(false));
  const unsigned bits = random.pick<unsigned>({8, 16});
  Value result = DivideRowsOp::create(b, loc, tensor(context.getShape(), bits), product, softmax.getSums(), dyadic(1),
                                      rounding(), i64(-1), code(false, zeroPoint(bits, false)), PiecewiseLinearAttr());
  if (bits == 16)
    result = AddOp::create(b, loc, tensor(context.getShape(), 8), result, fresh(context.getShape(), 16), addend(1),
                           addend(1), rounding(), code(false, 0), code(false, 0), code(false, 0));
  const auto rank = static_cast<int64_t>(heads.size()) + 2;
  Shape order = llvm::to_vector(llvm::seq<int64_t>(0, rank)), moved;
  for (int64_t i = rank - 2; i > 0; --i)
    std::swap(order[i], order[random.between(0, i)]);
  for (int64_t from : order)
    moved.push_back(context.getShape()[from]);
  make<TransposeOp>(tensor(moved, 8), result, b.getDenseI64ArrayAttr(order));
}
