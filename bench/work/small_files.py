"""Requests a second for files that fit in memory, with many connections kept alive."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import wrk
from bench.folder import SIZES
from bench.model import Metric, Target, VoidReadingError
from bench.peers import FILES
from bench.tools import PROGRAMS
from bench.work.tables import CPU, OTHER_SPEED, SERVER_CORE, THROUGHPUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.process import Trial

METHOD = (
    "Small files: requests a second, by wrk with one thread and kept-alive connections, after a"
    " short warm-up. A run with socket errors, answers other than 2xx, or bodies of the wrong size"
    " does not count. CPU is user and system time of the server's whole tree of processes. All"
    " connections ask for the same file at the same time, and riverrun opens it once for all that"
    " have asked by then. Other requests: for 500 files in turn; with a field in each that no other"
    " has, so that no server can answer by what it knows of the last one; and for a text, beside"
    " which encoded ones are looked for."
)
NO_TWO_ALIKE = PROGRAMS / "no_two_alike.lua"
MANY_FILES = PROGRAMS / "many_files.lua"


@dataclass(frozen=True)
class SmallFile:
    """One file under load: that of `size`, asked for as the `script` for wrk says."""

    name: str
    title: str
    size: str
    at_least: float | None = None
    table: str = THROUGHPUT
    script: Path | None = None
    quick: bool = False
    once: bool = False
    needs: str = FILES
    method: str = METHOD

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Requests a second, what each cost, and how busy they kept the server's core."""
        core = f"{self.name} core"
        return (
            Metric(self.name, self.title, "requests/s", self.table, "higher", 0, True, core),
            Metric(f"{self.name} cpu", self.title, "µs", CPU, "lower", 1, relative=True),
            Metric(core, self.title, "%", SERVER_CORE, None),
        )

    @property
    def targets(self) -> tuple[Target, ...]:
        """A share of nginx's rate."""
        if self.at_least is None:
            return ()
        return (Target(f"{self.title} file, of nginx", (self.name,), at_least=self.at_least),)

    def measure(self, trial: Trial) -> Mapping[str, float]:
        """One run of wrk against a fresh server."""
        settings = trial.settings
        with trial.server() as server:
            url = server.url(self.size)
            wrk.run(url, settings.connections, settings.warm_up_seconds, self.script)
            cpu, began = server.cpu_seconds(), time.perf_counter()
            load = wrk.run(url, settings.connections, settings.seconds, self.script)
            cpu, elapsed = server.cpu_seconds() - cpu, time.perf_counter() - began
        # Heads add to what was read; answers cut off at the end, to a few requests too many.
        if load.bytes_read / load.requests < 0.97 * SIZES[self.size]:
            raise VoidReadingError("bodies shorter than the file")
        return {
            self.name: load.requests_per_second,
            f"{self.name} cpu": 1e6 * cpu / load.requests,
            f"{self.name} core": 100 * cpu / elapsed,
        }


WORKS = (
    SmallFile("1KiB", "1 KiB", "1KiB", at_least=0.80, quick=True),
    SmallFile("10KiB", "10 KiB", "10KiB", at_least=0.80),
    SmallFile("100KiB", "100 KiB", "100KiB", at_least=1.00, quick=True),
    SmallFile("1MiB", "1 MiB", "1MiB", at_least=1.00),
    SmallFile("many", "500 files of 1 KiB", "1KiB", table=OTHER_SPEED, script=MANY_FILES),
    SmallFile("alike", "1 KiB, no two alike", "1KiB", table=OTHER_SPEED, script=NO_TWO_ALIKE),
    SmallFile("text", "4 KiB of text", "text", table=OTHER_SPEED),
)
