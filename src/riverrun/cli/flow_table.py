"""The flows of a server as a table: what its events add up to, in which order, and how it looks."""

from __future__ import annotations

import time
from typing import Any, Final, Literal, TypeAlias

from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from riverrun.cli.screen import shown

Row: TypeAlias = dict[str, Any]

ARROWS: Final = {"in": "↑", "out": "↓"}
WORDS: Final = {
    None: "moves",
    "source": "disk or handler",
    "peer": "the client",
    "limit": "limited",
    "paused": "paused",
}
COLUMNS: Final = ("what", "who", "moved", "rate", "limit", "buffer", "waits", "for")
SHARES: Final = {"what": 3, "who": 2}
"""How what can be long shares the width that the others leave."""

WIDE: Final = 96
STYLES: Final = {None: "green", "paused": "yellow", "limit": "cyan"}


class FlowTable:
    """What is known of the flows of a server; `selected` is the number of one of them."""

    def __init__(self) -> None:
        self.by_wait = False
        self.selected: int | None = None
        self.steerable = False
        self._rows: dict[int, Row] = {}
        self._limits: dict[str, Any] = {}

    def apply(self, event: str, data: dict[str, Any]) -> None:
        """Take in an event of the server: ``flows``, everything, or ``changes``."""
        now = time.monotonic()
        if event == "flows":
            self.steerable = data["steerable"]
            self._rows.clear()
        for change in data.get("flows", ()):
            row = self._rows.setdefault(change["id"], {})
            row.update(change)
            if "waited" in change:
                row["told_at"] = now
        for number in data.get("ended", ()):
            self._rows.pop(number, None)
        self._limits = data.get("limits", self._limits)
        if self.selected not in self._rows:
            rows = self.rows()
            self.selected = rows[0]["id"] if rows else None

    def rows(self) -> list[Row]:
        """The flows in order: the fastest first, or those that have waited longest."""
        if self.by_wait:
            return sorted(self._rows.values(), key=lambda row: -waits(row))
        return sorted(self._rows.values(), key=lambda row: -(row["rate"] or 0))

    def move(self, steps: int) -> None:
        """Select another, so many rows further down."""
        numbers = [row["id"] for row in self.rows()]
        if numbers:
            at = numbers.index(self.selected) if self.selected in numbers else 0
            self.selected = numbers[max(0, min(at + steps, len(numbers) - 1))]

    def render(self, height: int, width: int) -> Table:
        """At most `height` flows, the selected one among them, in `width` columns.

        There is no column for limits where there are none; where it is narrow, what moves and why
        it waits take the place of who it is.
        """
        table = Table(box=box.SIMPLE, expand=True, pad_edge=False, title=self._title())
        table.add_column("", width=1)
        rows = self.rows()
        limited = any(row["limit"] is not None for row in rows)
        left_out = set() if limited else {"limit"}
        if width < WIDE:
            left_out |= {"who", "buffer"} if limited else {"who"}
        names = [name for name in COLUMNS if name not in left_out]
        for name in names:
            ratio = SHARES.get(name)
            justify: Literal["left", "right"] = "left" if ratio or name == "for" else "right"
            table.add_column(name, no_wrap=True, justify=justify, overflow="ellipsis", ratio=ratio)
        at = next((i for i, row in enumerate(rows) if row["id"] == self.selected), 0)
        first = max(0, at - height + 1)
        for row in rows[first : first + height]:
            style = "reverse" if row["id"] == self.selected else ""
            cells = _cells(row)
            table.add_row(ARROWS[row["direction"]], *(cells[name] for name in names), style=style)
        return table

    def _title(self) -> str:
        count = len(self._rows)
        total = sum(row["rate"] or 0 for row in self._rows.values())
        text = f"{count} transfer{'' if count == 1 else 's'}, {decimal(total)}/s"
        limits = [
            f"{name} {decimal(round(self._limits[key]))}/s"
            for key, name in (("rate", "each"), ("client_rate", "a client"), ("total_rate", "all"))
            if self._limits.get(key) is not None
        ]
        return text + (f" (at most: {', '.join(limits)})" if limits else "")


def waits(row: Row) -> float:
    """For how many seconds it has waited for other than this side."""
    waited = sum(seconds for why, seconds in row["waited"].items() if why != "source")
    if row["waiting"] not in (None, "source"):
        waited += time.monotonic() - row["told_at"]
    return float(waited)


def _cells(row: Row) -> dict[str, str | Text]:
    """What stands in each of `COLUMNS`."""
    what = row["name"] or " ".join(filter(None, (row["method"], row["target"])))
    there, whole = row["moved"], row["expected"]
    if row["part"] is not None:
        there, whole = row["part"]["start"] + there, row["part"]["length"]
    moved = decimal(there)
    if whole:
        moved += f" {there * 100 // whole} %"
    mark = row["buffer_mark"]
    buffer = "" if not mark else f"{min((row['buffered'] or 0) * 100 // mark, 999)} %"
    limit = "" if row["limit"] is None else f"{decimal(round(row['limit']))}/s"
    why = row["waiting"]
    return {
        "what": Text(shown(what)),
        "who": Text(shown(" ".join(filter(None, (row["peer"], row["user_agent"]))))),
        "moved": moved,
        "rate": "" if row["rate"] is None else f"{decimal(row['rate'])}/s",
        "limit": limit,
        "buffer": buffer,
        "waits": f"{waits(row):.0f} s",
        "for": Text(WORDS.get(why, str(why)), style=STYLES.get(why, "")),
    }
