"""Reading what is to be changed: a JSON object with the members that shall be otherwise."""

from __future__ import annotations

import math
from typing import Any, Final

from riverrun.errors import HTTPError
from riverrun.http.request import Request
from riverrun.units import UnitError, parse_rate

TYPES: Final = ("application/json", "application/merge-patch+json")


async def read_changes(
    request: Request, *, flags: tuple[str, ...] = (), rates: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The members of the request's body: `flags` are booleans, `rates` bytes a second or None.

    A rate is a number, or a string with its unit, ``"500 kB/s"``; null takes it away.

    Raises `HTTPError`: 415 for what is not said to be JSON, which no form of another site's page
    can say; 400 for what is none; 422 for what cannot be changed, or not so.
    """
    content_type = request.fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if content_type.decode("latin-1") not in TYPES:
        raise HTTPError(415, f"Send {TYPES[0]}.", headers={"accept-patch": ", ".join(TYPES)})
    members = await request.json()
    if not isinstance(members, dict):
        raise HTTPError(422, "Send an object with the members that shall change.")
    changes: dict[str, Any] = {}
    for name, value in members.items():
        if name in flags:
            if not isinstance(value, bool):
                raise HTTPError(422, f"{name} is true or false.")
            changes[name] = value
        elif name in rates:
            changes[name] = _rate(name, value)
        else:
            known = ", ".join((*flags, *rates))
            raise HTTPError(422, f"{name[:100]} cannot be changed here; {known} can.")
    return changes


def _rate(name: str, value: object) -> float | None:
    if value is None:
        return None
    try:
        if isinstance(value, str):
            rate = parse_rate(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            rate = float(value)
        else:
            raise HTTPError(422, f'{name} is a number, a string like "500 kB/s", or null.')
    except UnitError as error:
        raise HTTPError(422, f"{name}: {error}.") from None
    if not 1 <= rate < math.inf:
        raise HTTPError(422, f"{name} is at least one byte a second; null takes the limit away.")
    return rate
