//===- Progress.cpp - A progress line on a terminal -----------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace llvm;
using namespace vitq;

static thread_local unsigned quiet = 0;

Progress::Quiet::Quiet() { ++quiet; }
Progress::Quiet::~Quiet() { --quiet; }

/// Standard error if it is a terminal that can go back to the line's start.
static raw_ostream *terminal() {
  if (quiet || !sys::Process::StandardErrIsDisplayed())
    return nullptr;
  auto term = sys::Process::GetEnv("TERM");
  return term && *term == "dumb" ? nullptr : &errs();
}

Progress::Progress(StringRef label, size_t total)
    : label(label), total(total), os(terminal()), columns(sys::Process::StandardErrColumns()), start(Clock::now()),
      lastDrawn(start) {}

Progress::Progress(StringRef label, size_t total, raw_ostream &os, unsigned columns)
    : label(label), total(total), os(&os), columns(columns), start(Clock::now()), lastDrawn(start) {}

Progress::~Progress() { clear(); }

void Progress::advance(size_t steps) {
  if (!os)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  done += steps;
  // Nothing in the first tenth of a second either: short work shows nothing.
  Clock::time_point now = Clock::now();
  if (now - lastDrawn < std::chrono::milliseconds(100))
    return;
  lastDrawn = now;
  draw();
}

void Progress::clear() {
  if (!os)
    return;
  std::lock_guard<std::mutex> lock(mutex);
  clearLocked();
}

void Progress::clearLocked() {
  if (!drawn)
    return;
  *os << "\r\033[K";
  os->flush();
  drawn = false;
}

void Progress::draw() {
  std::string line;
  raw_string_ostream text(line);
  text << label << "  " << done << '/' << total;
  if (done > 0 && done < total) {
    double elapsed = std::chrono::duration<double>(lastDrawn - start).count();
    auto left = static_cast<uint64_t>(elapsed * static_cast<double>(total - done) / static_cast<double>(done) + 0.5);
    if (left >= 3600)
      text << format("  %llu:%02u:%02u left", static_cast<unsigned long long>(left / 3600),
                     static_cast<unsigned>(left / 60 % 60), static_cast<unsigned>(left % 60));
    else
      text << format("  %u:%02u left", static_cast<unsigned>(left / 60), static_cast<unsigned>(left % 60));
  }
  // A line that wraps cannot be removed again.
  if (columns > 1)
    line.resize(std::min<size_t>(line.size(), columns - 1));
  *os << '\r' << line << "\033[K";
  os->flush();
  drawn = true;
}
