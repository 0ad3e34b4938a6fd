"""Arithmetic on whole images of floats, and the view that gives them their shape."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageMath

from .scene import RGB, Scene

EYE = 70.0  # metres above the water
FAR = 17000.0  # the last slice, in metres


def calc(formula: Callable[..., Any], *images: Image.Image) -> Image.Image:
    """Apply `formula` to every pixel of float images of one size."""
    names = [f"image{i}" for i in range(len(images))]
    result: Image.Image = ImageMath.lambda_eval(
        lambda given: formula(*(given[name] for name in names)),
        **dict(zip(names, images, strict=True)),
    )
    return result


def clamp(image: Image.Image) -> Image.Image:
    """Keep every pixel between 0 and 1."""
    white, black = Image.new("F", image.size, 1.0), Image.new("F", image.size, 0.0)
    result: Image.Image = ImageMath.lambda_eval(
        lambda v: v["max"](v["min"](v["i"], v["one"]), v["zero"]), i=image, one=white, zero=black
    )
    return result


def smoothstep(image: Image.Image, low: float, high: float) -> Image.Image:
    """Rise smoothly from 0 at `low` to 1 at `high`."""
    t = clamp(calc(lambda v: (v - low) / (high - low), image))
    return calc(lambda v: v * v * (3.0 - v * 2.0), t)


def exponential(image: Image.Image) -> Image.Image:
    return calc(lambda v: math.e**v, image)


def to_mask(image: Image.Image) -> Image.Image:
    return calc(lambda v: v * 255.0, clamp(image)).convert("L")


def mixed(low: RGB, high: RGB, amount: float) -> RGB:
    return (
        low[0] + (high[0] - low[0]) * amount,
        low[1] + (high[1] - low[1]) * amount,
        low[2] + (high[2] - low[2]) * amount,
    )


def bytes_of(colour: RGB) -> tuple[int, int, int]:
    """The nearest colour that can be shown."""
    red, green, blue = (max(0, min(255, round(part))) for part in colour)
    return red, green, blue


def solid(size: tuple[int, int], colour: RGB) -> Image.Image:
    return Image.new("RGB", size, bytes_of(colour))


class Values:
    """The floats of an image, looked up by column and row."""

    def __init__(self, image: Image.Image) -> None:
        self._width = image.width
        self._values = memoryview(image.convert("F").tobytes()).cast("f")

    def __getitem__(self, at: tuple[int, int]) -> float:
        return self._values[at[1] * self._width + at[0]]


def from_row(values: Iterable[float], size: tuple[int, int]) -> Image.Image:
    """Repeat a row of floats all the way down."""
    row = Image.frombytes("F", (size[0], 1), array("f", values).tobytes())
    return row.resize(size, Image.Resampling.NEAREST)


def from_column(values: Iterable[float], size: tuple[int, int]) -> Image.Image:
    """Repeat a column of floats all the way across."""
    column = Image.frombytes("F", (1, size[1]), array("f", values).tobytes())
    return column.resize(size, Image.Resampling.NEAREST)


def shifted(image: Image.Image, x: int, y: int) -> Image.Image:
    """Each pixel's neighbour `x` to the right and `y` down; at the rim, the pixel's own."""
    moved = image.copy()
    moved.paste(image, (-x, -y))
    return moved


@dataclass(frozen=True)
class View:
    """The camera: the picture's size, and the slices it looks through."""

    width: int
    height: int
    horizon: float
    focus: float
    depths: list[float]
    scene: Scene

    @classmethod
    def of(cls, scale: float, scene: Scene) -> View:
        width, height = (round(pixels * scale) for pixels in scene.size)
        horizon, focus = scene.horizon * height, 1.02 * width
        middle = horizon + 70 * scale
        rows = range(int(height * 1.12), int(middle), -1)
        depths = [focus * EYE / (row - horizon) for row in rows]
        steps = round(1100 * scale)
        ratio = (FAR / depths[-1]) ** (1 / steps)
        depths += [depths[-1] * ratio**i for i in range(1, steps + 1)]
        return cls(width, height, horizon, focus, depths, scene)

    @property
    def slices(self) -> tuple[int, int]:
        return (self.width, len(self.depths))

    def across(self, column: float, depth: float) -> float:
        """Metres right of the middle of the view."""
        return (column - self.width / 2) * depth / self.focus

    def column(self, across: float, depth: float) -> float:
        return self.width / 2 + across * self.focus / depth

    def row(self, height: float, depth: float) -> float:
        return self.horizon + self.focus * (EYE - height) / depth


class Noise:
    """Smooth random values over the plane, one lattice for all wavelengths."""

    def __init__(self, view: View, seed: int) -> None:
        self.view = view
        size = (1400, 1024)
        grain = random.Random(seed).randbytes(size[0] * size[1])
        lattice = Image.frombytes("L", size, grain).convert("F")
        self.lattice = calc(lambda v: v / 255.0, lattice)

    def octave(self, wavelength: float, stretch: float = 1.0) -> Image.Image:
        """Values from 0 to 1; where a pixel is wider than a wave, they even out to 0.5."""
        view = self.view
        out = Image.new("F", view.slices, 0.5)
        shift = (wavelength * 7.13) % 97 + 3
        for i, depth in enumerate(view.depths):
            step = depth / view.focus / (wavelength * stretch)
            down = depth / wavelength + shift
            if step > 0.45:
                break
            start = 700 - step * view.width / 2 + shift
            row = self.lattice.transform(
                (view.width, 1),
                Image.Transform.AFFINE,
                (step, 0, start, 0, 0, 4 + down % 1000),
                Image.Resampling.BICUBIC,
            )
            fade = min(1.0, (0.45 - step) / 0.15)
            if fade < 1:
                row = calc(lambda v, f=fade: (v - 0.5) * f + 0.5, row)
            out.paste(row, (0, i))
        return out

    def hills(self, wavelength: float, octaves: int, *, ridged: bool = False) -> Image.Image:
        """Octaves of noise added up, from about 0 to 1; ridged noise has crests."""
        total, weight, share = None, 1.0, 0.0
        for k in range(octaves):
            layer = self.octave(wavelength / 2.03**k)
            if ridged:
                layer = calc(lambda v: 1.0 - abs(v * 2.0 - 1.0) * 1.15, layer)
                if total is not None:  # crests break up further, valleys stay smooth
                    layer = calc(lambda v, t, s=share: v * (t / s) * 1.3, layer, total)
            part = calc(lambda v, w=weight: v * w, layer)
            total = part if total is None else calc(lambda a, b: a + b, total, part)
            share += weight
            weight *= 0.5
        assert total is not None
        return calc(lambda v: v / share, total)
