"""The last touches: the sun's bloom, birds, a darker rim, a little grain."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .fields import View, calc, from_column, from_row, to_mask

BIRDS = (
    (0.55, 0.120, 13),
    (0.585, 0.108, 10),
    (0.602, 0.126, 11),
    (0.64, 0.114, 8),
    (0.535, 0.139, 7),
)


def finish(picture: Image.Image, view: View, rng: random.Random) -> Image.Image:
    unit = view.height / 1800
    size = picture.size
    if view.scene.birds:
        birds(picture, unit)
    bright = picture.point(lambda value: max(0, value - 150) * 1.1)
    bloom = bright.filter(ImageFilter.GaussianBlur(34 * unit))
    picture = ImageChops.screen(picture, bloom.point(lambda value: value * 0.42))
    x = from_row([((c / size[0]) - 0.5) ** 2 for c in range(size[0])], size)
    y = from_column([((r / size[1]) - 0.45) ** 2 for r in range(size[1])], size)
    rim = to_mask(calc(lambda a, b: (a * 0.75 + b * 0.75 - 0.09) * 1.0, x, y))
    picture.paste(Image.new("RGB", size, (10, 18, 34)), mask=rim)
    grain = Image.frombytes("L", size, rng.randbytes(size[0] * size[1]))
    grain = grain.filter(ImageFilter.GaussianBlur(0.7))
    layers = [
        calc(lambda p, g: (p + (g - 127.5) * 0.055) / 255.0, c.convert("F"), grain.convert("F"))
        for c in picture.split()
    ]
    return Image.merge("RGB", [to_mask(layer) for layer in layers])


def birds(picture: Image.Image, unit: float) -> None:
    """A few birds, drawn large and made small, so that their wings are smooth."""
    draw_at = 4
    cover = Image.new("L", (picture.width * draw_at, round(picture.height * 0.2) * draw_at))
    draw = ImageDraw.Draw(cover)
    for across, down, span in BIRDS:
        x, y, wing = across * cover.width, down * picture.height * draw_at, span * unit * draw_at
        for side in (-1, 1):
            points = [
                (x + side * wing * t, y - wing * 0.42 * math.sin(t * 2.4) + wing * 0.1 * t)
                for t in (0, 0.2, 0.4, 0.6, 0.8, 1.0)
            ]
            draw.line(points, 190, max(1, round(wing * 0.13)), joint="curve")
    small = cover.resize((picture.width, round(picture.height * 0.2)), Image.Resampling.BOX)
    picture.paste((44, 52, 74), (0, 0), small)
