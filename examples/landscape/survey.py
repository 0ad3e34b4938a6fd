"""The land, looked up point by point, for what grows on it."""

from __future__ import annotations

from .fields import RGB, Values, mixed
from .land import HAZE, HAZE_BY_THE_SUN, Land


class Survey:
    """What the land is like at a column and a slice."""

    def __init__(self, land: Land) -> None:
        self.height = Values(land.height)
        self.off_river = Values(land.off_river)
        self.rise = Values(land.rise)
        self.woods = Values(land.woods)
        self.light = Values(land.light)
        self._haze = Values(land.haze)
        self._glow = Values(land.glow)

    def hazed(self, colour: RGB, at: tuple[int, int]) -> RGB:
        """How `colour` looks from here, through the haze."""
        return mixed(colour, mixed(HAZE, HAZE_BY_THE_SUN, self._glow[at]), self._haze[at])
