//===- ImportNorms.cpp - Normalizations -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Over the last axes
//===----------------------------------------------------------------------===//

/// A finite epsilon that is not negative.
static FailureOr<double> readEpsilon(NodeImporter &n, double otherwise) {
  double eps = n.floatAttr("epsilon", otherwise);
  if (!std::isfinite(eps) || eps < 0)
    return n.error() << "epsilon must be finite and not negative";
  return eps;
}

static Imported constantVector(int64_t size, double value, const Twine &name) {
  auto tensor = std::make_shared<OnnxConstant>(DType::F32, Shape{size}, name.str());
  for (int64_t i = 0; i < size; ++i)
    tensor->setDouble(i, value);
  return Imported(ConstantPtr(tensor));
}

/// A value of shape [channels], or one that broadcasts to it and has no other axes;
/// nothing otherwise.
static Imported channelVector(NodeImporter &n, const Imported &value, int64_t channels) {
  ArrayRef<int64_t> shape = value ? value.shape() : ArrayRef<int64_t>();
  if (!value || (value.value && shape == ArrayRef<int64_t>{channels}))
    return value;
  int64_t size = countElements(shape).value_or(0), last = shape.empty() ? 1 : shape.back();
  if (!value.constant || !value.isFloat() || size != last || (size != 1 && size != channels))
    return {};
  if (shape == ArrayRef<int64_t>{channels})
    return value;
  const OnnxConstant &vector = *value.constant;
  return Imported(vector.with(broadcastTo(vector.elements.reshaped({size}), {channels}), vector.name));
}

/// `OpTy` of a value and what broadcasts to its shape.
template <typename OpTy>
static MaybeImported applyBroadcast(NodeImporter &n, const Imported &value, const Imported &other) {
  FailureOr<Shape> shape = broadcastShapes(n, value.shape(), other.shape());
  if (failed(shape))
    return failure();
  if (ArrayRef<int64_t>(*shape) != value.shape())
    return n.error() << "scale and bias must broadcast to the input's shape";
  return n.apply<OpTy>(value, other);
}

static MaybeImported layerNorm(NodeImporter &n, const Imported &input, const Imported &gamma, const Imported &beta,
                               double eps) {
  FailureOr<Value> x = n.materialize(input), g = n.materialize(gamma), b = n.materialize(beta);
  if (failed(x) || failed(g) || failed(b))
    return failure();
  return n.create<vit::LayerNormOp>({*x, *g, *b}, n.builder.getNamedAttr("eps", n.builder.getF64FloatAttr(eps)));
}

/// Over the last axis. `scale` and `bias` may be absent.
static MaybeImported normalizeRows(NodeImporter &n, const Imported &input, const Imported &scale, const Imported &bias,
                                   double eps) {
  // What has no value for each channel is a factor or summand of its own.
  int64_t channels = input.shape().back();
  Imported gamma = channelVector(n, scale, channels), beta = channelVector(n, bias, channels);
  Imported factor = gamma ? Imported() : scale, summand = beta ? Imported() : bias;
  if (!beta || factor) {
    summand = bias;
    beta = constantVector(channels, 0, n.outputName() + ".beta");
  }
  if (!gamma)
    gamma = constantVector(channels, 1, n.outputName() + ".gamma");
  MaybeImported norm = layerNorm(n, input, gamma, beta, eps);
  if (succeeded(norm) && factor)
    norm = applyBroadcast<vit::MulOp>(n, *norm, factor);
  if (succeeded(norm) && summand)
    norm = applyBroadcast<vit::AddOp>(n, *norm, summand);
  return norm;
}

/// x / sqrt(mean(x^2) + eps) * scale over the last axis.
static MaybeImported normalizeByRootMeanSquare(NodeImporter &n, const Imported &input, const Imported &scale,
                                               const Imported & /*bias*/, double eps) {
  MaybeImported square = n.apply<vit::MulOp>(input, input);
  MaybeImported mean = failed(square) ? square : makeMean(n, *square, {input.rank() - 1}, /*keepDims=*/true);
  MaybeImported sum = failed(mean) ? mean : n.apply<vit::AddOp>(*mean, n.scalar(eps));
  MaybeImported root = failed(sum) ? sum : n.create<vit::SqrtOp>(sum->value);
  MaybeImported norm = failed(root) ? root : n.apply<vit::DivOp>(input, *root);
  return failed(norm) || !scale ? norm : applyBroadcast<vit::MulOp>(n, *norm, scale);
}

/// `normalize` over all axes from `axis` on, as one.
static MaybeImported normalizeFrom(NodeImporter &n, const Imported &input, const Imported &scale, const Imported &bias,
                                   int64_t axis, double eps, decltype(normalizeRows) *normalize) {
  if (axis == input.rank() - 1)
    return normalize(n, input, scale, bias, eps);
  ArrayRef<int64_t> shape = input.shape(), normalized = shape.drop_front(axis);
  Shape flat(shape.take_front(axis));
  flat.push_back(*countElements(normalized));
  Imported vectors[2] = {scale, bias};
  for (Imported &vector : vectors) {
    if (!vector)
      continue;
    MaybeImported whole = n.broadcast(vector, normalized);
    MaybeImported row = failed(whole) ? whole : n.reshape(*whole, {flat.back()});
    if (failed(row))
      return failure();
    vector = *row;
  }
  MaybeImported rows = n.reshape(input, flat);
  MaybeImported norm = failed(rows) ? rows : normalize(n, *rows, vectors[0], vectors[1], eps);
  return failed(norm) ? norm : n.reshape(*norm, shape);
}

template <decltype(normalizeRows) *Normalize>
static LogicalResult importRowNorm(NodeImporter &n) {
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.input(0).rank());
  FailureOr<double> eps = readEpsilon(n, 1e-5);
  if (failed(axis) || failed(eps))
    return failure();
  return n.setOutput(normalizeFrom(n, n.input(0), n.input(1), n.input(2), *axis, *eps, Normalize));
}

/// ONNX Runtime's input + skip (+ bias), normalized. The sum is its fourth output.
template <decltype(normalizeRows) *Normalize, bool HasBeta>
static LogicalResult importSkipNorm(NodeImporter &n) {
  FailureOr<double> eps = readEpsilon(n, 1e-12);
  if (failed(eps) || failed(n.checkAttributes({"epsilon"})))
    return failure();
  n.setPart("sum");
  MaybeImported sum = n.apply<vit::AddOp>(n.input(0), n.input(1));
  const Imported &bias = n.input(HasBeta ? 4 : 3), beta = HasBeta ? n.input(3) : Imported();
  if (succeeded(sum) && bias)
    sum = n.apply<vit::AddOp>(*sum, bias);
  if (failed(sum))
    return failure();
  n.setPart("");
  if (n.wantsOutput(3))
    n.setOutput(3, *sum);
  return n.wantsOutput(0) ? n.setOutput(Normalize(n, *sum, n.input(2), beta, *eps)) : success();
}

//===----------------------------------------------------------------------===//
// By channel
//===----------------------------------------------------------------------===//

/// A constant vector of floats, one for each of `channels`.
static FailureOr<ConstantPtr> readVector(NodeImporter &n, size_t i, int64_t channels) {
  const ConstantPtr &vector = n.input(i).constant;
  if (!vector || !isFloat(vector->dtype) || vector->shape() != ArrayRef<int64_t>{channels})
    return n.error() << "input " << i << " must be a constant vector of " << channels << " numbers";
  return vector;
}

/// The vector along axis 1 of a tensor of `rank`.
static Imported alongChannels(const ConstantPtr &vector, int64_t rank) {
  Shape shape(rank - 1, 1);
  shape[0] = vector->size();
  return Imported(vector->with(vector->elements.reshaped(shape), vector->name));
}

/// x * scale + bias for each channel.
static MaybeImported applyAffine(NodeImporter &n, const Imported &input, const ConstantPtr &scale,
                                 const ConstantPtr &bias) {
  MaybeImported product = n.apply<vit::MulOp>(input, alongChannels(scale, input.rank()));
  return failed(product) ? product : n.apply<vit::AddOp>(*product, alongChannels(bias, input.rank()));
}

/// With fixed statistics: a multiplication and an addition, which patterns fold into what is
/// linear before or behind it.
static LogicalResult importBatchNorm(NodeImporter &n) {
  const Imported &input = n.input(0);
  FailureOr<double> eps = readEpsilon(n, 1e-5);
  if (failed(eps))
    return failure();
  if (n.intAttr("training_mode", 0) != 0)
    return n.error() << "is in training mode; export the model for inference";
  if (input.rank() < 2)
    return n.error() << "expects a channel axis";
  const int64_t channels = input.shape()[1];
  ConstantPtr parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    FailureOr<ConstantPtr> vector = readVector(n, i + 1, channels);
    if (failed(vector))
      return failure();
    parameters[i] = *vector;
  }
  auto &[gamma, beta, mean, variance] = parameters;
  auto scale = std::make_shared<OnnxConstant>(DType::F32, Shape{channels}, n.outputName().str() + ".scale");
  auto bias = std::make_shared<OnnxConstant>(DType::F32, Shape{channels}, n.outputName().str() + ".bias");
  for (int64_t i = 0; i < channels; ++i) {
    const double factor = gamma->getDouble(i) / std::sqrt(variance->getDouble(i) + *eps);
    scale->setDouble(i, factor);
    bias->setDouble(i, beta->getDouble(i) - mean->getDouble(i) * factor);
  }
  return n.setOutput(applyAffine(n, input, scale, bias));
}

/// All of an image as one row, channels last, with a factor and a summand for each element.
static MaybeImported normalizeMap(NodeImporter &n, const Imported &input, const ConstantPtr &scale,
                                  const ConstantPtr &bias, double eps) {
  const int64_t channels = scale->size(), pixels = *countElements(input.shape().drop_front(2));
  auto repeated = [&](const ConstantPtr &vector) {
    Tensor all = broadcastTo(vector->elements.reshaped({1, channels}), {pixels, channels});
    return Imported(vector->with(all.reshaped({pixels * channels}), vector->name));
  };
  return applyChannelsLast(n, input, [&](const Imported &map) -> MaybeImported {
    MaybeImported row = n.reshape(map, {map.shape()[0], pixels * channels});
    MaybeImported norm = failed(row) ? row : normalizeRows(n, *row, repeated(scale), repeated(bias), eps);
    return failed(norm) ? norm : n.reshape(*norm, map.shape());
  });
}

/// Each group of channels of an image is normalized as one row.
static MaybeImported normalizeGroups(NodeImporter &n, int64_t groups, double eps) {
  const Imported &input = n.input(0);
  ArrayRef<int64_t> shape = input.shape();
  if (input.rank() < 3)
    return n.error() << "expects an image";
  const int64_t channels = shape[1];
  if (groups < 1 || groups > channels || channels % groups)
    return n.error() << "cannot make " << groups << " groups of " << channels << " channels";
  ConstantPtr vectors[2];
  for (size_t i = 0; i < 2; ++i) {
    // Before opset 21 there is one number for each group.
    const bool perGroup = n.node.opType == "GroupNormalization" && n.opset() < 21;
    FailureOr<ConstantPtr> vector = readVector(n, i + 1, perGroup ? groups : channels);
    if (failed(vector))
      return failure();
    Tensor repeated = broadcastTo((*vector)->elements.reshaped({(*vector)->size(), 1}),
                                  {(*vector)->size(), channels / (*vector)->size()});
    vectors[i] = (*vector)->with(repeated.reshaped({channels}), (*vector)->name);
  }
  if (groups == 1)
    return normalizeMap(n, input, vectors[0], vectors[1], eps);
  MaybeImported rows = n.reshape(input, {shape[0], groups, *countElements(shape) / (shape[0] * groups)});
  MaybeImported norm = failed(rows) ? rows : normalizeRows(n, *rows, Imported(), Imported(), eps);
  MaybeImported image = failed(norm) ? norm : n.reshape(*norm, shape);
  return failed(image) ? image : applyAffine(n, *image, vectors[0], vectors[1]);
}

static LogicalResult importGroupNorm(NodeImporter &n) {
  FailureOr<double> eps = readEpsilon(n, 1e-5);
  return failed(eps) ? failure() : n.setOutput(normalizeGroups(n, n.intAttr("num_groups", 0), *eps));
}

static LogicalResult importInstanceNorm(NodeImporter &n) {
  FailureOr<double> eps = readEpsilon(n, 1e-5);
  const int64_t groups = n.input(0).rank() > 1 ? n.input(0).shape()[1] : 0;
  return failed(eps) ? failure() : n.setOutput(normalizeGroups(n, groups, *eps));
}

void vitq::frontend::addNormHandlers(HandlerTable &table) {
  table["LayerNormalization"] = {importRowNorm<normalizeRows>, 2, 3};
  table["RMSNormalization"] = {importRowNorm<normalizeByRootMeanSquare>, 2, 2};
  table["BatchNormalization"] = {importBatchNorm, 5, 5};
  table["GroupNormalization"] = {importGroupNorm, 3, 3};
  table["InstanceNormalization"] = {importInstanceNorm, 3, 3};
  // ONNX Runtime writes this one without a domain.
  table["SimplifiedLayerNormalization"] = {importRowNorm<normalizeByRootMeanSquare>, 2, 2};
  table["com.microsoft::SkipLayerNormalization"] = {importSkipNorm<normalizeRows, true>, 3, 5};
  table["com.microsoft::SkipSimplifiedLayerNormalization"] = {importSkipNorm<normalizeByRootMeanSquare, false>, 3, 4};
}
