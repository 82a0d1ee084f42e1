//===- Moves.h - Moving the elements of tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Moves change where elements are, never what they are. Callers have checked
// ranks, ranges and that results fit into memory.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TENSOR_MOVES_H
#define VITQ_TENSOR_MOVES_H

#include "vitq/Tensor/Tensor.h"

namespace vitq {

/// Extents, or strides in elements.
using Extents = llvm::SmallVector<int64_t, 6>;

/// The strides of a row-major tensor.
Extents rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Elements of a tensor in another order: element i of the view is element
/// `offset + sum i_k * strides_k` of the tensor. Shares the tensor's elements,
/// so that moves can follow each other without a copy between them.
class TensorView {
public:
  /// All of `tensor`, as it is.
  explicit TensorView(const Tensor &tensor)
      : TensorView(tensor, /*offset=*/0, tensor.shape(), rowMajorStrides(tensor.shape())) {}
  /// A stride of 0 repeats elements, a negative one goes backwards.
  TensorView(const Tensor &tensor, int64_t offset, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides)
      : tensor(tensor), offset(offset), extents(shape), steps(strides) {}

  ElementKind kind() const { return tensor.kind(); }
  llvm::ArrayRef<int64_t> shape() const { return extents; }
  llvm::ArrayRef<int64_t> strides() const { return steps; }

  /// Axis i of the result is axis `permutation[i]`.
  TensorView transposed(llvm::ArrayRef<int64_t> permutation) const;
  /// Element i of an axis of the result is element `offset + i * step`.
  TensorView sliced(llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> steps) const;
  /// As in NumPy.
  TensorView broadcastTo(llvm::ArrayRef<int64_t> shape) const;

  /// Whether the elements stand in a row in the order of the view.
  bool isRowMajor() const;
  /// The elements in a row; those of the tensor itself if they are so already.
  Tensor toTensor() const;
  /// Copies the elements to `target`, from element `at` on with `strides`.
  void copyTo(Tensor &target, int64_t at, llvm::ArrayRef<int64_t> strides) const;

private:
  Tensor tensor;
  int64_t offset;
  Extents extents, steps;
};

/// Single moves; they share the elements where these stay in a row.
Tensor transposed(const Tensor &tensor, llvm::ArrayRef<int64_t> permutation);
Tensor sliced(const Tensor &tensor, llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes,
              llvm::ArrayRef<int64_t> steps);
Tensor broadcastTo(const Tensor &tensor, llvm::ArrayRef<int64_t> shape);

/// Slices `indices` of an axis, one after the other.
Tensor gathered(const Tensor &tensor, llvm::ArrayRef<int64_t> indices, int64_t axis);
/// Tensors of one kind, one after the other along an axis.
Tensor concatenated(llvm::ArrayRef<Tensor> parts, int64_t axis);
/// A tensor of `shape` whose elements from `low` on are `tensor`; the others
/// are `padding`.
Tensor padded(const Tensor &tensor, llvm::ArrayRef<int64_t> low, llvm::ArrayRef<int64_t> shape, int64_t padding);

} // namespace vitq

#endif // VITQ_TENSOR_MOVES_H
