//===- model.cpp - Running the array's RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rtl/build.sh compiles this with what Verilator makes of vitq_array, and with VITQ_RTL_CONFIG, VITQ_RTL_DMA_BYTES and
// VITQ_RTL_DMA_LATENCY of its configuration.
//
//===----------------------------------------------------------------------===//

#include "model.h"

#include "Vvitq_array.h"

#include <algorithm>
#include <cstring>
#include <deque>

namespace {

constexpr uint64_t kBytes = VITQ_RTL_DMA_BYTES;
/// Cycles from a word at the array's port to the answer there: the array takes two of the latency itself.
constexpr uint64_t kLatency = VITQ_RTL_DMA_LATENCY - 2;
constexpr size_t kInstructionBytes = 32;
/// The operand that the parameters of unit programs are.
constexpr uint16_t kParameters = 256;

/// A word of the DMA's width on one of its ports, whatever type Verilator gave the port.
template <typename Port>
void toPort(Port &port, const char *bytes) {
  std::memcpy(&port, bytes, std::min<size_t>(sizeof(port), kBytes));
}

class Array {
public:
  Array() : top(&context) {
    top.clk = 0;
    top.reset = 1;
    for (int i = 0; i < 4; ++i)
      edge();
    top.reset = 0;
  }
  ~Array() { top.final(); }

  vitq_rtl_result run(const uint8_t *code, uint32_t count, const uint8_t *parameters, uint32_t parameterBytes,
                      const vitq_rtl_operand *operands, size_t numOperands, uint64_t mostCycles,
                      vitq_rtl_counters &counters);

private:
  /// A cycle: what the array shows follows its inputs, then its registers take their next values.
  void settle() {
    top.clk = 0;
    top.eval();
  }
  void edge() {
    settle();
    top.clk = 1;
    top.eval();
  }
  bool read(uint64_t now);
  bool write(uint64_t now);

  VerilatedContext context;
  Vvitq_array top;
  const vitq_rtl_operand *operands = nullptr;
  size_t numOperands = 0;
  const uint8_t *parameters = nullptr;
  uint32_t parameterBytes = 0;

  struct Answer {
    uint64_t at;
    char bytes[kBytes];
  };
  std::deque<Answer> words;
  std::deque<uint64_t> acknowledgements;
};

} // namespace

/// Takes the word that the array asks for in this cycle. Words reach beyond an operand where that does not end at a
/// multiple of them, but not beyond the last.
bool Array::read(uint64_t now) {
  if (!top.read_ask)
    return true;
  const bool isParameter = top.read_operand == kParameters;
  if (!isParameter && top.read_operand >= numOperands)
    return false;
  const char *data = isParameter ? reinterpret_cast<const char *>(parameters) : operands[top.read_operand].data;
  const uint64_t bytes = isParameter ? parameterBytes : operands[top.read_operand].bytes;
  const uint64_t from = top.read_address;
  if (from >= bytes)
    return false;
  Answer answer = {now + kLatency, {}};
  std::memcpy(answer.bytes, data + from, std::min(kBytes, bytes - from));
  words.push_back(answer);
  return true;
}

bool Array::write(uint64_t now) {
  if (!top.write_give)
    return true;
  if (top.write_operand >= numOperands)
    return false;
  const vitq_rtl_operand &operand = operands[top.write_operand];
  char bytes[kBytes], which[(kBytes + 7) / 8] = {};
  std::memcpy(bytes, &top.write_data, kBytes);
  std::memcpy(which, &top.write_bytes, sizeof(which));
  for (uint64_t i = 0; i < kBytes; ++i) {
    if (!(which[i / 8] >> (i % 8) & 1))
      continue;
    if (top.write_address + i >= operand.bytes)
      return false;
    operand.data[top.write_address + i] = bytes[i];
  }
  if (top.write_ends)
    acknowledgements.push_back(now + kLatency);
  return true;
}

vitq_rtl_result Array::run(const uint8_t *code, uint32_t count, const uint8_t *image, uint32_t imageBytes,
                           const vitq_rtl_operand *given, size_t numGiven, uint64_t mostCycles,
                           vitq_rtl_counters &counters) {
  parameters = image;
  parameterBytes = top.parameter_bytes = imageBytes;
  operands = given;
  numOperands = numGiven;
  words.clear();
  acknowledgements.clear();
  top.read_given = top.write_answer = 0;
  top.count = count;
  top.launch = 1;
  vitq_rtl_result result = VITQ_RTL_TOO_LONG;
  // The launch itself and the first issue are no cycles of it.
  for (uint64_t now = 0; now < mostCycles + 4; ++now) {
    top.read_given = !words.empty() && words.front().at == now;
    if (top.read_given) {
      toPort(top.read_data, words.front().bytes);
      words.pop_front();
    }
    top.write_answer = !acknowledgements.empty() && acknowledgements.front() == now;
    if (top.write_answer)
      acknowledgements.pop_front();
    settle();
    if (!read(now) || !write(now)) {
      result = VITQ_RTL_OUTSIDE;
      break;
    }
    const uint32_t address = top.fetch_address;
    top.clk = 1;
    top.eval();
    top.launch = 0;
    if (address < count)
      std::memcpy(&top.fetch_data, code + address * kInstructionBytes, kInstructionBytes);
    if (now > 0 && top.finished) {
      result = top.refused ? VITQ_RTL_REFUSED : VITQ_RTL_OK;
      break;
    }
  }
  uint64_t counts[10];
  std::memcpy(counts, &top.counts, sizeof(counts));
  counters = {top.cycles, counts[0], counts[1], counts[2], counts[3], counts[4],
              counts[5],  counts[6], counts[7], counts[8], counts[9]};
  // What a launch leaves unfinished must not meet the next one.
  top.launch = 0;
  top.read_given = top.write_answer = 0;
  top.reset = 1;
  edge();
  top.reset = 0;
  return result;
}

const char *vitq_rtl_config(void) { return VITQ_RTL_CONFIG; }
void *vitq_rtl_create(void) { return new Array; }
void vitq_rtl_destroy(void *array) { delete static_cast<Array *>(array); }
vitq_rtl_result vitq_rtl_run(void *array, const uint8_t *code, uint32_t count, const uint8_t *parameters,
                             uint32_t parameterBytes, const vitq_rtl_operand *operands, size_t numOperands,
                             uint64_t mostCycles, vitq_rtl_counters *counters) {
  return static_cast<Array *>(array)->run(code, count, parameters, parameterBytes, operands, numOperands, mostCycles,
                                          *counters);
}
