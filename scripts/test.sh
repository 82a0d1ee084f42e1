#!/usr/bin/env bash
# Builds everything and runs every test: the lit suite and the unit tests, the lit
# suite again with --verify-roundtrip, the demo, and damaged files through the compiler
# under sanitizers. Does everything from a fresh clone. The last line is
# "N passed, N failed"; the exit status is 0 when none failed.
#
# VITQ_RANDOM_MODULES: how many random modules are compared with the interpreter.
# VITQ_RANDOM_VITS: how many random vision transformers must keep their accuracy.
# VITQ_FUZZ_CASES: how many damaged models, tables of ranges and arrays are compiled, of
#   each kind; 0 leaves the build with sanitizers out.
# VITQ_JOBS: how many compilers run at once.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export VITQ_RANDOM_MODULES=${VITQ_RANDOM_MODULES:-1000}
export VITQ_RANDOM_VITS=${VITQ_RANDOM_VITS:-400}
VITQ_FUZZ_CASES=${VITQ_FUZZ_CASES:-1000}

# Whatever stops this script early is a failure, and is counted.
finished=
trap 'status=$?
  if [ -z "$finished" ]; then
    echo "stopped with status $status before the tests were through"
    echo "0 passed, 1 failed"
    exit 1
  fi' EXIT

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES python3
# shellcheck disable=SC2086
need_packages optional $VITQ_TEST_PACKAGES
configure
build all vitq-test-depends

results=$VITQ_BUILD/test/results
rm -rf "$results" "$VITQ_BUILD"/test/unit/*.log
mkdir -p "$results"

say "Tests ($VITQ_RANDOM_MODULES random modules)"
"$VITQ_LLVM/bin/lit" -sv "$VITQ_BUILD/test" "$VITQ_BUILD/test/unit" --output "$results/check-vitq.json" || true

say "lit tests with --verify-roundtrip"
"$VITQ_LLVM/bin/lit" -sv --param vitq_roundtrip=1 "$VITQ_BUILD/test" --output "$results/check-vitq-roundtrip.json" || true

say "Demo"
demo=0
scripts/demo.sh || demo=$?

commands=("scripts/demo.sh=$demo")
if [ "$VITQ_FUZZ_CASES" -gt 0 ]; then
  fuzz=0
  scripts/fuzz.sh "$VITQ_FUZZ_CASES" || fuzz=$?
  commands+=("scripts/fuzz.sh=$fuzz")
fi

say "Summary"
status=0
/usr/bin/python3 scripts/summarize_tests.py --logs "$VITQ_BUILD/test/unit" "${commands[@]/#/--command=}" \
  "$results/check-vitq.json" "$results/check-vitq-roundtrip.json" || status=$?
finished=1
exit "$status"
