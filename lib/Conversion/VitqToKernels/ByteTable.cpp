//===- ByteTable.cpp - Lookups in 256 bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

static Value intrinsic(Emitter &e, StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, operands.front().getType(), e.b.getStringAttr(name), operands)
      ->getResult(0);
}

static int64_t lanesIn(Value vector) { return cast<VectorType>(vector.getType()).getNumElements(); }

Value vitq::kernels::tablePosition(Emitter &e, Value x, bool isUnsigned) {
  return isUnsigned ? x : e.op<arith::XOrIOp>(x, e.like(x, numerics::Code().min()));
}

int64_t ByteTable::lanesOf(const TargetDesc &target) {
  switch (target.byteLookup) {
  case ByteLookup::Scalar:
    return 1;
  case ByteLookup::Table64:
    return 16;
  case ByteLookup::Shuffle16:
    // The machine of a target that is emulated may have narrower vectors.
    return target.emulateDot ? 16 : target.vectorBits / 8;
  case ByteLookup::Permute128:
    return 64;
  }
  return 1;
}

ByteTable::ByteTable(Emitter &e, const TargetDesc &target, Value memref, Values at, bool signedCodes)
    : kind(target.byteLookup), lanes(lanesOf(target)), memref(memref), at(at), signedCodes(signedCodes) {
  if (kind == ByteLookup::Scalar)
    return;
  // A code of -128 is 128 as an unsigned number and has entry 0.
  const int64_t first = signedCodes ? kBytes / 2 : 0, step = kind == ByteLookup::Permute128 ? 64 : 16;
  for (int64_t i = 0; i < 256; i += step) {
    Values from(at);
    from.back() = e.indexAdd(from.back(), i ^ first);
    Value entries = e.load(memref, from, step);
    if (kind == ByteLookup::Shuffle16 && lanes > 16) {
      SmallVector<int64_t> repeated;
      for (int64_t lane = 0; lane < lanes; ++lane)
        repeated.push_back(lane % 16);
      entries = e.op<vector::ShuffleOp>(entries, entries, repeated);
    }
    registers.push_back(entries);
  }
}

/// Zero bits that fill up `codes` to `lanes` of them.
static Value widen(Emitter &e, Value codes, int64_t lanes) {
  Value zero = e.constant(Emitter::lanesOf(e.intType(8), lanes), 0);
  return e.op<vector::InsertStridedSliceOp>(codes, zero, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

static Value slice(Emitter &e, Value vector, int64_t first, int64_t count) {
  return e.op<vector::ExtractStridedSliceOp>(vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{count},
                                             ArrayRef<int64_t>{1});
}

Value ByteTable::lookup(Emitter &e, Value codes) const {
  if (!isa<VectorType>(codes.getType()))
    return lookupScalar(e, codes);
  const int64_t count = lanesIn(codes);
  if (count == lanes)
    return lookupWhole(e, codes);
  if (count < lanes)
    return slice(e, lookupWhole(e, widen(e, codes, lanes)), 0, count);
  Value result = e.constant(codes.getType(), 0);
  for (int64_t i = 0; i < count; i += lanes) {
    Value part = lanes == 1 ? lookupScalar(e, e.op<vector::ExtractOp>(codes, i)) : lookup(e, slice(e, codes, i, lanes));
    if (lanes == 1)
      result = e.op<vector::InsertOp>(part, result, i);
    else
      result = e.op<vector::InsertStridedSliceOp>(part, result, ArrayRef<int64_t>{i}, ArrayRef<int64_t>{1});
  }
  return result;
}

Value ByteTable::lookupScalar(Emitter &e, Value code) const {
  Values from(at);
  from.back() = e.add(from.back(), e.toIndexUnsigned(tablePosition(e, code, !signedCodes)));
  return e.load(memref, from);
}

Value ByteTable::lookupWhole(Emitter &e, Value codes) const {
  switch (kind) {
  case ByteLookup::Shuffle16:
    return shuffle16(e, codes);
  case ByteLookup::Table64:
    return table64(e, codes);
  case ByteLookup::Permute128:
    return permute128(e, codes);
  case ByteLookup::Scalar:
    break;
  }
  llvm_unreachable("scalars have no registers");
}

/// All 16 candidates, then one of each pair as a bit of the code says.
Value ByteTable::shuffle16(Emitter &e, Value codes) const {
  StringRef name = lanes == 16   ? "llvm.x86.ssse3.pshuf.b.128"
                   : lanes == 32 ? "llvm.x86.avx2.pshuf.b"
                                 : "llvm.x86.avx512.pshuf.b.512";
  Value low = e.op<arith::AndIOp>(codes, e.like(codes, 15));
  auto pairs = VectorType::get({lanes / 2}, e.intType(16));
  // Bit `bit` of every byte as its sign.
  auto isSet = [&](int64_t bit) {
    Value shifted = codes;
    if (bit != 7) {
      shifted = e.shl(e.op<vector::BitCastOp>(pairs, codes), 7 - bit);
      shifted = e.op<vector::BitCastOp>(codes.getType(), shifted);
    }
    return e.cmp(arith::CmpIPredicate::slt, shifted, e.like(codes, 0));
  };
  const Value bits[] = {isSet(4), isSet(5), isSet(6), isSet(7)};
  // Depth first: few candidates live at a time.
  auto select = [&](auto &self, int64_t first, int64_t level) -> Value {
    if (level < 0)
      return intrinsic(e, name, {registers[first], low});
    Value clear = self(self, first, level - 1);
    return e.select(bits[level], self(self, first + (int64_t(1) << level), level - 1), clear);
  };
  return select(select, 0, 3);
}

/// A lookup beyond 64 bytes leaves 0, and later ones what was there.
Value ByteTable::table64(Emitter &e, Value codes) const {
  auto part = [&](int64_t i) { return ValueRange(registers).slice(4 * i, 4); };
  Values operands(part(0));
  operands.push_back(codes);
  Value result = intrinsic(e, "llvm.aarch64.neon.tbl4.v16i8", operands);
  for (int64_t i = 1; i < 4; ++i) {
    operands.assign({result});
    operands.append(part(i).begin(), part(i).end());
    operands.push_back(e.sub(codes, e.like(codes, 64 * i)));
    result = intrinsic(e, "llvm.aarch64.neon.tbx4.v16i8", operands);
  }
  return result;
}

Value ByteTable::permute128(Emitter &e, Value codes) const {
  auto half = [&](int64_t i) {
    return intrinsic(e, "llvm.x86.avx512.vpermi2var.qi.512", {registers[i], codes, registers[i + 1]});
  };
  Value low = half(0), high = half(2);
  return e.select(e.cmp(arith::CmpIPredicate::slt, codes, e.like(codes, 0)), high, low);
}

/// The top bytes of 64 lanes. An instruction that permutes 128 bytes finds those of two vectors at once.
static Value permuteTopBytes(Emitter &e, Value x) {
  constexpr int64_t bytes = 64, lanes = bytes / 4;
  auto type = VectorType::get({bytes}, e.intType(8));
  auto part = [&](int64_t i) { return e.op<vector::BitCastOp>(type, slice(e, x, i * lanes, lanes)); };
  SmallVector<int8_t> positions;
  SmallVector<int64_t> halves;
  for (int64_t i = 0; i < bytes; ++i) {
    positions.push_back(static_cast<int8_t>(i % (bytes / 2) * 4 + 3));
    halves.push_back(i < bytes / 2 ? i : bytes + i);
  }
  Value at = e.op<arith::ConstantOp>(DenseElementsAttr::get(type, ArrayRef<int8_t>(positions)));
  auto pair = [&](int64_t i) { return intrinsic(e, "llvm.x86.avx512.vpermi2var.qi.512", {part(i), at, part(i + 1)}); };
  Value low = pair(0), high = pair(2);
  return e.op<vector::ShuffleOp>(low, high, halves);
}

Value ByteTable::topBytes(Emitter &e, Value x) const {
  auto type = dyn_cast<VectorType>(x.getType());
  if (kind == ByteLookup::Permute128 && type && type.getNumElements() == lanes)
    return permuteTopBytes(e, x);
  Value bytes = e.srl(x, e.like(x, 24));
  return e.packsTo(8, bytes) ? e.packBytes(bytes, /*isUnsigned=*/true) : e.trunc(bytes, 8);
}

Value WordTable::lookup(Emitter &e, Value codes) const {
  Value words = e.zext(high.lookup(e, codes), 16);
  return e.op<arith::OrIOp>(e.shl(words, 8), e.zext(low.lookup(e, codes), 16));
}

std::vector<uint8_t> WordTable::split(ArrayRef<uint16_t> entries) {
  std::vector<uint8_t> bytes(2 * entries.size());
  for (auto [i, entry] : llvm::enumerate(entries)) {
    const size_t at = i / 256 * 512 + i % 256;
    bytes[at] = static_cast<uint8_t>(entry);
    bytes[at + 256] = static_cast<uint8_t>(entry >> 8);
  }
  return bytes;
}
