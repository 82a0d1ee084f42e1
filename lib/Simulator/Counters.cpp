//===- Counters.cpp - What the array did, in numbers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Simulator.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace vitq;
using namespace vitq::simulator;

namespace {
struct CounterName {
  llvm::StringLiteral name;
  uint64_t Counters::*member;
};
} // namespace

static constexpr CounterName kCounters[] = {
    {"cycles", &Counters::cycles},
    {"instructions", &Counters::instructions},
    {"execute_busy", &Counters::executeBusy},
    {"unit_busy", &Counters::unitBusy},
    {"load_busy", &Counters::loadBusy},
    {"store_busy", &Counters::storeBusy},
    {"execute_wait_load", &Counters::executeWaitLoad},
    {"execute_wait_store", &Counters::executeWaitStore},
    {"load_wait_execute", &Counters::loadWaitExecute},
    {"store_wait_execute", &Counters::storeWaitExecute},
    {"dma_wait", &Counters::dmaWait},
    {"queue_full", &Counters::queueFull},
    {"bank_conflicts", &Counters::bankConflicts},
    {"bytes_read", &Counters::bytesRead},
    {"bytes_written", &Counters::bytesWritten},
    {"sram_bytes", &Counters::sramBytes},
    {"useful_products", &Counters::usefulProducts},
};

Counters &Counters::operator+=(const Counters &other) {
  for (const CounterName &counter : kCounters)
    this->*counter.member += other.*counter.member;
  energyPicojoules += other.energyPicojoules;
  return *this;
}

double Counters::utilization(const Config &config) const {
  if (cycles == 0)
    return 0.0;
  return static_cast<double>(usefulProducts) /
         (static_cast<double>(cycles) * static_cast<double>(config.rows * config.cols));
}

llvm::json::Object Counters::toJSON() const {
  llvm::json::Object object;
  for (const CounterName &counter : kCounters)
    object[counter.name] = this->*counter.member;
  object["energy_picojoules"] = energyPicojoules;
  return object;
}

uint64_t simulator::rooflineCycles(const Config &config, uint64_t products, uint64_t bytesRead, uint64_t bytesWritten) {
  const auto elements = static_cast<uint64_t>(config.rows * config.cols),
             width = static_cast<uint64_t>(config.dmaBytes);
  return std::max({llvm::divideCeil(products, elements), llvm::divideCeil(bytesRead, width),
                   llvm::divideCeil(bytesWritten, width)});
}
