//===- Write.h - Tables as JSON, C and pictures -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_WRITE_H
#define VITQ_APPROXIMATION_WRITE_H

#include "vitq/Approximation/PiecewiseTable.h"

#include "llvm/Support/raw_ostream.h"

namespace vitq::approximation {

/// A table with what it was made from.
struct TableDocument {
  std::string function; ///< name
  std::string method;   ///< name
  std::function<double(double)> evaluate;
  PiecewiseTable table; ///< in the published storage: intercepts not in steps
  TableFormat format;
  double scale = 1.0;
  unsigned inputBits = 8;
  bool isSigned = true;
  int64_t firstCode = 0, lastCode = 0;   ///< where errors count
  int64_t firstInput = 0, lastInput = 0; ///< what inputs may be; contains the former
  double meanSquaredError = 0.0, largestError = 0.0;
  /// Input steps, and the error of the table with its breakpoints moved to them.
  std::vector<std::pair<double, double>> scaleErrors;
};

/// An object with the keys function, method, entries, input_scale, input_bits, signed,
/// range (first and last code), fraction_bits, slope_bits, intercept_bits, breakpoints,
/// slopes, intercepts, mean_squared_error, largest_error, errors_at_scales.
///   y = (slope * q * input_scale + intercept) / 2^fraction_bits
void writeJson(llvm::raw_ostream &os, const TableDocument &document);

/// A C99 file with the table and `static` functions on integers alone. Intercepts are
/// in steps there, exactly if the scale is a power of two not above 1.
void writeC(llvm::raw_ostream &os, const TableDocument &document);

/// An SVG picture: the function with the table's lines, and below it the error.
void writePlot(llvm::raw_ostream &os, const TableDocument &document);

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_WRITE_H
