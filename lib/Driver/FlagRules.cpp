//===- FlagRules.cpp - Options that others make meaningless -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/FlagRules.h"

#include "vitq/Analysis/BitChoice.h"
#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Data/Synthetic.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace vitq;
using llvm::StringRef;

namespace {

/// The situation, and what follows from it.
struct Facts {
  explicit Facts(const FlagSituation &s)
      : s(s), isIVit(s.compile.recipe == Recipe::IVit),
        rotates(s.compile.rotateResidual == Toggle::On || s.compile.rotateHeads == Toggle::On) {
    if (llvm::Expected<BitChoice> choice = BitChoice::parse(bitsOf(s.compile))) {
      hasFewBits = choice->isBelow(8, /*weights=*/true) || choice->isBelow(8, /*weights=*/false);
      hasBudget = choice->budget().has_value();
      hasTargetBudget = choice->budget() && choice->budget()->opensActivations();
      const bool isBest = s.compile.recipe == Recipe::Best;
      const bool prepares = isBest || (hasFewBits && s.compile.recipe == Recipe::Default);
      isMeasuredAgain = prepares || s.compile.rotateHidden == Toggle::On || s.compile.centerChannels == Toggle::On;
      spreads = s.compile.rotateHidden == Toggle::On || (prepares && s.compile.rotateHidden == Toggle::Recipe);
      rotates |= prepares && (s.compile.rotateResidual == Toggle::Recipe || s.compile.rotateHeads == Toggle::Recipe);
    } else {
      llvm::consumeError(choice.takeError()); // An error of its own.
    }
    if (llvm::Expected<NonlinearChoice> choice = NonlinearChoice::parse(s.compile.nonlinear)) {
      hasAuto = choice->hasAuto();
      hasLines = choice->hasLines();
    } else {
      llvm::consumeError(choice.takeError()); // An error of its own.
    }
  }

  bool given(StringRef flag) const { return s.given.count(flag.str()); }
  bool isPast(Phase phase) const { return s.from && *s.from >= phase; }
  bool stopsBefore(Phase phase) const { return s.stopAfter < phase; }
  /// Whether the model that is written is that of the quantized phase.
  bool emitsOnnx() const { return s.stopAfter == Phase::Quantized && given("emit") && !given("stop-after"); }
  bool isOnnx() const { return StringRef(s.input).ends_with_insensitive(".onnx"); }
  bool hasData() const { return !s.compile.data.empty(); }
  /// Whether images are made up, by the seed.
  bool isSynthetic() const { return data::SyntheticSpec::isMeant(s.compile.data.getValue()); }
  /// Whether algorithms are chosen by measuring, which takes images and a target.
  bool measuresAlgorithms() const {
    return hasAuto && !isIVit && !isPast(Phase::Integer) && !stopsBefore(Phase::Integer);
  }
  /// Whether something is chosen by what it costs on the target.
  bool asksTarget() const {
    return measuresAlgorithms() || (hasTargetBudget && !isPast(Phase::Quantized) && !stopsBefore(Phase::Quantized));
  }

  const FlagSituation &s;
  bool isIVit, rotates, hasFewBits = false, hasBudget = false, hasTargetBudget = false, isMeasuredAgain = false,
                        spreads = false, hasAuto = false, hasLines = false;
};

struct Rule {
  llvm::SmallVector<StringRef> flags;
  /// Whether the flags have no effect, or cannot have it.
  bool (*isIdle)(const Facts &);
  /// What follows the flag in the message. {FLAG} is another flag as it was given,
  /// {input} the file.
  StringRef why;
};

} // namespace

llvm::ArrayRef<StringRef> vitq::quantizationFlags() {
  static const StringRef names[] = {"recipe",
                                    "weight-bits",
                                    "activation-bits",
                                    "bits",
                                    "split-outliers",
                                    "own-scales",
                                    "head-scales",
                                    "norm-scales",
                                    "fit-function-ranges",
                                    "fit-code-ranges",
                                    "bits-front",
                                    "fit-weights",
                                    "center-channels",
                                    "bias-compensation",
                                    "observer",
                                    "headroom",
                                    "load-ranges",
                                    "save-ranges",
                                    "rotate-residual",
                                    "rotate-heads",
                                    "rotate-hidden",
                                    "shift-channels",
                                    "seed"};
  return names;
}

static const llvm::SmallVector<Rule> &rules() {
  const llvm::SmallVector<StringRef> nonlinear = {"nonlinear", "nonlinear-budget", "lut-method"};
  const llvm::SmallVector<StringRef> quantization(quantizationFlags());
  const llvm::SmallVector<StringRef> images = {"calibration-data", "calibration-limit", "preprocess"};
  const llvm::SmallVector<StringRef> measured = {"report-data", "report-labels", "report-limit"};
  static const llvm::SmallVector<Rule> table = {
      // The way through the phases.
      {{"stop-after"},
       [](const Facts &f) { return f.s.from && *f.s.from > f.s.stopAfter; },
       "has no effect: {input} is past that phase"},
      {{"emit"},
       [](const Facts &f) { return f.emitsOnnx() && f.isPast(Phase::Deferred); },
       "writes the quantized phase, and {input} is past it: give --stop-after=integer"},

      {{"output"},
       [](const Facts &f) { return !f.isOnnx(); },
       "has no effect: what {input} gives is what its @main returns; choose outputs when the ONNX model is read"},

      // Nonlinear functions.
      {nonlinear, [](const Facts &f) { return f.stopsBefore(Phase::Integer); },
       "has no effect with {stop-after}, which ends before nonlinear functions become integers: leave one of them out"},
      {nonlinear, [](const Facts &f) { return f.isPast(Phase::Integer); },
       "has no effect: {input} is integers already; choose algorithms when the float model is compiled"},
      {nonlinear, [](const Facts &f) { return f.isIVit; },
       "has no effect with {recipe}, which has algorithms of its own for nonlinear functions: leave one of them out"},
      {{"nonlinear-budget"},
       [](const Facts &f) { return !f.hasAuto; },
       "has no effect without --nonlinear=auto, which alone gives accuracy up for cheaper algorithms"},
      {{"lut-method"},
       [](const Facts &f) { return !f.hasLines && !f.hasAuto; },
       "has no effect without --nonlinear=lut:N (or auto): no function is computed by lines"},

      // Quantization.
      {{"seed"},
       [](const Facts &f) { return !f.rotates && !f.isSynthetic(); },
       "has no effect without --rotate-residual=on or --rotate-heads=on: nothing is rotated"},
      {quantization, [](const Facts &f) { return f.stopsBefore(Phase::Quantized); },
       "has no effect with {stop-after}, which ends before the model is calibrated and quantized: leave one of them "
       "out"},
      // I-ViT's operators are chosen later, from modules that are quantized.
      {{"recipe"},
       [](const Facts &f) { return f.isPast(Phase::Quantized) && !f.isIVit; },
       "has no effect: {input} is quantized already; quantize the float model by it"},
      {{"recipe"},
       [](const Facts &f) {
         return f.isPast(Phase::Quantized) && (f.isPast(Phase::Integer) || f.stopsBefore(Phase::Integer));
       },
       "has no effect: {input} is quantized already; quantize the float model by it"},
      {llvm::SmallVector<StringRef>(llvm::drop_begin(quantization)),
       [](const Facts &f) { return f.isPast(Phase::Quantized); },
       "has no effect: {input} is quantized already; give it when the float model is compiled"},
      {{"split-outliers"},
       [](const Facts &f) { return f.isIVit && f.s.compile.splitOutliers != 0; },
       "does not go with {recipe}, whose layout has no 16-bit channels: leave one of them out"},
      {{"weight-bits", "activation-bits", "bits"},
       [](const Facts &f) { return f.isIVit; },
       "does not go with {recipe}, whose layout has 8 and 16 bits: leave one of them out"},
      {{"bits-front"},
       [](const Facts &f) { return !f.hasBudget; },
       "has no effect without --bits=auto:BUDGET=N, which alone chooses bits"},
      {{"fit-code-ranges"},
       [](const Facts &f) { return !f.hasFewBits; },
       "has no effect without --weight-bits, --activation-bits or --bits below 8: it is for few codes"},
      {{"shift-channels"},
       [](const Facts &f) { return !f.spreads; },
       "has no effect without --rotate-hidden=on: channels are shifted before they are spread"},
      {{"load-ranges"},
       [](const Facts &f) { return f.isMeasuredAgain; },
       "does not go with --recipe=best, --rotate-hidden, --center-channels, nor with fewer than 8 bits: the model is "
       "changed and measured again; give the "
       "images (--calibration-data), or --recipe=minmax"},
      {{"save-ranges"},
       [](const Facts &f) { return !f.hasData() && f.s.compile.loadRanges.empty(); },
       "has no effect: no ranges are measured; give images with --calibration-data"},

      // Calibration images.
      {{"calibration-data", "calibration-limit"},
       [](const Facts &f) { return f.stopsBefore(Phase::Quantized); },
       "has no effect with {stop-after}, which ends before the model is calibrated: leave one of them out"},
      // It gives an ONNX model the height and width that it leaves open.
      {{"preprocess"},
       [](const Facts &f) { return f.stopsBefore(Phase::Quantized) && !f.isOnnx(); },
       "has no effect with {stop-after}, which ends before the model is calibrated: leave one of them out"},
      {images, [](const Facts &f) { return f.isPast(Phase::Quantized) && !f.measuresAlgorithms(); },
       "has no effect: {input} is calibrated and quantized already"},
      {{"calibration-limit"},
       [](const Facts &f) { return !f.hasData(); },
       "has no effect without --calibration-data, whose images it counts"},

      // Targets.
      {{"target", "host-target"},
       [](const Facts &f) { return f.stopsBefore(Phase::Target) && !f.asksTarget(); },
       "has no effect on the module that is written, which is the same for all targets: ask for a program (--emit) or "
       "give --stop-after=target"},
      {{"place", "name"},
       [](const Facts &f) { return f.stopsBefore(Phase::Target); },
       "has no effect on the module that is written: ask for a program (--emit) or give --stop-after=target"},
      {{"openmp"},
       [](const Facts &f) { return f.stopsBefore(Phase::Target); },
       "is for programs: give --emit=so or obj too"},
      {{"weights", "ram", "flash"},
       [](const Facts &f) { return f.stopsBefore(Phase::Target); },
       "has no effect on the module that is written: ask for a program (--emit=c)"},

      // Batches.
      {{"batch-schedule"},
       [](const Facts &f) { return f.s.batch <= 1; },
       "has no effect on single images: give --batch=N too"},
      {{"batch-schedule"},
       [](const Facts &f) { return f.stopsBefore(Phase::Target); },
       "has no effect on the module that is written: ask for a program (--emit) or give --stop-after=target"},
      {{"batch"},
       [](const Facts &f) { return f.s.batch > 1 && f.stopsBefore(Phase::Integer) && !f.isOnnx(); },
       "has no effect: before the integer phase it is the size of an axis that an ONNX model leaves open"},

      {{"shape"},
       [](const Facts &f) { return !f.isOnnx(); },
       "has no effect: it is for inputs that an ONNX model leaves open, and {input} is none"},

      // Reports.
      {{"report-data", "report-labels", "report-limit", "report-times"},
       [](const Facts &f) { return !f.s.hasReport; },
       "is for a report: give --report=FILE too"},
      {measured, [](const Facts &f) { return f.stopsBefore(Phase::Integer); },
       "has no effect with {stop-after}: a report measures the integer phase beside the float model"},
      {measured, [](const Facts &f) { return f.isPast(Phase::Quantized); },
       "has no effect: {input} is quantized already, and a report measures beside the float model"},
      {{"report-limit"},
       [](const Facts &f) { return !f.hasData() && !f.s.hasReportData; },
       "has no effect without images: give --calibration-data or --report-data"},
  };
  return table;
}

/// Fills the names in braces in.
static std::string expand(StringRef text, const FlagSituation &situation) {
  std::string result;
  while (true) {
    auto [before, rest] = text.split('{');
    result += before;
    if (rest.empty())
      return result;
    auto [name, after] = rest.split('}');
    auto given = situation.given.find(name.str());
    if (name == "input")
      result += "'" + situation.input + "'";
    else if (auto emit = situation.given.find("emit");
             name == "stop-after" && given == situation.given.end() && emit != situation.given.end())
      result += emit->second; // which ends there too
    else
      result += given != situation.given.end() ? given->second : "--" + name.str();
    text = after;
  }
}

/// The first flag for targets that this one does not read: who does, and what to do.
static std::string findForeignFlag(const Facts &facts) {
  const FlagSituation &situation = facts.s;
  if (!situation.backend)
    return {};
  for (StringRef flag : {"host-target", "place", "openmp", "batch", "batch-schedule", "weights", "ram", "flash"}) {
    // A batch of one image is what every target has.
    if (!facts.given(flag) || situation.backend->reads(flag) || (flag == "batch" && situation.batch <= 1))
      continue;
    llvm::SmallVector<StringRef> subjects, syntaxes;
    for (const TargetBackend *other : registeredTargets())
      for (const TargetFlag &read : other->flags())
        if (read.name == flag) {
          subjects.push_back(read.subject);
          syntaxes.push_back(other->syntax());
        }
    const StringRef advice = situation.backend->adviceWithout(flag);
    std::string text = situation.given.at(flag.str()) + " is for " + llvm::join(subjects, " and ") + ": ";
    return text +
           (advice.empty() ? "give --target=" + llvm::join(syntaxes, " or ") + " too, or leave it out" : advice.str());
  }
  return {};
}

std::string vitq::findIdleFlag(const FlagSituation &situation) {
  const Facts facts(situation);
  if (std::string problem = findForeignFlag(facts); !problem.empty())
    return problem;
  for (const Rule &rule : rules())
    for (StringRef flag : rule.flags)
      if (facts.given(flag) && rule.isIdle(facts))
        return situation.given.at(flag.str()) + " " + expand(rule.why, situation);
  return {};
}

std::string vitq::findIdleFlag(const DriverOptions &options, std::optional<Phase> from) {
  FlagSituation situation{options.compile, options.given, options.input};
  situation.from = from;
  situation.stopAfter = options.stopAfter;
  if (llvm::Expected<TargetName> target = findTarget(options.target))
    situation.backend = target->backend;
  else
    llvm::consumeError(target.takeError()); // An error of its own.
  situation.batch = options.targetOptions.batch;
  situation.hasReport = !options.reports.empty();
  situation.hasReportData = !options.reportData.empty();
  return findIdleFlag(situation);
}
