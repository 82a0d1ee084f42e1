//===- Report.h - What a compilation did -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_REPORT_REPORT_H
#define VITQ_REPORT_REPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <map>
#include <optional>
#include <string>

namespace vitq {

/// Facts of a native program; empty where no object was made. `weightBytes` are
/// those of the packed constants in the object.
struct NativeFacts {
  std::string target;
  std::optional<int64_t> weightBytes, arenaBytes, arenaLowerBound, codeBytes, floatInstructions;
};

/// Collects what `--report` prints while a module goes through the phases.
class Report {
public:
  /// Model file, options as the user wrote them.
  void setInput(llvm::StringRef model, llvm::StringRef nonlinear);
  /// Remembers the calibrated range of every node of a float module (`vit.range`).
  void recordRanges(mlir::ModuleOp module);
  /// Reads ops, bits, scales, algorithms, MACs and bytes of an integer module.
  void recordIntegerModule(mlir::ModuleOp module);
  void setNative(NativeFacts facts) { native = std::move(facts); }

  /// Writes the report: JSON for a path that ends in `.json`, text otherwise ("-" is
  /// standard output). The file appears whole or not at all.
  llvm::Error write(llvm::StringRef path) const;
  llvm::json::Value toJSON() const;
  void print(llvm::raw_ostream &os) const;

private:
  struct OpEntry {
    int64_t id = -1;
    std::string node, op, algorithm;
    llvm::SmallVector<unsigned> operandBits, resultBits;
    llvm::SmallVector<double> scales;
    llvm::SmallVector<int64_t> zeroPoints, accumulator;
    std::optional<std::pair<double, double>> range;
    int64_t macs = 0, constantBytes = 0, resultBytes = 0;
  };
  std::string model, nonlinear, preprocess;
  std::map<std::string, std::pair<double, double>> ranges;
  std::vector<OpEntry> ops;
  NativeFacts native;
  int64_t macs = 0, weightBytes = 0;
};

} // namespace vitq

#endif // VITQ_REPORT_REPORT_H
