"""Shared by the peers that take normalized float images."""
import numpy


def normalize(pixels, job):
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W], as the models expect it."""
    mean, deviation = (numpy.array(job[key], numpy.float32) for key in ("mean", "std"))
    values = (pixels.astype(numpy.float32) / 255 - mean) / deviation
    return numpy.ascontiguousarray(values.transpose(0, 3, 1, 2))


def calibration(job):
    """The calibration images one by one, float32 [1, 3, H, W]."""
    pixels = numpy.load(job["calibration"])
    return [normalize(pixels[i:i + 1], job) for i in range(len(pixels))]


class FloatSession:
    """A session whose input is normalized float pixels; `execute(x)` runs it."""

    def __init__(self, job, execute):
        self.job, self.execute, self.result = job, execute, None

    def set_pixels(self, pixels):
        self.input = normalize(pixels, self.job)

    def run(self):
        self.result = self.execute(self.input)

    def logits(self):
        return numpy.asarray(self.result)
