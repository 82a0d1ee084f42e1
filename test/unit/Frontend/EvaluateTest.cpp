//===- EvaluateTest.cpp - What is computed of constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What the cases of test/operators do not cover: types, limits, graphs inside nodes, and where others compute something
// else.

#include "ConstantModel.h"

#include <limits>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

using Doubles = std::vector<double>;
using Onnx = onnx::TensorProto;

namespace {
onnx::GraphProto &addGraph(onnx::NodeProto &node, const std::string &name) {
  auto *attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::GRAPH);
  return *attribute->mutable_g();
}

void addNode(onnx::GraphProto &graph, const std::string &op, std::vector<std::string> inputs,
             const std::string &output) {
  onnx::NodeProto &node = *graph.add_node();
  node.set_op_type(op);
  node.set_name("/" + output);
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(output);
}
} // namespace

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

TEST(Evaluate, HalvesAreFloats) {
  ConstantModel m;
  // 1.5, -2, the smallest denormal, and the largest number.
  m.typed("half", Onnx::FLOAT16, {4}, {0x3e00, 0xc000, 0x0001, 0x7bff});
  m.node("Identity", {"half"}, {"r"});
  EXPECT_EQ(m.compute(), (Doubles{1.5, -2, 0x1p-24, 65504}));
  // Sums are rounded to halves: 2048 + 1 is a tie, 2048 + 3 not.
  ConstantModel n;
  n.typed("a", Onnx::FLOAT16, {2}, {0x6800, 0x6800});
  n.typed("b", Onnx::FLOAT16, {2}, {0x3c00, 0x4200});
  n.node("Add", {"a", "b"}, {"r"});
  EXPECT_EQ(n.compute(), (Doubles{2048, 2052}));
  ConstantModel b;
  b.typed("brain", Onnx::BFLOAT16, {2}, {0x3fc0, 0xc2f7});
  b.node("Identity", {"brain"}, {"r"});
  EXPECT_EQ(b.compute(), (Doubles{1.5, -123.5}));
}

TEST(Evaluate, HalvesMeetTheImageAsFloats) {
  OnnxBuilder b;
  onnx::TensorProto &half = b.tensor("half", {}, {});
  half.set_data_type(Onnx::FLOAT16);
  half.set_raw_data(std::string("\x00\x3e", 2));
  b.node("Mul", {"x", "half"}, {"y"});
  Session session;
  std::string path = b.write();
  OwningOpRef<ModuleOp> module = session.import(path);
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(module) << session.messages;
  EXPECT_EQ(run(*module, {1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}), (Doubles{0, 1.5, 3, 4.5, 6, 7.5, 9, 10.5}));
}

TEST(Evaluate, NibblesArePacked) {
  constexpr int kUint4 = 21, kInt4 = 22; // not in every schema
  for (bool raw : {false, true}) {
    ConstantModel m;
    onnx::TensorProto &tensor =
        m.typed("four", kInt4, {3}, raw ? std::vector<int64_t>() : std::vector<int64_t>{0x8f, 0x7});
    if (raw)
      tensor.set_raw_data("\x8f\x07");
    m.node("Identity", {"four"}, {"r"});
    EXPECT_EQ(m.compute(), (Doubles{-1, -8, 7}));
  }
  ConstantModel u;
  u.typed("four", kUint4, {3}, {0x8f, 0x7});
  u.node("Identity", {"four"}, {"r"});
  EXPECT_EQ(u.compute(), (Doubles{15, 8, 7}));
  ConstantModel s;
  s.typed("four", kUint4, {3}, {0x8f});
  s.node("Identity", {"four"}, {"r"});
  EXPECT_SAYS(s, "tensor 'four' has 1 elements of data, its shape needs 2");
}

TEST(Evaluate, IntegersWrapAndCompareByTheirType) {
  ConstantModel m;
  m.typed("a", Onnx::UINT8, {2}, {250, 3});
  m.typed("b", Onnx::UINT8, {2}, {10, 5});
  m.node("Add", {"a", "b"}, {"sum"});
  m.node("Sub", {"b", "a"}, {"difference"});
  OnnxBuilder::integer(m.node("Concat", {"sum", "difference"}, {"r"}), "axis", 0);
  EXPECT_EQ(m.compute(), (Doubles{4, 8, 16, 2}));
  // As signed numbers the first would be the smaller one.
  ConstantModel u;
  u.typed("a", Onnx::UINT64, {2}, {-1, 7});
  u.typed("b", Onnx::UINT64, {2}, {1, 2});
  u.node("Greater", {"a", "b"}, {"greater"});
  u.node("Div", {"a", "b"}, {"quotient"});
  u.node("Max", {"a", "b"}, {"largest"});
  for (const char *name : {"greater", "quotient", "largest"})
    u.cast(name, std::string(name) + ".f", Onnx::FLOAT);
  OnnxBuilder::integer(u.node("Concat", {"greater.f", "quotient.f", "largest.f"}, {"r"}), "axis", 0);
  EXPECT_EQ(u.compute(), (Doubles{1, 1, 0x1p64, 3, 0x1p64, 7}));
}

TEST(Evaluate, CastsEndAtTheirType) {
  ConstantModel m;
  m.tensor("c", {6}, {-1e30f, -1.7f, 1.7f, 300, 1e30f, NAN});
  m.cast("c", "u8", Onnx::UINT8);
  m.cast("c", "i8", Onnx::INT8);
  for (const char *name : {"u8", "i8"})
    m.cast(name, std::string(name) + ".f", Onnx::FLOAT);
  OnnxBuilder::integer(m.node("Concat", {"u8.f", "i8.f"}, {"r"}), "axis", 0);
  EXPECT_EQ(m.compute(), (Doubles{0, 0, 1, 255, 255, 0, -128, -1, 1, 127, 127, 0}));
  ConstantModel strings;
  strings.tensor("c", {1}, {1});
  strings.cast("c", "r", Onnx::STRING);
  EXPECT_SAYS(strings, "element type 8 is not supported");
}

//===----------------------------------------------------------------------===//
// Graphs inside nodes
//===----------------------------------------------------------------------===//

/// if (condition) t * 2 else t - 1, and t is of the image or not.
TEST(Evaluate, IfTakesOneBranch) {
  for (bool condition : {false, true})
    for (bool ofImage : {false, true}) {
      SCOPED_TRACE(std::to_string(condition) + std::to_string(ofImage));
      OnnxBuilder b(20);
      b.boolTensor("condition", {}, {condition});
      b.tensor("two", {}, {2});
      b.tensor("four", {}, {4});
      const std::string t = ofImage ? "x" : "four";
      onnx::NodeProto &node = b.node("If", {"condition"}, {"chosen"});
      onnx::GraphProto &then = addGraph(node, "then_branch"), &otherwise = addGraph(node, "else_branch");
      addNode(then, "Mul", {t, "two"}, "product");
      then.add_output()->set_name("product");
      // The name is known outside, too, and means what it did there afterwards.
      auto *one = otherwise.add_initializer();
      one->set_name("two");
      one->set_data_type(Onnx::FLOAT);
      one->add_float_data(1);
      addNode(otherwise, "Sub", {t, "two"}, "difference");
      otherwise.add_output()->set_name("difference");
      b.node("Mul", {"chosen", "two"}, {"doubled"});
      b.node("Add", {"x", "doubled"}, {"y"});
      Session session;
      std::string path = b.write();
      OwningOpRef<ModuleOp> module = session.import(path);
      llvm::sys::fs::remove(path);
      ASSERT_TRUE(module) << session.messages;
      Doubles expected;
      for (int i = 0; i < 8; ++i) {
        const double value = ofImage ? i : 4;
        expected.push_back(i + 2 * (condition ? value * 2 : value - 1));
      }
      EXPECT_EQ(run(*module, {1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}), expected);
    }
}

TEST(Evaluate, IfIsRefused) {
  ConstantModel image;
  image.node("IsNaN", {"x"}, {"nan"});
  OnnxBuilder::integer(image.node("Cast", {"x"}, {"b"}), "to", Onnx::FLOAT);
  addGraph(image.node("If", {"b"}, {"r"}), "then_branch");
  EXPECT_SAYS(image, "If: the condition depends on the image; it must be known at compile time");
  ConstantModel number;
  number.tensor("c", {}, {1});
  number.node("If", {"c"}, {"r"});
  EXPECT_SAYS(number, "If: the condition must be one boolean");
  ConstantModel none;
  none.boolTensor("c", {}, {true});
  none.node("If", {"c"}, {"r"});
  EXPECT_SAYS(none, "If: has no graph 'then_branch'");
  ConstantModel few;
  few.boolTensor("c", {}, {true});
  addGraph(few.node("If", {"c"}, {"r"}), "then_branch");
  EXPECT_SAYS(few, "If: the branch has 0 outputs, not 1");
  ConstantModel undefined;
  undefined.boolTensor("c", {}, {true});
  addGraph(undefined.node("If", {"c"}, {"r"}), "then_branch").add_output()->set_name("nothing");
  EXPECT_SAYS(undefined, "If: nothing defines the output 'nothing' of its graph");
  ConstantModel unknown;
  unknown.boolTensor("c", {}, {true});
  unknown.tensor("one", {}, {1});
  onnx::GraphProto &graph = addGraph(unknown.node("If", {"c"}, {"r"}), "then_branch");
  addNode(graph, "Frobnicate", {"one"}, "f");
  graph.add_output()->set_name("f");
  EXPECT_SAYS(unknown, "node '/f': Frobnicate: is an unsupported operator");
}

namespace {
/// for (i < turns && condition) { state = state + step; goes on while state < limit; parts are the states }
onnx::NodeProto &addLoop(OnnxBuilder &b, const std::string &turns, const std::string &step, float limit) {
  b.tensor("start", {1}, {1});
  b.tensor("limit", {}, {limit});
  onnx::NodeProto &node = b.node("Loop", {turns, "", "start"}, {"state", "states"});
  onnx::GraphProto &body = addGraph(node, "body");
  for (const char *name : {"i", "condition", "before"})
    body.add_input()->set_name(name);
  addNode(body, "Add", {"before", step}, "after");
  addNode(body, "Less", {"after", "limit"}, "less");
  addNode(body, "Squeeze", {"less"}, "goes on");
  addNode(body, "Identity", {"after"}, "part");
  for (const char *name : {"goes on", "after", "part"})
    body.add_output()->set_name(name);
  return node;
}
} // namespace

TEST(Evaluate, LoopsAreUnrolled) {
  for (const auto &[turns, limit, expected] :
       {std::tuple(4, 100.0f, Doubles{9, 3, 5, 7, 9}), {100, 6.0f, Doubles{7, 3, 5, 7}}}) {
    ConstantModel m;
    m.intTensor("turns", {turns}, /*scalar=*/true);
    m.tensor("step", {1}, {2});
    addLoop(m, "turns", "step", limit);
    m.intTensor("minus", {-1});
    m.node("Reshape", {"states", "minus"}, {"list"});
    OnnxBuilder::integer(m.node("Concat", {"state", "list"}, {"r"}), "axis", 0);
    EXPECT_EQ(m.compute(), expected);
  }
}

TEST(Evaluate, LoopsOverTheImageAreUnrolled) {
  OnnxBuilder b(20);
  b.intTensor("turns", {3}, /*scalar=*/true);
  b.boolTensor("on", {}, {true});
  onnx::GraphProto &body = addGraph(b.node("Loop", {"turns", "on", "x"}, {"y"}), "body");
  for (const char *name : {"i", "condition", "before"})
    body.add_input()->set_name(name);
  addNode(body, "Cast", {"i"}, "turn");
  OnnxBuilder::integer(*body.mutable_node(0), "to", Onnx::FLOAT);
  addNode(body, "Add", {"before", "turn"}, "after");
  for (const char *name : {"condition", "after"})
    body.add_output()->set_name(name);
  Session session;
  std::string path = b.write();
  OwningOpRef<ModuleOp> module = session.import(path);
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(module) << session.messages;
  EXPECT_EQ(run(*module, {1, 1, 2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}), (Doubles{3, 4, 5, 6, 7, 8, 9, 10}));
}

TEST(Evaluate, LoopsEnd) {
  // Nothing but the limit of turns ends this one.
  ConstantModel forever;
  forever.tensor("step", {1}, {0});
  addLoop(forever, "", "step", 100).mutable_output()->RemoveLast();
  forever.node("Identity", {"state"}, {"r"});
  EXPECT_SAYS(forever, "Loop: has more than 65536 turns");
  ConstantModel none;
  none.intTensor("turns", {0}, /*scalar=*/true);
  none.tensor("step", {1}, {2});
  addLoop(none, "turns", "step", 100);
  none.node("Identity", {"states"}, {"r"});
  EXPECT_SAYS(none, "Loop: has no turn, so that the shape of a result is unknown");
  ConstantModel image;
  image.tensor("step", {1}, {2});
  addLoop(image, "x", "step", 100);
  image.node("Identity", {"state"}, {"r"});
  EXPECT_SAYS(image, "Loop: the number of turns must be one integer that is known at compile time");
  ConstantModel body;
  body.intTensor("turns", {1}, /*scalar=*/true);
  addGraph(body.node("Loop", {"turns", "", "turns"}, {"r"}), "body");
  EXPECT_SAYS(body, "Loop: the body's inputs and outputs do not fit the loop's");
}

//===----------------------------------------------------------------------===//
// Limits
//===----------------------------------------------------------------------===//

TEST(Evaluate, ResultsHaveLimits) {
  ConstantModel range;
  range.intTensor("zero", {0}, true);
  range.intTensor("end", {int64_t(1) << 40}, true);
  range.intTensor("step", {1}, true);
  range.node("Range", {"zero", "end", "step"}, {"r"});
  EXPECT_SAYS(range, "node '/r': Range: the result is too large");
  ConstantModel hot;
  hot.intTensor("indices", {0});
  hot.intTensor("depth", {int64_t(1) << 40}, true);
  hot.tensor("values", {2}, {0, 1});
  hot.node("OneHot", {"indices", "depth", "values"}, {"r"});
  EXPECT_SAYS(hot, "node '/r': OneHot: the result is too large, or has a negative size");
  // 2^28 elements are allowed, of 8 bytes not.
  ConstantModel bytes;
  bytes.intTensor("one", {1});
  bytes.intTensor("repeats", {1 << 28});
  bytes.node("Tile", {"one", "repeats"}, {"r"});
  EXPECT_SAYS(bytes, "node '/r': Tile: the result is too large");
  ConstantModel tile;
  tile.intTensor("two", {1, 2});
  tile.intTensor("repeats", {std::numeric_limits<int64_t>::max()});
  tile.node("Tile", {"two", "repeats"}, {"r"});
  EXPECT_SAYS(tile, "node '/r': Tile: the result is too large");
  ConstantModel resize;
  resize.tensor("c", {1, 1, 1, 1}, {1});
  resize.intTensor("sizes", {1, 1, 1 << 20, 1 << 20});
  resize.node("Resize", {"c", "", "", "sizes"}, {"r"});
  EXPECT_SAYS(resize, "node '/r': Resize: the result has more elements than are supported: [1, 1, 1048576, 1048576]");
}

TEST(Evaluate, AllResultsTogetherHaveLimits) {
  // Each result is allowed, and none is kept for longer than a turn.
  ConstantModel m;
  m.intTensor("turns", {100}, /*scalar=*/true);
  m.boolTensor("on", {}, {true});
  m.tensor("start", {1}, {1});
  m.intTensor("size", {1 << 26});
  m.intTensor("first", {0});
  onnx::GraphProto &body = addGraph(m.node("Loop", {"turns", "on", "start"}, {"r"}), "body");
  for (const char *name : {"i", "condition", "before"})
    body.add_input()->set_name(name);
  addNode(body, "Expand", {"before", "size"}, "large");
  addNode(body, "Gather", {"large", "first"}, "after");
  for (const char *name : {"condition", "after"})
    body.add_output()->set_name(name);
  EXPECT_SAYS(m, "what was computed of constants up to here takes more memory than a model needs");
}

TEST(Evaluate, WorkHasLimits) {
  ConstantModel einsum;
  einsum.intTensor("size", {1 << 12});
  einsum.tensor("one", {1}, {1});
  einsum.node("Expand", {"one", "size"}, {"row"});
  OnnxBuilder::text(einsum.node("Einsum", {"row", "row", "row", "row"}, {"r"}), "equation", "a,b,c,d->");
  EXPECT_SAYS(einsum, "node '/r': Einsum: computing what depends on constants only takes too long; simplify the model "
                      "before its export");
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

TEST(Evaluate, AspectRatiosAreKept) {
  for (const auto &[policy, height, width] :
       {std::tuple("not_larger", 3, 6), {"not_smaller", 6, 12}, {"stretch", 6, 6}}) {
    ConstantModel m;
    m.tensor("c", {1, 1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
    m.intTensor("sizes", {6, 6});
    onnx::NodeProto &resize = m.node("Resize", {"c", "", "", "sizes"}, {"large"});
    OnnxBuilder::ints(resize, "axes", {2, 3});
    OnnxBuilder::text(resize, "keep_aspect_ratio_policy", policy);
    m.node("Shape", {"large"}, {"r"});
    EXPECT_EQ(m.compute(), (Doubles{1, 1, double(height), double(width)}));
  }
}

TEST(Evaluate, UpsampleBeforeOpset10) {
  ConstantModel m(11);
  m.model.mutable_opset_import(0)->set_version(11);
  m.tensor("c", {1, 1, 1, 2}, {1, 2});
  m.tensor("scales", {4}, {1, 1, 2, 2});
  OnnxBuilder::text(m.node("Resize", {"c", "", "scales"}, {"r"}), "coordinate_transformation_mode", "asymmetric");
  EXPECT_EQ(m.compute(), (Doubles{1, 1, 2, 2, 1, 1, 2, 2}));
}

// findings/onnxruntime-1.32-*.sh have what ONNX Runtime computes of these.
TEST(Evaluate, ValuesThatOnnxRuntimeDoesNotGive) {
  ConstantModel powers;
  powers.intTensor("base", {3, (int64_t(1) << 53) + 1});
  powers.intTensor("exponent", {39, 1});
  powers.node("Pow", {"base", "exponent"}, {"power"});
  powers.intTensor("exact", {4052555153018976267, (int64_t(1) << 53) + 1});
  powers.node("Sub", {"power", "exact"}, {"r"});
  EXPECT_EQ(powers.compute(), (Doubles{0, 0}));
  // The middle half of eight elements, as eight.
  ConstantModel crop;
  crop.tensor("c", {1, 8}, {0, 1, 2, 3, 4, 5, 6, 7});
  crop.tensor("roi", {4}, {0, 0.25, 1, 0.75});
  crop.intTensor("sizes", {1, 8});
  onnx::NodeProto &resize = crop.node("Resize", {"c", "roi", "", "sizes"}, {"r"});
  OnnxBuilder::text(resize, "mode", "linear");
  OnnxBuilder::text(resize, "coordinate_transformation_mode", "tf_crop_and_resize");
  EXPECT_EQ(crop.compute(), (Doubles{1.75, 2.25, 2.75, 3.25, 3.75, 4.25, 4.75, 5.25}));
  // A stride longer than the window needs no padding, and takes none away.
  for (const char *op : {"MaxPool", "AveragePool", "Conv"})
    for (const char *padding : {"SAME_UPPER", "SAME_LOWER"}) {
      ConstantModel pool;
      pool.tensor("c", {1, 1, 9}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
      pool.tensor("w", {1, 1, 1}, {1});
      onnx::NodeProto &node =
          op == llvm::StringRef("Conv") ? pool.node(op, {"c", "w"}, {"r"}) : pool.node(op, {"c"}, {"r"});
      OnnxBuilder::ints(node, "kernel_shape", {1});
      OnnxBuilder::ints(node, "strides", {5});
      OnnxBuilder::text(node, "auto_pad", padding);
      EXPECT_EQ(pool.compute(), (Doubles{1, 6})) << op << ' ' << padding;
    }
  ConstantModel tail;
  tail.tensor("c", {3}, {-20, -17, -16});
  tail.node("Sigmoid", {"c"}, {"s"});
  tail.node("Log", {"s"}, {"r"});
  const Doubles logs = tail.compute();
  ASSERT_EQ(logs.size(), 3u);
  EXPECT_NEAR(logs[0], -20, 1e-5);
  EXPECT_NEAR(logs[1], -17, 1e-5);
  EXPECT_NEAR(logs[2], -16, 1e-5);
}
