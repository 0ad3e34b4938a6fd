"""What the tests of repeated answers have in common."""

from __future__ import annotations

import os
from collections.abc import Awaitable
from pathlib import Path
from typing import NamedTuple

from tests.server.client import Client, Reply, request

from riverrun.apps.files import Files
from riverrun.apps.files.sending import SENT_AT_ONCE
from riverrun.http.limits import KIB
from riverrun.http.repeats import Repeat
from riverrun.http.request import Request
from riverrun.http.response import Response

SMALL = os.urandom(1000)
MIDDLE = os.urandom(100 * KIB)
LONG = os.urandom(300 * KIB)
LARGE = bytes(SENT_AT_ONCE + 1)
PAGE = b"<p>hello"
TIMES = 5
HANDLED = 2
"""So often a request is handled before it is answered without."""


class Counted:
    """A folder that counts how often it was asked."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.calls = 0

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        self.calls += 1
        return self.files(request, response)


class Repeated(Counted):
    """One that lets answers be given again."""

    def repeat(self, request: Request) -> Repeat | None:
        return self.files.repeat(request)


class LogFile(NamedTuple):
    """A file for an access log."""

    path: Path
    descriptor: int

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines()

    def told(self) -> list[str]:
        """What its lines say in text, but for when, whom, and how long it took."""
        return [line.split(" ", 2)[2].rsplit(" ", 1)[0] for line in self.lines()]


def seen(reply: Reply) -> tuple[object, ...]:
    """All of it but when it was sent."""
    return reply.status, [field for field in reply.fields if field[0] != "date"], reply.body


async def ask(client: Client, path: str = "/small.bin", method: str = "GET", *lines: str) -> Reply:
    """Ask with a head that arrives in one piece."""
    client.push(request(path, method, *lines))
    return await client.reply(method)
