//===- Evaluation.h - Outputs of programs on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_RUNNER_EVALUATION_H
#define VITQ_LIB_RUNNER_EVALUATION_H

#include "vitq/Data/ImageSource.h"
#include "vitq/Runner/Program.h"

namespace vitq::runner {

/// All outputs of one program: [images, classes], F32 or I32.
struct Outputs {
  bool isFloat = false;
  int64_t classes = 0;
  std::vector<float> floats;
  std::vector<int32_t> codes;

  int64_t images() const { return static_cast<int64_t>(isFloat ? floats.size() : codes.size()) / classes; }
  double at(int64_t image, int64_t c) const {
    return isFloat ? floats[image * classes + c] : codes[image * classes + c];
  }
  /// The class with the largest output; the lowest of equal ones.
  int64_t best(int64_t image) const;
  /// How many classes come before class `c`; equal ones by their number.
  int64_t rank(int64_t image, int64_t c) const;
};

/// One batch of the inputs of a program, from image `first` on; the last of
/// `images` fills it up.
llvm::Expected<Tensor> readBatch(const ProgramInfo &info, const data::ImageSource &source, int64_t first,
                                 int64_t images);

/// Whether the images of `source` are what the program takes.
llvm::Error checkSource(const ProgramInfo &info, const data::ImageSource &source);

/// Runs every program on the first `images` images, in as many threads as
/// there are cores.
llvm::Expected<std::vector<Outputs>> runAll(llvm::ArrayRef<const Program *> programs, const data::ImageSource &source,
                                            int64_t images);

} // namespace vitq::runner

#endif // VITQ_LIB_RUNNER_EVALUATION_H
