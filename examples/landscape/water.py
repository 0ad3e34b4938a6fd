"""The river's surface: a mirror that ripples, clearer far away than at one's feet."""

from __future__ import annotations

import math

from PIL import Image, ImageFilter

from .fields import calc, from_column, from_row, smoothstep, solid, to_mask
from .land import Land
from .scene import Light
from .sight import Sight

DEEP = (24, 60, 72)


def water(picture: Image.Image, mirrored: Image.Image, land: Land, sight: Sight) -> Image.Image:
    """Lay the river into `picture`, showing what `mirrored` holds."""
    view, light = land.view, land.daylight
    size = (view.width, view.height)
    waves = [land.noise.octave(long, 3.0) for long in (0.24, 0.6, 1.9)]
    waves_seen = calc(lambda a, b, c: a * 0.36 + b * 0.36 + c * 0.28, *waves)
    ripple = in_picture(waves_seen, sight)
    below = [max(0.0, row - view.horizon) for row in range(size[1])]
    nearness = from_column([rows / (view.height - view.horizon) for rows in below], size)

    surface = broken(mirrored, ripple, view.height / 1800)
    deep = calc(lambda n, r: (n**0.8) * 0.42 + 0.05 + (0.5 - r) * n * 0.9, nearness, ripple)
    surface.paste(solid(size, DEEP), mask=to_mask(deep))
    surface.paste(solid(size, light.glint), mask=to_mask(glints(ripple, nearness, light)))
    veil = solid(size, light.haze)
    veil.paste(solid(size, light.haze_by_the_sun), mask=to_mask(in_picture(land.glow, sight)))
    surface.paste(veil, mask=to_mask(in_picture(land.haze, sight)))

    wet = smoothstep(calc(lambda h: 0.0 - h, land.height), -0.02, 0.05)
    out = picture.copy()
    out.paste(surface, mask=to_mask(in_picture(wet, sight)))
    return out


def broken(mirrored: Image.Image, ripple: Image.Image, unit: float) -> Image.Image:
    """Break a mirror image up: the higher the ripple, the farther down it looks."""
    soft = mirrored.filter(ImageFilter.BoxBlur((0.6 * unit, 3.0 * unit)))
    surface = soft.copy()
    for shift, low, high in ((7, 0.48, 0.60), (15, 0.57, 0.72)):
        moved = soft.copy()
        moved.paste(soft, (0, -round(shift * unit)))
        surface.paste(moved, mask=to_mask(smoothstep(ripple, low, high)))
    return surface


def glints(ripple: Image.Image, nearness: Image.Image, light: Light) -> Image.Image:
    """Where ripples catch the sun: mostly under it, and far away."""
    width = ripple.width
    sun = [(column / width - light.sun_at[0]) / 0.20 for column in range(width)]
    path = from_row([math.exp(-(away**2)) for away in sun], ripple.size)
    return calc(
        lambda r, p, n: r * (p * 0.75 + 0.06) * (1.0 - n * 0.75),
        smoothstep(ripple, 0.60, 0.80),
        path,
        nearness,
    )


def in_picture(layer: Image.Image, sight: Sight) -> Image.Image:
    """Lay a layer of values from 0 to 1 in slice space into the picture."""
    grey = Image.merge("RGB", [to_mask(layer)] * 3)
    nothing = Image.new("RGB", (sight.view.width, sight.view.height))
    placed = sight.gather(grey, sight.seen, nothing).getchannel(0).convert("F")
    return calc(lambda v: v / 255.0, placed)
