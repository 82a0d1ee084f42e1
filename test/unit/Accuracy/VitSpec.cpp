//===- VitSpec.cpp - Random models and pictures -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VitSpec.h"

#include "test/unit/Random.h"

#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace vitq::test;

static const char *const kActivations[] = {"gelu", "gelu-tanh", "gelu-quick", "Gelu",   "relu",
                                           "tanh", "silu",      "hard-swish", "sigmoid"};
static const char *const kPoolings[] = {"class", "mean", "mean-of-patches"};
static const char *const kNorms[] = {"no-norm", "norm-first", "norm-last"};
static const char *const kMasks[] = {"", "add", "where", "add-where"};
static const char *const kTiny[] = {"", "head", "hidden", "query", "value", "patches"};

std::string VitSpec::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << llvm::formatv("{0}x{1}x{2} patch {3}, {4} heads of {5}, hidden {6}, depth {7}, {8} classes, {9}, {10}, {11}",
                      height(), breadth(), colours, patch, heads, headSize, hidden, depth, classes,
                      kActivations[static_cast<int>(activation)], kPoolings[static_cast<int>(pooling)],
                      kNorms[static_cast<int>(finalNorm)]);
  auto flag = [&](bool set, const char *name) { os << (set ? ", " : "") << (set ? name : ""); };
  flag(!classToken, "no class token");
  flag(postNorm, "post-norm");
  flag(!packed, "q k v apart");
  flag(!qkvBias, "no qkv bias");
  flag(!headBias, "no head bias");
  flag(layerScale, "layer scale");
  if (mask.how != MaskSpec::How::None)
    os << llvm::formatv(", mask {0} {1:g}{2}{3}", kMasks[static_cast<int>(mask.how)], mask.value,
                        mask.ofKeys ? " of keys" : "", mask.perHead ? " per head" : "");
  os << llvm::formatv(", reach {0:f2}, sharpness {1:f2}", reach, sharpness);
  auto number = [&](int64_t count, const char *name) {
    if (count)
      os << ", " << count << " " << name;
  };
  number(alwaysOn, "always on");
  number(alwaysOff, "always off");
  number(dead, "dead");
  number(std::llround(100 * negativeGammas), "% negative gammas");
  number(hiddenOutliers, "hidden outliers");
  number(normOutliers, "norm outliers");
  number(streamOutliers, "stream outliers");
  if (hiddenOutliers + normOutliers + streamOutliers)
    os << llvm::formatv(" of {0:f1}", outlierReach);
  if (tiny != Tiny::None)
    os << llvm::formatv(", {0} row of {1:e0}", kTiny[static_cast<int>(tiny)], tinySize);
  return text;
}

static void drawShape(Random &random, VitSpec &spec) {
  spec.colours = random.pick<int64_t>({1, 3});
  spec.patch = random.pick<int64_t>({4, 4, 5, 8});
  // Not fewer tokens than these, or calibration sees too little of the class token.
  const int64_t most = 32 / spec.patch, least = spec.patch == 8 ? 3 : 4;
  spec.rows = random.between(least, most);
  spec.columns = random.oneIn(3) ? random.between(least, most) : spec.rows;
  spec.heads = random.between(1, 4);
  spec.headSize = random.pick<int64_t>({4, 6, 7, 8, 8, 11, 16, 16, 20});
  if (spec.width() < 16)
    spec.headSize *= 4;
  spec.hidden = random.oneIn(2) ? 4 * spec.width() : random.between(spec.width(), 4 * spec.width());
  spec.depth = random.pick<int64_t>({1, 1, 2, 2, 3});
  // The logits of few classes may be small by chance.
  spec.classes = random.between(6, 16);
  spec.pooling = random.pick(
      {Pooling::ClassToken, Pooling::ClassToken, Pooling::ClassToken, Pooling::MeanOfAll, Pooling::MeanOfPatches});
  spec.classToken = spec.pooling != Pooling::MeanOfAll || random.oneIn(4);
  spec.finalNorm =
      random.pick({FinalNorm::BeforePooling, FinalNorm::BeforePooling, FinalNorm::AfterPooling, FinalNorm::None});
  spec.postNorm = random.oneIn(4);
  spec.packed = random.oneIn(2);
  spec.qkvBias = !random.oneIn(4);
  spec.headBias = !random.oneIn(4);
  spec.layerScale = random.oneIn(4);
}

static void drawMask(Random &random, VitSpec &spec) {
  if (!random.oneIn(3))
    return;
  using How = MaskSpec::How;
  spec.mask.how = random.pick({How::Add, How::Add, How::Where, How::AddOfWhere});
  constexpr float lowest = -std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
  spec.mask.value = random.pick({-100.0f, -1e4f, -1e9f, lowest, -infinity});
  // In place of a score -100 is no mask: the compiler cannot know that scores are above.
  if (spec.mask.how == How::Where)
    spec.mask.value = std::min(spec.mask.value, -1e4f);
  spec.mask.ofKeys = random.oneIn(3);
  spec.mask.perHead = !spec.mask.ofKeys && random.oneIn(3);
}

static void drawWeights(Random &random, VitSpec &spec) {
  spec.reach = random.real(0.7, 2);
  spec.sharpness = random.real(0.6, 1.2);
  if (random.oneIn(4))
    spec.alwaysOn = random.between(1, 4);
  if (random.oneIn(6))
    spec.alwaysOff = random.between(1, 4);
  if (random.oneIn(4))
    spec.dead = random.between(1, 4);
  if (random.oneIn(3))
    spec.negativeGammas = random.real(0.05, 0.5);
  if (random.oneIn(6))
    spec.hiddenOutliers = random.between(1, 3);
  if (random.oneIn(6))
    spec.normOutliers = 1;
  if (random.oneIn(6))
    spec.streamOutliers = 1;
  spec.outlierReach = random.real(3, 12);
  if (random.oneIn(4)) {
    using Tiny = VitSpec::Tiny;
    spec.tiny = random.pick({Tiny::Head, Tiny::Head, Tiny::Hidden, Tiny::Query, Tiny::Value, Tiny::Patches});
    spec.tinySize = random.pick({1e-7f, 1e-42f, 1e-20f});
    // What is left of such a row is its bias.
    spec.headBias |= spec.tiny == Tiny::Head;
    spec.qkvBias |= spec.tiny == Tiny::Query || spec.tiny == Tiny::Value;
  }
}

VitSpec vitq::test::randomVit(uint64_t number) {
  Random random(number);
  VitSpec spec;
  spec.seed = number;
  drawShape(random, spec);
  constexpr int activations = std::size(kActivations);
  // In turn, so that few models have all of them.
  spec.activation = static_cast<Activation>(number % activations);
  drawMask(random, spec);
  drawWeights(random, spec);
  return spec;
}

std::vector<uint8_t> vitq::test::randomPictures(const VitSpec &spec, int64_t count) {
  Random random(spec.seed ^ 0x5eedu);
  std::vector<uint8_t> pixels;
  const auto side = static_cast<double>(std::max(spec.height(), spec.breadth()));
  for (int64_t i = 0; i < count; ++i) {
    // Bounded, so that calibration sees about what the other pictures hold.
    auto strength = [&](double most) { return random.real(most / 2, most) * (random.oneIn(2) ? 1 : -1); };
    const double noise = random.real(10, 30);
    std::vector<double> level, across, down, blob, x, y, size;
    for (int64_t c = 0; c < spec.colours; ++c) {
      level.push_back(random.real(100, 156));
      across.push_back(strength(60) / side);
      down.push_back(strength(60) / side);
      blob.push_back(strength(60));
      x.push_back(random.real(0, side));
      y.push_back(random.real(0, side));
      size.push_back(random.real(side / 8, side / 3));
    }
    for (int64_t row = 0; row < spec.height(); ++row)
      for (int64_t column = 0; column < spec.breadth(); ++column)
        for (int64_t c = 0; c < spec.colours; ++c) {
          const double dx = (static_cast<double>(column) - x[c]) / size[c],
                       dy = (static_cast<double>(row) - y[c]) / size[c];
          const double value = level[c] + across[c] * (static_cast<double>(column) - side / 2) +
                               down[c] * (static_cast<double>(row) - side / 2) + blob[c] / (1 + dx * dx + dy * dy) +
                               noise * random.normal();
          pixels.push_back(static_cast<uint8_t>(std::clamp(std::floor(value), 0.0, 255.0)));
        }
  }
  return pixels;
}
