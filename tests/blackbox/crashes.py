"""Servers that are killed while they are uploaded to: nothing that was acknowledged may be lost.

    python -m tests.blackbox.crashes --rounds 10000

Each round several clients, in all dialects, are somewhere in their uploads when the server gets
SIGKILL: after a while, at some piece, or within milliseconds of all of them having sent their last.
Then it is started again on the same folder, and

- no file stands under its name unless it is whole, and what was acknowledged as complete does;
- no offset is less than what was acknowledged, by a 2xx or a 104, or more than what was sent;
- going on from there makes exactly the right file;
- of what waits in the store, nothing is unknown to the catalogue.

Some uploads are left unfinished into the next round and its crash. What each round does comes from
a seed; when its clients and the server take turns does not, so a seed makes a failure likely to
come again, not certain.

SIGKILL ends a process; the kernel lives on with everything that was written. So this says nothing
of a power cut: that what was acknowledged had reached the disk by then is tested elsewhere, by
watching when fdatasync is called.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import Any

from tests.blackbox.crash_clients import (
    DIALECTS,
    Form,
    Moment,
    Sender,
    StoredFile,
    clear,
    expect,
)
from tests.blackbox.crash_runs import run_program
from tests.blackbox.crash_servers import CrashServer, serve_uploads

KIB = 1024
MIB = 1024 * KIB
NAMES = 6
PATIENCE = 300.0  # seconds for a round: others may want the machine too
CLEARED_EVERY = 20
CHECKED_EVERY = 10
SYNC_SIZES = (64 * KIB, 16 * MIB)
"""How much is received before it is made durable: what it is, and less, which shows progress."""


class Crashes:
    """Rounds of crashes in one folder. `tally` counts how the clients were met."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.rounds = 0
        self.tally: Counter[str] = Counter()
        self._stands: dict[str, str] = {}
        self._senders: list[Sender] = []
        """What the last crash has met, and is to be finished."""
        self._carried: list[Sender] = []
        """What stays unfinished until the next crash."""

    async def run(self, rounds: int) -> None:
        """Crash so many times; raises `BrokenPromiseError`, with all that is known of it."""
        for _ in range(rounds):
            self.rounds += 1
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._round(Random(f"{self.seed}/{self.rounds}"))
            except Exception as error:
                error.add_note(
                    f"in round {self.rounds} of --seed {self.seed}, in the folder {self.folder}"
                )
                raise

    async def finish(self) -> None:
        """Come back from the last crash, and finish everything."""
        async with asyncio.timeout(PATIENCE):
            async with self._serving(SYNC_SIZES[1]) as server:
                await self._come_back(server.port, carry=[])
                await clear(server.port)
                expect(not self._waiting(), "what was given up still waits in the store")
        self._check_all(exact=True)

    async def _round(self, random: Random) -> None:
        carry = [sender for sender in self._senders if random.random() < 0.2]
        async with self._serving(random.choice(SYNC_SIZES)) as server:
            await self._come_back(server.port, carry)
            if self.rounds % CLEARED_EVERY == 0:
                await clear(server.port, self._carried)
            if self.rounds % CHECKED_EVERY == 0:
                self._check_all(exact=not self._carried)
            self._senders = self._carried + self._new_senders(random)
            await self._crash(server, random)
        for sender in self._senders:
            self._settle(sender)

    @asynccontextmanager
    async def _serving(self, sync_size: int) -> AsyncIterator[CrashServer]:
        """A server that is not expected to say anything but its greeting."""
        async with CrashServer(serve_uploads, str(self.folder), sync_size) as server:
            yield server
        expect(not server.said, "the server says", server.said)

    async def _come_back(self, port: int, carry: Sequence[Sender]) -> None:
        """Compare what has become of the last round; finish it, but for some."""
        self._check_store()
        calm = Moment()
        self._carried = [sender for sender in carry if not sender.complete]
        rest = [sender for sender in self._senders if sender not in self._carried]
        await asyncio.gather(*(sender.run(port, calm) for sender in rest))
        for file in (file for sender in rest if sender.complete for file in sender.files):
            if file.must_stand:
                expect(file.stands(), f"{file.path.name} is not what was sent")
                self.tally["bytes of acknowledged files found whole"] += len(file.content)
                self._stands[file.path.name] = digest_of(file.content)

    def _new_senders(self, random: Random) -> list[Sender]:
        taken = {file.path.name for sender in self._carried for file in sender.files}
        senders = []
        for dialect in random.choices(DIALECTS, k=random.randint(2, 6)):
            files = []
            for _ in range(random.randint(1, 3) if dialect is Form else 1):
                name = f"{dialect.__name__.lower()}-{random.randrange(NAMES)}.bin"
                if name in taken:
                    continue
                taken.add(name)
                content = random.randbytes(some_size(random))
                files.append(StoredFile(self.folder / name, content))
            if files:
                senders.append(dialect(files, random))
        return senders

    async def _crash(self, server: CrashServer, random: Random) -> None:
        """Let everybody send until the server is killed."""
        volley = random.random() < 0.5
        moment = Moment(self._senders, volley=volley)
        struck = asyncio.Event()

        async def send(sender: Sender) -> None:
            try:
                await sender.run(server.port, moment)
            except (ConnectionError, EOFError):
                if not struck.is_set():
                    raise
            finally:
                moment.over(sender)

        async def strike() -> None:
            if volley:
                await moment.last_sent.wait()
                await asyncio.sleep(
                    random.choice((0, random.uniform(0, 0.01), random.uniform(0, 0.03)))
                )
            elif random.random() < 0.5:
                await asyncio.sleep(random.uniform(0, 0.08))
            else:
                pieces = random.randint(1, 6 * len(self._senders))
                while moment.pieces < pieces:
                    await asyncio.sleep(0)

        striking = asyncio.ensure_future(strike())
        sending = asyncio.gather(*map(send, self._senders))
        both: set[asyncio.Future[Any]] = {striking, sending}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        struck.set()
        server.kill()
        striking.cancel()
        await sending

    def _settle(self, sender: Sender) -> None:
        """Check what stands in the folder of one client's files, and count how it was met."""
        dialect = type(sender).__name__
        for file in sender.files:
            stands = file.settle()
            if sender.complete:
                met = "done"
            elif file.may_stand:
                met = "all sent, stands" if stands else "all sent, does not stand"
            else:
                met = "under way" if sender.begun else "not begun"
            self.tally[f"{dialect}: {met}"] += 1
            if stands:
                self._stands[file.path.name] = digest_of(file.content)

    def _waiting(self) -> set[str]:
        return {path.name for path in (self.folder / ".riverrun" / "uploads").iterdir()}

    def _check_store(self) -> None:
        """Nothing waits in the store that is not known as unfinished, or as a part."""
        waiting = self._waiting()
        with closing(sqlite3.connect(self.folder / ".riverrun" / "uploads.db")) as database:
            rows = database.execute("SELECT id, record FROM uploads")
            records = {name: json.loads(record) for name, record in rows}
        expect(waiting <= set(records), "unknown in the store:", waiting - set(records))
        for name in waiting:
            record = records[name]
            expect(
                record["state"] != "complete" or not record["target"],
                f"{name} is complete and waits in the store",
            )

    def _check_all(self, *, exact: bool) -> None:
        """All files of the folder are what they are known to be."""
        found = {
            path.name: digest_of(path.read_bytes())
            for path in self.folder.iterdir()
            if path.name != ".riverrun"
        }
        if exact:
            expect(found == self._stands, "in the folder:", found, "instead of", self._stands)
        else:
            expect(found.keys() == self._stands.keys(), "other names stand in the folder")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def some_size(random: Random) -> int:
    """Mostly small, for many rounds; sometimes enough for a few syncs at their usual distance."""
    largest = random.choices(
        (0, 5 * KIB, 300 * KIB, 3 * MIB, 40 * MIB), weights=(10, 80, 80, 28, 2)
    )[0]
    return random.randint(min(1, largest), largest)


if __name__ == "__main__":
    run_program("they are uploaded to", Crashes)
