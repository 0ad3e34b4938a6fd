"""What grows low: blades of grass, reeds by the water, flowers; and the stones between them."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

from .fields import Values, bytes_of, mixed
from .land import SNOW, Land
from .scene import RGB, Light
from .survey import Survey

GREENS: tuple[RGB, ...] = (
    (58, 84, 42), (46, 70, 44), (84, 108, 50), (118, 132, 60), (150, 150, 76),
)  # fmt: skip
FLOWERS: tuple[RGB, ...] = ((244, 234, 225), (234, 196, 207), (241, 211, 133), (193, 176, 218))
STONES: tuple[RGB, ...] = ((150, 142, 130), (122, 118, 116), (96, 94, 98))
NEAR = 420.0  # metres; farther grass is only a colour
TUFTS = 64000  # in a picture of 1440 by 1800
FINER = 2  # it is drawn larger and made small, so that blades are thin


class Grass:
    """Grass, flowers and stones on the near land, drawn from far to near."""

    def __init__(self, land: Land, survey: Survey, rng: random.Random) -> None:
        self.view = land.view
        usual = Light().sunlight
        self.tint = [now / then for now, then in zip(land.daylight.sunlight, usual, strict=True)]
        self.survey = survey
        self.rng = rng
        self.patches = Values(land.noise.hills(11, 3))
        self.top = round(self.view.row(0, NEAR))

    def grow(self, picture: Image.Image, seen: Image.Image) -> None:
        """Draw it where no land is nearer."""
        rng, view = self.rng, self.view
        part = picture.crop((0, self.top, view.width, view.height))
        large = part.resize((part.width * FINER, part.height * FINER), Image.Resampling.BICUBIC)
        self.draw = ImageDraw.Draw(large)
        slices = Values(seen)
        reach = sum(depth < NEAR for depth in view.depths)
        width, height = view.scene.size
        tufts = TUFTS * width * height // (1440 * 1800)
        spots = [(rng.randrange(reach), rng.randrange(view.width)) for _ in range(tufts)]
        for i, column in sorted(spots, reverse=True):
            row = view.row(self.survey.height[column, i], view.depths[i])
            if not self.top < row < view.height + 30:
                continue
            if row >= view.height or slices[column, int(row)] + 6 >= i:
                self._grow_at((column, i), row)
        picture.paste(large.resize(part.size, Image.Resampling.BOX), (0, self.top))

    def _grow_at(self, at: tuple[int, int], row: float) -> None:
        rng = self.rng
        x, y = at[0] * FINER, (row - self.top) * FINER
        metre = self.view.focus / self.view.depths[at[1]] * FINER
        chance, off_river = rng.random(), self.survey.off_river[at]
        if off_river < 0.4:
            return
        if off_river < 2.6 and chance < 0.16:
            self._stone(x, y, metre * rng.uniform(0.15, 0.75), self._lit(rng.choice(STONES), at))
        elif off_river < 5 and chance < 0.7:
            self._tuft(x, y, metre * rng.uniform(0.6, 1.5), self._lit(rng.choice(GREENS[:3]), at))
        else:
            self._tuft(x, y, metre * rng.uniform(0.25, 0.7), self._lit(rng.choice(GREENS), at))
            patch = self.patches[at]
            if (
                patch > 0.56
                and not self.view.scene.frost
                and chance < 0.8
                and self.survey.woods[at] < 0.6
            ):
                petals = self._lit(FLOWERS[int(patch * 37) % len(FLOWERS)], at)
                size = max(1.2, metre * 0.11)
                y -= metre * 0.5
                self.draw.ellipse((x - size, y - size, x + size, y + size), petals)

    def _lit(self, colour: RGB, at: tuple[int, int]) -> tuple[int, int, int]:
        sun = 0.56 + 0.9 * self.survey.light[at] * (1 - 0.5 * self.survey.woods[at])
        colour = mixed(colour, SNOW, self.view.scene.frost * 0.8)
        red, green, blue = (part * sun * tint for part, tint in zip(colour, self.tint, strict=True))
        warm = (red * 1.08, green, blue * 0.86)
        return bytes_of(self.survey.hazed(warm, at))

    def _tuft(self, x: float, y: float, tall: float, colour: tuple[int, int, int]) -> None:
        for _ in range(3):
            foot = x + self.rng.uniform(-0.3, 0.3) * tall
            bend = self.rng.uniform(-0.35, 0.35) * tall
            blade = [(foot, y), (foot + bend * 0.35, y - tall * 0.6), (foot + bend, y - tall)]
            self.draw.line(blade, colour, 2 if tall > 14 else 1)

    def _stone(self, x: float, y: float, wide: float, colour: tuple[int, int, int]) -> None:
        """A stone, dark below and lit from the right."""
        top = y - wide * self.rng.uniform(0.45, 0.7)
        below = y + (y - top) * 0.5
        dark, middle = bytes_of(mixed(colour, (0, 0, 0), 0.66)), mixed(colour, (0, 0, 20), 0.33)
        self.draw.ellipse((x - wide, top, x + wide, below), dark)
        self.draw.ellipse((x - wide * 0.9, top, x + wide, (y + below) / 2), bytes_of(middle))
        self.draw.ellipse((x - wide * 0.2, top, x + wide * 0.9, (top + y) / 2), colour)
