//===- MakeTable.cpp - One table, as asked for on the command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MakeTable.h"

#include "vitq/Approximation/Fit.h"
#include "vitq/Support/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;
using namespace vitq::lut;
using llvm::formatv;

llvm::StringRef lut::methodName(Method method) {
  switch (method) {
  case Method::Genetic:
    return "genetic";
  case Method::Optimal:
    return "optimal";
  case Method::Uniform:
    return "uniform";
  case Method::Network:
    return "nn-lut";
  }
  llvm_unreachable("all methods are above");
}

static std::string text(double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%g", value);
  return result;
}

namespace {

/// How much a code counts that inputs may have but that is not in the range: enough to
/// keep lines sensible there, too little to cost accuracy in the range.
constexpr double kWeightBeyond = 1.0 / 64.0;

/// A request with everything that follows from the function.
class Setup {
public:
  explicit Setup(const Request &request)
      : request(request), info(*request.function), isSigned(request.isSigned.value_or(info.isSigned)),
        range(request.range.value_or(std::pair(info.lower, info.upper))),
        scale(request.scale.value_or(FunctionInfo::scaleFor(range.first, range.second, request.inputBits, isSigned))) {
    format.slopeBits = request.slopeBits;
    format.interceptBits = request.interceptBits.value_or(request.slopeBits);
    // Wider slopes have more fractional bits.
    const int wider = static_cast<int>(request.slopeBits) - 8 + static_cast<int>(info.fractionBits);
    format.fractionBits = request.fractionBits.value_or(static_cast<unsigned>(std::clamp(wider, 0, 30)));
  }

  FunctionInfo::Codes rangeAt(double step) const {
    return FunctionInfo::codesWithin(range.first, range.second, step, request.inputBits, isSigned);
  }
  /// Codes that inputs may have: those of the range, and those of the function.
  FunctionInfo::Codes inputsAt(double step) const {
    return FunctionInfo::codesWithin(std::min(range.first, info.inputLower), std::max(range.second, info.inputUpper),
                                     step, request.inputBits, isSigned);
  }
  /// Seven powers of two; down to the published 2^-6 for 8 bits.
  std::vector<double> scales() const {
    std::vector<double> steps;
    for (int k = 0; k <= 6; ++k)
      steps.push_back(std::ldexp(1.0, 8 - static_cast<int>(request.inputBits) - k));
    return steps;
  }

  /// The range alone, every code counting the same.
  FitProblem problemAt(double step) const {
    FitProblem problem;
    problem.function = info.evaluate;
    problem.name = info.name.str();
    problem.scale = step;
    problem.entries = request.entries;
    problem.format = format;
    auto [first, last] = rangeAt(step);
    problem.firstCode = first;
    problem.lastCode = last;
    return problem;
  }

  /// With the codes beyond the range.
  FitProblem widerProblemAt(double step) const {
    FitProblem problem = problemAt(step);
    auto [first, last] = inputsAt(step);
    for (int64_t code = first; code <= last; ++code)
      problem.weights.push_back(code < problem.firstCode || code > problem.lastCode ? kWeightBeyond : 1.0);
    problem.firstCode = first;
    problem.lastCode = last;
    return problem;
  }

  llvm::Error check() const {
    if (!(scale > 0.0) || !std::isfinite(scale))
      return llvm::createStringError("the input scale is " + text(scale) + "; it must be positive and finite");
    auto [first, last] = rangeAt(scale);
    if (first <= last)
      return llvm::Error::success();
    const int64_t low = isSigned ? -(int64_t(1) << (request.inputBits - 1)) : 0;
    const int64_t high = low + (int64_t(1) << request.inputBits) - 1;
    return llvm::createStringError(
        formatv("the range {0}:{1} excludes the data: at scale {2} the {3} {4}-bit codes stand for {5} to {6}",
                text(range.first), text(range.second), text(scale), isSigned ? "signed" : "unsigned", request.inputBits,
                text(static_cast<double>(low) * scale), text(static_cast<double>(high) * scale))
            .str());
  }

  const Request &request;
  const FunctionInfo &info;
  const bool isSigned;
  const std::pair<double, double> range;
  const double scale;
  TableFormat format;
};

} // namespace

/// A line of progress over runs, or over the time they have.
static llvm::Expected<GeneticResult> searchWithProgress(const GeneticProblem &problem, const GeneticOptions &options) {
  const auto start = std::chrono::steady_clock::now();
  const bool timed = options.seconds > 0.0;
  const auto steps = static_cast<size_t>(timed ? std::ceil(options.seconds * 10.0) : options.seeds);
  size_t shown = 0;
  Progress progress("genetic search for " + problem.name, steps);
  return fitGenetic(problem, options, [&](unsigned runs, double) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    const size_t reached = std::min(timed ? static_cast<size_t>(passed.count() * 10.0) : size_t(runs), steps);
    progress.advance(reached - shown);
    shown = reached;
  });
}

static llvm::Expected<PiecewiseTable> fitGeneticTable(const Setup &setup) {
  const Request &request = setup.request;
  GeneticProblem problem = GeneticProblem::published(setup.info, request.entries);
  problem.format = setup.format;
  if (request.range) {
    std::tie(problem.lower, problem.upper) = *request.range;
    problem.initialLower = problem.lower;
    problem.initialUpper = problem.upper;
    problem.outerLower =
        std::isfinite(setup.info.inputLower) ? problem.lower : std::min(problem.outerLower, problem.lower);
    problem.outerUpper =
        std::isfinite(setup.info.inputUpper) ? problem.upper : std::max(problem.outerUpper, problem.upper);
    problem.gridStep = (problem.upper - problem.lower) / 800.0;
  }
  const int64_t count = int64_t(1) << request.inputBits;
  problem.firstCode = setup.isSigned ? -(count / 2) : 0;
  problem.lastCode = problem.firstCode + count - 1;
  problem.scales.clear();
  // Where a power of two brings inputs into the range, they have one step. Steps at which
  // the range holds no code are no judges.
  const bool oneStep = request.scale || (std::isfinite(setup.info.inputLower) && std::isfinite(setup.info.inputUpper));
  for (double step : oneStep ? std::vector<double>{setup.scale} : setup.scales())
    if (auto [first, last] = setup.rangeAt(step); first <= last)
      problem.scales.push_back(step);

  GeneticOptions options = request.genetic;
  const GeneticOptions published = GeneticOptions::published(setup.info, request.entries);
  options.roundingMutation = request.roundingMutation.value_or(published.roundingMutation);
  options.roundingFirst = published.roundingFirst;
  llvm::Expected<GeneticResult> result = searchWithProgress(problem, options);
  if (!result)
    return result.takeError();
  return result->table(setup.scale, problem.firstCode, problem.lastCode);
}

/// The best of several networks. Some end in lines that do not fit their widths; that is
/// an error only if all do.
static llvm::Expected<PiecewiseTable> fitBestNetwork(const Setup &setup) {
  const FitProblem problem = setup.problemAt(setup.scale);
  const unsigned seeds = setup.request.genetic.seeds;
  NetworkOptions options;
  options.seed = setup.request.genetic.seed;
  Progress progress("training for " + problem.name, seeds);
  std::optional<PiecewiseTable> best;
  llvm::Error errors = llvm::Error::success();
  for (unsigned i = 0; i < seeds; ++i, ++options.seed, progress.advance()) {
    llvm::Expected<PiecewiseTable> table = fitNetwork(problem, options);
    if (!table) {
      llvm::consumeError(std::move(errors));
      errors = table.takeError();
    } else if (!best || meanSquaredError(problem, *table) < meanSquaredError(problem, *best)) {
      best = std::move(*table);
    }
  }
  if (!best)
    return errors;
  llvm::consumeError(std::move(errors));
  return std::move(*best);
}

static llvm::Expected<PiecewiseTable> fitTable(const Setup &setup) {
  switch (setup.request.method) {
  case Method::Genetic:
    return fitGeneticTable(setup);
  case Method::Optimal:
    return fitOptimal(setup.widerProblemAt(setup.scale));
  case Method::Uniform:
    return fitUniform(setup.problemAt(setup.scale));
  case Method::Network:
    break;
  }
  return fitBestNetwork(setup);
}

llvm::Expected<TableDocument> lut::makeTable(const Request &request) {
  const Setup setup(request);
  if (llvm::Error error = setup.check())
    return error;
  const FitProblem problem = setup.problemAt(setup.scale);
  if (llvm::Error error = checkProblem(problem))
    return error;
  llvm::Expected<PiecewiseTable> table = fitTable(setup);
  if (!table)
    return table.takeError();

  TableDocument document;
  document.function = setup.info.name.str();
  document.method = methodName(request.method).str();
  document.evaluate = setup.info.evaluate;
  document.table = std::move(*table);
  document.format = setup.format;
  document.scale = setup.scale;
  document.inputBits = request.inputBits;
  document.isSigned = setup.isSigned;
  document.firstCode = problem.firstCode;
  document.lastCode = problem.lastCode;
  auto [firstInput, lastInput] = setup.inputsAt(setup.scale);
  document.firstInput = firstInput;
  document.lastInput = lastInput;
  document.meanSquaredError = meanSquaredError(problem, document.table);
  document.largestError = largestError(problem, document.table);
  for (double step : setup.scales()) {
    const FitProblem there = setup.problemAt(step);
    if (there.firstCode > there.lastCode)
      continue;
    const PiecewiseTable moved = moveToScale(document.table, setup.scale, step, there.firstCode, there.lastCode);
    document.scaleErrors.emplace_back(step, meanSquaredError(there, moved));
  }
  return document;
}

void lut::printErrors(llvm::raw_ostream &os, const Request &request, const TableDocument &document) {
  const Setup setup(request);
  os << formatv("{0}, {1} entries, {2}: input scale {3}, codes {4}..{5} ({6} to {7}), lambda {8}\n", document.function,
                document.table.entries(), document.method, text(document.scale), document.firstCode, document.lastCode,
                text(static_cast<double>(document.firstCode) * document.scale),
                text(static_cast<double>(document.lastCode) * document.scale), document.table.fractionBits);
  os << llvm::format("mean squared error %.3e, largest error %.3e\n\n", document.meanSquaredError,
                     document.largestError);
  os << "mean squared error of this table, its breakpoints rounded for another scale, and of the\n"
        "optimal table of that scale\n\n"
     << "       scale    codes  this table     optimal\n";
  for (auto [step, error] : document.scaleErrors) {
    const FitProblem there = setup.problemAt(step);
    os << llvm::format("%12g %8d   %.3e", step, static_cast<int>(there.lastCode - there.firstCode + 1), error);
    llvm::Expected<PiecewiseTable> optimal = fitOptimal(there);
    if (optimal)
      os << llvm::format("   %.3e\n", meanSquaredError(there, *optimal));
    else
      os << "           -\n";
    llvm::consumeError(optimal.takeError());
  }
}
