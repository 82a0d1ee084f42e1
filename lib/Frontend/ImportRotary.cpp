//===- ImportRotary.cpp - Rotary embeddings -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Queries or keys whose channels are rotated in pairs, by angles that tables give for each position.

#include "Importer.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

namespace {
/// x * cosines + x[partners] * sines: the sign is in the sines.
struct Rotation {
  Imported cosines, sines;
  Shape partners;
};
} // namespace

/// Rows of a table [positions, half] as [B, N, half].
static MaybeImported takePositions(NodeImporter &n, const Imported &table, const Imported &positions, int64_t tokens) {
  if (!positions)
    return table;
  if (!positions.constant || isFloat(positions.constant->dtype) || table.rank() != 2)
    return n.error() << "positions must be known, and tables matrices";
  Shape rows = positions.constant->ints(), shape(positions.shape());
  // ONNX Runtime takes the first position of all.
  if (rows.size() == 1 && shape.size() == 1 && rows[0] >= 0 && rows[0] <= kMaxElements) {
    rows = range(rows[0], rows[0] + tokens);
    shape = {1, tokens};
  }
  if (shape.size() != 2 || shape[1] != tokens ||
      llvm::any_of(rows, [&](int64_t row) { return row < 0 || row >= table.shape()[0]; }))
    return n.error() << "positions lie outside the tables";
  MaybeImported taken = n.gather(table, rows, 0);
  return failed(taken) ? taken : n.reshape(*taken, {shape[0], shape[1], table.shape()[1]});
}

static FailureOr<Rotation> readRotation(NodeImporter &n, const Imported &cosines, const Imported &sines,
                                        const Imported &positions, int64_t tokens, int64_t size) {
  MaybeImported tables[2] = {takePositions(n, cosines, positions, tokens), failure()};
  if (failed(tables[0]))
    return failure();
  tables[1] = takePositions(n, sines, positions, tokens);
  if (failed(tables[1]))
    return failure();
  for (const MaybeImported &table : tables)
    if (!table->constant || !table->isFloat() || table->rank() != 3 || table->shape()[1] != tokens ||
        table->shape()[2] * 2 != size)
      return n.error() << "the tables must be constants of " << size / 2 << " numbers for each of " << tokens
                       << " tokens";
  const bool interleaved = n.intAttr("interleaved", 0) != 0;
  const int64_t half = size / 2;
  Rotation rotation;
  for (int64_t i = 0; i < size; ++i)
    rotation.partners.push_back(interleaved ? i ^ 1 : (i + half) % size);
  Shape shape{tables[0]->shape()[0], tokens, size};
  Imported *results[2] = {&rotation.cosines, &rotation.sines};
  for (int t = 0; t < 2; ++t) {
    const OnnxConstant &table = *tables[t]->constant;
    auto full = std::make_shared<OnnxConstant>(DType::F32, shape, n.outputName().str() + (t ? ".sin" : ".cos"));
    for (int64_t i = 0, e = full->size(); i < e; ++i) {
      const int64_t element = i % size, at = interleaved ? element / 2 : element % half;
      const bool isFirst = interleaved ? element % 2 == 0 : element < half;
      const double value = table.getDouble(i / size * half + at);
      full->setDouble(i, t && isFirst ? -value : value);
    }
    *results[t] = Imported(ConstantPtr(std::move(full)));
  }
  return rotation;
}

/// The first `size` channels of each head rotated. `input` is [B, H, N, d] or, where
/// `tokensFirst`, [B, N, H, d].
static MaybeImported rotate(NodeImporter &n, const Imported &input, const Rotation &rotation, bool tokensFirst) {
  const int64_t size = rotation.partners.size(), whole = input.shape()[3];
  MaybeImported rotated = size == whole ? MaybeImported(input) : n.channels(input, 0, size);
  if (failed(rotated))
    return failure();
  ArrayRef<int64_t> table = rotation.cosines.shape();
  Shape shape = tokensFirst ? Shape{table[0], table[1], 1, size} : Shape{table[0], 1, table[1], size};
  MaybeImported cosines = n.reshape(rotation.cosines, shape), sines = n.reshape(rotation.sines, shape);
  MaybeImported partners = n.gather(*rotated, rotation.partners, 3);
  if (failed(cosines) || failed(sines) || failed(partners))
    return failure();
  MaybeImported straight = n.apply<vit::MulOp>(*rotated, *cosines);
  MaybeImported crossed = failed(straight) ? straight : n.apply<vit::MulOp>(*partners, *sines);
  MaybeImported sum = failed(crossed) ? crossed : n.apply<vit::AddOp>(*straight, *crossed);
  if (failed(sum) || size == whole)
    return sum;
  MaybeImported rest = n.channels(input, size, whole - size);
  return failed(rest) ? rest : n.concat({*sum, *rest}, 3);
}

static LogicalResult importRotary(NodeImporter &n, const Imported &cosines, const Imported &sines,
                                  const Imported &positions) {
  Imported input = n.input(0);
  const Shape shape(input.shape());
  const bool isMerged = shape.size() == 3;
  if (isMerged) {
    int64_t heads = n.intAttr("num_heads", 0);
    // ONNX Runtime takes the head's size from the tables where nothing says it.
    if (heads == 0 && n.node.domain == "com.microsoft" && cosines.rank() > 0 && cosines.shape().back() > 0)
      heads = shape[2] / (cosines.shape().back() * 2);
    if (heads < 1 || shape[2] % heads)
      return n.error() << "cannot make " << heads << " heads of " << shape[2] << " channels";
    MaybeImported split = n.reshape(input, {shape[0], shape[1], heads, shape[2] / heads});
    if (failed(split))
      return failure();
    input = *split;
  } else if (shape.size() != 4) {
    return n.error() << "expects an operand of rank 3 or 4";
  }
  int64_t size = n.intAttr("rotary_embedding_dim", 0);
  size = size == 0 ? input.shape()[3] : size;
  if (size < 2 || size % 2 || size > input.shape()[3])
    return n.error() << "cannot rotate " << size << " of " << input.shape()[3] << " channels";
  FailureOr<Rotation> rotation = readRotation(n, cosines, sines, positions, input.shape()[isMerged ? 1 : 2], size);
  if (failed(rotation))
    return failure();
  MaybeImported result = rotate(n, input, *rotation, isMerged);
  return n.setOutput(failed(result) ? result : n.reshape(*result, shape));
}

static LogicalResult importRotaryEmbedding(NodeImporter &n) {
  return importRotary(n, n.input(1), n.input(2), n.input(3));
}

/// ONNX Runtime's has the positions first.
static LogicalResult importMicrosoftRotary(NodeImporter &n) {
  if (failed(n.checkAttributes({"interleaved", "num_heads", "rotary_embedding_dim", "scale", "is_packed_batching"})))
    return failure();
  if (n.floatAttr("scale", 1.0) != 1.0 || n.intAttr("is_packed_batching", 0) != 0)
    return n.error() << "a scale or packed batches are not supported";
  return importRotary(n, n.input(2), n.input(3), n.input(1));
}

void vitq::frontend::addRotaryHandlers(HandlerTable &table) {
  table["RotaryEmbedding"] = {importRotaryEmbedding, 3, 4};
  table["com.microsoft::RotaryEmbedding"] = {importMicrosoftRotary, 4, 4};
}
