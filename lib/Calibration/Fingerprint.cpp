//===- Fingerprint.cpp - Telling models apart by what determines ranges -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "dialects/vit/Vit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace vitq;

static std::string digest(ArrayRef<char> bytes) {
  llvm::XXH128_hash_t hash =
      llvm::xxh3_128bits(ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  return llvm::formatv("{0:x-16}{1:x-16}", hash.high64, hash.low64).str();
}

/// The elements of a constant by their hash; any other attribute as its text.
static void describe(Attribute attribute, llvm::raw_ostream &os) {
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    os << dense.getType() << digest(dense.getRawData());
    return;
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob()) {
      os << resource.getType() << digest(blob->getData());
      return;
    }
  os << attribute;
}

/// A type without the leading extent: that is the batch, and ranges are about images.
static void describe(Type type, llvm::raw_ostream &os) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() == 0) {
    os << type;
    return;
  }
  os << "*";
  for (int64_t extent : tensor.getShape().drop_front())
    os << "x" << extent;
  os << "x" << tensor.getElementType();
}

/// Whether an attribute says what the type of the result says too.
static bool repeatsShape(Attribute attribute, Operation *op) {
  auto numbers = dyn_cast<DenseI64ArrayAttr>(attribute);
  auto type = op->getNumResults() == 1 ? dyn_cast<RankedTensorType>(op->getResult(0).getType()) : nullptr;
  return numbers && type && numbers.asArrayRef() == type.getShape();
}

/// Only what determines real values: not what a calibration left on an op, nor how it
/// will be computed with integers. An attribute that has its default value may be there
/// or not, and is described in any case.
static void describeAttributes(Operation *op, llvm::raw_ostream &os) {
  if (!op->isRegistered())
    return;
  OwningOpRef<Operation *> copy = op->cloneWithoutRegions();
  op->getName().populateDefaultProperties(copy->getPropertiesStorage());
  for (StringAttr name : op->getName().getAttributeNames())
    if (std::optional<Attribute> attribute = copy->getInherentAttr(name);
        attribute && *attribute && !isa<vit::RoundingAttr, vit::AlgorithmAttr>(*attribute) &&
        !repeatsShape(*attribute, op)) {
      os << " " << name.getValue() << "=";
      describe(*attribute, os);
    }
}

std::string calibration::fingerprint(func::FuncOp function) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::DenseMap<Value, size_t> numbers;
  auto define = [&](Value value) {
    numbers[value] = numbers.size();
    describe(value.getType(), os);
  };
  for (BlockArgument argument : function.getArguments())
    define(argument);
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    os << "\n" << op->getName();
    for (Value operand : op->getOperands())
      os << " " << numbers.lookup(operand);
    describeAttributes(op, os);
    for (Region &region : op->getRegions())
      for (BlockArgument argument : region.getArguments())
        define(argument);
    for (Value result : op->getResults())
      define(result);
  });
  return digest(text);
}

LogicalResult calibration::checkFingerprint(func::FuncOp function, const RangeTable &table, StringRef origin) {
  // The model's file, not a node.
  auto module = function->getParentOfType<ModuleOp>();
  Location location = module ? module.getLoc() : function.getLoc();
  if (table.fingerprint.empty()) {
    emitWarning(location) << origin
                          << " does not say which model its ranges are of (an earlier vitq wrote it), so "
                             "nothing tells whether it is this one; calibrate again (--calibration-data, "
                             "--save-ranges), or rewrite the file with --load-ranges and --save-ranges";
    return success();
  }
  std::string own = fingerprint(function);
  if (own == table.fingerprint)
    return success();
  return emitError(location)
         << "the ranges in " << origin << " are of another model: its fingerprint is " << table.fingerprint
         << ", this model's is " << own
         << " (weights and structure; another export or another version of vitq counts as another model); give the "
            "model they were saved with, or calibrate this one (--calibration-data, --save-ranges)";
}
