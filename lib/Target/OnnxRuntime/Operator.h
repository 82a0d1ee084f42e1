/*===- Operator.h - What an operator knows of its program -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * Numbers that the compiler writes beside a program's object, and Operator.c reads: `vitq_operator_facts`, an array
 * of int64_t. Behind those that have names follow, of the input and of every output, offset and bytes in the memory
 * of a run, the rank, and the sizes.
 *
\*===------------------------------------------------------===*/

#ifndef VITQ_LIB_TARGET_ONNXRUNTIME_OPERATOR_H
#define VITQ_LIB_TARGET_ONNXRUNTIME_OPERATOR_H

#define VITQ_OPERATOR_FACTS "vitq_operator_facts"
#define VITQ_OPERATOR_FUNCTION "RegisterCustomOps"
/* The operator is called so, and by 16 hexadecimal digits that tell programs apart, in the domain "vitq.NAME" of a
 * program NAME: a model does not run with the library of another. */
#define VITQ_OPERATOR_NAME "Program_"
#define VITQ_OPERATOR_DOMAIN "vitq."

/* Words of bits that the processor must have: on x86-64 those that CPUID and XGETBV give, on AArch64 those of the
 * auxiliary vector. */
enum {
  VITQ_CPU_1_ECX,
  VITQ_CPU_7_EBX,
  VITQ_CPU_7_ECX,
  VITQ_CPU_7_EDX,
  VITQ_CPU_7_1_EAX,
  VITQ_CPU_EXTENDED_ECX,
  VITQ_CPU_XCR0,
  VITQ_CPU_X86_WORDS,
  VITQ_CPU_HWCAP = 0,
  VITQ_CPU_HWCAP2,
  VITQ_CPU_AARCH64_WORDS
};

enum {
  VITQ_FACT_CPU,
  VITQ_FACT_HASH = VITQ_FACT_CPU + VITQ_CPU_X86_WORDS,
  /* Images of one run. */
  VITQ_FACT_BATCH,
  VITQ_FACT_ARENA_BYTES,
  /* Of all outputs of one run. */
  VITQ_FACT_OUTPUT_BYTES,
  VITQ_FACT_NUM_OUTPUTS,
  VITQ_FACT_TENSORS
};

#endif /* VITQ_LIB_TARGET_ONNXRUNTIME_OPERATOR_H */
