//===- EvaluateTest.cpp - What is computed of constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What the cases of test/operators do not cover: types, limits, graphs inside nodes, and what is refused.

#include "OnnxBuilder.h"
#include "TestUtils.h"

#include <limits>
#include <map>
#include <variant>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

using Doubles = std::vector<double>;
using Onnx = onnx::TensorProto;

namespace {
/// Imports and runs a model whose result `r` is a constant: as floats, in a row, added to a zero of the image.
class ConstantModel : public OnnxBuilder {
public:
  explicit ConstantModel(int64_t opset = 20) : OnnxBuilder(opset) {}

  Doubles compute() {
    finish();
    Session session;
    std::string path = write();
    OwningOpRef<ModuleOp> module = session.import(path);
    llvm::sys::fs::remove(path);
    EXPECT_TRUE(module) << session.messages;
    return module ? run(*module, {1, 1, 2, 4}, std::vector<float>(8, 0)) : Doubles();
  }

  std::string refusal() {
    finish();
    Session session;
    std::string path = write();
    EXPECT_FALSE(session.import(path)) << "was accepted";
    llvm::sys::fs::remove(path);
    return session.messages;
  }

  onnx::TensorProto &typed(const std::string &name, int type, std::vector<int64_t> shape, std::vector<int64_t> values) {
    onnx::TensorProto &tensor = OnnxBuilder::tensor(name, shape, {});
    tensor.set_data_type(type);
    for (int64_t value : values) {
      if (type == Onnx::INT64)
        tensor.add_int64_data(value);
      else if (type == Onnx::UINT64 || type == Onnx::UINT32)
        tensor.add_uint64_data(static_cast<uint64_t>(value));
      else
        tensor.add_int32_data(static_cast<int32_t>(value));
    }
    return tensor;
  }

  void cast(const std::string &from, const std::string &to, int type) {
    OnnxBuilder::integer(node("Cast", {from}, {to}), "to", type);
  }

private:
  void finish() {
    cast("r", "y.float", Onnx::FLOAT);
    intTensor("y.row", {-1});
    node("Reshape", {"y.float", "y.row"}, {"y.flat"});
    intTensor("y.first", {0});
    node("Reshape", {"x", "y.row"}, {"y.pixels"});
    node("Gather", {"y.pixels", "y.first"}, {"y.zero"});
    node("Add", {"y.zero", "y.flat"}, {"y"});
  }
};

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

#define EXPECT_SAYS(model, text)                                                                                       \
  do {                                                                                                                 \
    std::string messages = (model).refusal();                                                                          \
    EXPECT_NE(messages.find(text), std::string::npos) << messages;                                                     \
  } while (false)

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
  EXPECT_SAYS(resize, "node '/r': Resize: the result is empty or too large, or has a negative size");
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
// What is refused
//===----------------------------------------------------------------------===//

namespace {
/// A node on constants named after what they are, and what is said about it.
struct Refusal {
  std::string op;
  std::vector<std::string> inputs;
  std::string text;
  std::map<std::string, std::variant<int64_t, std::vector<int64_t>, std::string, float>> attributes = {};
  int64_t opset = 20;
};

void addConstants(ConstantModel &m) {
  m.tensor("f", {}, {1});
  m.tensor("f3", {3}, {1, 2, 3});
  m.tensor("f23", {2, 3}, {1, 2, 3, 4, 5, 6});
  m.tensor("f1422", {1, 4, 2, 2}, std::vector<float>(16, 1));
  m.tensor("empty", {0}, {});
  m.intTensor("i", {1}, true);
  m.intTensor("i0", {0}, true);
  m.intTensor("i9", {9}, true);
  m.intTensor("i1", {1});
  m.intTensor("i3", {0, 1, 9});
  m.typed("i12", Onnx::INT64, {1, 2}, {0, 0});
  m.typed("i13", Onnx::INT64, {1, 3}, {0, 0, 0});
  m.typed("u", Onnx::UINT8, {}, {1});
  m.boolTensor("b", {}, {true});
  m.boolTensor("b3", {3}, {true, false, true});
}
} // namespace

TEST(Evaluate, RefusesWhatHasNoMeaning) {
  using Ints = std::vector<int64_t>;
  const std::string equation = "equation";
  const std::vector<Refusal> refusals = {
      {"Sin", {"i"}, "Sin: expects floats, not int64"},
      {"BitwiseNot", {"f"}, "BitwiseNot: expects integers, not float"},
      {"Gelu", {"f"}, "approximation 'rough' is unknown", {{"approximate", "rough"}}},
      {"Gelu", {"i"}, "Gelu: expects floats, not int64"},
      {"Not", {"f"}, "Not: expects booleans"},
      {"IsInf", {"i"}, "IsInf: expects floats"},
      {"Add", {"f", "i"}, "operands are float and int64"},
      {"Add", {"b", "b"}, "is no function of bool"},
      {"BitwiseAnd", {"f", "f"}, "is no function of float"},
      {"And", {"f", "f"}, "expects booleans, not float"},
      {"Mod", {"f", "f"}, "of floats needs the attribute fmod = 1"},
      {"Div", {"i", "i0"}, "no integer result of 1 and 0"},
      {"Mean", {"i", "i"}, "Mean: expects floats, not int64"},
      {"BitShift", {"u", "u"}, "expects unsigned integers and a direction, LEFT or RIGHT"},
      {"Where", {"f", "f", "f"}, "the condition must be booleans"},
      {"Clip", {"f", "i"}, "input 'min' must be one float"},
      {"ReduceL2", {"b3"}, "ReduceL2: is no function of bool"},
      {"ArgMax", {"empty"}, "the axis is empty"},
      {"TopK", {"f3", "i9"}, "cannot take 9 of 3 elements"},
      {"TopK", {"f3", "f"}, "input 'K' must be one integer"},
      {"CumSum", {"b3", "i0"}, "CumSum: is no function of bool"},
      {"GatherElements", {"f3", "f3"}, "indices must be integers, not float"},
      {"GatherElements", {"f23", "i1"}, "the indices' shape does not fit the data's"},
      {"GatherElements", {"f3", "i3"}, "index 9 is outside an axis of 3"},
      {"GatherND", {"f23", "i1"}, "data and indices must have equal batch axes and one more", {{"batch_dims", 1}}},
      {"GatherND", {"f23", "i13"}, "tuples of 3 indices do not fit data of rank 2"},
      {"Compress", {"f23", "b3"}, "the condition must be a vector of booleans no longer than the axis", {{"axis", 0}}},
      {"ScatterND", {"f23", "i12", "i"}, "updates are int64, the data float"},
      {"ScatterND", {"f23", "i12", "f"}, "the updates' shape is not that of the slices"},
      {"ScatterND", {"f23", "i12", "f"}, "reduction 'average' is unknown", {{"reduction", "average"}}},
      {"ScatterElements", {"f3", "i1", "f3"}, "the updates' shape is not that of the indices"},
      {"OneHot", {"i", "i", "f"}, "expects numbers, one depth and two values"},
      {"Range", {"i", "f", "i"}, "expects three known numbers of one type"},
      {"Trilu", {"f3"}, "is supported on constants of two or more axes only"},
      {"EyeLike", {"f3"}, "expects a matrix, and a type that is supported"},
      {"Pad", {"f3", "i1"}, "needs two counts for each axis"},
      {"Pad", {"f3", "i1"}, "mode 'mirror' is unknown", {{"mode", "mirror"}}},
      {"Pad", {"f3", "i12v", "i"}, "the value must be one float"},
      {"Pad", {"empty", "i11"}, "an empty tensor has nothing to pad with", {{"mode", "edge"}}},
      {"ReverseSequence", {"f23", "i3"}, "length 9 is outside the time axis"},
      {"ReverseSequence", {"f23", "i1"}, "expects a length for each row, and 0 and 1 as axes of rows and time"},
      {"DepthToSpace",
       {"f1422"},
       "expects [B, C, H, W] with C a multiple of the squared blocksize",
       {{"blocksize", 3}}},
      {"SpaceToDepth", {"f1422"}, "expects [B, C, H, W] with H and W multiples of the blocksize", {{"blocksize", 3}}},
      {"MatMul", {"f23", "f23"}, "cannot multiply matrices of 3 columns and 2 rows"},
      {"MatMul", {"f", "f23"}, "expects matrices"},
      {"MatMul", {"b3", "b3"}, "operands are bool and bool"},
      {"Gemm", {"f23", "f23"}, "cannot multiply matrices of 3 columns and 2 rows"},
      {"Gemm", {"f23", "f23", "f1422"}, "the third operand must broadcast to the product's shape", {{"transB", 1}}},
      {"Einsum", {"f3"}, "the equation has 2 terms for 1 inputs", {{equation, "a,b"}}},
      {"Einsum", {"f3"}, "term 'ab' does not fit an input of rank 1", {{equation, "ab->a"}}},
      {"Einsum", {"f3"}, "cannot read the equation", {{equation, "a->1"}}},
      {"Einsum", {"f23"}, "sizes 2 and 3 of one label differ", {{equation, "aa->a"}}},
      {"Einsum", {"f3"}, "the equation's result has an axis that no term has, or one twice", {{equation, "a->b"}}},
      {"Conv", {"f1422", "f1422"}, "the weight or bias does not fit the input", {{"group", 3}}},
      {"Conv", {"f1422", "f3"}, "expects a weight of rank 3 or more"},
      {"Conv", {"f23", "f1422"}, "expects batch, channels and as many axes as its window has"},
      {"MaxPool", {"f1422"}, "the window is larger than the image", {{"kernel_shape", Ints{3, 3}}}},
      {"MaxPool",
       {"f1422"},
       "has unusable strides, dilations, pads or groups",
       {{"kernel_shape", Ints{1, 1}}, {"pads", Ints{-1, 0, 0, 0}}}},
      {"MaxPool", {"f1422"}, "auto_pad 'SOME' is not supported", {{"kernel_shape", Ints{1, 1}}, {"auto_pad", "SOME"}}},
      {"AveragePool", {"f3"}, "expects rank 3 or more"},
      {"Softmax", {"i3"}, "Softmax: expects floats, not int64"},
      {"LayerNormalization", {"f3", "f23"}, "scale and bias must broadcast to the input's shape"},
      {"BatchNormalization", {"f23", "f", "f", "f", "f"}, "needs a number for each of 3 channels"},
      {"BatchNormalization", {"f3", "f", "f", "f", "f"}, "expects batch and channels"},
      {"BatchNormalization", {"f23", "f", "f", "f", "f"}, "is in training mode", {{"training_mode", 1}}},
      {"InstanceNormalization", {"f23", "f1422", "f"}, "groups, scale or bias do not fit 3 channels"},
      {"LpNormalization", {"f3"}, "only the norms 1 and 2 exist", {{"p", 3}}},
      {"Upsample", {"f3", "f"}, "opset 20 has no operator Upsample, which ended with 9"},
      {"Resize", {"f3", "", "f"}, "mode 'round' is not supported", {{"mode", "round"}}},
      {"Resize", {"f3", "", "f"}, "nearest_mode 'any' is not supported", {{"nearest_mode", "any"}}},
      {"Resize",
       {"f3", "", "f"},
       "keep_aspect_ratio_policy 'never' is not supported",
       {{"keep_aspect_ratio_policy", "never"}}},
      {"Resize",
       {"f3", "", "f"},
       "coordinate_transformation_mode 'polar' is not supported",
       {{"coordinate_transformation_mode", "polar"}}},
      {"Resize",
       {"f3", "f", "f"},
       "needs a known region, two numbers for each axis",
       {{"coordinate_transformation_mode", "tf_crop_and_resize"}}},
      {"Resize",
       {"f3", "f", "f"},
       "antialias is not supported with tf_crop_and_resize",
       {{"coordinate_transformation_mode", "tf_crop_and_resize"}, {"antialias", 1}}},
      {"Resize", {"f3", "", "f3"}, "needs known sizes, or one known scale for each axis"},
      {"Resize", {"f3", "", "", "i3"}, "needs one size for each axis"},
      {"Resize", {"f23", "", "", "i3"}, "axis 0 is given twice", {{"axes", Ints{0, 0}}}},
      {"Resize", {"empty", "", "f"}, "the input is empty"},
      {"Resize", {"b3", "", "f2v"}, "is no function of bool"},
  };
  for (const Refusal &refusal : refusals) {
    SCOPED_TRACE(refusal.op + ": " + refusal.text);
    ConstantModel m(refusal.opset);
    addConstants(m);
    m.intTensor("i12v", {0, 1});
    m.intTensor("i11", {1, 1});
    m.tensor("f2v", {1}, {2});
    onnx::NodeProto &node = m.node(refusal.op, refusal.inputs, {"r"});
    for (const auto &[name, value] : refusal.attributes) {
      if (const auto *number = std::get_if<int64_t>(&value))
        OnnxBuilder::integer(node, name, *number);
      else if (const auto *list = std::get_if<Ints>(&value))
        OnnxBuilder::ints(node, name, *list);
      else if (const auto *text = std::get_if<std::string>(&value))
        OnnxBuilder::text(node, name, *text);
    }
    EXPECT_SAYS(m, refusal.text);
  }
}

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
