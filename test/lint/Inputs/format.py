"""format.py ROOT CLANG_FORMAT: C and C++ sources are as clang-format leaves them."""

import pathlib
import subprocess
import sys

FOLDERS = ("benchmarks", "cmake", "dialects", "examples", "include", "lib", "test", "tools")

root = pathlib.Path(sys.argv[1])
files = [str(path) for folder in FOLDERS for path in sorted((root / folder).rglob("*"))
         if path.suffix in (".c", ".cpp", ".h")]
result = subprocess.run([sys.argv[2], "--dry-run", "-Werror", *files], check=False)
sys.exit("scripts/lint.sh --fix formats them" if result.returncode else 0)
