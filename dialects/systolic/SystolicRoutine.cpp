//===- SystolicRoutine.cpp - Rules of routines and their instructions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;
using simulator::Dataflow;

//===----------------------------------------------------------------------===//
// Indices and extents
//===----------------------------------------------------------------------===//

namespace {

/// What one instruction may name: `limit` is for what the array's size bounds.
class ExtentVerifier {
public:
  ExtentVerifier(Operation *op, const Config *config, llvm::function_ref<std::optional<int64_t>(Value)> valueOf)
      : op(op), config(config), valueOf(valueOf) {}

  LogicalResult verify(MvinOp mvin);
  LogicalResult verify(MvoutOp mvout);
  LogicalResult verify(PreloadOp preload);
  LogicalResult verify(ComputeOp compute);
  LogicalResult verify(UnitsOp units);

private:
  static constexpr int64_t kMost = std::numeric_limits<uint16_t>::max();
  /// Rows that one move may have: those of any tile.
  int64_t moveRows() const { return config ? std::max(config->tileRows(), config->width()) : kMost; }
  int64_t limit(int64_t Config::*extent) const { return config ? config->*extent : kMost; }

  LogicalResult tile(TilesType type, ValueRange indices, size_t implied = 0);
  LogicalResult count(StringRef what, Value value, int64_t most);
  LogicalResult besides(TilesType type, ValueRange indices, StringRef what, Value cols, int64_t most, int64_t width);
  LogicalResult rowsOf(MvinOp mvin);
  LogicalResult dram(MemRefType type, ValueRange indices, int64_t along, Value rows, Value cols);

  Operation *op;
  const Config *config;
  llvm::function_ref<std::optional<int64_t>(Value)> valueOf;
};

} // namespace

/// Indices lie in the grid.
LogicalResult ExtentVerifier::tile(TilesType type, ValueRange indices, size_t implied) {
  for (auto [index, extent] : llvm::zip(indices, type.getGrid().drop_front(implied)))
    if (std::optional<int64_t> known = valueOf(index); known && (*known < 0 || *known >= extent))
      return op->emitOpError() << "index " << *known << " of a tile is outside 0 to " << extent - 1;
  return success();
}

/// `value` lies in 1 to `most`.
LogicalResult ExtentVerifier::count(StringRef what, Value value, int64_t most) {
  std::optional<int64_t> known = valueOf(value);
  if (known && (*known < 1 || *known > most))
    return op->emitOpError() << "has " << *known << " " << what << ", which must be 1 to " << most;
  return success();
}

/// Columns of the tile that `indices` name and of those after it in the grid's last dimension, of
/// `most` tiles at most. Beyond one, column c is where tiles of `width` columns have it.
LogicalResult ExtentVerifier::besides(TilesType type, ValueRange indices, StringRef what, Value cols, int64_t most,
                                      int64_t width) {
  const int64_t first = valueOf(indices.back()).value_or(0);
  if (failed(count(what, cols, std::min(most, type.getGrid().back() - first) * type.getCols())))
    return failure();
  std::optional<int64_t> known = valueOf(cols);
  if (config && known && *known > type.getCols() && type.getCols() != width)
    return op->emitOpError() << "goes over several tiles of " << type.getCols() << " columns, but a row of the "
                             << stringifyMemory(type.getMemory()) << " has " << width;
  return success();
}

/// What is moved lies inside the memref. `rows` is null if all rows are one.
LogicalResult ExtentVerifier::dram(MemRefType type, ValueRange indices, int64_t along, Value rows, Value cols) {
  for (int64_t i = 0; i < type.getRank(); ++i) {
    std::optional<int64_t> first = valueOf(indices[i]);
    if (!first)
      continue;
    Value counted = i == along ? rows : i == type.getRank() - 1 ? cols : Value();
    const int64_t number = counted ? valueOf(counted).value_or(1) : 1, extent = type.getDimSize(i);
    if (*first < 0 || number > extent - *first)
      return op->emitOpError() << "reaches elements " << *first << " to " << *first + number - 1 << " of dimension "
                               << i << " in DRAM, which has " << extent;
  }
  return success();
}

/// Rows of a tile, from the one on where the move begins.
LogicalResult ExtentVerifier::rowsOf(MvinOp mvin) {
  const int64_t rows = mvin.getTiles().getType().getRows();
  int64_t first = 0;
  if (Value row = mvin.getTileRow())
    first = valueOf(row).value_or(0);
  if (first < 0 || first >= rows)
    return op->emitOpError() << "begins at row " << first << " of a tile of " << rows;
  return count("rows", mvin.getRows(), std::min(rows - first, moveRows()));
}

LogicalResult ExtentVerifier::verify(MvinOp mvin) {
  TilesType tiles = mvin.getTiles().getType();
  const bool scratchpad = tiles.isScratchpad();
  if (failed(tile(tiles, mvin.getTile(), mvin.getSplit() ? 1 : 0)) || failed(rowsOf(mvin)))
    return failure();
  const int64_t most = scratchpad ? limit(&Config::blockTiles) : 1;
  if (failed(besides(tiles, mvin.getTile(), "columns", mvin.getCols(), most, config ? config->width() : 0)))
    return failure();
  return dram(cast<MemRefType>(mvin.getSource().getType()), mvin.getIndices(), mvin.getAlong(),
              mvin.getBroadcast() ? Value() : mvin.getRows(), mvin.getCols());
}

LogicalResult ExtentVerifier::verify(MvoutOp mvout) {
  TilesType tiles = mvout.getTiles().getType();
  if (failed(tile(tiles, mvout.getTile())) ||
      failed(count("rows", mvout.getRows(), std::min(tiles.getRows(), moveRows()))))
    return failure();
  const int64_t most = mvout.getShift() ? limit(&Config::blockTiles) : 1;
  if (failed(besides(tiles, mvout.getTile(), "columns", mvout.getCols(), most, limit(&Config::cols))))
    return failure();
  return dram(cast<MemRefType>(mvout.getTarget().getType()), mvout.getIndices(), mvout.getAlong(), mvout.getRows(),
              mvout.getCols());
}

LogicalResult ExtentVerifier::verify(PreloadOp preload) {
  TilesType sums = preload.getSums().getType();
  if (failed(tile(sums, preload.getSumTile())))
    return failure();
  int64_t rows = limit(&Config::rows), cols = std::min(limit(&Config::cols), sums.getCols());
  if (config && config->dataflow == Dataflow::OutputStationary)
    rows = std::min(rows, sums.getRows());
  if (Value weights = preload.getWeights()) {
    auto type = cast<TilesType>(weights.getType());
    if (failed(tile(type, preload.getWeightTile())))
      return failure();
    rows = std::min(rows, preload.getTranspose() ? type.getCols() : type.getRows());
    cols = std::min(cols, preload.getTranspose() ? type.getRows() : type.getCols());
  }
  if (failed(count("rows", preload.getRows(), rows)))
    return failure();
  return count("columns", preload.getCols(), cols);
}

LogicalResult ExtentVerifier::verify(ComputeOp compute) {
  TilesType lhs = compute.getLhs().getType();
  const bool outputs = config && config->dataflow == Dataflow::OutputStationary;
  if (failed(tile(lhs, compute.getLhsTile())) ||
      failed(count("rows", compute.getRows(), std::min(config ? config->tileRows() : kMost, lhs.getRows()))))
    return failure();
  int64_t depth = std::min(lhs.getCols(), outputs ? config->width() : limit(&Config::rows));
  if (Value rhs = compute.getRhs()) {
    auto type = cast<TilesType>(rhs.getType());
    if (failed(tile(type, compute.getRhsTile())))
      return failure();
    depth = std::min(depth, type.getRows());
  }
  return count("columns", compute.getCols(), depth);
}

LogicalResult ExtentVerifier::verify(UnitsOp units) {
  for (Value first : {units.getRow(), units.getChannel()})
    if (std::optional<int64_t> known = valueOf(first); known && *known < 0)
      return op->emitOpError() << "begins at " << *known << ", before the first row or channel";
  Value tiles = units.getTiles();
  if (!tiles) {
    if (failed(count("rows", units.getRows(), kMost)))
      return failure();
    return count("channels", units.getCols(), kMost);
  }
  auto type = cast<TilesType>(tiles.getType());
  if (failed(tile(type, units.getTile())) || failed(count("rows", units.getRows(), std::min(type.getRows(), kMost))))
    return failure();
  return besides(type, units.getTile(), "channels", units.getCols(), kMost / type.getCols(), limit(&Config::cols));
}

LogicalResult systolic::verifyExtents(Operation *op, const Config *config,
                                      llvm::function_ref<std::optional<int64_t>(Value)> valueOf) {
  ExtentVerifier verifier(op, config, valueOf);
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<MvinOp, MvoutOp, PreloadOp, ComputeOp, UnitsOp>(
          [&](auto instruction) { return verifier.verify(instruction); })
      .Default([](Operation *) { return success(); });
}

//===----------------------------------------------------------------------===//
// Routines
//===----------------------------------------------------------------------===//

LogicalResult systolic::verifyInRoutine(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  if (!function || !function->hasAttr(kRoutineAttr))
    return op->emitOpError() << "belongs into a function with '" << kRoutineAttr << "'";
  return success();
}

/// Arguments that an instruction can name.
static LogicalResult verifyArguments(func::FuncOp routine) {
  constexpr unsigned most = std::numeric_limits<uint8_t>::max() + 1;
  if (routine.getNumArguments() > most)
    return routine.emitError() << "a routine has at most " << most << " arguments, not " << routine.getNumArguments();
  for (Type type : routine.getArgumentTypes()) {
    auto memref = dyn_cast<MemRefType>(type);
    if (!memref || !memref.hasStaticShape())
      return routine.emitError() << "arguments of a routine are memrefs of static shape, not " << type;
  }
  if (routine.getNumResults() != 0)
    return routine.emitError("a routine has no results: they are its last arguments");
  return success();
}

/// Tiles with addresses have rows of their own.
static LogicalResult verifyPlaces(func::FuncOp routine) {
  struct Rows {
    int64_t begin, end;
    AllocOp op;
  };
  SmallVector<Rows> places[2];
  for (auto alloc : routine.getOps<AllocOp>()) {
    TilesType type = alloc.getTiles().getType();
    if (std::optional<uint64_t> address = alloc.getAddress()) {
      const auto begin = static_cast<int64_t>(*address);
      // An address that is out of all bounds is the verifier's of the op.
      if (begin >= 0 && begin <= std::numeric_limits<int64_t>::max() - type.rowCount())
        places[type.isScratchpad()].push_back({begin, begin + type.rowCount(), alloc});
    }
  }
  for (SmallVector<Rows> &memory : places) {
    llvm::sort(memory, [](const Rows &a, const Rows &b) { return a.begin < b.begin; });
    for (size_t i = 1; i < memory.size(); ++i)
      if (memory[i].begin < memory[i - 1].end) {
        InFlightDiagnostic diagnostic = memory[i].op->emitOpError()
                                        << "begins at row " << memory[i].begin << ", but other tiles have rows "
                                        << memory[i - 1].begin << " to " << memory[i - 1].end - 1;
        diagnostic.attachNote(memory[i - 1].op.getLoc()) << "which are these";
        return diagnostic;
      }
  }
  return success();
}

LogicalResult systolic::verifyRoutine(func::FuncOp routine) {
  if (failed(verifyArguments(routine)))
    return failure();
  if (!routine.getBody().hasOneBlock())
    return routine.emitError("a routine is one block");
  Block *body = &routine.getBody().front();
  WalkResult walked = body->walk([&](Operation *op) {
    if (isa<AllocOp>(op) && op->getBlock() != body) {
      op->emitOpError("is in a loop: tiles are allocated in the routine's own block");
      return WalkResult::interrupt();
    }
    if (auto loop = dyn_cast<affine::AffineForOp>(op); loop && loop.getNumRegionIterArgs() != 0) {
      op->emitOpError("carries values, which a loop of a routine cannot");
      return WalkResult::interrupt();
    }
    auto constant = dyn_cast<arith::ConstantOp>(op);
    if (op->hasTrait<InRoutine>() || (constant && constant.getType().isIndex()) ||
        isa<affine::AffineForOp, affine::AffineYieldOp, affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp,
            func::ReturnOp>(op))
      return WalkResult::advance();
    op->emitOpError("is no op of a routine of the array");
    return WalkResult::interrupt();
  });
  if (walked.wasInterrupted())
    return failure();
  return verifyPlaces(routine);
}
