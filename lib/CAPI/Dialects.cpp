//===- Dialects.cpp - vitq's dialects and passes for MLIR's C API -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq-c/Dialects.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/InitAll.h"

#include "mlir/CAPI/Registration.h"

#include <mutex>

MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Vit, vit, vitq::vit::VitDialect)
MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Vitq, vitq, vitq::integer::VitqDialect)

void vitqRegisterAllDialects(MlirDialectRegistry registry) { vitq::registerAllDialects(*unwrap(registry)); }

void vitqRegisterAllPasses(void) {
  static std::once_flag once;
  std::call_once(once, [] {
    vitq::registerAllPasses();
    vitq::registerAllPipelines();
  });
}
