//===- Runner.h - Running, evaluating and timing programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_RUNNER_H
#define VITQ_RUNNER_RUNNER_H

#include "vitq/Comparison/Comparison.h"
#include "vitq/Runner/Profile.h"
#include "vitq/Runner/Simulation.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vitq::runner {

/// What vitq-run is asked for; empty texts are absent.
struct RunOptions {
  std::string program;
  /// Folder of images, an image, or a .npy of uint8 pixels.
  std::string images;
  /// A .npy of normalized float32 [N, C, H, W] inputs, instead of images.
  std::string inputs;
  /// Classes of the images, .csv or .npy; for an output of maps [B, classes, H, W] classes of
  /// their pixels, a folder of PNG or .npy (data::readClassMaps).
  std::string labels;
  /// A program to compare with, usually the ONNX model.
  std::string reference;
  std::string preprocess;
  /// Shapes of inputs that ONNX models leave open (frontend::parseInputShape).
  std::vector<std::string> shapes;
  /// The outputs that are looked at, in order; of an ONNX model, values or nodes too.
  /// Empty: those of the program, or the model's first.
  std::vector<std::string> outputs;
  /// .npy for one output, .npz for any number.
  std::string dumpOutputs;
  /// A folder for pictures of the classes of pixels.
  std::string dumpClasses;
  std::string json;
  /// Look at the first images only; 0: all.
  uint64_t limit = 0;
  /// Threads of a compiled program; 0: the program's entry for one thread.
  int64_t threads = 0;
  bool benchmark = false;
  /// Time every step of a compiled program.
  bool profile = false;
  /// Compare with the reference op by op.
  bool compare = false;
  /// Of a program for a systolic array: where the timeline of a launch goes (.json or
  /// .svg), and which launch (a number or an ONNX node; empty: the longest).
  std::string timeline, launch;
  /// What runs its launches: `simulator`, or `rtl:LIBRARY`, the array's RTL, beside that.
  std::string engine;
};

/// What was measured; absent is "not measured". Shares are percentages.
struct Figures {
  std::optional<int64_t> images;
  /// Every output that is looked at.
  std::vector<OutputInfo> outputs;
  /// Of each, where there is a reference.
  std::vector<comparison::OutputFigures> outputFigures;
  /// Of the first output of classes.
  std::optional<double> top1, top5, referenceTop1, referenceTop5, agreement;
  /// Of the first output of maps: pixels of the right class, mean intersection over union.
  std::optional<double> pixelAccuracy, meanIoU, referencePixelAccuracy, referenceMeanIoU;
  /// 10 log10(sum r^2 / sum (r - p)^2) over all logits, r the reference's.
  std::optional<double> logitsSqnrDb;
  std::optional<int64_t> threads, batch;
  /// Of one run, that is of a batch, in milliseconds.
  std::optional<double> latencyMedian, latencyP10, latencyP90;
  /// The median divided by the batch.
  std::optional<double> imageMedian;
  /// 10^9 operations a second, two for each multiply-accumulate.
  std::optional<double> gops;
  /// Milliseconds that the multiply-accumulates of a run need at `peakGmacs`.
  std::optional<double> limit;
  /// The limit as a share of the median, and the median divided by the limit.
  std::optional<double> peakShare, timeOverLimit;
  /// Peak rate of the dot product that the program was compiled for, and of this
  /// machine's best one; of as many threads as the program uses.
  std::optional<double> peakGmacs, machinePeakGmacs;
  /// Of one run.
  std::optional<int64_t> macs;
  std::optional<int64_t> arenaBytes, arenaLowerBound, weightBytes, codeBytes;
  /// Of a program for a systolic array, of one run; simulated.
  std::optional<int64_t> cycles, dramBytes;
  std::optional<double> linearUtilization, attentionUtilization, cyclesOverRoofline, energyPicojoules;
  /// The same cycles on the RTL, and by how many percent the simulated cycles of a launch differ at most.
  std::optional<int64_t> rtlCycles;
  std::optional<double> rtlDifference;
  /// Square millimetres of its elements and units (HardwareCosts.h).
  std::optional<double> arrayArea;
  std::optional<Profile> profile;
  /// The array's profile, and whether it was asked for in full.
  std::shared_ptr<const Simulation> simulation;
  bool simulationInFull = false;
  std::optional<comparison::Comparison> comparison;
  /// What a user should know of the images; no part of the figures.
  std::vector<std::string> remarks;

  /// Takes the figures of the outputs, and those of the first one of classes for its own.
  void setOutputFigures(std::vector<comparison::OutputFigures> figures);

  /// An object with the fixed keys; null where not measured.
  llvm::json::Value toJSON() const;
  /// An aligned table of what was measured.
  void print(llvm::raw_ostream &os) const;
};

/// Does what `options` ask for and writes the files they name.
llvm::Expected<Figures> run(const RunOptions &options);

/// The tool: parses the command line, runs, prints. Returns the exit code.
int main(int argc, char **argv);

} // namespace vitq::runner

#endif // VITQ_RUNNER_RUNNER_H
