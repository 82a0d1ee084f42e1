//===- PreprocessJSON.cpp - The JSON form of a Preprocess ----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PreprocessDetail.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::preprocessing;

json::Value vitq::data::toJSON(const Preprocess &p) {
  auto sizeJSON = [](Size size) { return json::Object{{"height", size.height}, {"width", size.width}}; };
  json::Value resize = nullptr, crop = nullptr;
  if (p.resize && p.resize->exact)
    resize = sizeJSON(*p.resize->exact);
  else if (p.resize && p.resize->cover)
    resize = json::Object{{"cover", sizeJSON(*p.resize->cover)}};
  else if (p.resize)
    resize = json::Object{{"short_side", p.resize->shortSide}};
  if (p.crop)
    crop = sizeJSON(*p.crop);
  return json::Object{{"resize", std::move(resize)},          {"interpolation", toString(p.interpolation)},
                      {"pillow", static_cast<int>(p.pillow)}, {"crop", std::move(crop)},
                      {"mean", json::Array(p.mean)},          {"std", json::Array(p.stdDev)}};
}

Error preprocessing::badValue(StringRef key, const Twine &expected, const json::Value &value) {
  // Values may be long; their start is enough to recognise them.
  std::string text;
  raw_string_ostream(text) << value;
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  return makeError("preprocessing: '" + key + "' should be " + expected + ", not " + text);
}

Expected<int> preprocessing::sideFromJSON(const json::Value &value, StringRef key) {
  auto side = value.getAsInteger();
  if (!side || *side < 1 || *side > kMaxSide)
    return badValue(key, "a whole number from 1 to " + Twine(kMaxSide), value);
  return static_cast<int>(*side);
}

Expected<Size> preprocessing::sizeFromJSON(const json::Object &object, StringRef key) {
  const json::Value *h = object.get("height"), *w = object.get("width");
  if (!h || !w || object.size() != 2)
    return badValue(key, "a size with 'height' and 'width'", json::Object(object));
  auto height = sideFromJSON(*h, (key + ".height").str());
  if (!height)
    return height.takeError();
  auto width = sideFromJSON(*w, (key + ".width").str());
  if (!width)
    return width.takeError();
  return Size{*height, *width};
}

/// A number, or an array of numbers.
static Expected<std::vector<double>> numbersFromJSON(const json::Value &value, StringRef key) {
  if (auto number = value.getAsNumber())
    return std::vector<double>{*number};
  std::vector<double> values;
  if (const json::Array *array = value.getAsArray())
    for (const json::Value &element : *array) {
      auto number = element.getAsNumber();
      if (!number)
        return badValue(key, "an array of numbers", value);
      values.push_back(*number);
    }
  if (values.empty())
    return badValue(key, "an array of numbers", value);
  return values;
}

bool preprocessing::isNull(const json::Value *value) { return !value || value->kind() == json::Value::Null; }

/// Fails on a key of `object` outside `known`.
static Error checkKeys(const json::Object &object, ArrayRef<StringRef> known) {
  for (const auto &[key, value] : object)
    if (!is_contained(known, StringRef(key)))
      return makeError("preprocessing: unknown key '" + StringRef(key) + "'; known are " + join(known, ", "));
  return Error::success();
}

Error preprocessing::readMeanAndStd(Preprocess &p, const json::Object &object, StringRef meanKey, StringRef stdKey) {
  if (const json::Value *value = object.get(meanKey); !isNull(value)) {
    auto mean = numbersFromJSON(*value, meanKey);
    if (!mean)
      return mean.takeError();
    p.mean = std::move(*mean);
  }
  if (const json::Value *value = object.get(stdKey); !isNull(value)) {
    auto stdDev = numbersFromJSON(*value, stdKey);
    if (!stdDev)
      return stdDev.takeError();
    p.stdDev = std::move(*stdDev);
  }
  return Error::success();
}

static Expected<Resize> resizeFromJSON(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return badValue("resize", "null or an object", value);
  Resize resize;
  if (const json::Value *side = object->get("short_side")) {
    if (object->size() != 1)
      return badValue("resize", "'short_side' alone", value);
    auto shortSide = sideFromJSON(*side, "resize.short_side");
    if (!shortSide)
      return shortSide.takeError();
    resize.shortSide = *shortSide;
    return resize;
  }
  const json::Value *cover = object->get("cover");
  if (cover && (object->size() != 1 || !cover->getAsObject()))
    return badValue("resize", "'cover' alone, with 'height' and 'width'", value);
  auto size = cover ? sizeFromJSON(*cover->getAsObject(), "resize.cover") : sizeFromJSON(*object, "resize");
  if (!size)
    return size.takeError();
  (cover ? resize.cover : resize.exact) = *size;
  return resize;
}

Expected<Preprocess> vitq::data::preprocessFromJSON(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return badValue("preprocess", "an object", value);
  if (Error e = checkKeys(*object, {"resize", "interpolation", "pillow", "crop", "mean", "std"}))
    return std::move(e);

  Preprocess p;
  if (const json::Value *v = object->get("resize"); !isNull(v)) {
    auto resize = resizeFromJSON(*v);
    if (!resize)
      return resize.takeError();
    p.resize = *resize;
  }
  if (const json::Value *v = object->get("interpolation"); !isNull(v)) {
    auto name = v->getAsString();
    if (!name)
      return badValue("interpolation", "\"bicubic\" or \"bilinear\"", *v);
    auto interpolation = parseInterpolation(*name);
    if (!interpolation)
      return interpolation.takeError();
    p.interpolation = *interpolation;
  }
  if (const json::Value *v = object->get("pillow"); !isNull(v)) {
    auto number = v->getAsInteger();
    if (number != 12 && number != 13)
      return badValue("pillow", "12 or 13", *v);
    p.pillow = *number == 12 ? PillowRelease::V12 : PillowRelease::V13;
  }
  if (const json::Value *v = object->get("crop"); !isNull(v)) {
    const json::Object *size = v->getAsObject();
    if (!size)
      return badValue("crop", "null or an object", *v);
    auto crop = sizeFromJSON(*size, "crop");
    if (!crop)
      return crop.takeError();
    p.crop = *crop;
  }
  if (Error e = readMeanAndStd(p, *object, "mean", "std"))
    return std::move(e);
  if (Error e = validate(p))
    return std::move(e);
  return p;
}
