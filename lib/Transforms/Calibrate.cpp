//===- Calibrate.cpp - Attach the ranges of a float model's values -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-calibrate"

namespace vitq {
#define GEN_PASS_DEF_VITCALIBRATEPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace vitq;

namespace {

class CalibratePass : public vitq::impl::VitCalibratePassBase<CalibratePass> {
public:
  using VitCalibratePassBase::VitCalibratePassBase;

  void runOnOperation() override;

private:
  FailureOr<calibration::RangeTable> load(func::FuncOp function);
  FailureOr<calibration::RangeTable> measure(func::FuncOp function);
  FailureOr<::vitq::data::Preprocess> parsePreprocess();

  /// Emits `error` at the module.
  LogicalResult fail(llvm::Error error) { return emitError(getOperation().getLoc(), llvm::toString(std::move(error))); }
};

} // namespace

FailureOr<::vitq::data::Preprocess> CalibratePass::parsePreprocess() {
  if (preprocess.empty())
    return ::vitq::data::Preprocess();
  llvm::Expected<::vitq::data::Preprocess> parsed = ::vitq::data::parsePreprocess(preprocess);
  if (!parsed)
    return fail(parsed.takeError());
  return *parsed;
}

/// Ranges of a file; `preprocess` may only repeat what it says.
FailureOr<calibration::RangeTable> CalibratePass::load(func::FuncOp function) {
  llvm::Expected<calibration::RangeTable> table = calibration::loadRanges(loadRanges);
  if (!table)
    return fail(table.takeError());
  if (failed(calibration::checkFingerprint(function, *table, loadRanges)))
    return failure();
  table->fingerprint = calibration::fingerprint(function);
  if (table->channels.empty() && table->histograms.empty())
    emitRemark(getOperation().getLoc())
        << loadRanges
        << " holds ranges without channels and histograms (version 1 of the file), which --recipe=default and "
           "--observer need: calibrate again (--calibration-data, --save-ranges), or compile with --recipe=minmax";
  if (preprocess.empty())
    return *table;
  FailureOr<::vitq::data::Preprocess> parsed = parsePreprocess();
  if (failed(parsed))
    return failure();
  if (std::string text = ::vitq::data::toString(*parsed); text != table->preprocess) {
    return emitError(getOperation().getLoc(), "the ranges of ")
           << loadRanges << " were measured with preprocess '" << table->preprocess << "', now it is '" << text
           << "'; leave it out, or calibrate again";
  }
  return *table;
}

FailureOr<calibration::RangeTable> CalibratePass::measure(func::FuncOp function) {
  auto type = function.getNumArguments() == 1 ? dyn_cast<RankedTensorType>(function.getArgument(0).getType()) : nullptr;
  int64_t channels = type && type.getRank() == 4 ? type.getDimSize(1) : 0;
  if (channels != 1 && channels != 3)
    return emitError(function.getLoc(),
                     "calibration needs a function of one float image tensor [B, C, H, W] with 1 or 3 "
                     "channels");
  FailureOr<::vitq::data::Preprocess> parsed = parsePreprocess();
  if (failed(parsed))
    return failure();
  auto source = ::vitq::data::ImageSource::open(
      data, *parsed, static_cast<int>(channels),
      ::vitq::data::Size{static_cast<int>(type.getDimSize(2)), static_cast<int>(type.getDimSize(3))});
  if (!source)
    return fail(source.takeError());
  calibration::CalibrationOptions options;
  if (limit)
    options.limit = limit;
  return calibration::calibrate(function, **source, options);
}

void CalibratePass::runOnOperation() {
  ModuleOp module = getOperation();
  FailureOr<func::FuncOp> found = findMain(module);
  if (failed(found))
    return signalPassFailure();
  func::FuncOp function = *found;
  if (data.empty() == loadRanges.empty()) {
    emitError(module.getLoc(), "calibration needs either images (data=, --calibration-data) or a file of ranges "
                               "(load-ranges=, --load-ranges)");
    return signalPassFailure();
  }
  if (limit > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    emitError(module.getLoc(), "the limit of calibration images (limit=, --calibration-limit) must not be negative");
    return signalPassFailure();
  }
  FailureOr<calibration::RangeTable> table = loadRanges.empty() ? measure(function) : load(function);
  if (failed(table))
    return signalPassFailure();
  std::string origin = loadRanges.empty() ? "the calibration" : loadRanges.getValue();
  if (failed(calibration::attachRanges(function, *table, origin)))
    return signalPassFailure();
  LDBG() << table->ranges.size() << " ranges, " << table->histograms.size() << " with a histogram, from " << origin;
  module->setAttr(calibration::kPreprocessAttr, StringAttr::get(&getContext(), table->preprocess));
  if (saveRanges.empty())
    return;
  if (llvm::Error error = calibration::saveRanges(*table, saveRanges)) {
    (void)fail(std::move(error));
    signalPassFailure();
  }
}
