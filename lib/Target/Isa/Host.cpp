//===- Host.cpp - The CPU of this process -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Isa/Host.h"

#include "llvm/TargetParser/Host.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace vitq;

static bool mayUseTiles() {
#if defined(__x86_64__) && defined(__linux__)
  // ARCH_REQ_XCOMP_PERM and XFEATURE_XTILEDATA of asm/prctl.h, which older systems lack.
  constexpr long requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

const llvm::StringMap<bool> &vitq::hostFeatures() {
  static const llvm::StringMap<bool> features = [] {
    llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    if (features.lookup("amx-tile") && !mayUseTiles())
      for (auto &feature : features)
        if (feature.getKey().starts_with("amx"))
          feature.second = false;
    return features;
  }();
  return features;
}
