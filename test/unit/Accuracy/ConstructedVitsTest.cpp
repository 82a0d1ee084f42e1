//===- ConstructedVitsTest.cpp - One channel, head or token does not decide for all -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Models with one part that is unlike the others, as a trained model may have it. What
// it needs must not be taken from the others: each is compared with the same model
// without that part.
//
//===----------------------------------------------------------------------===//

#include "VitTrial.h"

#include "llvm/Support/FormatVariadic.h"

#include "gtest/gtest.h"

using namespace vitq;
using namespace vitq::test;

namespace {

using Edit = std::function<void(llvm::StringRef, std::vector<float> &)>;
using Change = std::function<void(CompileOptions &)>;

/// 26 channels in two heads, 44 hidden ones.
VitSpec plain(Activation activation = Activation::GeluErf) {
  VitSpec spec;
  spec.seed = 3;
  spec.headSize = 13;
  spec.hidden = 44;
  spec.classes = 8;
  spec.packed = false;
  spec.activation = activation;
  return spec;
}

double sqnrOf(const VitSpec &spec, const Change &change = nullptr, Recipe recipe = Recipe::Default) {
  VitTrial trial(spec);
  const std::optional<double> db = trial.sqnr(recipe, change);
  EXPECT_TRUE(db) << trial.messages();
  return db.value_or(-INFINITY);
}

VitSpec with(VitSpec spec, Edit edit) {
  spec.edit = std::move(edit);
  return spec;
}

void normScales(CompileOptions &options) { options.normScales = Toggle::On; }

/// Multiplies column `column` of a weight [rows, columns].
void scaleColumns(std::vector<float> &values, size_t columns, size_t from, size_t to, float factor) {
  for (size_t i = 0; i < values.size(); ++i)
    if (i % columns >= from && i % columns < to)
      values[i] *= factor;
}
void scaleRows(std::vector<float> &values, size_t columns, size_t from, size_t to, float factor) {
  for (size_t i = from * columns; i < to * columns; ++i)
    values[i] *= factor;
}

class ChannelThatIsAlwaysOn : public ::testing::TestWithParam<Activation> {};

TEST_P(ChannelThatIsAlwaysOn, LeavesTheOthersTheirNegativeValues) {
  VitSpec spec = with(plain(GetParam()), [](llvm::StringRef name, std::vector<float> &values) {
    if (name == "blocks.0.mlp.fc1.weight")
      scaleColumns(values, 44, 5, 6, 0.02f);
    if (name == "blocks.0.mlp.fc1.bias")
      values[5] = 6;
  });
  const double db = sqnrOf(spec), usual = sqnrOf(plain(GetParam())), minmax = sqnrOf(spec, nullptr, Recipe::MinMax);
  EXPECT_GE(db, usual - 3);
  EXPECT_GE(db, minmax - 3);
}

INSTANTIATE_TEST_SUITE_P(Activations, ChannelThatIsAlwaysOn,
                         ::testing::Values(Activation::GeluErf, Activation::Silu, Activation::Tanh,
                                           Activation::HardSwish, Activation::Relu, Activation::Sigmoid));

/// The model as edited must not lose more than `most` dB against `base`.
void compare(const Edit &edit, double most, const Change &change = nullptr, const VitSpec &base = plain()) {
  EXPECT_GE(sqnrOf(with(base, edit), change), sqnrOf(base, change) - most);
}

TEST(NormScales, OneSidedChannel) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.starts_with("blocks") && name.ends_with(".beta"))
          values[4] = 20;
        if (name.ends_with("q.weight") || name.ends_with("k.weight") || name.ends_with("v.weight"))
          scaleRows(values, 26, 4, 5, 0.05f);
        if (name.ends_with("fc1.weight"))
          scaleRows(values, 44, 4, 5, 0.05f);
      },
      3, normScales);
}

TEST(Norms, FarChannel) {
  for (float factor : {10.0f, 50.0f})
    compare(
        [=](llvm::StringRef name, std::vector<float> &values) {
          if (!name.starts_with("blocks"))
            return;
          if (name.ends_with(".beta") || name.ends_with(".gamma"))
            values[4] *= factor;
          if (name.ends_with("q.weight") || name.ends_with("k.weight") || name.ends_with("v.weight"))
            scaleRows(values, 26, 4, 5, 1 / factor);
          if (name.ends_with("fc1.weight"))
            scaleRows(values, 44, 4, 5, 1 / factor);
        },
        3);
}

TEST(NormScales, DeadChannel) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.ends_with(".beta") || name.ends_with(".gamma"))
          values[4] = 0;
      },
      3, normScales);
}

TEST(HeadScales, FarHeadOfQueries) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.ends_with("q.weight") || name.ends_with("q.bias"))
          scaleColumns(values, 26, 0, 13, 20);
        if (name.ends_with("k.weight") || name.ends_with("k.bias"))
          scaleColumns(values, 26, 0, 13, 0.05f);
      },
      3);
}

TEST(HeadScales, OneSidedHeadOfQueries) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.ends_with("q.bias"))
          for (int i = 0; i < 13; ++i)
            values[i] = 20;
        if (name.ends_with("k.weight") || name.ends_with("k.bias"))
          scaleColumns(values, 26, 0, 13, 0.05f);
      },
      3);
}

TEST(HeadScales, FarHeadOfValues) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.ends_with("v.weight") || name.ends_with("v.bias"))
          scaleColumns(values, 26, 0, 13, 20);
        if (name.ends_with("proj.weight"))
          scaleRows(values, 26, 0, 13, 0.05f);
      },
      3);
}

TEST(HeadScales, DeadHead) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        for (const char *role : {"q.", "k.", "v."})
          if (name.contains(role))
            scaleColumns(values, 26, 0, 13, 0);
      },
      3);
}

/// A rare channel that stays in the dip of the function, and is read with a large weight,
/// keeps its codes though the others would do with fewer.
TEST(FunctionRanges, ChannelInTheDip) {
  for (Activation activation : {Activation::GeluErf, Activation::Silu, Activation::HardSwish}) {
    VitSpec spec = with(plain(activation), [](llvm::StringRef name, std::vector<float> &values) {
      if (name.ends_with("fc1.weight"))
        scaleColumns(values, 44, 0, 44, 0.3f);
      if (name.ends_with("fc1.bias")) {
        std::fill(values.begin(), values.end(), 6.0f);
        values[7] = -1;
      }
      if (name.ends_with("fc2.weight"))
        scaleRows(values, 26, 7, 8, 10);
    });
    EXPECT_GE(sqnrOf(spec), sqnrOf(spec, [](CompileOptions &options) { options.fitFunctionRanges = Toggle::Off; }) - 1);
  }
}

/// A channel far down in the flat part, however far.
TEST(FunctionRanges, ChannelThatIsOff) {
  for (Activation activation : {Activation::GeluErf, Activation::Silu, Activation::HardSwish, Activation::Tanh})
    for (float bias : {-100.0f, -1e4f, -1e6f})
      compare(
          [=](llvm::StringRef name, std::vector<float> &values) {
            if (name.ends_with("fc1.bias"))
              values[7] = bias;
          },
          3, nullptr, plain(activation));
}

/// Of the hidden ones. Relu and V are balanced, identities get 16 bits, others are flat.
class FarHiddenChannel : public ::testing::TestWithParam<Activation> {};

TEST_P(FarHiddenChannel, LeavesTheOthersTheirCodes) {
  for (float factor : {10.0f, 40.0f})
    compare(
        [=](llvm::StringRef name, std::vector<float> &values) {
          if (name.ends_with("fc1.weight") || name.ends_with("fc1.bias"))
            scaleColumns(values, 44, 7, 8, factor);
          if (name.ends_with("fc2.weight"))
            scaleRows(values, 26, 7, 8, 1 / factor);
        },
        3, nullptr, plain(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Activations, FarHiddenChannel,
                         ::testing::Values(Activation::GeluErf, Activation::Silu, Activation::Tanh,
                                           Activation::HardSwish, Activation::Relu, Activation::Sigmoid));

/// Pruned channels are 0 on every image: they say nothing about how far channels reach.
TEST(SplitOutliers, MostChannelsPruned) {
  compare(
      [](llvm::StringRef name, std::vector<float> &values) {
        if (name.ends_with("fc1.weight") || name.ends_with("fc1.bias")) {
          scaleColumns(values, 44, 0, 24, 0);
          scaleColumns(values, 44, 30, 31, 40);
        }
        if (name.ends_with("fc2.weight"))
          scaleRows(values, 26, 30, 31, 0.05f);
      },
      3);
}

/// A row of the second layer that reads the outlier only, or little else.
TEST(SplitOutliers, RowOfTheOutlierOnly) {
  for (float rest : {0.0f, 1e-7f, 1e-20f})
    compare(
        [=](llvm::StringRef name, std::vector<float> &values) {
          if (name.ends_with("fc1.weight"))
            scaleColumns(values, 44, 30, 31, 40);
          if (!name.ends_with("fc2.weight"))
            return;
          scaleRows(values, 26, 30, 31, 0.05f);
          for (int64_t k = 0; k < 44; ++k)
            values[k * 26 + 3] *= k == 30 ? 1 : rest;
        },
        3);
}

TEST(Rows, WithoutWeightsKeepSmallBiases) {
  for (float bias : {1e-3f, 0.04f}) {
    VitTrial trial(with(plain(), [=](llvm::StringRef name, std::vector<float> &values) {
      if (name == "head.weight")
        scaleRows(values, 26, 2, 3, 0);
      if (name == "head.bias")
        values[2] = bias;
    }));
    ASSERT_TRUE(trial.sqnr(Recipe::Default)) << trial.messages();
    EXPECT_NEAR(trial.logits().logit(0, 2) * trial.scale(), bias, 1e-5);
  }
}

/// q and k of a head, or of all, so small that all scores are equal; v, or the hidden
/// layer, so small that nothing comes out. All vanish beside what 32-bit floats resolve.
TEST(Rows, ThatVanish) {
  for (float factor : {1e-12f, 1e-20f, 1e-30f, 1e-42f})
    for (const char *roles : {"qk", "qkv", "h"})
      for (size_t columns : {13, 26}) {
        SCOPED_TRACE(llvm::formatv("{0:e} ", factor).str() + " " + roles + " " + std::to_string(columns));
        compare(
            [=](llvm::StringRef name, std::vector<float> &values) {
              llvm::StringRef chosen(roles);
              for (const char *role : {"q.", "k.", "v."})
                if (chosen.contains(role[0]) && name.contains(role))
                  scaleColumns(values, 26, 0, columns, factor);
              if (chosen == "h" && name.contains("fc1."))
                scaleColumns(values, 44, 0, columns == 13 ? 22 : 44, factor);
            },
            3);
      }
}

} // namespace
