"""The land, looked up point by point, for what grows on it."""

from __future__ import annotations

from .fields import Values, mixed
from .land import Land
from .scene import RGB


class Survey:
    """What the land is like at a column and a slice."""

    def __init__(self, land: Land) -> None:
        self._daylight = land.daylight
        self.height = Values(land.height)
        self.off_river = Values(land.off_river)
        self.rise = Values(land.rise)
        self.woods = Values(land.woods)
        self.light = Values(land.light)
        self._haze = Values(land.haze)
        self._glow = Values(land.glow)

    def hazed(self, colour: RGB, at: tuple[int, int]) -> RGB:
        """How `colour` looks from here, through the haze."""
        light = self._daylight
        veil = mixed(light.haze, light.haze_by_the_sun, self._glow[at])
        return mixed(colour, veil, self._haze[at])
