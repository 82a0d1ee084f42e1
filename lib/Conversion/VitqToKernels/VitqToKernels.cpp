//===- VitqToKernels.cpp - Integer ops to kernels on memrefs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "MoveOps.h"
#include "RowOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Conversion/Passes.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

namespace vitq {
#define GEN_PASS_DEF_CONVERTVITQTOKERNELSPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

namespace {

/// Rewrites one function: values move from tensors to memrefs, op by op.
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
  LogicalResult lowerRowOp(Operation *op, RowOp &row);
  void lowerReturn(func::ReturnOp op);

  func::FuncOp func;
  OpBuilder builder;
  KernelModule kernels;
  bool fuse;
  DenseMap<Value, Value> memrefs;
  /// Products that the row op which is their only user computes.
  DenseMap<Operation *, Operation *> producerOf;
};

} // namespace

static MemRefType memrefTypeOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

Value FunctionLowering::memrefOf(Value tensor) {
  if (Value found = memrefs.lookup(tensor))
    return found;
  std::optional<std::vector<char>> bytes = constantBytesOf(tensor);
  if (!bytes)
    return {};
  // Not memoized: a constant is looked up where it is used.
  return kernels.constant(tensor.getLoc(), *bytes, memrefTypeOf(tensor.getType()));
}

/// The product whose accumulators `op` reads row by row, if it may compute them
/// itself: nobody else reads them.
static integer::MatmulOp fusableProducer(Operation *op) {
  if (!isa<integer::RequantOp, integer::AddOp, integer::SoftmaxOp, integer::ShiftmaxOp, integer::DivideRowsOp>(op))
    return {};
  const unsigned candidates = isa<integer::AddOp>(op) ? 2 : 1;
  for (unsigned i = 0; i < candidates; ++i) {
    auto product = op->getOperand(i).getDefiningOp<integer::MatmulOp>();
    if (!product || !product->hasOneUse())
      continue;
    if (cast<ShapedType>(op->getResult(0).getType()).getShape() == product.getType().getShape())
      return product;
  }
  return {};
}

LogicalResult FunctionLowering::lowerRowOp(Operation *op, RowOp &row) {
  if (Operation *producer = producerOf.lookup(op))
    lowerMatmul(cast<integer::MatmulOp>(producer), kernels, [&](Value v) { return memrefOf(v); }, &row);
  else
    emitRowKernel(op->getLoc(), kernels, row, memrefOf(row.primary));
  for (auto [result, buffer] : llvm::zip_equal(op->getResults(), row.buffers))
    memrefs[result] = buffer;
  return success();
}

LogicalResult FunctionLowering::lower(Operation *op) {
  if (isa<arith::ConstantOp>(op))
    return success();
  auto lookup = [&](Value value) { return memrefOf(value); };
  if (auto product = dyn_cast<integer::MatmulOp>(op)) {
    macs += elementCount(product.getType()) * cast<ShapedType>(product.getLhs().getType()).getShape().back();
    if (!llvm::any_of(producerOf, [&](auto &entry) { return entry.second == op; }))
      memrefs[product] = lowerMatmul(product, kernels, lookup, nullptr);
    return success();
  }
  Operation *producer = producerOf.lookup(op);
  if (std::unique_ptr<RowOp> row = makeRowOp(op, kernels, lookup, producer ? producer->getResult(0) : Value()))
    return lowerRowOp(op, *row);
  if (Value moved = lowerMoveOp(op, kernels, lookup)) {
    memrefs[op->getResult(0)] = moved;
    return success();
  }
  return op->emitOpError("has no kernel");
}

void FunctionLowering::lowerReturn(func::ReturnOp op) {
  Values results = llvm::map_to_vector(op.getOperands(), [&](Value value) { return memrefOf(value); });
  op->setOperands(results);
}

LogicalResult FunctionLowering::run() {
  Block &body = func.getBody().front();
  if (fuse)
    for (Operation &op : body)
      if (integer::MatmulOp product = fusableProducer(&op))
        producerOf[&op] = product;

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
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || !main.getBody().hasOneBlock()) {
      module.emitError("needs a function @main of one block");
      return signalPassFailure();
    }
    for (Type type : llvm::concat<const Type>(main.getArgumentTypes(), main.getResultTypes())) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isInteger()) {
        main.emitError("operands and results must be statically shaped integer tensors");
        return signalPassFailure();
      }
    }
    // Types of the program, for its manifest.
    module->setAttr("vitq.signature", TypeAttr::get(main.getFunctionType()));
    FunctionLowering lowering(module, main, *desc, fuse);
    if (failed(lowering.run()))
      return signalPassFailure();
    numKernels = lowering.getKernels().kernelCount();
    numCalls = lowering.getKernels().callCount;
    Builder b(module.getContext());
    module->setAttr("vitq.macs", b.getI64IntegerAttr(lowering.macs));
    module->setAttr("vitq.weight_bytes", b.getI64IntegerAttr(lowering.getKernels().constantBytes()));
  }
};

} // namespace
