//===- MemorySourceTest.cpp - Pictures in memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include "vitq/Data/ImageSource.h"

using namespace vitq::data;
using namespace vitq::data::test;

static Preprocess normalization() { return valueOf(parsePreprocess("resize=9,crop=7,mean=0.5,std=0.25")); }

TEST(MemorySource, OnlyNormalizes) {
  const Image image = pattern(2, 3, 3);
  std::vector<uint8_t> pixels = image.pixels;
  pixels.insert(pixels.end(), image.pixels.begin(), image.pixels.end());
  pixels[18] = 255;
  auto source = valueOf(ImageSource::fromPixels(pixels, 2, {2, 3}, 3, normalization(), 3, "memory"));
  ASSERT_TRUE(source);
  EXPECT_EQ(source->size(), 2u);
  EXPECT_EQ(source->height(), 2);
  EXPECT_EQ(source->width(), 3);
  EXPECT_EQ(source->channels(), 3);
  EXPECT_EQ(source->name(1), "#1");
  EXPECT_EQ(source->path(), "memory");
  EXPECT_EQ(source->preprocess(), normalization());
  EXPECT_EQ(valueOf(source->pixels(0)).pixels, image.pixels);
  EXPECT_EQ(valueOf(source->normalized(0)), normalize(image, normalization()));
  EXPECT_EQ(valueOf(source->normalized(1))[0], 2.0f);
}

TEST(MemorySource, ConvertsChannels) {
  const std::vector<uint8_t> gray = {10, 20};
  auto source = valueOf(ImageSource::fromPixels(gray, 1, {1, 2}, 1, Preprocess(), 3, "memory"));
  ASSERT_TRUE(source);
  EXPECT_EQ(valueOf(source->pixels(0)).pixels, (std::vector<uint8_t>{10, 10, 10, 20, 20, 20}));
}

TEST(MemorySource, SaysWhatDoesNotFit) {
  const std::vector<uint8_t> pixels(12);
  auto open = [&](size_t count, Size size, int depth, int channels) {
    return textOf(ImageSource::fromPixels(pixels, count, size, depth, Preprocess(), channels, "memory"));
  };
  EXPECT_EQ(open(2, {2, 3}, 1, 1), "");
  EXPECT_EQ(open(3, {2, 3}, 1, 1), "'memory': 12 bytes are not 3 pictures of 2x3x1");
  EXPECT_EQ(open(0, {2, 3}, 1, 1), "'memory': 12 bytes are not 0 pictures of 2x3x1");
  EXPECT_EQ(open(2, {2, 3}, 2, 1), "'memory': pictures have 1 or 3 channels, not 2");
  EXPECT_EQ(open(2, {2, 3}, 1, 4), "'memory': pictures have 1 or 3 channels, but the model takes 4");
  EXPECT_EQ(open(2, {0, 3}, 1, 1), "'memory': pictures of 0x3 pixels are not supported");
  EXPECT_EQ(open(2, {1 << 20, 1 << 20}, 1, 1), "'memory': pictures of 1048576x1048576 pixels are not supported");
}
