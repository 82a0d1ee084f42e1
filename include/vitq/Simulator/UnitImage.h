//===- UnitImage.h - Unit programs as the RTL's row unit holds them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// rtl/units/vitq_units.sv says what the words mean.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_UNITIMAGE_H
#define VITQ_SIMULATOR_UNITIMAGE_H

#include "vitq/Simulator/Config.h"
#include "vitq/Simulator/Units.h"

namespace vitq::simulator {

/// The parameters of vitq_units, and what the row buffers around it hold.
struct UnitSizes {
  int64_t lanes = 16, slots = 4, programs = 8, extras = 2, records = 1024, tables = 16, channels = 1024, levels = 15,
          entries = 16;
};

/// Words of configuration that follow each other: `items` times `words` of them, from word 0 of an item on. Items are
/// lanes of records, tables, or programs.
struct UnitRun {
  enum Space : uint8_t { Header, Record, Table, Operands };
  Space space = Header;
  uint8_t slot = 0;
  uint16_t index = 0;
  size_t words = 0, items = 0;
  std::vector<uint32_t> data;
};

/// A configuration word: the inputs config_* of a cycle.
struct UnitWrite {
  using Space = UnitRun::Space;
  Space space = UnitRun::Header;
  uint8_t slot = 0;
  uint16_t index = 0, lane = 0;
  uint8_t word = 0;
  uint32_t data = 0;
  bool operator==(const UnitWrite &) const = default;
};

/// What configures the row unit for `programs`, which are numbered from 0 on. They have passed checkUnitProgram.
/// Errors: a program that needs more than `sizes` has, of stages, extra inputs, channels of a whole row,
/// thresholds, lines, records or tables.
llvm::Expected<std::vector<UnitRun>> encodeUnitPrograms(llvm::ArrayRef<const UnitProgram *> programs,
                                                        const UnitSizes &sizes);
/// The same word by word.
std::vector<UnitWrite> writesOf(llvm::ArrayRef<UnitRun> runs, const UnitSizes &sizes);

/// The sizes that the array's RTL is built with, for `config`.
UnitSizes unitSizesOf(const Config &config);

/// What the array reads before the first row of a launch: runs, each of two words that say what it is, and its data
/// (rtl/unit_parameters.sv). Config::dmaBytes bytes, at least 4, come at a time: runs and their items begin at such a
/// multiple. Errors as of encodeUnitPrograms.
llvm::Expected<std::vector<uint8_t>> unitImage(llvm::ArrayRef<const UnitProgram *> programs, const Config &config);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_UNITIMAGE_H
