//===- BitPacking.cpp - Narrow codes in constants ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BitPacking.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq::kernels;

/// Calls `body(field bits, bits below it)` for every field of a code.
static void forFields(unsigned bits, llvm::function_ref<void(unsigned, unsigned)> body) {
  unsigned below = 0;
  for (unsigned field : {4u, 2u, 1u})
    if (bits & field) {
      body(field, below);
      below += field;
    }
}

std::vector<char> BitPacking::pack(ArrayRef<char> codes) const {
  std::vector<char> padded(codes.begin(), codes.end());
  padded.resize(llvm::alignTo(padded.size(), static_cast<uint64_t>(length)));
  if (!packs())
    return padded;
  const int64_t blocks = static_cast<int64_t>(padded.size()) / length;
  std::vector<char> packed(static_cast<size_t>(blocks * blockBytes()));
  for (int64_t block = 0; block < blocks; ++block) {
    const char *from = padded.data() + block * length;
    char *to = packed.data() + block * blockBytes();
    forFields(bits, [&](unsigned field, unsigned below) {
      const int64_t bytes = length * field / 8;
      for (int64_t i = 0; i < length; ++i) {
        const unsigned part = (static_cast<uint8_t>(from[i] + signOffset()) >> below) & ((1u << field) - 1);
        to[i % bytes] = static_cast<char>(static_cast<uint8_t>(to[i % bytes]) | part << (field * (i / bytes)));
      }
      to += bytes;
    });
  }
  return packed;
}

Value BitPacking::load(Emitter &e, Value bytes, Value at) const {
  if (!packs())
    return e.load(bytes, {at}, length);
  const Value zeros = e.constant(VectorType::get({length}, e.intType(8)), 0);
  Value codes = zeros;
  int64_t offset = 0;
  forFields(bits, [&](unsigned field, unsigned below) {
    const int64_t count = length * field / 8;
    Value packed =
        e.op<vector::LoadOp>(VectorType::get({count}, e.intType(8)), bytes, ValueRange(e.indexAdd(at, offset)));
    Value mask = e.like(packed, (1 << field) - 1), parts = zeros;
    for (int64_t piece = 0; piece < 8 / field; ++piece) {
      Value shifted = piece == 0 ? packed : e.op<arith::ShRUIOp>(packed, e.like(packed, piece * field));
      Value part = e.op<arith::AndIOp>(shifted, mask);
      if (below)
        part = e.shl(part, e.like(part, below));
      parts = vector::InsertStridedSliceOp::create(e.b, e.loc, part, parts, ArrayRef<int64_t>{piece * count},
                                                   ArrayRef<int64_t>{1});
    }
    codes = offset == 0 ? parts : e.op<arith::OrIOp>(codes, parts);
    offset += count;
  });
  return isUnsigned ? codes : e.sub(codes, e.like(codes, signOffset()));
}

Value BitPacking::loadCode(Emitter &e, Value bytes, Value at, Value i) const {
  if (!packs())
    return e.load(bytes, e.add(at, i));
  Value code;
  int64_t offset = 0;
  forFields(bits, [&](unsigned field, unsigned below) {
    const int64_t count = length * field / 8;
    Value byte = e.load(bytes, e.add(e.indexAdd(at, offset), e.remu(i, e.index(count))));
    Value shift = e.op<arith::IndexCastOp>(e.intType(8), e.indexMul(e.divu(i, e.index(count)), field));
    Value part = e.op<arith::AndIOp>(e.srl(byte, shift), e.like(byte, (1 << field) - 1));
    if (below)
      part = e.shl(part, below);
    code = code ? e.op<arith::OrIOp>(code, part) : part;
    offset += count;
  });
  return isUnsigned ? code : e.sub(code, e.like(code, signOffset()));
}
