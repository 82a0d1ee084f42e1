//===- VitSpec.h - What a small vision transformer of the tests is like -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_ACCURACY_VITSPEC_H
#define VITQ_TEST_UNIT_ACCURACY_VITSPEC_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vitq::test {

enum class Activation { GeluErf, GeluTanh, GeluQuick, GeluOp, Relu, Tanh, Silu, HardSwish, Sigmoid };
enum class Pooling { ClassToken, MeanOfAll, MeanOfPatches };
/// Where the last LayerNorm is.
enum class FinalNorm { None, BeforePooling, AfterPooling };

/// What is added to the scores of an attention, or taken in their place.
struct MaskSpec {
  /// `AddOfWhere`: the added constant is a Where of constants.
  enum class How { None, Add, Where, AddOfWhere };
  How how = How::None;
  /// The mask's value where it hides a key; it is 0 elsewhere.
  float value = 0;
  /// The same keys are hidden from all queries: a mask [1, 1, 1, T].
  bool ofKeys = false;
  bool perHead = false;
};

/// Everything that decides a model and its images; the rest follows from `seed`.
struct VitSpec {
  uint64_t seed = 1;

  // Shape.
  int64_t colours = 1, patch = 4, rows = 4, columns = 4;
  int64_t heads = 2, headSize = 8, hidden = 48, depth = 1, classes = 5;
  bool classToken = true;
  Pooling pooling = Pooling::ClassToken;
  FinalNorm finalNorm = FinalNorm::BeforePooling;
  bool postNorm = false;
  bool packed = true, qkvBias = true, headBias = true, layerScale = false;
  Activation activation = Activation::GeluErf;
  MaskSpec mask;

  // Weights. Standard deviation of the activation's arguments and of the scores' operands.
  double reach = 1, sharpness = 1;
  /// Hidden channels that are positive, or far below zero, on every image.
  int64_t alwaysOn = 0, alwaysOff = 0;
  /// Hidden channels, and channels of each norm, that are one number on every image.
  int64_t dead = 0;
  double negativeGammas = 0;
  /// Hidden channels, channels of each norm, and of the stream, that reach
  /// `outlierReach` times as far as others; those of a norm, whose result has one
  /// scale in the default recipe, at most
  /// 2.5 times.
  int64_t hiddenOutliers = 0, normOutliers = 0, streamOutliers = 0;
  double outlierReach = 8;
  /// The size of the weights of one row of a layer that otherwise has its bias only.
  enum class Tiny { None, Head, Hidden, Query, Value, Patches };
  Tiny tiny = Tiny::None;
  float tinySize = 0;

  /// Changes a constant of the file, [..., out] where it is a weight of a MatMul; named as
  /// "blocks.0.mlp.fc1.weight", "norm.beta", "head.bias".
  std::function<void(llvm::StringRef name, std::vector<float> &values)> edit;

  int64_t width() const { return heads * headSize; }
  int64_t tokens() const { return rows * columns + classToken; }
  int64_t height() const { return rows * patch; }
  int64_t breadth() const { return columns * patch; }

  /// In one line.
  std::string describe() const;
};

/// Random model number `number`: the same on every machine.
VitSpec randomVit(uint64_t number);

/// The ONNX file of a model.
std::string onnxBytes(const VitSpec &spec);

/// Random pictures, uint8 [count, height, breadth, colours]: gradients, blobs and noise.
std::vector<uint8_t> randomPictures(const VitSpec &spec, int64_t count);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_ACCURACY_VITSPEC_H
