"""What is told of flows, as objects that JSON can hold.

Bytes, seconds, and bytes a second. What is not known is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from riverrun.flows import Flow, Flows

Document: TypeAlias = dict[str, Any]

CHANGING: Final = (
    "name",
    "part",
    "moved",
    "expected",
    "rate",
    "limit",
    "buffered",
    "state",
    "waiting",
)
"""The members that change by more than the time that passes."""


def describe(flow: Flow, rate: int | None, began: float) -> Document:
    """All there is to tell of `flow`; `rate` is of late, and `began` in Unix time."""
    subject, carrier = flow.subject, flow.carrier
    age = flow.age
    fields: Mapping[bytes, bytes] = {} if subject is None else subject.fields
    return {
        "id": flow.id,
        "direction": flow.direction.value,
        "peer": None if subject is None else subject.client or None,
        "user_agent": _text(fields.get(b"user-agent")),
        "method": None if subject is None else subject.method,
        "target": None if subject is None else _text(subject.target),
        "began": round(began, 3),
        "age": round(age, 3),
        "mean_rate": round(flow.moved / age) if age > 0 else 0,
        "buffer_mark": None if carrier is None else carrier.high_water_mark,
        "waited": waited(flow),
        **changing(flow, rate),
    }


def changing(flow: Flow, rate: int | None) -> Document:
    """The members of a flow named by `CHANGING`."""
    carrier = flow.carrier
    return {
        "name": flow.name,
        "part": None if flow.part is None else flow.part._asdict(),
        "moved": flow.moved,
        "expected": flow.expected,
        "rate": rate,
        "limit": flow.rate,
        "buffered": None if carrier is None else carrier.buffered,
        "state": flow.state.value,
        "waiting": None if flow.waiting is None else flow.waiting.value,
    }


def last_of(flow: Flow) -> Document:
    """What is left to tell of a flow that has ended."""
    return {
        "id": flow.id,
        "moved": flow.moved,
        "expected": flow.expected,
        "state": flow.state.value,
        "age": round(flow.age, 3),
        "waited": waited(flow),
    }


def waited(flow: Flow) -> Document:
    """The seconds that went to each reason."""
    return {reason.value: round(seconds, 3) for reason, seconds in flow.waited().items()}


def limits(flows: Flows) -> Document:
    """The limits that hold for all."""
    return {
        "rate": flows.rate,
        "client_rate": flows.client_rate,
        "total_rate": flows.total_rate,
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
