//===- Preprocess.h - From picture file to model input ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is done to a decoded picture before a model sees it: resize, centre
// crop, normalisation. One value describes it everywhere: the command line,
// the module, the manifest of a compiled program, the reference model.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_PREPROCESS_H
#define VITQ_DATA_PREPROCESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>
#include <vector>

namespace vitq::data {

/// Largest side, in pixels, that `resize` and `crop` accept.
inline constexpr int kMaxSide = 8192;

/// Height and width in pixels.
struct Size {
  int height = 0;
  int width = 0;
  bool operator==(const Size &) const = default;
};

/// The resampling kernel of a resize; both antialias as Pillow does.
enum class Interpolation { Bicubic, Bilinear };

/// "bicubic" or "bilinear".
llvm::StringRef toString(Interpolation interpolation);

/// The first step, in one of three ways:
///  - the short side is brought to `shortSide` and the long side follows, rounded
///    down (torchvision; `exact` and `cover` are empty);
///  - both sides are given (`exact`), whatever becomes of the shapes;
///  - the picture keeps its shape and becomes as small as it can be while it still
///    covers `cover`; the side that is open is rounded to the nearest, ties to even
///    (timm, for inputs that are no squares).
struct Resize {
  int shortSide = 0;
  std::optional<Size> exact = std::nullopt;
  std::optional<Size> cover = std::nullopt;
  bool operator==(const Resize &) const = default;

  /// The size a picture of size `input` (both sides positive) gets. Too large
  /// or empty results are possible and are refused by `applyGeometry`.
  struct Result {
    int64_t height;
    int64_t width;
  };
  Result resultFor(Size input) const;
};

/// Which release of Pillow a resize follows: they differ in which direction comes
/// first when both change, and so in the rounding between the two. `V12`, and all
/// before it: the width. `V13`: the height where it shrinks by more than twice what
/// the width does (in pixels), otherwise the width.
enum class PillowRelease { V12 = 12, V13 = 13 };

/// The whole specification. Steps run in the order of the fields; the default
/// value does nothing but scale pixels to 0..1.
struct Preprocess {
  std::optional<Resize> resize;
  Interpolation interpolation = Interpolation::Bicubic;
  PillowRelease pillow = PillowRelease::V13;
  /// The centre crop. Offsets are half the difference, ties to even, as in
  /// torchvision.
  std::optional<Size> crop;
  /// Of pixels scaled to 0..1: value = (pixel / 255 - mean) / stdDev. Each has
  /// one entry for all channels, or one per channel.
  std::vector<double> mean = {0.0};
  std::vector<double> stdDev = {1.0};

  bool operator==(const Preprocess &) const = default;

  /// Mean and standard deviation of channel `c`, with one entry broadcast.
  double meanOf(size_t c) const { return mean.size() == 1 ? mean[0] : mean[c]; }
  double stdDevOf(size_t c) const { return stdDev.size() == 1 ? stdDev[0] : stdDev[c]; }

  /// Succeeds if `mean` and `stdDev` fit a model with `channels` channels.
  llvm::Error checkChannels(int channels) const;
};

/// The size that every picture gets; none where it depends on the picture.
std::optional<Size> resultSize(const Preprocess &preprocess);

/// Reads the value of `--preprocess`: comma-separated `key=value` with the keys
/// `resize` (N, HxW or cover:HxW), `interpolation` (bicubic, bilinear), `pillow`
/// (12 or 13), `crop` (N or HxW),
/// `mean`, `std` (numbers joined by ':', one or three), each at most once; or
/// `@FILE`, a JSON file, which is one of: Hugging Face's
/// preprocessor_config.json, timm's config.json, or what `toJSON` gives.
/// The error says which key or value is wrong and what is allowed.
llvm::Expected<Preprocess> parsePreprocess(llvm::StringRef text);

/// The shortest text from which `parsePreprocess` gives an equal value.
std::string toString(const Preprocess &preprocess);

/// An object with the keys `resize` (null, {"short_side": N}, {"height": H,
/// "width": W} or {"cover": {"height": H, "width": W}}), `interpolation`, `pillow`
/// (12 or 13), `crop` (null or {"height", "width"}), `mean`
/// and `std` (arrays of numbers).
llvm::json::Value toJSON(const Preprocess &preprocess);

/// The inverse of `toJSON`. Absent keys have their default; unknown ones are an
/// error.
llvm::Expected<Preprocess> preprocessFromJSON(const llvm::json::Value &value);

/// Reads a parsed preprocessor_config.json of Hugging Face's image processors
/// (ViT, DeiT, CLIP, ConvNeXT and what agrees with them). A setting that changes pixels
/// in a way `Preprocess` cannot express is an error that names the key.
llvm::Expected<Preprocess> preprocessFromHuggingFace(const llvm::json::Object &config);

/// Reads timm's data configuration (`pretrained_cfg` of its config.json, or
/// that object itself): what timm.data.create_transform makes of it. The crop modes
/// `center` and `squash` are supported; `border`, which pads, is not.
llvm::Expected<Preprocess> preprocessFromTimm(const llvm::json::Object &config);

} // namespace vitq::data

#endif // VITQ_DATA_PREPROCESS_H
