//===- AtomicFile.cpp - Whole files or none -------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;

static Error cannotWrite(StringRef path, std::error_code ec) {
  return createStringError(ec, "cannot write '" + path + "': " + ec.message());
}

/// Flushes `os` and takes its error. A stream that is destroyed with an error
/// still set ends the process.
static std::error_code finish(raw_fd_ostream &os) {
  os.flush();
  std::error_code ec = os.error();
  os.clear_error();
  return ec;
}

/// Writes without a temporary file, to what is no regular file.
static Error writeDirectly(StringRef path, raw_fd_ostream &os, function_ref<Error(raw_ostream &)> write) {
  Error error = write(os);
  std::error_code ec = finish(os);
  if (error)
    return error;
  if (ec)
    return cannotWrite(path, ec);
  return Error::success();
}

/// Finds the file that `path` names: `target`, through symbolic links (a path that
/// does not exist yet stays as it is); or whether it is a pipe or a device.
static Error resolve(StringRef path, SmallString<128> &target, bool &direct) {
  target = path;
  direct = false;
  sys::fs::file_status status;
  if (sys::fs::status(path, status))
    return Error::success();
  if (sys::fs::is_directory(status))
    return cannotWrite(path, std::make_error_code(std::errc::is_a_directory));
  direct = !sys::fs::is_regular_file(status);
  if (direct)
    return Error::success();
  if (std::error_code ec = sys::fs::real_path(path, target))
    return cannotWrite(path, ec);
  return Error::success();
}

static Expected<sys::fs::TempFile> createTemporary(StringRef path, StringRef target) {
  auto temporary = sys::fs::TempFile::create(target + ".tmp-%%%%%%%%");
  if (!temporary)
    return cannotWrite(path, errorToErrorCode(temporary.takeError()));
  return temporary;
}

Error vitq::checkWritable(StringRef path) {
  if (path == "-")
    return Error::success();
  SmallString<128> target;
  bool direct;
  if (Error error = resolve(path, target, direct))
    return error;
  if (direct)
    return Error::success();
  auto temporary = createTemporary(path, target);
  if (!temporary)
    return temporary.takeError();
  return temporary->discard();
}

Error vitq::writeFileAtomically(StringRef path, function_ref<Error(raw_ostream &)> write) {
  if (path == "-")
    return writeDirectly("standard output", outs(), write);
  SmallString<128> target;
  bool direct;
  if (Error error = resolve(path, target, direct))
    return error;
  if (direct) {
    std::error_code ec;
    raw_fd_ostream os(path, ec, sys::fs::CD_OpenExisting, sys::fs::FA_Write, sys::fs::OF_None);
    if (ec)
      return cannotWrite(path, ec);
    return writeDirectly(path, os, write);
  }

  auto temporary = createTemporary(path, target);
  if (!temporary)
    return temporary.takeError();
  auto discard = [&](Error error) {
    // The first cause is the one to report.
    consumeError(temporary->discard());
    return error;
  };
  {
    raw_fd_ostream os(temporary->FD, /*shouldClose=*/false);
    Error error = write(os);
    std::error_code ec = finish(os);
    if (error)
      return discard(std::move(error));
    if (ec)
      return discard(cannotWrite(path, ec));
  }
  if (Error error = temporary->keep(target))
    return cannotWrite(path, errorToErrorCode(std::move(error)));
  return Error::success();
}

Error vitq::writeFileAtomically(StringRef path, StringRef contents) {
  return writeFileAtomically(path, [&](raw_ostream &os) {
    os << contents;
    return Error::success();
  });
}
