#!/usr/bin/env bash
# Makes a library of the RTL for one configuration, which vitq-rtl and vitq-run --engine=rtl load:
#   rtl/build.sh CONFIG LIBRARY.so
# CONFIG is as in --target=systolic:CONFIG. Needs Verilator (5.006 or later) and a C++ compiler. VITQ_OPT names vitq-opt
# (default: the one on PATH, else that of build/release), VITQ_RTL another folder of sources than this, VITQ_RTL_O how
# much the simulation is optimized, 0 to 3 (2), VITQ_RTL_MORE files that are compiled too.
set -euo pipefail
if [ $# -ne 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
config=$1 library=$2
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=${VITQ_RTL:-$home}
opt=${VITQ_OPT:-$(command -v vitq-opt || echo "$home/../build/release/bin/vitq-opt")}
if ! command -v verilator >/dev/null; then
  echo "rtl/build.sh: there is no verilator: install it (Debian and Ubuntu: apt-get install verilator)" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$opt" --target="systolic:$config" --emit=rtl-parameters -o "$work/vitq_config_pkg.sv"
value() { sed -n "s/^ *localparam.* $1 = \([0-9]*\).*/\1/p" "$work/vitq_config_pkg.sv"; }
text=$(sed -n 's|^// Configuration: ||p' "$work/vitq_config_pkg.sv")
# Only what runs every cycle is worth optimizing.
verilator --cc --exe --build --output-split 0 -O3 --x-assign fast --x-initial 0 --noassert --unroll-count 1024 -Wno-fatal -j 0 \
  --top-module vitq_array --Mdir "$work/obj" -y "$sources" -y "$sources/units" \
  -MAKEFLAGS "OPT_FAST=-O${VITQ_RTL_O:-2} OPT_SLOW=-O0 OPT_GLOBAL=-O0" \
  -CFLAGS "-fPIC -std=c++17 -fvisibility=hidden -I$home -DVITQ_RTL_DMA_BYTES=$(value DMA_BYTES) \
    -DVITQ_RTL_DMA_LATENCY=$(value DMA_LATENCY) -DVITQ_RTL_CONFIG='\"$text\"'" \
  -LDFLAGS "-shared -fPIC" -o "$work/model.so" \
  "$work/vitq_config_pkg.sv" ${VITQ_RTL_MORE:-} "$sources/vitq_array.sv" "$home/model.cpp" >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
mv "$work/model.so" "$library"
