//===- RangeTable.cpp - Ranges and statistics as JSON -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/APInt.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
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

/// Sums are beyond the integers of JSON's readers, and are text. None when there are none.
static std::optional<std::vector<ChannelSum>> readSums(const llvm::json::Array &array) {
  std::vector<ChannelSum> sums;
  for (const llvm::json::Value &entry : array) {
    llvm::StringRef digits = entry.getAsString().value_or("");
    const bool isNegative = digits.consume_front("-");
    // Of 2^26 images no more.
    constexpr size_t mostDigits = 38;
    if (digits.empty() || digits.size() > mostDigits || !llvm::all_of(digits, llvm::isDigit))
      return std::nullopt;
    ChannelSum sum = 0;
    for (char digit : digits)
      sum = sum * 10 + (digit - '0');
    sums.push_back(isNegative ? -sum : sum);
  }
  return sums;
}

/// Adds what the means of `statistics` are from, if `object` says. Whether it fits.
static bool readExactMeans(const llvm::json::Object &object, ChannelStatistics &statistics) {
  if (!object.get("sum") && !object.get("rows"))
    return true;
  const llvm::json::Array *array = object.getArray("sum");
  std::optional<int64_t> rows = object.getInteger("rows");
  if (!array || !rows || *rows <= 0)
    return false;
  std::optional<std::vector<ChannelSum>> sums = readSums(*array);
  if (!sums || sums->size() != statistics.means.size())
    return false;
  statistics.sums = std::move(*sums);
  statistics.rows = *rows;
  for (auto [mean, sum] : llvm::zip_equal(statistics.means, statistics.sums))
    mean = channelMean(sum, *rows);
  return true;
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
  ChannelStatistics statistics{{std::move(*min), std::move(*max)}, std::move(*means), {}};
  return readExactMeans(*object, statistics) ? std::optional(std::move(statistics)) : std::nullopt;
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
                              "' are not equally many (1 to 65536) finite numbers 'min', 'max', 'mean' and 'sum' with "
                              "min <= max and a positive number of 'rows'");
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

static llvm::Expected<RangeTable> loadFile(llvm::StringRef path) {
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

//===----------------------------------------------------------------------===//
// Several tables
//===----------------------------------------------------------------------===//

/// Adds the numbers of one channel after the other. Whether they fit.
static bool mergeChannels(ChannelStatistics &into, const ChannelStatistics &other) {
  if (into.sums.size() != other.sums.size() || into.sums.empty() || into.sums.size() != into.ranges.min.size())
    return false;
  if (__builtin_add_overflow(into.rows, other.rows, &into.rows))
    return false;
  for (size_t i = 0; i < into.sums.size(); ++i) {
    into.ranges.min[i] = std::min(into.ranges.min[i], other.ranges.min[i]);
    into.ranges.max[i] = std::max(into.ranges.max[i], other.ranges.max[i]);
    if (__builtin_add_overflow(into.sums[i], other.sums[i], &into.sums[i]))
      return false;
    into.means[i] = channelMean(into.sums[i], into.rows);
  }
  return true;
}

/// Whether nothing was seen of a value: scores that are masked altogether.
static bool sawNothing(const RangeTable &table, const std::string &name) {
  auto histogram = table.histograms.find(name);
  return histogram != table.histograms.end() && histogram->second.total() == 0;
}

static void mergeRange(RangeTable &table, const RangeTable &other, const std::string &name, const Range &range) {
  auto [own, isNew] = table.ranges.try_emplace(name, range);
  if (isNew || sawNothing(other, name))
    return;
  if (sawNothing(table, name))
    own->second = range;
  else
    own->second = {std::min(own->second.min, range.min), std::max(own->second.max, range.max)};
}

/// A value that only one of two tables has, by names of either; empty if there is none. What was not seen in one part
/// may be missing there.
static std::string findUnmatched(const RangeTable &a, const RangeTable &b) {
  auto lacks = [](const auto &own, const auto &other) {
    for (const auto &[name, entry] : own)
      if (!other.contains(name))
        return name;
    return std::string();
  };
  for (const auto &[one, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (std::string name = lacks(one->ranges, other->ranges); !name.empty())
      return name;
    if (std::string name = lacks(one->histograms, other->histograms); !name.empty())
      return name;
    for (const auto &[name, channels] : one->channels)
      if (!other->channels.contains(name) && !sawNothing(*other, name))
        return name;
  }
  return {};
}

llvm::Error calibration::mergeRanges(RangeTable &table, const RangeTable &other, llvm::StringRef origin) {
  if (table.fingerprint != other.fingerprint)
    return failure(origin, "is of another model than the ranges before it");
  if (table.preprocess != other.preprocess)
    return failure(origin, "was measured with preprocess '" + other.preprocess + "', the ranges before it with '" +
                               table.preprocess + "'");
  if (std::string name = findUnmatched(table, other); !name.empty())
    return refuse(origin, "and the ranges before it have not the same values: one says nothing of '" + name + "'");
  // Written with a sign.
  int64_t images = 0;
  if (__builtin_add_overflow(table.images, other.images, &images))
    return refuse(origin, "the numbers of images have no sum");
  table.images = static_cast<uint64_t>(images);
  for (const auto &[name, range] : other.ranges)
    mergeRange(table, other, name, range);
  for (const auto &[name, channels] : other.channels)
    if (auto [own, isNew] = table.channels.try_emplace(name, channels); !isNew && !mergeChannels(own->second, channels))
      return refuse(origin, "the channels of '" + name +
                                "' cannot be added to those of the ranges before it: there are others, or means "
                                "without their sums, as earlier versions wrote them");
  for (const auto &[name, histogram] : other.histograms) {
    auto [own, isNew] = table.histograms.try_emplace(name, histogram);
    int64_t total = 0;
    if (!isNew && __builtin_add_overflow(own->second.total(), histogram.total(), &total))
      return refuse(origin, "the histograms of '" + name + "' have no sum");
    if (!isNew)
      own->second.merge(histogram);
  }
  return llvm::Error::success();
}

llvm::Expected<RangeTable> calibration::loadRanges(llvm::StringRef path) {
  // One file's name may hold a comma.
  if (!path.contains(',') || llvm::sys::fs::exists(path))
    return loadFile(path);
  llvm::SmallVector<llvm::StringRef> paths;
  path.split(paths, ',', -1, /*KeepEmpty=*/false);
  std::optional<RangeTable> table;
  for (llvm::StringRef part : paths) {
    llvm::Expected<RangeTable> next = loadFile(part);
    if (!next)
      return next.takeError();
    if (!table)
      table = std::move(*next);
    else if (llvm::Error error = mergeRanges(*table, *next, part))
      return error;
  }
  if (!table)
    return failure(path, "names no file");
  return std::move(*table);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

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

/// The inverse of `readSums`.
static void writeSums(llvm::json::OStream &json, llvm::ArrayRef<ChannelSum> sums) {
  json.attributeBegin("sum");
  json.rawValue([&](llvm::raw_ostream &os) {
    os << "[";
    llvm::interleave(
        sums, os,
        [&](ChannelSum sum) {
          llvm::SmallString<48> digits;
          const auto words = static_cast<unsigned __int128>(sum);
          llvm::APInt(128, {static_cast<uint64_t>(words), static_cast<uint64_t>(words >> 64)}).toStringSigned(digits);
          os << '"' << digits << '"';
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
            if (channels.sums.empty())
              return;
            json.attribute("rows", channels.rows);
            writeSums(json, channels.sums);
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
