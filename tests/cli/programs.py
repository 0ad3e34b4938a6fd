"""The program as its users run it: started in a folder, listened to, asked, and stopped."""

from __future__ import annotations

import http.client
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-P", "-W", "error", "-m", "riverrun")
DEADLINE = 20.0
LAST_LINE = "Ctrl-C"


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """That of the tests without our own variables and the size of their terminal, with these."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RIVERRUN_") and name not in ("COLUMNS", "LINES")
    }
    return inherited | {"PYTHONPATH": str(ROOT / "src"), **variables}


def tool(name: str) -> str:
    """Where a program is that the tests need."""
    found = shutil.which(name)
    assert found, f"{name} is not installed; .ci/run installs it"
    return found


def answer(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        (*PROGRAM, *arguments),
        cwd=folder,
        env=environment(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


class Running:
    """A server that has said where it listens."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.greeting: list[str] = []

    @property
    def port(self) -> int:
        line = next(line for line in self.greeting if line.startswith("http://"))
        return int(line.split()[0].rstrip("/").rpartition(":")[2])

    def read_greeting(self) -> None:
        assert self.process.stderr is not None
        text = read_until(self.process.stderr.fileno(), LAST_LINE)
        while not text.endswith("\n"):
            text += read_until(self.process.stderr.fileno(), "\n")
        self.greeting = text.splitlines()

    @contextmanager
    def get(self, path: str = "/", **headers: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        with closing(connection):
            connection.request("GET", path, headers=headers)
            yield connection.getresponse()

    def fetch(self, path: str = "/") -> tuple[int, bytes]:
        with self.get(path) as response:
            return response.status, response.read()

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal; return the exit status and what else the program has written."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, (output or b"").decode(), (errors or b"").decode()


@contextmanager
def started(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    output: int = subprocess.PIPE,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program; kill it when the block ends, if it still runs."""
    process: subprocess.Popen[bytes] = subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(variables or {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def running(
    *arguments: str, folder: Path, pass_fds: Sequence[int] = (), **variables: str
) -> Iterator[Running]:
    """Run the program until the block ends; enter when it listens."""
    with started(
        (*PROGRAM, *arguments), folder=folder, variables=variables, pass_fds=pass_fds
    ) as process:
        program = Running(process)
        program.read_greeting()
        yield program


def read_until(descriptor: int, wanted: str, patience: float = DEADLINE) -> str:
    """Read until `wanted` has come; fail at the end, or after `patience` seconds."""
    deadline = time.monotonic() + patience
    text = b""
    while wanted.encode() not in text:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"waited too long for {wanted!r}; came: {text!r}"
        chunk = os.read(descriptor, 65536)
        assert chunk, f"ended without {wanted!r}; came: {text!r}"
        text += chunk
    return text.decode()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until `condition()` holds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def ask(family: int, address: Any) -> bytes:
    """GET / of a server that listens; return the first line of the answer."""
    with socket.socket(family) as client:
        client.settimeout(DEADLINE)
        client.connect(address)
        client.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        return client.recv(65536).partition(b"\r\n")[0]


def listens(family: int, address: Any) -> bool:
    """Whether anybody listens there."""
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0
