"""`riverrun flows`: the table, its keys in a real terminal, and what scripts get."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.cli.programs import DEADLINE, PROGRAM, answer, environment, read_until
from tests.support.serving import Serving, serving

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    with (folder / "large.bin").open("wb") as file:
        file.truncate(1 << 30)
    return folder


@contextmanager
def reading(server: Serving) -> Iterator[socket.socket]:
    """A client that has asked for the large file, and takes it as the kernel does."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as client:
        client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: a\r\nUser-Agent: reader/1\r\n\r\n")
        assert client.recv(100)
        yield client


def drain(client: socket.socket) -> None:
    while client.recv(1 << 20):
        pass


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self.side, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.process = subprocess.Popen(
            (*PROGRAM, *arguments),
            cwd=folder,
            env=environment({"TERM": "xterm"}),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)

    def type(self, keys: str) -> None:
        os.write(self.side, keys.encode())

    def shows(self, wanted: str) -> str:
        return ESCAPES.sub("", read_until(self.side, wanted))

    def close(self) -> None:
        # What it still draws is taken, or it could not end.
        threading.Thread(target=self._drain, daemon=True).start()
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()

    def _drain(self) -> None:
        try:
            while os.read(self.side, 65536):
                pass
        except OSError:
            pass
        finally:
            os.close(self.side)


def test_keys_pause_limit_and_cancel_a_transfer(folder: Path) -> None:
    with serving(folder, "--allow", "steer") as server, reading(server) as client:
        terminal = Terminal("flows", server.address, folder=folder)
        try:
            assert "reader/1" in terminal.shows("large.bin") + terminal.shows("the client")
            terminal.type("p")
            terminal.shows("paused")
            terminal.type("r")
            terminal.shows("the client")
            terminal.type("l400 kB/s\r")
            terminal.shows("400.0 kB/s")
            terminal.type("l\r")
            terminal.type("c")
            terminal.shows("once more")
            terminal.type("c")
            terminal.shows("0 transfers")
            with pytest.raises(ConnectionError):
                drain(client)
            terminal.type("q")
        finally:
            terminal.close()
        assert terminal.process.returncode == 0


def test_who_may_not_steer_is_told_so(folder: Path) -> None:
    with serving(folder) as server, reading(server):
        terminal = Terminal("flows", server.address, folder=folder)
        try:
            terminal.shows("large.bin")
            terminal.type("p")
            terminal.shows("does not let its transfers be steered")
            terminal.type("q")
        finally:
            terminal.close()


def test_scripts_get_a_line_of_json_for_every_event(folder: Path) -> None:
    with serving(folder) as server, reading(server):
        with subprocess.Popen(
            (*PROGRAM, "flows", server.address, "--json"),
            env=environment({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as program:
            assert program.stdout is not None
            first = json.loads(program.stdout.readline())
            program.send_signal(signal.SIGINT)
            assert program.stderr is not None
            assert (program.wait(DEADLINE), program.stderr.read().strip()) == (130, b"")
        assert first["event"] == "flows"
        (flow,) = first["flows"]
        assert (flow["target"], flow["user_agent"]) == ("/large.bin", "reader/1")


def test_without_a_terminal_the_table_is_shown_once(folder: Path) -> None:
    with serving(folder) as server, reading(server):
        shown = answer("flows", server.address, folder=folder, COLUMNS="120")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "1 transfer" in shown.stdout
        assert "GET /large.bin" in shown.stdout


def test_a_narrow_terminal_shows_what_moves_and_why_it_waits(folder: Path) -> None:
    with serving(folder, "--allow", "steer") as server, reading(server):
        for limit in (None, 300_000):
            (flow,) = httpx.get(f"{server.address}/~/flows").json()["flows"]
            httpx.patch(f"{server.address}/~/flows/{flow['id']}", json={"rate": limit})
            shown = answer("flows", server.address, folder=folder, COLUMNS="80").stdout
            assert ("300.0 kB/s" in shown) == (limit is not None)
            assert "GET /lar" in shown
            assert "waits" in shown
            assert max(map(len, shown.splitlines())) <= 80


def test_no_server_is_one_line(folder: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for arguments in ((address,), (address, "--json")):
            ended = answer("flows", *arguments, folder=folder)
            assert (ended.returncode, ended.stdout) == (2, "")
            assert ended.stderr.startswith(f"riverrun: no server answers at {address}/: ")
            assert ended.stderr.count("\n") == 1


def test_a_port_that_never_answers_is_one_line_within_seconds(folder: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        ended = answer("flows", address, "--json", folder=folder)
        assert time.monotonic() - begun < 12
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == f"riverrun: no server answers at {address}/: nothing came for 5 s\n"


def test_ctrl_c_at_the_table_leaves_the_terminal_and_is_an_interrupt(folder: Path) -> None:
    with serving(folder) as server:
        terminal = Terminal("flows", server.address, folder=folder)
        try:
            terminal.shows("0 transfers")
            terminal.process.send_signal(signal.SIGINT)
        finally:
            terminal.close()
        assert terminal.process.returncode == 130


def test_what_is_no_address_is_one_line(folder: Path) -> None:
    ended = answer("flows", "nowhere", folder=folder)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
