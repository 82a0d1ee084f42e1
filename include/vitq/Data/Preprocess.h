//===- Preprocess.h - From picture file to model input ----------*- C++ -*-===//
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
inline constexpr int maxSide = 8192;

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

/// The first step: either the short side is brought to `shortSide` and the
/// long side follows, rounded down (`exact` is empty), or both sides are given.
struct Resize {
  int shortSide = 0;
  std::optional<Size> exact;
  bool operator==(const Resize &) const = default;

  /// The size a picture of size `input` (both sides positive) gets. Too large
  /// or empty results are possible and are refused by `applyGeometry`.
  struct Result {
    int64_t height;
    int64_t width;
  };
  Result resultFor(Size input) const;
};

/// The whole specification. Steps run in the order of the fields; the default
/// value does nothing but scale pixels to 0..1.
struct Preprocess {
  std::optional<Resize> resize;
  Interpolation interpolation = Interpolation::Bicubic;
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

/// Reads the value of `--preprocess`: comma-separated `key=value` with the keys
/// `resize` (N or HxW), `interpolation` (bicubic, bilinear), `crop` (N or HxW),
/// `mean`, `std` (numbers joined by ':', one or three), each at most once; or
/// `@FILE`, a JSON file, which is one of: Hugging Face's
/// preprocessor_config.json, timm's config.json, or what `toJSON` gives.
/// The error says which key or value is wrong and what is allowed.
llvm::Expected<Preprocess> parsePreprocess(llvm::StringRef text);

/// The shortest text from which `parsePreprocess` gives an equal value.
std::string toString(const Preprocess &preprocess);

/// An object with the keys `resize` (null, {"short_side": N} or {"height": H,
/// "width": W}), `interpolation`, `crop` (null or {"height", "width"}), `mean`
/// and `std` (arrays of numbers).
llvm::json::Value toJSON(const Preprocess &preprocess);

/// The inverse of `toJSON`. Absent keys have their default; unknown ones are an
/// error.
llvm::Expected<Preprocess> preprocessFromJSON(const llvm::json::Value &value);

/// Reads a parsed preprocessor_config.json of Hugging Face's image processors
/// (ViT, DeiT, CLIP and what agrees with them). A setting that changes pixels
/// in a way `Preprocess` cannot express is an error that names the key.
llvm::Expected<Preprocess> preprocessFromHuggingFace(const llvm::json::Object &config);

/// Reads timm's data configuration (`pretrained_cfg` of its config.json, or
/// that object itself).
llvm::Expected<Preprocess> preprocessFromTimm(const llvm::json::Object &config);

} // namespace vitq::data

#endif // VITQ_DATA_PREPROCESS_H
