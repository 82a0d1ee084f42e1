//===- Profile.h - Where the time of a program goes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_PROFILE_H
#define VITQ_RUNNER_PROFILE_H

#include "vitq/Runner/Program.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace vitq::runner {

/// How long one step, or all steps of one kind, took. Times are in microseconds.
struct StepTime {
  /// Empty for a kind.
  std::string kernel, node;
  /// The ops, without the name of their dialect.
  std::string op;
  int64_t steps = 1;
  double median = 0;
  /// What the multiply-accumulates alone need; none where there are none.
  std::optional<double> limit;
  /// Of the sum of all steps' medians, in percent.
  double share = 0;
};

/// Every step of a program, timed by the program itself in one thread.
struct Profile {
  int64_t runs = 0;
  std::vector<StepTime> steps;

  /// The sum of the steps' medians.
  double total() const;
  /// Sums over the steps that compute the same ops, the slowest first.
  std::vector<StepTime> kinds() const;

  llvm::json::Value toJSON() const;
  /// Two aligned tables: the steps in the order of execution, and the kinds.
  void print(llvm::raw_ostream &os) const;
};

/// Times the steps of compiled code in one thread, on pixels without structure, for about `milliseconds` and a fifth of
/// that before; and the peak rate of the machine between them. Errors: the program has no profile.
llvm::Expected<Profile> profileSteps(const Program &program, double milliseconds);

} // namespace vitq::runner

#endif // VITQ_RUNNER_PROFILE_H
