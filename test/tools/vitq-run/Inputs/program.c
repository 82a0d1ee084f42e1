/*===- program.c - A stand-in for a compiled program -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===
 *
 * A stand-in for a compiled program: class c gets the sum of pixel row c % 8,
 * less c. What the macros change is wrong on purpose; but ABI=2 has a profile of
 * two steps, and threads that need memory of their own.
 *
\*===----------------------------------------------------------------------===*/

#include <stdint.h>
#include <time.h>

#ifndef ABI
#define ABI 1
#endif
#ifndef SYMBOL
#define SYMBOL vitq_program_v1
#endif
#ifndef ARCH
#define ARCH "x86-64"
#endif
#if ABI == 2 && !defined(MORE)
#define MORE                                                                                                           \
  ",\"batch\":1,\"arena_lower_bound\":48,\"thread_arena_bytes\":64,\"steps\":["                                        \
  "{\"kernel\":\"k0\",\"op\":\"vitq.matmul+vitq.requant\",\"node\":\"/fc/Add\","                                       \
  "\"macs\":1000000},{\"kernel\":\"k1\",\"op\":\"vitq.softmax\",\"node\":\"/s\","                                      \
  "\"macs\":0},{\"kernel\":\"k0\",\"op\":\"vitq.matmul+vitq.requant\",\"node\":"                                       \
  "\"/fc2/Add\",\"macs\":0}]"
#elif !defined(MORE)
#define MORE
#endif
#ifndef MANIFEST
#define MANIFEST                                                                                                       \
  "{\"abi\":1,\"name\":\"rows\",\"target\":\"" ARCH "\",\"input\":{"                                                   \
  "\"shape\":[1,8,8,1],\"dtype\":\"uint8\",\"layout\":\"nhwc\"},\"output\":{"                                          \
  "\"shape\":[1,10],\"dtype\":\"int32\",\"scale\":0.5},"                                                               \
  "\"preprocess\":\"mean=0.5,std=0.5\",\"arena_bytes\":64,\"arena_align\":64,"                                         \
  "\"macs\":1000000,\"weight_bytes\":12,\"code_bytes\":34" MORE "}"
#endif

static int run(const void *in, void *out, void *arena) {
  const uint8_t *pixels = in;
  int32_t *classes = out;
  if (!arena || (uintptr_t)arena % 64)
    return 1;
  for (int c = 0; c < 10; ++c) {
    classes[c] = -c;
    for (int x = 0; x < 8; ++x)
      classes[c] += pixels[c % 8 * 8 + x];
  }
  return 0;
}

#if ABI >= 2
static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int run_profiled(const void *in, void *out, void *arena, uint64_t *ticks) {
  ticks[0] = now();
  int status = run(in, out, arena);
  for (int i = 1; i < 4; ++i) {
    while (now() < ticks[i - 1] + 50000)
      ;
    ticks[i] = now();
  }
  return status;
}

static int run_mt(const void *in, void *out, void *arena, int threads) {
  for (int i = 0; i < 64 * threads; ++i)
    ((char *)arena)[i] = 1;
  return run(in, out, arena);
}
#endif

const struct {
  uint32_t abi_version;
  const char *name;
  int (*run)(const void *, void *, void *);
  const char *manifest;
#if ABI >= 2
  int (*run_profiled)(const void *, void *, void *, uint64_t *);
  int (*run_mt)(const void *, void *, void *, int);
#endif
} SYMBOL = {ABI,          "rows", run, MANIFEST,
#if ABI >= 2
            run_profiled, run_mt
#endif
};
