"""States that move by a table, the wake-up, and the words for a failure."""

import asyncio
from enum import Enum
from typing import Any

import pytest

from riverrun.errors import BrokenError, BusyError, DisconnectedError, RefusedError, RiverrunError
from riverrun.streams.lifecycle import Wakeup, failure_of, moved, owned


class Light(Enum):
    RED = "red"
    GREEN = "green"


def test_a_move_that_is_not_in_the_table_is_refused() -> None:
    table = {Light.RED: frozenset({Light.GREEN}), Light.GREEN: frozenset[Light]()}
    assert moved(Light.RED, Light.GREEN, table) is Light.GREEN
    with pytest.raises(RuntimeError, match="that is green cannot become red"):
        moved(Light.GREEN, Light.RED, table)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ValueError("why"), BrokenError, "why"),
        (ValueError(), BrokenError, "ValueError"),
        (ConnectionResetError(104, "Connection reset by peer"), DisconnectedError, "Connection"),
        (FileNotFoundError(2, "No such file", "/secret/place"), BrokenError, "No such file"),
    ],
)
def test_a_failure_is_told_in_our_words(
    error: Exception, kind: type[RiverrunError], text: str
) -> None:
    failure = failure_of(error)
    assert type(failure) is kind
    assert str(failure).startswith(text)
    assert "/" not in str(failure)
    assert failure.__cause__ is error


def test_our_own_exceptions_stay_what_they_are() -> None:
    error = RefusedError("a line", 1)
    assert failure_of(error) is error


async def test_one_task_waits_for_the_wake_up() -> None:
    wakeup = Wakeup()
    wakeup.call()  # forgotten
    waiting = asyncio.ensure_future(wakeup.wait())
    await asyncio.sleep(0)
    assert wakeup.waiting
    with pytest.raises(BusyError):
        await wakeup.wait()
    wakeup.call()
    wakeup.call()
    assert wakeup.waiting  # until it runs
    await waiting
    assert not wakeup.waiting


@pytest.mark.parametrize("chunk", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_a_chunk_is_owned_as_bytes(chunk: Any) -> None:
    assert owned(chunk) == b"x"
    assert type(owned(chunk)) is bytes


@pytest.mark.parametrize("wrong", ["x", 5, None, [1]])
def test_what_is_no_chunk_cannot_be_owned(wrong: Any) -> None:
    with pytest.raises(TypeError):
        owned(wrong)
