//===- Labels.cpp - The classes of pictures -------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileInput.h"
#include "vitq/Data/ImageSource.h"
#include "vitq/Data/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace vitq::data;

static Expected<std::vector<int64_t>> readArray(StringRef path, size_t pictures) {
  auto array = readNpy(path);
  if (!array)
    return array.takeError();
  std::vector<int64_t> labels;
  auto assign = [&](auto values) { labels.assign(values.begin(), values.end()); };
  switch (array->dtype) {
  case DType::UInt8:
    assign(array->values<uint8_t>());
    break;
  case DType::Int8:
    assign(array->values<int8_t>());
    break;
  case DType::Int16:
    assign(array->values<int16_t>());
    break;
  case DType::Int32:
    assign(array->values<int32_t>());
    break;
  case DType::Int64:
    assign(array->values<int64_t>());
    break;
  case DType::Float32:
  case DType::Float64:
    return makeFileError(path,
                         "labels are whole numbers, but the array is " + toString(array->dtype) + "; save it as int64");
  }
  if (array->shape.size() != 1)
    return makeFileError(path, "labels are an array of one dimension, not " + shapeToString(array->shape));
  if (labels.size() != pictures)
    return makeFileError(path, "holds " + Twine(labels.size()) + " labels for " + Twine(pictures) + " pictures");
  for (auto [i, label] : enumerate(labels))
    if (label < 0)
      return makeFileError(path, "label " + Twine(i) + " is negative (" + Twine(label) + ")");
  return labels;
}

/// Whether a column begins like a number: a heading does not.
static bool isDecimal(StringRef column) {
  column.consume_front("-");
  return !column.empty() && isDigit(column.front());
}

static Expected<std::vector<int64_t>> readCSV(StringRef path, const ImageSource &source) {
  auto buffer = readRegularFile(path, uint64_t(1) << 30);
  if (!buffer)
    return buffer.takeError();
  StringRef rest = (*buffer)->getBuffer();
  rest.consume_front("\xEF\xBB\xBF");

  StringSet<> pictures;
  for (size_t i = 0, e = source.size(); i < e; ++i)
    pictures.insert(source.name(i));
  StringMap<int64_t> labelOf;
  std::string heading;
  bool first = true;
  for (size_t line = 1; !rest.empty(); ++line) {
    StringRef text;
    std::tie(text, rest) = rest.split('\n');
    text = text.trim();
    if (text.empty())
      continue;
    // The last comma: file names may hold others.
    auto [file, number] = text.rsplit(',');
    file = file.trim();
    number = number.trim();
    if (file.size() >= 2 && file.front() == '"' && file.back() == '"')
      file = file.drop_front().drop_back();
    file = sys::path::filename(file);
    // A first line that names a picture is no heading.
    bool mayBeHeading = std::exchange(first, false) && text.contains(',') && !pictures.contains(file) &&
                        !isPictureName(file) && !isDecimal(number);
    int64_t label;
    if (!text.contains(',') || number.getAsInteger(10, label)) {
      if (mayBeHeading) {
        heading = text.take_front(80).str();
        continue;
      }
      return makeFileError(path, "line " + Twine(line) +
                                     ": expected "
                                     "file,class_index, not '" +
                                     text.take_front(80) + "'");
    }
    if (label < 0)
      return makeFileError(path, "line " + Twine(line) + ": the class " + Twine(label) + " is negative");
    auto [entry, isNew] = labelOf.try_emplace(file, label);
    if (!isNew && entry->second != label)
      return makeFileError(path, "line " + Twine(line) + ": '" + file + "' has the class " + Twine(label) +
                                     " here and " + Twine(entry->second) + " further up");
  }

  std::vector<int64_t> labels;
  labels.reserve(source.size());
  for (size_t i = 0, e = source.size(); i < e; ++i) {
    auto entry = labelOf.find(source.name(i));
    if (entry == labelOf.end())
      return makeFileError(path, "has no label for '" + source.name(i) + "'; add a line '" + source.name(i) +
                                     ",CLASS' or remove the picture" +
                                     (heading.empty() ? "" : " (line 1, '" + heading + "', was taken for a heading)"));
    labels.push_back(entry->second);
  }
  return labels;
}

Expected<std::vector<int64_t>> vitq::data::readLabels(StringRef path, const ImageSource &source) {
  return isNpyPath(path) ? readArray(path, source.size()) : readCSV(path, source);
}
