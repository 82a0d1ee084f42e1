/*===- cortex-m.c - A Cortex-M board that talks to its debugger -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===---------------------------------------------------------------------===
 *
 * Reset and text by semihosting ("Semihosting for AArch32 and AArch64", Arm), which QEMU and
 * debug probes answer. Memory is laid out by cortex-m.ld.
 *
\*===---------------------------------------------------------------------===*/

#include "board.h"

#include <stdint.h>

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20 };
#define ADP_STOPPED_APPLICATION_EXIT 0x20026u

/* Of the linker script. */
extern uint32_t bss_start[], bss_end[], stack_top[];

static void semihost(uint32_t operation, const void *operand) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = operand;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void stop(uint32_t status) {
  const uint32_t reason[2] = {ADP_STOPPED_APPLICATION_EXIT, status};
  semihost(SYS_EXIT_EXTENDED, reason);
  for (;;) {
  }
}

void board_print(const char *text) { semihost(SYS_WRITE0, text); }

void reset(void);
void reset(void) {
  for (volatile uint32_t *word = bss_start; word < (volatile uint32_t *)bss_end; ++word) {
    *word = 0;
  }
  stop((uint32_t)main());
}

static void fault(void) { stop(2); }

/* The stack's start, and where to go on reset, NMI and the faults. */
typedef union {
  const void *stack;
  void (*handler)(void);
} vector;
__attribute__((section(".vectors"), used)) static const vector vectors[] = {
    {.stack = stack_top}, {.handler = reset}, {.handler = fault}, {.handler = fault},
    {.handler = fault},   {.handler = fault}, {.handler = fault},
};
