//===- DialectsTest.cpp - vitq under MLIR's C API -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq-c/Dialects.h"

#include "mlir-c/IR.h"
#include "mlir-c/Pass.h"

#include <gtest/gtest.h>

#include <string>

static void append(MlirStringRef part, void *text) { static_cast<std::string *>(text)->append(part.data, part.length); }

static MlirModule parse(MlirContext context, const char *text) {
  return mlirModuleCreateParse(context, mlirStringRefCreateFromCString(text));
}

TEST(CApiDialects, Handles) {
  MlirContext context = mlirContextCreate();
  EXPECT_EQ(mlirContextGetNumLoadedDialects(context), 1); // builtin
  for (MlirDialectHandle handle : {mlirGetDialectHandle__vit__(), mlirGetDialectHandle__vitq__()}) {
    mlirDialectHandleRegisterDialect(handle, context);
    EXPECT_FALSE(mlirDialectIsNull(mlirDialectHandleLoadDialect(handle, context)));
  }
  MlirStringRef name = mlirDialectHandleGetNamespace(mlirGetDialectHandle__vitq__());
  EXPECT_EQ(std::string(name.data, name.length), "vitq");
  MlirModule module = parse(context, "%0 = \"builtin.unrealized_conversion_cast\"() : () -> tensor<2x3xf32>\n"
                                     "%1 = vit.relu %0 : tensor<2x3xf32> -> tensor<2x3xf32>\n");
  ASSERT_FALSE(mlirModuleIsNull(module));
  EXPECT_TRUE(mlirOperationVerify(mlirModuleGetOperation(module)));
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
}

TEST(CApiDialects, Passes) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  vitqRegisterAllDialects(registry);
  vitqRegisterAllPasses();
  vitqRegisterAllPasses();
  MlirContext context = mlirContextCreateWithRegistry(registry, /*threadingEnabled=*/false);
  mlirDialectRegistryDestroy(registry);
  // Recovery has nothing to do but runs, and finds the argument's batch axis.
  MlirModule module = parse(context, "func.func @main(%x: tensor<1x3xf32>) -> tensor<1x3xf32> {\n"
                                     "  %0 = vit.relu %x : tensor<1x3xf32> -> tensor<1x3xf32> loc(\"node\")\n"
                                     "  return %0 : tensor<1x3xf32>\n"
                                     "}\n");
  ASSERT_FALSE(mlirModuleIsNull(module));
  MlirPassManager manager = mlirPassManagerCreate(context);
  std::string messages;
  MlirLogicalResult parsed =
      mlirParsePassPipeline(mlirPassManagerGetAsOpPassManager(manager),
                            mlirStringRefCreateFromCString("builtin.module(vitq-to-float)"), append, &messages);
  ASSERT_TRUE(mlirLogicalResultIsSuccess(parsed)) << messages;
  EXPECT_TRUE(mlirLogicalResultIsSuccess(mlirPassManagerRunOnOp(manager, mlirModuleGetOperation(module))));
  mlirPassManagerDestroy(manager);
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
}
