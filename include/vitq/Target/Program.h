/*===- Program.h - What a compiled program exports -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===------------------------------------------------------===*/

#ifndef VITQ_TARGET_PROGRAM_H
#define VITQ_TARGET_PROGRAM_H

#ifdef __cplusplus
#include <cstdint>
extern "C" {
#else
#include <stdint.h>
#endif

#define VITQ_PROGRAM_ABI_VERSION 1u
#define VITQ_PROGRAM_SYMBOL "vitq_program_v1"

/* The only symbol to look up in a shared library: `vitq_program_v1` is one of
 * these. */
typedef struct vitq_program {
  uint32_t abi_version;
  const char *name;
  /* 0: done; 1: a pointer is null or the arena is not aligned to 64 bytes. The
   * arena has manifest.arena_bytes bytes; what it holds does not matter. */
  int (*run)(const void *in, void *out, void *arena);
  /* JSON, see vitq::Manifest. */
  const char *manifest;
} vitq_program;

#ifdef __cplusplus
} // extern "C"

#include <string>
#include <vector>

namespace vitq {

/// What a program says about itself; vitq::runner reads and checks it.
struct Manifest {
  struct Array {
    std::vector<int64_t> shape;
    std::string dtype;
    std::string layout; ///< of the input; empty for the output
    double scale = 0;   ///< of the output; 0 if unknown
    uint64_t bytes() const;
  };
  uint32_t abi = VITQ_PROGRAM_ABI_VERSION;
  std::string name, target;
  Array input, output;
  std::string preprocess;
  uint64_t arenaBytes = 0, arenaAlign = 64, macs = 0, weightBytes = 0, codeBytes = 0;

  std::string toJSON() const;
};

} // namespace vitq
#endif

#endif /* VITQ_TARGET_PROGRAM_H */
