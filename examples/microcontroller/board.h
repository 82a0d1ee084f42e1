/*===- board.h - What the example asks of a board -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===--------------------------------------------------------===*/

#ifndef BOARD_H
#define BOARD_H

/* Shows a text that ends with a zero. */
void board_print(const char *text);

/* Called by the board's start-up code; what it returns is 0 when all went well. */
int main(void);

#endif
