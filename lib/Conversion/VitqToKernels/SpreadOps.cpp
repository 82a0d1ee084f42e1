//===- SpreadOps.cpp - Hadamard's transform from codes to codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A table, the transform and the requantization of its sums in one pass over a row, where the sums are known to fit 16
// bits. Nothing but bytes is in memory. What 16 bits hold at the end they may exceed on the way: sums are modulo 2^16.
//
//===----------------------------------------------------------------------===//

#include "Butterflies.h"
#include "ByteTable.h"
#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Support/Constants.h"
#include "vitq/Target/Isa/Portable.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

static Value intrinsic(Emitter &e, StringRef name, Type type, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr(name), operands)->getResult(0);
}

namespace {

class SpreadBuilder;

/// What the operand of the transform is looked up in.
enum class Lookup { None, Bytes, Words };

/// clamp(zp + round(y * multiplier / 2^15)), y the sums of blocks of codes.
struct Spread : RowOp {
  int64_t block;
  /// Numbers that are computed at once, and those of them in a vector.
  int64_t group, lanes;
  Lookup lookup = Lookup::None;
  bool tableUnsigned = false, inputUnsigned = true;
  unsigned inputWidth = 8;
  /// Whether codes are bytes without a sign that are multiplied by bytes.
  bool multipliesBytes = false;
  /// Factors (a sign, shifted), and what the products of the zero point with these are, in the order of the lanes; for
  /// a group, or for a row.
  Slot weights, oddWeights, zeros, table;
  bool ofRow = false, subtracts = false;
  /// Whether one instruction brings all bytes of a vector to their places; else those of each part, by `places`.
  bool permutesBytes = false;
  std::optional<Slot> places;
  Slot multiplier, zeroPoint;
  Clamp clamp;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override;

private:
  Value constants(Emitter &e, const RowContext &context, Slot slot, Value col, int64_t vector, int64_t count) const;
  WordOrder firstOrder() const;
  Values firstWords(Emitter &e, const RowContext &context, function_ref<std::pair<Value, Value>(Value)> find,
                    Value col) const;
  Value rounded(Emitter &e, const TargetDesc &target, Value y, Value factor) const;
  Value packed(Emitter &e, const TargetDesc &target, const RowContext &context, Value low, Value high) const;
  ButterflyPlan plan() const;
  llvm::SmallVector<int64_t> placesOfBytes(const WordOrder &order) const;
  Value inOrder(Emitter &e, const RowContext &context, Value bytes, const WordOrder &order) const;
  void storeBytes(Emitter &e, const TargetDesc &target, const RowContext &context, const WordOrder &order,
                  ValueRange sums, Value col) const;
  friend class SpreadBuilder;
};

} // namespace

/// Where the words are before any are added up.
WordOrder Spread::firstOrder() const {
  const unsigned all = llvm::Log2_64(group), parts = llvm::Log2_64(lanes / 8);
  auto bits = [](unsigned first, unsigned count) { return llvm::to_vector(llvm::seq(first, first + count)); };
  WordOrder order;
  if (inputWidth == 16 && lookup == Lookup::None)
    return {bits(3 + parts, all - 3 - parts), bits(3, parts), bits(0, 3)};
  // Bytes become words by interleaving, or by sums and differences of neighbours.
  order = {bits(4 + parts, all - 4 - parts), bits(4, parts), multipliesBytes ? bits(1, 3) : bits(0, 3)};
  order.number.insert(order.number.begin(), multipliesBytes ? 0 : 3);
  return order;
}

/// `count` constants of a vector: of a group, which every one has, or of the group that begins at `col`.
Value Spread::constants(Emitter &e, const RowContext &context, Slot slot, Value col, int64_t vector,
                        int64_t count) const {
  Value at = ofRow ? e.indexAdd(col, vector * count) : e.index(vector * count);
  return e.load(Blob::view(e, context.blob, slot), at, count);
}

/// The numbers of the group at `col`, with their signs, or the sums and differences of neighbours.
Values Spread::firstWords(Emitter &e, const RowContext &context, function_ref<std::pair<Value, Value>(Value)> find,
                          Value col) const {
  Values words;
  const auto type = VectorType::get({lanes}, e.intType(16));
  if (inputWidth == 16 && lookup == Lookup::None) {
    for (int64_t first = 0; first < group; first += lanes)
      words.push_back(e.load(context.primary, {context.primaryRow, e.indexAdd(col, first)}, lanes));
  } else {
    for (int64_t first = 0; first < group; first += 2 * lanes) {
      auto [low, high] = find(e.load(context.primary, {context.primaryRow, e.indexAdd(col, first)}, 2 * lanes));
      if (!inputUnsigned && inputWidth == 8)
        low = e.op<arith::XOrIOp>(low, e.like(low, -128));
      if (multipliesBytes) {
        const StringRef name = lanes == 8    ? "llvm.x86.ssse3.pmadd.ub.sw.128"
                               : lanes == 16 ? "llvm.x86.avx2.pmadd.ub.sw"
                                             : "llvm.x86.avx512.pmaddubs.w.512";
        for (Slot factors : {weights, oddWeights})
          words.push_back(
              intrinsic(e, name, type, {low, constants(e, context, factors, col, first / (2 * lanes), 2 * lanes)}));
        continue;
      }
      for (int64_t half : {0, 8}) {
        SmallVector<int64_t> mask;
        for (int64_t part = 0; part < 2 * lanes; part += 16)
          for (int64_t i = 0; i < 8; ++i)
            mask.append({part + half + i, 2 * lanes + part + half + i});
        words.push_back(e.op<vector::BitCastOp>(type, e.op<vector::ShuffleOp>(low, high, mask)));
      }
    }
  }
  for (auto [i, x] : llvm::enumerate(words)) {
    if (!multipliesBytes)
      x = e.mul(x, constants(e, context, weights, col, i, lanes));
    if (subtracts)
      x = e.sub(x, constants(e, context, zeros, col, i, lanes));
  }
  return words;
}

/// (y * factor + 2^14) >> 15
Value Spread::rounded(Emitter &e, const TargetDesc &target, Value y, Value factor) const {
  StringRef name;
  if (target.isX86() && target.byteLookup != ByteLookup::Scalar)
    name = lanes == 8    ? "llvm.x86.ssse3.pmul.hr.sw.128"
           : lanes == 16 ? "llvm.x86.avx2.pmul.hr.sw"
                         : "llvm.x86.avx512.pmul.hr.sw.512";
  else if (target.byteLookup == ByteLookup::Table64)
    name = "llvm.aarch64.neon.sqrdmulh";
  if (!name.empty())
    return intrinsic(e, name, y.getType(), {y, factor});
  Value product = e.add(e.mul(e.sext(y, 32), e.sext(factor, 32)), 1 << 14);
  return e.trunc(e.sra(product, 15), 16);
}

/// Both vectors as bytes, part by part, limited to the codes that there are.
Value Spread::packed(Emitter &e, const TargetDesc &target, const RowContext &context, Value low, Value high) const {
  const bool isUnsigned = clamp.code.isUnsigned;
  Value bytes;
  if (target.isX86()) {
    const StringRef names[2][3] = {
        {"llvm.x86.sse2.packsswb.128", "llvm.x86.avx2.packsswb", "llvm.x86.avx512.packsswb.512"},
        {"llvm.x86.sse2.packuswb.128", "llvm.x86.avx2.packuswb", "llvm.x86.avx512.packuswb.512"}};
    bytes = intrinsic(e, names[isUnsigned][llvm::Log2_64(lanes / 8)], VectorType::get({2 * lanes}, e.intType(8)),
                      {low, high});
  } else {
    Value words = e.join({low, high});
    words = e.clamp(words, e.like(words, isUnsigned ? 0 : INT8_MIN), e.like(words, isUnsigned ? UINT8_MAX : INT8_MAX));
    bytes = e.trunc(words, 8);
  }
  auto limit = [&](Value lo, Value hi) {
    if (!isUnsigned)
      return e.clamp(bytes, lo, hi);
    return e.umin(e.op<arith::MaxUIOp>(bytes, lo), hi);
  };
  if (clamp.code.bits < 8)
    bytes = limit(e.like(bytes, clamp.literalLo()), e.like(bytes, clamp.literalHi()));
  if (clamp.lo)
    bytes = limit(e.splatLike(Blob::load(e, context.blob, *clamp.lo, 8), bytes),
                  e.splatLike(Blob::load(e, context.blob, *clamp.hi, 8), bytes));
  return bytes;
}

ButterflyPlan Spread::plan() const {
  return ButterflyPlan::of(firstOrder(), llvm::Log2_64(block),
                           multipliesBytes ? ArrayRef<unsigned>{0} : ArrayRef<unsigned>{}, permutesBytes);
}

/// Which byte of two packed vectors each of a group's is, or each of 16 neighbours in its part.
SmallVector<int64_t> Spread::placesOfBytes(const WordOrder &order) const {
  SmallVector<int64_t> places(permutesBytes ? 2 * lanes : 16);
  for (int64_t i = 0; i < static_cast<int64_t>(places.size()); ++i) {
    const int64_t part = i / 16, word = i % 8, vector = i / 8 % 2;
    places[order.indexOf(vector, 8 * part + word) % static_cast<int64_t>(places.size())] = i;
  }
  return places;
}

Value Spread::inOrder(Emitter &e, const RowContext &context, Value bytes, const WordOrder &order) const {
  SmallVector<int64_t> from = placesOfBytes(order);
  if (places) {
    const StringRef name = lanes == 8    ? "llvm.x86.ssse3.pshuf.b.128"
                           : lanes == 16 ? "llvm.x86.avx2.pshuf.b"
                                         : "llvm.x86.avx512.pshuf.b.512";
    return intrinsic(e, name, bytes.getType(),
                     {bytes, e.load(Blob::view(e, context.blob, *places), e.index(0), 2 * lanes)});
  }
  for (int64_t i = 16; !permutesBytes && i < 2 * lanes; ++i)
    from.push_back(from[i - 16] + 16);
  return e.op<vector::ShuffleOp>(bytes, bytes, from);
}

void Spread::storeBytes(Emitter &e, const TargetDesc &target, const RowContext &context, const WordOrder &order,
                        ValueRange sums, Value col) const {
  Value factor = Blob::load(e, context.blob, multiplier, 16), zero = Blob::load(e, context.blob, zeroPoint, 16);
  for (int64_t v = 0; v < order.vectors(); v += 2) {
    auto requantized = [&](Value y) {
      return e.add(rounded(e, target, y, e.splatLike(factor, y)), e.splatLike(zero, y));
    };
    Value bytes = packed(e, target, context, requantized(sums[v]), requantized(sums[v + 1]));
    bytes = inOrder(e, context, bytes, order);
    if (permutesBytes) {
      e.store(bytes, context.results[0], {context.resultRow, col});
      continue;
    }
    // Parts that lie one behind the other are stored at once.
    auto first = [&](int64_t part) { return order.indexOf(v, 8 * part) & ~int64_t{15}; };
    for (int64_t part = 0, parts = lanes / 8; part < parts;) {
      int64_t count = 1;
      while (part + count < parts && first(part + count) == first(part) + 16 * count)
        ++count;
      Value piece = bytes;
      if (count != parts)
        piece = e.op<vector::ExtractStridedSliceOp>(bytes, ArrayRef<int64_t>{16 * part}, ArrayRef<int64_t>{16 * count},
                                                    ArrayRef<int64_t>{1});
      e.store(piece, context.results[0], {context.resultRow, e.indexAdd(col, first(part))});
      part += count;
    }
  }
}

void Spread::emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const {
  std::optional<ByteTable> bytes;
  std::optional<WordTable> words;
  Value entries = lookup == Lookup::None ? Value() : Blob::view(e, context.blob, table);
  if (lookup == Lookup::Bytes)
    bytes.emplace(e, target, entries, Values{e.index(0)}, !tableUnsigned);
  else if (lookup == Lookup::Words)
    words.emplace(e, target, entries, e.index(0), !tableUnsigned);
  auto find = [&](Value codes) -> std::pair<Value, Value> {
    if (words)
      return words->halves(e, codes);
    return {bytes ? bytes->lookup(e, codes) : codes, e.like(codes, 0)};
  };
  const ButterflyPlan steps = plan();
  e.loop(e.index(0), e.index(cols), group, [&](Value col) {
    Values sums = firstWords(e, context, find, col);
    steps.emit(e, sums);
    storeBytes(e, target, context, steps.last, sums, col);
  });
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

/// The dyadic as a multiple of 2^-15, if it is one below 1.
static std::optional<int64_t> multipleOf15(DyadicAttr by) {
  if (by.size() != 1 || by.multiplier(0) < 0)
    return std::nullopt;
  const int64_t multiplier = by.multiplier(0), shift = by.shift(0);
  if (shift <= 15)
    return multiplier < int64_t(1) << shift ? std::optional(multiplier << (15 - shift)) : std::nullopt;
  const int64_t multiple = multiplier >> (shift - 15);
  const bool exact = shift < 62 && multiple << (shift - 15) == multiplier && multiple <= INT16_MAX;
  return exact ? std::optional(multiple) : std::nullopt;
}

namespace {

/// The ops, and what of them the row op is made from.
class SpreadBuilder {
public:
  SpreadBuilder(const RowBuilder &build, TableOp table, HadamardOp hadamard, RequantOp requant)
      : build(build), table(table), hadamard(hadamard), requant(requant) {}

  std::unique_ptr<RowOp> make();

private:
  bool choosePlan();
  int64_t zeroOf(int64_t channel);
  int64_t factorOf(int64_t channel);
  void addWeights(int64_t channels);
  void addPlaces();
  numerics::Interval valuesOfOperand();

  const RowBuilder &build;
  TableOp table;
  HadamardOp hadamard;
  RequantOp requant;
  std::unique_ptr<Spread> row = std::make_unique<Spread>();
  /// Entries of the table for every byte.
  std::vector<int64_t> entries;
};

} // namespace

/// Vectors and groups that divide the row; whether there are any.
bool SpreadBuilder::choosePlan() {
  const int64_t cols = cast<ShapedType>(hadamard.getInput().getType()).getShape().back();
  row->block = static_cast<int64_t>(hadamard.getBlock());
  // The machine of a target that is emulated may have narrower vectors.
  const TargetDesc &target = build.module.target;
  // What it is made of has 128 bits on AArch64, also where other vectors are longer.
  const bool isShort = target.emulateDot || !target.isX86();
  const int64_t most = hasVectors(target) ? target.vectorBits / 16 : 0;
  for (row->lanes = isShort ? std::min<int64_t>(8, most) : most; row->lanes >= 8; row->lanes /= 2) {
    row->group = std::max(row->block, 2 * row->lanes);
    row->permutesBytes = target.byteLookup == ByteLookup::Permute128 && row->group == 64 && row->lanes == 32;
    // Two bits of a vector's number: parts of vectors are exchanged by one, words by the other.
    if (!row->permutesBytes && row->group == 2 * row->lanes && row->lanes > 8 && row->block > 16 &&
        cols % (2 * row->group) == 0)
      row->group *= 2;
    if (cols % row->group == 0)
      return true;
  }
  return false;
}

numerics::Interval SpreadBuilder::valuesOfOperand() {
  if (entries.empty())
    return codeOf(hadamard.getInput(), hadamard.getInputCode()).range();
  const auto [least, most] = std::minmax_element(entries.begin(), entries.end());
  return {*least, *most};
}

int64_t SpreadBuilder::zeroOf(int64_t channel) {
  const std::optional<ArrayRef<int32_t>> zeros = hadamard.getZeros();
  return zeros ? (*zeros)[channel] : hadamard.getInputCode().getZero();
}

/// A sign, times the power of two.
int64_t SpreadBuilder::factorOf(int64_t channel) {
  const std::optional<ArrayRef<int8_t>> shifts = hadamard.getShifts();
  const int64_t factor = int64_t{1} << (shifts ? (*shifts)[channel] : 0);
  return numerics::isNegatedFirst(channel % row->block) ? -factor : factor;
}

/// Factors and products of zero points in the order of lanes, of a group or of all.
void SpreadBuilder::addWeights(int64_t channels) {
  const WordOrder order = row->firstOrder();
  row->ofRow = hadamard.getZeros() || hadamard.getShifts();
  // Signed bytes are read as those without a sign that are 128 more.
  const int64_t more = !row->inputUnsigned && row->inputWidth == 8 ? 128 : 0;
  auto product = [&](int64_t c) { return factorOf(c) * (zeroOf(c) + more); };
  std::vector<int8_t> sums, differences;
  std::vector<int16_t> words, zeros;
  for (int64_t first = 0; first < (row->ofRow ? channels : row->group); first += row->group) {
    for (int64_t c = first; c < first + row->group; ++c) {
      sums.push_back(static_cast<int8_t>(factorOf(c)));
      differences.push_back(static_cast<int8_t>(c & 1 ? -factorOf(c) : factorOf(c)));
    }
    for (int64_t v = 0; v < order.vectors(); ++v)
      for (int64_t lane = 0; lane < order.lanes(); ++lane) {
        const int64_t c = first + order.indexOf(v, lane);
        words.push_back(static_cast<int16_t>(factorOf(c)));
        int64_t zero = product(c);
        if (row->multipliesBytes)
          zero = c & 1 ? product(c - 1) - product(c) : product(c) + product(c + 1);
        zeros.push_back(static_cast<int16_t>(zero));
      }
  }
  row->subtracts = row->inputWidth == 8 || llvm::any_of(zeros, [](int16_t zero) { return zero != 0; });
  row->weights = row->multipliesBytes ? row->blob.array(sums) : row->blob.array(words);
  row->oddWeights = row->multipliesBytes ? row->blob.array(differences) : row->weights;
  row->zeros = row->blob.array(zeros);
}

/// As data: of a constant the compiler would make a shuffle of each part behind its extraction.
void SpreadBuilder::addPlaces() {
  if (!build.module.target.isX86() || build.module.target.byteLookup == ByteLookup::Scalar || row->permutesBytes)
    return;
  std::vector<int8_t> bytes;
  for (int64_t part = 0; part < 2 * row->lanes; part += 16)
    for (int64_t place : row->placesOfBytes(row->plan().last))
      bytes.push_back(static_cast<int8_t>(place));
  row->places = row->blob.array(bytes);
}

std::unique_ptr<RowOp> SpreadBuilder::make() {
  const TargetDesc &target = build.module.target;
  const std::optional<int64_t> multiple = multipleOf15(requant.getBy());
  if (!multiple || requant.getRounding() != Rounding::HalfUp || widthOf(requant.getResult()) != 8 || !choosePlan())
    return nullptr;
  row->inputWidth = widthOf(hadamard.getInput());
  row->inputUnsigned = hadamard.getInputCode().isUnsigned();
  if (table) {
    FailureOr<std::vector<int64_t>> all = byteTableEntries(table, build.module.signs);
    if (failed(all))
      return nullptr;
    // As they are in memory, which has no sign.
    const int64_t bytesMask = (int64_t{1} << row->inputWidth) - 1, sign = (bytesMask + 1) / 2;
    for (int64_t entry : *all)
      entries.push_back(row->inputUnsigned ? entry & bytesMask : ((entry & bytesMask) ^ sign) - sign);
    row->tableUnsigned = table.getInputCode().isUnsigned();
    row->lookup = row->inputWidth == 8 ? Lookup::Bytes : Lookup::Words;
    row->table = row->lookup == Lookup::Bytes
                     ? row->blob.array(std::vector<int8_t>(entries.begin(), entries.end()))
                     : row->blob.array(WordTable::split(std::vector<uint16_t>(entries.begin(), entries.end())));
  }
  const int64_t channels = cast<ShapedType>(hadamard.getInput().getType()).getShape().back();
  const int64_t reach = numerics::hadamardReach(valuesOfOperand(), hadamard.getInputCode().getZero(),
                                                hadamard.getZeros().value_or(ArrayRef<int32_t>()),
                                                hadamard.getShifts().value_or(ArrayRef<int8_t>()), row->block);
  // Rounded and with the zero point they are words, too.
  const int64_t zeroPoint = requant.getResultCode().getZero();
  if (reach > INT16_MAX || ((reach * *multiple) >> 15) + 1 + std::abs(zeroPoint) > INT16_MAX)
    return nullptr;
  row->multipliesBytes = target.isX86() && target.byteLookup != ByteLookup::Scalar && row->inputWidth == 8;
  addWeights(channels);
  addPlaces();
  row->multiplier = row->blob.scalar(*multiple);
  row->zeroPoint = row->blob.scalar(zeroPoint);
  row->clamp = Clamp::of(requant.getResult(), requant.getResultCode());
  if (requant.getMin() || requant.getMax()) {
    row->clamp.lo = row->blob.scalar(requant.getMin().value_or(row->clamp.literalLo()));
    row->clamp.hi = row->blob.scalar(requant.getMax().value_or(row->clamp.literalHi()));
  }
  build.shape(*row, "spread", table ? table.getInput() : hadamard.getInput(), /*flatten=*/false);
  build.result(*row, requant.getResult());
  return std::move(row);
}

std::unique_ptr<RowOp> vitq::kernels::makeSpreadRowOp(ArrayRef<Operation *> ops, size_t &count, KernelModule &module,
                                                      MemrefOf memrefOf, Value fusedWith) {
  const RowBuilder build{module, memrefOf, fusedWith};
  auto table = dyn_cast<TableOp>(ops.front());
  if (table && (table.getIndex() || ByteTable::lanesOf(module.target) == 1))
    return nullptr;
  if (table)
    ops = ops.drop_front();
  if (ops.size() < 2)
    return nullptr;
  auto hadamard = dyn_cast<HadamardOp>(ops[0]);
  auto requant = dyn_cast<RequantOp>(ops[1]);
  if (!hadamard || !requant)
    return nullptr;
  count = table ? 3 : 2;
  return SpreadBuilder(build, table, hadamard, requant).make();
}
