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
#include "vitq/Data/ClassMaps.h"
#include "vitq/Data/ImageSource.h"
#include "vitq/Runner/Program.h"

namespace vitq::runner {

/// A program, and the numbers of the outputs that are looked at.
struct Subject {
  Subject(const Program *program, std::vector<size_t> outputs) : program(program), outputs(std::move(outputs)) {}
  /// All of them.
  explicit Subject(const Program *program);

  const OutputInfo &output(size_t i) const { return program->info().outputs[outputs[i]]; }

  const Program *program;
  std::vector<size_t> outputs;
};

/// The outputs of `program` that `names` ask for, in their order; all where there are none.
llvm::Expected<Subject> chooseOutputs(const Program &program, llvm::ArrayRef<std::string> names);

/// The outputs of `reference` of the same names, or else of the same numbers where it has as
/// many as are looked at. Their shapes must be equal but for the batch.
llvm::Expected<Subject> chooseCounterparts(const Subject &subject, const Program &reference);

/// The first output of classes that is looked at.
std::optional<size_t> findClasses(const Subject &subject);

/// An output of one program for a number of images: F32 or I32.
struct Outputs {
  bool isFloat = false;
  /// Numbers for an image; `logit` and what follows are about an output of classes.
  int64_t size = 0;
  std::vector<float> floats;
  std::vector<int32_t> codes;

  int64_t images() const { return static_cast<int64_t>(isFloat ? floats.size() : codes.size()) / size; }
  double logit(int64_t image, int64_t label) const {
    return isFloat ? floats[image * size + label] : codes[image * size + label];
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
/// there are cores; fewer where a program itself uses `threadsOfProgram` of them. The
/// outputs that are looked at, program by program.
llvm::Expected<std::vector<std::vector<Outputs>>>
runAll(llvm::ArrayRef<Subject> subjects, const data::ImageSource &source, int64_t images, int64_t threadsOfProgram = 1);

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

//===----------------------------------------------------------------------===//
// Classes of pixels
//===----------------------------------------------------------------------===//

/// The first output of maps that is looked at.
std::optional<size_t> findMaps(const Subject &subject);

/// The class with the largest output at each pixel of a map of `size`; the lowest of
/// equal ones. Outputs [classes, H, W] of another size are resized first, bilinearly with
/// pixel centres at half numbers, as evaluations of segmentation do.
data::ClassMap classesOf(const OutputInfo &info, const Outputs &outputs, int64_t image, data::Size size);

/// Shares of the pixels that have a class, in percent: those of the right class; and the mean
/// over classes of intersection over union, which counts classes that labels or outputs hold.
struct MapAccuracy {
  double pixels = 0, meanIoU = 0;
};
/// Absent where no pixel has a class.
std::optional<MapAccuracy> accuracyOf(const OutputInfo &info, const Outputs &outputs,
                                      llvm::ArrayRef<data::ClassMap> labels);

/// The maps of the first `images` images, each as large as the images or as the output; a
/// class that is none of the output's is an error that names the image.
llvm::Expected<std::vector<data::ClassMap>> readMaps(llvm::StringRef path, const data::ImageSource &source,
                                                     int64_t images, const OutputInfo &info);

/// The share of pixels of the same class in two outputs, 0 to 1.
double agreementOf(const OutputInfo &own, const Outputs &outputs, const OutputInfo &reference,
                   const Outputs &referenceOutputs);

/// Writes a picture of the classes of each image, as large as the images, into `folder`,
/// which is made.
llvm::Error dumpClasses(llvm::StringRef folder, const data::ImageSource &source, const OutputInfo &info,
                        const Outputs &outputs);

/// How far an output is that of a reference: the SQNR where both have a scale, and of
/// classes the share of images of the same class, 0 to 1.
comparison::OutputFigures compareOutputs(const OutputInfo &own, const Outputs &outputs, const OutputInfo &reference,
                                         const Outputs &referenceOutputs);

/// Compares two interpreted programs op by op on the first `images` images.
llvm::Expected<comparison::Comparison> compareOpByOp(const Subject &reference, const Subject &program,
                                                     const data::ImageSource &source, int64_t images,
                                                     int64_t rankedImages);

} // namespace vitq::runner

#endif // VITQ_RUNNER_EVALUATION_H
