//===- Wishes.cpp - Where the user wants ops to run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Wishes.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

llvm::Expected<PlacementWishes> PlacementWishes::parse(StringRef text) {
  PlacementWishes wishes;
  SmallVector<StringRef> items;
  text.split(items, ',', -1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    // Names of nodes may hold '='.
    auto [name, where] = item.rsplit('=');
    const Place place =
        llvm::StringSwitch<Place>(where).Case("array", Place::Array).Case("host", Place::Host).Default(Place::Any);
    if (name.empty() || place == Place::Any)
      return llvm::createStringError("place: '" + item +
                                     "' is not OP=array or OP=host, where OP is the name of an op "
                                     "(softmax, matmul, ...) or of a node");
    wishes.places[name] = place;
  }
  return wishes;
}

llvm::Expected<PlacementWishes> PlacementWishes::of(ModuleOp module) {
  auto text = module->getAttrOfType<StringAttr>(kWishesAttr);
  return parse(text ? text.getValue() : StringRef());
}

static StringRef shortName(Operation *op) { return op->getName().stripDialect(); }

/// A node that is wanted on the array means its products: not all of its ops may have a unit.
PlacementWishes::Place PlacementWishes::placeOf(Operation *op) const {
  if (places.empty())
    return Place::Any;
  if (auto found = places.find(nodeName(op->getLoc())); found != places.end())
    return found->second == Place::Array && !isa<integer::MatmulOp>(op) ? Place::Any : found->second;
  auto found = places.find(shortName(op));
  return found == places.end() ? Place::Any : found->second;
}

std::string PlacementWishes::unusedName(ModuleOp module) const {
  llvm::StringMap<bool> used;
  for (const auto &entry : places)
    used[entry.first()] = false;
  module.walk([&](Operation *op) {
    const std::string node = nodeName(op->getLoc());
    for (StringRef name : {shortName(op), StringRef(node)})
      if (auto found = used.find(name); found != used.end())
        found->second = true;
  });
  std::string result;
  for (const auto &entry : used)
    if (!entry.second && (result.empty() || entry.first() < StringRef(result)))
      result = entry.first().str();
  return result;
}
