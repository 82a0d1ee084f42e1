//===- IntegerEngine.cpp - vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic is numerics'; here it is applied to rows of tensors.
//
//===----------------------------------------------------------------------===//

#include "Engine.h"
#include "Moves.h"
#include "RowMatmul.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"

#include "llvm/ADT/TypeSwitch.h"

#include <vector>

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;
using numerics::Dyadic;
using numerics::Rounding;

namespace {

class IntegerEngine final : public Engine {
public:
  Kernel compile(Operation *op) const override;

private:
  static Kernel make(integer::MatmulOp op);
  static Kernel make(integer::RequantOp op);
  static Kernel make(integer::AddOp op);
  static Kernel make(integer::MulOp op);
  static Kernel make(integer::SumOp op);
  static Kernel make(integer::TableOp op);
  static Kernel make(integer::InterpolateOp op);
  static Kernel make(integer::GeluOp op);
  static Kernel make(integer::SoftmaxOp op);
  static Kernel make(integer::ShiftmaxOp op);
  static Kernel make(integer::DivideRowsOp op);
  static Kernel make(integer::LayerNormOp op);
};

/// How a result is written: its kind and its range of codes.
struct Output {
  SmallVector<int64_t> shape;
  ElementKind kind;
  int64_t zeroPoint, min, max;

  Output(Value result, bool isUnsigned, int64_t zeroPoint) : shape(shapeOfValue(result)), zeroPoint(zeroPoint) {
    unsigned width = cast<ShapedType>(result.getType()).getElementTypeBitWidth();
    kind = width == 8 ? ElementKind::I8 : width == 16 ? ElementKind::I16 : ElementKind::I32;
    numerics::Interval range = numerics::codeRange(static_cast<int>(width), !isUnsigned);
    min = range.min;
    max = range.max;
  }
  Tensor allocate() const { return Tensor::allocate(kind, shape); }
};

/// The multipliers of a #vitq.dyadic, and which one an element has.
struct Multipliers {
  SmallVector<Dyadic, 1> all;
  int64_t inner = 1;

  /// One per index of `axis` (from the end when negative) of `shape`.
  Multipliers(integer::DyadicAttr attr, ArrayRef<int64_t> shape, int64_t axis) {
    for (size_t i = 0; i < attr.size(); ++i)
      all.push_back({attr.multiplier(i), attr.shift(i)});
    if (all.size() > 1)
      inner = productOf(shape.drop_front((axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis) + 1));
  }
  Dyadic of(int64_t element) const {
    return all.size() == 1 ? all[0] : all[static_cast<size_t>(element / inner) % all.size()];
  }
};

} // namespace

static Rounding roundingOf(integer::Rounding rounding) {
  switch (rounding) {
  case integer::Rounding::HalfUp:
    return Rounding::HalfUp;
  case integer::Rounding::HalfEven:
    return Rounding::HalfEven;
  case integer::Rounding::HalfAway:
    return Rounding::HalfAway;
  case integer::Rounding::Floor:
    return Rounding::Floor;
  }
  llvm_unreachable("unknown rounding");
}

//===----------------------------------------------------------------------===//
// Rows as 32-bit values
//===----------------------------------------------------------------------===//

/// to[i] = tensor[at + i] - zeroPoint, elements read as signed or unsigned.
static void loadRow(const Tensor &tensor, bool isUnsigned, int64_t at, int64_t n, int64_t zeroPoint, int32_t *to) {
  auto load = [&](auto zero) {
    const auto *from = tensor.data<decltype(zero)>() + at;
    for (int64_t i = 0; i < n; ++i)
      to[i] = static_cast<int32_t>(from[i] - zeroPoint);
  };
  switch (tensor.kind()) {
  case ElementKind::I8:
    return isUnsigned ? load(uint8_t(0)) : load(int8_t(0));
  case ElementKind::I16:
    return isUnsigned ? load(uint16_t(0)) : load(int16_t(0));
  default:
    return load(int32_t(0));
  }
}

/// tensor[at + i] = from[i], truncated to the element's width.
static void storeRow(Tensor &tensor, int64_t at, int64_t n, const int32_t *from) {
  auto store = [&](auto zero) {
    auto *to = tensor.mutableData<decltype(zero)>() + at;
    for (int64_t i = 0; i < n; ++i)
      to[i] = static_cast<decltype(zero)>(from[i]);
  };
  switch (tensor.kind()) {
  case ElementKind::I8:
    return store(int8_t(0));
  case ElementKind::I16:
    return store(int16_t(0));
  default:
    return store(int32_t(0));
  }
}

/// Calls `row(at, n)` for every row over the last axis.
template <typename Function>
static void forEachRow(ArrayRef<int64_t> shape, Function row) {
  int64_t n = shape.empty() ? 1 : shape.back();
  for (int64_t at = 0, e = productOf(shape); at < e; at += n)
    row(at, n);
}

static int64_t rowLength(ArrayRef<int64_t> shape) { return shape.empty() ? 1 : shape.back(); }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

namespace {
/// Elements as int16 plus a constant.
struct Narrowed {
  std::vector<int16_t> values;
  int64_t offset;
};
} // namespace

/// lhs - zeroPoint = values + offset with values of 16 bits.
static Narrowed narrow(const Tensor &lhs, bool isUnsigned, int64_t zeroPoint) {
  Narrowed result{std::vector<int16_t>(lhs.numElements()), 0};
  auto copy = [&](auto zero, int64_t minus) {
    llvm::transform(lhs.values<decltype(zero)>(), result.values.begin(),
                    [minus](auto x) { return static_cast<int16_t>(x - minus); });
  };
  if (lhs.kind() == ElementKind::I8) {
    isUnsigned ? copy(uint8_t(0), zeroPoint) : copy(int8_t(0), zeroPoint);
  } else if (isUnsigned) {
    copy(uint16_t(0), 32768);
    result.offset = 32768 - zeroPoint;
  } else {
    copy(int16_t(0), 0);
    result.offset = -zeroPoint;
  }
  return result;
}

/// Starts every accumulator: bias[n] + offset * sum_k rhs[n, k], modulo 2^32.
static void startAccumulators(int32_t *y, const int32_t *bias, int64_t offset, const int16_t *rhs, int64_t m, int64_t n,
                              int64_t k) {
  for (int64_t column = 0; column < n; ++column) {
    uint32_t start = bias ? static_cast<uint32_t>(bias[column]) : 0;
    if (offset != 0) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += rhs[column * k + i];
      start += static_cast<uint32_t>(offset * sum);
    }
    for (int64_t row = 0; row < m; ++row)
      y[row * n + column] = static_cast<int32_t>(start);
  }
}

Kernel IntegerEngine::make(integer::MatmulOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), rhsShape = shapeOfValue(op.getRhs());
  bool shared = rhsShape.size() == 2, isUnsigned = op.getLhsUnsigned();
  int64_t n = shape.back(), k = shapeOfValue(op.getLhs()).back(), zeroPoint = op.getLhsZeroPoint();
  int64_t m = productOf(shape) / n, batches = 1;
  if (!shared) {
    m = shape[shape.size() - 2];
    batches = productOf(shape.drop_back(2));
  }
  SmallVector<int64_t> permutation;
  if (!op.getTransposeRhs()) {
    permutation = llvm::to_vector(llvm::seq<int64_t>(0, rhsShape.size()));
    std::swap(permutation.back(), permutation[permutation.size() - 2]);
  }
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Narrowed lhs = narrow(in[0], isUnsigned, zeroPoint);
    Tensor rows = permutation.empty() ? in[1] : transposed(in[1], permutation);
    std::vector<int16_t> rhs(rows.values<int8_t>().begin(), rows.values<int8_t>().end());
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    for (int64_t b = 0; b < batches; ++b) {
      const int16_t *w = rhs.data() + b * n * k;
      int32_t *y = out[0].mutableData<int32_t>() + b * m * n;
      startAccumulators(y, in.size() > 2 ? in[2].data<int32_t>() : nullptr, lhs.offset, w, m, n, k);
      multiplyRows16(lhs.values.data() + b * m * k, w, y, m, n, k, 0, k);
    }
    return success();
  };
}

Kernel IntegerEngine::make(integer::RequantOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  output.min = op.getMin().value_or(output.min);
  output.max = op.getMax().value_or(output.max);
  Multipliers by(op.getBy(), output.shape, op.getAxis());
  Rounding rounding = roundingOf(op.getRounding());
  bool isUnsigned = op.getInputUnsigned();
  int64_t inputZeroPoint = op.getInputZeroPoint();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, inputZeroPoint, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = static_cast<int32_t>(
            numerics::requantize(row[i], by.of(at + i), rounding, output.zeroPoint, output.min, output.max));
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::AddOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Multipliers lhsBy(op.getLhsBy(), output.shape, -1), rhsBy(op.getRhsBy(), output.shape, -1);
  Rounding rounding = roundingOf(op.getRounding());
  bool lhsUnsigned = op.getLhsUnsigned(), rhsUnsigned = op.getRhsUnsigned();
  int64_t lhsZeroPoint = op.getLhsZeroPoint(), rhsZeroPoint = op.getRhsZeroPoint();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rhs = broadcastTo(in[1], output.shape);
    out[0] = output.allocate();
    std::vector<int32_t> a(rowLength(output.shape)), b(a.size());
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], lhsUnsigned, at, n, lhsZeroPoint, a.data());
      loadRow(rhs, rhsUnsigned, at, n, rhsZeroPoint, b.data());
      for (int64_t i = 0; i < n; ++i)
        a[i] = static_cast<int32_t>(numerics::requantizeAdd(a[i], lhsBy.of(at + i), b[i], rhsBy.of(at + i), rounding,
                                                            output.zeroPoint, output.min, output.max));
      storeRow(out[0], at, n, a.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::MulOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Dyadic by{op.getBy().multiplier(0), op.getBy().shift(0)};
  Rounding rounding = roundingOf(op.getRounding());
  bool lhsUnsigned = op.getLhsUnsigned(), rhsUnsigned = op.getRhsUnsigned();
  int64_t lhsZeroPoint = op.getLhsZeroPoint(), rhsZeroPoint = op.getRhsZeroPoint();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rhs = broadcastTo(in[1], output.shape);
    out[0] = output.allocate();
    std::vector<int32_t> a(rowLength(output.shape)), b(a.size());
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], lhsUnsigned, at, n, lhsZeroPoint, a.data());
      loadRow(rhs, rhsUnsigned, at, n, rhsZeroPoint, b.data());
      for (int64_t i = 0; i < n; ++i) {
        // Below 2^32 in magnitude, so the product by M fits 64 bits.
        int64_t product = int64_t(a[i]) * b[i] * by.multiplier;
        int64_t rounded = numerics::roundShift(product, static_cast<unsigned>(by.shift), rounding);
        a[i] = static_cast<int32_t>(std::clamp(output.zeroPoint + rounded, output.min, output.max));
      }
      storeRow(out[0], at, n, a.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::SumOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), axes = op.getAxes();
  bool isUnsigned = op.getInputUnsigned();
  int64_t zeroPoint = op.getInputZeroPoint();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rows = reductionRows(in[0], axes);
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    int32_t *y = out[0].mutableData<int32_t>();
    std::vector<int32_t> row(rows.shape()[1]);
    forEachRow(rows.shape(), [&](int64_t at, int64_t n) {
      loadRow(rows, isUnsigned, at, n, zeroPoint, row.data());
      int64_t sum = 0;
      for (int32_t x : row)
        sum += x;
      *y++ = static_cast<int32_t>(sum);
    });
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

Kernel IntegerEngine::make(integer::TableOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  int64_t tables = productOf(shapeOfValue(op.getTable())) / 256;
  bool isUnsigned = op.getInputUnsigned();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    out[0] = Tensor::allocate(in[1].kind(), shape);
    std::vector<int32_t> row(rowLength(shape)), index(row.size(), 0), entries(tables * 256);
    loadRow(in[1], false, 0, tables * 256, 0, entries.data());
    if (in.size() > 2)
      loadRow(in[2], true, 0, rowLength(shape), 0, index.data());
    if (llvm::any_of(index, [&](int32_t t) { return t >= tables; }))
      return op->emitOpError("has an index outside its ") << tables << " tables";
    forEachRow(shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, 0, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = entries[index[i] * 256 + numerics::tableIndex(row[i], !isUnsigned)];
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::InterpolateOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const numerics::Interpolation at{static_cast<int64_t>(op.getStart()),
                                   static_cast<unsigned>(op.getShift()),
                                   {op.getTailBy().multiplier(0), op.getTailBy().shift(0)}};
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(ElementKind::I16, shape);
    std::vector<int32_t> row(rowLength(shape));
    forEachRow(shape, [&](int64_t first, int64_t n) {
      loadRow(in[0], false, first, n, 0, row.data());
      numerics::interpolateRow(row.data(), row.data(), n, in[1].data<int16_t>(), at);
      storeRow(out[0], first, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::GeluOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Dyadic by{op.getBy().multiplier(0), op.getBy().shift(0)};
  Rounding rounding = roundingOf(op.getRounding());
  bool isUnsigned = op.getInputUnsigned();
  int64_t zeroPoint = op.getInputZeroPoint(), step = op.getExponentStep();
  unsigned bits = static_cast<unsigned>(op.getFractionBits());
  unsigned reciprocalBits = static_cast<unsigned>(op.getReciprocalBits());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, zeroPoint, row.data());
      numerics::shiftGeluRow(row.data(), row.data(), n, step, bits, reciprocalBits, /*outBits=*/8);
      for (int32_t &x : row)
        x = static_cast<int32_t>(numerics::requantize(x, by, rounding, output.zeroPoint, output.min, output.max));
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::SoftmaxOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getInput());
  Multipliers by(op.getBy(), shape, 1);
  bool isTable = op.getAlgorithm() == integer::SoftmaxAlgorithm::Table;
  numerics::SoftmaxShift shift;
  if (!isTable)
    shift = {static_cast<int64_t>(*op.getExponentStep()), static_cast<unsigned>(*op.getFractionBits()),
             static_cast<unsigned>(*op.getCodeShift())};
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(ElementKind::I8, shape);
    out[1] = Tensor::allocate(ElementKind::I32, shape.drop_back());
    int32_t *sum = out[1].mutableData<int32_t>();
    forEachRow(shape, [&](int64_t at, int64_t n) {
      const int32_t *scores = in[0].data<int32_t>() + at;
      uint8_t *codes = out[0].mutableData<uint8_t>() + at;
      if (isTable)
        numerics::softmaxTableRow(scores, codes, sum, n, by.of(at), in[1].data<uint8_t>());
      else
        numerics::softmaxShiftRow(scores, codes, sum, n, by.of(at), shift);
      ++sum;
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::ShiftmaxOp op) {
  Output output(op.getResult(), false, 0);
  int64_t step = op.getExponentStep();
  unsigned fractionBits = static_cast<unsigned>(op.getFractionBits());
  unsigned reciprocalBits = static_cast<unsigned>(op.getReciprocalBits());
  unsigned resultBits = static_cast<unsigned>(op.getResultBits());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], false, at, n, 0, row.data());
      numerics::shiftmaxRow(row.data(), row.data(), n, step, fractionBits, reciprocalBits, resultBits);
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::DivideRowsOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Multipliers by(op.getBy(), output.shape, op.getAxis());
  Rounding rounding = roundingOf(op.getRounding());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    const int32_t *sum = in[1].data<int32_t>();
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      const int32_t *x = in[0].data<int32_t>() + at;
      if (by.all.size() == 1)
        numerics::divideRow(x, *sum, row.data(), n, by.all[0], rounding, output.zeroPoint, output.min, output.max);
      else
        for (int64_t i = 0; i < n; ++i)
          row[i] = static_cast<int32_t>(numerics::requantize(numerics::softmaxQuotient(x[i], *sum), by.of(at + i),
                                                             rounding, output.zeroPoint, output.min, output.max));
      ++sum;
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

/// One row by exact statistics; every channel has a shift of its own.
static void normalizeExactly(MutableArrayRef<int32_t> row, int64_t eps, const Multipliers &by,
                             ArrayRef<int64_t> offsets, const Output &output) {
  numerics::layerNormNormalize(row.data(), row.data(), static_cast<int64_t>(row.size()), eps);
  for (size_t c = 0; c < row.size(); ++c) {
    int64_t scaled = int64_t(row[c]) * by.all[c].multiplier + offsets[c];
    int64_t rounded = numerics::roundShift(scaled, static_cast<unsigned>(by.all[c].shift), Rounding::HalfUp);
    row[c] = static_cast<int32_t>(std::clamp(output.zeroPoint + rounded, output.min, output.max));
  }
}

Kernel IntegerEngine::make(integer::LayerNormOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Multipliers by(op.getBy(), output.shape, -1);
  SmallVector<int64_t> offsets(op.getOffsets()), postOffsets(offsets.size(), 0);
  if (std::optional<ArrayRef<int64_t>> given = op.getPostOffsets())
    postOffsets.assign(given->begin(), given->end());
  bool isUnsigned = op.getInputUnsigned(), exact = op.getAlgorithm() == integer::NormAlgorithm::Exact;
  Rounding rounding = roundingOf(op.getRounding());
  int64_t eps = op.getEps();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, 0, row.data());
      if (exact)
        normalizeExactly(row, eps, by, offsets, output);
      else
        numerics::layerNormIvitRow(row.data(), row.data(), n, numerics::SqrtStart::BitLength, 10, offsets.data(),
                                   by.all.data(), postOffsets.data(), rounding, output.zeroPoint, output.min,
                                   output.max);
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

Kernel IntegerEngine::compile(Operation *op) const {
  if (!isa_and_nonnull<integer::VitqDialect>(op->getDialect()))
    return {};
  if (auto pad = dyn_cast<integer::PadOp>(op))
    return compileMove(op, pad.getValue());
  if (Kernel move = compileMove(op, 0))
    return move;
  return TypeSwitch<Operation *, Kernel>(op)
      .Case<integer::MatmulOp, integer::RequantOp, integer::AddOp, integer::MulOp, integer::SumOp, integer::TableOp,
            integer::InterpolateOp, integer::GeluOp, integer::SoftmaxOp, integer::ShiftmaxOp, integer::DivideRowsOp,
            integer::LayerNormOp>([](auto op) { return make(op); })
      .Default(Kernel());
}

std::unique_ptr<Engine> interp::createIntegerEngine() { return std::make_unique<IntegerEngine>(); }
