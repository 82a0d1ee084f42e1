//===- VitqToKernels.cpp - Integer ops to kernels on memrefs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "CpuKernels.h"
#include "Depthwise.h"
#include "Launch.h"
#include "MoveOps.h"

#include "dialects/vitq/VitqKernel.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/PatternMatch.h"
#include "vitq/Analysis/ProgramResults.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "convert-vitq-to-kernels"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

namespace vitq {
#define GEN_PASS_DEF_CONVERTVITQTOKERNELSPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

namespace {

/// What one kernel computes.
struct Kernel {
  KernelParts parts;
  /// Moves that its operands are read through.
  SmallVector<Operation *> moves;
};

/// Rewrites one function: values move from tensors to memrefs, kernel by kernel and op by
/// op. A kernel is lowered where its last op stands.
class FunctionLowering {
public:
  FunctionLowering(ModuleOp module, func::FuncOp func, const TargetDesc &target)
      : func(func), builder(func.getContext()), kernels(module, target, builder), rules(target) {}

  LogicalResult run();

  KernelModule &getKernels() { return kernels; }
  int64_t macs = 0;

private:
  Value memrefOf(Value tensor);
  LogicalResult inlineKernel(integer::KernelOp op);
  LogicalResult lower(Operation *op);
  LogicalResult lowerKernel(const Kernel &kernel);
  LogicalResult lowerProduct(const Kernel &kernel);
  template <typename Fits>
  LogicalResult makeEpilogue(const Kernel &kernel, Value root, Fits fits, Epilogue &epilogue);
  LogicalResult lowerRowOp(Operation *op);
  void lowerReturn(func::ReturnOp op);
  void eraseUnusedBuffers();

  func::FuncOp func;
  OpBuilder builder;
  KernelModule kernels;
  CpuKernelRules rules;
  DenseMap<Value, Value> memrefs;
  /// By their last ops; the other ones need no code of their own.
  DenseMap<Operation *, Kernel> kernelOf;
  DenseSet<Operation *> parts;
  /// Calls of the array so far.
  int64_t launches = 0;
};

} // namespace

static MemRefType memrefTypeOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), integer::storageOf(type.getElementType()));
}

Value FunctionLowering::memrefOf(Value tensor) {
  if (Value found = memrefs.lookup(tensor))
    return found;
  FailureOr<Tensor> elements = getIntTensor(tensor);
  if (failed(elements))
    return {};
  // Not memoized: a constant is looked up where it is used.
  return kernels.codes(tensor.getLoc(), *elements, tensor);
}

LogicalResult FunctionLowering::lowerRowOp(Operation *op) {
  auto lookup = [&](Value value) { return memrefOf(value); };
  std::unique_ptr<RowOp> row = makeRowOp(op, kernels, lookup, Value());
  if (!row)
    return failure();
  emitRowKernel(op, kernels, *row, memrefOf(row->primary));
  for (auto [result, buffer] : llvm::zip_equal(op->getResults(), row->buffers))
    memrefs[result] = buffer;
  return success();
}

/// Whether `op` reads a result of one of `ops`.
static bool readsOneOf(Operation *op, ArrayRef<Operation *> ops) {
  return llvm::any_of(op->getOperands(),
                      [&](Value operand) { return llvm::is_contained(ops, operand.getDefiningOp()); });
}

/// Puts the ops of a kernel in its place, and remembers that they are one.
LogicalResult FunctionLowering::inlineKernel(integer::KernelOp op) {
  SmallVector<Operation *> ops, operandMoves;
  for (Operation *part : op.getOps())
    (readsOneOf(part, ops) || !part->hasTrait<vit::MoveOp>() ? ops : operandMoves).push_back(part);
  Kernel kernel;
  std::string reason;
  if (rules.fit(ops, reason) != integer::KernelFit::Kernel)
    return op.emitOpError("is no kernel of a CPU: ")
           << reason << "; form kernels for one (--vitq-form-kernels=target=...)";
  (void)KernelParts::read(ops, kernel.parts, reason);
  IRRewriter rewriter(builder);
  Operation *yield = op.getBody().front().getTerminator();
  rewriter.inlineBlockBefore(&op.getBody().front(), op, op.getInputs());
  rewriter.replaceOp(op, yield->getOperands());
  rewriter.eraseOp(yield);
  for (Operation *part : ops)
    for (OpOperand &operand : part->getOpOperands()) {
      Operation *move = operand.get().getDefiningOp();
      if (llvm::is_contained(operandMoves, move) && rules.readsThrough(ops, operand, move))
        kernel.moves.push_back(move);
    }
  parts.insert(kernel.moves.begin(), kernel.moves.end());
  parts.insert(ops.begin(), ops.end());
  kernelOf[ops.back()] = std::move(kernel);
  return success();
}

LogicalResult FunctionLowering::lowerKernel(const Kernel &kernel) {
  if (!kernel.parts.isAttention())
    return lowerProduct(kernel);
  auto lookup = [&](Value value) { return memrefOf(value); };
  Operation *last = kernel.parts.last();
  Value result = lowerAttention(kernel.parts, kernel.moves, kernels, lookup);
  if (!result)
    return kernels.noKernel(last);
  memrefs[last->getResult(0)] = result;
  return success();
}

/// A product and the ops after it. The first of these read its sums in registers
/// as long as they can; else one reads blocks of sums, and others its results.
LogicalResult FunctionLowering::lowerProduct(const Kernel &kernel) {
  auto lookup = [&](Value value) { return memrefOf(value); };
  Epilogue epilogue;
  if (integer::DepthwiseConv2dOp conv = kernel.parts.depthwise) {
    auto fits = [&](const RowOp &row) { return fitsDepthwise(row, kernels.target); };
    if (failed(makeEpilogue(kernel, conv, fits, epilogue)))
      return failure();
    FailureOr<Value> sums = lowerDepthwise(conv, kernels, lookup, epilogue);
    if (failed(sums))
      return kernels.noKernel(conv);
    if (*sums)
      memrefs[conv] = *sums;
    return success();
  }
  integer::MatmulOp product = kernel.parts.product;
  const Geometry geometry = Geometry::of(product, kernels.target);
  if (!kernel.moves.empty())
    epilogue.patches = cast<integer::ExtractPatchesOp>(kernel.moves.front());
  auto fits = [&](const RowOp &row) { return fitsTile(geometry, row, kernels.target); };
  if (failed(makeEpilogue(kernel, product, fits, epilogue)))
    return failure();
  if (Value sums = lowerMatmul(product, kernels, lookup, epilogue))
    memrefs[product] = sums;
  return success();
}

/// The ops behind `root` as parts of its kernel: on sums in registers where it `fits`.
template <typename Fits>
LogicalResult FunctionLowering::makeEpilogue(const Kernel &kernel, Value root, Fits fits, Epilogue &epilogue) {
  auto lookup = [&](Value value) { return memrefOf(value); };
  Value previous = root;
  for (ArrayRef<Operation *> rest(kernel.parts.rowOps); !rest.empty();) {
    const bool readsSums = !epilogue.rowwise && epilogue.posts.empty();
    size_t count = 1;
    std::unique_ptr<RowOp> row = makeSpreadRowOp(rest, count, kernels, lookup, previous);
    if (!row) {
      count = 1;
      row = makeRowOp(rest.front(), kernels, lookup, previous);
    }
    if (!row)
      return kernels.noKernel(rest.front());
    Operation *op = rest[count - 1];
    for (auto [result, buffer] : llvm::zip_equal(op->getResults(), row->buffers))
      memrefs[result] = buffer;
    if (readsSums && fits(*row)) {
      if (!epilogue.elementwise.empty())
        epilogue.elementwise.back()->results.clear();
      epilogue.elementwise.push_back(std::move(row));
    } else if (epilogue.empty()) {
      epilogue.rowwise = std::move(row);
    } else {
      epilogue.posts.push_back(std::move(row));
    }
    epilogue.sources.append(rest.begin(), rest.begin() + count);
    previous = op->getResult(0);
    rest = rest.drop_front(count);
  }
  return success();
}

LogicalResult FunctionLowering::lower(Operation *op) {
  if (auto kernel = kernelOf.find(op); kernel != kernelOf.end())
    return lowerKernel(kernel->second);
  if (isa<arith::ConstantOp>(op) || parts.contains(op))
    return success();
  auto lookup = [&](Value value) { return memrefOf(value); };
  if (isa<integer::MatmulOp, integer::DepthwiseConv2dOp>(op)) {
    Kernel alone;
    alone.parts.product = dyn_cast<integer::MatmulOp>(op);
    alone.parts.depthwise = dyn_cast<integer::DepthwiseConv2dOp>(op);
    return lowerProduct(alone);
  }
  if (auto launch = dyn_cast<systolic::LaunchOp>(op)) {
    macs += launch.getMacs();
    for (auto [result, buffer] : llvm::zip_equal(launch.getOutputs(), lowerLaunch(launch, launches++, kernels, lookup)))
      memrefs[result] = buffer;
    return success();
  }
  if (succeeded(lowerRowOp(op)))
    return success();
  for (auto *lowerOp : {lowerMoveOp, lowerWindowOp})
    if (Value result = lowerOp(op, kernels, lookup)) {
      memrefs[op->getResult(0)] = result;
      return success();
    }
  return kernels.noKernel(op);
}

/// Buffers of values that stay in a kernel.
void FunctionLowering::eraseUnusedBuffers() {
  SmallVector<Operation *> ops;
  for (Operation &op : func.getBody().front())
    if (isa<memref::AllocOp, memref::ReinterpretCastOp, memref::ViewOp>(op))
      ops.push_back(&op);
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

void FunctionLowering::lowerReturn(func::ReturnOp op) {
  Values results = llvm::map_to_vector(op.getOperands(), [&](Value value) { return memrefOf(value); });
  op->setOperands(results);
}

/// What computes on a tensor without elements: the emitted loops, and whoever
/// divides by an extent, count on there being some.
static LogicalResult refuseEmptyTensors(Operation *op) {
  if (op->hasTrait<vit::MoveOp>() || isa<arith::ConstantOp, func::ReturnOp>(op))
    return success();
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
    if (auto tensor = dyn_cast<RankedTensorType>(type);
        tensor && tensor.hasStaticShape() && tensor.getNumElements() == 0)
      return op->emitOpError() << "computes with a tensor without elements (" << tensor
                               << "), for which there is no code; leave the op out";
  return success();
}

LogicalResult FunctionLowering::run() {
  FailureOr<CodeSigns> signs = CodeSigns::of(func);
  if (failed(signs))
    return failure();
  kernels.signs = std::move(*signs);
  Block &body = func.getBody().front();
  for (auto kernel : llvm::make_early_inc_range(body.getOps<integer::KernelOp>()))
    if (failed(inlineKernel(kernel)))
      return failure();
  for (auto product : body.getOps<integer::ProductOp>()) {
    macs += product.getMacs();
    if (Value weights = product->getOperand(1); isConstant(weights))
      kernels.weightBytes += elementCount(weights.getType()) * integer::codeOf(weights).bits / 8;
  }

  SmallVector<Type> argTypes, resultTypes;
  for (Type type : func.getArgumentTypes())
    argTypes.push_back(memrefTypeOf(type));
  for (Type type : func.getResultTypes())
    resultTypes.push_back(memrefTypeOf(type));
  for (auto [i, type] : llvm::enumerate(argTypes)) {
    Value old = body.getArgument(i);
    memrefs[old] = body.addArgument(type, old.getLoc());
  }

  SmallVector<Operation *> ops;
  for (Operation &op : body)
    ops.push_back(&op);
  for (Operation *op : ops) {
    if (failed(refuseEmptyTensors(op)))
      return failure();
    builder.setInsertionPoint(op);
    if (auto ret = dyn_cast<func::ReturnOp>(op))
      lowerReturn(ret);
    else if (failed(lower(op)))
      return failure();
  }
  for (Operation *op : llvm::reverse(ops))
    if (!isa<func::ReturnOp>(op))
      op->erase();
  eraseUnusedBuffers();
  body.eraseArguments(0, argTypes.size());
  func.setType(FunctionType::get(func.getContext(), argTypes, resultTypes));
  return success();
}

namespace {

struct ConvertVitqToKernels : vitq::impl::ConvertVitqToKernelsPassBase<ConvertVitqToKernels> {
  using ConvertVitqToKernelsPassBase::ConvertVitqToKernelsPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    ConvertVitqToKernelsPassBase::getDependentDialects(registry);
    registerCpuKernelTarget(registry);
  }

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<TargetDesc> desc = TargetDesc::parse(target);
    if (!desc) {
      module.emitError(llvm::toString(desc.takeError()));
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> found = findMain(module);
    if (failed(found))
      return signalPassFailure();
    func::FuncOp main = *found;
    for (Type type : llvm::concat<const Type>(main.getArgumentTypes(), main.getResultTypes())) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isInteger() ||
          integer::storageOf(tensor.getElementType()) != tensor.getElementType()) {
        main.emitError("operands and results must be statically shaped tensors of integers of 8 bits or more");
        return signalPassFailure();
      }
    }
    // The array's part is the program's, not the host's.
    for (auto routine : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (routine->hasAttr(systolic::kRoutineAttr))
        routine.erase();
    // Types and names of the program, for its manifest.
    module->setAttr("vitq.signature", TypeAttr::get(main.getFunctionType()));
    const SmallVector<std::string> names = resultNames(main);
    module->setAttr("vitq.output_names",
                    Builder(module.getContext()).getStrArrayAttr(SmallVector<StringRef>(names.begin(), names.end())));
    FunctionLowering lowering(module, main, *desc);
    if (failed(lowering.run()))
      return signalPassFailure();
    numKernels = lowering.getKernels().kernelCount();
    numCalls = lowering.getKernels().callCount;
    LDBG() << lowering.getKernels().kernelCount() << " kernels in " << lowering.getKernels().callCount << " calls for "
           << target;
    Builder b(module.getContext());
    module->setAttr("vitq.macs", b.getI64IntegerAttr(lowering.macs));
    module->setAttr("vitq.weight_bytes", b.getI64IntegerAttr(lowering.getKernels().constantBytes()));
  }
};

} // namespace
