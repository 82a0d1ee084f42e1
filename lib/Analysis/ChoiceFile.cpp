//===- ChoiceFile.cpp - Files that flags name with @ ------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/ChoiceFile.h"

#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace vitq {

Expected<json::Object> readChoiceFile(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createStringError("cannot read '" + path + "': " + buffer.getError().message());
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value)
    return createStringError(path + ": " + toString(value.takeError()));
  json::Object *root = value->getAsObject();
  if (!root)
    return createStringError(path + ": is no JSON object");
  return std::move(*root);
}

std::string suggestNames(StringRef name, ArrayRef<StringRef> names) {
  std::string text;
  const SmallVector<StringRef> nearest = nearestNames(name, names, 3);
  for (auto [i, candidate] : enumerate(nearest))
    text += (i == 0 ? "'" : i + 1 == nearest.size() ? " or '" : ", '") + candidate.str() + "'";
  return text;
}

} // namespace vitq
