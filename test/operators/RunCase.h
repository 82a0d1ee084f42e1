//===- RunCase.h - What vitq makes of a case -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_OPERATORS_RUNCASE_H
#define VITQ_TEST_OPERATORS_RUNCASE_H

#include "Case.h"

#include "mlir/IR/MLIRContext.h"

namespace vitq::operators {

/// One way to compute a case.
struct Outcome {
  enum Kind {
    /// The case cannot be computed in this way.
    None,
    /// A diagnostic.
    Refused,
    Wrong,
    Passed
  };
  Kind kind = None;
  /// The diagnostic, or what is wrong.
  std::string text = {};
  /// The largest difference of reals, relative to the expected one or to a hundredth of the largest.
  double worst = 0;
  /// Of a passed one on data: every op has an integer form.
  bool isQuantizable = false;
};

/// How far a float may be from the expected one, in parts of that. Of halves it is at least one rounding.
struct Options {
  double tolerance = 1e-3;
};

/// All inputs as constants: by the evaluator.
Outcome runOnConstants(const Case &which, const Options &options, mlir::MLIRContext &context);
/// Float inputs, the first or all, as parts of an image: by the float interpreter. The other inputs are constants.
Outcome runOnData(const Case &which, bool allInputs, const Options &options, mlir::MLIRContext &context);
/// Whether `opType` of an image's data, and constants, becomes ops with an integer form.
bool hasIntegerForm(llvm::StringRef opType, mlir::MLIRContext &context);

} // namespace vitq::operators

#endif // VITQ_TEST_OPERATORS_RUNCASE_H
