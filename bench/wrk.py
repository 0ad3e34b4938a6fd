"""Running wrk and reading what it prints."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.model import VoidReadingError

if TYPE_CHECKING:
    from pathlib import Path

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_TOTALS = re.compile(r"(\d+) requests in [\d.]+\w+, ([\d.]+)([KMGT]?)B read")
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_NOT_OK = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True)
class Load:
    """What one run of wrk did."""

    requests: int
    bytes_read: float
    requests_per_second: float


def parse(output: str) -> Load:
    """Read wrk's report.

    Raises:
        VoidReadingError: There were socket errors, answers other than 2xx and 3xx, no answer at
            all, or no report.
    """
    totals, rate = _TOTALS.search(output), _RATE.search(output)
    if totals is None or rate is None:
        raise VoidReadingError("wrk gave no report")
    if errors := _ERRORS.search(output):
        connect, read, write, timeout = errors.groups()
        raise VoidReadingError(
            f"socket errors: connect {connect}, read {read}, write {write}, timeout {timeout}"
        )
    if refused := _NOT_OK.search(output):
        raise VoidReadingError(f"{refused[1]} answers were not 2xx")
    load = Load(int(totals[1]), float(totals[2]) * _UNITS[totals[3]], float(rate[1]))
    if not load.requests:
        raise VoidReadingError("no request was answered")
    return load


def run(url: str, connections: int, seconds: float, script: Path | None = None) -> Load:
    """Put load on `url` from one thread; on whichever core this process is bound to.

    A `script` in Lua makes the requests, if there is one.

    Raises:
        VoidReadingError: See `parse`.
    """
    # wrk takes whole seconds only.
    duration = max(1, round(seconds))
    command = [shutil.which("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{duration}s"]
    command += ["-s", str(script), url] if script else [url]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=duration + 20, check=False
    )
    return parse(done.stdout)
