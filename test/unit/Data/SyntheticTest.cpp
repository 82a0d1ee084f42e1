//===- SyntheticTest.cpp - Pictures that are made up ------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include "vitq/Data/Synthetic.h"

#include <cmath>
#include <set>

using namespace vitq::data;
using namespace vitq::data::test;

static std::unique_ptr<ImageSource> make(llvm::StringRef spec, Size size, llvm::StringRef preprocess, int channels) {
  return valueOf(
      makeSynthetic(valueOf(SyntheticSpec::parse(spec)), size, valueOf(parsePreprocess(preprocess)), channels));
}

TEST(Synthetic, Spec) {
  EXPECT_TRUE(SyntheticSpec::isMeant("synthetic"));
  EXPECT_TRUE(SyntheticSpec::isMeant("synthetic:0"));
  EXPECT_FALSE(SyntheticSpec::isMeant("./synthetic"));
  EXPECT_FALSE(SyntheticSpec::isMeant("synthetic.npy"));
  EXPECT_EQ(valueOf(SyntheticSpec::parse("synthetic")).str(), "synthetic:64:0");
  EXPECT_EQ(valueOf(SyntheticSpec::parse("synthetic:7:9")).str(), "synthetic:7:9");
  EXPECT_EQ(textOf(SyntheticSpec::parse("synthetic:0")),
            "'synthetic:0': after 'synthetic:' stands a number of images, 1 to 4096");
  EXPECT_EQ(textOf(SyntheticSpec::parse("synthetic:8:x")),
            "'synthetic:8:x': write synthetic, synthetic:N or synthetic:N:SEED");
}

TEST(Synthetic, TheSameForTheSameNumbers) {
  auto a = make("synthetic:4", {12, 16}, "mean=0.5,std=0.5", 3),
       b = make("synthetic:4", {12, 16}, "mean=0.5,std=0.5", 3),
       other = make("synthetic:4:1", {12, 16}, "mean=0.5,std=0.5", 3);
  std::set<std::vector<uint8_t>> all;
  for (size_t i = 0; i < 4; ++i) {
    const Image image = valueOf(a->pixels(i));
    EXPECT_EQ(image.size(), (Size{12, 16}));
    EXPECT_EQ(image.channels, 3);
    EXPECT_EQ(image.pixels, valueOf(b->pixels(i)).pixels);
    all.insert(image.pixels);
    all.insert(valueOf(other->pixels(i)).pixels);
  }
  EXPECT_EQ(all.size(), 8u);
}

/// Mean and deviation of the normalized values of 64 pictures: those that the preprocessing says, but for what is cut
/// off at black and white.
TEST(Synthetic, FollowsThePreprocessing) {
  auto source = make("synthetic", {32, 32}, "mean=0.4914:0.4822:0.4465,std=0.2023:0.1994:0.2010", 3);
  double sum = 0, squares = 0, count = 0;
  for (size_t i = 0; i < source->size(); ++i)
    for (float value : valueOf(source->normalized(i))) {
      sum += value;
      squares += static_cast<double>(value) * value;
      ++count;
    }
  EXPECT_NEAR(sum / count, 0, 0.2);
  EXPECT_NEAR(std::sqrt(squares / count), 1, 0.25);
}

/// Neighbours are alike, as in pictures and unlike noise.
TEST(Synthetic, IsNoNoise) {
  auto source = make("synthetic:16", {64, 64}, "mean=0,std=1", 1);
  double near = 0, far = 0;
  for (size_t i = 0; i < source->size(); ++i) {
    const Image image = valueOf(source->pixels(i));
    for (int y = 0; y < 64; ++y)
      for (int x = 0; x < 32; ++x) {
        const double at = image.pixels[y * 64 + x];
        near += std::abs(at - image.pixels[y * 64 + x + 1]);
        far += std::abs(at - image.pixels[y * 64 + x + 32]);
      }
  }
  EXPECT_LT(near, far / 2);
}

TEST(Synthetic, NeedsASize) {
  EXPECT_EQ(textOf(makeSynthetic({}, {8, 8}, Preprocess(), 2)),
            "synthetic pictures have 1 or 3 channels, but the model takes 2");
  // Without the model's size it is a path.
  EXPECT_NE(textOf(ImageSource::open("synthetic", Preprocess(), 3)), "");
  EXPECT_EQ(valueOf(ImageSource::open("synthetic:3", Preprocess(), 3, Size{8, 8}))->size(), 3u);
}
