#!/usr/bin/env bash
# scripts/site.sh
#
# Builds the documentation as a site in build/site/html, with search; every link and anchor must lead somewhere. Installs
# mkdocs-material from PyPI in build/site/venv. Pictures are of the build in build/release, where there is one.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

venv=build/site/venv
# shellcheck disable=SC2086
need_packages optional python3 python3-venv chromium
[ -x "$venv/bin/mkdocs" ] || { /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install -q mkdocs-material==9.8.2; }
if [ -x "$VITQ_BUILD/bin/vitq-run" ]; then
  /usr/bin/python3 docs/site/stage.py build/site/pages "$VITQ_BUILD/bin"
else
  /usr/bin/python3 docs/site/stage.py build/site/pages
fi
NO_MKDOCS_2_WARNING=1 "$venv/bin/mkdocs" build --quiet --strict -f docs/site/mkdocs.yml
echo "build/site/html/README.html"
