//===- FunctionWriter.cpp - One kernel as a C function -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionWriter.h"

#include "vitq/Conversion/KernelCalls.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::portable;

/// An expression that is longer gets a name.
static constexpr size_t kLongestExpression = 160;

FunctionWriter::FunctionWriter(func::FuncOp function, const WrittenBy &writtenBy, const ConstantBytes &constantBytes,
                               llvm::raw_ostream &os)
    : function(function), writtenBy(writtenBy), constantBytes(constantBytes), os(os) {
  for (BlockArgument argument : function.getArguments())
    text[argument] = fresh();
}

/// Whether nothing is written through a pointer: it comes from a constant, or from an operand that is only read.
bool FunctionWriter::isConst(Value pointer) {
  while (auto view = pointer.getDefiningOp<ViewLikeOpInterface>())
    pointer = view.getViewSource();
  if (pointer.getDefiningOp<memref::GetGlobalOp>())
    return true;
  if (auto choice = pointer.getDefiningOp<arith::SelectOp>())
    return isConst(choice.getTrueValue()) || isConst(choice.getFalseValue());
  auto argument = dyn_cast<BlockArgument>(pointer);
  return argument && argument.getOwner() == &function.getBody().front() &&
         !writtenBy(function).test(argument.getArgNumber());
}

/// "const u8 *v0" or "u32 v1".
std::string FunctionWriter::declared(Value value, bool isArgument) {
  auto memref = dyn_cast<MemRefType>(value.getType());
  const std::string own = text.lookup(value);
  if (!memref)
    return typeOf(value.getType()) + " " + own;
  const unsigned width = memref.getElementTypeBitWidth();
  return (isConst(value) ? "const " : "") + (width == 8 ? "u8" : "u" + std::to_string(width) + "a") + " *" +
         (isArgument ? "restrict " : "") + own;
}

std::string FunctionWriter::signature() {
  std::string list;
  for (BlockArgument argument : function.getArguments())
    list += (list.empty() ? "" : ", ") + declared(argument, /*isArgument=*/true);
  const std::string result = function.getNumResults() ? typeOf(function.getResultTypes().front()) : "void";
  return "static " + result + " " + function.getName().str() + "(" + (list.empty() ? "void" : list) + ")";
}

/// Without parentheses around all of it.
static std::string bare(const std::string &expression) {
  if (expression.front() != '(' || expression.back() != ')')
    return expression;
  unsigned open = 0;
  for (char c : StringRef(expression).drop_back()) {
    open += c == '(';
    open -= c == ')';
    if (!open)
      return expression;
  }
  return expression.substr(1, expression.size() - 2);
}

void FunctionWriter::line(const Twine &statement) { os.indent(2 * depth) << statement << "\n"; }

/// Whether all between `op` and the one that reads it leaves memory alone.
static bool isUnchangedUntil(Operation *op, Operation *user) {
  for (Operation *next = op->getNextNode(); next != user; next = next->getNextNode())
    if (!isMemoryEffectFree(next) && !isa<memref::LoadOp>(next))
      return false;
  return true;
}

/// Whether `user` takes values of the next iteration, which are assigned one after the other.
static bool assignsSeveral(Operation *user) { return isa<scf::YieldOp>(user) && user->getNumOperands() > 1; }

/// The statement that the text of `op` becomes part of, if that stands where it is used.
Operation *FunctionWriter::statementOf(Operation *op) {
  Operation *user = *op->user_begin();
  while (standsInPlace(user))
    user = *user->user_begin();
  return user;
}

bool FunctionWriter::standsInPlace(Operation *op) {
  if (isa<arith::ConstantOp, memref::GetGlobalOp, memref::ReinterpretCastOp, memref::CastOp>(op))
    return true;
  if (isa<arith::ExtSIOp>(op))
    return llvm::none_of(op->getUsers(), assignsSeveral);
  if (!op->hasOneUse())
    return false;
  Operation *user = *op->user_begin();
  // Extensions stand wherever they are used.
  if (user->getBlock() != op->getBlock() || assignsSeveral(user) || (isa<arith::ExtSIOp>(user) && !user->hasOneUse()))
    return false;
  if (isMemoryEffectFree(op))
    return true;
  auto load = dyn_cast<memref::LoadOp>(op);
  if (!load)
    return false;
  // What is between must not write there, and a loop would read it again.
  Operation *statement = statementOf(op);
  return statement->getBlock() == op->getBlock() && !isa<scf::ForOp>(statement) &&
         (isConst(load.getMemRef()) || isUnchangedUntil(op, statement));
}

void FunctionWriter::define(Value value, const std::string &expression, bool inPlace) {
  // What is extended has a name if it is long; a product may read that instead.
  if (inPlace && (expression.size() <= kLongestExpression || value.getDefiningOp<arith::ExtSIOp>())) {
    text[value] = expression;
    return;
  }
  text[value] = fresh();
  line(isa<MemRefType>(value.getType()) ? declared(value) + " = " + bare(expression) + ";"
                                        : "const " + declared(value) + " = " + bare(expression) + ";");
}

/// `targets` are other names than those of `values`.
void FunctionWriter::assign(ValueRange values, ArrayRef<std::string> targets) {
  std::vector<std::string> sources;
  for (Value value : values)
    sources.push_back(name(value));
  // What is another one's source is read before it is overwritten.
  for (size_t i = 0; i < sources.size(); ++i)
    if (sources[i] != targets[i] && llvm::is_contained(targets, sources[i])) {
      const std::string own = fresh();
      line("const " + typeOf(values[i].getType()) + " " + own + " = " + sources[i] + ";");
      sources[i] = own;
    }
  for (auto [source, target] : llvm::zip_equal(sources, targets))
    if (source != target)
      line(target + " = " + bare(source) + ";");
}

namespace {

/// A loop of which every carried sum is that of the products of a row of 16-bit numbers and a run of bytes, the same
/// for all rows.
struct DotLoop {
  bool match(scf::ForOp op);

  SmallVector<memref::LoadOp> rows;
  memref::LoadOp run;
  /// Where the run begins; null for the first element.
  Value runFirst;

private:
  bool matchSum(scf::ForOp op, Value argument, Value next);
  bool matchPlaces(scf::ForOp op);
  llvm::SmallPtrSet<Operation *, 16> known;
};

} // namespace

bool DotLoop::matchSum(scf::ForOp op, Value argument, Value next) {
  auto sum = next.getDefiningOp<arith::AddIOp>();
  auto product = sum && sum.getLhs() == argument ? sum.getRhs().getDefiningOp<arith::MulIOp>() : arith::MulIOp();
  if (!product)
    return false;
  auto x = product.getLhs().getDefiningOp<arith::ExtSIOp>(), y = product.getRhs().getDefiningOp<arith::ExtSIOp>();
  if (!x || !y || !x.getIn().getType().isInteger(16) || !y.getIn().getType().isInteger(8))
    return false;
  auto row = x.getIn().getDefiningOp<memref::LoadOp>(), column = y.getIn().getDefiningOp<memref::LoadOp>();
  if (!row || !column || (run && run != column))
    return false;
  run = column;
  rows.push_back(row);
  known.insert({sum, product, x, y, row, column});
  return true;
}

/// Rows lie in matrices, the run in bytes; all of them along the loop, and nothing else depends on it.
bool DotLoop::matchPlaces(scf::ForOp op) {
  Value i = op.getInductionVar(), at = run.getIndices().front();
  if (run.getMemRefType().getRank() != 1 || !op.isDefinedOutsideOfLoop(run.getMemRef()))
    return false;
  if (auto sum = at.getDefiningOp<arith::AddIOp>(); sum && sum.getRhs() == i && op.isDefinedOutsideOfLoop(sum.getLhs()))
    runFirst = sum.getLhs();
  else if (at != i)
    return false;
  for (memref::LoadOp row : rows)
    if (row.getMemRefType().getRank() != 2 || !op.isDefinedOutsideOfLoop(row.getMemRef()) || row.getIndices()[1] != i)
      return false;
  for (Operation &other : op.getBody()->without_terminator())
    if (!known.contains(&other) && &other != at.getDefiningOp() &&
        (!isPure(&other) || !isa<IndexType>(other.getResult(0).getType()) ||
         llvm::is_contained(other.getOperands(), i)))
      return false;
  return true;
}

bool DotLoop::match(scf::ForOp op) {
  IntegerAttr first, step;
  if (op.getNumResults() == 0 || op.getNumResults() > kMostDotRows ||
      !matchPattern(op.getLowerBound(), m_Constant(&first)) || first.getInt() != 0 ||
      !matchPattern(op.getStep(), m_Constant(&step)) || step.getInt() != 1)
    return false;
  for (auto [argument, next] : llvm::zip_equal(op.getRegionIterArgs(), op.getYieldedValues()))
    if (!matchSum(op, argument, next))
      return false;
  return matchPlaces(op);
}

/// Such a loop as a call of a function of the prelude, for which processors may have instructions.
bool FunctionWriter::dotProducts(scf::ForOp op) {
  DotLoop loop;
  if (!loop.match(op))
    return false;
  // Where the rows are.
  for (Operation &other : op.getBody()->without_terminator())
    if (isa<IndexType>(other.getResult(0).getType()) && !llvm::is_contained(other.getOperands(), op.getInductionVar()))
      statement(other);
  std::string list = name(op.getUpperBound()), init;
  for (memref::LoadOp row : loop.rows) {
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (failed(row.getMemRefType().getStridesAndOffset(strides, offset)) || ShapedType::isDynamic(strides[0]) ||
        strides[1] != 1)
      return false;
    list +=
        ", " + name(row.getMemRef()) + " + (" + name(row.getIndices()[0]) + " * " + std::to_string(strides[0]) + "u)";
  }
  list += ", " + name(loop.run.getMemRef()) + (loop.runFirst ? " + " + name(loop.runFirst) : "");
  for (Value value : op.getInitArgs())
    init += (init.empty() ? "" : ", ") + bare(name(value));
  const std::string sums = fresh(), count = std::to_string(op.getNumResults());
  line("u32 " + sums + "[" + count + "] = {" + init + "};");
  line("dot_" + count + "(" + list + ", " + sums + ");");
  for (OpResult result : op.getResults())
    text[result] = sums + "[" + std::to_string(result.getResultNumber()) + "]";
  return true;
}

static std::string stepOf(const std::string &i, const std::string &step) {
  return step == "1u" ? "++" + i : i + " += " + step;
}

void FunctionWriter::loop(scf::ForOp op) {
  if (dotProducts(op))
    return;
  std::vector<std::string> carried;
  for (auto [argument, init, result] : llvm::zip_equal(op.getRegionIterArgs(), op.getInitArgs(), op.getResults())) {
    const std::string own = fresh();
    carried.push_back(own);
    if (typeOf(argument.getType()).empty()) {
      unsupported = op;
      return;
    }
    line(typeOf(argument.getType()) + " " + own + " = " + bare(name(init)) + ";");
    text[argument] = own;
    text[result] = own;
  }
  const std::string i = fresh();
  text[op.getInductionVar()] = i;
  line("for (size_t " + i + " = " + bare(name(op.getLowerBound())) + "; " + i + " < " + name(op.getUpperBound()) +
       "; " + stepOf(i, name(op.getStep())) + ") {");
  ++depth;
  block(*op.getBody());
  assign(op.getYieldedValues(), carried);
  --depth;
  line("}");
}

void FunctionWriter::branch(scf::IfOp op) {
  std::vector<std::string> results;
  for (Value result : op.getResults()) {
    if (typeOf(result.getType()).empty()) {
      unsupported = op;
      return;
    }
    text[result] = fresh();
    results.push_back(text[result]);
    line(declared(result) + ";");
  }
  line("if (" + bare(name(op.getCondition())) + ") {");
  ++depth;
  block(*op.thenBlock());
  assign(op.thenYield().getOperands(), results);
  --depth;
  if (Block *other = op.elseBlock()) {
    line("} else {");
    ++depth;
    block(*other);
    assign(op.elseYield().getOperands(), results);
    --depth;
  }
  line("}");
}

/// Text of a model in a comment.
static std::string commentOf(StringRef node) {
  std::string comment;
  for (char c : node)
    comment += llvm::isAlnum(c) || StringRef("/._-:+ ").contains(c) ? c : '?';
  for (size_t at; (at = comment.find("*/")) != std::string::npos || (at = comment.find("/*")) != std::string::npos;)
    comment[at] = '?';
  return comment;
}

void FunctionWriter::call(func::CallOp op) {
  if (auto step = op->getAttrOfType<DictionaryAttr>(kStepAttr))
    if (auto node = step.getAs<StringAttr>("node"))
      line("/* " + commentOf(node.getValue()) + " */");
  std::string list;
  for (Value operand : op.getOperands())
    list += (list.empty() ? "" : ", ") + bare(name(operand));
  std::string before;
  if (op.getNumResults()) {
    text[op.getResult(0)] = fresh();
    before = declared(op.getResult(0)) + " = ";
  }
  line(before + op.getCallee() + "(" + list + ");");
}

/// Bytes of a result that is also something else.
void FunctionWriter::copy(memref::CopyOp op) {
  auto from = cast<MemRefType>(op.getSource().getType()), to = cast<MemRefType>(op.getTarget().getType());
  if (!from.getLayout().isIdentity() || !to.getLayout().isIdentity() || !from.hasStaticShape()) {
    unsupported = op;
    return;
  }
  const std::string i = fresh();
  line("for (size_t " + i + " = 0u; " + i + " < " + Twine(from.getNumElements()) + "u; ++" + i + ") {");
  line("  " + name(op.getTarget()) + "[" + i + "] = " + name(op.getSource()) + "[" + i + "];");
  line("}");
}

/// C has one result or none.
static bool hasResultOfC(TypeRange results) {
  return results.empty() || (results.size() == 1 && !typeOf(results.front()).empty());
}

void FunctionWriter::statement(Operation &op) {
  if (auto loopOp = dyn_cast<scf::ForOp>(op))
    return loop(loopOp);
  if (auto ifOp = dyn_cast<scf::IfOp>(op))
    return branch(ifOp);
  if (auto callOp = dyn_cast<func::CallOp>(op); callOp && hasResultOfC(callOp.getResultTypes()))
    return call(callOp);
  if (auto copyOp = dyn_cast<memref::CopyOp>(op))
    return copy(copyOp);
  if (auto store = dyn_cast<memref::StoreOp>(op)) {
    const std::string place = element(store.getMemRef(), store.getIndices());
    if (place.empty())
      unsupported = &op;
    return line(place + " = " + bare(name(store.getValue())) + ";");
  }
  // A hint.
  if (isa<memref::PrefetchOp>(op) || isOpTriviallyDead(&op))
    return;
  const std::string value = expression(&op);
  if (value.empty())
    unsupported = &op;
  else
    define(op.getResult(0), value, standsInPlace(&op));
}

void FunctionWriter::block(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (unsupported)
      return;
    statement(op);
  }
}

LogicalResult FunctionWriter::write() {
  os << signature() << " {\n";
  for (BlockArgument argument : function.getArguments())
    if (argument.use_empty())
      line("(void)" + name(argument) + ";");
  Block &body = function.getBody().front();
  block(body);
  if (!unsupported && !hasResultOfC(function.getResultTypes()))
    unsupported = body.getTerminator();
  if (!unsupported && function.getNumResults())
    line("return " + bare(name(body.getTerminator()->getOperand(0))) + ";");
  os << "}\n\n";
  return failure(unsupported != nullptr);
}
