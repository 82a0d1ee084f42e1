//===- KernelModule.cpp - Kernels, globals and calls of one module -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelModule.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Target/Isa/Portable.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// What two functions have in common if they are the same: all of their ops, whatever their
/// operands.
static llvm::hash_code hashOf(func::FuncOp function) {
  llvm::hash_code hash = hash_value(function.getFunctionType());
  function.getBody().walk([&](Operation *op) {
    hash = llvm::hash_combine(hash, OperationEquivalence::computeHash(op, OperationEquivalence::ignoreHashValue,
                                                                      OperationEquivalence::ignoreHashValue,
                                                                      OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

static bool areEquivalent(func::FuncOp a, func::FuncOp b) {
  return a.getFunctionType() == b.getFunctionType() &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations);
}

func::FuncOp KernelModule::function(StringRef name, TypeRange args, TypeRange results, EmitBody emit) {
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  // Kernels are shared by many ops: none of their locations is right.
  Location shared = UnknownLoc::get(module.getContext());
  auto func = func::FuncOp::create(b, shared, name, FunctionType::get(module.getContext(), args, results));
  func.setPrivate();
  func->setAttr("llvm.noinline", b.getUnitAttr());
  Block *entry = func.addEntryBlock();
  for (auto [i, type] : llvm::enumerate(args))
    if (isa<MemRefType>(type))
      func.setArgAttr(i, "llvm.noalias", b.getUnitAttr());
  b.setInsertionPointToStart(entry);
  // The machine of a target that is emulated may not have them.
  const PackInstructions &packs = target.isa->packs;
  Emitter e(b, shared, packs.words && !target.emulateDot ? &packs : nullptr);
  emit(e, entry->getArguments());
  if (entry->empty() || !entry->back().hasTrait<OpTrait::IsTerminator>())
    func::ReturnOp::create(b, shared);

  Named &named = functions[name];
  SmallVector<func::FuncOp> &alike = named.byHash[hashOf(func)];
  for (func::FuncOp known : alike)
    if (areEquivalent(known, func)) {
      func.erase();
      return known;
    }
  func.setSymName(("vitq_" + name + "_" + Twine(named.count++)).str());
  alike.push_back(func);
  ++functionCount;
  return func;
}

Step::Step(ArrayRef<Operation *> fused, int64_t macs) : loc(fused.back()->getLoc()), macs(macs) {
  for (Operation *op : fused)
    ops += (ops.empty() ? "" : "+") + op->getName().getStringRef().str();
}

void KernelModule::call(const Step &step, StringRef name, Values args, int64_t units, EmitUnits emit) {
  for (int64_t bound : {int64_t(0), units})
    args.push_back(arith::ConstantIndexOp::create(main, step.loc, bound));
  func::FuncOp func = function(name, TypeRange(ValueRange(args)), {}, [&](Emitter &e, ValueRange in) {
    emit(e, in.drop_back(2), in[in.size() - 2], in.back());
  });
  NamedAttrList attributes;
  attributes.append("op", main.getStringAttr(step.ops.empty() ? "vitq." + name : step.ops));
  attributes.append("node", main.getStringAttr(nodeName(step.loc)));
  attributes.append("macs", main.getI64IntegerAttr(step.macs));
  attributes.append("units", main.getI64IntegerAttr(units));
  if (step.rows) {
    attributes.append("rows", main.getI64IntegerAttr(step.rows));
    attributes.append("local", main.getDenseI64ArrayAttr(step.local));
  }
  auto call = func::CallOp::create(main, step.loc, func, args);
  call->setAttr(kStepAttr, attributes.getDictionary(main.getContext()));
  ++callCount;
}

Value KernelModule::constant(Location loc, ArrayRef<char> bytes, MemRefType type) {
  // Globals are flat bytes; whoever reads them has a view.
  auto flat = MemRefType::get({static_cast<int64_t>(bytes.size())}, main.getI8Type());
  std::string &symbol = globals[StringRef(bytes.data(), bytes.size())];
  if (symbol.empty()) {
    symbol = "vitq_blob_" + std::to_string(globals.size() - 1);
    auto tensor = RankedTensorType::get(flat.getShape(), flat.getElementType());
    Attribute data = DenseResourceElementsAttr::get(
        tensor, symbol, HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64, /*dataIsMutable=*/false));
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto global = memref::GlobalOp::create(b, UnknownLoc::get(module.getContext()), symbol, b.getStringAttr("private"),
                                           flat, data, /*constant=*/true, b.getI64IntegerAttr(64));
    symbols.insert(global, b.getInsertionPoint());
    symbol = global.getSymName().str();
    totalBytes += bytes.size();
  }
  Value global = memref::GetGlobalOp::create(main, loc, flat, symbol);
  if (!type || type == flat)
    return global;
  Value zero = arith::ConstantIndexOp::create(main, loc, 0);
  return memref::ViewOp::create(main, loc, type, global, zero, ValueRange());
}

Value KernelModule::codes(Location loc, const Tensor &elements, Value tensor) {
  auto type = cast<ShapedType>(tensor.getType());
  auto memref = MemRefType::get(type.getShape(), elementOf(tensor));
  constexpr int64_t kBlock = 64;
  const BitPacking packing(type.getElementTypeBitWidth(), signs.isUnsigned(tensor), kBlock);
  const Tensor bytes = signs.inMemory(elements, tensor);
  if (!packing.packs())
    return constant(loc, bytes.raw(), memref);
  const std::vector<char> packed = packing.pack(bytes.raw());
  const int64_t blocks = static_cast<int64_t>(packed.size()) / packing.blockBytes();
  Value buffer = alloc(loc, {blocks * kBlock}, memref.getElementType());
  call(Step(loc, "unpack"), "unpack", {constant(loc, packed), buffer}, blocks,
       [&](Emitter &e, ValueRange in, Value first, Value last) {
         e.loop(first, last, 1, [&](Value block) {
           Value from = e.indexMul(block, packing.blockBytes());
           if (!hasVectors(target))
             return e.loop(kBlock, [&](Value i) {
               e.store(packing.loadCode(e, in[0], from, i), in[1], e.add(e.indexMul(block, kBlock), i));
             });
           e.store(packing.load(e, in[0], from), in[1], {e.indexMul(block, kBlock)});
         });
       });
  return reshape(loc, buffer, type.getShape());
}

Value KernelModule::alloc(Location loc, ArrayRef<int64_t> shape, Type element) {
  return memref::AllocOp::create(main, loc, MemRefType::get(shape, element));
}

Value KernelModule::scratch(Location loc, int64_t bytes) {
  Value buffer = alloc(loc, {(bytes + 63) / 64 * 64}, main.getI8Type());
  buffer.getDefiningOp()->setAttr(kScratchAttr, main.getUnitAttr());
  return buffer;
}

Value KernelModule::reshape(Location loc, Value memref, ArrayRef<int64_t> shape) {
  auto from = cast<MemRefType>(memref.getType());
  if (from.getShape() == shape)
    return memref;
  auto to = MemRefType::get(shape, from.getElementType());
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = static_cast<int64_t>(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return memref::ReinterpretCastOp::create(main, loc, to, memref, /*offset=*/0, shape, strides);
}
