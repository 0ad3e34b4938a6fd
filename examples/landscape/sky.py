"""The sky, from the zenith down to the horizon."""

from __future__ import annotations

import math
import random

from PIL import Image

from .fields import View, calc, clamp, exponential, from_column, from_row, smoothstep, to_mask


def sky(view: View, rows: int) -> Image.Image:
    """Paint `rows` of sky above the horizon, which lies at the lower edge."""
    size, light, seed = (view.width, rows), view.scene.light, view.scene.seed
    up = from_column([(rows - row) / view.horizon for row in range(rows)], size)
    at_x = light.sun_at[0] * view.width
    at_y = rows - view.horizon + light.sun_at[1] * view.height
    x = from_row([(column - at_x) / view.width for column in range(view.width)], size)
    y = from_column([(row - at_y) / view.width for row in range(rows)], size)
    away = calc(lambda a, b: (a * a + b * b * 1.5) ** 0.5, x, y)
    wide = exponential(calc(lambda r: r * -2.6, away))
    close = exponential(calc(lambda r: r * -9.0, away))
    disc = smoothstep(calc(lambda r: 0.0 - r, away), -0.027, -0.023)
    cloud, lit = clouds(view, rows, seed)
    channels = []
    for k in range(3):
        high, middle, low, sun = light.high[k], light.middle[k], light.low[k], light.sun[k]
        base = calc(
            lambda u, w, h=high, m=middle, b=low: (
                u * h + (1.0 - u) * (w * b + (1.0 - w) * (m * 0.6 + b * 0.4))
            ),
            smoothstep(up, 0.0, 1.35), clamp(calc(lambda w: w * 1.25, wide)),
        )  # fmt: skip
        bright = calc(
            lambda t, w, hi=light.cloud_lit[k], lo=light.cloud_dark[k]: (
                lo + (hi - lo) * (t * 0.55 + w * 0.75)
            ),
            lit, wide,
        )  # fmt: skip
        channels.append(
            calc(
                lambda c, b, m, n, d, s=sun: (
                    (c * (1.0 - m) + b * m) * (1.0 - n * 0.9) * (1.0 - d)
                    + s * (n * 0.9 * (1.0 - d) + d)
                ),
                base, bright, cloud, close, disc,
            )
        )  # fmt: skip
    return Image.merge("RGB", [to_mask(calc(lambda v: v / 255.0, c)) for c in channels])


def clouds(view: View, rows: int, seed: int) -> tuple[Image.Image, Image.Image]:
    """How thick the clouds are and how bright, on a ceiling that recedes to the horizon."""
    size = (view.width, rows)
    rng = random.Random(seed)
    lattice = Image.frombytes("L", (512, 512), rng.randbytes(512 * 512)).convert("F")
    total = Image.new("F", size, 0.0)
    weight, share = 1.0, 0.0
    for k in range(7):
        wave = 1.45 / 2**k
        layer = Image.new("F", size, 127.5)
        for row in range(rows):
            depth = 1 / (0.11 + (rows - row) / view.horizon)
            step = depth * 1.1 / view.width / wave
            if step > 0.4:
                continue
            line = lattice.transform(
                (view.width, 1),
                Image.Transform.AFFINE,
                (step, 0, 250 - step * view.width / 2, 0, 0, 6 + (depth * 1.7 / wave) % 480),
                Image.Resampling.BICUBIC,
            )
            layer.paste(line, (0, row))
        total = calc(lambda t, v, w=weight: t + v * (w / 255.0), total, layer)
        share += weight
        weight *= 0.55
    total = calc(lambda t: t / share, total)
    up = from_column([(rows - row) / view.horizon for row in range(rows)], size)
    thick = smoothstep(total, 0.46, 0.66)
    thick = calc(lambda t, u: t * u * 0.85, thick, smoothstep(up, 0.10, 0.55))
    return thick, clamp(calc(lambda t: 1.0 - (t - 0.52) * 4.0, total))


def reflected(whole: Image.Image, view: View) -> Image.Image:
    """A picture whose part under the horizon shows the sky upside down."""
    picture = Image.new("RGB", (view.width, view.height))
    flipped = whole.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.paste(flipped, (0, math.ceil(view.horizon)))
    return picture
