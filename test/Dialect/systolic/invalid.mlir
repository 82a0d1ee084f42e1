// Every numbered constraint of dialects/systolic/Systolic{Ops,Types}.td, violated, and the rules of
// routines and attributes. The labels are checked by test/lint/constraints.test.
// RUN: vitq-opt %s -split-input-file -verify-diagnostics

// #systolic.config C1
// expected-error @+1 {{there is no preset 'gemini-16x16' of a systolic array; did you mean 'gemmini-16x16'}}
module attributes {systolic.config = #systolic.config<"gemini-16x16">} {}

// -----

// #systolic.config C1
// expected-error @+1 {{rows=0: must be 1 to 1024}}
module attributes {systolic.config = #systolic.config<"rows=0">} {}

// -----

// #systolic.config C1
// expected-error @+1 {{bits=5: the operands of an element have 2, 3, 4 or 8 bits}}
module attributes {systolic.config = #systolic.config<"gemmini-16x16,bits=5">} {}

// -----

// #systolic.config C1
// expected-error @+1 {{the scratchpad has 16 rows}}
module attributes {systolic.config = #systolic.config<"scratchpad-banks=1,scratchpad-rows=16">} {}

// -----

// !systolic.tiles C1
// expected-error @+1 {{the extents of tiles must be 1 to 2^20, not 0}}
func.func private @f(!systolic.tiles<scratchpad, [2, 0], [16, 16], i8>)

// -----

// !systolic.tiles C1
// expected-error @+1 {{tiles need a grid, and rows and columns from 1 to 65536}}
func.func private @f(!systolic.tiles<scratchpad, [2, 2], [0, 16], i8>)

// -----

// !systolic.tiles C1
// expected-error @+1 {{there are more than 2^32 tiles}}
func.func private @f(!systolic.tiles<scratchpad, [65536, 65536, 2], [16, 16], i8>)

// -----

// !systolic.tiles C2
// expected-error @+1 {{tiles of the scratchpad have elements of i2, i3, i4 or i8, not 'i32'}}
func.func private @f(!systolic.tiles<scratchpad, [1, 1], [16, 16], i32>)

// -----

// !systolic.tiles C2
// expected-error @+1 {{tiles of the accumulator have elements of i32, not 'i8'}}
func.func private @f(!systolic.tiles<accumulator, [1, 1], [16, 16], i8>)

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.config' must be a #systolic.config of a module}}
func.func private @f() attributes {systolic.config = #systolic.config<"gemmini-16x16">}

// -----

// expected-error @+1 {{'systolic.wishes' must be a string of a module}}
module attributes {systolic.wishes = 3 : i64} {}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.config' must be a #systolic.config of a module}}
module attributes {systolic.config = "gemmini-16x16"} {}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.routine' must be a unit attribute of a function}}
module attributes {systolic.routine} {}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.cycles' must be an integer of a function}}
module attributes {systolic.cycles = 3 : i64} {}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.fixed_cycles' must be an integer of a function}}
func.func private @f() attributes {systolic.fixed_cycles = "3"}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{'systolic.placements' must be an array of {node, op, place, reason}, all strings, of a module}}
module attributes {systolic.placements = [{node = "a", op = "vitq.matmul", place = "array"}]} {}

// -----

// Attributes of modules and functions.
// expected-error @+1 {{unknown attribute 'systolic.array'}}
module attributes {systolic.array = 3 : i64} {}

// -----

// Routines.
// expected-error @+1 {{a routine has no results: they are its last arguments}}
func.func private @f() -> i32 attributes {systolic.routine}

// -----

// Routines.
// expected-error @+1 {{arguments of a routine are memrefs of static shape, not 'tensor<2xi8>'}}
func.func private @f(tensor<2xi8>) attributes {systolic.routine}

// -----

// Routines.
// expected-error @+1 {{arguments of a routine are memrefs of static shape, not 'memref<?xi8>'}}
func.func private @f(memref<?xi8>) attributes {systolic.routine}

// -----

// Routines.
// expected-error @+1 {{a routine is one block}}
func.func private @f() attributes {systolic.routine}

// -----

// Routines.
// expected-error @+1 {{a routine has at most 256 arguments, not 257}}
func.func private @f(memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>, memref<1xi8>) attributes {systolic.routine}

// -----

// Routines.
func.func private @f(%x: memref<2xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{'memref.load' op is no op of a routine of the array}}
  %0 = memref.load %x[%c0] : memref<2xi8>
  return
}

// -----

// Routines.
func.func private @f() attributes {systolic.routine} {
  affine.for %i = 0 to 2 {
    // expected-error @+1 {{is in a loop: tiles are allocated in the routine's own block}}
    %0 = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  }
  return
}

// -----

// Routines.
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{carries values, which a loop of a routine cannot}}
  %0 = affine.for %i = 0 to 2 iter_args(%j = %c0) -> (index) {
    affine.yield %j : index
  }
  return
}

// -----

// Routines.
func.func private @f() attributes {systolic.routine} {
  // expected-note @+1 {{which are these}}
  %a = systolic.alloc at 64 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc at 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{begins at row 127, but other tiles have rows 64 to 127}}
  %c = systolic.alloc at 127 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// Instructions are in routines.
func.func private @f() {
  // expected-error @+1 {{'systolic.fence' op belongs into a function with 'systolic.routine'}}
  systolic.fence
  return
}

// -----

// systolic.alloc C1
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{address -16 is negative}}
  %a = systolic.alloc at -16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.alloc C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{takes 64 rows from row 16336 on, but the scratchpad has 16384}}
  %a = systolic.alloc at 16336 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.alloc C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{takes 1040 rows from row 0 on, but the accumulator has 1024}}
  %a = systolic.alloc : !systolic.tiles<accumulator, [65, 1], [16, 16], i32>
  return
}
}

// -----

// systolic.alloc C3
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{has tiles of 32 columns, but a row of the scratchpad holds 16}}
  %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 32], i8>
  return
}
}

// -----

// systolic.alloc C3
module attributes {systolic.config = #systolic.config<"gemmini-16x16,cols=8">} {
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{has tiles of 16 columns, but a row of the accumulator holds 8}}
  %a = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  return
}
}

// -----

// systolic.alloc C4
module attributes {systolic.config = #systolic.config<"edge-8x8-int4">} {
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{has elements of 'i8' on an array of 4 bits}}
  %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [8, 8], i8>
  return
}
}

// -----

// systolic.mvin C1
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs 2 indices into DRAM, got 1}}
  systolic.mvin %x[%c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C1
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs 2 indices of a tile, got 1}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C1
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{index 2 of a tile is outside 0 to 1}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c2, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C1
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i4>
  // expected-error @+1 {{needs 2 indices of a tile, got 3}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0, %c0] split : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i4>
  return
}

// -----

// systolic.mvin C1
func.func private @f() attributes {systolic.routine} {
  // expected-error @+1 {{'memref.alloc' op is no op of a routine of the array}}
  %x = memref.alloc() : memref<32x64xi8>
  return
}

// -----

// systolic.mvin C2
func.func private @f(%x: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{moves 'i32' to the scratchpad, which takes i8}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi32> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C2
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{moves 'i8' to the accumulator, which takes i32}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.mvin C3
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has rows along dimension 1, which must be 0 to 0}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 1 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C4
func.func private @f(%x: memref<32x64xi8, strided<[1, 32]>>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs a DRAM operand whose last dimension is contiguous and whose strides are known}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8, strided<[1, 32]>> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C4
func.func private @f(%x: memref<32x64xi8, strided<[?, 1]>>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs a DRAM operand whose last dimension is contiguous and whose strides are known}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8, strided<[?, 1]>> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has an option that its memory lacks}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 broadcast to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has an option that its memory lacks}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] accumulate : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<accumulator, [1, 2, 2], [16, 16], i32>
  // expected-error @+1 {{has an option that its memory lacks}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] split : memref<32x64xi32> to !systolic.tiles<accumulator, [1, 2, 2], [16, 16], i32>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{moves bytes into elements of 8 bits, which has no use for split}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0] split : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i4>
  // expected-error @+1 {{moves bytes into elements of 4 bits, which needs split}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i4>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i3>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [4, 2, 2], [16, 16], i3>
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] split : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2, 2], [16, 16], i3>
  // expected-error @+1 {{splits bytes into 3 planes, but the grid begins with 4}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %b[%c0, %c0] split : memref<32x64xi8> to !systolic.tiles<scratchpad, [4, 2, 2], [16, 16], i3>
  return
}

// -----

// systolic.mvin C5
func.func private @f(%x: memref<32x64xi4>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i4>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [1, 2, 2], [16, 16], i4>
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi4> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i4>
  // expected-error @+1 {{moves packed codes into elements of 4 bits, which has no use for split}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %b[%c0, %c0] split : memref<32x64xi4> to !systolic.tiles<scratchpad, [1, 2, 2], [16, 16], i4>
  return
}

// -----

// systolic.mvin C2
func.func private @f(%x: memref<32x64xi3>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i4>
  // expected-error @+1 {{moves 'i3' to the scratchpad, which takes i8}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi3> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i4>
  return
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c9 = arith.constant 9 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  systolic.mvin %x[%c0, %c0] rows %c8 cols %c16 along 0 to %a[%c0, %c0] row %c8 : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 9 rows, which must be 1 to 8}}
  systolic.mvin %x[%c0, %c0] rows %c9 cols %c16 along 0 to %a[%c0, %c0] row %c8 : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{begins at row 16 of a tile of 16}}
  systolic.mvin %x[%c0, %c0] rows %c1 cols %c16 along 0 to %a[%c0, %c0] row %c16 : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 17 rows, which must be 1 to 16}}
  systolic.mvin %x[%c0, %c0] rows %c17 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 0 rows, which must be 1 to 16}}
  systolic.mvin %x[%c0, %c0] rows %c0 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [32, 16], i8>
  // expected-error @+1 {{has 17 rows, which must be 1 to 16}}
  systolic.mvin %x[%c0, %c0] rows %c17 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [1, 1], [32, 16], i8>
  return
}
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 64 columns, which must be 1 to 32}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c64 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 32 columns, which must be 1 to 16}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c32 along 0 to %a[%c0, %c1] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C6
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f(%x: memref<32x80xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c80 = arith.constant 80 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 5], [16, 16], i8>
  // expected-error @+1 {{has 80 columns, which must be 1 to 64}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c80 along 0 to %a[%c0, %c0] : memref<32x80xi8> to !systolic.tiles<scratchpad, [2, 5], [16, 16], i8>
  return
}
}

// -----

// systolic.mvin C6
func.func private @f(%x: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %a = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 32 columns, which must be 1 to 16}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c32 along 0 to %a[%c0, %c0] : memref<32x64xi32> to !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.mvin C7
module attributes {systolic.config = #systolic.config<"gemmini-16x16,cols=8">} {
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 8], i8>
  // expected-error @+1 {{goes over several tiles of 8 columns, but a row of the scratchpad has 16}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 8], i8>
  return
}
}

// -----

// systolic.mvin C8
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{reaches elements 17 to 32 of dimension 0 in DRAM, which has 32}}
  systolic.mvin %x[%c17, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C8
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{reaches elements 64 to 79 of dimension 1 in DRAM, which has 64}}
  systolic.mvin %x[%c0, %c64] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C8
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %m1 = arith.constant -1 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{reaches elements -1 to 14 of dimension 0 in DRAM, which has 32}}
  systolic.mvin %x[%m1, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.mvin C9
func.func private @f(%x: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 4097, 1], [16, 16], i4>
  // expected-error @+1 {{has planes 65552 rows apart, which must be 1 to 65535}}
  systolic.mvin %x[%c0, %c0] rows %c16 cols %c16 along 0 to %a[%c0, %c0] split : memref<32x64xi8> to !systolic.tiles<scratchpad, [2, 4097, 1], [16, 16], i4>
  return
}

// -----

// systolic.preload C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs tiles of the scratchpad, not of the accumulator}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.preload C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs tiles of the accumulator, not of the scratchpad}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.preload C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs 2 indices of a tile, got 1}}
  systolic.preload %w[%c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.preload C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %m1 = arith.constant -1 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{index -1 of a tile is outside 0 to 1}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %m1] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.preload C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{names weights, but the array is output stationary}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.preload C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{transposes weights that it does not name}}
  systolic.preload rows %c16 cols %c16 transpose into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.preload C3
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{shift 32 is outside 0 to 31}}
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] shift 32 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.preload C3
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{shift -1 is outside 0 to 31}}
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] shift -1 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.preload C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16,rows=8">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 16 rows, which must be 1 to 8}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.preload C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16,cols=8">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>
  // expected-error @+1 {{has 16 columns, which must be 1 to 8}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.preload C4
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>
  // expected-error @+1 {{has 16 columns, which must be 1 to 8}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.preload C4
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 16 rows, which must be 1 to 8}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  return
}

// -----

// systolic.preload C4
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 16 columns, which must be 1 to 8}}
  systolic.preload %w[%c0, %c0] rows %c16 cols %c16 transpose into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  return
}

// -----

// systolic.preload C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [8, 16], i32>
  // expected-error @+1 {{has 16 rows, which must be 1 to 8}}
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [8, 16], i32>
  return
}
}

// -----

// systolic.preload C4
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %w = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 0 rows, which must be 1 to 16}}
  systolic.preload %w[%c0, %c0] rows %c0 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.compute C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs tiles of the scratchpad, not of the accumulator}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.compute C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs 2 indices of a tile, got 1}}
  systolic.compute %a[%c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.compute C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{index 2 of a tile is outside 0 to 1}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c2] fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.compute C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs tiles of the scratchpad, not of the accumulator}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c2] fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>, !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.compute C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs a right operand, the array is output stationary}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{names a right operand, but the array is weight stationary}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c0] fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{is last, but the array is weight stationary: every compute writes its sums}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh last : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C3
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 17 rows, which must be 1 to 16}}
  systolic.compute %a[%c0, %c0] rows %c17 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.compute C3
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [32, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [32, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [32, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 32 rows, which must be 1 to 16}}
  systolic.compute %a[%c0, %c0] rows %c32 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [32, 16], i8>
  return
}
}

// -----

// systolic.compute C3
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 8], i8>
  // expected-error @+1 {{has 16 columns, which must be 1 to 8}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 8], i8>
  return
}

// -----

// systolic.compute C3
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 0 columns, which must be 1 to 16}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c0 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C3
module attributes {systolic.config = #systolic.config<"gemmini-16x16,dataflow=os">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 16 columns, which must be 1 to 8}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 with %b[%c0, %c0] fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>, !systolic.tiles<scratchpad, [2, 2], [8, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs a systolic.preload of its own before it in its block}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs a systolic.preload of its own before it in its block}}
  systolic.compute %a[%c1, %c0] rows %c16 cols %c16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  affine.for %i = 0 to 2 {
  // expected-error @+1 {{needs a systolic.preload of its own before it in its block}}
  systolic.compute %a[%i, %c0] rows %c16 cols %c16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  }
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{is not fresh, but its preload names weights}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{is fresh, but its preload names no weights}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c8 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 16 columns, but its preload has 8 rows of weights}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.compute C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [8, 16], i32>
  systolic.preload %b[%c0, %c0] rows %c16 cols %c16 into %c[%c0, %c0] : !systolic.tiles<accumulator, [2, 2], [8, 16], i32>, !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{has 16 rows, but a tile of its sums has 8}}
  systolic.compute %a[%c0, %c0] rows %c16 cols %c16 fresh : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}
}

// -----

// systolic.mvout C1
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs tiles of the accumulator, not of the scratchpad}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C1
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs 2 indices of a tile, got 3}}
  systolic.mvout %c[%c0, %c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C1
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs 2 indices into DRAM, got 3}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C2
func.func private @f(%y: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{writes 'i8', but sums are i32 without shift and i8 with it}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi8>
  return
}

// -----

// systolic.mvout C2
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{writes 'i32', but sums are i32 without shift and i8 with it}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 shift 3 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C2
func.func private @f(%y: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{shift 32 is outside 0 to 31}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 shift 32 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi8>
  return
}

// -----

// systolic.mvout C2
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{applies relu to sums that it does not scale}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 relu to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16,units=none">} {
func.func private @f(%y: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{scales sums, but the array has no shift requantizer}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 shift 3 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi8>
  return
}
}

// -----

// systolic.mvout C3
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has rows along dimension 1, which must be 0 to 0}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 1 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C3
func.func private @f(%y: memref<32x64xi32, strided<[128, 2]>>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs a DRAM operand whose last dimension is contiguous and whose strides are known}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32, strided<[128, 2]>>
  return
}

// -----

// systolic.mvout C4
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 17 rows, which must be 1 to 16}}
  systolic.mvout %c[%c0, %c0] rows %c17 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C4
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 32 columns, which must be 1 to 16}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c32 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f(%y: memref<32x80xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c80 = arith.constant 80 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 5], [16, 16], i32>
  // expected-error @+1 {{has 80 columns, which must be 1 to 64}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c80 shift 3 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 5], [16, 16], i32> to memref<32x80xi8>
  return
}
}

// -----

// systolic.mvout C4
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f(%y: memref<32x64xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>
  // expected-error @+1 {{goes over several tiles of 8 columns, but a row of the accumulator has 16}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 shift 3 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 8], i32> to memref<32x64xi8>
  return
}
}

// -----

// systolic.mvout C5
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{reaches elements 17 to 32 of dimension 0 in DRAM, which has 32}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c17, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C5
func.func private @f(%y: memref<32x64xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{reaches elements 64 to 79 of dimension 1 in DRAM, which has 64}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c64] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32>
  return
}

// -----

// systolic.mvout C6
func.func private @f(%y: memref<32x64xi32, strided<[32, 1]>>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{writes rows of 64 elements that are only 32 apart}}
  systolic.mvout %c[%c0, %c0] rows %c16 cols %c16 to %y[%c0, %c0] along 0 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32> to memref<32x64xi32, strided<[32, 1]>>
  return
}

// -----

// systolic.units C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  // expected-error @+1 {{needs tiles of the accumulator, not of the scratchpad}}
  systolic.units from %c[%c0, %c0] rows %c0 for %c16 channels %c0 for %c16 : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  return
}

// -----

// systolic.units C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{needs 2 indices of a tile, got 1}}
  systolic.units from %c[%c0] rows %c0 for %c16 channels %c0 for %c16 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.units C1
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{index 2 of a tile is outside 0 to 1}}
  systolic.units from %c[%c0, %c2] rows %c0 for %c16 channels %c0 for %c16 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  // expected-error @+1 {{has 0 rows, which must be 1 to 65535}}
  systolic.units rows %c0 for %c0 channels %c0 for %c16
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  // expected-error @+1 {{has 0 channels, which must be 1 to 65535}}
  systolic.units rows %c0 for %c16 channels %c0 for %c0
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %m1 = arith.constant -1 : index
  // expected-error @+1 {{begins at -1, before the first row or channel}}
  systolic.units rows %m1 for %c16 channels %c0 for %c16
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %m1 = arith.constant -1 : index
  // expected-error @+1 {{begins at -1, before the first row or channel}}
  systolic.units rows %c0 for %c16 channels %m1 for %c16
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c17 = arith.constant 17 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 17 rows, which must be 1 to 16}}
  systolic.units from %c[%c0, %c0] rows %c0 for %c17 channels %c0 for %c16 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.units C2
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  // expected-error @+1 {{has 32 channels, which must be 1 to 16}}
  systolic.units from %c[%c0, %c1] rows %c0 for %c16 channels %c0 for %c32 : !systolic.tiles<accumulator, [2, 2], [16, 16], i32>
  return
}

// -----

// systolic.units C2
module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
func.func private @f() attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>
  // expected-error @+1 {{goes over several tiles of 8 columns, but a row of the accumulator has 16}}
  systolic.units from %c[%c0, %c0] rows %c0 for %c16 channels %c0 for %c16 : !systolic.tiles<accumulator, [2, 2], [16, 8], i32>
  return
}
}

// -----

// systolic.launch C1
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{'g' is no function with 'systolic.routine'}}
  %y = systolic.launch @g(%x) : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C1
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{'main' is no function with 'systolic.routine'}}
  %y = systolic.launch @main(%x) : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C1
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has 3 operands and results, but the routine 'f' has 2 arguments}}
  %y = systolic.launch @f(%x, %x) : (tensor<2x3xi8>, tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x4xi4>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x4xi3>, %bytes: tensor<2x4xi8>) -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  %y = systolic.launch @f(%x) : (tensor<2x4xi3>) -> tensor<2x3xi32>
  // expected-error @+1 {{passes 'tensor<2x4xi8>' as argument 0 of type 'memref<2x4xi4>'}}
  %z = systolic.launch @f(%bytes) : (tensor<2x4xi8>) -> tensor<2x3xi32>
  return %y, %z : tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi4>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi4>) -> tensor<2x3xi32> {
  // expected-error @+1 {{passes 'tensor<2x3xi4>' as argument 0 of type 'memref<2x3xi4>'}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi4>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3x4xi8, strided<[8, 2, 1]>>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<16xi8>, %short: tensor<15xi8>) -> (tensor<2x3xi32>, tensor<2x3xi32>) {
  %y = systolic.launch @f(%x) : (tensor<16xi8>) -> tensor<2x3xi32>
  // expected-error @+1 {{passes 'tensor<15xi8>' as argument 0 of type 'memref<2x3x4xi8, strided<[8, 2, 1]>>'}}
  %z = systolic.launch @f(%short) : (tensor<15xi8>) -> tensor<2x3xi32>
  return %y, %z : tensor<2x3xi32>, tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32, strided<[2, 1]>>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x4xi32> {
  // expected-error @+1 {{passes 'tensor<2x4xi32>' as argument 1 of type 'memref<2x3xi32, strided<[2, 1]>>'}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi8>) -> tensor<2x4xi32>
  return %y : tensor<2x4xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x4xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{passes 'tensor<2x4xi8>' as argument 0 of type 'memref<2x3xi8>'}}
  %y = systolic.launch @f(%x) : (tensor<2x4xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<4x3xi16> {
  // expected-error @+1 {{passes 'tensor<4x3xi16>' as argument 1 of type 'memref<2x3xi32>'}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi8>) -> tensor<4x3xi16>
  return %y : tensor<4x3xi16>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xi32> {
  // expected-error @+1 {{passes 'tensor<2x3xf32>', but operands and results are i2 to i8, i16 or i32, below 4 GiB}}
  %y = systolic.launch @f(%x) : (tensor<2x3xf32>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C2
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<65536x65536xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{passes 'tensor<65536x65536xi8>', but operands and results are i2 to i8, i16 or i32, below 4 GiB}}
  %y = systolic.launch @f(%x) : (tensor<65536x65536xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has operands for units, but no units}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has 2 operands for units of 1}}
  %y = systolic.launch @f(%x) {operandsForUnits = 2 : i64} : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{must end its units with a systolic.yield of its results}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi32>):
    systolic.yield %s : tensor<2x3xi32>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{has units with 3 arguments, but 1 operands for them (and the sums)}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi32>, %t: tensor<2x3xi32>, %u: tensor<2x3xi32>):
    %q = vitq.requant %s by <1, 1> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
    systolic.yield %q : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [2, 3], i32>
  systolic.units from %c[%c0, %c0] rows %c0 for %c2 channels %c0 for %c3 : !systolic.tiles<accumulator, [1, 1], [2, 3], i32>
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  // expected-error @+1 {{has units whose first argument are no 32-bit sums}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi8>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi8>):
    systolic.yield %s : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{passes 'tensor<2x3xi32>' to units as 'tensor<3x2xi32>'}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
  ^bb0(%t: tensor<3x2xi32>):
    %s = vitq.reshape %t to [2, 3] : tensor<3x2xi32> -> tensor<2x3xi32>
    %q = vitq.requant %s by <1, 1> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
    systolic.yield %q : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C3
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{has units with a tensor.empty, which is no vitq op}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi32>):
    %e = tensor.empty() : tensor<2x3xi8>
    systolic.yield %e : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C4
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [2, 3], i32>
  systolic.mvout %c[%c0, %c0] rows %c2 cols %c3 to %x[%c0, %c0] along 0 : !systolic.tiles<accumulator, [1, 1], [2, 3], i32> to memref<2x3xi32>
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi32> {
  // expected-error @+1 {{runs 'f', which writes argument 0, an operand}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C5
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has units that 'f' does not run}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi8>) -> tensor<2x3xi32> units {
  ^bb0(%s: tensor<2x3xi32>):
    systolic.yield %s : tensor<2x3xi32>
  }
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C5
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{has no units, which 'f' runs}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi32>) -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C5
func.func private @f(%x: memref<2x3xi32>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  systolic.units rows %c0 for %c2 channels %c0 for %c3
  return
}
func.func @main(%x: tensor<2x3xi32>) -> tensor<2x3xi8> {
  // expected-error @+1 {{runs 'f', whose units work on rows in DRAM, but its own on sums}}
  %y = systolic.launch @f(%x) : (tensor<2x3xi32>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi32>):
    %q = vitq.requant %s by <1, 1> round half_up : tensor<2x3xi32> -> tensor<2x3xi8>
    systolic.yield %q : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C5
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi8>) attributes {systolic.routine} {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [2, 3], i32>
  systolic.units from %c[%c0, %c0] rows %c0 for %c2 channels %c0 for %c3 : !systolic.tiles<accumulator, [1, 1], [2, 3], i32>
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi8> {
  // expected-error @+1 {{runs 'f', whose units work on sums, but its own on rows in DRAM}}
  %y = systolic.launch @f(%x) {operandsForUnits = 1 : i64} : (tensor<2x3xi8>) -> tensor<2x3xi8> units {
  ^bb0(%s: tensor<2x3xi8>):
    systolic.yield %s : tensor<2x3xi8>
  }
  return %y : tensor<2x3xi8>
}

// -----

// systolic.launch C6
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has -1 multiply-accumulates}}
  %y = systolic.launch @f(%x) {macs = -1 : i64} : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C7
func.func private @f(%x: memref<2x3xi8>, %y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main(%x: tensor<2x3xi8>) -> tensor<2x3xi32> {
  // expected-error @+1 {{has a code for its first operand, which has none of less than 8 bits}}
  %y = systolic.launch @f(%x) {lhs_code = #vitq.code<unsigned>} : (tensor<2x3xi8>) -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// systolic.launch C7
func.func private @f(%y: memref<2x3xi32>) attributes {systolic.routine} {
  return
}
func.func @main() -> tensor<2x3xi32> {
  // expected-error @+1 {{has a code for its first operand, which has none of less than 8 bits}}
  %y = systolic.launch @f() {lhs_code = #vitq.code<unsigned>} : () -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}

// -----

// A yield ends the units of a launch.
func.func @main(%x: tensor<2xi8>) {
  // expected-error @+1 {{'systolic.yield' op expects parent op 'systolic.launch'}}
  systolic.yield %x : tensor<2xi8>
}
