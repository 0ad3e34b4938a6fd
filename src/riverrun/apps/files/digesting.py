"""The digest of a file, for who wants to verify what it got (RFC 9530).

It costs a read of the whole file, in a thread, once for each state of the file; it is only sent to
who asks for it.
"""

from __future__ import annotations

import asyncio
import os

from riverrun.apps.files.open_file import OpenFile
from riverrun.apps.files.representation import Representation
from riverrun.errors import TruncatedError
from riverrun.http.digests import Digester, render_digest, wanted_digest
from riverrun.http.request import Request

READ_SIZE = 1024 * 1024


async def repr_digest(
    request: Request, file: OpenFile, representation: Representation
) -> str | None:
    """The Repr-Digest that Want-Repr-Digest asks for, None if it asks for none that is known.

    It is that of the whole `representation`, whatever range is asked for. Raises `TruncatedError`
    when the file has become shorter, `BrokenError` when it was written over meanwhile.
    """
    algorithm = wanted_digest(request.fields.get(b"want-repr-digest"))
    if algorithm is None:
        return None
    known = representation.digests.get(algorithm)
    if known is None:
        # A descriptor of its own: a cancel must not close it under the thread.
        descriptor = os.dup(file.descriptor)
        digesting = asyncio.get_running_loop().run_in_executor(
            None, _digest, descriptor, representation.length, algorithm
        )
        known = render_digest(algorithm, await asyncio.shield(digesting))
        file.check()
        representation.digests[algorithm] = known
    return known


def _digest(descriptor: int, length: int, algorithm: str) -> bytes:
    """Read the file `descriptor`, which is closed then."""
    digester = Digester((algorithm,))
    try:
        offset = 0
        while offset < length:
            chunk = os.pread(descriptor, min(READ_SIZE, length - offset), offset)
            if not chunk:
                raise TruncatedError(length, offset)
            digester.update(chunk)
            offset += len(chunk)
    finally:
        os.close(descriptor)
    return digester.digest(algorithm)
