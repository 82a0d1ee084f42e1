//===- Json.cpp - A report as JSON -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"

#include <cmath>

using namespace vitq;
using namespace vitq::reporting;
namespace json = llvm::json;

template <typename Range>
static json::Array toArray(const Range &values) {
  json::Array array;
  for (auto value : values)
    array.push_back(value);
  return array;
}

static json::Value orNull(std::optional<int64_t> value) { return value ? json::Value(*value) : json::Value(nullptr); }
/// JSON has no infinities.
static json::Value orNull(std::optional<double> value) {
  return value && std::isfinite(*value) ? json::Value(*value) : json::Value(nullptr);
}
/// A copy: of a StringRef a value would only keep the pointer.
static json::Value orNull(llvm::StringRef text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text.str());
}

static json::Value pairOrNull(std::optional<std::pair<double, double>> range) {
  return range ? json::Value(json::Array{range->first, range->second}) : json::Value(nullptr);
}

/// The keys of an op that was compared; null for others.
static void addMeasured(json::Object &entry, const OpEntry &op, const comparison::ValueFigures *value) {
  bool nonlinear = !op.algorithm.empty();
  entry["block"] = value ? orNull(value->block) : json::Value(nullptr);
  entry["sqnr_db"] = value ? orNull(value->sqnrDb) : json::Value(nullptr);
  entry["max_error"] = value ? orNull(std::optional(value->maxError)) : json::Value(nullptr);
  entry["saturation"] = value ? json::Value(value->saturation) : json::Value(nullptr);
  entry["worst_channel"] = value && value->worstChannel >= 0 ? json::Value(value->worstChannel) : json::Value(nullptr);
  entry["algorithm_error_db"] = value && nonlinear ? orNull(value->addedSqnrDb) : json::Value(nullptr);
  entry["added_error"] = value ? json::Value(json::Object{{"sqnr_db", orNull(value->addedSqnrDb)},
                                                          {"at_logits_db", orNull(value->addedAtLogitsDb)},
                                                          {"share", orNull(std::optional(value->addedShare))}})
                               : json::Value(nullptr);
}

static json::Object toJSON(const OpEntry &op, const comparison::ValueFigures *value) {
  json::Object entry{{"id", op.id},
                     {"node", op.node},
                     {"op", op.op},
                     {"operand_bits", toArray(op.operandBits)},
                     {"result_bits", toArray(op.resultBits)},
                     {"scale", toArray(op.scales)},
                     {"zero_point", toArray(op.zeroPoints)},
                     {"macs", op.macs},
                     {"constant_bytes", op.constantBytes},
                     {"result_bytes", op.resultBytes},
                     {"algorithm", orNull(op.algorithm)},
                     {"calibrated_range", pairOrNull(op.range)}};
  entry["accumulator_range"] = op.accumulator.empty() ? json::Value(nullptr) : json::Value(toArray(op.accumulator));
  addMeasured(entry, op, value);
  return entry;
}

static json::Value accuracyOf(const std::optional<AccuracyFacts> &facts) {
  if (!facts)
    return nullptr;
  json::Array outputs;
  for (const comparison::OutputFigures &output : facts->outputs)
    outputs.push_back(json::Object{{"name", output.name}, {"sqnr_db", orNull(output.sqnrDb)}});
  return json::Object{{"images", facts->images},
                      {"data", facts->data},
                      {"outputs", std::move(outputs)},
                      {"top1", orNull(facts->top1)},
                      {"top5", orNull(facts->top5)},
                      {"reference_top1", orNull(facts->referenceTop1)},
                      {"reference_top5", orNull(facts->referenceTop5)},
                      {"agreement", orNull(facts->agreement)},
                      {"logits_sqnr_db", orNull(facts->logitsSqnrDb)}};
}

static json::Array blocksOf(const Data &data) {
  json::Array blocks;
  if (data.comparison)
    for (size_t i : data.comparison->residualStream()) {
      const comparison::ValueFigures &value = data.comparison->values[i];
      blocks.push_back(
          json::Object{{"block", orNull(value.block)}, {"node", value.node}, {"sqnr_db", orNull(value.sqnrDb)}});
    }
  return blocks;
}

static json::Array outliersOf(const Data &data) {
  json::Array outliers;
  for (const Outlier &outlier : data.outliers())
    outliers.push_back(json::Object{{"node", outlier.tensor->node},
                                    {"consumers", toArray(outlier.tensor->consumers)},
                                    {"channel", outlier.channel},
                                    {"max", outlier.max},
                                    {"next_max", outlier.next},
                                    {"median_max", outlier.median},
                                    {"channels_above", outlier.above},
                                    {"bits", static_cast<int64_t>(outlier.op->resultBits[0])},
                                    {"step", outlier.step}});
  return outliers;
}

static json::Array histogramsOf(const Data &data) {
  json::Array histograms;
  for (const TensorStatistics *tensor : data.worstTensors(8)) {
    LinearHistogram linear = toLinear(*tensor->histogram, 64);
    json::Array counts;
    for (double count : linear.counts)
      counts.push_back(static_cast<int64_t>(std::llround(count)));
    histograms.push_back(json::Object{{"node", tensor->node},
                                      {"min", linear.min},
                                      {"max", linear.max},
                                      {"counts", std::move(counts)},
                                      {"representable", pairOrNull(data.lastOf(tensor->node)->representable())}});
  }
  return histograms;
}

static json::Array findingsOf(const Data &data) {
  json::Array findings;
  for (const Finding &finding : data.findings())
    findings.push_back(json::Object{{"severity", toString(finding.severity)},
                                    {"node", orNull(finding.node)},
                                    {"channel", orNull(finding.channel)},
                                    {"text", finding.text},
                                    {"try", finding.flag}});
  return findings;
}

static json::Array curvesOf(const Data &data) {
  json::Array curves;
  for (const OpEntry *op : data.curves()) {
    json::Array points;
    for (const comparison::CurvePoint &point : data.measured(*op)->curve)
      points.push_back(json::Array{point.x, point.exact, point.computed});
    curves.push_back(json::Object{
        {"node", op->node}, {"algorithm", orNull(data.algorithmOf(op->node))}, {"points", std::move(points)}});
  }
  return curves;
}

static json::Array stepsOf(const NativeFacts &facts) {
  json::Array steps;
  for (const NativeFacts::Step &step : facts.steps)
    steps.push_back(json::Object{{"node", step.node},
                                 {"op", step.op},
                                 {"macs", step.macs},
                                 {"microseconds", orNull(step.time)},
                                 {"limit_microseconds", orNull(step.limit)}});
  return steps;
}

static json::Array arenaPlanOf(const NativeFacts &facts) {
  json::Array plan;
  if (facts.steps.empty()) // Which it refers to.
    return plan;
  for (const NativeFacts::Buffer &buffer : facts.arenaPlan)
    plan.push_back(json::Object{
        {"offset", buffer.offset}, {"bytes", buffer.size}, {"first_step", buffer.first}, {"last_step", buffer.last}});
  return plan;
}

static json::Array compileOf(const Data &data) {
  json::Array stages;
  for (const StageCost &stage : data.stages)
    stages.push_back(json::Object{{"pass", stage.name},
                                  {"seconds", stage.seconds},
                                  {"rss_bytes", stage.residentBytes},
                                  {"peak_growth_bytes", stage.peakGrowthBytes}});
  return stages;
}

json::Value reporting::toJSON(const Data &data) {
  json::Array entries;
  for (const OpEntry &op : data.ops)
    entries.push_back(::toJSON(op, data.measured(op)));
  json::Array decisions;
  for (const Decision &decision : data.decisions)
    decisions.push_back(json::Object{{"pass", decision.pass}, {"node", decision.node}, {"text", decision.text}});
  json::Object options;
  for (const auto &[name, text] : data.options)
    options[name] = text;
  const comparison::OutputFigures *logits = data.comparison ? data.comparison->logits() : nullptr;
  return json::Object{
      {"version", 1},
      {"model", data.model},
      {"preprocess", data.preprocess},
      {"nonlinear", data.nonlinear},
      {"options", std::move(options)},
      {"calibration_images", orNull(data.calibrationImages)},
      {"target", orNull(data.native.target)},
      {"macs", data.macs},
      {"weight_bytes", data.native.weightBytes.value_or(data.weightBytes)},
      {"constant_bytes", data.weightBytes},
      {"arena_bytes", orNull(data.native.arenaBytes)},
      {"arena_lower_bound_bytes", orNull(data.native.arenaLowerBound)},
      {"code_bytes", orNull(data.native.codeBytes)},
      {"ram_bytes", orNull(data.native.ramBytes)},
      {"ram_budget_bytes", orNull(data.native.ramBudget)},
      {"flash_bytes", orNull(data.native.flashBytes)},
      {"flash_budget_bytes", orNull(data.native.flashBudget)},
      {"float_instructions", orNull(data.native.floatInstructions)},
      {"compared_images", data.comparison ? json::Value(data.comparison->images) : json::Value(nullptr)},
      {"ranked_images", data.comparison ? json::Value(data.comparison->rankedImages) : json::Value(nullptr)},
      {"logits_sqnr_db", logits ? orNull(logits->sqnrDb) : json::Value(nullptr)},
      {"accuracy", accuracyOf(data.accuracy)},
      {"array", arrayToJSON(data.array)},
      {"bit_front", bitFrontToJSON(data.bitFront)},
      {"findings", findingsOf(data)},
      {"decisions", std::move(decisions)},
      {"blocks", blocksOf(data)},
      {"outliers", outliersOf(data)},
      {"histograms", histogramsOf(data)},
      {"curves", curvesOf(data)},
      {"steps", stepsOf(data.native)},
      {"arena_plan", arenaPlanOf(data.native)},
      {"ops", std::move(entries)},
      {"compile", compileOf(data)}};
}
