//===- Synthetic.cpp - Pictures that are made up ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Synthetic.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace llvm;
using namespace vitq::data;

//===----------------------------------------------------------------------===//
// What is asked for
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kWord = "synthetic";
static constexpr size_t kMostPictures = 4096;

bool SyntheticSpec::isMeant(StringRef text) { return text == kWord || text.starts_with((kWord + ":").str()); }

Expected<SyntheticSpec> SyntheticSpec::parse(StringRef text) {
  SyntheticSpec spec;
  SmallVector<StringRef> parts;
  text.split(parts, ':');
  if (parts.size() > 1 && (parts[1].getAsInteger(10, spec.count) || spec.count == 0 || spec.count > kMostPictures))
    return createStringError("'" + text + "': after 'synthetic:' stands a number of images, 1 to " +
                             Twine(kMostPictures));
  if (parts.size() > 3 || (parts.size() == 3 && parts[2].getAsInteger(10, spec.seed)))
    return createStringError("'" + text + "': write synthetic, synthetic:N or synthetic:N:SEED");
  return spec;
}

std::string SyntheticSpec::str() const { return (kWord + ":" + Twine(count) + ":" + Twine(seed)).str(); }

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

namespace {

/// SplitMix64 (Steele, Lea and Flood 2014).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class Random {
public:
  explicit Random(uint64_t seed) : state(mix(seed)) {}

  uint64_t bits() { return mix(state++); }
  /// From 0 to 1.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  int number(int low, int high) { return low + static_cast<int>(bits() % static_cast<uint64_t>(high - low + 1)); }
  bool chance(double share) { return uniform() < share; }
  /// Mean 0, deviation 1.
  double normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(2 * std::numbers::pi * uniform()); }

private:
  uint64_t state;
};

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

/// A smooth random function: octaves of values at the points of a grid, each octave half as far apart and half as high
/// as the one before, so that amplitudes fall as 1/f. Deviation about 1.
class Field {
public:
  Field(uint64_t seed, double period) : seed(seed), period(period) {}

  double operator()(double x, double y) const {
    double sum = 0, height = 1;
    for (double p = period, octave = 0; p >= 2; p /= 2, height /= 2, ++octave)
      sum += height * smooth(x / p, y / p, mix(seed + static_cast<uint64_t>(octave)));
    return 2.2 * sum;
  }

private:
  static double at(int64_t x, int64_t y, uint64_t octave) {
    const uint64_t hash = mix(octave ^ mix(static_cast<uint64_t>(x) * 0x10001 ^ mix(static_cast<uint64_t>(y))));
    return static_cast<double>(hash >> 11) * 0x1p-52 - 1;
  }
  static double smooth(double x, double y, uint64_t octave) {
    const double x0 = std::floor(x), y0 = std::floor(y);
    auto ease = [](double t) { return t * t * (3 - 2 * t); };
    const double u = ease(x - x0), v = ease(y - y0);
    const auto i = static_cast<int64_t>(x0), j = static_cast<int64_t>(y0);
    return (at(i, j, octave) * (1 - u) + at(i + 1, j, octave) * u) * (1 - v) +
           (at(i, j + 1, octave) * (1 - u) + at(i + 1, j + 1, octave) * u) * v;
  }

  uint64_t seed;
  double period;
};

/// A colour, in deviations from the mean: channels have most of it in common.
using Colour = std::array<double, 3>;

Colour randomColour(Random &random) {
  const double light = random.normal();
  Colour colour;
  for (double &channel : colour)
    channel = light + 0.4 * random.normal();
  return colour;
}

//===----------------------------------------------------------------------===//
// Pictures
//===----------------------------------------------------------------------===//

/// Something flat: an ellipse or a rectangle with a colour and a texture.
struct Leaf {
  double x, y, a, b, cosine, sine;
  bool isEllipse;
  Colour colour;
  /// Heights of a field and of a grating of `frequency` radians a pixel.
  double roughness, grating, frequency;
  Field field;

  Leaf(Random &random, double extent, double width, double height) : field(random.bits(), extent / 4) {
    // Sizes of which the larger are rarer by the third power: then pictures look alike at all scales.
    const double least = 0.03, most = 0.5, u = random.uniform();
    const double radius = extent * least / std::sqrt(1 - u * (1 - (least / most) * (least / most)));
    const double aspect = std::exp2(random.uniform(-1, 1)), angle = random.uniform(0, std::numbers::pi);
    x = random.uniform(0, width), y = random.uniform(0, height);
    a = radius * std::sqrt(aspect), b = radius / std::sqrt(aspect);
    cosine = std::cos(angle), sine = std::sin(angle);
    isEllipse = random.chance(0.6);
    colour = randomColour(random);
    roughness = random.chance(0.6) ? random.uniform(0.1, 0.6) : 0;
    grating = random.chance(0.25) ? random.uniform(0.2, 0.8) : 0;
    frequency = 2 * std::numbers::pi / random.uniform(2.5, extent / 8 + 3);
  }

  double reach() const { return std::hypot(a, b); }
  bool covers(double dx, double dy) const {
    const double u = (dx * cosine + dy * sine) / a, v = (dy * cosine - dx * sine) / b;
    return isEllipse ? u * u + v * v <= 1 : std::abs(u) <= 1 && std::abs(v) <= 1;
  }
  double texture(double px, double py) const {
    double sum = 0;
    if (roughness > 0)
      sum += roughness * field(px, py);
    if (grating > 0)
      sum += grating * std::sin(frequency * (px * cosine + py * sine));
    return sum;
  }
};

/// One picture, in deviations from the mean.
class Picture {
public:
  Picture(Size size, int channels, uint64_t seed)
      : size(size), channels(channels), random(seed), extent(std::max(size.height, size.width)),
        values(static_cast<size_t>(size.height) * size.width * channels, 0.0F) {}

  void paint(size_t kind) {
    switch (kind % 4) {
    case 0:
      paintFields();
      break;
    case 3:
      paintStrokes();
      break;
    default:
      paintFields();
      paintLeaves();
    }
  }

  float at(size_t i) const { return values[i]; }

private:
  template <typename Function>
  void forPixels(double left, double top, double right, double bottom, Function function) {
    const int x0 = std::max(0, static_cast<int>(std::floor(left))), y0 = std::max(0, static_cast<int>(std::floor(top)));
    const int x1 = std::min(size.width - 1, static_cast<int>(std::ceil(right))),
              y1 = std::min(size.height - 1, static_cast<int>(std::ceil(bottom)));
    for (int y = y0; y <= y1; ++y)
      for (int x = x0; x <= x1; ++x)
        function(x, y, values.data() + (static_cast<size_t>(y) * size.width + x) * channels);
  }

  void paintFields() {
    const Field light(random.bits(), extent);
    std::vector<Field> colours;
    for (int c = 0; c < channels; ++c)
      colours.emplace_back(random.bits(), extent);
    forPixels(0, 0, size.width, size.height, [&](int x, int y, float *pixel) {
      const double common = light(x, y);
      for (int c = 0; c < channels; ++c)
        pixel[c] = static_cast<float>(common + (channels > 1 ? 0.4 * colours[c](x, y) : 0));
    });
  }

  void paintLeaves() {
    for (int i = 0, count = random.number(20, 150); i < count; ++i) {
      const Leaf leaf(random, extent, size.width, size.height);
      const double reach = leaf.reach();
      forPixels(leaf.x - reach, leaf.y - reach, leaf.x + reach, leaf.y + reach, [&](int x, int y, float *pixel) {
        if (!leaf.covers(x - leaf.x, y - leaf.y))
          return;
        const double texture = leaf.texture(x, y);
        for (int c = 0; c < channels; ++c)
          pixel[c] = static_cast<float>(leaf.colour[c] + texture);
      });
    }
  }

  void fill(const Colour &colour) {
    forPixels(0, 0, size.width, size.height, [&](int, int, float *pixel) {
      for (int c = 0; c < channels; ++c)
        pixel[c] = static_cast<float>(colour[c]);
    });
  }

  /// Curves of discs on plain ground that is much darker or lighter.
  void paintStrokes() {
    Colour ground = randomColour(random), ink = randomColour(random);
    const double side = random.chance(0.5) ? 1.2 : -1.2;
    for (int c = 0; c < 3; ++c)
      ground[c] = 0.3 * ground[c] - side, ink[c] = 0.3 * ink[c] + side;
    fill(ground);
    for (int i = 0, count = random.number(1, 6); i < count; ++i) {
      const double radius = extent * random.uniform(0.015, 0.07);
      double px[3], py[3];
      for (int k = 0; k < 3; ++k)
        px[k] = random.uniform(0.1, 0.9) * size.width, py[k] = random.uniform(0.1, 0.9) * size.height;
      const int steps = static_cast<int>(2 * extent / std::max(radius, 0.5)) + 1;
      for (int step = 0; step <= steps; ++step) {
        const double t = static_cast<double>(step) / steps, s = 1 - t;
        const double x = s * s * px[0] + 2 * s * t * px[1] + t * t * px[2],
                     y = s * s * py[0] + 2 * s * t * py[1] + t * t * py[2];
        forPixels(x - radius, y - radius, x + radius, y + radius, [&](int ix, int iy, float *pixel) {
          if (std::hypot(ix - x, iy - y) <= radius)
            for (int c = 0; c < channels; ++c)
              pixel[c] = static_cast<float>(ink[c]);
        });
      }
    }
  }

  Size size;
  int channels;
  Random random;
  double extent;
  std::vector<float> values;
};

class SyntheticSource final : public ImageSource {
public:
  SyntheticSource(const SyntheticSpec &spec, Size size, const Preprocess &preprocess, int channels)
      : ImageSource(spec.str(), preprocess, channels), made(spec) {
    outputSize = size;
    for (size_t i = 0; i < made.count; ++i)
      names.push_back("#" + std::to_string(i));
  }

  size_t size() const override { return made.count; }
  StringRef name(size_t i) const override { return names[i]; }

  Expected<Image> pixels(size_t i) const override {
    const uint64_t seed = mix(made.seed) + i;
    Picture picture(outputSize, outputChannels, seed);
    picture.paint(i);
    Random random(mix(seed) ^ 1);
    const double contrast = random.uniform(0.5, 1.5), shift = 0.3 * random.normal();
    Image image{outputSize.height, outputSize.width, outputChannels, {}};
    image.pixels.resize(static_cast<size_t>(outputSize.height) * outputSize.width * outputChannels);
    for (size_t k = 0; k < image.pixels.size(); ++k) {
      const size_t c = k % outputChannels;
      const double value = meanOf(c) + deviationOf(c) * (contrast * static_cast<double>(picture.at(k)) + shift);
      image.pixels[k] = static_cast<uint8_t>(std::clamp(255 * value + 0.5, 0.0, 255.0));
    }
    return image;
  }

private:
  /// That pixels cover, of 0 to 1, where nothing better is known; evenly spread ones have 0.29.
  static constexpr double kDeviation = 0.27;

  bool isUnknown() const { return spec.mean == Preprocess().mean && spec.stdDev == Preprocess().stdDev; }
  double meanOf(size_t c) const { return isUnknown() ? 0.5 : std::clamp(spec.meanOf(c), 0.0, 1.0); }
  double deviationOf(size_t c) const { return isUnknown() ? kDeviation : std::min(spec.stdDevOf(c), kDeviation); }

  SyntheticSpec made;
  std::vector<std::string> names;
};

} // namespace

Expected<std::unique_ptr<ImageSource>> vitq::data::makeSynthetic(const SyntheticSpec &spec, Size size,
                                                                 const Preprocess &preprocess, int channels) {
  if (channels != 1 && channels != 3)
    return createStringError("synthetic pictures have 1 or 3 channels, but the model takes " + Twine(channels));
  if (Error error = preprocess.checkChannels(channels))
    return std::move(error);
  return std::make_unique<SyntheticSource>(spec, size, preprocess, channels);
}
