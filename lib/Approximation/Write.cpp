//===- Write.cpp - Tables as JSON and C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/Write.h"

#include "Segments.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;

void approximation::writeJson(llvm::raw_ostream &os, const TableDocument &document) {
  const PiecewiseTable &table = document.table;
  llvm::json::OStream json(os, 2);
  auto list = [&](llvm::StringRef key, llvm::ArrayRef<int64_t> values) {
    json.attributeArray(key, [&] {
      for (int64_t value : values)
        json.value(value);
    });
  };
  json.object([&] {
    json.attribute("function", document.function);
    json.attribute("method", document.method);
    json.attribute("entries", static_cast<int64_t>(table.entries()));
    json.attribute("input_scale", document.scale);
    json.attribute("input_bits", document.inputBits);
    json.attribute("signed", document.isSigned);
    list("range", {document.firstCode, document.lastCode});
    json.attribute("fraction_bits", table.fractionBits);
    json.attribute("slope_bits", document.format.slopeBits);
    json.attribute("intercept_bits", document.format.interceptBits);
    list("breakpoints", table.breakpoints);
    list("slopes", table.slopes);
    list("intercepts", table.intercepts);
    json.attribute("mean_squared_error", document.meanSquaredError);
    json.attribute("largest_error", document.largestError);
    json.attributeArray("errors_at_scales", [&] {
      for (auto [scale, error] : document.scaleErrors)
        json.object([&] {
          json.attribute("input_scale", scale);
          json.attribute("mean_squared_error", error);
        });
    });
  });
  os << "\n";
}

/// A C identifier.
static std::string identifier(llvm::StringRef name) {
  std::string text = name.str();
  for (char &c : text)
    if (!llvm::isAlnum(c))
      c = '_';
  return text;
}

static void writeArray(llvm::raw_ostream &os, const std::string &type, const std::string &name,
                       llvm::ArrayRef<int64_t> values) {
  os << "static const " << type << " " << name << "[" << values.size() << "] = {";
  for (auto [index, value] : llvm::enumerate(values))
    os << (index == 0 ? "" : index % 12 ? ", " : ",\n    ") << value;
  os << "};\n";
}

void approximation::writeC(llvm::raw_ostream &os, const TableDocument &document) {
  const PiecewiseTable steps = document.table.inSteps(document.scale);
  // Products and sums of the whole input type.
  int64_t largest = 0;
  for (auto [slope, intercept] : llvm::zip(steps.slopes, steps.intercepts))
    largest = std::max(largest, (std::abs(slope) << document.inputBits) + std::abs(intercept));
  const std::string type = largest < (int64_t(1) << 31) ? "int32_t" : "int64_t";
  const std::string name = "vitq_" + identifier(document.function);
  const size_t entries = steps.entries();

  os << "/* " << document.function << " as " << entries << " lines, fitted by vitq-lut (" << document.method
     << ").\n *\n * " << document.function << "(q * " << number(document.scale) << ") is about " << name << "(q) * "
     << llvm::format("%.17g", std::ldexp(document.scale, -static_cast<int>(steps.fractionBits)))
     << ", for input codes q relative to\n * their zero point, fitted for " << document.firstCode
     << " <= q <= " << document.lastCode << ": mean squared error " << number(document.meanSquaredError)
     << ",\n * largest error " << number(document.largestError)
     << ". Entry i serves breakpoint[i-1] <= q < breakpoint[i]; the first\n * and the last serve what is beyond.\n */\n"
     << "#include <stdint.h>\n\n";
  writeArray(os, "int32_t", name + "_breakpoint", steps.breakpoints);
  writeArray(os, "int32_t", name + "_slope", steps.slopes);
  writeArray(os, type, name + "_intercept", steps.intercepts);
  os << "\nstatic " << type << " " << name << "(int32_t q) {\n  int entry = 0;\n  int i;\n  for (i = 0; i < "
     << entries - 1 << "; ++i)\n    entry += q >= " << name << "_breakpoint[i];\n  return (" << type << ")" << name
     << "_slope[entry] * q + " << name << "_intercept[entry];\n}\n";
}
