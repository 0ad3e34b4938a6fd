"""What to answer where llhttp refuses."""

from __future__ import annotations

import re

import httptools

from riverrun.errors import HTTPError

UNKNOWN_METHOD = re.compile(rb"[A-Z-]{3,32} [!-~]+ HTTP/1\.[01]\r\n")


def refusal_of(error: httptools.HttpParserError, piece: bytes, *, whole: bool) -> HTTPError:
    """The answer to `piece`, which llhttp refused; `whole` is whether a head begins with it."""
    if isinstance(error, httptools.HttpParserCallbackError) and isinstance(
        error.__context__, HTTPError
    ):
        return error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        if whole and UNKNOWN_METHOD.match(piece):
            return HTTPError(501)
    elif str(error) == "Invalid HTTP version":
        return HTTPError(505)
    return HTTPError(400, f"The request is not valid HTTP/1.1: {error}.")
