//===- Output.cpp - A comparison as JSON and as tables -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Comparison/Comparison.h"

#include "llvm/Support/Format.h"

#include <cmath>

using namespace vitq;
using namespace vitq::comparison;
namespace json = llvm::json;

/// JSON has no infinities.
static json::Value orNull(double value) { return std::isfinite(value) ? json::Value(value) : json::Value(nullptr); }
static json::Value orNull(std::optional<double> value) { return value ? orNull(*value) : json::Value(nullptr); }

static json::Object toJSON(const ValueFigures &value) {
  json::Object object{{"node", value.node},
                      {"reference_op", value.referenceOp},
                      {"op", value.op},
                      {"residual", value.residual},
                      {"min", orNull(value.min)},
                      {"max", orNull(value.max)},
                      {"reference_min", orNull(value.referenceMin)},
                      {"reference_max", orNull(value.referenceMax)},
                      {"sqnr_db", orNull(value.sqnrDb)},
                      {"max_error", orNull(value.maxError)},
                      {"saturation", value.saturation},
                      {"added_sqnr_db", orNull(value.addedSqnrDb)},
                      {"added_at_logits_db", orNull(value.addedAtLogitsDb)},
                      {"added_share", orNull(value.addedShare)}};
  object["id"] = value.id >= 0 ? json::Value(value.id) : json::Value(nullptr);
  object["block"] = value.block ? json::Value(*value.block) : json::Value(nullptr);
  object["bits"] = value.bits ? json::Value(value.bits) : json::Value(nullptr);
  object["scale"] = value.bits ? orNull(value.scale) : json::Value(nullptr);
  object["worst_channel"] = value.worstChannel >= 0 ? json::Value(value.worstChannel) : json::Value(nullptr);
  object["worst_channel_share"] = value.worstChannel >= 0 ? orNull(value.worstChannelShare) : json::Value(nullptr);
  return object;
}

static json::Object toJSON(const OutputFigures &output) {
  return json::Object{{"name", output.name},
                      {"sqnr_db", orNull(output.sqnrDb)},
                      {"agreement", output.agreement ? json::Value(100 * *output.agreement) : json::Value(nullptr)}};
}

json::Value Comparison::toJSON() const {
  json::Array entries, blocks, order;
  for (const ValueFigures &value : values)
    entries.push_back(::toJSON(value));
  for (size_t i : residualStream()) {
    json::Object block{{"node", values[i].node}, {"sqnr_db", orNull(values[i].sqnrDb)}};
    block["block"] = values[i].block ? json::Value(*values[i].block) : json::Value(nullptr);
    blocks.push_back(std::move(block));
  }
  for (size_t i : ranking())
    order.push_back(values[i].node);
  json::Array results;
  for (const OutputFigures &output : outputs)
    results.push_back(::toJSON(output));
  const OutputFigures *classes = logits();
  return json::Object{{"images", images},
                      {"ranked_images", rankedImages},
                      {"logits_sqnr_db", classes ? orNull(classes->sqnrDb) : json::Value(nullptr)},
                      {"agreement", classes ? json::Value(100 * *classes->agreement) : json::Value(nullptr)},
                      {"outputs", std::move(results)},
                      {"blocks", std::move(blocks)},
                      {"ranking", std::move(order)},
                      {"values", std::move(entries)}};
}

static std::string decibels(std::optional<double> value) {
  if (!value)
    return "-";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.1f", *value);
  return text;
}

/// The end of a name says more than its beginning.
static std::string shorten(llvm::StringRef name, size_t width) {
  return name.size() <= width ? name.str() : (".." + name.take_back(width - 2)).str();
}

static void printRow(llvm::raw_ostream &os, size_t width, const ValueFigures &value) {
  os << llvm::left_justify(shorten(value.node, width), width + 2)
     << llvm::left_justify(llvm::StringRef(value.referenceOp).split('.').second, 16)
     << llvm::right_justify(value.bits ? std::to_string(value.bits) : "-", 5);
  if (value.addedShare > 0)
    os << llvm::format("%8.1f %%", 100 * value.addedShare);
  else
    os << llvm::right_justify("-", 10);
  os << llvm::right_justify(decibels(value.addedAtLogitsDb), 10) << llvm::right_justify(decibels(value.addedSqnrDb), 8)
     << llvm::right_justify(decibels(value.sqnrDb), 8) << llvm::format("%11.3g", value.maxError)
     << llvm::format("%8.2f %%", 100 * value.saturation);
  if (value.worstChannel >= 0)
    os << llvm::format("%9lld", static_cast<long long>(value.worstChannel))
       << llvm::format("%6.0f %%", 100 * value.worstChannelShare);
  os << "\n";
}

void Comparison::print(llvm::raw_ostream &os) const {
  size_t width = 16;
  for (const ValueFigures &value : values)
    width = std::min<size_t>(44, std::max(width, value.node.size()));
  os << "images " << images << ", ranked on " << rankedImages;
  for (const OutputFigures &output : outputs)
    os << "; SQNR of " << (outputsName() == "logits" ? "the logits" : "'" + output.name + "'") << " "
       << decibels(output.sqnrDb) << (output.sqnrDb ? " dB" : "");
  os << "\n";
  std::vector<size_t> stream = residualStream();
  if (!stream.empty()) {
    os << "\nThe residual stream\n"
       << llvm::right_justify("block", 5) << "  " << llvm::left_justify("node", width + 2)
       << llvm::right_justify("SQNR", 8) << "\n";
    for (size_t i : stream)
      os << llvm::right_justify(values[i].block ? std::to_string(*values[i].block) : "-", 5) << "  "
         << llvm::left_justify(shorten(values[i].node, width), width + 2)
         << llvm::right_justify(decibels(values[i].sqnrDb), 8) << "\n";
  }
  os << "\nOp by op, by the error that each adds, the worst first\n"
     << llvm::left_justify("node", width + 2) << llvm::left_justify("op", 16) << llvm::right_justify("bits", 5)
     << llvm::right_justify("added", 10) << llvm::right_justify(("at " + outputsName()).str(), 10)
     << llvm::right_justify("at op", 8) << llvm::right_justify("SQNR", 8) << llvm::right_justify("max error", 11)
     << llvm::right_justify("clipped", 10) << llvm::right_justify("channel", 9) << llvm::right_justify("share", 8)
     << "\n";
  std::vector<size_t> order = ranking();
  std::vector<bool> done(values.size(), false);
  for (size_t i : order) {
    printRow(os, width, values[i]);
    done[i] = true;
  }
  for (auto [i, value] : llvm::enumerate(values))
    if (!done[i])
      printRow(os, width, value);
}
