/*===- main.c - A table that vitq-lut wrote, code by code -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===
 *
 * Prints TABLE(q) for every code FIRST..LAST.
 *
\*===----------------------------------------------------------------------===*/

#include SOURCE
#include <stdio.h>

int main(void) {
  int q;
  for (q = FIRST; q <= LAST; ++q)
    printf("%d %lld\n", q, (long long)TABLE(q));
  return 0;
}
