"""What can be done to logs, each as one step of a transaction.

An operation may be applied again after its transaction was rolled back. Whatever it refuses, it
refuses before it changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from riverrun.logs.contracts import Expiry, LogInfo, Produced, Producer, same_content_type
from riverrun.logs.disk.catalogue import Row, Segment
from riverrun.logs.disk.transaction import Transaction
from riverrun.logs.errors import (
    ContentTypeError,
    LogClosedError,
    LogExistsError,
    LogGoneError,
    LogNotFoundError,
    OffsetError,
    OrderError,
)
from riverrun.logs.producing import find_repeated

PAGE_LENGTH = 256
SWEEP_LENGTH = 256
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Operation(Protocol, Generic[ResultT_co]):
    """A step of a transaction."""

    def apply(self, transaction: Transaction) -> ResultT_co:
        """Do it. Raises `LogError` when it is refused, `OSError` and `sqlite3.Error`."""


class Stored(NamedTuple):
    """Bytes to be appended: in memory, or all that is in a durable file."""

    data: bytes = b""
    file: str | None = None
    size: int = 0

    def add_to(self, transaction: Transaction, row: Row) -> None:
        """Append them to a log."""
        if self.file is not None:
            transaction.adopt(row, self.file, self.size)
        elif self.data:
            transaction.add(row, (self.data,), self.size)


class Known(NamedTuple):
    """A log as an operation has found or made it."""

    row: Row
    last_segment: Segment | None
    new: bool = False


class Place(NamedTuple):
    """Where bytes of a log lie: up to `stop`, from `position` on in a file."""

    file: str
    position: int
    stop: int


@dataclass(frozen=True, slots=True)
class Append:
    """Append to a log, once for each `producer`; see `Log.append` and `Log.produce`."""

    log: int
    stored: Stored
    producer: Producer | None
    order: str | None
    close: bool

    def apply(self, transaction: Transaction) -> Produced:
        """Append."""
        row = transaction.row(self.log)
        producer = self.producer
        if row.closed:
            return self._answer_closed(row)
        if producer is not None:
            repeated = find_repeated(producer, transaction.catalogue.producer(row.id, producer.id))
            if repeated is not None:
                return Produced(row.tail, repeated.sequence, duplicate=True)
        if self.order is not None and row.last_order is not None and self.order <= row.last_order:
            raise OrderError(row.last_order)
        self.stored.add_to(transaction, row)
        transaction.change(row)
        row.used(transaction.now)
        if self.order is not None:
            row.last_order = self.order
        if self.close:
            row.closed = True
            row.closed_by = None if producer is None else _key(producer)
        if producer is None:
            return Produced(row.tail, 0, duplicate=False)
        transaction.catalogue.save_producer(row.id, producer.id, producer.epoch, producer.sequence)
        return Produced(row.tail, producer.sequence, duplicate=False)

    def _answer_closed(self, row: Row) -> Produced:
        producer = self.producer
        if producer is not None and row.closed_by == _key(producer):
            return Produced(row.tail, producer.sequence, duplicate=True)
        if self.close and not self.stored.size:
            sequence = 0 if producer is None else producer.sequence
            return Produced(row.tail, sequence, duplicate=True)
        raise LogClosedError(row.tail)


@dataclass(frozen=True, slots=True)
class Create:
    """Begin a log; see `LogStore.create`."""

    name: str
    content_type: str
    expiry: Expiry
    stored: Stored
    closed: bool

    def apply(self, transaction: Transaction) -> Known:
        """Begin it, or find it."""
        found = _at(transaction, self.name)
        if found is not None:
            if found.deleted:
                raise LogExistsError
            same = same_content_type(found.content_type, self.content_type)
            asked = (self.expiry, self.closed, None)
            if not same or (found.expiry, bool(found.closed), found.origin) != asked:
                raise LogExistsError
            return Known(found, transaction.last_segment(found))
        now = transaction.now
        row = _new_row(self.name, self.content_type, self.expiry, now)
        return _begin(transaction, row, self.stored, closed=self.closed)


@dataclass(frozen=True, slots=True)
class Fork:
    """Begin a log that has another's bytes; see `LogStore.fork`."""

    name: str
    source: str
    offset: int | None
    content_type: str | None
    expiry: Expiry
    stored: Stored
    closed: bool

    def apply(self, transaction: Transaction) -> Known:
        """Begin it, or find it."""
        source = _at(transaction, self.source)
        if source is None:
            raise LogNotFoundError
        if source.deleted:
            raise LogGoneError
        offset = source.tail if self.offset is None else self.offset
        if not source.start <= offset <= source.tail:
            raise OffsetError(offset, source.start, source.tail)
        given = self.content_type
        if given is not None and not same_content_type(given, source.content_type):
            raise ContentTypeError(source.content_type)
        expiry = self.expiry
        if expiry == Expiry():
            expiry = source.expiry
        found = _at(transaction, self.name)
        if found is not None:
            if found.deleted:
                raise LogExistsError
            if self.offset is None:
                offset = found.fork_offset or 0
            asked = (expiry, self.closed, source.id, offset)
            if (found.expiry, bool(found.closed), found.parent, found.fork_offset) != asked:
                raise LogExistsError
            return Known(found, transaction.last_segment(found))
        row = _new_row(self.name, source.content_type, expiry, transaction.now)
        row.parent, row.origin, row.fork_offset = source.id, source.name, offset
        row.start, row.tail = source.start, offset
        return _begin(transaction, row, self.stored, closed=self.closed)


@dataclass(frozen=True, slots=True)
class Find:
    """Find the log of a name."""

    name: str

    def apply(self, transaction: Transaction) -> Known:
        """Find it."""
        row = _at(transaction, self.name)
        if row is None:
            raise LogNotFoundError
        if row.deleted:
            raise LogGoneError
        return Known(row, transaction.last_segment(row))


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the log of a name; see `LogStore.delete`."""

    name: str

    def apply(self, transaction: Transaction) -> None:
        """Delete it."""
        row = _at(transaction, self.name)
        if row is None:
            raise LogNotFoundError
        if row.deleted:
            raise LogGoneError
        _delete(transaction, row)


@dataclass(frozen=True, slots=True)
class Locate:
    """Find where the bytes of a log from `offset` on lie."""

    log: int
    offset: int

    def apply(self, transaction: Transaction) -> Place:
        """Go up the forks until it is found."""
        catalogue, stop = transaction.catalogue, None
        row = catalogue.row(self.log)
        while row is not None:
            if row.fork_offset is None or self.offset >= row.fork_offset:
                segment, following = catalogue.segment_at(row.id, self.offset)
                if segment is None:
                    break
                end = row.tail if following is None else following
                stop = end if stop is None else min(stop, end)
                return Place(segment.file, self.offset - segment.start, stop)
            stop = row.fork_offset if stop is None else min(stop, row.fork_offset)
            row = None if row.parent is None else catalogue.row(row.parent)
        raise LogGoneError


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the logs, in the order of their names, behind the name `after`."""

    after: str
    prefix: str

    def apply(self, transaction: Transaction) -> list[LogInfo]:
        """Find them."""
        rows = transaction.catalogue.page(self.after, self.prefix, PAGE_LENGTH)
        return [row.info() for row in rows]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Remove what has expired and drop what is too old; `used` says until when logs have time.

    It goes by the ids of logs, from behind `after` on: what has to stay is looked at once.
    """

    used: Mapping[int, float]
    oldest: float | None
    after: int = 0

    def apply(self, transaction: Transaction) -> int | None:
        """Do some of it; return where to go on, None at the end."""
        catalogue, now = transaction.catalogue, transaction.now
        for log, expires in self.used.items():
            row = transaction.current(log)
            if row is not None and row.ttl is not None and expires > (row.expires or 0):
                row.expires = expires
                transaction.change(row)
                catalogue.update(row)  # what follows has to see it
        expired = catalogue.expired(now, self.after, SWEEP_LENGTH)
        old: list[int] = []
        if self.oldest is not None:
            old = catalogue.old(self.oldest, self.after, SWEEP_LENGTH)
        for log in expired:
            row = transaction.current(log)
            if row is not None and transaction.has_expired(row):
                _delete(transaction, row)
        for log in old:
            row = transaction.current(log)
            if row is not None:
                transaction.retain(row)
        return min((logs[-1] for logs in (expired, old) if len(logs) == SWEEP_LENGTH), default=None)


@dataclass(frozen=True, slots=True)
class Settle:
    """Forget the journal up to an entry: the files it was for are durable."""

    journal_end: int

    def apply(self, transaction: Transaction) -> None:
        """Forget it."""
        transaction.begin()
        transaction.catalogue.clear_journal(self.journal_end)


def _at(transaction: Transaction, name: str) -> Row | None:
    """The log of a name, also if it is deleted; one that has expired is deleted now."""
    row = transaction.find(name)
    if row is None or row.deleted or not transaction.has_expired(row):
        return row
    _delete(transaction, row)
    return transaction.find(name)


def _delete(transaction: Transaction, row: Row) -> None:
    if transaction.catalogue.has_forks(row.id):
        transaction.hide(row)
    else:
        transaction.remove(row)


def _new_row(name: str, content_type: str, expiry: Expiry, now: float) -> Row:
    row = Row(0, name, content_type, now, now, ttl=expiry.ttl, expires_at=expiry.at)
    row.expires = expiry.at
    row.used(now)
    return row


def _begin(transaction: Transaction, row: Row, stored: Stored, *, closed: bool) -> Known:
    transaction.stage_new(row)
    stored.add_to(transaction, row)
    row.closed = closed
    return Known(row, transaction.last_segment(row), new=True)


def _key(producer: Producer) -> str:
    return f"{producer.epoch} {producer.sequence} {producer.id}"
