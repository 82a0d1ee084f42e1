//===- Expressions.cpp - Values of kernels in C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionWriter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq::portable;

static unsigned widthOf(Type type) { return type.isIndex() ? 64 : type.getIntOrFloatBitWidth(); }

std::string vitq::portable::typeOf(Type type) {
  if (type.isIndex())
    return "size_t";
  if (!type.isSignlessInteger())
    return "";
  const unsigned width = type.getIntOrFloatBitWidth();
  if (width == 1)
    return "bool";
  return width == 8 || width == 16 || width == 32 || width == 64 ? "u" + std::to_string(width) : "";
}

std::string vitq::portable::signedTypeOf(Type type) {
  return type.isIndex() ? "ptrdiff_t" : "int" + std::to_string(widthOf(type)) + "_t";
}

/// Whether C would compute with it as a signed int.
static bool isPromoted(Type type) { return !type.isIndex() && widthOf(type) < 32; }

/// `x` as `type`, where C computed with another.
static std::string as(Type type, const std::string &x) { return "(" + typeOf(type) + ")" + x; }

std::string FunctionWriter::constant(arith::ConstantOp op) {
  auto value = dyn_cast<IntegerAttr>(op.getValue());
  if (!value || typeOf(op.getType()).empty())
    return "";
  if (op.getType().isInteger(1))
    return value.getValue().isZero() ? "false" : "true";
  if (op.getType().isIndex()) {
    const int64_t number = value.getInt();
    return number < 0 ? "(size_t)" + std::to_string(number) : std::to_string(number) + "u";
  }
  const std::string digits = std::to_string(value.getValue().getZExtValue());
  return widthOf(op.getType()) == 64 ? digits + "ull" : digits + "u";
}

/// A product of two numbers that were extended is one of the numbers, which cannot overflow: there are instructions
/// for it, and C compilers look for it in sums.
std::string FunctionWriter::product(arith::MulIOp op) {
  auto x = op.getLhs().getDefiningOp<arith::ExtSIOp>(), y = op.getRhs().getDefiningOp<arith::ExtSIOp>();
  if (x && y && x.getIn().getType().isInteger(16) && y.getIn().getType().isInteger(8) && op.getType().isInteger(32))
    return "smul_16_8(" + name(x.getIn()) + ", " + name(y.getIn()) + ")";
  if (!x || !y || x.getIn().getType() != y.getIn().getType())
    return "";
  const unsigned from = widthOf(x.getIn().getType()), to = widthOf(op.getType());
  if (to != (from == 32 ? 64 : 32) || from > 32 || from < 8)
    return "";
  return "smul_" + std::to_string(from) + "(" + name(x.getIn()) + ", " + name(y.getIn()) + ")";
}

std::string FunctionWriter::binary(Operation *op) {
  using Spelling = std::pair<const char *, bool>; // the operator, or a function of the prelude
  const Spelling found = llvm::TypeSwitch<Operation *, Spelling>(op)
                             .Case([](arith::AddIOp) { return Spelling("+", false); })
                             .Case([](arith::SubIOp) { return Spelling("-", false); })
                             .Case([](arith::MulIOp) { return Spelling("*", false); })
                             .Case([](arith::DivUIOp) { return Spelling("/", false); })
                             .Case([](arith::RemUIOp) { return Spelling("%", false); })
                             .Case([](arith::AndIOp) { return Spelling("&", false); })
                             .Case([](arith::OrIOp) { return Spelling("|", false); })
                             .Case([](arith::XOrIOp) { return Spelling("^", false); })
                             .Case([](arith::ShLIOp) { return Spelling("<<", false); })
                             .Case([](arith::ShRUIOp) { return Spelling(">>", false); })
                             .Case([](arith::ShRSIOp) { return Spelling("sra", true); })
                             .Case([](arith::DivSIOp) { return Spelling("sdiv", true); })
                             .Case([](arith::FloorDivSIOp) { return Spelling("floordiv", true); })
                             .Case([](arith::MaxSIOp) { return Spelling("smax", true); })
                             .Case([](arith::MinSIOp) { return Spelling("smin", true); })
                             .Case([](arith::MaxUIOp) { return Spelling("umax", true); })
                             .Case([](arith::MinUIOp) { return Spelling("umin", true); })
                             .Case([](LLVM::SAddSat) { return Spelling("sadd_sat", true); })
                             .Default(Spelling(nullptr, false));
  if (!found.first || op->getNumOperands() != 2)
    return "";
  Type type = op->getResult(0).getType();
  std::string x = name(op->getOperand(0)), y = name(op->getOperand(1));
  if (found.second)
    return std::string(found.first) + (type.isIndex() ? "_index" : "_" + std::to_string(widthOf(type))) + "(" + x +
           ", " + y + ")";
  IntegerAttr number;
  if (isa<arith::AddIOp>(op) && type.isIndex() && matchPattern(op->getOperand(1), m_Constant(&number)) &&
      number.getInt() < 0)
    return "(" + x + " - " + std::to_string(-number.getInt()) + "u)";
  if (type.isInteger(1))
    return "((" + x + " " + found.first + " " + y + ") != 0)";
  if (isa<arith::ShLIOp, arith::ShRUIOp>(op) && matchPattern(op->getOperand(1), m_Constant(&number)))
    y = std::to_string(number.getInt()) + "u";
  if (!isPromoted(type))
    return "(" + x + " " + found.first + " " + y + ")";
  return as(type, "((u32)" + x + " " + found.first + " (u32)" + y + ")");
}

std::string FunctionWriter::comparison(arith::CmpIOp op) {
  static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">=", "<", "<=", ">", ">="};
  const auto predicate = op.getPredicate();
  const bool isSigned = predicate >= arith::CmpIPredicate::slt && predicate <= arith::CmpIPredicate::sge;
  Type type = op.getLhs().getType();
  if (type.isInteger(1) && isSigned)
    return "";
  const std::string cast = isSigned ? "(" + signedTypeOf(type) + ")" : "";
  return "(" + cast + name(op.getLhs()) + " " + operators[static_cast<unsigned>(predicate)] + " " + cast +
         name(op.getRhs()) + ")";
}

std::string FunctionWriter::conversion(Operation *op) {
  Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
  const std::string x = name(op->getOperand(0));
  if (from.isInteger(1))
    return isa<arith::ExtSIOp>(op) ? as(to, "(" + x + " ? -1 : 0)") : as(to, x);
  if (to.isInteger(1))
    return "((" + x + " & 1u) != 0u)";
  const bool isSigned = isa<arith::ExtSIOp, arith::IndexCastOp>(op) && widthOf(from) <= widthOf(to);
  if (!isSigned || (to.isIndex() && widthOf(from) == 64))
    return as(to, x);
  if (!to.isIndex() && !from.isIndex() && widthOf(from) == widthOf(to))
    return x;
  auto suffix = [](Type type) { return type.isIndex() ? std::string("index") : std::to_string(widthOf(type)); };
  return "sext_" + suffix(from) + "_" + suffix(to) + "(" + x + ")";
}

std::string FunctionWriter::element(Value memref, ValueRange at) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  // Offsets are part of the pointer.
  if (failed(type.getStridesAndOffset(strides, offset)))
    return "";
  std::string sum;
  for (auto [i, stride] : llvm::zip_equal(at, strides)) {
    IntegerAttr number;
    if (ShapedType::isDynamic(stride))
      return "";
    if (matchPattern(i, m_Constant(&number)) && number.getInt() >= 0) {
      if (number.getInt() != 0)
        sum += (sum.empty() ? "" : " + ") + std::to_string(number.getInt() * stride) + "u";
      continue;
    }
    sum += (sum.empty() ? "" : " + ") + (stride == 1 ? name(i) : "(" + name(i) + " * " + std::to_string(stride) + "u)");
  }
  return name(memref) + "[" + (sum.empty() ? "0" : sum) + "]";
}

std::string FunctionWriter::pointer(Operation *op) {
  if (auto cast = dyn_cast<memref::CastOp>(op))
    return name(cast.getSource());
  if (auto global = dyn_cast<memref::GetGlobalOp>(op))
    return constantBytes(global.getName());
  if (auto view = dyn_cast<memref::ViewOp>(op)) {
    IntegerAttr shift;
    const bool isFirst = matchPattern(view.getByteShift(), m_Constant(&shift)) && shift.getInt() == 0;
    const std::string from =
        isFirst ? name(view.getSource()) : name(view.getSource()) + " + " + name(view.getByteShift());
    const unsigned width = view.getType().getElementTypeBitWidth();
    if (width == 8)
      return isFirst ? from : "(" + from + ")";
    return (isConst(view) ? "CU" : "U") + std::to_string(width) + "(" + from + ")";
  }
  auto cast = dyn_cast<memref::ReinterpretCastOp>(op);
  if (!cast || !cast.getOffsets().empty() || !cast.getStrides().empty())
    return "";
  const int64_t offset = cast.getStaticOffsets().front();
  return offset ? "(" + name(cast.getSource()) + " + " + std::to_string(offset) + "u)" : name(cast.getSource());
}

std::string FunctionWriter::expression(Operation *op) {
  if (op->getNumResults() != 1)
    return "";
  Type type = op->getResult(0).getType();
  if (isa<MemRefType>(type) && !isa<arith::SelectOp>(op))
    return pointer(op);
  if (!isa<MemRefType>(type) && typeOf(type).empty())
    return "";
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([&](arith::ConstantOp op) { return constant(op); })
      .Case([&](arith::CmpIOp op) { return comparison(op); })
      .Case([&](arith::MulIOp op) {
        std::string special = product(op);
        return special.empty() ? binary(op) : special;
      })
      .Case([&](memref::LoadOp op) { return element(op.getMemRef(), op.getIndices()); })
      .Case([&](arith::SelectOp op) {
        const std::string choice =
            "(" + name(op.getCondition()) + " ? " + name(op.getTrueValue()) + " : " + name(op.getFalseValue()) + ")";
        return !isa<MemRefType>(type) && isPromoted(type) ? as(type, choice) : choice;
      })
      .Case<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::IndexCastOp, arith::IndexCastUIOp>(
          [&](Operation *op) { return conversion(op); })
      .Case([&](LLVM::CountLeadingZerosOp op) {
        return "clz_" + std::to_string(widthOf(type)) + "(" + name(op.getIn()) + ")";
      })
      .Default([&](Operation *op) { return binary(op); });
}
