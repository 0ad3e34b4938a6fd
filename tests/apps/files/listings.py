"""Asking for listings without a server, and reading what comes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import msgspec
from tests.http.wires import Answer, RecordingWire

from riverrun.apps.files.listing import send_listing
from riverrun.http.request import Request
from riverrun.http.response import Response

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
JSON = "application/json"
NDJSON = "application/x-ndjson"


async def ask(
    folder: Path,
    query: str = "",
    accept: str | None = None,
    *,
    method: str = "GET",
    wire: RecordingWire | None = None,
    segments: tuple[str, ...] = (),
    **options: Any,
) -> Answer:
    """The answer to a request for the listing of `folder`."""
    wire = wire or RecordingWire()
    fields = {} if accept is None else {b"accept": accept.encode()}
    request = Request(method, f"/{query}".encode(), fields, http_1_0=True)
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        await send_listing(request, Response(wire, request), directory, segments, **options)
    finally:
        os.close(directory)
    return wire.answer


async def entries(folder: Path, query: str = "", **options: Any) -> list[dict[str, Any]]:
    """All entries, from NDJSON."""
    answer = await ask(folder, query, NDJSON, **options)
    return [msgspec.json.decode(line) for line in answer.body.splitlines()]


async def names(folder: Path, query: str = "", **options: Any) -> list[str]:
    """The names of all entries, in order."""
    return [entry["name"] for entry in await entries(folder, query, **options)]


async def page(folder: Path, query: str, **options: Any) -> tuple[list[str], str | None]:
    """The names on one page of JSON, and the query of the next."""
    document = msgspec.json.decode((await ask(folder, query, JSON, **options)).body)
    return [entry["name"] for entry in document["entries"]], document["next"]


def make(folder: Path, *made: str) -> None:
    """Make files, and folders of names that end in a slash."""
    for name in made:
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).touch()


@dataclass
class Row:
    """A row of the page: its cells as text, and where its link leads."""

    href: str | None
    cells: list[str]


@dataclass
class SeenPage(HTMLParser):
    """A page, as far as tests look at it."""

    text: str
    title: str = ""
    heading: str = ""
    rows: list[Row] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    sorted_by: list[tuple[str, str]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._href: str | None = None
        self._aria_sort: str | None = None
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.tags.append(tag)
        self._open.append(tag)
        if tag == "tr":
            self._row = Row(None, [])
        elif tag == "td":
            self._row.cells.append("")
        elif tag == "th":
            self._aria_sort = given.get("aria-sort")
        elif tag == "a":
            self._href = given["href"]
            if "td" in self._open:
                self._row.href = self._href

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._row.cells:
            self.rows.append(self._row)
        if tag == "a":
            self._href = None
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "td" in self._open:
            self._row.cells[-1] += data
        elif self._href is not None:
            self.links.setdefault(data, self._href)
            if self._aria_sort is not None:
                self.sorted_by.append((data, self._aria_sort))
                self._aria_sort = None
        elif self._open[-1:] == ["title"]:
            self.title += data
        elif self._open[-1:] == ["h1"]:
            self.heading += data

    def path_of(self, link: str, base: str) -> str:
        """Where a link leads, from the address `base`."""
        return urljoin(base, self.links[link])


async def seen(folder: Path, query: str = "", **options: Any) -> SeenPage:
    """The page of a folder."""
    return SeenPage((await ask(folder, query, BROWSER, **options)).body.decode())
