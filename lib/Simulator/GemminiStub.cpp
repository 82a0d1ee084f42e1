//===- GemminiStub.cpp - Gemmini's instructions on the simulator -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the macros of include/vitq-gemmini-stub call. Gemmini keeps strides, scales and
// transposes as state that configuration instructions set; the simulator's instructions
// carry them.
//
//===----------------------------------------------------------------------===//

#include "vitq-gemmini-stub/include/gemmini.h"

#include "vitq/Simulator/Simulator.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <bit>
#include <cmath>
#include <optional>

using namespace vitq::simulator;

// Bits of an address.
static constexpr uint32_t kAccumulator = uint32_t(1) << 31, kAccumulate = uint32_t(1) << 30,
                          kFullWidth = uint32_t(1) << 29;
static constexpr uint32_t kRow = kFullWidth - 1;

[[noreturn]] static void fail(const llvm::Twine &what) {
  llvm::errs() << "vitq-gemmini: error: " << what << "\n";
  exit(1);
}

namespace {

/// One of the three configurations of moves into the array.
struct Mover {
  uint32_t stride = 0;
  uint16_t blockStride = DIM;
};

/// An array with its configuration registers.
class Array {
public:
  explicit Array(const char *text);

  /// The array of this thread; made by its first configuration.
  static Array &get(const char *config = nullptr);

  void mvin(const Mover &mover, const void *dram, uint32_t local, uint32_t cols, uint32_t rows);
  void mvout(void *dram, uint32_t local, uint32_t cols, uint32_t rows);
  void preload(uint32_t weights, uint32_t sums, uint32_t n, uint32_t k);
  void compute(bool preloaded, uint32_t lhs, uint32_t cols, uint32_t rows);

  const Config &config() const { return program.config; }

  Mover movers[3];
  uint32_t storeStride = 0;
  uint8_t storeShift = 0;
  bool relu = false, transposeRhs = false;

private:
  void checkRows(const char *what, uint64_t first, uint64_t rows, uint64_t cols, bool accumulator) const;
  void step(const Instruction &instruction, const void *dram = nullptr);

  Program program;
  std::optional<Executor> executor;
};

} // namespace

Array::Array(const char *text) {
  llvm::Expected<Config> parsed = Config::parse(text);
  if (!parsed)
    fail("VITQ_GEMMINI_CONFIG: " + llvm::toString(parsed.takeError()));
  program.config = std::move(*parsed);
  if (config().dataflow != Dataflow::WeightStationary || config().bits != 8 || config().rows != config().cols)
    fail("VITQ_GEMMINI_CONFIG '" + llvm::Twine(text) +
         "' is no array of Gemmini's (weight stationary, 8 bits, square)");
  executor.emplace(program);
}

Array &Array::get(const char *config) {
  thread_local std::optional<Array> array;
  if (!array && !config)
    fail("an instruction before any configuration");
  if (!array)
    array.emplace(config);
  return *array;
}

void Array::checkRows(const char *what, uint64_t first, uint64_t rows, uint64_t cols, bool accumulator) const {
  const auto size = static_cast<uint64_t>(accumulator ? config().accumulatorSize() : config().scratchpadSize());
  if (rows < 1 || rows > static_cast<uint64_t>(config().rows) || cols < 1)
    fail(llvm::Twine(what) + " of " + llvm::Twine(rows) + " rows and " + llvm::Twine(cols) + " columns");
  if (first + rows > size)
    fail(llvm::Twine(what) + " reaches row " + llvm::Twine(first + rows - 1) + " of " + llvm::Twine(size) +
         (accumulator ? " of the accumulator" : " of the scratchpad"));
}

void Array::step(const Instruction &instruction, const void *dram) {
  char *operand = static_cast<char *>(const_cast<void *>(dram));
  executor->step(instruction, operand);
}

void Array::mvin(const Mover &mover, const void *dram, uint32_t local, uint32_t cols, uint32_t rows) {
  Instruction move;
  const bool accumulator = local & kAccumulator;
  const auto width = static_cast<uint32_t>(config().cols);
  const uint32_t most = accumulator ? width : width * static_cast<uint32_t>(config().blockTiles);
  if (cols > most)
    fail("mvin of " + llvm::Twine(cols) + " columns, at most " + llvm::Twine(most));
  move.opcode = accumulator ? Opcode::MvinAcc : Opcode::Mvin;
  move.flags = accumulator && (local & kAccumulate) ? FlagAccumulate : 0;
  move.local = local & kRow;
  move.rows = static_cast<uint16_t>(rows);
  move.cols = static_cast<uint16_t>(cols);
  move.tileStride = accumulator ? 0 : mover.blockStride;
  move.dram.pitch = mover.stride;
  for (uint32_t first = 0; first < cols; first += width)
    checkRows("mvin", move.local + uint64_t(first / width) * move.tileStride, rows, cols, accumulator);
  step(move, dram);
}

void Array::mvout(void *dram, uint32_t local, uint32_t cols, uint32_t rows) {
  if (!(local & kAccumulator))
    fail("mvout from the scratchpad");
  if (cols > static_cast<uint32_t>(config().cols))
    fail("mvout of " + llvm::Twine(cols) + " columns");
  Instruction move;
  move.opcode = Opcode::Mvout;
  if (!(local & kFullWidth)) {
    move.flags = FlagScale | (relu ? FlagRelu : 0);
    move.shift = storeShift;
  }
  move.local = local & kRow;
  move.rows = static_cast<uint16_t>(rows);
  move.cols = static_cast<uint16_t>(cols);
  move.dram.pitch = storeStride;
  checkRows("mvout", move.local, rows, cols, /*accumulator=*/true);
  step(move, dram);
}

void Array::preload(uint32_t weights, uint32_t sums, uint32_t n, uint32_t k) {
  if (!(sums & kAccumulator))
    fail("preload of sums in the scratchpad");
  Instruction preload;
  preload.opcode = Opcode::Preload;
  preload.flags = sums & kAccumulate ? FlagAccumulate : 0;
  preload.local = weights == GARBAGE_ADDR ? kNone : weights;
  preload.local2 = sums & kRow;
  preload.rows = static_cast<uint16_t>(k);
  preload.cols = static_cast<uint16_t>(n);
  checkRows("preload", preload.local2, 1, n, /*accumulator=*/true);
  if (n > static_cast<uint32_t>(config().cols) || k < 1 || k > static_cast<uint32_t>(config().rows))
    fail("preload of " + llvm::Twine(k) + " rows and " + llvm::Twine(n) + " columns");
  if (preload.local != kNone) {
    if (transposeRhs)
      preload.flags |= FlagTranspose;
    checkRows("preload", weights, transposeRhs ? n : k, n, /*accumulator=*/false);
  }
  step(preload);
}

void Array::compute(bool preloaded, uint32_t lhs, uint32_t cols, uint32_t rows) {
  Instruction compute;
  compute.opcode = Opcode::Compute;
  compute.flags = preloaded ? FlagFresh : 0;
  compute.local = lhs;
  compute.rows = static_cast<uint16_t>(rows);
  compute.cols = static_cast<uint16_t>(cols);
  checkRows("compute", lhs, rows, cols, /*accumulator=*/false);
  if (cols > static_cast<uint32_t>(config().rows))
    fail("compute of " + llvm::Twine(cols) + " columns");
  step(compute);
}

//===----------------------------------------------------------------------===//
// The functions of the header
//===----------------------------------------------------------------------===//

void vitq_gemmini_config_ex(const char *config, int dataflow, int activation, int shift, int lhs_stride,
                            int transpose_lhs, int transpose_rhs) {
  Array &array = Array::get(config);
  if (dataflow != WEIGHT_STATIONARY || activation != NO_ACTIVATION || shift != 0 || lhs_stride != 1 || transpose_lhs)
    fail("config_ex: only weight stationary, without activation, shift, stride or transposed left operand");
  array.transposeRhs = transpose_rhs;
}

void vitq_gemmini_config_ld(const char *config, uint64_t stride, float scale, int shrunk, uint32_t block_stride,
                            int mover) {
  Array &array = Array::get(config);
  if (mover < 0 || mover > 2 || scale != MVIN_SCALE_IDENTITY || shrunk || stride > UINT32_MAX ||
      block_stride > UINT16_MAX)
    fail("config_ld: only scale 1, full width, a stride of 32 bits and a block stride of 16");
  array.movers[mover] = {static_cast<uint32_t>(stride), static_cast<uint16_t>(block_stride)};
}

void vitq_gemmini_config_st(const char *config, uint64_t stride, int activation, float scale) {
  Array &array = Array::get(config);
  int exponent;
  if (std::frexp(scale, &exponent) != 0.5f || exponent > 1 || exponent < -30 || stride > UINT32_MAX ||
      (activation != NO_ACTIVATION && activation != RELU))
    fail("config_st: only scales 2^-31 to 1 that are powers of two, no activation or RELU");
  array.storeStride = static_cast<uint32_t>(stride);
  array.storeShift = static_cast<uint8_t>(1 - exponent);
  array.relu = activation == RELU;
}

void vitq_gemmini_mvin(int mover, const void *dram, uint32_t local, uint32_t cols, uint32_t rows) {
  Array &array = Array::get();
  array.mvin(array.movers[mover], dram, local, cols, rows);
}

void vitq_gemmini_mvout(void *dram, uint32_t local, uint32_t cols, uint32_t rows) {
  Array::get().mvout(dram, local, cols, rows);
}

void vitq_gemmini_preload(uint32_t weights, uint32_t sums, uint32_t weight_cols, uint32_t weight_rows,
                          uint32_t sum_cols, uint32_t sum_rows) {
  if (sum_cols != weight_cols)
    fail("preload of " + llvm::Twine(weight_cols) + " columns of weights and " + llvm::Twine(sum_cols) + " of sums");
  Array::get().preload(weights, sums, weight_cols, weight_rows);
}

void vitq_gemmini_compute(int preloaded, uint32_t lhs, uint32_t bias, uint32_t lhs_cols, uint32_t lhs_rows) {
  if (bias != GARBAGE_ADDR)
    fail("compute with a bias from the scratchpad");
  Array::get().compute(preloaded, lhs, lhs_cols, lhs_rows);
}
