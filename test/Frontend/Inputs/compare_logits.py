"""compare_logits.py REFERENCE.npy OUTPUTS.npy DB [AGREEMENT]

Fails unless OUTPUTS, integers of one scale, are REFERENCE at DB or more, and AGREEMENT percent (95) of the classes
are the same. The scale is the one that fits best.
"""

import sys

import numpy as np

reference, outputs = (np.load(path).astype(np.float64) for path in sys.argv[1:3])
outputs *= (reference * outputs).sum() / (outputs**2).sum()
sqnr = 10 * np.log10((reference**2).sum() / max(((reference - outputs) ** 2).sum(), 1e-30))
agreement = 100 * (reference.argmax(1) == outputs.argmax(1)).mean()
print(f"{sqnr:.2f} dB, {agreement:.1f} % of the classes")
sys.exit(int(sqnr < float(sys.argv[3]) or agreement < float((sys.argv + ["95"])[4])))
