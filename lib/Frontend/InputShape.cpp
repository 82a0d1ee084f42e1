//===- InputShape.cpp - The size of the image -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Exporters may leave every axis of the image open. The weights still say what
// they take: a convolution its channels and patch, the position embedding the
// number of patches.

#include "Importer.h"

#include "llvm/ADT/StringSet.h"

#include <cmath>

using namespace mlir;
using namespace vitq::frontend;

namespace {
constexpr StringLiteral kAxisNames[4] = {"batch", "channels", "height", "width"};

/// What the first layer takes: 0 for what it does not say.
struct Stem {
  int64_t channels = 0, patchHeight = 0, patchWidth = 0, width = 0;
};

/// Looks a model's weights up, initializers or Constant nodes.
class Weights {
public:
  explicit Weights(const Model &model) : model(model) {
    for (const auto &[name, tensor] : model.initializers)
      all[name] = tensor;
    for (const Node &node : model.nodes)
      if (const OnnxAttribute *value = node.find("value"); node.opType == "Constant" && value && value->tensor)
        for (const std::string &output : node.outputs)
          all[output] = value->tensor;
  }

  Stem findStem(const std::string &image) const;
  int64_t findSide(int64_t channels) const;

private:
  ConstantPtr find(const Node &node, size_t i) const {
    return i < node.inputs.size() ? all.lookup(node.inputs[i]) : ConstantPtr();
  }

  const Model &model;
  llvm::StringMap<ConstantPtr> all;
};
} // namespace

static int64_t groupsOf(const Node &conv) {
  const auto *attribute = conv.find("group");
  bool valid = attribute && attribute->kind == OnnxAttribute::Kind::Int && attribute->i > 0;
  return valid && attribute->i < (int64_t(1) << 20) ? attribute->i : 1;
}

static Stem stemOfConv(const Node &conv, const OnnxConstant &weight) {
  Stem stem;
  ArrayRef<int64_t> shape = weight.shape();
  stem.channels = shape[1] * groupsOf(conv);
  stem.width = shape[0];
  const auto *strides = conv.find("strides");
  // Whether it cuts the image into patches.
  if (strides && strides->kind == OnnxAttribute::Kind::Ints && ArrayRef(strides->ints) == shape.drop_front(2) &&
      shape[2] > 0 && shape[3] > 0) {
    stem.patchHeight = shape[2];
    stem.patchWidth = shape[3];
  }
  return stem;
}

/// A linear layer on patches, as many numbers as square patches of three channels or of
/// one have.
static Stem stemOfLinear(int64_t inputs, int64_t outputs) {
  for (int64_t channels : {3, 1}) {
    const int64_t side = std::llround(std::sqrt(static_cast<double>(inputs) / static_cast<double>(channels)));
    if (side > 1 && side * side * channels == inputs)
      return {channels, side, side, outputs};
  }
  return {};
}

/// The first layer behind the image; casts and moves may be between.
Stem Weights::findStem(const std::string &image) const {
  llvm::StringSet<> images;
  images.insert(image);
  // Nodes may stand in any order: each round follows the image one node further.
  for (size_t known = 0; known != images.size();) {
    known = images.size();
    for (const Node &node : model.nodes) {
      if (node.inputs.empty() || !images.contains(node.inputs[0]))
        continue;
      ConstantPtr weight = find(node, 1);
      ArrayRef<int64_t> shape = weight ? weight->shape() : ArrayRef<int64_t>();
      if (node.opType == "Conv" && shape.size() == 4)
        return stemOfConv(node, *weight);
      const auto *transB = node.find("transB");
      if (node.opType == "MatMul" && shape.size() == 2)
        return stemOfLinear(shape[0], shape[1]);
      if (node.opType == "Gemm" && shape.size() == 2)
        return transB && transB->i ? stemOfLinear(shape[1], shape[0]) : stemOfLinear(shape[0], shape[1]);
      if (node.opType == "Cast" || node.opType == "Identity" || node.opType == "Reshape" ||
          node.opType == "Transpose" || node.opType == "Unsqueeze" || node.opType == "Squeeze" ||
          node.opType == "Flatten")
        images.insert(node.outputs.begin(), node.outputs.end());
    }
  }
  return {};
}

/// The patches on a side that a position embedding with none, one or two extra tokens can
/// mean: those that are squares; the largest one, as register tokens may look like a small
/// table. It is a table of any rank, [.., T, D] or [.., side, side, D], that no product reads.
/// 0 if there is none.
int64_t Weights::findSide(int64_t channels) const {
  llvm::StringSet<> factors;
  for (const Node &node : model.nodes)
    if (llvm::any_of(ArrayRef<StringRef>{"MatMul", "Gemm", "Conv", "Attention"},
                     [&](StringRef product) { return StringRef(node.opType).contains(product); }))
      factors.insert(node.inputs.begin(), node.inputs.end());
  // Weights that are transposed before their product.
  llvm::StringSet<> transposed;
  for (const Node &node : model.nodes)
    if (node.opType == "Transpose")
      transposed.insert(node.inputs.begin(), node.inputs.end());
  int64_t largest = 0;
  for (const auto &entry : all) {
    const OnnxConstant &tensor = *entry.second;
    ArrayRef<int64_t> shape = tensor.shape();
    if (!isFloat(tensor.dtype) || shape.size() < 2 || shape.back() != channels || factors.contains(entry.first()) ||
        (shape.size() == 2 && transposed.contains(entry.first())))
      continue;
    const int64_t tokens = tensor.size() / channels;
    if (tokens < 2)
      continue;
    for (int64_t extra : {1, 0, 2}) {
      int64_t patches = tokens - extra, side = std::llround(std::sqrt(static_cast<double>(patches)));
      if (patches > 0 && side * side == patches) {
        largest = std::max(largest, side);
        break;
      }
    }
  }
  return largest;
}

/// What the model declares and `--shape` gives, which must agree; 0 for open sizes.
static FailureOr<Shape> mergeGivenShape(const ValueInfo &input, const ImportOptions &options, Location loc,
                                        bool channelsLast) {
  constexpr size_t kPlaces[4] = {0, 3, 1, 2};
  Shape shape;
  for (std::optional<int64_t> size : input.dims)
    shape.push_back(size.value_or(0));
  for (const auto &[name, given] : options.shapes) {
    if (name != input.name)
      return emitError(loc) << "--shape names '" << name << "', which is no input; the model's input is '" << input.name
                            << "'";
    if (!input.hasShape)
      shape.assign(given.size(), 0);
    if (given.size() != shape.size())
      return emitError(loc) << "--shape has " << given.size() << " sizes for input '" << input.name << "', which has "
                            << shape.size();
    for (size_t i = 0; i < given.size(); ++i) {
      if (shape[i] && shape[i] != given[i])
        return emitError(loc) << "--shape gives axis " << (channelsLast ? kPlaces[i] : i) << " of input '" << name
                              << "' the size " << given[i] << ", but the model fixes it to " << shape[i];
      shape[i] = given[i];
    }
  }
  if (shape.size() != 4)
    return emitError(loc) << "input '" << input.name << "' has rank " << shape.size() << ", not that of an image";
  return shape;
}

FailureOr<Shape> vitq::frontend::resolveInputShape(const Model &model, const ValueInfo &input,
                                                   const ImportOptions &options, Location loc, bool channelsLast) {
  FailureOr<Shape> merged = mergeGivenShape(input, options, loc, channelsLast);
  if (failed(merged))
    return failure();
  Shape shape = *merged;
  const int64_t batch = options.batch;
  if (batch < 1 || batch > (1 << 20))
    return emitError(loc) << "a batch of " << batch << " is not supported";
  if (!shape[0])
    shape[0] = batch;
  else if (batch != 1 && batch != shape[0])
    return emitError(loc) << "the batch of input '" << input.name << "' is fixed to " << shape[0] << ", not " << batch
                          << "; export the model again with a dynamic batch axis";
  const Weights weights(model);
  const Stem stem = weights.findStem(input.name);
  if (!shape[1])
    shape[1] = stem.channels;
  // What images are brought to, then what the position embedding is for.
  if (!shape[2] && !shape[3] && options.height && options.width) {
    shape[2] = options.height;
    shape[3] = options.width;
  } else if (!shape[2] && !shape[3] && stem.patchHeight) {
    const int64_t side = weights.findSide(stem.width);
    shape[2] = side * stem.patchHeight;
    shape[3] = side * stem.patchWidth;
  }
  for (size_t i = 1; i < 4; ++i) {
    if (shape[i])
      continue;
    const std::string &dim = i < input.dimNames.size() ? input.dimNames[i] : std::string();
    const std::string name = dim.empty() ? "" : " ('" + dim + "')";
    return emitError(loc) << "the " << kAxisNames[i] << " axis" << name << " of input '" << input.name
                          << "' has no size and the weights do not give it; give it as in --shape=" << input.name
                          << (channelsLast ? ":1x224x224x3" : ":1x3x224x224")
                          << ", or export the model again with a fixed " << kAxisNames[i];
  }
  if (!countElements(shape))
    return emitError(loc) << "the image of input '" << input.name << "' is too large";
  return shape;
}

llvm::Error vitq::frontend::parseInputShape(StringRef text, ImportOptions &options) {
  // Names of inputs may have colons.
  auto [name, sizes] = text.rsplit(':');
  std::vector<int64_t> shape;
  SmallVector<StringRef> parts;
  sizes.split(parts, 'x');
  for (StringRef part : parts)
    if (int64_t size = 0; !part.getAsInteger(10, size) && size > 0 && size <= kMaxElements)
      shape.push_back(size);
  if (name.empty() || sizes.empty() || shape.size() != parts.size())
    return llvm::createStringError("'" + text + "' is no shape of an input, as in pixel_values:1x3x224x224");
  options.shapes[name.str()] = std::move(shape);
  return llvm::Error::success();
}
