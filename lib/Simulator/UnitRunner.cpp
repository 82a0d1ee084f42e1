//===- UnitRunner.cpp - Rows through unit programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitStages.h"

#include <algorithm>
#include <cstring>

using namespace vitq;
using namespace vitq::simulator;

void simulator::forEachRun(const UnitOperand &operand, int64_t rowsPerBatch, int64_t row, int64_t channel, int64_t cols,
                           llvm::function_ref<void(uint64_t, int64_t, int64_t)> run) {
  const uint64_t base = operand.offset + static_cast<uint64_t>(row / rowsPerBatch) * operand.batchPitch +
                        static_cast<uint64_t>(row % rowsPerBatch) * operand.rowPitch;
  if (operand.onePerRow)
    return run(base, channel, 1);
  const auto groupSize = static_cast<int64_t>(operand.groupSize);
  for (int64_t c = channel, end = channel + cols; c < end;) {
    const int64_t n = std::min(end - c, groupSize - c % groupSize);
    run(base + static_cast<uint64_t>(c / groupSize) * operand.groupPitch +
            static_cast<uint64_t>(c % groupSize) * operand.bytes,
        c, n);
    c += n;
  }
}

template <typename T>
static void loadAs(const char *from, int32_t *to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    T value;
    std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    to[i] = int32_t{0} + value;
  }
}

static void load(const UnitOperand &operand, const char *from, int32_t *to, int64_t n) {
  switch (operand.bytes) {
  case 1:
    return operand.isUnsigned ? loadAs<uint8_t>(from, to, n) : loadAs<int8_t>(from, to, n);
  case 2:
    return operand.isUnsigned ? loadAs<uint16_t>(from, to, n) : loadAs<int16_t>(from, to, n);
  default:
    return loadAs<int32_t>(from, to, n);
  }
}

template <typename T>
static void storeAs(const int32_t *from, char *to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const auto value = static_cast<T>(from[i]);
    std::memcpy(to + i * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }
}

static void store(const UnitOperand &operand, const int32_t *from, char *to, int64_t n) {
  switch (operand.bytes) {
  case 1:
    return storeAs<int8_t>(from, to, n);
  case 2:
    return storeAs<int16_t>(from, to, n);
  default:
    return storeAs<int32_t>(from, to, n);
  }
}

UnitRunner::UnitRunner(const UnitProgram &given) : program(given), hasInput(program.input != UnitOperand()) {
  auto extraInput = program.extraInputs.begin();
  auto extraOutput = program.extraOutputs.begin();
  for (const Stage &stage : program.stages) {
    Step &step = steps.emplace_back();
    step.function = compileStage(stage, program.channels);
    const StageInfo &info = infoOf(stage);
    if (info.extraInput != ExtraInput::None)
      step.extraInput = &*extraInput++;
    if (info.givesSums && extraOutput != program.extraOutputs.end())
      step.extraOutput = &*extraOutput++;
  }
  extra.resize(static_cast<size_t>(program.channels));
}

void UnitRunner::run(int64_t row, int64_t channel, llvm::MutableArrayRef<int32_t> values, bool given,
                     OperandPointers operands) {
  const auto cols = static_cast<int64_t>(values.size());
  auto loadRow = [&](const UnitOperand &operand, int32_t *to) {
    forEachRun(operand, program.rowsPerBatch, row, channel, cols, [&](uint64_t offset, int64_t c, int64_t n) {
      load(operand, operands[operand.operand] + offset, to + (c - channel), n);
    });
  };
  auto storeRow = [&](const UnitOperand &operand, const int32_t *from) {
    forEachRun(operand, program.rowsPerBatch, row, channel, cols, [&](uint64_t offset, int64_t c, int64_t n) {
      store(operand, from + (c - channel), operands[operand.operand] + offset, n);
    });
  };
  if (!given && hasInput)
    loadRow(program.input, values.data());
  else if (!given)
    llvm::fill(values, 0);

  UnitRow state{row / program.rowsPerBatch, channel, values, {}, 0};
  for (Step &step : steps) {
    if (step.extraInput) {
      loadRow(*step.extraInput, extra.data());
      state.extra = llvm::ArrayRef<int32_t>(extra).take_front(step.extraInput->onePerRow ? 1 : values.size());
    }
    step.function(state);
    if (step.extraOutput)
      storeRow(*step.extraOutput, &state.sum);
  }
  storeRow(program.output, values.data());
}
