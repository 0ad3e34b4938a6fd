"""Appends that are repeated until they are answered, and stored once."""

from __future__ import annotations

from typing import NamedTuple

from riverrun.logs.contracts import Producer
from riverrun.logs.errors import EpochError, FencedError, GapError


class Last(NamedTuple):
    """The last append of a producer that is stored: its epoch, and its number in that."""

    epoch: int
    sequence: int


def is_repeat(producer: Producer, last: Last | None) -> bool:
    """Whether this append of a producer is stored already; `last` is None if none of it is.

    Raises what `Log.produce` raises for one that may not be stored now.
    """
    if last is None:
        if producer.sequence:
            raise GapError(0, producer.sequence)
        return False
    if producer.epoch < last.epoch:
        raise FencedError(last.epoch)
    if producer.epoch > last.epoch:
        if producer.sequence:
            raise EpochError
        return False
    if producer.sequence > last.sequence + 1:
        raise GapError(last.sequence + 1, producer.sequence)
    return producer.sequence <= last.sequence
