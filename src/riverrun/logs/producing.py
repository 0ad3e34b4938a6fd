"""Appends that are repeated until they are answered, and stored once."""

from __future__ import annotations

from typing import NamedTuple

from riverrun.logs.contracts import Producer
from riverrun.logs.errors import EpochError, FencedError, GapError


class Last(NamedTuple):
    """The last append of a producer that is stored: its epoch, and its number in that."""

    epoch: int
    sequence: int


def find_repeated(producer: Producer, last: Last | None) -> Last | None:
    """The `last` append of a producer if this one is stored already, None if it is to be stored.

    Raises what `Log.produce` raises for one that may not be stored now.
    """
    if last is None:
        if producer.sequence:
            raise GapError(0, producer.sequence)
        return None
    if producer.epoch < last.epoch:
        raise FencedError(last.epoch)
    if producer.epoch > last.epoch:
        if producer.sequence:
            raise EpochError
        return None
    if producer.sequence > last.sequence + 1:
        raise GapError(last.sequence + 1, producer.sequence)
    return last if producer.sequence <= last.sequence else None
