"""How far a response has come."""

from __future__ import annotations

from enum import Enum


class ResponseState(Enum):
    """How far a response has come.

    From HEAD to BODY to ENDED; from HEAD and BODY to ABORTED, by us, or to BROKEN, by the client.
    """

    HEAD = "head"
    BODY = "body"
    ENDED = "ended"
    ABORTED = "aborted"
    BROKEN = "broken"


HEAD, BODY, ENDED, ABORTED, BROKEN = ResponseState  # looked up faster than members, and often
UNFINISHED = (HEAD, BODY)
