//===- Report.h - What a compilation did, and what it cost -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/Report.md says what a report holds.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_REPORT_REPORT_H
#define VITQ_REPORT_REPORT_H

#include "vitq/Comparison/Comparison.h"
#include "vitq/Support/Stages.h"
#include "vitq/Target/Backend/Facts.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vitq {

/// The integer program and the float model on images; shares are percentages.
struct AccuracyFacts {
  int64_t images = 0;
  /// Where the images come from.
  std::string data;
  /// Of the first output of classes; none where there is none.
  std::optional<double> top1, top5, referenceTop1, referenceTop5, agreement;
  std::optional<double> logitsSqnrDb;
  std::vector<comparison::OutputFigures> outputs;

  /// Takes the figures of all outputs, and the last two above from them.
  void setOutputs(std::vector<comparison::OutputFigures> figures);
};

namespace reporting {
struct Data;
/// Something worth doing: a fact about a node, and a flag that may change it.
struct Finding {
  enum class Severity { High, Medium, Low };
  Severity severity = Severity::Medium;
  /// The ONNX node; empty when it is about the whole model.
  std::string node;
  std::optional<int64_t> channel;
  std::string text;
  /// The flag of vitq-opt to try.
  std::string flag;
};
} // namespace reporting

/// Collects what `--report` prints while a module goes through the phases.
class Report {
public:
  Report();
  ~Report();

  /// Model file, options as the user wrote them.
  void setInput(llvm::StringRef model, llvm::StringRef nonlinear);
  /// Options by name, as text: "recipe" -> "minmax". Findings read them.
  void setOptions(std::vector<std::pair<std::string, std::string>> options);
  /// Images that were calibrated on, 0 when ranges were read.
  void setCalibrationImages(int64_t images);
  /// Remembers the calibrated ranges of a float module, and, where it has them,
  /// channel ranges and histograms (vitq/Analysis/CalibrationStatistics.h).
  void recordRanges(mlir::ModuleOp module);
  /// Reads ops, bits, scales, algorithms, MACs and bytes of an integer module.
  void recordIntegerModule(mlir::ModuleOp module);
  /// The integer module against the float one, op by op.
  void setComparison(comparison::Comparison comparison);
  void setAccuracy(AccuracyFacts facts);
  void setNative(NativeFacts facts);
  void setArray(ArrayFacts facts);
  /// What the stages of the compilation cost, in order.
  void setStages(std::vector<StageCost> stages);

  /// What is worth doing, the most urgent first.
  std::vector<reporting::Finding> findings() const;

  /// Writes the report: JSON for a path that ends in `.json`, one HTML page for
  /// `.html`, text otherwise ("-" is standard output). The file appears whole or
  /// not at all.
  llvm::Error write(llvm::StringRef path) const;
  llvm::json::Value toJSON() const;
  void print(llvm::raw_ostream &os) const;
  /// One page that needs nothing else: no network, no scripts.
  void printHtml(llvm::raw_ostream &os) const;

private:
  std::unique_ptr<reporting::Data> data;
};

} // namespace vitq

#endif // VITQ_REPORT_REPORT_H
