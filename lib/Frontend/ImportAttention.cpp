//===- ImportAttention.cpp - Attention as one operator -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Attention operators become the ops that exporters write for attention in parts:
// reshape and transpose to heads [B, H, N, d], product, softmax, product, and back.

#include "Importer.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

namespace {
constexpr float kMasked = -std::numeric_limits<float>::infinity();

/// What is computed once the operands are heads [B, H, N, d].
struct Attention {
  Imported q, k, v;
  double scale = 1, softcap = 0;
  /// Added to the scores; absent, or broadcast to [B, H, N, M].
  Imported bias = {};
  /// Query i sees keys i - left to i + right; negative: all on that side.
  int64_t left = -1, right = -1;

  int64_t queries() const { return q.shape()[2]; }
  int64_t keys() const { return k.shape()[2]; }
  bool sees(int64_t query, int64_t key) const {
    return (left < 0 || query - key <= left) && (right < 0 || key - query <= right);
  }
};

/// A constant for the scores, and one of 0 and 1 for rows in which it leaves nothing.
struct Mask {
  ConstantPtr summand, rows;
};
} // namespace

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// [B, N, H * d] -> [B, H, N, d].
static MaybeImported splitHeads(NodeImporter &n, const Imported &input, int64_t heads) {
  ArrayRef<int64_t> shape = input.shape();
  if (shape.size() != 3 || heads < 1 || shape[2] % heads)
    return n.error() << "cannot make " << heads << " heads of an operand of rank " << shape.size() << " with "
                     << (shape.empty() ? 0 : shape.back()) << " channels";
  MaybeImported split = n.reshape(input, {shape[0], shape[1], heads, shape[2] / heads});
  return failed(split) ? split : n.transpose(*split, {0, 2, 1, 3});
}

/// [B, H, N, d] -> [B, N, H * d].
static MaybeImported mergeHeads(NodeImporter &n, const Imported &input) {
  MaybeImported tokens = n.transpose(input, {0, 2, 1, 3});
  if (failed(tokens))
    return failure();
  ArrayRef<int64_t> shape = tokens->shape();
  return n.reshape(*tokens, {shape[0], shape[1], shape[2] * shape[3]});
}

/// Each of the keys' or values' heads `times` times in a row.
static MaybeImported repeatHeads(NodeImporter &n, const Imported &input, int64_t times) {
  Shape indices;
  for (int64_t i = 0, e = input.shape()[1] * times; i < e; ++i)
    indices.push_back(i / times);
  return times == 1 ? MaybeImported(input) : n.gather(input, indices, 1);
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// A constant mask of booleans (true: seen) or summands as summands. Its last axis may be
/// shorter than there are keys: the others are not seen.
static MaybeImported readMask(NodeImporter &n, const OnnxConstant &given, const Attention &attention) {
  ArrayRef<int64_t> shape = given.shape();
  const int64_t rank = shape.size(), queries = attention.queries(), keys = attention.keys();
  const int64_t width = rank ? shape.back() : 0, height = rank > 1 ? shape[rank - 2] : 1;
  if (rank < 1 || rank > 4 || width > keys || width < 1 || (height != 1 && height != queries) ||
      (!isFloat(given.dtype) && given.dtype != DType::Bool))
    return n.error() << "the mask does not fit scores of " << queries << " queries and " << keys << " keys";
  Shape full(4 - rank, 1);
  full.append(shape.begin(), shape.end());
  full[3] = width == 1 && keys > 1 ? 1 : keys;
  std::optional<int64_t> count = countElements(full, kMaxFoldedElements);
  if (!count)
    return n.error() << "the mask is too large";
  auto mask = std::make_shared<OnnxConstant>(DType::F32, full, n.outputName().str() + ".mask");
  for (int64_t i = 0; i < *count; ++i) {
    const int64_t row = i / full[3], key = i % full[3], at = row * width + key;
    if (key >= width)
      mask->setDouble(i, kMasked);
    else if (given.dtype == DType::Bool)
      mask->setDouble(i, given.getInt(at) ? 0.0 : kMasked);
    else
      mask->setDouble(i, given.getDouble(at));
  }
  return Imported(ConstantPtr(std::move(mask)));
}

/// The window and a constant bias together; nothing where all is seen.
static FailureOr<Mask> makeMask(NodeImporter &n, const Attention &attention) {
  const ConstantPtr &bias = attention.bias.constant;
  const bool hasWindow = attention.left >= 0 || attention.right >= 0;
  if (!bias && !hasWindow)
    return Mask();
  Shape shape = bias ? Shape(bias->shape()) : Shape{1, 1, 1, 1};
  if (shape.size() < 4)
    shape.insert(shape.begin(), 4 - shape.size(), 1);
  shape[2] = attention.queries();
  shape[3] = attention.keys();
  std::optional<int64_t> count = countElements(shape, kMaxFoldedElements);
  if (!count)
    return n.error() << "the mask is too large";
  auto summand = std::make_shared<OnnxConstant>(DType::F32, shape, n.outputName().str() + ".mask");
  if (bias)
    summand->elements = broadcastTo(bias->elements.converted(ElementKind::F32).reshaped(bias->shape()), shape);
  Tensor values = Tensor::of<float>(shape, summand->elements.values<float>());
  Shape rowShape(shape);
  rowShape[3] = 1;
  auto rows = std::make_shared<OnnxConstant>(DType::F32, rowShape, n.outputName().str() + ".rows");
  bool allSeen = true, allRows = true;
  float *value = values.mutableData<float>();
  for (int64_t row = 0, e = rows->size(); row < e; ++row, value += shape[3]) {
    bool seesAny = false;
    for (int64_t key = 0; key < shape[3]; ++key) {
      if (!attention.sees(row % shape[2], key))
        value[key] = kMasked;
      seesAny |= value[key] != kMasked;
      allSeen &= value[key] == 0;
    }
    // A row that sees nothing is 0.
    if (!seesAny)
      std::fill(value, value + shape[3], 0.0f);
    rows->setDouble(row, seesAny);
    allRows &= seesAny;
  }
  summand->elements = std::move(values);
  return Mask{allSeen ? nullptr : ConstantPtr(std::move(summand)), allRows ? nullptr : ConstantPtr(std::move(rows))};
}

//===----------------------------------------------------------------------===//
// The products
//===----------------------------------------------------------------------===//

static LogicalResult checkHeads(NodeImporter &n, const Attention &a) {
  ArrayRef<int64_t> q = a.q.shape(), k = a.k.shape(), v = a.v.shape();
  if (q.size() != 4 || k.size() != 4 || v.size() != 4 || q[0] != k[0] || q[0] != v[0] || k[1] != v[1] || q[3] != k[3] ||
      k[2] != v[2] || k[1] < 1 || q[1] % k[1])
    return n.error() << "queries, keys and values do not fit each other";
  if (!std::isfinite(a.scale) || a.scale <= 0 || !std::isfinite(a.softcap) || a.softcap < 0)
    return n.error() << "scale and softcap must be finite, and positive";
  return success();
}

/// cap * tanh(x / cap)
static MaybeImported applySoftcap(NodeImporter &n, const Imported &scores, double cap) {
  MaybeImported small = n.apply<vit::MulOp>(scores, NodeImporter::scalar(1 / cap));
  MaybeImported bounded = failed(small) ? small : n.create<vit::TanhOp>(small->value);
  return failed(bounded) ? bounded : n.apply<vit::MulOp>(*bounded, NodeImporter::scalar(cap));
}

/// softmax(scale * q k^T + bias) v as [B, H, N, d].
static MaybeImported attend(NodeImporter &n, Attention a) {
  if (failed(checkHeads(n, a)))
    return failure();
  const int64_t times = a.q.shape()[1] / a.k.shape()[1];
  MaybeImported k = repeatHeads(n, a.k, times), v = repeatHeads(n, a.v, times);
  FailureOr<Mask> mask = makeMask(n, a);
  if (failed(k) || failed(v) || failed(mask))
    return failure();
  n.setPart("scores");
  FailureOr<Value> lhs = n.materialize(a.q), rhs = n.materialize(*k);
  if (failed(lhs) || failed(rhs))
    return failure();
  MaybeImported scores =
      n.create<vit::MatmulOp>({*lhs, *rhs}, {n.builder.getNamedAttr("transpose_rhs", n.builder.getUnitAttr()),
                                             n.builder.getNamedAttr("scale", n.builder.getF64FloatAttr(a.scale))});
  if (succeeded(scores) && a.softcap > 0)
    scores = applySoftcap(n, *scores, a.softcap);
  if (succeeded(scores) && a.bias.value)
    scores = n.apply<vit::AddOp>(*scores, a.bias);
  if (succeeded(scores) && mask->summand)
    scores = n.apply<vit::AddOp>(*scores, Imported(mask->summand));
  n.setPart("softmax");
  MaybeImported weights = failed(scores) ? scores : n.create<vit::SoftmaxOp>(scores->value);
  if (succeeded(weights) && mask->rows)
    weights = n.apply<vit::MulOp>(*weights, Imported(mask->rows));
  n.setPart("");
  FailureOr<Value> values = n.materialize(*v);
  if (failed(weights) || failed(values))
    return failure();
  return n.create<vit::MatmulOp>({weights->value, *values});
}

/// The scale that is given, or 1 / sqrt(d).
static double readScale(NodeImporter &n, const Imported &q) {
  const double scale = n.floatAttr("scale", 0.0);
  return scale == 0 && q.rank() == 4 ? 1 / std::sqrt(static_cast<double>(q.shape()[3])) : scale;
}

/// Inputs of decoders, which keep what they have seen.
static LogicalResult refuseCaches(NodeImporter &n, ArrayRef<std::pair<size_t, StringRef>> inputs) {
  for (auto [i, name] : inputs)
    if (n.has(i))
      return n.error() << "input '" << name << "' is for decoders, which are not supported; export the model without "
                       << "a cache of keys and values";
  return success();
}

//===----------------------------------------------------------------------===//
// ONNX
//===----------------------------------------------------------------------===//

static LogicalResult importAttention(NodeImporter &n) {
  if (failed(refuseCaches(n, {{4, "past_key"}, {5, "past_value"}, {6, "nonpad_kv_seqlen"}})))
    return failure();
  if (n.wantsOutput(3))
    return n.error() << "output 'qk_matmul_output' is not supported";
  Attention a{n.input(0), n.input(1), n.input(2)};
  const bool isMerged = a.q.rank() == 3;
  if (isMerged) {
    const int64_t heads = n.intAttr("q_num_heads", 0), kvHeads = n.intAttr("kv_num_heads", 0);
    MaybeImported q = splitHeads(n, a.q, heads), k = failed(q) ? q : splitHeads(n, a.k, kvHeads);
    MaybeImported v = failed(k) ? k : splitHeads(n, a.v, kvHeads);
    if (failed(v))
      return failure();
    std::tie(a.q, a.k, a.v) = std::tuple(*q, *k, *v);
  }
  a.scale = readScale(n, a.q);
  a.softcap = n.floatAttr("softcap", 0.0);
  if (failed(checkHeads(n, a)))
    return failure();
  a.left = n.intAttr("left_window_size", -1);
  a.right = n.intAttr("right_window_size", -1);
  if (n.intAttr("is_causal", 0) != 0)
    a.right = 0;
  a.bias = n.input(3);
  if (a.bias.constant) {
    MaybeImported mask = readMask(n, *a.bias.constant, a);
    if (failed(mask))
      return failure();
    a.bias = *mask;
  }
  MaybeImported result = attend(n, a);
  return n.setOutput(failed(result) || !isMerged ? result : mergeHeads(n, *result));
}

//===----------------------------------------------------------------------===//
// ONNX Runtime
//===----------------------------------------------------------------------===//

/// A mask of keys that is known: [B] lengths, [B, M] or [B, N, M] of 0 and 1, as summands.
static MaybeImported readKeyMask(NodeImporter &n, size_t i, const Attention &a) {
  const ConstantPtr &given = n.input(i).constant;
  if (!given || isFloat(given->dtype))
    return n.error() << "a mask of keys that depends on the image is not supported";
  ArrayRef<int64_t> shape = given->shape();
  const int64_t batch = a.q.shape()[0], queries = a.queries(), keys = a.keys(), rank = shape.size();
  const bool areLengths = rank == 1, isMatrix = rank == 2, isCube = rank == 3;
  if (!(areLengths || isMatrix || isCube) || shape[0] != batch || (!areLengths && shape.back() != keys) ||
      (isCube && shape[1] != queries))
    return n.error() << "a mask of keys of this form is not supported";
  const double masked = n.floatAttr("mask_filter_value", -10000.0);
  Shape full{batch, 1, isCube ? queries : 1, keys};
  auto mask = std::make_shared<OnnxConstant>(DType::F32, full, n.outputName().str() + ".mask");
  for (int64_t at = 0, e = mask->size(); at < e; ++at) {
    const bool isSeen = areLengths ? at % keys < given->getInt(at / keys) : given->getInt(at) != 0;
    mask->setDouble(at, isSeen ? 0.0 : masked);
  }
  return Imported(ConstantPtr(std::move(mask)));
}

/// The mask of keys (input `mask`) and the bias of scores (input `bias`, if there is one) together.
static LogicalResult readBiases(NodeImporter &n, size_t mask, std::optional<size_t> bias, Attention &a) {
  if (bias)
    a.bias = n.input(*bias);
  if (a.bias && a.bias.rank() != 4)
    return n.error() << "the bias of the scores must be [B, H, N, M]";
  if (!n.has(mask))
    return success();
  MaybeImported keys = readKeyMask(n, mask, a);
  if (failed(keys))
    return failure();
  if (llvm::all_of(keys->constant->elements.values<float>(), [](float value) { return value == 0; }))
    return success();
  if (a.bias)
    return n.error() << "a mask of keys beside a bias of the scores is not supported";
  a.bias = *keys;
  return success();
}

static LogicalResult finishMicrosoft(NodeImporter &n, Attention &a, size_t mask, std::optional<size_t> bias) {
  a.scale = readScale(n, a.q);
  if (failed(checkHeads(n, a)) || failed(readBiases(n, mask, bias, a)))
    return failure();
  if (n.intAttr("unidirectional", 0) != 0)
    a.right = 0;
  MaybeImported result = attend(n, a);
  return n.setOutput(failed(result) ? result : mergeHeads(n, *result));
}

static LogicalResult refusePacked(NodeImporter &n) {
  return n.error() << "weight and bias must be constants [D, q + k + v] and [q + k + v]";
}

/// Attention of tokens whose projections are the rows of one constant [q + k + v, D]; `mask` and `summand` are the
/// inputs for masks of keys and biases of scores.
static LogicalResult attendPacked(NodeImporter &n, const Imported &input, const ConstantPtr &weight, size_t mask,
                                  std::optional<size_t> summand) {
  const ConstantPtr &bias = n.input(2).constant;
  if (input.rank() != 3 || (n.has(2) && (!bias || bias->shape() != weight->shape().take_front())))
    return refusePacked(n);
  const int64_t width = weight->shape()[0], heads = n.intAttr("num_heads", 0);
  Shape sizes = n.intsAttr("qkv_hidden_sizes").value_or(Shape(3, width / 3));
  if (sizes.size() != 3 || sizes[0] < 1 || sizes[1] < 1 || sizes[2] < 1 || sizes[0] > width || sizes[1] > width ||
      sizes[2] > width || sizes[0] + sizes[1] + sizes[2] != width)
    return n.error() << "the sizes of queries, keys and values are not those of the weight";
  n.setPart("qkv");
  MaybeImported packed = makeLinear(n, input, weight, bias);
  if (failed(packed))
    return failure();
  Attention a;
  int64_t offset = 0;
  for (auto [operand, size] : llvm::zip(std::array{&a.q, &a.k, &a.v}, sizes)) {
    MaybeImported part = n.channels(*packed, offset, size);
    MaybeImported split = failed(part) ? part : splitHeads(n, *part, heads);
    if (failed(split))
      return failure();
    *operand = *split;
    offset += size;
  }
  n.setPart("");
  return finishMicrosoft(n, a, mask, summand);
}

/// Without a cache all tokens are there: what says how many must be known, and say so.
static LogicalResult checkLengths(NodeImporter &n, const Attention &a) {
  auto isAll = [&](size_t i, int64_t count) {
    const ConstantPtr &given = n.input(i).constant;
    return !n.has(i) ||
           (given && !isFloat(given->dtype) &&
            llvm::all_of(llvm::seq<int64_t>(0, given->size()), [&](int64_t at) { return given->getInt(at) == count; }));
  };
  if (a.queries() != a.keys() || !isAll(5, a.keys() - 1) || !isAll(6, a.keys()))
    return n.error() << "is supported on all tokens at once, as constants seqlens_k and total_sequence_length say";
  return success();
}

/// Projections packed into one weight [D, q + k + v].
static LogicalResult importPackedAttention(NodeImporter &n) {
  if (failed(refuseCaches(n, {{4, "past"}, {6, "past_sequence_length"}})) ||
      failed(n.checkAttributes({"num_heads", "unidirectional", "scale", "qkv_hidden_sizes", "mask_filter_value",
                                "past_present_share_buffer", "do_rotary"})))
    return failure();
  if (n.intAttr("do_rotary", 0) != 0)
    return n.error() << "rotary embeddings inside are not supported";
  const ConstantPtr &weight = n.input(1).constant;
  if (!weight || !isFloat(weight->dtype) || weight->shape().size() != 2)
    return refusePacked(n);
  return attendPacked(n, n.input(0), weight->with(transposed(weight->elements, {1, 0}), weight->name), /*mask=*/3,
                      /*summand=*/5);
}

/// The same of codes of 8 bits, without codes of the result.
static LogicalResult importQAttention(NodeImporter &n) {
  if (failed(refuseCaches(n, {{8, "past"}})) ||
      failed(n.checkAttributes(
          {"num_heads", "unidirectional", "scale", "mask_filter_value", "past_present_share_buffer", "do_rotary"})))
    return failure();
  if (n.intAttr("do_rotary", 0) != 0)
    return n.error() << "rotary embeddings inside are not supported";
  if (!n.input(1).constant || n.input(1).rank() != 2)
    return refusePacked(n);
  MaybeImported input = realInput(n, 0, 3, 6), weight = realInput(n, 1, 4, 7, /*axis=*/1, /*sharesZero=*/true);
  if (failed(input) || failed(weight))
    return failure();
  weight = n.transpose(*weight, {1, 0});
  return failed(weight) ? failure() : attendPacked(n, *input, weight->constant, /*mask=*/5, /*summand=*/std::nullopt);
}

/// Causal, with fewer heads of keys and values than of queries. Operands are side by side, or packed as the first.
static LogicalResult importGroupQueryAttention(NodeImporter &n) {
  if (failed(refuseCaches(n, {{3, "past_key"}, {4, "past_value"}})) ||
      failed(n.checkAttributes({"num_heads", "kv_num_heads", "scale", "softcap", "local_window_size", "do_rotary",
                                "rotary_interleaved", "smooth_softmax", "qk_output"})))
    return failure();
  if (n.intAttr("do_rotary", 0) != 0 || n.has(11))
    return n.error() << "rotary embeddings inside and sinks are not supported";
  if (n.intAttr("smooth_softmax", 0) == 1)
    return n.error() << "smooth_softmax = 1, a sink without a number, is not supported; export the model without it";
  const int64_t window = n.intAttr("local_window_size", -1);
  if (window == 0)
    return n.error() << "local_window_size = 0 lets no query see a key; leave it out, or -1, to see all";
  const int64_t heads = n.intAttr("num_heads", 0), kvHeads = n.intAttr("kv_num_heads", 0);
  Imported query = n.input(0), key = n.input(1), value = n.input(2);
  if (heads < 1 || kvHeads < 1 || query.rank() != 3 || static_cast<bool>(key) != static_cast<bool>(value))
    return n.error() << "expects queries, keys and values, or packed ones";
  if (!key) {
    const int64_t width = query.shape()[2] / (heads + 2 * kvHeads);
    MaybeImported k = n.channels(query, heads * width, kvHeads * width),
                  v = failed(k) ? k : n.channels(query, (heads + kvHeads) * width, kvHeads * width),
                  q = failed(v) ? v : n.channels(query, 0, heads * width);
    if (failed(q))
      return failure();
    std::tie(query, key, value) = std::tuple(*q, *k, *v);
  }
  MaybeImported q = splitHeads(n, query, heads), k = failed(q) ? q : splitHeads(n, key, kvHeads);
  MaybeImported v = failed(k) ? k : splitHeads(n, value, kvHeads);
  if (failed(v))
    return failure();
  Attention a{*q, *k, *v};
  a.scale = readScale(n, a.q);
  a.softcap = n.floatAttr("softcap", 0.0);
  a.right = 0;
  // So many tokens, the query's own among them.
  a.left = window > 0 ? window - 1 : -1;
  if (failed(checkHeads(n, a)) || failed(checkLengths(n, a)))
    return failure();
  a.bias = n.input(10);
  if (a.bias && a.bias.rank() != 4)
    return n.error() << "the bias of the scores must be [B, H, N, M]";
  MaybeImported result = attend(n, a);
  return n.setOutput(failed(result) ? result : mergeHeads(n, *result));
}

/// Part `i` of an operand [B, N, H, parts, d], as heads.
static MaybeImported takePacked(NodeImporter &n, const Imported &packed, int64_t i) {
  Shape offsets(5, 0), sizes(packed.shape()), strides(5, 1);
  offsets[3] = i;
  sizes[3] = 1;
  MaybeImported part = n.slice(packed, offsets, sizes, strides);
  MaybeImported heads = failed(part) ? part : n.reshape(*part, {sizes[0], sizes[1], sizes[2], sizes[4]});
  return failed(heads) ? heads : n.transpose(*heads, {0, 2, 1, 3});
}

/// An operand [B, N, H * d] with its part of the bias added, or one that is heads already.
static MaybeImported takeOperand(NodeImporter &n, const Imported &input, int64_t heads, int64_t &biasOffset) {
  if (input.rank() == 4)
    return input;
  Imported operand = input;
  const ConstantPtr &bias = n.input(3).constant;
  const int64_t size = input.rank() == 3 ? input.shape()[2] : 0;
  if (n.has(3)) {
    if (!bias || bias->shape().size() != 1 || biasOffset + size > bias->size())
      return n.error() << "the bias must be a constant, one number for each channel of queries, keys and values";
    MaybeImported part = n.channels(Imported(bias), biasOffset, size);
    MaybeImported sum = failed(part) ? part : n.apply<vit::AddOp>(operand, *part);
    if (failed(sum))
      return failure();
    operand = *sum;
    biasOffset += size;
  }
  return splitHeads(n, operand, heads);
}

/// Queries, keys and values side by side or packed.
static LogicalResult importMultiHeadAttention(NodeImporter &n) {
  if (failed(refuseCaches(n, {{6, "past_key"}, {7, "past_value"}, {8, "past_sequence_length"}})) ||
      failed(n.checkAttributes({"num_heads", "unidirectional", "scale", "mask_filter_value"})))
    return failure();
  const int64_t heads = n.intAttr("num_heads", 0);
  const Imported &query = n.input(0), &key = n.input(1), &value = n.input(2);
  const bool allPacked = query.rank() == 5 && query.shape()[3] == 3 && !key && !value;
  const bool keysPacked = key && key.rank() == 5 && key.shape()[3] == 2 && !value;
  if ((allPacked || keysPacked) && n.has(3))
    return n.error() << "a bias beside packed operands is not supported";
  if (!allPacked && !keysPacked && (!key || !value || query.rank() != 3))
    return n.error() << "expects queries, keys and values, or packed ones";
  int64_t offset = 0;
  MaybeImported q = allPacked ? takePacked(n, query, 0) : takeOperand(n, query, heads, offset);
  if (failed(q))
    return failure();
  MaybeImported k = allPacked    ? takePacked(n, query, 1)
                    : keysPacked ? takePacked(n, key, 0)
                                 : takeOperand(n, key, heads, offset);
  if (failed(k))
    return failure();
  MaybeImported v = allPacked    ? takePacked(n, query, 2)
                    : keysPacked ? takePacked(n, key, 1)
                                 : takeOperand(n, value, heads, offset);
  if (failed(v))
    return failure();
  Attention a{*q, *k, *v};
  return finishMicrosoft(n, a, /*mask=*/4, /*bias=*/5);
}

void vitq::frontend::addAttentionHandlers(HandlerTable &table) {
  table["Attention"] = {importAttention, 3, 7};
  table["com.microsoft::Attention"] = {importPackedAttention, 2, 7};
  table["com.microsoft::QAttention"] = {importQAttention, 5, 9};
  table["com.microsoft::QAttention"].onCodes = OperatorHandler::OnCodes::Handled;
  table["com.microsoft::GroupQueryAttention"] = {importGroupQueryAttention, 1, 12};
  table["com.microsoft::MultiHeadAttention"] = {importMultiHeadAttention, 1, 10};
}
