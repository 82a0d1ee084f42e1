# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""vitq MODEL.onnx --images=FOLDER: the compiler for those who want a program and nothing else."""
from __future__ import annotations

import argparse
import pathlib
import sys
import warnings

from . import CompileError, __version__, compile

EPILOG = """\
Writes MODEL.so: an integer program with the C entry point MODEL_run (see save() of vitq.Program for objects), and prints
what it loses. Pictures are .jpg or .png files in a folder, or uint8 pixels in a .npy.

  vitq vit.onnx --images=pictures/ --preprocess=resize=248,crop=224,mean=0.5,std=0.5
  vitq vit.onnx --images=pictures/ --preprocess=@preprocessor_config.json --recipe=best --option=weight-bits=4

Every other option of vitq-opt --compile is one of --option: nonlinear, bits, batch, output, shape ...
"""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vitq", description="Compile a vision transformer to an integer-only program.",
                                     epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the ONNX model")
    parser.add_argument("--images", required=True, metavar="FOLDER", help="a few dozen pictures to calibrate on")
    parser.add_argument("--preprocess", default="", metavar="P",
                        help="how a picture becomes the model's input, or @preprocessor_config.json")
    parser.add_argument("--recipe", default="default", choices=["default", "best", "minmax", "ivit"],
                        help="how tensors are quantized (default: default)")
    parser.add_argument("--target", default="native", metavar="CPU", help="native (default), x86-64-v3, ...")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="any other option")
    parser.add_argument("-o", "--output", metavar="FILE", help="FILE.so, FILE.o or FILE.onnx, for ONNX Runtime (default: the model's name, .so)")
    parser.add_argument("--measure", action="store_true",
                        help="compare every op with the float model on the images, and say what to try")
    parser.add_argument("--version", action="version", version=f"vitq {__version__}")
    return parser.parse_args(arguments)


def describe(program) -> str:
    facts, report = program.manifest, program.report
    lines = [f"{facts['macs'] / 1e6:.1f} million multiply-accumulates, {facts['weight_bytes'] / 1e6:.2f} MB of weights, "
             f"{facts['code_bytes'] / 1e3:.0f} kB of code, {facts['arena_bytes'] / 1e6:.2f} MB of working memory; "
             "no float instruction"]
    if report.get("logits_sqnr_db") is not None:
        lines.append(f"SQNR of the logits {report['logits_sqnr_db']:.1f} dB on {report['compared_images']} images")
    for finding in report.get("findings", []):
        lines.append(f"{finding['severity']}: {finding['text']} Try {finding['flag']}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    args = parse(arguments)
    output = pathlib.Path(args.output or pathlib.Path(args.model).with_suffix(".so").name)
    options = {}
    for option in args.option:
        key, equals, value = option.partition("=")
        if not equals:
            print(f"vitq: --option={option} has no value: it is NAME=VALUE", file=sys.stderr)
            return 1
        options[key] = value
    warnings.showwarning = lambda message, *_: print(f"vitq: warning: {message}", file=sys.stderr)
    try:
        program = compile(args.model, args.images, preprocess=args.preprocess, recipe=args.recipe, target=args.target,
                          report="measured" if args.measure else "facts", **options)
        program.save(output)
    except (CompileError, OSError, ValueError) as error:
        print(f"vitq: error: {error}", file=sys.stderr)
        return 1
    print(f"{output}: {program.name}_run, for {program.manifest['target']}")
    print(describe(program))
    return 0


if __name__ == "__main__":
    sys.exit(main())
