//===- EmitGemmini.cpp - Programs of the array as C for Gemmini -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A routine is a table of steps, a macro call each; a loop in C walks it. Gemmini keeps
// strides, scales and transposes as state, so steps that configure are added where the
// state must change.
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Gemmini.h"

#include "vitq/Simulator/Simulator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <optional>

using namespace vitq;
using namespace vitq::simulator;

// Bits of an address of the accumulator.
static constexpr uint32_t kAccumulator = uint32_t(1) << 31, kAccumulate = uint32_t(1) << 30,
                          kFullWidth = uint32_t(1) << 29;

namespace {

/// What the C file calls them, in the order of its enumeration.
enum class StepKind : unsigned {
  ConfigEx,
  ConfigLd,
  ConfigSt,
  Mvin,
  Mvin2,
  Mvin3,
  Mvout,
  Preload,
  Computed,
  Kept,
  Fence
};

/// One row of a table; what each field means is a comment of the C file.
struct Step {
  StepKind kind;
  unsigned operand = 0, rows = 0, cols = 0;
  uint64_t a = 0, b = 0;
};

/// Steps of a routine, and Gemmini's state as they leave it.
class StepWriter {
public:
  StepWriter(const Config &config, const Routine &routine)
      : dim(static_cast<unsigned>(config.rows)), routine(routine) {}
  llvm::Expected<std::vector<Step>> run();

private:
  llvm::Error add(const Instruction &instruction, size_t index);
  llvm::Error addPreload(const Instruction &instruction, size_t index);
  llvm::Error addCompute(const Instruction &instruction, size_t index);
  void addMvin(const Instruction &instruction);
  void addMvout(const Instruction &instruction);
  unsigned moverOf(const Instruction &instruction);
  llvm::Error fail(size_t index, const llvm::Twine &what) const {
    return llvm::createStringError("C for Gemmini: instruction " + llvm::Twine(index) + " of routine '" + routine.name +
                                   "' " + what);
  }

  unsigned dim;
  const Routine &routine;
  std::vector<Step> steps;
  // What is configured; nothing is known at the start.
  std::optional<bool> transpose;
  std::optional<std::pair<uint32_t, uint32_t>> movers[3];
  std::optional<std::tuple<uint32_t, bool, unsigned>> store;
  /// The mover of each operand that goes to the scratchpad.
  std::map<unsigned, unsigned> scratchpadMovers;
};

} // namespace

/// Sums have one of the three movers, operands of the scratchpad share the others, so
/// that their strides seldom change.
unsigned StepWriter::moverOf(const Instruction &instruction) {
  if (instruction.opcode == Opcode::MvinAcc)
    return 2;
  const auto next = static_cast<unsigned>(scratchpadMovers.size()) % 2;
  return scratchpadMovers.try_emplace(instruction.dram.operand, next).first->second;
}

void StepWriter::addMvin(const Instruction &instruction) {
  const bool sums = instruction.opcode == Opcode::MvinAcc;
  const unsigned mover = moverOf(instruction);
  const unsigned block = instruction.cols > dim ? instruction.tileStride : dim;
  // A single block fits any stride of blocks.
  std::optional<std::pair<uint32_t, uint32_t>> &configured = movers[mover];
  if (!configured || configured->first != instruction.dram.pitch ||
      (instruction.cols > dim && configured->second != block)) {
    configured = {instruction.dram.pitch, block};
    steps.push_back({StepKind::ConfigLd, mover, 0, 0, instruction.dram.pitch, block});
  }
  uint32_t flags = 0;
  if (sums)
    flags = kAccumulator | (instruction.has(FlagAccumulate) ? kAccumulate : 0);
  for (unsigned row = 0; row < instruction.rows; row += dim)
    steps.push_back({static_cast<StepKind>(static_cast<unsigned>(StepKind::Mvin) + mover), instruction.dram.operand,
                     std::min<unsigned>(dim, instruction.rows - row), instruction.cols,
                     instruction.dram.offset + uint64_t(row) * instruction.dram.pitch,
                     (instruction.local + row) | flags});
}

/// Gemmini's blocks of a move out lie one after the other; ours need not: a move each.
void StepWriter::addMvout(const Instruction &instruction) {
  const bool scale = instruction.has(FlagScale);
  const auto wanted = std::make_tuple(instruction.dram.pitch, instruction.has(FlagRelu),
                                      static_cast<unsigned>(scale ? instruction.shift : 0));
  if (store != wanted) {
    store = wanted;
    steps.push_back(
        {StepKind::ConfigSt, 0, instruction.has(FlagRelu) ? 1u : 0u, 0, instruction.dram.pitch, std::get<2>(wanted)});
  }
  const unsigned bytes = scale ? 1 : 4;
  for (unsigned row = 0; row < instruction.rows; row += dim)
    for (unsigned col = 0; col < instruction.cols; col += dim) {
      const uint64_t local = instruction.local + uint64_t(col / dim) * instruction.tileStride + row;
      steps.push_back({StepKind::Mvout, instruction.dram.operand, std::min<unsigned>(dim, instruction.rows - row),
                       std::min<unsigned>(dim, instruction.cols - col),
                       instruction.dram.offset + uint64_t(row) * instruction.dram.pitch + uint64_t(col) * bytes,
                       local | kAccumulator | (scale ? 0 : kFullWidth)});
    }
}

/// Gemmini wants the rows of the sums with the preload, so the compute is looked up.
llvm::Error StepWriter::addPreload(const Instruction &instruction, size_t index) {
  if (instruction.shift)
    return fail(index, "shifts its sums");
  const Instruction *compute = nullptr;
  for (size_t next = index + 1; next < routine.code.size() && !compute; ++next)
    if (routine.code[next].opcode == Opcode::Compute)
      compute = &routine.code[next];
  if (!compute)
    return llvm::Error::success();
  if (instruction.local != kNone && transpose != instruction.has(FlagTranspose)) {
    transpose = instruction.has(FlagTranspose);
    steps.push_back({StepKind::ConfigEx, 0, *transpose ? 1u : 0u});
  }
  const uint32_t sums = instruction.local2 | kAccumulator | (instruction.has(FlagAccumulate) ? kAccumulate : 0);
  // kNone is Gemmini's address of nothing.
  steps.push_back({StepKind::Preload, compute->rows, instruction.rows, instruction.cols, instruction.local, sums});
  return llvm::Error::success();
}

llvm::Error StepWriter::addCompute(const Instruction &instruction, size_t index) {
  if (instruction.has(FlagLhsUnsigned) || instruction.has(FlagRhsUnsigned))
    return fail(index, "has an unsigned operand");
  const StepKind kind = instruction.has(FlagFresh) ? StepKind::Computed : StepKind::Kept;
  steps.push_back({kind, 0, instruction.rows, instruction.cols, instruction.local, 0});
  return llvm::Error::success();
}

llvm::Error StepWriter::add(const Instruction &instruction, size_t index) {
  switch (instruction.opcode) {
  case Opcode::Fence:
    steps.push_back({StepKind::Fence});
    return llvm::Error::success();
  case Opcode::Mvin:
  case Opcode::MvinAcc:
    addMvin(instruction);
    return llvm::Error::success();
  case Opcode::Preload:
    return addPreload(instruction, index);
  case Opcode::Compute:
    return addCompute(instruction, index);
  case Opcode::Mvout:
    addMvout(instruction);
    return llvm::Error::success();
  case Opcode::Units:
    break;
  }
  return fail(index, "is of a unit");
}

llvm::Expected<std::vector<Step>> StepWriter::run() {
  for (auto [index, instruction] : llvm::enumerate(routine.code))
    if (llvm::Error error = add(instruction, index))
      return error;
  return std::move(steps);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

static llvm::Error checkConfig(const Config &config) {
  auto fail = [&](llvm::StringRef what) {
    return llvm::createStringError("C for Gemmini: systolic:" + config.str() + " " + what +
                                   "; use e.g. --target=systolic:gemmini-16x16");
  };
  if (config.dataflow != Dataflow::WeightStationary)
    return fail("is output stationary: the C is for weight-stationary arrays");
  if (config.bits != 8 || config.accumulatorBits != 32)
    return fail("has no operands of 8 bits with accumulators of 32");
  if (config.rows != config.cols || !llvm::isPowerOf2_64(static_cast<uint64_t>(config.rows)))
    return fail("is not square with a power of two");
  if (config.streamRows > config.rows)
    return fail("streams more rows a compute than it has");
  if (config.units & ~static_cast<uint32_t>(UnitShift))
    return fail("has units that Gemmini lacks");
  return llvm::Error::success();
}

namespace {

/// Writes the parts of the file in order.
class FileWriter {
public:
  FileWriter(const Program &program, llvm::StringRef name, llvm::raw_ostream &os)
      : program(program), name(name), os(os) {}
  llvm::Error run();

private:
  void head();
  void image();
  llvm::Error routine(size_t number);
  void walker();
  void dispatch();

  const Program &program;
  llvm::StringRef name;
  llvm::raw_ostream &os;
};

} // namespace

void FileWriter::head() {
  const Config &config = program.config;
  os << "/* " << name << ": tile programs for Gemmini, made by vitq for systolic:" << config.str() << ".\n"
     << " *\n"
     << " * Link this with " << name << "_host.o, which calls vitq_array_launch; " << name << ".h declares " << name
     << "_run.\n"
     << " * include/gemmini.h is that of gemmini-rocc-tests, or of vitq's simulator (vitq-gemmini-stub,\n"
     << " * with -lvitq-gemmini). */\n"
     << "#include <stddef.h>\n#include <stdint.h>\n\n#include \"include/gemmini.h\"\n\n"
     << "#if DIM != " << config.rows << " || BANK_NUM * BANK_ROWS < " << config.scratchpadSize() << " || ACC_ROWS < "
     << config.accumulatorSize() << "\n"
     << "#error \"made for an array of " << config.rows << " x " << config.cols << " with " << config.scratchpadSize()
     << " rows of scratchpad and " << config.accumulatorSize() << " of accumulators\"\n#endif\n\n"
     << "/* One macro call. Operands of a launch are counted; offsets in them are bytes.\n"
     << " *   CONFIG_EX  rows: right operand transposed\n"
     << " *   CONFIG_LD  operand: mover; a: stride, b: rows from block to block\n"
     << " *   CONFIG_ST  rows: ReLU; a: stride, b: scale 2^-b\n"
     << " *   MVIN.. OUT operand, rows, cols; a: offset, b: local address\n"
     << " *   PRELOAD    operand: rows of sums; rows, cols; a: weights, b: sums\n"
     << " *   COMPUTED   rows, cols; a: left operand; with the weights of the last preload\n"
     << " *   KEPT       the same with those before */\n"
     << "enum { STEP_CONFIG_EX, STEP_CONFIG_LD, STEP_CONFIG_ST, STEP_MVIN, STEP_MVIN2, STEP_MVIN3, STEP_MVOUT,\n"
     << "       STEP_PRELOAD, STEP_COMPUTED, STEP_KEPT, STEP_FENCE };\n"
     << "typedef struct {\n  uint8_t kind;\n  uint16_t operand, rows, cols;\n  uint32_t a, b;\n} step;\n\n";
}

/// In words of 8 bytes, little endian as Gemmini's hosts are.
void FileWriter::image() {
  const size_t words = llvm::divideCeil(program.image.size(), 8);
  os << "/* " << program.image.size() << " bytes. */\n"
     << "static const uint64_t image[" << std::max<size_t>(words, 1) << "] __attribute__((aligned(64))) = {";
  for (size_t word = 0; word < words; ++word) {
    uint64_t value = 0;
    for (size_t byte = 0; byte < 8 && word * 8 + byte < program.image.size(); ++byte)
      value |= uint64_t(static_cast<uint8_t>(program.image[word * 8 + byte])) << (8 * byte);
    os << (word % 8 ? "" : "\n") << "0x" << llvm::utohexstr(value, /*LowerCase=*/true) << ",";
  }
  os << (words ? "" : "0") << "};\n\n";
}

llvm::Error FileWriter::routine(size_t number) {
  const Routine &own = program.routines[number];
  llvm::Expected<std::vector<Step>> steps = StepWriter(program.config, own).run();
  if (!steps)
    return steps.takeError();
  os << "/* " << own.name << " */\nstatic const step steps_" << number << "[] = {";
  for (auto [i, step] : llvm::enumerate(*steps)) {
    os << (i % 8 ? "" : "\n") << "{" << static_cast<unsigned>(step.kind) << "," << step.operand << "," << step.rows
       << "," << step.cols << "," << step.a << "u," << step.b << "u},";
  }
  os << (steps->empty() ? "{10,0,0,0,0,0}" : "") << "};\n"
     << llvm::formatv("static void routine_{0}(char *const *operands) {{\n"
                      "  run(steps_{0}, sizeof steps_{0} / sizeof *steps_{0}, operands);\n}\n\n",
                      number);
  return llvm::Error::success();
}

void FileWriter::walker() {
  os << R"(static void run(const step *s, size_t count, char *const *operands) {
  for (; count; --count, ++s)
    switch (s->kind) {
    case STEP_CONFIG_EX:
      gemmini_extended_config_ex(WEIGHT_STATIONARY, NO_ACTIVATION, 0, 1, 0, (s->rows));
      break;
    case STEP_CONFIG_LD:
      gemmini_extended4_config_ld((s->a), MVIN_SCALE_IDENTITY, 0, (s->b), (s->operand));
      break;
    case STEP_CONFIG_ST:
      gemmini_extended_config_st((s->a), (s->rows ? RELU : NO_ACTIVATION), (1.0f / (float)(1u << s->b)));
      break;
    case STEP_MVIN:
      gemmini_extended_mvin((operands[s->operand] + s->a), (s->b), (s->cols), (s->rows));
      break;
    case STEP_MVIN2:
      gemmini_extended_mvin2((operands[s->operand] + s->a), (s->b), (s->cols), (s->rows));
      break;
    case STEP_MVIN3:
      gemmini_extended_mvin3((operands[s->operand] + s->a), (s->b), (s->cols), (s->rows));
      break;
    case STEP_MVOUT:
      gemmini_extended_mvout((operands[s->operand] + s->a), (s->b), (s->cols), (s->rows));
      break;
    case STEP_PRELOAD:
      gemmini_extended_preload((s->a), (s->b), (s->cols), (s->rows), (s->cols), (s->operand));
      break;
    case STEP_COMPUTED:
      gemmini_extended_compute_preloaded((s->a), GARBAGE_ADDR, (s->cols), (s->rows), DIM, DIM);
      break;
    case STEP_KEPT:
      gemmini_extended_compute_accumulated((s->a), GARBAGE_ADDR, (s->cols), (s->rows), DIM, DIM);
      break;
    default:
      gemmini_fence();
    }
}

)";
}

void FileWriter::dispatch() {
  os << "void vitq_array_launch(int32_t launch, char *const *host);\n\n"
     << "/* Runs a launch to its end; `host` are the addresses of its operands that are no constants. */\n"
     << "void vitq_array_launch(int32_t launch, char *const *host) {\n"
     << "  char *const constants = (char *)(uintptr_t)image;\n"
     << "  /* What the host wrote is in memory before the array reads it. */\n"
     << "  gemmini_fence();\n"
     << "  switch (launch) {\n";
  for (auto [number, launch] : llvm::enumerate(program.launches)) {
    // A node is text of the model.
    std::string node;
    for (char c : launch.node)
      node += llvm::isAlnum(c) || llvm::StringRef("/._-:").contains(c) ? c : '?';
    for (size_t at; (at = node.find("*/")) != std::string::npos || (at = node.find("/*")) != std::string::npos;)
      node[at] = '?';
    os << "  case " << number << ": { /* " << node << " */\n    char *const operands[] = {";
    for (auto [i, operand] : llvm::enumerate(launch.operands)) {
      os << (i ? ", " : "");
      if (operand.host >= 0)
        os << "host[" << operand.host << "]";
      else
        os << "constants + " << operand.offset;
    }
    os << "};\n    routine_" << launch.routine << "(operands);\n    break;\n  }\n";
  }
  os << "  default:\n    (void)constants;\n    (void)host;\n  }\n"
     << "  gemmini_fence();\n}\n";
}

llvm::Error FileWriter::run() {
  head();
  image();
  walker();
  for (size_t number = 0; number < program.routines.size(); ++number)
    if (llvm::Error error = routine(number))
      return error;
  dispatch();
  return llvm::Error::success();
}

llvm::Error gemmini::emitC(const Program &program, llvm::StringRef name, llvm::raw_ostream &os) {
  if (llvm::Error error = checkConfig(program.config))
    return error;
  return FileWriter(program, name, os).run();
}
