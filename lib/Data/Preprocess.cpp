//===- Preprocess.cpp - From picture file to model input ------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Preprocess.h"

#include "PreprocessDetail.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <cmath>

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::preprocessing;

Error preprocessing::makeError(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }

/// The shortest decimal text that reads back as `value`.
static std::string shortest(double value) {
  char buffer[32];
  auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, result.ptr);
}

//===----------------------------------------------------------------------===//
// The specification
//===----------------------------------------------------------------------===//

StringRef vitq::data::toString(Interpolation interpolation) {
  return interpolation == Interpolation::Bicubic ? "bicubic" : "bilinear";
}

Resize::Result Resize::resultFor(Size input) const {
  if (exact)
    return {exact->height, exact->width};
  if (cover) {
    // As timm's ResizeKeepRatio, operation by operation.
    double ratio =
        std::min(static_cast<double>(input.height) / cover->height, static_cast<double>(input.width) / cover->width);
    auto scaled = [&](int side) { return static_cast<int64_t>(std::nearbyint(side / ratio)); };
    return {scaled(input.height), scaled(input.width)};
  }
  int64_t h = input.height, w = input.width;
  if (h <= w)
    return {shortSide, shortSide * w / h};
  return {shortSide * h / w, shortSide};
}

Error Preprocess::checkChannels(int channels) const {
  auto check = [&](const std::vector<double> &values, StringRef key) -> Error {
    if (values.size() == 1 || values.size() == static_cast<size_t>(channels))
      return Error::success();
    return makeError("preprocessing: '" + key + "' has " + Twine(values.size()) + " values, but the model takes " +
                     Twine(channels) +
                     " channel(s); give one value, or one "
                     "per channel joined by ':'");
  };
  if (Error e = check(mean, "mean"))
    return e;
  return check(stdDev, "std");
}

/// What holds of every valid `Preprocess`, however it was written.
Error preprocessing::validate(const Preprocess &p) {
  auto checkSide = [](int side, StringRef key) -> Error {
    if (side >= 1 && side <= kMaxSide)
      return Error::success();
    return makeError("preprocessing: '" + key + "' of " + Twine(side) + " pixels is not between 1 and " +
                     Twine(kMaxSide));
  };
  auto checkSize = [&](Size size, StringRef key) -> Error {
    if (Error e = checkSide(size.height, key))
      return e;
    return checkSide(size.width, key);
  };
  if (p.resize) {
    if (Error e = p.resize->exact   ? checkSize(*p.resize->exact, "resize")
                  : p.resize->cover ? checkSize(*p.resize->cover, "resize")
                                    : checkSide(p.resize->shortSide, "resize"))
      return e;
  }
  if (p.crop) {
    if (Error e = checkSize(*p.crop, "crop"))
      return e;
    // A crop larger than any result of the resize can never work; say so
    // before a picture is read. One side of what keeps the shape is open.
    bool fits = true;
    if (p.resize && p.resize->exact)
      fits = p.crop->height <= p.resize->exact->height && p.crop->width <= p.resize->exact->width;
    else if (p.resize && p.resize->cover)
      fits = p.crop->height <= p.resize->cover->height || p.crop->width <= p.resize->cover->width;
    else if (p.resize)
      fits = std::min(p.crop->height, p.crop->width) <= p.resize->shortSide;
    if (!fits)
      return makeError("preprocessing: the crop of " + Twine(p.crop->height) + "x" + Twine(p.crop->width) +
                       " is larger than what 'resize' leaves; raise 'resize' "
                       "or lower 'crop'");
  }
  for (const auto &[key, values] : {std::pair<StringRef, const std::vector<double> &>("mean", p.mean),
                                    std::pair<StringRef, const std::vector<double> &>("std", p.stdDev)})
    if (values.size() != 1 && values.size() != 3)
      return makeError("preprocessing: '" + key + "' has " + Twine(values.size()) +
                       " values; give one for all channels, or three");
  static constexpr const char *hint = "; pixels are scaled to 0..1 first, so divide values meant for 0..255 "
                                      "by 255";
  for (double value : p.mean)
    if (!(std::abs(value) <= 1.0))
      return makeError("preprocessing: 'mean' of " + shortest(value) + " is not between -1 and 1" + hint);
  for (double value : p.stdDev)
    if (!(value >= 1e-6 && value <= 10.0))
      return makeError("preprocessing: 'std' of " + shortest(value) +
                       (value <= 0 ? " is not positive" : " is not between 1e-06 and 10") + (value > 10.0 ? hint : ""));
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static Expected<int> parseSide(StringRef text, StringRef key) {
  int value;
  if (text.trim().getAsInteger(10, value) || value < 1 || value > kMaxSide)
    return makeError("preprocessing: '" + key +
                     "=' needs a number of pixels "
                     "from 1 to " +
                     Twine(kMaxSide) + ", not '" + text + "'");
  return value;
}

/// Parses `N` (a square) or `HxW`.
static Expected<Size> parseSize(StringRef text, StringRef key) {
  if (!text.contains('x')) {
    auto side = parseSide(text, key);
    if (!side)
      return side.takeError();
    return Size{*side, *side};
  }
  auto [h, w] = text.split('x');
  auto height = parseSide(h, key);
  if (!height)
    return height.takeError();
  auto width = parseSide(w, key);
  if (!width)
    return width.takeError();
  return Size{*height, *width};
}

static Expected<std::vector<double>> parseNumbers(StringRef text, StringRef key) {
  std::vector<double> values;
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  for (StringRef part : parts) {
    double value;
    if (part.trim().getAsDouble(value) || !std::isfinite(value))
      return makeError("preprocessing: '" + key +
                       "=' needs numbers joined by "
                       "':', not '" +
                       text + "'");
    values.push_back(value);
  }
  return values;
}

Expected<Interpolation> preprocessing::parseInterpolation(StringRef text) {
  if (text == "bicubic")
    return Interpolation::Bicubic;
  if (text == "bilinear")
    return Interpolation::Bilinear;
  return makeError("preprocessing: interpolation '" + text + "' is not supported; use bicubic or bilinear");
}

Expected<PillowRelease> preprocessing::parsePillow(StringRef text) {
  if (text == "12")
    return PillowRelease::V12;
  if (text == "13")
    return PillowRelease::V13;
  return makeError("preprocessing: pillow '" + text +
                   "' is not supported; use 12 (resizes as Pillow 12 and older) or 13 (as 13 and newer)");
}

static Expected<Resize> parseResize(StringRef text, StringRef key) {
  Resize resize;
  bool isCover = text.consume_front("cover:");
  if (!isCover && !text.contains('x')) {
    auto side = parseSide(text, key);
    if (!side)
      return side.takeError();
    resize.shortSide = *side;
    return resize;
  }
  auto size = parseSize(text, key);
  if (!size)
    return size.takeError();
  (isCover ? resize.cover : resize.exact) = *size;
  return resize;
}

std::optional<Size> vitq::data::resultSize(const Preprocess &preprocess) {
  if (preprocess.crop)
    return preprocess.crop;
  return preprocess.resize ? preprocess.resize->exact : std::nullopt;
}

Expected<Preprocess> vitq::data::parsePreprocess(StringRef text) {
  text = text.trim();
  if (text.starts_with("@"))
    return parseFile(text.drop_front());
  if (text.empty())
    return makeError("preprocessing: the specification is empty; for pixels "
                     "scaled to 0..1 and nothing else write 'mean=0,std=1'");

  Preprocess p;
  StringSet<> seen;
  SmallVector<StringRef> parts;
  text.split(parts, ',');
  for (StringRef part : parts) {
    auto [key, value] = part.split('=');
    key = key.trim();
    value = value.trim();
    if (!part.contains('='))
      return makeError("preprocessing: '" + part.trim() + "' is not of the form key=value");
    if (!seen.insert(key).second)
      return makeError("preprocessing: '" + key + "=' is given twice");
    if (key == "resize") {
      auto resize = parseResize(value, key);
      if (!resize)
        return resize.takeError();
      p.resize = *resize;
    } else if (key == "crop") {
      auto size = parseSize(value, key);
      if (!size)
        return size.takeError();
      p.crop = *size;
    } else if (key == "interpolation") {
      auto interpolation = parseInterpolation(value);
      if (!interpolation)
        return interpolation.takeError();
      p.interpolation = *interpolation;
    } else if (key == "pillow") {
      auto release = parsePillow(value);
      if (!release)
        return release.takeError();
      p.pillow = *release;
    } else if (key == "mean" || key == "std") {
      auto values = parseNumbers(value, key);
      if (!values)
        return values.takeError();
      (key == "mean" ? p.mean : p.stdDev) = std::move(*values);
    } else {
      return makeError("preprocessing: unknown key '" + key +
                       "'; known are resize, interpolation, pillow, crop, mean, "
                       "std, and @FILE for a preprocessor_config.json");
    }
  }
  if (Error e = validate(p))
    return std::move(e);
  return p;
}

std::string vitq::data::toString(const Preprocess &p) {
  std::string text;
  raw_string_ostream os(text);
  auto sizeText = [](Size size) { return std::to_string(size.height) + "x" + std::to_string(size.width); };
  if (p.resize) {
    os << "resize="
       << (p.resize->exact   ? sizeText(*p.resize->exact)
           : p.resize->cover ? "cover:" + sizeText(*p.resize->cover)
                             : std::to_string(p.resize->shortSide))
       << ',';
  }
  if (p.interpolation != Interpolation::Bicubic)
    os << "interpolation=" << toString(p.interpolation) << ',';
  if (p.pillow != PillowRelease::V13)
    os << "pillow=" << static_cast<int>(p.pillow) << ',';
  if (p.crop) {
    os << "crop=" << (p.crop->height == p.crop->width ? std::to_string(p.crop->height) : sizeText(*p.crop)) << ',';
  }
  os << "mean=" << join(map_range(p.mean, shortest), ":") << ",std=" << join(map_range(p.stdDev, shortest), ":");
  return text;
}
