"""Clients that upload in every dialect, know what they were promised, and go on after a crash.

A client's `run` begins its upload, or goes on with it on a server that has come back: it asks how
much there is, compares that with what it was told, and sends the rest in pieces of random sizes.
Whatever a server says that it may not say raises `BrokenPromiseError`. What stands in the folder
after a crash is judged by each file's own account: what it held before, whether the new bytes may
stand there by now, and whether they must.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

from tests.server.client import BODYLESS, Client, Reply

TUS = ("Tus-Resumable: 1.0.0",)
OFFSET_STREAM = "Content-Type: application/offset+octet-stream"
PARTIAL_UPLOAD = "Content-Type: application/partial-upload"


class BrokenPromiseError(AssertionError):
    """The server lost something, made something up, or contradicted itself."""


def expect(held: bool, *what: object) -> None:
    if not held:
        raise BrokenPromiseError(" ".join(map(str, what)))


class StoredFile:
    """What a name in the folder holds, and what it is to hold."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.path = path
        self.content = content
        self.before = self.read()
        self.may_stand = False
        """All of the content has been sent."""
        self.must_stand = False
        """It was acknowledged."""

    def read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def stands(self) -> bool:
        return self.read() == self.content

    def settle(self) -> bool:
        """Check what stands there after a crash; return whether that is the new content."""
        found = self.read()
        if found == self.content and (self.may_stand or self.before == self.content):
            self.before = found
            return True
        size = "nothing" if found is None else f"{len(found)} bytes"
        expect(not self.must_stand, f"{self.path.name} was acknowledged; there is {size}")
        expect(found == self.before, f"{self.path.name}: {size}, neither old nor new, stand there")
        return False


class Moment:
    """When the server is killed, as far as the clients bring it about.

    They report each piece that they are about to send. In a volley each waits, before its last
    piece, until all the others stand before theirs.
    """

    def __init__(self, senders: Sequence[Sender] = (), *, volley: bool = False) -> None:
        self.pieces = 0
        self.calm = not senders
        self.last_sent = asyncio.Event()
        self._volley = volley
        self._missing = set(senders)
        self._ready = asyncio.Event()

    async def before_last(self, sender: Sender) -> None:
        self.over(sender)
        if self._volley and not self.calm:
            await self._ready.wait()

    def over(self, sender: Sender) -> None:
        """`sender` will not send a last piece, or is about to."""
        self._missing.discard(sender)
        if not self._missing:
            self._ready.set()


class Sender(ABC):
    """A client with one upload; `files` is what comes of it."""

    def __init__(self, files: Sequence[StoredFile], random: Random) -> None:
        self.files = files
        self.random = random
        self.moment = Moment()
        self.line: Client | None = None
        self.begun = False

    @property
    def complete(self) -> bool:
        """Whether it has been told that all is done."""
        return all(file.must_stand for file in self.files)

    @property
    def ids(self) -> set[str]:
        """The uploads that it is going to go on with."""
        return set()

    @abstractmethod
    async def go_on(self) -> None:
        """Send what has not been sent, until all is done."""

    async def run(self, port: int, moment: Moment) -> None:
        """Do everything on one connection; raises `ConnectionError` or `EOFError` if it breaks."""
        self.moment = moment
        self.begun = True
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with Client(reader, writer) as self.line:
            await self.go_on()
        moment.over(self)

    async def ask(
        self,
        method: str,
        path: str,
        *lines: str,
        body: bytes = b"",
        last: bool = False,
        chunked: bool = False,
        reached: Callable[[int], None] = lambda _: None,
        told: Callable[[Reply], None] = lambda _: None,
    ) -> Reply:
        """Send a request piece by piece, listening all the while.

        `reached` is told how much of the body will have been sent, `told` each interim response.
        """
        assert self.line is not None
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: a", *lines, framing, "", ""))
        pieces = list(self._pieces(body))
        listening = asyncio.ensure_future(_listen(self.line, method, told))
        try:
            if not pieces:
                await self._before(last=last)
                reached(0)
            await self.line.send(head.encode())
            position = 0
            for number, piece in enumerate(pieces, 1):
                await self._before(last=last and number == len(pieces))
                position += len(piece)
                reached(position)
                await self.line.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                await self.line.send(b"0\r\n\r\n")
            if last:
                self.moment.last_sent.set()
            return await listening
        except ConnectionError:
            return await listening  # which may have heard an answer, or fails as well
        finally:
            if not listening.done():
                listening.cancel()

    async def _before(self, *, last: bool) -> None:
        self.moment.pieces += 1
        if last:
            await self.moment.before_last(self)
        elif not self.moment.calm:
            await asyncio.sleep(self.random.choice((0, 0, 0, 0.001, 0.004)))

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        largest = max(1, len(body) // self.random.randint(1, 5))
        position = 0
        while position < len(body):
            size = self.random.randint(max(1, largest // 8), largest)
            yield body[position : position + size]
            position += size


class Put(Sender):
    """A plain PUT: all or nothing, so it begins anew."""

    async def go_on(self) -> None:
        (file,) = self.files
        if file.must_stand:
            return
        file.may_stand = False

        def reached(position: int) -> None:
            file.may_stand = position == len(file.content)

        reply = await self.ask(
            "PUT",
            f"/{file.path.name}",
            body=file.content,
            last=True,
            chunked=self.random.random() < 0.3,
            reached=reached,
        )
        expect_status(reply, 201, 204)
        file.must_stand = True


class Form(Sender):
    """A form with several files: each of them all or nothing."""

    async def go_on(self) -> None:
        if self.complete:
            return
        body = b""
        ends = []
        for file in self.files:
            file.may_stand = False
            body += b'--edge\r\nContent-Disposition: form-data; name="f"; filename="%b"\r\n\r\n' % (
                file.path.name.encode()
            )
            body += file.content
            ends.append(len(body))
            body += b"\r\n"
        body += b"--edge--\r\n"

        def reached(position: int) -> None:
            for file, end in zip(self.files, ends, strict=True):
                file.may_stand = position >= end

        fields = ("Content-Type: multipart/form-data; boundary=edge", "Accept: application/json")
        reply = await self.ask("POST", "/", *fields, body=body, last=True, reached=reached)
        expect_status(reply, 201)
        for file in self.files:
            file.must_stand = True


class Resumable(Sender):
    """What tus and the IETF's resumable uploads have in common: an address and an offset."""

    def __init__(self, files: Sequence[StoredFile], random: Random) -> None:
        super().__init__(files, random)
        (self.file,) = files
        self.content = self.file.content
        self.location: str | None = None
        self.acknowledged = 0
        self.sent = 0

    @property
    def ids(self) -> set[str]:
        return set() if self.location is None else {self.location.rpartition("/")[2]}

    async def go_on(self) -> None:
        if self.location is None:
            self.acknowledged = self.sent = 0
            self.file.may_stand = False
            await self.create()
            offset = self.acknowledged
        else:
            offset = await self.head()
        while not self.complete:
            rest = self.content[offset:]
            size = self.random.choice((len(rest), self.random.randint(0, len(rest))))
            await self.append(offset, rest[:size], last=size == len(rest))
            offset = self.acknowledged

    @abstractmethod
    async def create(self) -> None:
        """Begin the upload, perhaps with some of its bytes."""

    @abstractmethod
    async def append(self, offset: int, body: bytes, *, last: bool) -> None:
        """Send the next bytes."""

    @abstractmethod
    async def head(self) -> int:
        """Ask how much there is, and compare."""

    def reached(self, offset: int, *, completes: bool) -> Callable[[int], None]:
        """What is to be noted while the bytes from `offset` are sent."""

        def note(position: int) -> None:
            self.sent = max(self.sent, offset + position)
            if completes and self.sent == len(self.content):
                self.file.may_stand = True

        return note

    def acknowledge(self, reply: Reply, *, at: int | None = None) -> None:
        """Believe an offset, unless it is more than was sent, or other than `at`."""
        offset = number_of(reply, "upload-offset")
        what = f"{type(self).__name__} {self.location}, of {len(self.content)} bytes:"
        if at is not None:
            expect(offset == at, what, f"{at} were sent, {offset} are told")
        expect(offset <= self.sent, what, f"{self.sent} were sent, {offset} are told")
        expect(offset >= self.acknowledged, what, f"{self.acknowledged} were told, then {offset}")
        self.acknowledged = offset

    def acknowledge_all(self) -> None:
        self.acknowledged = len(self.content)
        expect(self.file.stands(), f"{self.file.path.name} is said to be complete, and is not")
        self.file.must_stand = True


class Ietf(Resumable):
    """A resumable upload of the IETF; with a version it hears of progress."""

    version: tuple[str, ...] = ()

    async def create(self) -> None:
        size = len(self.content)
        whole = self.random.random() < 0.3
        part = size if whole else self.random.randint(0, size)
        length = (f"Upload-Length: {size}",) if self.random.random() < 0.5 else ()
        reply = await self.ask(
            "PUT",
            f"/{self.file.path.name}",
            *self.version,
            *length,
            f"Upload-Complete: ?{int(whole)}",
            body=self.content[:part],
            last=whole,
            reached=self.reached(0, completes=whole),
            told=self.hear,
        )
        if whole:
            expect_status(reply, 201, 204)
            expect(reply["upload-complete"] == "?1", "a whole upload is not complete")
            self.acknowledge_all()
        else:
            expect_status(reply, 201)
            self.location = reply["location"]
            self.acknowledge(reply, at=part)

    async def append(self, offset: int, body: bytes, *, last: bool) -> None:
        assert self.location is not None
        reply = await self.ask(
            "PATCH",
            self.location,
            *self.version,
            PARTIAL_UPLOAD,
            f"Upload-Offset: {offset}",
            f"Upload-Complete: ?{int(last)}",
            body=body,
            last=last,
            reached=self.reached(offset, completes=last),
            told=self.hear,
        )
        if last:
            expect_status(reply, 201, 204)
            expect(reply["upload-complete"] == "?1", "the last piece completes nothing")
            self.acknowledge_all()
        else:
            expect_status(reply, 204)
            self.acknowledge(reply, at=offset + len(body))

    async def head(self) -> int:
        assert self.location is not None
        reply = await self.ask("HEAD", self.location, *self.version)
        expect_status(reply, 204)
        self.acknowledge(reply)
        if reply["upload-complete"] == "?1":
            self.acknowledge_all()
        else:
            expect(not self.file.must_stand, "a complete upload is not complete any more")
        return self.acknowledged

    def hear(self, interim: Reply) -> None:
        if interim.status != 104:
            return
        self.location = interim["location"] or self.location
        if interim["upload-offset"] is not None:
            self.acknowledge(interim)


class Ietf8(Ietf):
    """The version that clients in the field speak."""

    version = ("Upload-Draft-Interop-Version: 8",)


class GivenUp(Ietf8):
    """A resumable upload that its client gives up instead of completing it."""

    gone = False
    asked = False

    @property
    def complete(self) -> bool:
        return self.gone

    async def create(self) -> None:
        reply = await self.ask(
            "PUT",
            f"/{self.file.path.name}",
            *self.version,
            "Upload-Complete: ?0",
            body=self.content,
            reached=self.reached(0, completes=False),
            told=self.hear,
        )
        expect_status(reply, 201)
        self.acknowledge(reply, at=len(self.content))

    async def append(self, offset: int, body: bytes, *, last: bool) -> None:
        assert self.location is not None
        self.asked = True
        expect_status(await self.ask("DELETE", self.location, *self.version, last=True), 204)
        self.gone = True

    async def head(self) -> int:
        assert self.location is not None
        if self.asked:
            reply = await self.ask("HEAD", self.location, *self.version)
            if self.gone or reply.status == 404:
                expect_status(reply, 404)
                self.gone = True
                return 0
        return await super().head()


class Tus(Resumable):
    """An upload of tus."""

    def __init__(self, files: Sequence[StoredFile], random: Random) -> None:
        super().__init__(files, random)
        self.deferred = random.random() < 0.3
        self.length = f"Upload-Length: {len(self.content)}"
        self.fields: tuple[str, ...] = (metadata(self.file.path.name),)

    async def create(self) -> None:
        size = len(self.content)
        part = self.random.choice((0, 0, self.random.randint(0, size), size))
        whole = part == size and not self.deferred
        reply = await self.ask(
            "POST",
            "/~/tus/",
            *TUS,
            *self.fields,
            "Upload-Defer-Length: 1" if self.deferred else self.length,
            *((OFFSET_STREAM,) if part else ()),
            body=self.content[:part],
            last=whole,
            reached=self.reached(0, completes=whole),
        )
        expect_status(reply, 201)
        self.location = reply["location"]
        if part:
            self.acknowledge(reply, at=part)
        if whole:
            self.acknowledge_all()

    async def append(self, offset: int, body: bytes, *, last: bool) -> None:
        assert self.location is not None
        last = offset + len(body) == len(self.content)
        reply = await self.ask(
            "PATCH",
            self.location,
            *TUS,
            OFFSET_STREAM,
            f"Upload-Offset: {offset}",
            *((self.length,) if self.deferred and last else ()),
            body=body,
            last=last,
            reached=self.reached(offset, completes=last),
        )
        expect_status(reply, 204)
        self.acknowledge(reply, at=offset + len(body))
        if last:
            self.acknowledge_all()

    async def head(self) -> int:
        assert self.location is not None
        reply = await self.ask("HEAD", self.location, *TUS)
        expect_status(reply, 200)
        self.acknowledge(reply)
        if reply["upload-length"] is not None:
            length = number_of(reply, "upload-length")
            expect(length == len(self.content), f"it was not said to have {length} bytes")
            if length == self.acknowledged:
                self.acknowledge_all()
        else:
            expect(self.deferred, "the length has been forgotten")
        return self.acknowledged


class Part(Tus):
    """A part of an upload of tus: it never has a name."""

    def __init__(self, content: bytes, random: Random, folder: Path) -> None:
        super().__init__([StoredFile(folder / "part that has no name", content)], random)
        self.fields = ("Upload-Concat: partial",)

    def acknowledge_all(self) -> None:
        self.acknowledged = len(self.content)
        expect(not self.file.path.exists(), "a part was given a name")
        self.file.must_stand = True


class TusParts(Sender):
    """An upload of tus that is made of others."""

    def __init__(self, files: Sequence[StoredFile], random: Random) -> None:
        super().__init__(files, random)
        (self.file,) = files
        content = self.file.content
        cut = random.randint(0, len(content))
        folder = self.file.path.parent
        self.parts = [Part(piece, random, folder) for piece in (content[:cut], content[cut:])]

    @property
    def ids(self) -> set[str]:
        return set().union(*(part.ids for part in self.parts))

    async def go_on(self) -> None:
        if self.complete:
            return
        # Once the final one was asked for, the parts may have gone into it.
        if not self.file.may_stand:
            for part in self.parts:
                part.line = self.line
                await part.go_on()
        fields = (
            f"Upload-Concat: final;{' '.join(str(part.location) for part in self.parts)}",
            metadata(self.file.path.name),
        )

        def reached(_: int) -> None:
            self.file.may_stand = True

        expect_status(
            await self.ask("POST", "/~/tus/", *TUS, *fields, last=True, reached=reached), 201
        )
        expect(self.file.stands(), f"{self.file.path.name} is not what its parts were")
        self.file.must_stand = True


DIALECTS: tuple[type[Sender], ...] = (Put, Form, Ietf, Ietf8, GivenUp, Tus, TusParts)


async def clear(port: int, going_on: Sequence[Sender] = ()) -> None:
    """Give up every upload that nobody is `going_on` with, and forget those that are complete.

    An upload made of parts is known to its client by its name alone until it has been answered.
    """
    keep = set().union(*(sender.ids for sender in going_on))
    names = {f"/{file.path.name}" for sender in going_on for file in sender.files}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with Client(reader, writer) as client:
        for entry in json.loads((await client.ask("/~/uploads/")).body):
            if entry["id"] not in keep and entry.get("target") not in names:
                reply = await client.ask(f"/~/uploads/{entry['id']}", "DELETE")
                expect_status(reply, 204)


def metadata(name: str) -> str:
    import base64

    return f"Upload-Metadata: filename {base64.b64encode(name.encode()).decode()}"


def number_of(reply: Reply, name: str) -> int:
    value = reply[name]
    if value is None:
        raise BrokenPromiseError(f"an answer of {reply.status} without {name}")
    return int(value)


def expect_status(reply: Reply, *statuses: int) -> None:
    expect(reply.status in statuses, f"{reply.status} instead of {statuses}:", reply.body[:300])


async def _listen(line: Client, method: str, told: Callable[[Reply], None]) -> Reply:
    while (reply := await line._head()).status < 200:
        told(reply)
    if method != "HEAD" and reply.status not in BODYLESS:
        await line._body(reply)
    return reply
