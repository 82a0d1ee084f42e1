//===- vitq-opt.cpp - The compiler, and an mlir-opt ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/CommandLine.h"

int main(int argc, char **argv) { return vitq::runVitqOpt(argc, argv); }
