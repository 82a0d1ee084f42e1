//===- ImportEinsum.cpp - Einsum as products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

namespace {
using Labels = SmallVector<int>;

/// The labels of a product of two terms, by what becomes of them.
struct Roles {
  /// In both terms and the result, in both terms only, in one term and the result.
  Labels batch, summed, left, right;
};
} // namespace

static FailureOr<Roles> assignRoles(NodeImporter &n, const Equation &equation) {
  const Labels &lhs = equation.inputs[0], &rhs = equation.inputs[1], &output = equation.output;
  Roles roles;
  for (int label : lhs) {
    const bool inRhs = llvm::is_contained(rhs, label), inOutput = llvm::is_contained(output, label);
    if (!inRhs && !inOutput)
      return n.error() << "sums an axis of one operand alone, which is supported on constants only";
    (inRhs ? inOutput ? roles.batch : roles.summed : roles.left).push_back(label);
  }
  for (int label : rhs)
    if (!llvm::is_contained(lhs, label)) {
      if (!llvm::is_contained(output, label))
        return n.error() << "sums an axis of one operand alone, which is supported on constants only";
      roles.right.push_back(label);
    }
  auto repeats = [](ArrayRef<int> labels) {
    return llvm::any_of(labels, [&](int label) { return llvm::count(labels, label) > 1; });
  };
  if (repeats(lhs) || repeats(rhs) || repeats(output) ||
      output.size() != roles.batch.size() + roles.left.size() + roles.right.size())
    return n.error() << "takes a diagonal, which is supported on constants only";
  return roles;
}

static int64_t positionOf(ArrayRef<int> labels, int label) { return llvm::find(labels, label) - labels.begin(); }

/// Axes in the order of `wanted`.
static MaybeImported permute(NodeImporter &n, const Imported &input, ArrayRef<int> labels, ArrayRef<int> wanted) {
  Shape order;
  for (int label : wanted)
    order.push_back(positionOf(labels, label));
  return n.transpose(input, order);
}

static Labels join(ArrayRef<int> a, ArrayRef<int> b, ArrayRef<int> c = {}) {
  Labels all(a);
  llvm::append_range(all, b);
  llvm::append_range(all, c);
  return all;
}

/// The operand as a batch of matrices, rows and columns with all axes of their kind.
static MaybeImported asMatrices(NodeImporter &n, const Imported &input, ArrayRef<int> labels, const Roles &roles,
                                ArrayRef<int> rows, ArrayRef<int> columns) {
  MaybeImported ordered = permute(n, input, labels, join(roles.batch, rows, columns));
  if (failed(ordered))
    return failure();
  ArrayRef<int64_t> sizes = ordered->shape();
  Shape shape(sizes.take_front(roles.batch.size()));
  shape.push_back(*countElements(sizes.slice(roles.batch.size(), rows.size())));
  shape.push_back(*countElements(sizes.take_back(columns.size())));
  return n.reshape(*ordered, shape);
}

/// A product of two terms; one term may only be moved.
static LogicalResult importEinsum(NodeImporter &n) {
  FailureOr<Equation> equation = readEquation(n);
  if (failed(equation))
    return failure();
  if (n.numInputs() == 1 && equation->inputs[0].size() == equation->output.size() &&
      llvm::all_of(equation->output, [&](int label) { return llvm::is_contained(equation->inputs[0], label); }))
    return n.setOutput(permute(n, n.input(0), equation->inputs[0], equation->output));
  if (n.numInputs() != 2)
    return n.error() << "is supported for two operands, or on constants";
  Imported lhs = n.input(0), rhs = n.input(1);
  // Weights stand behind what they multiply.
  if (lhs.constant) {
    std::swap(lhs, rhs);
    std::swap(equation->inputs[0], equation->inputs[1]);
  }
  FailureOr<Roles> roles = assignRoles(n, *equation);
  if (failed(roles))
    return failure();
  Shape split;
  for (int label : join(roles->batch, roles->left, roles->right)) {
    const Labels &left = equation->inputs[0], &right = equation->inputs[1];
    const int64_t size =
        llvm::is_contained(left, label) ? lhs.shape()[positionOf(left, label)] : rhs.shape()[positionOf(right, label)];
    split.push_back(size);
  }
  for (int label : join(roles->batch, roles->summed))
    if (lhs.shape()[positionOf(equation->inputs[0], label)] != rhs.shape()[positionOf(equation->inputs[1], label)])
      return n.error() << "sizes of one label differ";
  MaybeImported a = asMatrices(n, lhs, equation->inputs[0], *roles, roles->left, roles->summed);
  MaybeImported b = failed(a) ? a : asMatrices(n, rhs, equation->inputs[1], *roles, roles->summed, roles->right);
  MaybeImported product = failed(b) ? b : makeMatMul(n, *a, *b);
  MaybeImported result = failed(product) ? product : n.reshape(*product, split);
  return n.setOutput(
      failed(result) ? result : permute(n, *result, join(roles->batch, roles->left, roles->right), equation->output));
}

void vitq::frontend::addEinsumHandlers(HandlerTable &table) { table["Einsum"] = {importEinsum, 1, kManyInputs}; }
