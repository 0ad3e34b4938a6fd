"""Processes as sources and sinks: what a program prints, what a program is fed.

A program that ends with anything but 0 has failed, and so has the stream. A stream that is closed
or aborted does not leave its program running.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from typing import Any

from riverrun.errors import BrokenError, DisconnectedError
from riverrun.io.asyncio_streams import ReaderSource, WriterSink

GRACE = 2.0


async def read_process(*command: str | os.PathLike[str], **options: Any) -> ProcessSource:
    """Start `command`, a program and its arguments, and return what it prints as a `Readable`.

    `options` are those of `asyncio.create_subprocess_exec`; its standard input is empty unless
    they say otherwise. Raises `OSError` when the program cannot be started.
    """
    # A pipe of our own: asyncio's for a process cannot be closed from outside before its end.
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader()
    with os.fdopen(theirs, "wb", 0) as output:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0)
        )
        try:
            options = {"stdin": DEVNULL, **options, "stdout": output}
            process = await asyncio.create_subprocess_exec(*command, **options)
        except BaseException:
            transport.close()
            raise
    return ProcessSource(process, reader, transport)


class ProcessSource(ReaderSource):
    """A `Readable` of what a process prints, made by `read_process`.

    It ends when the process has ended well; a process that fails raises `BrokenError` at the end
    of what it printed. Closing it asks the process to terminate, and kills it after a grace.
    """

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        transport: asyncio.BaseTransport,
    ) -> None:
        super().__init__(reader, transport)
        self.process = process

    async def _fetch(self, max_bytes: int | None) -> bytes:
        chunk = await super()._fetch(max_bytes)
        if not chunk:
            await _check_ended_well(self.process)
        return chunk

    async def _release(self) -> None:
        await super()._release()
        await _stop(self.process)


async def write_process(*command: str | os.PathLike[str], **options: Any) -> ProcessSink:
    """Start `command`, a program and its arguments, and return its input as a `Writable`.

    `options` are those of `asyncio.create_subprocess_exec`. Raises `OSError` when the program
    cannot be started.
    """
    process = await asyncio.create_subprocess_exec(*command, **{**options, "stdin": PIPE})
    return ProcessSink(process)


class ProcessSink(WriterSink):
    """A `Writable` of what a process reads, made by `write_process`.

    `end` returns when the process has ended well, and raises `BrokenError` if it fails. An abort
    kills the process.
    """

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        super().__init__(process.stdin)
        self.process = process

    def _try_accept(self, chunk: bytes) -> bool:
        # Whoever waits instead is told how the process ended.
        return not self._writer.transport.is_closing() and super()._try_accept(chunk)

    async def _drain(self) -> None:
        with suppress(ConnectionError):
            await super()._drain()
        if self._writer.transport.is_closing():
            await _check_ended_well(self.process)
            raise DisconnectedError("the process reads no more of its input")

    async def _finish(self) -> None:
        # A program may end well without reading all of its input, as head does.
        with suppress(ConnectionError):
            await super()._finish()
        await _check_ended_well(self.process)

    def _abandon(self, error: BaseException | None) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        super()._abandon(error)


async def _check_ended_well(process: Process) -> None:
    code = await process.wait()
    if code:
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        raise BrokenError(f"the process ended with {how}")


async def _stop(process: Process) -> None:
    """End `process`, kindly first; a cancel kills it at once."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        raise
