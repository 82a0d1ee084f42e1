//===- ImportOpsTest.cpp - Single operators -*- C++ -*-===//

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

TEST(ImportOps, FloatConstantsFold) {
  OnnxBuilder b;
  b.tensor("c", {}, {64});
  b.node("Sqrt", {"c"}, {"r"});
  b.node("Reciprocal", {"r"}, {"s"});
  b.node("Mul", {"x", "s"}, {"y"});
  EXPECT_EQ(compute(b)[7], 7.0 / 8);
}

TEST(ImportOps, HardSigmoidOnlyInHardSwish) {
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
