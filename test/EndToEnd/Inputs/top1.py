"""top1.py OUTPUTS.npy: class and score of each row, as examples/microcontroller prints them."""

import sys

import numpy

scores = numpy.load(sys.argv[1])
for row in scores.reshape(len(scores), -1):
    print(row.argmax(), row.max())
