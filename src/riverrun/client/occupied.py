"""What stands at an address already, when a server does not want it replaced."""

from __future__ import annotations

from riverrun.client.errors import ExistsError, LostError, RefusalError
from riverrun.client.session import Session
from riverrun.client.versions import read_size

OCCUPIED = (403, 412)


async def is_there(
    error: RefusalError, target: str, session: Session, *, size: int, digest: bytes
) -> bool:
    """Whether what `error` refuses, of `size` bytes with this SHA-256, stands at `target` already.

    False as well if nothing is known of what stands there, or nothing does. Raises `ExistsError`
    when something else stands there, or what cannot be told from it.
    """
    return await _stands(error, target, session, size, digest)


async def check_vacant(error: RefusalError, target: str, session: Session) -> None:
    """Raise `ExistsError` if the reason of `error` is that a file stands at `target`."""
    await _stands(error, target, session, None, None)


async def _stands(
    error: RefusalError, target: str, session: Session, size: int | None, digest: bytes | None
) -> bool:
    if error.status not in OCCUPIED:
        return False
    try:
        async with session.request("HEAD", target) as answer:
            if not answer.is_success:
                return False
            same_size = size is not None and read_size(answer.headers) == size
        # The digest of a large file takes a while, so it is asked for only if it can decide.
        found = await session.read_digest(target) if same_size else None
    except LostError:
        return False
    if found is not None and found == digest:
        return True
    raise ExistsError(error)
