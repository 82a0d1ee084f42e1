//===- Rtl.h - The array as hardware -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rtl/ has the array in SystemVerilog; docs/Hardware.md describes it. rtl/build.sh makes a library of it for one
// configuration, which runs here.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_RTL_H
#define VITQ_SIMULATOR_RTL_H

#include "vitq/Simulator/Simulator.h"

#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace vitq::simulator {

/// The SystemVerilog package of a configuration, `vitq_config_pkg`, which the modules in rtl/ take their parameters
/// from. Errors: a size for which there is no RTL, and what there is.
llvm::Expected<std::string> rtlParameters(const Config &config);

/// What the RTL counted in a launch: cycles, and those in which what the name says was so.
struct RtlCounters {
  uint64_t cycles = 0, executeBusy = 0, loadBusy = 0, storeBusy = 0, dmaWait = 0, queueFull = 0, bankConflicts = 0;
  /// The first instruction of a queue waited for nothing but a hazard.
  uint64_t executeWait = 0, loadWait = 0, storeWait = 0;
};

/// A library of the RTL.
class RtlLibrary {
public:
  /// Loads the library at `path`. Errors: it cannot be loaded, or is no such library.
  static llvm::Expected<std::shared_ptr<const RtlLibrary>> open(llvm::StringRef path);
  RtlLibrary();
  ~RtlLibrary();

  const Config &getConfig() const { return config; }
  /// Errors: the RTL is of another configuration; energies make no difference.
  llvm::Error accept(const Config &other) const;
  /// Errors: the launch has an instruction that the RTL does not have.
  llvm::Error accept(const Program &program, const Launch &launch) const;

private:
  friend class RtlArray;
  struct Functions;
  std::unique_ptr<Functions> functions;
  std::string path;
  Config config;
};

/// One array, whose memories hold 0 at first and keep what launches leave in them.
class RtlArray {
public:
  explicit RtlArray(std::shared_ptr<const RtlLibrary> library);
  ~RtlArray();
  RtlArray(const RtlArray &) = delete;
  RtlArray &operator=(const RtlArray &) = delete;

  /// Runs launch `number` of a program that checkProgram accepts. `operands`: one pointer each. Errors: an instruction
  /// that the RTL does not have, a launch that has not ended after `mostCycles`.
  llvm::Expected<RtlCounters> run(const Program &program, uint32_t number, OperandPointers operands,
                                  uint64_t mostCycles);

private:
  std::shared_ptr<const RtlLibrary> library;
  void *array = nullptr;
};

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_RTL_H
