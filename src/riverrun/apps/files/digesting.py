"""The digest of a file, for who wants to verify what it got (RFC 9530).

It costs a read of the whole file, once for each state of the file, and is only sent to who asks for
it. The files are read one after the other in a thread of their own, so that nobody else waits for
it; requests for the same digest share the work, and when the last of them has gone it stops.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from riverrun.apps.files.open_file import OpenFile
from riverrun.apps.files.representation import Representation
from riverrun.errors import BrokenError, TruncatedError
from riverrun.http.digests import Digester, render_digest, wanted_digest
from riverrun.http.request import Request

READ_SIZE = 1024 * 1024

_reader = ThreadPoolExecutor(1, "digests")  # makes its thread when it is first used


class Digesting:
    """The calculation of one digest, for all who wait for it. `descriptor` is its own."""

    def __init__(self, descriptor: int, length: int, algorithm: str) -> None:
        self._stop = Event()
        self._waiting = 0
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(_reader, self._digest, descriptor, length, algorithm)

    @property
    def stopped(self) -> bool:
        """Whether it was given up."""
        return self._stop.is_set()

    async def wait(self) -> bytes:
        """The digest. Raises `TruncatedError` when the file ends before its length."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._running)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._stop.set()

    def _digest(self, descriptor: int, length: int, algorithm: str) -> bytes:
        digester = Digester((algorithm,))
        try:
            offset = 0
            while offset < length:
                if self._stop.is_set():
                    raise BrokenError("nobody waits for the digest")
                chunk = os.pread(descriptor, min(READ_SIZE, length - offset), offset)
                if not chunk:
                    raise TruncatedError(length, offset)
                digester.update(chunk)
                offset += len(chunk)
        finally:
            os.close(descriptor)
        return digester.digest(algorithm)


class Digests:
    """Calculates digests of files, each once."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, str], Digesting] = {}

    async def of(
        self, request: Request, file: OpenFile, representation: Representation
    ) -> str | None:
        """The Repr-Digest that Want-Repr-Digest asks for, None if it asks for none that is known.

        It is that of the whole `representation`, whatever range is asked for. Raises
        `TruncatedError` when the file has become shorter, `BrokenError` when it was written over
        meanwhile.
        """
        algorithm = wanted_digest(request.fields.get(b"want-repr-digest"))
        if algorithm is None:
            return None
        known = representation.digests.get(algorithm)
        if known is None:
            digest = await self._calculate(file, representation, algorithm)
            file.check()
            known = representation.digests[algorithm] = render_digest(algorithm, digest)
        return known

    async def _calculate(
        self, file: OpenFile, representation: Representation, algorithm: str
    ) -> bytes:
        key = id(representation), algorithm  # it lives while its digest is waited for
        digesting = self._running.get(key)
        if digesting is None or digesting.stopped:
            digesting = Digesting(os.dup(file.descriptor), representation.length, algorithm)
            self._running[key] = digesting
        try:
            return await digesting.wait()
        finally:
            if self._running.get(key) is digesting and digesting.stopped:
                del self._running[key]
