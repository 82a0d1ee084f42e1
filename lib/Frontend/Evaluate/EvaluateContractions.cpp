//===- EvaluateContractions.cpp - Products of tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

namespace {
/// What is summed: for each index into `shape`, the product of one element of each operand. The last
/// `summed` axes are those of the sum.
struct Contraction {
  Shape shape;
  size_t summed = 0;
  /// Strides of each operand along these axes.
  SmallVector<Shape> strides;
};
} // namespace

template <typename Number, typename Read>
static std::vector<Number> readAll(const OnnxConstant &constant, Read read) {
  std::vector<Number> values(constant.size());
  for (auto [i, value] : llvm::enumerate(values))
    value = read(constant, static_cast<int64_t>(i));
  return values;
}

/// The sums, one for each index into the axes that are not summed.
template <typename Number>
static std::vector<Number> contract(const Contraction &contraction, ArrayRef<std::vector<Number>> operands) {
  const size_t kept = contraction.shape.size() - contraction.summed;
  ArrayRef<int64_t> outer = ArrayRef(contraction.shape).take_front(kept);
  ArrayRef<int64_t> inner = ArrayRef(contraction.shape).drop_front(kept);
  std::vector<Number> results;
  auto offsets = [&](ArrayRef<int64_t> index, size_t firstAxis, ArrayRef<int64_t> begin) {
    Shape at(begin);
    for (size_t o = 0; o < operands.size(); ++o)
      for (size_t axis = 0; axis < index.size(); ++axis)
        at[o] += index[axis] * contraction.strides[o][firstAxis + axis];
    return at;
  };
  const Shape zero(operands.size(), 0);
  // The innermost axis by itself: it is most of the work.
  const int64_t length = inner.empty() ? 1 : inner.back();
  forEachIndex(outer, [&](ArrayRef<int64_t> index) {
    const Shape begin = offsets(index, 0, zero);
    Number sum = 0;
    forEachIndex(inner.empty() ? inner : inner.drop_back(), [&](ArrayRef<int64_t> innerIndex) {
      Shape at = offsets(innerIndex, kept, begin);
      if (operands.size() == 2 && !inner.empty()) {
        // What nearly all are.
        const int64_t stepA = contraction.strides[0].back(), stepB = contraction.strides[1].back();
        const Number *a = operands[0].data() + at[0], *b = operands[1].data() + at[1];
        for (int64_t i = 0; i < length; ++i)
          sum += a[i * stepA] * b[i * stepB];
        return;
      }
      for (int64_t i = 0; i < length; ++i) {
        Number product = 1;
        for (size_t o = 0; o < operands.size(); ++o) {
          product *= operands[o][at[o]];
          at[o] += inner.empty() ? 0 : contraction.strides[o].back();
        }
        sum += product;
      }
    });
    results.push_back(sum);
  });
  return results;
}

/// The sums as a constant of `shape`.
static FailureOr<Result> computeContraction(NodeImporter &n, const Contraction &contraction,
                                            ArrayRef<ConstantPtr> operands, ArrayRef<int64_t> shape) {
  double work = static_cast<double>(std::max<size_t>(operands.size(), 2) - 1);
  for (int64_t size : contraction.shape)
    work *= static_cast<double>(size);
  const DType type = operands.front()->dtype;
  FailureOr<Result> result = n.allocate(type, shape, /*work=*/4);
  if (failed(result) || failed(n.spend(work)))
    return failure();
  if (isFloat(type)) {
    SmallVector<std::vector<double>> values;
    for (const ConstantPtr &operand : operands)
      values.push_back(realsOf(*operand));
    for (auto [i, sum] : llvm::enumerate(contract<double>(contraction, values)))
      (*result)->setDouble(static_cast<int64_t>(i), sum);
  } else {
    SmallVector<std::vector<uint64_t>> values;
    for (const ConstantPtr &operand : operands)
      values.push_back(readAll<uint64_t>(
          *operand, [](const OnnxConstant &c, int64_t i) { return static_cast<uint64_t>(c.getInt(i)); }));
    for (auto [i, sum] : llvm::enumerate(contract<uint64_t>(contraction, values)))
      (*result)->setInt(static_cast<int64_t>(i), wrapped(sum));
  }
  return result;
}

/// Operands of one type, which is no bool; halves, floats and doubles mixed become doubles.
static FailureOr<SmallVector<ConstantPtr>> readOperands(NodeImporter &n, size_t count) {
  SmallVector<ConstantPtr> operands;
  for (size_t i = 0; i < count; ++i)
    operands.push_back(n.input(i).constant);
  const DType type = operands.front()->dtype;
  for (ConstantPtr &operand : operands) {
    if (operand->dtype == type && type != DType::Bool)
      continue;
    if (!isFloat(type) || !isFloat(operand->dtype))
      return n.error() << "operands are " << stringify(type) << " and " << stringify(operand->dtype);
    operand = castConstant(*operand, type, operand->name);
  }
  return operands;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

static LogicalResult evaluateMatMul(NodeImporter &n) {
  FailureOr<SmallVector<ConstantPtr>> operands = readOperands(n, 2);
  if (failed(operands))
    return failure();
  Shape a(n.input(0).shape()), b(n.input(1).shape());
  if (a.empty() || b.empty())
    return n.error() << "expects matrices";
  const bool lhsIsVector = a.size() == 1, rhsIsVector = b.size() == 1;
  if (lhsIsVector)
    a.insert(a.begin(), 1);
  if (rhsIsVector)
    b.push_back(1);
  const int64_t rows = a[a.size() - 2], depth = a.back(), columns = b.back();
  if (b[b.size() - 2] != depth)
    return n.error() << "cannot multiply matrices of " << depth << " columns and " << b[b.size() - 2] << " rows";
  FailureOr<Shape> batch = broadcastShapes(n, ArrayRef(a).drop_back(2), ArrayRef(b).drop_back(2));
  if (failed(batch))
    return failure();
  Contraction contraction;
  contraction.shape = *batch;
  contraction.summed = 1;
  contraction.shape.append({rows, columns, depth});
  auto stridesOf = [&](ArrayRef<int64_t> shape, int64_t row, int64_t column, int64_t inner) {
    Shape strides(batch->size() + 2 - shape.size(), 0);
    const auto all = rowMajorStrides(shape);
    for (auto [size, stride] : llvm::zip_equal(shape.drop_back(2), ArrayRef(all).drop_back(2)))
      strides.push_back(size == 1 ? 0 : stride);
    strides.append({row, column, inner});
    return strides;
  };
  // Transposed: what is multiplied stands in a row.
  Shape swap = range(0, static_cast<int64_t>(b.size()));
  std::swap(swap[b.size() - 2], swap[b.size() - 1]);
  (*operands)[1] = (*operands)[1]->with(transposed((*operands)[1]->elements.reshaped(b), swap), "");
  contraction.strides = {stridesOf(a, depth, 0, 1), stridesOf((*operands)[1]->shape(), 0, depth, 1)};
  Shape shape(*batch);
  if (!lhsIsVector)
    shape.push_back(rows);
  if (!rhsIsVector)
    shape.push_back(columns);
  FailureOr<Result> result = computeContraction(n, contraction, *operands, shape);
  return failed(result) ? failure() : n.give(*result);
}

static LogicalResult evaluateGemm(NodeImporter &n) {
  if (n.input(0).rank() != 2 || n.input(1).rank() != 2)
    return n.error() << "expects matrices";
  FailureOr<SmallVector<ConstantPtr>> operands = readOperands(n, n.has(2) ? 3 : 2);
  if (failed(operands))
    return failure();
  const bool transA = n.intAttr("transA", 0) != 0, transB = n.intAttr("transB", 0) != 0;
  ArrayRef<int64_t> a = (*operands)[0]->shape(), b = (*operands)[1]->shape();
  const int64_t rows = a[transA], depth = a[!transA], columns = b[!transB];
  if (b[transB] != depth)
    return n.error() << "cannot multiply matrices of " << depth << " columns and " << b[transB] << " rows";
  Contraction contraction;
  contraction.shape = {rows, columns, depth};
  contraction.summed = 1;
  contraction.strides = {transA ? Shape{1, 0, rows} : Shape{depth, 0, 1},
                         transB ? Shape{0, depth, 1} : Shape{0, 1, columns}};
  const DType type = (*operands)[0]->dtype;
  // Of reals the product is rounded once, with the third operand.
  SmallVector<ConstantPtr> factors{(*operands)[0], (*operands)[1]};
  if (isFloat(type))
    for (ConstantPtr &factor : factors)
      factor = castConstant(*factor, DType::F64, "");
  FailureOr<Result> product = computeContraction(n, contraction, factors, {rows, columns});
  FailureOr<Result> result = failed(product) ? FailureOr<Result>() : n.allocate(type, {rows, columns});
  if (failed(result))
    return failure();
  ConstantPtr summand;
  if (n.has(2)) {
    FailureOr<Shape> shape = broadcastShapes(n, (*result)->shape(), (*operands)[2]->shape());
    if (failed(shape))
      return failure();
    if (ArrayRef<int64_t>(*shape) != (*result)->shape())
      return n.error() << "the third operand must broadcast to the product's shape";
    summand = broadcast(*(*operands)[2], *shape);
  }
  const double alpha = n.floatAttr("alpha", 1), beta = n.floatAttr("beta", 1);
  for (int64_t i = 0, e = (*result)->size(); i < e; ++i) {
    if (isFloat(type))
      (*result)->setDouble(i, alpha * (*product)->getDouble(i) + (summand ? beta * summand->getDouble(i) : 0));
    else if (alpha == 1 && beta == 1)
      (*result)->setInt(i, wrapped(static_cast<uint64_t>((*product)->getInt(i)) +
                                   (summand ? static_cast<uint64_t>(summand->getInt(i)) : 0)));
    else
      (*result)->setDouble(i, std::trunc(alpha * (*product)->getDouble(i)) +
                                  (summand ? std::trunc(beta * summand->getDouble(i)) : 0));
  }
  return n.give(*result);
}

//===----------------------------------------------------------------------===//
// Einsum
//===----------------------------------------------------------------------===//

static constexpr StringLiteral kEllipsis = "...";

/// The labels of one term; `ellipsis` are those that an ellipsis in it stands for.
static FailureOr<SmallVector<int>> readTerm(NodeImporter &n, StringRef term, ArrayRef<int> ellipsis) {
  SmallVector<int> labels;
  bool seen = false;
  while (!term.empty()) {
    if (!seen && term.consume_front(kEllipsis)) {
      llvm::append_range(labels, ellipsis);
      seen = true;
      continue;
    }
    if (!llvm::isAlpha(term.front()))
      return n.error() << "cannot read the equation";
    labels.push_back(term.front());
    term = term.drop_front();
  }
  return labels;
}

FailureOr<Equation> vitq::frontend::readEquation(NodeImporter &n) {
  std::string text = n.stringAttr("equation", "");
  llvm::erase_if(text, [](char c) { return c == ' '; });
  auto [left, right] = StringRef(text).split("->");
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != n.numInputs())
    return n.error() << "the equation has " << terms.size() << " terms for " << n.numInputs() << " inputs";
  Equation equation;
  SmallVector<int> longest;
  for (auto [i, term] : llvm::enumerate(terms)) {
    // What is no letter is the ellipsis.
    const int64_t letters = llvm::count_if(term, [](char c) { return llvm::isAlpha(c); });
    const int64_t covered = term.contains(kEllipsis) ? n.input(i).rank() - letters : 0;
    if (covered < 0 || letters + covered != n.input(i).rank())
      return n.error() << "term '" << term << "' does not fit an input of rank " << n.input(i).rank();
    SmallVector<int> axes;
    for (int64_t axis = covered; axis-- > 0;)
      axes.push_back(static_cast<int>(axis));
    if (axes.size() > longest.size())
      longest = axes;
    FailureOr<SmallVector<int>> labels = readTerm(n, term, axes);
    if (failed(labels))
      return failure();
    equation.inputs.push_back(*labels);
  }
  if (StringRef(text).contains("->")) {
    FailureOr<SmallVector<int>> labels = readTerm(n, right, longest);
    if (failed(labels))
      return failure();
    equation.output = *labels;
    return equation;
  }
  // Without an arrow: the ellipsis, and what occurs once, in alphabetical order.
  std::map<int, int> counts;
  for (ArrayRef<int> labels : equation.inputs)
    for (int label : labels)
      ++counts[label];
  equation.output = longest;
  for (auto [label, count] : counts)
    if (count == 1 && llvm::isAlpha(static_cast<char>(label)))
      equation.output.push_back(label);
  return equation;
}

static LogicalResult evaluateEinsum(NodeImporter &n) {
  FailureOr<Equation> equation = readEquation(n);
  FailureOr<SmallVector<ConstantPtr>> operands =
      failed(equation) ? FailureOr<SmallVector<ConstantPtr>>() : readOperands(n, n.numInputs());
  if (failed(operands))
    return failure();
  std::map<int, int64_t> sizes;
  for (auto [labels, operand] : llvm::zip_equal(equation->inputs, *operands))
    for (auto [label, size] : llvm::zip_equal(labels, operand->shape())) {
      int64_t &known = sizes.try_emplace(label, size).first->second;
      if (known != size && known != 1 && size != 1)
        return n.error() << "sizes " << known << " and " << size << " of one label differ";
      known = known == 1 ? size : known;
    }
  Contraction contraction;
  SmallVector<int> order(equation->output);
  for (int label : equation->output)
    if (!sizes.count(label) || llvm::count(equation->output, label) > 1)
      return n.error() << "the equation's result has an axis that no term has, or one twice";
  for (const auto &[label, size] : sizes)
    if (!llvm::is_contained(equation->output, label))
      order.push_back(label);
  contraction.summed = order.size() - equation->output.size();
  for (int label : order)
    contraction.shape.push_back(sizes[label]);
  for (auto [labels, operand] : llvm::zip_equal(equation->inputs, *operands)) {
    Shape strides(order.size(), 0);
    // An axis that a term has twice is its diagonal.
    for (auto [label, size, stride] : llvm::zip_equal(labels, operand->shape(), rowMajorStrides(operand->shape())))
      strides[llvm::find(order, label) - order.begin()] += size == 1 ? 0 : stride;
    contraction.strides.push_back(strides);
  }
  FailureOr<Result> result =
      computeContraction(n, contraction, *operands, ArrayRef(contraction.shape).take_front(equation->output.size()));
  return failed(result) ? failure() : n.give(*result);
}

void vitq::frontend::addContractionEvaluators(HandlerTable &table) {
  addEvaluator(table, "MatMul", evaluateMatMul, 2, 2);
  addEvaluator(table, "Gemm", evaluateGemm, 2, 3);
  addEvaluator(table, "Einsum", evaluateEinsum, 1, kManyInputs);
}
