//===- Blocks.cpp - Which transformer block a value belongs to -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Blocks.h"

#include "dialects/vit/Vit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::comparison;

std::optional<int64_t> comparison::blockOf(StringRef node) {
  std::string lower = node.lower();
  StringRef name = lower;
  for (StringRef word : {"blocks", "block", "layers", "layer"})
    for (size_t at = name.find(word); at != StringRef::npos; at = name.find(word, at + 1)) {
      // Not the end of another word, and not "layer_norm".
      if (at > 0 && llvm::isAlpha(name[at - 1]))
        continue;
      StringRef rest = name.drop_front(at + word.size());
      if (!rest.empty() && StringRef("._/").contains(rest.front()))
        rest = rest.drop_front();
      int64_t number;
      if (!rest.take_while(llvm::isDigit).getAsInteger(10, number))
        return number;
    }
  return std::nullopt;
}

bool comparison::isResidualAdd(Operation *op) {
  auto add = dyn_cast<vit::AddOp>(op);
  return add && cast<ShapedType>(add.getType()).getRank() > 2 &&
         llvm::none_of(add->getOperands(), [](Value operand) { return operand.getDefiningOp<arith::ConstantOp>(); });
}

llvm::DenseMap<Operation *, int64_t> comparison::findBlocks(func::FuncOp function) {
  llvm::DenseMap<Operation *, int64_t> blocks;
  Block &body = function.getBody().front();
  int64_t adds = llvm::count_if(body, [](Operation &op) { return isResidualAdd(&op); });
  int64_t softmaxes = llvm::count_if(body, [](Operation &op) { return isa<vit::SoftmaxOp>(op); });
  // Two sums and one attention a block; what follows the last sum is the head.
  bool regular = adds == 2 * softmaxes;
  bool embedded = false;
  int64_t seen = 0;
  for (Operation &op : body) {
    if (std::optional<int64_t> named = blockOf(nodeName(op.getLoc())))
      blocks[&op] = *named;
    else if (regular && embedded && seen < adds)
      blocks[&op] = seen / 2;
    seen += isResidualAdd(&op);
    // The first sum with a constant adds the positions.
    embedded |= isa<vit::AddOp>(op) || seen > 0;
  }
  return blocks;
}
