//===- Recover.cpp - What a tile program computes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recover.h"
#include "Symbols.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using llvm::itostr;

static int64_t productOf(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= extent;
  return result;
}

namespace {

/// An element of a matrix of an operand.
struct Place {
  int64_t batch, row, col;
};

/// Finds elements by their bytes' offset.
class Layout {
public:
  explicit Layout(MemRefType type) : type(type) {
    int64_t offset;
    valid = succeeded(type.getStridesAndOffset(strides, offset)) && offset == 0 && type.getRank() >= 2;
    order = llvm::to_vector(llvm::seq<unsigned>(0, type.getRank()));
    llvm::sort(order, [&](unsigned a, unsigned b) { return std::pair(-strides[a], a) < std::pair(-strides[b], b); });
    // Offsets of packed elements count these.
    bytes = std::max(1u, type.getElementTypeBitWidth() / 8);
    // The dimensions in any order, without gaps or elements that share a place.
    int64_t dense = 1;
    for (unsigned dim : llvm::reverse(order))
      if (const int64_t extent = type.getShape()[dim]; valid && extent != 1) {
        valid = extent > 0 && strides[dim] == dense;
        dense *= extent;
      }
  }

  int64_t rows() const { return type.getShape()[type.getRank() - 2]; }
  int64_t cols() const { return type.getShape().back(); }
  int64_t elements() const { return type.getNumElements(); }
  /// Whether it is a matrix of so many columns, or several, each element in a place of its own.
  bool isMatrices(int64_t columns) const { return valid && cols() == columns; }
  int64_t rowStride() const { return strides[strides.size() - 2]; }
  ArrayRef<int64_t> batch() const { return type.getShape().drop_back(2); }

  std::optional<Place> find(int64_t offset) const {
    if (!valid || offset < 0 || offset % bytes != 0)
      return std::nullopt;
    int64_t rest = offset / bytes;
    SmallVector<int64_t> index(type.getRank(), 0);
    for (unsigned dim : order) {
      // Dimensions of one element have strides that say nothing.
      if (type.getShape()[dim] == 1)
        continue;
      index[dim] = rest / strides[dim];
      rest %= strides[dim];
      if (index[dim] >= type.getShape()[dim])
        return std::nullopt;
    }
    if (rest != 0)
      return std::nullopt;
    int64_t matrix = 0;
    for (size_t dim = 0; dim + 2 < index.size(); ++dim)
      matrix = matrix * type.getShape()[dim] + index[dim];
    return Place{matrix, index[index.size() - 2], index.back()};
  }

  /// Of patches, whose first dimensions count rows: how many of the last ones count so many columns; none if there
  /// are no such.
  std::optional<size_t> depthDims(int64_t columns) const {
    int64_t product = 1;
    for (size_t dims = 1; dims < strides.size(); ++dims) {
      product *= type.getShape()[strides.size() - dims];
      if (product == columns)
        return dims;
    }
    return std::nullopt;
  }

  /// Of patches: the element of row `row` at `offset`, which may be one of other rows too.
  std::optional<Place> findInRow(int64_t offset, int64_t row, size_t depthDims) const {
    const size_t rank = strides.size();
    const int64_t number = row;
    for (size_t dim = rank - depthDims; dim-- > 0; row /= type.getShape()[dim])
      offset -= row % type.getShape()[dim] * strides[dim];
    Place place{0, number, 0};
    for (size_t dim = rank - depthDims; dim < rank; ++dim) {
      const int64_t extent = type.getShape()[dim];
      if (offset < 0 || (extent > 1 && strides[dim] < 1))
        return std::nullopt;
      const int64_t index = extent == 1 ? 0 : offset / strides[dim];
      if (index >= extent)
        return std::nullopt;
      offset -= index * strides[dim];
      place.col = place.col * extent + index;
    }
    return offset == 0 ? std::optional(place) : std::nullopt;
  }

private:
  MemRefType type;
  SmallVector<int64_t> strides;
  SmallVector<unsigned> order;
  int64_t bytes = 1;
  bool valid = false;
};

/// Compares rows of sums with what one product would be.
class Checker {
public:
  Checker(func::FuncOp routine, const simulator::Config &config, ArrayRef<int64_t> unitShape, ArrayRef<int64_t> bits)
      : config(config), unitShape(unitShape), bits(bits) {
    for (Type type : routine.getArgumentTypes())
      layouts.emplace_back(cast<MemRefType>(type));
  }

  std::string see(const StoredRow &row);
  /// After the last instruction.
  std::string finish();

  Recovered result;

private:
  std::string begin(const StoredRow &row);
  std::string beginProduct(const Term &term);
  std::string findLeft(const Term &term, int64_t row, std::optional<Place> &left) const;
  std::string mark(int64_t row, int64_t col, int64_t cols);
  std::string checkBias(const Sums &sums, int64_t batch, int64_t n0, int64_t cols);
  std::string checkTerm(const Term &term, int64_t row, int64_t n0, int64_t cols);
  std::string checkDepth();
  /// Planes of an operand's codes.
  int64_t planesOf(unsigned operand) const {
    return config.planesOf(operand < bits.size() ? std::min<int64_t>(8, bits[operand]) : 8);
  }

  const simulator::Config &config;
  ArrayRef<int64_t> unitShape, bits;
  SmallVector<Layout> layouts;
  bool begun = false;
  /// Elements of the result that were seen; rows of all batches.
  std::vector<bool> seen;
  int64_t rows = 0, width = 0;
  /// Of patches: so many dimensions of the left operand count K.
  size_t depthDims = 1;
  /// K ranges of the row at hand, by plane of left and right operand.
  SmallVector<SmallVector<std::pair<int64_t, int64_t>>> ranges;
};

} // namespace

/// The shape of the left operand, and with it that of the product.
std::string Checker::beginProduct(const Term &term) {
  result.lhs = term.lhs.operand;
  result.rhs = term.rhs.operand;
  result.transposeRhs = term.rhs.transposed;
  const Layout &lhs = layouts[result.lhs], &rhs = layouts[result.rhs];
  result.k = lhs.cols();
  const int64_t depth = result.transposeRhs ? rhs.cols() : rhs.rows();
  if (!rhs.batch().empty() || lhs.batch().empty() || lhs.isMatrices(depth)) {
    result.batch.assign(lhs.batch().begin(), lhs.batch().end());
    result.m = lhs.rows();
    return "";
  }
  // With one right operand for all rows, all dimensions of the left one but those of K count rows.
  std::optional<size_t> dims = lhs.depthDims(depth);
  if (!dims)
    return "has no " + itostr(depth) +
           " elements in the last dimensions of its left operand, as its right one has rows";
  result.patches = true;
  depthDims = *dims;
  result.k = depth;
  result.m = lhs.elements() / depth;
  return "";
}

/// The first row says which operands there are.
std::string Checker::begin(const StoredRow &row) {
  begun = true;
  result.unitsOnly = !row.sums;
  result.units = row.toUnits;
  if (!row.toUnits) {
    result.out = row.operand;
    result.relu = row.relu;
    if (row.scaled)
      result.shift = row.shift;
    width = layouts[row.operand].cols();
  } else {
    if (unitShape.empty())
      return "runs units of a launch that has none";
    width = unitShape.back();
  }
  if (row.sums) {
    if (row.sums->terms.empty())
      return "stores sums without products";
    if (std::string error = beginProduct(row.sums->terms.front()); !error.empty())
      return error;
    rows = productOf(result.batch) * result.m;
    if (row.sums->start == Sums::Start::Bias)
      result.bias = row.sums->bias.operand;
    const auto top = static_cast<uint8_t>(planesOf(result.lhs) - 1);
    for (const Term &other : row.sums->terms)
      if (other.lhs.plane == top)
        result.lhsUnsigned = other.lhsUnsigned;
  } else {
    rows = productOf(unitShape.drop_back());
  }
  seen.assign(rows * width, false);
  return "";
}

std::string Checker::mark(int64_t row, int64_t col, int64_t cols) {
  if (row < 0 || row >= rows || col < 0 || col + cols > width)
    return "gives row " + itostr(row) + ", columns " + itostr(col) + " to " + itostr(col + cols - 1) +
           ", of a result of " + itostr(rows) + " x " + itostr(width);
  for (int64_t i = 0; i < cols; ++i) {
    if (seen[row * width + col + i])
      return "gives element [" + itostr(row) + ", " + itostr(col + i) + "] a second time";
    seen[row * width + col + i] = true;
  }
  result.n = std::max(result.n, col + cols);
  return "";
}

std::string Checker::checkBias(const Sums &sums, int64_t batch, int64_t n0, int64_t cols) {
  if ((sums.start == Sums::Start::Bias) != result.bias.has_value())
    return "begins some sums with a bias and some without";
  if (!result.bias)
    return "";
  const Layout &layout = layouts[*result.bias];
  std::optional<Place> place = layout.find(sums.bias.offset);
  const bool shared = layout.batch().empty();
  if (sums.bias.operand != *result.bias || !place || place->row != 0 || place->col != n0 || sums.bias.count < cols ||
      (!shared && place->batch != batch))
    return "begins sums of column " + itostr(n0) + " with another column's bias";
  return "";
}

/// The element of the left operand with which a term begins: it, and those after it, must be of row `row`.
std::string Checker::findLeft(const Term &term, int64_t row, std::optional<Place> &left) const {
  const Layout &lhs = layouts[result.lhs];
  const int64_t count = term.lhs.count;
  if (result.patches) {
    left = lhs.findInRow(term.lhs.offset, row, depthDims);
    if (left && left->col % lhs.cols() + count > lhs.cols())
      return "goes on beyond a part of a patch, at k = " + itostr(left->col);
    return left ? "" : "adds products of elements that are not of patch " + itostr(row) + " to its row";
  }
  left = lhs.find(term.lhs.offset);
  if (left && (left->batch * result.m + left->row != row || left->col + count > result.k))
    return "adds products of row " + itostr(left->batch * result.m + left->row) + " to row " + itostr(row);
  return "";
}

std::string Checker::checkTerm(const Term &term, int64_t row, int64_t n0, int64_t cols) {
  const int64_t lhsPlanes = planesOf(result.lhs), rhsPlanes = planesOf(result.rhs);
  if (term.lhs.operand != result.lhs || term.rhs.operand != result.rhs || term.rhs.transposed != result.transposeRhs)
    return "adds products of other operands";
  const Layout &rhs = layouts[result.rhs];
  std::optional<Place> left, right = rhs.find(term.rhs.offset);
  if (std::string error = findLeft(term, row, left); !error.empty())
    return error;
  if (!left || !right)
    return "multiplies what is no element of its operands";
  const int64_t k0 = left->col, count = term.lhs.count;
  const int64_t rightK = result.transposeRhs ? right->col : right->row,
                rightN = result.transposeRhs ? right->row : right->col;
  if (rightK != k0 || rightN != n0 || term.rhs.k != count || term.rhs.n < cols ||
      (!rhs.batch().empty() && right->batch != left->batch))
    return "multiplies k = " + itostr(k0) + " of the left operand by k = " + itostr(rightK) +
           ", n = " + itostr(rightN) + " of the right one, for column " + itostr(n0);
  const int64_t outer = result.transposeRhs ? term.rhs.nStride : term.rhs.kStride,
                lines = result.transposeRhs ? term.rhs.n : term.rhs.k;
  if (lines > 1 && outer != rhs.rowStride())
    return "takes rows of the right operand " + itostr(outer) + " elements apart";
  if (term.shift != config.bits * (term.lhs.plane + term.rhs.plane))
    return "shifts planes " + itostr(term.lhs.plane) + " and " + itostr(term.rhs.plane) + " by " + itostr(term.shift);
  if (term.lhs.plane >= lhsPlanes || term.rhs.plane >= rhsPlanes)
    return "multiplies planes " + itostr(term.lhs.plane) + " and " + itostr(term.rhs.plane) + " of codes that have " +
           itostr(lhsPlanes) + " and " + itostr(rhsPlanes);
  if (term.lhsUnsigned != (term.lhs.plane == lhsPlanes - 1 ? result.lhsUnsigned : true) ||
      term.rhs.isUnsigned != (term.rhs.plane != rhsPlanes - 1))
    return "reads a plane with the wrong sign";
  ranges[term.lhs.plane * rhsPlanes + term.rhs.plane].push_back({k0, k0 + count});
  return "";
}

/// Every pair of planes has each k once.
std::string Checker::checkDepth() {
  for (auto &list : ranges) {
    llvm::sort(list);
    int64_t reached = 0;
    for (auto [first, end] : list) {
      if (first != reached)
        return "has products of k = " + itostr(std::min(first, reached)) + (first < reached ? " twice" : " not");
      reached = end;
    }
    if (reached != result.k)
      return "lacks products from k = " + itostr(reached) + " on";
  }
  return "";
}

std::string Checker::see(const StoredRow &row) {
  if (!begun)
    if (std::string error = begin(row); !error.empty())
      return error;
  if (row.toUnits != result.units || !row.sums != result.unitsOnly)
    return "mixes rows for units with others";
  if (!row.sums)
    return mark(row.row, row.channel, row.cols);
  if (row.sums->start == Sums::Start::Nothing)
    return "stores sums that nothing began";
  int64_t m0 = row.row, n0 = row.channel;
  if (!row.toUnits) {
    std::optional<Place> place = layouts[row.operand].find(row.offset);
    if (row.operand != *result.out || !place)
      return "stores to no element of the result";
    if (row.scaled != result.shift.has_value() || row.relu != result.relu || (row.scaled && row.shift != *result.shift))
      return "scales some sums unlike others";
    m0 = place->batch * layouts[row.operand].rows() + place->row;
    n0 = place->col;
  }
  if (std::string error = mark(m0, n0, row.cols); !error.empty())
    return error;
  if (std::string error = checkBias(*row.sums, m0 / result.m, n0, row.cols); !error.empty())
    return error;
  ranges.assign(planesOf(result.lhs) * planesOf(result.rhs), {});
  for (const Term &term : row.sums->terms)
    if (std::string error = checkTerm(term, m0, n0, row.cols); !error.empty())
      return error;
  return checkDepth();
}

std::string Checker::finish() {
  if (!begun)
    return "stores nothing";
  // Rows of a result may be longer than the product; what is beyond N was never given.
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < result.n; ++col)
      if (!seen[row * width + col])
        return "does not give element [" + itostr(row) + ", " + itostr(col) + "]";
  if (result.units && result.n != width)
    return "gives units " + itostr(result.n) + " of " + itostr(width) + " channels";
  return "";
}

FailureOr<Recovered> systolic::recoverProduct(func::FuncOp routine, ArrayRef<simulator::Instruction> code,
                                              const simulator::Config &config, ArrayRef<int64_t> unitShape,
                                              ArrayRef<int64_t> bits) {
  Checker checker(routine, config, unitShape, bits);
  SymbolMachine machine(config, [&](const StoredRow &row) { return checker.see(row); });
  for (auto [number, instruction] : llvm::enumerate(code))
    if (std::string error = machine.next(instruction); !error.empty())
      return routine.emitError() << "is no matrix product: instruction " << number << " (" << print(instruction) << ") "
                                 << error;
  if (std::string error = checker.finish(); !error.empty())
    return routine.emitError() << "is no matrix product: it " << error;
  return std::move(checker.result);
}
