#!/usr/bin/env bash
# LLVM 22.1 for x86-64 with AVX-512BW and VL: a masked store of truncated elements whose constant mask has one lane
# writes that lane without the truncation. Of `trunc <16 x i32> to <16 x i8>` and a mask of lane 0 it makes
# `vmovss %xmm0, (%rdi)`, four bytes for one; of `trunc <8 x i64> to <8 x i16>` and lane 2 a `vmovlps`, eight
# bytes for two. What lies behind is overwritten: a loop's last vector with one column left is such a store. With two
# lanes in the mask, or without AVX-512BW, as many bytes are written as should be.
#
# Seen with llc of Debian 12's llvm-22, 22.1.8 (1:22.1.8-1~deb12u1).
#
# Unpacks the packages into a temporary folder; needs Debian 12 on x86-64, apt's lists and a network.
# Exit status 1 when llc behaves otherwise than this says.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
version='1:22.1.8-1~deb12u1'
cd "$folder"
chmod 755 . # apt downloads as a user of its own
apt-get -qq download "llvm-22=$version" "libllvm22=$version" libz3-4 libedit2 libxml2 libbsd0 libicu72 2> apt.log ||
  { cat apt.log >&2; exit 1; }
for package in *.deb; do dpkg-deb -x "$package" root; done
export LD_LIBRARY_PATH=$folder/root/usr/lib/llvm-22/lib:$folder/root/usr/lib/x86_64-linux-gnu
llc=$folder/root/usr/lib/llvm-22/bin/llc
"$llc" --version | sed -n 1p

# store FROM TO LANES MASK ATTRIBUTES: instructions of the store of LANES elements.
store() {
  local bits=${4//1/i1 true,}
  bits=${bits//0/i1 false,}
  printf 'define void @f(<%s x i%s> %%x, ptr %%p) {
  %%t = trunc <%s x i%s> %%x to <%s x i%s>
  call void @llvm.masked.store.v%si%s.p0(<%s x i%s> %%t, ptr align 1 %%p, <%s x i1> <%s>)
  ret void
}\n' "$3" "$1" "$3" "$1" "$3" "$2" "$3" "$2" "$3" "$2" "$3" "${bits%,}" |
    "$llc" -mtriple=x86_64-linux-gnu -mattr="$5" -o - - | sed -n '/(%rdi)/s/^\t//p'
}

status=0
# check WHAT EXPECTED FOUND
check() {
  printf '%-42s %s\n' "$1" "$3"
  # shellcheck disable=SC2053
  [[ $3 == $2 ]] || status=1
}
avx512=+avx512bw,+avx512vl
check "i32 to i8, lane 0 of 16, AVX-512BW" 'vmovss*, ?%rdi?' "$(store 32 8 16 1000000000000000 $avx512)"
check "i64 to i16, lane 2 of 8, AVX-512BW" 'vmovlps*, 4?%rdi?' "$(store 64 16 8 00100000 $avx512)"
check "i32 to i8, lanes 0 and 1, AVX-512BW" 'vpmovdb*, ?%rdi? {%k1}' "$(store 32 8 16 1100000000000000 $avx512)"
check "i32 to i8, lane 0 of 16, AVX-512F" 'movb*, ?%rdi?' "$(store 32 8 16 1000000000000000 +avx512f)"
check "i32 to i8, lane 0 of 16, SSE2" 'movb*, ?%rdi?' "$(store 32 8 16 1000000000000000 +sse2)"
[ "$status" -eq 0 ] && echo "as described" || echo "not as described"
exit "$status"
