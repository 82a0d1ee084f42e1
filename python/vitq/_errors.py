# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the compiler says, as Python says it."""
from __future__ import annotations

import logging
import typing
import warnings

from . import _vitq

logger = logging.getLogger("vitq")


class Diagnostic(typing.NamedTuple):
    """One thing that the compiler said."""

    severity: str  #: "error", "warning", "remark" or "note"
    location: str  #: the name of an ONNX node, or ""
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message


class CompileError(RuntimeError):
    """The model, the images or the options do not do; the text names the ONNX node."""

    diagnostics: list[Diagnostic]  #: all that was said, in order

    def __init__(self, text: str, diagnostics: typing.Iterable[tuple[str, str, str]] = ()):
        super().__init__(text)
        self.diagnostics = [Diagnostic(*entry) for entry in diagnostics]

    def __reduce__(self):
        return (CompileError, (self.args[0], self.diagnostics))

    @property
    def node(self) -> str:
        """The ONNX node of the first error, or ""."""
        return next((entry.location for entry in self.diagnostics if entry.severity == "error"), "")


_vitq.set_error(CompileError)


def tell(entries: typing.Iterable[tuple[str, str, str]]) -> None:
    """Warnings become Python's, remarks and notes go to the logger "vitq"."""
    for diagnostic in (Diagnostic(*entry) for entry in entries):
        if diagnostic.severity == "warning":
            warnings.warn(str(diagnostic), stacklevel=3)
        else:
            logger.info("%s", diagnostic)
