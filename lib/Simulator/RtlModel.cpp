//===- RtlModel.cpp - Running the array's RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Rtl.h"
#include "vitq/Simulator/UnitImage.h"

#include "rtl/model.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace vitq;
using namespace vitq::simulator;

struct RtlLibrary::Functions {
  llvm::sys::DynamicLibrary library;
  decltype(&vitq_rtl_config) config = nullptr;
  decltype(&vitq_rtl_create) create = nullptr;
  decltype(&vitq_rtl_destroy) destroy = nullptr;
  decltype(&vitq_rtl_run) run = nullptr;
};

RtlLibrary::RtlLibrary() : functions(std::make_unique<Functions>()) {}
RtlLibrary::~RtlLibrary() {
  if (functions->library.isValid())
    llvm::sys::DynamicLibrary::closeLibrary(functions->library);
}

template <typename Function>
static bool find(llvm::sys::DynamicLibrary &library, const char *name, Function &function) {
  function = reinterpret_cast<Function>(library.getAddressOfSymbol(name));
  return function != nullptr;
}

llvm::Expected<std::shared_ptr<const RtlLibrary>> RtlLibrary::open(llvm::StringRef path) {
  // A name without a folder would be looked for in those of the system.
  llvm::SmallString<128> absolute(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(absolute))
    return llvm::createStringError(path + ": " + error.message());
  auto opened = std::make_shared<RtlLibrary>();
  opened->path = path.str();
  Functions &functions = *opened->functions;
  std::string problem;
  functions.library = llvm::sys::DynamicLibrary::getLibrary(absolute.c_str(), &problem);
  if (!functions.library.isValid())
    return llvm::createStringError(path + ": the RTL cannot be loaded: " + problem);
  if (!find(functions.library, "vitq_rtl_config", functions.config) ||
      !find(functions.library, "vitq_rtl_create", functions.create) ||
      !find(functions.library, "vitq_rtl_destroy", functions.destroy) ||
      !find(functions.library, "vitq_rtl_run", functions.run))
    return llvm::createStringError(path + ": no library of the RTL: make one with rtl/build.sh CONFIG LIBRARY.so");
  llvm::Expected<Config> own = Config::parse(functions.config());
  if (!own)
    return llvm::createStringError(path + ": its configuration: " + llvm::toString(own.takeError()));
  opened->config = std::move(*own);
  return opened;
}

llvm::Error RtlLibrary::accept(const Config &other) const {
  Config own = config;
  own.preset = other.preset;
  own.macPicojoules = other.macPicojoules;
  own.sramPicojoules = other.sramPicojoules;
  own.dramPicojoules = other.dramPicojoules;
  if (own.str(/*all=*/true) == other.str(/*all=*/true))
    return llvm::Error::success();
  return llvm::createStringError(path + ": the RTL is of " + config.str() + ", not of " + other.str() +
                                 ": make a library for that with rtl/build.sh");
}

/// Why the RTL does not address an operand of a unit program.
static llvm::Error checkOperand(const UnitOperand &operand) {
  if (operand.groupSize > 65535)
    return llvm::createStringError(
        llvm::formatv("groups of {0} channels, of which the RTL counts 65535", operand.groupSize).str());
  if (std::max({operand.offset, operand.batchPitch, operand.rowPitch, operand.groupPitch}) > UINT32_MAX)
    return llvm::createStringError("an operand that is larger than 4 GiB");
  return llvm::Error::success();
}

/// Why the RTL does not run a `units` instruction.
static llvm::Error checkUnits(const Instruction &instruction, const UnitProgram &unit, const Config &config) {
  auto refuse = [](const char *format, auto... values) {
    return llvm::createStringError(llvm::formatv(format, values...).str());
  };
  const UnitSizes sizes = unitSizesOf(config);
  if (instruction.channel % static_cast<uint64_t>(sizes.lanes) != 0)
    return refuse("channels from {0} on, where the RTL's units begin at multiples of {1}", instruction.channel,
                  sizes.lanes);
  if (instruction.cols > sizes.channels)
    return refuse("rows of {0} channels, where the RTL's row buffers hold {1}", instruction.cols, sizes.channels);
  if (unit.rowsPerBatch * unit.batches > 65535 || unit.channels > 65535)
    return refuse("{0} rows of {1} channels, of which the RTL counts 65535", unit.rowsPerBatch * unit.batches,
                  unit.channels);
  if (llvm::Error error = checkOperand(unit.input))
    return error;
  for (llvm::ArrayRef<UnitOperand> operands : {llvm::ArrayRef(unit.extraInputs), llvm::ArrayRef(unit.extraOutputs)})
    for (const UnitOperand &operand : operands)
      if (llvm::Error error = checkOperand(operand))
        return error;
  return checkOperand(unit.output);
}

static std::vector<const UnitProgram *> unitsOf(const Program &program, const Launch &launch) {
  std::vector<const UnitProgram *> units;
  for (uint32_t number : launch.units)
    units.push_back(&program.unitPrograms[number]);
  return units;
}

llvm::Error RtlLibrary::accept(const Program &program, const Launch &launch) const {
  auto refuse = [&](const llvm::Twine &why) {
    return llvm::createStringError("launch of node '" + launch.node + "': " + why);
  };
  const std::vector<const UnitProgram *> units = unitsOf(program, launch);
  for (const Instruction &instruction : program.routines[launch.routine].code)
    if (instruction.opcode == Opcode::Units)
      if (llvm::Error error = checkUnits(instruction, *units[instruction.unit], config))
        return refuse("has " + llvm::toString(std::move(error)));
  if (llvm::Expected<std::vector<uint8_t>> image = unitImage(units, config); !image)
    return refuse(llvm::toString(image.takeError()));
  return llvm::Error::success();
}

RtlArray::RtlArray(std::shared_ptr<const RtlLibrary> given)
    : library(std::move(given)), array(library->functions->create()) {}
RtlArray::~RtlArray() { library->functions->destroy(array); }

llvm::Expected<RtlCounters> RtlArray::run(const Program &program, uint32_t number, OperandPointers operands,
                                          uint64_t mostCycles) {
  const Launch &launch = program.launches[number];
  const std::vector<Instruction> &code = program.routines[launch.routine].code;
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError(
        llvm::formatv("launch {0} (node '{1}'): {2}", number, launch.node, what.str()).str());
  };
  if (llvm::Error error = library->accept(program, launch))
    return error;
  std::vector<uint8_t> bytes;
  bytes.reserve(code.size() * kInstructionBytes);
  for (const Instruction &instruction : code) {
    const EncodedInstruction encoded = encode(instruction);
    bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  }
  const std::vector<uint8_t> image = llvm::cantFail(unitImage(unitsOf(program, launch), program.config));
  llvm::SmallVector<vitq_rtl_operand> given;
  for (auto [operand, pointer] : llvm::zip_equal(launch.operands, operands))
    given.push_back({pointer, operand.bytes});
  vitq_rtl_counters counts = {};
  switch (library->functions->run(array, bytes.data(), static_cast<uint32_t>(code.size()), image.data(),
                                  static_cast<uint32_t>(image.size()), given.data(), given.size(), mostCycles,
                                  &counts)) {
  case VITQ_RTL_OK:
    break;
  case VITQ_RTL_REFUSED:
    return fail("the RTL refused an instruction");
  case VITQ_RTL_TOO_LONG:
    return fail(llvm::formatv("the RTL has not ended after {0} cycles", mostCycles).str());
  case VITQ_RTL_OUTSIDE:
    return fail("the RTL read or wrote outside the operands");
  }
  RtlCounters counters;
  counters.cycles = counts.cycles;
  counters.executeBusy = counts.execute_busy;
  counters.loadBusy = counts.load_busy;
  counters.storeBusy = counts.store_busy;
  counters.dmaWait = counts.load_dma_wait + counts.store_dma_wait;
  counters.queueFull = counts.queue_full;
  counters.bankConflicts = counts.bank_conflicts;
  counters.executeWait = counts.execute_wait;
  counters.loadWait = counts.load_wait;
  counters.storeWait = counts.store_wait;
  return counters;
}
