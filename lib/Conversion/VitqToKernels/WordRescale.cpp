//===- WordRescale.cpp - Dyadic multiplication of 16-bit numbers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WordRescale.h"

#include "Contraction.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::Rounding;

/// Two numbers of 16 bits side by side.
static int32_t wordsOf(int64_t low, int64_t high) {
  return static_cast<int32_t>(static_cast<uint32_t>(low & 0xffff) | static_cast<uint32_t>(high & 0xffff) << 16);
}

std::optional<WordRescale> WordRescale::of(const TargetDesc &target, Blob &blob, integer::DyadicAttr dyadic,
                                           Rounding rounding) {
  const Isa &isa = *target.isa;
  if (!isa.addDot16 || dyadic.size() != 1 || (rounding != Rounding::HalfUp && rounding != Rounding::Floor))
    return std::nullopt;
  const int64_t multiplier = dyadic.multiplier(0), c = dyadic.shift(0);
  const auto low = static_cast<int16_t>(multiplier & 0xffff);
  const int64_t high = (multiplier - low) >> 16;
  // 2^(c-17) has room beside x*h.
  if (c < 17 || c > 45 || high > INT16_MAX || high < INT16_MIN)
    return std::nullopt;
  // Whole vectors, two of them: what is used once is an operand in memory, and takes no register.
  auto number = [&](int32_t value) { return blob.array(std::vector<int32_t>(2 * isa.dot16.lanes, value)); };
  WordRescale rescale;
  rescale.isa = &isa;
  rescale.spelt = target.emulateDot;
  rescale.lower = number(wordsOf(low, low));
  rescale.upper = number(wordsOf(high, 1));
  rescale.half = number(rounding == Rounding::HalfUp ? int32_t(1) << (c - 17) : 0);
  rescale.shift = number(static_cast<int32_t>(c - 16));
  return rescale;
}

/// One vector of words to two of sums.
Value WordRescale::applyVector(Emitter &e, Value blob, Value x) const {
  const auto lanes = static_cast<int64_t>(isa->dot16.lanes);
  auto wordsType = VectorType::get({2 * lanes}, e.intType(16));
  auto constant = [&](Slot slot, int64_t copy) {
    return e.load(Blob::view(e, blob, slot), e.index(copy * lanes), lanes);
  };
  // Words are interleaved within 128 bits, four of either half of the vector: these come side by side before.
  SmallVector<int64_t> quads, lowPairs, highPairs;
  for (int64_t i = 0; i < lanes / 4; ++i)
    quads.append({i, lanes / 4 + i});
  for (int64_t word = 0; word < 2 * lanes; word += 8)
    for (int64_t i = 0; i < 4; ++i) {
      lowPairs.append({word + i, 2 * lanes + word + i});
      highPairs.append({word + 4 + i, 2 * lanes + word + 4 + i});
    }
  Value groups = e.op<vector::BitCastOp>(VectorType::get({lanes / 2}, e.intType(64)), x);
  x = e.op<vector::BitCastOp>(wordsType, e.op<vector::ShuffleOp>(groups, groups, quads));
  Value l = e.op<vector::BitCastOp>(wordsType, constant(lower, 0));
  Value below = e.trunc(e.sra(e.mul(e.sext(x, 32), e.sext(l, 32)), 16), 16);
  Values sums;
  for (int64_t i : {0, 1}) {
    Value both = e.op<vector::ShuffleOp>(x, below, i ? highPairs : lowPairs),
          h = e.op<vector::BitCastOp>(wordsType, constant(upper, i));
    Value sum = emitDot(e, isa->dot16, spelt, isa->addDot16, constant(half, i), both, h);
    sums.push_back(e.sra(sum, constant(shift, i)));
  }
  return e.join(sums);
}

Value WordRescale::apply(Emitter &e, Value blob, Value x) const {
  auto type = dyn_cast<VectorType>(x.getType());
  const auto words = 2 * static_cast<int64_t>(isa->dot16.lanes);
  if (!type || type.getElementTypeBitWidth() != 16 || !llvm::isPowerOf2_64(type.getNumElements()) ||
      type.getNumElements() < words)
    return {};
  Values results;
  for (int64_t from = 0; from < type.getNumElements(); from += words) {
    Value part = type.getNumElements() == words
                     ? x
                     : vector::ExtractStridedSliceOp::create(e.b, e.loc, x, from, words, int64_t{1}).getResult();
    results.push_back(applyVector(e, blob, part));
  }
  return e.join(results);
}
