//===- ChooseBits.cpp - Bits of tensors by what they cost and lose -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Analysis/BitFront.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/MainFunction.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#define DEBUG_TYPE "vit-choose-bits"

namespace vitq {
#define GEN_PASS_DEF_VITCHOOSEBITSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::quantize;

/// Images that weights are rounded for: they are in memory all at once.
static constexpr size_t kMostFitted = 64;
/// Budgets that the front is computed for, and steps of the knapsacks.
static constexpr int kFrontPoints = 24;
static constexpr size_t kFrontSteps = 1 << 12;
/// Halvings of the sizes between which the least one for `drop` is looked for.
static constexpr int kDropSteps = 8;
/// With less saved than this, fewer bits save nothing.
static constexpr double kLeastSaving = 0.999;

namespace {

class ChooseBits : public vitq::impl::VitChooseBitsPassBase<ChooseBits> {
  using VitChooseBitsPassBase::VitChooseBitsPassBase;

  void runOnOperation() override {
    llvm::Expected<BitChoice> parsed = BitChoice::parse(bits);
    if (!parsed) {
      emitError(getOperation().getLoc(), "--bits: ") << llvm::toString(parsed.takeError());
      return signalPassFailure();
    }
    if (!parsed->budget())
      return;
    budget = *parsed->budget();
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(run(*function, *parsed)))
      signalPassFailure();
  }

  LogicalResult run(func::FuncOp function, const BitChoice &choice) {
    FailureOr<BitProblem> found = findSites(function, choice, budget.opensActivations());
    if (failed(found))
      return failure();
    problem = std::move(*found);
    if (failed(findCosts(function)) || failed(checkBudget()))
      return failure();
    FailureOr<CalibrationImages> images = CalibrationImages::open(function, data, preprocess, limit, "--bits=auto ");
    if (failed(images))
      return failure();
    const size_t runs = images->batches();
    BitMeter::Split split;
    split.aside = std::min<size_t>(aside, runs / 2);
    split.fitted = std::min<size_t>(runs - split.aside, kMostFitted);
    split.single = std::min<size_t>(single, split.aside == 0 ? split.fitted : split.aside);
    FailureOr<BitMeter> meter = BitMeter::create(function, std::move(*images), split);
    if (failed(meter) || failed(meter->prepare(problem.sites)) || failed(meter->measure(problem.sites)) ||
        failed(choose(*meter)))
      return failure();
    record();
    LogicalResult written = writeFront();
    problem = BitProblem();
    return written;
  }

  InFlightDiagnostic fail() { return emitError(getOperation().getLoc(), "--bits=auto: "); }

  //===--------------------------------------------------------------------===//
  // What bits cost
  //===--------------------------------------------------------------------===//

  LogicalResult findCosts(func::FuncOp function) {
    if (!budget.opensActivations()) {
      costs = BitCosts::ofSize(problem);
      allowed = budget.kind == BitBudget::Kind::Size ? budget.value : costs.ofEight();
      return success();
    }
    TargetOptions beside;
    beside.hostTarget = hostTarget;
    llvm::Expected<std::unique_ptr<Target>> parsed = parseTarget(target, beside);
    if (!parsed)
      return emitError(getOperation().getLoc(), llvm::toString(parsed.takeError()));
    const bool isEnergy = budget.kind == BitBudget::Kind::Energy;
    std::optional<BitCosts> effort =
        BitCosts::ofEffort(problem, function, **parsed, isEnergy ? Effort::Energy : Effort::Latency);
    if (!effort)
      return fail() << toString(budget.kind) << " is not modelled for --target=" << target
                    << (isEnergy ? "; of a systolic array (--target=systolic:CONFIG) it is" : "")
                    << ", auto:size=N for all";
    costs = std::move(*effort);
    allowed = budget.value * costs.ofEight();
    return success();
  }

  /// The budget as the user wrote it, and what else costs as much.
  std::string textOf(double cost) const {
    return frontOf().costText(budget.opensActivations() ? cost / costs.ofEight() : cost);
  }

  LogicalResult checkBudget() {
    if (problem.sites.empty())
      return fail() << "there is nothing to choose: of the first layer, the last one and what --bits names bits are "
                       "given";
    const double least = costs.least();
    if (budget.opensActivations() && least > kLeastSaving * costs.ofEight())
      return fail() << "on --target=" << target << " fewer bits take as "
                    << (budget.kind == BitBudget::Kind::Energy ? "much energy" : "long")
                    << " as 8: its products are of bytes anyway; auto:size=N makes the program smaller";
    if (allowed >= least)
      return success();
    if (budget.opensActivations())
      return fail() << toString(budget.kind) << " of " << textOf(allowed)
                    << " of what 8 bits take is asked for, but with the fewest bits it is " << textOf(least)
                    << "; what bits do not change, and what --bits names, are " << textOf(costs.fixedPart());
    return fail() << "weights of " << textOf(allowed) << " are asked for, but with 2 bits they take " << textOf(least)
                  << " (with 8 bits " << textOf(costs.ofEight())
                  << "); of these the first layer, the last one and what --bits names take "
                  << textOf(costs.fixedPart());
  }

  //===--------------------------------------------------------------------===//
  // Choosing
  //===--------------------------------------------------------------------===//

  LogicalResult choose(const BitMeter &meter) {
    if (budget.kind == BitBudget::Kind::Drop)
      return chooseByDrop(meter);
    std::optional<BitSelection> best = costs.choose(problem.sites, allowed);
    if (!best)
      return fail() << "no choice of bits is within the budget";
    selection = std::move(*best);
    if (meter.asideRuns() == 0 || repairs == 0)
      return success();
    FailureOr<BitRepair> repaired = repair(meter, costs, problem.sites, allowed, repairs, selection);
    if (failed(repaired))
      return failure();
    LDBG() << repaired->tried << " exchanges measured, " << repaired->taken << " taken";
    keep(repaired->before, repaired->after);
    return success();
  }

  void keep(const MeasuredLoss &before, const MeasuredLoss &after) {
    measured = {static_cast<int64_t>(after.divergence.size()), before.mean, after.mean, after.changed, after.points};
  }

  /// The least size whose measured loss is small enough, by halving the sizes between which it lies.
  LogicalResult chooseByDrop(const BitMeter &meter) {
    if (meter.asideRuns() == 0)
      return fail() << "drop is measured on images that nothing was fitted to: give two calibration images at least";
    double small = costs.least(), large = costs.ofEight();
    for (int step = 0; step <= kDropSteps; ++step) {
      const double size = step == 0 ? large : (small + large) / 2;
      std::optional<BitSelection> trial = costs.choose(problem.sites, size);
      if (!trial)
        return fail() << "no choice of bits is within the budget";
      FailureOr<MeasuredLoss> loss = meter.measure(problem.sites, *trial);
      if (failed(loss))
        return failure();
      LDBG() << size << " bytes: " << loss->points << " points";
      const bool isEnough = loss->points <= budget.value;
      if (step == 0 && !isEnough)
        return fail() << "a loss of " << llvm::formatv("{0:f2}", budget.value).str()
                      << " points is asked for, but weights of 8 bits lose "
                      << llvm::formatv("{0:f2}", loss->points).str();
      if (!isEnough) {
        small = size;
        continue;
      }
      large = size;
      selection = std::move(*trial);
      keep(*loss, *loss);
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Writing down
  //===--------------------------------------------------------------------===//

  void record() {
    Builder b(&getContext());
    for (auto [site, w] : llvm::zip_equal(problem.sites, selection)) {
      Operation *op = site.op();
      const llvm::StringRef attribute = site.isWeights() ? kWeightBitsAttr : kCodeBitsAttr;
      op->removeAttr(attribute);
      if (site.widths[w] < kDefaultCodeBits)
        op->setAttr(attribute, b.getI64IntegerAttr(site.widths[w]));
      std::string text = site.isWeights() ? "" : (toString(site.role) + " of ").str();
      text += std::to_string(site.widths[w]) + " bits;";
      for (auto [width, loss] : llvm::zip_equal(site.widths, site.loss))
        text += llvm::formatv(" {0}: {1:e2}", width, loss).str();
      text += " nats lost";
      recordDecision(op, "vit-choose-bits", text);
      LDBG() << site.node << ": " << text;
      ++numTensors;
    }
  }

  BitFront frontOf() const {
    BitFront front;
    front.kind = budget.kind;
    return front;
  }

  BitFront::Point pointOf(const BitSelection &of) const {
    BitFront::Point point{costs.total(of) / (budget.opensActivations() ? costs.ofEight() : 1), 0};
    for (auto [site, w] : llvm::zip_equal(problem.sites, of))
      point.loss += site.loss[w];
    return point;
  }

  /// All sites with so many bits.
  BitSelection alike(unsigned width) const {
    BitSelection all;
    for (const BitSite &site : problem.sites)
      all.push_back(llvm::find(site.widths, width) - site.widths.begin());
    return all;
  }

  llvm::json::Object toJSON(const BitSelection &of) const {
    const BitFront::Point point = pointOf(of);
    llvm::json::Object weights, activations;
    for (auto [site, w] : llvm::zip_equal(problem.sites, of))
      (site.isWeights() ? weights : activations)[site.node] = site.widths[w];
    llvm::json::Object object{{"cost", point.cost},
                              {"bytes", BitCosts::ofSize(problem).total(of)},
                              {"loss_nats", point.loss},
                              {"weight_bits", std::move(weights)}};
    if (budget.opensActivations())
      object["activation_bits"] = std::move(activations);
    return object;
  }

  /// Budgets from the least to that of 8 bits, with what each would lose.
  LogicalResult writeFront() {
    BitFront front = frontOf();
    llvm::json::Array choices;
    const BitSelection cheapest = costs.cheapest(problem.sites);
    const double least = costs.total(cheapest), most = costs.ofEight();
    for (int i = 0; i <= kFrontPoints; ++i) {
      // Costs are rounded up in a knapsack: at the least nothing would be within the budget.
      std::optional<BitSelection> best = cheapest;
      if (i > 0)
        best = costs.choose(problem.sites, least + (most - least) * i / kFrontPoints, kFrontSteps);
      if (!best)
        continue;
      front.points.push_back(pointOf(*best));
      choices.push_back(toJSON(*best));
    }
    front.chosen = pointOf(selection);
    front.eight = pointOf(alike(8));
    front.four = pointOf(alike(4));
    front.measured = measured;
    setBitFront(getOperation(), front);
    if (frontFile.empty())
      return success();
    llvm::json::Object chosen = toJSON(selection);
    if (measured)
      chosen["measured"] = llvm::json::Object{{"images", measured->images},
                                              {"loss_nats_before_repair", measured->before},
                                              {"loss_nats", measured->after},
                                              {"classes_changed_percent", measured->changed},
                                              {"points", measured->points}};
    llvm::json::Value all = llvm::json::Object{{"version", 1},
                                               {"budget", toString(budget.kind)},
                                               {"cost", front.costName()},
                                               {"front", std::move(choices)},
                                               {"chosen", std::move(chosen)},
                                               {"all_8", toJSON(alike(8))},
                                               {"all_4", toJSON(alike(4))}};
    if (llvm::Error error = writeFileAtomically(frontFile, llvm::formatv("{0:2}\n", all).str()))
      return emitError(getOperation().getLoc(), llvm::toString(std::move(error)));
    return success();
  }

  BitBudget budget;
  BitProblem problem;
  BitCosts costs;
  /// What the choice may cost, in the unit of `costs`.
  double allowed = 0;
  BitSelection selection;
  std::optional<BitFront::Measured> measured;
};

} // namespace
