#!/usr/bin/env bash
# scripts/demo.sh [--dense] [table|shift]
#
# Compiles an embedded model, runs its test images through the compiled program and prints
# what came out: the digits, or with --dense the shapes, whose output is a class for each
# pixel. Does everything from a fresh clone. What is written stays in build/demo.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

model=digits
nonlinear=table
for argument; do
  case $argument in
    --dense) model=shapes ;;
    table | shift) nonlinear=$argument ;;
    *) die "usage: scripts/demo.sh [--dense] [table|shift]" ;;
  esac
done

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
# shellcheck disable=SC2086
need_packages optional $VITQ_THREAD_PACKAGES
configure
build vitq-opt vitq-run

folder=models/$model
out=build/demo
mkdir -p "$out"

say "Compiling $folder/$model.onnx"
set -x
"$VITQ_BUILD/bin/vitq-opt" "$folder/$model.onnx" --compile \
  --calibration-data="$folder/calibration.npy" --preprocess=mean=0.5,std=0.5 \
  --nonlinear="$nonlinear" --target=native --emit=so -o "$out/$model.so" --report="$out/$model.json"
{ set +x; } 2>/dev/null

pictures=()
[ "$model" = digits ] || pictures=(--dump-classes="$out/$model")
say "Running the test images"
set -x
"$VITQ_BUILD/bin/vitq-run" "$out/$model.so" --images="$folder/images.npy" --labels="$folder/labels.npy" \
  --reference="$folder/$model.onnx" "${pictures[@]}" --benchmark --json="$out/run.json" >"$out/run.txt"
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

run=$out/run.json
say "${model^} ($nonlinear)"
row 'images' "$run" images ''
if [ "$model" = digits ]; then
  row 'top-1, float model' "$run" reference_top1 '%'
  row 'top-1, integer program' "$run" top1 '%'
  row 'same class as float' "$run" agreement '%'
else
  row 'right pixels, float model' "$run" reference_pixel_accuracy '%'
  row 'right pixels, program' "$run" pixel_accuracy '%'
  row 'mean IoU, float model' "$run" reference_mean_iou '%'
  row 'mean IoU, program' "$run" mean_iou '%'
  row 'pixels as in float' "$run" agreement '%'
fi
row 'SQNR of the logits' "$run" logits_sqnr_db dB
row 'latency, median' "$run" latency_ms_median ms
row 'latency, 10th percentile' "$run" latency_ms_p10 ms
row 'latency, 90th percentile' "$run" latency_ms_p90 ms
row 'arena' "$run" arena_bytes bytes
row 'code' "$run" code_bytes bytes
row 'weights' "$run" weight_bytes bytes
row 'float instructions found' "$out/$model.json" float_instructions ''
[ "$model" = digits ] || printf '  %-28s %20s\n' 'pictures of the classes' "$out/$model/"

[ "$(json_value "$out/$model.json" float_instructions)" = 0 ] ||
  die "the program was expected to hold no floating-point instruction"
