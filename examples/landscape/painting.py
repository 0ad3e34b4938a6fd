"""A picture, put together from all the parts."""

from __future__ import annotations

import random

from PIL import Image

from .fields import View
from .finish import finish
from .forest import Forest
from .grass import Grass
from .land import Land
from .scene import Scene
from .sight import Sight
from .sky import reflected, sky
from .survey import Survey
from .water import water


def paint(scene: Scene, scale: float) -> Image.Image:
    """Paint `scene`, as many times its size as `scale` says."""
    view = View.of(scale, scene)
    land = Land(view)
    survey, rng = Survey(land), random.Random(scene.seed)
    forest = Forest(land, survey, rng, candidates=74000)
    ground = land.colour(forest.shadows())
    sight = Sight(land)
    seen = sight.as_image(sight.seen)

    whole_sky = sky(view, round(view.height - view.horizon))
    above = Image.new("RGB", (view.width, view.height))
    above.paste(whole_sky, (0, round(view.horizon) - whole_sky.height))
    mirrored = sight.gather(ground, sight.mirrored, reflected(whole_sky, view))
    forest.mirror(mirrored, sight.as_image(sight.mirrored))

    picture = water(sight.gather(ground, sight.seen, above), mirrored, land, sight)
    Grass(land, survey, rng).grow(picture, seen)
    forest.plant(picture, seen)
    return finish(picture, view, rng)
