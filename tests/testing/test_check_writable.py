"""The check of writables can fail: one stream for each way to break a clause."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from riverrun.errors import BrokenError, ClosedError
from riverrun.streams import BufferedSink, Chunk, Writable
from riverrun.testing import Received, check_writable, clauses


class Good(BufferedSink):
    """Holds `room` bytes that wait to be taken by the far side."""

    def __init__(self, room: int = 1000) -> None:
        super().__init__()
        self.room = room
        self.waiting: list[bytes] = []
        self.taken: list[bytes] = []
        self.changed = asyncio.Event()
        self.outcome = ""

    def _full(self) -> bool:
        return sum(map(len, self.waiting)) >= self.room

    def _try_accept(self, chunk: bytes) -> bool:
        if self._full():
            return False
        self.waiting.append(chunk)
        return True

    async def _drain(self) -> None:
        while self._full():
            self.changed.clear()
            await self.changed.wait()

    async def _finish(self) -> None:
        self.outcome = "ended"

    def _abandon(self, error: BaseException | None) -> None:
        self.outcome = "aborted"

    async def received(self) -> bytes:
        while True:
            outcome = self.outcome
            if outcome == "aborted":
                raise BrokenError
            self.taken += self.waiting
            self.waiting.clear()
            self.changed.set()
            if outcome:
                return b"".join(self.taken)
            await asyncio.sleep(0)


class Broken(Good):
    def _try_accept(self, chunk: bytes) -> bool:
        if len(self.waiting) == 2:
            raise BrokenError
        return super()._try_accept(chunk)


def maker(kind: type[Good], room: int = 1000) -> Callable[[], tuple[Writable, Received]]:
    def make() -> tuple[Writable, Received]:
        stream = kind(room)
        return stream, stream.received

    return make


async def test_a_good_stream_passes() -> None:
    await check_writable(maker(Good))
    await check_writable(maker(Good), clogged=maker(Good, 100_000), broken=Broken)


async def test_a_maker_may_be_a_coroutine_function() -> None:
    async def make() -> tuple[Writable, Received]:
        return maker(Good)()

    await check_writable(make)


class LosesChunks(Good):
    def _try_accept(self, chunk: bytes) -> bool:
        return super()._try_accept(chunk[1:])


class EndsEarly(Good):
    async def write(self, chunk: Chunk) -> None:
        await super().write(chunk)
        self.outcome = "ended"


class EndsAtEmptyChunks(Good):
    async def write(self, chunk: Chunk) -> None:
        await super().write(chunk or b"0\r\n\r\n")


class RefusesEmptyChunks(Good):
    def try_write(self, chunk: Chunk) -> bool:
        return bool(chunk) and super().try_write(chunk)


class WritesWithoutTrying(Good):
    async def write(self, chunk: Chunk) -> None:
        self._check_open()
        self.waiting.append(bytes(chunk))


class TriesButSaysNothing(WritesWithoutTrying):
    def try_write(self, chunk: Chunk) -> Any:
        return super().try_write(chunk) and (not chunk or None)


class TriesHalf(WritesWithoutTrying):
    def try_write(self, chunk: Chunk) -> bool:
        return not chunk or super().try_write(chunk[: len(chunk) // 2])


class TakesAndRefuses(WritesWithoutTrying):
    def try_write(self, chunk: Chunk) -> bool:
        return super().try_write(chunk) and not chunk


class EndsOnce(Good):
    async def end(self) -> None:
        self._check_open()
        await super().end()


class WritesAfterTheEnd(Good):
    async def write(self, chunk: Chunk) -> None:
        if not self.outcome:
            await super().write(chunk)


class TriesAfterTheEnd(Good):
    def try_write(self, chunk: Chunk) -> bool:
        return self.outcome == "ended" or super().try_write(chunk)


class AbortsLikeAnEnd(Good):
    def _abandon(self, error: BaseException | None) -> None:
        self.outcome = "ended"


class EndsAfterAnAbort(Good):
    async def end(self) -> None:
        if self.outcome != "aborted":
            await super().end()


class AbortsOnce(Good):
    def abort(self, error: BaseException | None = None) -> None:
        if self.outcome == "aborted":
            raise RuntimeError("aborted twice")
        super().abort(error)


class AbortsAfterTheEnd(Good):
    def abort(self, error: BaseException | None = None) -> None:
        super().abort(error)
        self._state = type(self._state).ABORTED
        self._ending = None


class IsLeftOpenByItsBlock(Good):
    async def __aexit__(self, *_: object) -> None:
        pass


class IsEndedByAFailingBlock(Good):
    async def __aexit__(self, *_: object) -> None:
        await self.end()


class SwallowsTheErrorOfItsBlock(Good):
    async def __aexit__(self, kind: object, error: object, traceback: object) -> Any:
        if error is None:
            await self.end()
        self.abort()
        return True


class WritesInPieces(Good):
    async def write(self, chunk: Chunk) -> None:
        for start in range(0, len(chunk), 2):
            await super().write(chunk[start : start + 2])
            await asyncio.sleep(0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks a clause by waiting forever need not be waited for that long."""
    monkeypatch.setattr(clauses, "PATIENCE", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("stream", "clause"),
    [
        (LosesChunks, "arrives, in order"),
        (EndsEarly, "arrives, in order"),
        (EndsAtEmptyChunks, "empty chunk"),
        (RefusesEmptyChunks, "empty chunk"),
        (TriesButSaysNothing, "try_write takes"),
        (TriesHalf, "try_write takes"),
        (TakesAndRefuses, "try_write takes"),
        (EndsOnce, "to end twice"),
        (WritesAfterTheEnd, "after the end"),
        (TriesAfterTheEnd, "after the end"),
        (AbortsLikeAnEnd, "tell an abort from an end"),
        (EndsAfterAnAbort, "after an abort"),
        (AbortsOnce, "aborted twice"),
        (AbortsAfterTheEnd, "an abort after the end"),
        (IsLeftOpenByItsBlock, "block ends it"),
        (IsEndedByAFailingBlock, "block that raises aborts it"),
        (SwallowsTheErrorOfItsBlock, "block that raises aborts it"),
        (WritesInPieces, "whole or not at all"),
    ],
)
async def test_a_broken_clause_is_caught(stream: type[Good], clause: str) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=clause):
        await check_writable(maker(stream))


class NeverWaits(Good):
    def _full(self) -> bool:
        return False


class WaitsForever(Good):
    async def _drain(self) -> None:
        await asyncio.Event().wait()


class LetsWritersQueue(Good):
    async def write(self, chunk: Chunk) -> None:
        while self._wakeup.waiting:
            await asyncio.sleep(0)
        await super().write(chunk)


class SecondWriterWins(Good):
    first: asyncio.Task[None] | None = None

    async def write(self, chunk: Chunk) -> None:
        first, self.first = self.first, asyncio.current_task()
        if first is not None and self._wakeup.waiting:
            first.cancel()
        await super().write(chunk)


class TriesBeyondItsRoom(Good):
    def try_write(self, chunk: Chunk) -> bool:
        if super().try_write(chunk):
            return True
        self.waiting.append(bytes(chunk))
        return True


class TriesWhileBusy(Good):
    def try_write(self, chunk: Chunk) -> bool:
        return not self._wakeup.waiting and super().try_write(chunk)


class LetsWritersWait(Good):
    async def write(self, chunk: Chunk) -> None:
        try:
            await super().write(chunk)
        except ClosedError:
            if chunk[:1] == b"\0":  # of those that fill the stream
                await asyncio.Event().wait()
            raise


class EndsBeforeItsBytes(Good):
    async def end(self) -> None:
        self.outcome = self.outcome or "ended"


class BreaksAtTheEnd(Good):
    async def end(self) -> None:
        if self._wakeup.waiting:
            self._fail(BrokenError())
            self.outcome = "ended"
            return
        await super().end()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("stream", "clause"),
    [
        (NeverWaits, "waits until there is room"),
        (WaitsForever, "waits until there is room"),
        (LetsWritersQueue, "second write at a time"),
        (SecondWriterWins, "second write at a time"),
        (TriesWhileBusy, "second write at a time"),
        (TriesBeyondItsRoom, "without room, try_write"),
        (LetsWritersWait, "when the stream is aborted"),
        (EndsBeforeItsBytes, "the end waits"),
        (BreaksAtTheEnd, "the end waits"),
    ],
)
async def test_a_clause_broken_only_by_clogged_streams_is_caught(
    stream: type[Good], clause: str
) -> None:
    with pytest.raises(AssertionError, match=clause):
        await check_writable(maker(Good), clogged=maker(stream, 100_000))


class ForgetsItsFailure(Broken):
    async def write(self, chunk: Chunk) -> None:
        try:
            await super().write(chunk)
        except BrokenError:
            self.__init__()  # type: ignore[misc]
            raise


class EndsWellAfterItsFailure(Broken):
    async def end(self) -> None:
        pass


class TriesAfterItsFailure(Broken):
    def try_write(self, chunk: Chunk) -> bool:
        return self._failure is None and super().try_write(chunk)


class FailsInItsOwnWords(Broken):
    async def write(self, chunk: Chunk) -> None:
        try:
            await super().write(chunk)
        except BrokenError:
            raise ValueError from None


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "stream",
    [ForgetsItsFailure, EndsWellAfterItsFailure, TriesAfterItsFailure, FailsInItsOwnWords, Good],
)
async def test_a_failure_that_does_not_last_is_caught(stream: type[Good]) -> None:
    with pytest.raises(AssertionError, match="a failure is raised again"):
        await check_writable(maker(Good), broken=stream)
