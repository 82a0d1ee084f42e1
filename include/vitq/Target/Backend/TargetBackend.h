//===- TargetBackend.h - Targets, registered by name -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compiler asks of a target, from the text after --target= to files. The
// driver knows no target: it looks the name up here. A program that embeds vitq
// registers targets of its own beside those of vitq (docs/Howto/add-a-target.md):
//
//   static vitq::TargetRegistration<MyBackend> registration;
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_BACKEND_TARGETBACKEND_H
#define VITQ_TARGET_BACKEND_TARGETBACKEND_H

#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Analysis/ProductWork.h"
#include "vitq/Target/Backend/Facts.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vitq {

/// How compiled code computes a batch: every step for all images, or all steps for one
/// image after the other. `Auto` takes what reads less memory.
enum class BatchSchedule { Auto, Together, InTurn };

/// Where the weights of a program as C are: constants of the file, or bytes of a file of their own.
enum class WeightPlacement { Inside, Separate };

/// What vitq-opt's flags say to a target beside --target. A backend names those it
/// reads in `flags`; the others keep their defaults.
struct TargetOptions {
  /// --host-target: the CPU beside an accelerator, spelt as a --target.
  std::string hostTarget = "native";
  /// --place: ops that run where the user wants, OP=PLACE, several with commas.
  std::string place;
  /// --openmp: whether the program can also run in several threads.
  bool openmp = false;
  /// --batch, --batch-schedule: images of one run of the program.
  int64_t batch = 1;
  BatchSchedule batchSchedule = BatchSchedule::Auto;
  /// --weights: where they are.
  WeightPlacement weights = WeightPlacement::Inside;
  /// --ram, --flash: bytes that the program may take of each; 0 for any.
  int64_t ramBudget = 0, flashBudget = 0;
};

/// Something that a target writes, a value of --emit.
struct EmitKind {
  /// A file that is written beside the output: the output's path with this in place of
  /// its extension, and what it is, for messages.
  struct Sibling {
    llvm::StringRef suffix, what;
  };

  llvm::StringRef name, description;
  /// The usual extension of its file, with the dot.
  llvm::StringRef extension;
  /// Why it is not for standard output, as a clause: "a shared library cannot be written
  /// to standard output". Empty for text.
  llvm::StringRef whyFile;
  /// Whether the output must have that extension.
  bool needsExtension = false;
  llvm::ArrayRef<Sibling> siblings;
  /// Whether it is made of the target alone, without a model.
  bool needsNoModel = false;
};

/// A flag that a target reads, and what for, in the plural: "CPUs".
struct TargetFlag {
  llvm::StringRef name, subject;
};

/// What is to be written.
struct EmitRequest {
  /// The name of one of the backend's kinds.
  llvm::StringRef kind;
  /// The program's name, a C identifier, and the path of the output ("-": standard output).
  std::string name, output;
  /// Whether a report wants facts that take time, such as simulated cycles; and those that are never twice the same, as
  /// they are measured.
  bool wantsTiming = false, wantsMeasuredTimes = false;
};

/// A target with its configuration, for one module: the driver runs the passes of
/// `addPasses` on it, and then calls `emit`, or `describe` when the module itself is
/// what is written. Every failure is a diagnostic.
class Target {
public:
  virtual ~Target();

  /// What the target computes together: an attribute with KernelTargetAttrInterface
  /// (dialects/vitq/VitqTargets.td), which the driver makes the module's `vitq.target`, for
  /// vitq-form-kernels; or null.
  virtual mlir::Attribute capabilities(mlir::MLIRContext *context) const;

  /// Bits of the widest operand that its products take; 16 if not overridden. What has more is computed elsewhere.
  virtual unsigned operandBits() const;

  /// Estimated work per element of a nonlinear function in one of its forms, to compare
  /// the forms of a function with each other (--nonlinear=auto); no time. `function` as
  /// nonlinearFunctionOf; `inputBits` is 8, 16 or 32. 1 for all forms if not
  /// overridden: then the most exact one is taken.
  virtual double nonlinearCost(llvm::StringRef function, const AlgorithmSpec &spec, unsigned inputBits) const;

  /// Modelled effort of a product, in a unit of the target's own (cycles, operations, picojoules), to compare bits of
  /// its operands (--bits=auto:latency=R, auto:energy=R); none where the target has no model of it, as if not
  /// overridden.
  virtual std::optional<double> productCost(const ProductWork &work, Effort effort, mlir::MLIRContext *context) const;

  /// The same of `elements` of a nonlinear function by its usual form, 0 if not overridden.
  virtual double functionCost(llvm::StringRef function, int64_t elements, Effort effort) const;

  /// Adds the passes from the integer phase to the target phase.
  virtual llvm::LogicalResult addPasses(mlir::ModuleOp module, mlir::OpPassManager &pm) = 0;

  /// Writes what was asked for; files appear whole or not at all
  /// (vitq/Support/AtomicFile.h). `facts` receives what a report says of it beside the
  /// target's name.
  virtual llvm::LogicalResult emit(mlir::ModuleOp module, const EmitRequest &request, TargetFacts &facts) = 0;

  /// Writes one of the kinds that need no model.
  virtual llvm::Error emitAlone(const EmitRequest &request) const;

  /// The facts of a module in the target phase of which nothing else is made.
  virtual llvm::LogicalResult describe(mlir::ModuleOp module, const EmitRequest &request, TargetFacts &facts);
};

/// A kind of target. It is registered once, and used by several threads.
class TargetBackend {
public:
  virtual ~TargetBackend();

  /// What stands before the colon of --target=NAME:CONFIG: lower-case letters, digits
  /// and dashes.
  virtual llvm::StringRef name() const = 0;
  /// What it is for, in the plural ("systolic arrays"), how --target is written for
  /// it ("systolic:CONFIG"), and an example of that, all for messages.
  virtual llvm::StringRef subject() const = 0;
  virtual llvm::StringRef syntax() const = 0;
  virtual llvm::StringRef example() const = 0;

  /// What it can write, the default first; at least one. Beside them every target has
  /// `mlir` and `bytecode`, the module after its passes, and `onnx`, which is no target's.
  virtual llvm::ArrayRef<EmitKind> emitKinds() const = 0;
  /// The flags of TargetOptions that it reads; none if not overridden.
  virtual llvm::ArrayRef<TargetFlag> flags() const;
  /// What to tell the user who gives a flag that it does not read, after "--flag is for
  /// ...:"; empty for the advice to use a target that reads it.
  virtual llvm::StringRef adviceWithout(llvm::StringRef flag) const;

  /// The target that a configuration describes, the text after the colon. Errors name
  /// what is wrong in it, and the nearest right name.
  virtual llvm::Expected<std::unique_ptr<Target>> parse(llvm::StringRef config, const TargetOptions &options) const = 0;

  /// The kind of that name, null if there is none.
  const EmitKind *findEmitKind(llvm::StringRef kind) const;
  bool reads(llvm::StringRef flag) const;
};

/// The backend whose configurations need no name before them: CPUs.
inline constexpr llvm::StringLiteral kDefaultBackend = "cpu";

/// Values of --emit that every target has: the module, in a phase that is no target's.
bool isModuleKind(llvm::StringRef kind);
/// The one of them that is the quantized phase, as an ONNX model.
inline constexpr llvm::StringLiteral kOnnxKind = "onnx";

/// Makes a backend known, for the rest of the process. Errors: its name is one that is
/// registered already or has other characters, it has no kind to emit, one twice, or one
/// that every target has.
llvm::Error registerTarget(std::unique_ptr<TargetBackend> backend);

/// All that are registered, by name.
std::vector<const TargetBackend *> registeredTargets();

/// A --target, taken apart.
struct TargetName {
  const TargetBackend *backend = nullptr;
  std::string config;
};

/// Finds the backend of NAME:CONFIG or NAME; any other text without a colon is a
/// configuration of `kDefaultBackend`. Errors name the nearest.
llvm::Expected<TargetName> findTarget(llvm::StringRef text);

/// The target of a --target.
llvm::Expected<std::unique_ptr<Target>> parseTarget(llvm::StringRef text, const TargetOptions &options = {});

/// Registers a backend when it is constructed. As with LLVM's own registries, an error
/// is a mistake of the program, which ends with its text.
template <typename Backend>
class TargetRegistration {
public:
  template <typename... Args>
  explicit TargetRegistration(Args &&...args) {
    if (llvm::Error error = registerTarget(std::make_unique<Backend>(std::forward<Args>(args)...)))
      llvm::reportFatalUsageError(std::move(error));
  }
};

} // namespace vitq

#endif // VITQ_TARGET_BACKEND_TARGETBACKEND_H
