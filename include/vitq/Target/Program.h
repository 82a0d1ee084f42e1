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

/* Programs of one output have version 2, those of several 3: who knows only 2 would give
 * them too little memory. */
#define VITQ_PROGRAM_ABI_VERSION 3u
#define VITQ_PROGRAM_ABI_VERSION_ONE_OUTPUT 2u
#define VITQ_PROGRAM_SYMBOL "vitq_program_v1"

/* The names of C. */
/* NOLINTBEGIN(readability-identifier-naming) */

/* The only symbol to look up in a shared library: `vitq_program_v1` is one of
 * these. */
typedef struct vitq_program {
  uint32_t abi_version;
  const char *name;
  /* 0: done; 1: a pointer is null, the arena is not aligned to 64 bytes, or the
   * machine has not the registers that the program is for. The arena has
   * manifest.arena_bytes bytes; what it holds does not matter. Output i is
   * manifest.outputs[i].bytes bytes at out + manifest.outputs[i].offset, a multiple
   * of 64; the first is at 0. */
  int (*run)(const void *in, void *out, void *arena);
  /* JSON, see vitq::Manifest. */
  const char *manifest;
  /* The fields below exist from ABI version 2 on. */
  /* As `run`, in one thread; ticks[0] is the time at the start, ticks[i + 1] the
   * time after step i of manifest.steps, in any unit that only grows. With n steps
   * and manifest.turns > 1 all steps follow again: ticks[t * n + i + 1] is the time
   * after step i of turn t. NULL: this program has no profile. */
  int (*run_profiled)(const void *in, void *out, void *arena, uint64_t *ticks);
  /* As `run` in `threads` >= 1 threads, with the same result. The arena has
   * manifest.arena_bytes + (threads - 1) * manifest.thread_arena_bytes bytes. NULL
   * unless compiled with --openmp. */
  int (*run_mt)(const void *in, void *out, void *arena, int threads);
} vitq_program;

/* NOLINTEND(readability-identifier-naming) */

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
    std::string layout; ///< of the input; empty for outputs
    uint64_t bytes() const;
  };
  /// Of the arena, and of the places of outputs.
  static constexpr uint64_t kAlign = 64;
  struct Output : Array {
    std::string name; ///< of the value in the model
    double scale = 0; ///< 0 if unknown
    uint64_t offset = 0;
  };
  /// One kernel call of the program.
  struct Step {
    std::string kernel;
    std::string op;   ///< the ops that it computes, joined by '+'
    std::string node; ///< of the ONNX model
    uint64_t macs = 0;
  };
  uint32_t abi = VITQ_PROGRAM_ABI_VERSION_ONE_OUTPUT;
  std::string name, target;
  Array input;
  std::vector<Output> outputs;
  std::string preprocess;
  /// Images of one run.
  uint64_t batch = 1;
  uint64_t arenaBytes = 0, arenaAlign = kAlign, macs = 0, weightBytes = 0, codeBytes = 0;
  /// The largest sum of sizes of buffers that live at one time.
  uint64_t arenaLowerBound = 0;
  /// What the arena has more for each thread beyond the first.
  uint64_t threadArenaBytes = 0;
  /// In the order of execution.
  std::vector<Step> steps;
  /// How often one run does all steps, each time for the next batch / turns images.
  uint64_t turns = 1;

  /// Bytes of the memory that outputs are written to.
  uint64_t outputBytes() const { return outputs.empty() ? 0 : outputs.back().offset + outputs.back().bytes(); }
  std::string toJSON() const;
};

} // namespace vitq
#endif

#endif /* VITQ_TARGET_PROGRAM_H */
