//===- BitFront.cpp - What bits cost and lose, for reports ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/BitFront.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace vitq {

llvm::StringRef BitFront::costName() const {
  switch (kind) {
  case BitBudget::Kind::Latency:
    return "time over that of 8 bits";
  case BitBudget::Kind::Energy:
    return "energy over that of 8 bits";
  case BitBudget::Kind::Size:
  case BitBudget::Kind::Drop:
    break;
  }
  return "bytes of weights";
}

std::string BitFront::costText(double cost) const {
  if (kind == BitBudget::Kind::Latency || kind == BitBudget::Kind::Energy)
    return llvm::formatv("{0:f3}", cost).str();
  const bool isLarge = cost >= 1e6;
  return llvm::formatv("{0:f2} {1}", cost / (isLarge ? 1e6 : 1e3), isLarge ? "MB" : "kB").str();
}

void setBitFront(ModuleOp module, const BitFront &front) {
  Builder b(module.getContext());
  SmallVector<NamedAttribute> entries;
  auto add = [&](llvm::StringRef name, ArrayRef<double> numbers) {
    entries.push_back(b.getNamedAttr(name, b.getDenseF64ArrayAttr(numbers)));
  };
  SmallVector<double> costs, losses;
  for (const BitFront::Point &point : front.points) {
    costs.push_back(point.cost);
    losses.push_back(point.loss);
  }
  entries.push_back(b.getNamedAttr("budget", b.getStringAttr(toString(front.kind))));
  add("costs", costs);
  add("losses", losses);
  add("chosen", {front.chosen.cost, front.chosen.loss});
  add("eight", {front.eight.cost, front.eight.loss});
  add("four", {front.four.cost, front.four.loss});
  if (const auto &m = front.measured)
    add("measured", {static_cast<double>(m->images), m->before, m->after, m->changed, m->points});
  module->setAttr(kBitFrontAttr, b.getDictionaryAttr(entries));
}

std::optional<BitFront> getBitFront(ModuleOp module) {
  auto entries = module->getAttrOfType<DictionaryAttr>(kBitFrontAttr);
  if (!entries)
    return std::nullopt;
  auto numbers = [&](llvm::StringRef name) {
    auto array = entries.getAs<DenseF64ArrayAttr>(name);
    return array ? array.asArrayRef() : ArrayRef<double>();
  };
  BitFront front;
  auto name = entries.getAs<StringAttr>("budget");
  using enum BitBudget::Kind;
  bool isKnown = false;
  for (BitBudget::Kind kind : {Size, Latency, Energy, Drop})
    if (name && name.getValue() == toString(kind))
      front.kind = kind, isKnown = true;
  ArrayRef<double> costs = numbers("costs"), losses = numbers("losses"), measured = numbers("measured");
  if (!isKnown || costs.size() != losses.size())
    return std::nullopt;
  for (auto [cost, loss] : llvm::zip_equal(costs, losses))
    front.points.push_back({cost, loss});
  for (auto [to, key] : {std::pair(&front.chosen, "chosen"), {&front.eight, "eight"}, {&front.four, "four"}}) {
    ArrayRef<double> pair = numbers(key);
    if (pair.size() != 2)
      return std::nullopt;
    *to = {pair[0], pair[1]};
  }
  if (measured.size() == 5)
    front.measured = {static_cast<int64_t>(measured[0]), measured[1], measured[2], measured[3], measured[4]};
  return front;
}

} // namespace vitq
