//===- Passes.td - Passes between phases -------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_PASSES
#define VITQ_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"


def ConvertVitqToKernelsPass : Pass<"convert-vitq-to-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn integer ops into calls of shared kernels on memrefs";
  let description = [{
    Every kernel (`vitq.kernel`), and every op that is in none, becomes a call of a private
    function with loops. What differs between two ops without changing the code (weights,
    bias, multipliers, shifts, zero points, tables, clamp bounds) is data: one constant blob
    for each call, the last argument. Calls whose functions would have the same code
    share one. So twelve blocks of a transformer share one set of kernels, and none is
    inlined.

    Which ops are together is decided before, by `vitq-form-kernels`: here a row goes from one
    op of a kernel to the next in registers or in a cache. A kernel that was formed for
    something else than a CPU is an error.

    Constant weights are packed for the dot product of the target at compile time;
    scratch memory of a kernel is an argument.

    A `systolic.launch` becomes a kernel that hands the addresses of its inputs (but
    constants) and results to the external function `vitq_array_launch`; the routines
    of the array are left out.

    ```mlir
    // before
    func.func @main(%x: tensor<4x8xi32>) -> tensor<4x8xi8> {
      %y = vitq.requant %x by <1518500250, 40> round half_up : tensor<4x8xi32> -> tensor<4x8xi8>
      return %y : tensor<4x8xi8>
    }
    // after
    memref.global "private" constant @vitq_blob_0 : memref<192xi8> = dense_resource<vitq_blob_0> {alignment = 64 : i64}
    func.func private @vitq_requant_0(%x: memref<1x32xi32> {llvm.noalias}, %y: memref<1x32xi8> {llvm.noalias},
                                      %blob: memref<192xi8> {llvm.noalias}) attributes {llvm.noinline} { ... }
    func.func @main(%x: memref<4x8xi32>) -> memref<4x8xi8> {
      %y = memref.alloc() : memref<4x8xi8>
      ...
      call @vitq_requant_0(...)
      return %y : memref<4x8xi8>
    }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"native\"",
           "CPU and features that kernels are shaped for (as vitq-opt --target)">,
  ];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Number of distinct kernels">,
    Statistic<"numCalls", "num-calls", "Number of kernel calls">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
  ];
}

def VitqFormKernelsPass : Pass<"vitq-form-kernels", "::mlir::ModuleOp"> {
  let summary = "Put ops that the target computes together into kernels";
  let description = [{
    From each op that is in no kernel yet, in order, follows the row that flows through the
    only user of its result, and through that one's, as long as the target says that a kernel
    may begin with these ops. The longest sequence that the target calls a kernel, and of
    which only the last op's results are read by others, becomes a `vitq.kernel` in the place of its
    last op, with the moves that the target reads operands through. Its location is those of its ops, its
    `vitq.id` the last one's.

    The pass knows no op and no target: ops say by `RowwiseOp` what they read, the target by
    `KernelTargetAttrInterface` what it computes together.

    ```mlir
    func.func @before(%x: tensor<4x8xi8>, %w: tensor<8x16xi8>) -> tensor<4x16xi8> {
      %a = vitq.matmul %x, %w : (tensor<4x8xi8>, tensor<8x16xi8>) -> tensor<4x16xi32>
      %y = vitq.requant %a by <1518500250, 40> round half_up : tensor<4x16xi32> -> tensor<4x16xi8>
      return %y : tensor<4x16xi8>
    }
    func.func @after(%x: tensor<4x8xi8>, %w: tensor<8x16xi8>) -> tensor<4x16xi8> {
      %y = vitq.kernel(%rows = %x, %weights = %w) : (tensor<4x8xi8>, tensor<8x16xi8>) -> tensor<4x16xi8> {
        %a = vitq.matmul %rows, %weights : (tensor<4x8xi8>, tensor<8x16xi8>) -> tensor<4x16xi32>
        %q = vitq.requant %a by <1518500250, 40> round half_up : tensor<4x16xi32> -> tensor<4x16xi8>
        vitq.yield %q : tensor<4x16xi8>
      }
      return %y : tensor<4x16xi8>
    }
    ```

    Errors: no target, or one that there is not.
  }];
  let options = [
    Option<"target", "target", "std::string", "\"\"",
           "A processor (as vitq-opt --target), or an attribute (#...); by default the module's vitq.target">,
  ];
  let statistics = [
    Statistic<"numFormed", "num-formed", "Number of kernels">,
  ];
  let dependentDialects = ["::vitq::integer::VitqDialect"];
}

def VitqPlanArenaPass : Pass<"vitq-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Place all buffers of @main into one arena";
  let description = [{
    Gives `@main` the signature `(%in: memref<Ixi8>, %out: memref<Oxi8>, %arena: memref<Axi8>)`,
    with an `%out` for each of several results.
    Several inputs lie behind each other, each at a multiple of 64
    bytes. A buffer that is returned once is a view of its `%out`; every other
    `memref.alloc` is a view of `%arena` at a multiple of 64 bytes. Lifetimes run
    from a buffer's first use to the last use of any view of it. Buffers are placed one
    after the other into gaps among those that live with them; several orders are
    tried, what reached highest is placed earlier the next time, and the smallest
    arena is kept.

    The module gets `vitq.arena_bytes`, `vitq.arena_lower_bound` (the largest sum of
    sizes that live at one time), `vitq.arena_peak` (the node where that is, and the sizes), `vitq.arena_plan` (offset,
    bytes, first and last step of each buffer) and `vitq.thread_arena_bytes` (the largest buffer with
    the attribute `vitq.scratch`: working memory of one kernel call, of which every
    thread beyond the first needs its own, behind the arena), in bytes.

    ```mlir
    // before
    func.func @main(%x: memref<4x8xi32>) -> memref<4x8xi8> {
      %t = memref.alloc() : memref<4x8xi32>
      call @f(%x, %t) : ...
      %y = memref.alloc() : memref<4x8xi8>
      call @g(%t, %y) : ...
      return %y : memref<4x8xi8>
    }
    // after
    func.func @main(%in: memref<128xi8>, %out: memref<32xi8>, %arena: memref<128xi8>) {
      %x = memref.view %in[%c0][] : memref<128xi8> to memref<4x8xi32>
      %t = memref.view %arena[%c0][] : memref<128xi8> to memref<4x8xi32>
      ...
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
  ];
}

def VitqAddEntryPointsPass : Pass<"vitq-add-entry-points", "::mlir::ModuleOp"> {
  let summary = "Add variants of @main that measure and that use threads";
  let description = [{
    Runs after `--vitq-plan-arena`. A call of a kernel with the attribute `vitq.step`
    is a step of the program; the module attribute `vitq.steps` lists them in order:
    kernel, ops, ONNX node, multiply-accumulates.

    * `profile`: `@main` gets one more operand, null or an array of 64-bit numbers
      where it stores the CPU's time stamp before the first step and after each.
    * `openmp`: `@main_mt` has one more operand, the number of threads (1 to 1024).
      The units of each step's work are shared out evenly among an OpenMP team. All
      wait for each other before a step that touches what one of the steps since the
      last such place wrote (or writes what one of them touches), unless both give
      each thread the same rows of it. Which thread computes a unit changes nothing in
      it: the result has the same bits for any number of threads.
      Working memory of kernels (`vitq.scratch`) lies behind the arena for all
      threads but the first: `vitq.thread_arena_bytes` for each of them.

    ```mlir
    // before
    func.func @main(%in: memref<64xi8>, %out: memref<64xi8>, %arena: memref<0xi8>) {
      call @vitq_table_0(%in, %out, %c0, %c4) {vitq.step = {op = "vitq.table", units = 4 : i64, ...}} : ...
    // added
    func.func private @main_mt(%in: ..., %out: ..., %arena: ..., %threads: i32) {
      omp.parallel num_threads(%threads : i32) {
        %thread = call @omp_get_thread_num() : () -> i32
        ...
        call @vitq_table_0(%in, %out, %first, %last) : ...
        omp.terminator
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"native\"", "CPU and features (as vitq-opt --target)">,
    Option<"profile", "profile", "bool", "true", "Let @main take times">,
    Option<"openmp", "openmp", "bool", "false", "Add @main_mt">,
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::omp::OpenMPDialect", "::mlir::scf::SCFDialect",
  ];
}

def ConvertVitToVitqPass : Pass<"convert-vit-to-vitq", "::mlir::ModuleOp"> {
  let summary = "Lower the deferred quantized phase to integers";
  let description = [{
    A full conversion from `vit` on quantized types to `vitq` on signless integers:

    * contractions become `vitq.matmul`; a constant weight folds the lhs zero point into
      the bias (docs/Rules.md, R2);
    * `vit.quantize` of a `vit.dequantize` becomes `vitq.requant` by the dyadic
      multiplier of the scales' ratio, per channel where the scales are;
    * an add takes one dyadic multiplier for each operand (docs/Rules.md, R12), a function of one
      variable becomes a `vitq.table`, or `vitq.gelu` with `using shift`.

    ```mlir
    %a = vit.linear %xq, %wq, %bq : (...)
    %d = vit.dequantize %a : ...
    %q = vit.quantize %d round half_up : ...
    ```
    becomes
    ```mlir
    %a = vitq.matmul %x, %w, %b transpose_rhs lhs <unsigned> : (...)
    %q = vitq.requant %a by #vitq.dyadic<[...], [...]> round half_up result <unsigned, zero = 128> : ...
    ```

    Every op gets an integer `vitq.id`; the module attribute `vitq.scales` maps it to the
    scale, zero point and node of its result, the `axis` of several scales, and `unsigned`
    codes, for reports and comparisons. Refuses, with the node's
    name, floats that are left, per-axis types where one scale is needed and ratios of
    scales that no dyadic multiplier represents.
  }];
  let options = [
    Option<"mantissaBits", "mantissa-bits", "unsigned", "31",
           "Bits of a dyadic multiplier's mantissa (2 to 31)">,
    Option<"lutMethod", "lut-method", "::vitq::approximation::Method", "::vitq::approximation::Method::Optimal",
           "How tables of lines are fitted (functions of one variable, and the exponential of softmax)",
           [{::llvm::cl::values(
             clEnumValN(::vitq::approximation::Method::Optimal, "optimal", "least squared error for the input's scale"),
             clEnumValN(::vitq::approximation::Method::Genetic, "genetic", "GQA-LUT's search"),
             clEnumValN(::vitq::approximation::Method::Uniform, "uniform", "breakpoints at equal distances"))}]>
  ];
  let dependentDialects = ["::vitq::integer::VitqDialect"];
}

def ConvertVitqToSystolicPass : Pass<"convert-vitq-to-systolic", "::mlir::ModuleOp"> {
  let summary = "Turn the kernels of a systolic array into launches";
  let description = [{
    Every `vitq.kernel`, formed for the array that `vitq.target` names, becomes a
    `systolic.launch` of a routine: a tile program for its product, or rows from DRAM through
    units. Launches whose products and accesses are equal share one. What units
    do is the launch's region. What is in no kernel stays `vitq`, for the host. Nothing is silent:
    the module attribute `systolic.placements` says for each op where it runs and why.

    * How a product is cut into blocks is chosen by simulation among those that the traffic and
      the products of a block make most likely, and Gemmini's fixed heuristic
      (docs/Systolic.md).
    * Unsigned operands enter an 8-bit array as q - 128; the correction goes into the bias, or,
      where the right operand is no constant, is computed by the host.
    * Operands on narrower elements become planes, as many as the bits of their codes need, each pair of
      planes a pass; weights of so few bits lie packed in DRAM.
    * Transpositions before a product become strides, and so do patches of a map before one by weights,
      unless products of rows that the host lays out are so much faster that they are worth its work.

    ```mlir
    // before
    module attributes {vitq.target = #systolic.config<"gemmini-16x16">} {
    func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x8xi32> {
      %w = arith.constant dense<1> : tensor<8x8xi8>
      %y = vitq.kernel(%0 = %x, %1 = %w) : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32> {
        %sums = vitq.matmul %0, %1 : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>
        vitq.yield %sums : tensor<1x4x8xi32>
      }
      return %y : tensor<1x4x8xi32>
    }
    }
    // after
    module attributes {systolic.config = #systolic.config<"gemmini-16x16">, systolic.placements = [...]} {
    func.func @main(%x: tensor<1x4x8xi8>) -> tensor<1x4x8xi32> {
      %w = arith.constant dense<1> : tensor<8x8xi8>
      %y = systolic.launch @linear_4x8x8_0(%x, %w) {macs = 256 : i64} : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>
      return %y : tensor<1x4x8xi32>
    }
    func.func private @linear_4x8x8_0(%x: memref<4x8xi8>, %w: memref<8x8xi8>, %y: memref<4x8xi32>) attributes {systolic.routine} { ... }
    }
    ```

    Errors: no array as `vitq.target`, a kernel that is none of the array, accumulators too narrow for the sums of an
    op (with the width needed), memories that hold no tile, an op that is wanted on a unit which there is not.
  }];
  let statistics = [
    Statistic<"numLaunches", "num-launches", "Number of launches">,
    Statistic<"numRoutines", "num-routines", "Number of distinct routines">,
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect", "::vitq::integer::VitqDialect", "::vitq::systolic::SystolicDialect",
  ];
}

def SystolicRaiseToVitqPass : Pass<"systolic-raise-to-vitq", "::mlir::ModuleOp"> {
  let summary = "Recover the product that each routine of the array computes";
  let description = [{
    The inverse of `--convert-vitq-to-systolic` and `--systolic-allocate`, by proof rather than by memory: every
    instruction of a routine is followed with what each row of scratchpad and accumulator
    holds (which elements of which operand, which products). The sums that leave the
    accumulator must be those of one matrix product: each element of the result once, each of its products
    once, planes shifted to their places, every bias with its column. A launch becomes the
    `vitq.matmul` that was found, of `vitq.extract_patches` where its left operand is strides over a map, and the
    ops of its units.

    What the conversion left to the host, such as codes less 128, stays. So the raised module
    computes what the array does, in the interpreter.

    ```mlir
    // before
    func.func private @linear(%x: memref<4x8xi8>, %w: memref<8x8xi8>, %y: memref<4x8xi32>) attributes {systolic.routine} { ... }
    %y = systolic.launch @linear(%x, %w) : (tensor<4x8xi8>, tensor<8x8xi8>) -> tensor<4x8xi32>
    // after
    %y = vitq.matmul %x, %w : (tensor<4x8xi8>, tensor<8x8xi8>) -> tensor<4x8xi32>
    ```

    Errors: a routine that is no product, with the instruction where it departs from one.
  }];
  let dependentDialects = ["::vitq::integer::VitqDialect", "::vitq::systolic::SystolicDialect"];
}

#endif // VITQ_CONVERSION_PASSES
