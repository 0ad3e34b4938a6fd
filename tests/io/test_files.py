"""Files as sources and sinks."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from riverrun.errors import BrokenError, ClosedError, TruncatedError
from riverrun.io import FileSink, FileSource, files, open_file
from riverrun.io.page_cache import READ_WITHOUT_WAITING
from riverrun.streams import FileRegion, Readable, RegionSource, Writable, collect, pipeline
from riverrun.testing import Received, check_readable, check_writable

WHOLE = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(WHOLE)
    return path


@pytest.fixture(params=["in place", "in a thread", "unsupported"])
def reads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the file is read: what the page cache holds, and what file systems can, varies."""
    way: str = request.param
    if way == "in a thread":
        monkeypatch.setattr(files, "READ_WITHOUT_WAITING", None)
    elif way == "unsupported":

        def preadv(*_: object) -> int:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        monkeypatch.setattr(os, "preadv", preadv)
        monkeypatch.setattr(files, "READ_WITHOUT_WAITING", 8)
    elif READ_WITHOUT_WAITING is None:
        pytest.skip("no such reads on this platform")
    return way


class Turnstile:
    """Stands in a thread until it is let through."""

    def __init__(self, let_through: Callable[..., object]) -> None:
        self.let_through = let_through
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, *arguments: object) -> object:
        self.reached.set()
        assert self.opened.wait(10)
        return self.let_through(*arguments)


async def test_a_file_keeps_the_contract_of_a_readable(
    path: Path, reads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def truncated() -> Readable:
        return open_file(path, length=len(WHOLE) + 1)

    class OnAStuckDisk(FileSource):
        def _try_fetch(self, max_bytes: int | None) -> None:
            return None

        async def _fetch(self, max_bytes: int | None) -> bytes:
            await asyncio.Event().wait()
            return b""

    await check_readable(
        lambda: open_file(path, high_water_mark=1000),
        clogged=lambda: OnAStuckDisk(os.open(path, os.O_RDONLY)),
        broken=truncated,
    )


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, WHOLE),
        (100, None, WHOLE[100:]),
        (100, 5000, WHOLE[100:5100]),
        (0, 0, b""),
        (len(WHOLE), None, b""),
        (len(WHOLE) + 5, None, b""),
        (len(WHOLE), 0, b""),
    ],
)
async def test_a_part_of_a_file_is_read(
    path: Path, reads: str, offset: int, length: int | None, expected: bytes
) -> None:
    source = open_file(path, offset=offset, length=length, high_water_mark=999)
    region = source.region()
    assert region is not None
    assert (region.offset, region.length) == (offset, len(expected))
    assert await collect(source) == expected


async def test_chunks_are_as_large_as_the_high_water_mark(path: Path, reads: str) -> None:
    async with open_file(path, high_water_mark=1000) as source:
        assert len(await source.read()) == 1000
        assert len(await source.read(10)) == 10
        assert len(await source.read(5000)) == 1000


async def test_a_file_shorter_than_promised_is_truncated(path: Path, reads: str) -> None:
    source = open_file(path, offset=40, length=len(WHOLE))
    with pytest.raises(TruncatedError) as raised:
        await collect(source)
    assert (raised.value.expected, raised.value.received) == (len(WHOLE), len(WHOLE) - 40)


async def test_a_region_is_what_is_left_to_read(path: Path, reads: str) -> None:
    source = open_file(path, high_water_mark=1000)
    assert isinstance(source, RegionSource)
    await source.read()
    region = source.region()
    assert region is not None
    assert (region.offset, region.length) == (1000, len(WHOLE) - 1000)
    assert os.pread(region.descriptor, 10, region.offset) == WHOLE[1000:1010]
    await source.aclose()
    assert source.region() is None


async def test_bytes_that_are_on_their_way_are_not_in_a_region(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "READ_WITHOUT_WAITING", None)
    source = open_file(path)
    reading = asyncio.ensure_future(source.read())
    await asyncio.sleep(0)
    assert source.region() is None
    reading.cancel()
    while source._kept == b"":
        await asyncio.sleep(0)
    assert source.region() is None
    await source.aclose()


async def test_a_descriptor_is_taken_over(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.lseek(descriptor, 500, os.SEEK_SET)
    assert await collect(FileSource(descriptor)) == WHOLE
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path.mkdir(), IsADirectoryError),
        (os.mkfifo, OSError),
        (lambda path: None, FileNotFoundError),
    ],
)
async def test_what_is_no_regular_file_is_not_opened(
    tmp_path: Path, make: Callable[[Path], object], error: type[OSError]
) -> None:
    path = tmp_path / "odd"
    make(path)
    with pytest.raises(error):
        open_file(path)
    if path.exists():
        with pytest.raises(OSError, match=r"regular|directory|No such device"):
            FileSink(path, append=True)


@pytest.mark.parametrize("wrong", [{"offset": -1}, {"length": -1}, {"high_water_mark": 0}])
async def test_what_makes_no_sense_is_refused(path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="do not make sense"):
        open_file(path, **wrong)


async def test_a_file_is_not_closed_under_a_thread_that_reads_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turnstile = Turnstile(os.pread)
    monkeypatch.setattr(files, "READ_WITHOUT_WAITING", None)
    monkeypatch.setattr(os, "pread", turnstile)
    source = open_file(path)
    reading = asyncio.ensure_future(source.read())
    await asyncio.to_thread(turnstile.reached.wait, 10)
    closing = asyncio.ensure_future(source.aclose())
    with pytest.raises(ClosedError):
        await reading
    assert not closing.done()
    assert not is_closed(source)
    turnstile.opened.set()
    await closing
    assert is_closed(source)


async def test_a_disk_that_fails_breaks_the_stream(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fails)
    monkeypatch.setattr(os, "preadv", fails)
    async with open_file(path) as source:
        with pytest.raises(BrokenError, match="Input/output error"):
            await source.read()


def is_closed(stream: FileSource | FileSink) -> bool:
    return stream._file.closed


class OnASlowDisk(FileSink):
    """Writes once its gate is opened."""

    def __init__(self, path: Path, gate: asyncio.Event, *, append: bool) -> None:
        super().__init__(path, append=append)
        self.gate = gate

    async def _accept(self, chunk: bytes) -> None:
        await self.gate.wait()
        await super()._accept(chunk)


class OnAFullDisk(FileSink):
    async def _accept(self, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def sink_and_far_side(path: Path, *, append: bool, slow: bool = False) -> tuple[Writable, Received]:
    path.unlink(missing_ok=True)
    if append:
        path.write_bytes(b"")

    gate = asyncio.Event()
    if not slow:
        gate.set()

    async def received() -> bytes:
        gate.set()
        while list(path.parent.glob(".*")) or (append and not ended(sink)):
            await asyncio.sleep(0)
        if append and sink._state.value == "aborted":
            assert path.read_bytes() == b""
            raise BrokenError
        return path.read_bytes()

    sink = OnASlowDisk(path, gate, append=append)
    return sink, received


def ended(sink: FileSink) -> bool:
    return sink._state.value not in {"open", "ending"}


@pytest.mark.parametrize("append", [False, True])
async def test_a_file_keeps_the_contract_of_a_writable(path: Path, append: bool) -> None:
    await check_writable(
        lambda: sink_and_far_side(path, append=append),
        clogged=lambda: sink_and_far_side(path, append=append, slow=True),
        broken=lambda: OnAFullDisk(path, append=append),
    )


async def test_a_file_appears_whole_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new"
    sink = FileSink(path)
    await sink.write(b"chunk")
    assert not path.exists()
    await sink.end()
    assert path.read_bytes() == b"chunk"
    assert list(tmp_path.iterdir()) == [path]


async def test_an_abort_leaves_what_was_there_and_no_temporary_file(path: Path) -> None:
    async def fail_halfway() -> None:
        async with FileSink(path) as sink:
            await sink.write(b"chunk")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_halfway()
    assert path.read_bytes() == WHOLE
    assert list(path.parent.iterdir()) == [path]


async def test_a_replaced_file_keeps_its_mode(path: Path) -> None:
    path.chmod(0o600)
    async with FileSink(path) as sink:
        await sink.write(b"secret")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"secret"


async def test_appending_adds_at_the_end_and_an_abort_cuts_it_off(path: Path) -> None:
    async with FileSink(path, append=True) as sink:
        await sink.write(b"more")
    assert path.read_bytes() == WHOLE + b"more"
    sink = FileSink(path, append=True)
    await sink.write(b"not this")
    assert path.read_bytes() == WHOLE + b"more" + b"not this"
    sink.abort()
    assert path.read_bytes() == WHOLE + b"more"


async def test_an_end_is_on_disk_before_it_returns(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, path.read_bytes() == b"chunk"))
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    for wanted in (True, False):
        async with FileSink(path, fsync=wanted) as sink:
            await sink.write(b"chunk")
        if wanted:
            assert synced == [
                (path.stat().st_ino, False),  # under its temporary name
                (path.parent.stat().st_ino, True),
            ]
    assert len(synced) == 2


async def test_an_abort_while_a_thread_writes_cleans_up_behind_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turnstile = Turnstile(files._write_all)
    monkeypatch.setattr(files, "_write_all", turnstile)
    sink = FileSink(path, append=True)
    writing = asyncio.ensure_future(sink.write(b"chunk"))
    await asyncio.to_thread(turnstile.reached.wait, 10)
    sink.abort()
    with pytest.raises(ClosedError):
        await writing
    assert not is_closed(sink)
    turnstile.opened.set()
    while not is_closed(sink):
        await asyncio.sleep(0)
    assert path.read_bytes() == WHOLE


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
async def test_a_disk_that_fails_breaks_the_sink_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/path")

    where = {"write": (files, "_write_all"), "fsync": (os, "fsync"), "replace": (Path, "replace")}
    monkeypatch.setattr(*where[moment], fails)
    with pytest.raises(BrokenError, match=r"^No space left on device$"):
        await pipeline([b"chunk"], FileSink(path))
    assert path.read_bytes() == WHOLE
    assert list(path.parent.iterdir()) == [path]


async def test_a_file_is_copied_by_a_pipeline(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert await pipeline(open_file(path, high_water_mark=1000), FileSink(copy)) == len(WHOLE)
    assert copy.read_bytes() == WHOLE


def test_a_region_says_where_its_bytes_are() -> None:
    assert FileRegion(3, 10, 20) == FileRegion(descriptor=3, offset=10, length=20)
