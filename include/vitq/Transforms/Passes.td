//===- Passes.td - Passes inside a phase -------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TRANSFORMS_PASSES
#define VITQ_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def VitRecoverPatternsPass : Pass<"vit-recover-patterns", "::mlir::ModuleOp"> {
  let summary = "Recognize transformer building blocks in imported elementary ops";
  let description = [{
    Exporters take a transformer apart, each in its own way. This pass puts it
    together so that equal models become equal functions:

    | found | becomes |
    |---|---|
    | `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps)`, then `* c`, `+ c` | `vit.layer_norm` |
    | `x / sqrt(mean(x^2) + eps)`, `x / max(sqrt(sum(x^2)), eps)`, then `* c` | `vit.layer_norm rms` |
    | either of these over another axis | the same between transpositions |
    | `x/2 * (1 + erf(x/sqrt 2))`, its tanh form, `x * sigmoid(1.702 x)`, in any order | `vit.gelu` |
    | `x * sigmoid(x)`, `x * tanh(softplus(x))` | `vit.silu`, `vit.mish` |
    | `min(max(x + b, 0), h) / h`, and x times it with 3 and 6 | `vit.hard_sigmoid`, `vit.hard_swish` |
    | `mean(x * w)` over an axis, w the same along another one (additive attention) | `vit.matmul` |
    | `x / (d + eps)`, d a number for each row that cannot be negative (linear attention) | `vit.divide_rows` |
    | some columns of a product, of a `concat` | a product of these columns, a part of what is joined |
    | `conv2d` of the image with stride = kernel, no padding | `vit.patch_embed` |
    | other `conv2d` of 1 x 1 elements, stride 1 | `vit.linear` |
    | `conv2d(pad(x))` | `conv2d` with pads |
    | transposes of maps between convolutions | none (`vit-move-layouts`) |
    | `linear` of rows of an image's pixels, put together in any way | `vit.patch_embed` |
    | `patch_embed(x * c)`, `patch_embed(x + c)`, a number for each channel of the image, and of a conv2d of it | scaled weight, bias, padding |
    | `linear + c`, `linear * c` (LayerScale) | bias, scaled weight rows |
    | `* c`, `+ c` by channel (batch normalization) behind a linear, patch embedding or conv2d, or before one, the channels moved or not | its weight and bias |
    | a packed qkv `linear` of which heads are cut in any way | three `linear`s |
    | `concat` of attention's heads, each computed by itself | one attention of all heads |
    | slices of a `linear`: gate and value of a gated MLP | a `linear` each |
    | `concat(-a, b) * c` (rotary embeddings), shape ops between | `concat(a, b) * c'` |
    | `q k^T` with scales before or after, heads in any layout | `vit.matmul %q, %k transpose_rhs scale s` |
    | `layer_norm` of all tokens, then a slice | `layer_norm` of the slice |

    Heads are `[B, H, N, d]`, made by reshape to `[B, N, H, d]` and transpose
    `[0, 2, 1, 3]`; tokens are `[B, N, C]`, whatever layout (sequence first,
    `[B*H, N, d]`, `[B*N, C]`) the model used. A scale within 1e-6 of
    `1/sqrt(d)` becomes exactly that. An op that takes over from several has the
    location of the one whose result it computes; the parts of a packed
    projection have its name with `.q`, `.k`, `.v` appended, those of other packed
    layers with `.0`, `.1` and so on.

    Before:
    ```mlir
    %t = vit.transpose %k by [0, 1, 3, 2] : tensor<1x4x17x16xf32> -> tensor<1x4x16x17xf32>
    %m = vit.matmul %q, %t : (tensor<1x4x17x16xf32>, tensor<1x4x16x17xf32>) -> tensor<1x4x17x17xf32>
    %s = vit.mul %m, %quarter : (tensor<1x4x17x17xf32>, tensor<f32>) -> tensor<1x4x17x17xf32>
    ```
    After:
    ```mlir
    %s = vit.matmul %q, %k transpose_rhs scale 2.5e-01 : (tensor<1x4x17x16xf32>, tensor<1x4x17x16xf32>) -> tensor<1x4x17x17xf32>
    ```

    An elementary op that no pattern takes is left as it is; `vit-verify-float`
    says which and why. A function that patterns would change for more than `max-rounds`
    rounds is an error.
  }];
  let options = [
    Option<"maxRounds", "max-rounds", "int64_t", "64", "Rounds that patterns need at most to come to an end">,
  ];
  let dependentDialects = ["::vitq::vit::VitDialect", "::mlir::arith::ArithDialect"];
}

def VitMoveLayoutsPass : Pass<"vit-move-layouts", "::mlir::ModuleOp"> {
  let summary = "Move transposes of maps behind the ops that read them";
  let description = [{
    ONNX has the channels of a map in front, `[B, C, H, W]`; ops on maps have them last. So
    each comes with a transpose before it and one behind it. This pass moves those that bring
    channels forward (`[0, 3, 1, 2]`, `[0, 2, 1]`) behind the ops that read them, which then
    work on the other order of axes, until they meet the one that brings the channels back,
    and both go. An op says by `PermutableOp` whether and how it works on another order:
    functions of elements, sums and products with what has the same order, or broadcasts,
    joins, slices, pads, means, reshapes that keep the axes apart. Others, products of
    matrices say, read the transpose as before.

    Before:
    ```mlir
    %a = vit.transpose %x by [0, 3, 1, 2] : tensor<1x8x6x4xf32> -> tensor<1x4x8x6xf32>
    %b = vit.relu %a : tensor<1x4x8x6xf32> -> tensor<1x4x8x6xf32>
    %c = vit.transpose %b by [0, 2, 3, 1] : tensor<1x4x8x6xf32> -> tensor<1x8x6x4xf32>
    ```
    After:
    ```mlir
    %c = vit.relu %x : tensor<1x8x6x4xf32> -> tensor<1x8x6x4xf32>
    ```

    `vit-recover-patterns` does the same between its patterns, where a model has maps besides
    those of a patch embedding. Values do not change, but for the order in which floats are
    added up in a mean.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::vitq::vit::VitDialect"];
}

def VitVerifyFloatPass : Pass<"vit-verify-float", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the float phase";
  let description = [{
    Succeeds when the module is a float vit program as `vit-quantize` expects it:

    * one function `@main`, whose operands and results are statically shaped
      tensors with a leading batch axis;
    * only `func`, `arith.constant` and `vit` ops, no quantized type but that of
      the pixels that `vit.normalize_pixels` reads;
    * the location of every op but constants is a name: its ONNX node;
    * no elementary op is left that only exists to be matched (`sub`, `div`,
      `pow`, `sqrt`, `erf`, `exp` and `where`);
    * every weight is finite.

    Every violation is an error at the op. The module is not changed.
  }];
}

def VitRotateResidualPass : Pass<"vit-rotate-residual", "::mlir::ModuleOp"> {
  let summary = "Spread what single channels of the residual stream hold over all of them";
  let description = [{
    The residual stream `x` (`[..., C]`: sums and moves of tokens between layers) becomes `x P`, `P = (I - 1 1^T / C) R`
    with `R = diag(s) H / sqrt(C)`: random signs `s` of `seed` and a Hadamard matrix `H` of order C. What
    writes the stream takes up `P` (rows of weights, biases, constants that are added). LayerNorm,
    which removes the mean anyway, becomes an RMS norm without gamma and beta; these and `R` go into
    the layers that read its result (QuaRot, Ashkboos et al. 2024, section 3; docs/Recipes.md, Rotations).
    The function is the same over the reals, and nothing is computed at run time that was not
    before; no channel reaches much farther than the others, so that the codes of the stream and of the norms'
    results are finer.

    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 : ...
    %q = vit.linear %n, %w, %b : ...
    ```
    becomes
    ```mlir
    %n = vit.layer_norm rms %x, %ones, %zeros eps 1.0e-6 : ...
    %q = vit.linear %n, %w_gamma_R, %b_plus_w_beta : ...
    ```
    Where no Hadamard matrix of order C is known, `R` has blocks of the largest order known that divides
    C (a remark). A stream that anything else reads or writes is left as it is (a remark names it).
    It is an error if ranges were calibrated already.
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "0", "Seed of the signs">
  ];
  let statistics = [
    Statistic<"numStreams", "num-streams", "Streams that were rotated">
  ];
}

def VitRotateHeadsPass : Pass<"vit-rotate-heads", "::mlir::ModuleOp"> {
  let summary = "Spread what single channels of queries, keys and values hold over those of the head";
  let description = [{
    Queries and keys of a head become `q S` and `k S`, values `v S`, with `S = diag(s) H / sqrt(d)` as in
    `vit-rotate-residual`, d the channels of a head (docs/Recipes.md, Rotations). The product of queries and keys
    removes S; the layer that reads the averaged values takes it into its columns. Only where a
    linear layer gives them: what is rotated by its position or normalized between is left alone.

    ```mlir
    %q = vit.linear %x, %wq : (tensor<1x197x192xf32>, tensor<192x192xf32>) -> tensor<1x197x192xf32>
    ```
    becomes
    ```mlir
    %q = vit.linear %x, %wq_S : (tensor<1x197x192xf32>, tensor<192x192xf32>) -> tensor<1x197x192xf32>
    ```
    It is an error if ranges were calibrated already.
  }];
  let options = [
    Option<"seed", "seed", "uint64_t", "0", "Seed of the signs">
  ];
  let statistics = [
    Statistic<"numProducts", "num-products", "Products of activations whose operands were rotated">
  ];
}

def VitCalibratePass : Pass<"vit-calibrate", "::mlir::ModuleOp"> {
  let summary = "Attach the ranges of a float model's values, from images or from a file";
  let description = [{
    Runs `@main` on the images of `data` (all, or the first `limit`), prepared as
    `preprocess` says, and attaches the smallest and the largest value seen:
    `vit.range = array<f64: min, max>` on every op with a float result (one pair for
    each result) and on the argument. `vit.preprocess` on the module keeps the
    preprocessing.

    Ops with one float result get statistics as well, C being the extent of the
    result's last axis (the channels):
    * `vit.histogram : tensor<Nx2xi64>`: rows [bin, count], ascending by bin, of
      log-linear bins (vitq/Analysis/Histogram.h); on all but pure moves (reshape,
      transpose, slice, gather, broadcast, pad, concat);
    * `vit.channel_range : tensor<Cx2xf32>`: [min, max] of each channel, and
      `vit.channel_mean : tensor<Cxf64>`: its mean; on `vit.linear`, `vit.layer_norm`,
      functions of one variable, and whatever gives a `vit.linear` its input.

    They do not depend on the number of threads. `save-ranges` writes everything to
    a JSON file under the names of the ONNX nodes, with a fingerprint of the model;
    `load-ranges` reads such a file instead of looking at images (a file of version 1
    has ranges only); several, separated by commas, are merged to the table that all of their images give, the sums of
    channels being integers. A file of another model, a value that the file does not name,
    that has another number of channels there, or that is NaN or infinite, is an error.
    Warnings: a file without a fingerprint; images that are all blank or all the same.
    A remark: images that carry an EXIF orientation, which is ignored.

    ```mlir
    %y = vit.relu %x : ...  loc("/mlp/Relu")
    ```
    becomes
    ```mlir
    %y = vit.relu %x {vit.channel_mean = dense<...> : tensor<8xf64>,
                      vit.channel_range = dense<...> : tensor<8x2xf32>,
                      vit.histogram = dense<...> : tensor<41x2xi64>,
                      vit.range = array<f64: 0.0, 3.25>} : ...  loc("/mlp/Relu")
    ```
  }];
  let options = [
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "",
           "resize=N|HxW|cover:HxW,crop=N|HxW,interpolation=bicubic|bilinear,pillow=12|13,mean=M,std=S, or @FILE.json">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">,
    Option<"saveRanges", "save-ranges", "std::string", "", "JSON file to write the ranges to">,
    Option<"loadRanges", "load-ranges", "std::string", "", "JSON file to read the ranges from, instead of images">
  ];
}

def VitGatherRowsPass : Pass<"vit-gather-rows", "::mlir::ModuleOp"> {
  let summary = "Windows and rolls as one gather of rows, in front of the layer that makes them";
  let description = [{
    Partitions into windows, cyclic shifts and their reversals are chains of reshape,
    transpose, slice and concat that move whole rows (what lies along the last axis).
    A chain from one value to another, of which nothing between is read by others, becomes
    one `vit.gather` of rows. Behind a `vit.linear` with a constant weight the rows of its
    input are gathered instead, if they have at most twice as many channels as the result
    (they are codes of 8 bits, the result often has 16): then nothing stands between the
    layer and the residual add.

    ```mlir
    %y = vit.linear %x, %w, %b : (tensor<4x16x32xf32>, ...) -> tensor<4x16x32xf32>
    %r = vit.reshape %y to [1, 2, 2, 4, 4, 32] : ...
    %t = vit.transpose %r by [0, 1, 3, 2, 4, 5] : ...
    %z = vit.reshape %t to [1, 8, 8, 32] : ...
    ```
    becomes
    ```mlir
    %f = vit.reshape %x to [1, 64, 32] : ...
    %g = vit.gather %f indices [0, 1, 2, 3, 16, 17, ...] axis 1 : tensor<1x64x32xf32> -> tensor<1x64x32xf32>
    %h = vit.reshape %g to [1, 8, 8, 32] : ...
    %z = vit.linear %h, %w, %b : (tensor<1x8x8x32xf32>, ...) -> tensor<1x8x8x32xf32>
    ```
    Exact. Left alone: rows that keep their order, and views that strides describe (the
    transposes of an attention), which kernels read in place.
  }];
  let statistics = [Statistic<"numGathers", "num-gathers", "Chains that became a gather">,
                    Statistic<"numHoisted", "num-hoisted", "Linear layers whose input is gathered instead of the result">];
}

def VitDeferSoftmaxDivisionPass : Pass<"vit-defer-softmax-division", "::mlir::ModuleOp"> {
  let summary = "Move the division of softmax behind the product by V";
  let description = [{
    Splits `vit.softmax` into `vit.softmax_numerator` and `vit.divide_rows`, and moves
    the division behind a `vit.matmul` that contracts over the softmax axis:
    `(E / sum) * V = (E * V) / sum`, exact over the reals (docs/Rules.md, R10).

    ```mlir
    %p = vit.softmax %s : tensor<1x3x197x197xf32> -> tensor<1x3x197x197xf32>
    %o = vit.matmul %p, %v : ...
    ```
    becomes
    ```mlir
    %e, %sum = vit.softmax_numerator %s : ...
    %u = vit.matmul %e, %v : ...
    %o = vit.divide_rows %u, %sum : ...
    ```
    A softmax used otherwise keeps its division where it is. Calibrated ranges
    (`vit.range`) move along: the division takes that of the product.

    With `masked-only` only a softmax whose argument is a sum with a constant (a mask)
    is split: Shiftmax, which keeps the division, gives nothing exactly zero.
  }];
  let options = [Option<"maskedOnly", "masked-only", "bool", "false", "Only behind masks and biases of scores">];
  let statistics = [Statistic<"numDeferred", "num-deferred", "Divisions moved behind a matmul">];
}

def VitSplitOutliersPass : Pass<"vit-split-outliers", "::mlir::ModuleOp"> {
  let summary = "Take outlier channels of an MLP out of the 8-bit path";
  let description = [{
    In `linear -> gelu -> linear` (or SiLU, or hard swish), a hidden channel whose
    calibrated maximum exceeds `threshold` times that of the median channel, of those
    that are not 0 throughout, would cost all others their resolution (one of 768 channels of ViT-Tiny's block 7 reaches 219, the next
    9). Such channels get a path of their own, which `vit-quantize` keeps
    at 16 bits (`vit.wide`); their rows and columns in the 8-bit path become 0, so that the
    path keeps its shape. Exact over the reals: a sum is taken apart.

    ```mlir
    %u = vit.linear %x, %w1, %b1 : (tensor<1x4x8xf32>, tensor<64x8xf32>, tensor<64xf32>) -> tensor<1x4x64xf32>
    %g = vit.gelu erf %u {vit.channel_range = ...} : ...
    %y = vit.linear %g, %w2, %b2 : ...
    ```
    becomes, where channel 17 is an outlier,
    ```mlir
    %u0 = vit.linear %x, %w1_without_17, %b1_without_17 : ... -> tensor<1x4x64xf32>
    %g0 = vit.gelu erf %u0 : ...
    %y0 = vit.linear %g0, %w2_without_17, %b2 : ...
    %u1 = vit.linear %x, %w1_17, %b1_17 : ... -> tensor<1x4x1xf32>
    %g1 = vit.gelu erf %u1 {vit.wide} : ...
    %y1 = vit.linear %g1, %w2_17 {vit.wide} : ...
    %y = vit.add %y0, %y1 : ...
    ```
    Ranges, channel ranges, means and histograms are split with the channels. Layers in
    which more than one channel in 16 stands out are left alone, as are functions
    that are not the identity for large arguments. Without channel ranges
    (`vit-calibrate`) it is an error at the function.
  }];
  let options = [
    Option<"threshold", "threshold", "double", "4.0",
           "Ratio of a channel's maximum to the median channel's from which on it is split off (0 = never)">
  ];
  let statistics = [Statistic<"numSplit", "num-split", "Channels that left the 8-bit path">];
}

def VitAssignBitsPass : Pass<"vit-assign-bits", "::mlir::ModuleOp"> {
  let summary = "Say how many bits each tensor's codes get";
  let description = [{
    Writes `vit.weight_bits` on layers with weights, `vit.code_bits` on ops whose results get codes of fewer than 8 bits
    and `vit.stream_bits` on sums of the residual stream, for the passes behind it. `bits` is as
    for `--bits` (docs/Recipes.md, Bits): ROLE=N or `@FILE.json`, separated by commas. Codes that several
    read have the bits of who wants the most. The first layer and the last one keep 8 bits unless they are
    named; channels that are computed at 16 bits (`vit-split-outliers`) and codes that a quantized model brought stay
    as they are.

    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 : ...
    %q = vit.linear %n, %w, %b : ...
    ```
    becomes, with `bits=weights=4,norm=6`,
    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 {vit.code_bits = 6 : i64} : ...
    %q = vit.linear %n, %w, %b {vit.weight_bits = 4 : i64} : ...
    ```
    An error: a role or number of bits that there is not, a layer that the model does not have (with the
    nearest names), and less than 4 bits for probabilities.
  }];
  let options = [Option<"bits", "bits", "std::string", "", "ROLE=N or @FILE.json, separated by commas">];
  let statistics = [Statistic<"numWeights", "num-weights", "Weights of fewer than 8 bits">];
}

def VitChooseBitsPass : Pass<"vit-choose-bits", "::mlir::ModuleOp"> {
  let summary = "Choose the bits of each layer's weights, or of activations too, within a budget";
  let description = [{
    Where `bits` says `auto:BUDGET=N`, each layer with constant weights gets 2, 3, 4, 5, 6 or 8 bits
    (`vit.weight_bits`). With a budget of `latency` or `energy` what products read gets 4, 6 or 8 as well
    (`vit.code_bits`; not probabilities). The first layer, the last one and what `bits` names keep what `vit-assign-bits`
    gave them. Budgets (docs/Recipes.md, Mixed bits):

    * `size`: bytes of the weights of layers;
    * `latency`, `energy`: what `target` says of the products (`Target::productCost`), over the same with 8 bits;
    * `drop`: the fewest bytes that lose at most N points, as measured below.

    What a choice loses is measured: the float function runs on `single` images that nothing was fitted to with one tensor
    rounded, everything else as it is; the loss is the mean KL divergence of the classes' probabilities, in nats. Weights are rounded by the errors
    of products (GPTQ, as in `vit-fit-weights`, and the bias takes up the mean), values to the range of least squared error. Losses add up as if tensors did
    not see each other; the choice is the exact solution of that knapsack problem (dynamic programming). Then it is measured
    as a whole, on `aside` such images (those and others, at most half of all), and repaired: `repairs` tensors that more bits should help most
    and as many that fewer bits should hurt least are measured one by one, then exchanged where the whole loses less by
    more than the standard error of the difference.

    `front` names a JSON file: `{"version": 1, "budget": ..., "front": [{"cost": x, "bytes": N, "loss_nats": x,
    "weight_bits": {LAYER: N, ...}, "activation_bits": {OP: N, ...}}, ...], "chosen": {...}, "all_8": {...}, "all_4": {...}}`,
    the choices at 25 budgets, the one that was taken, and 8 and 4 bits for all. A report shows them (`vitq.bit_front`).

    ```mlir
    %y = vit.linear %x, %w, %b : ...
    ```
    becomes
    ```mlir
    %y = vit.linear %x, %w, %b {vit.weight_bits = 4 : i64} : ...
    ```
    An error: a budget below what the fewest bits take, a target that has no model of it or on which fewer bits save nothing,
    and no images.
  }];
  let options = [
    Option<"bits", "bits", "std::string", "", "As for vit-assign-bits">,
    Option<"target", "target", "std::string", "\"native\"", "Whose costs count (as vitq-opt --target)">,
    Option<"hostTarget", "host-target", "std::string", "\"native\"", "CPU beside an accelerator (as vitq-opt --host-target)">,
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "", "As for vit-calibrate (default: what that pass did)">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">,
    Option<"single", "single", "uint64_t", "16", "Images kept aside that single tensors are measured on">,
    Option<"aside", "aside", "uint64_t", "32", "Images, at most half of all, that nothing is fitted to">,
    Option<"repairs", "repairs", "uint64_t", "12", "Changes each way that are tried as a whole (0: none)">,
    Option<"frontFile", "front", "std::string", "", "JSON file for the choices at other budgets">
  ];
  let dependentDialects = ["::vitq::systolic::SystolicDialect", "::mlir::affine::AffineDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
  let statistics = [Statistic<"numTensors", "num-tensors", "Tensors whose bits were chosen">];
}

def VitRotateHiddenPass : Pass<"vit-rotate-hidden", "::mlir::ModuleOp"> {
  let summary = "Spread the result of a function over blocks of channels while the program runs";
  let description = [{
    Puts a `vit.hadamard` behind each function (GELU) that linear layers with constant weights read, and its
    transpose into their weights, where the layer's weights (`vit.weight_bits`) or the codes that it reads
    (`vit.code_bits`) have at most `at-most` bits. The blocks have `block` channels, or the largest power of two
    below that divides the channels. Unlike `vit-rotate-residual` it costs additions at run time: log2(block) for
    each number (QuaRot, Ashkboos et al. 2024, section 4). The function is the same over the reals. What is spread is coded with 8
    bits in front of codes of 4 or fewer, else with as many steps as sums of 16 bits have room for (`vit.wide`).

    ```mlir
    %g = vit.gelu erf %u {vit.code_bits = 4 : i64} : tensor<1x197x768xf32>
    %y = vit.linear %g, %w, %b : ...
    ```
    becomes
    ```mlir
    %g = vit.gelu erf %u : tensor<1x197x768xf32>
    %h = vit.hadamard %g block 64 {vit.code_bits = 4 : i64} : tensor<1x197x768xf32> -> tensor<1x197x768xf32>
    %y = vit.linear %h, %w_h, %b : ...
    ```
    What was calibrated of other values stays; the transforms' results are to be measured.
  }];
  let options = [
    Option<"block", "block", "int64_t", "64", "Channels of a block: a power of two, 2 to 256">,
    Option<"atMost", "at-most", "int64_t", "8", "Bits of weights or codes up to which it is done">
  ];
  let statistics = [Statistic<"numRotated", "num-rotated", "Functions whose result is spread">];
}

def VitShiftChannelsPass : Pass<"vit-shift-channels", "::mlir::ModuleOp"> {
  let summary = "Multiply channels by powers of two before they are spread";
  let description = [{
    What a `vit.hadamard` spreads is coded with one step for all, and an error of a code is one of all channels of its block.
    Where its codes have at most `at-most` bits and linear layers with constant weights read them, this gives it a shift for each
    channel: log2 of `sqrt(w / sigma)`, rounded, with `w` the norm of the weights that read the channel and `sigma` its
    standard deviation over the calibration images, a quarter to four times that of most channels. So channels take part
    by what they count. The weights are divided by it. The function is the same over the reals.

    ```mlir
    %h = vit.hadamard %g block 64 {vit.code_bits = 4 : i64} : tensor<1x197x768xf32> -> tensor<1x197x768xf32>
    %y = vit.linear %h, %w, %b : ...
    ```
    becomes
    ```mlir
    %h = vit.hadamard %g block 64 shifts [2, 1, 3, ...] {vit.code_bits = 4 : i64} : ...
    %y = vit.linear %h, %w_shifted, %b : ...
    ```
    It comes behind vit-rotate-hidden and before vit-center-channels. An error without images.
  }];
  let options = [
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "", "As for vit-calibrate (default: what that pass did)">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">,
    Option<"atMost", "at-most", "int64_t", "8", "Bits of codes up to which it is done">
  ];
  let statistics = [Statistic<"numShifted", "num-shifted", "Transforms whose channels were shifted">];
}

def VitCenterChannelsPass : Pass<"vit-center-channels", "::mlir::ModuleOp"> {
  let summary = "Take the mean of each channel out of what is coded";
  let description = [{
    The mean `c` of each channel over the calibration images leaves a value that gets codes of at most `at-most` bits
    (`vit.code_bits`), where that costs nothing at run time: a LayerNorm that linear layers read (`beta - c`, and `b + W c` in the
    readers), the keys of an attention (`b - c`: softmax does not see what all keys have in common), its values
    (`b - c`, and `b + W c` in the layer that reads the averages) and what a `vit.hadamard` spreads (`centers`, and `b + W c` with
    the transformed c). What is left is around 0, so that few codes
    need not reach as far. The function is the same over the reals.

    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 {vit.code_bits = 4 : i64, vit.channel_mean = ...} : ...
    %q = vit.linear %n, %w, %b : ...
    ```
    becomes
    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta_minus_c eps 1.0e-6 {vit.code_bits = 4 : i64} : ...
    %q = vit.linear %n, %w, %b_plus_wc : ...
    ```
    A value of which calibration saw fewer than 16 rows stays as it is.
    Where anything was centered all calibrated statistics are removed: they are to be measured again.
  }];
  let options = [Option<"atMost", "at-most", "int64_t", "8", "Bits of codes up to which it is done">];
  let statistics = [Statistic<"numCentered", "num-centered", "Values that were centered">];
}

def VitFitCodeRangesPass : Pass<"vit-fit-code-ranges", "::mlir::ModuleOp"> {
  let summary = "Choose the range of few codes by their squared error";
  let description = [{
    Values whose result has `vit.code_bits` get the range (`vit.range`, or `vit.code_ranges` where channels have scales of
    their own) at which the squared error of their codes over the calibration images is least: both ends shrunk
    alike, to 0.15 at least, then each end by itself. 8 bits keep what was calibrated: there rare values
    matter more (docs/Recipes.md, Bits).

    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 {vit.code_bits = 4 : i64, vit.range = array<f64: -8.0, 9.0>} : ...
    ```
    becomes
    ```mlir
    %n = vit.layer_norm %x, %gamma, %beta eps 1.0e-6 {vit.code_bits = 4 : i64, vit.range = array<f64: -2.6, 2.7>} : ...
    ```
    An error without images.
  }];
  let options = [
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "", "As for vit-calibrate (default: what that pass did)">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">
  ];
  let statistics = [Statistic<"numFitted", "num-fitted", "Values whose range was fitted">];
}

def VitClipRangesPass : Pass<"vit-clip-ranges", "::mlir::ModuleOp"> {
  let summary = "Narrow calibrated ranges as observers say";
  let description = [{
    Replaces `vit.range` of values by what an observer makes of their histogram,
    kind by kind: `residual` (the 16-bit stream), `attention` (queries, keys,
    values), `function` (results of GELU and its like), `argument` (their
    arguments), `linear` (other operands of linear layers), or `all`. Methods:

    * `minmax`: the calibrated range (default);
    * `percentile:P`: from the (100-P)th to the Pth percentile;
    * `mse`: both ends shrunk by the factor whose 8-bit codes (residual: 16-bit) have
      the least squared error.

    ```mlir
    %y = vit.layer_norm ... {vit.range = array<f64: -8.0, 90.0>, vit.histogram = ...}
    ```
    becomes, with `observers=linear=percentile:99.9`,
    ```mlir
    %y = vit.layer_norm ... {vit.range = array<f64: -3.1, 4.2>, vit.histogram = ...}
    ```
    Rare values may matter most: on ViT-Tiny anything but `minmax` loses accuracy
    at 8 bits (docs/Recipes.md, Options that are off). A value without a histogram is an error.
  }];
  let options = [
    Option<"observers", "observers", "std::string", "", "KIND=minmax|percentile:P|mse, separated by commas">
  ];
  let statistics = [Statistic<"numClipped", "num-clipped", "Ranges that were narrowed">];
}

def VitFitFunctionRangesPass : Pass<"vit-fit-function-ranges", "::mlir::ModuleOp"> {
  let summary = "Choose the input range of a function by the error of its output";
  let description = [{
    The codes of a function's 8-bit argument need not cover what the function
    flattens out: GELU's results below -3 are all nearly 0. The pass moves the ends of the
    argument's `vit.range` inwards, where that moves the function's value, for every
    argument beyond the new end, by at most `tolerance` of its span, to where the squared error of the function's results over
    the calibrated histogram is least (docs/Recipes.md).

    ```mlir
    %u = vit.linear %x, %w, %b {vit.range = array<f64: -17.1, 6.5>, vit.histogram = ...} : ...
    %g = vit.gelu erf %u : ...
    ```
    becomes
    ```mlir
    %u = vit.linear %x, %w, %b {vit.range = array<f64: -2.9, 6.5>, vit.histogram = ...} : ...
    %g = vit.gelu erf %u : ...
    ```
    Arguments with other users, and 16-bit ones (`vit.wide`), keep theirs. An argument
    without a histogram is an error.
  }];
  let options = [
    Option<"tolerance", "tolerance", "double", "0.02",
           "How far the function's value may move at the ends, as a share of its span">
  ];
  let statistics = [Statistic<"numFitted", "num-fitted", "Arguments whose range changed">];
}

def VitBalanceChannelsPass : Pass<"vit-balance-channels", "::mlir::ModuleOp"> {
  let summary = "Make channels that linear layers read reach about as far";
  let description = [{
    What a linear layer reads is coded in 8 bits with one scale, and one channel, or one
    head, that reaches much farther than the others takes their codes away. Where
    constants decide how far each channel reaches, such a channel is divided by a
    power of two there, and multiplied in the columns of the weights that read it: an
    identity, exact in floating point. That is so for

    * the result of a layer_norm: its gamma and beta;
    * the result of a rectifier behind a linear layer: the rows of the layer's weight and
      its bias;
    * the product of an attention's probabilities and values, divided or not: the same
      of the layer that gives the values.

    Far is what reaches beyond `threshold` times the lower quartile of all channels that
    are not 0 throughout; it is brought to where the farthest of the others ends.
    Ranges are changed alike. Results without channel ranges, and those that anything but
    linear layers with constant weights reads, are left alone.

    ```mlir
    %u = vit.linear %x, %w1, %b1 {vit.channel_range = dense<[[-1.0, 1.0], [-31.0, 60.0]]>, ...} : ...
    %r = vit.relu %u {vit.channel_range = dense<[[0.0, 1.0], [0.0, 60.0]]>, ...} : ...
    %y = vit.linear %r, %w2 : ...
    ```
    becomes, with row 1 of `%w1` and `%b1` divided and column 1 of `%w2` multiplied by 64,
    ```mlir
    %u = vit.linear %x, %w1s, %b1s {vit.channel_range = dense<[[-1.0, 1.0], [-0.484375, 0.9375]]>, ...} : ...
    %r = vit.relu %u {vit.channel_range = dense<[[0.0, 1.0], [0.0, 0.9375]]>, ...} : ...
    %y = vit.linear %r, %w2s : ...
    ```
  }];
  let options = [
    Option<"threshold", "threshold", "double", "6.0",
           "How many times as far as the lower quartile a channel may reach">
  ];
  let statistics = [Statistic<"numBalanced", "num-balanced", "Channels whose reach changed">];
}

def VitAssignChannelScalesPass : Pass<"vit-assign-channel-scales", "::mlir::ModuleOp"> {
  let summary = "Give heads and channels scales of their own";
  let description = [{
    Decides where the indices of a tensor's last axis get codes of different scales, and
    leaves the ranges for `vit-quantize` as `vit.code_ranges`:

    * `heads`: queries, keys and values have one scale for each head (docs/Rules.md, R4 and R5);
    * `own=N`: the N channels of a function's result that reach farthest have scales of
      their own, the rest shares one (docs/Recipes.md). The scales are folded into the
      weights of the layers that read the result; the function becomes N + 1
      tables;
    * `depthwise`: what a depthwise convolution reads has a scale for each channel where its codes
      are made from the sums of another layer, without a function between: there a scale for each
      costs nothing;
    * `norms=on`: every channel of a layer_norm has its own scale, folded likewise (RepQ-ViT);
      `norms=auto`: where the statistics say that it pays (docs/Recipes.md, Scales for the
      channels of LayerNorm). Of `n` rows that were seen of the result, `vit.calibration_images`
      times those of an image, ranges of channels are widened by `sqrt(ln 2^14 / ln n)`, at most to
      the tensor's. The channels get scales if the error of products that read the result, `sum_c
      step_c^2 * sum_i w[i, c]^2`, is then at most 10^-0.2 (2 dB less) of what it is with one step.
      Without the number of images, no norm gets them.

    ```mlir
    %g = vit.gelu erf %u {vit.range = array<f64: -0.17, 8.6>, vit.channel_range = ...} : tensor<1x4x768xf32> -> tensor<1x4x768xf32>
    ```
    becomes
    ```mlir
    %g = vit.gelu erf %u {vit.code_ranges = dense<...> : tensor<768x2xf32>, ...} : tensor<1x4x768xf32> -> tensor<1x4x768xf32>
    ```
    A result that anything but layers with constant weights (linear ones and convolutions) reads
    keeps one scale. Without channel ranges it is an error.
  }];
  let options = [
    Option<"heads", "heads", "bool", "true", "One scale for each head of queries, keys and values">,
    Option<"own", "own", "unsigned", "8", "Channels of a function's result that get their own scale">,
    Option<"depthwise", "depthwise", "bool", "true", "One scale for each channel that a depthwise convolution reads">,
    Option<"norms", "norms", "::vitq::NormScales", "::vitq::NormScales::Off",
           "One scale for each channel of a layer_norm",
           [{::llvm::cl::values(
             clEnumValN(::vitq::NormScales::Off, "off", "never"),
             clEnumValN(::vitq::NormScales::On, "on", "always"),
             clEnumValN(::vitq::NormScales::Auto, "auto", "where the calibrated channels say that it pays"))}]>
  ];
  let statistics = [
    Statistic<"numHeads", "num-heads", "Tensors with one scale for each head">,
    Statistic<"numChannels", "num-channels", "Tensors whose channels have scales of their own">
  ];
}

def VitTakePixelsPass : Pass<"vit-take-pixels", "::mlir::ModuleOp"> {
  let summary = "Let the program read bytes of pixels";
  let description = [{
    The image of `@main`, float `[B, C, H, W]`, becomes `[B, H, W, C]` bytes of scale 1/255
    and a `vit.normalize_pixels` with mean and standard deviation of the module's
    preprocessing (`vit.preprocess`).

    ```mlir
    func.func @main(%image: tensor<1x3x224x224xf32>) -> ...
    ```
    becomes
    ```mlir
    func.func @main(%pixels: tensor<1x224x224x3x!quant.uniform<u8:f32, 0.0039215686274509803>>) -> ... {
      %image = vit.normalize_pixels %pixels mean [0.5, 0.5, 0.5] std [0.5, 0.5, 0.5] : ...
    ```
    A function that takes quantized values already is left alone. Where the image feeds a
    patch embedding the normalization goes into its weights (`vit-quantize-weights`);
    other readers get codes of the normalized image, a table for each channel.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitAdoptCodesPass : Pass<"vit-adopt-codes", "::mlir::ModuleOp"> {
  let summary = "Put the casts of a quantized model where integers can have them";
  let description = [{
    A quantized model brings `vit.quantize` and `vit.dequantize` of its own. Their scales and
    zero points stay; `vit-quantize` gives codes to what has none. This pass says in another
    way what the integer phase cannot do as it stands:

    * a quantization behind a move of one operand goes in front of it, where the value is
      computed, unless the move takes only a part;
    * the right operand of a `vit.matmul` is read as signed codes with zero point 0; what its
      zero point adds to each row is the row sum of the left operand, and is left out where only
      a softmax reads the product. 16-bit codes there are taken apart: one product with multiples of
      257 steps, one with the rest, each of 8 bits. Codes of several scales are not kept (a remark);
    * what the model leaves float must not lose more than what it codes: a function with a float
      operand (or a product of two tensors, one of them coded) is marked `vit.wide`, so that it takes
      and gives 16 bits, and so is every softmax, whose numerators then have 16 bits and need no
      codes of 16 bits behind them. The argument of a function that has 16 bits is read around 0;
    * a quantization rounds as the op does that computes its operand.

    ```mlir
    %v = vit.dequantize %q : tensor<1x3x17x64x!quant.uniform<u8:f32, 0.1:120>> -> tensor<1x3x17x64xf32>
    %o = vit.matmul %p, %v : ...
    ```
    becomes
    ```mlir
    %a = vit.dequantize %q_minus_128 : tensor<1x3x17x64x!quant.uniform<i8:f32, 0.1>> -> tensor<1x3x17x64xf32>
    %m = vit.matmul %p, %a : ...
    %s = vit.linear %p, %ones : ...  // in units of 0.1 * 8
    %o = vit.add %m, %s : (tensor<1x3x17x64xf32>, tensor<1x3x17x1xf32>) -> tensor<1x3x17x64xf32>
    ```
    A float model is left alone.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let statistics = [
    Statistic<"numHoisted", "num-hoisted", "Quantizations moved to where their value is computed">,
    Statistic<"numCentered", "num-centered", "Right operands whose zero point became row sums">,
    Statistic<"numTakenApart", "num-taken-apart", "Right operands of 16 bits that became two of 8">
  ];
}

def VitQuantizePass : Pass<"vit-quantize", "::mlir::ModuleOp"> {
  let summary = "Choose quantized types of activations and insert the casts";
  let description = [{
    8-bit activations with a 16-bit residual stream, from the ranges that `vit-calibrate`
    left on the ops (`vit.range`). Each op says which codes it wants and gives
    (`QuantizableOp`); a value is coded once, where it is produced, as wide as its widest
    use, and again for uses that want less:

    * operands of contractions: 8 bits per tensor. The left operand is unsigned:
      with zero point 128 where its range is nearly symmetric, otherwise with
      the zero point that uses all codes; the right operand of a matmul is signed
      with zero point 0;
    * operands and results of residual adds, operands of layer_norm: signed 16
      bits, one scale per add, `headroom` above the calibrated range; accumulators
      enter an add as they are (docs/Rules.md, R12);
    * softmax: 8-bit codes relative to the row maximum (scale 1/255) and their sums
      (docs/Recipes.md, What each part is for); scores with a mask 16 bits (docs/Recipes.md,
      Masks);
    * constant operands of a computation: symmetric, as wide as the operand;
    * operands and results of ops marked `vit.wide` (`vit-split-outliers`), and functions
      that give the program's result: signed 16 bits;
    * what takes only a part of the residual stream reads it at 16 bits, and is coded
      by the range of that part;
    * a value with `vit.code_ranges` (`vit-assign-channel-scales`) has one scale per index
      of its last axis. Before a linear layer the codes are read as if they had one
      scale, `quant.scast` to integers and back to a per-tensor type; the rest of each
      scale is folded into the weights by `vit-quantize-weights`.

    Left as they are: weights, sums of two accumulators on their way to an add
    (`vit-quantize-weights`), the function's results (`vit-quantize-result`), and the
    input of a patch embedding that reads normalized pixels.

    `layout=ivit` is I-ViT's own (docs/Recipes.md, I-ViT's layout): codes are signed and symmetric,
    roundings half to even, the normalized image, queries, keys, values and scores 8 bits,
    probabilities 16 bits with scale 2^-15, and the results of patch embedding,
    projections and adds 16 bits each.

    The function computes on dequantized values afterwards: every quantization is a
    `vit.quantize` followed by a `vit.dequantize`.

    ```mlir
    %y = vit.linear %x, %w, %b : ...
    ```
    becomes
    ```mlir
    %q = vit.quantize %x round half_up : tensor<1x197x192xf32> -> tensor<1x197x192x!quant.uniform<u8:f32, 0.02:128>>
    %d = vit.dequantize %q : ...
    %y = vit.linear %d, %w, %b : ...
    ```
    Refuses a value without a range, and an op that has no integer form.
  }];
  let options = [
    Option<"layout", "layout", "::vitq::QuantizedLayout", "::vitq::QuantizedLayout::Vitq",
           "Which tensors are quantized, and how wide",
           [{::llvm::cl::values(
             clEnumValN(::vitq::QuantizedLayout::Vitq, "vitq", "accumulators go into adds as they are; unsigned codes"),
             clEnumValN(::vitq::QuantizedLayout::IVit, "ivit", "I-ViT's own"))}]>,
    Option<"headroom", "headroom", "double", "1.1",
           "Factor by which 16-bit ranges exceed the calibrated ones (1 = none)">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitFitWeightsPass : Pass<"vit-fit-weights", "::mlir::ModuleOp"> {
  let summary = "Choose codes of weights by the errors of products, on calibration images";
  let description = [{
    Between `vit-quantize` and `vit-quantize-weights`, for weights of fewer than 8 bits (`vit.weight_bits`,
    or `bits`), where rounding each weight by itself loses much. Nothing is trained: each layer
    is solved once, in the order of the function.

    Two functions run side by side on the images of `data`: `@main` as if there were no casts, and `@main` as it
    is with the weights chosen so far, those of 8 bits rounded. For a linear layer let x be what it reads in the
    second and y what it gives in the first, less their means over all rows of all images, row r weighted
    by `t_r`; `H = sum t x x^T`, `w` the row of weights of an output channel.

    A result that is a term of a sum alone (the residual stream) is asked for what the sum lacks: y is what the
    layer gives in the first function and the difference of the other terms in both. So a layer takes back what errors before
    it have left in the stream, as far as what it reads tells.

    Each image is there a second time, shifted by a 25th of its height and a 32nd of its width (`shifted`): what a layer is
    fitted to are rows, and those of an image that is cut elsewhere are others.

    * Least squares: the weights give y for x, not for what x was before it was coded: `w += (H + rho mean(diag H) I)^-1
      sum t x (y - w x)`. One image in four is kept aside: of several rho the one with which what the others say makes the
      error on these least is taken, on all images, and none where it becomes no smaller, or where there are fewer
      rows than inputs.
    * Start: the scale of the largest weight, shrunk by 1 to 0.45 to where `e^T H e` is least, e the error of rounding.
    * GPTQ (Frantar et al., arXiv 2210.17323): columns in the order of falling `H_ii`, each error made up for by
      the columns that follow; from several scales, the one with the least `e^T H e` is kept.
    * Descent: each code is moved to where `e^T H e` is least, all others as they are; the scale is
      `q^T H w / q^T H q` before and after.
    * Bias: `mean(y) - w_q mean(x)`, the mean of the first function's result.

    Weights that are no matrix of a row product (`WeightedOp::isRowProduct`: convolutions) get the scale of
    the least squared error and the bias. Those that read pixels are left to `vit-quantize-weights`.

    Rows count alike (`t = 1`), unless few of them alone reach the result (a class token: found by changing
    rows of the first function's values): then these count `class-weight` times, and ten times that in
    layers whose other rows reach nothing.

    ```mlir
    %y = vit.linear %d, %w, %b {vit.weight_bits = 4 : i64} : ...
    ```
    becomes
    ```mlir
    %wq = quant.scast %w4 : tensor<768x192xi8> to tensor<768x192x!quant.uniform<i8<-7:7>:f32:0, {...}>>
    %wd = vit.dequantize %wq : ...
    %y = vit.linear %d, %wd, %b1 : ...
    ```
    The result does not depend on the number of threads. It is an error if there is a weight to fit but no image, or
    if values are not finite. A remark names layers for which there are fewer rows than inputs.
  }];
  let options = [
    Option<"data", "data", "std::string", "", "Folder of images, an image, or a .npy of pixels">,
    Option<"preprocess", "preprocess", "std::string", "", "As of vit-calibrate (the module's own unless given)">,
    Option<"limit", "limit", "uint64_t", "0", "Look at the first images only (0: all)">,
    Option<"weightBits", "bits", "unsigned", "8", "Bits of weights without vit.weight_bits">,
    Option<"all", "all", "bool", "false", "Fit weights of 8 bits too">,
    Option<"leastSquares", "least-squares", "double", "-1",
           "Ridge rho of the least squares; 0: none; -1: the best of 0.01 to 3, of 32 images or more">,
    Option<"sums", "sums", "bool", "true", "Ask terms of a sum for what the sum lacks">,
    Option<"shifted", "shifted", "bool", "true", "Look at a shifted copy of each image too">,
    Option<"gptq", "gptq", "bool", "true", "Make up for errors in the columns that follow">,
    ListOption<"candidates", "candidates", "double", "Factors of the starting scale that are tried (0.75,0.9,1.05,1.2)">,
    Option<"sweeps", "sweeps", "int64_t", "-1", "Rounds of descent; -1: 1, 3 below 4 bits">,
    Option<"matchBias", "match-bias", "bool", "true", "Give the layer the mean of its result in the float function">,
    Option<"classWeight", "class-weight", "double", "0",
           "Weight of rows that alone reach the result; 1: none; 0: 10, 30 below 4 bits">,
    Option<"damping", "damping", "double", "0",
           "What is added to the diagonal of H, as a share of its mean; 0: 0.01, 0.05 below 4 bits">
  ];
  let statistics = [Statistic<"numFitted", "num-fitted", "Weights whose codes were chosen">];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitQuantizeWeightsPass : Pass<"vit-quantize-weights", "::mlir::ModuleOp"> {
  let summary = "Quantize constant weights for the codes of their inputs";
  let description = [{
    Behind `vit-quantize`. Weights of linear layers and patch embeddings become signed
    codes of `weight-bits` bits, or as many as `vit.weight_bits` on the op says, symmetric, one scale per
    output channel (row); those that have codes already (`vit-fit-weights`) keep them:

    * the scale is that of the row's largest magnitude, or larger where the accumulator,
      in units of input scale times row scale, could not hold the bias otherwise;
    * scales of input channels that `vit-quantize` folded multiply the columns;
    * of a patch embedding on normalized pixels, `1/std` goes into the weights
      before they are quantized, `mean` into the bias by the sums of the quantized
      weights, and the pixels are read as they are;
    * the sum of two accumulators on its way to an add (`vit-split-outliers`) becomes
      an accumulator in units of the first.

    `compensate-bias` adds to a linear layer's bias what rounding its weights takes from
    the mean of its outputs, `(W - W_q) * mean(x)` over the calibration images
    (docs/Recipes.md, Options that are off).

    ```mlir
    %y = vit.linear %d, %w, %b : ...
    ```
    becomes
    ```mlir
    %wq = quant.scast %w8 : tensor<768x192xi8> to tensor<768x192x!quant.uniform<i8<-127:127>:f32:0, {...}>>
    %wd = vit.dequantize %wq : ...
    %y = vit.linear %d, %wd, %b : ...
    ```
    Refuses a weight or a bias that is no constant.
  }];
  let options = [
    Option<"weightBits", "weight-bits", "unsigned", "8", "Width of weights in bits (2 to 8)">,
    Option<"compensateBias", "compensate-bias", "bool", "false",
           "Add to each bias what rounding the weights takes from the mean output">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitQuantizeResultPass : Pass<"vit-quantize-result", "::mlir::ModuleOp"> {
  let summary = "Quantize what the program returns";
  let description = [{
    The results of `@main` get signed 32-bit codes of one scale, 24 bits for the calibrated
    range: scales of classes cost nothing then. What has no 32-bit form (a function, a
    division, a norm) gets 16-bit codes of its own first, with `headroom`; moves of
    elements in front of the return move codes.

    ```mlir
    return %logits : ...
    ```
    becomes
    ```mlir
    %q = vit.quantize %logits round half_up : tensor<1x1000xf32> -> tensor<1x1000x!quant.uniform<i32:f32, 1.4e-6>>
    return %q : ...
    ```
    The last pass that reads calibrated statistics: it removes them, and `vit.code_ranges`.
    Refuses a result without a range.
  }];
  let options = [
    Option<"layout", "layout", "::vitq::QuantizedLayout", "::vitq::QuantizedLayout::Vitq",
           "Which tensors are quantized, and how wide",
           [{::llvm::cl::values(
             clEnumValN(::vitq::QuantizedLayout::Vitq, "vitq", "accumulators go into adds as they are; unsigned codes"),
             clEnumValN(::vitq::QuantizedLayout::IVit, "ivit", "I-ViT's own"))}]>,
    Option<"headroom", "headroom", "double", "1.1",
           "Factor by which 16-bit ranges exceed the calibrated ones (1 = none)">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
}

def VitVerifyQuantizedPass : Pass<"vit-verify-quantized", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the quantized phase";
  let description = [{
    Every operand of a contraction (`vit.linear`, `vit.matmul`, `vit.patch_embed`) but
    the bias is quantized or the dequantization of a quantized value (moved by shape
    ops or not); with `deferred` it is quantized, and so is the bias. Violations are errors at the
    op. The module is not changed.
  }];
  let options = [
    Option<"deferred", "deferred", "bool", "false", "Require quantized operands: dequantizations are deferred">
  ];
}

def VitDeferDequantPass : Pass<"vit-defer-dequant", "::mlir::ModuleOp"> {
  let summary = "Move dequantizations behind the ops that commute with them (operand reordering)";
  let description = [{
    For every op whose operands are dequantized and which says, through the interface
    `CommutesWithDequant`, that it commutes with dequantization for their scale
    layouts: the op is applied to the quantized values and its result is dequantized
    instead (docs/Rules.md). A constant bias is quantized to the
    accumulator's scale.

    ```mlir
    %xd = vit.dequantize %xq : ...
    %wd = vit.dequantize %wq : ...
    %y = vit.linear %xd, %wd, %b : ...
    ```
    becomes
    ```mlir
    %a = vit.linear %xq, %wq, %bq : (..., ...) -> tensor<1x197x768x!quant.uniform<i32:f32:2, {...}>>
    %y = vit.dequantize %a : ...
    ```

    An op that does not commute (GELU, softmax, layer_norm, an add of unequal scales)
    is a barrier: a remark says why, and where all its operands are dequantized and
    its results only quantized, it takes the quantized types itself (it then
    *means* dequantize, compute, quantize). A contraction with an illegal scale
    layout is an error that says the reason and the remedy.
  }];
  let options = [
    Option<"remarks", "remarks", "bool", "true", "Emit a remark for every barrier">
  ];
  let statistics = [
    Statistic<"numDeferred", "num-deferred", "Ops that now compute on quantized values">,
    Statistic<"numBarriers", "num-barriers", "Ops that dequantization cannot cross">
  ];
}

def VitSelectNonlinearPass : Pass<"vit-select-nonlinear", "::mlir::ModuleOp"> {
  let summary = "Choose the integer algorithm of every nonlinearity";
  let description = [{
    Sets `using ALGORITHM` on softmax, GELU, layer_norm and the other functions of one
    variable that are on quantized types. `nonlinear` is a list of items, the later
    ones stronger: an algorithm for all, `FUNCTION=ALGORITHM` with gelu, softmax,
    layer_norm, silu, sigmoid, tanh or hard_swish, or `@FILE` with a JSON object
    (`default`, `functions`, `layers` by the name of the ONNX node).

    * `table`: exact 256-entry tables (exponent table for softmax, exact square root
      for layer_norm). GELU on 16 bits (`vit.wide`) is a 1025-entry table with linear
      interpolation;
    * `shift`: Shiftmax, ShiftGELU, I-LayerNorm (I-ViT);
    * `ivit`: `shift` with the constants that I-ViT published (n = 15 and 23, 31-bit
      reciprocals), which fail outside the ranges they were tuned for;
    * `lut:N`: piecewise linear with N entries fitted for the layer's scale
      (GQA-LUT); of softmax the exponential and the reciprocal, of layer_norm
      the reciprocal root;
    * `poly`: I-BERT's polynomials; layer_norm keeps its root;
    * `log2`: softmax in powers of two; what probabilities of 4 bits have unless softmax is named;
    * `auto`: measures `table`, `shift`, `poly`, `lut:8` and `lut:16`.

    What a function has no form of is computed by its table, unless it was asked for by
    name: then it is an error.

    `auto` computes each layer by each of them on the calibration images, from the
    codes that the quantized model has there, and compares with the real function. The
    cheapest one (by the target's cost model, docs/Numerics.md) whose SQNR is at most
    `budget` dB below that of `table`, or below 48 dB where that is less, is taken:
    beyond, errors vanish beside those of 8-bit codes; all candidates are recorded as
    `vitq.decisions`.

    ```mlir
    %g = vit.gelu erf %u : ...
    ```
    becomes, with `nonlinear=shift`,
    ```mlir
    %g = vit.gelu erf using shift %u : ...
    ```
  }];
  let options = [
    Option<"nonlinear", "nonlinear", "std::string", "\"table\"", "Integer algorithms of nonlinear functions">,
    Option<"lutMethod", "lut-method", "::vitq::approximation::Method", "::vitq::approximation::Method::Optimal",
           "How the tables of lines that auto measures are fitted",
           [{::llvm::cl::values(
             clEnumValN(::vitq::approximation::Method::Optimal, "optimal", "least squared error for the input's scale"),
             clEnumValN(::vitq::approximation::Method::Genetic, "genetic", "GQA-LUT's search"),
             clEnumValN(::vitq::approximation::Method::Uniform, "uniform", "breakpoints at equal distances"))}]>,
    Option<"budget", "budget", "double", "0.5", "Loss of SQNR in dB that auto accepts for a cheaper algorithm">,
    Option<"target", "target", "std::string", "\"native\"",
           "Target whose costs auto compares (as vitq-opt --target)">,
    Option<"hostTarget", "host-target", "std::string", "\"native\"",
           "CPU beside it, where it is an accelerator (as vitq-opt --host-target)">,
    Option<"data", "data", "std::string", "", "Images that auto measures on: a folder, or .npy/.npz of uint8 pixels">,
    Option<"preprocess", "preprocess", "std::string", "", "What is done to them (that of the module)">,
    Option<"limit", "limit", "int64_t", "8", "Use the first N images">
  ];
}

def VitqVerifyIntegerOnlyPass : Pass<"vitq-verify-integer-only", "::mlir::ModuleOp"> {
  let summary = "Check that no float is left from input to output";
  let description = [{
    Every value, every attribute and every function type of the module is free of
    float and quantized types; only the module attributes `vitq.scales`,
    `vitq.output_scale` and `vit.preprocess`, which no lowering reads, may hold floats.
    Ops are of the `vitq`, `arith` (constants) and `func` dialects. Violations are
    errors that name the ONNX node. The module is not changed.
  }];
}

def VitqProveAccumulatorsPass : Pass<"vitq-prove-accumulators", "::mlir::ModuleOp"> {
  let summary = "Prove that no 32-bit accumulator overflows";
  let description = [{
    For every `vitq.matmul`, per output channel,
    `sum_k max over lhs of (lhs - z) * w[k, n]` plus the bias, and the same for the minimum, with
    the lhs range from the integer range analysis of its producer; where the rhs is
    no constant, `K * max|lhs - z| * max|rhs|` (docs/Rules.md, R3). Partial sums in any
    order stay inside the bound, so that targets may reorder them. The union is
    recorded as the attribute `vitq.accumulator_range = array<i64: min, max>`; a bound that
    leaves 32 bits is an error that names the node.
  }];
}

def VitqRequantToThresholdsPass : Pass<"vitq-requant-to-thresholds", "::mlir::ModuleOp"> {
  let summary = "Requantize to few levels by comparisons";
  let description = [{
    A `vitq.requant` with at most 16 result levels, of one multiplier or of one for each
    channel of the last axis, becomes a `vitq.threshold` whose thresholds are found from
    it: the codes of all inputs stay (docs/Rules.md, R6). What stays as it is: a negative
    multiplier, and a level that no 32-bit input reaches, unless the bound of the product
    before it leaves a number to say so.

    With `norms`, a `vitq.layer_norm` with `#vitq.norm_exact` whose only use is such a threshold becomes a
    `vitq.norm_quant`: neither root nor division (docs/Rules.md, R9). Codes of values beside a
    threshold may then differ.

    ```mlir
    %y = vitq.requant %x by <1073741824, 36> round half_up {min = -2 : i64, max = 1 : i64} : tensor<2x3xi32> -> tensor<2x3xi8>
    ```
    becomes
    ```mlir
    %t = arith.constant dense<[-96, -32, 32]> : tensor<3xi32>
    %y = vitq.threshold %x, %t from -2 : (tensor<2x3xi32>, tensor<3xi32>) -> tensor<2x3xi8>
    ```
  }];
  let options = [
    Option<"norms", "norms", "bool", "false", "Turn layer_norms into comparisons too; codes may differ">
  ];
  let statistics = [
    Statistic<"numThresholds", "thresholds", "Requantizations made of comparisons">,
    Statistic<"numNorms", "norms", "Layer normalizations made of comparisons">
  ];
  let dependentDialects = ["::vitq::integer::VitqDialect", "::mlir::arith::ArithDialect"];
}

def VitqSetBatchPass : Pass<"vitq-set-batch", "::mlir::ModuleOp"> {
  let summary = "Make a program of one image one of several";
  let description = [{
    On the integer phase: the leading axis of every value that depends on the input
    grows by `batch`. Image i of the batch is slice i along it, or slices i*k to i*k + k - 1
    where one image has k (windows), and comes out as
    the program of one image computes it, bit for bit: no scale, table or constant
    changes. What does not depend on the input stays as it is; where an op needs it once
    for each image (a class token that is joined to the patches), a `vitq.broadcast`
    repeats it.

    ```mlir
    %t = vitq.concat %token, %patches axis 1 : (tensor<1x1x8xi8>, tensor<1x4x8xi8>) -> tensor<1x5x8xi8>
    ```
    becomes, with `batch=2`,
    ```mlir
    %b = vitq.broadcast %token to [2, 1, 8] : tensor<1x1x8xi8> -> tensor<2x1x8xi8>
    %t = vitq.concat %b, %patches axis 1 : (tensor<2x1x8xi8>, tensor<2x4x8xi8>) -> tensor<2x5x8xi8>
    ```

    The module gets `vitq.batch`. Refuses, with the node's name, ops whose leading axis is
    not the batch (it is summed, gathered, moved, or has scales of its own), and programs
    that take several images already, unless they are as many.
  }];
  let options = [
    Option<"batch", "batch", "int64_t", "1", "Images of one run (1 to 4096)">
  ];
  let dependentDialects = ["::vitq::integer::VitqDialect"];
}

def SystolicSetTargetPass : Pass<"systolic-set-target", "::mlir::ModuleOp"> {
  let summary = "Name the systolic array that a module is for, and where the user wants ops to run";
  let description = [{
    `vitq.target` becomes the array's `#systolic.config`: `vitq-form-kernels` then forms its
    kernels, `convert-vitq-to-systolic` makes launches of them. Wishes are kept as `systolic.wishes`
    till then.

    ```mlir
    // --systolic-set-target="config=edge-8x8-int4 place=softmax=host"
    // before
    module { ... }
    // after
    module attributes {systolic.wishes = "softmax=host", vitq.target = #systolic.config<"edge-8x8-int4">} { ... }
    ```

    Errors: a configuration that makes no sense, a wish for what is in the module not or that is none, a
    module in the form of an array.
  }];
  let options = [
    Option<"config", "config", "std::string", "\"gemmini-16x16\"",
           "The array: PRESET or PRESET,KEY=VALUE,... (docs/Systolic.md)">,
    Option<"place", "place", "std::string", "",
           "Where ops run: OP=array or OP=host, OP an op's or a node's name; several with commas">,
  ];
  let dependentDialects = ["::vitq::systolic::SystolicDialect"];
}

def SystolicAllocatePass : Pass<"systolic-allocate", "::mlir::ModuleOp"> {
  let summary = "Give the tiles of the array's routines their addresses";
  let description = [{
    Tiles live as long as their routine. In the scratchpad left operands are placed from the
    first row on and right ones from the last one back, so that both are seldom in one bank
    and can be read in one cycle; tiles of sums begin a bank of their own where there is
    room, so that one is stored while another is added to.

    ```mlir
    // before
    %a = systolic.alloc : !systolic.tiles<scratchpad, [13, 12], [16, 16], i8>
    systolic.compute %a[...] ...
    // after
    %a = systolic.alloc at 0 : !systolic.tiles<scratchpad, [13, 12], [16, 16], i8>
    systolic.compute %a[...] ...
    ```

    Errors: the tiles of a routine do not fit, with the rows that they need.
  }];
  let dependentDialects = ["::vitq::systolic::SystolicDialect"];
}

#endif // VITQ_TRANSFORMS_PASSES
