#!/usr/bin/env bash
# scripts/package.sh [--check]
#
# Builds the Debian packages vitq and libvitq-dev into build/packages, and looks at what is in them. With --check they are
# installed on a clean Debian 12 (debootstrap, as root; it downloads some 300 MB), where a model is compiled and run and the
# C API is linked.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# shellcheck disable=SC2086
need_packages required $VITQ_BUILD_PACKAGES help2man dpkg-dev
configure
build all
packages=build/packages
rm -rf "$packages"
(cd "$VITQ_BUILD" && cpack -G DEB -B "$OLDPWD/$packages" >/dev/null)
rm -rf "$packages/_CPack_Packages"
ls -l "$packages"

# Each file of `wanted` must be in a package.
check_files() {
  local package=$1 file listed
  shift
  listed=$(dpkg-deb --contents "$package" | awk '{print $6}')
  for file in "$@"; do
    grep -qx -- "\./usr/$file" <<<"$listed" || die "$package does not have /usr/$file"
  done
  if grep -v -- '^\./$\|^\./usr/' <<<"$listed"; then
    die "$package has files outside of /usr"
  fi
}
architecture=$(dpkg --print-architecture)
runtime=$(echo "$packages"/vitq_*_"$architecture".deb)
development=$(echo "$packages"/libvitq-dev_*_"$architecture".deb)
check_files "$runtime" bin/vitq-opt bin/vitq-run bin/vitq-lut bin/vitq-asm lib/libvitq-c.so.0.1 \
  share/man/man1/vitq-opt.1.gz share/man/man1/vitq-run.1.gz share/doc/vitq/copyright
check_files "$development" include/vitq-c/Vitq.h include/vitq/InitAll.h lib/libvitq-c.so \
  lib/libVitqInitAll.a lib/cmake/vitq/vitqConfig.cmake share/doc/vitq/LICENSE
dpkg-deb --field "$runtime" Package Version Depends
[ "${1:-}" = --check ] || exit 0

[ "$(id -u)" -eq 0 ] || die "--check installs a Debian in a folder, which root may"
need_packages required debootstrap
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf "$root"' EXIT
say "Debian 12 in $root"
debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >/dev/null
echo "deb http://deb.debian.org/debian-security bookworm-security main" >>"$root/etc/apt/sources.list"
cp -r "$packages" models/digits examples "$root/root/"
mount -t proc proc "$root/proc"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root "$@"; }
inside apt-get update -qq
say "Installing vitq"
inside sh -c 'apt-get install -y -qq --no-install-recommends /root/packages/vitq_*.deb' >/dev/null
inside sh -c 'cd /root && vitq-opt digits/digits.onnx --compile --calibration-data=digits/calibration.npy \
  --preprocess=mean=0.5,std=0.5 --target=native --emit=so -o digits.so &&
  vitq-run digits.so --images=digits/images.npy --labels=digits/labels.npy'
say "Installing libvitq-dev"
inside sh -c 'apt-get install -y -qq --no-install-recommends /root/packages/*.deb cmake gcc libc6-dev make' >/dev/null
inside sh -c 'cd /root && cmake -S examples/classify -B build >/dev/null && cmake --build build >/dev/null && ls build'
say "Removing both"
inside sh -c 'apt-get purge -y -qq vitq libvitq-dev >/dev/null && ! ls /usr/bin/vitq-opt /usr/include/vitq-c 2>/dev/null'
echo "installed, used and removed on a clean Debian 12"
