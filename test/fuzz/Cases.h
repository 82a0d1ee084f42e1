//===- Cases.h - Compiling damaged files --------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_FUZZ_CASES_H
#define VITQ_TEST_FUZZ_CASES_H

#include "Mutate.h"

#include "vitq/Driver/Driver.h"

#include "mlir/IR/DialectRegistry.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>

namespace vitq::fuzz {

/// Which of the files is damaged: the ONNX model, the table of ranges given with
/// `--load-ranges`, the array given with `--calibration-data`, the model with a weight that is computed of
/// constants (ConstantSubgraph.cpp), the quantized model (QuantizedModel.cpp), or the one of functions and
/// operators that stand for several (CompositeModel.cpp).
enum class Kind { Model, Ranges, Npy, Constants, Quantized, Composite };
constexpr std::array<llvm::StringLiteral, 6> kKindNames = {"model",     "ranges",    "npy",
                                                           "constants", "quantized", "composite"};
inline bool isModel(Kind kind) { return kind != Kind::Ranges && kind != Kind::Npy; }

/// A case: which file, and the seed of its damage. The seed also chooses the recipe
/// and whether a damaged model is calibrated or given ranges.
struct Case {
  Kind kind;
  uint64_t seed;
  /// As in `--case=`: model:7.
  std::string name() const;
};

struct Outcome {
  enum Result {
    /// Compiled.
    Ok,
    /// Refused, with a diagnostic.
    Diagnosed,
    /// Neither, or files were left behind.
    Wrong
  };
  Result result;
  /// The diagnostics, or what is wrong.
  std::string text;
};

/// Compiles damaged copies of the digits model and its data up to the integer phase.
class Cases {
public:
  /// `digits` holds digits.onnx and calibration.npy; good ranges are made of them.
  /// Files are written to `work`, which must exist.
  static llvm::Expected<std::unique_ptr<Cases>> create(llvm::StringRef digits, llvm::StringRef work);

  /// Runs a case in this process. Its files stay where `folder` says when it goes wrong.
  Outcome run(Case which) const;

  /// Writes the files of a case and gives vitq-opt's arguments for it, without the
  /// name of the program.
  llvm::Expected<std::vector<std::string>> prepare(Case which) const;
  /// What vitq-opt left, judged by whether it succeeded and by its messages.
  Outcome judge(Case which, bool succeeded, std::string messages) const;

  std::string folder(Case which) const;

private:
  Cases(llvm::StringRef digits, llvm::StringRef work);
  void setOptions(Case which, DriverOptions &options) const;
  std::string damagedFile(Case which) const;
  llvm::Error write(Case which) const;

  mlir::DialectRegistry registry;
  std::string model, pixels, ranges, work;
  std::unique_ptr<ModelMutator> models, constants, quantized, composites;
  std::unique_ptr<RangesMutator> tables;
  std::unique_ptr<NpyMutator> arrays;
};

} // namespace vitq::fuzz

#endif // VITQ_TEST_FUZZ_CASES_H
