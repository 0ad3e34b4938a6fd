"""What logs refuse, as the protocol answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from riverrun.apps.durable.offsets import format_offset
from riverrun.errors import HTTPError
from riverrun.logs import (
    ContentTypeError,
    EpochError,
    FencedError,
    GapError,
    LogClosedError,
    LogError,
    LogExistsError,
    LogGoneError,
    LogNotFoundError,
    OffsetError,
    OrderError,
    StorageError,
)

ALWAYS: Final[Mapping[type[LogError], tuple[int, str]]] = {
    LogNotFoundError: (404, "There is no such stream."),
    LogGoneError: (410, "The stream is gone."),
    LogExistsError: (409, "Another stream has this address."),
    OrderError: (409, "Stream-Seq is not greater than the last one."),
    EpochError: (400, "A new epoch of a producer begins with Producer-Seq 0."),
}


def answer_for(error: LogError) -> HTTPError:
    """The error that a client gets."""
    match error:
        case LogClosedError():
            headers = {"stream-closed": "true", "stream-next-offset": format_offset(error.tail)}
            return HTTPError(409, "The stream is closed.", headers=headers)
        case ContentTypeError():
            return HTTPError(409, f"The stream holds {error.content_type}.")
        case FencedError():
            headers = {"producer-epoch": str(error.epoch)}
            return HTTPError(403, "The producer has begun a newer epoch.", headers=headers)
        case GapError():
            headers = {
                "producer-expected-seq": str(error.expected),
                "producer-received-seq": str(error.received),
            }
            return HTTPError(409, "Appends of the producer are missing.", headers=headers)
        case OffsetError() if error.offset < error.start:
            return HTTPError(410, "What the stream had there is not kept any more.")
        case OffsetError():
            return HTTPError(400, "The stream has no such offset.")
        case StorageError() if error.full:
            return HTTPError(507, "The disk is full.")
    return HTTPError(*ALWAYS.get(type(error), (503, "The disk failed.")))
