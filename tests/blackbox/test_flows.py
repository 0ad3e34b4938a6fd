"""Transfers that are steered while they run, as curl sees it from outside."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from bench.crowd import file_limit_of_at_least
from tests.blackbox.test_memory import ticks
from tests.cli.programs import DEADLINE, eventually
from tests.support.serving import Serving, serving

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

MIB = 1 << 20
SIZE = 1 << 30
CUT = (18, 56)  # curl: a partial file; a failure while receiving
CUT_SENDING = (52, 55, 56)  # and: nothing came back; a failure while sending


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("flows") / "served"
    folder.mkdir()
    with (folder / "large.bin").open("wb") as file:
        file.truncate(SIZE)
        file.seek(SIZE // 2)
        file.write(b"in the middle")
    (folder / "live.log").write_bytes(b"begins\n")
    (folder / "many").mkdir()
    for number in range(3000):
        (folder / "many" / f"{number:0200}").touch()
    with serving(folder, "--allow", "steer,upload,overwrite") as server:
        yield server


def ask(server: Serving, method: str, path: str, change: object = None) -> Any:
    """Ask about flows; a document, or None if there is none."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)
    body = None if change is None else json.dumps(change)
    connection.request(method, path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    told = response.read()
    connection.close()
    assert response.status in (200, 204), told
    return json.loads(told) if told else None


def flow_of(server: Serving, target: str, *, moved: int = 1) -> int:
    """The number of the transfer of `target`, once so much of it has moved."""
    found: list[int] = []

    def moves() -> bool:
        flows = ask(server, "GET", "/~/flows")["flows"]
        found[:] = [
            flow["id"] for flow in flows if flow["target"] == target and flow["moved"] >= moved
        ]
        return bool(found)

    eventually(moves)
    return found[0]


def stands_still(
    server: Serving,
    number: int,
    size: Callable[[], int],
    *,
    seconds: float = 1.0,
    on_its_way: int = 0,
) -> None:
    """Pause it for some `seconds`: once what is on its way has come, not one byte more does.

    `on_its_way` is how many bytes at the most may not have been counted when it was paused.
    """
    path = f"/~/flows/{number}"
    paused_at = ask(server, "PATCH", path, {"paused": True})["moved"]
    seen = -1
    deadline = time.monotonic() + DEADLINE
    while seen != (seen := size()) and time.monotonic() < deadline:
        time.sleep(0.3)
    time.sleep(0.3)  # the looking for rates goes on for a while after somebody has asked
    moved = ask(server, "GET", path)["moved"]
    assert paused_at <= moved <= paused_at + on_its_way
    worked, here = ticks(server), size()
    time.sleep(seconds)
    assert size() == here
    assert ticks(server) - worked <= 4 + seconds * 4, "a paused transfer costs no work"
    told = ask(server, "GET", path)
    assert (told["moved"], told["waiting"]) == (moved, "paused")
    assert told["waited"]["paused"] >= seconds
    ask(server, "PATCH", path, {"paused": False})


@contextmanager
def curl(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    program = ("curl", "--silent", "--no-buffer", *arguments)
    with subprocess.Popen(program, stdout=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def test_a_download_is_paused_in_the_middle_of_sendfile(server: Serving, tmp_path: Path) -> None:
    target = tmp_path / "came"
    with curl("--limit-rate", "500M", "-o", str(target), f"{server.address}/large.bin") as running:
        number = flow_of(server, "/large.bin", moved=64 * MIB)
        stands_still(server, number, lambda: target.stat().st_size, seconds=2)
        assert running.wait(60) == 0
    with (
        target.open("rb") as came,
        (Path(server.log).with_suffix("") / "large.bin").open("rb") as at,
    ):
        assert (
            hashlib.file_digest(came, "sha256").digest()
            == hashlib.file_digest(at, "sha256").digest()
        )


def test_an_upload_is_paused(server: Serving, tmp_path: Path) -> None:
    source = tmp_path / "goes"
    with source.open("wb") as file:
        file.truncate(256 * MIB)
        file.seek(100 * MIB)
        file.write(b"in the middle")
    folder = server.log.with_suffix("")

    def grown() -> int:
        return sum(
            path.stat().st_size for path in (folder / ".riverrun").rglob("*") if path.is_file()
        )

    with curl("--limit-rate", "60M", "-T", str(source), f"{server.address}/up.bin") as running:
        stands_still(server, flow_of(server, "/up.bin", moved=8 * MIB), grown, on_its_way=4 * MIB)
        assert running.wait(60) == 0
    assert (folder / "up.bin").read_bytes() == source.read_bytes()


def test_a_tail_is_paused(server: Serving, tmp_path: Path) -> None:
    log, came = server.log.with_suffix("") / "live.log", tmp_path / "came"
    with curl("-o", str(came), f"{server.address}/live.log?follow"):
        number = flow_of(server, "/live.log?follow")
        eventually(lambda: came.read_bytes() == b"begins\n")

        def size() -> int:
            with log.open("ab") as file:
                file.write(b"goes on\n")
            return came.stat().st_size

        stands_still(server, number, size)
        eventually(lambda: came.read_bytes() == log.read_bytes())


def test_a_listing_is_paused(server: Serving, tmp_path: Path) -> None:
    came, whole = tmp_path / "came", tmp_path / "whole"
    address = f"{server.address}/many/"
    accept = ("-H", "accept: application/x-ndjson")
    with curl(*accept, "-o", str(whole), address) as running:
        assert running.wait(60) == 0
    with curl(*accept, "--limit-rate", "20k", "-o", str(came), address) as running:
        number = flow_of(server, "/many/")
        stands_still(server, number, lambda: ask(server, "GET", f"/~/flows/{number}")["moved"])
    assert 0 < came.stat().st_size < whole.stat().st_size


@pytest.mark.parametrize("paused", [False, True])
def test_a_cancelled_download_is_cut(server: Serving, paused: bool) -> None:
    with curl("--limit-rate", "100M", "-o", "/dev/null", f"{server.address}/large.bin") as running:
        number = flow_of(server, "/large.bin")
        if paused:
            ask(server, "PATCH", f"/~/flows/{number}", {"paused": True})
        ask(server, "DELETE", f"/~/flows/{number}")
        assert running.wait(DEADLINE) in CUT


def test_a_cancelled_upload_is_cut(server: Serving) -> None:
    large = server.log.with_suffix("") / "large.bin"
    with curl("--limit-rate", "20M", "-T", str(large), f"{server.address}/cut.bin") as running:
        ask(server, "DELETE", f"/~/flows/{flow_of(server, '/cut.bin')}")
        assert running.wait(DEADLINE) in CUT_SENDING
    assert not large.with_name("cut.bin").exists()


@pytest.mark.timing  # to within 3 %
def test_a_limit_that_is_set_in_the_middle_is_kept(server: Serving) -> None:
    """Within 3 % over five seconds, by what the server says that it has sent."""
    with curl("--limit-rate", "200M", "-o", "/dev/null", f"{server.address}/large.bin"):
        path = f"/~/flows/{flow_of(server, '/large.bin')}"
        ask(server, "PATCH", path, {"rate": "2 MB/s"})
        time.sleep(0.5)  # what was granted before goes first
        first = ask(server, "GET", path)
        time.sleep(5)
        last = ask(server, "GET", path)
        took = last["age"] - first["age"]
        assert took > 4.9
        assert (last["moved"] - first["moved"]) / took == pytest.approx(2e6, rel=0.03)


def test_a_thousand_stalled_readers_and_a_thousand_slow_senders_are_told_apart(
    server: Serving,
) -> None:
    count = 1000
    get = b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n"
    put = b"PUT /slow%d HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nsome"
    with ExitStack() as clients, file_limit_of_at_least(2 * count + 500):
        for number in range(count):
            for asked in (get, put % number):
                client = clients.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", server.port))
                client.sendall(asked)
        told: list[dict[str, Any]] = []

        def all_wait() -> bool:
            told[:] = ask(server, "GET", "/~/flows")["flows"]
            return [flow["waiting"] for flow in told] == ["peer"] * 2 * count

        eventually(all_wait)
        for direction in ("in", "out"):
            assert len([flow for flow in told if flow["direction"] == direction]) == count
        for flow in told:
            assert sum(flow["waited"].values()) == pytest.approx(flow["age"], abs=0.1)
    eventually(lambda: not ask(server, "GET", "/~/flows")["flows"])
