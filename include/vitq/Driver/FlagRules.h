//===- FlagRules.h - Options that others make meaningless -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An option that has no effect is refused with the reason, never passed over: who
// gave it expects something of it. All such reasons are in one table
// (lib/Driver/FlagRules.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DRIVER_FLAGRULES_H
#define VITQ_DRIVER_FLAGRULES_H

#include "vitq/Driver/Driver.h"

#include <map>

namespace vitq {

/// What decides whether an option has an effect.
struct FlagSituation {
  const CompileOptions &compile;
  /// The options given, by vitq-opt's name for them, as the user wrote them
  /// ("--recipe=ivit").
  const std::map<std::string, std::string> &given;
  /// The model's file, for messages, and its phase: none if it is not known yet.
  std::string input;
  std::optional<Phase> from = std::nullopt;
  Phase stopAfter = Phase::Target;
  /// Whose flags count; null when it is not known.
  const TargetBackend *backend = nullptr;
  int64_t batch = 1;
  /// Whether a report is written, and whether it has images of its own.
  bool hasReport = false, hasReportData = false;
};

/// The options that say how a float model is quantized, `recipe` first.
llvm::ArrayRef<llvm::StringRef> quantizationFlags();

/// What is wrong with the first option that has no effect, or nothing.
std::string findIdleFlag(const FlagSituation &situation);

/// The same for a compilation by the driver.
std::string findIdleFlag(const DriverOptions &options, std::optional<Phase> from);

} // namespace vitq

#endif // VITQ_DRIVER_FLAGRULES_H
