"""Talking to servers: requests with time-outs, and errors in our words.

A session keeps its connections between transfers and knows which servers it has reached. That
makes the difference between an address that is wrong, which is said at once, and a connection that
was lost, behind which a transfer tries again.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import msgspec

from riverrun.client.errors import AddressError, AnswerError, LostError, RefusalError
from riverrun.client.fields import read_digest
from riverrun.client.progress import Progress

CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 120.0
"""How long a server may think behind a whole upload: it syncs the disk and checks the digest."""

PROBLEM_SIZE = 16 * 1024
DETAIL_LENGTH = 300
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a transfer waits for what does not come, and how often it tries again."""

    retries: int = 5
    """So often in a row without a byte of progress; then it gives up."""

    unreached: bool = False
    """Whether it tries again, too, when it was never connected, as to a server that starts."""

    stall: float = 30.0
    """Seconds without a byte in either direction, behind which a connection counts as lost."""

    first_delay: float = 0.2
    """Seconds before the first retry; each further one waits three times as long."""

    longest_delay: float = 30.0
    """Seconds that it waits at most, unless the server asks for more."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Session:
    """An HTTP client for transfers; an asynchronous context manager.

    It speaks HTTP/1.1, follows the environment (proxies, certificates, .netrc) as httpx does, and
    asks for bytes as they are, without a coding.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        stall = self.patience.stall
        self._timeout = httpx.Timeout(stall, connect=min(CONNECT_TIMEOUT, stall), pool=None)
        self._client = httpx.AsyncClient(
            headers={"user-agent": "riverrun", "accept-encoding": "identity"},
            timeout=self._timeout,
        )
        self._reached: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: AsyncIterable[bytes] | bytes | None = None,
        follow: bool = True,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; enter with the head of its answer, whatever its status.

        Redirects are followed if `follow`. Raises `LostError` when the connection cannot be made
        or is lost, inside the block too; `AddressError` for an address that cannot be asked. A
        cancel closes the connection, and so does leaving the block before the body's end.
        """
        address = parse_address(url)
        timeout = self._timeout
        if content is not None:
            timeout = httpx.Timeout(**timeout.as_dict())
            timeout.read = max(ANSWER_TIMEOUT, self.patience.stall)
        try:
            async with self._client.stream(
                method, address, headers=headers, content=content, follow_redirects=follow,
                timeout=timeout,
            ) as response:  # fmt: skip
                self._reached.add(response.url.netloc.decode())
                yield response
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise AddressError(f"{url}: {error}") from error
        except httpx.TooManyRedirects:
            raise AnswerError(f"{url} is redirected too often") from None
        except httpx.TransportError as error:
            asked = error.request.url  # behind a redirect, another one
            place = asked.netloc.decode()
            never = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError))
            reached = not never or place in self._reached
            raise LostError(place, _reason(error), reached=reached) from error

    async def read_digest(self, url: str) -> bytes | None:
        """Ask for the SHA-256 of what is at `url` now; None if the server does not tell.

        Raises as `request` does.
        """
        headers = {"want-repr-digest": "sha-256=10"}
        async with self.request("HEAD", url, headers=headers) as response:
            return read_digest(response.headers) if response.is_success else None


@asynccontextmanager
async def borrow(session: Session | None) -> AsyncIterator[Session]:
    """`session`, or one for the time of the block."""
    if session is not None:
        yield session
    else:
        async with Session() as own:
            yield own


class Attempts:
    """The attempts of one transfer: counts failures in a row, and waits between them.

    `lost` is how often it failed altogether.
    """

    def __init__(self, patience: Patience, progress: Progress) -> None:
        self.lost = 0
        self._patience = patience
        self._progress = progress
        self._failures = 0

    def progressed(self) -> None:
        """Something was moved for good: failures are counted from here."""
        self._failures = 0

    async def wait(self, error: LostError | RefusalError) -> None:
        """Wait until it is time for the next attempt. Raises `error` if there is to be none."""
        if isinstance(error, LostError):
            hopeful = error.reached or self._patience.unreached
        else:
            hopeful = error.temporary
        if not hopeful or self._failures >= self._patience.retries:
            raise error
        delay = self._patience.first_delay * 3**self._failures
        delay = min(delay, self._patience.longest_delay)
        if isinstance(error, RefusalError):
            delay = max(delay, error.retry_after)
        self._failures += 1
        self.lost += 1
        if self._failures > 1 or delay > 1:  # one cut alone is mended before anybody reads of it
            self._progress.say(f"{error}; tries again in {delay:.1f} s")
        await self._patience.sleep(delay)


def parse_address(url: str) -> httpx.URL:
    """`url` as an address of HTTP. Raises `AddressError`."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressError(f"{url} is not an address: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise AddressError(f"{url} is not an address; write http://HOST/PATH")
    return address.copy_with(fragment=None)


async def refusal(response: httpx.Response) -> RefusalError:
    """The error that an answer stands for; reads the problem in its body, if there is one."""
    title = detail = ""
    if response.headers.get("content-type", "").partition(";")[0].strip() == PROBLEM_JSON:
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > PROBLEM_SIZE:
                break
        try:
            problem = msgspec.json.decode(body, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = {}
        title, detail = (_text(problem.get(name)) for name in ("title", "detail"))
    elif response.is_redirect:
        detail = f"it is at {response.headers.get('location', '')}"
    return RefusalError(response.status_code, detail, title=title, headers=response.headers)


def _text(value: object) -> str:
    return value[:DETAIL_LENGTH] if isinstance(value, str) else ""


def _reason(error: httpx.TransportError) -> str:
    """What went wrong with a connection: the system's words, where there are any."""
    match error:
        case httpx.ConnectTimeout():
            return "nobody answers"
        case httpx.TimeoutException():
            return "nothing moved for too long"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        if isinstance(cause, socket.gaierror) and cause.strerror:
            return cause.strerror
        if isinstance(cause, ConnectionError) and cause.errno:
            return os.strerror(cause.errno)  # asyncio writes other things into `strerror`
        cause = cause.__cause__ or cause.__context__
    return str(error) or "it broke"
