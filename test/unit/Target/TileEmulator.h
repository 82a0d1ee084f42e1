//===- TileEmulator.h - AMX on machines without it -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_TILEEMULATOR_H
#define VITQ_TEST_UNIT_TARGET_TILEEMULATOR_H

#include <cstdint>
#include <vector>

namespace vitq::test {

/// Whether instructions that this machine does not have can be computed where they stand.
bool canEmulateTiles();

/// The object with its request for tiles made one that the emulator hears. From then on the process computes AMX's
/// instructions when it meets them: by their encoding, with the checks that a CPU makes, of which one that fails ends
/// the process with a message. An object without such a request stays as it is.
std::vector<char> withEmulatedTiles(std::vector<char> object);

/// What the calling thread has done since the last call of this.
struct TileCounts {
  int64_t requests = 0, configurations = 0, products = 0;
  /// Registers hold something that a context switch would have to save.
  bool inUse = false;
};
TileCounts takeTileCounts();

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_TILEEMULATOR_H
