//===- SelectNonlinear.cpp - Choose the integer algorithm of every nonlinearity -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SelectNonlinearMeasure.h"

#include "vitq/Analysis/ChoiceFile.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/Progress.h"
#include "vitq/Target/Backend/TargetBackend.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"

#define DEBUG_TYPE "vit-select-nonlinear"

namespace vitq {
#define GEN_PASS_DEF_VITSELECTNONLINEARPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class SelectNonlinear : public vitq::impl::VitSelectNonlinearPassBase<SelectNonlinear> {
  using VitSelectNonlinearPassBase::VitSelectNonlinearPassBase;

  void runOnOperation() override;

private:
  LogicalResult checkLayers(const NonlinearChoice &choice, ArrayRef<Operation *> ops);
  LogicalResult measure(const NonlinearChoice &choice, ArrayRef<Operation *> ops);
  AlgorithmSpec specOf(const NonlinearChoice &choice, Operation *op) const;
  FailureOr<AlgorithmSpec> selectMeasured(Operation *op);

  /// Shared: passes are copied.
  std::shared_ptr<const Target> costs;
  std::optional<NonlinearMeasurement> measurement;
};

/// An algorithm and what is known of it for one layer.
struct Candidate {
  AlgorithmSpec spec;
  double cost = 0, sqnr = 0;
  /// Why it cannot be used; empty if it can.
  std::string refused;
};

} // namespace

/// A layer that is chosen for by name must exist, and have such a form.
LogicalResult SelectNonlinear::checkLayers(const NonlinearChoice &choice, ArrayRef<Operation *> ops) {
  llvm::StringMap<StringRef> functions;
  SmallVector<StringRef> names;
  for (Operation *op : ops)
    if (auto [entry, isNew] = functions.try_emplace(nodeName(op->getLoc()), nonlinearFunctionOf(op)); isNew)
      names.push_back(entry->getKey());
  SmallVector<StringRef> wanted(choice.layers().keys());
  llvm::sort(wanted);
  for (StringRef name : wanted) {
    auto found = functions.find(name);
    if (found == functions.end()) {
      InFlightDiagnostic error = emitError(getOperation().getLoc(), "--nonlinear names the layer '")
                                 << name << "', but the model has no nonlinear function of that name";
      if (!names.empty())
        error << "; is " << suggestNames(name, names) << " meant?";
      return error;
    }
    const AlgorithmSpec spec = choice.layers().lookup(name);
    if (!spec.isAuto && !hasAlgorithm(found->second, spec.kind))
      return emitError(getOperation().getLoc(), "--nonlinear: the layer '")
             << name << "' is a " << found->second << ", which has no form '" << spec.str() << "'";
  }
  return success();
}

static void setAlgorithm(Operation *op, const AlgorithmSpec &spec) {
  auto algorithm = AlgorithmAttr::get(op->getContext(), spec.kind, spec.entries);
  op->setAttr("algorithm", algorithm);
  // The division that waits behind the product belongs to the softmax.
  if (auto softmax = dyn_cast<SoftmaxNumeratorOp>(op))
    for (Operation *user : softmax.getSum().getUsers())
      if (auto division = dyn_cast<DivideRowsOp>(user))
        division.setAlgorithmAttr(algorithm);
}

static unsigned inputBits(Operation *op) { return getQuantizedType(op->getOperand(0)).getStorageTypeIntegralWidth(); }

/// Beyond this SQNR an error vanishes beside that of the 8-bit codes around it.
static constexpr double kEnoughDb = 48;

/// What is measured for a function. Of equally cheap ones the earlier is preferred.
static SmallVector<AlgorithmSpec> candidatesOf(Operation *op) {
  SmallVector<AlgorithmSpec> specs{{Algorithm::Table}};
  // The others give codes of 8 bits.
  if (auto softmax = dyn_cast<SoftmaxNumeratorOp>(op); softmax && softmax.getWide())
    return specs;
  const StringRef function = nonlinearFunctionOf(op);
  // Shifts, and I-BERT's polynomial of degree two, are made for 8 bits.
  const bool narrow = !isa<UnaryFunction>(op) || inputBits(op) == 8;
  if (narrow)
    for (Algorithm kind : {Algorithm::Shift, Algorithm::Poly})
      if (hasAlgorithm(function, kind))
        specs.push_back({kind});
  for (int64_t entries : {8, 16})
    specs.push_back({Algorithm::Lut, entries});
  return specs;
}

/// Why `chosen` is taken, `reference` being what the budget counts from.
static std::string describe(ArrayRef<Candidate> candidates, const Candidate &reference, const Candidate &chosen,
                            double budget) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << chosen.spec.str() << (&chosen == &reference ? ": none that is cheaper is within " : ": the cheapest within ")
     << llvm::format("%g", budget) << " dB of " << reference.spec.str() << "; ";
  llvm::interleave(
      candidates, os,
      [&](const Candidate &candidate) {
        os << candidate.spec.str() << " ";
        if (!candidate.refused.empty())
          os << "(" << candidate.refused << ")";
        else
          os << llvm::format("%.1f dB at cost %.2f", candidate.sqnr, candidate.cost);
      },
      ", ");
  return text;
}

FailureOr<AlgorithmSpec> SelectNonlinear::selectMeasured(Operation *op) {
  SmallVector<Candidate> candidates;
  for (const AlgorithmSpec &spec : candidatesOf(op)) {
    Candidate candidate{spec, costs->nonlinearCost(nonlinearFunctionOf(op), spec, inputBits(op)), 0, {}};
    if (llvm::Expected<double> sqnr = measurement->sqnr(op, spec, lutMethod))
      candidate.sqnr = *sqnr;
    else
      candidate.refused = llvm::toString(sqnr.takeError());
    candidates.push_back(std::move(candidate));
  }
  auto usable = llvm::make_filter_range(candidates, [](const Candidate &c) { return c.refused.empty(); });
  if (usable.empty()) {
    op->emitError("--nonlinear=auto: '") << nodeName(op->getLoc())
                                         << "' can be computed by no algorithm: " << candidates.front().refused;
    return failure();
  }
  // The table, as a rule: not every function has one for 16 bits.
  const Candidate &reference = *usable.begin(), *best = &reference;
  const double least = std::min(reference.sqnr, kEnoughDb) - budget;
  for (const Candidate &candidate : usable)
    if (candidate.sqnr >= least && candidate.cost < best->cost)
      best = &candidate;
  recordDecision(op, "vit-select-nonlinear", describe(candidates, reference, *best, budget));
  return best->spec;
}

AlgorithmSpec SelectNonlinear::specOf(const NonlinearChoice &choice, Operation *op) const {
  const StringRef function = nonlinearFunctionOf(op);
  const std::string layer = nodeName(op->getLoc());
  AlgorithmSpec spec = choice.of(function, layer);
  // Probabilities of 4 bits are powers of two, unless softmax's algorithm is named.
  if (isa<SoftmaxNumeratorOp>(op) && getCodeBits(op->getResult(0)) == kPowersOfTwoBits &&
      !choice.names(function, layer))
    return AlgorithmSpec{Algorithm::Log2};
  // On 16 bits: a table with interpolation, or lines.
  if (!spec.isAuto && isa<UnaryFunction>(op) && inputBits(op) == 16 && spec.kind != Algorithm::Lut)
    spec = AlgorithmSpec();
  return spec;
}

/// Prepares the measurement of the layers whose algorithm is left open.
LogicalResult SelectNonlinear::measure(const NonlinearChoice &choice, ArrayRef<Operation *> ops) {
  SmallVector<Operation *> open;
  for (Operation *op : ops)
    if (specOf(choice, op).isAuto)
      open.push_back(op);
  if (open.empty())
    return success();
  TargetOptions beside;
  beside.hostTarget = hostTarget;
  llvm::Expected<std::unique_ptr<Target>> parsed = parseTarget(target, beside);
  if (!parsed)
    return emitError(getOperation().getLoc(), llvm::toString(parsed.takeError()));
  costs = std::move(*parsed);
  FailureOr<func::FuncOp> function = findMain(getOperation());
  if (failed(function))
    return failure();
  if (limit < 1)
    return emitError(getOperation().getLoc(), "--nonlinear=auto measures on one image at least: limit=")
           << limit.getValue() << " must be positive";
  FailureOr<CalibrationImages> images =
      CalibrationImages::open(*function, data, preprocess, static_cast<uint64_t>(limit), "--nonlinear=auto ");
  if (failed(images))
    return failure();
  FailureOr<NonlinearMeasurement> own = NonlinearMeasurement::create(*function, open, *images);
  if (failed(own))
    return failure();
  measurement = std::move(*own);
  return success();
}

void SelectNonlinear::runOnOperation() {
  llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(nonlinear);
  if (!choice) {
    emitError(getOperation().getLoc(), "--nonlinear: ") << llvm::toString(choice.takeError());
    return signalPassFailure();
  }
  if (!(budget >= 0 && budget <= 200)) {
    emitError(getOperation().getLoc(), "--nonlinear-budget must be 0 to 200 dB");
    return signalPassFailure();
  }
  SmallVector<Operation *> ops;
  getOperation().walk([&](Operation *op) {
    if (!nonlinearFunctionOf(op).empty() && getQuantizedType(op->getOperand(0)))
      ops.push_back(op);
  });
  if (failed(checkLayers(*choice, ops)) || failed(measure(*choice, ops)))
    return signalPassFailure();
  Progress progress("nonlinear functions", ops.size());
  for (Operation *op : ops) {
    FailureOr<AlgorithmSpec> spec = specOf(*choice, op);
    if (spec->isAuto)
      spec = selectMeasured(op);
    if (failed(spec))
      return signalPassFailure();
    LDBG() << nodeName(op->getLoc()) << ": " << spec->str();
    setAlgorithm(op, *spec);
    progress.advance();
  }
}
