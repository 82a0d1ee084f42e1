//===- Places.cpp - Where a diagnostic is, in words -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Places.h"

#include "vitq/Analysis/QuantizedTypes.h"

using namespace mlir;

std::string vitq::describePlace(Location loc, StringRef file, StringRef text) {
  FileLineColLoc place;
  loc->walk([&](Location inner) {
    place = dyn_cast<FileLineColLoc>(inner);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  const std::string node = nodeName(loc);
  // An error of reading the file begins with its name, and that of the node.
  if (!place && text.starts_with(file))
    return {};
  std::string prefix = (file + ": ").str();
  if (node == file || (node == "?" && !place))
    return isa<UnknownLoc>(loc) ? "" : prefix;
  if (place)
    prefix =
        (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" + Twine(place.getColumn()) + ": ").str();
  if (node != "?" && !text.starts_with("node '" + node + "'"))
    prefix += "node '" + node + "': ";
  return prefix;
}
