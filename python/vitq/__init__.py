# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A quantizing compiler for vision transformers: ONNX in, integer-only programs out.

    import vitq

    program = vitq.compile("vit.onnx", calibration=images, preprocess="mean=0.5,std=0.5")
    integers = program(images)      # numpy, int32
    program.save("vit.so")          # for C, vitq-run and vitq.load
"""
from ._compile import Ranges, calibrate, compile, quantize
from ._errors import CompileError
from ._export import from_timm, from_transformers
from ._pictures import Pictures
from ._program import Output, Program, load
from ._vitq import __version__

__all__ = ["CompileError", "Output", "Pictures", "Program", "Ranges", "calibrate", "compile", "from_timm",
           "from_transformers", "load", "quantize", "__version__"]
