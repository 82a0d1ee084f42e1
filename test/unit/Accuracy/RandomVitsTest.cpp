//===- RandomVitsTest.cpp - What quantization costs random models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// VITQ_RANDOM_VITS is how many models to try (40). VITQ_RANDOM_VIT is the number of
// a model to try alone, and VITQ_RANDOM_VIT_FOLDER a folder that receives each model
// that is tried, as N.onnx, and its pixels as N.u8, calibration pictures first.
//
//===----------------------------------------------------------------------===//

#include "VitTrial.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <fstream>

using namespace vitq;
using namespace vitq::test;

namespace {

/// What a model must reach with the default recipe, and how far it may stay below `minmax`.
constexpr double kLeastDb = 25, kMostBelowMinmaxDb = 6;

void keep(const VitSpec &spec, const char *folder) {
  const std::string stem = std::string(folder) + "/" + std::to_string(spec.seed);
  std::ofstream(stem + ".onnx", std::ios::binary) << onnxBytes(spec);
  const std::vector<uint8_t> pixels = randomPictures(spec, VitTrial::kCalibrationPictures + VitTrial::kPictures);
  std::ofstream(stem + ".u8", std::ios::binary).write(reinterpret_cast<const char *>(pixels.data()), pixels.size());
}

void tryModel(uint64_t number) {
  const VitSpec spec = randomVit(number);
  const std::string what = "model " + std::to_string(number) + ": " + spec.describe();
  if (const char *folder = std::getenv("VITQ_RANDOM_VIT_FOLDER"))
    keep(spec, folder);
  VitTrial trial(spec);
  const std::optional<double> minmax = trial.sqnr(Recipe::MinMax);
  ASSERT_TRUE(minmax) << what << "\n--recipe=minmax: " << trial.messages();
  const std::optional<double> db = trial.sqnr(Recipe::Default);
  ASSERT_TRUE(db) << what << "\n" << trial.messages();
  std::printf("%s: %.1f dB, minmax %.1f dB\n", what.c_str(), *db, *minmax);
  EXPECT_GE(*db, kLeastDb) << what;
  EXPECT_GE(*db, *minmax - kMostBelowMinmaxDb) << what;
  if (number % 16 == 0)
    EXPECT_TRUE(trial.nativeAgrees()) << what << "\n" << trial.messages();
}

class RandomVits : public ::testing::TestWithParam<int> {};

constexpr int kShares = 20;

TEST_P(RandomVits, KeepTheirAccuracy) {
  if (const char *number = std::getenv("VITQ_RANDOM_VIT")) {
    if (GetParam() == 0)
      tryModel(std::strtoull(number, nullptr, 10));
    return;
  }
  const char *text = std::getenv("VITQ_RANDOM_VITS");
  const int count = text ? std::atoi(text) : 40;
  for (int number = 1 + GetParam(); number <= count; number += kShares)
    tryModel(static_cast<uint64_t>(number));
}

INSTANTIATE_TEST_SUITE_P(Shares, RandomVits, ::testing::Range(0, kShares));

TEST(RandomVits, AreTheSameEveryTime) {
  for (uint64_t number : {1, 2, 3}) {
    EXPECT_EQ(onnxBytes(randomVit(number)), onnxBytes(randomVit(number)));
    EXPECT_EQ(randomPictures(randomVit(number), 2), randomPictures(randomVit(number), 2));
  }
  EXPECT_NE(onnxBytes(randomVit(1)), onnxBytes(randomVit(2)));
}

} // namespace
