//===- RefusedOpsTest.cpp - Operators with what they do not support -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantModel.h"

#include <map>
#include <variant>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

using Ints = std::vector<int64_t>;
using Onnx = onnx::TensorProto;

namespace {
/// A node on constants named after what they are, and what is said about it.
struct Refusal {
  std::string op;
  std::vector<std::string> inputs;
  std::string text;
  std::map<std::string, std::variant<int64_t, Ints, std::string, float>> attributes = {};
  int64_t opset = 20;

  void addNode(OnnxBuilder &model, const std::string &output) const {
    onnx::NodeProto &node = model.node(op, inputs, {output});
    if (const size_t colons = op.find("::"); colons != std::string::npos) {
      node.set_domain(op.substr(0, colons));
      node.set_op_type(op.substr(colons + 2));
    }
    for (const auto &[name, value] : attributes) {
      if (const auto *number = std::get_if<int64_t>(&value))
        OnnxBuilder::integer(node, name, *number);
      else if (const auto *list = std::get_if<Ints>(&value))
        OnnxBuilder::ints(node, name, *list);
      else if (const auto *text = std::get_if<std::string>(&value))
        OnnxBuilder::text(node, name, *text);
      else
        OnnxBuilder::real(node, name, std::get<float>(value));
    }
  }
};

void addConstants(ConstantModel &m) {
  m.tensor("f", {}, {1});
  m.tensor("f3", {3}, {1, 2, 3});
  m.tensor("f23", {2, 3}, {1, 2, 3, 4, 5, 6});
  m.tensor("f1422", {1, 4, 2, 2}, std::vector<float>(16, 1));
  m.tensor("f1122", {1, 1, 2, 2}, {1, 2, 3, 4});
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

TEST(RefusedOps, OfConstants) {
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
      {"ConvTranspose", {"f1422", "f1422"}, "the weight or bias does not fit the input"},
      {"ConvTranspose",
       {"f1122", "f1122"},
       "has unusable strides, dilations, pads or groups",
       {{"strides", Ints{0, 1}}}},
      {"ConvTranspose", {"f1122", "f1122"}, "pads take all of the result", {{"pads", Ints{2, 0, 2, 0}}}},
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
    refusal.addNode(m, "r");
    EXPECT_SAYS(m, refusal.text);
  }
}

//===----------------------------------------------------------------------===//
// Of the image
//===----------------------------------------------------------------------===//

namespace {
/// What is said about a model of the image `x` [1, 1, 2, 4].
std::string refusalOf(OnnxBuilder &model) {
  Session session;
  std::string path = model.write();
  EXPECT_FALSE(session.import(path)) << "was accepted";
  llvm::sys::fs::remove(path);
  return session.messages;
}

void expectRefusal(OnnxBuilder &model, const std::string &text) {
  const std::string messages = refusalOf(model);
  EXPECT_NE(messages.find(text), std::string::npos) << messages;
}
} // namespace

TEST(RefusedOps, OfTheImage) {
  const std::vector<Refusal> refusals = {
      {"Pad", {"x", "i11v", "", "i1"}, "negative pads -1 and 1 leave nothing of axis 1, which has 1 elements"},
      {"Pad", {"x", "i8", "", "i0123"}, "axis -1 is given twice"},
      {"Pad", {"x", "huge", "", "i3a"}, "pads axis 3 with 1099511627776 elements; at most 2147483648 are supported"},
      {"Pad",
       {"x", "wide", "", "i3a"},
       "pads axis 3 with 20000 elements; at most 16384 are supported",
       {{"mode", "edge"}}},
      {"Resize",
       {"x", "", "scales", "sizes"},
       "has both scales and sizes, 4 numbers, which exclude each other; remove one of them"},
      {"Resize",
       {"x", "", "scales"},
       "mode 'bilinear' is not supported; ONNX has nearest, linear and cubic",
       {{"mode", "bilinear"}}},
      {"Resize",
       {"x", "", "scales"},
       "cubic_coeff_a must be a finite number, not nan",
       {{"mode", "cubic"}, {"cubic_coeff_a", std::numeric_limits<float>::quiet_NaN()}}},
      {"Resize",
       {"x", "", "tiny"},
       "the result is empty or too large, or has a negative size: axis 2 of 2 elements is scaled by 0.01"},
      {"Resize",
       {"x", "", "", "minus4"},
       "the result is empty or too large, or has a negative size: axis 2 of 2 elements gets the size -4"},
      {"Conv",
       {"x", "f1122"},
       "has both auto_pad 'VALID' and pads [1, 1, 1, 1], which exclude each other; remove one of them",
       {{"auto_pad", "VALID"}, {"pads", Ints{1, 1, 1, 1}}}},
      {"Pad", {"x", "i8", "x"}, "only padding with a known finite number is supported"},
      {"Conv", {"x", "f1122"}, "kernel_shape [2, 3] is not the weight's, [2, 2]", {{"kernel_shape", Ints{2, 3}}}},
      {"Conv",
       {"x3", "f1122"},
       "only convolutions over one or two axes are supported; the input has rank 3, the weight 4"},
      {"MatMul", {"x", "i4"}, "only products of floats are supported"},
      {"Add", {"x", "i4"}, "mixes the image's floats with integers"},
      {"Add", {"x81", "empty"}, "operand 'empty' is empty"},
      {"Einsum",
       {"x", "x", "x"},
       "is supported for two operands, or on constants",
       {{"equation", "abcd,abcd,abcd->d"}}},
      {"Clip", {"x", "f3"}, "input 'min' must be a known number"},
      {"Cast", {"x"}, "makes the image's data int64, which is not supported", {{"to", Onnx::INT64}}},
      {"BatchNormalization", {"x1", "f", "f", "f", "f"}, "expects a channel axis"},
      {"DynamicQuantizeLinear", {"x"}, "expects three outputs"},
      {"ConstantOfShape", {"i4"}, "attribute 'value' must be one number", {{"value", 1}}},
      {"Reshape", {"x", "i3v"}, "cannot reshape 8 elements to multiples of 3"},
      {"Reshape", {"x", "i00000"}, "size 0 of axis 4 stands for a size that the input does not have"},
      {"Reshape", {"x", "minus"}, "has two open sizes"},
      {"Concat", {"x", "x"}, "has no axis"},
      {"Squeeze", {"x", "i3a"}, "axis 3 has size 4, not 1"},
      {"Unsqueeze", {"x", "i16"}, "the result has too many axes"},
      {"Gather", {"x", "f"}, "indices must be known integers"},
      {"Slice", {"x", "i11v", "i8", "i1", "i1"}, "starts, ends, axes and steps have different lengths"},
      {"Slice", {"x", "i00", "i11", "i33", "i11"}, "axis 3 is given twice, or its step is unusable"},
      {"Tile", {"x", "i1"}, "needs one count for each axis"},
      {"Tile", {"x", "many"}, "repeats axis 3 5000 times, which is not supported"},
  };
  for (const Refusal &refusal : refusals) {
    SCOPED_TRACE(refusal.op + ": " + refusal.text);
    OnnxBuilder b(refusal.opset);
    b.tensor("f", {}, {1});
    b.tensor("f3", {3}, {1, 2, 3});
    b.tensor("f1122", {1, 1, 2, 2}, {1, 2, 3, 4});
    b.tensor("empty", {0}, {});
    b.intTensor("i1", {1});
    b.intTensor("i0123", {0, 1, 3, -1});
    b.intTensor("huge", {int64_t(1) << 40, 0});
    b.intTensor("wide", {0, 20000});
    b.intTensor("sizes", {1, 1, 4, 8});
    b.intTensor("minus4", {1, 1, -4, 8});
    b.tensor("scales", {4}, {1, 1, 2, 2});
    b.tensor("tiny", {4}, {1, 1, 0.01f, 1});
    b.intTensor("i00", {0, 0});
    b.intTensor("i11", {1, 1});
    b.intTensor("i33", {3, 3});
    b.intTensor("i11v", {-1, 1});
    b.intTensor("i3v", {3, -1});
    b.intTensor("i3a", {3});
    b.intTensor("i4", {1, 2, 3, 4});
    b.intTensor("i8", {0, 0, 1, 1, 0, 0, 1, 1});
    b.intTensor("i00000", {0, 0, 0, 0, 0});
    b.intTensor("minus", {-1, -1});
    b.intTensor("many", {1, 1, 1, 5000});
    b.intTensor("i16", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    b.intTensor("flat", {8});
    b.intTensor("three", {1, 2, 4});
    b.intTensor("column", {8, 1});
    b.node("Reshape", {"x", "flat"}, {"x1"});
    b.node("Reshape", {"x", "column"}, {"x81"});
    b.node("Reshape", {"x", "three"}, {"x3"});
    refusal.addNode(b, "y");
    expectRefusal(b, refusal.text);
  }
}

TEST(RefusedOps, OfOnnxRuntime) {
  const std::string attention = "com.microsoft::MultiHeadAttention", rotary = "com.microsoft::RotaryEmbedding",
                    gemm = "com.microsoft::QGemm";
  const std::vector<Refusal> refusals = {
      {attention, {"packed", "", "", "f24"}, "a bias beside packed operands is not supported", {{"num_heads", 2}}},
      {attention,
       {"rows", "rows", "rows", "", "mask", "scores"},
       "a mask of keys beside a bias of the scores is not supported",
       {{"num_heads", 2}}},
      {attention,
       {"rows", "rows", "rows", "", "", "f24"},
       "the bias of the scores must be [B, H, N, M]",
       {{"num_heads", 2}}},
      {rotary, {"rows", "mask", "table", "table"}, "a scale or packed batches are not supported", {{"scale", 2.0f}}},
      {rotary, {"rows", "far", "table", "table"}, "positions lie outside the tables", {{"num_heads", 2}}},
      {rotary, {"rows", "mask", "f24", "f24"}, "positions must be known, and tables matrices", {{"num_heads", 2}}},
      {"com.microsoft::FusedConv", {"x", "kernel", "", "x"}, "a fused sum is not supported"},
      {"MatMulInteger", {"dynamic", "weight", "dynamic.zero", "zeros"}, "has 3 zero points for an axis of 2"},
      {gemm, {"codes", "s", "zero", "weight", "s", "zero"}, "alpha must be 1", {{"alpha", 2.0f}}},
      {gemm, {"codes", "s", "zero", "weight", "s", "zero", "bias"}, "the bias must have one element for each column"},
      {"QLinearConv",
       {"pixels", "s", "zero", "kernels", "scales", "zeros.2", "s", "zero", "bias"},
       "the bias must have an element for each scale of the weight"},
      {"com.microsoft::QLinearSoftmax",
       {"pixels", "s", "zero", "s", "zero"},
       "only softmax over the last axis is supported",
       {{"axis", 1}}},
  };
  for (const Refusal &refusal : refusals) {
    SCOPED_TRACE(refusal.op + ": " + refusal.text);
    OnnxBuilder b(20, {1, 1, 2, 12});
    onnx::OperatorSetIdProto *domain = b.model.add_opset_import();
    domain->set_domain("com.microsoft");
    domain->set_version(1);
    b.tensor("s", {}, {0.5});
    b.tensor("scales", {2}, {0.5, 0.25});
    b.tensor("f24", {24}, std::vector<float>(24, 1));
    b.tensor("scores", {1, 2, 2, 2}, std::vector<float>(8, 1));
    b.tensor("table", {2, 3}, std::vector<float>(6, 1));
    b.tensor("kernel", {1, 1, 1, 1}, {1});
    b.typed("mask", Onnx::INT64, {1, 2}, {1, 0});
    b.typed("far", Onnx::INT64, {1, 2}, {0, 9});
    b.typed("zero", Onnx::UINT8, {}, {128});
    b.typed("zeros.2", Onnx::UINT8, {2}, {128, 128});
    b.typed("zeros", Onnx::UINT8, {3}, {128, 128, 128});
    b.typed("weight", Onnx::UINT8, {12, 2}, std::vector<int64_t>(24, 130));
    b.typed("kernels", Onnx::UINT8, {2, 1, 1, 1}, {1, 2});
    b.typed("bias", Onnx::INT32, {3}, {1, 2, 3});
    b.intTensor("rows.shape", {1, 2, 12});
    b.intTensor("packed.shape", {1, 2, 2, 3, 2});
    b.intTensor("matrix.shape", {2, 12});
    b.node("Reshape", {"x", "rows.shape"}, {"rows"});
    b.node("Reshape", {"x", "packed.shape"}, {"packed"});
    b.node("Reshape", {"x", "matrix.shape"}, {"matrix"});
    b.node("QuantizeLinear", {"matrix", "s", "zero"}, {"codes"});
    b.node("QuantizeLinear", {"x", "s", "zero"}, {"pixels"});
    b.node("DynamicQuantizeLinear", {"matrix"}, {"dynamic", "dynamic.scale", "dynamic.zero"});
    refusal.addNode(b, "y");
    expectRefusal(b, refusal.text);
  }
}

TEST(RefusedOps, MasksThatAreTooLarge) {
  OnnxBuilder b(23, {1, 1, 16400, 1});
  OnnxBuilder::integer(b.node("Attention", {"x", "x", "x"}, {"y"}), "is_causal", 1);
  expectRefusal(b, "the mask is too large");
}
