//===- RangeTable.cpp - Ranges as JSON -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "vitq/Support/AtomicFile.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>

using namespace vitq;
using namespace vitq::calibration;

static llvm::Error failure(llvm::StringRef path, const llvm::Twine &what) {
  return llvm::createStringError(path + ": " + what);
}

static llvm::Expected<RangeTable> parse(const llvm::json::Value &value, llvm::StringRef path) {
  const llvm::json::Object *root = value.getAsObject();
  if (!root || !root->get("ranges"))
    return failure(path, "is no range table (written by --save-ranges)");
  if (root->getInteger("version") != 1)
    return failure(path, "has another version than 1; write it again with --save-ranges");
  RangeTable table;
  if (std::optional<int64_t> images = root->getInteger("images"); images && *images > 0)
    table.images = static_cast<uint64_t>(*images);
  else
    return failure(path, "'images' is no positive number");
  std::optional<llvm::StringRef> preprocess = root->getString("preprocess");
  const llvm::json::Object *ranges = root->getObject("ranges");
  if (!preprocess || !ranges)
    return failure(path, "'preprocess' is no string or 'ranges' no object");
  table.preprocess = preprocess->str();
  for (const auto &[name, entry] : *ranges) {
    const llvm::json::Array *pair = entry.getAsArray();
    std::optional<double> min, max;
    if (pair && pair->size() == 2) {
      min = (*pair)[0].getAsNumber();
      max = (*pair)[1].getAsNumber();
    }
    if (!min || !max || !std::isfinite(*min) || !std::isfinite(*max) || *min > *max)
      return failure(path, "the range of '" + llvm::StringRef(name) + "' is not [min, max] with min <= max");
    table.ranges[name.str()] = {*min, *max};
  }
  return table;
}

llvm::Expected<RangeTable> calibration::loadRanges(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return failure(path, buffer.getError().message());
  llvm::Expected<llvm::json::Value> value = llvm::json::parse((*buffer)->getBuffer());
  if (!value)
    return failure(path, llvm::toString(value.takeError()));
  return parse(*value, path);
}

llvm::Error calibration::saveRanges(const RangeTable &table, llvm::StringRef path) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    llvm::json::OStream json(os, /*IndentSize=*/2);
    json.object([&] {
      json.attribute("version", 1);
      json.attribute("images", static_cast<int64_t>(table.images));
      json.attribute("preprocess", table.preprocess);
      json.attributeObject("ranges", [&] {
        for (const auto &[name, range] : table.ranges)
          json.attributeArray(name, [&] {
            json.value(range.min);
            json.value(range.max);
          });
      });
    });
    os << "\n";
    return llvm::Error::success();
  });
}
