//===- Butterflies.cpp - Sums and differences of words in vectors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Butterflies.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

int64_t WordOrder::indexOf(int64_t vector, int64_t lane) const {
  int64_t index = 0, place = lane | vector * lanes();
  for (ArrayRef<unsigned> bits : {ArrayRef(word), ArrayRef(part), ArrayRef(number)})
    for (unsigned bit : bits) {
      index |= (place & 1) << bit;
      place >>= 1;
    }
  return index;
}

void WordOrder::exchangePart(unsigned p) {
  part.push_back(number[p]);
  number[p] = part.front();
  part.erase(part.begin());
}

void WordOrder::exchangeWord(unsigned p) {
  word.insert(word.begin(), number[p]);
  number[p] = word.pop_back_val();
}

bool ButterflyPlan::anyLeft(ArrayRef<unsigned> indexBits) const {
  return llvm::any_of(indexBits, [&](unsigned bit) { return llvm::is_contained(left, bit); });
}

/// For the bit that bit `p` of a vector's number is, if it is left.
void ButterflyPlan::addAndSubtract(unsigned p) {
  const auto bit = llvm::find(left, last.number[p]);
  if (bit == left.end())
    return;
  left.erase(bit);
  steps.push_back({Step::AddAndSubtract, p});
}

void ButterflyPlan::exchange(Step step, unsigned p) {
  if (step == Step::ExchangeParts)
    last.exchangePart(p);
  else
    last.exchangeWord(p);
  steps.push_back({step, p});
  addAndSubtract(p);
}

ButterflyPlan ButterflyPlan::of(WordOrder order, unsigned bits, ArrayRef<unsigned> done, bool anyOrder) {
  ButterflyPlan plan;
  plan.last = std::move(order);
  for (unsigned bit = 0; bit < bits; ++bit)
    if (!llvm::is_contained(done, bit))
      plan.left.push_back(bit);
  for (unsigned p = 0; p < plan.last.number.size(); ++p)
    plan.addAndSubtract(p);
  auto bringLowBit = [&] {
    while (!anyOrder && plan.last.number[0] > 3)
      plan.exchange(Step::ExchangeParts, 0);
  };
  // Numbers of 16 bits lie in more parts than bytes do.
  bringLowBit();
  const unsigned p = plan.last.number.size() > 1;
  while (plan.anyLeft(plan.last.part))
    plan.exchange(Step::ExchangeParts, p);
  bringLowBit();
  while (plan.anyLeft(plan.last.word))
    plan.exchange(Step::ExchangeWords, 0);
  return plan;
}

/// Of two vectors the even parts and the odd ones; or the lower halves of their parts, word by word, and the higher
/// ones.
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>> exchangeMasks(ButterflyPlan::Step step, int64_t lanes) {
  SmallVector<int64_t> masks[2];
  for (int64_t which : {0, 1}) {
    if (step == ButterflyPlan::Step::ExchangeParts)
      for (int64_t from = 8 * which; from < 2 * lanes; from += 16)
        for (int64_t i = 0; i < 8; ++i)
          masks[which].push_back(from + i);
    else
      for (int64_t part = 4 * which; part < lanes; part += 8)
        for (int64_t i = 0; i < 4; ++i)
          masks[which].append({part + i, lanes + part + i});
  }
  return {masks[0], masks[1]};
}

void ButterflyPlan::emit(Emitter &e, Values &vectors) const {
  for (auto [step, p] : steps)
    for (size_t i = 0; i < vectors.size(); ++i) {
      if (i >> p & 1)
        continue;
      Value &a = vectors[i], &b = vectors[i | size_t{1} << p];
      if (step == Step::AddAndSubtract) {
        std::tie(a, b) = std::pair(e.add(a, b), e.sub(a, b));
        continue;
      }
      const auto [first, second] = exchangeMasks(step, last.lanes());
      std::tie(a, b) = std::pair(e.op<vector::ShuffleOp>(a, b, first), e.op<vector::ShuffleOp>(a, b, second));
    }
}
