// Patches of a map are strides of the left operand, if the host is not asked for them and rows of patches
// are not much faster.
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic --systolic-allocate --canonicalize | FileCheck %s
// RUN: vitq-opt %s -split-input-file --vitq-to-systolic=place=extract_patches=host | FileCheck %s --check-prefix=HOST
// What is made computes the patches' product.
// DEFINE: %{config} =
// DEFINE: %{there_and_back} = vitq-opt %s -split-input-file --vitq-to-systolic="config=%{config} place=extract_patches=array" --systolic-allocate --canonicalize --cse --systolic-raise-to-vitq | FileCheck %s --check-prefix=BACK
// REDEFINE: %{config} = gemmini-16x16
// RUN: %{there_and_back}
// REDEFINE: %{config} = edge-8x8-int4
// RUN: %{there_and_back}
// REDEFINE: %{config} = gemmini-16x16,dataflow=os
// RUN: %{there_and_back}

// A border of what the codes are less, around codes less 128; three rows of 72 elements make a patch. Lines of 14
// patches are tiles.
// CHECK: systolic.placements = [{node = "patches", op = "vitq.extract_patches", place = "array", reason = "a stride of the product's operand"}, {node = "conv", op = "vitq.matmul", place = "array"
// CHECK-SAME: {node = "patches", op = "vitq.pad", place = "host", reason = "the border of the map whose patches the array reads"}
// CHECK-LABEL: func.func @main(
// CHECK: %[[LESS:.*]] = vitq.table
// CHECK-NEXT: %[[MAP:.*]] = vitq.pad %[[LESS]] low [0, 1, 1, 0] high [0, 1, 1, 0] value -125 : tensor<1x14x14x24xi8> -> tensor<1x16x16x24xi8>
// CHECK-NEXT: systolic.launch @linear_196x216x20_0(%[[MAP]]
// CHECK-LABEL: func.func private @linear_196x216x20_0(
// CHECK-SAME: %[[VIEW:.*]]: memref<1x14x14x3x1x72xi8, strided<[6144, 384, 24, 384, 24, 1]>>
// CHECK: systolic.alloc {{.*}}: <scratchpad, {{.*}}, [14, 16], i8>
// CHECK: systolic.mvin %[[VIEW]][{{.*}}] rows %{{.*}} cols %{{.*}} along 2 to %{{[^ ]*}}[{{[^]]*}}] :

// HOST-NOT: vitq.pad
// HOST-LABEL: func.func @main(
// HOST: vitq.extract_patches
// HOST-LABEL: func.func private @linear_196x216x20_0(%{{.*}}: memref<196x216xi8>

// BACK: vitq.pad
// BACK: vitq.extract_patches %{{.*}} patch [3, 3] strides [1, 1] dilations [1, 1] :
// BACK: vitq.matmul
func.func @main(%x: tensor<1x14x14x24xi8>) -> tensor<1x14x14x20xi32> {
  %w = arith.constant dense<1> : tensor<216x20xi8>
  %0 = vitq.extract_patches %x patch [3, 3] strides [1, 1] pads [1, 1, 1, 1] padding [3] as_map : tensor<1x14x14x24xi8> -> tensor<1x14x14x216xi8> loc("patches")
  %1 = vitq.matmul %0, %w lhs <unsigned, zero = 3> : (tensor<1x14x14x216xi8>, tensor<216x20xi8>) -> tensor<1x14x14x20xi32> loc("conv")
  return %1 : tensor<1x14x14x20xi32>
}

// -----

// Of three-channel maps with small patches most moves would be a few bytes: the host lays patches out.
// CHECK: systolic.placements = [{node = "patches", op = "vitq.extract_patches", place = "host", reason = "laid out as rows: with them the array takes {{[0-9]+}} cycles, with strides of the map {{[0-9]+}}"}
// CHECK-NOT: vitq.pad
// CHECK-LABEL: func.func @main(
// CHECK: vitq.extract_patches
// CHECK: systolic.launch

// HOST: {node = "patches", op = "vitq.extract_patches", place = "host", reason = "as asked for"}
// HOST: vitq.extract_patches

// BACK: vitq.concat
// BACK: vitq.concat
// BACK: vitq.extract_patches %{{.*}} patch [3, 3] strides [2, 2] dilations [1, 1] :
func.func @main(%x: tensor<1x128x128x3xi8>) -> tensor<1x64x64x16xi32> {
  %w = arith.constant dense<1> : tensor<27x16xi8>
  %0 = vitq.extract_patches %x patch [3, 3] strides [2, 2] pads [0, 0, 1, 1] padding [1, 2, 3] as_map : tensor<1x128x128x3xi8> -> tensor<1x64x64x27xi8> loc("patches")
  %1 = vitq.matmul %0, %w : (tensor<1x64x64x27xi8>, tensor<27x16xi8>) -> tensor<1x64x64x16xi32> loc("conv")
  return %1 : tensor<1x64x64x16xi32>
}

// -----

// Patches side by side need no border, and the map is read as it is. Short lines share a tile, the second of them from
// its own row on.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<2x8x24x16xi8>
// CHECK: systolic.launch @linear_48x128x20_0(%[[X]],
// CHECK-LABEL: func.func private @linear_48x128x20_0(
// CHECK-SAME: memref<2x4x6x2x1x64xi8, strided<[3072, 768, 64, 384, 16, 1]>>
// CHECK: systolic.alloc {{.*}}: <scratchpad, {{.*}}, [12, 16], i8>
// CHECK: systolic.mvin {{.*}} along 2 to %{{[^ ]*}}[{{[^]]*}}] row %{{.*}} :

// BACK: vitq.extract_patches %{{.*}} patch [2, 4] strides [2, 4] dilations [1, 1] :
func.func @main(%x: tensor<2x8x24x16xi8>) -> tensor<2x4x6x20xi32> {
  %w = arith.constant dense<1> : tensor<128x20xi8>
  %0 = vitq.extract_patches %x patch [2, 4] as_map : tensor<2x8x24x16xi8> -> tensor<2x4x6x128xi8> loc("embed")
  %1 = vitq.matmul %0, %w : (tensor<2x4x6x128xi8>, tensor<128x20xi8>) -> tensor<2x4x6x20xi32> loc("embed")
  return %1 : tensor<2x4x6x20xi32>
}

// -----

// With dilation a patch is places of the map; the line is longer than a tile.
// CHECK-LABEL: func.func private @linear_68x144x16_0(
// CHECK-SAME: memref<1x2x34x3x3x16xi8, strided<[3648, 608, 16, 1216, 32, 1]>>
// CHECK: systolic.alloc {{.*}}: <scratchpad, {{.*}}, [12, 16], i8>

// BACK: vitq.extract_patches %{{.*}} patch [3, 3] strides [1, 1] dilations [2, 2] :
func.func @main(%x: tensor<1x6x38x16xi8>) -> tensor<1x2x34x16xi32> {
  %w = arith.constant dense<1> : tensor<144x16xi8>
  %0 = vitq.extract_patches %x patch [3, 3] strides [1, 1] dilations [2, 2] as_map : tensor<1x6x38x16xi8> -> tensor<1x2x34x144xi8> loc("conv")
  %1 = vitq.matmul %0, %w : (tensor<1x2x34x144xi8>, tensor<144x16xi8>) -> tensor<1x2x34x16xi32> loc("conv")
  return %1 : tensor<1x2x34x16xi32>
}
