"""A small server of resumable uploads, strict to the draft, that holds everything in memory.

What is strict about it: it refuses whatever draft-ietf-httpbis-resumable-upload (interop version 8)
has a client never do, and remembers each such refusal in `violations`, which tests want empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from riverrun.errors import DisconnectedError, HTTPError
from riverrun.http.digests import parse_digests, render_digest
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.structured_fields import parse_boolean, parse_integer

Hook: TypeAlias = Callable[[Request, Response], Awaitable[bool | None]]
OFFSET_MISMATCH = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset"


@dataclass
class Upload:
    """One upload resource."""

    target: str
    length: int
    digest: bytes | None
    data: bytearray = field(default_factory=bytearray)
    complete: bool = False
    busy: bool = False


class UploadServer:
    """The handler, and what tests look at.

    `files` are what has been uploaded, `requests` what was asked, as ``METHOD path``. What is in
    `before`, by method, is called with each request and may answer it: then it returns True.
    """

    def __init__(
        self,
        *,
        limit: str = "",
        announces: bool = True,
        gives_digest: bool = False,
        max_append_size: int | None = None,
    ) -> None:
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.requests: list[str] = []
        self.violations: list[str] = []
        self.received = 0
        self.before: dict[str, Hook] = {}
        self._limit = limit
        self._announces = announces
        self._gives_digest = gives_digest
        self._max_append_size = max_append_size

    async def __call__(self, request: Request, response: Response) -> None:
        path = request.path
        self.requests.append(f"{request.method} {path}")
        hook = self.before.get(request.method)
        if hook is not None and await hook(request, response):
            return
        upload = self.uploads.get(path)
        match request.method:
            case "OPTIONS":
                if self._announces:
                    response.headers["accept-patch"] = "text/x, application/partial-upload"
                response.status = 204
                await response.end()
            case "PUT":
                await self._create(request, response, path)
            case "HEAD" if upload is not None:
                self._tell(response, upload)
                response.status = 204
                response.headers["cache-control"] = "no-store"
                await response.end()
            case "HEAD" if path in self.files:
                response.headers["content-length"] = str(len(self.files[path]))
                response.headers["etag"] = self._etag(path)
                self._add_digest(response, self.files[path])
                await response.end()
            case "PATCH" if upload is not None:
                await self._append(request, response, upload)
            case "DELETE" if upload is not None:
                del self.uploads[path]
                response.status = 204
                await response.end()
            case _:
                raise HTTPError(404, f"There is no {path}.")

    async def _create(self, request: Request, response: Response, path: str) -> None:
        fields = request.fields
        self._want(fields.get(b"upload-draft-interop-version") == b"8", "no interop version")
        complete = parse_boolean(fields.get(b"upload-complete", b""))
        self._want(complete is not None, "a creation without Upload-Complete")
        length = parse_integer(fields.get(b"upload-length", b""))
        self._want(length is not None, "a creation without Upload-Length")
        assert length is not None
        if fields.get(b"if-none-match") == b"*" and path in self.files:
            raise HTTPError(412, "There is a file.")
        digest = parse_digests(fields.get(b"repr-digest", b"")).get("sha-256")
        upload = Upload(path, length, digest)
        location = f"/uploads/{len(self.uploads) + 1}"
        self.uploads[location] = upload
        await response.inform(104, {"location": location})
        await self._take(request, upload)
        if complete:
            self._complete(response, upload)
        else:
            response.status = 201
            response.headers["location"] = location
            if self._limit:
                response.headers["upload-limit"] = self._limit
        await response.end()

    async def _append(self, request: Request, response: Response, upload: Upload) -> None:
        fields = request.fields
        self._want(fields.get(b"upload-draft-interop-version") == b"8", "no interop version")
        self._want(fields.get(b"content-type") == b"application/partial-upload", "its type")
        complete = parse_boolean(fields.get(b"upload-complete", b""))
        self._want(complete is not None, "an append without Upload-Complete")
        offset = parse_integer(fields.get(b"upload-offset", b""))
        self._want(offset is not None, "an append without Upload-Offset")
        self._want(not upload.complete, "an append to a complete upload")
        most = self._max_append_size
        if most is not None and (request.content_length is None or request.content_length > most):
            if self._limit:
                self.violations.append("an append beyond the limit")
            raise HTTPError(413, headers={"upload-limit": self._limit} if self._limit else {})
        if upload.busy or offset != len(upload.data):
            raise HTTPError(
                409,
                headers={"upload-offset": str(len(upload.data))},
                extensions={"type": OFFSET_MISMATCH},
            )
        await self._take(request, upload)
        if complete:
            self._complete(response, upload)
        else:
            response.status = 204
            response.headers["upload-complete"] = "?0"
        await response.end()

    async def _take(self, request: Request, upload: Upload) -> None:
        upload.busy = True
        try:
            async for chunk in request:
                upload.data += chunk
                self.received += len(chunk)
        except DisconnectedError:
            pass  # what has come counts
        finally:
            upload.busy = False
        if len(upload.data) > upload.length:
            self.violations.append("more than was announced")
            raise HTTPError(400, "More bytes than announced.")

    def _complete(self, response: Response, upload: Upload) -> None:
        """The upload has come to its end: answer as its target does."""
        if len(upload.data) < upload.length:
            raise HTTPError(400, "Fewer bytes than announced.")
        data = bytes(upload.data)
        upload.complete = True
        response.headers["upload-complete"] = "?1"
        if upload.digest is not None and hashlib.sha256(data).digest() != upload.digest:
            headers = {"upload-complete": "?1"}
            raise HTTPError(400, "The digest does not match.", headers=headers)
        self.files[upload.target] = data
        response.status = 201
        response.headers["location"] = upload.target
        response.headers["etag"] = self._etag(upload.target)
        self._add_digest(response, data)

    def _tell(self, response: Response, upload: Upload) -> None:
        response.headers["upload-offset"] = str(len(upload.data))
        response.headers["upload-complete"] = "?1" if upload.complete else "?0"
        response.headers["upload-length"] = str(upload.length)
        if self._limit:
            response.headers["upload-limit"] = self._limit

    def _add_digest(self, response: Response, data: bytes) -> None:
        if self._gives_digest:
            digest = hashlib.sha256(data).digest()
            response.headers["repr-digest"] = render_digest("sha-256", digest)

    def _etag(self, path: str) -> str:
        return f'"{hashlib.sha256(self.files[path]).hexdigest()[:16]}"'

    def _want(self, condition: bool, violation: str) -> None:
        if not condition:
            self.violations.append(violation)
            raise HTTPError(400, violation)


class PlainServer:
    """A server that stores what is PUT, and knows nothing of resumption."""

    def __init__(self, *, names_what_it_made: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.emptied: list[str] = []
        self._names_what_it_made = names_what_it_made

    async def __call__(self, request: Request, response: Response) -> None:
        path = request.path
        self.requests.append(f"{request.method} {path}")
        if request.method == "HEAD" and path in self.files:
            response.headers["content-length"] = str(len(self.files[path]))
            await response.end()
            return
        if request.method != "PUT":
            raise HTTPError(405, headers={"allow": "PUT"})
        if request.fields.get(b"if-none-match") == b"*" and path in self.files:
            raise HTTPError(412, "There is a file.")
        chunks = [chunk async for chunk in request]
        data = b"".join(chunks)
        if self.files.get(path) and not data:
            self.emptied.append(path)
        response.status = 204 if path in self.files else 201
        if self._names_what_it_made:
            response.headers["location"] = path
        self.files[path] = data
        await response.end()
