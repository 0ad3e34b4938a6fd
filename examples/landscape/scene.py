"""What a picture is of: a place, the light that falls on it, and how cold it is.

The scene of the river is the default; others say in what they differ from it. Colours are parts of
red, green and blue up to 255, and lights are factors of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """Where the sun is and what its light is like, on the land and in the sky."""

    sun_at: tuple[float, float] = (0.725, 0.178)  # as parts of the picture's width and height
    towards_sun: RGB = (0.80, 0.50, 0.10)  # right, up, away: a painter's, lower and more aside
    sunlight: RGB = (1.38, 1.08, 0.76)
    shade: RGB = (0.42, 0.52, 0.66)
    haze: RGB = (176, 194, 216)
    haze_by_the_sun: RGB = (255, 220, 172)
    glint: RGB = (255, 236, 196)
    high: RGB = (70, 116, 170)
    middle: RGB = (166, 194, 214)
    low: RGB = (252, 214, 170)
    sun: RGB = (255, 240, 206)
    cloud_lit: RGB = (255, 226, 196)
    cloud_dark: RGB = (142, 142, 170)


@dataclass(frozen=True)
class Scene:
    """A place at a time."""

    light: Light = field(default_factory=Light)
    size: tuple[int, int] = (1440, 1800)  # pixels, at a scale of 1
    horizon: float = 0.36  # part of the height
    land_seed: int = 1939
    seed: int = 1922  # of the clouds, and of what grows
    bend: float = 3.3  # where in its winding the river is
    peaks: float = 1.0  # how high they are
    haziness: float = 1.0
    birds: bool = True
    frost: float = 0.0  # from 0, a summer's day, to 1, deep snow
