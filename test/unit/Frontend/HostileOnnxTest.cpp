//===- HostileOnnxTest.cpp - Files that lie -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every file here must give an error that names it, and nothing else: no
// crash, hang or large allocation.

#include "OnnxBuilder.h"
#include "TestUtils.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static std::string messagesOf(const std::string &path) {
  Session session;
  OwningOpRef<ModuleOp> module = session.import(path);
  EXPECT_FALSE(module) << "was accepted";
  EXPECT_NE(session.messages.find(path + ": "), std::string::npos) << session.messages;
  llvm::sys::fs::remove(path);
  return session.messages;
}

#define EXPECT_REFUSED(builder, text)                                                                                  \
  do {                                                                                                                 \
    std::string messages = messagesOf((builder).write());                                                              \
    EXPECT_NE(messages.find(text), std::string::npos) << messages;                                                     \
  } while (false)

TEST(HostileOnnx, NoFileNoModel) {
  Session session;
  EXPECT_FALSE(session.import("/nonexistent/model.onnx"));
  EXPECT_NE(session.messages.find("/nonexistent/model.onnx: cannot be read"), std::string::npos) << session.messages;
  messagesOf(OnnxBuilder::writeBytes(""));
  messagesOf(OnnxBuilder::writeBytes("not a model"));
  messagesOf(OnnxBuilder::writeBytes(std::string(1000, '\0')));
}

TEST(HostileOnnx, Cycle) {
  OnnxBuilder b;
  b.node("Relu", {"y"}, {"a"});
  b.node("Add", {"x", "a"}, {"y"});
  EXPECT_REFUSED(b, "depends on its own result");
}

TEST(HostileOnnx, DefinedTwice) {
  OnnxBuilder b;
  b.node("Relu", {"x"}, {"y"});
  b.node("Tanh", {"x"}, {"y"});
  EXPECT_REFUSED(b, "a second time");
}

TEST(HostileOnnx, WrongAttributeType) {
  OnnxBuilder b;
  OnnxBuilder::real(b.node("Softmax", {"x"}, {"y"}), "axis", 1.0f);
  EXPECT_REFUSED(b, "node '/y': Softmax: attribute 'axis' has a wrong type");
}

TEST(HostileOnnx, SizesOfTensors) {
  for (std::vector<int64_t> shape :
       {std::vector<int64_t>{-1}, {int64_t(1) << 40}, {int64_t(1) << 32, int64_t(1) << 32}, {0, int64_t(1) << 62}}) {
    OnnxBuilder b;
    b.tensor("c", shape, {1});
    b.node("Add", {"x", "c"}, {"y"});
    EXPECT_REFUSED(b, "tensor 'c' has a negative or absurd size");
  }
  OnnxBuilder b;
  b.tensor("c", {1 << 20, 1 << 10}, {1, 2, 3});
  b.node("Add", {"x", "c"}, {"y"});
  EXPECT_REFUSED(b, "tensor 'c' has 3 elements of data, its shape needs 1073741824");
}

TEST(HostileOnnx, ShortRawData) {
  OnnxBuilder b;
  auto &tensor = b.tensor("c", {4}, {});
  tensor.set_raw_data("1234567");
  b.node("Add", {"x", "c"}, {"y"});
  EXPECT_REFUSED(b, "tensor 'c' has 7 bytes of data, its shape needs 16");
}

TEST(HostileOnnx, AbsurdShapesOfResults) {
  {
    OnnxBuilder b;
    b.intTensor("shape", {int64_t(1) << 31, int64_t(1) << 31, int64_t(1) << 31});
    b.node("ConstantOfShape", {"shape"}, {"c"});
    b.node("Add", {"x", "c"}, {"y"});
    EXPECT_REFUSED(b, "too large");
  }
  {
    OnnxBuilder b;
    b.intTensor("shape", {int64_t(1) << 40, 1, 2, 4});
    b.node("Expand", {"x", "shape"}, {"y"});
    EXPECT_REFUSED(b, "absurd size");
  }
  {
    OnnxBuilder b;
    b.intTensor("shape", {std::numeric_limits<int64_t>::min(), -1});
    b.node("Reshape", {"x", "shape"}, {"y"});
    EXPECT_REFUSED(b, "negative or absurd size");
  }
  {
    OnnxBuilder b;
    b.intTensor("pads", {0, 0, 0, 0, int64_t(1) << 30, int64_t(1) << 30, 0, 0});
    b.node("Pad", {"x", "pads"}, {"y"});
    EXPECT_REFUSED(b, "too large");
  }
  {
    OnnxBuilder b;
    b.intTensor("repeats", {4000, 4000, 4000, 4000});
    b.node("Tile", {"x", "repeats"}, {"y"});
    EXPECT_REFUSED(b, "too large");
  }
}

TEST(HostileOnnx, AxesAndIndices) {
  for (int64_t axis : {int64_t(4), int64_t(-5), std::numeric_limits<int64_t>::min()}) {
    OnnxBuilder b(18);
    b.intTensor("axes", {axis});
    b.node("ReduceMean", {"x", "axes"}, {"y"});
    EXPECT_REFUSED(b, "is outside a tensor of rank 4");
  }
  OnnxBuilder b;
  b.intTensor("i", {std::numeric_limits<int64_t>::max()});
  b.node("Gather", {"x", "i"}, {"y"});
  EXPECT_REFUSED(b, "is outside an axis of 1");
  OnnxBuilder c;
  OnnxBuilder::ints(c.node("Transpose", {"x"}, {"y"}), "perm", {0, 1, 2, std::numeric_limits<int64_t>::max()});
  EXPECT_REFUSED(c, "is not a permutation");
}

TEST(HostileOnnx, Convolution) {
  for (std::vector<int64_t> strides :
       {std::vector<int64_t>{0, 1}, {-1, 1}, {std::numeric_limits<int64_t>::max(), 1}, {1}}) {
    OnnxBuilder b;
    b.tensor("w", {1, 1, 1, 1}, {1});
    OnnxBuilder::ints(b.node("Conv", {"x", "w"}, {"y"}), "strides", strides);
    EXPECT_REFUSED(b, "unusable strides");
  }
  OnnxBuilder b;
  b.tensor("w", {1, 1, 9, 9}, std::vector<float>(81, 1));
  b.node("Conv", {"x", "w"}, {"y"});
  EXPECT_REFUSED(b, "the result is empty: a kernel of 9 with dilation 1 reaches over 9 elements of axis 2");
}

TEST(HostileOnnx, ConvolutionsThatDoNotFit) {
  using Ints = std::vector<int64_t>;
  struct Case {
    Ints weight;
    const char *attribute;
    Ints values;
    const char *text;
  };
  for (const Case &c : std::vector<Case>{
           {{1, 1, 1, 1},
            "pads",
            {0, 2, 0, 0},
            "pads [0, 2, 0, 0] are larger than the kernel, which reaches over 1 elements of axis 3: windows would see "
            "nothing "
            "but padding; pad the result instead"},
           {{1, 1, 1, 1},
            "strides",
            {9, 9},
            "stride 9 is beyond the 2 elements of axis 2 with its padding; give the model a larger input (--shape), or "
            "export "
            "it with a stride of the kernel's size at most"},
           {{1, 1, 1, 1}, "kernel_shape", {3, 3}, "kernel_shape [3, 3] is not the weight's, [1, 1]"},
           {{1, 1, 2, 2},
            "dilations",
            {1 << 24, 1},
            "the result is empty: a kernel of 2 with dilation 16777216 reaches over 16777217 elements of axis 2, which "
            "has 2 and "
            "0 of padding; give the model a larger input (--shape)"},
           {{1, 1, 2, 2}, "dilations", {(1 << 24) + 1, 1}, "dilations [16777217, 1] must be 2 numbers from 1 to 2^24"},
           {{1, 2, 1, 1}, "pads", {0, 0, 0, 0}, "1 groups do not divide 1 input and 1 output channels"},
           {{1, 1, 1}, "pads", {0, 0, 0, 0}, "the input has rank 4, the weight 3"}}) {
    OnnxBuilder b;
    int64_t count = 1;
    for (int64_t size : c.weight)
      count *= size;
    b.tensor("w", c.weight, std::vector<float>(count, 1));
    OnnxBuilder::ints(b.node("Conv", {"x", "w"}, {"y"}), c.attribute, c.values);
    EXPECT_REFUSED(b, c.text);
  }
  OnnxBuilder b;
  b.tensor("w", {1, 1, 1, 1}, {1});
  OnnxBuilder::integer(b.node("Conv", {"x", "w"}, {"y"}), "group", 3);
  EXPECT_REFUSED(b, "3 groups do not divide");
  OnnxBuilder c;
  c.tensor("w", {1, 1, 1, 1}, {1});
  OnnxBuilder::text(c.node("Conv", {"x", "w"}, {"y"}), "auto_pad", "SAME");
  EXPECT_REFUSED(c, "auto_pad 'SAME' is not supported");
  OnnxBuilder d;
  d.node("Conv", {"x", "x"}, {"y"});
  EXPECT_REFUSED(d, "the weight must be a constant");
}

TEST(HostileOnnx, TransposedConvolutions) {
  using Ints = std::vector<int64_t>;
  struct Case {
    const char *attribute;
    Ints values;
    const char *text;
  };
  for (const Case &c :
       std::vector<Case>{{"pads", {9, 9, 9, 9}, "the result is empty: pads [9, 9, 9, 9] take all of the"},
                         {"kernel_shape", {3, 3}, "kernel_shape [3, 3] is not the weight's, [1, 1]"},
                         {"output_shape", {0, 3}, "output_shape [0, 3] must be 2 positive numbers"},
                         {"strides", {0, 3}, "strides [0, 3] must be 2 numbers from 1 to 2^24"},
                         {"output_padding",
                          {0, 1},
                          "output_padding [0, 1] must be less than the stride or the dilation, which are 1 and 1 on "
                          "axis 3"}}) {
    OnnxBuilder b;
    b.tensor("w", {1, 1, 1, 1}, {1});
    OnnxBuilder::ints(b.node("ConvTranspose", {"x", "w"}, {"y"}), c.attribute, c.values);
    EXPECT_REFUSED(b, c.text);
  }
  OnnxBuilder b;
  b.tensor("w", {1, 1, 1, 1}, {1});
  OnnxBuilder::integer(b.node("ConvTranspose", {"x", "w"}, {"y"}), "group", 2);
  EXPECT_REFUSED(b, "2 groups do not divide 1 input channels for the weight [1, 1, 1, 1]");
  OnnxBuilder c;
  c.tensor("w", {1, 1, 1, 1}, {1});
  c.node("ConvTranspose", {"x", "w", "x"}, {"y"});
  EXPECT_REFUSED(c, "the bias must be a constant");
  OnnxBuilder d;
  d.tensor("w", {1, 1, 1, 1}, {1});
  auto &cut = d.node("ConvTranspose", {"x", "w"}, {"y"});
  OnnxBuilder::ints(cut, "pads", {0, 4, 0, 0});
  OnnxBuilder::ints(cut, "dilations", {2, 2});
  OnnxBuilder::ints(cut, "output_padding", {0, 1});
  EXPECT_REFUSED(d, "pads [0, 4, 0, 0] take all of the input [1, 2, 4, 1]");
}

TEST(HostileOnnx, IntegerDivisionByZero) {
  OnnxBuilder b;
  b.intTensor("a", {1});
  b.intTensor("zero", {0});
  b.node("Div", {"a", "zero"}, {"c"});
  b.node("Reshape", {"x", "c"}, {"y"});
  EXPECT_REFUSED(b, "no integer result of 1 and 0");
}

TEST(HostileOnnx, InputsOfTheModel) {
  OnnxBuilder none;
  none.graph().clear_input();
  none.node("Relu", {"x"}, {"y"});
  EXPECT_REFUSED(none, "must have one input, an image; found none");
  OnnxBuilder two;
  OnnxBuilder::addValue(two.graph().add_input(), "mask", {1, 4});
  two.node("Add", {"x", "mask"}, {"y"});
  EXPECT_REFUSED(two, "found 'x' (float, rank 4), 'mask' (float, rank 2)");
  OnnxBuilder constant;
  constant.tensor("c", {1, 2}, {1, 2});
  constant.node("Relu", {"c"}, {"y"});
  EXPECT_REFUSED(constant, "the output 'y' does not depend on the image");
  OnnxBuilder open(17, {1, 3, 0, 4});
  open.node("Relu", {"x"}, {"y"});
  EXPECT_REFUSED(open, "the height axis ('open') of input 'x' has no size and the weights do not give it");
}

TEST(HostileOnnx, BooleansThatDependOnTheImage) {
  OnnxBuilder b;
  b.node("IsNaN", {"x"}, {"n"});
  OnnxBuilder::integer(b.node("Cast", {"n"}, {"y"}), "to", 1);
  EXPECT_REFUSED(b, "node '/y': Cast: reads booleans that depend on the image; only a Where may choose by them");
  OnnxBuilder c;
  c.node("IsNaN", {"x"}, {"y"});
  EXPECT_REFUSED(c, "the output 'y' is no float");
  OnnxBuilder trilu;
  trilu.node("Trilu", {"x"}, {"y"});
  EXPECT_REFUSED(trilu, "node '/y': Trilu: is supported on constants only");
}

TEST(HostileOnnx, WindowsAndPadding) {
  OnnxBuilder deep;
  deep.intTensor("shape", {1, 1, 2, 2, 2});
  deep.node("Reshape", {"x", "shape"}, {"r"});
  OnnxBuilder::ints(deep.node("MaxPool", {"r"}, {"y"}), "kernel_shape", {1, 1, 1});
  EXPECT_REFUSED(deep, "is supported on one or two axes behind batch and channels; the input has rank 5");
  OnnxBuilder indices;
  OnnxBuilder::ints(indices.node("MaxPool", {"x"}, {"y", "i"}), "kernel_shape", {1, 1});
  indices.graph().mutable_output(0)->set_name("i");
  EXPECT_REFUSED(indices, "gives indices, which are not supported");
  OnnxBuilder wide;
  auto &pool = wide.node("AveragePool", {"x"}, {"y"});
  OnnxBuilder::ints(pool, "kernel_shape", {1 << 20, 1});
  OnnxBuilder::ints(pool, "pads", {(1 << 20) - 1, 0, (1 << 20) - 1, 0});
  EXPECT_REFUSED(wide, "gives a map of more than 16384 rows or columns");
  OnnxBuilder mirror(19);
  mirror.intTensor("pads", {0, 0, 0, 0, 0, 0, 2, 0});
  OnnxBuilder::text(mirror.node("Pad", {"x", "pads"}, {"y"}), "mode", "reflect");
  EXPECT_REFUSED(mirror, "reflects more elements than axis 2 of size 2 has");
  OnnxBuilder mode(19);
  mode.intTensor("pads", {0, 0, 0, 0, 0, 0, 1, 0});
  OnnxBuilder::text(mode.node("Pad", {"x", "pads"}, {"y"}), "mode", "mirror");
  EXPECT_REFUSED(mode, "mode 'mirror' is not supported");
  OnnxBuilder number(19);
  number.intTensor("pads", {0, 0, 0, 0, 0, 0, 1, 0});
  number.tensor("c", {}, {INFINITY});
  number.node("Pad", {"x", "pads", "c"}, {"y"});
  EXPECT_REFUSED(number, "only padding with a known finite number is supported");
  OnnxBuilder large(19);
  large.intTensor("pads", {0, 0, 0, 0, 1 << 20, 1 << 20, 1 << 20, 0});
  large.node("Pad", {"x", "pads"}, {"y"});
  EXPECT_REFUSED(large, "the result is too large");
}

TEST(HostileOnnx, ParametersOfFunctions) {
  OnnxBuilder infinite;
  OnnxBuilder::real(infinite.node("LeakyRelu", {"x"}, {"y"}), "alpha", INFINITY);
  EXPECT_REFUSED(infinite, "attribute 'alpha' must be finite");
  OnnxBuilder celu;
  OnnxBuilder::real(celu.node("Celu", {"x"}, {"y"}), "alpha", 0);
  EXPECT_REFUSED(celu, "attribute 'alpha' must be positive");
  OnnxBuilder slope;
  slope.node("Relu", {"x"}, {"s"});
  slope.node("PRelu", {"x", "s"}, {"y"});
  EXPECT_REFUSED(slope, "the slope must be a constant of floats");
  OnnxBuilder shape;
  shape.tensor("s", {3, 1, 1}, {1, 2, 3});
  shape.node("PRelu", {"x", "s"}, {"y"});
  EXPECT_REFUSED(shape, "the slope must broadcast to the input's shape");
  OnnxBuilder two;
  two.node("Relu", {"x"}, {"r"});
  two.node("Max", {"x", "r"}, {"y"});
  EXPECT_REFUSED(two, "is supported of one value and numbers only");
}

TEST(HostileOnnx, ResizeOfTheImage) {
  OnnxBuilder b;
  b.intTensor("sizes", {1, 3, 4, 8});
  b.node("Resize", {"x", "", "", "sizes"}, {"y"});
  EXPECT_REFUSED(b, "node '/y': Resize: resizes axis 1, batch or channels, which is supported on constants only");
  OnnxBuilder crop;
  crop.intTensor("sizes", {1, 1, 4, 8});
  crop.tensor("region", {8}, {0, 0, 0, 0, 1, 1, 1, 1});
  auto &node = crop.node("Resize", {"x", "region", "", "sizes"}, {"y"});
  OnnxBuilder::text(node, "coordinate_transformation_mode", "tf_crop_and_resize");
  EXPECT_REFUSED(crop, "is supported on maps [B, C, H, W], without tf_crop_and_resize, and on constants");
  for (int64_t size : {int64_t(0), int64_t(-1), int64_t(1) << 40}) {
    OnnxBuilder c;
    c.tensor("c", {2, 4}, std::vector<float>(8, 1));
    c.intTensor("sizes", {2, size});
    c.node("Resize", {"c", "", "", "sizes"}, {"r"});
    c.node("Add", {"x", "r"}, {"y"});
    EXPECT_REFUSED(c, "the result is empty or too large, or has a negative size");
  }
}

TEST(HostileOnnx, AllUnsupportedOperatorsAtOnce) {
  OnnxBuilder b;
  b.node("LSTM", {"x"}, {"a"});
  b.node("LSTM", {"a"}, {"b"});
  b.node("Foo", {"b"}, {"y"}).set_domain("my.domain");
  std::string messages = messagesOf(b.write());
  EXPECT_NE(messages.find("unsupported operator LSTM, 2 times: /a, /b"), std::string::npos) << messages;
  EXPECT_NE(messages.find("unsupported operator my.domain::Foo, 1 time: /y"), std::string::npos) << messages;
}

TEST(HostileOnnx, DamagedBytes) {
  OnnxBuilder b;
  b.tensor("w", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  b.tensor("g", {2}, {1, 2});
  b.intTensor("shape", {0, -1});
  b.intTensor("starts", {0});
  b.intTensor("ends", {1});
  b.node("MatMul", {"x", "w"}, {"m"});
  b.node("LayerNormalization", {"m", "g", "g"}, {"n"});
  b.node("Slice", {"n", "starts", "ends", "starts"}, {"s"});
  b.node("Reshape", {"s", "shape"}, {"y"});
  std::string good = b.model.SerializeAsString();
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 3; ++i)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    std::string path = OnnxBuilder::writeBytes(bytes);
    Session session;
    OwningOpRef<ModuleOp> module = session.import(path); // either way, but quietly
    if (module)
      session.recover(*module, false);
    else
      EXPECT_NE(session.messages, "");
    llvm::sys::fs::remove(path);
  }
}
