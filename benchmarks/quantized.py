#!/usr/bin/env python3
"""ViT-Tiny as other tools quantize it: how near vitq and onnxruntime are to the file, and to each other.

    build/benchmark-venv/bin/python benchmarks/quantized.py --shared=../shared [--images=64] [--kinds=nncf,vitq]

Needs what requirements.txt lists, in the versions onnxruntime 1.32.0, onnx 1.23.2, nncf 3.4.0. Files are
written to the work folder once. A row of the table is a file:

    float        onnxruntime on the file against onnxruntime on the float model
    itself       onnxruntime with its graph optimizations against without them, on the file
    exact        an evaluation in 64-bit floats, with each QuantizeLinear rounded as ONNX says, against onnxruntime
                 without optimizations: what any other implementation can reach
    vitq         the compiled program against onnxruntime without optimizations
    vitq, exact  the compiled program against that evaluation
    OpenVINO     OpenVINO, in floats of 32 bits, against the compiled program (with --openvino, and where it loads the file)

as SQNR of the logits, and the percentage of images whose class is the same.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import accuracy
import measure

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "test" / "models"))

PREPROCESS = "mean=0.5,std=0.5"
LINEAR = ["Conv", "MatMul", "Gemm"]


def normalized(pixels):
    import numpy

    return ((pixels / numpy.float32(255) - 0.5) / 0.5).astype(numpy.float32).transpose(0, 3, 1, 2)


class Images:
    """Calibration images as onnxruntime's quantizer reads them."""

    def __init__(self, images):
        self.items = iter([{"input": image[None]} for image in images])

    def get_next(self):
        return next(self.items, None)


def static(activations, symmetric=False, outputs=False):
    """onnxruntime's quantize_static, of linear layers and products."""

    def write(folder, path, calibration):
        from onnxruntime import quantization

        prepared = folder / "prepared.onnx"
        quantization.shape_inference.quant_pre_process(str(folder / "float.onnx"), str(prepared), skip_symbolic_shape=True)
        options = {"ActivationSymmetric": symmetric}
        if not outputs:
            options["OpTypesToExcludeOutputQuantization"] = LINEAR
        quantization.quantize_static(
            str(prepared), str(path), Images(normalized(calibration)), quant_format=quantization.QuantFormat.QDQ,
            activation_type=getattr(quantization.QuantType, activations), weight_type=quantization.QuantType.QInt8,
            per_channel=True, op_types_to_quantize=LINEAR, extra_options=options)  # fmt: skip

    return write


def nncf(folder, path, calibration):
    import nncf
    import onnx

    data = nncf.Dataset([{"input": image[None]} for image in normalized(calibration)])
    model = nncf.quantize(
        onnx.load(folder / "float.onnx"), data, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration))  # fmt: skip
    onnx.save(model, path)


def own(*flags):
    """vitq's recipe."""

    def write(folder, path, calibration):
        compile_with(folder, folder / "float.onnx", path, "--emit=onnx", *flags)

    return write


KINDS = {
    "ort_u8": ("onnxruntime, uint8 in front of products and behind", static("QUInt8", outputs=True)),
    "ort_u8_inputs": ("onnxruntime, uint8 in front of products", static("QUInt8")),
    "ort_i8_inputs": ("onnxruntime, int8 without zero points", static("QInt8", symmetric=True)),
    "ort_u16_inputs": ("onnxruntime, uint16 in front of products", static("QUInt16")),
    "nncf": ("NNCF, TRANSFORMER preset", nncf),
    "vitq": ("vitq `--emit=onnx`", own()),
    "vitq_integers": ("vitq `--emit=onnx --stop-after=integer`", own("--stop-after=integer")),
}


def compile_with(folder, model, output, *flags):
    subprocess.run(
        [str(BUILD / "vitq-opt"), str(model), f"--calibration-data={folder / 'calibration.npy'}",
         f"--preprocess={PREPROCESS}", *flags, "-o", str(output)], check=True, stderr=subprocess.DEVNULL)  # fmt: skip


def program_logits(folder, model, pixels):
    import numpy

    # Of its own files vitq's program is that of the float model.
    source = folder / "float.onnx" if model.stem.startswith("vitq") else model
    library, output = folder / f"{model.stem}.so", folder / f"{model.stem}.npy"
    compile_with(folder, source, library, "--compile", "--target=native", "--emit=so")
    subprocess.run(
        [str(BUILD / "vitq-run"), str(library), f"--images={pixels}", f"--dump-outputs={output}"],
        check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    scale = re.search(rb'"output":\{[^}]*"scale":([-+.e0-9]+)', library.read_bytes())
    return numpy.load(output) * float(scale[1])


def runtime_logits(model, inputs, optimize):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return numpy.concatenate([session.run(None, {"input": image[None]})[0] for image in inputs])


def openvino_logits(model, inputs):
    """Nothing where it does not load the file."""
    import numpy
    import openvino

    try:
        # Otherwise it takes 16 bits on CPUs that have bfloat16.
        compiled = openvino.Core().compile_model(str(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError as error:
        print(f"{model.name}: {error}", file=sys.stderr)
        return None
    return numpy.concatenate([next(iter(compiled(image[None]).values())) for image in inputs])


def exact_logits(path, inputs):
    import numpy
    import onnx
    import onnx_numpy

    model = onnx.load(path)
    name, output = model.graph.input[0].name, model.graph.output[0].name
    return numpy.concatenate([onnx_numpy.run(model, {name: image[None]}, numpy.float64)[output] for image in inputs])


def cell(reference, logits):
    same = 100 * (reference.argmax(1) == logits.argmax(1)).mean()
    return f"{measure.sqnr(reference, logits):.1f} dB, {same:.1f} %"


def main():
    import numpy
    import onnx

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=pathlib.Path, default=HERE.parent.parent / "shared")
    parser.add_argument("--work", type=pathlib.Path, default=HERE.parent / "build" / "benchmarks" / "quantized")
    parser.add_argument("--vitq-build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--images", type=int, default=64, help="of val and samples, evenly (0: all)")
    parser.add_argument("--exact", type=int, default=32, help="of these for the exact evaluation (a second each)")
    parser.add_argument("--openvino", action="store_true", help="run the files with OpenVINO too")
    parser.add_argument("--kinds", default=",".join(KINDS), help="files to write and measure")
    arguments = parser.parse_args()
    global BUILD
    BUILD = arguments.vitq_build / "bin"
    folder = arguments.work
    folder.mkdir(parents=True, exist_ok=True)
    imagenet = arguments.shared / "images" / "imagenet"
    calibration = numpy.stack([accuracy.load_image(path) for path, _ in accuracy.labelled(imagenet / "calibration")])
    pairs = [pair for name in accuracy.SETS for pair in accuracy.labelled(imagenet / name)]
    pairs = pairs[:: max(1, len(pairs) // arguments.images)][: arguments.images] if arguments.images else pairs
    pixels = numpy.stack([accuracy.load_image(path) for path, _ in pairs])
    labels = numpy.array([label for _, label in pairs])
    numpy.save(folder / "calibration.npy", calibration)
    numpy.save(folder / "images.npy", pixels)
    inputs = normalized(pixels)
    model = onnx.load(arguments.shared / "models" / "vit_tiny_in1k" / "vit_tiny_dynamo_op17.onnx")
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    del model.graph.value_info[:]
    onnx.save(model, folder / "float.onnx")
    real = runtime_logits(folder / "float.onnx", inputs, True)
    some = slice(None, None, max(1, len(inputs) // arguments.exact))
    print(f"{len(inputs)} images, {len(inputs[some])} for the exact evaluation")
    print("| file | float | itself | exact | vitq | vitq, exact | OpenVINO | top-1: onnxruntime, vitq |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in arguments.kinds.split(","):
        title, write = KINDS[kind]
        path = folder / f"{kind}.onnx"
        if not path.exists():
            write(folder, path, calibration)
        plain, optimized = (runtime_logits(path, inputs, optimize) for optimize in (False, True))
        program, exact = program_logits(folder, path, folder / "images.npy"), exact_logits(path, inputs[some])
        other = openvino_logits(path, inputs) if arguments.openvino else None
        top1 = [f"{100 * (logits.argmax(1) == labels).mean():.1f}" for logits in (plain, program)]
        row = [title, cell(real, plain), cell(plain, optimized), cell(plain[some], exact), cell(plain, program),
               cell(exact, program[some]), "" if other is None else cell(program, other),
               ", ".join(top1) + " %"]  # fmt: skip
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
