/*===- classify_digits.c - Runs a compiled library on images -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===
 *
 * classify_digits N images.npy outputs.npy: runs `digits_run` on the first N images and
 * counts those whose outputs are not those of the second file.
 *
\*===----------------------------------------------------------------------===*/

#include "digits.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t in[DIGITS_INPUT_BYTES];
static uint8_t out[DIGITS_OUTPUT_BYTES], wanted[DIGITS_OUTPUT_BYTES];
static uint8_t arena[DIGITS_ARENA_BYTES] __attribute__((aligned(DIGITS_ARENA_ALIGN)));

/* A .npy file behind its header, of version 1. */
static FILE *open_npy(const char *path) {
  FILE *file = fopen(path, "rb");
  uint8_t head[10];
  if (!file || fread(head, sizeof head, 1, file) != 1 ||
      fseek(file, 10 + head[8] + 256 * (long)head[9], SEEK_SET) != 0) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(1);
  }
  return file;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 1;
  FILE *images = open_npy(argv[2]), *outputs = open_npy(argv[3]);
  int count = atoi(argv[1]), differ = 0;
  for (int i = 0; i < count; ++i) {
    if (fread(in, sizeof in, 1, images) != 1 || fread(wanted, sizeof wanted, 1, outputs) != 1 ||
        digits_run(in, out, arena) != 0)
      return 1;
    differ += memcmp(out, wanted, sizeof out) != 0;
  }
  printf("%d images, %d differ\n", count, differ);
  return differ != 0;
}
