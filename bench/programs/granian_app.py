"""The application granian insists on; its static folder answers before this is asked."""

from collections.abc import Awaitable, Callable
from typing import Any


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],  # noqa: ARG001 - the ASGI signature
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer 404 to whatever is not in the static folder."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
