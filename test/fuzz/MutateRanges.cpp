//===- MutateRanges.cpp - Damaged range tables --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace vitq::fuzz;
using llvm::json::Value;

/// What JSON cannot express stands in the tree as a string of this form.
static constexpr llvm::StringLiteral kBare = "@bare@";
static constexpr llvm::StringLiteral kBareTexts[] = {
    "NaN", "Infinity", "1e999", "-1e999", "1e-999", "-0", "00", "0x10", "1.5.5", "[", "}", "99999999999999999999"};

static Value nonsense(Random &random) {
  switch (random.below(8)) {
  case 0:
    return nullptr;
  case 1:
    return random.oneIn(2);
  case 2:
    return oddInteger(random);
  case 3: {
    double number = oddNumber(random);
    if (number - number == 0)
      return number;
    return 1e300;
  }
  case 4:
    return random.pick<llvm::StringLiteral>({"", "nan", "mean=0.5,std=0.5", "resize=8192", "@x.json", "\x01"}).str();
  case 5:
    return random.oneIn(2) ? Value(llvm::json::Array{}) : Value(llvm::json::Array{1, 2, 3});
  case 6:
    return random.oneIn(2) ? Value(llvm::json::Object{}) : Value(llvm::json::Object{{"min", 1}});
  default:
    return (kBare + random.pick<llvm::StringLiteral>(kBareTexts)).str();
  }
}

static std::vector<llvm::json::ObjectKey> sortedKeys(const llvm::json::Object &object) {
  std::vector<llvm::json::ObjectKey> keys;
  for (const auto &entry : object)
    keys.push_back(entry.first);
  llvm::sort(keys);
  return keys;
}

/// Replaces, removes, repeats or swaps entries of an object.
static void damageObject(llvm::json::Object &object, Random &random) {
  std::vector<llvm::json::ObjectKey> keys = sortedKeys(object);
  const llvm::json::ObjectKey &key = keys[random.below(keys.size())], &other = keys[random.below(keys.size())];
  switch (random.below(5)) {
  case 0:
    object.erase(key);
    break;
  case 1: {
    Value value = object[key];
    object[key] = Value(object[other]);
    object[other] = std::move(value);
    break;
  }
  case 2:
    object[llvm::StringRef(key).str() + "x"] = Value(object[key]);
    object.erase(key);
    break;
  case 3:
    object[other] = Value(object[key]);
    break;
  default:
    object[key] = nonsense(random);
    break;
  }
}

static void damageArray(llvm::json::Array &array, Random &random) {
  size_t at = random.below(array.size()), other = random.below(array.size());
  switch (random.below(6)) {
  case 0:
    array.erase(array.begin() + at);
    break;
  case 1:
    std::swap(array[at], array[other]);
    break;
  case 2:
    array.insert(array.begin() + other, Value(array[at]));
    break;
  case 3:
    if (std::optional<double> number = array[at].getAsNumber())
      array[at] = *number * random.pick<double>({-1.0, 0.0, 1e-30, 1e10, 1e30, 1e38, 1.0000001});
    break;
  default:
    array[at] = nonsense(random);
    break;
  }
}

/// Damages the tree somewhere. A damaged root is refused at once, so that is rare.
static void damage(Value &value, Random &random, bool isRoot = true) {
  if (llvm::json::Object *object = value.getAsObject(); object && !object->empty()) {
    std::vector<llvm::json::ObjectKey> keys = sortedKeys(*object);
    Value *child = &(*object)[keys[random.below(keys.size())]];
    if (isRoot && !random.oneIn(10))
      if (Value *table = object->get(random.pick<llvm::StringLiteral>({"ranges", "channels", "histograms"})))
        child = table;
    bool deeper = child->getAsObject() || child->getAsArray();
    return deeper && !random.oneIn(isRoot ? 20 : 4) ? damage(*child, random, false) : damageObject(*object, random);
  }
  llvm::json::Array *array = value.getAsArray();
  if (!array || array->empty()) {
    value = nonsense(random);
    return;
  }
  Value &child = (*array)[random.below(array->size())];
  return child.getAsArray() && !random.oneIn(4) ? damage(child, random, false) : damageArray(*array, random);
}

RangesMutator::RangesMutator(std::string text) : good(std::move(text)), parsed(nullptr) {
  parsed = llvm::cantFail(llvm::json::parse(good));
}

std::string RangesMutator::mutate(uint64_t seed) const {
  Random random(seed);
  if (random.oneIn(4)) {
    // The head of the file and the table of ranges are short beside the histograms.
    size_t channels = std::min(good.find("\"channels\""), good.size());
    Span places[] = {{0, 256}, {0, channels}, {0, good.size()}};
    return mutateBytes(good, places, random);
  }
  Value copy = parsed;
  for (size_t times = size_t(1) << random.below(3); times; --times)
    damage(copy, random);
  std::string text;
  llvm::raw_string_ostream(text) << copy;
  for (size_t at; (at = text.find(("\"" + kBare).str())) != std::string::npos;) {
    text.erase(at, 1 + kBare.size());
    text.erase(text.find('"', at), 1);
  }
  return text;
}
