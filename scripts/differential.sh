#!/usr/bin/env bash
# scripts/differential.sh [COUNT [OPERATOR...]]: random models of single operators, and of a few together, are computed
# by vitq and by ONNX Runtime 1.32: COUNT of each, 1000 by default, of all operators or of those named. Each is computed
# of constants, by the importer's evaluator, and where it is supported there of data, by the float interpreter. Prints
# for each operator how many agree, and the largest relative difference; fails when one does not agree.
#
# Not part of the tests: it fetches onnxruntime from PyPI, into build/differential/venv, unless VITQ_PYTHON names a
# python that has numpy, onnx and onnxruntime. VITQ_SEED: other cases than those of seed 1.
# What ONNX Runtime computes differently from what ONNX says is listed in test/operators/differential.py.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

count=1000
case ${1:-} in
[0-9]*) count=$1 && shift ;;
esac
work=build/differential
python=${VITQ_PYTHON:-$work/venv/bin/python}

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
mkdir -p "$work"
if [ -z "${VITQ_PYTHON:-}" ] && [ ! -x "$work/venv/bin/python" ]; then
  say "Fetching ONNX Runtime"
  python3 -m venv "$work/venv"
  "$python" -m pip install -q numpy onnx onnxruntime==1.32.0
fi
configure
build vitq-operators

say "Drawing cases ($count of each operator)"
rm -rf "$work/records"
mkdir -p "$work/records"
"$python" test/operators/differential.py "$work/records" "$count" "${VITQ_SEED:-1}" "$@"

say "Comparing"
status=0
for records in "$work"/records/*.records; do
  "$VITQ_BUILD/bin/vitq-operators" "$records" --tolerance=2e-4 >"$records.txt" 2>&1 || status=1
  # A line for each operator; what does not agree before it, the first few.
  grep -E '^FAIL|error:' "$records.txt" | head -n 5 || true
  sed -n "s/^.* \\([0-9]* of *[0-9]*  worst .*\\)/$(basename "$records" .records) \\1/p" "$records.txt" | tail -n 1 | column -t
done
exit "$status"
