//===- Program.h - Something that is run on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_PROGRAM_H
#define VITQ_RUNNER_PROGRAM_H

#include "vitq/Data/Preprocess.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Interpreter/Interpreter.h"

#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct vitq_program;

namespace vitq::simulator {
struct Program;
} // namespace vitq::simulator

namespace vitq::runner {

/// One kernel call of a compiled program.
struct Step {
  std::string kernel;
  /// The ops that it computes, joined by '+', and the ONNX node.
  std::string op, node;
  int64_t macs = 0;
};

/// One output of a program.
struct OutputInfo {
  /// What the model calls it; no other output has that name.
  std::string name;
  /// [B, ...]; F32, or I32 with one scale (if it is known).
  llvm::SmallVector<int64_t, 4> shape;
  bool isFloat = false;
  std::optional<double> scale;
  /// Of compiled code: where it lies in the memory that is written to, in bytes.
  int64_t offset = 0;

  /// Numbers for one image, and bytes of all.
  int64_t size() const;
  int64_t bytes() const { return shape[0] * size() * 4; }
  /// Whether its numbers are those of classes.
  bool hasClasses() const { return shape.size() == 2; }
  /// Whether they can be those of classes for each pixel, [B, classes, H, W].
  bool hasMaps() const { return shape.size() == 4; }
};

/// What a program says of itself.
struct ProgramInfo {
  std::string path;
  /// A float program takes normalized F32 [B, C, H, W]; others take bytes I8,
  /// [B, H, W, C] or with `channelsFirst` [B, C, H, W].
  bool floatInput = false;
  bool channelsFirst = false;
  llvm::SmallVector<int64_t, 4> inputShape;
  /// In the order of their offsets; none where the program cannot be run.
  std::vector<OutputInfo> outputs;
  std::optional<data::Preprocess> preprocess;
  /// Whether a float program normalizes the pixels itself.
  bool readsBytes = false;
  /// Of one run, that is of a whole batch.
  std::optional<int64_t> macs, arenaBytes, arenaLowerBound, weightBytes, codeBytes;
  /// What the arena has more for each thread beyond the first.
  int64_t threadArenaBytes = 0;
  /// The instruction (vitq::DotInstruction::intrinsic) that compiled code multiplies
  /// with.
  std::string dotIntrinsic;
  /// In the order of execution; empty where nothing is recorded.
  std::vector<Step> steps;
  /// How often one run does all of them.
  int64_t turns = 1;

  int64_t batch() const { return inputShape[0]; }
  int64_t channels() const { return inputShape[floatInput || channelsFirst ? 1 : 3]; }
  int64_t height() const { return inputShape[floatInput || channelsFirst ? 2 : 1]; }
  int64_t width() const { return inputShape[floatInput || channelsFirst ? 3 : 2]; }
  /// Of the memory that compiled code writes to.
  int64_t outputBytes() const { return outputs.back().offset + outputs.back().bytes(); }
  /// Which output has that name.
  std::optional<size_t> findOutput(llvm::StringRef name) const;
};

/// A model in any phase, ready to run. Methods may be called from several
/// threads at once.
class Program {
public:
  virtual ~Program();

  const ProgramInfo &info() const { return information; }

  /// Whether this is compiled code, the only kind that is worth timing.
  virtual bool isCompiled() const { return false; }

  /// The entry points of compiled code, which live as long as this; null for other programs.
  virtual const vitq_program *getCompiled() const { return nullptr; }

  /// What runs it op by op; null for compiled code.
  virtual const Interpreter *getInterpreter() const { return nullptr; }

  /// What runs on a simulated systolic array; null for other programs.
  virtual const simulator::Program *getArrayProgram() const { return nullptr; }

  /// The errors that MLIR has emitted since the last call, where the program keeps
  /// them.
  virtual std::string takeDiagnostics() const { return {}; }

  /// The outputs for one batch of inputs.
  virtual llvm::Expected<llvm::SmallVector<Tensor>> run(const Tensor &input) const = 0;

  /// Makes every later `run` use `threads` threads; not while one is going on.
  /// Errors: this program was not compiled for several threads.
  virtual llvm::Error setThreads(int threads);

  /// Makes every later `run` execute the launches of a systolic array on its RTL, the library that rtl/build.sh made,
  /// each beside the simulator: a difference is an error of `run`. Errors: this program has no array, or the library
  /// is of another.
  virtual llvm::Error setRtl(llvm::StringRef library);
  /// Cycles of each launch on the RTL; empty before it ran there.
  virtual std::vector<uint64_t> rtlCycles() const { return {}; }

  /// Runs once and gives the time at the start and after each step of
  /// `info().steps`, turn after turn, in a unit that the program chooses. Errors: it
  /// has no profile.
  virtual llvm::Error runProfiled(const Tensor &input, std::vector<uint64_t> &ticks) const;

protected:
  ProgramInfo information;
};

/// Fills `info` from the manifest of a compiled program. Nothing is taken on
/// trust: what is missing or senseless is an error that names `info.path` and
/// the key. `target` is the CPU it was compiled for.
llvm::Error parseManifest(llvm::StringRef text, ProgramInfo &info, int64_t &arenaAlign, std::string &target);

/// Opens the program at `path`: a shared object made by vitq (.so), a program for a
/// systolic array (.vsys, or whatever begins as one), an ONNX model (.onnx), or a module
/// in any phase (.mlir, .mlirbc). Compiled code is loaded into this process; everything
/// it says of itself is checked first. `options` are for ONNX models.
llvm::Expected<std::unique_ptr<Program>> openProgram(llvm::StringRef path, const frontend::ImportOptions &options = {});

/// The same for a module in memory, in any phase but the last; it must outlive
/// the program. `name` is what errors call it. What MLIR finds wrong are
/// diagnostics.
llvm::Expected<std::unique_ptr<Program>> wrapModule(mlir::ModuleOp module, llvm::StringRef name);

} // namespace vitq::runner

#endif // VITQ_RUNNER_PROGRAM_H
