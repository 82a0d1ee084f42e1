//===- ProgramResults.cpp - What a program gives, by name and scale -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/ProgramResults.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace mlir;
using namespace vitq;

/// The names that a location lists; none where a part of it is no name.
static SmallVector<std::string> listedNames(Location location) {
  SmallVector<Location> parts = {location};
  if (auto fused = dyn_cast<FusedLoc>(location))
    parts.assign(fused.getLocations().begin(), fused.getLocations().end());
  SmallVector<std::string> names;
  for (Location part : parts) {
    auto name = dyn_cast<NameLoc>(part);
    if (!name || name.getName().empty())
      return {};
    names.push_back(name.getName().str());
  }
  return names;
}

SmallVector<std::string> vitq::resultNames(func::FuncOp main) {
  const unsigned count = main.getNumResults();
  SmallVector<std::string> names;
  if (!main.isExternal())
    names = listedNames(main.getBody().back().back().getLoc());
  llvm::StringSet<> seen;
  if (names.size() == count && llvm::all_of(names, [&](StringRef name) { return seen.insert(name).second; }))
    return names;
  names.clear();
  for (unsigned i = 0; i < count; ++i)
    names.push_back(count == 1 ? "output" : "output" + std::to_string(i));
  return names;
}

SmallVector<double> vitq::getOutputScales(ModuleOp module, size_t results) {
  SmallVector<double> scales;
  if (auto one = module->getAttrOfType<FloatAttr>(kOutputScaleAttr))
    scales.push_back(one.getValueAsDouble());
  else if (auto several = module->getAttrOfType<DenseF64ArrayAttr>(kOutputScaleAttr))
    scales.assign(several.asArrayRef().begin(), several.asArrayRef().end());
  // The module may have been written by hand.
  for (double &scale : scales)
    if (!std::isfinite(scale) || scale < 0)
      scale = 0;
  if (scales.size() != results)
    scales.assign(results, 0);
  return scales;
}

void vitq::setOutputScales(ModuleOp module, ArrayRef<double> scales) {
  if (llvm::none_of(scales, [](double scale) { return scale > 0; }))
    return;
  Builder builder(module.getContext());
  module->setAttr(kOutputScaleAttr, scales.size() == 1 ? Attribute(builder.getF64FloatAttr(scales.front()))
                                                       : DenseF64ArrayAttr::get(module.getContext(), scales));
}
