#!/usr/bin/env bash
# Checks the sources: clang-format on all of them, clang-tidy on those that changed, and the
# scripts of test/lint. Needs a build folder for clang-tidy.
#
#   scripts/lint.sh [--fix] [COMMIT]
#
# Changed is what differs from COMMIT (origin/main, or HEAD where there is none), committed or not.
# --fix lets clang-format write.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fix=
if [ "${1:-}" = --fix ]; then
  fix=1
  shift
fi
if [ -n "${1:-}" ]; then
  base=$1
else
  base=$(git rev-parse -q --verify origin/main || echo HEAD)
fi
need_packages required python3 clang-format-22 clang-tidy-22

folders=(benchmarks cmake dialects examples include lib test tools)
status=0

say "clang-format"
mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- "${folders[@]}" | grep -E '\.(c|cpp|h)$')
if [ -n "$fix" ]; then
  clang-format-22 -i "${sources[@]}"
else
  clang-format-22 --dry-run -Werror "${sources[@]}" || status=1
fi

mapfile -t changed < <({
  git diff --name-only --diff-filter=d "$base" -- dialects lib tools
  git ls-files --others --exclude-standard -- dialects lib tools
} | grep '\.cpp$' | sort -u)
if [ "${#changed[@]}" -gt 0 ]; then
  say "clang-tidy on ${#changed[@]} changed files"
  configure
  # Headers that TableGen writes.
  build vitq-headers
  printf '%s\0' "${changed[@]}" |
    xargs -0 -n 1 -P "${VITQ_JOBS:-$(nproc)}" clang-tidy-22 --quiet --warnings-as-errors='*' -p "$VITQ_BUILD" || status=1
fi

say "test/lint"
checks=test/lint/Inputs
for check in documents license passes diagnostics; do
  /usr/bin/python3 -B "$checks/$check.py" . || status=1
done
/usr/bin/python3 -B "$checks/labels.py" dialects/vit dialects/vitq dialects/systolic || status=1

[ "$status" -eq 0 ] && say "Clean"
exit "$status"
