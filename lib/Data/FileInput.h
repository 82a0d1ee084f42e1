//===- FileInput.h - Opening files that may be anything ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_DATA_FILEINPUT_H
#define VITQ_LIB_DATA_FILEINPUT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace vitq::data {

/// Opens `path` for reading; large files are mapped. Fails, naming it, if it is
/// missing, no regular file (a pipe or device might never end), or longer than
/// `maxBytes`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readRegularFile(llvm::StringRef path, uint64_t maxBytes);

/// Whether a name ends as those of pictures do.
bool isPictureName(llvm::StringRef name);

/// "'NAME': TEXT".
llvm::Error makeFileError(llvm::StringRef name, const llvm::Twine &text);

/// `error` with "'NAME': " before its text.
llvm::Error addFileName(llvm::StringRef name, llvm::Error error);

} // namespace vitq::data

#endif // VITQ_LIB_DATA_FILEINPUT_H
