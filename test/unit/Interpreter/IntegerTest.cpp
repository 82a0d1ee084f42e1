//===- IntegerTest.cpp - vitq ops against numerics and values worked out by hand -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/Softmax.h"

using namespace vitq;
using namespace vitq::test;
using numerics::Rounding;

namespace {

class IntegerTest : public InterpreterTest {
protected:
  template <typename T>
  static Tensor ints(std::initializer_list<int64_t> shape, std::vector<T> values) {
    return Tensor::of<T>(llvm::ArrayRef<int64_t>(shape), llvm::ArrayRef<T>(values));
  }
};

TEST_F(IntegerTest, MatmulReadsLhsAsSaid) {
  std::vector<std::string> types = {"tensor<1x2x2xi8>", "tensor<2x3xi8>", "tensor<3xi32>"};
  std::string tail = " : (tensor<1x2x2xi8>, tensor<2x3xi8>, tensor<3xi32>) -> tensor<1x2x3xi32>";
  std::vector<Tensor> inputs = {ints<uint8_t>({1, 2, 2}, {255, 1, 0, 2}), ints<int8_t>({2, 3}, {1, -128, 3, 4, 5, 6}),
                                ints<int32_t>({3}, {100, 0, -7})};
  auto s = runOp("vitq.matmul %a, %b, %c" + tail, types, "tensor<1x2x3xi32>", inputs);
  EXPECT_EQ(valuesOf<int32_t>(s[0]), (std::vector<int32_t>{103, 133, -4, 108, 10, 5}));
  auto u = runOp("vitq.matmul %a, %b, %c lhs <unsigned, zero = 1>" + tail, types, "tensor<1x2x3xi32>", inputs);
  EXPECT_EQ(valuesOf<int32_t>(u[0]),
            (std::vector<int32_t>{254 + 100, 254 * -128, 762 - 7, -1 + 4 + 100, 128 + 5, -3 + 6 - 7}));
}

TEST_F(IntegerTest, MatmulOfNothing) {
  // No columns: no results. Nothing to multiply: where the sums start.
  std::vector<std::string> types = {"tensor<2x2xi8>", "tensor<2x0xi8>"};
  auto none = runOp("vitq.matmul %a, %b : (tensor<2x2xi8>, tensor<2x0xi8>) -> tensor<2x0xi32>", types,
                    "tensor<2x0xi32>", {ints<int8_t>({2, 2}, {1, 2, 3, 4}), ints<int8_t>({2, 0}, {})});
  EXPECT_TRUE(valuesOf<int32_t>(none[0]).empty());
  types = {"tensor<1x0xi8>", "tensor<0x2xi8>", "tensor<2xi32>"};
  auto start =
      runOp("vitq.matmul %a, %b, %c : (tensor<1x0xi8>, tensor<0x2xi8>, tensor<2xi32>) -> tensor<1x2xi32>", types,
            "tensor<1x2xi32>", {ints<int8_t>({1, 0}, {}), ints<int8_t>({0, 2}, {}), ints<int32_t>({2}, {7, -9})});
  EXPECT_EQ(valuesOf<int32_t>(start[0]), (std::vector<int32_t>{7, -9}));
}

TEST_F(IntegerTest, MatmulOfSixteenBitsWithZeroPoint) {
  std::vector<std::string> types = {"tensor<1x2xi16>", "tensor<1x2xi8>"};
  std::string tail = " : (tensor<1x2xi16>, tensor<1x2xi8>) -> tensor<1x1xi32>";
  std::vector<Tensor> inputs = {ints<uint16_t>({1, 2}, {65535, 3}), ints<int8_t>({1, 2}, {-128, 127})};
  auto u = runOp("vitq.matmul %a, %b transpose_rhs lhs <unsigned, zero = 7>" + tail, types, "tensor<1x1xi32>", inputs);
  EXPECT_EQ(valuesOf<int32_t>(u[0])[0], 65528 * -128 - 4 * 127);
  auto s = runOp("vitq.matmul %a, %b transpose_rhs lhs <signed, zero = 7>" + tail, types, "tensor<1x1xi32>", inputs);
  EXPECT_EQ(valuesOf<int32_t>(s[0])[0], -8 * -128 - 4 * 127);
}

TEST_F(IntegerTest, MatmulBatchesAndOddSizes) {
  // 2 batches of [3, 37] x [37, 5], against a direct sum.
  std::vector<int8_t> lhs(2 * 3 * 37), rhs(2 * 37 * 5);
  for (size_t i = 0; i < lhs.size(); ++i)
    lhs[i] = static_cast<int8_t>(i * 71 + 3);
  for (size_t i = 0; i < rhs.size(); ++i)
    rhs[i] = static_cast<int8_t>(i * 29 - 5);
  auto r = runOp("vitq.matmul %a, %b : (tensor<2x3x37xi8>, tensor<2x37x5xi8>) -> tensor<2x3x5xi32>",
                 {"tensor<2x3x37xi8>", "tensor<2x37x5xi8>"}, "tensor<2x3x5xi32>",
                 {ints<int8_t>({2, 3, 37}, lhs), ints<int8_t>({2, 37, 5}, rhs)});
  std::vector<int32_t> values = valuesOf<int32_t>(r[0]);
  ASSERT_EQ(values.size(), 30u);
  for (int b = 0; b < 2; ++b)
    for (int m = 0; m < 3; ++m)
      for (int n = 0; n < 5; ++n) {
        int32_t sum = 0;
        for (int k = 0; k < 37; ++k)
          sum += lhs[(b * 3 + m) * 37 + k] * rhs[(b * 37 + k) * 5 + n];
        EXPECT_EQ(values[(b * 3 + m) * 5 + n], sum);
      }
}

TEST_F(IntegerTest, KernelIsItsBody) {
  const std::string product = " : (tensor<2x3xi8>, tensor<3x2xi8>) -> tensor<2x2xi32>\n";
  const std::string softmax = " : (tensor<2x2xi32>) -> (tensor<2x2xi16>, tensor<2xi32>)\n";
  const std::string head = "func.func @main(%a: tensor<2x3xi8>) -> (tensor<2x2xi16>, tensor<2xi32>) {\n"
                           "%w = arith.constant dense<[[1, -2], [3, 4], [-5, 6]]> : tensor<3x2xi8>\n";
  const std::string apart = head + "%s = vitq.matmul %a, %w" + product +
                            "%c, %n = vitq.softmax %s with #vitq.exp_log2<top_exponent = 10> by <1073741824, 33>" +
                            softmax + "return %c, %n : tensor<2x2xi16>, tensor<2xi32>\n}";
  const std::string together =
      head +
      "%k:2 = vitq.kernel(%x = %a, %y = %w) : (tensor<2x3xi8>, tensor<3x2xi8>) -> (tensor<2x2xi16>, tensor<2xi32>) {\n"
      "%s = vitq.matmul %x, %y" +
      product + "%c, %n = vitq.softmax %s with #vitq.exp_log2<top_exponent = 10> by <1073741824, 33>" + softmax +
      "vitq.yield %c, %n : tensor<2x2xi16>, tensor<2xi32>\n}\n"
      "return %k#0, %k#1 : tensor<2x2xi16>, tensor<2xi32>\n}";
  const Tensor input = ints<int8_t>({2, 3}, {7, -8, 9, 10, -11, 12});
  std::vector<Tensor> expected = run(apart, {input}), results = run(together, {input});
  ASSERT_EQ(results.size(), 2u) << errors;
  EXPECT_EQ(valuesOf<int16_t>(results[0]), valuesOf<int16_t>(expected[0]));
  EXPECT_EQ(valuesOf<int32_t>(results[1]), valuesOf<int32_t>(expected[1]));
  EXPECT_EQ(create(together)->macs(), 2 * 3 * 2);
}

TEST_F(IntegerTest, RequantPerChannelAndRoundings) {
  auto r = runOp("vitq.requant %a by #vitq.dyadic<[1, -1], [1, 2]> round half_up result <unsigned, zero = 10> : "
                 "tensor<2x2xi32> -> tensor<2x2xi8>",
                 {"tensor<2x2xi32>"}, "tensor<2x2xi8>", {ints<int32_t>({2, 2}, {5, 2, -5, 2000})});
  EXPECT_EQ(valuesOf<uint8_t>(r[0]), (std::vector<uint8_t>{13, 10, 8, 0})); // 2.5, -0.5, -2.5, -500
  std::pair<std::string, std::vector<int8_t>> cases[] = {{"half_up", {3, -2, 2, -1}},
                                                         {"half_even", {2, -2, 2, -2}},
                                                         {"half_away", {3, -3, 2, -2}},
                                                         {"floor", {2, -3, 1, -2}}};
  for (const auto &[rounding, expected] : cases) {
    SCOPED_TRACE(rounding);
    auto q = runOp("vitq.requant %a by #vitq.dyadic<1, 1> round " + rounding + " : tensor<4xi32> -> tensor<4xi8>",
                   {"tensor<4xi32>"}, "tensor<4xi8>", {ints<int32_t>({4}, {5, -5, 3, -3})});
    EXPECT_EQ(valuesOf<int8_t>(q[0]), expected);
  }
}

TEST_F(IntegerTest, RequantAlongAnAxisWithLimits) {
  auto r = runOp("vitq.requant %a by #vitq.dyadic<[2, 4], [1, 1]> round half_up input <unsigned, zero = 128> "
                 "{axis = 0 : i64, min = -100 : i64, max = 100 : i64} : tensor<2x2xi8> -> tensor<2x2xi8>",
                 {"tensor<2x2xi8>"}, "tensor<2x2xi8>", {ints<uint8_t>({2, 2}, {129, 255, 129, 0})});
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{1, 100, 2, -100}));
}

TEST_F(IntegerTest, AddRoundsEachOperandAndBroadcasts) {
  auto r = runOp("vitq.add %a by #vitq.dyadic<1, 1>, %b by #vitq.dyadic<[1, 3], [1, 1]> round half_up "
                 "lhs <signed, zero = 1> : (tensor<2x2xi16>, tensor<2xi8>) -> tensor<2x2xi8>",
                 {"tensor<2x2xi16>", "tensor<2xi8>"}, "tensor<2x2xi8>",
                 {ints<int16_t>({2, 2}, {2, 2, -2, 1000}), ints<int8_t>({2}, {1, 5})});
  // 0.5 -> 1; 0.5 -> 1, 7.5 -> 8; -1.5 -> -1; 499.5 -> 500.
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{2, 9, 0, 127}));
}

TEST_F(IntegerTest, SumOfAccumulators) {
  // a stays as it is, b counts 2.5 and -1; 64 bits, then saturated.
  auto r = runOp("vitq.add %a by <1073741824, 30>, %b by <[5, -1073741824], [1, 30]> round half_up : (tensor<3x2xi32>, "
                 "tensor<3x2xi32>) -> tensor<3x2xi32>",
                 {"tensor<3x2xi32>", "tensor<3x2xi32>"}, "tensor<3x2xi32>",
                 {ints<int32_t>({3, 2}, {7, 7, INT32_MAX, INT32_MIN, INT32_MIN, INT32_MAX}),
                  ints<int32_t>({3, 2}, {3, 3, 1, 1, INT32_MAX, INT32_MAX})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{7 + 8, 7 - 3, INT32_MAX, INT32_MIN, INT32_MAX, 0}));
}

TEST_F(IntegerTest, RankOneProduct) {
  auto r = runOp("vitq.matmul %a, %b transpose_rhs lhs <signed, zero = -2> : (tensor<2x1xi16>, tensor<3x1xi8>) -> "
                 "tensor<2x3xi32>",
                 {"tensor<2x1xi16>", "tensor<3x1xi8>"}, "tensor<2x3xi32>",
                 {ints<int16_t>({2, 1}, {32767, -5}), ints<int8_t>({3, 1}, {-128, 0, 127})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{32769 * -128, 0, 32769 * 127, 384, 0, -381}));
}

TEST_F(IntegerTest, Mul) {
  auto r = runOp("vitq.mul %a, %b by #vitq.dyadic<1, 2> round half_up rhs <unsigned, zero = 5> result <signed, "
                 "zero = 3> : (tensor<3xi16>, tensor<3xi8>) -> tensor<3xi16>",
                 {"tensor<3xi16>", "tensor<3xi8>"}, "tensor<3xi16>",
                 {ints<int16_t>({3}, {10, -10, 32767}), ints<uint8_t>({3}, {6, 6, 255})});
  EXPECT_EQ(valuesOf<int16_t>(r[0]), (std::vector<int16_t>{6, 1, 32767})); // 2.5, -2.5
}

TEST_F(IntegerTest, Sum) {
  auto r = runOp("vitq.sum %a axes [1] input <unsigned, zero = 3> : tensor<1x3x2xi8> -> tensor<1x2xi32>",
                 {"tensor<1x3x2xi8>"}, "tensor<1x2xi32>", {ints<uint8_t>({1, 3, 2}, {255, 0, 255, 1, 255, 2})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{756, -6}));
}

TEST_F(IntegerTest, MaxPool) {
  // One row; the first and the last window hang over.
  const char *type = "tensor<1x1x5x1xi8>";
  auto pool = [&](const char *code) {
    return runOp(std::string("vitq.max_pool %a kernel [1, 3] strides [1, 2] pads [0, 1, 0, 1] dilations [1, 1] ") +
                     code + " : tensor<1x1x5x1xi8> -> tensor<1x1x3x1xi8>",
                 {type}, "tensor<1x1x3x1xi8>", {ints<uint8_t>({1, 1, 5, 1}, {1, 0, 200, 3, 255})});
  };
  EXPECT_EQ(valuesOf<uint8_t>(pool("input <unsigned, zero = 7>")[0]), (std::vector<uint8_t>{1, 200, 255}));
  EXPECT_EQ(valuesOf<uint8_t>(pool("")[0]), (std::vector<uint8_t>{1, 3, 3}));
}

TEST_F(IntegerTest, Resample) {
  // (2 * (x0 - 3) + (x1 - 3)) * 2 / 8, rounded half up, plus 10.
  auto r = runOp("vitq.resample %a rows [0] weights [2] columns [0, 1] weights [2, 1, 0, 3] by <1073741824, 33> "
                 "round half_up input <unsigned, zero = 3> result <unsigned, zero = 10> "
                 ": tensor<1x1x3x2xi8> -> tensor<1x1x2x2xi8>",
                 {"tensor<1x1x3x2xi8>"}, "tensor<1x1x2x2xi8>", {ints<uint8_t>({1, 1, 3, 2}, {4, 255, 5, 3, 0, 255})});
  EXPECT_EQ(valuesOf<uint8_t>(r[0]), (std::vector<uint8_t>{11, 136, 8, 199}));
}

TEST_F(IntegerTest, TablePerChannelAndSignedness) {
  std::vector<int8_t> table(512);
  for (int i = 0; i < 256; ++i) {
    table[i] = static_cast<int8_t>(i - 128);
    table[256 + i] = static_cast<int8_t>(127 - i);
  }
  std::vector<std::string> types = {"tensor<2x2xi8>", "tensor<2x256xi8>", "tensor<2xi8>"};
  std::string tail = " : (tensor<2x2xi8>, tensor<2x256xi8>, tensor<2xi8>) -> tensor<2x2xi8>";
  Tensor input = ints<int8_t>({2, 2}, {5, 5, -128, -1});
  auto s = runOp("vitq.table %a, %b, %c" + tail, types, "tensor<2x2xi8>",
                 {input, ints<int8_t>({2, 256}, table), ints<int8_t>({2}, {0, 1})});
  EXPECT_EQ(valuesOf<int8_t>(s[0]), (std::vector<int8_t>{5, -6, -128, 0}));
  auto u = runOp("vitq.table %a, %b, %c input <unsigned>" + tail, types, "tensor<2x2xi8>",
                 {input, ints<int8_t>({2, 256}, table), ints<int8_t>({2}, {0, 1})});
  EXPECT_EQ(valuesOf<int8_t>(u[0]), (std::vector<int8_t>{-123, 122, 0, -128}));
  auto bad = run("func.func @main(%a: tensor<2x2xi8>, %b: tensor<2x256xi8>, %c: tensor<2xi8>) -> tensor<2x2xi8> {\n"
                 "%r = vitq.table %a, %b, %c" +
                     tail + "\nreturn %r : tensor<2x2xi8>\n}",
                 {input, ints<int8_t>({2, 256}, table), ints<int8_t>({2}, {0, 2})});
  EXPECT_TRUE(bad.empty());
  EXPECT_NE(errors.find("has an index outside its 2 tables"), std::string::npos) << errors;
}

TEST_F(IntegerTest, Gelu) {
  std::vector<int32_t> row = {-100 - 7, 0 - 7, 50 - 7, 120 - 7}, expected(4);
  numerics::shiftGeluRow(row.data(), expected.data(), 4, -20, 10, 62, 8);
  for (int32_t &x : expected)
    x = static_cast<int32_t>(numerics::requantize(x, {1 << 20, 27}, Rounding::HalfUp, 5, -128, 127));
  auto r = runOp("vitq.gelu shift %a exponent_step -20 fraction_bits 10 by #vitq.dyadic<1048576, 27> round half_up "
                 "input <signed, zero = 7> result <signed, zero = 5> : tensor<1x4xi8> -> tensor<1x4xi8>",
                 {"tensor<1x4xi8>"}, "tensor<1x4xi8>", {ints<int8_t>({1, 4}, {-100, 0, 50, 120})});
  std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
  EXPECT_NEAR(values[3], 113 + 5, 2); // gelu(x) ~ x for large x
}

TEST_F(IntegerTest, GeluAsPublished) {
  // As I-ViT published it: n = 23, a 31-bit reciprocal; out = a * sigma exactly.
  std::string head = "vitq.gelu shift %a exponent_step -15 fraction_bits 23";
  std::string tail = " by #vitq.dyadic<1073741824, 30> round half_even : tensor<1x8xi8> -> tensor<1x8xi16>";
  Tensor row = ints<int8_t>({1, 8}, {-100, -50, -10, 0, 10, 25, 60, 100});
  auto published = runOp(head + " reciprocal_bits 31" + tail, {"tensor<1x8xi8>"}, "tensor<1x8xi16>", {row});
  EXPECT_EQ(valuesOf<int16_t>(published[0]), (std::vector<int16_t>{0, -200, -420, 0, 830, 2650, 7500, 12700}));
  std::vector<int32_t> expected = {-100, -50, -10, 0, 10, 25, 60, 100};
  numerics::shiftGeluRow(expected.data(), expected.data(), 8, -15, 23, 62, 8);
  auto wide = runOp(head + tail, {"tensor<1x8xi8>"}, "tensor<1x8xi16>", {row});
  EXPECT_EQ(valuesOf<int16_t>(wide[0]), std::vector<int16_t>(expected.begin(), expected.end()));
}

TEST_F(IntegerTest, Interpolate) {
  numerics::InterpolationTable table =
      numerics::buildInterpolationTable([](double x) { return x * x / 64; }, 1, 1, /*start=*/-16, /*shift=*/3);
  Tensor entries = ints<int16_t>({1025}, std::vector<int16_t>(table.begin(), table.end()));
  auto r = runOp("vitq.interpolate %a, %b start -16 shift 3 tail_by <1073741824, 31> : (tensor<2x3xi16>, "
                 "tensor<1025xi16>) -> tensor<2x3xi16>",
                 {"tensor<2x3xi16>", "tensor<1025xi16>"}, "tensor<2x3xi16>",
                 {ints<int16_t>({2, 3}, {-30000, -16, -12, 20, 8176, 32767}), entries});
  // Entries 4, 1, 0, 1, 4, 9, ...; halfway rounds up; the tail begins at 8176.
  EXPECT_EQ(valuesOf<int16_t>(r[0]), (std::vector<int16_t>{4, 4, 3, 7, 4088, 16384}));
}

TEST_F(IntegerTest, Shiftmax) {
  // I-ViT's numbers, worked out by hand for this row.
  std::string head = "vitq.shiftmax %a exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits ";
  std::vector<int32_t> row = {-60, -20, 0, 5, 17, 40};
  auto wide = runOp(head + "16 : tensor<1x6xi32> -> tensor<1x6xi16>", {"tensor<1x6xi32>"}, "tensor<1x6xi16>",
                    {ints<int32_t>({1, 6}, row)});
  EXPECT_EQ(valuesOf<int16_t>(wide[0]), (std::vector<int16_t>{136, 1006, 2724, 3553, 6395, 18950}));
  auto narrow = runOp(head + "8 : tensor<1x6xi8> -> tensor<1x6xi8>", {"tensor<1x6xi8>"}, "tensor<1x6xi8>",
                      {ints<int8_t>({1, 6}, std::vector<int8_t>(row.begin(), row.end()))});
  EXPECT_EQ(valuesOf<int8_t>(narrow[0]), (std::vector<int8_t>{0, 3, 10, 13, 24, 74}));
}

TEST_F(IntegerTest, SoftmaxTablePerHead) {
  std::string table;
  for (int i = 0; i < 256; ++i)
    table += (i ? ", " : "") + std::to_string(static_cast<int8_t>(255 - i));
  auto r = run("func.func @main(%a: tensor<1x2x1x3xi32>) -> (tensor<1x2x1x3xi8>, tensor<1x2x1xi32>) {\n"
               "%c, %s = vitq.softmax %a with #vitq.exp_table<dense<[" +
                   table +
                   "]> : tensor<256xi8>> by <[1, 1], [1, 2]> : (tensor<1x2x1x3xi32>) -> (tensor<1x2x1x3xi8>, "
                   "tensor<1x2x1xi32>)\nreturn %c, %s : tensor<1x2x1x3xi8>, tensor<1x2x1xi32>\n}",
               {ints<int32_t>({1, 2, 1, 3}, {0, -10, -2147483647 - 1, 10, 0, 5})});
  ASSERT_EQ(r.size(), 2u) << errors;
  // Distances 0, 5, 255 and 0, 2.5 -> 3, 1.25 -> 1.
  EXPECT_EQ(valuesOf<uint8_t>(r[0]), (std::vector<uint8_t>{255, 250, 0, 255, 252, 254}));
  EXPECT_EQ(valuesOf<int32_t>(r[1]), (std::vector<int32_t>{505, 761}));
}

TEST_F(IntegerTest, SoftmaxShift) {
  std::vector<int32_t> scores = {0, -3, -40, -400};
  std::vector<uint8_t> codes(4);
  int32_t sum = 0;
  numerics::softmaxShiftRow(scores.data(), codes.data(), &sum, 4, {1, 1}, {-23, 15, 12});
  auto r = run("func.func @main(%a: tensor<1x4xi32>) -> (tensor<1x4xi8>, tensor<1xi32>) {\n"
               "%c, %s = vitq.softmax %a with #vitq.exp_shift<step = -23, fraction_bits = 15, code_shift = 12> by "
               "<1, 1> : (tensor<1x4xi32>) -> (tensor<1x4xi8>, tensor<1xi32>)\n"
               "return %c, %s : tensor<1x4xi8>, tensor<1xi32>\n}",
               {ints<int32_t>({1, 4}, scores)});
  ASSERT_EQ(r.size(), 2u) << errors;
  EXPECT_EQ(valuesOf<uint8_t>(r[0]), codes);
  EXPECT_EQ(valuesOf<int32_t>(r[1])[0], sum);
}

/// One row of scores by an algorithm: `codes` of the element type `type`, and their sum.
#define RUN_SOFTMAX(ALGORITHM, TYPE)                                                                                   \
  run("func.func @main(%a: tensor<1x4xi32>) -> (tensor<1x4x" TYPE ">, tensor<1xi32>) {\n"                              \
      "%c, %s = vitq.softmax %a with #vitq." ALGORITHM " by <1, 1> : (tensor<1x4xi32>) -> (tensor<1x4x" TYPE           \
      ">, tensor<1xi32>)\nreturn %c, %s : tensor<1x4x" TYPE ">, tensor<1xi32>\n}",                                     \
      {ints<int32_t>({1, 4}, {0, -3, -40, -400})})

TEST_F(IntegerTest, SoftmaxVariants) {
  // Distances 0, 1.5 -> 2, 20, 200.
  auto pwl = RUN_SOFTMAX(
      "exp_pwl<lines = <breakpoints = [-10], slopes = [1, 20], intercepts = [100, 1020]>, code_shift = 2>", "i8");
  ASSERT_EQ(pwl.size(), 2u) << errors;
  EXPECT_EQ(valuesOf<uint8_t>(pwl[0]), (std::vector<uint8_t>{255, 245, 20, 0})); // 1020, 980, 80, -100 in quarters
  EXPECT_EQ(valuesOf<int32_t>(pwl[1])[0], 520);
  auto poly =
      RUN_SOFTMAX("exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 1487, code_shift = 18>", "i8");
  ASSERT_EQ(poly.size(), 2u) << errors;
  // 1487/8 = 185.9; (-2*60 + 1487)/8 = 170.9; (-4*58 + 1487)/16 = 78.4; (-8*54 + 1487)/2^15.
  EXPECT_EQ(valuesOf<uint8_t>(poly[0]), (std::vector<uint8_t>{186, 171, 78, 0}));
  auto log2 = RUN_SOFTMAX("exp_log2<top_exponent = 14>", "i16");
  ASSERT_EQ(log2.size(), 2u) << errors;
  EXPECT_EQ(valuesOf<int16_t>(log2[0]), (std::vector<int16_t>{16384, 4096, 0, 0}));
  EXPECT_EQ(valuesOf<int32_t>(log2[1])[0], 20480);
  auto octave = RUN_SOFTMAX("exp_octave<dense<1024> : tensor<256xi16>>", "i16");
  ASSERT_EQ(octave.size(), 2u) << errors;
  EXPECT_EQ(valuesOf<int16_t>(octave[0]), (std::vector<int16_t>{1024, 1024, 1024, 1024}));
}

TEST_F(IntegerTest, DivideRowsByLines) {
  const char *lines = "<breakpoints = [1024, 2047], slopes = [-7281, -1820, -455], intercepts = [11176584, 5587692, "
                      "2793998]>";
  const numerics::PiecewiseLinear numbers{{1024, 2047}, {-7281, -1820, -455}, {11176584, 5587692, 2793998}};
  std::vector<int32_t> row = {12800, -6400, 100, 7}, expected(4);
  numerics::divideRow(row.data(), 300, expected.data(), 4, {3 << 20, 40}, Rounding::HalfUp, 1, -128, 127, &numbers);
  auto r = runOp(
      std::string("vitq.divide_rows %a, %b by <3145728, 40> round half_up result <signed, zero = 1> lines ") + lines +
          " : (tensor<1x4xi32>, tensor<1xi32>) -> tensor<1x4xi8>",
      {"tensor<1x4xi32>", "tensor<1xi32>"}, "tensor<1x4xi8>", {ints<int32_t>({1, 4}, row), ints<int32_t>({1}, {300})});
  std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
}

TEST_F(IntegerTest, DivideRows) {
  // In units of 2^-24: 100/50 = 2, -50/50 = -1; back to units by 2^-24, times 3.
  auto r = runOp(
      "vitq.divide_rows %a, %b by #vitq.dyadic<3, 24> round half_up result <signed, zero = 1> : (tensor<2x2xi32>, "
      "tensor<2xi32>) -> tensor<2x2xi8>",
      {"tensor<2x2xi32>", "tensor<2xi32>"}, "tensor<2x2xi8>",
      {ints<int32_t>({2, 2}, {128, -64, 1000, 0}), ints<int32_t>({2}, {64, 8})});
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{7, -2, 127, 1}));
  auto c = runOp("vitq.divide_rows %a, %b by #vitq.dyadic<[1, 5], [24, 24]> round half_up : (tensor<2x2xi32>, "
                 "tensor<2xi32>) -> tensor<2x2xi16>",
                 {"tensor<2x2xi32>", "tensor<2xi32>"}, "tensor<2x2xi16>",
                 {ints<int32_t>({2, 2}, {128, -64, 800, 16}), ints<int32_t>({2}, {64, 8})});
  EXPECT_EQ(valuesOf<int16_t>(c[0]), (std::vector<int16_t>{2, -5, 100, 10}));
}

TEST_F(IntegerTest, LayerNormExact) {
  std::vector<int32_t> row = {-300, 5, 1200, 40, -7, 0}, expected(6), a = {1 << 14, -(1 << 14), 12345, 1, 0, 1 << 14};
  std::vector<int64_t> b = {0, 0, 99999, 1 << 20, 3 << 20, -(1 << 20)};
  numerics::layerNormRow(row.data(), expected.data(), 6, 17, a.data(), b.data(), 20, 3, -128, 127);
  auto r =
      runOp("vitq.layer_norm %a with #vitq.norm_exact<eps = 17> by #vitq.dyadic<[16384, -16384, 12345, 1, 0, 16384], "
            "[20, 20, 20, 20, 20, "
            "20]> offsets [0, 0, 99999, 1048576, 3145728, -1048576] result <signed, zero = 3> : tensor<1x6xi16> -> "
            "tensor<1x6xi8>",
            {"tensor<1x6xi16>"}, "tensor<1x6xi8>", {ints<int16_t>({1, 6}, {-300, 5, 1200, 40, -7, 0})});
  std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
}

TEST_F(IntegerTest, LayerNormNotCentered) {
  std::vector<int32_t> row = {-300, 5, 1200, 40}, expected(4);
  numerics::layerNormNormalize(row.data(), expected.data(), 4, 17, /*centered=*/false);
  for (int32_t &x : expected) // a factor of 64 / 2^14
    x = static_cast<int32_t>(std::clamp<int64_t>((int64_t(x) * 4096 + (1 << 19)) >> 20, -128, 127));
  auto r = runOp("vitq.layer_norm %a with #vitq.norm_exact<eps = 17, centered = false> by <[4096, 4096, 4096, 4096], "
                 "[20, 20, 20, 20]> offsets [0, 0, 0, 0] : tensor<1x4xi16> -> tensor<1x4xi8>",
                 {"tensor<1x4xi16>"}, "tensor<1x4xi8>", {ints<int16_t>({1, 4}, {-300, 5, 1200, 40})});
  std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
}

TEST_F(IntegerTest, LayerNormByLines) {
  const numerics::PiecewiseLinear lines{{645, 1624}, {-7381, -1845, -461}, {9638200, 6071126, 3824086}};
  std::vector<int32_t> row = {-300, 5, 1200, 40}, expected(4);
  numerics::layerNormNormalizeByLines(row.data(), expected.data(), 4, 17, lines);
  for (int32_t &x : expected) // a factor of 64 / 2^14
    x = static_cast<int32_t>(std::clamp<int64_t>(3 + ((int64_t(x) * 4096 + (1 << 19)) >> 20), -128, 127));
  auto r = runOp(
      "vitq.layer_norm %a with #vitq.norm_pwl<eps = 17, lines = <breakpoints = [645, 1624], slopes = [-7381, -1845, "
      "-461], intercepts = [9638200, 6071126, 3824086]>> by <[4096, 4096, 4096, 4096], [20, 20, 20, 20]> offsets [0, "
      "0, 0, 0] "
      "result <signed, zero = 3> : tensor<1x4xi16> -> tensor<1x4xi8>",
      {"tensor<1x4xi16>"}, "tensor<1x4xi8>", {ints<int16_t>({1, 4}, {-300, 5, 1200, 40})});
  std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
}

TEST_F(IntegerTest, Comparisons) {
  // Normalized: -0.93, -0.41, 1.65, -0.31; thresholds -0.5 and 1, gamma of the second negative.
  auto r =
      runOp("vitq.norm_quant %a, %b negative [false, true, false, true] eps 1 from -1 : (tensor<1x4xi16>, "
            "tensor<2x4xi32>) -> tensor<1x4xi8>",
            {"tensor<1x4xi16>", "tensor<2x4xi32>"}, "tensor<1x4xi8>",
            {ints<int16_t>({1, 4}, {-300, 5, 1200, 40}),
             ints<int32_t>({2, 4}, {-262144, -262144, -262144, 2147483647, 1048576, 1048576, 1048576, 2147483647})});
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{-1, 0, 1, -1}));
  auto t = runOp("vitq.threshold %a, %b from 5 input <unsigned> result <unsigned> : (tensor<2x2xi8>, tensor<3xi32>) -> "
                 "tensor<2x2xi8>",
                 {"tensor<2x2xi8>", "tensor<3xi32>"}, "tensor<2x2xi8>",
                 {ints<uint8_t>({2, 2}, {0, 10, 200, 255}), ints<int32_t>({3}, {10, 201, -7})});
  EXPECT_EQ(valuesOf<uint8_t>(t[0]), (std::vector<uint8_t>{6, 7, 7, 8}));
  auto c = runOp("vitq.threshold %a, %b from 0 : (tensor<2x2xi32>, tensor<1x2xi32>) -> tensor<2x2xi8>",
                 {"tensor<2x2xi32>", "tensor<1x2xi32>"}, "tensor<2x2xi8>",
                 {ints<int32_t>({2, 2}, {-5, -5, 2147483647, 2147483647}), ints<int32_t>({1, 2}, {-5, 2147483647})});
  EXPECT_EQ(valuesOf<int8_t>(c[0]), (std::vector<int8_t>{1, 0, 1, 1}));
}

TEST_F(IntegerTest, LayerNormShift) {
  std::vector<int32_t> row = {200, 5, 120, 40}, expected(4);
  std::vector<int64_t> bias = {0, 1 << 20, -(1 << 20), 7}, none(4, 0);
  std::vector<numerics::Dyadic> ratio = {{1 << 20, 45}, {-(1 << 20), 45}, {1 << 19, 45}, {0, 1}};
  numerics::layerNormIvitRow(row.data(), expected.data(), 4, numerics::SqrtStart::BitLength, 10, bias.data(),
                             ratio.data(), none.data(), Rounding::HalfUp, 100, 0, 255);
  auto r = runOp("vitq.layer_norm %a with #vitq.norm_shift by #vitq.dyadic<[1048576, -1048576, 524288, 0], [45, 45, "
                 "45, 1]> offsets "
                 "[0, 1048576, -1048576, 7] input <unsigned> result <unsigned, zero = 100> : tensor<1x4xi8> -> "
                 "tensor<1x4xi8>",
                 {"tensor<1x4xi8>"}, "tensor<1x4xi8>", {ints<uint8_t>({1, 4}, {200, 5, 120, 40})});
  std::vector<uint8_t> values = valuesOf<uint8_t>(r[0]);
  EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected);
}

TEST_F(IntegerTest, LayerNormShiftRounds) {
  // Worked out by hand from docs/Numerics.md, LayerNorm, ivit.
  std::vector<int32_t> row = {120, -340, 560, 77, -900, 1000, -15, 30};
  std::vector<int64_t> none(8, 0);
  std::vector<numerics::Dyadic> ratio(8, {1, 20});
  for (auto [name, rounding] : {std::pair("half_up", Rounding::HalfUp), std::pair("half_even", Rounding::HalfEven),
                                std::pair("floor", Rounding::Floor)}) {
    std::vector<int32_t> expected(8);
    // The offset makes every value a tie: y + bias = (2i + 1) * 2^19.
    std::vector<int64_t> y(8), bias;
    numerics::layerNormIvitNormalize(row.data(), y.data(), 8, numerics::SqrtStart::BitLength, 10);
    std::string offsets;
    for (int64_t i = 0; i < 8; ++i) {
      bias.push_back(((2 * i + 1) << 19) - y[i]);
      offsets += (i ? ", " : "") + std::to_string(bias.back());
    }
    numerics::layerNormIvitRow(row.data(), expected.data(), 8, numerics::SqrtStart::BitLength, 10, bias.data(),
                               ratio.data(), none.data(), rounding, 0, -128, 127);
    EXPECT_EQ(expected[1], name == std::string("floor") ? 1 : 2) << name;
    EXPECT_EQ(expected[2], name == std::string("half_up") ? 3 : 2) << name;
    auto r = runOp(std::string("vitq.layer_norm %a with #vitq.norm_shift<rounding = ") + name +
                       "> by <[1, 1, 1, 1, 1, 1, 1, 1], [20, 20, 20, 20, 20, 20, 20, 20]> offsets [" + offsets +
                       "] : tensor<1x8xi16> -> tensor<1x8xi8>",
                   {"tensor<1x8xi16>"}, "tensor<1x8xi8>",
                   {ints<int16_t>({1, 8}, std::vector<int16_t>(row.begin(), row.end()))});
    std::vector<int8_t> values = valuesOf<int8_t>(r[0]);
    EXPECT_EQ(std::vector<int32_t>(values.begin(), values.end()), expected) << name;
  }
}

TEST_F(IntegerTest, Moves) {
  Tensor x = ints<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  struct {
    std::string op, result;
    std::vector<int8_t> expected;
  } cases[] = {
      {"vitq.reshape %a to [3, 2]", "tensor<3x2xi8>", {1, 2, 3, 4, 5, 6}},
      {"vitq.transpose %a by [1, 0]", "tensor<3x2xi8>", {1, 4, 2, 5, 3, 6}},
      {"vitq.slice %a offsets [1, 0] sizes [1, 2] strides [1, 2]", "tensor<1x2xi8>", {4, 6}},
      {"vitq.gather %a indices [1, 1] axis 0", "tensor<2x3xi8>", {4, 5, 6, 4, 5, 6}},
      {"vitq.broadcast %a to [2, 2, 3]", "tensor<2x2x3xi8>", {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
      {"vitq.pad %a low [0, 1] high [0, 0] value 200", "tensor<2x4xi8>", {-56, 1, 2, 3, -56, 4, 5, 6}},
  };
  for (const auto &c : cases) {
    SCOPED_TRACE(c.op);
    auto r = runOp(c.op + " : tensor<2x3xi8> -> " + c.result, {"tensor<2x3xi8>"}, c.result, {x});
    EXPECT_EQ(valuesOf<int8_t>(r[0]), c.expected);
  }
  auto joined = runOp("vitq.concat %a, %b axis 0 : (tensor<2x3xi8>, tensor<1x3xi8>) -> tensor<3x3xi8>",
                      {"tensor<2x3xi8>", "tensor<1x3xi8>"}, "tensor<3x3xi8>", {x, ints<int8_t>({1, 3}, {7, 8, 9})});
  EXPECT_EQ(valuesOf<int8_t>(joined[0]), (std::vector<int8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(IntegerTest, ExtractPatches) {
  // A 2x4 image of two channels, patches of 2x2: rows in the order (i, j, c).
  auto r =
      runOp("vitq.extract_patches %a patch [2, 2] : tensor<1x2x4x2xi8> -> tensor<1x2x8xi8>", {"tensor<1x2x4x2xi8>"},
            "tensor<1x2x8xi8>", {ints<int8_t>({1, 2, 4, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})});
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15}));
}

TEST_F(IntegerTest, ExtractPatchesThatOverlap) {
  // A 1x3 image of two channels, windows of two places two apart, a pad on the left with a code for each channel.
  auto r = runOp("vitq.extract_patches %a patch [1, 2] strides [1, 1] pads [0, 1, 0, 1] dilations [1, 2] "
                 "padding [50, -60] as_map : tensor<1x1x3x2xi8> -> tensor<1x1x3x4xi8>",
                 {"tensor<1x1x3x2xi8>"}, "tensor<1x1x3x4xi8>", {ints<int8_t>({1, 1, 3, 2}, {0, 1, 2, 3, 4, 5})});
  EXPECT_EQ(valuesOf<int8_t>(r[0]), (std::vector<int8_t>{50, -60, 2, 3, 0, 1, 4, 5, 2, 3, 50, -60}));
}

TEST_F(IntegerTest, DepthwiseConvolution) {
  // A 2x3 map of two channels, 2x2 taps, stride 1 by 2; outside is the zero point, 100.
  auto r = runOp("vitq.depthwise_conv2d %a, %b, %c strides [1, 2] pads [1, 0, 0, 1] input <unsigned, zero = 100> : "
                 "(tensor<1x2x3x2xi8>, tensor<2x2x2xi8>, tensor<2xi32>) -> tensor<1x2x2x2xi32>",
                 {"tensor<1x2x3x2xi8>", "tensor<2x2x2xi8>", "tensor<2xi32>"}, "tensor<1x2x2x2xi32>",
                 {ints<uint8_t>({1, 2, 3, 2}, {101, 0, 102, 255, 103, 100, 104, 100, 105, 101, 106, 200}),
                  ints<int8_t>({2, 2, 2}, {1, -128, 10, 127, 100, 1, -100, -1}), ints<int32_t>({2}, {1000, -1})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]),
            (std::vector<int32_t>{1000 + 100 * 1 - 100 * 2, -1 - 100 - 155, 1000 + 100 * 3, -1,
                                  1000 + 1 + 10 * 2 + 100 * 4 - 100 * 5, -1 + 128 * 100 + 127 * 155 - 1,
                                  1000 + 3 + 100 * 6, -1 + 100}));
}

TEST_F(IntegerTest, DepthwiseConvolutionOf16Bits) {
  // A 1x3 map of one channel, three taps; what is read less the zero point has 17 bits.
  auto run = [&](const std::string &code, const Tensor &map) {
    const std::string op = "vitq.depthwise_conv2d %a, %b pads [0, 1, 0, 1] input <" + code +
                           "> : (tensor<1x1x3x1xi16>, tensor<1x3x1xi8>) -> tensor<1x1x3x1xi32>";
    auto r = runOp(op, {"tensor<1x1x3x1xi16>", "tensor<1x3x1xi8>"}, "tensor<1x1x3x1xi32>",
                   {map, ints<int8_t>({1, 3, 1}, {-128, 1, 127})});
    return valuesOf<int32_t>(r[0]);
  };
  EXPECT_EQ(run("signed, zero = -32768", ints<int16_t>({1, 1, 3, 1}, {-32768, 32767, 0})),
            (std::vector<int32_t>{127 * 65535, 65535 + 127 * 32768, -128 * 65535 + 32768}));
  EXPECT_EQ(run("unsigned, zero = 65535", ints<uint16_t>({1, 1, 3, 1}, {0, 65535, 32768})),
            (std::vector<int32_t>{-65535, 128 * 65535 - 127 * 32767, -32767}));
}

} // namespace
