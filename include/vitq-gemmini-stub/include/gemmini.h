/*===- gemmini.h - Gemmini's macros, for the simulator -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===------------------------------------------------------===*/

/* The macros that `vitq-opt --emit=c` uses, with the names and operands of Gemmini's own
 * include/gemmini.h. There each is an instruction; here a call of libvitq-gemmini, which
 * executes it on the simulator's array. So the same C file runs on both. An instruction
 * that the array cannot execute ends the process with a message.
 *
 * The array is VITQ_GEMMINI_CONFIG, spelt as the CONFIG of `--target=systolic:CONFIG`; DIM and
 * the sizes below must be its sizes. One array for each thread. */

#ifndef VITQ_GEMMINI_STUB_H
#define VITQ_GEMMINI_STUB_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef VITQ_GEMMINI_CONFIG
#define VITQ_GEMMINI_CONFIG "gemmini-16x16"
#endif
#ifndef DIM
#define DIM 16
#endif
#ifndef BANK_NUM
#define BANK_NUM 4
#define BANK_ROWS 4096
#endif
#ifndef ACC_ROWS
#define ACC_ROWS 1024
#endif
#define ADDR_LEN 32
#define MAX_BLOCK_LEN 4

typedef int8_t elem_t;
typedef int32_t acc_t;

#define GARBAGE_ADDR ((uint32_t)(-1))
#define OUTPUT_STATIONARY 0
#define WEIGHT_STATIONARY 1
#define NO_ACTIVATION 0
#define RELU 1
#define MVIN_SCALE_IDENTITY 1.0f
#define ACC_SCALE_IDENTITY 1.0f

void vitq_gemmini_config_ex(const char *config, int dataflow, int activation, int shift, int lhs_stride,
                            int transpose_lhs, int transpose_rhs);
void vitq_gemmini_config_ld(const char *config, uint64_t stride, float scale, int shrunk, uint32_t block_stride,
                            int mover);
void vitq_gemmini_config_st(const char *config, uint64_t stride, int activation, float scale);
void vitq_gemmini_mvin(int mover, const void *dram, uint32_t local, uint32_t cols, uint32_t rows);
void vitq_gemmini_mvout(void *dram, uint32_t local, uint32_t cols, uint32_t rows);
void vitq_gemmini_preload(uint32_t weights, uint32_t sums, uint32_t weight_cols, uint32_t weight_rows,
                          uint32_t sum_cols, uint32_t sum_rows);
void vitq_gemmini_compute(int preloaded, uint32_t lhs, uint32_t bias, uint32_t lhs_cols, uint32_t lhs_rows);

#define gemmini_extended_config_ex(dataflow, sys_act, sys_shift, A_stride, A_transpose, B_transpose)                   \
  vitq_gemmini_config_ex(VITQ_GEMMINI_CONFIG, dataflow, sys_act, sys_shift, A_stride, A_transpose, B_transpose)
#define gemmini_config_ex(dataflow, sys_act, sys_shift)                                                                \
  gemmini_extended_config_ex(dataflow, sys_act, sys_shift, 1, 0, 0)
#define gemmini_extended4_config_ld(stride, scale, shrunk, block_mvin_stride, id)                                      \
  vitq_gemmini_config_ld(VITQ_GEMMINI_CONFIG, stride, scale, shrunk, block_mvin_stride, id)
#define gemmini_extended3_config_ld(stride, scale, shrunk, id)                                                         \
  gemmini_extended4_config_ld(stride, scale, shrunk, DIM, id)
#define gemmini_extended_config_ld(stride, scale) gemmini_extended3_config_ld(stride, scale, false, 0)
#define gemmini_config_ld(stride) gemmini_extended_config_ld(stride, MVIN_SCALE_IDENTITY)
#define gemmini_extended_config_st(stride, acc_act, acc_scale)                                                         \
  vitq_gemmini_config_st(VITQ_GEMMINI_CONFIG, stride, acc_act, acc_scale)
#define gemmini_config_st(stride) gemmini_extended_config_st(stride, NO_ACTIVATION, ACC_SCALE_IDENTITY)
#define gemmini_extended_mvin(dram_addr, spad_addr, cols, rows) vitq_gemmini_mvin(0, dram_addr, spad_addr, cols, rows)
#define gemmini_extended_mvin2(dram_addr, spad_addr, cols, rows) vitq_gemmini_mvin(1, dram_addr, spad_addr, cols, rows)
#define gemmini_extended_mvin3(dram_addr, spad_addr, cols, rows) vitq_gemmini_mvin(2, dram_addr, spad_addr, cols, rows)
#define gemmini_extended_mvout(dram_addr, spad_addr, cols, rows) vitq_gemmini_mvout(dram_addr, spad_addr, cols, rows)
#define gemmini_extended_preload(BD, C, BD_cols, BD_rows, C_cols, C_rows)                                              \
  vitq_gemmini_preload(BD, C, BD_cols, BD_rows, C_cols, C_rows)
#define gemmini_extended_compute_preloaded(A, BD, A_cols, A_rows, BD_cols, BD_rows)                                    \
  vitq_gemmini_compute(1, A, BD, A_cols, A_rows)
#define gemmini_extended_compute_accumulated(A, BD, A_cols, A_rows, BD_cols, BD_rows)                                  \
  vitq_gemmini_compute(0, A, BD, A_cols, A_rows)
/* The simulator executes in program order. */
#define gemmini_fence() ((void)0)
#define gemmini_flush(skip) ((void)(skip))

#ifdef __cplusplus
}
#endif

#endif /* VITQ_GEMMINI_STUB_H */
