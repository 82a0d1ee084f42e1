#!/bin/sh
# man-page.sh HELP2MAN TOOL VERSION PAGE: the man page of a tool with LLVM's command line.
#
# help2man reads help as GNU's programs write it; LLVM's has OVERVIEW, USAGE, and a dash between a flag and what it does.
set -eu
help2man=$1 tool=$2 version=$3 page=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name=$(basename "$tool")
"$tool" --help >"$folder/llvm"
summary=$(sed -n 's/^OVERVIEW: //p' "$folder/llvm" | head -n 1)
sed -E -e '/^OVERVIEW: /d' -e 's/^USAGE: /Usage: /' -e '/^OPTIONS:$/d' \
  -e 's/^( +-[^ ]*( <[^>]*>)?) +- /\1  /' -e 's/^( +)(=[^ ]*) +- +/\1  \2  /' "$folder/llvm" >"$folder/gnu"
cat >"$folder/$name" <<END
#!/bin/sh
[ "\$1" = --help ] && exec cat "$folder/gnu"
echo "$name (vitq) $version"
END
chmod +x "$folder/$name"
"$help2man" --no-info --name="$summary" --output="$folder/page" "$folder/$name"
gzip -9n <"$folder/page" >"$page.new"
mv "$page.new" "$page"
