//===- Preprocess.cpp - From picture file to model input ------------------===//

#include "vitq/Data/Preprocess.h"

#include "FileInput.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

#include <charconv>
#include <cmath>

using namespace llvm;
using namespace vitq::data;

static Error makeError(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }

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
static Error validate(const Preprocess &p) {
  auto checkSide = [](int side, StringRef key) -> Error {
    if (side >= 1 && side <= maxSide)
      return Error::success();
    return makeError("preprocessing: '" + key + "' of " + Twine(side) + " pixels is not between 1 and " +
                     Twine(maxSide));
  };
  auto checkSize = [&](Size size, StringRef key) -> Error {
    if (Error e = checkSide(size.height, key))
      return e;
    return checkSide(size.width, key);
  };
  if (p.resize) {
    if (Error e = p.resize->exact ? checkSize(*p.resize->exact, "resize") : checkSide(p.resize->shortSide, "resize"))
      return e;
  }
  if (p.crop) {
    if (Error e = checkSize(*p.crop, "crop"))
      return e;
    // A crop larger than any result of the resize can never work; say so
    // before a picture is read. The long side of a short-side resize is open.
    bool fits = true;
    if (p.resize && p.resize->exact)
      fits = p.crop->height <= p.resize->exact->height && p.crop->width <= p.resize->exact->width;
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
  if (text.trim().getAsInteger(10, value) || value < 1 || value > maxSide)
    return makeError("preprocessing: '" + key +
                     "=' needs a number of pixels "
                     "from 1 to " +
                     Twine(maxSide) + ", not '" + text + "'");
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

static Expected<Interpolation> parseInterpolation(StringRef text) {
  if (text == "bicubic")
    return Interpolation::Bicubic;
  if (text == "bilinear")
    return Interpolation::Bilinear;
  return makeError("preprocessing: interpolation '" + text + "' is not supported; use bicubic or bilinear");
}

static Expected<Preprocess> parseFile(StringRef path);

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
      Resize resize;
      if (value.contains('x')) {
        auto size = parseSize(value, key);
        if (!size)
          return size.takeError();
        resize.exact = *size;
      } else {
        auto side = parseSide(value, key);
        if (!side)
          return side.takeError();
        resize.shortSide = *side;
      }
      p.resize = resize;
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
    } else if (key == "mean" || key == "std") {
      auto values = parseNumbers(value, key);
      if (!values)
        return values.takeError();
      (key == "mean" ? p.mean : p.stdDev) = std::move(*values);
    } else {
      return makeError("preprocessing: unknown key '" + key +
                       "'; known are resize, interpolation, crop, mean, std, "
                       "and @FILE for a preprocessor_config.json");
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
    os << "resize=" << (p.resize->exact ? sizeText(*p.resize->exact) : std::to_string(p.resize->shortSide)) << ',';
  }
  if (p.interpolation != Interpolation::Bicubic)
    os << "interpolation=" << toString(p.interpolation) << ',';
  if (p.crop) {
    os << "crop=" << (p.crop->height == p.crop->width ? std::to_string(p.crop->height) : sizeText(*p.crop)) << ',';
  }
  os << "mean=" << join(map_range(p.mean, shortest), ":") << ",std=" << join(map_range(p.stdDev, shortest), ":");
  return text;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

json::Value vitq::data::toJSON(const Preprocess &p) {
  auto sizeJSON = [](Size size) { return json::Object{{"height", size.height}, {"width", size.width}}; };
  json::Value resize = nullptr, crop = nullptr;
  if (p.resize && p.resize->exact)
    resize = sizeJSON(*p.resize->exact);
  else if (p.resize)
    resize = json::Object{{"short_side", p.resize->shortSide}};
  if (p.crop)
    crop = sizeJSON(*p.crop);
  return json::Object{{"resize", std::move(resize)},
                      {"interpolation", toString(p.interpolation)},
                      {"crop", std::move(crop)},
                      {"mean", json::Array(p.mean)},
                      {"std", json::Array(p.stdDev)}};
}

static Error badValue(StringRef key, const Twine &expected, const json::Value &value) {
  // Values may be long; their start is enough to recognise them.
  std::string text;
  raw_string_ostream(text) << value;
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  return makeError("preprocessing: '" + key + "' should be " + expected + ", not " + text);
}

/// A side in pixels out of a JSON number.
static Expected<int> sideFromJSON(const json::Value &value, StringRef key) {
  auto side = value.getAsInteger();
  if (!side || *side < 1 || *side > maxSide)
    return badValue(key, "a whole number from 1 to " + Twine(maxSide), value);
  return static_cast<int>(*side);
}

/// {"height": H, "width": W}, and nothing beside.
static Expected<Size> sizeFromJSON(const json::Object &object, StringRef key) {
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

static bool isNull(const json::Value *value) { return !value || value->kind() == json::Value::Null; }

/// Fails on a key of `object` outside `known`.
static Error checkKeys(const json::Object &object, ArrayRef<StringRef> known) {
  for (const auto &[key, value] : object)
    if (!is_contained(known, StringRef(key)))
      return makeError("preprocessing: unknown key '" + StringRef(key) + "'; known are " + join(known, ", "));
  return Error::success();
}

/// Sets mean and standard deviation from the keys given, where present.
static Error readMeanAndStd(Preprocess &p, const json::Object &object, StringRef meanKey, StringRef stdKey) {
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

Expected<Preprocess> vitq::data::preprocessFromJSON(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return badValue("preprocess", "an object", value);
  if (Error e = checkKeys(*object, {"resize", "interpolation", "crop", "mean", "std"}))
    return std::move(e);

  Preprocess p;
  if (const json::Value *v = object->get("resize"); !isNull(v)) {
    const json::Object *size = v->getAsObject();
    if (!size)
      return badValue("resize", "null or an object", *v);
    Resize resize;
    if (const json::Value *side = size->get("short_side")) {
      if (size->size() != 1)
        return badValue("resize", "'short_side' alone", *v);
      auto shortSide = sideFromJSON(*side, "resize.short_side");
      if (!shortSide)
        return shortSide.takeError();
      resize.shortSide = *shortSide;
    } else {
      auto exact = sizeFromJSON(*size, "resize");
      if (!exact)
        return exact.takeError();
      resize.exact = *exact;
    }
    p.resize = resize;
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

/// A flag of a Hugging Face configuration, `absent` if it is not there.
static Expected<bool> readFlag(const json::Object &config, StringRef key, bool absent) {
  const json::Value *value = config.get(key);
  if (isNull(value))
    return absent;
  if (auto flag = value->getAsBoolean())
    return *flag;
  return badValue(key, "true or false", *value);
}

Expected<Preprocess> vitq::data::preprocessFromHuggingFace(const json::Object &config) {
  StringRef type;
  for (StringRef key : {"image_processor_type", "feature_extractor_type"})
    if (auto name = config.getString(key); name && type.empty())
      type = *name;
  bool isCLIP = type.starts_with("CLIP"), isDeiT = type.starts_with("DeiT");
  bool isViT = type.starts_with("ViTImage") || type.starts_with("ViTFeature");

  // Keys that do not change pixels, and those read below. Any other must be
  // switched off: a silently ignored step costs accuracy nobody can explain.
  static constexpr StringRef known[] = {"image_processor_type",
                                        "feature_extractor_type",
                                        "processor_class",
                                        "auto_map",
                                        "data_format",
                                        "input_data_format",
                                        "device",
                                        "return_tensors",
                                        "default_to_square",
                                        "disable_grouping",
                                        "do_convert_rgb",
                                        "do_resize",
                                        "size",
                                        "resample",
                                        "do_center_crop",
                                        "crop_size",
                                        "do_rescale",
                                        "rescale_factor",
                                        "do_normalize",
                                        "image_mean",
                                        "image_std"};
  for (const auto &[key, value] : config) {
    StringRef name = key;
    if (is_contained(known, name) || name.starts_with("_") || isNull(&value) || value.getAsBoolean() == false)
      continue;
    return makeError("preprocessing: '" + name +
                     "' is a setting this program "
                     "does not know; if it does not change the pixels, remove "
                     "it from the file");
  }

  Preprocess p;
  const json::Value *size = config.get("size");
  auto doResize = readFlag(config, "do_resize", !isNull(size));
  if (!doResize)
    return doResize.takeError();
  if (*doResize) {
    if (isNull(size))
      return makeError("preprocessing: 'do_resize' is true, but there is no "
                       "'size'");
    Resize resize;
    if (const json::Object *object = size->getAsObject()) {
      if (const json::Value *side = object->get("shortest_edge")) {
        if (object->size() != 1)
          return badValue("size",
                          "'shortest_edge' alone, or 'height' and "
                          "'width'",
                          *size);
        auto shortSide = sideFromJSON(*side, "size.shortest_edge");
        if (!shortSide)
          return shortSide.takeError();
        resize.shortSide = *shortSide;
      } else {
        auto exact = sizeFromJSON(*object, "size");
        if (!exact)
          return exact.takeError();
        resize.exact = *exact;
      }
    } else {
      auto side = sideFromJSON(*size, "size");
      if (!side)
        return side.takeError();
      auto square = readFlag(config, "default_to_square", !isCLIP);
      if (!square)
        return square.takeError();
      if (*square)
        resize.exact = Size{*side, *side};
      else
        resize.shortSide = *side;
    }
    p.resize = resize;

    // PIL.Image.Resampling: 2 is bilinear, 3 is bicubic.
    const json::Value *resample = config.get("resample");
    if (isNull(resample)) {
      if (!isViT && !isCLIP && !isDeiT)
        return makeError("preprocessing: the file has no 'resample'; add 2 "
                         "(bilinear) or 3 (bicubic)");
      p.interpolation = isViT ? Interpolation::Bilinear : Interpolation::Bicubic;
    } else if (auto code = resample->getAsInteger(); code && (*code == 2 || *code == 3)) {
      p.interpolation = *code == 2 ? Interpolation::Bilinear : Interpolation::Bicubic;
    } else {
      return badValue("resample", "2 (bilinear) or 3 (bicubic)", *resample);
    }
  }

  const json::Value *cropSize = config.get("crop_size");
  auto doCrop = readFlag(config, "do_center_crop", !isNull(cropSize) && !isViT);
  if (!doCrop)
    return doCrop.takeError();
  if (*doCrop) {
    if (isNull(cropSize))
      return makeError("preprocessing: 'do_center_crop' is true, but there is "
                       "no 'crop_size'");
    if (const json::Object *object = cropSize->getAsObject()) {
      auto crop = sizeFromJSON(*object, "crop_size");
      if (!crop)
        return crop.takeError();
      p.crop = *crop;
    } else {
      auto side = sideFromJSON(*cropSize, "crop_size");
      if (!side)
        return side.takeError();
      p.crop = Size{*side, *side};
    }
  }

  auto doRescale = readFlag(config, "do_rescale", true);
  if (!doRescale)
    return doRescale.takeError();
  if (!*doRescale)
    return makeError("preprocessing: 'do_rescale' is false; only models whose "
                     "pixels are scaled by 1/255 are supported");
  if (const json::Value *factor = config.get("rescale_factor"); !isNull(factor)) {
    auto number = factor->getAsNumber();
    if (!number || std::abs(*number * 255.0 - 1.0) > 1e-6)
      return badValue("rescale_factor", "1/255 (0.00392156862745098)", *factor);
  }

  auto doNormalize = readFlag(config, "do_normalize", true);
  if (!doNormalize)
    return doNormalize.takeError();
  if (*doNormalize) {
    for (StringRef key : {"image_mean", "image_std"})
      if (isNull(config.get(key)))
        return makeError("preprocessing: the file has no '" + key + "'; add it, or set 'do_normalize' to false");
    if (Error e = readMeanAndStd(p, config, "image_mean", "image_std"))
      return std::move(e);
  }
  if (Error e = validate(p))
    return std::move(e);
  return p;
}

Expected<Preprocess> vitq::data::preprocessFromTimm(const json::Object &config) {
  const json::Object *cfg = config.getObject("pretrained_cfg");
  if (!cfg)
    cfg = &config;

  // input_size is [channels, height, width].
  const json::Value *input = cfg->get("input_size");
  const json::Array *extents = isNull(input) ? nullptr : input->getAsArray();
  if (!extents || extents->size() != 3)
    return makeError("preprocessing: timm's configuration needs 'input_size' "
                     "as [channels, height, width]");
  auto height = sideFromJSON((*extents)[1], "input_size");
  if (!height)
    return height.takeError();
  auto width = sideFromJSON((*extents)[2], "input_size");
  if (!width)
    return width.takeError();

  if (const json::Value *mode = cfg->get("crop_mode"); !isNull(mode) && mode->getAsString() != "center")
    return badValue("crop_mode", "\"center\"", *mode);
  double cropPct = 0.875; // timm's own default
  if (const json::Value *value = cfg->get("crop_pct"); !isNull(value)) {
    auto number = value->getAsNumber();
    if (!number || !(*number > 0.01 && *number <= 1.0))
      return badValue("crop_pct", "a number over 0.01, at most 1", *value);
    cropPct = *number;
  }
  auto scaled = [&](int side) { return static_cast<int>(std::floor(side / cropPct)); };

  Preprocess p;
  Resize resize;
  // timm: the short side for square inputs, both sides otherwise.
  if (*height == *width)
    resize.shortSide = scaled(*height);
  else
    resize.exact = Size{scaled(*height), scaled(*width)};
  p.resize = resize;
  p.crop = Size{*height, *width};
  if (const json::Value *value = cfg->get("interpolation"); !isNull(value)) {
    auto name = value->getAsString();
    if (!name)
      return badValue("interpolation", "\"bicubic\" or \"bilinear\"", *value);
    auto interpolation = parseInterpolation(*name);
    if (!interpolation)
      return interpolation.takeError();
    p.interpolation = *interpolation;
  } else {
    // timm.data.resolve_data_config's default.
    p.interpolation = Interpolation::Bicubic;
  }
  for (StringRef key : {"mean", "std"})
    if (isNull(cfg->get(key)))
      return makeError("preprocessing: timm's configuration has no '" + key + "'");
  if (Error e = readMeanAndStd(p, *cfg, "mean", "std"))
    return std::move(e);
  if (Error e = validate(p))
    return std::move(e);
  return p;
}

static Expected<Preprocess> parseFile(StringRef path) {
  auto buffer = readRegularFile(path, /*maxBytes=*/1 << 20);
  if (!buffer)
    return buffer.takeError();
  auto value = json::parse((*buffer)->getBuffer());
  if (!value)
    return makeError("'" + path + "': not valid JSON: " + llvm::toString(value.takeError()));
  const json::Object *object = value->getAsObject();
  if (!object)
    return makeError("'" + path +
                     "': expected a JSON object, as in "
                     "preprocessor_config.json");
  auto read = [&]() -> Expected<Preprocess> {
    if (object->get("pretrained_cfg") || object->get("input_size"))
      return preprocessFromTimm(*object);
    if (object->get("resize") || object->get("mean"))
      return preprocessFromJSON(*value);
    return preprocessFromHuggingFace(*object);
  };
  auto result = read();
  if (!result)
    return makeError("'" + path + "': " + llvm::toString(result.takeError()));
  return result;
}
