//===- RegisterTile.cpp - Output tiles in registers of their own -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// AMX has eight registers of 16 rows of 64 bytes. A tile of up to 32 rows and two vectors of columns has four of sums,
// two of rows of the left operand and two of the right one, of which a panel's rows are groups of K: loaded as they are
// packed for dot products of vectors. The sums go through memory, from which the epilogue reads them row by row.
//
// Registers are named by number (`llvm.x86.tdpbusd`, not `.internal`): LLVM's allocation of tiles would write the
// configuration in every function, where one does for a whole step.
//
//===----------------------------------------------------------------------===//

#include "TileSums.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

namespace {

constexpr int64_t kRowBytes = 64, kColumnsOfSums = 16;

/// Which register holds what: sums of two by two, then rows of the left operand, then vectors of the right one.
constexpr int64_t sumsRegister(int64_t down, int64_t across) { return 2 * down + across; }
constexpr int64_t leftRegister(int64_t down) { return 4 + down; }
constexpr int64_t rightRegister(int64_t across) { return 6 + across; }

/// What LDTILECFG reads: palette 1, no row to begin with, and rows and bytes of a row of each register.
std::vector<int8_t> configuration(int64_t rows, int64_t groups, int64_t group) {
  std::vector<int8_t> bytes(kRowBytes);
  bytes[0] = 1;
  auto shape = [&](int64_t number, int64_t rows, int64_t rowBytes) {
    bytes[16 + 2 * number] = static_cast<int8_t>(rowBytes);
    bytes[48 + number] = static_cast<int8_t>(rows);
  };
  for (int64_t i : {0, 1}) {
    for (int64_t j : {0, 1})
      shape(sumsRegister(i, j), rows, kRowBytes);
    shape(leftRegister(i), rows, groups * group);
    shape(rightRegister(i), groups, kRowBytes);
  }
  return bytes;
}

/// Emits the sums of one tile.
class RegisterTile {
public:
  RegisterTile(Emitter &e, const Geometry &geometry, const TileSums &loops, int64_t fill)
      : e(e), geometry(geometry), loops(loops), group(geometry.dot.group), fill(std::min(loops.rows, fill)) {}

  /// The sums without what they begin with, [rows, columns of the panel] of 32 bits.
  Value emit();

private:
  int64_t down() const { return loops.rows > fill ? 2 : 1; }
  /// Row of the tile that the first row of a register is: rows of the second may be of the first as well.
  int64_t firstRow(int64_t i) const { return i ? loops.rows - fill : 0; }
  Value number(int64_t registerNumber) const { return e.constant(e.intType(8), registerNumber); }
  Value address(Value memref) const {
    return e.op<arith::IndexCastOp>(e.intType(64), e.op<memref::ExtractAlignedPointerAsIndexOp>(memref));
  }
  Value offset(Value base, Value bytes) const { return e.add(base, e.op<arith::IndexCastOp>(e.intType(64), bytes)); }
  void call(StringRef intrinsic, ValueRange args) const {
    LLVM::CallIntrinsicOp::create(e.b, e.loc, e.b.getStringAttr(intrinsic), args);
  }
  void move(StringRef intrinsic, int64_t registerNumber, Value at, int64_t stride) const;
  void multiply(Value part, Value left, Value right) const;

  Emitter &e;
  const Geometry &geometry;
  const TileSums &loops;
  int64_t group, fill;
};

} // namespace

/// Loads or stores a register, rows of which are `stride` bytes apart.
void RegisterTile::move(StringRef intrinsic, int64_t registerNumber, Value at, int64_t stride) const {
  Value pointer = e.op<LLVM::IntToPtrOp>(LLVM::LLVMPointerType::get(e.b.getContext()), at);
  call(intrinsic, {number(registerNumber), pointer, e.constant(e.intType(64), stride)});
}

/// The products of one part of K. `left` and `right` are where the tile's operands begin.
void RegisterTile::multiply(Value part, Value left, Value right) const {
  const int64_t leftBytes = geometry.tileGroups * group, step = loops.vectors * kRowBytes;
  const int64_t leftStride = loops.leftStride * cast<MemRefType>(loops.left.getType()).getDimSize(1) * group;
  Value leftPart = offset(left, e.indexMul(part, leftBytes));
  Value rightPart = offset(right, e.indexMul(part, geometry.tileGroups * step));
  for (int64_t i = 0; i < down(); ++i) {
    Value rows = e.add(leftPart, e.constant(e.intType(64), firstRow(i) * leftStride));
    move("llvm.x86.tileloadd64", leftRegister(i), rows, leftStride);
    for (int64_t j = 0; j < loops.vectors; ++j) {
      if (i == 0) {
        Value columns = e.add(rightPart, e.constant(e.intType(64), j * kRowBytes));
        move("llvm.x86.tileloadd64", rightRegister(j), columns, step);
      }
      call(geometry.tileProduct, {number(sumsRegister(i, j)), number(leftRegister(i)), number(rightRegister(j))});
    }
  }
}

Value RegisterTile::emit() {
  const int64_t columns = loops.vectors * kColumnsOfSums;
  auto type = MemRefType::get({loops.rows, columns}, e.intType(32));
  Value sums = e.op<memref::AllocaOp>(type, ValueRange(), e.b.getI64IntegerAttr(kRowBytes));
  for (int64_t i = 0; i < down(); ++i)
    for (int64_t j = 0; j < loops.vectors; ++j)
      call("llvm.x86.tilezero", number(sumsRegister(i, j)));
  const int64_t rowBytes = cast<MemRefType>(loops.left.getType()).getDimSize(1) * group;
  Value left = offset(address(loops.left), e.indexMul(loops.leftRow, rowBytes));
  Value right = offset(address(loops.right), loops.rightOffset);
  e.loop(geometry.groups() / geometry.tileGroups, [&](Value part) {
    forbidUnrolling(e.b.getInsertionBlock()->getParentOp());
    TileSums(loops).prefetch(e.indexMul(part, geometry.tileGroups), geometry.tileGroups);
    multiply(part, left, right);
  });
  Value to = address(sums);
  for (int64_t i = 0; i < down(); ++i)
    for (int64_t j = 0; j < loops.vectors; ++j)
      move("llvm.x86.tilestored64", sumsRegister(i, j),
           e.add(to, e.constant(e.intType(64), firstRow(i) * columns * 4 + j * kRowBytes)), columns * 4);
  return sums;
}

/// Sums from registers of tiles; without the instructions, row by row by dot products that are spelt out.
void TileCaller::emitRegisterTile(Emitter &e, ValueRange args, const Panel &panel, Value start, const TileSums &loops,
                                  const TilePlace &place) {
  const int64_t lanes = geometry.dot.lanes;
  const Values first = firstSums(e, start, panel, place);
  Value products;
  if (!geometry.spelt)
    products = RegisterTile(e, geometry, loops, module.target.isa->tileRegisters.rows).emit();
  e.loop(loops.rows, [&](Value r) {
    Values sums;
    if (geometry.spelt) {
      TileSums row = loops;
      row.rows = 1;
      row.leftRow = e.add(loops.leftRow, e.indexMul(r, leftStride));
      sums = row.emit(first);
    } else {
      for (int64_t v = 0; v < panel.vectors; ++v)
        sums.push_back(e.add(first[v], e.load(products, {r, e.index(v * lanes)}, lanes, kRowBytes)));
    }
    storeSums(e, store, args, sums, e.add(place.row, r), e.add(place.operandRow, r),
              e.add(place.resultRow, e.indexMul(r, store.rowStride)), place.firstCol, panel.valid);
  });
}

bool TileCaller::reshapesFor(int64_t rows) const {
  const auto fill = static_cast<int64_t>(module.target.isa->tileRegisters.rows);
  return geometry.tileProduct && std::min(rows, fill) != std::min(geometry.tileRows, fill);
}

/// A function: what it reads is on its stack, and it does not know what else there is.
void TileCaller::shapeRegisters(Emitter &e, int64_t rows) {
  if (!geometry.tileProduct || geometry.spelt)
    return;
  const auto fill = static_cast<int64_t>(module.target.isa->tileRegisters.rows);
  const std::vector<int8_t> bytes = configuration(std::min(rows, fill), geometry.tileGroups, geometry.dot.group);
  func::FuncOp shape = module.function("shape_tiles", {}, {}, [&](Emitter &inner, ValueRange) {
    auto vector = VectorType::get({kRowBytes}, inner.intType(8));
    Value values = inner.op<arith::ConstantOp>(DenseElementsAttr::get(vector, ArrayRef<int8_t>(bytes)));
    Value buffer = inner.op<memref::AllocaOp>(MemRefType::get({kRowBytes}, inner.intType(8)), ValueRange(),
                                              inner.b.getI64IntegerAttr(kRowBytes));
    inner.store(values, buffer, inner.index(0));
    Value address =
        inner.op<arith::IndexCastOp>(inner.intType(64), inner.op<memref::ExtractAlignedPointerAsIndexOp>(buffer));
    Value pointer = inner.op<LLVM::IntToPtrOp>(LLVM::LLVMPointerType::get(inner.b.getContext()), address);
    LLVM::CallIntrinsicOp::create(inner.b, inner.loc, inner.b.getStringAttr("llvm.x86.ldtilecfg"), pointer);
  });
  func::CallOp::create(e.b, e.loc, shape, ValueRange());
}

void TileCaller::releaseRegisters(Emitter &e) {
  if (geometry.tileProduct && !geometry.spelt)
    LLVM::CallIntrinsicOp::create(e.b, e.loc, e.b.getStringAttr("llvm.x86.tilerelease"), ValueRange());
}
