#!/usr/bin/env bash
# scripts/test.sh [--tier TIER[,TIER...]] [--filter REGEX] [--record-times]
#
# Builds everything and runs every test: the lit suite and the unit tests, the lit
# suite again with --verify-roundtrip, the demo, the Python package, and damaged files through
# the compiler under sanitizers. Does everything from a fresh clone. The last line is
# "N passed, N failed"; the exit status is 0 when none failed.
#
# --tier: only these parts:
#   ir         tests on MLIR text, and the checks of sources and documents
#   run        other lit tests, on the embedded model
#   models     lit tests on models that are not part of vitq
#   unit       GoogleTest
#   roundtrip  tests on MLIR text with --verify-roundtrip
#   demo, fuzz the demo, damaged files
#   python     the Python package, with pytest
# --filter: only lit and unit tests whose name matches (as lit's --filter): no demo, no
#   damaged files.
# --record-times: writes how long the tests took into test/ (.lit_test_times.txt), whose
#   order is that of tests on a machine that has not run them yet: longest first.
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

all_tiers=ir,run,models,unit,roundtrip,demo,fuzz,python
tiers=$all_tiers
filter=.
record=
while [ $# -gt 0 ]; do
  case $1 in
    --tier=*) tiers=${1#*=} ;;
    --filter=*) filter=${1#*=} ;;
    --tier | --filter)
      [ $# -gt 1 ] || die "$1 needs a value"
      [ "$1" = --tier ] && tiers=$2 || filter=$2
      shift
      ;;
    --record-times) record=1 ;;
    *) die "unknown option '$1'; there are --tier, --filter and --record-times" ;;
  esac
  shift
done
for tier in ${tiers//,/ }; do
  [[ ,$all_tiers, == *,$tier,* ]] || die "there is no tier '$tier'; tiers are ${all_tiers//,/, }"
done
wants() { [[ ,$tiers, == *,$1,* ]]; }

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
need_packages optional $VITQ_TEST_PACKAGES $VITQ_SANITIZER_PACKAGES
configure
build all vitq-test-depends

results=$VITQ_BUILD/test/results
rm -rf "$results" "$VITQ_BUILD"/test/unit/*.log
mkdir -p "$results"
summaries=()
commands=()

# run_lit NAME SUITE... -- OPTION...: results of lit in NAME.json
run_lit() {
  local name=$1 suites=()
  shift
  while [ "$1" != -- ]; do
    suites+=("$VITQ_BUILD/$1")
    shift
  done
  shift
  "$VITQ_LLVM/bin/lit" -sv "${suites[@]}" --filter "$filter" --output "$results/$name.json" "$@" || true
  # A filter may leave nothing of a suite; without one, no results are a failure.
  if [ "$filter" = . ] || [ -f "$results/$name.json" ]; then summaries+=("$results/$name.json"); fi
}

suites=()
if wants ir || wants run || wants models; then suites+=(test); fi
if wants unit; then suites+=(test/unit); fi
if [ ${#suites[@]} -gt 0 ]; then
  say "Tests ($VITQ_RANDOM_MODULES random modules)"
  run_lit check-vitq "${suites[@]}" -- --param vitq_tiers="$tiers"
fi

if wants roundtrip; then
  say "lit tests with --verify-roundtrip"
  run_lit check-vitq-roundtrip test -- --param vitq_roundtrip=1
fi

if wants demo && [ "$filter" = . ]; then
  say "Demo"
  demo=0
  { scripts/demo.sh && scripts/demo.sh --dense; } || demo=$?
  commands+=("scripts/demo.sh=$demo")
fi

if wants fuzz && [ "$filter" = . ] && [ "$VITQ_FUZZ_CASES" -gt 0 ]; then
  fuzz=0
  scripts/fuzz.sh "$VITQ_FUZZ_CASES" || fuzz=$?
  commands+=("scripts/fuzz.sh=$fuzz")
fi

if wants python && [ "$filter" = . ]; then
  say "Python package"
  python=0
  scripts/python.sh || python=$?
  if [ "$python" -eq 77 ]; then echo "skipped: the Python package"; else commands+=("scripts/python.sh=$python"); fi
fi

if [ -n "$record" ]; then
  for suite in lit unit; do
    target=test/$([ $suite = lit ] || echo unit/).lit_test_times.txt
    # Shorter ones come last in any order.
    awk '$1 >= 2 { printf "%.0f %s\n", $1, $2 }' "$VITQ_BUILD/test/$suite/.lit_test_times.txt" | sort -k1,1nr -k2 >"$target"
  done
fi

[ ${#summaries[@]} -gt 0 ] || [ ${#commands[@]} -gt 0 ] || die "no test matches '$filter'"

say "Summary"
status=0
/usr/bin/python3 scripts/summarize_tests.py --logs "$VITQ_BUILD/test/unit" "${commands[@]/#/--command=}" \
  "${summaries[@]}" || status=$?
finished=1
exit "$status"
