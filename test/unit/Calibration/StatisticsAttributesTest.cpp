//===- StatisticsAttributesTest.cpp - Tests of statistics on ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using namespace vitq;
using vitq::calibration::test::ModuleTest;

namespace {

class StatisticsAttributesTest : public ModuleTest {
protected:
  StatisticsAttributesTest() {
    function = parse("func.func @main(%a: tensor<1x2xf32>) -> tensor<1x2xf32> {\n"
                     "  %0 = vit.relu %a : tensor<1x2xf32> -> tensor<1x2xf32>\n"
                     "  %e, %s = vit.softmax_numerator %0 : tensor<1x2xf32> -> tensor<1x2xf32>, tensor<1xf32>\n"
                     "  return %e : tensor<1x2xf32>\n}");
    op = find<vit::ReluOp>(function);
    pair = find<vit::SoftmaxNumeratorOp>(function);
  }
  Operation *with(StringRef name, const char *attribute, Operation *on = nullptr) {
    on = on ? on : op;
    Attribute parsed = parseAttribute(attribute, &context);
    EXPECT_TRUE(parsed) << attribute;
    on->setAttr(name, parsed);
    return on;
  }

  func::FuncOp function;
  Operation *op, *pair;
};

TEST_F(StatisticsAttributesTest, AreReadBack) {
  EXPECT_FALSE(getHistogram(op) || getChannelRanges(op) || getChannelMeans(op));
  EXPECT_FALSE(getHistogram(nullptr) || getChannelRanges(nullptr) || getChannelMeans(nullptr));
  Histogram histogram;
  histogram.add({1.0f, -2.0f, 1.0f});
  ChannelRanges ranges{{-0.1f, 0}, {0.1f, 0}};
  std::vector<double> means{1.0 / 3, -1e-300};
  setHistogram(op, histogram);
  setChannelRanges(op, ranges);
  setChannelMeans(op, means);
  EXPECT_EQ(getHistogram(op), histogram);
  EXPECT_EQ(getChannelRanges(op), ranges);
  EXPECT_EQ(getChannelMeans(op), means);
  // Equal elements, a splat.
  setChannelRanges(op, {{0, 0}, {0, 0}});
  EXPECT_EQ(getChannelRanges(op), (ChannelRanges{{0, 0}, {0, 0}}));
  setHistogram(op, Histogram());
  EXPECT_EQ(getHistogram(op), Histogram());
  removeCalibrationStatistics(op);
  EXPECT_TRUE(op->getAttrs().empty());
}

TEST_F(StatisticsAttributesTest, RefusesMalformedHistograms) {
  EXPECT_TRUE(getHistogram(with(kHistogramAttr, "dense<[[0, 1], [1, 2]]> : tensor<2x2xi64>")));
  for (const char *text :
       {"7 : i64", "dense<1> : tensor<2xi64>", "dense<1> : tensor<i64>", "dense<1> : vector<1x2xi64>",
        "dense<1> : tensor<1x3xi64>", "dense<1> : tensor<1x2x1xi64>", "dense<1> : tensor<1x2xi32>",
        "dense<1> : tensor<1x2xui64>", "dense<1.0> : tensor<1x2xf64>", "dense<1> : tensor<2x2xi64>",
        "dense<[[1281, 1]]> : tensor<1x2xi64>", "dense<[[1, -1]]> : tensor<1x2xi64>",
        "dense<1> : tensor<4000000000000000000x2xi64>", "dense_resource<none> : tensor<1x2xi64>"})
    EXPECT_FALSE(getHistogram(with(kHistogramAttr, text))) << text;
  EXPECT_FALSE(getHistogram(with(kHistogramAttr, "dense<[[0, 1]]> : tensor<1x2xi64>", pair)));
}

TEST_F(StatisticsAttributesTest, RefusesMalformedChannels) {
  EXPECT_TRUE(getChannelRanges(with(kChannelRangeAttr, "dense<1.0> : tensor<2x2xf32>")));
  for (const char *text :
       {"unit", "dense<1.0> : tensor<3x2xf32>", "dense<1.0> : tensor<2x2xf64>", "dense<1> : tensor<2x2xi32>",
        "dense<1.0> : tensor<2xf32>", "dense<[[0.0, 1.0], [1.0, 0.0]]> : tensor<2x2xf32>",
        "dense<[[0.0, 1.0], [0.0, 0x7FC00000]]> : tensor<2x2xf32>", "dense<0x7F800000> : tensor<2x2xf32>"})
    EXPECT_FALSE(getChannelRanges(with(kChannelRangeAttr, text))) << text;
  EXPECT_FALSE(getChannelRanges(with(kChannelRangeAttr, "dense<1.0> : tensor<2x2xf32>", pair)));

  EXPECT_TRUE(getChannelMeans(with(kChannelMeanAttr, "dense<1.0> : tensor<2xf64>")));
  for (const char *text : {"dense<1.0> : tensor<3xf64>", "dense<1.0> : tensor<2xf32>", "dense<1.0> : tensor<2x1xf64>",
                           "dense<0x7FF8000000000000> : tensor<2xf64>", "array<f64: 1.0, 1.0>"})
    EXPECT_FALSE(getChannelMeans(with(kChannelMeanAttr, text))) << text;
  EXPECT_FALSE(getChannelMeans(with(kChannelMeanAttr, "dense<1.0> : tensor<2xf64>", pair)));
}

} // namespace
