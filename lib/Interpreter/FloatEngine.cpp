//===- FloatEngine.cpp - vit ops on float tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"
#include "FloatKernels.h"
#include "Moves.h"
#include "Windows.h"

#include "dialects/vit/Vit.h"
#include "vitq/Numerics/Hadamard.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

namespace {

template <typename Real>
class FloatEngine final : public Engine {
public:
  Kernel compile(Operation *op) const override;

private:
  static Kernel make(vit::LinearOp op);
  static Kernel make(vit::MatmulOp op);
  static Kernel make(vit::PatchEmbedOp op);
  static Kernel make(vit::Conv2dOp op);
  static Kernel make(vit::SoftmaxOp op);
  static Kernel make(vit::SoftmaxNumeratorOp op);
  static Kernel make(vit::DivideRowsOp op);
  static Kernel make(vit::LayerNormOp op);
  static Kernel make(vit::MeanOp op);
  static Kernel make(vit::HadamardOp op);
  static Kernel make(vit::MaxPoolOp op);
  static Kernel make(vit::ResampleOp op);
  static Kernel make(vit::IsNaNOp op);
  static Kernel make(vit::WhereOp op);
  static Kernel make(vit::NormalizePixelsOp op);
  static Kernel make(vit::UnaryFunction op);
  template <typename Function>
  static Kernel makeBinary(Operation *op, Function function);

  /// The result `i` of `op`, not yet written.
  static Tensor result(ArrayRef<int64_t> shape) { return Tensor::allocate(kindOf<Real>(), shape); }
};

} // namespace

template <typename Real>
Kernel FloatEngine<Real>::make(vit::LinearOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), weight = shapeOfValue(op.getWeight());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    multiplyTransposed<Real>(in[0].data<Real>(), in[1].data<Real>(), in.size() > 2 ? in[2].data<Real>() : nullptr,
                             out[0].mutableData<Real>(), in[0].numElements() / weight[1], weight[0], weight[1]);
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::MatmulOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  int64_t m = shape[shape.size() - 2], n = shape.back(), k = shapeOfValue(op.getLhs()).back();
  int64_t batches = productOf(shape.drop_back(2));
  double scale = op.getScale().convertToDouble();
  bool transposeRhs = op.getTransposeRhs();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    for (int64_t b = 0; b < batches; ++b) {
      const Real *lhs = in[0].data<Real>() + b * m * k, *rhs = in[1].data<Real>() + b * k * n;
      Real *y = out[0].mutableData<Real>() + b * m * n;
      if (transposeRhs)
        multiplyTransposed<Real>(lhs, rhs, nullptr, y, m, n, k, scale);
      else
        multiply<Real>(lhs, rhs, y, m, n, k, scale);
    }
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::PatchEmbedOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), weight = shapeOfValue(op.getWeight());
  bool channelsLast = op.getChannelsLast();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    Tensor rows = patchRows(in[0], weight[2], weight[3], channelsLast, /*channelOrder=*/true);
    multiplyTransposed<Real>(rows.data<Real>(), in[1].data<Real>(), in.size() > 2 ? in[2].data<Real>() : nullptr,
                             out[0].mutableData<Real>(), shape[0] * shape[1], weight[0], rows.shape().back());
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::Conv2dOp op) {
  Convolution conv{shapeOfValue(op.getInput()),          shapeOfValue(op.getWeight()),
                   shapeOfValue(op.getResult()),         op.getWindows(),
                   static_cast<int64_t>(op.getGroups()), op.getPadding().value_or(ArrayRef<double>())};
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(conv.result);
    convolve<Real>(conv, in[0].data<Real>(), in[1].data<Real>(), in.size() > 2 ? in[2].data<Real>() : nullptr,
                   out[0].mutableData<Real>());
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::SoftmaxOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    int64_t n = shape.back(), total = in[0].numElements();
    for (int64_t at = 0; at < total; at += n) {
      Real *y = out[0].mutableData<Real>() + at;
      divideRow<Real>(y, exponentialRow<Real>(in[0].data<Real>() + at, y, n), y, n);
    }
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::SoftmaxNumeratorOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getNumerator());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    out[1] = result(shape.drop_back());
    int64_t n = shape.back();
    for (int64_t row = 0, rows = out[1].numElements(); row < rows; ++row)
      out[1].mutableData<Real>()[row] = static_cast<Real>(
          exponentialRow<Real>(in[0].data<Real>() + row * n, out[0].mutableData<Real>() + row * n, n));
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::DivideRowsOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const auto eps = static_cast<Real>(op.getEps().convertToDouble());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    int64_t n = shape.back();
    for (int64_t row = 0, rows = in[1].numElements(); row < rows; ++row)
      divideRow<Real>(in[0].data<Real>() + row * n, in[1].data<Real>()[row] + eps, out[0].mutableData<Real>() + row * n,
                      n);
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::LayerNormOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  double eps = op.getEps().convertToDouble();
  bool centered = !op.getRms();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    int64_t n = shape.back();
    for (int64_t at = 0, e = in[0].numElements(); at < e; at += n)
      layerNormRow<Real>(in[0].data<Real>() + at, in[1].data<Real>(), in[2].data<Real>(),
                         out[0].mutableData<Real>() + at, n, eps, centered);
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::MeanOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult()), axes = op.getAxes();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    Tensor rows = reductionRows(in[0], axes);
    int64_t n = rows.shape()[1];
    for (int64_t row = 0; row < rows.shape()[0]; ++row) {
      double sum = 0;
      for (Real x : rows.values<Real>().slice(row * n, n))
        sum += x;
      out[0].mutableData<Real>()[row] = static_cast<Real>(sum / static_cast<double>(n));
    }
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::HadamardOp op) {
  return [shape = shapeOfValue(op.getResult()), block = static_cast<int64_t>(op.getBlock()),
          centers = op.getCenters().value_or(ArrayRef<float>()),
          shifts = op.getShifts().value_or(ArrayRef<int8_t>())](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    MutableArrayRef<Real> y(out[0].mutableData<Real>(), out[0].numElements());
    llvm::copy(in[0].values<Real>(), y.begin());
    const auto row = static_cast<size_t>(shape.back());
    for (; !y.empty(); y = y.drop_front(row)) {
      for (size_t i = 0; i < centers.size(); ++i)
        y[i] -= static_cast<Real>(centers[i]);
      numerics::hadamardRow(y.take_front(row), block, shifts);
    }
    const Real factor = static_cast<Real>(1 / std::sqrt(static_cast<double>(block)));
    for (Real &value : MutableArrayRef<Real>(out[0].mutableData<Real>(), out[0].numElements()))
      value *= factor;
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::MaxPoolOp op) {
  return [windows = PoolWindows::of(op)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(windows.result);
    maxPool<Real>(windows, in[0].data<Real>(), out[0].mutableData<Real>());
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::ResampleOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const auto divisor = static_cast<double>(op.getDivisor());
  return [=, sums = Resampling::of(op)](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = result(shape);
    Real *y = out[0].mutableData<Real>();
    resample<double>(sums, in[0].data<Real>(), [&](int64_t i, double sum) { y[i] = static_cast<Real>(sum / divisor); });
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::IsNaNOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(ElementKind::I1, shape);
    llvm::transform(in[0].values<Real>(), out[0].mutableData<bool>(), [](Real x) { return std::isnan(x); });
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::WhereOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor choice = broadcastTo(in[0], shape), lhs = broadcastTo(in[1], shape), rhs = broadcastTo(in[2], shape);
    out[0] = result(shape);
    for (int64_t i = 0, e = out[0].numElements(); i < e; ++i)
      out[0].mutableData<Real>()[i] = choice.data<bool>()[i] ? lhs.data<Real>()[i] : rhs.data<Real>()[i];
    return success();
  };
}

/// The pixels come as real values.
template <typename Real>
Kernel FloatEngine<Real>::make(vit::NormalizePixelsOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  ArrayRef<double> mean = op.getMean(), std = op.getStd();
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor planes = transposed(in[0], {0, 3, 1, 2});
    out[0] = result(shape);
    int64_t area = shape[2] * shape[3];
    for (int64_t i = 0, e = out[0].numElements(); i < e; ++i) {
      int64_t c = i / area % shape[1];
      out[0].mutableData<Real>()[i] = static_cast<Real>((planes.data<Real>()[i] - mean[c]) / std[c]);
    }
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::make(vit::UnaryFunction op) {
  ArrayRef<int64_t> shape = shapeOfValue(op->getResult(0));
  if constexpr (std::is_same_v<Real, float>)
    if (numerics::RealArray function = op.getArrayFunction())
      return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
        out[0] = result(shape);
        function(in[0].data<float>(), out[0].mutableData<float>(), in[0].numElements());
        return success();
      };
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    vit::UnaryFunction function = op;
    out[0] = result(shape);
    llvm::transform(in[0].values<Real>(), out[0].mutableData<Real>(),
                    [&](Real x) { return static_cast<Real>(function.evaluate(x)); });
    return success();
  };
}

template <typename Real>
template <typename Function>
Kernel FloatEngine<Real>::makeBinary(Operation *op, Function function) {
  ArrayRef<int64_t> shape = shapeOfValue(op->getResult(0));
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    Tensor lhs = broadcastTo(in[0], shape), rhs = broadcastTo(in[1], shape);
    out[0] = result(shape);
    const Real *a = lhs.data<Real>(), *b = rhs.data<Real>();
    Real *y = out[0].mutableData<Real>();
    for (int64_t i = 0, e = out[0].numElements(); i < e; ++i)
      y[i] = function(a[i], b[i]);
    return success();
  };
}

template <typename Real>
Kernel FloatEngine<Real>::compile(Operation *op) const {
  if (Kernel move = isa_and_nonnull<vit::VitDialect>(op->getDialect()) ? compileMove(op, 0) : Kernel())
    return move;
  return TypeSwitch<Operation *, Kernel>(op)
      .template Case<vit::LinearOp, vit::MatmulOp, vit::PatchEmbedOp, vit::Conv2dOp, vit::SoftmaxOp,
                     vit::SoftmaxNumeratorOp, vit::DivideRowsOp, vit::LayerNormOp, vit::MeanOp, vit::HadamardOp,
                     vit::MaxPoolOp, vit::ResampleOp, vit::IsNaNOp, vit::WhereOp, vit::NormalizePixelsOp,
                     vit::UnaryFunction>([](auto op) { return make(op); })
      .Case([](vit::AddOp op) { return makeBinary(op, [](Real a, Real b) { return a + b; }); })
      .Case([](vit::SubOp op) { return makeBinary(op, [](Real a, Real b) { return a - b; }); })
      .Case([](vit::MulOp op) { return makeBinary(op, [](Real a, Real b) { return a * b; }); })
      .Case([](vit::DivOp op) { return makeBinary(op, [](Real a, Real b) { return a / b; }); })
      .Case([](vit::PowOp op) { return makeBinary(op, [](Real a, Real b) { return std::pow(a, b); }); })
      .Default(Kernel());
}

std::unique_ptr<Engine> interp::createFloatEngine(bool useDouble) {
  if (useDouble)
    return std::make_unique<FloatEngine<double>>();
  return std::make_unique<FloatEngine<float>>();
}
