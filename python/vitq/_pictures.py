# Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pictures as programs take them."""
from __future__ import annotations

import collections.abc
import os
import typing

import numpy

from . import _vitq


class Pictures(collections.abc.Sequence):
    """The pictures of a folder, a file, or a .npy of pixels, decoded, resized and cropped one at a time: uint8 [H, W, C].

    Of a folder they are in the order of their names. `array(first, last)` gives several as one array, which programs take.
    """

    def __init__(self, path: str | os.PathLike, preprocess: str = "", channels: int = 3):
        """preprocess, channels: as the model wants them; `Program.pictures` knows both.

        Raises CompileError: there is no picture, or the first cannot be read.
        """
        self._pictures = _vitq.Pictures(os.fspath(path), preprocess, channels)

    def __len__(self) -> int:
        return len(self._pictures)

    @typing.overload
    def __getitem__(self, index: int) -> numpy.ndarray: ...
    @typing.overload
    def __getitem__(self, index: slice) -> list[numpy.ndarray]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"there are {len(self)} pictures, no picture {index}")
        return self._pictures.read(position)

    def array(self, first: int = 0, last: int | None = None) -> numpy.ndarray:
        """Pictures `first` to `last`, which is not among them, as uint8 [N, H, W, C]."""
        chosen = range(*slice(first, last).indices(len(self)))
        pixels = numpy.empty((len(chosen), *self.size), numpy.uint8)
        for row, index in zip(pixels, chosen):
            row[...] = self._pictures.read(index)
        return pixels

    @property
    def size(self) -> tuple[int, int, int]:
        """(height, width, channels) of every picture."""
        return self._pictures.size

    @property
    def names(self) -> list[str]:
        """Of the files, without their folder; "#0", "#1" ... in an array."""
        return [self._pictures.name(index) for index in range(len(self))]
