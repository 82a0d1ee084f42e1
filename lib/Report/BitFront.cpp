//===- BitFront.cpp - Choices of bits in a report ---------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Html.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace vitq;
using namespace vitq::reporting;
namespace json = llvm::json;

/// What was measured of the choice as a whole, as a sentence; empty where nothing was.
static std::string measuredText(const BitFront &front) {
  if (!front.measured)
    return "";
  const BitFront::Measured &m = *front.measured;
  std::string text = llvm::formatv("As a whole the choice loses {0} nats", format(m.after, 3)).str();
  if (m.before != m.after)
    text += llvm::formatv(", {0} before it was repaired,", format(m.before, 3)).str();
  return text +
         llvm::formatv(" on {0} calibration images kept aside: {1} % of the classes are others, which costs {2} "
                       "points by the float model's own probabilities (weights, and activations that were chosen, "
                       "rounded; nothing else).",
                       m.images, formatFixed(m.changed, 1), formatFixed(m.points, 2))
             .str();
}

/// Every point with its name: those of the front, and the others.
static std::vector<std::pair<std::string, BitFront::Point>> rowsOf(const BitFront &front) {
  std::vector<std::pair<std::string, BitFront::Point>> rows;
  for (const BitFront::Point &point : front.points)
    rows.emplace_back("", point);
  rows.emplace_back("4 bits", front.four);
  rows.emplace_back("8 bits", front.eight);
  rows.emplace_back("chosen", front.chosen);
  llvm::sort(rows, [](const auto &a, const auto &b) {
    return std::tuple(a.second.cost, b.second.loss, a.first) < std::tuple(b.second.cost, a.second.loss, b.first);
  });
  return rows;
}

json::Value reporting::bitFrontToJSON(const std::optional<BitFront> &front) {
  if (!front)
    return nullptr;
  auto toJSON = [](const BitFront::Point &point) {
    return json::Object{{"cost", point.cost}, {"loss_nats", point.loss}};
  };
  json::Array points;
  for (const BitFront::Point &point : front->points)
    points.push_back(toJSON(point));
  json::Value measured = nullptr;
  if (const auto &m = front->measured)
    measured = json::Object{{"images", m->images},
                            {"loss_nats_before_repair", m->before},
                            {"loss_nats", m->after},
                            {"classes_changed_percent", m->changed},
                            {"points", m->points}};
  return json::Object{{"budget", toString(front->kind)}, {"cost", front->costName()},
                      {"front", std::move(points)},      {"chosen", toJSON(front->chosen)},
                      {"all_8", toJSON(front->eight)},   {"all_4", toJSON(front->four)},
                      {"measured", std::move(measured)}};
}

void reporting::printBitFront(const BitFront &front, llvm::raw_ostream &os) {
  os << "\n"
     << llvm::left_justify("bits: " + front.costName().str(), 34) << llvm::right_justify("nats lost", 12) << "\n";
  for (const auto &[name, point] : rowsOf(front))
    os << "  " << llvm::left_justify(front.costText(point.cost), 32) << llvm::format("%12.4g", point.loss)
       << (name.empty() ? "" : "  " + name) << "\n";
  if (std::string text = measuredText(front); !text.empty())
    os << "  " << text << "\n";
}

void html::bitFrontSection(llvm::raw_ostream &os, const BitFront &front) {
  os << "<section id=\"bits\"><h2>Bits</h2>\n<p class=\"soft\">The best choice for each of some budgets: what it "
        "costs, "
        "and what its tensors lose when each is rounded alone, added up. "
     << escape(measuredText(front)) << "</p>\n";
  frontPlot(os, front);
  os << llvm::formatv("<details><summary>Table</summary><div class=\"scroll\"><table>\n<tr><th class=\"n\">{0}</th>"
                      "<th class=\"n\">nats lost</th><th></th></tr>\n",
                      escape(front.costName()));
  for (const auto &[name, point] : rowsOf(front))
    os << llvm::formatv("<tr><td class=\"n\">{0}</td><td class=\"n\">{1}</td><td>{2}</td></tr>\n",
                        escape(front.costText(point.cost)), format(point.loss, 3), name);
  os << "</table></div></details></section>\n";
}
