#!/usr/bin/env bash
# scripts/fuzz.sh [CASES]: builds the compiler, up to the integer phase, with sanitizers and gives it damaged
# copies of the digits model, of one with a weight that is computed of constants, of one that is quantized, of one of functions and fused operators, of its ranges and of its calibration
# images, 1000 of each by default. Every one must compile or be diagnosed: none may crash, hang, leak or leave
# a file behind. Files of those that failed stay in build/fuzz/cases.
#
# VITQ_JOBS: how many compilers and cases run at once.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cases=${1:-1000}
build=build/fuzz
jobs=${VITQ_JOBS:-$(nproc)}

# A crash is told with the functions' names.
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-$VITQ_LLVM/bin/llvm-symbolizer}

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES $VITQ_SANITIZER_PACKAGES
if [ ! -f "$build/build.ninja" ]; then
  say "Configuring $build"
  cmake --preset fuzz
fi
say "Building with sanitizers"
ninja -C "$build" -j "$jobs" vitq-fuzz vitq-opt

say "Damaged files ($cases of each kind)"
status=0
"$build/bin/vitq-fuzz" models/digits --work="$build/cases" --cases="$cases" --jobs="$jobs" || status=1
# Some through the tool itself, which adds its command line and its way out.
"$build/bin/vitq-fuzz" models/digits --work="$build/cases" --cases=$((cases < 16 ? cases : 16)) --jobs="$jobs" \
  --tool="$build/bin/vitq-opt" || status=1
exit "$status"
