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

#include "StageFields.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Numerics/Thresholds.h"

#include "llvm/Support/ErrorHandling.h"

#include <optional>

using namespace vitq;
using namespace vitq::simulator;
using numerics::Dyadic;
using numerics::PiecewiseLinear;
using numerics::Rounding;

namespace {

/// Which multiplier an element has.
struct Multipliers {
  std::vector<Dyadic> all;
  bool perBatch;

  Multipliers(const Stage &stage, size_t first, bool perBatch) : perBatch(perBatch) {
    for (auto [multiplier, shift] : llvm::zip_equal(arrayOf(stage, first), arrayOf(stage, first + 1)))
      all.push_back({static_cast<int32_t>(multiplier), static_cast<int32_t>(shift)});
  }
  /// Of the `i`-th of the row's values.
  Dyadic of(const UnitRow &row, size_t i) const {
    if (all.size() == 1)
      return all[0];
    return perBatch ? ofBatch(row) : all[static_cast<size_t>(row.channel) + i];
  }
  Dyadic ofBatch(const UnitRow &row) const { return all[static_cast<size_t>(row.batch) % all.size()]; }
};

/// What a result is limited to, from number `first` of a stage on.
struct Output {
  int64_t zeroPoint, min, max;
  Output(const Stage &stage, size_t first)
      : zeroPoint(numberOf(stage, first)), min(numberOf(stage, first + 1)), max(numberOf(stage, first + 2)) {}
};

} // namespace

template <typename To>
static std::vector<To> narrow(llvm::ArrayRef<int64_t> from) {
  return std::vector<To>(from.begin(), from.end());
}

/// A value less a zero point.
static int32_t less(int32_t x, int64_t zeroPoint) { return static_cast<int32_t>(x - zeroPoint); }

//===----------------------------------------------------------------------===//
// Stages that work element by element
//===----------------------------------------------------------------------===//

/// `function` of every value less the input zero point, requantized.
template <typename Function>
static StageFunction compileRequant(const Stage &stage, const Multipliers &by, Function function) {
  const Rounding rounding = roundingOf(numberOf(stage, 0));
  const int64_t inputZeroPoint = numberOf(stage, 1);
  const Output output(stage, 2);
  return [=](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i)
      row.values[i] =
          static_cast<int32_t>(numerics::requantize(function(less(row.values[i], inputZeroPoint)), by.of(row, i),
                                                    rounding, output.zeroPoint, output.min, output.max));
  };
}

static StageFunction compileAdd(const Stage &stage) {
  const Rounding rounding = roundingOf(numberOf(stage, 0));
  const int64_t lhsZeroPoint = numberOf(stage, 1), rhsZeroPoint = numberOf(stage, 2);
  const Output output(stage, 3);
  const bool swapped = numberOf(stage, 6);
  const Multipliers lhsBy(stage, 0, false), rhsBy(stage, 2, false);
  return [=](UnitRow &row) {
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

static StageFunction compileThreshold(const Stage &stage, int64_t channels) {
  const int64_t min = numberOf(stage, 0), levels = numberOf(stage, 1);
  auto thresholds = narrow<int32_t>(arrayOf(stage, 0));
  const int64_t stride = static_cast<int64_t>(thresholds.size()) == levels ? 1 : channels;
  return [=](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      const size_t first = stride == 1 ? 0 : static_cast<size_t>(row.channel) + i;
      row.values[i] =
          static_cast<int32_t>(numerics::thresholdCode(row.values[i], thresholds.data() + first, levels, stride, min));
    }
  };
}

static StageFunction compileTable(const Stage &stage) {
  const bool isSigned = numberOf(stage, 0);
  auto entries = narrow<int32_t>(arrayOf(stage, 0));
  auto tables = narrow<int32_t>(arrayOf(stage, 1));
  return [=](UnitRow &row) {
    for (size_t i = 0; i < row.values.size(); ++i) {
      const int64_t table = tables.empty() ? 0 : tables[static_cast<size_t>(row.channel) + i];
      // The unit looks at 8 bits.
      const int32_t x = row.values[i], code = isSigned ? static_cast<int8_t>(x) : static_cast<uint8_t>(x);
      row.values[i] = entries[static_cast<size_t>(table * 256 + numerics::Code{8, !isSigned, 0}.index(code))];
    }
  };
}

static StageFunction compileDivideRows(const Stage &stage) {
  const Rounding rounding = roundingOf(numberOf(stage, 0));
  const Output output(stage, 1);
  const Multipliers by(stage, 0, numberOf(stage, 5));
  std::optional<PiecewiseLinear> given;
  if (numberOf(stage, 4))
    given = linesOf(stage, 2);
  return [=](UnitRow &row) {
    const PiecewiseLinear *lines = given ? &*given : nullptr;
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
static StageFunction compileSoftmax(const Multipliers &by, const std::array<uint8_t, 256> &table) {
  return [=, codes = std::vector<uint8_t>()](UnitRow &row) mutable {
    codes.resize(row.values.size());
    numerics::softmaxTableRow(row.values.data(), codes.data(), &row.sum, static_cast<int64_t>(codes.size()),
                              by.ofBatch(row), table.data());
    llvm::copy(codes, row.values.begin());
  };
}

static StageFunction compileShiftmax(const Stage &stage) {
  const int64_t step = numberOf(stage, 0);
  const auto fractionBits = static_cast<unsigned>(numberOf(stage, 1)),
             reciprocalBits = static_cast<unsigned>(numberOf(stage, 2)),
             resultBits = static_cast<unsigned>(numberOf(stage, 3));
  return [=](UnitRow &row) {
    numerics::shiftmaxRow(row.values.data(), row.values.data(), static_cast<int64_t>(row.values.size()), step,
                          fractionBits, reciprocalBits, resultBits);
  };
}

static StageFunction compileLayerNorm(const Stage &stage, int64_t channels) {
  const Rounding rounding = roundingOf(numberOf(stage, 1));
  const int64_t eps = numberOf(stage, 2);
  const Output output(stage, 3);
  const Multipliers by(stage, 0, false);
  std::vector<int64_t> offsets = narrow<int64_t>(arrayOf(stage, 2)), postOffsets = narrow<int64_t>(arrayOf(stage, 3));
  postOffsets.resize(static_cast<size_t>(channels), 0);
  if (numberOf(stage, 0))
    return [=](UnitRow &row) {
      numerics::layerNormIvitRow(row.values.data(), row.values.data(), channels, numerics::SqrtStart::BitLength, 10,
                                 offsets.data(), by.all.data(), postOffsets.data(), rounding, output.zeroPoint,
                                 output.min, output.max);
    };
  std::optional<PiecewiseLinear> lines;
  if (numberOf(stage, 6))
    lines = linesOf(stage, 4);
  return [=](UnitRow &row) {
    int32_t *values = row.values.data();
    if (lines)
      numerics::layerNormNormalizeByLines(values, values, channels, eps, *lines);
    else
      numerics::layerNormNormalize(values, values, channels, eps);
    numerics::layerNormScale(values, values, channels, by.all.data(), offsets.data(), output.zeroPoint, output.min,
                             output.max);
  };
}

static StageFunction compileNormQuant(const Stage &stage, int64_t channels) {
  const int64_t levels = numberOf(stage, 0), eps = numberOf(stage, 1), min = numberOf(stage, 2);
  auto squares = narrow<int32_t>(arrayOf(stage, 0));
  auto negative = narrow<uint8_t>(arrayOf(stage, 1));
  return [=](UnitRow &row) {
    numerics::normQuantRow(row.values.data(), row.values.data(), channels, eps, squares.data(), negative.data(), levels,
                           min);
  };
}

StageFunction simulator::compileStage(const Stage &stage, int64_t channels) {
  switch (stage.kind) {
  case StageKind::Requant:
    return compileRequant(stage, Multipliers(stage, 0, numberOf(stage, 5)), [](int64_t x) { return x; });
  case StageKind::Add:
    return compileAdd(stage);
  case StageKind::Threshold:
    return compileThreshold(stage, channels);
  case StageKind::Table:
    return compileTable(stage);
  case StageKind::Pwl:
    return compileRequant(stage, Multipliers(stage, 3, false),
                          [lines = linesOf(stage, 0)](int64_t x) { return lines.evaluate(x); });
  case StageKind::SoftmaxTable: {
    std::array<uint8_t, 256> table;
    llvm::copy(arrayOf(stage, 0), table.begin());
    return compileSoftmax(Multipliers(stage, 1, true), table);
  }
  case StageKind::SoftmaxShift:
    return compileSoftmax(Multipliers(stage, 0, true),
                          numerics::softmaxShiftTable({numberOf(stage, 0), static_cast<unsigned>(numberOf(stage, 1)),
                                                       static_cast<unsigned>(numberOf(stage, 2))}));
  case StageKind::Shiftmax:
    return compileShiftmax(stage);
  case StageKind::DivideRows:
    return compileDivideRows(stage);
  case StageKind::LayerNorm:
    return compileLayerNorm(stage, channels);
  case StageKind::NormQuant:
    return compileNormQuant(stage, channels);
  }
  llvm_unreachable("all kinds are above");
}
