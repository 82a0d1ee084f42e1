//===- IntegerEngine.cpp - vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic is numerics'; here it is applied to rows of tensors.
//
//===----------------------------------------------------------------------===//

#include "IntegerKernel.h"
#include "IntegerRows.h"
#include "Moves.h"
#include "RowMatmul.h"
#include "Windows.h"

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/Table.h"

#include "llvm/ADT/TypeSwitch.h"

#include <vector>

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;
using numerics::Dyadic;
using numerics::Rounding;

namespace {

class IntegerEngine final : public Engine {
public:
  Kernel compile(Operation *op) const override;

private:
  static Kernel make(integer::MatmulOp op);
  static Kernel make(integer::DepthwiseConv2dOp op);
  static Kernel make(integer::RequantOp op);
  static Kernel make(integer::AddOp op);
  static Kernel make(integer::MulOp op);
  static Kernel make(integer::SumOp op);
  static Kernel make(integer::HadamardOp op);
  static Kernel make(integer::MaxPoolOp op);
  static Kernel make(integer::ResampleOp op);
  static Kernel make(integer::TableOp op);
  static Kernel make(integer::InterpolateOp op);
  static Kernel make(integer::PwlOp op);
  static Kernel make(integer::PolyGeluOp op);
  static Kernel make(integer::GeluOp op);
};

} // namespace

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

namespace {
/// Elements as int16 plus a constant.
struct Narrowed {
  std::vector<int16_t> values;
  int64_t offset;
};
} // namespace

/// lhs - zeroPoint = values + offset with values of 16 bits.
static Narrowed narrow(const Tensor &lhs, numerics::Code code) {
  const bool isUnsigned = code.isUnsigned;
  const int64_t zeroPoint = code.zero;
  Narrowed result{std::vector<int16_t>(lhs.numElements()), 0};
  auto copy = [&](auto zero, int64_t minus) {
    llvm::transform(lhs.values<decltype(zero)>(), result.values.begin(),
                    [minus](auto x) { return static_cast<int16_t>(x - minus); });
  };
  if (code.bits < 8) {
    llvm::transform(lhs.values<uint8_t>(), result.values.begin(), [code](uint8_t x) {
      return static_cast<int16_t>(numerics::readCode(x, code.bits, code.isUnsigned) - code.zero);
    });
  } else if (lhs.kind() == ElementKind::I8) {
    isUnsigned ? copy(uint8_t(0), zeroPoint) : copy(int8_t(0), zeroPoint);
  } else if (isUnsigned) {
    copy(uint16_t(0), 32768);
    result.offset = 32768 - zeroPoint;
  } else {
    copy(int16_t(0), 0);
    result.offset = -zeroPoint;
  }
  return result;
}

/// Starts every accumulator: bias[n] + offset * sum_k rhs[n, k], modulo 2^32.
static void startAccumulators(int32_t *y, const int32_t *bias, int64_t offset, const int16_t *rhs, int64_t m, int64_t n,
                              int64_t k) {
  for (int64_t column = 0; column < n; ++column) {
    uint32_t start = bias ? static_cast<uint32_t>(bias[column]) : 0;
    if (offset != 0) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += rhs[column * k + i];
      start += static_cast<uint32_t>(offset * sum);
    }
    for (int64_t row = 0; row < m; ++row)
      y[row * n + column] = static_cast<int32_t>(start);
  }
}

Kernel IntegerEngine::make(integer::MatmulOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), rhsShape = shapeOfValue(op.getRhs());
  const bool shared = rhsShape.size() == 2;
  const numerics::Code lhsCode = integer::codeOf(op.getLhs(), op.getLhsCode()),
                       rhsCode = integer::codeOf(op.getRhs(), integer::CodeAttr::get(op.getContext(), false, 0));
  int64_t n = shape.back(), k = shapeOfValue(op.getLhs()).back();
  // Rows of no elements: nothing to compute.
  int64_t m = n == 0 ? 0 : productOf(shape) / n, batches = 1;
  if (!shared) {
    m = shape[shape.size() - 2];
    batches = productOf(shape.drop_back(2));
  }
  SmallVector<int64_t> permutation;
  if (!op.getTransposeRhs()) {
    permutation = llvm::to_vector(llvm::seq<int64_t>(0, rhsShape.size()));
    std::swap(permutation.back(), permutation[permutation.size() - 2]);
  }
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Narrowed lhs = narrow(in[0], lhsCode);
    Tensor rows = permutation.empty() ? in[1] : transposed(in[1], permutation);
    std::vector<int16_t> rhs = narrow(rows, rhsCode).values;
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    for (int64_t b = 0; b < batches; ++b) {
      const int16_t *w = rhs.data() + b * n * k;
      int32_t *y = out[0].mutableData<int32_t>() + b * m * n;
      startAccumulators(y, in.size() > 2 ? in[2].data<int32_t>() : nullptr, lhs.offset, w, m, n, k);
      multiplyRows16(lhs.values.data() + b * m * k, w, y, m, n, k, 0, k);
    }
    return success();
  };
}

Kernel IntegerEngine::make(integer::DepthwiseConv2dOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), map = shapeOfValue(op.getInput());
  const vit::Windows windows = op.getWindows();
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode()),
                       weight = integer::codeOf(op.getWeight(), integer::CodeAttr::get(op.getContext(), false, 0));
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    const Narrowed codes = narrow(in[0], input);
    const std::vector<int16_t> taps = narrow(in[1], weight).values;
    const int64_t channels = map[3];
    const auto offset = static_cast<int32_t>(codes.offset);
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    int32_t *sums = out[0].mutableData<int32_t>();
    for (int64_t place = 0, places = productOf(shape.drop_back()); place < places; ++place, sums += channels) {
      const int64_t batch = place / (shape[1] * shape[2]), y = place / shape[2] % shape[1], x = place % shape[2];
      for (int64_t c = 0; c < channels; ++c)
        sums[c] = in.size() > 2 ? in[2].data<int32_t>()[c] : 0;
      for (int64_t i = 0; i < windows.size[0]; ++i)
        for (int64_t j = 0; j < windows.size[1]; ++j) {
          const int64_t h = windows.first(0, y) + i * windows.dilations[0],
                        w = windows.first(1, x) + j * windows.dilations[1];
          if (h < 0 || h >= map[1] || w < 0 || w >= map[2])
            continue; // the zero point
          const int16_t *from = codes.values.data() + ((batch * map[1] + h) * map[2] + w) * channels,
                        *tap = taps.data() + (i * windows.size[1] + j) * channels;
          for (int64_t c = 0; c < channels; ++c)
            sums[c] = static_cast<int32_t>(static_cast<uint32_t>(sums[c]) +
                                           static_cast<uint32_t>((from[c] + offset) * tap[c]));
        }
    }
    return success();
  };
}

Kernel IntegerEngine::make(integer::RequantOp op) {
  Output output(op.getResult(), op.getResultCode());
  output.min = op.getMin().value_or(output.min);
  output.max = op.getMax().value_or(output.max);
  Multipliers by(op.getBy(), output.shape, op.getAxis());
  Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = static_cast<int32_t>(
            numerics::requantize(row[i], by.of(start + i), rounding, output.zeroPoint, output.min, output.max));
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::AddOp op) {
  Output output(op.getResult(), op.getResultCode());
  Multipliers lhsBy(op.getLhsBy(), output.shape, -1), rhsBy(op.getRhsBy(), output.shape, -1);
  Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code lhsCode = integer::codeOf(op.getLhs(), op.getLhsCode()),
                       rhsCode = integer::codeOf(op.getRhs(), op.getRhsCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rhs = broadcastTo(in[1], output.shape);
    out[0] = output.allocate();
    std::vector<int32_t> a(rowLength(output.shape)), b(a.size());
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], lhsCode, start, n, a.data());
      loadRow(rhs, rhsCode, start, n, b.data());
      for (int64_t i = 0; i < n; ++i)
        a[i] = static_cast<int32_t>(numerics::requantizeAdd(a[i], lhsBy.of(start + i), b[i], rhsBy.of(start + i),
                                                            rounding, output.zeroPoint, output.min, output.max));
      storeRow(out[0], start, n, a.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::MulOp op) {
  Output output(op.getResult(), op.getResultCode());
  Multipliers by(op.getBy(), output.shape, -1);
  Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code lhsCode = integer::codeOf(op.getLhs(), op.getLhsCode()),
                       rhsCode = integer::codeOf(op.getRhs(), op.getRhsCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rhs = broadcastTo(in[1], output.shape);
    out[0] = output.allocate();
    std::vector<int32_t> a(rowLength(output.shape)), b(a.size());
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], lhsCode, start, n, a.data());
      loadRow(rhs, rhsCode, start, n, b.data());
      for (int64_t i = 0; i < n; ++i) {
        // Below 2^31 in magnitude.
        a[i] = static_cast<int32_t>(numerics::requantize(int64_t(a[i]) * b[i], by.of(start + i), rounding,
                                                         output.zeroPoint, output.min, output.max));
      }
      storeRow(out[0], start, n, a.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::SumOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), axes = op.getAxes();
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor rows = reductionRows(in[0], axes);
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    int32_t *y = out[0].mutableData<int32_t>();
    std::vector<int32_t> row(rows.shape()[1]);
    forEachRow(rows.shape(), [&](int64_t start, int64_t n) {
      loadRow(rows, input, start, n, row.data());
      int64_t sum = 0;
      for (int32_t x : row)
        sum += x;
      *y++ = static_cast<int32_t>(sum);
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::HadamardOp op) {
  numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  const ArrayRef<int32_t> zeros = op.getZeros().value_or(ArrayRef<int32_t>());
  if (!zeros.empty())
    input.zero = 0; // each channel has its own
  return [shape = shapeOfValue(op.getResult()), block = static_cast<int64_t>(op.getBlock()),
          shifts = op.getShifts().value_or(ArrayRef<int8_t>()), zeros,
          input](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(ElementKind::I32, shape);
    int32_t *y = out[0].mutableData<int32_t>();
    forEachRow(shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, y + start);
      for (size_t i = 0; i < zeros.size(); ++i)
        y[start + static_cast<int64_t>(i)] -= zeros[i];
      numerics::hadamardRow(MutableArrayRef<int32_t>(y + start, n), block, shifts);
    });
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

Kernel IntegerEngine::make(integer::MaxPoolOp op) {
  numerics::Code code = integer::codeOf(op.getInput(), op.getInputCode());
  code.zero = 0; // elements stay as they are
  return [=, windows = PoolWindows::of(op)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(in[0].kind(), windows.result);
    std::vector<int32_t> x(in[0].numElements()), y(out[0].numElements());
    loadRow(in[0], code, 0, static_cast<int64_t>(x.size()), x.data());
    maxPool(windows, x.data(), y.data());
    storeRow(out[0], 0, static_cast<int64_t>(y.size()), y.data());
    return success();
  };
}

Kernel IntegerEngine::make(integer::ResampleOp op) {
  Output output(op.getResult(), op.getResultCode());
  const Dyadic by = op.getBy().entry(0);
  const Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code code = integer::codeOf(op.getInput(), op.getInputCode());
  return [=, sums = Resampling::of(op)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> x(in[0].numElements()), y(out[0].numElements());
    loadRow(in[0], code, 0, static_cast<int64_t>(x.size()), x.data());
    resample<int64_t>(sums, x.data(), [&](int64_t i, int64_t sum) {
      y[i] = static_cast<int32_t>(numerics::requantize(sum, by, rounding, output.zeroPoint, output.min, output.max));
    });
    storeRow(out[0], 0, static_cast<int64_t>(y.size()), y.data());
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

Kernel IntegerEngine::make(integer::TableOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode()),
                       result = integer::codeOf(op.getTable()), indices{8, /*isUnsigned=*/true, /*zero=*/0};
  const int64_t length = input.count(), tables = productOf(shapeOfValue(op.getTable())) / length;
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) -> LogicalResult {
    out[0] = Tensor::allocate(in[1].kind(), shape);
    std::vector<int32_t> row(rowLength(shape)), index(row.size(), 0), entries(tables * length);
    loadRow(in[1], result, 0, tables * length, entries.data());
    if (in.size() > 2)
      loadRow(in[2], indices, 0, rowLength(shape), index.data());
    if (llvm::any_of(index, [&](int32_t t) { return t >= tables; }))
      return op->emitOpError("has an index outside its ") << tables << " tables";
    forEachRow(shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = entries[index[i] * length + input.index(row[i] + input.zero)];
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::InterpolateOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const numerics::Code input = integer::codeOf(op.getInput(), {});
  const numerics::Interpolation curve{static_cast<int64_t>(op.getStart()), static_cast<unsigned>(op.getShift()),
                                      op.getTailBy().entry(0)};
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(ElementKind::I16, shape);
    std::vector<int32_t> row(rowLength(shape));
    forEachRow(shape, [&](int64_t first, int64_t n) {
      loadRow(in[0], input, first, n, row.data());
      numerics::interpolateRow(row.data(), row.data(), n, in[1].data<int16_t>(), curve);
      storeRow(out[0], first, n, row.data());
    });
    return success();
  };
}

/// `function` of every code less the input zero point, requantized.
template <typename OpT, typename Function>
static Kernel makeFunction(OpT op, Function function) {
  Output output(op.getResult(), op.getResultCode());
  Multipliers by(op.getBy(), output.shape, -1);
  Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      for (int64_t i = 0; i < n; ++i)
        row[i] = static_cast<int32_t>(numerics::requantize(function(row[i]), by.of(start + i), rounding,
                                                           output.zeroPoint, output.min, output.max));
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

Kernel IntegerEngine::make(integer::PwlOp op) {
  return makeFunction(op, [lines = op.getLines().lines()](int64_t q) { return lines.evaluate(q); });
}

Kernel IntegerEngine::make(integer::PolyGeluOp op) {
  const numerics::PolyGelu gelu{static_cast<int64_t>(op.getClip()), static_cast<int64_t>(op.getOne())};
  return makeFunction(op, [gelu](int64_t q) { return gelu.evaluate(q); });
}

Kernel IntegerEngine::make(integer::GeluOp op) {
  Output output(op.getResult(), op.getResultCode());
  Dyadic by = op.getBy().entry(0);
  Rounding rounding = integer::toNumerics(op.getRounding());
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  int64_t step = op.getExponentStep();
  unsigned bits = static_cast<unsigned>(op.getFractionBits());
  unsigned reciprocalBits = static_cast<unsigned>(op.getReciprocalBits());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = output.allocate();
    std::vector<int32_t> row(rowLength(output.shape));
    forEachRow(output.shape, [&](int64_t start, int64_t n) {
      loadRow(in[0], input, start, n, row.data());
      numerics::shiftGeluRow(row.data(), row.data(), n, step, bits, reciprocalBits, /*outBits=*/8);
      for (int32_t &x : row)
        x = static_cast<int32_t>(numerics::requantize(x, by, rounding, output.zeroPoint, output.min, output.max));
      storeRow(out[0], start, n, row.data());
    });
    return success();
  };
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

Kernel IntegerEngine::compile(Operation *op) const {
  if (!isa_and_nonnull<integer::VitqDialect>(op->getDialect()))
    return {};
  if (auto kernel = dyn_cast<integer::KernelOp>(op))
    return compileKernel(kernel, *this);
  if (auto pad = dyn_cast<integer::PadOp>(op))
    return compileMove(op, pad.getValue());
  if (Kernel move = compileMove(op, 0))
    return move;
  return TypeSwitch<Operation *, Kernel>(op)
      .Case<integer::MatmulOp, integer::DepthwiseConv2dOp, integer::RequantOp, integer::AddOp, integer::MulOp,
            integer::SumOp, integer::HadamardOp, integer::MaxPoolOp, integer::ResampleOp, integer::TableOp,
            integer::InterpolateOp, integer::PwlOp, integer::PolyGeluOp, integer::GeluOp>(
          [](auto op) { return make(op); })
      .Case<integer::SoftmaxOp, integer::ShiftmaxOp, integer::DivideRowsOp, integer::LayerNormOp, integer::NormQuantOp,
            integer::ThresholdOp>([](auto op) { return makeRowKernel(op); })
      .Default(Kernel());
}

std::unique_ptr<Engine> interp::createIntegerEngine() { return std::make_unique<IntegerEngine>(); }
