//===- Opsets.cpp - Which operators an opset has -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Opsets.h"

#include "vitq/Frontend/OnnxImport.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <array>

using namespace llvm;
using namespace vitq::frontend;

namespace {
/// The opsets of ai.onnx in which an operator was introduced or changed, in order; 0 ends
/// the list. From `removed` on, if that is not 0, it is no longer there.
struct Operator {
  StringLiteral name;
  std::array<uint8_t, 10> versions;
  uint8_t removed = 0;
};

/// What the schemas of onnx 1.23 say (onnx.defs.get_all_schemas_with_history()), by name.
// clang-format off
constexpr Operator kOperators[] = {
    {"Abs", {1, 6, 13}},
    {"Acos", {7, 22}},
    {"Acosh", {9, 22}},
    {"Add", {1, 6, 7, 13, 14}},
    {"AffineGrid", {20}},
    {"And", {1, 7}},
    {"ArgMax", {1, 11, 12, 13}},
    {"ArgMin", {1, 11, 12, 13}},
    {"Asin", {7, 22}},
    {"Asinh", {9, 22}},
    {"Atan", {7, 22}},
    {"Atanh", {9, 22}},
    {"Attention", {23, 24, 25}},
    {"AveragePool", {1, 7, 10, 11, 19, 22}},
    {"BatchNormalization", {1, 6, 7, 9, 14, 15}},
    {"Bernoulli", {15, 22}},
    {"BitCast", {26}},
    {"BitShift", {11, 28}},
    {"BitwiseAnd", {18}},
    {"BitwiseNot", {18}},
    {"BitwiseOr", {18}},
    {"BitwiseXor", {18}},
    {"BlackmanWindow", {17}},
    {"Cast", {1, 6, 9, 13, 19, 21, 23, 24, 25, 28}},
    {"CastLike", {15, 19, 21, 23, 24, 25}},
    {"CausalConvWithState", {27}},
    {"Ceil", {1, 6, 13}},
    {"Celu", {12, 28}},
    {"CenterCropPad", {18}},
    {"Clip", {1, 6, 11, 12, 13}},
    {"Col2Im", {18}},
    {"Compress", {9, 11, 28}},
    {"Concat", {1, 4, 11, 13}},
    {"ConcatFromSequence", {11}},
    {"Constant", {1, 9, 11, 12, 13, 19, 21, 23, 24, 25}},
    {"ConstantOfShape", {9, 20, 21, 23, 24, 25}},
    {"Conv", {1, 11, 22}},
    {"ConvInteger", {10}},
    {"ConvTranspose", {1, 11, 22}},
    {"Cos", {7, 22}},
    {"Cosh", {9, 22}},
    {"CumProd", {26}},
    {"CumSum", {11, 14}},
    {"DFT", {17, 20}},
    {"DeformConv", {19, 22}},
    {"DepthToSpace", {1, 11, 13, 28}},
    {"DequantizeLinear", {10, 13, 19, 21, 23, 24, 25, 28}},
    {"Det", {11, 22}},
    {"Div", {1, 6, 7, 13, 14}},
    {"Dropout", {1, 6, 7, 10, 12, 13, 22}},
    {"DynamicQuantizeLinear", {11}},
    {"Einsum", {12, 28}},
    {"Elu", {1, 6, 22}},
    {"Equal", {1, 7, 11, 13, 19}},
    {"Erf", {9, 13}},
    {"Exp", {1, 6, 13}},
    {"Expand", {8, 13}},
    {"EyeLike", {9, 22}},
    {"Flatten", {1, 9, 11, 13, 21, 23, 24, 25}},
    {"Floor", {1, 6, 13}},
    {"GRU", {1, 3, 7, 14, 22}},
    {"Gather", {1, 11, 13}},
    {"GatherElements", {11, 13}},
    {"GatherND", {11, 12, 13}},
    {"Gelu", {20}},
    {"Gemm", {1, 6, 7, 9, 11, 13}},
    {"GlobalAveragePool", {1, 22}},
    {"GlobalLpPool", {1, 2, 22}},
    {"GlobalMaxPool", {1, 22}},
    {"Greater", {1, 7, 9, 13}},
    {"GreaterOrEqual", {12, 16}},
    {"GridSample", {16, 20, 22}},
    {"GroupNormalization", {18, 21}},
    {"HammingWindow", {17}},
    {"HannWindow", {17}},
    {"HardSigmoid", {1, 6, 22}},
    {"HardSwish", {14, 22}},
    {"Hardmax", {1, 11, 13}},
    {"Identity", {1, 13, 14, 16, 19, 21, 23, 24, 25}},
    {"If", {1, 11, 13, 16, 19, 21, 23, 24, 25}},
    {"ImageDecoder", {20}},
    {"InstanceNormalization", {1, 6, 22}},
    {"IsInf", {10, 20}},
    {"IsNaN", {9, 13, 20}},
    {"LRN", {1, 13}},
    {"LSTM", {1, 7, 14, 22}},
    {"LayerNormalization", {17}},
    {"LeakyRelu", {1, 6, 16}},
    {"Less", {1, 7, 9, 13}},
    {"LessOrEqual", {12, 16}},
    {"LinearAttention", {27}},
    {"Log", {1, 6, 13}},
    {"LogSoftmax", {1, 11, 13}},
    {"Loop", {1, 11, 13, 16, 19, 21, 23, 24, 25}},
    {"LpNormalization", {1, 22}},
    {"LpPool", {1, 2, 11, 18, 22}},
    {"MatMul", {1, 9, 13}},
    {"MatMulInteger", {10}},
    {"Max", {1, 6, 8, 12, 13}},
    {"MaxPool", {1, 8, 10, 11, 12, 22}},
    {"MaxRoiPool", {1, 22}},
    {"MaxUnpool", {9, 11, 22}},
    {"Mean", {1, 6, 8, 13}},
    {"MeanVarianceNormalization", {9, 13}},
    {"MelWeightMatrix", {17}},
    {"Min", {1, 6, 8, 12, 13}},
    {"Mish", {18, 22}},
    {"Mod", {10, 13, 28}},
    {"Mul", {1, 6, 7, 13, 14}},
    {"Multinomial", {7, 22}},
    {"Neg", {1, 6, 13}},
    {"NegativeLogLikelihoodLoss", {12, 13, 22}},
    {"NonMaxSuppression", {10, 11}},
    {"NonZero", {9, 13}},
    {"Not", {1}},
    {"OneHot", {9, 11, 28}},
    {"Optional", {15, 28}},
    {"OptionalGetElement", {15, 18, 28}},
    {"OptionalHasElement", {15, 18, 28}},
    {"Or", {1, 7}},
    {"PRelu", {1, 6, 7, 9, 16}},
    {"Pad", {1, 2, 11, 13, 18, 19, 21, 23, 24, 25}},
    {"Pow", {1, 7, 12, 13, 15}},
    {"QLinearConv", {10}},
    {"QLinearMatMul", {10, 21}},
    {"QuantizeLinear", {10, 13, 19, 21, 23, 24, 25, 28}},
    {"RMSNormalization", {23}},
    {"RNN", {1, 7, 14, 22}},
    {"RandomNormal", {1, 22}},
    {"RandomNormalLike", {1, 22}},
    {"RandomUniform", {1, 22}},
    {"RandomUniformLike", {1, 22}},
    {"Range", {11, 27}},
    {"Reciprocal", {1, 6, 13}},
    {"ReduceL1", {1, 11, 13, 18}},
    {"ReduceL2", {1, 11, 13, 18}},
    {"ReduceLogSum", {1, 11, 13, 18, 28}},
    {"ReduceLogSumExp", {1, 11, 13, 18, 28}},
    {"ReduceMax", {1, 11, 12, 13, 18, 20}},
    {"ReduceMean", {1, 11, 13, 18}},
    {"ReduceMin", {1, 11, 12, 13, 18, 20}},
    {"ReduceProd", {1, 11, 13, 18}},
    {"ReduceSum", {1, 11, 13}},
    {"ReduceSumSquare", {1, 11, 13, 18}},
    {"RegexFullMatch", {20}},
    {"Relu", {1, 6, 13, 14}},
    {"Reshape", {1, 5, 13, 14, 19, 21, 23, 24, 25}},
    {"Resize", {10, 11, 13, 18, 19}},
    {"ReverseSequence", {10, 28}},
    {"RoiAlign", {10, 16, 22}},
    {"RotaryEmbedding", {23}},
    {"Round", {11, 22}},
    {"STFT", {17}},
    {"Scan", {8, 9, 11, 16, 19, 21, 23, 24, 25}},
    {"Scatter", {9}, 11},
    {"ScatterElements", {11, 13, 16, 18}},
    {"ScatterND", {11, 13, 16, 18}},
    {"Selu", {1, 6, 22}},
    {"SequenceAt", {11}},
    {"SequenceConstruct", {11}},
    {"SequenceEmpty", {11}},
    {"SequenceErase", {11}},
    {"SequenceInsert", {11}},
    {"SequenceLength", {11}},
    {"SequenceMap", {17}},
    {"Shape", {1, 13, 15, 19, 21, 23, 24, 25}},
    {"Shrink", {9}},
    {"Sigmoid", {1, 6, 13}},
    {"Sign", {9, 13}},
    {"Sin", {7, 22}},
    {"Sinh", {9, 22}},
    {"Size", {1, 13, 19, 21, 23, 24, 25}},
    {"Slice", {1, 10, 11, 13}},
    {"Softmax", {1, 11, 13}},
    {"SoftmaxCrossEntropyLoss", {12, 13}},
    {"Softplus", {1, 22}},
    {"Softsign", {1, 22}},
    {"SpaceToDepth", {1, 13, 28}},
    {"Split", {1, 2, 11, 13, 18}},
    {"SplitToSequence", {11, 24}},
    {"Sqrt", {1, 6, 13}},
    {"Squeeze", {1, 11, 13, 21, 23, 24, 25}},
    {"StringConcat", {20}},
    {"StringNormalizer", {10}},
    {"StringSplit", {20}},
    {"Sub", {1, 6, 7, 13, 14}},
    {"Sum", {1, 6, 8, 13}},
    {"SwiGLU", {28}},
    {"Swish", {24}},
    {"Tan", {7, 22}},
    {"Tanh", {1, 6, 13}},
    {"TensorScatter", {24}},
    {"TfIdfVectorizer", {9}},
    {"ThresholdedRelu", {10, 22}},
    {"Tile", {1, 6, 13}},
    {"TopK", {1, 10, 11, 24}},
    {"Transpose", {1, 13, 21, 23, 24, 25}},
    {"Trilu", {14}},
    {"Unique", {11, 28}},
    {"Unsqueeze", {1, 11, 13, 21, 23, 24, 25}},
    {"Upsample", {1, 7, 9}, 10},
    {"Where", {9, 16}},
    {"Xor", {1, 7}},
};
// clang-format on

/// What was an attribute before opset `since` and is an input from there on.
struct MovedAttribute {
  StringLiteral operatorName, attribute;
  unsigned input;
  int64_t since;
};

constexpr MovedAttribute kMoved[] = {
    {"Clip", "min", 1, 11},        {"Clip", "max", 2, 11},
    {"Dropout", "ratio", 1, 12},   {"Pad", "pads", 1, 11},
    {"Pad", "value", 2, 11},       {"ReduceL1", "axes", 1, 18},
    {"ReduceL2", "axes", 1, 18},   {"ReduceLogSum", "axes", 1, 18},
    {"ReduceMax", "axes", 1, 18},  {"ReduceLogSumExp", "axes", 1, 18},
    {"ReduceMean", "axes", 1, 18}, {"ReduceMin", "axes", 1, 18},
    {"ReduceProd", "axes", 1, 18}, {"ReduceSum", "axes", 1, 13},
    {"Slice", "starts", 1, 10},    {"ReduceSumSquare", "axes", 1, 18},
    {"Slice", "ends", 2, 10},      {"Slice", "axes", 3, 10},
    {"Split", "split", 1, 13},     {"Squeeze", "axes", 1, 13},
    {"TopK", "k", 1, 10},          {"Unsqueeze", "axes", 1, 13},
};
} // namespace

static const Operator *findOperator(StringRef name) {
  const auto *found = llvm::lower_bound(kOperators, name, [](const Operator &a, StringRef b) { return a.name < b; });
  return found != std::end(kOperators) && found->name == name ? found : nullptr;
}

/// ONNX Runtime's optimizer writes these in ai.onnx at any opset.
static bool isOnnxRuntimes(StringRef name) { return name == "LayerNormalization"; }

int64_t vitq::frontend::versionOf(StringRef name, int64_t opset) {
  const Operator *op = findOperator(name);
  int64_t version = 0;
  for (int64_t since : op ? ArrayRef(op->versions) : ArrayRef<uint8_t>())
    if (since && since <= opset)
      version = since;
  return version;
}

/// The attribute or input that `node` has and its operator does not have in this opset.
static std::string misfitOf(const Node &node, int64_t opset) {
  for (const MovedAttribute &moved : kMoved) {
    if (moved.operatorName != node.opType)
      continue;
    if (opset >= moved.since && node.attributes.count(moved.attribute.str()))
      return formatv("opset {0} has no attribute '{1}' of {2}, which is an input since {3}", opset, moved.attribute,
                     node.opType, moved.since);
    if (opset < moved.since && node.inputs.size() > moved.input && !node.inputs[moved.input].empty())
      return formatv("opset {0} has no input '{1}' of {2}, which is an attribute before {3}", opset, moved.attribute,
                     node.opType, moved.since);
  }
  return {};
}

OpsetProblem vitq::frontend::checkOpset(const Node &node, int64_t opset) {
  const Operator *op = node.domain.empty() ? findOperator(node.opType) : nullptr;
  if (!op)
    return {};
  const int64_t version = versionOf(node.opType, opset);
  if (!version && !isOnnxRuntimes(node.opType))
    return {
        formatv("opset {0} has no operator {1}, which is new in {2}", opset, node.opType, int(op->versions.front())),
        true};
  if (op->removed && opset >= op->removed)
    return {formatv("opset {0} has no operator {1}, which ended with {2}", opset, node.opType, int(op->removed) - 1),
            true};
  if (version > kMaxOpset)
    return {formatv("opset {0} changed the operator {1}, which is read as of opsets up to {2} only", version,
                    node.opType, kMaxOpset),
            false};
  std::string misfit = misfitOf(node, opset);
  const bool isMisfit = !misfit.empty();
  return {std::move(misfit), isMisfit};
}
