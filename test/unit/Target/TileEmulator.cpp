//===- TileEmulator.cpp - AMX on machines without it -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A CPU without AMX raises SIGILL at its instructions. The handler decodes the one at the instruction pointer, does
// to registers of its own what the "Intel Architecture Instruction Set Extensions" reference says, and goes on behind
// it. So what is tested is the object as it is: encodings, shapes, addresses and strides.
//
//===----------------------------------------------------------------------===//

#include "TileEmulator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#if defined(__x86_64__) && defined(__linux__)
#include <csignal>
#include <ucontext.h>
#endif

using namespace vitq::test;

#if defined(__x86_64__) && defined(__linux__)

namespace {

constexpr int kTiles = 8, kMaxRows = 16, kMaxBytes = 64;

struct Tile {
  int rows = 0, rowBytes = 0;
  uint8_t data[kMaxRows][kMaxBytes] = {};
};

struct TileState {
  Tile tiles[kTiles];
  bool isPermitted = false, isConfigured = false;
  TileCounts counts;
};

/// An instruction with a VEX prefix of three bytes, all of map 0F38.
struct Instruction {
  uint8_t opcode = 0, prefix = 0, reg = 0, rm = 0, third = 0;
  bool isMemory = false;
  /// Of memory: where, and the index register's content with its scale.
  uint64_t address = 0, stride = 0;
  int length = 0;
};

} // namespace

static thread_local TileState state;

[[noreturn]] static void undefined(const char *why) {
  std::fprintf(stderr, "AMX: %s\n", why);
  std::abort();
}

static void require(bool holds, const char *what) {
  if (!holds)
    undefined(what);
}

/// The content of a general register by its number in encodings.
static uint64_t registerOf(const ucontext_t &context, int number) {
  static constexpr int names[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return static_cast<uint64_t>(context.uc_mcontext.gregs[names[number]]);
}

/// False if it is none of AMX.
static bool decode(const ucontext_t &context, const uint8_t *code, Instruction &result) {
  if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || (code[2] & 0x84) != 0)
    return false;
  const int extendReg = code[1] & 0x80 ? 0 : 8, extendIndex = code[1] & 0x40 ? 0 : 8,
            extendBase = code[1] & 0x20 ? 0 : 8;
  result.opcode = code[3];
  result.prefix = code[2] & 3;
  result.third = (~code[2] >> 3) & 15;
  const uint8_t modrm = code[4], mode = modrm >> 6;
  result.reg = static_cast<uint8_t>((modrm >> 3 & 7) + extendReg);
  result.rm = static_cast<uint8_t>((modrm & 7) + extendBase);
  result.isMemory = mode != 3;
  result.length = 5;
  if (!result.isMemory)
    return true;
  int displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0;
  const bool hasIndex = (modrm & 7) == 4;
  if (hasIndex) {
    const uint8_t sib = code[result.length++];
    const int index = (sib >> 3 & 7) + extendIndex, base = (sib & 7) + extendBase;
    if (index != 4)
      result.stride = registerOf(context, index) << (sib >> 6);
    if (mode == 0 && (sib & 7) == 5)
      displacement = 4;
    else
      result.address = registerOf(context, base);
  } else if (mode == 0 && (modrm & 7) == 5) {
    displacement = 4;
    result.address = reinterpret_cast<uint64_t>(code) + 9;
  } else {
    result.address = registerOf(context, result.rm);
  }
  int32_t offset = 0;
  if (displacement == 1)
    offset = static_cast<int8_t>(code[result.length]);
  else if (displacement == 4)
    std::memcpy(&offset, code + result.length, 4);
  result.address += static_cast<uint64_t>(static_cast<int64_t>(offset));
  result.length += displacement;
  return true;
}

static void configure(uint64_t address) {
  uint8_t bytes[64];
  std::memcpy(bytes, reinterpret_cast<const void *>(address), sizeof(bytes));
  require(bytes[0] == 1, "palette is not 1");
  for (int i = 1; i < 64; ++i)
    require(!bytes[i] || (i >= 16 && i < 32) || (i >= 48 && i < 56), "a reserved byte of the configuration is set");
  for (int i = 0; i < kTiles; ++i) {
    Tile &tile = state.tiles[i] = Tile();
    tile.rowBytes = bytes[16 + 2 * i] | bytes[17 + 2 * i] << 8;
    tile.rows = bytes[48 + i];
    require(tile.rows <= kMaxRows && tile.rowBytes <= kMaxBytes && !tile.rows == !tile.rowBytes,
            "a shape is too large");
  }
  state.isConfigured = true;
  ++state.counts.configurations;
}

static Tile &tileOf(int number) {
  require(state.isConfigured && number < kTiles && state.tiles[number].rows, "a register has no shape");
  return state.tiles[number];
}

static void load(Tile &tile, const Instruction &from) {
  std::memset(tile.data, 0, sizeof(tile.data));
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(tile.data[row], reinterpret_cast<const void *>(from.address + row * from.stride), tile.rowBytes);
}

static void store(const Tile &tile, const Instruction &to) {
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(reinterpret_cast<void *>(to.address + row * to.stride), tile.data[row], tile.rowBytes);
}

/// Sums of 32 bits gain products of bytes, four at a time.
static void multiply(Tile &sums, const Tile &left, const Tile &right, bool leftSigned, bool rightSigned) {
  require(&sums != &left && &sums != &right && &left != &right, "two operands are one register");
  require(left.rowBytes % 4 == 0 && right.rowBytes % 4 == 0 && sums.rowBytes % 4 == 0, "rows are no groups of four");
  require(sums.rows == left.rows && sums.rowBytes == right.rowBytes && left.rowBytes / 4 == right.rows,
          "shapes do not fit");
  for (int row = 0; row < sums.rows; ++row)
    for (int column = 0; column < sums.rowBytes / 4; ++column) {
      uint32_t sum = 0;
      std::memcpy(&sum, sums.data[row] + 4 * column, 4);
      for (int k = 0; k < left.rowBytes; ++k) {
        const uint8_t a = left.data[row][k], b = right.data[k / 4][4 * column + k % 4];
        const int x = leftSigned ? static_cast<int8_t>(a) : a, y = rightSigned ? static_cast<int8_t>(b) : b;
        sum += static_cast<uint32_t>(x * y);
      }
      std::memcpy(sums.data[row] + 4 * column, &sum, 4);
    }
  // What lies beyond the shape is zero.
  ++state.counts.products;
}

/// Prefixes: none, 66, F3, F2.
static bool execute(const Instruction &code) {
  enum { None, P66, PF3, PF2 };
  switch (code.opcode) {
  case 0x49:
    if (code.isMemory && code.prefix == None && code.reg == 0) {
      configure(code.address);
    } else if (!code.isMemory && code.prefix == None && code.reg == 0 && code.rm == 0) {
      for (Tile &tile : state.tiles)
        tile = Tile();
      state.isConfigured = false;
    } else if (!code.isMemory && code.prefix == PF2) {
      Tile &tile = tileOf(code.reg);
      std::memset(tile.data, 0, sizeof(tile.data));
    } else {
      return false;
    }
    return true;
  case 0x4b:
    if (!code.isMemory || code.rm % 8 != 4)
      return false;
    if (code.prefix == PF2 || code.prefix == P66)
      load(tileOf(code.reg), code);
    else if (code.prefix == PF3)
      store(tileOf(code.reg), code);
    else
      return false;
    return true;
  case 0x5e:
    if (code.isMemory)
      return false;
    multiply(tileOf(code.reg), tileOf(code.rm), tileOf(code.third), code.prefix == PF2 || code.prefix == PF3,
             code.prefix == PF2 || code.prefix == P66);
    return true;
  default:
    return false;
  }
}

/// The request that a program makes of Linux, which `withEmulatedTiles` made an undefined instruction.
static bool isRequest(ucontext_t &context, const uint8_t *code) {
  if (code[0] != 0x0f || code[1] != 0x0b)
    return false;
  constexpr uint64_t archPrctl = 158, requestPermission = 0x1023, tileData = 18;
  auto *registers = context.uc_mcontext.gregs;
  if (registers[REG_RAX] != archPrctl || registers[REG_RDI] != requestPermission || registers[REG_RSI] != tileData)
    return false;
  registers[REG_RAX] = 0;
  // What a system call leaves.
  registers[REG_RCX] = registers[REG_RIP] + 2;
  registers[REG_R11] = 0;
  registers[REG_RIP] += 2;
  state.isPermitted = true;
  ++state.counts.requests;
  return true;
}

static struct sigaction previous;

static void handle(int, siginfo_t *, void *data) {
  auto &context = *static_cast<ucontext_t *>(data);
  const auto *code = reinterpret_cast<const uint8_t *>(context.uc_mcontext.gregs[REG_RIP]);
  if (isRequest(context, code))
    return;
  Instruction instruction;
  if (!decode(context, code, instruction)) {
    // Nobody else's: it comes again, to whoever was there before.
    sigaction(SIGILL, &previous, nullptr);
    return;
  }
  require(state.isPermitted, "used before it was asked for");
  require(execute(instruction), "an instruction that is not known");
  context.uc_mcontext.gregs[REG_RIP] += instruction.length;
}

bool vitq::test::canEmulateTiles() { return true; }

std::vector<char> vitq::test::withEmulatedTiles(std::vector<char> object) {
  // `mov $158, %eax` and, a few bytes on, `syscall`.
  static constexpr char number[] = {'\xb8', '\x9e', 0, 0, 0}, call[] = {'\x0f', '\x05'};
  bool found = false;
  for (auto at = object.begin();
       (at = std::search(at, object.end(), std::begin(number), std::end(number))) != object.end(); ++at) {
    auto end = object.end() - at > 24 ? at + 24 : object.end();
    auto where = std::search(at, end, std::begin(call), std::end(call));
    if (where == end)
      continue;
    where[1] = '\x0b';
    found = true;
  }
  static std::once_flag once;
  if (found)
    std::call_once(once, [] {
      struct sigaction action = {};
      action.sa_sigaction = handle;
      action.sa_flags = SA_SIGINFO | SA_NODEFER;
      sigaction(SIGILL, &action, &previous);
    });
  return object;
}

TileCounts vitq::test::takeTileCounts() {
  TileCounts counts = state.counts;
  counts.inUse = state.isConfigured;
  state.counts = {};
  return counts;
}

#else

bool vitq::test::canEmulateTiles() { return false; }
std::vector<char> vitq::test::withEmulatedTiles(std::vector<char> object) { return object; }
TileCounts vitq::test::takeTileCounts() { return {}; }

#endif
