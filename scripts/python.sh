#!/usr/bin/env bash
# scripts/python.sh [PYTEST-OPTION...]
#
# Installs the Python package over build/release, in a virtual environment in build/python,
# and runs its tests. Builds the C API if it must. Exits with 77 where the packages that it needs cannot be had.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES
# shellcheck disable=SC2086
need_packages optional $VITQ_PYTHON_PACKAGES
configure
build vitq-c vitq-opt vitq-run

venv=build/python
if ! { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q scikit-build-core nanobind cmake ninja numpy \
  onnx pytest; }; then
  echo "note: the Python package is not tested: python3-venv, python3-dev and PyPI are needed" >&2
  exit 77
fi
"$venv/bin/pip" install -q --no-build-isolation . --config-settings=cmake.source-dir=python \
  --config-settings="cmake.define.vitq_DIR=$PWD/$VITQ_BUILD/lib/cmake/vitq"
# What serves the operator of a program, and what several machines run under; tests are skipped without.
"$venv/bin/pip" install -q onnxruntime==1.32 distributed==2026.8.0 pillow ||
  echo "note: ONNX Runtime and Dask cannot be had from PyPI" >&2
PATH="$PWD/$venv/bin:$PWD/$VITQ_BUILD/bin:$PATH" "$venv/bin/python" -m pytest -q python/tests "$@"
