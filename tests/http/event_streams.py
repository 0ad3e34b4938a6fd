"""Reading an event stream as a browser does: the algorithm of the HTML Standard, 9.2.6."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """What a page is given."""

    data: str
    type: str = "message"
    last_event_id: str = ""


@dataclass
class EventStream:
    """What has been dispatched, and what the client keeps of it."""

    events: list[Event] = field(default_factory=list)
    last_event_id: str = ""
    reconnection_time: int | None = None
    """In milliseconds; None while the client decides."""
    comments: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, stream: bytes) -> EventStream:
        """All that is in `stream`; an event that its end cuts off is dropped."""
        parsed = cls()
        text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
        data, event, last_id = "", "", ""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines[:-1]:
            if not line:
                parsed.last_event_id = last_id
                if data:
                    parsed.events.append(
                        Event(data.removesuffix("\n"), event or "message", last_id)
                    )
                data = event = ""
                continue
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            if colon and not name:
                parsed.comments.append(value)
            elif name == "event":
                event = value
            elif name == "data":
                data += value + "\n"
            elif name == "id" and "\0" not in value:
                last_id = value
            elif name == "retry" and value.isascii() and value.isdigit():
                parsed.reconnection_time = int(value)
        return parsed


def dechunked(body: bytes) -> bytes:
    """The pieces of a chunked body, as far as it has come (RFC 9112, 7.1)."""
    pieces = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        assert rest[length : length + 2] == b"\r\n"
        pieces.append(rest[:length])
        body = rest[length + 2 :]
    return b"".join(pieces)
