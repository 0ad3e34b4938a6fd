"""One upload: a file that grows at its end, whatever dialect its bytes come in.

One request works on an upload at a time, and the newest: a client that comes back has lost the
connection of its earlier request, even if the server does not know yet. So a newer request ends
the older one, which leaves what it has received in the file, on the disk; the newer one goes on
from there. What was acknowledged is a prefix of what is durable, always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING

from riverrun.apps.uploads.placing import Placed
from riverrun.apps.uploads.record import Record, UploadState
from riverrun.apps.uploads.refusals import (
    BeyondLengthError,
    OffsetError,
    OvertakenError,
    telling_of_a_full_disk,
)
from riverrun.apps.uploads.sources import MUCH, move, read_chunks, take_rest
from riverrun.errors import ClosedError, HTTPError
from riverrun.flows import Flow, Part
from riverrun.io.partial_file import BodyCheck, PartialFile
from riverrun.io.splice import MOVE_SIZE, Splice
from riverrun.io.threads import to_its_end
from riverrun.streams.contracts import Readable

if TYPE_CHECKING:
    from riverrun.apps.uploads.store import UploadStore

SYNC_SIZE = 16 * 1024 * 1024
"""How much is received before it is made durable while more comes: the end then has less to do.

Then the room that is left on the disk is looked at, too.
"""


class Upload:
    """An upload of a store, to be worked on inside `hold`.

    `offset` is how many bytes it has, `durable` how many of them survive a power cut; `receiving`
    is whether a request is adding to it now. `placed` tells of the file once it stands under its
    name, until the process ends. `taken_back` grows whenever bytes that were there no longer count.
    """

    __slots__ = (
        "_changed",
        "_file",
        "_flow",
        "_holders",
        "_lock",
        "_own_rate",
        "_size",
        "_source",
        "_store",
        "_syncing",
        "_ticket",
        "durable",
        "lasting",
        "placed",
        "record",
        "taken_back",
    )

    def __init__(self, store: UploadStore, record: Record, *, lasting: bool) -> None:
        """`lasting`: it is in the catalogue, and what was received outlives the request."""
        self._store = store
        self.record = record
        self.lasting = lasting
        self.durable = 0
        self.placed: Placed | None = None
        self._file: PartialFile | None = None
        self._size: int | None = None
        self.taken_back = 0
        self._lock = asyncio.Lock()
        self._holders = 0  # who holds it, and who waits to
        self._ticket = 0
        self._source: Readable | None = None
        self._flow: Flow | None = None  # that adds to it now
        self._own_rate: tuple[float | None] | None = None  # another one than all have
        self._syncing: asyncio.Task[None] | None = None
        self._changed: asyncio.Future[None] | None = None

    @property
    def id(self) -> str:
        """Its name in addresses: unguessable, 32 characters."""
        return self.record.id

    @property
    def state(self) -> UploadState:
        """How far it has come."""
        return self.record.state

    @property
    def complete(self) -> bool:
        """Whether all of it is there, under its name if it is to have one."""
        return self.record.state is UploadState.COMPLETE

    @property
    def stands(self) -> bool:
        """Whether it is complete and has left the store for its name."""
        return self.complete and bool(self.record.target)

    @property
    def held(self) -> bool:
        """Whether anybody works on it, or waits to."""
        return self._holders > 0

    @property
    def receiving(self) -> bool:
        """Whether a request is adding to it now."""
        return self._source is not None

    @property
    def offset(self) -> int:
        """How many bytes have been received and written, durable or not yet."""
        if self._file is not None:
            return self._file.size
        if self._size is None:
            self._size = self._store.stored_size(self)
        return self._size

    def explain(self, flow: Flow) -> None:
        """Have the transfer that adds to it told as what it is: the rest of a file, by its name.

        Whoever has limited the one before has limited this one too. Inside `hold`.
        """
        if self._own_rate is not None:
            (flow.rate,) = self._own_rate
        self._flow = flow
        flow.name = "/".join(self.record.target) or None
        start, length = self.offset, self.record.length
        if start or length is not None:
            flow.part = Part(start, length)

    def hold(self, source: Readable | None = None) -> Holding:
        """Work on it alone; what is received meanwhile is durable when the block is left.

        A request that is adding to it ends now, as would one that adds from `source` once a newer
        one comes. Raises `HTTPError` 404 when it has gone, and 409 when a newer request came first.
        """
        return Holding(self, source)

    async def take_hold(self, source: Readable | None) -> None:
        """Enter `hold`; whoever has entered it calls `let_go`."""
        self._ticket += 1
        ticket = self._ticket
        older, self._source = self._source, None
        self._holders += 1
        try:
            if older is not None:
                await older.aclose()
            await self._lock.acquire()
        except BaseException:
            self._holders -= 1
            raise
        try:
            if source is not None and ticket != self._ticket:
                raise OvertakenError
            if self.state is UploadState.GONE:
                raise HTTPError(404)
            self._source = source
            with telling_of_a_full_disk:
                await self._make_durable()
        except BaseException:
            await self.let_go()
            raise

    async def let_go(self) -> None:
        """Leave `hold`: what was received is durable then. Raises `HTTPError` 507."""
        self._source = None
        flow, self._flow = self._flow, None
        if flow is not None:
            usual = None if flow.registry is None else flow.registry.rate
            self._own_rate = None if flow.rate == usual else (flow.rate,)
        try:
            with telling_of_a_full_disk:
                await to_its_end(self._rest())
        finally:
            self.forget_file()  # a loop that ends may have cancelled `_rest` before it began
            self._lock.release()
            self._holders -= 1

    async def append(
        self, source: Readable, offset: int, *, checks: Sequence[BodyCheck] = ()
    ) -> None:
        """Add all of `source`, which begins at `offset`; inside `hold(source)`.

        With `checks`, nothing of it counts unless they hold: what was added is taken back.

        Raises `OffsetError` when the upload does not end at `offset`, `HTTPError` 409 when a newer
        request took over, 413 beyond its length or the limit, 507 when the disk is full, and what
        `source` raises. Whatever came before that, and before a cancel, is kept unless `checks`
        were given.
        """
        file = self._open()
        if offset != file.size:
            raise OffsetError(file.size, offset)
        await self._mark_unverified(offset if checks else None)
        verified = not checks
        splice: Splice | None = None
        try:
            while chunks := await read_chunks(source):
                splice = await self._add(chunks, source, file, checks, splice)
                chunks = ()  # or they would be held until the next ones come
            for check in checks:
                check.verify()
            await self._mark_unverified(None)
            verified = True
        except asyncio.CancelledError:
            if self.lasting and verified and (rest := take_rest(source)):
                with suppress(HTTPError, OSError):  # the cancel comes first
                    await to_its_end(self._add(rest, source, file, checks, splice))
            raise
        except ClosedError:
            if self._source is not source:
                raise OvertakenError from None
            raise
        finally:
            if not verified:
                await to_its_end(self._take_back(file, offset))

    async def concatenate(self, parts: Sequence[Upload]) -> None:
        """Add all bytes of `parts`, which are complete and have no place; inside `hold`.

        They go from file to file within the kernel where it can. Raises `HTTPError` 409 when one
        of them has gone meanwhile, and 507; what was added before that, or before a cancel, is
        kept.
        """
        file = self._open()
        for part in parts:
            try:
                descriptor = self._store.open_to_read(part)
            except FileNotFoundError:
                raise HTTPError(409, "A part of the upload has gone.") from None
            with FileIO(descriptor) as source, telling_of_a_full_disk:
                await file.copy(source)
            self.notify()

    async def finish(self) -> None:
        """All of it is there: verify it and put it under its name; inside `hold`.

        Raises `HTTPError` 400 when its length or its digest is not what was said, what the place
        refuses (403, 409, 412), and 507. It has gone then, unless trying again could help. A cancel
        waits for it: a file is not left half way to its name.
        """
        await to_its_end(self._finish())

    async def _finish(self) -> None:
        file = self._open()
        size = file.size
        if self.record.length is not None and size != self.record.length:
            raise HTTPError(400, f"{size} of {self.record.length} bytes have come.")
        try:
            with telling_of_a_full_disk:
                await self._store.finish(self, file)
        except HTTPError as error:
            if error.status < 500:
                await self._store.remove(self)
            raise
        self.notify()

    async def changed(self) -> None:
        """Wait until more of it has come, or its state has changed."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def notify(self) -> None:
        """Wake who waits in `changed`."""
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set_result(None)

    def forget_file(self) -> None:
        """Let go of its file, if it is open, as it is: what is not durable stays so."""
        if self._file is not None:
            self._size = self._file.size
            self._file.close()
            self._file = None

    async def _make_durable(self) -> None:
        """What another process has left may not be; nobody is told of it before it is."""
        known = self.lasting and self.state is UploadState.RECEIVING
        if known and self.durable < self.offset:
            try:
                self.durable = await self._open().sync()
            except OSError:
                self.forget_file()  # all of it stays: most of it may have been told of
                raise

    def _open(self) -> PartialFile:
        if self._file is None:
            self._file = self._store.open_partial(self)
            self._size = None
        return self._file

    async def _add(
        self,
        chunks: Sequence[bytes],
        source: Readable,
        file: PartialFile,
        checks: Sequence[BodyCheck],
        splice: Splice | None,
    ) -> Splice | None:
        """Write what has come from `source`, and from a fast one what comes next, by `splice`."""
        length, limit = self.record.length, self._store.limits.size
        came = sum(map(len, chunks))
        before, size = file.size, file.size + came
        if length is not None and size > length:
            raise BeyondLengthError(length)
        if limit is not None and size > limit:
            raise HTTPError(413, f"An upload may have {limit} bytes.")
        with telling_of_a_full_disk:
            moved = False
            if came >= MUCH and not checks:
                splice = splice or Splice(file)
                room = min(MOVE_SIZE if most is None else most - size for most in (length, limit))
                moved = await move(source, chunks, splice, room)
            if not moved:
                await file.write(chunks, checks)
        self.notify()
        if before // SYNC_SIZE < file.size // SYNC_SIZE:
            self._store.check_room(0)
        if not checks and file.size - file.durable >= SYNC_SIZE and self._syncing is None:
            self._syncing = asyncio.ensure_future(self._sync(file))
        return splice

    async def _sync(self, file: PartialFile) -> None:
        try:
            self.durable = await file.sync()
        except OSError:
            pass  # the next sync, which somebody waits for, tells
        finally:
            self._syncing = None
            self.notify()

    async def _mark_unverified(self, offset: int | None) -> None:
        """From here on nothing counts, after a crash either, until None takes that back."""
        marked = self.record.unverified_from
        if marked == offset:
            return
        self.record.unverified_from = offset
        try:
            await self._store.save(self)
        except BaseException:  # the mark may be in the catalogue: it goes with the next append
            self.record.unverified_from = marked if offset is None else offset
            raise

    async def _take_back(self, file: PartialFile, offset: int) -> None:
        self.taken_back += 1
        try:
            await file.truncate(offset)
        finally:
            self.notify()

    async def _rest(self) -> None:
        """Leave it durable, and its file closed."""
        file = self._file
        if file is None:
            return
        try:
            if self._syncing is not None:
                await asyncio.wait({self._syncing})
            if self.lasting:
                try:
                    self.durable = await file.sync()
                except OSError:
                    await self._take_back(file, self.durable)  # it may be lost, and must come again
                    raise
                self.record.expires = max(
                    self.record.expires, self._store.now() + self._store.limits.expiry
                )
        finally:
            self._size = file.size
            self._file = None
            file.close()
            self.notify()


class Holding:
    """An upload that is worked on alone for as long as the block runs; see `Upload.hold`."""

    __slots__ = ("_source", "_upload")

    def __init__(self, upload: Upload, source: Readable | None) -> None:
        self._upload = upload
        self._source = source

    async def __aenter__(self) -> None:
        await self._upload.take_hold(self._source)

    async def __aexit__(self, *_: object) -> None:
        await self._upload.let_go()
