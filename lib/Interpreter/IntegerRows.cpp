//===- IntegerRows.cpp - vitq ops along rows -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IntegerRows.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Thresholds.h"

#include <vector>

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;
using numerics::Dyadic;
using numerics::PiecewiseLinear;
using numerics::Rounding;

/// Codes of one row of scores, and their sum.
using SoftmaxRow =
    std::function<void(ArrayRef<Tensor>, const int32_t *, Tensor &, int64_t, int32_t *, int64_t, Dyadic)>;

/// A row of bytes, each a table's entry for its distance.
template <typename TableOf>
static SoftmaxRow byTable(TableOf tableOf) {
  return
      [=](ArrayRef<Tensor> in, const int32_t *scores, Tensor &codes, int64_t at, int32_t *sum, int64_t n, Dyadic by) {
        numerics::softmaxTableRow(scores, codes.mutableData<uint8_t>() + at, sum, n, by, tableOf(in));
      };
}

static SoftmaxRow softmaxRowOf(integer::SoftmaxOp op) {
  auto number = [](std::optional<uint64_t> value) { return static_cast<int64_t>(value.value_or(0)); };
  const int64_t step = number(op.getExponentStep());
  const auto bits = static_cast<unsigned>(number(op.getFractionBits())),
             shift = static_cast<unsigned>(number(op.getCodeShift())),
             top = static_cast<unsigned>(number(op.getTopExponent()));
  switch (op.getAlgorithm()) {
  case integer::SoftmaxAlgorithm::Table:
    return byTable([](ArrayRef<Tensor> in) { return in[1].data<uint8_t>(); });
  case integer::SoftmaxAlgorithm::Shift:
    return [=](ArrayRef<Tensor>, const int32_t *scores, Tensor &codes, int64_t at, int32_t *sum, int64_t n, Dyadic by) {
      numerics::softmaxShiftRow(scores, codes.mutableData<uint8_t>() + at, sum, n, by, {step, bits, shift});
    };
  case integer::SoftmaxAlgorithm::Pwl:
    return byTable([table = numerics::softmaxLinesTable(op.getLines()->lines(), shift)](ArrayRef<Tensor>) {
      return table.data();
    });
  case integer::SoftmaxAlgorithm::Poly: {
    const numerics::SoftmaxPolynomial polynomial{step, number(op.getLinear()), number(op.getOffset()), bits, shift};
    return byTable([table = numerics::softmaxPolynomialTable(polynomial)](ArrayRef<Tensor>) { return table.data(); });
  }
  case integer::SoftmaxAlgorithm::Log2:
    return [=](ArrayRef<Tensor>, const int32_t *scores, Tensor &codes, int64_t at, int32_t *sum, int64_t n, Dyadic by) {
      numerics::softmaxLog2Row(scores, codes.mutableData<int16_t>() + at, sum, n, by, top);
    };
  }
  llvm_unreachable("unknown softmax algorithm");
}

Kernel interp::makeRowKernel(integer::SoftmaxOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getInput());
  Multipliers by(op.getBy(), shape, 1);
  const ElementKind kind = op.getAlgorithm() == integer::SoftmaxAlgorithm::Log2 ? ElementKind::I16 : ElementKind::I8;
  return [=, softmaxRow = softmaxRowOf(op)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(kind, shape);
    out[1] = Tensor::allocate(ElementKind::I32, shape.drop_back());
    int32_t *sum = out[1].mutableData<int32_t>();
    forEachRow(shape, [&](int64_t at, int64_t n) {
      softmaxRow(in, in[0].data<int32_t>() + at, out[0], at, sum++, n, by.of(at));
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::ShiftmaxOp op) {
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

Kernel interp::makeRowKernel(integer::DivideRowsOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Multipliers by(op.getBy(), output.shape, op.getAxis());
  Rounding rounding = integer::toNumerics(op.getRounding());
  std::optional<PiecewiseLinear> given;
  if (op.getLines())
    given = op.getLines()->lines();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    const PiecewiseLinear *lines = given ? &*given : nullptr;
    const int32_t *sum = in[1].data<int32_t>();
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      const int32_t *x = in[0].data<int32_t>() + at;
      if (by.all.size() == 1)
        numerics::divideRow(x, *sum, row.data(), n, by.all[0], rounding, output.zeroPoint, output.min, output.max,
                            lines);
      else
        for (int64_t i = 0; i < n; ++i)
          row[i] =
              static_cast<int32_t>(numerics::requantize(numerics::softmaxQuotient(x[i], *sum, lines), by.of(at + i),
                                                        rounding, output.zeroPoint, output.min, output.max));
      ++sum;
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

/// One row by exact sums; every channel has a shift of its own.
static void normalizeRow(MutableArrayRef<int32_t> row, int64_t eps, const PiecewiseLinear *lines, const Multipliers &by,
                         ArrayRef<int64_t> offsets, const Output &output) {
  const auto channels = static_cast<int64_t>(row.size());
  if (lines)
    numerics::layerNormNormalizeByLines(row.data(), row.data(), channels, eps, *lines);
  else
    numerics::layerNormNormalize(row.data(), row.data(), channels, eps);
  numerics::layerNormScale(row.data(), row.data(), channels, by.all.data(), offsets.data(), output.zeroPoint,
                           output.min, output.max);
}

Kernel interp::makeRowKernel(integer::LayerNormOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), op.getZeroPoint());
  Multipliers by(op.getBy(), output.shape, -1);
  SmallVector<int64_t> offsets(op.getOffsets()), postOffsets(offsets.size(), 0);
  if (std::optional<ArrayRef<int64_t>> given = op.getPostOffsets())
    postOffsets.assign(given->begin(), given->end());
  bool isUnsigned = op.getInputUnsigned(), shift = op.getAlgorithm() == integer::NormAlgorithm::Shift;
  Rounding rounding = integer::toNumerics(op.getRounding());
  int64_t eps = op.getEps();
  std::optional<PiecewiseLinear> lines;
  if (op.getLines())
    lines = op.getLines()->lines();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, 0, row.data());
      if (!shift)
        normalizeRow(row, eps, lines ? &*lines : nullptr, by, offsets, output);
      else
        numerics::layerNormIvitRow(row.data(), row.data(), n, numerics::SqrtStart::BitLength, 10, offsets.data(),
                                   by.all.data(), postOffsets.data(), rounding, output.zeroPoint, output.min,
                                   output.max);
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::NormQuantOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), 0);
  std::vector<uint8_t> negative(op.getNegative().begin(), op.getNegative().end());
  int64_t levels = shapeOfValue(op.getSquares())[0], eps = op.getEps(), min = op.getMin();
  bool isUnsigned = op.getInputUnsigned();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, 0, row.data());
      numerics::normQuantRow(row.data(), row.data(), n, eps, in[1].data<int32_t>(), negative.data(), levels, min);
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::ThresholdOp op) {
  Output output(op.getResult(), op.getResultUnsigned(), 0);
  ArrayRef<int64_t> thresholds = shapeOfValue(op.getThresholds());
  int64_t levels = thresholds[0], channels = thresholds.size() == 1 ? 1 : thresholds[1], min = op.getMin();
  bool isUnsigned = op.getInputUnsigned();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    const int32_t *first = in[1].data<int32_t>();
    forEachRow(output.shape, [&](int64_t at, int64_t n) {
      loadRow(in[0], isUnsigned, at, n, 0, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = static_cast<int32_t>(
            numerics::thresholdCode(row[i], first + (channels == 1 ? 0 : i), levels, channels, min));
      storeRow(out[0], at, n, row.data());
    });
    return success();
  };
}
