//===- VitqKernel.cpp - Ops that are computed together ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/VitqKernel.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::integer;

#define GET_OP_CLASSES
#include "dialects/vitq/VitqKernelOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Body
//===----------------------------------------------------------------------===//

SmallVector<Operation *> KernelOp::getOps() {
  SmallVector<Operation *> ops;
  for (Operation &op : getBody().front().without_terminator())
    if (!isa<arith::ConstantOp>(op))
      ops.push_back(&op);
  return ops;
}

Operation *KernelOp::getRoot() {
  SmallVector<Operation *> ops = getOps();
  return *llvm::find_if(ops, [](Operation *op) { return !op->hasTrait<vit::MoveOp>(); });
}

Operation *KernelOp::getLast() { return getOps().back(); }

//===----------------------------------------------------------------------===//
// Interfaces
//===----------------------------------------------------------------------===//

void KernelOp::getSuccessorRegions(RegionBranchPoint point, SmallVectorImpl<RegionSuccessor> &regions) {
  if (point.isParent())
    regions.emplace_back(&getBody(), getBody().getArguments());
  else
    regions.emplace_back(getOperation(), getResults());
}

OperandRange KernelOp::getEntrySuccessorOperands(RegionSuccessor) { return getInputs(); }

void KernelOp::getRegionInvocationBounds(ArrayRef<Attribute>, SmallVectorImpl<InvocationBounds> &bounds) {
  bounds.emplace_back(1, 1);
}

bool KernelOp::hasUnsignedResult() {
  auto last = dyn_cast<IntegerOp>(getLast());
  return last && last.hasUnsignedResult();
}

std::string KernelOp::getAlgorithmName() {
  for (Operation *op : getOps())
    if (auto integer = dyn_cast<IntegerOp>(op))
      if (std::string name = integer.getAlgorithmName(); !name.empty())
        return name;
  return {};
}

//===----------------------------------------------------------------------===//
// Batches
//===----------------------------------------------------------------------===//

/// What the ops of the body want; the images come first.
BatchOperand KernelOp::getBatchOperand(unsigned index) {
  BatchOperand wanted = BatchOperand::Shared;
  for (OpOperand &use : getBody().getArgument(index).getUses())
    if (auto op = dyn_cast<BatchableOp>(use.getOwner()))
      wanted = std::min(wanted, op.getBatchOperand(use.getOperandNumber()));
  return wanted;
}

bool KernelOp::computesAlongLastAxis() {
  return llvm::any_of(getOps(), [](Operation *op) { return cast<BatchableOp>(op).computesAlongLastAxis(); });
}

/// An op of the body some of whose operands have grown.
static LogicalResult growOp(BatchableOp op, int64_t batch, llvm::DenseSet<Value> &grown, std::string &reason) {
  for (OpOperand &operand : op->getOpOperands()) {
    const BatchOperand kind = op.getBatchOperand(operand.getOperandNumber());
    const bool isGrown = grown.contains(operand.get());
    if ((kind == BatchOperand::Image && !isGrown) || (kind == BatchOperand::Shared && isGrown)) {
      reason = "an op of the kernel reads what is the same for all images as theirs, or the reverse";
      return failure();
    }
  }
  if (failed(op.growLeadingAxis(batch, reason)))
    return failure();
  for (Value result : op->getResults()) {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<int64_t> shape(type.getShape());
    if (shape.empty()) {
      reason = "a value of the kernel has no axes";
      return failure();
    }
    shape.front() *= batch;
    result.setType(type.clone(shape));
    grown.insert(result);
  }
  return success();
}

LogicalResult KernelOp::growLeadingAxis(int64_t batch, std::string &reason) {
  llvm::DenseSet<Value> grown;
  for (auto [argument, input] : llvm::zip_equal(getBody().getArguments(), getInputs()))
    if (argument.getType() != input.getType()) {
      argument.setType(input.getType());
      grown.insert(argument);
    }
  for (Operation *op : getOps())
    if (llvm::any_of(op->getOperands(), [&](Value operand) { return grown.contains(operand); }) &&
        failed(growOp(cast<BatchableOp>(op), batch, grown, reason)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  if (getBody().getArgumentTypes() != getInputs().getTypes()) // C1
    return emitOpError("the body needs an argument for each operand, of its type");
  return success();
}

/// Whether `op` reads `value` as a row that flows through it.
static bool readsRow(RowwiseOp op, Value value) {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return operand.get() == value && op.getRowOperand(operand.getOperandNumber()) == RowOperand::Row;
  });
}

LogicalResult KernelOp::verifyRegions() {
  Operation *previous = nullptr;
  for (Operation *op : getOps()) {
    const bool moves = op->hasTrait<vit::MoveOp>();
    auto rowwise = dyn_cast<RowwiseOp>(op);
    // The sums of a product, whatever it reads for them, are rows.
    const bool isRoot = !previous && isa<ProductOp>(op);
    if (!isa<VitqDialect>(op->getDialect()) || (!moves && !rowwise && !isRoot)) // C2
      return op->emitOpError("is neither an op on rows nor a move, as those of a kernel are");
    if (moves)
      continue;
    if (previous && !readsRow(rowwise, previous->getResult(0))) { // C3
      InFlightDiagnostic error = op->emitOpError("reads no row of what stands before it in the kernel");
      error.attachNote(previous->getLoc()) << "this is before it";
      return error;
    }
    previous = op;
  }
  if (!previous) // C2
    return emitOpError("has no op on rows");
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || yield.getValues() != getLast()->getResults()) // C4
    return emitOpError("the body must yield the results of its last op");
  return success();
}

//===----------------------------------------------------------------------===//
// Assembly
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  FunctionType type;
  const SMLoc loc = parser.getCurrentLocation();
  if (parser.parseAssignmentList(arguments, operands) || parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != arguments.size())
    return parser.emitError(loc, "the type names ")
           << type.getNumInputs() << " operands of the " << arguments.size() << " there are";
  for (auto [argument, argumentType] : llvm::zip_equal(arguments, type.getInputs()))
    argument.type = argumentType;
  result.addTypes(type.getResults());
  return failure(parser.resolveOperands(operands, type.getInputs(), loc, result.operands) ||
                 parser.parseRegion(*result.addRegion(), arguments));
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << "(";
  llvm::interleaveComma(llvm::zip_equal(getBody().getArguments(), getInputs()), printer,
                        [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
  printer << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << " : ";
  printer.printFunctionalType(getInputs().getTypes(), getOutputs().getTypes());
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}
