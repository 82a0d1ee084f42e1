//===- RangeTableTest.cpp - Tests of statistics as JSON ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <limits>

using namespace vitq;
using namespace vitq::calibration;
using vitq::calibration::test::TemporaryFolder;

namespace {

class RangeTableTest : public ::testing::Test {
protected:
  /// The error of reading `text`, empty when there is none.
  std::string errorOf(llvm::StringRef text) {
    llvm::Expected<RangeTable> table = loadRanges(folder.write("table.json", text));
    return table ? "" : llvm::toString(table.takeError());
  }
  /// The same for a file of version 2 with these statistics.
  std::string errorOf(const std::string &channels, const std::string &histograms) {
    return errorOf(R"({"version": 2, "images": 1, "preprocess": "", "ranges": {"x": [0, 1]}, "channels": )" + channels +
                   R"(, "histograms": )" + histograms + "}");
  }
  void expectRefused(const std::string &channels, const std::string &histograms) {
    std::string error = errorOf(channels, histograms);
    EXPECT_NE(error.find("table.json: the "), std::string::npos) << channels << histograms << ": " << error;
    EXPECT_NE(error.find(" of 'x' "), std::string::npos) << error;
    EXPECT_NE(error.find("; calibrate again ("), std::string::npos) << error;
  }

  TemporaryFolder folder;
};

TEST_F(RangeTableTest, EveryNumberIsReadBack) {
  RangeTable table;
  table.images = 3;
  table.fingerprint = "0123456789abcdef";
  table.preprocess = "mean=0.5";
  float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::max();
  table.ranges["x"] = {-0.1, 1.0 / 3};
  table.channels["x"] = {{{-0.1f, tiny, -huge}, {1.0f / 3, 16777217.0f, huge}}, {1.0 / 3, -4.9e-324, 1.7e308}, {}, 0};
  const ChannelSum most = (ChannelSum(1) << 126) - 1;
  table.channels["exact"] = {{{0, 0, 0}, {1, 1, 1}}, {}, {-most, 0, most}, int64_t(1) << 62};
  for (ChannelSum sum : table.channels["exact"].sums)
    table.channels["exact"].means.push_back(channelMean(sum, int64_t(1) << 62));
  table.channels["quoted \"name\" \xC3\xA4"] = {{{1}, {1}}, {1}, {}, 0};
  table.histograms["x"].add({0.0f, -1.0f, 0.3f, 0.3f, huge});
  table.histograms["empty"];
  std::string path = folder.path("table.json");
  ASSERT_EQ(llvm::toString(saveRanges(table, path)), "");
  llvm::Expected<RangeTable> read = loadRanges(path);
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(*read, table);
}

TEST_F(RangeTableTest, VersionOneHasRangesOnly) {
  std::string path =
      folder.write("old.json", R"({"version": 1, "images": 2, "preprocess": "p", "ranges": {"x": [-1, 0.5]}})");
  llvm::Expected<RangeTable> table = loadRanges(path);
  ASSERT_TRUE(static_cast<bool>(table)) << llvm::toString(table.takeError());
  EXPECT_EQ(*table, (RangeTable{2, "", "p", {{"x", {-1, 0.5}}}, {}, {}}));
}

TEST_F(RangeTableTest, RefusesChannels) {
  EXPECT_EQ(errorOf(R"({"x": {"min": [0], "max": [0], "mean": [0]}})", "{}"), "");
  for (
      const char *channels : {
          R"({"x": 1})",
          R"({"x": {}})",
          R"({"x": {"min": [], "max": [], "mean": []}})",
          R"({"x": {"min": [0], "max": [0]}})",
          R"({"x": {"min": [0, 0], "max": [0], "mean": [0]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0, 0]}})",
          R"({"x": {"min": [1], "max": [0], "mean": [0]}})",
          R"({"x": {"min": ["0"], "max": [0], "mean": [0]}})",
          R"({"x": {"min": [null], "max": [0], "mean": [0]}})",
          R"({"x": {"min": [-1e39], "max": [0], "mean": [0]}})",
          R"({"x": {"min": [0], "max": [1e39], "mean": [0]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [1e999]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "sum": ["1"]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 0, "sum": ["1"]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1, "sum": []}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1, "sum": [1]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1, "sum": ["-"]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1, "sum": ["1e3"]}})",
          R"({"x": {"min": [0], "max": [0], "mean": [0], "rows": 1, "sum": ["100000000000000000000000000000000000000"]}})",
      })
    expectRefused(channels, "{}");
  std::string many = "[0";
  for (int64_t i = 0; i < kMaxStatisticsChannels; ++i)
    many += ",0";
  many += "]";
  expectRefused(R"({"x": {"min": )" + many + R"(, "max": )" + many + R"(, "mean": )" + many + "}}", "{}");
}

TEST_F(RangeTableTest, RefusesHistograms) {
  EXPECT_EQ(errorOf("{}", R"({"x": [[-1280, 1], [1280, 9223372036854775806]]})"), "");
  for (const char *histogram : {
           R"({"x": {}})",
           R"({"x": [0, 1]})",
           R"({"x": [[0]]})",
           R"({"x": [[0, 1, 2]]})",
           R"({"x": [[0.5, 1]]})",
           R"({"x": [["0", 1]]})",
           R"({"x": [[0, 1.5]]})",
           R"({"x": [[0, -1]]})",
           R"({"x": [[0, 1e30]]})",
           R"({"x": [[1281, 1]]})",
           R"({"x": [[-1e18, 1]]})",
           R"({"x": [[0, 1], [0, 1]]})",
           R"({"x": [[1, 1], [0, 1]]})",
           R"({"x": [[0, 9223372036854775807], [1, 1]]})",
       })
    expectRefused("{}", histogram);
}

TEST_F(RangeTableTest, MergesToTheSumOfAll) {
  auto one = [](double min, double max, ChannelSum sum, int64_t rows, llvm::ArrayRef<float> values) {
    RangeTable table;
    table.images = 2;
    table.preprocess = "p";
    table.fingerprint = "f";
    table.ranges["x"] = {min, max};
    table.channels["x"] = {{{float(min)}, {float(max)}}, {channelMean(sum, rows)}, {sum}, rows};
    table.histograms["x"].add(values);
    return table;
  };
  RangeTable first = one(-1, 2, 5, 3, {1, 2}), second = one(-3, 1, -7, 2, {-3}), nothing = one(0, 0, 0, 1, {});
  // Scores that are all masked have a range, but were not seen.
  ASSERT_EQ(llvm::toString(mergeRanges(nothing, second, "b.json")), "");
  EXPECT_EQ(nothing.ranges["x"], (Range{-3, 1}));
  ASSERT_EQ(llvm::toString(mergeRanges(first, second, "b.json")), "");
  RangeTable both = one(-3, 2, -2, 5, {1, 2, -3});
  both.images = 4;
  EXPECT_EQ(first, both);
}

TEST_F(RangeTableTest, RefusesOtherValues) {
  auto table = [](llvm::StringRef text) {
    RangeTable table;
    for (llvm::StringRef name : llvm::split(text, ' '))
      table.ranges[name.str()] = {};
    return table;
  };
  RangeTable more = table("x y"), less = table("x");
  const char *said =
      "b.json: and the ranges before it have not the same values: one says nothing of 'y'; calibrate again";
  EXPECT_EQ(llvm::toString(mergeRanges(less, more, "b.json")).find(said), 0u);
  EXPECT_EQ(llvm::toString(mergeRanges(more, less, "b.json")).find(said), 0u);
  less = more;
  less.histograms["y"];
  EXPECT_EQ(llvm::toString(mergeRanges(more, less, "b.json")).find(said), 0u);
  more = less;
  // Nothing was seen of y, which has no channels then.
  more.channels["y"] = {{{0}, {0}}, {0}, {0}, 1};
  more.histograms["y"].add({0.0f});
  EXPECT_EQ(llvm::toString(mergeRanges(more, less, "b.json")), "");
}

TEST_F(RangeTableTest, RefusesSumsThatOverflow) {
  RangeTable first, second;
  first.images = second.images = 1;
  first.channels["x"] = second.channels["x"] = {{{0}, {0}}, {0}, {ChannelSum(1) << 126}, 1};
  EXPECT_EQ(llvm::toString(mergeRanges(first, second, "b.json")).find("b.json: the channels of 'x' cannot be added"),
            0u);
  first.channels["x"].sums = {0};
  first.channels["x"].rows = std::numeric_limits<int64_t>::max();
  EXPECT_NE(llvm::toString(mergeRanges(first, second, "b.json")), "");
  first.channels.clear();
  second.channels.clear();
  first.images = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(llvm::toString(mergeRanges(first, second, "b.json")).find("b.json: the numbers of images have no sum"), 0u);
  first.images = 1;
  second.channels.clear();
  first.histograms["x"] = second.histograms["x"] = *Histogram::fromSparse({{0, std::numeric_limits<int64_t>::max()}});
  EXPECT_EQ(llvm::toString(mergeRanges(first, second, "b.json")).find("b.json: the histograms of 'x' have no sum"), 0u);
  second.fingerprint = "other";
  EXPECT_EQ(llvm::toString(mergeRanges(first, second, "b.json")),
            "b.json: is of another model than the ranges before it");
}

TEST_F(RangeTableTest, SeveralFiles) {
  const char *text = R"({"version": 1, "images": 2, "preprocess": "p", "ranges": {"x": [-1, 0.5]}})";
  const std::string path = folder.write("a,b.json", text) + "," + folder.path("none.json");
  EXPECT_NE(llvm::toString(loadRanges(path).takeError()), "");
  // A name that has a comma.
  llvm::Expected<RangeTable> one = loadRanges(folder.path("a,b.json"));
  ASSERT_TRUE(static_cast<bool>(one)) << llvm::toString(one.takeError());
  EXPECT_EQ(one->images, 2u);
  llvm::Expected<RangeTable> two = loadRanges(folder.write("c.json", text) + "," + folder.path("c.json"));
  ASSERT_TRUE(static_cast<bool>(two)) << llvm::toString(two.takeError());
  EXPECT_EQ(two->images, 4u);
}

TEST_F(RangeTableTest, RefusesWhatIsNoTable) {
  auto contains = [](const std::string &text, const char *part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(contains(errorOf("[]", "{}"), "'channels' or 'histograms' is no object; calibrate again"));
  EXPECT_TRUE(contains(errorOf("{}", "7"), "'channels' or 'histograms' is no object; calibrate again"));
  EXPECT_TRUE(contains(errorOf(R"({"version": 3, "ranges": {}})"), "has another version than 1 or 2"));
  EXPECT_TRUE(contains(errorOf(R"({"version": "2", "ranges": {}})"), "has another version than 1 or 2"));
  EXPECT_TRUE(contains(errorOf(R"({"version": 1, "images": 1, "fingerprint": 3, "preprocess": "", "ranges": {}})"),
                       "'fingerprint' is no text; calibrate again"));
  EXPECT_TRUE(contains(errorOf("[]"), "is no range table"));
  for (const char *opening : {"[", "{\"a\":", "[\"\\\"\",["}) {
    std::string deep;
    for (int i = 0; i < 1000000; ++i)
      deep += opening;
    EXPECT_TRUE(contains(errorOf(deep), "nested too deeply"));
  }
  // Brackets in strings do not count.
  EXPECT_EQ(errorOf(R"({"[[[[[[[[[[[[[[[[[[\"{{{{": 1, "version": 1, "images": 1, "preprocess": "", "ranges": {}})"),
            "");
  // Any beginning of a table is refused, and nothing else happens.
  RangeTable table;
  table.images = 1;
  table.ranges["x"] = {0, 1};
  table.channels["x"] = {{{0}, {1}}, {0.5}};
  table.histograms["x"].add({0.5f, 0.25f});
  std::string path = folder.path("whole.json");
  ASSERT_EQ(llvm::toString(saveRanges(table, path)), "");
  auto whole = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(static_cast<bool>(whole));
  llvm::StringRef text = (*whole)->getBuffer().rtrim();
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_NE(errorOf(text.take_front(size)), "");
}

} // namespace
