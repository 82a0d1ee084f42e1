//===- Interpreter.h - Running vit and vitq functions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_INTERPRETER_INTERPRETER_H
#define VITQ_INTERPRETER_INTERPRETER_H

#include "vitq/Tensor/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <functional>
#include <memory>
#include <vector>

namespace vitq {

struct InterpreterOptions {
  /// Float tensors are held and computed in double instead of float.
  bool useDouble = false;

  /// What is between casts is computed as if there were none: a value of a quantized type is the real number before
  /// it was rounded, not a code. Constants that are codes stand for what they code. So a quantized vit function gives
  /// the results of the float one that it came from, value by value; it may hold no vitq op.
  bool ignoreCasts = false;

  /// Computes an op's results from its operands, as the interpreter's own kernels do; called
  /// from several threads at once.
  using Kernel = std::function<llvm::LogicalResult(llvm::ArrayRef<Tensor>, llvm::MutableArrayRef<Tensor>)>;
  /// Makes the kernels of ops that the interpreter does not know; null for those that
  /// are not known there either.
  std::function<Kernel(mlir::Operation *)> external = nullptr;
};

/// Runs a function of vit ops (on float or quantized tensors), vitq ops, or a
/// mixture of both as it exists while lowering.
///
/// Values at run time: a float tensor is F32 (F64 with `useDouble`); a tensor of
/// a `!quant.uniform` type is I32, its codes; an integer tensor has its own
/// width. Integer ops compute exactly what a compiled program computes.
///
/// The function must outlive the interpreter and not change.
class Interpreter {
public:
  /// Called after each op but constants, with its results. It may put other
  /// tensors in their place, of the same kinds and shapes; later ops read those.
  using Observer = llvm::function_ref<void(mlir::Operation *, llvm::MutableArrayRef<Tensor>)>;

  /// Every value of one run, to start from again.
  class Record {
    friend class Interpreter;
    std::vector<Tensor> values;
  };

  /// A run that stops before ops that it is told, where their operands can be looked at and their
  /// results be replaced. One is used by one thread at a time, several of one interpreter at once.
  class Run {
  public:
    /// Runs all ops that come before `op`, which is not yet run; null: to the end.
    mlir::LogicalResult runUntil(mlir::Operation *op);

    /// An operand of the op that is next.
    const Tensor &operand(unsigned index) const;

    /// A value that an op before the next gave, and another from the next on reads; empty: any other.
    Tensor valueOf(mlir::Value value) const;

    /// What the next op gives if some operands, by their numbers, were other tensors of the same kinds and shapes;
    /// one number more than it has operands is an optional operand that it lacks.
    mlir::LogicalResult compute(llvm::ArrayRef<std::pair<unsigned, Tensor>> replaced,
                                llvm::SmallVectorImpl<Tensor> &results) const;

    /// Takes `results` as those of the next op and goes on behind it.
    void skip(llvm::ArrayRef<Tensor> results);

    /// What the function gives, at the end of the run.
    llvm::SmallVector<Tensor> results() const;

  private:
    friend class Interpreter;
    const Interpreter *interpreter = nullptr;
    size_t position = 0;
    std::vector<Tensor> values;
  };

  /// Prepares `function`; every op that cannot be run is an error at its
  /// location.
  static mlir::FailureOr<std::unique_ptr<Interpreter>> create(mlir::func::FuncOp function,
                                                              const InterpreterOptions &options = {});

  /// The same for a module's function `main`, or its only function.
  static mlir::FailureOr<std::unique_ptr<Interpreter>> create(mlir::ModuleOp module,
                                                              const InterpreterOptions &options = {});

  ~Interpreter();

  /// Runs the function. An input for a float argument is F32 or F64; for a
  /// quantized one its codes, in a kind of the storage width (bytes for u8) or
  /// as I32; for an integer one that integer. May be called from several threads
  /// at once; values are freed after their last use.
  mlir::LogicalResult run(llvm::ArrayRef<Tensor> inputs, llvm::SmallVectorImpl<Tensor> &results,
                          Observer observer = nullptr) const;

  /// A run that stands before the first op. Inputs as of `run`.
  mlir::FailureOr<Run> begin(llvm::ArrayRef<Tensor> inputs) const;

  /// Runs the function and keeps every value.
  mlir::LogicalResult record(llvm::ArrayRef<Tensor> inputs, Record &record) const;

  /// A value of the function as it was in that run.
  const Tensor &valueOf(const Record &record, mlir::Value value) const;

  /// The results of the recorded run had `changed` been `tensor` (of the same
  /// kind and shape): computes the ops that depend on it, and no other. May be
  /// called from several threads at once with one record.
  mlir::LogicalResult rerun(const Record &record, mlir::Value changed, const Tensor &tensor,
                            llvm::SmallVectorImpl<Tensor> &results) const;

  /// The same of several values at once.
  mlir::LogicalResult rerun(const Record &record, llvm::ArrayRef<std::pair<mlir::Value, Tensor>> changed,
                            llvm::SmallVectorImpl<Tensor> &results) const;

  mlir::func::FuncOp getFunction() const;

  /// Multiply-accumulate operations of all contractions in one run.
  int64_t macs() const;

private:
  struct Impl;
  explicit Interpreter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace vitq

#endif // VITQ_INTERPRETER_INTERPRETER_H
