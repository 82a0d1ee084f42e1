// Routines whose tiles get no address.
// RUN: vitq-opt %s -split-input-file --systolic-allocate -verify-diagnostics

module attributes {systolic.config = #systolic.config<"gemmini-16x16,scratchpad-banks=1,scratchpad-rows=64">} {
// expected-error @+1 {{needs 80 scratchpad rows of 64 and 16 accumulator rows of 1024}}
func.func private @scratchpad() attributes {systolic.routine} {
  %a = systolic.alloc : !systolic.tiles<scratchpad, [2, 2], [16, 16], i8>
  %b = systolic.alloc : !systolic.tiles<scratchpad, [1, 1], [16, 16], i8>
  %c = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  return
}
}

// -----

module attributes {systolic.config = #systolic.config<"gemmini-16x16">} {
// expected-error @+1 {{needs 0 scratchpad rows of 16384 and 1040 accumulator rows of 1024}}
func.func private @accumulator() attributes {systolic.routine} {
  %a = systolic.alloc : !systolic.tiles<accumulator, [64, 1], [16, 16], i32>
  %b = systolic.alloc : !systolic.tiles<accumulator, [1, 1], [16, 16], i32>
  return
}
}

// -----

// expected-error @+1 {{needs a module with 'systolic.config'}}
func.func private @no_config() attributes {systolic.routine} {
  return
}
