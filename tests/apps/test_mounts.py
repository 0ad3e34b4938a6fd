"""Which handler answers for which path."""

from __future__ import annotations

import pytest

from riverrun.apps.mounts import Mounts
from riverrun.http.handler import FINISHED, Handler
from riverrun.http.request import Request
from riverrun.http.response import Response


def named(name: str, asked: list[str]) -> Handler:
    def handler(_request: Request, _response: Response) -> object:
        asked.append(name)
        return FINISHED

    return handler  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", "root"),
        (b"/file", "root"),
        (b"/~", "root"),
        (b"/~/other", "root"),
        (b"/~/flows", "flows"),
        (b"/~/flows/", "flows"),
        (b"/~/flows/7?x=/v1", "flows"),
        (b"/~/flowsandmore", "root"),
        (b"/%7E/flows", "flows"),
        (b"/~/%66lows", "flows"),
        (b"/%66ile", "root"),
        (b"/~/flows/own/7", "own"),
        (b"/v1/stream/a/b", "streams"),
        (b"/v1", "root"),
        (b"http://a/~/flows", "flows"),
        (b"http://a/file", "root"),
    ],
)
def test_the_longest_path_that_leads_to_a_request_answers_it(target: bytes, expected: str) -> None:
    asked: list[str] = []
    mounts = Mounts(
        named("root", asked),
        {
            "/~/flows": named("flows", asked),
            "/~/flows/own": named("own", asked),
            "/v1/stream/": named("streams", asked),
        },
    )
    mounts(Request("GET", target, {}), None)  # type: ignore[arg-type]
    assert asked == [expected]


@pytest.mark.parametrize("path", ["", "/", "flows"])
def test_a_path_that_is_not_absolute_or_is_the_root_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="like /api"):
        Mounts(named("root", []), {path: named("own", [])})


class Endless:
    """A handler that wants to know when the server stops, and has something open."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def __call__(self, request: Request, response: Response) -> None:
        """Never asked."""

    def stop(self) -> None:
        self.told.append("stop")

    def close(self) -> None:
        self.told.append("close")


def test_all_who_want_to_know_are_told_that_the_server_stops() -> None:
    endless, root = Endless(), Endless()
    mounts = Mounts(root, {"/a": named("own", []), "/b": endless})
    mounts.stop()
    mounts.close()
    assert endless.told == root.told == ["stop", "close"]
