"""run_tflite.py litert|micro FILE.tflite IMAGES.npy LABELS.npy COUNT

Runs so many images, 0 for all, and prints the top-1 accuracy in percent and the bytes of the arena (0: not known).
"""

import sys

import numpy


class LiteRt:
    def __init__(self, file):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_path=file, num_threads=1)
        self.interpreter.allocate_tensors()
        self.input, self.output = self.interpreter.get_input_details()[0], self.interpreter.get_output_details()[0]

    def shape(self):
        return self.input["shape"], *self.input["quantization"]

    def run(self, x):
        self.interpreter.set_tensor(self.input["index"], x)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output["index"])


class Micro:
    def __init__(self, file):
        from tflite_micro.python.tflite_micro import runtime

        self.interpreter = runtime.Interpreter.from_file(file)
        self.details = self.interpreter.get_input_details(0)

    def shape(self):
        quantization = self.details["quantization_parameters"]
        return self.details["shape"], quantization["scales"][0], quantization["zero_points"][0]

    def run(self, x):
        self.interpreter.set_input(x, 0)
        self.interpreter.invoke()
        return self.interpreter.get_output(0)


def main():
    engine, file, images, labels, count = sys.argv[1:]
    runner = {"litert": LiteRt, "micro": Micro}[engine](file)
    shape, scale, zero = runner.shape()
    images, labels = numpy.load(images), numpy.load(labels)
    images, labels = (x[: int(count) or len(x)] for x in (images, labels))
    right = 0
    for pixels, label in zip(images, labels):
        values = ((pixels.reshape(shape) / 255 - 0.5) / 0.5) / scale + zero
        right += runner.run(numpy.clip(numpy.round(values), -128, 127).astype(numpy.int8)).argmax() == label
    print(100 * right / len(images), 0)


main()
