"""Servers as processes: start, wait until ready, CPU, memory, stop.

A server runs on the server's core and in a scratch folder of its own, with its output in a file
there. Figures are those of its whole tree, so that a master and its workers count as one.
Processes are ended by their ids, never by name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.client import HOST, Connection
from bench.folder import SIZES, file_name
from bench.model import VoidReadingError
from bench.peers import FILES, WITHOUT_FLOWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.model import Settings
    from bench.peers import Peer, Service

_START_PATIENCE = 15.0
_STOP_PATIENCE = 5.0
_POLL_SECONDS = 0.001
_TICKS = os.sysconf("SC_CLK_TCK")


class NotStartedError(Exception):
    """A server that never answered. The text is fit for the page; `output` is for the console."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


@dataclass(frozen=True)
class Site:
    """What a peer is told when it is started: the folder, to be served or to be filled."""

    folder: Path
    scratch: Path
    port: int


@dataclass(frozen=True)
class Stat:
    """The fields of /proc/PID/stat used here; CPU includes children that were waited for."""

    parent: int
    cpu_seconds: float


def parse_stat(text: str, ticks: int = _TICKS) -> Stat:
    """Read /proc/PID/stat (proc(5)). The name in parentheses may itself hold any character."""
    fields = text[text.rindex(")") + 2 :].split()
    user, system, waited_user, waited_system = (int(field) for field in fields[11:15])
    return Stat(int(fields[1]), (user + system + waited_user + waited_system) / ticks)


def parse_pss(smaps_rollup: str) -> int:
    """Proportional set size in bytes, from /proc/PID/smaps_rollup."""
    for line in smaps_rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def parse_peak(status: str) -> int:
    """The peak of the resident set size in bytes, from /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def descendants(root: int, parents: dict[int, int]) -> list[int]:
    """`root` and everything below it, given each process's parent."""
    tree = [root]
    for pid in tree:
        tree.extend(child for child, parent in parents.items() if parent == pid)
    return tree


def _tree_stats(root: int) -> dict[int, Stat]:
    stats: dict[int, Stat] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            # Processes come and go while one reads.
            with contextlib.suppress(OSError):
                stats[int(entry.name)] = parse_stat((entry / "stat").read_text())
    tree = descendants(root, {pid: stat.parent for pid, stat in stats.items()})
    return {pid: stats[pid] for pid in tree if pid in stats}


class Server:
    """A running peer."""

    def __init__(self, process: subprocess.Popen[bytes], site: Site, service: Service) -> None:
        self._process = process
        self.prefix = service.prefix
        self.folder = site.folder
        self.port = site.port
        self.ready_after = 0.0
        """Seconds from spawn to the first successful answer."""

    def path(self, size: str) -> str:
        """The request path of the file of that size."""
        return self.prefix + file_name(size)

    def url(self, size: str) -> str:
        """The address of the file of that size."""
        return f"http://{HOST}:{self.port}{self.path(size)}"

    def cpu_seconds(self) -> float:
        """User and system time of the tree so far."""
        return sum(stat.cpu_seconds for stat in _tree_stats(self._process.pid).values())

    def memory_bytes(self) -> int:
        """Proportional set size of the tree: pages shared between its processes count once."""
        return self._total("smaps_rollup", parse_pss)

    def forget_peak(self) -> None:
        """Let the peak of memory begin anew, at what is used now (clear_refs in proc(5))."""
        for pid in _tree_stats(self._process.pid):
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_bytes(self) -> int:
        """The peak of the resident set size, of each process of the tree, together."""
        return self._total("status", parse_peak)

    def _total(self, name: str, parse: Callable[[str], int]) -> int:
        """What `parse` finds in this file of each process of the tree, together."""
        total = 0
        for pid in _tree_stats(self._process.pid):
            with contextlib.suppress(OSError):
                total += parse(Path(f"/proc/{pid}/{name}").read_text())
        return total

    def wait_until_ready(self, spawned_at: float, *, whole_file: bool) -> None:
        """Ask until a file comes back; without `whole_file`, until anything does.

        Raises:
            NotStartedError: The process ended, or nothing came in time.
        """
        buffer = bytearray(4096)
        while time.perf_counter() - spawned_at < _START_PATIENCE:
            status = self._process.poll()
            if status is not None:
                raise NotStartedError(f"ended with status {status} before it answered")
            with contextlib.suppress(OSError, VoidReadingError), Connection(self.port) as client:
                client.ask(self.path("1KiB"))
                head = client.read_head()
                if whole_file:
                    client.discard_body(head, SIZES["1KiB"], buffer)
                self.ready_after = time.perf_counter() - spawned_at
                return
            time.sleep(_POLL_SECONDS)
        raise NotStartedError(f"no good answer within {_START_PATIENCE:.0f} s")

    def stop(self) -> None:
        """End the whole tree: politely, then for good."""
        session = self._process.pid
        workers = [pid for pid in _tree_stats(session) if pid != session]
        self._process.terminate()
        try:
            self._process.wait(_STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in workers:
            # A worker that outlived its master is still in the master's session; an id that went
            # to a stranger meanwhile is not.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == session:
                    os.kill(pid, signal.SIGKILL)


@dataclass(frozen=True)
class Trial:
    """One peer, about to be put to one kind of work."""

    peer: Peer
    folder: Path
    settings: Settings
    server_core: int

    @contextlib.contextmanager
    def server(self, ability: str = FILES) -> Iterator[Server]:
        """The peer, started afresh for this and ready; stopped when the block ends.

        One that is to serve files gets the trial's folder; one that is to take them, an empty one
        on the same file system, which is removed with all that is in it.

        Raises:
            NotStartedError: It is not installed, or did not come up.
        """
        if (reason := self.peer.missing()) is not None:
            raise NotStartedError(reason)
        service = self.peer.services[ability]
        with tempfile.TemporaryDirectory(prefix="bench-", dir=self.folder.parent) as name:
            site = Site(self._folder_for(ability, Path(name)), Path(name), _free_port())
            log = site.scratch / "output.log"
            with log.open("wb") as output:
                command = [
                    "taskset",
                    "-c",
                    str(self.server_core),
                    *self.peer.command(service, site),
                ]
                spawned_at = time.perf_counter()
                process = subprocess.Popen(
                    command,
                    cwd=site.scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                server = Server(process, site, service)
                try:
                    server.wait_until_ready(spawned_at, whole_file=ability == FILES)
                    yield server
                except NotStartedError as error:
                    raise NotStartedError(str(error), _tail(log)) from None
                finally:
                    server.stop()

    def _folder_for(self, ability: str, scratch: Path) -> Path:
        if ability in (FILES, WITHOUT_FLOWS):
            return self.folder
        empty = scratch / "stored"
        empty.mkdir()
        return empty


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _tail(log: Path, lines: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
