#!/usr/bin/env bash
# Compiles the embedded digits model, runs its test images through the compiled
# program and prints what came out. Does everything from a fresh clone.
# What is written stays in build/demo.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
# shellcheck disable=SC2086
need_packages optional $VITQ_THREAD_PACKAGES
configure
build vitq-opt vitq-run

model=models/digits
out=build/demo
nonlinear=${1:-table}
case $nonlinear in table | shift) ;; *) die "usage: scripts/demo.sh [table|shift]" ;; esac
mkdir -p "$out"

say "Compiling $model/digits.onnx"
set -x
"$VITQ_BUILD/bin/vitq-opt" "$model/digits.onnx" --compile \
  --calibration-data="$model/calibration.npy" --preprocess=mean=0.5,std=0.5 \
  --nonlinear="$nonlinear" --target=native --emit=so -o "$out/digits.so" --report="$out/digits.json"
{ set +x; } 2>/dev/null

say "Running the test images"
set -x
"$VITQ_BUILD/bin/vitq-run" "$out/digits.so" --images="$model/images.npy" --labels="$model/labels.npy" \
  --reference="$model/digits.onnx" --benchmark --json="$out/run.json" >"$out/run.txt"
{ set +x; } 2>/dev/null

# row NAME FILE KEY UNIT
row() {
  local value
  value=$(json_value "$2" "$3")
  case $value in
    '' | null) value='not measured' ;;
    *.* | *e*) value="$(LC_ALL=C printf '%.4g' "$value") $4" ;;
    *) value="$value $4" ;;
  esac
  printf '  %-28s %20s\n' "$1" "$value"
}

say "Digits ($nonlinear)"
run=$out/run.json
row 'images' "$run" images ''
row 'top-1, float model' "$run" reference_top1 '%'
row 'top-1, integer program' "$run" top1 '%'
row 'same class as float' "$run" agreement '%'
row 'SQNR of the logits' "$run" logits_sqnr_db dB
row 'latency, median' "$run" latency_ms_median ms
row 'latency, 10th percentile' "$run" latency_ms_p10 ms
row 'latency, 90th percentile' "$run" latency_ms_p90 ms
row 'arena' "$run" arena_bytes bytes
row 'code' "$run" code_bytes bytes
row 'weights' "$run" weight_bytes bytes
row 'float instructions found' "$out/digits.json" float_instructions ''

[ "$(json_value "$out/digits.json" float_instructions)" = 0 ] ||
  die "the program was expected to hold no floating-point instruction"
