"""Several handlers at one server: each answers below a path of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Final

from riverrun.http.handler import Handler, close_handler, start_handler, stop_handler
from riverrun.http.repeats import Repeat, repeatable
from riverrun.http.request import Request
from riverrun.http.response import Response
from riverrun.http.targets import encode_path

ENCODED: Final = b"%"
SLASH: Final = b"/"


class Mounts:
    """Hands a request to the handler below whose path it is, and any other to `root`.

    The keys of `mounts` are absolute paths such as ``/~/flows``; a path stands for itself and for
    everything below it, and the longest counts. Handlers get requests as they came. For example::

        Mounts(Files("site"), {"/v1/stream": streams, "/~/flows": flows})

    Raises `ValueError` for a path that is not absolute, or is the root's.
    """

    def __init__(self, root: Handler, mounts: Mapping[str, Handler]) -> None:
        self._root = root
        self._mounts: dict[tuple[str, ...], Handler] = {}
        for path, handler in mounts.items():
            if not path.startswith("/") or not path.strip("/"):
                raise ValueError(f"a handler is mounted below a path like /api, not {path!r}")
            self._mounts[tuple(path.strip("/").split("/"))] = handler
        self._handlers: tuple[object, ...] = (root, *self._mounts.values())
        self._depth = max(map(len, self._mounts), default=0)
        self._starts = tuple(encode_path(segments).encode() for segments in self._mounts)
        # How a target may begin that no mount does: most are told apart by two bytes.
        taken = {start[:2] for start in self._starts} | {SLASH + ENCODED, SLASH + SLASH}
        every = {SLASH + bytes((byte,)) for byte in range(256)}
        self._of_root = frozenset(every - taken)

    def __call__(self, request: Request, response: Response) -> Awaitable[None]:
        """Answer; what is the root's gets there without its target being parsed."""
        if request.target[:2] in self._of_root:
            return self._root(request, response)
        return self._find(request)(request, response)

    def repeat(self, request: Request) -> Repeat | None:
        """What its handler has to say; see `Repeatable`."""
        handler = repeatable(self._find(request))
        return None if handler is None else handler.repeat(request)

    def start(self) -> None:
        """A server starts: tell all; see `Startable`."""
        for handler in self._handlers:
            start_handler(handler)

    def stop(self) -> None:
        """The server stops: tell all; see `Stoppable`."""
        for handler in self._handlers:
            stop_handler(handler)

    def close(self) -> None:
        """Let go of all; see `Closable`."""
        for handler in self._handlers:
            close_handler(handler)

    def _find(self, request: Request) -> Handler:
        target = request.target
        plain = target.startswith(SLASH) and ENCODED not in target
        if plain and not target.startswith(self._starts):
            return self._root
        segments = request.url.segments
        for length in range(min(self._depth, len(segments)), 0, -1):
            handler = self._mounts.get(segments[:length])
            if handler is not None:
                return handler
        return self._root
