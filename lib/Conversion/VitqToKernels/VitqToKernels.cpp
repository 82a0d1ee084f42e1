//===- VitqToKernels.cpp - Integer ops to kernels on memrefs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Fusion.h"
#include "Launch.h"
#include "MoveOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

/// Rewrites one function: values move from tensors to memrefs, op by op. What is
/// fused is lowered where its last op stands.
class FunctionLowering {
public:
  FunctionLowering(ModuleOp module, func::FuncOp func, const TargetDesc &target, bool fuse)
      : func(func), builder(func.getContext()), kernels(module, target, builder), fuse(fuse) {}

  LogicalResult run();

  KernelModule &getKernels() { return kernels; }
  int64_t macs = 0;

private:
  Value memrefOf(Value tensor);
  LogicalResult lower(Operation *op);
  LogicalResult lowerChain(ArrayRef<Operation *> chain);
  LogicalResult lowerRowOp(Operation *op);
  void lowerReturn(func::ReturnOp op);
  void eraseUnusedBuffers();

  func::FuncOp func;
  OpBuilder builder;
  KernelModule kernels;
  bool fuse;
  DenseMap<Value, Value> memrefs;
  FusionPlan plan;
  /// Calls of the array so far.
  int64_t launches = 0;
};

} // namespace

static MemRefType memrefTypeOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), storageOf(type.getElementType()));
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

/// A product and the ops after it. The first of these read its sums in registers
/// as long as they can; else one reads blocks of sums, and others its results.
LogicalResult FunctionLowering::lowerChain(ArrayRef<Operation *> chain) {
  auto lookup = [&](Value value) { return memrefOf(value); };
  auto product = cast<integer::MatmulOp>(chain.front());
  const Geometry g = Geometry::of(product, kernels.target);
  Epilogue epilogue;
  epilogue.patches = plan.patchesOf(product);
  Value previous = product;
  for (Operation *op : chain.drop_front()) {
    const bool readsSums = !epilogue.rowwise && epilogue.posts.empty();
    std::unique_ptr<RowOp> row = makeRowOp(op, kernels, lookup, previous);
    if (!row)
      return op->emitOpError("has no kernel");
    for (auto [result, buffer] : llvm::zip_equal(op->getResults(), row->buffers))
      memrefs[result] = buffer;
    if (readsSums && fitsTile(g, *row, kernels.target)) {
      if (!epilogue.elementwise.empty())
        epilogue.elementwise.back()->results.clear();
      epilogue.elementwise.push_back(std::move(row));
    } else if (epilogue.empty()) {
      epilogue.rowwise = std::move(row);
    } else {
      epilogue.posts.push_back(std::move(row));
    }
    epilogue.sources.push_back(op);
    previous = op->getResult(0);
  }
  if (Value sums = lowerMatmul(product, kernels, lookup, epilogue))
    memrefs[product] = sums;
  return success();
}

LogicalResult FunctionLowering::lower(Operation *op) {
  if (isa<arith::ConstantOp>(op) || plan.isPart(op))
    return success();
  auto lookup = [&](Value value) { return memrefOf(value); };
  if (const AttentionOps *attention = plan.attentionOf(op)) {
    Value result = lowerAttention(*attention, kernels, lookup);
    if (!result)
      return op->emitOpError("has no kernel");
    memrefs[op->getResult(0)] = result;
    return success();
  }
  if (ArrayRef<Operation *> chain = plan.chainOf(op); !chain.empty())
    return lowerChain(chain);
  if (isa<integer::MatmulOp>(op))
    return lowerChain({op});
  if (auto launch = dyn_cast<systolic::LaunchOp>(op)) {
    macs += launch.getMacs();
    for (auto [result, buffer] : llvm::zip_equal(launch.getOutputs(), lowerLaunch(launch, launches++, kernels, lookup)))
      memrefs[result] = buffer;
    return success();
  }
  if (succeeded(lowerRowOp(op)))
    return success();
  if (Value moved = lowerMoveOp(op, kernels, lookup)) {
    memrefs[op->getResult(0)] = moved;
    return success();
  }
  return op->emitOpError("has no kernel");
}

/// Buffers that fusion made superfluous.
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

LogicalResult FunctionLowering::run() {
  FailureOr<CodeSigns> signs = CodeSigns::of(func);
  if (failed(signs))
    return failure();
  kernels.signs = std::move(*signs);
  Block &body = func.getBody().front();
  if (fuse)
    plan = FusionPlan(body);
  for (auto product : body.getOps<integer::MatmulOp>())
    macs += macsOf(product);

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
          storageOf(tensor.getElementType()) != tensor.getElementType()) {
        main.emitError("operands and results must be statically shaped tensors of integers of 8 bits or more");
        return signalPassFailure();
      }
    }
    // The array's part is the program's, not the host's.
    for (auto routine : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (routine->hasAttr(systolic::kRoutineAttr))
        routine.erase();
    // Types of the program, for its manifest.
    module->setAttr("vitq.signature", TypeAttr::get(main.getFunctionType()));
    FunctionLowering lowering(module, main, *desc, fuse);
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
