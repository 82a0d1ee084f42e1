//===- Data.cpp - Questions to what a report knows -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"

#include <cmath>

using namespace vitq;
using namespace vitq::reporting;

std::optional<std::pair<double, double>> OpEntry::representable() const {
  if (scales.size() != 1 || zeroPoints.size() != 1 || resultBits.empty() || resultBits[0] > 32)
    return std::nullopt;
  double levels = std::ldexp(1.0, static_cast<int>(resultBits[0]));
  double low = isUnsigned ? 0 : -levels / 2, zero = static_cast<double>(zeroPoints[0]);
  return std::make_pair(scales[0] * (low - zero), scales[0] * (low + levels - 1 - zero));
}

llvm::StringRef Data::option(llvm::StringRef name) const {
  for (const auto &[key, value] : options)
    if (key == name)
      return value;
  return {};
}

const OpEntry *Data::lastOf(llvm::StringRef node) const {
  for (const OpEntry &op : llvm::reverse(ops))
    if (op.id >= 0 && op.node == node)
      return &op;
  return nullptr;
}

const TensorStatistics *Data::tensorOf(llvm::StringRef node) const {
  for (const TensorStatistics &tensor : llvm::reverse(tensors))
    if (tensor.node == node)
      return &tensor;
  return nullptr;
}

const comparison::ValueFigures *Data::measured(const OpEntry &op) const {
  if (comparison && op.id >= 0)
    for (const comparison::ValueFigures &value : comparison->values)
      if (value.id == op.id)
        return &value;
  return nullptr;
}

std::vector<Outlier> Data::outliers() const {
  std::vector<Outlier> found;
  for (const TensorStatistics &tensor : tensors) {
    const OpEntry *op = lastOf(tensor.node);
    if (tensor.channelMax.size() < 4 || tensor.consumers.empty() || !op || op->scales.size() != 1 ||
        op->resultBits.empty() || op->resultBits[0] != 8)
      continue;
    std::vector<double> sorted = tensor.channelMax;
    llvm::sort(sorted);
    Outlier outlier{&tensor, op};
    outlier.channel = llvm::max_element(tensor.channelMax) - tensor.channelMax.begin();
    outlier.max = sorted.back();
    outlier.next = sorted[sorted.size() - 2];
    outlier.median = sorted[sorted.size() / 2];
    outlier.step = op->scales[0];
    outlier.above = llvm::count_if(sorted, [&](double max) { return max > kOutlierRatio * outlier.median; });
    if (outlier.above > 0)
      found.push_back(outlier);
  }
  auto ratio = [](const Outlier &outlier) { return outlier.median > 0 ? outlier.max / outlier.median : 0; };
  // Of equal ones the first stays first.
  llvm::sort(found, [&](const Outlier &a, const Outlier &b) {
    return std::make_pair(-ratio(a), a.tensor) < std::make_pair(-ratio(b), b.tensor);
  });
  return found;
}

std::vector<StageCost> Data::slowestStages() const {
  std::vector<StageCost> sorted = stages;
  llvm::sort(sorted, [](const StageCost &a, const StageCost &b) {
    return std::make_pair(-a.seconds, llvm::StringRef(a.name)) < std::make_pair(-b.seconds, llvm::StringRef(b.name));
  });
  return sorted;
}

std::vector<const TensorStatistics *> Data::worstTensors(size_t count) const {
  std::vector<const TensorStatistics *> worst;
  auto add = [&](const TensorStatistics *tensor) {
    const OpEntry *op = tensor ? lastOf(tensor->node) : nullptr;
    // The codes of a softmax are relative to the row's largest, its values are not.
    bool comparable = op && tensor->op != "vit.softmax";
    if (worst.size() < count && comparable && op->representable() && tensor->histogram &&
        !llvm::is_contained(worst, tensor))
      worst.push_back(tensor);
  };
  if (comparison)
    for (size_t i : comparison->ranking())
      add(tensorOf(comparison->values[i].node));
  for (const Outlier &outlier : outliers())
    add(outlier.tensor);
  return worst;
}

LinearHistogram reporting::toLinear(const Histogram &histogram, size_t bins) {
  LinearHistogram result;
  bool any = false;
  histogram.forEach([&](double low, double high, int64_t) {
    result.min = any ? std::min(result.min, low) : low;
    result.max = any ? std::max(result.max, high) : high;
    any = true;
  });
  if (!any || !(result.max > result.min))
    return result;
  result.counts.assign(bins, 0.0);
  double width = (result.max - result.min) / static_cast<double>(bins);
  histogram.forEach([&](double low, double high, int64_t count) {
    // Evenly over what the bin covers.
    auto first = static_cast<size_t>(std::clamp((low - result.min) / width, 0.0, static_cast<double>(bins - 1)));
    auto last = static_cast<size_t>(std::clamp((high - result.min) / width, 0.0, static_cast<double>(bins - 1)));
    for (size_t i = first; i <= last; ++i) {
      double from = std::max(low, result.min + width * static_cast<double>(i));
      double to = std::min(high, result.min + width * static_cast<double>(i + 1));
      if (to > from)
        result.counts[i] += static_cast<double>(count) * (to - from) / (high - low);
    }
  });
  return result;
}

std::string reporting::format(double value, int digits) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, value);
  return text;
}

std::string reporting::formatFixed(std::optional<double> value, int decimals) {
  if (!value)
    return "-";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*f", decimals, *value);
  return text;
}

std::string reporting::formatCount(int64_t value) {
  std::string digits = std::to_string(std::abs(value));
  for (size_t group = digits.size(); group > 3; group -= 3)
    digits.insert(group - 3, ",");
  return (value < 0 ? "-" : "") + digits;
}

llvm::StringRef reporting::toString(Finding::Severity severity) {
  switch (severity) {
  case Finding::Severity::High:
    return "high";
  case Finding::Severity::Medium:
    return "medium";
  case Finding::Severity::Low:
    return "low";
  }
  return "low";
}

std::string Data::algorithmOf(llvm::StringRef node) const {
  for (const OpEntry &op : ops)
    if (op.node == node && !op.algorithm.empty())
      return op.algorithm;
  return {};
}

std::vector<const OpEntry *> Data::curves() const {
  std::vector<const OpEntry *> found;
  for (const OpEntry &op : ops)
    if (const comparison::ValueFigures *value = measured(op); value && value->curve.size() > 1)
      found.push_back(&op);
  // Of equal ones the earlier first: both are elements of `ops`.
  llvm::sort(found, [&](const OpEntry *a, const OpEntry *b) {
    return std::pair(measured(*a)->addedSqnrDb.value_or(INFINITY), a) <
           std::pair(measured(*b)->addedSqnrDb.value_or(INFINITY), b);
  });
  return found;
}

std::vector<const NativeFacts::Step *> Data::slowestSteps() const {
  std::vector<const NativeFacts::Step *> found;
  for (const NativeFacts::Step &step : native.steps)
    if (step.time)
      found.push_back(&step);
  auto lost = [](const NativeFacts::Step *step) { return *step->time - step->limit.value_or(0); };
  llvm::sort(found, [&](const auto *a, const auto *b) { return std::pair(-lost(a), a) < std::pair(-lost(b), b); });
  return found;
}

std::pair<double, double> Data::timeAndLimit() const {
  double time = 0, limit = 0;
  for (const NativeFacts::Step &step : native.steps) {
    time += step.time.value_or(0);
    limit += step.limit.value_or(0);
  }
  return {time, limit};
}
