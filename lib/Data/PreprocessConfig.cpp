//===- PreprocessConfig.cpp - Configurations of other libraries ----------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FileInput.h"
#include "PreprocessDetail.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace vitq::data;
using namespace vitq::data::preprocessing;

/// A flag of a Hugging Face configuration, `absent` if it is not there.
static Expected<bool> readFlag(const json::Object &config, StringRef key, bool absent) {
  const json::Value *value = config.get(key);
  if (isNull(value))
    return absent;
  if (auto flag = value->getAsBoolean())
    return *flag;
  return badValue(key, "true or false", *value);
}

//===----------------------------------------------------------------------===//
// Hugging Face
//===----------------------------------------------------------------------===//

namespace {
/// One preprocessor_config.json: each step reads its keys and fills in what it means.
class HuggingFaceConfig {
public:
  explicit HuggingFaceConfig(const json::Object &config);
  Expected<Preprocess> read();

private:
  Error checkKeys() const;
  Error readResize();
  Expected<Resize> readSize(const json::Value &size) const;
  Error readConvNextSize(const json::Value &size);
  Error readResample();
  Error readCrop();
  Error readScaling();

  const json::Object &config;
  bool isCLIP, isDeiT, isViT, isConvNext;
  Preprocess p;
};
} // namespace

HuggingFaceConfig::HuggingFaceConfig(const json::Object &config) : config(config) {
  StringRef type;
  for (StringRef key : {"image_processor_type", "feature_extractor_type"})
    if (auto name = config.getString(key); name && type.empty())
      type = *name;
  isCLIP = type.starts_with("CLIP");
  isDeiT = type.starts_with("DeiT");
  isViT = type.starts_with("ViTImage") || type.starts_with("ViTFeature");
  isConvNext = type.starts_with_insensitive("ConvNext");
}

Error HuggingFaceConfig::checkKeys() const {
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
    // Other processors have the key with another meaning.
    if (name == "crop_pct" && isConvNext)
      continue;
    return makeError("preprocessing: '" + name +
                     "' is a setting this program "
                     "does not know; if it does not change the pixels, remove "
                     "it from the file");
  }
  return Error::success();
}

Expected<Resize> HuggingFaceConfig::readSize(const json::Value &size) const {
  Resize resize;
  const json::Object *object = size.getAsObject();
  const json::Value *shortest = object ? object->get("shortest_edge") : nullptr;
  if (object && !shortest) {
    auto exact = sizeFromJSON(*object, "size");
    if (!exact)
      return exact.takeError();
    resize.exact = *exact;
    return resize;
  }
  if (object && object->size() != 1)
    return badValue("size", "'shortest_edge' alone, or 'height' and 'width'", size);
  auto side = shortest ? sideFromJSON(*shortest, "size.shortest_edge") : sideFromJSON(size, "size");
  if (!side)
    return side.takeError();
  auto square = readFlag(config, "default_to_square", !isCLIP);
  if (!square)
    return square.takeError();
  if (!shortest && *square)
    resize.exact = Size{*side, *side};
  else
    resize.shortSide = *side;
  return resize;
}

/// ConvNeXT's processors: below 384 the short side becomes size / crop_pct, and the
/// centre is cut out; from 384 on the picture is squashed.
Error HuggingFaceConfig::readConvNextSize(const json::Value &size) {
  const json::Object *object = size.getAsObject();
  const json::Value *shortest = object ? object->get("shortest_edge") : &size;
  if (!shortest || (object && object->size() != 1))
    return badValue("size", "'shortest_edge' alone", size);
  auto side = sideFromJSON(*shortest, "size.shortest_edge");
  if (!side)
    return side.takeError();
  double cropPct = 224.0 / 256;
  if (const json::Value *value = config.get("crop_pct"); !isNull(value)) {
    auto number = value->getAsNumber();
    if (!number || !(*number > 0.01 && *number <= 1.0))
      return badValue("crop_pct", "a number over 0.01, at most 1", *value);
    cropPct = *number;
  }
  p.resize = Resize();
  if (*side >= 384) {
    p.resize->exact = Size{*side, *side};
    return Error::success();
  }
  p.resize->shortSide = static_cast<int>(*side / cropPct);
  p.crop = Size{*side, *side};
  return Error::success();
}

Error HuggingFaceConfig::readResample() {
  // PIL.Image.Resampling: 2 is bilinear, 3 is bicubic.
  const json::Value *resample = config.get("resample");
  if (isNull(resample)) {
    if (!isViT && !isCLIP && !isDeiT && !isConvNext)
      return makeError("preprocessing: the file has no 'resample'; add 2 "
                       "(bilinear) or 3 (bicubic)");
    p.interpolation = isViT ? Interpolation::Bilinear : Interpolation::Bicubic;
    return Error::success();
  }
  auto code = resample->getAsInteger();
  if (code != 2 && code != 3)
    return badValue("resample", "2 (bilinear) or 3 (bicubic)", *resample);
  p.interpolation = *code == 2 ? Interpolation::Bilinear : Interpolation::Bicubic;
  return Error::success();
}

Error HuggingFaceConfig::readResize() {
  const json::Value *size = config.get("size");
  auto doResize = readFlag(config, "do_resize", !isNull(size));
  if (!doResize)
    return doResize.takeError();
  if (!*doResize)
    return Error::success();
  if (isNull(size))
    return makeError("preprocessing: 'do_resize' is true, but there is no 'size'");
  if (isConvNext) {
    if (Error e = readConvNextSize(*size))
      return e;
    return readResample();
  }
  auto resize = readSize(*size);
  if (!resize)
    return resize.takeError();
  p.resize = *resize;
  return readResample();
}

Error HuggingFaceConfig::readCrop() {
  const json::Value *cropSize = config.get("crop_size");
  auto doCrop = readFlag(config, "do_center_crop", !isNull(cropSize) && !isViT && !isConvNext);
  if (!doCrop)
    return doCrop.takeError();
  if (!*doCrop)
    return Error::success();
  if (isNull(cropSize))
    return makeError("preprocessing: 'do_center_crop' is true, but there is no 'crop_size'");
  if (const json::Object *object = cropSize->getAsObject()) {
    auto crop = sizeFromJSON(*object, "crop_size");
    if (!crop)
      return crop.takeError();
    p.crop = *crop;
    return Error::success();
  }
  auto side = sideFromJSON(*cropSize, "crop_size");
  if (!side)
    return side.takeError();
  p.crop = Size{*side, *side};
  return Error::success();
}

Error HuggingFaceConfig::readScaling() {
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
  if (!*doNormalize)
    return Error::success();
  for (StringRef key : {"image_mean", "image_std"})
    if (isNull(config.get(key)))
      return makeError("preprocessing: the file has no '" + key + "'; add it, or set 'do_normalize' to false");
  return readMeanAndStd(p, config, "image_mean", "image_std");
}

Expected<Preprocess> HuggingFaceConfig::read() {
  if (Error e = checkKeys())
    return std::move(e);
  for (auto step : {&HuggingFaceConfig::readResize, &HuggingFaceConfig::readCrop, &HuggingFaceConfig::readScaling})
    if (Error e = (this->*step)())
      return std::move(e);
  if (Error e = validate(p))
    return std::move(e);
  return p;
}

Expected<Preprocess> vitq::data::preprocessFromHuggingFace(const json::Object &object) {
  HuggingFaceConfig config(object);
  return config.read();
}

//===----------------------------------------------------------------------===//
// timm
//===----------------------------------------------------------------------===//

/// The part of a picture's side that the crop keeps.
static Expected<double> readCropPct(const json::Object &cfg) {
  const json::Value *value = cfg.get("crop_pct");
  if (isNull(value))
    return 0.875; // timm's own default
  auto number = value->getAsNumber();
  if (!number || !(*number > 0.01 && *number <= 1.0))
    return badValue("crop_pct", "a number over 0.01, at most 1", *value);
  return *number;
}

/// How timm brings a picture to `input`: see timm.data.transforms_imagenet_eval.
static Error readTimmGeometry(const json::Object &cfg, Size input, Preprocess &p) {
  auto cropPct = readCropPct(cfg);
  if (!cropPct)
    return cropPct.takeError();
  auto scaled = [&](int side) { return static_cast<int>(std::floor(side / *cropPct)); };
  Size size{scaled(input.height), scaled(input.width)};
  p.resize = Resize();
  p.crop = input;
  const json::Value *mode = cfg.get("crop_mode");
  auto name = isNull(mode) ? std::optional<StringRef>("center") : mode->getAsString();
  if (name == "squash") {
    p.resize->exact = size;
  } else if (name == "border") {
    return makeError("preprocessing: 'crop_mode' is \"border\", which shrinks a picture until all of it fits and pads "
                     "the rest with the mean colour; padding is not supported: prepare the pictures with timm and give "
                     "them as .npy, or use \"center\" or \"squash\"");
  } else if (name != "center") {
    return badValue("crop_mode", "\"center\" or \"squash\"", *mode);
  } else if (size.height == size.width) {
    p.resize->shortSide = size.height;
  } else {
    p.resize->cover = size;
  }
  return Error::success();
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

  Preprocess p;
  if (Error e = readTimmGeometry(*cfg, Size{*height, *width}, p))
    return std::move(e);
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

Expected<Preprocess> vitq::data::parseFile(StringRef path) {
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
