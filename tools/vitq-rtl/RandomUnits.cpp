//===- RandomUnits.cpp - Stages that try the units in RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomUnits.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;
using namespace vitq::rtl;

namespace {

/// Stages one after the other, and the units that they need.
struct Chain {
  llvm::StringLiteral stages;
  uint32_t units;
};

} // namespace

static constexpr Chain kChains[] = {
    {"requant", UnitDyadic},
    {"add", UnitDyadic},
    {"threshold", UnitComparator},
    {"requant+table", UnitDyadic | UnitLut},
    {"pwl", UnitLut},
    {"requant+add+table", UnitDyadic | UnitLut},
    {"requant+softmax_table", UnitDyadic | UnitExponent},
    {"softmax_table", UnitExponent},
    {"softmax_shift", UnitExponent},
    {"shiftmax", UnitExponent},
    {"divide_rows", UnitExponent},
    {"divide_rows+add", UnitExponent | UnitDyadic},
    {"requant+layer_norm", UnitDyadic | UnitNorm},
    {"layer_norm", UnitNorm},
    {"layer_norm_lines", UnitNorm},
    {"layer_norm_shift", UnitNorm},
    {"norm_quant", UnitNorm},
};

/// Somewhere in an operand, rows and groups with gaps or without.
static UnitOperand place(Draw &draw, uint8_t number, uint8_t bytes, bool onePerRow, const UnitProgram &unit,
                         uint64_t size) {
  UnitOperand operand;
  operand.operand = number;
  operand.bytes = bytes;
  operand.isUnsigned = draw.flip();
  operand.onePerRow = onePerRow;
  const auto channels = static_cast<uint64_t>(onePerRow ? 1 : unit.channels);
  operand.groupSize = draw.flip() ? channels : static_cast<uint64_t>(draw.pick(1, static_cast<int64_t>(channels)));
  const uint64_t groups = llvm::divideCeil(channels, operand.groupSize),
                 rows = static_cast<uint64_t>(unit.rowsPerBatch);
  auto gap = [&] { return draw.flip() ? 0 : static_cast<uint64_t>(draw.pick(0, 20)); };
  operand.groupPitch = operand.groupSize * bytes + gap();
  operand.rowPitch = groups * operand.groupPitch + gap();
  operand.batchPitch = rows * operand.rowPitch + gap();
  const uint64_t reach = static_cast<uint64_t>(unit.batches) * operand.batchPitch;
  if (reach >= size) // Refused, and drawn again.
    return operand;
  operand.offset = static_cast<uint64_t>(draw.pick(0, static_cast<int64_t>(size - reach)));
  if (draw.flip())
    operand.offset = operand.offset / 64 * 64;
  return operand;
}

static UnitProgram drawProgram(const Config &config, Draw &draw, const Chain &chain, bool ofSums, uint64_t size) {
  llvm::SmallVector<llvm::StringRef> names;
  chain.stages.split(names, '+');
  UnitProgram unit;
  unit.rowsPerBatch = draw.pick(1, 9);
  unit.batches = draw.pick(1, 3);
  unit.channels = draw.flip() ? draw.pick(1, 4) * config.unitLanes : draw.pick(1, 5 * config.unitLanes);
  StageMaker maker(draw, unit.channels, unit.batches);
  numerics::Interval input{INT32_MIN, INT32_MAX};
  for (auto [i, name] : llvm::enumerate(names)) {
    unit.stages.push_back(maker.make(name, i == 0));
    if (i == 0)
      input = maker.input;
    const StageInfo &info = infoOf(unit.stages.back());
    if (info.extraInput != ExtraInput::None)
      unit.extraInputs.push_back(place(draw, 0, static_cast<uint8_t>(1 << draw.pick(0, 2)),
                                       info.extraInput == ExtraInput::PerRow, unit, size));
    if (info.givesSums && draw.flip())
      unit.extraOutputs.push_back(place(draw, kUnitResults, 4, true, unit, size));
  }
  if (!ofSums) {
    const int64_t most = input.max <= 127 ? 0 : input.max <= 32767 ? 1 : 2;
    unit.input = place(draw, 0, static_cast<uint8_t>(1 << draw.pick(0, most)), false, unit, size);
    unit.input.isUnsigned = false;
  }
  unit.output = place(draw, kUnitResults, static_cast<uint8_t>(1 << draw.pick(0, 2)), false, unit, size);
  return unit;
}

UnitProgram rtl::randomUnitProgram(const Config &config, Draw &draw, bool ofSums,
                                   llvm::ArrayRef<uint64_t> operandBytes) {
  llvm::SmallVector<const Chain *> chains;
  for (const Chain &chain : kChains)
    if ((chain.units & ~config.units) == 0)
      chains.push_back(&chain);
  for (;;) {
    const Chain &chain = *chains[static_cast<size_t>(draw.pick(0, static_cast<int64_t>(chains.size()) - 1))];
    UnitProgram unit = drawProgram(config, draw, chain, ofSums, operandBytes[kUnitResults]);
    llvm::Error error = checkUnitProgram(unit, config, operandBytes);
    if (!error)
      return unit;
    llvm::consumeError(std::move(error));
  }
}

Instruction rtl::randomRows(const Config &config, Draw &draw, const UnitProgram &unit, bool ofSums, int64_t mostRows) {
  Instruction rows;
  rows.opcode = Opcode::Units;
  rows.flags = ofSums ? FlagFromAccumulator : 0;
  const int64_t all = unit.rowsPerBatch * unit.batches, lanes = config.unitLanes;
  rows.rows = static_cast<uint16_t>(draw.pick(1, std::min(all, mostRows)));
  rows.row = static_cast<uint32_t>(draw.pick(0, all - rows.rows));
  rows.cols = static_cast<uint16_t>(unit.channels);
  if (llvm::none_of(unit.stages, needsWholeRow) && draw.flip()) {
    rows.channel = static_cast<uint32_t>(draw.pick(0, (unit.channels - 1) / lanes) * lanes);
    rows.cols = static_cast<uint16_t>(draw.pick(1, unit.channels - rows.channel));
  }
  return rows;
}
