/*===- model.h - Running the array's RTL -*- C -*-===*\
|*
|* Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
|* See LICENSE for license information.
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
|*
\*===----------------------------------------------------------------------===*/

#ifndef VITQ_RTL_MODEL_H
#define VITQ_RTL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define VITQ_RTL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* What a library that rtl/build.sh makes of the RTL gives: one array of one configuration, simulated by Verilator,
 * with the program memory and the DRAM that it sees. */

/* An operand of a launch: memory of so many bytes. */
struct vitq_rtl_operand {
  char *data;
  uint64_t bytes;
};

enum vitq_rtl_result {
  VITQ_RTL_OK = 0,
  /* An instruction that the RTL does not have. */
  VITQ_RTL_REFUSED = 1,
  /* The launch did not end within the cycles that it was given. */
  VITQ_RTL_TOO_LONG = 2,
  /* It read or wrote an operand that there is not, or outside of one. */
  VITQ_RTL_OUTSIDE = 3
};

/* Cycles of a launch, and those in which what the name says was so (docs/Hardware.md). */
struct vitq_rtl_counters {
  uint64_t cycles, execute_busy, load_busy, store_busy, load_dma_wait, store_dma_wait, queue_full, bank_conflicts,
      execute_wait, load_wait, store_wait;
};

/* The configuration, as text with every key. */
VITQ_RTL_EXPORT const char *vitq_rtl_config(void);
/* An array whose memories hold 0. */
VITQ_RTL_EXPORT void *vitq_rtl_create(void);
VITQ_RTL_EXPORT void vitq_rtl_destroy(void *array);
/* Runs a launch: `code` has `count` instructions of 32 bytes; `parameters` are those of its unit programs. */
VITQ_RTL_EXPORT enum vitq_rtl_result vitq_rtl_run(void *array, const uint8_t *code, uint32_t count,
                                                  const uint8_t *parameters, uint32_t parameter_bytes,
                                                  const struct vitq_rtl_operand *operands, size_t num_operands,
                                                  uint64_t most_cycles, struct vitq_rtl_counters *counters);

#ifdef __cplusplus
}
#endif

#endif /* VITQ_RTL_MODEL_H */
