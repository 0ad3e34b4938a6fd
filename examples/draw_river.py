"""Draws the river, the same picture every time, as `river.webp` and `river.jpg`.

A lossy WebP arrives from the top to the bottom; a progressive JPEG arrives from coarse to fine.

    python examples/draw_river.py [DIRECTORY] [--scale 1.0]
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from landscape.fields import View
from landscape.finish import finish
from landscape.forest import Forest
from landscape.grass import Grass
from landscape.land import Land
from landscape.sight import Sight
from landscape.sky import reflected, sky
from landscape.survey import Survey
from landscape.water import water
from PIL import Image

SEED = 1922


def draw(scale: float) -> Image.Image:
    """Draw the picture: 1440 by 1800 pixels at a scale of 1."""
    view = View.of(scale)
    land = Land(view)
    survey, rng = Survey(land), random.Random(SEED)
    forest = Forest(land, survey, rng, candidates=74000)
    ground = land.colour(forest.shadows())
    sight = Sight(land)
    seen = sight.as_image(sight.seen)

    whole_sky = sky(view, round(view.height - view.horizon), SEED)
    above = Image.new("RGB", (view.width, view.height))
    above.paste(whole_sky, (0, round(view.horizon) - whole_sky.height))
    mirrored = sight.gather(ground, sight.mirrored, reflected(whole_sky, view))
    forest.mirror(mirrored, sight.as_image(sight.mirrored))

    picture = water(sight.gather(ground, sight.seen, above), mirrored, land, sight)
    Grass(land, survey, rng).grow(picture, seen)
    forest.plant(picture, seen)
    return finish(picture, view, rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=Path(__file__).parent / "river")
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    picture = draw(options.scale)
    webp, jpeg = options.directory / "river.webp", options.directory / "river.jpg"
    picture.save(webp, quality=80, method=6)
    picture.save(jpeg, quality=76, progressive=True, optimize=True)
    for path in (webp, jpeg):
        print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
