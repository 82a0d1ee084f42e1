/*===- riscv-linux.c - RISC-V under qemu-riscv32 -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===------------------------------------------------------===
 *
 * In place of a board: two calls of Linux, which QEMU's user mode answers.
 *
\*===------------------------------------------------------===*/

#include "board.h"

#include <stdint.h>

enum { SYS_WRITE = 64, SYS_EXIT = 93 };

static void call(uint32_t number, uint32_t x, const void *y, uint32_t z) {
  register uint32_t a0 __asm__("a0") = x;
  register const void *a1 __asm__("a1") = y;
  register uint32_t a2 __asm__("a2") = z;
  register uint32_t a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
}

void board_print(const char *text) {
  uint32_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  call(SYS_WRITE, 1, text, length);
}

void start(void);
void start(void) { call(SYS_EXIT, (uint32_t)main(), 0, 0); }

__asm__(".globl _start\n_start:\n  andi sp, sp, -16\n  call start\n");
