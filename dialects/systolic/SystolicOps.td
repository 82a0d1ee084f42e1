//===- SystolicOps.td - Ops of the systolic dialect -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SYSTOLIC_OPS
#define SYSTOLIC_OPS

include "dialects/systolic/SystolicTypes.td"
include "dialects/vitq/VitqAttrs.td"
include "dialects/vitq/VitqInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Systolic_Dram : Resource<"::vitq::systolic::DramResource">;
def Systolic_Scratchpad : Resource<"::vitq::systolic::ScratchpadResource">;
def Systolic_Accumulators : Resource<"::vitq::systolic::AccumulatorResource">;

// Whether the elements or accumulators of the array are touched is part of the
// effects: preloads and computes keep their order.
def Systolic_Array : Resource<"::vitq::systolic::ArrayResource">;

def Systolic_TileIndices : Variadic<Index>;
// Elements of less than 8 bits lie packed in DRAM, from the lowest bit of a byte on.
def Systolic_Memref : MemRefOf<[I<2>, I<3>, I<4>, I8, I16, I32]>;

class Systolic_Op<string mnemonic, list<Trait> traits = []> : Op<Systolic_Dialect, mnemonic, traits>;

// An op of a routine: the function around it has `systolic.routine`.
def Systolic_InRoutine : NativeOpTrait<"InRoutine"> {
  let cppNamespace = "::vitq::systolic";
}
class Systolic_RoutineOp<string mnemonic, list<Trait> traits = []>
    : Systolic_Op<mnemonic, traits # [Systolic_InRoutine]>;

def Systolic_AllocOp : Systolic_RoutineOp<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "Reserve tiles in scratchpad or accumulator memory";
  let description = [{
    The tiles live until the end of the routine. `address` is the first row, given by
    `systolic-allocate`.

    ```mlir
    func.func private @routine() attributes {systolic.routine} {
      %a = systolic.alloc : !systolic.tiles<scratchpad, [13, 12], [16, 16], i8>
      %b = systolic.alloc at 16320 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
      return
    }
    ```

    Constraints:
    * C1: the address is not negative.
    * C2: the tiles fit the memory of the module's `systolic.config`.
    * C3: a tile is no wider than a row of its memory.
    * C4: elements of scratchpad tiles have as many bits as those of the array.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$address);
  let results = (outs Systolic_TilesType:$tiles);
  let assemblyFormat = "(`at` $address^)? attr-dict `:` type($tiles)";
  let hasVerifier = 1;
}

def Systolic_MvinOp : Systolic_RoutineOp<"mvin", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Move rows from DRAM into tiles";
  let description = [{
    `rows` rows of `cols` elements, from the given element on: row r is r further along
    dimension `along`. They fill a tile and those after it in the grid's last
    dimension, so many columns each. `split` takes bytes apart into planes, which are the
    first dimension of the grid (no index): all of a byte's, or the lowest ones, which hold codes of few bits.
    Codes that lie packed in DRAM fill elements as they are. With `row` they are the tile's rows from that one on, so that a
    few moves fill a tile. To accumulator tiles go 32-bit sums; `broadcast`
    gives every row the first one, `accumulate` adds to what is there.

    ```mlir
    func.func private @routine(%w: memref<192x768xi8>) attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c64 = arith.constant 64 : index
      %tiles = systolic.alloc : !systolic.tiles<scratchpad, [2, 4], [16, 16], i8>
      affine.for %k = 0 to 2 {
        %row = affine.apply affine_map<(d0) -> (d0 * 16)>(%k)
        systolic.mvin %w[%row, %c0] rows %c16 cols %c64 along 0 to %tiles[%k, %c0]
          : memref<192x768xi8> to !systolic.tiles<scratchpad, [2, 4], [16, 16], i8>
      }
      return
    }
    ```

    Constraints:
    * C1: one index for each dimension of the memref, which is an argument of the routine, and
      of the grid (but the planes).
    * C2: elements are i8 to the scratchpad, or those of the tiles, i32 to the accumulator.
    * C3: `along` is a dimension of the memref, not its last.
    * C4: the last dimension of the memref is contiguous.
    * C5: `split` goes with bytes to the scratchpad on elements of less than 8 bits, and with planes, at most
      those of 8 bits; `broadcast` and `accumulate` only to the accumulator.
    * C6: known rows and columns are at least 1, and fit the tiles from the given one on (from `row` on,
      which is not negative) and the largest move of the configuration (`block-tiles`, rows of a tile).
    * C7: a move over several tiles needs tiles as wide as a row of the scratchpad.
    * C8: what is known of the elements lies inside the memref.
    * C9: planes are at most 65535 rows apart.
  }];
  let arguments = (ins Systolic_Memref:$source, Variadic<Index>:$indices, Index:$rows, Index:$cols,
                       Systolic_TilesType:$tiles, Variadic<Index>:$tile, Optional<Index>:$tileRow, I64Attr:$along,
                       UnitAttr:$split, UnitAttr:$broadcast, UnitAttr:$accumulate);
  let assemblyFormat = [{
    $source `[` $indices `]` `rows` $rows `cols` $cols `along` $along (`broadcast` $broadcast^)? `to` $tiles
    `[` $tile `]` (`row` $tileRow^)? (`split` $split^)? (`accumulate` $accumulate^)? attr-dict
    `:` type($source) `to` type($tiles)
  }];
  let hasVerifier = 1;
}

def Systolic_PreloadOp : Systolic_RoutineOp<"preload", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Choose the weights that stay and where sums go";
  let description = [{
    The next compute's sums go to the accumulator tile `into`: they replace what is there
    when `adding` is absent or 0, and are added otherwise; before that they are shifted left by
    `shift`. With weights (weight-stationary arrays only), the tile is shifted into the
    array: `rows` (K) by `cols` (N) elements, or with `transpose` the tile holds N rows of K.
    Without, those that are there stay. An output-stationary array starts its sums.

    ```mlir
    func.func private @routine() attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>
      %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 4], [16, 16], i8>
      %c = systolic.alloc : !systolic.tiles<accumulator, [1, 4], [16, 16], i32>
      affine.for %k = 0 to 2 {
        affine.for %n = 0 to 4 {
          systolic.preload %w[%k, %n] rows %c16 cols %c16 into %c[%c0, %n] adding %k
            : !systolic.tiles<accumulator, [1, 4], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 4], [16, 16], i8>
          systolic.compute %a[%c0, %k] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>
        }
      }
      return
    }
    ```

    Constraints:
    * C1: weights are scratchpad tiles, sums are accumulator tiles, one index for each dimension.
    * C2: weights only on a weight-stationary array, `transpose` only with weights.
    * C3: `shift` is 0 to 31.
    * C4: known rows and columns are at least 1 and fit the array and the tiles.
  }];
  let arguments = (ins Optional<Systolic_TilesType>:$weights, Variadic<Index>:$weightTile, Index:$rows, Index:$cols,
                       Systolic_TilesType:$sums, Variadic<Index>:$sumTile, Optional<Index>:$adding,
                       UnitAttr:$transpose, DefaultValuedAttr<I64Attr, "0">:$shift);
  let assemblyFormat = [{
    ($weights^ `[` $weightTile `]`)? `rows` $rows `cols` $cols (`transpose` $transpose^)? `into` $sums `[` $sumTile `]`
    (`adding` $adding^)? (`shift` $shift^)? attr-dict `:` type($sums) (`,` type($weights)^)?
  }];
  let hasVerifier = 1;
}

def Systolic_ComputeOp : Systolic_RoutineOp<"compute", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Stream a tile through the array";
  let description = [{
    Weight stationary: `rows` rows of `cols` (K) elements of the left operand meet the weights;
    the sums go where the last preload says. `fresh` takes the weights of that preload,
    otherwise those before stay. Output stationary: the left tile (M x K) meets the tile
    `rhs` (K x N); `fresh` starts the sums at zero, `last` writes them.
    `lhs_unsigned` and `rhs_unsigned` say how the bits of each operand are read.

    On an output-stationary array:

    ```mlir
    module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
      func.func private @routine() attributes {systolic.routine} {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %c16 = arith.constant 16 : index
        %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>
        %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
        %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
        systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
        systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c0] fresh
          : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
        systolic.compute %a[%c0, %c1] rows %c16 cols %c16 with %b[%c1, %c0] last
          : !systolic.tiles<scratchpad, [1, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 1], [16, 16], i8>
        return
      }
    }
    ```

    Constraints:
    * C1: operands are scratchpad tiles, one index for each dimension.
    * C2: `rhs` and `last` exactly on output-stationary arrays.
    * C3: known rows and columns are at least 1 and fit the array and the tiles.
    * C4: on a weight-stationary array a preload of its own stands before it in its block. It is
      `fresh` if and only if that names weights, has no more columns (K) than these have rows, and
      no more rows than the tile of sums.
  }];
  let arguments = (ins Systolic_TilesType:$lhs, Variadic<Index>:$lhsTile, Index:$rows, Index:$cols,
                       Optional<Systolic_TilesType>:$rhs, Variadic<Index>:$rhsTile, UnitAttr:$fresh, UnitAttr:$last,
                       UnitAttr:$lhsUnsigned, UnitAttr:$rhsUnsigned);
  let assemblyFormat = [{
    $lhs `[` $lhsTile `]` `rows` $rows `cols` $cols (`with` $rhs^ `[` $rhsTile `]`)? (`fresh` $fresh^)?
    (`last` $last^)? (`lhs_unsigned` $lhsUnsigned^)? (`rhs_unsigned` $rhsUnsigned^)? attr-dict
    `:` type($lhs) (`,` type($rhs)^)?
  }];
  let hasVerifier = 1;
}

def Systolic_MvoutOp : Systolic_RoutineOp<"mvout", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Move sums from the accumulator to DRAM";
  let description = [{
    `rows` rows of `cols` sums to the given element and on along dimension `along`. To i32
    as they are; to i8 with `shift`: times 2^-shift, half to even, saturated to 8 signed bits
    (the shift requantizer), after `relu` if given.

    ```mlir
    func.func private @routine(%y: memref<197x768xi32>) attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c = systolic.alloc : !systolic.tiles<accumulator, [13, 4], [16, 16], i32>
      affine.for %m = 0 to 13 {
        %row = affine.apply affine_map<(d0) -> (d0 * 16)>(%m)
        %rows = affine.min affine_map<(d0) -> (16, 197 - d0 * 16)>(%m)
        systolic.mvout %c[%m, %c0] rows %rows cols %c16 to %y[%row, %c0] along 0
          : !systolic.tiles<accumulator, [13, 4], [16, 16], i32> to memref<197x768xi32>
      }
      return
    }
    ```

    Constraints:
    * C1: the tiles are in the accumulator, one index for each dimension of grid and memref,
      which is an argument of the routine.
    * C2: elements are i32 without `shift`, i8 with it, which is 0 to 31 and needs the
      shift requantizer; `relu` goes with `shift`.
    * C3: `along` is a dimension of the memref, not its last, which is contiguous.
    * C4: known rows and columns are at least 1 and fit: i32 one tile, i8 `block-tiles`, which
      then are as wide as a row of the accumulator.
    * C5: what is known of the elements lies inside the memref.
    * C6: rows do not overlap: they are as far apart as the last dimension is long.
  }];
  let arguments = (ins Systolic_TilesType:$tiles, Variadic<Index>:$tile, Index:$rows, Index:$cols,
                       Systolic_Memref:$target, Variadic<Index>:$indices, I64Attr:$along,
                       OptionalAttr<I64Attr>:$shift, UnitAttr:$relu);
  let assemblyFormat = [{
    $tiles `[` $tile `]` `rows` $rows `cols` $cols (`shift` $shift^)? (`relu` $relu^)? `to` $target `[` $indices `]`
    `along` $along attr-dict `:` type($tiles) `to` type($target)
  }];
  let hasVerifier = 1;
}

def Systolic_UnitsOp : Systolic_RoutineOp<"units", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Run the launch's unit program on some rows";
  let description = [{
    Runs the region of the launch on rows `row` to `row + rows` (counted through all batches) and channels
    `channel` to `channel + cols`. The sums are `from`, or without it the rows of the first
    operand in DRAM. Where operands and results lie is said by the types of the routine's
    arguments.

    ```mlir
    func.func private @routine(%y: memref<208x64xi8>) attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c64 = arith.constant 64 : index
      %c = systolic.alloc : !systolic.tiles<accumulator, [13, 4], [16, 16], i32>
      affine.for %m = 0 to 13 {
        %row = affine.apply affine_map<(d0) -> (d0 * 16)>(%m)
        systolic.units from %c[%m, %c0] rows %row for %c16 channels %c0 for %c64
          : !systolic.tiles<accumulator, [13, 4], [16, 16], i32>
      }
      return
    }
    ```

    Constraints:
    * C1: the tiles are in the accumulator, one index for each dimension.
    * C2: known rows and channels begin at 0 or later, are 1 to 65535, and fit the tiles from
      the given one on; several are as wide as a row of the accumulator.
  }];
  let arguments = (ins Optional<Systolic_TilesType>:$tiles, Variadic<Index>:$tile, Index:$row, Index:$rows,
                       Index:$channel, Index:$cols);
  let assemblyFormat = [{
    (`from` $tiles^ `[` $tile `]`)? `rows` $row `for` $rows `channels` $channel `for` $cols attr-dict
    (`:` type($tiles)^)?
  }];
  let hasVerifier = 1;
}

def Systolic_FenceOp : Systolic_RoutineOp<"fence", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Wait until everything before is done";
  let description = [{
    ```mlir
    func.func private @routine() attributes {systolic.routine} {
      systolic.fence
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Systolic_LaunchOp : Systolic_Op<"launch", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>, DeclareOpInterfaceMethods<IntegerOp, ["getOperandCode"]>,
    IsolatedFromAbove, RecursiveMemoryEffects]> {
  let summary = "Run a routine of the array on tensors";
  let description = [{
    The operands and then the results are the routine's arguments, row-major; constants become
    part of the program's data image. An argument with strides is a view of its operand: of a map, say, as
    `[images, lines, columns, i, j, elements]` of patches that overlap. `operandsForUnits` says how
    many of the last operands only the units read. `lhs_code` says how the codes of a product's left
    operand, the first one, are read where a byte holds less than 8 bits.

    What the routine computes is in its instructions; `systolic-raise-to-vitq` recovers it.

    The region is the unit program: `vitq` ops on the sums (its first argument) and the operands
    for units. Without a region the result are the sums.

    ```mlir
    func.func private @store(%y: memref<16x16xi32>) attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
      systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0
        : !systolic.tiles<accumulator, [1, 1], [16, 16], i32> to memref<16x16xi32>
      return
    }
    func.func @main() -> tensor<1x16x16xi32> {
      %y = systolic.launch @store() {macs = 0 : i64} : () -> tensor<1x16x16xi32>
      return %y : tensor<1x16x16xi32>
    }
    ```

    Constraints:
    * C1: the symbol is a function with `systolic.routine` and one argument for each operand
      and result.
    * C2: each argument has as many bytes as the operand or result, and its element width; or it sees an
      operand by strides that reach no further than this, and elements may share a place; or it has as many
      codes as an operand of less than 8 bits, packed with at least as many bits each, in rows of whole bytes.
    * C3: the region, if there is one, holds `vitq` ops and constants and ends with a
      `systolic.yield` of the results; its arguments are the sums (i32) and the operands for units.
    * C4: the routine writes results only.
    * C5: there is a region if and only if the routine runs units; these work on tiles if and only
      if the region has the sums as argument.
    * C6: `macs` is not negative.
    * C7: with `lhs_code` the first operand has codes of 2 to 7 bits.
  }];
  let arguments = (ins FlatSymbolRefAttr:$routine, Variadic<AnyStaticShapeTensor>:$inputs,
                       DefaultValuedAttr<I64Attr, "0">:$macs, DefaultValuedAttr<I64Attr, "0">:$operandsForUnits,
                       UnitAttr:$attention, OptionalAttr<Vitq_CodeAttr>:$lhs_code);
  let results = (outs Variadic<AnyStaticShapeTensor>:$outputs);
  let regions = (region MaxSizedRegion<1>:$units);
  let assemblyFormat = [{
    $routine `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs) (`units` $units^)?
  }];
  let hasVerifier = 1;
}

def Systolic_YieldOp : Systolic_Op<"yield", [Pure, Terminator, HasParent<"LaunchOp">]> {
  let summary = "What the units give";
  let description = [{
    ```mlir
    func.func private @units(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
      %c0 = arith.constant 0 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      systolic.units rows %c0 for %c2 channels %c0 for %c3
      return
    }
    func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
      %y = systolic.launch @units(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
      ^bb0(%rows: tensor<2x3xi32>):
        %codes = vitq.requant %rows by <1073741824, 40> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
        systolic.yield %codes : tensor<2x3xi8>
      }
      return %y : tensor<2x3xi8>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyStaticShapeTensor>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

#endif // SYSTOLIC_OPS
