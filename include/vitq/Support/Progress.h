//===- Progress.h - A progress line on a terminal ---------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_PROGRESS_H
#define VITQ_SUPPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace vitq {

/// Shows `label  done/total  time left` on one line, rewritten in place and
/// removed at the end. Writes only if standard error is a terminal; redrawn at
/// most ten times a second. Methods may be called from several threads.
class Progress {
public:
  /// Progress of `total` steps on standard error.
  Progress(llvm::StringRef label, size_t total);

  /// The same on `os`, as if it were a terminal `columns` wide.
  Progress(llvm::StringRef label, size_t total, llvm::raw_ostream &os, unsigned columns);

  /// While one exists, progress that begins on the same thread is not shown: for
  /// libraries, whose callers own the terminal.
  class Quiet {
  public:
    Quiet();
    ~Quiet();
    Quiet(const Quiet &) = delete;
    Quiet &operator=(const Quiet &) = delete;
  };

  /// Removes the line.
  ~Progress();

  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// `steps` more are done.
  void advance(size_t steps = 1);

  /// Removes the line now, so that other output can follow; the next `advance`
  /// draws it again.
  void clear();

private:
  void draw();
  void clearLocked();

  using Clock = std::chrono::steady_clock;
  std::mutex mutex;
  std::string label;
  size_t total;
  size_t done = 0;
  /// Null if nothing is shown.
  llvm::raw_ostream *os;
  unsigned columns;
  bool drawn = false;
  Clock::time_point start;
  Clock::time_point lastDrawn;
};

} // namespace vitq

#endif // VITQ_SUPPORT_PROGRESS_H
