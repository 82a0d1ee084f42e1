//===- CommandLine.cpp - The command line of vitq-run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Runner.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

using namespace vitq;
using namespace vitq::runner;
namespace cl = llvm::cl;

namespace {

/// The options; created by `main` only, so that a program that links this
/// library does not get them.
struct Flags {
  cl::OptionCategory category{"vitq-run options"};
  cl::opt<std::string> program{cl::Positional, cl::Required, cl::desc("<program: .so, .vsys, .onnx, .mlir or .mlirbc>"),
                               cl::cat(category)};
  cl::opt<std::string> images = text("images", "Folder of images, an image, or a .npy of uint8 [N,H,W(,C)]", "path");
  cl::opt<std::string> inputs = text("inputs", "A .npy of normalized float32 [N,C,H,W] for a float model", "file.npy");
  cl::opt<std::string> labels = text("labels",
                                     "Classes of the images: .csv (file,class) or .npy; of their pixels: a folder of "
                                     "PNG, or .npy [N,H,W]",
                                     "file|folder");
  cl::opt<std::string> reference = text("reference", "Model to compare with, usually the original .onnx", "file");
  cl::opt<std::string> preprocess =
      text("preprocess",
           "resize=N|HxW|cover:HxW,crop=N|HxW,mean=..,std=.. or @FILE.json; only for a program "
           "that does not carry its own",
           "spec");
  cl::list<std::string> outputs{
      "output", cl::CommaSeparated, cl::value_desc("NAME,..."), cl::cat(category),
      cl::desc("Outputs that are looked at; of an .onnx, values or nodes of its graph too (its first output)")};
  cl::opt<std::string> dumpOutputs =
      text("dump-outputs", "Write an output [images, ...] (int32 or float32), or several as .npz", "file.npy|file.npz");
  cl::opt<std::string> dumpClasses = text(
      "dump-classes", "Write a PNG of the classes of each image's pixels, of an output [B, classes, H, W]", "folder");
  cl::opt<std::string> json = text("json", "Write the figures as JSON", "file");
  cl::list<std::string> shapes{"shape", cl::desc("Shape of an input whose axes an ONNX model leaves open"),
                               cl::value_desc("INPUT:1x3x224x224"), cl::cat(category)};
  cl::opt<uint64_t> limit{"limit", cl::desc("Look at the first images only (0: all)"), cl::value_desc("N"), cl::init(0),
                          cl::cat(category)};
  cl::opt<int64_t> threads{"num-threads", cl::desc("Run a .so that was compiled with --openmp in N threads"),
                           cl::value_desc("N"), cl::init(0), cl::cat(category)};
  cl::opt<bool> benchmark{
      "benchmark",
      cl::desc("Measure the latency of a .so and the limit of this core, or simulate the cycles of a .vsys"),
      cl::cat(category)};
  cl::opt<bool> profile{"profile", cl::desc("The time of every step of a .so, the cycles of every launch of a .vsys"),
                        cl::cat(category)};
  cl::opt<std::string> timeline =
      text("timeline", "Write what the queues of the array do in one launch of a .vsys: a Chrome trace, or a picture",
           "file.json|file.svg");
  cl::opt<std::string> launch =
      text("launch", "The launch of --timeline: a number or an ONNX node (default: the longest)", "N|node");
  cl::opt<std::string> engine =
      text("engine",
           "What runs the launches of a .vsys: simulator (the default), or the array's RTL beside it, in a library of "
           "rtl/build.sh",
           "simulator|rtl:file.so");
  cl::opt<bool> compare{"compare", cl::desc("Compare a module in a later phase with the float --reference, op by op"),
                        cl::cat(category)};

private:
  cl::opt<std::string> text(llvm::StringRef name, llvm::StringRef description, llvm::StringRef value) {
    return cl::opt<std::string>(name, cl::desc(description), cl::value_desc(value), cl::cat(category));
  }
};

} // namespace

int runner::main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(argc, argv, "Runs, evaluates and times vision transformers in any phase\n");
  RunOptions options;
  options.program = flags.program;
  options.images = flags.images;
  options.inputs = flags.inputs;
  options.labels = flags.labels;
  options.reference = flags.reference;
  options.preprocess = flags.preprocess;
  options.outputs.assign(flags.outputs.begin(), flags.outputs.end());
  options.shapes.assign(flags.shapes.begin(), flags.shapes.end());
  options.dumpOutputs = flags.dumpOutputs;
  options.dumpClasses = flags.dumpClasses;
  options.json = flags.json;
  options.limit = flags.limit;
  // 0 is for "not given" only.
  options.threads = flags.threads.getNumOccurrences() && flags.threads == 0 ? -1 : flags.threads.getValue();
  options.benchmark = flags.benchmark;
  options.profile = flags.profile;
  options.compare = flags.compare;
  options.timeline = flags.timeline;
  options.launch = flags.launch;
  options.engine = flags.engine;
  llvm::Expected<Figures> figures = run(options);
  if (!figures) {
    llvm::WithColor::error(llvm::errs(), "vitq-run") << llvm::toString(figures.takeError()) << "\n";
    return 1;
  }
  for (const std::string &remark : figures->remarks)
    llvm::WithColor::remark(llvm::errs(), "vitq-run") << remark << "\n";
  figures->print(llvm::outs());
  return 0;
}
