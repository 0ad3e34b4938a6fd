"""Sizes, durations and rates, as people write them.

A number and its unit, with or without a space between: ``64KiB``, ``10 ms``, ``500 kB/s``. The
letters of a unit are kept apart by case, because a byte is not a bit and a mega not a milli. A
size without a unit is in bytes; a duration or a rate without one is a mistake waiting to happen,
and refused, unless it is zero.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 2**63 - 1
MANY_DIGITS = 20
NUMBER_AND_UNIT = r"([0-9]+(?:\.[0-9]+)?) *(?s:(.*))"

BYTES: Mapping[str, int] = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
BITS: Mapping[str, int] = {"bit": 1, "kbit": 10**3, "Mbit": 10**6, "Gbit": 10**9}


class UnitError(ValueError):
    """What was written is no such quantity; the message says what would be."""


class Quantity(NamedTuple):
    """One kind of quantity: `units` in terms of the smallest, of which `one` makes the whole."""

    name: str
    examples: str
    units: Mapping[str, int]
    one: int
    bare: str | None = None

    def parse(self, text: str) -> float:
        """Read `text`. Raises `UnitError`."""
        found = re.fullmatch(NUMBER_AND_UNIT, text.strip())
        if found is None:
            raise UnitError(f"{shortened(text)} is not a {self.name}; write {self.examples}")
        digits, unit = found.groups()
        if len(digits) > MANY_DIGITS:
            raise UnitError(f"{shortened(text)} has too many digits")
        number = float(digits) if "." in digits else int(digits)
        factor = self._factor(text, unit, zero=not number)
        if number * factor > LARGEST * self.one:
            raise UnitError(f"{shortened(text)} is too large")
        return number * factor if self.one == 1 else number * factor / self.one

    def format(self, amount: float) -> str:
        """Write `amount` in the unit that makes the smallest whole number of it, never in bits."""
        smallest = amount * self.one
        shown = {unit: factor for unit, factor in self.units.items() if "bit" not in unit}
        counts = [
            (round(smallest) // factor, unit)
            for unit, factor in shown.items()
            if round(smallest) % factor == 0 and abs(smallest - round(smallest)) < 1e-6
        ]
        if counts:
            return "{} {}".format(*min(counts))
        unit, factor = next(iter(shown.items()))
        return f"{smallest / factor:.3f}".rstrip("0").rstrip(".") + f" {unit}"

    def _factor(self, text: str, unit: str, *, zero: bool) -> int:
        if not unit:
            if self.bare is not None:
                return self.units[self.bare]
            if zero:
                return 0
            raise UnitError(f"{shortened(text)} has no unit; write {self.examples}")
        if unit in self.units:
            return self.units[unit]
        near = [known for known in self.units if _resembles(unit, known)]
        if near:
            raise UnitError(f"{shortened(text)} has an unknown unit; did you mean {near[0]}?")
        raise UnitError(
            f"{shortened(text)} has an unknown unit; the units are {', '.join(self.units)}"
        )


def shortened(text: str) -> str:
    """`text` in quotes, cut when it is long."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _resembles(unit: str, known: str) -> bool:
    return known.lower() in (unit.lower(), f"{unit}/s".lower())


SIZE = Quantity("size", "1000, 64KiB or 1.5MB", BYTES, one=1, bare="B")
DURATION = Quantity(
    "duration", "10ms, 1.5s or 2m", {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}, one=1000
)
RATE = Quantity(
    "rate",
    "500kB/s, 1MiB/s or 8Mbit/s",
    {f"{unit}/s": factor * 8 for unit, factor in BYTES.items()}
    | {f"{unit}/s": factor for unit, factor in BITS.items()},
    one=8,
)


def parse_size(text: str) -> int:
    """Bytes, to the nearest: ``1000``, ``64KiB``, ``1.5 MB``. Raises `UnitError`."""
    return round(SIZE.parse(text))


def parse_duration(text: str) -> float:
    """Seconds: ``10ms``, ``1.5s``, ``2 m``, ``1h``. Raises `UnitError`."""
    return float(DURATION.parse(text))


def parse_rate(text: str) -> float:
    """Bytes a second: ``500 kB/s``, ``1MiB/s``, ``8Mbit/s``. Raises `UnitError`."""
    return float(RATE.parse(text))


def format_size(size: int) -> str:
    """``64 KiB`` for 65536."""
    return SIZE.format(size)


def format_duration(seconds: float) -> str:
    """``10 ms`` for 0.01."""
    return DURATION.format(seconds)


def format_rate(rate: float) -> str:
    """``500 kB/s`` for 500000.0."""
    return RATE.format(rate)
