"""The shapes of trees, each drawn once, large."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from .scene import RGB

TALL = 640  # of a drawn shape, in pixels
LEAVES = ((104, 146, 72), (124, 150, 70), (150, 146, 66), (176, 132, 60))


@dataclass(frozen=True)
class Shape:
    """How a kind of tree looks: where it is, and how much light reaches each part."""

    cover: Image.Image
    light: Image.Image
    dark: RGB
    bright: RGB

    def scaled(self, tall: int) -> tuple[Image.Image, Image.Image]:
        size = (max(1, round(self.cover.width * tall / self.cover.height)), max(1, tall))
        return (
            self.cover.resize(size, Image.Resampling.BOX, reducing_gap=2.0),
            self.light.resize(size, Image.Resampling.BOX, reducing_gap=2.0),
        )


def fir(rng: random.Random) -> Shape:
    """A slim conifer: tiers of drooping twigs, each dark beneath the next, lit from the right."""
    wide = round(TALL * rng.uniform(0.36, 0.48))
    cover, light = Image.new("L", (wide, TALL)), Image.new("L", (wide, TALL), 20)
    ink, sun = ImageDraw.Draw(cover), ImageDraw.Draw(light)
    middle = wide / 2
    ink.polygon([(middle - 10, TALL), (middle + 10, TALL), (middle + 2, 0), (middle - 2, 0)], 255)
    tiers = rng.randint(17, 23)
    for k in range(tiers, -1, -1):
        part = k / tiers
        y = TALL * (0.90 * part**0.92)
        reach = (5 + (middle - 6) * part**0.88) * rng.uniform(0.80, 1.0)
        deep = (26 + 40 * part) * rng.uniform(0.9, 1.2)
        lean = rng.uniform(-0.08, 0.08)
        twigs = round(9 + 26 * part)
        skirt = [(middle - reach * 0.7, y + deep * 0.7), (middle, y - deep * 0.6)]
        skirt += [(middle + reach * 0.7, y + deep * 0.7)]
        ink.polygon(skirt, 255)
        sun.polygon(skirt, 12)
        for n in rng.sample(range(twigs), twigs):
            side = (n + rng.uniform(0.1, 0.9)) / twigs * 2 - 1
            far = reach * rng.uniform(0.78, 1.06)
            tip = (
                middle + far * (side + lean),
                y + deep * (1.0 - 0.55 * side * side) * rng.uniform(0.6, 1),
            )
            root = (middle + far * side * 0.2, y - deep * 0.45)
            half = 2.5 + 5.5 * part
            twig = [(root[0] - half, root[1]), tip, (root[0] + half, root[1] + half)]
            shade = max(8, min(255, round(124 + 118 * side + rng.uniform(-55, 45))))
            ink.polygon(twig, 255)
            sun.polygon(twig, shade)
    soft = light.filter(ImageFilter.GaussianBlur(1.6))
    return Shape(cover, soft, (14, 34, 38), (rng.randint(70, 98), rng.randint(112, 130), 74))


def broadleaf(rng: random.Random) -> Shape:
    """A round crown of many clumps of leaves, brightest up on the right."""
    wide = round(TALL * rng.uniform(0.8, 1.0))
    cover, light = Image.new("L", (wide, TALL)), Image.new("L", (wide, TALL), 50)
    ink, sun = ImageDraw.Draw(cover), ImageDraw.Draw(light)
    ink.polygon(
        [
            (wide * 0.47, TALL),
            (wide * 0.53, TALL),
            (wide * 0.52, TALL / 2),
            (wide * 0.48, TALL / 2),
        ],
        255,
    )
    clumps = []
    for _ in range(520):
        angle, far = rng.uniform(0, math.tau), rng.random() ** 0.5
        lobes = 0.84 + 0.16 * math.sin(angle * 3 + 1) * math.sin(angle * 5)
        clumps.append((math.cos(angle) * far * lobes, math.sin(angle) * far * lobes))
    clumps.sort(key=lambda at: at[0] * 0.5 - at[1] + rng.uniform(-0.5, 0.5))
    for x, y in clumps:
        px, py = wide * (0.5 + x * 0.43), TALL * (0.42 + y * 0.37)
        size = rng.uniform(9, 26)
        box = (px - size, py - size * 0.7, px + size, py + size * 0.7)
        ink.ellipse(box, 255)
        lit = 128 + 90 * x * 0.8 - 100 * y * 0.75 + rng.uniform(-45, 45)
        sun.ellipse(box, max(0, min(255, round(lit))))
    soft = light.filter(ImageFilter.GaussianBlur(1.5))
    return Shape(cover, soft, (26, 46, 32), rng.choice(LEAVES))
