"""What each pixel of the picture shows, and what it mirrors."""

from __future__ import annotations

import math
from array import array
from typing import Any

from PIL import Image

from .fields import EYE, calc
from .land import Land


def turned(image: Image.Image) -> memoryview[Any]:
    """The pixels of `image` column by column."""
    upright = image.transpose(Image.Transpose.TRANSPOSE)
    if image.mode == "RGB":
        return memoryview(upright.convert("RGBX").tobytes()).cast("I")
    return memoryview(upright.tobytes()).cast("f")


class Sight:
    """What each pixel shows, and what it would mirror: a slice, or the sky."""

    def __init__(self, land: Land) -> None:
        view = self.view = land.view
        self.sky = len(view.depths)
        surface = calc(lambda h: (h + abs(h)) / 2.0, land.height)  # no lower than the water
        rows = calc(lambda h, z: (EYE - h) * view.focus / z + view.horizon, surface, land.depth)
        below = calc(lambda h, z: (h + EYE) * view.focus / z + view.horizon, surface, land.depth)
        count, tall = len(view.depths), view.height
        tops, bottoms, heights = turned(rows), turned(below), turned(land.height)
        starts = [math.ceil(view.row(0, z)) for z in view.depths]
        self.seen, self.mirrored = array("i"), array("i")
        for column in range(view.width):
            at = column * count
            line = [self.sky] * tall
            horizon = tall
            for i, top in enumerate(tops[at : at + count]):
                row = max(math.ceil(top), 0)
                if row < horizon:
                    line[row:horizon] = [i] * (horizon - row)
                    horizon = row
            self.seen.extend(line)
            mirror = [self.sky] * tall
            ends, hs = bottoms[at : at + count], heights[at : at + count]
            for i in range(count - 1, -1, -1):
                if hs[i] > 0:
                    start, end = starts[i], min(math.ceil(ends[i]), tall)
                    if end > start:
                        mirror[start:end] = [i] * (end - start)
            self.mirrored.extend(mirror)

    def gather(self, layer: Image.Image, which: array[int], sky: Image.Image) -> Image.Image:
        """Lay `layer`, an RGB image in slice space, into the picture, before `sky`."""
        view, count = self.view, self.sky
        source, above = turned(layer), turned(sky)
        out = array("I")
        for column in range(view.width):
            values = source[column * count : (column + 1) * count].tolist()
            back = above[column * view.height : (column + 1) * view.height].tolist()
            indices = which[column * view.height : (column + 1) * view.height]
            out.extend(back[row] if i == count else values[i] for row, i in enumerate(indices))
        upright = Image.frombytes("RGBX", (view.height, view.width), out.tobytes())
        return upright.convert("RGB").transpose(Image.Transpose.TRANSPOSE)

    def as_image(self, which: array[int]) -> Image.Image:
        upright = Image.frombytes("I", (self.view.height, self.view.width), which.tobytes())
        return upright.transpose(Image.Transpose.TRANSPOSE)
