//===- Emitter.h - Short spellings for building kernels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are built op by op. An arithmetic helper works on a scalar and on a
// vector alike; constants take the type of the value they are used with.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_EMITTER_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_EMITTER_H

#include "dialects/vitq/Vitq.h"
#include "vitq/Target/Isa/Isa.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"

namespace vitq::kernels {

using mlir::Type;
using mlir::Value;
using mlir::ValueRange;
using Values = llvm::SmallVector<Value>;

class Emitter {
public:
  /// `packs` may be null.
  Emitter(mlir::OpBuilder &builder, mlir::Location loc, const PackInstructions *packs)
      : b(builder), loc(loc), packs(packs) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const PackInstructions *packs;

  Type intType(unsigned width) { return b.getIntegerType(width); }
  /// `element` itself when lanes is 1.
  static Type lanesOf(Type element, int64_t lanes);
  /// The type of `like` with elements of `width` bits.
  Type withWidth(Type like, unsigned width);

  Value index(int64_t value) { return mlir::arith::ConstantIndexOp::create(b, loc, value); }
  Value constant(Type type, int64_t value);
  Value like(Value value, int64_t c) { return constant(value.getType(), c); }
  /// A scalar as a vector of the type of `like`; itself when that is a scalar.
  Value splatLike(Value scalar, Value like);

  template <typename OpT, typename... Args>
  Value op(Args &&...args) {
    return OpT::create(b, loc, std::forward<Args>(args)...);
  }
  Value add(Value x, Value y) { return op<mlir::arith::AddIOp>(x, y); }
  Value add(Value x, int64_t y) { return add(x, like(x, y)); }
  Value sub(Value x, Value y) { return op<mlir::arith::SubIOp>(x, y); }
  Value mul(Value x, Value y) { return op<mlir::arith::MulIOp>(x, y); }
  Value mul(Value x, int64_t y) { return mul(x, like(x, y)); }
  Value shl(Value x, Value y) { return op<mlir::arith::ShLIOp>(x, y); }
  Value shl(Value x, int64_t y) { return shl(x, like(x, y)); }
  Value sra(Value x, Value y) { return op<mlir::arith::ShRSIOp>(x, y); }
  Value sra(Value x, int64_t y) { return sra(x, like(x, y)); }
  Value srl(Value x, Value y) { return op<mlir::arith::ShRUIOp>(x, y); }
  Value smax(Value x, Value y) { return op<mlir::arith::MaxSIOp>(x, y); }
  Value smin(Value x, Value y) { return op<mlir::arith::MinSIOp>(x, y); }
  Value umin(Value x, Value y) { return op<mlir::arith::MinUIOp>(x, y); }
  Value clamp(Value x, Value lo, Value hi) { return smin(smax(x, lo), hi); }
  Value divu(Value x, Value y) { return op<mlir::arith::DivUIOp>(x, y); }
  Value remu(Value x, Value y) { return op<mlir::arith::RemUIOp>(x, y); }
  Value divs(Value x, Value y) { return op<mlir::arith::DivSIOp>(x, y); }
  Value cmp(mlir::arith::CmpIPredicate p, Value x, Value y) { return op<mlir::arith::CmpIOp>(p, x, y); }
  Value select(Value c, Value x, Value y) { return op<mlir::arith::SelectOp>(c, x, y); }
  Value sext(Value x, unsigned width);
  Value zext(Value x, unsigned width);
  /// To a wider or equal width, as the sign says.
  Value extend(Value x, unsigned width, bool isUnsigned) { return isUnsigned ? zext(x, width) : sext(x, width); }
  Value trunc(Value x, unsigned width);
  /// Whether `x` is of as many 32-bit lanes as packs make one vector of numbers of `width` bits of, 8 or 16.
  bool packsTo(unsigned width, Value x) const;
  /// Such lanes as bytes, or as signed numbers of 16 bits, limited to what these hold.
  Value packBytes(Value x, bool isUnsigned);
  Value packWords(Value x);
  /// To `width` bits, whatever x has; a wider result is sign-extended.
  Value resize(Value x, unsigned width);
  Value toIndex(Value x) { return op<mlir::arith::IndexCastOp>(b.getIndexType(), x); }
  Value toIndexUnsigned(Value x) { return op<mlir::arith::IndexCastUIOp>(b.getIndexType(), x); }

  /// Affine index arithmetic that leaves out zeros and ones.
  Value indexAdd(Value x, int64_t c) { return c ? add(x, index(c)) : x; }
  Value indexMul(Value x, int64_t c) { return c == 1 ? x : mul(x, index(c)); }

  /// One vector of all lanes of `vectors`, a power of two of them.
  Value join(ValueRange vectors);

  /// `lanes` elements along the last axis; a scalar load when lanes is 1.
  Value load(Value memref, ValueRange at, int64_t lanes = 1, unsigned align = 0);
  /// A mask of `lanes` lanes that is true from lane `first` up to, not including, `last`.
  Value lanesBetween(int64_t lanes, int64_t first, int64_t last);
  void store(Value value, Value memref, ValueRange at);

  /// for (i = lo; i < hi; i += step) body(i)
  void loop(Value lo, Value hi, int64_t step, llvm::function_ref<void(Value)> body);
  void loop(int64_t hi, llvm::function_ref<void(Value)> body) { loop(index(0), index(hi), 1, body); }
  /// The same with values carried from one iteration to the next.
  Values loop(Value lo, Value hi, int64_t step, ValueRange inits, llvm::function_ref<Values(Value, ValueRange)> body);
  Values loop(int64_t hi, ValueRange inits, llvm::function_ref<Values(Value, ValueRange)> body) {
    return loop(index(0), index(hi), 1, inits, body);
  }
  void ifThen(Value condition, llvm::function_ref<void()> body);
  void ifThenElse(Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> other);
};

/// Elements of a memref of static shape.
int64_t elementCount(Type type);
/// What an element is in memory.
inline Type elementOf(Value value) { return integer::storageOf(mlir::getElementTypeOrSelf(value.getType())); }
inline unsigned widthOf(Value value) { return elementOf(value).getIntOrFloatBitWidth(); }

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_EMITTER_H
