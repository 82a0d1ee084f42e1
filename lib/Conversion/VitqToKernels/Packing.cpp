//===- Packing.cpp - Layouts of the operands of matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// Rows of tiles that are two registers high: so many that no tile is left with fewer rows than fill one, if that can
/// be.
static int64_t rowsOfRegisterTiles(int64_t m, int64_t fill) {
  for (int64_t rows = std::min(m, 2 * fill); rows > fill; --rows)
    if (m % rows == 0 || m % rows >= fill)
      return rows;
  return std::min(m, 2 * fill);
}

/// A product by registers that hold tiles. K is cut into parts of one depth, so that one shape of registers does for
/// all of them.
static Geometry byTileRegisters(const TargetDesc &target, Geometry geometry, bool lhsUnsigned) {
  const TileRegisters &registers = target.isa->tileRegisters;
  geometry.tileProduct = lhsUnsigned ? registers.unsignedProduct : registers.signedProduct;
  geometry.dot.unsignedLhs = lhsUnsigned;
  geometry.tileRows = rowsOfRegisterTiles(geometry.m, registers.rows);
  geometry.tileVectors = 2;
  const int64_t groups = geometry.filledGroups(), parts = llvm::divideCeilSigned(groups, registers.groups);
  geometry.tileGroups = llvm::divideCeilSigned(groups, parts);
  return geometry;
}

Geometry Geometry::withoutTiles(const TargetDesc &target) const {
  const Isa &isa = *target.isa;
  return {m, n, k, isa.dot8, target.emulateDot, isa.tileRows, isa.tileVectors};
}

Geometry Geometry::of(const TargetDesc &target, int64_t m, int64_t n, int64_t k, unsigned lhsWidth, bool lhsUnsigned) {
  const Isa &isa = *target.isa;
  const DotInstruction &matrices = lhsUnsigned ? isa.unsignedMatrices : isa.signedMatrices;
  // Of one row, half of such a product would be for nothing.
  if (lhsWidth == 8 && matrices.group && m > 1)
    return {m, n, k, matrices, target.emulateDot, isa.tileRows, isa.matrixVectors};
  const Geometry geometry{
      m, n, k, lhsWidth == 16 ? isa.dot16 : isa.dot8, target.emulateDot, isa.tileRows, isa.tileVectors};
  // What one tile of sums in vectors holds waits for its weights, not for products.
  return isa.tileRegisters && lhsWidth == 8 && m > isa.tileRows ? byTileRegisters(target, geometry, lhsUnsigned)
                                                                : geometry;
}

LeftFormat LeftFormat::of(integer::MatmulOp op) {
  const numerics::Code code = integer::codeOf(op.getLhs(), op.getLhsCode());
  return {widthOf(op.getLhs()), code.isUnsigned, code.zero, code.range()};
}

bool LeftFormat::isDirect(const Geometry &geometry) const {
  // A buffer of bytes can be seen as words of groups, one of other elements cannot.
  return width == geometry.leftWidth() && isUnsigned == geometry.dot.unsignedLhs &&
         geometry.k == geometry.paddedDepth() && (width == 8 || geometry.dot.group == 1);
}

numerics::Interval LeftFormat::range(const Geometry &geometry) const {
  return numerics::addConstant(codes, -zeroPoint - correction(geometry));
}

int64_t LeftFormat::correction(const Geometry &geometry) const {
  // 8-bit operands that become 16-bit ones lose their zero point on the way.
  if (width < geometry.leftWidth())
    return 0;
  const int64_t half = int64_t(1) << (width - 1);
  // What changes its sign moves by half of the range.
  return -zeroPoint + (isUnsigned == geometry.dot.unsignedLhs ? 0 : isUnsigned ? half : -half);
}

Value vitq::kernels::widenLeft(Emitter &e, const Geometry &geometry, const LeftFormat &left, Value zeroPoint, Value x) {
  if (left.width < geometry.leftWidth())
    return e.sub(e.extend(x, geometry.leftWidth(), left.isUnsigned), e.splatLike(zeroPoint, x));
  return left.isUnsigned == geometry.dot.unsignedLhs
             ? x
             : e.op<arith::XOrIOp>(x, e.like(x, -(int64_t(1) << (left.width - 1))));
}

void vitq::kernels::forPanels(Emitter &e, const Geometry &geometry, function_ref<void(const Panel &)> body) {
  const int64_t lanes = geometry.dot.lanes, narrow = geometry.narrowest();
  // The last panel stands alone if its last vector is not full.
  const int64_t whole = geometry.panels() - (geometry.n % lanes ? 1 : 0), wide = std::min(geometry.widePanels(), whole);
  auto range = [&](int64_t count, int64_t number, int64_t firstVector, int64_t vectors) {
    if (count == 1)
      body({e.index(firstVector * lanes), vectors, vectors * lanes, e.index(number)});
    else if (count > 1)
      e.loop(count, [&](Value i) {
        body({e.indexAdd(e.indexMul(i, vectors * lanes), firstVector * lanes), vectors, vectors * lanes,
              e.indexAdd(i, number)});
      });
  };
  range(wide, 0, 0, narrow + 1);
  range(whole - wide, wide, wide * (narrow + 1), narrow);
  if (whole == geometry.panels())
    return;
  const int64_t vectors = whole < geometry.widePanels() ? narrow + 1 : narrow,
                first = (geometry.vectors() - vectors) * lanes;
  body({e.index(first), vectors, geometry.n - first, e.index(whole)});
}

std::vector<char> vitq::kernels::packWeights(const Geometry &geometry, int64_t depth, ArrayRef<char> rhs,
                                             bool transposed) {
  std::vector<char> packed(llvm::alignTo(static_cast<uint64_t>(geometry.paddedCols() * depth), 64));
  const int64_t group = geometry.dot.group, lanes = geometry.dot.lanes;
  int64_t first = 0;
  for (int64_t panel = 0; panel < geometry.panels(); ++panel) {
    const int64_t cols = (geometry.narrowest() + (panel < geometry.widePanels())) * lanes;
    char *out = packed.data() + first * depth;
    for (int64_t n = first; n < std::min(first + cols, geometry.n); ++n)
      for (int64_t k = 0; k < geometry.k; ++k)
        out[(k / group * cols + n - first) * group + k % group] =
            transposed ? rhs[n * geometry.k + k] : rhs[k * geometry.n + n];
    first += cols;
  }
  return packed;
}

BitPacking vitq::kernels::weightPacking(const Geometry &geometry, unsigned bits) {
  const int64_t words = int64_t{geometry.dot.lanes} * geometry.dot.group;
  // Of the narrowest field, 1, 2 or 4 bits, one vector.
  const int64_t vectors = bits < 8 ? 8 / int64_t(bits & -bits) : 1;
  return BitPacking(bits, /*isUnsigned=*/false, words * vectors);
}

int64_t vitq::kernels::storedDepth(const Geometry &geometry, unsigned bits) {
  const int64_t words = int64_t{geometry.dot.lanes} * geometry.dot.group;
  const int64_t vectors = weightPacking(geometry, bits).blockCodes() / words;
  return static_cast<int64_t>(llvm::alignTo(static_cast<uint64_t>(geometry.paddedDepth()),
                                            static_cast<uint64_t>(vectors * geometry.dot.group)));
}

void vitq::kernels::emitUnpack(Emitter &e, const Geometry &geometry, unsigned bits, Value bytes, Value from,
                               int64_t count, Value to) {
  const BitPacking packing = weightPacking(geometry, bits);
  e.loop(e.index(0), e.index(count), packing.blockCodes(), [&](Value i) {
    Value byte = e.add(from, i);
    if (packing.packs())
      byte = e.divu(e.indexMul(byte, packing.codeBits()), e.index(8));
    if (geometry.dot.lanes == 1)
      return e.loop(packing.blockCodes(), [&](Value j) {
        e.store(e.sext(packing.loadCode(e, bytes, byte, j), geometry.dot.width), to, e.add(i, j));
      });
    e.store(e.sext(packing.load(e, bytes, byte), geometry.dot.width), to, {i});
  });
}

//===----------------------------------------------------------------------===//
// Right operands of run time
//===----------------------------------------------------------------------===//

namespace {

/// Packs one panel.
class PanelPacker {
public:
  PanelPacker(Emitter &e, const Geometry &geometry, const RightView &rhs, Value panels, Value offset,
              const Panel &panel)
      : e(e), geometry(geometry), rhs(rhs), panels(panels), panel(panel), lanes(geometry.dot.lanes),
        group(geometry.dot.group) {
    start = e.add(offset, e.indexMul(panel.first, geometry.paddedDepth()));
  }
  /// Returns the sums of the columns, a vector each, if they are wanted.
  Values pack(bool sums) {
    fillDepth();
    return rhs.transposed ? packRows(sums) : packColumns(sums);
  }

private:
  Values packRows(bool wantSums);
  Values packColumns(bool wantSums);
  void fillDepth();
  Value rowOf(Value index) const { return e.add(rhs.base, e.indexMul(index, rhs.stride)); }
  Type sumType() const { return Emitter::lanesOf(e.intType(32), lanes); }
  Value zeros() const { return e.constant(Emitter::lanesOf(e.intType(geometry.dot.width), lanes * group), 0); }
  void transposeWords(SmallVectorImpl<Value> &rows) const;
  Value loadWords(Value row, Value k, int64_t count) const;
  Value place(Value kg, int64_t vector) const;

  Emitter &e;
  const Geometry &geometry;
  const RightView &rhs;
  Value panels;
  const Panel &panel;
  int64_t lanes, group;
  /// Where the panel begins.
  Value start;
};

} // namespace

/// Where the words of vector `vector` for depth `kg` go.
Value PanelPacker::place(Value kg, int64_t vector) const {
  const int64_t step = lanes * group;
  return e.indexAdd(e.add(start, e.indexMul(kg, panel.vectors * step)), vector * step);
}

/// Groups beyond those of K, which are multiplied nonetheless.
void PanelPacker::fillDepth() {
  for (int64_t kg = geometry.filledGroups(); kg < geometry.groups(); ++kg)
    for (int64_t v = 0; v < panel.vectors; ++v)
      e.store(zeros(), panels, {place(e.index(kg), v)});
}

/// `count` words of a row from element k on, of which elements beyond the matrix
/// are zero; one vector of [lanes * group] elements.
Value PanelPacker::loadWords(Value row, Value k, int64_t count) const {
  const int64_t elements = lanes * group;
  if (count == elements)
    return e.sext(e.load(rhs.memref, {row, k}, elements), geometry.dot.width);
  Value padded = e.constant(VectorType::get({elements}, e.intType(8)), 0);
  for (int64_t i = 0; i < count; ++i)
    padded = e.op<vector::InsertOp>(e.load(rhs.memref, {row, e.indexAdd(k, i)}), padded, i);
  return e.sext(padded, geometry.dot.width);
}

/// Transposes a square of words: lane j of rows[i] and lane i of rows[j] change
/// places. Each step exchanges blocks of `half` words.
void PanelPacker::transposeWords(SmallVectorImpl<Value> &rows) const {
  for (int64_t half = lanes / 2; half >= 1; half /= 2)
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & half)
        continue;
      SmallVector<int64_t> low, high;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t kept = lane & ~half;
        for (int64_t s = 0; s < group; ++s) {
          low.push_back(((lane & half ? lanes : 0) + kept) * group + s);
          high.push_back(((lane & half ? lanes : 0) + kept + half) * group + s);
        }
      }
      Value a = rows[i], b = rows[i + half];
      rows[i] = e.op<vector::ShuffleOp>(a, b, low);
      rows[i + half] = e.op<vector::ShuffleOp>(a, b, high);
    }
}

/// Rows of the operand are columns of the product: squares of words are transposed.
/// Columns beyond the matrix repeat its last one; nobody reads what comes of them.
Values PanelPacker::packRows(bool wantSums) {
  Values all;
  for (int64_t v = 0; v < panel.vectors; ++v) {
    auto square = [&](Value kg, int64_t depth, int64_t words, ValueRange sums) {
      SmallVector<Value> rows;
      for (int64_t j = 0; j < lanes; ++j) {
        Value n = e.indexAdd(panel.first, v * lanes + j);
        if (v * lanes + j >= panel.valid)
          n = e.index(geometry.n - 1);
        rows.push_back(loadWords(rowOf(n), e.indexMul(kg, group), depth));
      }
      transposeWords(rows);
      Values next(sums);
      for (int64_t i = 0; i < words; ++i) {
        e.store(rows[i], panels, {place(e.indexAdd(kg, i), v)});
        if (wantSums)
          next[0] = addColumns(e, geometry, next[0], rows[i]);
      }
      return next;
    };
    Values sums;
    if (wantSums)
      sums.push_back(e.constant(sumType(), 0));
    const int64_t whole = geometry.k / (lanes * group), rest = geometry.k - whole * lanes * group;
    sums = e.loop(whole, sums, [&](Value i, ValueRange carried) {
      return square(e.indexMul(i, lanes), lanes * group, lanes, carried);
    });
    if (rest)
      sums = square(e.index(whole * lanes), rest, (rest + group - 1) / group, sums);
    all.append(sums);
  }
  return all;
}

/// Rows of the operand run along K: `group` of them are interleaved.
Values PanelPacker::packColumns(bool wantSums) {
  auto depth = [&](Value kg, int64_t rows, ValueRange sums) {
    Values next;
    for (int64_t v = 0; v < panel.vectors; ++v) {
      const int64_t valid = std::clamp<int64_t>(panel.valid - v * lanes, 0, lanes);
      Value col = e.indexAdd(panel.first, v * lanes), mixed = zeros();
      for (int64_t s = 0; s < rows; ++s) {
        Value row = rowOf(e.indexAdd(e.indexMul(kg, group), s));
        Value x = e.constant(Emitter::lanesOf(e.intType(8), lanes), 0);
        if (valid == lanes)
          x = e.load(rhs.memref, {row, col}, lanes);
        else
          for (int64_t i = 0; i < valid; ++i)
            x = e.op<vector::InsertOp>(e.load(rhs.memref, {row, e.indexAdd(col, i)}), x, i);
        x = e.sext(x, geometry.dot.width);
        if (lanes * group == 1) {
          mixed = x;
          continue;
        }
        // Elements s of all groups; the shuffle wants operands of one length.
        SmallVector<int64_t> spread, chosen;
        for (int64_t i = 0; i < lanes * group; ++i) {
          spread.push_back(i / group);
          chosen.push_back(i % group == s ? lanes * group + i : i);
        }
        mixed = e.op<vector::ShuffleOp>(mixed, e.op<vector::ShuffleOp>(x, x, spread), chosen);
      }
      e.store(mixed, panels, {place(kg, v)});
      if (wantSums)
        next.push_back(addColumns(e, geometry, sums[v], mixed));
    }
    return next;
  };
  Values sums;
  if (wantSums)
    sums.assign(panel.vectors, e.constant(sumType(), 0));
  sums = e.loop(geometry.k / group, sums, [&](Value kg, ValueRange carried) { return depth(kg, group, carried); });
  if (geometry.k % group)
    sums = depth(e.index(geometry.k / group), geometry.k % group, sums);
  return sums;
}

void vitq::kernels::emitPack(Emitter &e, const Geometry &geometry, const RightView &rhs, Value panels, Value offset,
                             Value sums, Value sumsOffset, Value factor) {
  forPanels(e, geometry, [&](const Panel &panel) {
    Values columns = PanelPacker(e, geometry, rhs, panels, offset, panel).pack(static_cast<bool>(sums));
    for (auto [v, column] : llvm::enumerate(columns))
      e.store(e.mul(column, e.splatLike(factor, column)), sums,
              {e.indexAdd(e.add(sumsOffset, panel.first), static_cast<int64_t>(v) * geometry.dot.lanes)});
  });
}
