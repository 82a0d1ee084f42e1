/* Runs a program on bare Linux for AArch64: no library is linked. Standard input
 * holds two numbers of 64 bits, the sizes of the program's input and output, and
 * then the input; the output goes to standard output.
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */

#include "vitq/Target/Program.h"

#include <stddef.h>

extern const vitq_program vitq_program_v1;

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

void *memset(void *to, int value, size_t size) {
  for (volatile unsigned char *p = to, *end = p + size; p != end; ++p)
    *p = (unsigned char)value;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  volatile unsigned char *t = to;
  const volatile unsigned char *f = from;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = t < f ? i : size - 1 - i;
    t[at] = f[at];
  }
  return to;
}

void *memcpy(void *to, const void *from, size_t size) { return memmove(to, from, size); }

static void leave(int status) {
  for (;;)
    call(93, status, 0, 0, 0, 0, 0);
}

/* Whole pages, which mmap aligns well. */
static void *allocate(uint64_t size) {
  const long memory = call(222, 0, (long)(size + 1), 3, 0x22, -1, 0);
  if (memory < 0 && memory > -4096)
    leave(2);
  return (void *)memory;
}

/* Moves all bytes with `read` (63) or `write` (64). */
static void transfer(long number, int file, void *data, uint64_t size) {
  for (uint64_t done = 0; done < size;) {
    const long count = call(number, file, (long)data + (long)done, (long)(size - done), 0, 0, 0);
    if (count <= 0)
      leave(3);
    done += (uint64_t)count;
  }
}

static uint64_t numberAfter(const char *text, const char *key) {
  for (; *text; ++text) {
    const char *t = text, *k = key;
    while (*k && *t == *k) {
      ++t;
      ++k;
    }
    uint64_t number = 0;
    if (*k)
      continue;
    for (; *t >= '0' && *t <= '9'; ++t)
      number = 10 * number + (uint64_t)(*t - '0');
    return number;
  }
  return 0;
}

void _start(void) {
  uint64_t sizes[2];
  transfer(63, 0, sizes, sizeof sizes);
  void *in = allocate(sizes[0]), *out = allocate(sizes[1]);
  /* Registers as long as the program is for: PR_SVE_SET_VL, which other programs need not. */
  const uint64_t bits = numberAfter(vitq_program_v1.manifest, "vector-bits=");
  if (bits)
    call(167, 50, (long)(bits / 8), 0, 0, 0, 0);
  void *arena = allocate(numberAfter(vitq_program_v1.manifest, "\"arena_bytes\":"));
  transfer(63, 0, in, sizes[0]);
  memset(out, 0xa5, sizes[1]);
  if (vitq_program_v1.run(in, out, arena))
    leave(4);
  transfer(64, 1, out, sizes[1]);
  leave(0);
}
