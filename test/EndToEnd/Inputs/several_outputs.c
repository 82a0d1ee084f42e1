/*===- several_outputs.c - Runs a program of several outputs -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===
 *
 * several_outputs COUNT IMAGES.npy EXPECTED0 EXPECTED1 EXPECTED2: runs the program that
 * digits.h declares and compares its outputs with what the files hold for each image.
 *
\*===----------------------------------------------------------------------===*/

#include "digits.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  size_t offset, bytes;
} places[DIGITS_OUTPUT_COUNT] = {{DIGITS_OUTPUT0_OFFSET, DIGITS_OUTPUT0_BYTES},
                                 {DIGITS_OUTPUT1_OFFSET, DIGITS_OUTPUT1_BYTES},
                                 {DIGITS_OUTPUT2_OFFSET, DIGITS_OUTPUT2_BYTES}};
static uint8_t in[DIGITS_INPUT_BYTES];
static uint8_t out[DIGITS_OUTPUT_BYTES], wanted[DIGITS_OUTPUT_BYTES];
static uint8_t arena[DIGITS_ARENA_BYTES] __attribute__((aligned(DIGITS_ARENA_ALIGN)));

static FILE *open_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(1);
  }
  return file;
}

int main(int argc, char **argv) {
  if (argc != 3 + DIGITS_OUTPUT_COUNT)
    return 1;
  FILE *images = open_file(argv[2]), *expected[DIGITS_OUTPUT_COUNT];
  for (int i = 0; i < DIGITS_OUTPUT_COUNT; ++i)
    expected[i] = open_file(argv[3 + i]);
  /* The pixels of a .npy file of this version begin at byte 128. */
  fseek(images, 128, SEEK_SET);
  int count = atoi(argv[1]), differ = 0;
  for (int image = 0; image < count; ++image) {
    if (fread(in, sizeof in, 1, images) != 1 || digits_run(in, out, arena) != 0)
      return 1;
    for (int i = 0; i < DIGITS_OUTPUT_COUNT; ++i) {
      if (fread(wanted, places[i].bytes, 1, expected[i]) != 1)
        return 1;
      differ += memcmp(out + places[i].offset, wanted, places[i].bytes) != 0;
    }
  }
  printf("%d images, %d differ\n", count, differ);
  return differ != 0;
}
