//===- PortableCTest.cpp - What C refuses -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/PortableC.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;

/// The errors of writing a module of kernels as C.
static std::string errorsOf(StringRef text) {
  std::unique_ptr<MLIRContext> context = test::makeContext();
  context->loadDialect<memref::MemRefDialect, vector::VectorDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  if (!module)
    return "no module";
  std::string errors, written;
  ScopedDiagnosticHandler keep(context.get(), [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(errors) << diagnostic.getLocation() << ": " << diagnostic.str() << "\n";
    return success();
  });
  NativeOptions options;
  options.target = cantFail(TargetDesc::parse(kPortable));
  llvm::raw_string_ostream os(written);
  EXPECT_TRUE(failed(emitPortableC(*module, options, os)));
  return errors;
}

TEST(PortableC, KernelsOfVectorsNameTheirNode) {
  EXPECT_EQ(errorsOf(R"(
    func.func @main(%in: memref<16xi8>, %out: memref<16xi8>, %arena: memref<64xi8>) {
      func.call @copy(%in, %out) : (memref<16xi8>, memref<16xi8>) -> () loc("blocks.0.mlp")
      return
    }
    func.func private @copy(%in: memref<16xi8>, %out: memref<16xi8>) {
      func.call @tile(%in, %out) : (memref<16xi8>, memref<16xi8>) -> ()
      return
    }
    func.func private @tile(%in: memref<16xi8>, %out: memref<16xi8>) {
      %c0 = arith.constant 0 : index
      %x = vector.load %in[%c0] : memref<16xi8>, vector<16xi8>
      vector.store %x, %out[%c0] : memref<16xi8>, vector<16xi8>
      return
    })"),
            "loc(\"blocks.0.mlp\"): its kernel has no C, because of 'vector.load'; compile it for a CPU "
            "(--target=native)\n");
}

TEST(PortableC, ConstantsAreBytes) {
  const std::string errors = errorsOf(R"(
    memref.global "private" constant @words : memref<2xi32> = dense<[1, 2]>
    func.func @main(%in: memref<16xi8>, %out: memref<16xi8>, %arena: memref<64xi8>) {
      return
    })");
  EXPECT_NE(errors.find("is no constant of bytes that C could hold"), std::string::npos) << errors;
}
