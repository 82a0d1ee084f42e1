//===- ConstantCodes.h - Constants of a quantized model ----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A DequantizeLinear of a constant is a constant of reals that remembers its codes. Who
// only needs the numbers (a bias, a shape, gamma) reads them; a contraction takes the
// codes. Moves of the constant move the codes with it.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_CONSTANTCODES_H
#define VITQ_LIB_FRONTEND_CONSTANTCODES_H

#include "OnnxConstant.h"

#include <vector>

namespace vitq::frontend {

/// How integers stand for reals: `scale * (code - zero point)`.
struct Grid {
  /// One, or one for each index of `axis`.
  std::vector<double> scales{1.0};
  std::vector<int64_t> zeroPoints{0};
  /// -1: per tensor.
  int64_t axis = -1;
  unsigned bits = 8;
  bool isSigned = true;

  int64_t min() const { return isSigned ? -(int64_t(1) << (bits - 1)) : 0; }
  int64_t max() const { return (int64_t(1) << (isSigned ? bits - 1 : bits)) - 1; }
  bool isPerTensor() const { return axis < 0; }
};

/// Integers in the shape of the constant that remembers them.
struct ConstantCodes {
  Grid grid;
  /// I8, I16 or I32; unsigned ones wrapped around.
  Tensor codes;

  /// An element, as `grid` reads it.
  int64_t at(int64_t i) const;
  /// Which scale element `i` has.
  size_t channelOf(int64_t i) const;
};

/// `constant` with moved elements, and codes, if it has some whose axis of scales survives.
ConstantPtr transposedConstant(const OnnxConstant &constant, llvm::ArrayRef<int64_t> permutation, llvm::StringRef name);
ConstantPtr reshapedConstant(const OnnxConstant &constant, llvm::ArrayRef<int64_t> shape, llvm::StringRef name);
ConstantPtr slicedConstant(const OnnxConstant &constant, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
                           llvm::ArrayRef<int64_t> strides, llvm::StringRef name);

/// The reals of `codes`, which they remember. The name is that of what they were stored as.
ConstantPtr dequantizedConstant(std::shared_ptr<const ConstantCodes> codes, llvm::StringRef name);

/// Codes with zero point 0 of as many as 8 bits that mean the same: those of a weight.
/// Where a zero point puts them outside, `shift` has what is missing of each row, in
/// units of its scale: real = scale * (code + shift). Axis 0, or none, has the scales.
struct CenteredCodes {
  Tensor codes;
  unsigned bits = 8;
  std::vector<double> scales;
  /// Empty, or one for each scale.
  std::vector<int64_t> shifts;
};
CenteredCodes centered(const ConstantCodes &codes);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_CONSTANTCODES_H
