"""Listing a folder of a riverrun server, and all that is below it.

The listing is asked for at the folder's own address, as NDJSON or JSON, a page at a time; each page
leads to the next. Whatever a server lists, only links to what lies directly in the folder are
followed, and only under names that stand for one entry of a folder here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import httpx
import msgspec

from riverrun.client.errors import AddressError, AnswerError, LostError, RefusalError
from riverrun.client.names import decode_name, is_folder, linked
from riverrun.client.progress import SILENT, Progress
from riverrun.client.session import Attempts, Session, refusal

NDJSON = "application/x-ndjson"
JSON = "application/json"
PAGE_LENGTH = 1000
PAGE_SIZE = 64 * 1024 * 1024
DEEPEST = 64
"""Folders in folders; a link that leads back up would go on for ever."""


class Entry(msgspec.Struct, frozen=True):
    """A line of a listing: an entry, or, with `next`, where the following ones are."""

    name: str = ""
    type: str = ""
    size: int | None = None
    modified: str | None = None
    href: str | None = None
    next: str | None = None


class Document(msgspec.Struct, frozen=True):
    """A listing in one piece."""

    entries: list[Entry]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server: where it is and, below the folder, where it belongs.

    `size` in bytes and `modified`, in seconds since 1970, are what the listing says; None if it
    does not.
    """

    url: str
    path: str
    size: int | None
    modified: int | None


async def walk(
    url: str, session: Session, progress: Progress = SILENT
) -> AsyncIterator[RemoteFile | str]:
    """All files below the folder at `url`, folder by folder; the path of each folder before them.

    The path of the first folder is empty, all others are relative and lead nowhere else. What
    cannot have a name here is left out, and `progress` told. Raises `RefusalError`, `LostError`,
    `AnswerError`.
    """
    waiting = [(url, "")]
    while waiting:
        folder, path = waiting.pop()
        if path.count("/") >= DEEPEST:
            raise AnswerError(f"{url} has more than {DEEPEST} folders in each other")
        below: list[tuple[str, str]] = []
        entries = list_folder(folder, session, progress)
        entry = await anext(entries, None)  # if there is no such folder, it is not told of
        yield path
        while entry is not None:
            try:
                target, name = _locate(folder, entry)
            except AddressError as error:
                progress.say(f"{error}; left out")
            else:
                inner = f"{path}/{name}" if path else name
                if entry.type == "directory":
                    below.append((target, inner))
                else:
                    yield RemoteFile(target, inner, entry.size, _seconds(entry.modified))
            entry = await anext(entries, None)
        waiting += reversed(below)


async def list_folder(
    url: str, session: Session, progress: Progress = SILENT
) -> AsyncIterator[Entry]:
    """The files and folders in the folder at `url`; raises as `walk` does."""
    page: str | None = str(httpx.URL(url).copy_merge_params({"limit": PAGE_LENGTH}))
    seen: set[str] = set()
    while page is not None:
        if page in seen:
            raise AnswerError(f"the listing of {url} leads in a circle")
        seen.add(page)
        entries, following = await _read_page(page, session, progress)
        for entry in entries:
            if entry.type in ("file", "directory") and entry.href is not None:
                yield entry
        page = None if following is None else _following(url, page, following)


async def _read_page(
    page: str, session: Session, progress: Progress
) -> tuple[list[Entry], str | None]:
    attempts = Attempts(session.patience, progress)
    headers = {"accept": f"{NDJSON}, {JSON};q=0.9"}
    while True:
        try:
            async with session.request("GET", page, headers=headers) as response:
                if not response.is_success:
                    raise await refusal(response)
                return _parse(response, await _read_whole(response))
        except (LostError, RefusalError) as error:
            await attempts.wait(error)


async def _read_whole(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        chunks.append(chunk)
        size += len(chunk)
        if size > PAGE_SIZE:
            raise AnswerError(f"the listing at {response.url} is too long")
    return b"".join(chunks)


def _parse(response: httpx.Response, body: bytes) -> tuple[list[Entry], str | None]:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if media_type == NDJSON:
            entries = msgspec.json.Decoder(Entry).decode_lines(body)
            return entries, next((entry.next for entry in entries if entry.next), None)
        if media_type == JSON:
            document = msgspec.json.decode(body, type=Document)
            return document.entries, document.next
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AnswerError(f"the listing at {response.url} is not valid: {error}") from None
    raise AnswerError(f"{response.url} is a folder that is not listed for programs")


def _following(folder: str, page: str, following: str) -> str:
    """The address of the next page, which must be one of the same folder."""
    address = httpx.URL(page).join(following)
    own = httpx.URL(folder)
    if (address.scheme, address.netloc) != (own.scheme, own.netloc) or (address.path != own.path):
        raise AnswerError(f"the listing of {folder} leads elsewhere: {address}")
    return str(address)


def _locate(folder: str, entry: Entry) -> tuple[str, str]:
    """The address and the local name of an entry. Raises `AddressError`."""
    assert entry.href is not None
    target = linked(folder, entry.href)
    if target is None or is_folder(target) != (entry.type == "directory"):
        raise AddressError(f"{entry.name} leads elsewhere")
    return target, decode_name(entry.href.removesuffix("/").encode())


def _seconds(modified: str | None) -> int | None:
    """A time by RFC 3339 in seconds since 1970."""
    try:
        return int(datetime.fromisoformat(modified or "").timestamp())
    except (ValueError, OverflowError):
        return None
