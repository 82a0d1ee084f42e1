//===- BitChoice.cpp - How many bits each tensor's codes get -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/BitChoice.h"

#include "vitq/Analysis/ChoiceFile.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace vitq;

static constexpr StringLiteral kRoles[kNumTensorRoles] = {"weights",       "norm",      "query",  "key",     "value",
                                                          "probabilities", "attention", "hidden", "residual"};

StringRef vitq::toString(TensorRole role) { return kRoles[static_cast<size_t>(role)]; }

/// The roles that a name stands for; none if it is no name.
static SmallVector<TensorRole> rolesOf(StringRef name) {
  using enum TensorRole;
  if (name == "qkv")
    return {Query, Key, Value};
  if (name == "activations")
    return {Norm, Query, Key, Value, Probabilities, Attention, Hidden};
  const auto *found = find(kRoles, name);
  return found == std::end(kRoles) ? SmallVector<TensorRole>{}
                                   : SmallVector<TensorRole>{static_cast<TensorRole>(found - std::begin(kRoles))};
}

/// What layers with weights read: these may be of 16 bits, too.
static bool mayBeWide(TensorRole role) {
  using enum TensorRole;
  return role == Norm || role == Attention || role == Hidden;
}

/// Sets `bits` of what `name` stands for; `where` begins errors.
static Error setBits(BitChoice::Roles &roles, StringRef name, std::optional<int64_t> bits, const Twine &where) {
  const SmallVector<TensorRole> named = rolesOf(name);
  if (named.empty()) {
    SmallVector<StringRef> names(std::begin(kRoles), std::end(kRoles));
    names.append({"activations", "qkv"});
    return createStringError(where + "'" + name + "' is no kind of tensor; is " + suggestNames(name, names) +
                             " meant?");
  }
  for (TensorRole role : named) {
    const bool isResidual = role == TensorRole::Residual;
    const int64_t least = isResidual ? 8 : 2, most = isResidual ? 16 : 8;
    if (!bits || ((*bits < least || *bits > most) && !(*bits == 16 && mayBeWide(role))))
      return createStringError(where + name + " has " + Twine(least) + " to " + Twine(most) + " bits" +
                               (mayBeWide(role) ? ", or 16" : "") +
                               (bits ? ", not " + Twine(*bits) : Twine(": give a number")));
    int64_t own = *bits;
    if (role == TensorRole::Probabilities) {
      if (named.size() == 1 && own < 4)
        return createStringError(where + "probabilities have 4 to 8 bits, not " + Twine(own));
      // Of a number for all: powers of two relative to the maximum, or 8 bits of it.
      if (named.size() > 1)
        own = own <= 4 ? 4 : 8;
    }
    roles[static_cast<size_t>(role)] = static_cast<unsigned>(own);
  }
  return Error::success();
}

/// {ROLE: N, ...}, or one number where `number` says what it is for.
static Error setAll(BitChoice::Roles &roles, const json::Value &content, bool mayBeNumber, const Twine &where) {
  if (std::optional<int64_t> bits = content.getAsInteger(); bits && mayBeNumber) {
    for (StringRef name : {"weights", "activations"})
      if (Error error = setBits(roles, name, bits, where))
        return error;
    return Error::success();
  }
  const json::Object *entries = content.getAsObject();
  if (!entries)
    return createStringError(where + "must be an object {KIND: BITS}" + (mayBeNumber ? ", or a number of bits" : ""));
  for (const auto &[name, bits] : *entries)
    if (Error error = setBits(roles, name, bits.getAsInteger(), where))
      return error;
  return Error::success();
}

Error BitChoice::addFile(StringRef path) {
  Expected<json::Object> root = readChoiceFile(path);
  if (!root)
    return root.takeError();
  const std::string where = (path + ": ").str();
  for (const auto &[key, content] : *root) {
    if (key == "bits") {
      if (Error error = setAll(all, content, /*mayBeNumber=*/true, where + "bits: "))
        return error;
      continue;
    }
    const json::Object *entries = content.getAsObject();
    if (key != "layers" || !entries)
      return createStringError(where + "'" + StringRef(key) +
                               "' is not expected: \"bits\" or \"layers\" with an object");
    for (const auto &[layer, bits] : *entries)
      if (Error error = setAll(byLayer[StringRef(layer)], bits, /*mayBeNumber=*/true,
                               where + "layer '" + StringRef(layer) + "': "))
        return error;
  }
  return Error::success();
}

static constexpr StringLiteral kBudgets[] = {"size", "latency", "energy", "drop"};

StringRef vitq::toString(BitBudget::Kind kind) { return kBudgets[static_cast<size_t>(kind)]; }

/// A number of bytes with or without a unit.
static std::optional<double> bytesOf(StringRef text) {
  double unit = 1, value = 0;
  if (text.consume_back("MB"))
    unit = 1e6;
  else if (text.consume_back("kB"))
    unit = 1e3;
  else
    text.consume_back("B");
  if (text.trim().getAsDouble(value) || !(value > 0 && value * unit < 1e15))
    return std::nullopt;
  return value * unit;
}

/// BUDGET=N.
Error BitChoice::addBudget(StringRef text) {
  auto [name, number] = text.split('=');
  const std::string item = ("'auto:" + text + "': ").str();
  const auto *found = find(kBudgets, name.trim());
  if (found == std::end(kBudgets)) {
    SmallVector<StringRef> names(std::begin(kBudgets), std::end(kBudgets));
    return createStringError(item + "what bits may cost is auto:size=3MB, auto:latency=0.6, auto:energy=0.5 or " +
                             "auto:drop=1.0; is " + suggestNames(name, names) + " meant?");
  }
  BitBudget budget;
  budget.kind = static_cast<BitBudget::Kind>(found - std::begin(kBudgets));
  if (open && open->kind != budget.kind)
    return createStringError(item + "bits are chosen within one budget, and auto:" + toString(open->kind) +
                             " is another: leave one of them out");
  if (budget.kind == BitBudget::Kind::Size) {
    std::optional<double> bytes = bytesOf(number);
    if (!bytes)
      return createStringError(item + "a size is a number of bytes, kB or MB, above 0");
    budget.value = *bytes;
  } else if (number.trim().getAsDouble(budget.value) || !std::isfinite(budget.value)) {
    return createStringError(item + "is not followed by a number");
  } else if (budget.kind == BitBudget::Kind::Drop) {
    if (!(budget.value >= 0 && budget.value < 100))
      return createStringError(item + "a loss is a number of points of accuracy, 0 to 100");
  } else if (!(budget.value > 0 && budget.value <= 1)) {
    return createStringError(item + "a share of what 8 bits take is above 0 and at most 1");
  }
  open = budget;
  return Error::success();
}

Expected<BitChoice> BitChoice::parse(StringRef text) {
  BitChoice choice;
  SmallVector<StringRef> items;
  text.split(items, ',', -1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    item = item.trim();
    if (item.consume_front("@")) {
      if (Error error = choice.addFile(item))
        return error;
      continue;
    }
    if (item.consume_front("auto:")) {
      if (Error error = choice.addBudget(item))
        return error;
      continue;
    }
    auto [name, number] = item.split('=');
    int64_t bits = 0;
    const bool isNumber = !number.trim().getAsInteger(10, bits);
    if (Error error = setBits(choice.all, name.trim(), isNumber ? std::optional(bits) : std::nullopt, ""))
      return error;
  }
  return choice;
}

bool BitChoice::isBelow(unsigned bits, bool weights) const {
  auto isLow = [&](const Roles &roles) {
    for (auto [i, own] : enumerate(roles)) {
      const auto role = static_cast<TensorRole>(i);
      if (role != TensorRole::Residual && (role == TensorRole::Weights) == weights && own && *own < bits)
        return true;
    }
    return false;
  };
  return (open && (weights || open->opensActivations())) || isLow(all) ||
         any_of(byLayer, [&](const auto &entry) { return isLow(entry.second); });
}

std::optional<unsigned> BitChoice::ofLayer(TensorRole role, StringRef layer) const {
  auto found = byLayer.find(layer);
  return found == byLayer.end() ? std::nullopt : found->second[static_cast<size_t>(role)];
}
