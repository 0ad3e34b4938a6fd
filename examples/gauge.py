"""A gauge at a river: a reading each second, to the end of a file and to a durable stream.

The file can be followed (`GET /live/gauge.log?follow`); the stream keeps its readings as JSON and
replays them (Durable Streams, `GET /v1/stream/gauge`). The river is arithmetic.

    python examples/gauge.py FILE [STREAM-URL]
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

EVERY = 1.0  # seconds
REMEMBERED = 600  # readings that a new file begins with
YEAR_BEGAN = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
DAY, YEAR = 86_400.0, 31_536_000.0


def reading(at: float, chance: random.Random) -> dict[str, str | float]:
    """What the gauge shows at a time: more in spring, less at night, and never quite the same."""
    season = math.sin(math.tau * (at - YEAR_BEGAN) / YEAR - 0.9)
    daily = math.sin(math.tau * at / DAY - 2.2)
    wave = 0.05 * math.sin(at / 41) + 0.03 * math.sin(at / 13 + 1)
    level = 1.42 + 0.48 * season + 0.06 * daily + wave + chance.gauss(0, 0.006)
    time_of_it = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    return {
        "time": time_of_it.replace("+00:00", "Z"),
        "level": round(level, 3),
        "discharge": round(21.5 * level**1.62, 1),
        "water": round(7.4 + 5.2 * math.sin(math.tau * (at - YEAR_BEGAN) / YEAR - 1.7), 1),
    }


def line(of: dict[str, str | float]) -> str:
    """A reading as a line of text."""
    return (
        f"{of['time']}  level {of['level']:.3f} m  discharge {of['discharge']:6.1f} m3/s  "
        f"water {of['water']:4.1f} C\n"
    )


def lines_between(start: float, end: float, every: float) -> Iterator[str]:
    """The readings of a time, the same ones every time."""
    chance = random.Random(round(start))
    at = start
    while at < end:
        yield line(reading(at, chance))
        at += every


def send(url: str, method: str, body: bytes) -> None:
    """Send JSON to a durable stream. Raises `OSError` when it is not taken."""
    request = Request(url, body or None, {"content-type": "application/json"}, method=method)  # noqa: S310 - ours
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        answer.read()


def measure(file: Path, url: str | None) -> None:
    """Append a reading to both each second, for as long as whoever started this runs."""
    parent = os.getppid()
    if url is not None:
        send(url, "PUT", b"")
    now = time.time()
    with file.open("w") as log:
        log.writelines(lines_between(now - REMEMBERED * EVERY, now, EVERY))
    chance = random.Random()
    while os.getppid() == parent:
        time.sleep(EVERY - time.time() % EVERY)
        of = reading(time.time(), chance)
        with file.open("a") as log:
            log.write(line(of))
        if url is not None:
            send(url, "POST", json.dumps(of).encode())


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, URLError):  # a server that stops ends it, too
        measure(Path(sys.argv[1]), sys.argv[2] if sys.argv[2:] else None)
