"""One group commit: what a number of operations change, made durable together.

Bytes go into the files first, behind what counts, then everything else into the catalogue; with
its commit both count. The bytes of small appends are in that commit too, so that their files need
no fsync of their own now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from riverrun.logs.contracts import LogInfo
from riverrun.logs.disk.catalogue import Catalogue, Row, Segment
from riverrun.logs.disk.files import LogFiles
from riverrun.logs.disk.retention import Retention
from riverrun.logs.errors import LogGoneError

JOURNALED_SIZE = 64 * 1024  # of one file in one commit: beyond it, an fsync is the cheaper way


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of a log. `chunk` was added at `offset`, None if it is not at hand."""

    log: int
    info: LogInfo
    expires: float | None
    last_segment: Segment | None
    gone: bool
    offset: int
    chunk: bytes | None


@dataclass(slots=True)
class Written:
    """What one commit adds to one file, in one piece."""

    position: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class Staged:
    """A log, as it will be after the commit."""

    row: Row
    tail: int  # before
    last_segment: Segment | None
    pieces: list[bytes] | None = field(default_factory=list)
    changed: bool = False
    gone: bool = False


class Transaction:
    """What operations see and change; times are seconds of the Unix epoch.

    `used` tells until when logs have time that were read, and it may grow meanwhile: the catalogue
    learns of that only now and then.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        files: LogFiles,
        retention: Retention,
        now: float,
        used: Mapping[int, float],
    ) -> None:
        self.catalogue = catalogue
        self.files = files
        self.now = now
        self._used = used
        self._retention = retention
        self._staged: dict[int, Staged] = {}
        self._written: dict[str, Written] = {}
        self._unneeded: list[str] = []
        self._begun = False
        self.journaled: list[str] = []
        self.journaled_size = 0
        self.journal_end = 0

    def begin(self) -> None:
        """Something is about to change."""
        if not self._begun:
            self.catalogue.execute("BEGIN IMMEDIATE")
            self._begun = True

    def row(self, log: int) -> Row:
        """A log that is there; raises `LogGoneError` when it is not."""
        row = self._stage(log).row
        if row.deleted or self.has_expired(row):
            raise LogGoneError
        return row

    def has_expired(self, row: Row) -> bool:
        """Whether the time of a log is over."""
        return row.expires is not None and max(row.expires, self._used.get(row.id, 0)) <= self.now

    def current(self, log: int) -> Row | None:
        """A log as it is by now, None if it is not there."""
        try:
            return self._stage(log).row
        except LogGoneError:
            return None

    def stage_new(self, row: Row) -> None:
        """Add a log."""
        self.begin()
        self.catalogue.insert(row)
        self._staged[row.id] = Staged(row, row.tail, None, changed=True)

    def change(self, row: Row) -> None:
        """The row has changed, or is about to."""
        self.begin()
        self._stage(row.id).changed = True

    def find(self, name: str) -> Row | None:
        """The log of this name, also if it is deleted or expired."""
        for staged in self._staged.values():
            if staged.row.name == name and not staged.gone:
                return staged.row
        found = self.catalogue.rows("name = ?", name)
        return self._stage(found[0].id, found[0]).row if found else None

    def last_segment(self, row: Row) -> Segment | None:
        """Where the log is continued."""
        return self._stage(row.id).last_segment

    def add(self, row: Row, data: Sequence[bytes], size: int) -> None:
        """Add bytes to a log. Raises `OSError`; then nothing counts that was done here."""
        staged = self._stage(row.id)
        segment = self._segment_for(staged)
        position = row.tail - segment.start
        self.files.write(segment.file, position, data)
        written = self._written.get(segment.file)
        if written is None:
            written = self._written[segment.file] = Written(position)
        written.pieces += data
        written.size += size
        if staged.pieces is not None:
            staged.pieces += data
        self._grow(staged, size)

    def adopt(self, row: Row, file: str, size: int) -> None:
        """Add a durable file to a log, as a segment of its own."""
        staged = self._stage(row.id)
        self._add_segment(staged, file)
        staged.pieces = None
        self._grow(staged, size)

    def remove(self, row: Row) -> None:
        """Forget a log that nobody needs, and those above it that were kept for it only."""
        self.begin()
        parent = row.parent
        self._unneeded += self.catalogue.remove(row.id)
        staged = self._stage(row.id, row)
        staged.changed, staged.gone = False, True
        if parent is not None:
            above = self._stage(parent).row
            if above.deleted and not self.catalogue.has_forks(parent):
                self.remove(above)

    def hide(self, row: Row) -> None:
        """Delete a log whose bytes forks need."""
        row.deleted = True
        self.change(row)

    def retain(self, row: Row) -> None:
        """Drop what need not be kept."""
        retention = self._retention
        start = row.start
        if retention.age is not None and row.written <= self.now - retention.age:
            start = row.tail
        elif retention.age is not None or retention.size is not None:
            segments = list(self.catalogue.segments(row.id))
            for following in segments[1:]:
                old = retention.age is not None and following.created <= self.now - retention.age
                big = retention.size is not None and row.tail - following.start >= retention.size
                if not (old or big):
                    break
                start = max(start, following.start)
        if start > row.start:
            row.start = start
            self.change(row)
        if start > (row.fork_offset or 0) and not self.catalogue.has_forks(row.id):
            self._drop_before(row, start)

    def commit(self) -> list[Change]:
        """Make it all last; return what has changed. Raises `OSError` and `sqlite3.Error`."""
        if self._begun:
            for staged in self._staged.values():
                if staged.changed:
                    self.catalogue.update(staged.row)
            for file, written in self._written.items():
                if written.size > JOURNALED_SIZE:
                    self.files.sync(file)
                else:
                    data = b"".join(written.pieces)
                    self.journal_end = self.catalogue.add_to_journal(file, written.position, data)
                    self.journaled.append(file)
                    self.journaled_size += written.size
            self.catalogue.execute("COMMIT")
            self.files.remove(self._unneeded)
        changed = (staged for staged in self._staged.values() if staged.changed or staged.gone)
        return [_change_of(staged) for staged in changed]

    def roll_back(self) -> None:
        """Forget it."""
        if self._begun and self.catalogue.in_transaction:
            self.catalogue.execute("ROLLBACK")

    def _stage(self, log: int, row: Row | None = None) -> Staged:
        staged = self._staged.get(log)
        if staged is None:
            row = row or self.catalogue.row(log)
            if row is None:
                raise LogGoneError
            last, _ = self.catalogue.segment_at(log, row.tail)
            staged = self._staged[log] = Staged(row, row.tail, last)
        elif staged.gone:
            raise LogGoneError
        return staged

    def _segment_for(self, staged: Staged) -> Segment:
        """The segment that is to be continued, a new one if the last is full."""
        last = staged.last_segment
        if last is not None:
            size, age = staged.row.tail - last.start, self.now - last.created
            if not self._retention.is_full(size, age):
                return last
        return self._add_segment(staged, self.files.new_name())

    def _add_segment(self, staged: Staged, file: str) -> Segment:
        self.begin()
        segment = Segment(staged.row.tail, file, self.now)
        self.catalogue.add_segment(staged.row.id, segment)
        staged.last_segment = segment
        self.retain(staged.row)
        return segment

    def _grow(self, staged: Staged, size: int) -> None:
        self.begin()
        staged.row.tail += size
        staged.row.written = self.now
        staged.changed = True

    def _drop_before(self, row: Row, start: int) -> None:
        """Give room back."""
        self.begin()
        staged = self._stage(row.id)
        if staged.last_segment is not None and staged.last_segment.start < start:
            staged.last_segment = None
        self._unneeded += self.catalogue.remove_segments_before(row.id, start)


def _change_of(staged: Staged) -> Change:
    chunk = None if staged.pieces is None else b"".join(staged.pieces)
    return Change(
        log=staged.row.id,
        info=staged.row.info(),
        expires=staged.row.expires,
        last_segment=staged.last_segment,
        gone=staged.gone or staged.row.deleted,
        offset=staged.tail,
        chunk=chunk,
    )
