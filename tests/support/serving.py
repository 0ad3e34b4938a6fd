"""``riverrun serve`` as its users run it, with a record of what it was asked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.programs import eventually, running
from tests.support.stopwatch import Stopwatch


@dataclass(frozen=True)
class Serving:
    """A program that serves a folder."""

    pid: int
    address: str
    log: Path

    @property
    def port(self) -> int:
        """Where it listens, if that is no Unix socket."""
        return int(self.address.rpartition(":")[2])

    def answered(self) -> list[dict[str, Any]]:
        """The lines of its access log so far, one for each exchange that is over."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def statuses(self, target: str, *, at_least: int = 1) -> list[int]:
        """How it answered the requests for `target`, once it has answered so many."""

        def found() -> list[int]:
            return [line["status"] for line in self.answered() if line["target"] == target]

        eventually(lambda: len(found()) >= at_least)
        return found()

    def memory(self) -> int:
        """How much of it is in memory, in KiB: what is its own, without the page cache."""
        return self._status("RssAnon")

    def peak_memory(self) -> int:
        """The most memory that it has held at once, in KiB."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """Count the peak from here."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def open_files(self) -> list[str]:
        """What its descriptors stand for."""
        found = []
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                found.append(str(entry.readlink()))
            except FileNotFoundError:  # closed meanwhile
                continue
        return found

    def until_closed(self, path: Path) -> float:
        """Wait until it has a file open no more; return how many seconds of ours that took."""
        watch = Stopwatch(self.pid)
        while os.fspath(path) in self.open_files():
            assert watch.passed < 10, f"{path} is still open"
        return watch.ours

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{name}:"))
        return int(line.split()[1])


@contextmanager
def serving(folder: Path, *options: str, log: Path | None = None) -> Iterator[Serving]:
    """Serve `folder` until the block ends, on a free port unless `options` say where.

    Its access log is `log`, or stands beside the folder.
    """
    log = log or folder.with_name(folder.name + ".log")
    where = () if "--unix" in options else ("--port", "0")
    written = ("--log", "json", "--log-file", str(log))
    with running("serve", str(folder), *where, *written, *options, folder=folder) as program:
        address = "" if "--unix" in options else f"http://127.0.0.1:{program.port}"
        yield Serving(program.process.pid, address, log)
