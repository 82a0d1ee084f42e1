//===- AtomicFile.h - Whole files or none -----------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_ATOMICFILE_H
#define VITQ_SUPPORT_ATOMICFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace vitq {

/// Writes the file at `path` by calling `write` on a stream. The bytes go to a
/// temporary file in the same folder, which takes the name `path` only when all
/// of them are written: whatever fails (`write`, the disk, a signal), `path` is
/// as it was and nothing else is left. A symbolic link is followed.
///
/// "-" is standard output; an existing `path` that is no regular file (a pipe,
/// /dev/null) is written directly.
///
/// An error of `write` is returned as it is; others name `path` and the cause.
/// `llvm::writeToOutput` is not used: it renames before it looks whether the
/// bytes reached the disk, and ends the process if they did not.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);

/// Writes `contents`.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef contents);

/// Whether `writeFileAtomically` can begin to write at `path`: for what a long
/// computation will write at its end. Leaves nothing behind.
llvm::Error checkWritable(llvm::StringRef path);

} // namespace vitq

#endif // VITQ_SUPPORT_ATOMICFILE_H
