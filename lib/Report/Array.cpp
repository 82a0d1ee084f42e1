//===- Array.cpp - What a report says of a systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Html.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace vitq;
using namespace vitq::reporting;
namespace json = llvm::json;

static std::optional<double> overRoofline(const ArrayFacts::Kind &kind) {
  if (!kind.rooflineCycles)
    return std::nullopt;
  return static_cast<double>(kind.cycles) / static_cast<double>(kind.rooflineCycles);
}

/// Figures with names and texts, those that were simulated.
static std::vector<std::pair<std::string, std::string>> figuresOf(const ArrayFacts &array) {
  std::vector<std::pair<std::string, std::string>> figures{{"array", array.config}};
  auto count = [&](const char *name, std::optional<int64_t> value) {
    if (value)
      figures.emplace_back(name, formatCount(*value));
  };
  auto real = [&](const char *name, std::optional<double> value, const char *unit) {
    if (value)
      figures.emplace_back(name, formatFixed(value, 2) + unit);
  };
  count("cycles", array.cycles);
  real("cycles / roofline", array.cyclesOverRoofline, "");
  real("utilization, linear layers", array.linearUtilization, " %");
  real("utilization, attention", array.attentionUtilization, " %");
  count("DRAM bytes", array.dramBytes);
  if (array.energyPicojoules)
    figures.emplace_back("energy of an image, proxy", formatFixed(*array.energyPicojoules / 1e6, 2) + " uJ");
  std::vector<std::string> without{"memories", "control"};
  llvm::append_range(without, array.unmeasuredUnits);
  figures.emplace_back("area of elements, units", formatFixed(array.elementArea, 2) + ", " +
                                                      formatFixed(array.unitArea, 2) +
                                                      " mm2 of 0.18 um cells, without " + llvm::join(without, ", "));
  return figures;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

template <typename T>
static json::Value orNull(std::optional<T> value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

json::Value reporting::arrayToJSON(const std::optional<ArrayFacts> &array) {
  if (!array)
    return nullptr;
  json::Array placements, kinds;
  for (const ArrayFacts::Placement &placement : array->placements)
    placements.push_back(json::Object{
        {"node", placement.node}, {"op", placement.op}, {"place", placement.place}, {"reason", placement.reason}});
  for (const ArrayFacts::Kind &kind : array->kinds)
    kinds.push_back(json::Object{{"op", kind.op},
                                 {"launches", kind.launches},
                                 {"cycles", kind.cycles},
                                 {"roofline_cycles", kind.rooflineCycles},
                                 {"cycles_over_roofline", orNull(overRoofline(kind))},
                                 {"utilization", kind.utilization}});
  return json::Object{{"config", array->config},
                      {"cycles", orNull(array->cycles)},
                      {"cycles_over_roofline", orNull(array->cyclesOverRoofline)},
                      {"linear_utilization", orNull(array->linearUtilization)},
                      {"attention_utilization", orNull(array->attentionUtilization)},
                      {"dram_bytes", orNull(array->dramBytes)},
                      {"energy_pj", orNull(array->energyPicojoules)},
                      {"element_area_mm2", array->elementArea},
                      {"unit_area_mm2", array->unitArea},
                      {"unmeasured_units", json::Array(array->unmeasuredUnits)},
                      {"kinds", std::move(kinds)},
                      {"placements", std::move(placements)}};
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static std::string column(llvm::StringRef text, size_t width) {
  std::string cut = text.size() >= width ? ".." + text.take_back(width - 3).str() : text.str();
  return cut + std::string(width - cut.size(), ' ');
}

void reporting::printArray(const ArrayFacts &array, llvm::raw_ostream &os) {
  os << "\nsystolic array\n";
  for (const auto &[name, text] : figuresOf(array))
    os << "  " << llvm::left_justify(name, 30) << text << "\n";
  if (!array.kinds.empty())
    os << "\n"
       << column("launches by kind", 62) << llvm::right_justify("number", 8) << llvm::right_justify("cycles", 14)
       << llvm::right_justify("useful", 10) << llvm::right_justify("/ roofline", 12) << "\n";
  for (const ArrayFacts::Kind &kind : array.kinds)
    os << column(kind.op, 62) << llvm::right_justify(std::to_string(kind.launches), 8)
       << llvm::right_justify(formatCount(kind.cycles), 14) << llvm::format("%8.1f %%", kind.utilization)
       << llvm::right_justify(formatFixed(overRoofline(kind), 2), 12) << "\n";
  os << "\n" << column("where ops run", 44) << column("op", 22) << column("place", 14) << "why\n";
  for (const ArrayFacts::Placement &placement : array.placements)
    os << column(placement.node, 44) << column(placement.op, 22) << column(placement.place, 14) << placement.reason
       << "\n";
}

//===----------------------------------------------------------------------===//
// HTML
//===----------------------------------------------------------------------===//

void html::arraySection(llvm::raw_ostream &os, const ArrayFacts &array) {
  using llvm::formatv;
  os << "<section id=\"array\"><h2>Systolic array</h2><dl>\n";
  for (const auto &[name, text] : figuresOf(array))
    os << "<dt>" << escape(name) << "</dt><dd>" << escape(text) << "</dd>\n";
  os << "</dl>\n";
  if (!array.kinds.empty()) {
    os << "<div class=\"scroll\"><table>\n<thead><tr><th>launches of</th><th class=\"n\">number</th>"
          "<th class=\"n\">cycles</th><th class=\"n\">useful %</th><th class=\"n\">/ "
          "roofline</th></tr></thead>\n<tbody>\n";
    for (const ArrayFacts::Kind &kind : array.kinds)
      os << formatv("<tr><td>{0}</td><td class=\"n\">{1}</td><td class=\"n\">{2}</td><td class=\"n\">{3}</td>"
                    "<td class=\"n\">{4}</td></tr>\n",
                    escape(kind.op), kind.launches, formatCount(kind.cycles), formatFixed(kind.utilization, 1),
                    formatFixed(overRoofline(kind), 2));
    os << "</tbody></table></div>\n";
  }
  os << "<h3>Where ops run</h3>\n<div class=\"scroll\"><table>\n<thead><tr><th>node</th><th>op</th><th>place</th>"
        "<th>why</th></tr></thead>\n<tbody>\n";
  for (const ArrayFacts::Placement &placement : array.placements)
    os << formatv("<tr><td class=\"node\">{0}</td><td>{1}</td><td>{2}</td><td class=\"wrap\">{3}</td></tr>\n",
                  shortName(placement.node, 44), escape(placement.op), escape(placement.place),
                  escape(placement.reason));
  os << "</tbody></table></div></section>\n";
}
