//===- Benchmark.cpp - Timing compiled programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Benchmark.h"

#include "vitq/Runner/Profile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <chrono>
#include <thread>

using namespace vitq;
using namespace vitq::runner;
using Clock = std::chrono::steady_clock;

// Long enough for the clock to settle, and to see its slow moves.
static constexpr double kWarmUp = 300, kMeasured = 2000; // ms
static constexpr size_t kLeastWarmUp = 3, kLeastRuns = 20;
/// Time of runs between two samples of the peak.
static constexpr double kBetweenSamples = 250; // ms

static double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// The value at a share of sorted values, between neighbours by their
/// distance.
static double quantile(const std::vector<double> &sorted, double share) {
  double position = share * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<size_t>(position);
  size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Benchmark::Benchmark(const Program &program, Tensor input, int threads)
    : program(program), input(std::move(input)), threads(threads) {
  const PeakLoop *best = PeakLoop::best(), *own = PeakLoop::find(program.info().dotIntrinsic);
  if (own)
    peak.emplace(*own, threads);
  if (best && best != own)
    machinePeak.emplace(*best, threads);
  samplePeaks();
}

void Benchmark::samplePeaks() {
  // The OpenMP runtime's threads spin for 200 ms after a run, and would share the
  // cores with the loop.
  if (threads > 1)
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  for (std::optional<PeakRate> *rate : {&peak, &machinePeak})
    if (*rate)
      (*rate)->sample();
}

void Benchmark::setPeaks(Figures &figures) const {
  if (peak)
    figures.peakGmacs = peak->gmacs();
  if (const std::optional<PeakRate> &best = machinePeak ? machinePeak : peak)
    figures.machinePeakGmacs = best->gmacs();
  const std::optional<int64_t> &macs = program.info().macs;
  if (figures.peakGmacs && macs)
    figures.limit = static_cast<double>(*macs) / *figures.peakGmacs * 1e-6;
}

llvm::Expected<double> Benchmark::runOnce() const {
  Clock::time_point start = Clock::now();
  auto outputs = program.run(input);
  if (!outputs)
    return outputs.takeError();
  return millisecondsSince(start);
}

llvm::Error Benchmark::time(Figures &figures) {
  std::vector<double> times;
  for (auto [milliseconds, least] : {std::pair(kWarmUp, kLeastWarmUp), std::pair(kMeasured, kLeastRuns)}) {
    times.clear();
    double untilSample = kBetweenSamples;
    for (double spent = 0; spent < milliseconds || times.size() < least;) {
      llvm::Expected<double> time = runOnce();
      if (!time)
        return time.takeError();
      times.push_back(*time);
      spent += *time;
      untilSample -= *time;
      if (untilSample > 0)
        continue;
      samplePeaks();
      untilSample = kBetweenSamples;
    }
  }
  samplePeaks();
  setPeaks(figures);
  llvm::sort(times);
  figures.threads = threads;
  figures.batch = program.info().batch();
  figures.latencyMedian = quantile(times, 0.5);
  figures.latencyP10 = quantile(times, 0.1);
  figures.latencyP90 = quantile(times, 0.9);
  figures.imageMedian = *figures.latencyMedian / static_cast<double>(program.info().batch());
  if (const std::optional<int64_t> &macs = program.info().macs)
    figures.gops = 2e-6 * static_cast<double>(*macs) / *figures.latencyMedian;
  if (figures.limit && *figures.limit > 0) {
    figures.peakShare = 100 * *figures.limit / *figures.latencyMedian;
    figures.timeOverLimit = *figures.latencyMedian / *figures.limit;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Microseconds of every step, run by run.
llvm::Error Benchmark::collectSteps(std::vector<std::vector<double>> &times, double milliseconds, size_t least) {
  double untilSample = kBetweenSamples;
  std::vector<uint64_t> ticks;
  for (double spent = 0; spent < milliseconds || times.front().size() < least;) {
    Clock::time_point start = Clock::now();
    if (llvm::Error error = program.runProfiled(input, ticks))
      return error;
    const double wall = millisecondsSince(start);
    if (!llvm::is_sorted(ticks) || ticks.front() == ticks.back())
      return llvm::createStringError(program.info().path + ": its profile has times that do not grow");
    // The unit of the ticks is the program's: the whole run gives its length.
    const double unit = 1e3 * wall / static_cast<double>(ticks.back() - ticks.front());
    for (size_t i = 0; i < times.size(); ++i) {
      uint64_t own = 0;
      for (size_t tick = i; tick + 1 < ticks.size(); tick += times.size())
        own += ticks[tick + 1] - ticks[tick];
      times[i].push_back(unit * static_cast<double>(own));
    }
    spent += wall;
    untilSample -= wall;
    if (untilSample > 0)
      continue;
    samplePeaks();
    untilSample = kBetweenSamples;
  }
  return llvm::Error::success();
}

/// "vitq.matmul+vitq.requant" without the dialect.
static std::string shortOp(llvm::StringRef op) {
  llvm::SmallVector<llvm::StringRef> names;
  op.split(names, '+');
  for (llvm::StringRef &name : names)
    name.consume_front("vitq.");
  return llvm::join(names, "+");
}

llvm::Error Benchmark::profile(Figures &figures, std::optional<double> milliseconds) {
  llvm::ArrayRef<Step> steps = program.info().steps;
  // One list at least, for the loop to count; a program without steps is refused.
  std::vector<std::vector<double>> times(std::max<size_t>(steps.size(), 1)), warmUp = times;
  if (llvm::Error error = collectSteps(warmUp, milliseconds ? *milliseconds / 5 : kWarmUp / 3, kLeastWarmUp))
    return error;
  if (llvm::Error error = collectSteps(times, milliseconds.value_or(kMeasured), milliseconds ? 3 : kLeastRuns))
    return error;
  samplePeaks();
  setPeaks(figures);
  Profile profile;
  profile.runs = static_cast<int64_t>(times.front().size());
  for (auto [step, own] : llvm::zip_equal(steps, times)) {
    llvm::sort(own);
    StepTime time;
    time.kernel = step.kernel;
    time.node = step.node;
    time.op = shortOp(step.op);
    time.median = quantile(own, 0.5);
    if (step.macs && figures.peakGmacs)
      time.limit = static_cast<double>(step.macs * program.info().turns) / *figures.peakGmacs * 1e-3;
    profile.steps.push_back(std::move(time));
  }
  const double total = profile.total();
  for (StepTime &time : profile.steps)
    time.share = total > 0 ? 100 * time.median / total : 0;
  figures.profile = std::move(profile);
  return llvm::Error::success();
}

Tensor runner::pixelsForTiming(const ProgramInfo &info) {
  Tensor input = Tensor::allocate(ElementKind::I8, info.inputShape);
  uint32_t state = 1;
  for (int64_t i = 0; i < input.numElements(); ++i) {
    state = state * 1664525u + 1013904223u;
    input.mutableData<uint8_t>()[i] = static_cast<uint8_t>(state >> 24);
  }
  return input;
}

llvm::Expected<Profile> runner::profileSteps(const Program &program, double milliseconds) {
  if (!program.isCompiled() || program.info().steps.empty())
    return llvm::createStringError(program.info().path + ": has no profile");
  Figures figures;
  if (llvm::Error error =
          Benchmark(program, pixelsForTiming(program.info()), /*threads=*/1).profile(figures, milliseconds))
    return error;
  return std::move(*figures.profile);
}
