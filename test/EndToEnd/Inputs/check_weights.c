/*===- check_weights.c - A program and the file of its weights -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===-------------------------------------------------------------------===
 *
 * check N images.npy outputs.npy: says what the program thinks of WEIGHTS, then what
 * classify_digits.c does.
 *
\*===-------------------------------------------------------------------===*/

#define main classify
#include "classify_digits.c"
#undef main

#ifndef WEIGHTS
#define WEIGHTS "digits.bin"
#endif
__asm__(".section .rodata\n.balign 64\n.globl digits_weights\ndigits_weights:\n.incbin \"" WEIGHTS "\"\n.text\n");

int main(int argc, char **argv) {
  printf("check %d, ", digits_check_weights());
  printf("run %d\n", digits_run(in, out, arena));
  return classify(argc, argv);
}
