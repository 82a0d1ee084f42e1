/*===- OrtAbi.h - The part of ONNX Runtime's C interface in use -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * No package of ONNX Runtime for Python has its header, so that what an operator calls is declared here. ONNX Runtime
 * only ever appends to OrtApi, its table of functions: what stands at a place stays there.
 *
\*===------------------------------------------------------===*/

#ifndef VITQ_LIB_TARGET_ONNXRUNTIME_ORTABI_H
#define VITQ_LIB_TARGET_ONNXRUNTIME_ORTABI_H

#include <stddef.h>
#include <stdint.h>

/* The names of C. */
/* NOLINTBEGIN(readability-identifier-naming) */

/* Of ONNX Runtime 1.18, the oldest one that is loaded. */
#define ORT_API_VERSION_NEEDED 18u
/* The newest members of ort_custom_op below are those of 1.16. */
#define ORT_CUSTOM_OP_VERSION 16u

enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2 };
enum { ORT_UINT8 = 2, ORT_INT32 = 6 };
enum { ORT_CPU_MEMORY = 0 };
enum { ORT_REQUIRED = 0 };

typedef struct ort_status ort_status;
typedef struct ort_session_options ort_session_options;
typedef struct ort_domain ort_domain;
typedef struct ort_value ort_value;
typedef struct ort_shape ort_shape;
typedef struct ort_allocator ort_allocator;
typedef struct ort_kernel_info ort_kernel_info;
typedef struct ort_kernel_context ort_kernel_context;

/* Every function has the same size there; each is cast to its type. */
typedef void (*ort_function)(void);
typedef const ort_function *ort_api;

typedef struct ort_api_base {
  ort_api (*get_api)(uint32_t version);
  const char *(*get_version)(void);
} ort_api_base;

/* Places in the table, with the functions there; those that return a status return null on success. */
#define ORT_FUNCTIONS(F)                                                                                               \
  F(0, ort_status *, create_status, (int code, const char *message))                                                   \
  F(26, ort_status *, create_domain, (const char *name, ort_domain **))                                                \
  F(27, ort_status *, domain_add, (ort_domain *, const struct ort_custom_op *))                                        \
  F(28, ort_status *, add_domain, (ort_session_options *, ort_domain *))                                               \
  F(51, ort_status *, get_data, (ort_value *, void **))                                                                \
  F(61, ort_status *, get_rank, (const ort_shape *, size_t *))                                                         \
  F(62, ort_status *, get_sizes, (const ort_shape *, int64_t *, size_t))                                               \
  F(65, ort_status *, get_shape, (const ort_value *, ort_shape **))                                                    \
  F(75, ort_status *, allocate, (ort_allocator *, size_t, void **))                                                    \
  F(76, ort_status *, deallocate, (ort_allocator *, void *))                                                           \
  F(78, ort_status *, get_allocator, (ort_allocator **))                                                               \
  F(90, ort_status *, get_input, (const ort_kernel_context *, size_t, const ort_value **))                             \
  F(91, ort_status *, get_output, (ort_kernel_context *, size_t, const int64_t *, size_t, ort_value **))               \
  F(93, void, release_status, (ort_status *))                                                                          \
  F(99, void, release_shape, (ort_shape *))                                                                            \
  F(101, void, release_domain, (ort_domain *))                                                                         \
  F(274, ort_status *, parallel_for, (const ort_kernel_context *, void (*)(void *, size_t), size_t, size_t, void *))

/* What ONNX Runtime asks of an operator (OrtCustomOp). */
typedef struct ort_custom_op {
  uint32_t version;
  void *(*create_kernel)(const struct ort_custom_op *, ort_api, const ort_kernel_info *);
  const char *(*get_name)(const struct ort_custom_op *);
  const char *(*get_provider)(const struct ort_custom_op *);
  int (*get_input_type)(const struct ort_custom_op *, size_t);
  size_t (*get_num_inputs)(const struct ort_custom_op *);
  int (*get_output_type)(const struct ort_custom_op *, size_t);
  size_t (*get_num_outputs)(const struct ort_custom_op *);
  void (*compute)(void *, ort_kernel_context *);
  void (*destroy_kernel)(void *);
  int (*get_input_kind)(const struct ort_custom_op *, size_t);
  int (*get_output_kind)(const struct ort_custom_op *, size_t);
  int (*get_input_memory)(const struct ort_custom_op *, size_t);
  int (*get_min_variadic_inputs)(const struct ort_custom_op *);
  int (*are_variadic_inputs_alike)(const struct ort_custom_op *);
  int (*get_min_variadic_outputs)(const struct ort_custom_op *);
  int (*are_variadic_outputs_alike)(const struct ort_custom_op *);
  ort_status *(*create_kernel_2)(const struct ort_custom_op *, ort_api, const ort_kernel_info *, void **);
  ort_status *(*compute_2)(void *, ort_kernel_context *);
} ort_custom_op;

/* NOLINTEND(readability-identifier-naming) */

#endif /* VITQ_LIB_TARGET_ONNXRUNTIME_ORTABI_H */
