//===- VitOnnx.cpp - The ONNX file of a small vision transformer -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VitSpec.h"

#include "test/unit/Frontend/OnnxBuilder.h"
#include "test/unit/Random.h"

#include <cmath>

using namespace vitq::test;

namespace {

/// Weights [out, in] and biases [out] (none: empty).
struct Layer {
  int64_t out, in;
  std::vector<float> weights, biases;

  /// Multiplies a row.
  void scaleRow(int64_t row, double factor) {
    for (int64_t i = 0; i < in; ++i)
      weights[row * in + i] *= static_cast<float>(factor);
  }
  void fillRow(int64_t row, double value, double bias) {
    std::fill_n(weights.begin() + row * in, in, static_cast<float>(value));
    biases[row] = static_cast<float>(bias);
  }
  std::vector<float> transposed() const {
    std::vector<float> result;
    for (int64_t i = 0; i < in; ++i)
      for (int64_t o = 0; o < out; ++o)
        result.push_back(weights[o * in + i]);
    return result;
  }
};

class Builder {
public:
  explicit Builder(const VitSpec &spec)
      : spec(spec), random(spec.seed ^ 0xb01du),
        onnx(spec.activation == Activation::GeluOp ? 20 : 17, {1, spec.colours, spec.height(), spec.breadth()}) {
    for (int64_t i = 0; i < spec.streamOutliers; ++i)
      streamOutliers.push_back(random.between(0, spec.width() - 1));
  }

  std::string run() {
    std::string x = embed();
    for (int64_t i = 0; i < spec.depth; ++i)
      x = block(x, "blocks." + std::to_string(i) + ".");
    head(x);
    return onnx.model.SerializeAsString();
  }

private:
  using Names = std::vector<std::string>;

  std::string op(const std::string &type, const Names &inputs, const std::string &name) {
    onnx.node(type, inputs, {name});
    return name;
  }
  std::string constant(const std::string &name, const std::vector<int64_t> &shape, std::vector<float> values) {
    if (spec.edit)
      spec.edit(name, values);
    onnx.tensor(name, shape, values);
    return name;
  }
  std::string scalar(const std::string &name, float value) { return constant(name, {}, {value}); }
  std::string ints(const std::string &name, const std::vector<int64_t> &values, bool isScalar = false) {
    onnx.intTensor(name, values, isScalar);
    return name;
  }
  std::string reshape(const std::string &x, const std::vector<int64_t> &shape, const std::string &name) {
    return op("Reshape", {x, ints(name + ".shape", shape)}, name);
  }
  std::string transpose(const std::string &x, const std::vector<int64_t> &permutation, const std::string &name) {
    OnnxBuilder::ints(onnx.node("Transpose", {x}, {name}), "perm", permutation);
    return name;
  }
  std::string gather(const std::string &x, int64_t index, int64_t axis, const std::string &name) {
    ints(name + ".index", {index}, true);
    OnnxBuilder::integer(onnx.node("Gather", {x, name + ".index"}, {name}), "axis", axis);
    return name;
  }
  std::string slice(const std::string &x, int64_t begin, int64_t end, int64_t axis, const std::string &name) {
    return op("Slice", {x, ints(name + ".begin", {begin}), ints(name + ".end", {end}), ints(name + ".axis", {axis})},
              name);
  }

  std::vector<float> normals(int64_t count, double deviation, double mean = 0) {
    std::vector<float> values;
    for (int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(mean + deviation * random.normal()));
    return values;
  }
  /// A layer whose results deviate by `gain` when its inputs deviate by 1.
  Layer layer(int64_t out, int64_t in, double gain, double bias) {
    Layer result{out, in, normals(out * in, gain / std::sqrt(static_cast<double>(in))), {}};
    if (bias > 0)
      result.biases = normals(out, bias);
    return result;
  }
  /// One that reads the last norm: what reaches farther there has smaller weights, as
  /// training makes it.
  Layer readingLayer(int64_t out, double gain, double bias) {
    Layer result = layer(out, spec.width(), gain, bias);
    for (size_t i = 0; i < result.weights.size(); ++i)
      result.weights[i] *= normReach.empty() ? 1.0f : 1 / normReach[i % spec.width()];
    return result;
  }
  void shrink(Layer &layer, VitSpec::Tiny place, double bias) {
    if (spec.tiny != place)
      return;
    int64_t row = random.between(0, layer.out - 1);
    layer.fillRow(row, spec.tinySize, bias);
  }

  std::string linear(const std::string &x, const Layer &layer, const std::string &name) {
    const std::string weights = constant(name + ".weight", {layer.in, layer.out}, layer.transposed());
    if (layer.biases.empty())
      return op("MatMul", {x, weights}, name);
    return op("Add",
              {constant(name + ".bias", {layer.out}, layer.biases), op("MatMul", {x, weights}, name + ".product")},
              name);
  }

  std::string norm(const std::string &x, const std::string &name) {
    const int64_t width = spec.width();
    std::vector<float> gammas = normals(width, 0.2, 1), betas = normals(width, 0.2);
    for (float &gamma : gammas)
      gamma = std::max(gamma, 0.3f) * (random.real() < spec.negativeGammas ? -1.0f : 1.0f);
    for (int64_t c : streamOutliers)
      gammas[c] *= 0.2f;
    normReach.assign(width, 1);
    for (int64_t i = 0; i < spec.normOutliers; ++i)
      normReach[random.between(0, width - 1)] = static_cast<float>(std::min(spec.outlierReach, 2.5));
    for (int64_t c = 0; c < width; ++c)
      gammas[c] *= normReach[c];
    for (int64_t i = 0; i < spec.dead; ++i) {
      const int64_t c = random.between(0, width - 1);
      gammas[c] = 0;
      betas[c] = static_cast<float>(random.real(-1, 1));
    }
    return op("LayerNormalization",
              {x, constant(name + ".gamma", {width}, gammas), constant(name + ".beta", {width}, betas)}, name);
  }

  std::string embed();
  std::string block(const std::string &x, const std::string &name);
  std::string attention(const std::string &x, const std::string &name);
  std::string masked(const std::string &scores, const std::string &name);
  std::vector<bool> hiddenKeys(int64_t maskHeads, int64_t queries);
  std::string mlp(const std::string &x, const std::string &name);
  Layer firstOfMlp();
  std::string activation(const std::string &x, const std::string &name);
  std::string scaled(const std::string &x, const std::string &name);
  void head(std::string x);

  const VitSpec &spec;
  Random random;
  OnnxBuilder onnx;
  std::vector<int64_t> streamOutliers;
  /// How far the channels of the last norm reach beyond the usual; empty: all the same.
  std::vector<float> normReach;
};

} // namespace

/// Patches, class token and positions: [1, T, width].
std::string Builder::embed() {
  const int64_t width = spec.width(), patches = spec.rows * spec.columns;
  // Normalized pixels deviate by about 0.4.
  Layer patch = layer(width, spec.colours * spec.patch * spec.patch, 2, 0.1);
  shrink(patch, VitSpec::Tiny::Patches, 1);
  onnx::NodeProto &conv =
      onnx.node("Conv",
                {"x", constant("patch.weight", {width, spec.colours, spec.patch, spec.patch}, patch.weights),
                 constant("patch.bias", {width}, patch.biases)},
                {"patch"});
  OnnxBuilder::ints(conv, "kernel_shape", {spec.patch, spec.patch});
  OnnxBuilder::ints(conv, "strides", {spec.patch, spec.patch});
  std::string x = transpose(reshape("patch", {1, width, patches}, "patch.flat"), {0, 2, 1}, "patch.tokens");
  if (spec.classToken) {
    OnnxBuilder::integer(
        onnx.node("Concat", {constant("class", {1, 1, width}, normals(width, 0.5)), x}, {"with_class"}), "axis", 1);
    x = "with_class";
  }
  std::vector<float> positions = normals(spec.tokens() * width, 0.3);
  for (int64_t c : streamOutliers)
    for (int64_t t = 0; t < spec.tokens(); ++t)
      positions[t * width + c] += static_cast<float>(spec.outlierReach);
  return op("Add", {x, constant("positions", {1, spec.tokens(), width}, positions)}, "embedded");
}

std::string Builder::block(const std::string &x, const std::string &name) {
  if (spec.postNorm) {
    const std::string y = norm(op("Add", {x, attention(x, name + "attn.")}, name + "sum1"), name + "norm1");
    return norm(op("Add", {y, mlp(y, name + "mlp.")}, name + "sum2"), name + "norm2");
  }
  const std::string y = op("Add", {x, attention(norm(x, name + "norm1"), name + "attn.")}, name + "sum1");
  return op("Add", {y, mlp(norm(y, name + "norm2"), name + "mlp.")}, name + "sum2");
}

std::string Builder::attention(const std::string &x, const std::string &name) {
  const int64_t width = spec.width(), tokens = spec.tokens(), heads = spec.heads, size = spec.headSize;
  const double bias = spec.qkvBias ? 0.1 : 0;
  Layer parts[] = {readingLayer(width, spec.sharpness, bias), readingLayer(width, spec.sharpness, bias),
                   readingLayer(width, 1, bias)};
  shrink(parts[0], VitSpec::Tiny::Query, 1);
  shrink(parts[2], VitSpec::Tiny::Value, 1);
  std::string operands[3];
  const char *const roles[] = {"q", "k", "v"};
  if (spec.packed) {
    Layer all{3 * width, width, {}, {}};
    for (const Layer &part : parts) {
      all.weights.insert(all.weights.end(), part.weights.begin(), part.weights.end());
      all.biases.insert(all.biases.end(), part.biases.begin(), part.biases.end());
    }
    const std::string heap =
        transpose(reshape(linear(x, all, name + "qkv"), {1, tokens, 3, heads, size}, name + "split"), {2, 0, 3, 1, 4},
                  name + "heads");
    for (int64_t i = 0; i < 3; ++i)
      operands[i] = gather(heap, i, 0, name + roles[i]);
    operands[1] = transpose(operands[1], {0, 1, 3, 2}, name + "kT");
  } else {
    for (int64_t i = 0; i < 3; ++i)
      operands[i] = transpose(
          reshape(linear(x, parts[i], name + roles[i]), {1, tokens, heads, size}, name + roles[i] + ".split"),
          i == 1 ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3}, name + roles[i] + ".heads");
  }
  const std::string scale = scalar(name + "scale", 1 / std::sqrt(static_cast<float>(size)));
  std::string scores = op("Mul", {op("MatMul", {operands[0], operands[1]}, name + "qk"), scale}, name + "scores");
  scores = masked(scores, name);
  OnnxBuilder::integer(onnx.node("Softmax", {scores}, {name + "softmax"}), "axis", -1);
  const std::string merged =
      reshape(transpose(op("MatMul", {name + "softmax", operands[2]}, name + "pv"), {0, 2, 1, 3}, name + "tokens"),
              {1, tokens, width}, name + "merged");
  // Sums over many tokens are small.
  return scaled(linear(merged, layer(width, width, 2, 0.1), name + "proj"), name + "proj.scaled");
}

/// Which keys are hidden, [maskHeads, queries, T]: a third, but neither the query's own
/// nor the first, so that no row is hidden altogether.
std::vector<bool> Builder::hiddenKeys(int64_t maskHeads, int64_t queries) {
  std::vector<bool> hidden;
  for (int64_t h = 0; h < maskHeads; ++h)
    for (int64_t q = 0; q < queries; ++q)
      for (int64_t k = 0; k < spec.tokens(); ++k)
        hidden.push_back(k != 0 && k != q && random.oneIn(3));
  return hidden;
}

std::string Builder::masked(const std::string &scores, const std::string &name) {
  using How = MaskSpec::How;
  if (spec.mask.how == How::None)
    return scores;
  const int64_t maskHeads = spec.mask.perHead ? spec.heads : 1, queries = spec.mask.ofKeys ? 1 : spec.tokens();
  const std::vector<int64_t> shape{1, maskHeads, queries, spec.tokens()};
  const std::vector<bool> hidden = hiddenKeys(maskHeads, queries);
  if (spec.mask.how == How::Add) {
    std::vector<float> values;
    for (bool isHidden : hidden)
      values.push_back(isHidden ? spec.mask.value : 0.0f);
    return op("Add", {scores, constant(name + "mask", shape, values)}, name + "masked");
  }
  onnx.boolTensor(name + "hidden", shape, hidden);
  const std::string value = scalar(name + "mask.value", spec.mask.value);
  if (spec.mask.how == How::Where)
    return op("Where", {name + "hidden", value, scores}, name + "masked");
  const std::string mask = op("Where", {name + "hidden", value, scalar(name + "mask.zero", 0)}, name + "mask");
  return op("Add", {scores, mask}, name + "masked");
}

Layer Builder::firstOfMlp() {
  Layer first = readingLayer(spec.hidden, spec.reach, 0.2);
  auto channel = [&] { return random.between(0, spec.hidden - 1); };
  for (int64_t i = 0; i < spec.hiddenOutliers; ++i)
    first.scaleRow(channel(), spec.outlierReach);
  for (int64_t i = 0; i < spec.dead; ++i) {
    const int64_t c = channel();
    first.fillRow(c, 0, random.real(-2, 2));
  }
  for (int64_t i = 0; i < spec.alwaysOn + spec.alwaysOff; ++i) {
    const int64_t c = channel();
    first.scaleRow(c, 0.02);
    first.biases[c] = static_cast<float>(random.real(3, 8) * (i < spec.alwaysOn ? 1 : -1));
  }
  shrink(first, VitSpec::Tiny::Hidden, 2);
  return first;
}

std::string Builder::mlp(const std::string &x, const std::string &name) {
  const std::string hidden = activation(linear(x, firstOfMlp(), name + "fc1"), name + "act");
  return scaled(linear(hidden, layer(spec.width(), spec.hidden, 1, 0.1), name + "fc2"), name + "fc2.scaled");
}

std::string Builder::scaled(const std::string &x, const std::string &name) {
  if (!spec.layerScale)
    return x;
  std::vector<float> factors;
  for (int64_t i = 0; i < spec.width(); ++i)
    factors.push_back(static_cast<float>(random.real(0.1, 1)));
  return op("Mul", {x, constant(name + ".factors", {spec.width()}, factors)}, name);
}

/// As exporters write each function.
std::string Builder::activation(const std::string &x, const std::string &name) {
  auto times = [&](const std::string &a, float b, const std::string &part) {
    return op("Mul", {a, scalar(name + part + ".by", b)}, name + part);
  };
  auto plusOne = [&](const std::string &a) { return op("Add", {a, scalar(name + ".one", 1)}, name + ".plus"); };
  switch (spec.activation) {
  case Activation::GeluErf: {
    const std::string argument = op("Div", {x, scalar(name + ".root", std::sqrt(2.0f))}, name + ".div");
    return times(op("Mul", {x, plusOne(op("Erf", {argument}, name + ".erf"))}, name + ".mul"), 0.5f, "");
  }
  case Activation::GeluTanh: {
    const std::string cube = op("Pow", {x, scalar(name + ".three", 3)}, name + ".cube");
    const std::string sum = op("Add", {x, times(cube, 0.044715f, ".cubic")}, name + ".sum");
    const std::string gate = plusOne(op("Tanh", {times(sum, 0.7978845608f, ".inner")}, name + ".tanh"));
    return op("Mul", {times(x, 0.5f, ".half"), gate}, name);
  }
  case Activation::GeluQuick:
    return op("Mul", {x, op("Sigmoid", {times(x, 1.702f, ".inner")}, name + ".gate")}, name);
  case Activation::GeluOp:
    return op("Gelu", {x}, name);
  case Activation::Relu:
    return op("Relu", {x}, name);
  case Activation::Tanh:
    return op("Tanh", {x}, name);
  case Activation::Silu:
    return op("Mul", {x, op("Sigmoid", {x}, name + ".gate")}, name);
  case Activation::HardSwish:
    return op("HardSwish", {x}, name);
  case Activation::Sigmoid:
    return op("Sigmoid", {x}, name);
  }
  return {};
}

void Builder::head(std::string x) {
  if (spec.finalNorm == FinalNorm::None && !spec.postNorm)
    normReach.clear();
  if (spec.finalNorm == FinalNorm::BeforePooling)
    x = norm(x, "norm");
  if (spec.pooling == Pooling::ClassToken) {
    x = random.oneIn(2) ? gather(x, 0, 1, "pooled")
                        : reshape(slice(x, 0, 1, 1, "pooled.slice"), {1, spec.width()}, "pooled");
  } else {
    if (spec.pooling == Pooling::MeanOfPatches)
      x = slice(x, 1, spec.tokens(), 1, "patches");
    const bool asInput = spec.activation == Activation::GeluOp; // from opset 18 on
    Names inputs{x};
    if (asInput)
      inputs.push_back(ints("pooled.axes", {1}));
    onnx::NodeProto &mean = onnx.node("ReduceMean", inputs, {"pooled"});
    if (!asInput)
      OnnxBuilder::ints(mean, "axes", {1});
    OnnxBuilder::integer(mean, "keepdims", 0);
    x = "pooled";
  }
  if (spec.finalNorm == FinalNorm::AfterPooling)
    x = norm(x, "norm");
  Layer last = readingLayer(spec.classes, 1.5, spec.headBias ? 0.2 : 0);
  shrink(last, VitSpec::Tiny::Head, 3);
  Names inputs{x, constant("head.weight", {spec.classes, spec.width()}, last.weights)};
  if (!last.biases.empty())
    inputs.push_back(constant("head.bias", {spec.classes}, last.biases));
  OnnxBuilder::integer(onnx.node("Gemm", inputs, {"y"}), "transB", 1);
}

std::string vitq::test::onnxBytes(const VitSpec &spec) { return Builder(spec).run(); }
