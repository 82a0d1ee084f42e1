//===- Driver.h - One command from a model to a program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DRIVER_DRIVER_H
#define VITQ_DRIVER_DRIVER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Target/Backend/TargetBackend.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vitq {

/// The phases of docs/Architecture.md, in order. `Target` is LLVM.
enum class Phase { Float, Quantized, Deferred, Integer, Target };
/// The phase a module is in, by the ops and types it holds.
Phase getPhase(mlir::ModuleOp module);

/// Whether any op has a calibrated range (`vit.range`).
bool hasRanges(mlir::ModuleOp module);

/// What a caller of `lowerToPhase` does between its passes.
struct PhaseHooks {
  /// Gives the recovered float module its ranges, in place of `addCalibratePasses`.
  std::function<llvm::LogicalResult(mlir::ModuleOp)> calibrate;
  /// Sees the calibrated float module.
  std::function<void(mlir::ModuleOp)> calibrated;
};

/// Runs the passes between the phase `module` is in and `last`, at most `Integer`;
/// nothing when it is there already. Every failure is a diagnostic.
llvm::LogicalResult lowerToPhase(mlir::ModuleOp module, Phase last, const CompileOptions &options,
                                 const PhaseHooks &hooks = {});

/// Makes an integer program of one image one of `batch` (vitq-set-batch).
llvm::LogicalResult setBatch(mlir::ModuleOp module, int64_t batch);

struct DriverOptions {
  /// `.onnx`, `.mlir` or `.mlirbc`, in any phase before `Target`.
  std::string input;
  std::string output = "-";
  Phase stopAfter = Phase::Integer;
  /// What is written: `mlir` or `bytecode`, the module in the phase that `stopAfter`
  /// names, or one of the kinds of the target, after the target phase. Empty: the
  /// target's default.
  std::string emit = "mlir";
  /// Of an ONNX model: weights in a file beside it (writeOnnx).
  bool externalData = false;
  /// One of the registered targets (findTarget): `native`, a CPU name or level, with
  /// features: `x86-64-v4+avx512vnni`, or NAME:CONFIG, as `systolic:gemmini-16x16`.
  std::string target = "native";
  /// What the target reads. Before the integer phase, `batch` is the size of a batch
  /// axis that an ONNX model leaves open.
  TargetOptions targetOptions;
  /// Values of an ONNX model that are compiled (frontend::ImportOptions); its first output
  /// when empty.
  std::vector<std::string> outputs;
  /// Shapes of inputs that an ONNX model leaves open (frontend::parseInputShape).
  std::vector<std::string> shapes;
  /// Name of the program; the output's stem when empty.
  std::string name;
  /// Paths of the reports; the format of each is that of its extension.
  std::vector<std::string> reports;
  /// Images that the report measures on; those of the calibration when empty.
  std::string reportData;
  /// Their classes (.csv or .npy), none when empty.
  std::string reportLabels;
  /// Images that are compared op by op; 0: all.
  int64_t reportLimit = 16;
  /// Whether a report says what the stages of the compilation cost, the only thing in
  /// it that is never twice the same.
  bool reportTimes = true;
  CompileOptions compile;
  /// The options that were given, by vitq-opt's names, as they were written: one that
  /// the rest makes meaningless is an error (FlagRules.h).
  std::map<std::string, std::string> given;
};

/// Whether the target matters: for what is emitted, or because the user named one.
bool needsTarget(const DriverOptions &options);

/// What is wrong with `target`, `emit`, `stopAfter`, `output` and the other paths, or
/// nothing. The target's configuration is not read.
std::string checkEmit(const DriverOptions &options);

/// Reads a module: imports ONNX, or parses text or bytecode. Errors are
/// diagnostics that name the file; elided constants are refused.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> loadModule(llvm::StringRef path, mlir::MLIRContext *context,
                                                              const frontend::ImportOptions &options = {});

/// Parses text or bytecode. Errors name `name`; elided constants are refused.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> parseModule(std::unique_ptr<llvm::MemoryBuffer> buffer,
                                                               llvm::StringRef name, mlir::MLIRContext *context);

/// Prints a module as text (with locations, nothing elided) or bytecode.
llvm::Error printModule(mlir::ModuleOp module, llvm::raw_ostream &os, bool bytecode);

/// Writes a module as text (with locations, which hold the ONNX node names) or
/// bytecode; whole or not at all.
mlir::LogicalResult writeModule(mlir::ModuleOp module, llvm::StringRef path, bool bytecode);

/// Compiles as `vitq-opt --compile` does. Every failure is a diagnostic.
mlir::LogicalResult compile(const DriverOptions &options, mlir::MLIRContext *context);

} // namespace vitq

#endif // VITQ_DRIVER_DRIVER_H
