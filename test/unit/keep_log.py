"""keep_log.py EXECUTABLE ARGUMENT...: runs a unit test and keeps what it printed.

lit drops the reason of a skipped test; scripts/summarize_tests.py reads it from
the log, which lies beside the executable.
"""

import os
import subprocess
import sys

result = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
sys.stdout.buffer.write(result.stdout)
if "--gtest_list_tests" not in sys.argv:
    shard = os.environ.get("GTEST_SHARD_INDEX", "0")
    with open(f"{sys.argv[1]}.{shard}.log", "wb") as log:
        log.write(result.stdout)
# A signal is a negative number here and 128 + n in a shell.
sys.exit(result.returncode if result.returncode >= 0 else 128 - result.returncode)
