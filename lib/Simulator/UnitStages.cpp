//===- UnitStages.cpp - The arithmetic of the units' stages -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Numerics has the arithmetic; here it is applied to some channels of a row, as the
// interpreter applies it to rows of tensors.
//
//===----------------------------------------------------------------------===//

#include "UnitStages.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Numerics/Thresholds.h"

using namespace vitq;
using namespace vitq::simulator;
using numerics::Dyadic;

namespace {

/// Which multiplier an element has.
struct MultiplierChoice {
  Multipliers all;
  bool perBatch = false;

  /// Of the `i`-th of the row's values.
  Dyadic of(const UnitRow &row, size_t i) const {
    if (all.size() == 1)
      return all[0];
    return perBatch ? ofBatch(row) : all[static_cast<size_t>(row.channel) + i];
  }
  Dyadic ofBatch(const UnitRow &row) const { return all[static_cast<size_t>(row.batch) % all.size()]; }
};

} // namespace

/// A value less a zero point.
static int32_t less(int32_t x, int64_t zeroPoint) { return static_cast<int32_t>(x - zeroPoint); }

//===----------------------------------------------------------------------===//
// Stages that work element by element
//===----------------------------------------------------------------------===//

/// `function` of every value less the input zero point, requantized.
template <typename StageKind, typename Function>
static StageFunction compileRequant(const StageKind &stage, const MultiplierChoice &by, Function function) {
  return [=, rounding = stage.rounding, inputZeroPoint = stage.inputZeroPoint, output = stage.output](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i)
      row.values[i] =
          static_cast<int32_t>(numerics::requantize(function(less(row.values[i], inputZeroPoint)), by.of(row, i),
                                                    rounding, output.zeroPoint, output.min, output.max));
  };
}

static StageFunction compile(const RequantStage &stage, int64_t /*channels*/) {
  return compileRequant(stage, {stage.multipliers, stage.perBatch}, [](int64_t x) { return x; });
}

static StageFunction compile(const PwlStage &stage, int64_t /*channels*/) {
  return compileRequant(stage, {stage.multipliers}, [lines = stage.lines](int64_t x) { return lines.evaluate(x); });
}

static StageFunction compile(const AddStage &stage, int64_t /*channels*/) {
  const MultiplierChoice lhsBy{stage.lhsMultipliers}, rhsBy{stage.rhsMultipliers};
  return [=, rounding = stage.rounding, lhsZeroPoint = stage.lhsZeroPoint, rhsZeroPoint = stage.rhsZeroPoint,
          output = stage.output, swapped = stage.swapped](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      int32_t lhs = row.values[i], rhs = row.extra[i];
      if (swapped)
        std::swap(lhs, rhs);
      row.values[i] = static_cast<int32_t>(numerics::requantizeAdd(less(lhs, lhsZeroPoint), lhsBy.of(row, i),
                                                                   less(rhs, rhsZeroPoint), rhsBy.of(row, i), rounding,
                                                                   output.zeroPoint, output.min, output.max));
    }
  };
}

static StageFunction compile(const ThresholdStage &stage, int64_t channels) {
  const int64_t stride = static_cast<int64_t>(stage.thresholds.size()) == stage.levels ? 1 : channels;
  return [=, thresholds = stage.thresholds, min = stage.min, levels = stage.levels](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      const size_t first = stride == 1 ? 0 : static_cast<size_t>(row.channel) + i;
      row.values[i] =
          static_cast<int32_t>(numerics::thresholdCode(row.values[i], thresholds.data() + first, levels, stride, min));
    }
  };
}

static StageFunction compile(const TableStage &stage, int64_t /*channels*/) {
  const numerics::Code code{static_cast<unsigned>(stage.inputBits), !stage.inputSigned};
  return [code, entries = stage.entries, tables = stage.tableOfChannel](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      const int64_t table = tables.empty() ? 0 : tables[static_cast<size_t>(row.channel) + i];
      // The unit looks at the lowest bits.
      const int64_t x = numerics::readCode(row.values[i], code.bits, code.isUnsigned);
      row.values[i] = entries[static_cast<size_t>(table * code.count() + code.index(x))];
    }
  };
}

static StageFunction compile(const DivideRowsStage &stage, int64_t /*channels*/) {
  const MultiplierChoice by{stage.multipliers, stage.perBatch};
  return [=, rounding = stage.rounding, output = stage.output, given = stage.lines](UnitRow &row) {
    const numerics::PiecewiseLinear *lines = given ? &*given : nullptr;
    const int32_t sum = row.extra[0];
    if (by.perBatch || by.all.size() == 1)
      return numerics::divideRow(row.values.data(), sum, row.values.data(), static_cast<int64_t>(row.values.size()),
                                 by.ofBatch(row), rounding, output.zeroPoint, output.min, output.max, lines);
    for (size_t i = 0; i < row.values.size(); ++i)
      row.values[i] =
          static_cast<int32_t>(numerics::requantize(numerics::softmaxQuotient(row.values[i], sum, lines), by.of(row, i),
                                                    rounding, output.zeroPoint, output.min, output.max));
  };
}

//===----------------------------------------------------------------------===//
// Stages that need a whole row
//===----------------------------------------------------------------------===//

/// All softmax algorithms are functions of 256 distances.
static StageFunction compileSoftmax(const Multipliers &multipliers, llvm::ArrayRef<uint8_t> exponentials) {
  const MultiplierChoice by{multipliers};
  std::array<uint8_t, 256> table;
  llvm::copy(exponentials, table.begin());
  return [=, codes = std::vector<uint8_t>()](UnitRow &row) mutable {
    codes.resize(row.values.size());
    numerics::softmaxTableRow(row.values.data(), codes.data(), &row.sum, static_cast<int64_t>(codes.size()),
                              by.ofBatch(row), table.data());
    llvm::copy(codes, row.values.begin());
  };
}

static StageFunction compile(const SoftmaxTableStage &stage, int64_t /*channels*/) {
  return compileSoftmax(stage.multipliers, stage.exponentials);
}

static StageFunction compile(const SoftmaxShiftStage &stage, int64_t /*channels*/) {
  return compileSoftmax(stage.multipliers,
                        numerics::softmaxShiftTable({stage.exponentStep, static_cast<unsigned>(stage.fractionBits),
                                                     static_cast<unsigned>(stage.codeShift)}));
}

static StageFunction compile(const ShiftmaxStage &stage, int64_t /*channels*/) {
  return [=](UnitRow &row) {
    numerics::shiftmaxRow(row.values.data(), row.values.data(), static_cast<int64_t>(row.values.size()),
                          stage.exponentStep, static_cast<unsigned>(stage.fractionBits),
                          static_cast<unsigned>(stage.reciprocalBits), static_cast<unsigned>(stage.resultBits));
  };
}

static StageFunction compile(LayerNormStage stage, int64_t channels) {
  stage.postOffsets.resize(static_cast<size_t>(channels), 0);
  if (stage.byShifts)
    return [=, output = stage.output](UnitRow &row) {
      numerics::layerNormIvitRow(row.values.data(), row.values.data(), channels, numerics::SqrtStart::BitLength, 10,
                                 stage.offsets.data(), stage.multipliers.data(), stage.postOffsets.data(),
                                 stage.rounding, output.zeroPoint, output.min, output.max);
    };
  return [=, output = stage.output](UnitRow &row) {
    int32_t *values = row.values.data();
    const bool centered = stage.keepsMean == 0;
    if (stage.lines)
      numerics::layerNormNormalizeByLines(values, values, channels, stage.eps, *stage.lines, centered);
    else
      numerics::layerNormNormalize(values, values, channels, stage.eps, centered);
    numerics::layerNormScale(values, values, channels, stage.multipliers.data(), stage.offsets.data(), output.zeroPoint,
                             output.min, output.max);
  };
}

static StageFunction compile(const NormQuantStage &stage, int64_t channels) {
  return [=](UnitRow &row) {
    numerics::normQuantRow(row.values.data(), row.values.data(), channels, stage.eps, stage.squares.data(),
                           stage.negative.data(), stage.levels, stage.min);
  };
}

StageFunction simulator::compileStage(const Stage &stage, int64_t channels) {
  return std::visit([&](const auto &kind) { return compile(kind, channels); }, stage);
}
