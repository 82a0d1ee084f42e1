//===- CalibrateTest.cpp - Tests of what calibration measures ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace vitq;
using namespace vitq::calibration;
using vitq::calibration::test::ModuleTest;

namespace {

/// Images of 1 x 4 x 6 numbers in memory.
class RandomImages final : public data::ImageSource {
public:
  explicit RandomImages(size_t count) : ImageSource("random", data::Preprocess(), 1) {
    outputSize = {4, 6};
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0.1f, 2);
    images.resize(count, std::vector<float>(24));
    for (std::vector<float> &image : images)
      for (float &x : image)
        x = normal(random);
  }
  size_t size() const override { return images.size(); }
  StringRef name(size_t) const override { return "image"; }
  llvm::Expected<data::Image> pixels(size_t) const override { return llvm::createStringError("has no pixels"); }
  llvm::Expected<std::vector<float>> normalized(size_t i) const override { return images[i]; }

  std::vector<std::vector<float>> images;
};

/// A model of `batch` images: a sum, a reshape, and a linear layer of 6 channels
/// with a function after it.
std::string model(int batch) {
  std::string b = std::to_string(batch), image = "tensor<" + b + "x1x4x6xf32>", rows = "tensor<" + b + "x4x6xf32>",
              result = "tensor<" + b + "x4x3xf32>";
  return "func.func @main(%a: " + image + ") -> " + result + R"( {
    %w = arith.constant dense<[[1.0, 0.5, 0.25, -1.0, 0.0, 0.1], [0.0, 0.0, 0.0, 0.0, 0.0, -1.0],
                               [0.3, 0.3, 0.3, 0.3, 0.3, 0.3]]> : tensor<3x6xf32>
    %s = vit.add %a, %a : ()" +
         image + ", " + image + ") -> " + image + R"( loc("sum")
    %r = vit.reshape %s to [)" +
         b + ", 4, 6] : " + image + " -> " + rows + R"( loc("rows")
    %y = vit.linear %r, %w : ()" +
         rows + ", tensor<3x6xf32>) -> " + result + R"( loc("y")
    %g = vit.relu %y : )" +
         result + " -> " + result + R"( loc("g")
    %p = vit.softmax %g : )" +
         result + " -> " + result + R"( loc("p")
    return %p : )" +
         result + "\n}";
}

class CalibrateTest : public ModuleTest {
protected:
  RangeTable measure(int batch, const RandomImages &source, unsigned threads, uint64_t limit = UINT64_MAX) {
    FailureOr<RangeTable> table = calibrate(parse(model(batch)), source, {limit, threads});
    EXPECT_TRUE(succeeded(table)) << errors;
    return succeeded(table) ? *table : RangeTable();
  }
};

TEST_F(CalibrateTest, MeasuresWhatIsThere) {
  RandomImages source(9);
  RangeTable table = measure(1, source, 1);
  std::vector<std::string> names;
  for (const auto &[name, histogram] : table.histograms) {
    names.push_back(name);
    EXPECT_EQ(histogram.total(), 9 * 4 * (name == "sum" ? 6 : 3)) << name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"g", "p", "sum", "y"}));
  names.clear();
  for (const auto &entry : table.channels)
    names.push_back(entry.first);
  EXPECT_EQ(names, (std::vector<std::string>{"g", "rows", "y"}));

  Histogram expected;
  ChannelStatistics channels{{std::vector<float>(6, INFINITY), std::vector<float>(6, -INFINITY)},
                             std::vector<double>(6, 0)};
  for (const std::vector<float> &image : source.images)
    for (auto [i, x] : llvm::enumerate(image)) {
      float y = x + x;
      expected.add(y);
      channels.ranges.min[i % 6] = std::min(channels.ranges.min[i % 6], y);
      channels.ranges.max[i % 6] = std::max(channels.ranges.max[i % 6], y);
      channels.means[i % 6] += y / (9 * 4.0);
    }
  EXPECT_EQ(table.histograms["sum"], expected);
  EXPECT_EQ(table.channels["rows"].ranges, channels.ranges);
  for (int i = 0; i < 6; ++i)
    EXPECT_NEAR(table.channels["rows"].means[i], channels.means[i], 1e-11);
}

TEST_F(CalibrateTest, DoesNotDependOnThreads) {
  RandomImages source(37);
  RangeTable once = measure(1, source, 1);
  for (unsigned threads : {2u, 3u, 8u})
    EXPECT_EQ(measure(1, source, threads), once);
  EXPECT_EQ(measure(4, source, 2), measure(4, source, 1));
}

TEST_F(CalibrateTest, FillingUpABatchCountsNothingTwice) {
  RandomImages source(6);
  // Products of matrices may be rounded otherwise in a batch, sums are not.
  for (uint64_t limit : {3, 4, 6}) {
    RangeTable single = measure(1, source, 1, limit), batches = measure(4, source, 1, limit);
    EXPECT_EQ(batches.histograms["sum"], single.histograms["sum"]);
    EXPECT_EQ(batches.channels["rows"], single.channels["rows"]);
    EXPECT_EQ(batches.histograms["y"].total(), single.histograms["y"].total());
    EXPECT_EQ(batches.histograms["y"].total(), static_cast<int64_t>(limit) * 4 * 3);
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(batches.channels["y"].means[i], single.channels["y"].means[i], 1e-5);
  }
}

// What a mask removes does not widen the range of scores, in whichever row; a row that is
// masked altogether is left out; the product before the mask keeps its own range.
TEST_F(CalibrateTest, MaskedScoresDoNotCount) {
  RandomImages source(3);
  for (std::vector<float> &image : source.images)
    for (auto [i, x] : llvm::enumerate(image))
      x = static_cast<float>(i % 6) - 2.5f; // each row [-2.5, 2.5]
  func::FuncOp function = parse(R"(
    func.func @main(%a: tensor<1x1x4x6xf32>) -> tensor<1x1x4x6xf32> {
      %mask = arith.constant dense<[[0.0, 0.0, 0.0, 0.0, 0.0, -1.0e9],
                                    [0.0, 0.0, 0.0, 0.0, 0.0, -3.4e38],
                                    [-30.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                                    [-1.0e9, -1.0e9, -1.0e9, -1.0e9, -1.0e9, -1.0e9]]> : tensor<4x6xf32>
      %s = vit.relu %a : tensor<1x1x4x6xf32> -> tensor<1x1x4x6xf32> loc("scores")
      %m = vit.add %s, %mask : (tensor<1x1x4x6xf32>, tensor<4x6xf32>) -> tensor<1x1x4x6xf32> loc("masked")
      %p = vit.softmax %m : tensor<1x1x4x6xf32> -> tensor<1x1x4x6xf32> loc("p")
      return %p : tensor<1x1x4x6xf32>
    })");
  FailureOr<RangeTable> table = calibrate(function, source, {UINT64_MAX, 1});
  ASSERT_TRUE(succeeded(table)) << errors;
  // The maximum of the first two rows is 1.5, that of the third 2.5.
  EXPECT_EQ(table->ranges["masked"], (Range{1.5 - 24, 2.5}));
  EXPECT_EQ(table->ranges["scores"], (Range{0, 2.5}));
  EXPECT_EQ(table->histograms["masked"].total(), 3 * 3 * 6);
}

TEST_F(CalibrateTest, NegativeZeroIsZero) {
  RandomImages source(2);
  source.images[0].assign(24, -0.0f);
  source.images[1].assign(24, 0.0f);
  RangeTable table = measure(1, source, 1);
  EXPECT_FALSE(std::signbit(table.ranges["sum"].min) || std::signbit(table.ranges["sum"].max));
  EXPECT_FALSE(std::signbit(table.channels["rows"].ranges.min[0]) || std::signbit(table.channels["rows"].means[0]));
}

TEST_F(CalibrateTest, SumsOfTheLargestNumbersDoNotOverflow) {
  RandomImages source(3);
  for (std::vector<float> &image : source.images)
    image.assign(24, 1e37f);
  RangeTable table = measure(1, source, 1);
  EXPECT_GT(table.channels["rows"].means[0], 1e15);
  EXPECT_EQ(table.histograms["sum"].sparse(), (std::vector<std::pair<int64_t, int64_t>>{{Histogram::kMaxBin, 72}}));
}

TEST_F(CalibrateTest, AttachesWhatWasMeasured) {
  RandomImages source(5);
  RangeTable table = measure(1, source, 1);
  auto function = module->lookupSymbol<func::FuncOp>("main");
  ASSERT_TRUE(succeeded(attachRanges(function, table, "the test")));
  auto linear = find<vit::LinearOp>(function);
  EXPECT_EQ(getHistogram(linear), table.histograms["y"]);
  EXPECT_EQ(getChannelRanges(linear), table.channels["y"].ranges);
  EXPECT_EQ(getChannelMeans(linear), table.channels["y"].means);
  auto reshape = find<vit::ReshapeOp>(function);
  EXPECT_FALSE(getHistogram(reshape));
  EXPECT_EQ(getChannelMeans(reshape), table.channels["rows"].means);
  EXPECT_FALSE(getChannelMeans(find<vit::SoftmaxOp>(function)));

  // Ranges alone take the statistics away.
  table.channels.clear();
  table.histograms.clear();
  ASSERT_TRUE(succeeded(attachRanges(function, table, "the test")));
  EXPECT_FALSE(getHistogram(linear) || getChannelRanges(linear) || getChannelMeans(linear));
}

TEST_F(CalibrateTest, FingerprintsTellModelsApart) {
  auto of = [&](const std::string &text) { return fingerprint(parse(text)); };
  auto changed = [](std::string text, const std::string &from, const std::string &to) {
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::string text = model(1), own = of(text);
  EXPECT_EQ(own.size(), 32u);
  EXPECT_EQ(own, of(text));
  // The batch, names, and what a calibration leaves do not count.
  EXPECT_EQ(own, of(model(3)));
  EXPECT_EQ(own, of(changed(text, "loc(\"sum\")", "loc(\"other\")")));
  func::FuncOp function = parse(text);
  RandomImages source(2);
  FailureOr<RangeTable> table = calibrate(function, source);
  ASSERT_TRUE(succeeded(table) && succeeded(attachRanges(function, *table, "here"))) << errors;
  EXPECT_EQ(own, fingerprint(function));
  EXPECT_EQ(own, table->fingerprint);
  // Nor does whether a default is written down: text leaves it out.
  vit::LinearOp linear = find<vit::LinearOp>(function);
  linear->getName().populateDefaultProperties(linear->getPropertiesStorage());
  EXPECT_EQ(own, fingerprint(function));
  // One weight does, an op, an operand.
  EXPECT_NE(own, of(changed(text, "0.25, -1.0", "0.25, -1.0001")));
  EXPECT_NE(own, of(changed(text, "vit.relu", "vit.sigmoid")));
  EXPECT_NE(own, of(changed(text, "vit.add %a, %a", "vit.mul %a, %a")));
  EXPECT_NE(own, of(changed(text, "vit.softmax %g", "vit.softmax %y")));
}

TEST_F(CalibrateTest, ChecksTheModelOfATable) {
  func::FuncOp function = parse(model(1));
  RangeTable table;
  EXPECT_TRUE(succeeded(checkFingerprint(function, table, "old.json")));
  EXPECT_NE(errors.find("old.json does not say which model its ranges are of"), std::string::npos) << errors;
  errors.clear();
  table.fingerprint = fingerprint(function);
  EXPECT_TRUE(succeeded(checkFingerprint(function, table, "own.json")));
  EXPECT_EQ(errors, "");
  table.fingerprint[0] = table.fingerprint[0] == '0' ? '1' : '0';
  EXPECT_TRUE(failed(checkFingerprint(function, table, "other.json")));
  EXPECT_NE(errors.find("the ranges in other.json are of another model: its fingerprint is " + table.fingerprint),
            std::string::npos)
      << errors;
}

TEST_F(CalibrateTest, WarnsOfImagesWithoutContent) {
  auto warning = [&](std::vector<std::vector<float>> images) {
    errors.clear();
    RandomImages source(images.size());
    source.images = std::move(images);
    measure(1, source, 2);
    return errors;
  };
  std::vector<float> zeros(24), ones(24, 1), ramp(24);
  for (size_t i = 0; i < ramp.size(); ++i)
    ramp[i] = static_cast<float>(i);
  std::vector<float> other = ramp;
  other[3] = 7;
  EXPECT_NE(warning({zeros, ones, ones}).find("random: all 3 calibration images are blank (one colour each): "),
            std::string::npos)
      << errors;
  EXPECT_NE(warning({zeros}).find("random: the only calibration image is blank"), std::string::npos) << errors;
  EXPECT_NE(warning({ramp, ramp, ramp}).find("random: all 3 calibration images are the same: "), std::string::npos)
      << errors;
  EXPECT_EQ(warning({ramp}), "");
  EXPECT_EQ(warning({zeros, ramp}), "");
  EXPECT_EQ(warning({ramp, other, ramp}), "");
}

TEST_F(CalibrateTest, RefusesStatisticsOfAnotherModel) {
  RandomImages source(1);
  RangeTable table = measure(1, source, 1);
  table.channels["y"] = table.channels["rows"];
  EXPECT_TRUE(failed(attachRanges(module->lookupSymbol<func::FuncOp>("main"), table, "old.json")));
  EXPECT_NE(
      errors.find("'y' has 3 channels ('tensor<1x4x3xf32>'), in old.json it has 6; it was made for another model, "
                  "so calibrate again"),
      std::string::npos)
      << errors;
}

} // namespace
