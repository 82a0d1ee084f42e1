//===- CommandLine.h - vitq-opt's own command line -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DRIVER_COMMANDLINE_H
#define VITQ_DRIVER_COMMANDLINE_H

namespace vitq {

/// All of vitq-opt: with `--compile` (or another option that implies it) the
/// compiler; with an `.onnx` input and pass flags, those passes on the imported
/// module; otherwise exactly mlir-opt. Returns the exit status.
int runVitqOpt(int argc, char **argv);

} // namespace vitq

#endif // VITQ_DRIVER_COMMANDLINE_H
