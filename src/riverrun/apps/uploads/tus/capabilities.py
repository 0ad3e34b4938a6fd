"""What this server says of tus: to who asks with OPTIONS, and to pages of other origins."""

from __future__ import annotations

from riverrun.apps.uploads.tus.fields import CHECKSUM_ALGORITHMS
from riverrun.http.response import Response

VERSION = "1.0.0"
EXTENSIONS = (
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,"
    "concatenation"
)
METHODS = "POST, HEAD, PATCH, DELETE, OPTIONS"
REQUEST_FIELDS = (
    "authorization, content-type, if-match, if-none-match, tus-resumable, upload-checksum, "
    "upload-concat, upload-defer-length, upload-length, upload-metadata, upload-offset, "
    "x-http-method-override, x-request-id, x-requested-with"
)
RESPONSE_FIELDS = (
    "location, tus-checksum-algorithm, tus-extension, tus-max-size, tus-resumable, tus-version, "
    "upload-concat, upload-defer-length, upload-expires, upload-length, upload-metadata, "
    "upload-offset"
)
DAY = 86400


async def tell_options(
    response: Response, *, allow: str, max_size: int | None, cors: str | None
) -> None:
    """Answer OPTIONS, a preflight from the origin `cors` too (tus, Core; Fetch, 3.2.2)."""
    headers = response.headers
    headers["allow"] = allow
    headers["tus-version"] = VERSION
    headers["tus-extension"] = EXTENSIONS
    headers["tus-checksum-algorithm"] = ",".join(CHECKSUM_ALGORITHMS)
    if max_size is not None:
        headers["tus-max-size"] = str(max_size)
    if cors is not None:
        headers["access-control-allow-methods"] = METHODS
        headers["access-control-allow-headers"] = REQUEST_FIELDS
        headers["access-control-max-age"] = str(DAY)
    response.status = 204
    await response.end()


def open_to_origin(response: Response, cors: str) -> None:
    """Let pages of the origin `cors` read an answer, ``*`` for all."""
    headers = response.headers
    headers["access-control-allow-origin"] = cors
    headers["access-control-expose-headers"] = RESPONSE_FIELDS
    if cors != "*":
        headers["vary"] = "origin"
