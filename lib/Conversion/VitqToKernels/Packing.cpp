//===- Packing.cpp - Panels of the right operand -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

static DotFormat formatOf(const TargetDesc &target, unsigned lhsWidth) {
  // Products of 16-bit left operands need the 16-bit instruction of the same width.
  const bool wide = lhsWidth == 16;
  switch (target.dot) {
  case DotKind::VnniU8S8_512:
    if (!wide)
      return {4, 8, 16, true, "llvm.x86.avx512.vpdpbusd.512"};
    [[fallthrough]];
  case DotKind::MaddI16_512:
    return {2, 16, 16, false, "llvm.x86.avx512.pmaddw.d.512"};
  case DotKind::VnniU8S8_256:
    if (!wide)
      return {4, 8, 8, true, "llvm.x86.avx512.vpdpbusd.256"};
    [[fallthrough]];
  case DotKind::MaddI16_256:
    return {2, 16, 8, false, "llvm.x86.avx2.pmadd.wd"};
  case DotKind::MaddI16_128:
    return {2, 16, 4, false, "llvm.x86.sse2.pmadd.wd"};
  case DotKind::Plain:
    break;
  }
  return {1, 16, 4, false, ""};
}

DotFormat DotFormat::of(const TargetDesc &target, unsigned lhsWidth) {
  DotFormat format = formatOf(target, lhsWidth);
  if (target.emulateDot)
    format.intrinsic = "";
  return format;
}

template <typename T>
static void packInto(const Geometry &g, const int8_t *rhs, bool transposed, T *out) {
  const int64_t row = g.tileCols * g.dot.group;
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t k = 0; k < g.k; ++k) {
      const int64_t panel = n / g.tileCols, j = n % g.tileCols;
      out[(panel * g.groups() + k / g.dot.group) * row + j * g.dot.group + k % g.dot.group] =
          transposed ? rhs[n * g.k + k] : rhs[k * g.n + n];
    }
}

std::vector<char> vitq::kernels::packPanels(const Geometry &g, ArrayRef<char> rhs, bool transposed) {
  std::vector<char> bytes((g.panelBytes() + 63) / 64 * 64);
  const auto *in = reinterpret_cast<const int8_t *>(rhs.data());
  if (g.dot.width == 8)
    packInto(g, in, transposed, reinterpret_cast<int8_t *>(bytes.data()));
  else
    packInto(g, in, transposed, reinterpret_cast<int16_t *>(bytes.data()));
  return bytes;
}

void vitq::kernels::emitPack(Emitter &e, const Geometry &g, Value rhs, Value batch, bool transposed, Value panels) {
  const int64_t group = g.dot.group;
  // Elements k = kg * group + s, s below `count`, of column j of a panel.
  auto copy = [&](Value panel, Value j, Value kg, int64_t count) {
    Value column = e.add(e.indexMul(panel, g.tileCols), j);
    for (int64_t s = 0; s < count; ++s) {
      Value k = e.indexAdd(e.indexMul(kg, group), s);
      Value x = transposed ? e.load(rhs, {batch, column, k}) : e.load(rhs, {batch, k, column});
      e.store(e.sext(x, g.dot.width), panels, {panel, kg, e.indexAdd(e.indexMul(j, group), s)});
    }
  };
  auto columns = [&](Value panel, Value count) {
    auto inOrder = [&](Value kg, int64_t depth) {
      e.loop(e.index(0), count, 1, [&](Value j) { copy(panel, j, kg, depth); });
    };
    if (transposed) {
      e.loop(e.index(0), count, 1, [&](Value j) { e.loop(g.k / group, [&](Value kg) { copy(panel, j, kg, group); }); });
    } else {
      e.loop(g.k / group, [&](Value kg) { inOrder(kg, group); });
    }
    if (g.k % group)
      inOrder(e.index(g.k / group), g.k % group);
  };
  e.loop(g.panels(), [&](Value panel) {
    Value left = e.sub(e.index(g.n), e.indexMul(panel, g.tileCols));
    columns(panel, g.n % g.tileCols ? e.smin(left, e.index(g.tileCols)) : e.index(g.tileCols));
  });
}
