//===- Synthetic.h - Pictures that are made up ------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DATA_SYNTHETIC_H
#define VITQ_DATA_SYNTHETIC_H

#include "vitq/Data/ImageSource.h"

#include <optional>

namespace vitq::data {

/// `synthetic`, `synthetic:N` or `synthetic:N:SEED`, in place of a path: so many pictures that nobody took.
struct SyntheticSpec {
  size_t count = 64;
  uint64_t seed = 0;

  /// Whether `text` is one of these, maybe a wrong one; `./synthetic` is a path.
  static bool isMeant(llvm::StringRef text);
  static llvm::Expected<SyntheticSpec> parse(llvm::StringRef text);
  /// The longest form, which `parse` reads.
  std::string str() const;
};

/// Pictures of `size` for a model of 1 or 3 channels. They are made of what natural pictures have in common: smooth
/// fields whose spectrum falls with the frequency, things of all sizes that hide each other and so have edges (dead
/// leaves: Lee, Mumford and Huang, Occlusion models for natural images, 2001), gratings, strokes on plain ground. The
/// colours follow `preprocess`: its mean, and its deviation up to 0.27, are those of pixels; where it says nothing,
/// 0.5 and 0.27. The same pictures for the same numbers.
llvm::Expected<std::unique_ptr<ImageSource>> makeSynthetic(const SyntheticSpec &spec, Size size,
                                                           const Preprocess &preprocess, int channels);

} // namespace vitq::data

#endif // VITQ_DATA_SYNTHETIC_H
