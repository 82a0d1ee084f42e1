//===- BitChoice.h - How many bits each tensor's codes get -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_BITCHOICE_H
#define VITQ_ANALYSIS_BITCHOICE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>
#include <optional>

namespace vitq {

/// Which tensor of a layer codes stand for, by what reads it (docs/Recipes.md, Bits).
enum class TensorRole : uint8_t {
  Weights,       ///< constant operand of a layer with weights
  Norm,          ///< what a layer reads from a LayerNorm
  Query,         ///< left operand of the product of scores
  Key,           ///< its right operand
  Value,         ///< right operand of the product that averages
  Probabilities, ///< its left operand
  Attention,     ///< what a layer reads from such a product, or from anything not named here
  Hidden,        ///< what a layer reads from a function, GELU say
  Residual,      ///< sums between layers
};
inline constexpr size_t kNumTensorRoles = 9;

/// As users write it: `weights`, `norm`, `query`, ...
llvm::StringRef toString(TensorRole role);

/// What bits that are left open may cost.
struct BitBudget {
  enum class Kind : uint8_t {
    Size,    ///< bytes of the weights of layers
    Latency, ///< modelled time on the target, over that with 8 bits everywhere
    Energy,  ///< modelled energy, likewise
    Drop     ///< measured loss of accuracy in points (docs/Recipes.md, Mixed bits), with as few bytes as that takes
  };
  Kind kind = Kind::Size;
  double value = 0;

  /// Whether bits of activations are left open, too: they take no bytes.
  bool opensActivations() const { return kind == Kind::Latency || kind == Kind::Energy; }
};

/// As users write it: `size`, `latency`, ...
llvm::StringRef toString(BitBudget::Kind kind);

/// What `--weight-bits`, `--activation-bits` and `--bits` say.
class BitChoice {
public:
  /// Items separated by commas, the later ones stronger: ROLE=N, with a role's name, `qkv` (query, key and value)
  /// or `activations` (all but weights and residual); or @FILE, a JSON object
  ///   {"bits": {ROLE: N, ...}, "layers": {NAME OF THE ONNX NODE: N or {ROLE: N, ...}}},
  /// where N for a layer is that of all roles but the residual's. What is said of a layer is
  /// stronger than what is said of all; `auto:BUDGET=N` leaves the bits of all other weights to `vit-choose-bits`, with
  /// a budget of `size` (N bytes, kB or MB, powers of ten), `drop` (N points), `latency` or `energy` (N over what 8
  /// bits take), the last two those of activations of which nothing is said as well. Errors name the item, or the file
  /// and the key.
  ///
  /// N is 2 to 8, or 16 for what layers read; for the residual stream, which has 16 bits, the resolution: 8 to 16.
  /// Probabilities have 4 to 8 bits; of a number of activations they take 4 up to 4, else 8.
  static llvm::Expected<BitChoice> parse(llvm::StringRef text);

  /// What bits that are left open may cost; none where none are.
  std::optional<BitBudget> budget() const { return open; }

  /// Nothing where nothing was said.
  std::optional<unsigned> ofAll(TensorRole role) const { return all[static_cast<size_t>(role)]; }
  std::optional<unsigned> ofLayer(TensorRole role, llvm::StringRef layer) const;

  /// Whether any weights (any activations but the residual stream) have fewer than `bits`, or may get them.
  bool isBelow(unsigned bits, bool weights) const;

  using Roles = std::array<std::optional<unsigned>, kNumTensorRoles>;
  /// What is said of single layers, by their names.
  const llvm::StringMap<Roles> &layers() const { return byLayer; }

private:
  llvm::Error addBudget(llvm::StringRef text);
  llvm::Error addFile(llvm::StringRef path);

  Roles all;
  llvm::StringMap<Roles> byLayer;
  std::optional<BitBudget> open;
};

} // namespace vitq

#endif // VITQ_ANALYSIS_BITCHOICE_H
