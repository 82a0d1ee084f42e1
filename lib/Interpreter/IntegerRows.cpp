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
using numerics::PiecewiseLinear;
using numerics::Rounding;

Kernel interp::makeRowKernel(integer::SoftmaxOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getInput());
  Multipliers by(op.getBy(), shape, 1);
  const Output output(op.getCodes(), integer::CodeAttr());
  const std::optional<numerics::DistanceTable> table =
      op.getAlgorithm().getDistanceCodes(integer::codeOf(op.getCodes(), {}).bits);
  auto powers = dyn_cast<integer::ExpLog2Attr>(op.getAlgorithm());
  const unsigned top = powers ? static_cast<unsigned>(powers.getTopExponent()) : 0;
  numerics::OctaveTable octave{};
  if (auto fine = dyn_cast<integer::ExpOctaveAttr>(op.getAlgorithm()))
    llvm::copy(fine.getEntries().getValues<int16_t>(), octave.begin());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    out[1] = Tensor::allocate(ElementKind::I32, shape.drop_back());
    int32_t *sum = out[1].mutableData<int32_t>();
    forEachRow(shape, [&](int64_t start, int64_t n) {
      const int32_t *scores = in[0].data<int32_t>() + start;
      if (table)
        numerics::softmaxTableRow(scores, out[0].mutableData<uint8_t>() + start, sum++, n, by.of(start), table->data());
      else if (!powers)
        numerics::softmaxOctaveRow(scores, out[0].mutableData<int16_t>() + start, sum++, n, by.of(start), octave);
      else
        numerics::softmaxLog2Row(scores, out[0].mutableData<int16_t>() + start, sum++, n, by.of(start), top);
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::ShiftmaxOp op) {
  Output output(op.getResult(), integer::CodeAttr());
  const numerics::Code input = integer::codeOf(op.getInput(), {});
  int64_t step = op.getExponentStep();
  unsigned fractionBits = static_cast<unsigned>(op.getFractionBits());
  unsigned reciprocalBits = static_cast<unsigned>(op.getReciprocalBits());
  unsigned resultBits = static_cast<unsigned>(op.getResultBits());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      numerics::shiftmaxRow(row.data(), row.data(), n, step, fractionBits, reciprocalBits, resultBits);
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::DivideRowsOp op) {
  Output output(op.getResult(), op.getResultCode());
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
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      const int32_t *x = in[0].data<int32_t>() + start;
      if (by.all.size() == 1)
        numerics::divideRow(x, *sum, row.data(), n, by.all[0], rounding, output.zeroPoint, output.min, output.max,
                            lines);
      else
        for (int64_t i = 0; i < n; ++i)
          row[i] =
              static_cast<int32_t>(numerics::requantize(numerics::softmaxQuotient(x[i], *sum, lines), by.of(start + i),
                                                        rounding, output.zeroPoint, output.min, output.max));
      ++sum;
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

/// One row by exact sums; every channel has a shift of its own.
static void normalizeRow(MutableArrayRef<int32_t> row, int64_t eps, bool centered, const PiecewiseLinear *lines,
                         const Multipliers &by, ArrayRef<int64_t> offsets, const Output &output) {
  const auto channels = static_cast<int64_t>(row.size());
  if (lines)
    numerics::layerNormNormalizeByLines(row.data(), row.data(), channels, eps, *lines, centered);
  else
    numerics::layerNormNormalize(row.data(), row.data(), channels, eps, centered);
  numerics::layerNormScale(row.data(), row.data(), channels, by.all.data(), offsets.data(), output.zeroPoint,
                           output.min, output.max);
}

Kernel interp::makeRowKernel(integer::LayerNormOp op) {
  Output output(op.getResult(), op.getResultCode());
  Multipliers by(op.getBy(), output.shape, -1);
  SmallVector<int64_t> offsets(op.getOffsets()), postOffsets(offsets.size(), 0);
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  auto shift = dyn_cast<integer::NormShiftAttr>(op.getAlgorithm());
  if (shift && shift.getPostOffsets())
    llvm::copy(shift.getPostOffsets().asArrayRef(), postOffsets.begin());
  const Rounding rounding = shift ? integer::toNumerics(shift.getRounding()) : Rounding::HalfUp;
  const int64_t eps = op.getAlgorithm().getEps();
  const bool centered = op.getAlgorithm().isCentered();
  std::optional<PiecewiseLinear> lines;
  if (auto pwl = dyn_cast<integer::NormPwlAttr>(op.getAlgorithm()))
    lines = pwl.getLines().lines();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      if (!shift)
        normalizeRow(row, eps, centered, lines ? &*lines : nullptr, by, offsets, output);
      else
        numerics::layerNormIvitRow(row.data(), row.data(), n, numerics::SqrtStart::BitLength, 10, offsets.data(),
                                   by.all.data(), postOffsets.data(), rounding, output.zeroPoint, output.min,
                                   output.max);
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::NormQuantOp op) {
  Output output(op.getResult(), op.getResultCode());
  std::vector<uint8_t> negative(op.getNegative().begin(), op.getNegative().end());
  int64_t levels = shapeOfValue(op.getSquares())[0], eps = op.getEps(), min = op.getMin();
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      numerics::normQuantRow(row.data(), row.data(), n, eps, in[1].data<int32_t>(), negative.data(), levels, min);
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel interp::makeRowKernel(integer::ThresholdOp op) {
  Output output(op.getResult(), op.getResultCode());
  ArrayRef<int64_t> thresholds = shapeOfValue(op.getThresholds());
  int64_t levels = thresholds[0], channels = thresholds.size() == 1 ? 1 : thresholds[1], min = op.getMin();
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    const int32_t *first = in[1].data<int32_t>();
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = static_cast<int32_t>(
            numerics::thresholdCode(row[i], first + (channels == 1 ? 0 : i), levels, channels, min));
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}
