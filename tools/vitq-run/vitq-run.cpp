//===- vitq-run.cpp - Run, evaluate and time a model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Runner.h"

int main(int argc, char **argv) { return vitq::runner::main(argc, argv); }
