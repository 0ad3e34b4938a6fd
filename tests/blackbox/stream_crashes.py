"""Servers that are killed while streams are appended to: nothing acknowledged may be lost.

    python -m tests.blackbox.stream_crashes --rounds 10000

Each round writers with and without a producer append to a few streams, in sizes that take every way
through the engine, somebody reads, and somebody creates, closes, forks and deletes, when the server
gets SIGKILL. Then it is started again on the same folder, and

- every record that was acknowledged is there, whole, in the order of its writer;
- no record of a producer is there twice, though each is sent again until it is acknowledged;
- what a reader has seen is still there, offsets have not gone back, and no byte has changed;
- creating, closing, forking and deleting have each happened whole or not at all, in order.

As of the crashes of uploads: the kernel lives on, so this says nothing of a power cut.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from tests.blackbox.crash_clients import BrokenPromiseError, expect
from tests.blackbox.crash_runs import run_program
from tests.blackbox.crash_servers import CrashServer, serve_streams
from tests.server.client import Client, Reply

KIB = 1024
PATIENCE = 300.0  # seconds for a round: others may want the machine too
STREAMS = 3
ROUNDS_OF_A_STREAM = 10
TYPE = "Content-Type: application/octet-stream"
RECORD = re.compile(rb"<(\w+) (\d+) (\d+)>")
LOST = (ConnectionError, EOFError)


class Stream:
    """A stream, and what is known of it."""

    def __init__(self, name: str) -> None:
        self.path = f"/v1/stream/{name}"
        self.tail = 0
        """The greatest offset that anybody was told."""
        self._checked = b""
        self._records: dict[str, list[int]] = {}

    def saw(self, reply: Reply) -> None:
        """Somebody was told where it ends."""
        token = reply["stream-next-offset"]
        expect(token is not None, "no offset in the answer to", self.path)
        self.tail = max(self.tail, int((token or "_0").partition("_")[2]))

    def check(self, content: bytes) -> dict[str, list[int]]:
        """Nothing that was there has changed; return the numbers of all records, by writer."""
        expect(len(content) >= self.tail, self.path, "ends at", len(content), "not", self.tail)
        expect(content.startswith(self._checked), self.path, "has changed")
        for writer, number in records_in(content, len(self._checked)):
            self._records.setdefault(writer, []).append(number)
        self._checked = content
        return self._records


class Writer:
    """Appends records to one stream; as a producer, or as somebody who does not repeat."""

    def __init__(self, name: str, stream: Stream, *, produces: bool) -> None:
        self.name = name
        self.stream = stream
        self.produces = produces
        self.sent = 0
        self.acknowledged: set[int] = set()

    async def run(self, client: Client, tally: Counter[str]) -> None:
        """Append until the line breaks; what was not acknowledged is the first to come again."""
        while True:
            number = self.sent
            if self.produces and number and number - 1 not in self.acknowledged:
                number -= 1
            self.sent = number + 1
            lines = [TYPE]
            if self.produces:
                lines += [f"Producer-Id: {self.name}", "Producer-Epoch: 0"]
                lines += [f"Producer-Seq: {number}"]
            reply = await client.ask(
                self.stream.path, "POST", *lines, body=record(self.name, number)
            )
            expect(
                reply.status in ((200, 204) if self.produces else (204,)),
                self.name, number, "was answered", reply.status, reply.body,
            )  # fmt: skip
            tally["appended again" if self.produces and reply.status == 204 else "appended"] += 1
            self.acknowledged.add(number)
            self.stream.saw(reply)

    def check(self, found: list[int]) -> None:
        """What is there is what was acknowledged, and perhaps what was not."""
        expect(found == sorted(set(found)), self.name, "is not in order, or twice:", found)
        missing = self.acknowledged - set(found)
        expect(not missing, self.name, "has lost what was acknowledged:", missing)
        expect(set(found) <= set(range(self.sent)), self.name, "has more than it sent")


class Life:
    """Creates a stream, closes it, forks it, deletes both: `done` steps of it for sure."""

    STEPS = 5

    def __init__(self, name: str, random: Random) -> None:
        self.source, self.fork = f"/v1/stream/{name}", f"/v1/stream/{name}-fork"
        self.content = random.randbytes(random.choice((10, 100 * KIB)))
        self.done = 0

    async def run(self, client: Client) -> None:
        """Take the steps that are left."""
        body, forked = self.content, f"Stream-Forked-From: {self.source}"
        for method, path, lines, content, status in (
            ("PUT", self.source, (TYPE,), body, 201),
            ("POST", self.source, (TYPE, "Stream-Closed: true"), body, 204),
            ("PUT", self.fork, (forked,), b"", 201),
            ("DELETE", self.source, (), b"", 204),
            ("DELETE", self.fork, (), b"", 204),
        )[self.done :]:
            reply = await client.ask(path, method, *lines, body=content)
            expect(reply.status == status, method, path, "was answered", reply.status, reply.body)
            self.done += 1

    async def check(self, client: Client) -> None:
        """As many steps have been taken as were acknowledged, or one more."""
        source, fork = await client.ask(self.source), await client.ask(self.fork)
        once, twice = self.content, self.content * 2
        states = (
            (404, None, 404, None),
            (200, once, 404, None),
            (200, twice, 404, None),
            (200, twice, 200, twice),
            (410, None, 200, twice),
            (404, None, 404, None),
        )
        found = tuple(
            part
            for reply in (source, fork)
            for part in (reply.status, reply.body if reply.status == 200 else None)
        )
        allowed = states[self.done : self.done + 2]
        expect(found in allowed, "after", self.done, "steps", self.source, "is", found[::2])
        self.done += allowed.index(found)
        if self.done == 2:
            expect(source["stream-closed"] == "true", self.source, "is open again")


class StreamCrashes:
    """Rounds of crashes in one folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.rounds = 0
        self.tally: Counter[str] = Counter()
        self._writers: list[Writer] = []
        self._streams: list[Stream] = []
        self._life: Life | None = None

    async def run(self, rounds: int) -> None:
        """Crash so many times; raises `BrokenPromiseError`."""
        for _ in range(rounds):
            self.rounds += 1
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._round(Random(f"{self.seed}/{self.rounds}"))
            except Exception as error:
                error.add_note(f"round {self.rounds} of --seed {self.seed} in {self.folder}")
                raise

    async def finish(self) -> None:
        """Come back from the last crash."""
        async with self._serving() as server:
            await self._check(server.port)

    async def _round(self, random: Random) -> None:
        async with self._serving() as server:
            await self._check(server.port)
            if self.rounds % ROUNDS_OF_A_STREAM == 1:
                await self._begin_anew(server.port)
            if self._life is None or self._life.done == Life.STEPS:
                self._life = Life(f"life-{self.rounds}", random)
            await self._crash(server, random)

    async def _begin_anew(self, port: int) -> None:
        async with await connected(port) as client:
            for stream in self._streams:
                expect((await client.ask(stream.path, "DELETE")).status == 204, "DELETE failed")
            names = [f"s{self.rounds}-{number}" for number in range(STREAMS)]
            self._streams = [Stream(name) for name in names]
            for stream in self._streams:
                expect((await client.ask(stream.path, "PUT", TYPE)).status == 201, "PUT failed")
        self._writers = [
            Writer(f"w{number}x{kind}", stream, produces=kind < 2)
            for number, stream in enumerate(self._streams)
            for kind in range(3)
        ]

    async def _crash(self, server: CrashServer, random: Random) -> None:
        """Let everybody work until the server is killed."""
        assert self._life is not None
        before = self.tally["appended"]
        work = [self._writing(writer, server.port) for writer in self._writers]
        work += [self._reading(stream, server.port) for stream in self._streams]
        work.append(self._living(self._life, server.port))
        everything = asyncio.gather(*work)
        appends = random.randint(0, 60)
        end = time.monotonic() + random.uniform(0, 0.1)
        while (
            self.tally["appended"] - before < appends
            and time.monotonic() < end
            and not everything.done()
        ):
            await asyncio.sleep(0.001)
        server.kill()
        await everything

    async def _writing(self, writer: Writer, port: int) -> None:
        try:
            async with await connected(port) as client:
                await writer.run(client, self.tally)
        except LOST:
            pass

    async def _reading(self, stream: Stream, port: int) -> None:
        try:
            async with await connected(port) as client:
                while True:
                    target = f"{stream.path}?offset=0000000000000000_{stream.tail:016d}"
                    reply = await client.ask(target + "&live=long-poll")
                    expect(reply.status in (200, 204), "a reader got", reply.status)
                    stream.saw(reply)
                    self.tally["read"] += 1
        except (*LOST, TimeoutError):
            pass

    async def _living(self, life: Life, port: int) -> None:
        try:
            async with await connected(port) as client:
                await life.run(client)
        except LOST:
            pass

    async def _check(self, port: int) -> None:
        """Compare what is there with what was promised."""
        async with await connected(port) as client:
            for stream in self._streams:
                found = stream.check(await read_all(client, stream.path))
                writers = {each.name: each for each in self._writers if each.stream is stream}
                expect(found.keys() <= writers.keys(), "records of nobody:", list(found))
                for name, writer in writers.items():
                    writer.check(found.get(name, []))
            if self._life is not None:
                await self._life.check(client)
                self.tally[f"life: {self._life.done}"] += 1

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[CrashServer]:
        """A server that is not expected to say anything but its greeting."""
        async with CrashServer(serve_streams, str(self.folder / "logs")) as server:
            yield server
        expect(not server.said, "the server says", server.said)


async def connected(port: int) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", port, limit=16 * 1024 * KIB))


async def read_all(client: Client, path: str) -> bytes:
    """All of a stream."""
    pieces = []
    offset = "-1"
    while True:
        reply = await client.ask(f"{path}?offset={offset}")
        expect(reply.status == 200, "reading", path, "was answered", reply.status, reply.body)
        pieces.append(reply.body)
        offset = reply["stream-next-offset"] or ""
        if reply["stream-up-to-date"]:
            return b"".join(pieces)


def record(writer: str, number: int) -> bytes:
    """A record, always the same one; most are small."""
    random = Random(f"{writer}/{number}")
    largest = random.choices((50, 2 * KIB, 100 * KIB, 1100 * KIB), weights=(60, 32, 7, 1))[0]
    content = random.randbytes(random.randint(0, largest))
    return b"<%s %d %d>" % (writer.encode(), number, len(content)) + content


def records_in(content: bytes, position: int) -> Iterator[tuple[str, int]]:
    """The writer and the number of each record from `position` on; each is as it was sent."""
    while position < len(content):
        match = RECORD.match(content, position)
        if match is None:
            raise BrokenPromiseError(f"no record begins at {position} of {len(content)}")
        writer, number = match[1].decode(), int(match[2])
        stop = match.end() + int(match[3])
        expect(content[position:stop] == record(writer, number), writer, number, "is not whole")
        yield writer, number
        position = stop


if __name__ == "__main__":
    run_program("streams are appended to", StreamCrashes)
