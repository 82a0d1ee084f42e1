//===- Mutate.h - Damaged copies of good files --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A damaged file is a function of the good one and a number, the same on every
// machine. Some damage is blind (bits, bytes, spans), some keeps the format intact
// and lies inside it: that gets past the parser.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_FUZZ_MUTATE_H
#define VITQ_TEST_FUZZ_MUTATE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace vitq::fuzz {

/// Numbers that depend on the seed only; the standard's distributions differ between
/// libraries.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed * 0x9e3779b97f4a7c15u + 1) {}
  /// At least 0 and less than `n`, which is not 0.
  size_t below(size_t n) { return static_cast<size_t>(engine() % n); }
  /// True once in `n` times.
  bool oneIn(size_t n) { return below(n) == 0; }
  template <typename T>
  const T &pick(llvm::ArrayRef<T> list) {
    return list[below(list.size())];
  }

private:
  std::mt19937_64 engine;
};

/// A part of a file, [begin, end).
struct Span {
  size_t begin, end;
};

/// Flips bits, removes, repeats, overwrites or swaps spans, or cuts the end off: one
/// of these, at places inside `places`.
std::string mutateBytes(std::string bytes, llvm::ArrayRef<Span> places, Random &random);

/// Integers at which things tend to break.
int64_t oddInteger(Random &random);
/// Zero, huge, tiny, negative, infinite, NaN.
double oddNumber(Random &random);

/// The ONNX model with a weight that many operators compute of constants, to the same value.
std::string addConstantSubgraph(const std::string &model);

/// The ONNX model with products and sums on codes, in all forms that quantized models have them.
std::string quantizeModel(const std::string &model);

/// The digits model with functions of its own, and operators of ONNX Runtime's that stand for several.
std::string composeModel(const std::string &model);

/// Copies of an ONNX model.
class ModelMutator {
public:
  explicit ModelMutator(std::string bytes);
  ~ModelMutator();
  std::string mutate(uint64_t seed) const;

private:
  struct Parsed;
  std::string good;
  std::unique_ptr<Parsed> parsed;
};

/// Copies of a range table.
class RangesMutator {
public:
  explicit RangesMutator(std::string text);
  std::string mutate(uint64_t seed) const;

private:
  std::string good;
  llvm::json::Value parsed;
};

/// Copies of an array of pixels, or of the same pixels as floats.
class NpyMutator {
public:
  explicit NpyMutator(std::string bytes) : good(std::move(bytes)) {}
  std::string mutate(uint64_t seed) const;

private:
  std::string mutateHeader(Random &random) const;
  std::string good;
};

} // namespace vitq::fuzz

#endif // VITQ_TEST_FUZZ_MUTATE_H
