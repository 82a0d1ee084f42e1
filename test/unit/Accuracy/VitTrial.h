//===- VitTrial.h - A small vision transformer, quantized and measured -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_ACCURACY_VITTRIAL_H
#define VITQ_TEST_UNIT_ACCURACY_VITTRIAL_H

#include "VitSpec.h"

#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Runner/Evaluation.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vitq::test {

/// A model that goes through the frontend, is calibrated once, and then compiled and
/// measured on pictures that the calibration did not see, as often as wanted.
class VitTrial {
public:
  static constexpr int64_t kCalibrationPictures = 96, kPictures = 16;

  explicit VitTrial(const VitSpec &spec);
  ~VitTrial();

  /// SQNR of the logits, in dB, of the integer program in the interpreter against the
  /// imported float model; infinite where they are equal, none after an error.
  std::optional<double> sqnr(Recipe recipe, const std::function<void(CompileOptions &)> &change = nullptr);

  /// Whether the program of the last `sqnr`, compiled for this machine, gives the
  /// interpreter's integers.
  bool nativeAgrees();

  /// Logits of the last `sqnr`, and of the float model.
  const runner::Outputs &logits() const { return actual; }
  const runner::Outputs &reference() const { return expected; }
  /// Real value of one of `logits`.
  double scale() const { return outputScale; }

  /// What went wrong, and warnings.
  const std::string &messages() const { return diagnostics; }

private:
  bool fail(llvm::Error error);
  bool prepare();
  bool calibrate();
  llvm::Expected<std::unique_ptr<data::ImageSource>> pictures(int64_t first, int64_t count) const;

  VitSpec spec;
  mlir::MLIRContext context;
  std::string diagnostics;
  mlir::ScopedDiagnosticHandler handler;
  std::vector<uint8_t> pixels;
  std::unique_ptr<data::ImageSource> source;
  mlir::OwningOpRef<mlir::ModuleOp> imported, calibrated, integers;
  runner::Outputs expected, actual;
  double outputScale = 0;
  bool isPrepared = false;
};

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_ACCURACY_VITTRIAL_H
