//===- MakeTable.h - One table, as asked for on the command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TOOLS_VITQ_LUT_MAKETABLE_H
#define VITQ_TOOLS_VITQ_LUT_MAKETABLE_H

#include "vitq/Approximation/Functions.h"
#include "vitq/Approximation/Genetic.h"
#include "vitq/Approximation/Write.h"

#include <optional>

namespace vitq::lut {

enum class Method { Genetic, Optimal, Uniform, Network };

llvm::StringRef methodName(Method method);

/// What is asked for; what is absent follows from the function.
struct Request {
  const approximation::FunctionInfo *function = nullptr;
  Method method = Method::Optimal;
  unsigned entries = 8;
  std::optional<double> scale;
  std::optional<std::pair<double, double>> range; ///< real, where errors count
  unsigned inputBits = 8;
  std::optional<bool> isSigned;
  std::optional<unsigned> fractionBits;
  unsigned slopeBits = 8;
  std::optional<unsigned> interceptBits; ///< those of slopes unless given
  approximation::GeneticOptions genetic;
  std::optional<bool> roundingMutation;
};

/// Fits the table. Shows progress on a terminal.
llvm::Expected<approximation::TableDocument> makeTable(const Request &request);

/// Prints what the table is and its errors at seven input steps, beside those of the
/// optimal tables of these steps.
void printErrors(llvm::raw_ostream &os, const Request &request, const approximation::TableDocument &document);

} // namespace vitq::lut

#endif // VITQ_TOOLS_VITQ_LUT_MAKETABLE_H
