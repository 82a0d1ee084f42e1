//===- RangeTable.cpp - Ranges and statistics as JSON -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace vitq;
using namespace vitq::calibration;

/// A file takes some 50 times its size in memory while it is read.
static constexpr size_t kMaxFileSize = size_t(256) << 20;

static llvm::Error failure(llvm::StringRef path, const llvm::Twine &what) {
  return llvm::createStringError(path + ": " + what);
}

static llvm::Error refuse(llvm::StringRef path, const llvm::Twine &what) {
  return failure(path, what + "; calibrate again (--calibration-data, --save-ranges)");
}

/// Whether brackets nest deeper than in any table: the parser recurses on them.
static bool nestsTooDeeply(llvm::StringRef text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{') && ++depth > 16)
      return true;
    else if (!inString && (c == ']' || c == '}'))
      --depth;
  }
  return false;
}

/// The finite numbers of an array whose type T holds them; none otherwise.
template <typename T>
static std::optional<std::vector<T>> readNumbers(const llvm::json::Array *array) {
  if (!array)
    return std::nullopt;
  // The largest float, in as many digits as it needs, is read as a double just above it.
  constexpr double largest = std::numeric_limits<T>::max();
  constexpr double limit = std::is_same_v<T, float> ? 0x1.ffffffp127 : largest;
  std::vector<T> numbers;
  for (const llvm::json::Value &entry : *array) {
    std::optional<double> number = entry.getAsNumber();
    if (!number || !(std::abs(*number) <= limit))
      return std::nullopt;
    numbers.push_back(static_cast<T>(std::clamp(*number, -largest, largest)));
  }
  return numbers;
}

static std::optional<ChannelStatistics> readChannels(const llvm::json::Value &value) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return std::nullopt;
  auto min = readNumbers<float>(object->getArray("min")), max = readNumbers<float>(object->getArray("max"));
  auto means = readNumbers<double>(object->getArray("mean"));
  if (!min || !max || !means || min->empty() || min->size() > kMaxStatisticsChannels || min->size() != max->size() ||
      min->size() != means->size())
    return std::nullopt;
  for (auto [low, high] : llvm::zip_equal(*min, *max))
    if (low > high)
      return std::nullopt;
  return ChannelStatistics{{std::move(*min), std::move(*max)}, std::move(*means)};
}

static std::optional<Histogram> readHistogram(const llvm::json::Value &value) {
  const llvm::json::Array *rows = value.getAsArray();
  if (!rows)
    return std::nullopt;
  std::vector<std::pair<int64_t, int64_t>> bins;
  for (const llvm::json::Value &row : *rows) {
    const llvm::json::Array *pair = row.getAsArray();
    if (!pair || pair->size() != 2)
      return std::nullopt;
    std::optional<int64_t> bin = (*pair)[0].getAsInteger(), count = (*pair)[1].getAsInteger();
    if (!bin || !count)
      return std::nullopt;
    bins.emplace_back(*bin, *count);
  }
  return Histogram::fromSparse(bins);
}

/// The keys that version 2 adds.
static llvm::Error parseStatistics(const llvm::json::Object &root, llvm::StringRef path, RangeTable &table) {
  const llvm::json::Object *channels = root.getObject("channels"), *histograms = root.getObject("histograms");
  if (!channels || !histograms)
    return refuse(path, "'channels' or 'histograms' is no object");
  for (const auto &[name, entry] : *channels) {
    std::optional<ChannelStatistics> statistics = readChannels(entry);
    if (!statistics)
      return refuse(path, "the channels of '" + llvm::StringRef(name) +
                              "' are not equally many (1 to 65536) finite numbers 'min', 'max' and 'mean' with min <= "
                              "max");
    table.channels[name.str()] = std::move(*statistics);
  }
  for (const auto &[name, entry] : *histograms) {
    std::optional<Histogram> histogram = readHistogram(entry);
    if (!histogram)
      return refuse(path, "the histogram of '" + llvm::StringRef(name) +
                              "' is not [[bin, count], ...] with ascending bins from -" +
                              llvm::Twine(Histogram::kMaxBin) + " to " + llvm::Twine(Histogram::kMaxBin) +
                              " and no negative count");
    table.histograms[name.str()] = std::move(*histogram);
  }
  return llvm::Error::success();
}

static llvm::Expected<RangeTable> parse(const llvm::json::Value &value, llvm::StringRef path) {
  const llvm::json::Object *root = value.getAsObject();
  if (!root || !root->get("ranges"))
    return failure(path, "is no range table (written by --save-ranges)");
  std::optional<int64_t> version = root->getInteger("version");
  if (version != 1 && version != 2)
    return failure(path, "has another version than 1 or 2; write it again with --save-ranges");
  RangeTable table;
  if (std::optional<int64_t> images = root->getInteger("images"); images && *images > 0)
    table.images = static_cast<uint64_t>(*images);
  else
    return refuse(path, "'images' is no positive number");
  std::optional<llvm::StringRef> preprocess = root->getString("preprocess");
  const llvm::json::Object *ranges = root->getObject("ranges");
  if (!preprocess || !ranges)
    return refuse(path, "'preprocess' is no string or 'ranges' no object");
  table.preprocess = preprocess->str();
  if (const llvm::json::Value *fingerprint = root->get("fingerprint")) {
    if (std::optional<llvm::StringRef> text = fingerprint->getAsString(); text && !text->empty())
      table.fingerprint = text->str();
    else
      return refuse(path, "'fingerprint' is no text");
  }
  for (const auto &[name, entry] : *ranges) {
    std::optional<std::vector<double>> pair = readNumbers<double>(entry.getAsArray());
    if (!pair || pair->size() != 2 || (*pair)[0] > (*pair)[1])
      return refuse(path, "the range of '" + llvm::StringRef(name) + "' is not [min, max] with min <= max");
    table.ranges[name.str()] = {(*pair)[0], (*pair)[1]};
  }
  if (version == 2)
    if (llvm::Error error = parseStatistics(*root, path, table))
      return error;
  return table;
}

llvm::Expected<RangeTable> calibration::loadRanges(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return failure(path, buffer.getError().message());
  llvm::StringRef text = (*buffer)->getBuffer();
  if (text.size() > kMaxFileSize || nestsTooDeeply(text))
    return failure(path,
                   "is no range table (written by --save-ranges): it is larger than 256 MiB or nested too deeply");
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return refuse(path, llvm::toString(value.takeError()));
  return parse(*value, path);
}

/// Writes numbers on one line, with as many digits as T needs to be read back.
template <typename T>
static void writeNumbers(llvm::json::OStream &json, llvm::StringRef key, llvm::ArrayRef<T> numbers) {
  json.attributeBegin(key);
  json.rawValue([&](llvm::raw_ostream &os) {
    os << "[";
    llvm::interleave(
        numbers, os,
        [&](T number) {
          os << llvm::format("%.*g", std::numeric_limits<T>::max_digits10, static_cast<double>(number));
        },
        ", ");
    os << "]";
  });
  json.attributeEnd();
}

static void writeHistogram(llvm::json::OStream &json, llvm::StringRef key, const Histogram &histogram) {
  json.attributeBegin(key);
  json.rawValue([&](llvm::raw_ostream &os) {
    os << "[";
    llvm::interleave(
        histogram.sparse(), os, [&](auto row) { os << "[" << row.first << "," << row.second << "]"; }, ", ");
    os << "]";
  });
  json.attributeEnd();
}

llvm::Error calibration::saveRanges(const RangeTable &table, llvm::StringRef path) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    llvm::json::OStream json(os, /*IndentSize=*/2);
    json.object([&] {
      json.attribute("version", 2);
      json.attribute("images", static_cast<int64_t>(table.images));
      if (!table.fingerprint.empty())
        json.attribute("fingerprint", table.fingerprint);
      json.attribute("preprocess", table.preprocess);
      json.attributeObject("ranges", [&] {
        for (const auto &[name, range] : table.ranges)
          json.attributeArray(name, [&] {
            json.value(range.min);
            json.value(range.max);
          });
      });
      json.attributeObject("channels", [&] {
        for (const auto &[name, channels] : table.channels)
          json.attributeObject(name, [&] {
            writeNumbers<float>(json, "min", channels.ranges.min);
            writeNumbers<float>(json, "max", channels.ranges.max);
            writeNumbers<double>(json, "mean", channels.means);
          });
      });
      json.attributeObject("histograms", [&] {
        for (const auto &[name, histogram] : table.histograms)
          writeHistogram(json, name, histogram);
      });
    });
    os << "\n";
    return llvm::Error::success();
  });
}
