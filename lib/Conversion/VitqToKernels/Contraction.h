//===- Contraction.h - Matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The columns of a product are computed in panels of a few vectors, its rows in
// tiles of a few rows: a tile's sums stay in registers while K is walked. The right
// operand is packed as [panel][K / group][columns of the panel][group]; weights at
// compile time, as bytes, others by a kernel. The left operand is read where it lies
// if the dot product takes it as it is; otherwise rows are first widened into
// scratch memory.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H

#include "BitPacking.h"
#include "Epilogue.h"

#include "dialects/vitq/Vitq.h"

namespace vitq::kernels {

/// Static facts about one product [m, k] x [k, n].
struct Geometry {
  int64_t m, n, k;
  DotInstruction dot;
  /// Spell the dot product instead of using the instruction.
  bool spelt;
  int64_t tileRows, tileVectors;
  /// Of the instruction, if it adds in 16 bits; then sums of 32 gain them every so many groups.
  const ShortDot *shortDot = nullptr;
  int64_t shortSteps = 0;
  /// LLVM intrinsic by which registers of tiles are multiplied; null: `dot` does it.
  const char *tileProduct = nullptr;
  /// Groups of one such product; K is padded to a multiple.
  int64_t tileGroups = 1;

  static Geometry of(const TargetDesc &target, int64_t m, int64_t n, int64_t k, unsigned lhsWidth, bool lhsUnsigned);
  static Geometry of(integer::MatmulOp op, const TargetDesc &target);

  /// The same by `dot8`.
  Geometry withoutTiles(const TargetDesc &target) const;

  /// Groups that hold elements of K, and all that are multiplied.
  int64_t filledGroups() const { return (k + dot.group - 1) / dot.group; }
  int64_t groups() const { return (filledGroups() + tileGroups - 1) / tileGroups * tileGroups; }
  int64_t paddedDepth() const { return groups() * dot.group; }
  int64_t vectors() const { return (n + dot.lanes - 1) / dot.lanes; }
  int64_t paddedCols() const { return vectors() * dot.lanes; }
  /// Vectors are spread evenly: the first `widePanels` have one more than the others.
  int64_t panels() const { return (vectors() + tileVectors - 1) / tileVectors; }
  int64_t narrowest() const { return vectors() / panels(); }
  int64_t widePanels() const { return vectors() % panels(); }
  int64_t packedElements() const { return paddedCols() * paddedDepth(); }
  int64_t tiles() const { return (m + tileRows - 1) / tileRows; }
  int64_t tailRows() const { return m % tileRows; }
  /// Rows of one of `tiles()` tiles that are spread evenly: the first `tallTiles` have one more than the others.
  int64_t lowRows() const { return m / tiles(); }
  int64_t tallTiles() const { return m % tiles(); }
  /// Bits of an element of the left operand, as products read it. Without vectors bytes become numbers of 16 bits once
  /// for all columns: processors multiply these, if any, two at a time.
  unsigned leftWidth() const { return dot.lanes == 1 && dot.width == 8 ? 16 : dot.width; }
  /// Bits of what a left operand's group is loaded as.
  int64_t wordBits() const { return int64_t{dot.group} * leftWidth(); }
  /// Elements of a right operand of one instruction.
  int64_t rightElements() const { return int64_t{dot.lanes} * dot.group / dot.rows; }
};

/// What the left operand looks like.
struct LeftFormat {
  unsigned width;
  bool isUnsigned;
  int64_t zeroPoint;
  /// Of the codes.
  numerics::Interval codes;

  static LeftFormat of(integer::MatmulOp op);
  /// Whether the dot product reads the elements as they are.
  bool isDirect(const Geometry &geometry) const;
  /// Of the codes in the format of the dot product.
  numerics::Interval range(const Geometry &geometry) const;
  /// Multiplies the column sums of the right operand: minus what the format of the
  /// dot product adds to each element.
  int64_t correction(const Geometry &geometry) const;
};

/// Element `x` of 8 or 16 bits in the format of the dot product.
Value widenLeft(Emitter &e, const Geometry &geometry, const LeftFormat &left, Value zeroPoint, Value x);

/// Columns `first * lanes` and on of a panel: `vectors` of them, of whose columns
/// `valid` are of the matrix. `number` panels are before it.
struct Panel {
  Value first;
  int64_t vectors, valid;
  Value number;
};
/// Calls `body` with code for every kind of panel, in loops.
void forPanels(Emitter &e, const Geometry &geometry, llvm::function_ref<void(const Panel &)> body);

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Where one tile lies. Rows are those of RowContext.
struct TilePlace {
  Value leftRow, panelOffset, firstCol, row, resultRow, operandRow;
  /// Of the bias, where it is not that of the result.
  Value biasCol = {};
  /// What is asked for meanwhile: elements of `ahead` from `aheadFirst` on, `aheadStep` with each group of the loop.
  Value ahead = {}, aheadFirst = {};
  int64_t aheadStep = 0;
};

struct TileSums;

/// What a tile's function computes besides its sums, between their products: where both wait for different units of a
/// CPU, one costs nothing.
class TileCompanion {
public:
  virtual ~TileCompanion() = default;
  /// Arguments of the function.
  virtual Values arguments() const = 0;
  /// `init` and the products of `sums`, beside the rest.
  virtual Values emit(Emitter &e, ValueRange arguments, TileSums &sums, ValueRange init) = 0;
};

/// Code that computes tiles of one product by calls of functions of their own:
/// inlined into loops over tiles, sums would be spilled.
class TileCaller {
public:
  /// `left`: [rows, groups] words; `panels`: packed elements; `bias`: one number for
  /// each padded column, or null for zero. `packing`: how panels are packed that tiles unpack, whose places are bytes.
  TileCaller(KernelModule &module, const Geometry &geometry, Value left, int64_t leftStride, Value panels, Value bias,
             const TileStore &store, const BitPacking *packing = nullptr)
      : module(module), geometry(geometry), left(left), leftStride(leftStride), panels(panels), bias(bias),
        store(store), packing(packing) {}

  void call(Emitter &e, int64_t rows, const Panel &panel, const TilePlace &place, TileCompanion *companion = nullptr);

  /// Shapes the registers that hold tiles, if there are any, for tiles of `rows` rows; before the first call. Of all
  /// tiles that fill a register with rows the shape is one.
  void shapeRegisters(Emitter &e, int64_t rows);
  bool reshapesFor(int64_t rows) const;
  /// Frees them, after the last.
  void releaseRegisters(Emitter &e);

private:
  void emitTile(Emitter &e, ValueRange in, int64_t rows, const Panel &panel, int64_t aheadStep,
                TileCompanion *companion);
  void storeTile(Emitter &e, ValueRange args, const Panel &panel, int64_t rows, ValueRange sums,
                 const TilePlace &place);
  Values firstSums(Emitter &e, Value start, const Panel &panel, const TilePlace &place) const;
  void emitRegisterTile(Emitter &e, ValueRange args, const Panel &panel, Value start, const TileSums &loops,
                        const TilePlace &place);

  KernelModule &module;
  const Geometry &geometry;
  Value left;
  int64_t leftStride;
  Value panels, bias;
  const TileStore &store;
  const BitPacking *packing;
};

/// acc + dot(left, right). `adding` is the intrinsic that does all of it, null if there is none; `spelt`: without any.
Value emitDot(Emitter &e, const DotInstruction &dot, bool spelt, const char *adding, Value acc, Value left,
              Value right);
/// acc + dot(a, b), `a` being one word of the left operand for every lane, or one of each row that is multiplied.
Value emitDot(Emitter &e, const Geometry &geometry, Value acc, Value a, Value b);
/// sums + the elements of each of `lanes` columns, a group of them in `words`.
Value addColumns(Emitter &e, const Geometry &geometry, Value sums, Value words);
/// The same of products that are added up in 16 bits; without `acc` just these.
Value emitShortDot(Emitter &e, const Geometry &geometry, Value acc, Value a, Value b);
/// acc + sums of 16 bits, two for each of its lanes.
Value addShortSums(Emitter &e, const Geometry &geometry, Value acc, Value sums);

/// Whether sums of whole vectors can go through `op` in a tile.
bool fitsTile(const Geometry &geometry, const RowOp &op, const TargetDesc &target);

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// How weights of so many bits are stored: a block is as many vectors of words of a panel as fill one with each field.
BitPacking weightPacking(const Geometry &geometry, unsigned bits);
/// Depth of the panels of such weights: whole blocks.
int64_t storedDepth(const Geometry &geometry, unsigned bits);

/// A constant right operand in panels of `depth`, a byte each, zero where there is none.
std::vector<char> packWeights(const Geometry &geometry, int64_t depth, llvm::ArrayRef<char> rhs, bool transposed);

/// Turns `count` packed weights from number `from` on into elements of the dot product's width.
void emitUnpack(Emitter &e, const Geometry &geometry, unsigned bits, Value bytes, Value from, int64_t count, Value to);

/// A right operand of run time: element (n, k) is rhs[row of it, column of it].
struct RightView {
  /// [rows, columns] of bytes.
  Value memref;
  /// Element (n, k) is memref[base + n * stride, k] if transposed, else
  /// memref[base + k * stride, n].
  Value base;
  int64_t stride;
  bool transposed;
};
/// Packs it into `panels` at `offset`; where `sums` is given, stores the sum of each
/// padded column times `factor` there, at `sumsOffset`.
void emitPack(Emitter &e, const Geometry &geometry, const RightView &rhs, Value panels, Value offset, Value sums,
              Value sumsOffset, Value factor);

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Lowers a product; returns the buffer of its accumulators, null if an epilogue
/// consumes them.
Value lowerMatmul(integer::MatmulOp op, KernelModule &module, MemrefOf memrefOf, Epilogue &epilogue);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H
