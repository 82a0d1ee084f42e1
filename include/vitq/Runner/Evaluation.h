//===- Evaluation.h - Outputs of programs on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_EVALUATION_H
#define VITQ_RUNNER_EVALUATION_H

#include "vitq/Comparison/Comparison.h"
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
  double logit(int64_t image, int64_t label) const {
    return isFloat ? floats[image * classes + label] : codes[image * classes + label];
  }
  /// The class with the largest output; the lowest of equal ones.
  int64_t best(int64_t image) const;
  /// How many classes come before class `label`; equal ones by their number.
  int64_t rank(int64_t image, int64_t label) const;
};

/// One batch of the inputs of a program, from image `first` on; the last of
/// `images` fills it up.
llvm::Expected<Tensor> readBatch(const ProgramInfo &info, const data::ImageSource &source, int64_t first,
                                 int64_t images);

/// Whether the images of `source` are what the program takes.
llvm::Error checkSource(const ProgramInfo &info, const data::ImageSource &source);

/// Runs every program on the first `images` images, in as many threads as
/// there are cores; fewer where a program itself uses `threadsOfProgram` of them.
llvm::Expected<std::vector<Outputs>> runAll(llvm::ArrayRef<const Program *> programs, const data::ImageSource &source,
                                            int64_t images, int64_t threadsOfProgram = 1);

/// Shares of the images, in percent. Top-5 is absent where five classes are all.
struct Accuracy {
  double top1 = 0;
  std::optional<double> top5;
};
Accuracy accuracyOf(const Outputs &outputs, llvm::ArrayRef<int64_t> labels);

/// The classes of the first `images` images; one that is none of `classes` is an
/// error that names the image.
llvm::Expected<std::vector<int64_t>> readLabels(llvm::StringRef path, const data::ImageSource &source, int64_t images,
                                                int64_t classes);

/// How far a program's outputs are those of a reference: the share of images of
/// the same class, in percent, and the SQNR of the logits where both have a scale.
struct Agreement {
  double percent = 0;
  std::optional<double> logitsSqnrDb;
};
Agreement agreementOf(const ProgramInfo &program, const Outputs &outputs, const ProgramInfo &reference,
                      const Outputs &referenceOutputs);

/// Compares two interpreted programs op by op on the first `images` images.
llvm::Expected<comparison::Comparison> compareOpByOp(const Program &reference, const Program &program,
                                                     const data::ImageSource &source, int64_t images,
                                                     int64_t rankedImages);

} // namespace vitq::runner

#endif // VITQ_RUNNER_EVALUATION_H
