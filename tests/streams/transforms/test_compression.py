"""Compression and decompression: round trips, live text, bombs, and what is not what it says."""

import gzip
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riverrun.errors import BrokenError, RefusedError
from riverrun.streams import collect
from riverrun.streams.transforms import compress, decompress

ENCODINGS = ["gzip", "zstd", "br"]
encodings = pytest.mark.parametrize("encoding", ENCODINGS)
TEXT = b"riverrun, past Eve and Adam's, from swerve of shore to bend of bay. " * 50


async def iterate(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def compressed(encoding: str, data: bytes, level: int | None = None) -> bytes:
    return await collect(compress(encoding, level=level)(iterate([data])))


@settings(max_examples=50)
@given(
    encoding=st.sampled_from(ENCODINGS),
    chunks=st.lists(st.binary(max_size=1000) | st.just(bytes(40_000))),
    flush=st.booleans(),
    size=st.integers(1, 2000),
    max_chunk=st.integers(1, 5000),
)
async def test_what_is_compressed_comes_back_however_it_is_cut(
    encoding: str, chunks: list[bytes], flush: bool, size: int, max_chunk: int
) -> None:
    small = await collect(compress(encoding, flush=flush)(iterate(chunks)))
    cut = [small[start : start + size] for start in range(0, len(small), size)]
    # A chunk of one byte would take one step for each of the 40,000.
    largest = max(max_chunk, 1 if sum(map(len, chunks)) < 10_000 else 1000)
    out = [chunk async for chunk in decompress(encoding, max_chunk=largest)(iterate(cut))]
    assert b"".join(out) == b"".join(chunks)
    assert all(out)


@encodings
async def test_flushed_chunks_can_be_read_at_once(encoding: str) -> None:
    fed = 0

    async def live() -> AsyncIterator[bytes]:
        nonlocal fed
        for number in range(5):
            fed += 1
            yield b"line %d\n" % number

    got = b""
    async for chunk in decompress(encoding)(aiter(compress(encoding, flush=True)(live()))):
        got += chunk
        assert got.count(b"\n") == fed
    assert got.count(b"\n") == 5


@encodings
async def test_without_flushing_small_chunks_are_gathered(encoding: str) -> None:
    out = [chunk async for chunk in compress(encoding)(iterate([b"x"] * 100))]
    assert len(out) <= 2


@encodings
async def test_higher_levels_compress_more(encoding: str) -> None:
    sizes = [len(await compressed(encoding, TEXT, level)) for level in (1, 9)]
    assert sizes[1] <= sizes[0] < len(TEXT)


@encodings
@pytest.mark.parametrize("size", [0, 1, 10, -10, -1])
async def test_data_that_stops_before_its_end_is_broken(encoding: str, size: int) -> None:
    small = await compressed(encoding, TEXT)
    with pytest.raises(BrokenError):
        await collect(decompress(encoding)(iterate([small[:size]])))


@encodings
async def test_data_of_no_such_encoding_is_broken(encoding: str) -> None:
    with pytest.raises(BrokenError):
        await collect(decompress(encoding)(iterate([b"\xff" * 100])))


@encodings
async def test_rubbish_behind_the_end_is_broken(encoding: str) -> None:
    small = await compressed(encoding, TEXT)
    for chunks in ([small + b"\xff" * 9], [small, b"\xff" * 9]):
        with pytest.raises(BrokenError):
            await collect(decompress(encoding)(iterate(chunks)))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_members_and_frames_may_follow_one_another(encoding: str) -> None:
    small = await compressed(encoding, b"one,") + await compressed(encoding, b"two")
    for cut in ([small], [bytes([byte]) for byte in small]):
        assert await collect(decompress(encoding)(iterate(cut))) == b"one,two"


async def test_gzip_is_what_others_call_gzip() -> None:
    assert gzip.decompress(await compressed("gzip", TEXT)) == TEXT
    assert await collect(decompress("gzip")(iterate([gzip.compress(TEXT)]))) == TEXT


@encodings
async def test_a_bomb_comes_in_bounded_chunks_and_costs_no_memory(encoding: str) -> None:
    bomb = await compressed(encoding, bytes(30_000_000))
    size = 0
    tracemalloc.start()
    async for chunk in decompress(encoding, max_chunk=10_000)(iterate([bomb])):
        size += len(chunk)
        assert len(chunk) < 100_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 30_000_000
    assert peak < 3_000_000


@encodings
async def test_more_than_the_total_is_refused(encoding: str) -> None:
    bomb = await compressed(encoding, bytes(1_000_000))
    assert (
        len(await collect(decompress(encoding, max_total=1_000_000)(iterate([bomb])))) == 1_000_000
    )
    with pytest.raises(RefusedError, match="decompressed size"):
        await collect(decompress(encoding, max_total=999_999)(iterate([bomb])))


async def test_a_zstd_window_above_eight_mebibytes_is_broken() -> None:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    data = zstd.compress(bytes(100_000_000), options={zstd.CompressionParameter.window_log: 24})
    with pytest.raises(BrokenError):
        await collect(decompress("zstd")(iterate([data])))


def test_an_encoding_that_is_not_known_is_refused() -> None:
    for function in (compress, decompress):
        with pytest.raises(ValueError, match="gzip, zstd, br"):
            function("lzw")


@pytest.mark.parametrize(("encoding", "level"), [("gzip", 10), ("zstd", 20), ("br", -1)])
def test_a_level_that_does_not_exist_is_refused(encoding: str, level: int) -> None:
    with pytest.raises(ValueError, match="level"):
        compress(encoding, level=level)


@pytest.mark.parametrize("encoding", ["zstd", "br"])
def test_a_library_that_is_missing_is_named_with_its_extra(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("backports.zstd", "compression.zstd", "brotli"):
        monkeypatch.setitem(sys.modules, name, None)
    for function in (compress, decompress):
        with pytest.raises(ImportError, match=r"riverrun\[compression\]"):
            function(encoding)
