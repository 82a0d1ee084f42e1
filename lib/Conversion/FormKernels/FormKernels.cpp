//===- FormKernels.cpp - Ops that a target computes together -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/VitqKernel.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Support/MainFunction.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vitq-form-kernels"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::integer;

namespace vitq {
#define GEN_PASS_DEF_VITQFORMKERNELSPASS
#include "vitq/Conversion/Passes.h.inc"
} // namespace vitq

namespace {

/// The kernels of one block.
class KernelFormer {
public:
  KernelFormer(Block &block, const KernelRules &rules)
      : block(block), rules(rules), builder(block.getParentOp()->getContext()) {}

  unsigned run();

private:
  Operation *followerOf(Operation *op) const;
  SmallVector<Operation *> longestFrom(Operation *root) const;
  void addMoves(SmallVectorImpl<Operation *> &ops);
  void form(ArrayRef<Operation *> ops);
  SmallVector<Value> makeArguments(Block *body);

  Block &block;
  const KernelRules &rules;
  OpBuilder builder;
  /// Moves that kernels have copies of.
  llvm::SetVector<Operation *> copied;
};

} // namespace

/// Whether `operand` is a row that flows through the op that reads it.
static bool isRow(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (auto rowwise = dyn_cast<RowwiseOp>(op))
    return rowwise.getRowOperand(operand.getOperandNumber()) == RowOperand::Row;
  return op->hasTrait<vit::MoveOp>();
}

/// The only op that reads the row of `op`, null if there is none such.
Operation *KernelFormer::followerOf(Operation *op) const {
  Value row = op->getResult(0);
  if (!row.hasOneUse())
    return nullptr;
  OpOperand &use = *row.use_begin();
  Operation *user = use.getOwner();
  return user->getBlock() == &block && isRow(use) ? user : nullptr;
}

/// Whether nobody outside of `ops` reads what others than the last of them give.
static bool onlyLastIsRead(ArrayRef<Operation *> ops) {
  return llvm::all_of(ops.drop_back(), [&](Operation *op) {
    return llvm::all_of(op->getUsers(), [&](Operation *user) { return llvm::is_contained(ops, user); });
  });
}

/// The longest kernel that begins with `root`; empty if there is none.
SmallVector<Operation *> KernelFormer::longestFrom(Operation *root) const {
  SmallVector<Operation *> ops;
  size_t longest = 0;
  for (Operation *next = root; next; next = followerOf(next)) {
    ops.push_back(next);
    std::string reason;
    const KernelFit fit = rules.fit(ops, reason);
    if (fit == KernelFit::No) {
      LDBG() << nodeName(root->getLoc()) << ": no " << next->getName() << " in a kernel of " << ops.size() - 1
             << " ops: " << reason;
      break;
    }
    if (fit == KernelFit::Kernel && onlyLastIsRead(ops))
      longest = ops.size();
  }
  ops.resize(longest);
  return ops;
}

/// Puts copies of the moves that are read through before `ops`. A kernel has one of each.
void KernelFormer::addMoves(SmallVectorImpl<Operation *> &ops) {
  SmallVector<Operation *> moves;
  DenseMap<Operation *, Operation *> copyOf;
  for (Operation *op : ops)
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *move = operand.get().getDefiningOp();
      if (!move || !move->hasTrait<vit::MoveOp>() || llvm::is_contained(ops, move) ||
          !rules.readsThrough(ops, operand, move))
        continue;
      Operation *&copy = copyOf[move];
      if (!copy) {
        builder.setInsertionPoint(ops.front());
        copy = builder.clone(*move);
        copied.insert(move);
        moves.push_back(copy);
      }
      operand.set(copy->getResult(0));
    }
  ops.insert(ops.begin(), moves.begin(), moves.end());
}

/// Makes what `body` reads from outside its arguments; returns what that is.
SmallVector<Value> KernelFormer::makeArguments(Block *body) {
  SmallVector<Value> inputs;
  DenseMap<Value, Value> arguments;
  for (Operation &op : *body)
    for (OpOperand &operand : op.getOpOperands()) {
      Value value = operand.get();
      if (value.getParentBlock() == body)
        continue;
      Value &argument = arguments[value];
      if (!argument) {
        argument = body->addArgument(value.getType(), value.getLoc());
        inputs.push_back(value);
      }
      operand.set(argument);
    }
  return inputs;
}

/// Moves `ops` into a kernel where the last of them stands.
void KernelFormer::form(ArrayRef<Operation *> ops) {
  Operation *last = ops.back();
  SmallVector<Location> locations;
  for (Operation *op : ops)
    locations.push_back(op->getLoc());
  const Location loc = FusedLoc::get(builder.getContext(), locations);
  builder.setInsertionPoint(last);
  OperationState state(loc, KernelOp::getOperationName());
  state.addTypes(last->getResultTypes());
  Block *body = new Block();
  state.addRegion()->push_back(body);
  auto kernel = cast<KernelOp>(builder.create(state));
  if (Attribute id = last->getAttr(kIdAttr))
    kernel->setAttr(kIdAttr, id);
  last->replaceAllUsesWith(kernel);
  for (Operation *op : ops)
    op->moveBefore(body, body->end());
  kernel->setOperands(makeArguments(body));
  builder.setInsertionPointToEnd(body);
  YieldOp::create(builder, loc, last->getResults());
}

unsigned KernelFormer::run() {
  SmallVector<Operation *> all;
  for (Operation &op : block)
    all.push_back(&op);
  unsigned formed = 0;
  for (Operation *op : all) {
    if (op->getBlock() != &block || op->getNumResults() == 0)
      continue;
    SmallVector<Operation *> ops = longestFrom(op);
    if (ops.empty())
      continue;
    addMoves(ops);
    if (ops.size() == 1 && !rules.wantsSingleOps())
      continue;
    LDBG() << nodeName(op->getLoc()) << ": " << ops.size() << " ops";
    form(ops);
    ++formed;
  }
  for (Operation *move : llvm::reverse(copied))
    if (move->use_empty())
      move->erase();
  return formed;
}

namespace {

struct FormKernels : ::vitq::impl::VitqFormKernelsPassBase<FormKernels> {
  using VitqFormKernelsPassBase::VitqFormKernelsPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> main = findMain(getOperation());
    if (failed(main))
      return signalPassFailure();
    std::unique_ptr<KernelRules> rules = makeRules();
    if (!rules)
      return signalPassFailure();
    numFormed = KernelFormer(main->getBody().front(), *rules).run();
  }

private:
  /// The target that is asked for, or the module's; null after an error.
  Attribute findTarget() {
    ModuleOp module = getOperation();
    StringRef text = target;
    if (text.starts_with("#"))
      return parseAttribute(text, module.getContext());
    if (!text.empty())
      return CpuAttr::get(module.getContext(), text);
    if (Attribute own = module->getAttr(kTargetAttr))
      return own;
    module.emitError("kernels are formed for a target: name one (target=...), or set '") << kTargetAttr << "'";
    return {};
  }

  std::unique_ptr<KernelRules> makeRules() {
    ModuleOp module = getOperation();
    Attribute attribute = findTarget();
    if (!attribute)
      return nullptr;
    if (auto interface = dyn_cast<KernelTargetAttrInterface>(attribute))
      return interface.getKernelRules(module, [&] { return module.emitError(); });
    module.emitError() << attribute << " is no target that kernels are formed for";
    return nullptr;
  }
};

} // namespace
