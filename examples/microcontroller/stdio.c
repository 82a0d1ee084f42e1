/*===- stdio.c - A board with a C library -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===------------------------------------------------===*/

#include "board.h"

#include <stdio.h>

void board_print(const char *text) { fputs(text, stdout); }
