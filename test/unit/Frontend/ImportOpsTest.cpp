//===- ImportOpsTest.cpp - Single operators -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxBuilder.h"
#include "TestUtils.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

namespace {
/// The image 0, 1, ..., 7 of shape [1, 1, 2, 4].
const std::vector<float> image = {0, 1, 2, 3, 4, 5, 6, 7};
const std::vector<int64_t> imageShape = {1, 1, 2, 4};

std::vector<double> compute(OnnxBuilder &builder, std::vector<int64_t> *shape = nullptr) {
  Session session;
  std::string path = builder.write();
  OwningOpRef<ModuleOp> module = session.import(path);
  llvm::sys::fs::remove(path);
  EXPECT_TRUE(module) << session.messages;
  if (!module)
    return {};
  auto main = *module->getOps<func::FuncOp>().begin();
  if (shape) {
    ArrayRef<int64_t> sizes = cast<RankedTensorType>(main.getResultTypes()[0]).getShape();
    shape->assign(sizes.begin(), sizes.end());
  }
  return run(*module, imageShape, image);
}

using Doubles = std::vector<double>;
using Sizes = std::vector<int64_t>;
} // namespace

TEST(ImportOps, SliceWithNegativeIndicesAndSteps) {
  OnnxBuilder b;
  b.intTensor("starts", {-1, 0});
  b.intTensor("ends", {std::numeric_limits<int64_t>::min(), 1});
  b.intTensor("axes", {-1, 2});
  b.intTensor("steps", {-2, 1});
  b.node("Slice", {"x", "starts", "ends", "axes", "steps"}, {"y"});
  Sizes shape;
  EXPECT_EQ(compute(b, &shape), (Doubles{3, 1}));
  EXPECT_EQ(shape, (Sizes{1, 1, 1, 2}));
}

TEST(ImportOps, ReshapeZeroAndMinusOne) {
  OnnxBuilder b;
  b.intTensor("shape", {0, -1, 2});
  b.node("Reshape", {"x", "shape"}, {"y"});
  Sizes shape;
  compute(b, &shape);
  EXPECT_EQ(shape, (Sizes{1, 4, 2}));
}

TEST(ImportOps, ShapeArithmeticFolds) {
  OnnxBuilder b;
  b.node("Shape", {"x"}, {"s"});
  b.intTensor("i", {3}, true);
  b.node("Gather", {"s", "i"}, {"w"});
  b.intTensor("zero", {0});
  b.node("Unsqueeze", {"w", "zero"}, {"w1"});
  b.intTensor("minus", {-1});
  auto &concat = b.node("Concat", {"minus", "w1"}, {"shape"});
  OnnxBuilder::integer(concat, "axis", 0);
  b.node("Reshape", {"x", "shape"}, {"y"});
  Sizes shape;
  compute(b, &shape);
  EXPECT_EQ(shape, (Sizes{2, 4}));
}

TEST(ImportOps, SplitIntoUnequalParts) {
  OnnxBuilder b(18);
  auto &split = b.node("Split", {"x"}, {"a", "b", "c"});
  OnnxBuilder::integer(split, "axis", 3);
  OnnxBuilder::integer(split, "num_outputs", 3);
  // 2, 2 and 0 are no three parts.
  Session session;
  b.node("Relu", {"b"}, {"y"});
  std::string path = b.write();
  EXPECT_FALSE(session.import(path));
  EXPECT_NE(session.messages.find("cannot split an axis of 4"), std::string::npos) << session.messages;
  llvm::sys::fs::remove(path);
}

TEST(ImportOps, SplitBySizes) {
  OnnxBuilder b;
  b.intTensor("sizes", {1, 3});
  auto &split = b.node("Split", {"x", "sizes"}, {"a", "y"});
  OnnxBuilder::integer(split, "axis", -1);
  EXPECT_EQ(compute(b), (Doubles{1, 2, 3, 5, 6, 7}));
}

TEST(ImportOps, SoftmaxBeforeOpset13IsOverAllAxesFromItsOwn) {
  OnnxBuilder b(11);
  auto &softmax = b.node("Softmax", {"x"}, {"y"});
  OnnxBuilder::integer(softmax, "axis", 2);
  Doubles result = compute(b);
  double sum = 0;
  for (double value : result)
    sum += value;
  EXPECT_NEAR(sum, 1.0, 1e-9);
  OnnxBuilder c(13);
  auto &rows = c.node("Softmax", {"x"}, {"y"});
  OnnxBuilder::integer(rows, "axis", 2);
  result = compute(c);
  EXPECT_NEAR(result[0] + result[4], 1.0, 1e-9);
}

TEST(ImportOps, GemmScalesAndTransposes) {
  OnnxBuilder b;
  b.intTensor("shape", {2, 4});
  b.node("Reshape", {"x", "shape"}, {"m"});
  b.tensor("w", {4, 2}, {1, 0, 0, 1, 0, 0, 0, 0});
  b.tensor("c", {1, 2}, {10, 20});
  auto &gemm = b.node("Gemm", {"m", "w", "c"}, {"y"});
  OnnxBuilder::real(gemm, "alpha", 2);
  OnnxBuilder::real(gemm, "beta", 0.5);
  EXPECT_EQ(compute(b), (Doubles{5, 12, 13, 20}));
}

TEST(ImportOps, MatMulBroadcastsBatches) {
  OnnxBuilder b;
  b.intTensor("perm", {4, 2});
  b.node("Reshape", {"x", "perm"}, {"m"});
  b.node("MatMul", {"x", "m"}, {"y"});
  Sizes shape;
  EXPECT_EQ(compute(b, &shape), (Doubles{28, 34, 76, 98}));
  EXPECT_EQ(shape, (Sizes{1, 1, 2, 2}));
}

TEST(ImportOps, MatMulWithVectors) {
  OnnxBuilder b;
  b.tensor("v", {4}, {1, 1, 1, 1});
  b.node("MatMul", {"x", "v"}, {"y"});
  Sizes shape;
  EXPECT_EQ(compute(b, &shape), (Doubles{6, 22}));
  EXPECT_EQ(shape, (Sizes{1, 1, 2}));
}

TEST(ImportOps, ConvolutionThatKeepsTheSize) {
  // Rows [0 1 2 3], [4 5 6 7]; taps 1, 10, 100 of a row, every second column.
  for (auto [autoPad, expected] :
       {std::pair<const char *, Doubles>{"SAME_UPPER", {210, 32, 654, 76}}, {"SAME_LOWER", {100, 321, 540, 765}}}) {
    OnnxBuilder b;
    b.tensor("w", {1, 1, 1, 3}, {1, 10, 100});
    auto &conv = b.node("Conv", {"x", "w"}, {"y"});
    OnnxBuilder::text(conv, "auto_pad", autoPad);
    OnnxBuilder::ints(conv, "strides", {1, 2});
    Sizes shape;
    EXPECT_EQ(compute(b, &shape), expected) << autoPad;
    EXPECT_EQ(shape, (Sizes{1, 1, 2, 2}));
  }
  OnnxBuilder b;
  b.tensor("w", {1, 1, 2, 3}, {1, 0, 0, 0, 0, 1});
  OnnxBuilder::text(b.node("Conv", {"x", "w"}, {"y"}), "auto_pad", "VALID");
  EXPECT_EQ(compute(b), (Doubles{0 + 6, 1 + 7}));
}

TEST(ImportOps, ConvolutionOverOneAxis) {
  // Two channels, two groups, taps two apart.
  OnnxBuilder b;
  b.intTensor("shape", {1, 2, 4});
  b.node("Reshape", {"x", "shape"}, {"r"});
  b.tensor("w", {2, 1, 2}, {1, 10, 100, 1000});
  b.tensor("b", {2}, {0, 0.5});
  auto &conv = b.node("Conv", {"r", "w", "b"}, {"y"});
  OnnxBuilder::ints(conv, "pads", {1, 0});
  OnnxBuilder::ints(conv, "dilations", {2});
  OnnxBuilder::integer(conv, "group", 2);
  Sizes shape;
  EXPECT_EQ(compute(b, &shape), (Doubles{10, 20, 31, 5000.5, 6400.5, 7500.5}));
  EXPECT_EQ(shape, (Sizes{1, 2, 3}));
}

TEST(ImportOps, TransposedConvolutionOfItsStride) {
  OnnxBuilder b;
  b.tensor("w", {1, 1, 2, 2}, {1, 10, 100, 1000});
  b.tensor("b", {1}, {0.5});
  OnnxBuilder::ints(b.node("ConvTranspose", {"x", "w", "b"}, {"y"}), "strides", {2, 2});
  Sizes shape;
  Doubles result = compute(b, &shape);
  EXPECT_EQ(shape, (Sizes{1, 1, 4, 8}));
  ASSERT_EQ(result.size(), 32u);
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 8; ++column) {
      const double tap = (row % 2 ? 100 : 1) * (column % 2 ? 10 : 1);
      EXPECT_EQ(result[row * 8 + column], image[row / 2 * 4 + column / 2] * tap + 0.5) << row << ", " << column;
    }
}

TEST(ImportOps, TransposedConvolutions) {
  OnnxBuilder b;
  b.intTensor("shape", {1, 1, 8});
  b.node("Reshape", {"x", "shape"}, {"r"});
  b.tensor("w", {1, 1, 3}, {1, 10, 100});
  auto &conv = b.node("ConvTranspose", {"r", "w"}, {"y"});
  OnnxBuilder::ints(conv, "strides", {2});
  OnnxBuilder::ints(conv, "pads", {1, 1});
  OnnxBuilder::ints(conv, "output_padding", {1});
  Doubles expected;
  for (int i = 0; i < 8; ++i) {
    expected.push_back(10 * i);
    expected.push_back(100 * i + (i < 7 ? i + 1 : 0));
  }
  EXPECT_EQ(compute(b), expected);

  OnnxBuilder c;
  c.intTensor("shape", {1, 2, 4});
  c.node("Reshape", {"x", "shape"}, {"r"});
  c.tensor("w", {2, 1, 2}, {1, 10, 100, 1000});
  auto &grouped = c.node("ConvTranspose", {"r", "w"}, {"y"});
  OnnxBuilder::ints(grouped, "dilations", {2});
  OnnxBuilder::integer(grouped, "group", 2);
  EXPECT_EQ(compute(c), (Doubles{0, 1, 2, 13, 20, 30, 400, 500, 4600, 5700, 6000, 7000}));

  // Pads that are larger than the kernel cut the map.
  OnnxBuilder d;
  d.tensor("w", {1, 1, 1, 1}, {2});
  OnnxBuilder::ints(d.node("ConvTranspose", {"x", "w"}, {"y"}), "pads", {1, 1, 0, 0});
  EXPECT_EQ(compute(d), (Doubles{10, 12, 14}));

  // As wide as asked for: what is missing is padding at the end.
  OnnxBuilder e;
  e.tensor("w", {1, 1, 1, 1}, {2});
  auto &sized = e.node("ConvTranspose", {"x", "w"}, {"y"});
  OnnxBuilder::ints(sized, "strides", {1, 2});
  OnnxBuilder::ints(sized, "output_shape", {2, 8});
  EXPECT_EQ(compute(e), (Doubles{0, 0, 2, 0, 4, 0, 6, 0, 8, 0, 10, 0, 12, 0, 14, 0}));
}

TEST(ImportOps, GatherTakesIndicesInAnyOrder) {
  OnnxBuilder b;
  b.intTensor("i", {-1, 0, 2});
  auto &gather = b.node("Gather", {"x", "i"}, {"y"});
  OnnxBuilder::integer(gather, "axis", 3);
  EXPECT_EQ(compute(b), (Doubles{3, 0, 2, 7, 4, 6}));
}

TEST(ImportOps, PadExpandWhere) {
  OnnxBuilder b;
  b.intTensor("pads", {0, 0, 0, 1, 0, 0, 0, 0});
  b.node("Pad", {"x", "pads"}, {"p"});
  b.intTensor("shape", {2, 1, 2, 5});
  b.node("Expand", {"p", "shape"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{0, 0, 1, 2, 3, 0, 4, 5, 6, 7, 0, 0, 1, 2, 3, 0, 4, 5, 6, 7}));
}

TEST(ImportOps, WhereIsNaN) {
  OnnxBuilder b;
  b.tensor("zero", {}, {0});
  b.node("Div", {"x", "x"}, {"q"}); // 0 / 0 at the first element
  b.node("IsNaN", {"q"}, {"n"});
  b.node("Where", {"n", "zero", "q"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{0, 1, 1, 1, 1, 1, 1, 1}));
  // Of constants it is one.
  OnnxBuilder c;
  c.tensor("c", {4}, {1, NAN, INFINITY, -NAN});
  c.node("IsNaN", {"c"}, {"n"});
  c.tensor("zero", {}, {0});
  c.node("Where", {"n", "x", "zero"}, {"y"});
  EXPECT_EQ(compute(c), (Doubles{0, 1, 0, 3, 0, 5, 0, 7}));
}

TEST(ImportOps, WhereNotIsNaN) {
  for (int negations : {1, 2, 3}) {
    OnnxBuilder b;
    b.tensor("zero", {}, {0});
    b.node("Div", {"x", "x"}, {"q"});
    b.node("IsNaN", {"q"}, {"n0"});
    b.node("Identity", {"n0"}, {"m0"});
    std::string condition = "m0";
    for (int i = 1; i <= negations; ++i)
      b.node("Not", {condition}, {condition = "n" + std::to_string(i)});
    if (negations % 2)
      b.node("Where", {condition, "q", "zero"}, {"y"});
    else
      b.node("Where", {condition, "zero", "q"}, {"y"});
    EXPECT_EQ(compute(b), (Doubles{0, 1, 1, 1, 1, 1, 1, 1})) << negations;
  }
}

/// Against NumPy: both triangles, for diagonals inside and far outside.
TEST(ImportOps, TriluOfConstants) {
  for (bool upper : {false, true})
    for (int64_t k : {int64_t(-9), int64_t(-1), int64_t(0), int64_t(1), int64_t(3), int64_t(4), INT64_MAX, INT64_MIN}) {
      OnnxBuilder b;
      b.tensor("c", {1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
      b.tensor("zero", {}, {0});
      b.intTensor("k", {k}, /*scalar=*/true);
      OnnxBuilder::integer(b.node("Trilu", {"c", "k"}, {"t"}), "upper", upper);
      b.node("Mul", {"x", "zero"}, {"nothing"});
      b.node("Add", {"nothing", "t"}, {"y"});
      Doubles expected;
      for (int64_t i = 0; i < 8; ++i) {
        int64_t column = i % 4, row = i / 4;
        bool kept = upper ? column - row >= k : column - row <= k;
        expected.push_back(kept ? double(i + 1) : 0);
      }
      EXPECT_EQ(compute(b), expected) << upper << " " << k;
    }
}

TEST(ImportOps, RowsMaskedAltogetherAreZeroBehindTheGuard) {
  for (bool guarded : {false, true}) {
    OnnxBuilder b;
    b.tensor("mask", {2, 1}, {0, -INFINITY});
    b.tensor("zero", {}, {0});
    b.node("Add", {"x", "mask"}, {"s"});
    b.node("Softmax", {"s"}, {guarded ? "p" : "y"});
    if (guarded) {
      b.node("IsNaN", {"p"}, {"n"});
      b.node("Where", {"n", "zero", "p"}, {"y"});
    }
    Doubles result = compute(b);
    ASSERT_EQ(result.size(), 8u);
    EXPECT_NEAR(result[0] + result[1] + result[2] + result[3], 1, 1e-9);
    EXPECT_TRUE(guarded ? result[4] == 0 : std::isnan(result[4]));
  }
}

TEST(ImportOps, EmptySlices) {
  OnnxBuilder b;
  b.intTensor("zero", {0});
  b.intTensor("axis", {3});
  b.node("Slice", {"x", "zero", "zero", "axis"}, {"none"});
  OnnxBuilder::integer(b.node("Concat", {"none", "x", "none"}, {"all"}), "axis", 3);
  b.node("Relu", {"all"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{0, 1, 2, 3, 4, 5, 6, 7}));
  OnnxBuilder c;
  c.intTensor("sizes", {0, 4});
  OnnxBuilder::integer(c.node("Split", {"x", "sizes"}, {"a", "b"}), "axis", 3);
  OnnxBuilder::integer(c.node("Concat", {"b", "a"}, {"all"}), "axis", 3);
  c.node("Relu", {"all"}, {"y"});
  EXPECT_EQ(compute(c), (Doubles{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(ImportOps, IntegerRemainders) {
  for (int64_t fmod : {0, 1}) {
    OnnxBuilder b;
    b.intTensor("a", {-7, 7, -7, 7});
    b.intTensor("b", {3, -3, -3, 3});
    OnnxBuilder::integer(b.node("Mod", {"a", "b"}, {"m"}), "fmod", fmod);
    OnnxBuilder::integer(b.node("Cast", {"m"}, {"f"}), "to", 1);
    b.tensor("zero", {}, {0});
    b.node("Mul", {"x", "zero"}, {"z"});
    b.node("Add", {"z", "f"}, {"y"});
    Doubles expected = fmod ? Doubles{-1, 1, -1, 1} : Doubles{2, -2, -1, 1};
    expected.insert(expected.end(), expected.begin(), expected.begin() + 4);
    EXPECT_EQ(compute(b), expected);
  }
}

TEST(ImportOps, ReductionsOfConstants) {
  OnnxBuilder b(18);
  b.node("Shape", {"x"}, {"s"});
  b.intTensor("last", {-1, -2});
  OnnxBuilder::integer(b.node("Gather", {"s", "last"}, {"sizes"}), "axis", 0);
  OnnxBuilder::integer(b.node("ReduceProd", {"sizes"}, {"count"}), "keepdims", 0); // 8
  OnnxBuilder::integer(b.node("Cast", {"count"}, {"f"}), "to", 1);
  b.tensor("c", {2, 3, 2}, {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60});
  b.intTensor("axes", {0, 1});
  OnnxBuilder::integer(b.node("ReduceSum", {"c", "axes"}, {"sum"}), "keepdims", 0); // 99, 132
  OnnxBuilder::integer(b.node("ReduceMax", {"sum", ""}, {"max"}), "keepdims", 0);   // 132
  b.node("Mul", {"x", "f"}, {"m"});
  b.node("Add", {"m", "max"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{132, 140, 148, 156, 164, 172, 180, 188}));
}

TEST(ImportOps, MinAndMaxOfNaN) {
  for (const char *op : {"Min", "Max"}) {
    OnnxBuilder b;
    b.tensor("a", {4}, {NAN, 1, 2, -INFINITY});
    b.tensor("b", {4}, {1, NAN, 3, INFINITY});
    b.node(op, {"a", "b"}, {"m"});
    b.node("Add", {"x", "m"}, {"y"});
    Doubles result = compute(b);
    ASSERT_EQ(result.size(), 8u);
    EXPECT_TRUE(std::isnan(result[0]) && std::isnan(result[1])) << op;
    EXPECT_EQ(result[2], op == std::string("Min") ? 4 : 5);
    EXPECT_EQ(result[3], op == std::string("Min") ? -INFINITY : INFINITY);
  }
}

TEST(ImportOps, ScaleAndBiasOfLayerNormBroadcast) {
  auto norm = [](std::vector<int64_t> shape, std::vector<float> scale, std::vector<float> bias) {
    OnnxBuilder b;
    b.tensor("g", shape, std::move(scale));
    b.tensor("b", shape, std::move(bias));
    b.node("LayerNormalization", {"x", "g", "b"}, {"y"});
    return compute(b);
  };
  Doubles same = norm({4}, {2, 2, 2, 2}, {1, 1, 1, 1}), each = norm({4}, {1, 2, 3, 4}, {4, 3, 2, 1});
  ASSERT_EQ(same.size(), 8u);
  EXPECT_EQ(norm({}, {2}, {1}), same);
  EXPECT_EQ(norm({1}, {2}, {1}), same);
  EXPECT_EQ(norm({1, 1, 1}, {2}, {1}), same);
  EXPECT_EQ(norm({1, 1, 4}, {1, 2, 3, 4}, {4, 3, 2, 1}), each);
  // A scale for each row is a product of its own.
  EXPECT_LT(maxDifference(norm({1, 1, 2, 1}, {2, 2}, {1, 1}), same), 1e-12);
  // No bias; a bias for each element beside a scale for each channel.
  OnnxBuilder b;
  b.tensor("g", {1, 4}, {1, 2, 3, 4});
  b.tensor("b", {2, 4}, {4, 3, 2, 1, 4, 3, 2, 1});
  b.node("LayerNormalization", {"x", "g"}, {"n"});
  b.node("Add", {"n", "b"}, {"y"});
  EXPECT_LT(maxDifference(compute(b), each), 1e-12);
  OnnxBuilder c;
  c.tensor("g", {2, 2}, {1, 2, 3, 4});
  c.node("LayerNormalization", {"x", "g"}, {"y"});
  Session session;
  std::string path = c.write();
  EXPECT_FALSE(session.import(path));
  llvm::sys::fs::remove(path);
}

TEST(ImportOps, IntegerExponents) {
  OnnxBuilder b;
  b.intTensor("two", {2}, /*scalar=*/true);
  b.node("Pow", {"x", "two"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{0, 1, 4, 9, 16, 25, 36, 49}));
}

TEST(ImportOps, WhatTheFirstOutputDoesNotNeedIsNotRead) {
  OnnxBuilder b;
  b.node("Relu", {"x"}, {"y"});
  // A second output of another type, made by an operator nobody knows.
  OnnxBuilder::addValue(b.graph().add_output(), "class", {1});
  b.graph().mutable_output(1)->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::INT64);
  b.node("Foo", {"y", "half"}, {"class"}).set_domain("my.domain");
  // A node, initializers and an input that nothing reads.
  b.node("LSTM", {"nowhere"}, {"dead"});
  b.tensor("half", {1 << 20}, {1}).set_data_type(onnx::TensorProto::FLOAT16);
  b.tensor("short", {4}, {1, 2, 3});
  auto &external = b.tensor("external", {4}, {});
  external.set_data_location(onnx::TensorProto::EXTERNAL);
  OnnxBuilder::addValue(b.graph().add_input(), "temperature", {});
  EXPECT_EQ(compute(b), (Doubles{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(ImportOps, OutputsOfNodesThatNothingReads) {
  OnnxBuilder b;
  b.tensor("g", {4}, {1, 1, 1, 1});
  b.node("LayerNormalization", {"x", "g"}, {"n", "mean", "deviation"});
  b.node("Dropout", {"n"}, {"y", "mask"});
  EXPECT_EQ(compute(b).size(), 8u);
  OnnxBuilder c;
  c.tensor("g", {4}, {1, 1, 1, 1});
  c.node("LayerNormalization", {"x", "g"}, {"n", "mean"});
  c.node("Add", {"n", "mean"}, {"y"});
  Session session;
  std::string path = c.write();
  EXPECT_FALSE(session.import(path));
  EXPECT_NE(session.messages.find("LayerNormalization: output 'mean' is not supported"), std::string::npos);
  llvm::sys::fs::remove(path);
}

TEST(ImportOps, ResizeOfConstants) {
  // What ONNX Runtime 1.32 computes.
  struct Case {
    std::string mode, coordinates, attribute, value;
    int64_t height, width;
    Doubles expected;
  };
  const std::vector<Case> cases = {
      {"cubic",
       "half_pixel",
       "",
       "",
       5,
       2,
       {3.00665, -2.3666, 1.54863, -2.58528, -0.468398, -1.88496, -1.34763, 1.81337, -1.63414, 4.68154}},
      {"cubic", "half_pixel", "antialias", "1", 2, 3, {1.50655, -1.16216, -1.93712, -0.699448, -1.55156, 3.0408}},
      {"cubic", "align_corners", "exclude_outside", "1", 4, 7, {2.44,     2.6993,   1.82722,   0.12,     -1.05722,
                                                                -2.55526, -3.57,    0.0261403, 0.692087, -0.35076,
                                                                -2.64912, -4.13302, -2.03001,  1.42263,  -0.530351,
                                                                -1.04845, -2.19999, -2.94105,  -2.46946, 0.973632,
                                                                4.50158,  1.22,     -1.11649,  -2.22685, -0.52,
                                                                2.58981,  4.02965,  3.18}},
      {"linear",
       "half_pixel",
       "",
       "",
       4,
       3,
       {2.44667, 0.12, -2.95, 0.377917, -2.23, -0.195834, -0.499583, -2.47, 2.17917, 0.106667, -0.52, 3.38333}},
      {"linear",
       "asymmetric",
       "",
       "",
       6,
       2,
       {2.44, -0.795, 0.755, -2.21, -0.93, -3.625, 0.145, -0.995, 1.22, 1.635, 1.22, 1.635}},
      {"linear", "pytorch_half_pixel", "antialias", "1", 1, 2, {0.851244, -1.11124}},
      {"nearest", "asymmetric", "nearest_mode", "floor", 4, 2, {2.44, 0.12, 2.44, 0.12, -0.93, -3.64, 1.22, -0.52}},
      {"nearest",
       "half_pixel",
       "nearest_mode",
       "round_prefer_ceil",
       2,
       8,
       {2.44, 2.44, 2.46, 0.12, 0.12, -1.71, -3.57, -3.57, 1.22, 1.22, -2.12, -0.52, -0.52, 3.79, 3.18, 3.18}},
      {"linear", "half_pixel_symmetric", "", "", 5, 4, {2.4425,   1.5825,   -1.02375, -3.3375, 1.1035,
                                                        0.221,    -2.06275, -0.7865,  -0.905,  -1.82125,
                                                        -3.62125, 3.04,     0.1195,   -1.6405, -0.14425,
                                                        3.16975,  0.8025,   -1.52,    2.17375, 3.25625}}};
  for (const Case &test : cases) {
    SCOPED_TRACE(test.mode + " " + test.coordinates + " " + test.attribute);
    OnnxBuilder b(19);
    b.tensor("c", {1, 1, 3, 5},
             {2.44f, 2.46f, 0.12f, -1.71f, -3.57f, -0.93f, -0.73f, -3.64f, -3.61f, 3.99f, 1.22f, -2.12f, -0.52f, 3.79f,
              3.18f});
    b.intTensor("sizes", {1, 1, test.height, test.width});
    auto &resize = b.node("Resize", {"c", "", "", "sizes"}, {"r"});
    OnnxBuilder::text(resize, "mode", test.mode);
    OnnxBuilder::text(resize, "coordinate_transformation_mode", test.coordinates);
    if (test.attribute == "nearest_mode")
      OnnxBuilder::text(resize, test.attribute, test.value);
    else if (!test.attribute.empty())
      OnnxBuilder::integer(resize, test.attribute, 1);
    b.tensor("zero", {}, {0});
    b.intTensor("first", {0});
    b.intTensor("one", {1});
    b.intTensor("axes", {3});
    b.node("Mul", {"x", "zero"}, {"z"});
    b.node("Slice", {"z", "first", "one", "axes"}, {"s"});
    b.intTensor("row", {2});
    b.node("Slice", {"s", "first", "one", "row"}, {"point"});
    b.node("Add", {"point", "r"}, {"y"});
    EXPECT_LT(maxDifference(compute(b), test.expected), 2e-5);
  }
}

TEST(ImportOps, FloatConstantsFold) {
  OnnxBuilder b;
  b.tensor("c", {}, {64});
  b.node("Sqrt", {"c"}, {"r"});
  b.node("Reciprocal", {"r"}, {"s"});
  b.node("Mul", {"x", "s"}, {"y"});
  EXPECT_EQ(compute(b)[7], 7.0 / 8);
}

// The input is 0, 1 ... 7 in two rows.
TEST(ImportOps, Pooling) {
  struct {
    const char *op;
    std::vector<int64_t> kernel, strides, pads;
    const char *flag;
    Doubles expected;
  } tests[] = {
      {"MaxPool", {2, 2}, {1, 2}, {0, 0, 0, 0}, nullptr, {5, 7}},
      {"MaxPool", {1, 3}, {1, 2}, {0, 1, 0, 1}, nullptr, {1, 3, 5, 7}},
      {"MaxPool", {2, 3}, {2, 3}, {0, 0, 0, 0}, "ceil_mode", {6, 7}},
      {"AveragePool", {2, 2}, {2, 2}, {0, 0, 0, 0}, nullptr, {2.5, 4.5}},
      {"AveragePool", {1, 3}, {1, 1}, {0, 1, 0, 1}, nullptr, {0.5, 1, 2, 2.5, 4.5, 5, 6, 6.5}},
      {"AveragePool", {1, 3}, {1, 3}, {0, 1, 0, 1}, "count_include_pad", {1.0 / 3, 5.0 / 3, 3, 13.0 / 3}},
      {"AveragePool", {1, 3}, {1, 3}, {0, 0, 0, 0}, "ceil_mode", {1, 3, 5, 7}},
      {"AveragePool", {2, 4}, {1, 1}, {0, 0, 0, 0}, nullptr, {3.5}},
      {"GlobalMaxPool", {}, {}, {}, nullptr, {7}},
  };
  for (const auto &test : tests) {
    OnnxBuilder b(19);
    auto &pool = b.node(test.op, {"x"}, {"y"});
    if (!test.kernel.empty()) {
      OnnxBuilder::ints(pool, "kernel_shape", test.kernel);
      OnnxBuilder::ints(pool, "strides", test.strides);
      OnnxBuilder::ints(pool, "pads", test.pads);
    }
    if (test.flag)
      OnnxBuilder::integer(pool, test.flag, 1);
    EXPECT_LT(maxDifference(compute(b), test.expected), 1e-6) << test.op << (test.flag ? test.flag : "");
  }
}

TEST(ImportOps, MaximumOverAxes) {
  auto reduce = [](std::vector<int64_t> axes, bool keep) {
    OnnxBuilder b(18);
    b.intTensor("axes", std::move(axes));
    OnnxBuilder::integer(b.node("ReduceMax", {"x", "axes"}, {"y"}), "keepdims", keep);
    return compute(b);
  };
  EXPECT_EQ(reduce({2}, true), (Doubles{4, 5, 6, 7}));
  EXPECT_EQ(reduce({1, 2}, false), (Doubles{4, 5, 6, 7}));
  EXPECT_EQ(reduce({-1, 2}, false), (Doubles{7}));
}

TEST(ImportOps, PoolingThatCannotBe) {
  auto refuse = [](const char *op, std::vector<int64_t> kernel, std::vector<int64_t> pads, const char *text) {
    OnnxBuilder b(19);
    auto &pool = b.node(op, {"x"}, {"y"});
    OnnxBuilder::ints(pool, "kernel_shape", std::move(kernel));
    OnnxBuilder::ints(pool, "pads", std::move(pads));
    Session session;
    std::string path = b.write();
    EXPECT_FALSE(session.import(path));
    EXPECT_NE(session.messages.find(text), std::string::npos) << session.messages;
    llvm::sys::fs::remove(path);
  };
  refuse("MaxPool", {2, 2}, {2, 0, 0, 0}, "holds padding only");
  refuse("AveragePool", {2, 2}, {0, 0, 2, 0},
         "has pads of 0 and 2 around a window of 2, some of which would hold padding only");
  refuse("MaxPool", {5, 2}, {0, 0, 0, 0},
         "the window is larger than the image: it reaches over 5 elements of axis 2, which has 2 and 0 of padding");
  refuse("MaxPool", {1 << 23, 1 << 23}, {0, 0, 0, 0},
         "kernel_shape [8388608, 8388608] has more than 2147483648 elements");
  refuse("MaxPool", {0, 2}, {0, 0, 0, 0}, "kernel_shape [0, 2] must be 2 numbers from 1 to 2^24");
  refuse("AveragePool", {2, 2}, {0, 0, -1, 0}, "pads [0, 0, -1, 0] must be 4 numbers from 0 to 2^24");
}

/// A resized map is what the same Resize of constants gives, which the test above knows.
TEST(ImportOps, ResizedMaps) {
  struct {
    const char *mode, *coordinates;
    int64_t height, width;
  } tests[] = {{"nearest", "asymmetric", 4, 8}, {"nearest", "half_pixel", 3, 3},
               {"linear", "half_pixel", 4, 8},  {"linear", "align_corners", 5, 7},
               {"linear", "asymmetric", 2, 8},  {"linear", "pytorch_half_pixel", 1, 2},
               {"cubic", "half_pixel", 4, 8}};
  for (const auto &test : tests) {
    Doubles results[2];
    for (bool constant : {false, true}) {
      OnnxBuilder b;
      b.tensor("c", {1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
      b.intTensor("sizes", {1, 1, test.height, test.width});
      auto &resize = b.node("Resize", {constant ? "c" : "x", "", "", "sizes"}, {constant ? "r" : "y"});
      OnnxBuilder::text(resize, "mode", test.mode);
      OnnxBuilder::text(resize, "coordinate_transformation_mode", test.coordinates);
      if (constant) {
        b.tensor("zero", {}, {0});
        b.node("Mul", {"x", "zero"}, {"z"});
        auto &point = b.node("GlobalMaxPool", {"z"}, {"p"});
        (void)point;
        b.node("Add", {"p", "r"}, {"y"});
      }
      results[constant] = compute(b);
    }
    EXPECT_LT(maxDifference(results[0], results[1]), 1e-5) << test.mode << ' ' << test.coordinates;
  }
}

TEST(ImportOps, PadModes) {
  struct {
    const char *mode;
    Doubles expected;
  } tests[] = {{"reflect", {2, 1, 0, 1, 2, 3, 2, 6, 5, 4, 5, 6, 7, 6}},
               {"edge", {0, 0, 0, 1, 2, 3, 3, 4, 4, 4, 5, 6, 7, 7}},
               {"wrap", {2, 3, 0, 1, 2, 3, 0, 6, 7, 4, 5, 6, 7, 4}},
               {"constant", {9, 9, 0, 1, 2, 3, 9, 9, 9, 4, 5, 6, 7, 9}}};
  for (const auto &test : tests) {
    OnnxBuilder b(19);
    b.intTensor("pads", {0, 0, 0, 2, 0, 0, 0, 1});
    b.tensor("nine", {}, {9});
    auto &pad = b.node("Pad", {"x", "pads", "nine"}, {"y"});
    OnnxBuilder::text(pad, "mode", test.mode);
    EXPECT_EQ(compute(b), test.expected) << test.mode;
  }
}

/// As onnxruntime has it: first they cut, then the rest is padded.
TEST(ImportOps, NegativePads) {
  struct {
    const char *mode;
    std::vector<int64_t> pads;
    Doubles expected;
  } tests[] = {{"constant", {0, 0, 0, -1, 0, 0, 0, 2}, {1, 2, 3, 9, 9, 5, 6, 7, 9, 9}},
               {"constant", {0, 0, -1, -1, 0, 0, 0, -2}, {5}},
               {"edge", {0, 0, 0, 2, 0, 0, -1, -1}, {0, 0, 0, 1, 2}},
               {"reflect", {0, 0, 0, -1, 0, 0, -1, 2}, {1, 2, 3, 2, 1}},
               {"wrap", {0, 0, 0, 2, 0, 0, -1, -1}, {1, 2, 0, 1, 2}}};
  for (const auto &test : tests) {
    OnnxBuilder b(19);
    b.intTensor("pads", test.pads);
    b.tensor("nine", {}, {9});
    auto &pad = b.node("Pad", {"x", "pads", "nine"}, {"y"});
    OnnxBuilder::text(pad, "mode", test.mode);
    EXPECT_EQ(compute(b), test.expected) << test.mode;
  }
}

TEST(ImportOps, Bounds) {
  OnnxBuilder b;
  b.tensor("two", {}, {2});
  b.tensor("six", {1}, {6});
  b.node("Max", {"x", "two"}, {"m"});
  b.node("Min", {"six", "m"}, {"y"});
  EXPECT_EQ(compute(b), (Doubles{2, 2, 2, 3, 4, 5, 6, 6}));
  OnnxBuilder c;
  c.tensor("three", {}, {3});
  c.node("Sub", {"x", "three"}, {"s"});
  c.tensor("slope", {1, 1, 1, 4}, {1, 0.5, 0.25, 2});
  c.node("PRelu", {"s", "slope"}, {"y"});
  EXPECT_EQ(compute(c), (Doubles{-3, -1, -0.25, 0, 1, 2, 3, 4}));
}

TEST(ImportOps, HardSigmoidInHardSwish) {
  OnnxBuilder b;
  auto &hard = b.node("HardSigmoid", {"x"}, {"h"});
  OnnxBuilder::real(hard, "alpha", 1.0f / 6);
  b.node("Mul", {"h", "x"}, {"y"});
  EXPECT_NEAR(compute(b)[1], 1 * (1.0 / 6 + 0.5), 1e-6);
}

TEST(ImportOps, UnnamedNodesAndUnsortedGraphs) {
  OnnxBuilder b;
  b.node("Relu", {"t"}, {"y"}).clear_name();
  b.node("Tanh", {"x"}, {"t"}).clear_name();
  Session session;
  std::string path = b.write();
  OwningOpRef<ModuleOp> module = session.import(path);
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(module) << session.messages;
  std::string names;
  module->walk([&](Operation *op) {
    if (isa<vit::ReluOp, vit::TanhOp>(op))
      names += cast<NameLoc>(op->getLoc()).getName().str() + " ";
  });
  EXPECT_EQ(names, "Tanh#1 Relu#0 ");
}

TEST(ImportOps, OpenBatchTakesTheOption) {
  OnnxBuilder b(17, {0, 1, 2, 4});
  b.node("Relu", {"x"}, {"y"});
  std::string path = b.write();
  Session session;
  OwningOpRef<ModuleOp> module = session.import(path, 3);
  ASSERT_TRUE(module) << session.messages;
  auto main = *module->getOps<func::FuncOp>().begin();
  EXPECT_EQ(cast<RankedTensorType>(main.getArgumentTypes()[0]).getDimSize(0), 3);
  llvm::sys::fs::remove(path);
}
