/*===- Dialects.h - vitq's dialects and passes for MLIR's C API -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * For programs that use MLIR's own C API (mlir-c/...). They must link the same
 * libMLIR as vitq.
 *
\*===------------------------------------------------------===*/

#ifndef VITQ_C_DIALECTS_H
#define VITQ_C_DIALECTS_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/* mlirGetDialectHandle__vit__() and mlirGetDialectHandle__vitq__(). */
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Vit, vit);
MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Vitq, vitq);

/* Every dialect that vitq's passes read or create: vit, vitq, and MLIR's own with
 * their interfaces and translations. */
void vitqRegisterAllDialects(MlirDialectRegistry registry);

/* Makes vitq's passes and pipelines known to mlirParsePassPipeline in this process.
 * Once is enough; more does no harm. Not together with the parsing of a pipeline
 * on another thread. */
void vitqRegisterAllPasses(void);

#ifdef __cplusplus
}
#endif

#endif /* VITQ_C_DIALECTS_H */
