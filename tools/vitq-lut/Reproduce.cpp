//===- Reproduce.cpp - Published tables beside ours -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reproduce.h"

#include "vitq/Approximation/Fit.h"
#include "vitq/Support/Progress.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

#include <array>
#include <chrono>
#include <cmath>
#include <optional>

using namespace vitq;
using namespace vitq::approximation;

namespace {

constexpr int kScales = 7;

/// What is known of a function's published table.
struct Published {
  const char *function;
  unsigned entries;
  /// Mean squared errors at the steps 2^0 ... 2^-6; none at a step without a table.
  std::array<std::optional<double>, kScales> errors;
  const char *note = "";
};

/// Measured on the tables that the authors of GQA-LUT (Dong et al., DAC 2024, arXiv
/// 2403.19591) publish as pretrained/*.json in their repository (commit a5be4ea; those
/// of 1/sqrt(x), d349832, hold no table for k = 6), on the codes q * 2^-k of 8 bits
/// within the range of the function, a code at a breakpoint belonging to the right: they
/// are not figures of the paper.
constexpr Published kPublished[] = {
    {"gelu", 8, {1.19e-4, 1.43e-4, 1.04e-4, 7.6e-5, 7.3e-5, 7.2e-5, 1.11e-4}},
    {"gelu", 16, {3.67e-4, 1.73e-4, 3.1e-5, 1.8e-5, 1.8e-5, 1.6e-5, 1.1e-5}},
    {"hardswish", 8, {7.5e-5, 3.28e-4, 3.17e-4, 3.28e-4, 3.27e-4, 3.33e-4, 4.46e-4}},
    {"hardswish", 16, {1.04e-3, 2.26e-4, 4.2e-5, 2.5e-5, 2.1e-5, 1.9e-5, 2.1e-5}},
    {"exp", 8, {5.80e-4, 1.43e-4, 3.7e-5, 2.3e-5, 2.1e-5, 2.8e-5, 2.3e-5}},
    {"exp", 16, {2.94e-4, 1.86e-4, 3.0e-5, 2.4e-5, 2.3e-5, 1.7e-5, 1.3e-5}},
    {"reciprocal", 8, {}, "no table is published; 4.9e-5 at k = 5 is the mean of five seeds of a re-implementation"},
    {"reciprocal", 16, {}, "no table is published; 1.8e-5 at k = 5 is the mean of five seeds of a re-implementation"},
    {"rsqrt", 8, {4.33e-4, 1.43e-4, 1.61e-3, 4.45e-5, 3.36e-5, 3.26e-5, std::nullopt}},
    {"rsqrt", 16, {6.14e-4, 7.91e-4, 8.50e-4, 9.18e-5, 2.43e-5, 2.34e-5, std::nullopt}},
};

using Clock = std::chrono::steady_clock;
using Errors = std::array<std::optional<double>, kScales>;

} // namespace

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static void printRow(llvm::raw_ostream &os, llvm::StringRef name, const Errors &errors, const std::string &remark) {
  os << "  " << llvm::left_justify(name, 16);
  double sum = 0.0;
  int count = 0;
  for (const std::optional<double> &error : errors) {
    if (!error) {
      os << "        -";
      continue;
    }
    os << llvm::format(" %.2e", *error);
    sum += *error;
    ++count;
  }
  if (count)
    os << llvm::format(" | %.2e", sum / count);
  else
    os << " |        -";
  os << (remark.empty() ? "" : "  ") << remark << "\n";
  os.flush();
}

static std::string secondsText(double seconds) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.3f s", seconds);
  return text;
}

/// The published storage has six fractional bits; slopes of 1/x and 1/sqrt(x) need nine
/// bits with them, and only five fit eight.
static bool isSteep(const FunctionInfo &info) { return info.fractionBits < 6; }

/// The optimal table of each step.
static llvm::Expected<Errors> optimalErrors(const FunctionInfo &info, const GeneticProblem &genetic, double &slowest) {
  Errors errors;
  for (int k = 0; k < kScales; ++k) {
    FitProblem problem;
    problem.function = genetic.function;
    problem.name = genetic.name;
    problem.scale = genetic.scales[k];
    problem.entries = genetic.entries;
    problem.format = genetic.format;
    auto [first, last] = FunctionInfo::codesWithin(info.lower, info.upper, problem.scale, 8, info.isSigned);
    problem.firstCode = first;
    problem.lastCode = last;
    const Clock::time_point start = Clock::now();
    llvm::Expected<PiecewiseTable> table = fitOptimal(problem);
    if (!table)
      return table.takeError();
    slowest = std::max(slowest, secondsSince(start));
    errors[k] = meanSquaredError(problem, *table);
  }
  return errors;
}

/// Searches, and prints the errors at the problem's scales, which are all seven or the
/// one number `onlyScale`.
static llvm::Error printGenetic(llvm::raw_ostream &os, const FunctionInfo &info, const GeneticProblem &problem,
                                const GeneticOptions &options, const std::string &storage,
                                std::optional<int> onlyScale = std::nullopt) {
  const Clock::time_point start = Clock::now();
  const auto steps = static_cast<size_t>(options.seconds > 0.0 ? std::ceil(options.seconds * 10.0) : options.seeds);
  size_t shown = 0;
  Progress progress((info.title + "-" + llvm::Twine(problem.entries) + ", genetic").str(), steps);
  llvm::Expected<GeneticResult> result = fitGenetic(problem, options, [&](unsigned runs, double) {
    const auto reached = options.seconds > 0.0 ? static_cast<size_t>(secondsSince(start) * 10.0) : size_t(runs);
    progress.advance(std::min(reached, steps) - shown);
    shown = std::min(reached, steps);
  });
  progress.clear();
  if (!result)
    return result.takeError();
  Errors errors;
  if (onlyScale)
    errors[*onlyScale] = result->scaleErrors.front();
  else
    llvm::copy(result->scaleErrors, errors.begin());
  printRow(os, onlyScale ? "genetic, k=" + std::to_string(*onlyScale) : "genetic", errors,
           storage + ", best of " + std::to_string(result->runs) + (result->runs == 1 ? " run in " : " runs in ") +
               secondsText(secondsSince(start)) + ", seed " + std::to_string(result->seed));
  return llvm::Error::success();
}

static llvm::Error printFormat(llvm::raw_ostream &os, const FunctionInfo &info, unsigned entries, unsigned lambda,
                               unsigned bits, GeneticOptions options) {
  GeneticProblem problem = GeneticProblem::published(info, entries);
  problem.format.fractionBits = lambda;
  problem.format.slopeBits = problem.format.interceptBits = bits;
  const std::string storage = "lambda " + std::to_string(lambda) + " (" + std::to_string(bits) + " bits)";
  if (llvm::Error error = printGenetic(os, info, problem, options, storage))
    return error;
  // A power of two brings the input of 1/x and 1/sqrt(x) into the range: one step will
  // do, and the coarse ones, at which breakpoints coincide, should not decide.
  if (isSteep(info)) {
    constexpr int k = 5;
    GeneticProblem single = problem;
    single.scales = {problem.scales[k]};
    if (llvm::Error error = printGenetic(os, info, single, options, storage, k))
      return error;
  }
  double slowest = 0.0;
  llvm::Expected<Errors> optimal = optimalErrors(info, problem, slowest);
  if (!optimal)
    return optimal.takeError();
  printRow(os, "optimal", *optimal, storage + ", at most " + secondsText(slowest) + " a table");
  return llvm::Error::success();
}

llvm::Error vitq::lut::reproduce(llvm::raw_ostream &os, llvm::StringRef only, const GeneticOptions &search) {
  const FunctionInfo *wanted = nullptr;
  if (!only.empty()) {
    llvm::Expected<const FunctionInfo *> found = findFunction(only);
    if (!found)
      return found.takeError();
    wanted = *found;
    if (llvm::none_of(kPublished, [&](const Published &known) { return wanted->name == known.function; }))
      return llvm::createStringError("nothing is published for '" + only +
                                     "'; --reproduce knows gelu, hardswish, exp, reciprocal, rsqrt");
  }
  os << "Mean squared error at input steps 2^-k, and their mean. Genetic: one set of lines for all k,\n"
        "as published. Optimal: a table for each k.\n";
  for (const Published &known : kPublished) {
    const FunctionInfo &info = **findFunction(known.function);
    if (wanted && wanted != &info)
      continue;
    os << "\n" << info.title << ", " << known.entries << " entries\n  " << llvm::left_justify("k", 16);
    for (int k = 0; k < kScales; ++k)
      os << "        " << k;
    os << " |     mean\n";
    printRow(os, "published JSON", known.errors, known.note);

    const GeneticOptions published = GeneticOptions::published(info, known.entries);
    GeneticOptions options = search;
    options.roundingMutation = published.roundingMutation;
    options.roundingFirst = published.roundingFirst;
    // Two formats with two searches each share the time.
    if (isSteep(info))
      options.seconds /= 4.0;
    if (llvm::Error error = printFormat(os, info, known.entries, 6, isSteep(info) ? 9 : 8, options))
      return error;
    if (isSteep(info))
      if (llvm::Error error = printFormat(os, info, known.entries, info.fractionBits, 8, options))
        return error;
  }
  return llvm::Error::success();
}
