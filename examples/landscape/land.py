"""The lie of the land: where the river runs, what grows where, how light and haze fall on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image

from .fields import (
    Noise,
    View,
    calc,
    clamp,
    exponential,
    from_column,
    from_row,
    shifted,
    smoothstep,
    solid,
    to_mask,
)
from .scene import RGB

SNOW: RGB = (246, 243, 246)


def river_half_width(depth: float) -> float:
    return 10 + 0.012 * depth


class Land:
    """The land in slice space, as images of floats; `colour` makes the one that is seen."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.scene = view.scene
        self.daylight = view.scene.light
        self.noise = Noise(view, view.scene.land_seed)
        self.columns = from_row(range(view.width), view.slices)
        self.depth = self.per_slice(lambda depth: depth)
        self.off_river = self._distance_to_water()
        self.rise = self._rise()
        self.peaks = self._peaks()
        self.height = self._height()
        self.steepness, self.light = self._slopes()
        self.woods = self._woods()
        self.haze = self._haze()
        sun = self.daylight.sun_at[0] * view.width
        self.glow = exponential(
            calc(lambda c: ((c - sun) / (view.width * 0.40)) ** 2 * -1.0, self.columns)
        )

    def per_slice(self, value: Callable[[float], float]) -> Image.Image:
        return from_column([value(depth) for depth in self.view.depths], self.view.slices)

    def _distance_to_water(self) -> Image.Image:
        view = self.view
        across = calc(lambda c, z: (c - view.width / 2) * z / view.focus, self.columns, self.depth)
        return calc(
            lambda x, middle, slant, half, n: abs(x - middle) / slant - half + (n - 0.5) * 9.0,
            across,
            self.per_slice(self._river_middle),
            self.per_slice(self._river_slant),
            self.per_slice(river_half_width),
            self.noise.hills(40, 4),
        )

    def _river_middle(self, depth: float) -> float:
        """Where the middle of the river lies, in metres right of the middle of the view."""
        s = math.log(depth)
        swing = 0.225 * math.sin(3.75 * s + 0.55 * math.sin(1.3 * s) + self.scene.bend)
        return depth * (swing + 0.045 * (s - 5))

    def _river_slant(self, depth: float) -> float:
        """How much wider the river looks across the view than it is, where it runs aslant."""
        near, far = self._river_middle(depth * 0.99), self._river_middle(depth * 1.01)
        return math.hypot(1, (far - near) / (depth * 0.02))

    def _rise(self) -> Image.Image:
        """From 0 on the floor of the valley to 1 on the hills beside it."""
        floor = self.per_slice(lambda depth: 30 + 0.085 * depth)
        return smoothstep(calc(lambda o, f: (o - f) / f, self.off_river, floor), 0.0, 3.2)

    def _peaks(self) -> Image.Image:
        crests = clamp(self.noise.hills(5600, 9, ridged=True))
        far = smoothstep(self.depth, 4600, 9800)
        tall = 3150.0 * self.scene.peaks
        return calc(lambda p, f: (p**1.25) * f * tall, crests, far)

    def _height(self) -> Image.Image:
        bank = calc(lambda b: b * 3.6 - 2.0, smoothstep(self.off_river, -2.0, 5.0))
        meadow = calc(
            lambda n, b: n * b * 9.0, self.noise.hills(160, 5), smoothstep(self.off_river, 4, 90)
        )
        tall = self.per_slice(lambda depth: 22 + 0.104 * min(depth, 4200))
        hills = calc(
            lambda r, s, t: r * (s * 1.9 - 0.25) * t, self.rise, self.noise.hills(1300, 8), tall
        )
        return calc(lambda a, b, c, d: a + b + c + d, bank, meadow, hills, self.peaks)

    def _slopes(self) -> tuple[Image.Image, Image.Image]:
        """How steep it is, and how squarely the light falls."""
        view, height, depths = self.view, self.height, self.view.depths
        to_right = calc(
            lambda a, b, z: (a - b) * view.focus / (z * 2.0),
            shifted(height, 1, 0),
            shifted(height, -1, 0),
            self.depth,
        )
        last = len(depths) - 1
        gaps = [depths[min(i + 1, last)] - depths[max(i - 1, 0)] for i in range(last + 1)]
        away = calc(
            lambda a, b, gap: (a - b) / gap,
            shifted(height, 0, 1),
            shifted(height, 0, -1),
            from_column(gaps, view.slices),
        )
        x, up, z = self.daylight.towards_sun
        light = calc(
            lambda r, a: (r * -x + up - a * z) / (r * r + a * a + 1.0) ** 0.5, to_right, away
        )
        return calc(lambda r, a: (r * r + a * a) ** 0.5, to_right, away), clamp(light)

    def _woods(self) -> Image.Image:
        """How likely a tree is, from 0 to 1."""
        patches = smoothstep(self.noise.hills(210, 4), 0.47, 0.60)
        slopes = smoothstep(self.rise, 0.03, 0.25)
        dry = smoothstep(self.off_river, 4, 14)
        return clamp(calc(lambda p, s, d: (p * 0.8 + s * 0.8) * d, patches, slopes, dry))

    def _haze(self) -> Image.Image:
        """From 0 to 1: distance veils everything, and mist lies in the valley in banks."""
        distance = calc(lambda z: 1.0 - math.e ** (z / -6800.0), self.depth)
        thin = exponential(calc(lambda h: h / -1100.0, self.height))
        low = clamp(exponential(calc(lambda h: h / -42.0, self.height)))
        banks = smoothstep(self.noise.hills(700, 5), 0.34, 0.60)
        near = smoothstep(self.depth, 260, 1500)
        foot = exponential(calc(lambda h: h / -520.0, self.peaks))
        behind = smoothstep(self.depth, 4200, 8000)
        dense = self.scene.haziness
        return clamp(
            calc(
                lambda d, t, b, m, n, f, e: (
                    1.0 - (1.0 - d * (t * 0.60 + 0.40) * dense) * (1.0 - b * m * n * 0.9 * dense)
                    * (1.0 - f * e * 0.85)
                ),
                distance, thin, banks, low, near, foot, behind,
            )
        )  # fmt: skip

    def colour(self, shadows: Image.Image) -> Image.Image:
        """What is seen of the ground, in slice space; `shadows` is a mask of the same size."""
        ground = self._meadow()
        ground.paste(self._wood(), mask=to_mask(smoothstep(self.woods, 0.2, 0.8)))
        ground.paste(self._rock(), mask=to_mask(self._stony()))
        ground.paste(solid(ground.size, SNOW), mask=to_mask(self._snow()))
        if self.scene.frost:
            ground.paste(solid(ground.size, SNOW), mask=to_mask(self._frozen()))
        open_sky = calc(lambda s: 1.0 - s / 255.0 * 0.7, shadows.convert("F"))
        fine = self.noise.hills(2.2, 4)
        lit = [
            calc(
                lambda c, light, free, n, sun=sun, shade=shade: (
                    c * (light * free * sun + shade) * ((n - 0.5) * 0.7 + 1.0)
                ),
                channel.convert("F"), self.light, open_sky, fine,
            )
            for channel, sun, shade in zip(
                ground.split(), self.daylight.sunlight, self.daylight.shade, strict=True
            )
        ]  # fmt: skip
        return self.veiled(lit)

    def veiled(self, channels: Sequence[Image.Image]) -> Image.Image:
        """Lay the haze over three channels of floats from 0 to 255."""
        out = [
            calc(
                lambda c, haze, glow, cool=cool, warm=warm: (
                    (c * (1.0 - haze) + (glow * (warm - cool) + cool) * haze) / 255.0
                ),
                channel, self.haze, self.glow,
            )
            for channel, cool, warm in zip(
                channels, self.daylight.haze, self.daylight.haze_by_the_sun, strict=True
            )
        ]  # fmt: skip
        return Image.merge("RGB", [to_mask(channel) for channel in out])

    def _meadow(self) -> Image.Image:
        size, noise = self.view.slices, self.noise
        meadow = solid(size, (122, 132, 60))
        for colour, mask in (
            ((186, 162, 84), smoothstep(noise.hills(70, 4), 0.42, 0.68)),
            ((84, 110, 58), smoothstep(noise.hills(33, 4), 0.50, 0.75)),
            ((164, 128, 108), smoothstep(noise.hills(19, 5), 0.60, 0.78)),
            ((80, 104, 62), smoothstep(calc(lambda o: 0.0 - o, self.off_river), -9, -2)),
            ((150, 138, 112), smoothstep(calc(lambda o: 0.0 - o, self.off_river), -2.6, -1.2)),
        ):
            meadow.paste(solid(size, colour), mask=to_mask(mask))
        return meadow

    def _wood(self) -> Image.Image:
        wood = solid(self.view.slices, (40, 60, 46))
        lighter = smoothstep(self.noise.hills(26, 4), 0.4, 0.7)
        wood.paste(solid(wood.size, (72, 88, 52)), mask=to_mask(lighter))
        return wood

    def _rock(self) -> Image.Image:
        rock = solid(self.view.slices, (116, 108, 112))
        darker = smoothstep(self.noise.hills(260, 5), 0.4, 0.6)
        rock.paste(solid(rock.size, (76, 72, 84)), mask=to_mask(darker))
        return rock

    def _stony(self) -> Image.Image:
        return smoothstep(calc(lambda h, s: h + s * 260.0, self.peaks, self.steepness), 420, 900)

    def _snow(self) -> Image.Image:
        line = calc(
            lambda h, n, s: h + (n - 0.5) * 900.0 - s * 380.0,
            self.peaks,
            self.noise.hills(700, 6),
            self.steepness,
        )
        return smoothstep(line, 760, 1080)

    def _frozen(self) -> Image.Image:
        """Where snow lies in the valley: what is flat first, and nothing on the water."""
        lies = smoothstep(
            calc(lambda n, s: n - s * 0.25, self.noise.hills(33, 4), self.steepness), 0.1, 0.45
        )
        dry = smoothstep(self.off_river, -1.0, 3.0)
        return calc(lambda a, b: a * b * self.scene.frost, lies, dry)
