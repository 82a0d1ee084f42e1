//===- MatmulProgram.h - Matrix products for tests of the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_UNITTEST_SIMULATOR_MATMULPROGRAM_H
#define VITQ_UNITTEST_SIMULATOR_MATMULPROGRAM_H

#include "vitq/Simulator/Simulator.h"

#include <algorithm>

namespace vitq::simulator {

/// C[m][n] = bias[n] + sum_k A[m][k] * B[k][n], tile by tile and without any cleverness:
/// operands 0 (A), 1 (B), 2 (bias) and 3 (C). An operand of 8 bits is split into planes,
/// one of Config::bits bits comes packed.
struct Matmul {
  int64_t m = 1, n = 1, k = 1;
  bool leftSplit = true, rightSplit = true, leftUnsigned = false, rightUnsigned = false;
  /// B comes as [n][k].
  bool transposed = false;

  int64_t rowBytes(const Config &config, bool split, int64_t cols) const {
    return split ? cols : (cols * config.bits + 7) / 8;
  }
};

class MatmulCode {
public:
  MatmulCode(const Config &config, const Matmul &matmul) : config(config), matmul(matmul) { build(); }
  std::vector<Instruction> code;

private:
  bool stationaryWeights() const { return config.dataflow == Dataflow::WeightStationary; }

  void mvin(uint8_t operand, bool split, int64_t row, int64_t column, int64_t rows, int64_t cols, int64_t rowBytes,
            int64_t local, int64_t planeStride) {
    Instruction mvin;
    mvin.opcode = Opcode::Mvin;
    mvin.flags = split ? FlagSplit : 0;
    mvin.local = static_cast<uint32_t>(local);
    mvin.rows = static_cast<uint16_t>(rows);
    mvin.cols = static_cast<uint16_t>(cols);
    mvin.planeStride = static_cast<uint16_t>(split ? planeStride : 0);
    const int64_t offset = row * rowBytes + (split ? column : column * config.bits / 8);
    mvin.dram = {operand, static_cast<uint32_t>(offset), static_cast<uint32_t>(rowBytes)};
    code.push_back(mvin);
  }

  void tile(int64_t m0, int64_t n0, int64_t rows, int64_t cols) {
    Instruction bias;
    bias.opcode = Opcode::MvinAcc;
    bias.rows = static_cast<uint16_t>(rows);
    bias.cols = static_cast<uint16_t>(cols);
    bias.dram = {2, static_cast<uint32_t>(n0 * 4), 0};
    code.push_back(bias);
    const int64_t leftPlanes = matmul.leftSplit ? config.planesOf(8) : 1;
    const int64_t rightPlanes = matmul.rightSplit ? config.planesOf(8) : 1;
    // Packed tiles must begin at a byte.
    const int64_t step = config.rows;
    if (stationaryWeights()) {
      for (int64_t k0 = 0; k0 < matmul.k; k0 += step) {
        moves(m0, n0, k0, rows, cols, std::min(step, matmul.k - k0));
        for (int64_t p = 0; p < leftPlanes; ++p)
          for (int64_t q = 0; q < rightPlanes; ++q)
            compute(p, q, rows, cols, std::min(step, matmul.k - k0), true, true);
      }
    } else {
      for (int64_t p = 0; p < leftPlanes; ++p)
        for (int64_t q = 0; q < rightPlanes; ++q)
          for (int64_t k0 = 0; k0 < matmul.k; k0 += step) {
            moves(m0, n0, k0, rows, cols, std::min(step, matmul.k - k0));
            compute(p, q, rows, cols, std::min(step, matmul.k - k0), k0 == 0, k0 + step >= matmul.k);
          }
    }
    Instruction mvout = bias;
    mvout.opcode = Opcode::Mvout;
    mvout.dram = {3, static_cast<uint32_t>((m0 * matmul.n + n0) * 4), static_cast<uint32_t>(matmul.n * 4)};
    code.push_back(mvout);
  }

  int64_t leftStride() const { return std::max(config.tileRows(), config.width()); }
  int64_t rightLocal() const { return leftStride() * 4; }

  void moves(int64_t m0, int64_t n0, int64_t k0, int64_t rows, int64_t cols, int64_t depth) {
    mvin(0, matmul.leftSplit, m0, k0, rows, depth, matmul.rowBytes(config, matmul.leftSplit, matmul.k), 0,
         leftStride());
    if (matmul.transposed)
      mvin(1, matmul.rightSplit, n0, k0, cols, depth, matmul.rowBytes(config, matmul.rightSplit, matmul.k),
           rightLocal(), leftStride());
    else
      mvin(1, matmul.rightSplit, k0, n0, depth, cols, matmul.rowBytes(config, matmul.rightSplit, matmul.n),
           rightLocal(), leftStride());
  }

  /// Planes `p` of the left and `q` of the right operand.
  void compute(int64_t p, int64_t q, int64_t rows, int64_t cols, int64_t depth, bool first, bool last) {
    Instruction preload, compute;
    preload.opcode = Opcode::Preload;
    preload.flags = FlagAccumulate;
    preload.shift = static_cast<uint8_t>((p + q) * config.bits);
    preload.local = kNone;
    preload.rows = static_cast<uint16_t>(stationaryWeights() ? depth : rows);
    preload.cols = static_cast<uint16_t>(cols);
    compute.opcode = Opcode::Compute;
    const auto right = static_cast<uint32_t>(rightLocal() + q * leftStride());
    if (stationaryWeights()) {
      preload.local = right;
      preload.flags |= matmul.transposed ? FlagTranspose : 0;
      compute.flags = FlagFresh;
    } else {
      compute.local2 = right;
      compute.flags = static_cast<uint16_t>((first ? FlagFresh : 0) | (last ? FlagLast : 0));
    }
    auto isUnsigned = [&](bool split, bool given, int64_t plane) {
      return split && plane + 1 < config.planesOf(8) ? true : given;
    };
    compute.flags |= isUnsigned(matmul.leftSplit, matmul.leftUnsigned, p) ? FlagLhsUnsigned : 0;
    compute.flags |= isUnsigned(matmul.rightSplit, matmul.rightUnsigned, q) ? FlagRhsUnsigned : 0;
    compute.local = static_cast<uint32_t>(p * leftStride());
    compute.rows = static_cast<uint16_t>(rows);
    compute.cols = static_cast<uint16_t>(depth);
    if (stationaryWeights() || first)
      code.push_back(preload);
    code.push_back(compute);
  }

  void build() {
    for (int64_t m0 = 0; m0 < matmul.m; m0 += config.tileRows())
      for (int64_t n0 = 0; n0 < matmul.n; n0 += config.cols)
        tile(m0, n0, std::min(config.tileRows(), matmul.m - m0), std::min(config.cols, matmul.n - n0));
  }

  const Config &config;
  const Matmul &matmul;
};

inline Program matmulProgram(const Config &config, const Matmul &matmul) {
  Program program;
  program.config = config;
  program.routines.push_back({"matmul", MatmulCode(config, matmul).code});
  Launch launch;
  launch.node = "matmul";
  launch.op = "linear";
  launch.macs = static_cast<uint64_t>(matmul.m * matmul.n * matmul.k);
  launch.passes =
      static_cast<uint64_t>((matmul.leftSplit ? config.planesOf(8) : 1) * (matmul.rightSplit ? config.planesOf(8) : 1));
  auto operand = [&](int32_t host, int64_t bytes, bool isOutput) {
    launch.operands.push_back({host, 0, static_cast<uint64_t>(bytes), isOutput});
  };
  operand(0, matmul.m * matmul.rowBytes(config, matmul.leftSplit, matmul.k), false);
  operand(1,
          matmul.transposed ? matmul.n * matmul.rowBytes(config, matmul.rightSplit, matmul.k)
                            : matmul.k * matmul.rowBytes(config, matmul.rightSplit, matmul.n),
          false);
  operand(2, matmul.n * 4, false);
  operand(3, matmul.m * matmul.n * 4, true);
  program.launches.push_back(launch);
  return program;
}

} // namespace vitq::simulator

#endif // VITQ_UNITTEST_SIMULATOR_MATMULPROGRAM_H
