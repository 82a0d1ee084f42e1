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

#include <cmath>

using namespace mlir;
using namespace vitq::frontend;

namespace {
constexpr StringLiteral kAxisNames[4] = {"batch", "channels", "height", "width"};

/// The convolution that reads the image, and its weight.
struct Stem {
  const Node *node = nullptr;
  ConstantPtr weight;
};
} // namespace

static Stem findStem(const Model &model, const std::string &image) {
  for (const Node &node : model.nodes) {
    if (node.opType != "Conv" || node.inputs.size() < 2 || node.inputs[0] != image)
      continue;
    auto weight = model.initializers.find(node.inputs[1]);
    if (weight != model.initializers.end() && weight->second->shape().size() == 4)
      return {&node, weight->second};
  }
  return {};
}

static int64_t groupsOf(const Node &conv) {
  const auto *attribute = conv.find("group");
  bool valid = attribute && attribute->kind == OnnxAttribute::Kind::Int && attribute->i > 0;
  return valid && attribute->i < (int64_t(1) << 20) ? attribute->i : 1;
}

/// Whether the convolution cuts the image into patches.
static bool isPatchEmbedding(const Stem &stem) {
  const auto *strides = stem.node->find("strides");
  return strides && strides->kind == OnnxAttribute::Kind::Ints && strides->ints.size() == 2 &&
         strides->ints[0] == stem.weight->shape()[2] && strides->ints[1] == stem.weight->shape()[3] &&
         stem.weight->shape()[2] > 0 && stem.weight->shape()[3] > 0;
}

/// The numbers of patches that a position embedding [1, T, D] or [T, D] with
/// none, one or two extra tokens can mean: those that are squares.
static SmallVector<int64_t> possibleSides(const Model &model, int64_t channels) {
  llvm::SmallSetVector<int64_t, 2> sides;
  for (const auto &[name, tensor] : model.initializers) {
    ArrayRef<int64_t> shape = tensor->shape();
    if (!isFloat(tensor->dtype) || shape.size() != 3 || shape[0] != 1 || shape[2] != channels || shape[1] < 2)
      continue;
    for (int64_t extra : {1, 0, 2}) {
      int64_t patches = shape[1] - extra, side = std::llround(std::sqrt(static_cast<double>(patches)));
      if (patches > 0 && side * side == patches) {
        sides.insert(side);
        break;
      }
    }
  }
  return sides.takeVector();
}

FailureOr<Shape> vitq::frontend::resolveInputShape(const Model &model, const ValueInfo &input, int64_t batch,
                                                   Location loc) {
  Shape shape;
  for (size_t i = 0; i < 4; ++i)
    shape.push_back(input.dims[i].value_or(0));
  if (batch < 1 || batch > (1 << 20))
    return emitError(loc) << "a batch of " << batch << " is not supported";
  if (!shape[0])
    shape[0] = batch;
  else if (batch != 1 && batch != shape[0])
    return emitError(loc) << "the batch of input '" << input.name << "' is fixed to " << shape[0] << ", not " << batch
                          << "; export the model again with a dynamic batch axis";
  Stem stem = findStem(model, input.name);
  if (!shape[1] && stem.node)
    shape[1] = stem.weight->shape()[1] * groupsOf(*stem.node);
  if ((!shape[2] || !shape[3]) && stem.node && isPatchEmbedding(stem)) {
    SmallVector<int64_t> sides = possibleSides(model, stem.weight->shape()[0]);
    if (sides.size() == 1 && !shape[2] && !shape[3]) {
      shape[2] = sides[0] * stem.weight->shape()[2];
      shape[3] = sides[0] * stem.weight->shape()[3];
    }
  }
  for (size_t i = 1; i < 4; ++i) {
    if (shape[i])
      continue;
    std::string name = input.dimNames[i].empty() ? "" : " ('" + input.dimNames[i] + "')";
    return emitError(loc) << "the " << kAxisNames[i] << " axis" << name << " of input '" << input.name
                          << "' has no size and the weights do not give it; export the model again with a fixed "
                          << kAxisNames[i];
  }
  if (!countElements(shape))
    return emitError(loc) << "the image of input '" << input.name << "' is too large";
  return shape;
}
