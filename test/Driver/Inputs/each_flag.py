"""each_flag.py TOOL ARGUMENT... -- FLAG...: runs TOOL once for each flag.

Every run must fail; what it says goes to the standard output.
"""

import subprocess
import sys

arguments = sys.argv[1:]
end = arguments.index("--")
for flag in arguments[end + 1:]:
    run = subprocess.run(arguments[:end] + [flag], capture_output=True, text=True)
    print(run.stdout + run.stderr, end="")
    if run.returncode != 1:
        sys.exit(f"{flag}: exit status {run.returncode}")
