#!/usr/bin/env bash
# Writes the op and pass reference in docs/ anew from the TableGen files, and docs/Operators.md from the cases of
# libonnx-testdata.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
configure
build vitq-doc vitq-operators
mkdir -p docs/Dialects
cp "$VITQ_BUILD"/docs/Dialects/{Vit,Vitq,Systolic}.md docs/Dialects/
cp "$VITQ_BUILD"/docs/Passes.md docs/
if [ -d /usr/share/libonnx-testdata ]; then
  "$VITQ_BUILD"/bin/vitq-operators /usr/share/libonnx-testdata/data test/operators/Inputs/recent.records \
    --table=docs/Operators.md
else
  echo "note: docs/Operators.md stays as it is; it needs the package libonnx-testdata" >&2
fi
