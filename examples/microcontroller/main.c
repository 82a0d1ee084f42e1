/*===- main.c - Classifies pictures on a microcontroller -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===---------------------------------------------------------------===
 *
 * Prints the class of each picture of pictures.bin and its score, by a program of `vitq-opt --target=c`
 * whose name is `classifier`. Asks no library for anything.
 *
\*===---------------------------------------------------------------===*/

#include "board.h"
#include "classifier.h"

#include <stddef.h>
#include <stdint.h>

#define INCLUDE_BYTES(name, path)                                                                                      \
  __asm__(".section .rodata." #name ",\"a\"\n.balign 64\n.globl " #name "\n" #name ":\n.incbin \"" path                \
          "\"\n.globl " #name "_end\n" #name "_end:\n.byte 0\n.text\n");                                               \
  extern const uint8_t name[], name##_end[];

INCLUDE_BYTES(pictures, "pictures.bin")
#ifdef CLASSIFIER_WEIGHTS_BYTES /* --weights=separate */
INCLUDE_BYTES(classifier_weights, "classifier.bin")
#endif

static uint8_t arena[CLASSIFIER_ARENA_BYTES] __attribute__((aligned(CLASSIFIER_ARENA_ALIGN)));
static int32_t scores[CLASSIFIER_OUTPUT_BYTES / sizeof(int32_t)];

static void print_number(int32_t value) {
  uint32_t number = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  char text[12];
  char *digit = &text[sizeof text - 1];
  *digit = '\0';
  do {
    --digit;
    *digit = (char)('0' + (char)(number % 10u));
    number /= 10u;
  } while (number != 0u);
  if (value < 0) {
    --digit;
    *digit = '-';
  }
  board_print(digit);
}

static uint32_t best(void) {
  uint32_t found = 0;
  for (uint32_t i = 1; i < sizeof scores / sizeof scores[0]; ++i) {
    if (scores[i] > scores[found]) {
      found = i;
    }
  }
  return found;
}

int main(void) {
  const size_t count = (size_t)(pictures_end - pictures) / CLASSIFIER_INPUT_BYTES;
  for (size_t i = 0; i < count; ++i) {
    if (classifier_run(&pictures[i * CLASSIFIER_INPUT_BYTES], scores, arena) != 0) {
      board_print("classifier_run failed\n");
      return 1;
    }
    const uint32_t class = best();
    print_number((int32_t)class);
    board_print(" ");
    print_number(scores[class]);
    board_print("\n");
  }
  return 0;
}
