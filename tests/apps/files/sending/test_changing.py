"""A file that changes while it is sent: the answer is cut, never padded, never mixed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.files.sending.steering import MIB, TRICKLE, SteeredSite, Transfer, noise
from tests.apps.files.sites import leaving_no_descriptors
from tests.server.client import until

from riverrun.flows import Waiting

SIZES = pytest.mark.parametrize("size", [1000, 40_000, 3 * MIB, 16 * MIB])
LINES = pytest.mark.parametrize("lines", [(), ("Range: bytes=10-",)], ids=["whole", "part"])
OLD, NEW = noise(16 * MIB, 1), noise(20 * MIB, 2)
STRETCH = 64


def shows(body: bytes | bytearray, other: bytes) -> bool:
    """Whether a stretch of `other` is found in `body`, where it would be in `other` itself."""
    return any(
        body[start : start + STRETCH] == other[start : start + STRETCH]
        for start in range(0, len(body) - STRETCH, STRETCH)
    )


async def begun(transfer: Transfer) -> None:
    """Let a transfer begin, then hold it; what was sent by then has been taken."""
    await transfer.take(1)
    await transfer.hold()
    assert transfer.cut


def overwrite(path: Path, size: int) -> None:
    """In place, with as many other bytes."""
    with path.open("r+b") as file:
        file.write(NEW[:size])


def overwrite_with_more(path: Path, size: int) -> None:
    """In place, as ``cp`` does."""
    path.write_bytes(NEW[: size + size // 4])


def overwrite_with_less(path: Path, size: int) -> None:
    path.write_bytes(NEW[: size - size // 4])


def replace(path: Path, size: int) -> None:
    """By another file of this name, as editors and downloads do."""
    other = path.with_suffix(".part")
    other.write_bytes(NEW[:size])
    other.rename(path)


def remove(path: Path, size: int) -> None:
    path.unlink()


def append(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.write(NEW[:100_000])


@SIZES
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9], ids=["all of it", "half", "a little"])
async def test_a_file_that_shrinks_before_it_is_sent(
    steered: SteeredSite, size: int, kept: float
) -> None:
    path = steered.add("a.bin", OLD[:size])
    steered.paused = True
    await steered.get("/missing")
    async with leaving_no_descriptors():
        async with steered.transfer("/a.bin") as transfer:
            await until(lambda: transfer.flow.waiting is Waiting.PAUSED)
            os.truncate(path, int(size * kept))
            transfer.flow.resume()
            await transfer.rest()
        assert transfer.length == size
        assert transfer.cut
        assert transfer.body == OLD[: len(transfer.body)]
        assert len(transfer.body) <= size * kept


@pytest.mark.parametrize("size", [3 * MIB, 16 * MIB])
@LINES
async def test_a_file_that_shrinks_while_it_is_sent(
    steered: SteeredSite, size: int, lines: tuple[str, ...]
) -> None:
    path = steered.add("a.bin", OLD[:size])
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin", *lines) as transfer:
        await begun(transfer)
        start = size - transfer.length
        end = start + len(transfer.body) + 100_000
        os.truncate(path, end)
        transfer.flow.shape = None
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.cut
    assert len(transfer.body) <= end - start
    assert transfer.body == OLD[start : start + len(transfer.body)]


@pytest.mark.parametrize("size", [3 * MIB, 16 * MIB])
async def test_a_file_that_shrinks_below_what_was_sent(steered: SteeredSite, size: int) -> None:
    path = steered.add("a.bin", OLD[:size])
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin") as transfer:
        await begun(transfer)
        os.truncate(path, 0)
        transfer.flow.shape = None
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.cut
    assert transfer.body == OLD[: len(transfer.body)]


@pytest.mark.parametrize("size", [1000, 3 * MIB])
@pytest.mark.parametrize("change", [overwrite, overwrite_with_more, overwrite_with_less])
async def test_a_file_that_is_written_over_before_it_is_sent(
    steered: SteeredSite, size: int, change: Callable[[Path, int], None]
) -> None:
    """Its tag and its length were those of the old bytes."""
    path = steered.add("a.bin", OLD[:size])
    steered.paused = True
    async with steered.transfer("/a.bin") as transfer:
        await until(lambda: transfer.flow.waiting is Waiting.PAUSED)
        change(path, size)
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.cut
    assert not shows(transfer.body, NEW)


@pytest.mark.parametrize("size", [3 * MIB, 16 * MIB])
@pytest.mark.parametrize("change", [overwrite, overwrite_with_more, overwrite_with_less])
async def test_a_file_that_is_written_over_while_it_is_sent(
    steered: SteeredSite, size: int, change: Callable[[Path, int], None]
) -> None:
    path = steered.add("a.bin", OLD[:size])
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin") as transfer:
        await begun(transfer)
        change(path, size)
        transfer.flow.shape = None
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.cut
    assert not shows(transfer.body, NEW)


async def test_a_file_that_is_written_over_between_two_parts(steered: SteeredSite) -> None:
    path = steered.add("a.bin", OLD)
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin", "Range: bytes=0-299999,1000000-1999999") as transfer:
        await begun(transfer)
        overwrite(path, len(OLD))
        transfer.flow.shape = None
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.cut
    assert NEW[1_000_000 : 1_000_000 + STRETCH] not in transfer.body


@pytest.mark.parametrize("size", [3 * MIB, 16 * MIB])
@pytest.mark.parametrize("change", [replace, remove, append])
@LINES
async def test_a_file_of_which_nothing_is_lost_is_sent_to_its_end(
    steered: SteeredSite, size: int, change: Callable[[Path, int], None], lines: tuple[str, ...]
) -> None:
    """What was opened is still all there: replaced or removed by name, or longer than before."""
    path = steered.add("a.bin", OLD[:size])
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin", *lines) as transfer:
        await begun(transfer)
        change(path, size)
        transfer.flow.shape = None
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.body == OLD[size - transfer.length : size]


async def test_the_next_request_gets_the_new_file(steered: SteeredSite) -> None:
    path = steered.add("a.bin", OLD[: 3 * MIB])
    steered.shape = TRICKLE
    async with steered.transfer("/a.bin") as transfer:
        await begun(transfer)
        replace(path, 1000)
        steered.shape = None
        fresh = await steered.get("/a.bin")
        assert fresh.body == NEW[:1000]
        assert fresh["etag"] != transfer.reply["etag"]
        resumed = await steered.get(
            "/a.bin", "Range: bytes=500-", f"If-Range: {transfer.reply['etag']}"
        )
        assert (resumed.status, resumed.body) == (200, NEW[:1000])


async def test_a_sibling_that_shrinks_is_cut_too(steered: SteeredSite) -> None:
    steered.add("a.json", b"{}", modified=1e9)
    path = steered.add("a.json.br", OLD[:40_000])
    steered.paused = True
    async with steered.transfer("/a.json", "Accept-Encoding: br") as transfer:
        await until(lambda: transfer.flow.waiting is Waiting.PAUSED)
        os.truncate(path, 1000)
        transfer.flow.resume()
        await transfer.rest()
    assert transfer.reply["content-encoding"] == "br"
    assert transfer.cut
    assert transfer.body == OLD[: len(transfer.body)]
