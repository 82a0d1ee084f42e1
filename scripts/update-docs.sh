#!/usr/bin/env bash
# Writes the op and pass reference in docs/ anew from the TableGen files.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
configure
build vitq-doc
mkdir -p docs/Dialects
cp "$VITQ_BUILD"/docs/Dialects/{Vit,Vitq,Systolic}.md docs/Dialects/
cp "$VITQ_BUILD"/docs/Passes.md docs/
