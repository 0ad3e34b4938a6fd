"""The check of readables can fail: one stream for each way to break a clause."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from riverrun.errors import BrokenError
from riverrun.streams import Readable, Source
from riverrun.testing import check_readable, clauses

WHOLE = bytes(range(100))


class Good(Source):
    def __init__(self) -> None:
        super().__init__()
        self.rest = WHOLE

    async def _fetch(self, max_bytes: int | None) -> bytes:
        await asyncio.sleep(0)
        chunk, self.rest = self.rest[:10], self.rest[10:]
        return chunk


class Clogged(Good):
    async def _fetch(self, max_bytes: int | None) -> bytes:
        await asyncio.Event().wait()
        return b""


class Broken(Good):
    async def _fetch(self, max_bytes: int | None) -> bytes:
        if len(self.rest) < 50:
            raise BrokenError
        return await super()._fetch(max_bytes)


async def test_a_good_stream_passes() -> None:
    await check_readable(Good)
    await check_readable(Good, clogged=Clogged, broken=Broken)


async def test_a_maker_may_be_a_coroutine_function() -> None:
    async def make() -> Readable:
        return Good()

    await check_readable(make, clogged=make_clogged)


async def make_clogged() -> Readable:
    return Clogged()


class EndsOnce(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        chunk = await super().read(max_bytes)
        if not chunk:
            self._move_on()
        return chunk

    def _move_on(self) -> None:
        self.__init__()  # type: ignore[misc]


class GivesBytearrays(Good):
    async def read(self, max_bytes: int | None = None) -> Any:
        return bytearray(await super().read(max_bytes))


class GivesOneByte(Good):
    def __init__(self) -> None:
        super().__init__()
        self.rest = b"x"


class IgnoresMaxBytes(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        return await super().read(None if max_bytes and max_bytes > 0 else max_bytes)


class IgnoresLargeMaxBytes(Good):
    async def _fetch(self, max_bytes: int | None) -> bytes:
        chunk, self.rest = self.rest, b""
        return chunk

    async def read(self, max_bytes: int | None = None) -> bytes:
        return await super().read(None if max_bytes and max_bytes > 10 else max_bytes)


class LosesWhatWasNotAskedFor(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        if max_bytes is not None and max_bytes < 1:
            raise ValueError
        return (await super().read())[:max_bytes]


class AllowsNoBytes(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        return b"" if max_bytes is not None and max_bytes < 1 else await super().read(max_bytes)


class HasAnotherIterator(Good):
    def __aiter__(self) -> Any:
        return self._again()

    async def _again(self) -> AsyncIterator[bytes]:
        while chunk := await self.read():
            yield chunk


class SkipsInItsIterator(Good):
    async def __anext__(self) -> bytes:
        await self.read()
        return await super().__anext__()


class IsLeftOpenByItsBlock(Good):
    async def __aexit__(self, *_: object) -> None:
        pass


class EndsWhenClosed(Good):
    closed = False

    async def read(self, max_bytes: int | None = None) -> bytes:
        return b"" if self.closed else await super().read(max_bytes)

    async def aclose(self) -> None:
        self.closed = True
        await super().aclose()


class ClosesOnce(Good):
    closed = False

    async def aclose(self) -> None:
        if self.closed:
            raise RuntimeError("closed twice")
        self.closed = True
        await super().aclose()


class IsReopenedByResume(Good):
    def resume(self) -> None:
        if self._state.value == "closed":
            self.__init__()  # type: ignore[misc]
        super().resume()


class ClosesLate(Good):
    async def aclose(self) -> None:
        await asyncio.sleep(0)
        await super().aclose()


class CannotBePaused(Good):
    def pause(self) -> None:
        pass


class CountsPauses(Good):
    pauses = 0

    def pause(self) -> None:
        self.pauses += 1
        super().pause()

    def resume(self) -> None:
        self.pauses = max(0, self.pauses - 1)
        if not self.pauses:
            super().resume()


class LosesAtResume(Good):
    def resume(self) -> None:
        if self._state.value == "paused":
            self.rest = self.rest[1:]
        super().resume()


class EndsAtResume(Good):
    def resume(self) -> None:
        if self._state.value == "paused":
            self.rest = b""
        super().resume()


class LosesAtCancel(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        chunk = await super().read(max_bytes)
        await asyncio.sleep(0)
        return chunk


class AllowsTwoReaders(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        while self._wakeup.waiting:
            await asyncio.sleep(0)
        return await super().read(max_bytes)


class SecondReaderWins(Good):
    first: asyncio.Task[bytes] | None = None

    async def read(self, max_bytes: int | None = None) -> bytes:
        first, self.first = self.first, asyncio.current_task()
        if first is not None and self._wakeup.waiting:
            first.cancel()
        return await super().read(max_bytes)


class StaysBusy(Good):
    async def read(self, max_bytes: int | None = None) -> bytes:
        try:
            return await super().read(max_bytes)
        except asyncio.CancelledError:
            if self._state.value == "paused":
                self._wakeup._future = asyncio.get_running_loop().create_future()
            raise


class LetsReadersWait(Good):
    async def aclose(self) -> None:
        wakeup, self._wakeup = self._wakeup, type(self._wakeup)()
        await super().aclose()
        self._wakeup = wakeup


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks a clause by waiting forever need not be waited for that long."""
    monkeypatch.setattr(clauses, "PATIENCE", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("stream", "clause"),
    [
        (EndsOnce, "b'' ever after"),
        (GivesBytearrays, "was bytearray, not bytes"),
        (GivesOneByte, "two bytes or more"),
        (IgnoresMaxBytes, "at most max_bytes"),
        (IgnoresLargeMaxBytes, "at most max_bytes"),
        (LosesWhatWasNotAskedFor, "at most max_bytes"),
        (AllowsNoBytes, "below 1 raises ValueError"),
        (HasAnotherIterator, "its own asynchronous iterator"),
        (SkipsInItsIterator, "its own asynchronous iterator"),
        (IsLeftOpenByItsBlock, "block closes it"),
        (EndsWhenClosed, "raised"),
        (ClosesOnce, "closed twice"),
        (IsReopenedByResume, "after aclose"),
        (ClosesLate, "cancelled aclose"),
        (CannotBePaused, "while it is paused"),
        (CountsPauses, "while it is paused"),
        (LosesAtResume, "while it is paused"),
        (EndsAtResume, "while it is paused"),
        (LosesAtCancel, "a cancel loses no bytes"),
        (AllowsTwoReaders, "raises BusyError"),
        (SecondReaderWins, "raises BusyError"),
        (StaysBusy, "after a cancelled read"),
        (LetsReadersWait, "raises ClosedError when the stream is closed"),
    ],
)
async def test_a_broken_clause_is_caught(stream: type[Readable], clause: str) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=clause):
        await check_readable(stream)


class ClosesAsAnEnd(Clogged):
    async def read(self, max_bytes: int | None = None) -> bytes:
        from riverrun.errors import ClosedError

        try:
            return await super().read(max_bytes)
        except ClosedError:
            if self.was_open:
                self.was_open = False
                return b""
            raise

    was_open = True


@pytest.mark.parametrize(
    ("stream", "clause"),
    [(ClosesAsAnEnd, "a read that waits raises ClosedError"), (Good, "did not wait")],
)
async def test_a_clause_broken_only_by_clogged_streams_is_caught(
    stream: type[Readable], clause: str
) -> None:
    with pytest.raises(AssertionError, match=clause):
        await check_readable(Good, clogged=stream)


class ForgetsItsFailure(Broken):
    async def read(self, max_bytes: int | None = None) -> bytes:
        try:
            return await super().read(max_bytes)
        except BrokenError:
            self.__init__()  # type: ignore[misc]
            raise


class EndsAfterItsFailure(Broken):
    failed = False

    async def read(self, max_bytes: int | None = None) -> bytes:
        if self.failed:
            return b""
        try:
            return await super().read(max_bytes)
        except BrokenError:
            self.failed = True
            raise


class FailsInItsOwnWords(Broken):
    async def read(self, max_bytes: int | None = None) -> bytes:
        try:
            return await super().read(max_bytes)
        except BrokenError:
            raise ValueError from None


@pytest.mark.parametrize(
    "stream", [ForgetsItsFailure, EndsAfterItsFailure, FailsInItsOwnWords, Good]
)
async def test_a_failure_that_does_not_last_is_caught(stream: type[Readable]) -> None:
    with pytest.raises(AssertionError, match="a failure is raised again"):
        await check_readable(Good, broken=stream)
