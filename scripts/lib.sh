# shellcheck shell=bash disable=SC2034
# Functions shared by the scripts here. Sourced, not run; needs bash.
#
# After sourcing, the working directory is the project's root.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VITQ_BUILD=build/release
VITQ_LLVM=/usr/lib/llvm-22

# All are packages of Debian 12 (bookworm and bookworm-security).
VITQ_BUILD_PACKAGES="cmake ninja-build pkg-config clang-22 lld-22
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  libonnx-dev libprotobuf-dev protobuf-compiler libeigen3-dev libxtensor-dev
  libzip-dev zlib1g-dev libturbojpeg0-dev libpng-dev libgtest-dev"
# What programs compiled with --openmp are linked with.
VITQ_THREAD_PACKAGES="libomp-22-dev"
# The runtime libraries of the sanitizers, which clang-22 only recommends.
VITQ_SANITIZER_PACKAGES="libclang-rt-22-dev"
# Only tests read these; without them some are skipped.
VITQ_TEST_PACKAGES="python3 python3-numpy python3-torch python3-onnx libonnx-testdata qemu-user chromium
  gcc-arm-none-eabi qemu-system-arm
  clang-format-22 verilator g++ make yosys $VITQ_THREAD_PACKAGES"
# What the Python package is built with, besides PyPI's packages.
VITQ_PYTHON_PACKAGES="python3 python3-venv python3-dev"

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Those of the named packages that are not installed.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p' || true)
  for package in "$@"; do
    grep -qx -- "$package" <<<"$installed" || printf '%s ' "$package"
  done
}

# need_packages required|optional PACKAGE...: installs what is missing when root.
# Otherwise says what is missing, and stops when it is required.
need_packages() {
  local kind=$1 missing
  shift
  if ! command -v dpkg-query >/dev/null; then
    [ -d "$VITQ_LLVM" ] || echo "note: not a Debian system; see README.md for what is needed" >&2
    return 0
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -eq 0 ]; then
    say "Installing $missing"
    # shellcheck disable=SC2086
    if apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; then
      return 0
    fi
    [ "$kind" = optional ] || die "could not install: $missing"
    echo "note: could not install $missing; what needs them is left out, or skipped" >&2
  elif [ "$kind" = required ]; then
    die "these Debian packages are missing. As root: apt-get update && apt-get install $missing"
  else
    echo "note: some things are left out, or skipped; they need, as root: apt-get install $missing" >&2
  fi
}

# What CMake may find: the packages and their versions.
package_list() {
  # shellcheck disable=SC2086
  dpkg-query -W -f='${Package} ${Version} ${db:Status-Status}\n' $VITQ_BUILD_PACKAGES $VITQ_TEST_PACKAGES 2>/dev/null |
    sed -n 's/ installed$//p' | sort || true
}

# Configures the build, and again when packages came, went or changed since: CMake does
# not look for them by itself.
configure() {
  local list=$VITQ_BUILD/packages.txt packages
  packages=$(package_list)
  if [ ! -f "$VITQ_BUILD/build.ninja" ]; then
    say "Configuring $VITQ_BUILD"
    cmake --preset release
  elif [ ! -f "$list" ] || [ "$packages" != "$(cat "$list")" ]; then
    say "Configuring $VITQ_BUILD again: other packages are installed now"
    cmake "$VITQ_BUILD"
  fi
  printf '%s\n' "$packages" >"$list"
}

# build TARGET...: VITQ_JOBS limits how many compilers run at once.
build() {
  say "Building $*"
  ninja -C "$VITQ_BUILD" ${VITQ_JOBS:+-j "$VITQ_JOBS"} "$@"
}

# json_value FILE KEY: a number or string of a JSON file that names the key once.
json_value() {
  sed -n "s/^.*\"$2\"[[:space:]]*:[[:space:]]*\"\{0,1\}\([^\",}]*\).*$/\1/p" "$1" | head -n 1
}
