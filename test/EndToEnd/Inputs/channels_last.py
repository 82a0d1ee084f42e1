"""Writes the array `images` of a test model's .npz, uint8 [N, C, H, W], as the
.npy [N, H, W, C] that vitq reads: channels_last.py IN.npz OUT.npy"""

import sys

import numpy as np

np.save(sys.argv[2], np.ascontiguousarray(np.load(sys.argv[1])["images"].transpose(0, 2, 3, 1)))
