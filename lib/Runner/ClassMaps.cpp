//===- ClassMaps.cpp - Outputs of a class for each pixel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Evaluation.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::runner;
using data::ClassMap;
using data::Size;

static Size sizeOfMap(const OutputInfo &info) {
  return {static_cast<int>(info.shape[2]), static_cast<int>(info.shape[3])};
}

std::optional<size_t> runner::findMaps(const Subject &subject) {
  for (size_t i = 0; i < subject.outputs.size(); ++i)
    if (subject.output(i).hasMaps())
      return i;
  return std::nullopt;
}

namespace {
/// Where a pixel of one axis lies among `from` others: between two, by `share` nearer to
/// the second.
struct Place {
  int64_t first, second;
  double share;
};
} // namespace

static std::vector<Place> placesOf(int from, int to) {
  std::vector<Place> places;
  for (int i = 0; i < to; ++i) {
    const double center = std::max(0.0, (i + 0.5) * from / to - 0.5);
    const auto first = std::min<int64_t>(static_cast<int64_t>(center), from - 1);
    const int64_t second = std::min<int64_t>(first + 1, from - 1);
    places.push_back({first, second, second == first ? 0 : center - static_cast<double>(first)});
  }
  return places;
}

ClassMap runner::classesOf(const OutputInfo &info, const Outputs &outputs, int64_t image, Size size) {
  const Size own = sizeOfMap(info);
  const int64_t classes = info.shape[1], area = int64_t(own.height) * own.width;
  const std::vector<Place> rows = placesOf(own.height, size.height), columns = placesOf(own.width, size.width);
  ClassMap map{size, std::vector<int32_t>(rows.size() * columns.size())};
  std::vector<double> best(map.classes.size(), -INFINITY);
  for (int64_t label = 0; label < classes; ++label) {
    auto at = [&](int64_t y, int64_t x) { return outputs.logit(image, label * area + y * own.width + x); };
    size_t pixel = 0;
    for (const Place &row : rows)
      for (const Place &column : columns) {
        const double upper =
            at(row.first, column.first) * (1 - column.share) + at(row.first, column.second) * column.share;
        const double lower = row.share == 0 ? 0
                                            : at(row.second, column.first) * (1 - column.share) +
                                                  at(row.second, column.second) * column.share;
        const double value = upper * (1 - row.share) + lower * row.share;
        if (value > best[pixel]) {
          best[pixel] = value;
          map.classes[pixel] = static_cast<int32_t>(label);
        }
        ++pixel;
      }
  }
  return map;
}

std::optional<MapAccuracy> runner::accuracyOf(const OutputInfo &info, const Outputs &outputs,
                                              llvm::ArrayRef<ClassMap> labels) {
  const auto classes = static_cast<size_t>(info.shape[1]);
  std::vector<int64_t> labelled(classes), given(classes), right(classes);
  int64_t pixels = 0;
  for (auto [image, expected] : llvm::enumerate(labels)) {
    const ClassMap map = classesOf(info, outputs, static_cast<int64_t>(image), expected.size);
    for (auto [wanted, got] : llvm::zip_equal(expected.classes, map.classes)) {
      if (wanted == data::kNoClass)
        continue;
      ++pixels;
      ++labelled[wanted];
      ++given[got];
      right[got] += wanted == got;
    }
  }
  if (pixels == 0)
    return std::nullopt;
  int64_t allRight = 0, present = 0;
  double sum = 0;
  for (size_t label = 0; label < classes; ++label) {
    allRight += right[label];
    const int64_t either = labelled[label] + given[label] - right[label];
    if (either == 0)
      continue;
    ++present;
    sum += static_cast<double>(right[label]) / static_cast<double>(either);
  }
  return MapAccuracy{100.0 * static_cast<double>(allRight) / static_cast<double>(pixels),
                     100.0 * sum / static_cast<double>(present)};
}

llvm::Expected<std::vector<ClassMap>> runner::readMaps(llvm::StringRef path, const data::ImageSource &source,
                                                       int64_t images, const OutputInfo &info) {
  const Size sizes[] = {{source.height(), source.width()}, sizeOfMap(info)};
  auto maps = data::readClassMaps(path, source, static_cast<size_t>(images),
                                  llvm::ArrayRef(sizes).take_front(sizes[0] == sizes[1] ? 1 : 2));
  if (!maps)
    return maps.takeError();
  for (auto [i, map] : llvm::enumerate(*maps)) {
    const int32_t largest = *llvm::max_element(map.classes);
    if (largest >= info.shape[1])
      return llvm::createStringError(llvm::formatv("{0}: the map of image '{1}' has class {2}, '{3}' has {4} classes",
                                                   path, source.name(i), largest, info.name, info.shape[1])
                                         .str());
  }
  return maps;
}

double runner::agreementOf(const OutputInfo &own, const Outputs &outputs, const OutputInfo &reference,
                           const Outputs &referenceOutputs) {
  int64_t same = 0, pixels = 0;
  for (int64_t image = 0; image < outputs.images(); ++image) {
    const ClassMap map = classesOf(own, outputs, image, sizeOfMap(own));
    const ClassMap other = classesOf(reference, referenceOutputs, image, sizeOfMap(own));
    for (auto [a, b] : llvm::zip_equal(map.classes, other.classes))
      same += a == b;
    pixels += static_cast<int64_t>(map.classes.size());
  }
  return static_cast<double>(same) / static_cast<double>(pixels);
}

llvm::Error runner::dumpClasses(llvm::StringRef folder, const data::ImageSource &source, const OutputInfo &info,
                                const Outputs &outputs) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(folder + ": cannot be made: " + code.message());
  for (int64_t image = 0; image < outputs.images(); ++image) {
    llvm::StringRef name = source.name(static_cast<size_t>(image));
    llvm::SmallString<128> path(folder);
    // Pictures of an array are called "#0", "#1" ...
    llvm::sys::path::append(path, name.consume_front("#") ? name + ".png" : llvm::sys::path::stem(name) + ".png");
    if (llvm::Error error =
            data::writeClassMap(path, classesOf(info, outputs, image, {source.height(), source.width()})))
      return error;
  }
  return llvm::Error::success();
}
