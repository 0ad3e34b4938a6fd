"""Taking, hashing, and limiting the rate."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.streams import MemorySink, collect, pipeline
from riverrun.streams.transforms import digest, limit_rate, take


async def iterate(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, b""), (1, b"o"), (3, b"one"), (4, b"onet"), (6, b"onetwo"), (9, b"onetwo")],
)
async def test_take_lets_the_first_bytes_through(count: int, expected: bytes) -> None:
    assert await collect(take(count)(iterate(b"one", b"", b"two"))) == expected


@pytest.mark.parametrize(("count", "fetched"), [(0, 0), (1, 1), (3, 1), (4, 2)])
async def test_take_fetches_nothing_that_it_does_not_need(count: int, fetched: int) -> None:
    chunks = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal chunks
        while True:
            chunks += 1
            yield b"one"

    assert await pipeline(counted(), take(count), MemorySink()) == count
    assert chunks == fetched


def test_less_than_nothing_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="count"):
        take(-1)


async def test_digest_sees_everything_and_changes_nothing() -> None:
    hasher = hashlib.sha256()
    sink = MemorySink()
    await pipeline([b"river", bytearray(b"run")], digest(hasher), sink)
    assert sink.value == b"riverrun"
    assert hasher.hexdigest() == hashlib.sha256(b"riverrun").hexdigest()


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@given(
    chunks=st.lists(st.binary(max_size=300)),
    rate=st.floats(1, 1e6),
    burst=st.integers(1, 500),
)
async def test_no_more_passes_than_the_rate_and_one_burst_allow(
    chunks: list[bytes], rate: float, burst: int
) -> None:
    clock = Clock()
    passed = 0
    got = b""
    transform = limit_rate(rate, burst=burst, clock=clock, sleep=clock.sleep)
    async for chunk in transform(iterate(*chunks)):
        got += chunk
        passed += len(chunk)
        assert len(chunk) <= burst
        assert passed <= burst + (clock.now - 1000) * rate + 1e-3
    assert got == b"".join(chunks)
    assert (clock.now - 1000) * rate <= max(0, len(got) - burst) + 1e-3


async def test_a_silence_saves_up_no_more_than_a_burst() -> None:
    clock = Clock()

    async def silent_for_an_hour() -> AsyncIterator[bytes]:
        yield bytes(10)
        clock.now += 3600
        yield bytes(30)

    await collect(limit_rate(10, burst=10, clock=clock, sleep=clock.sleep)(silent_for_an_hour()))
    assert clock.now == pytest.approx(1000 + 3600 + 2)


async def test_a_burst_is_a_tenth_of_a_second_by_default() -> None:
    clock = Clock()
    transform = limit_rate(1000, clock=clock, sleep=clock.sleep)
    pieces = [len(chunk) async for chunk in transform(iterate(bytes(1000)))]
    assert pieces == [100] * 10
    assert clock.now == pytest.approx(1000.9)


@pytest.mark.parametrize("wrong", [{"bytes_per_second": 0}, {"bytes_per_second": 1, "burst": 0}])
def test_a_rate_that_lets_nothing_through_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        limit_rate(**wrong)
