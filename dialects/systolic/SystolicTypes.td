//===- SystolicTypes.td - Attributes and types -*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SYSTOLIC_TYPES
#define SYSTOLIC_TYPES

include "dialects/systolic/SystolicDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Systolic_Memory : I32EnumAttr<"Memory", "a memory of the array", [
    I32EnumAttrCase<"Scratchpad", 0, "scratchpad">,
    I32EnumAttrCase<"Accumulator", 1, "accumulator">]> {
  let cppNamespace = "::vitq::systolic";
}

def Systolic_ConfigAttr : AttrDef<Systolic_Dialect, "Config"> {
  let mnemonic = "config";
  let summary = "A systolic array with its memories and units";
  let description = [{
    A preset, or a preset and what differs from it: `#systolic.config<"edge-8x8-int4">`,
    `#systolic.config<"gemmini-16x16,rows=8,cols=8">`. docs/Systolic.md lists the keys.

    Constraints:
    * C1: a configuration that makes sense.
  }];
  let parameters = (ins StringRefParameter<>:$text);
  let assemblyFormat = "`<` $text `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The parsed configuration.
    ::vitq::simulator::Config get() const;
  }];
}

def Systolic_TilesType : TypeDef<Systolic_Dialect, "Tiles"> {
  let mnemonic = "tiles";
  let summary = "A grid of tiles in scratchpad or accumulator memory";
  let description = [{
    `!systolic.tiles<scratchpad, [13, 12], [16, 16], i8>` are 13 x 12 tiles of 16 rows of 16
    elements. Tiles follow each other in row-major order of the grid; each takes as many rows
    of its memory as it has. Operands of more bits than the array's elements have are kept in
    planes of so many bits; the grid's first index is then the plane.

    Constraints:
    * C1: extents are positive, and there are at most 2^32 tiles.
    * C2: elements are i2, i3, i4 or i8 in the scratchpad, i32 in the accumulator.
  }];
  let parameters = (ins EnumParameter<Systolic_Memory>:$memory, ArrayRefParameter<"int64_t">:$grid,
                        "int64_t":$rows, "int64_t":$cols, "::mlir::Type":$element);
  let assemblyFormat = "`<` $memory `,` `[` $grid `]` `,` `[` $rows `,` $cols `]` `,` $element `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isScratchpad() const { return getMemory() == Memory::Scratchpad; }
    int64_t tileCount() const;
    /// Rows of its memory that it takes.
    int64_t rowCount() const { return tileCount() * getRows(); }
  }];
}

#endif // SYSTOLIC_TYPES
