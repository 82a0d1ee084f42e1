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

#include "vitq/Simulator/Units.h"

namespace vitq::simulator {

/// The parameters of vitq_units.
struct UnitSizes {
  int64_t lanes = 16, slots = 4, programs = 8, extras = 2, records = 1024, tables = 16, channels = 1024, levels = 15,
          entries = 16;
};

/// A configuration word: the inputs config_* of a cycle.
struct UnitWrite {
  enum Space : uint8_t { Header, Record, Table };
  Space space = Header;
  uint8_t slot = 0;
  uint16_t index = 0, lane = 0;
  uint8_t word = 0;
  uint32_t data = 0;
  bool operator==(const UnitWrite &) const = default;
};

/// What configures the row unit for `programs`, which are numbered from 0 on. They have passed checkUnitProgram.
/// Errors: a program that needs more than `sizes` has, of stages, extra inputs, channels of a whole row,
/// thresholds, lines, records or tables.
llvm::Expected<std::vector<UnitWrite>> encodeUnitPrograms(llvm::ArrayRef<const UnitProgram *> programs,
                                                          const UnitSizes &sizes);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_UNITIMAGE_H
