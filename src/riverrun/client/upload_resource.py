"""The upload resource of the IETF's resumable uploads, from the client's side.

What is here speaks the protocol of draft-ietf-httpbis-resumable-upload (interop version 8), one
request a call: create, ask for the offset, append, cancel. When to do which, and what to do when it
fails, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx

from riverrun.client.errors import AnswerError, LostError, RefusalError
from riverrun.client.fields import (
    WANT_REPR_DIGEST,
    UploadLimits,
    read_boolean,
    read_digest,
    read_integer,
    read_limits,
    write_boolean,
)
from riverrun.client.session import Session, refusal

INTEROP_VERSION = "8"
PARTIAL_UPLOAD = "application/partial-upload"
OWN_FIELDS = ("upload-limit", "upload-offset", "upload-complete", "upload-draft-interop-version")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an upload stands: `offset` bytes are there, and perhaps their digest is known.

    `speaks` is whether the answer had any field of the draft: whether the server knows it.
    """

    offset: int | None
    complete: bool
    limits: UploadLimits
    digest: bytes | None = None
    etag: str | None = None
    speaks: bool = True


class ProcessingError(RefusalError):
    """All bytes of the upload have arrived, and the server refuses them: trying again is vain."""


async def announces(target: str, session: Session) -> bool | None:
    """Whether the resource at `target` says that it takes resumable uploads (draft, 4.1.4).

    None if it does not answer the question. Raises `LostError`.
    """
    async with session.request("OPTIONS", target, follow=False) as response:
        if not response.is_success:
            return None
        accepted = response.headers.get("accept-patch", "").lower()
        if "upload-limit" in response.headers:  # how later drafts say it
            return True
        return any(part.partition(";")[0].strip() == PARTIAL_UPLOAD for part in accepted.split(","))


async def create(
    target: str, size: int | None, fields: Mapping[str, str], session: Session, *, announced: bool
) -> tuple[str | None, UploadLimits]:
    """Create an upload of `size` bytes for `target`; return its address, and its limits.

    `size` is None if it is not known yet.

    `fields` describe the representation. The address is None when the server knows nothing of
    such uploads and has taken the request for one with an empty body; unless it has `announced`
    them, it is asked when there is doubt. Raises `RefusalError` and `LostError`.
    """
    headers = {
        **version_fields(complete=False),
        **({} if size is None else {"upload-length": str(size)}),
        "want-repr-digest": WANT_REPR_DIGEST,
        **fields,
    }
    async with session.request("PUT", target, headers=headers, content=b"", follow=False) as answer:
        if not answer.is_success:
            raise await refusal(answer)
        location = answer.headers.get("location")
        if location is None:
            return None, UploadLimits()
        resource = str(_resolve(answer.url, location))
        if resource == str(answer.url):  # any 201 may name what was made (RFC 9110, 15.3.2)
            return None, UploadLimits()
        limits = read_limits(answer.headers)
        speaks = announced or any(name in answer.headers for name in OWN_FIELDS)
    if not speaks:
        try:  # only an upload has an offset
            await ask(resource, session)
        except (RefusalError, AnswerError):
            return None, UploadLimits()
    return resource, limits


async def ask(resource: str, session: Session) -> Standing:
    """How the upload stands (draft, 4.3).

    Raises `RefusalError`, 404 and 410 when the upload is not there any more; `LostError`;
    `AnswerError` when the server does not tell.
    """
    headers = {
        "upload-draft-interop-version": INTEROP_VERSION,
        "want-repr-digest": WANT_REPR_DIGEST,
    }
    async with session.request("HEAD", resource, headers=headers) as answer:
        if not answer.is_success:
            raise await refusal(answer)
        standing = read_standing(answer)
        if standing.offset is None:
            raise AnswerError("the server does not tell how much of the upload it has")
        return standing


async def append(
    resource: str,
    offset: int,
    content: AsyncIterable[bytes],
    length: int | None,
    session: Session,
    *,
    complete: bool,
) -> Standing:
    """Append `length` bytes at `offset`, or as many as come if that is None (draft, 4.4).

    With `complete` they are the last.

    Raises `RefusalError`, a `ProcessingError` when the upload is complete all the same; and
    `LostError`. How much has arrived then is for `ask`.
    """
    headers = {
        **version_fields(complete=complete),
        "upload-offset": str(offset),
        "content-type": PARTIAL_UPLOAD,
    }
    if length is not None:
        headers["content-length"] = str(length)
    async with session.request(
        "PATCH", resource, headers=headers, content=content, follow=False
    ) as answer:
        if answer.is_success:
            return read_standing(answer)
        error = await refusal(answer)
        if read_boolean(answer.headers, "upload-complete"):
            raise ProcessingError(
                error.status, error.detail, title=error.title, headers=error.headers
            )
        raise error


async def cancel(resource: str, session: Session) -> None:
    """Tell the server to forget the upload, if it can be told (draft, 4.5)."""
    headers = {"upload-draft-interop-version": INTEROP_VERSION}
    with suppress(LostError):
        async with session.request("DELETE", resource, headers=headers, follow=False):
            pass


def version_fields(*, complete: bool) -> dict[str, str]:
    """What every request with content says: which draft this is, and whether it is the last."""
    return {
        "upload-draft-interop-version": INTEROP_VERSION,
        "upload-complete": write_boolean(complete),
    }


def read_standing(answer: httpx.Response) -> Standing:
    """What an answer says of an upload."""
    headers = answer.headers
    return Standing(
        read_integer(headers, "upload-offset"),
        read_boolean(headers, "upload-complete") is True,
        read_limits(headers),
        read_digest(headers),
        headers.get("etag"),
        any(name in headers for name in OWN_FIELDS),
    )


def _resolve(base: httpx.URL, location: str) -> httpx.URL:
    """Where an upload is. Credentials in an address go along as far as its own server."""
    try:
        resource = base.join(location)
    except httpx.InvalidURL:
        raise AnswerError(f"an upload at no address: {location}") from None
    if resource.netloc == base.netloc and base.userinfo and not resource.userinfo:
        resource = resource.copy_with(userinfo=base.userinfo)
    return resource
