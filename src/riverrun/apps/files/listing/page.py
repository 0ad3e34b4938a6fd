"""A listing for people: a page that is whole without a script and shows while it comes.

The columns have fixed widths, so that a browser need not see the last row to lay out the first. A
long listing is several tables, of which it lays out those in sight: in a single one of 100,000 rows
every row that comes would cost a look at all before it. The page fetches nothing, and its one style
is named by its hash, so that nothing on it can run, whatever a file is called. It looks as the
pages of `riverrun.http.problems` do.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from riverrun.apps.files.listing.entries import Entry
from riverrun.apps.files.listing.ordering import DEFAULT_ORDERS, Order, Ordering, Sort
from riverrun.apps.files.listing.query import ListingQuery
from riverrun.apps.files.names import visible

ROOT_NAME: Final = "Files"
COLUMNS: Final = (
    (Sort.NAME, "Name"),
    (Sort.SIZE, "Size"),
    (Sort.TIME, "Modified<span> (UTC)</span>"),
)
ARIA_SORTS: Final = {Order.ASCENDING: "ascending", Order.DESCENDING: "descending"}
OPPOSITES: Final = {
    Order.ASCENDING: Order.DESCENDING,
    Order.DESCENDING: Order.ASCENDING,
}
ICONS: Final = {"image": "i", "video": "v", "audio": "a"}
SIZE_UNITS: Final = ("kB", "MB", "GB", "TB", "PB", "EB")

STYLE: Final = Path(__file__).with_name("page.css").read_text("utf-8")
WAVES: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='none' "
    "stroke='%233d8fb0' stroke-width='2' stroke-linecap='round'%3E"
    "%3Cpath d='M1.5 6q3.2-4 6.5 0t6.5 0M1.5 11q3.2-4 6.5 0t6.5 0'/%3E%3C/svg%3E"
)
STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()

HEAD: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<link rel="icon" href="{icon}">
<style>{style}</style>
{elements}<header>
{crumbs}<h1 id="folder">{name}</h1>
</header>
<main>
{form}<div><table aria-labelledby="folder">
<thead><tr>{columns}</tr></thead>
<tbody>
"""
FORM: Final = """\
<form method="post" enctype="multipart/form-data" action="?clash=rename">
<label>Add files <input type="file" name="file" multiple required></label>
<button>Upload</button>
</form>
"""
CONTINUED: Final = f"""\
</tbody>
</table></div>
<div class="more"><table aria-labelledby="folder">
<thead><tr>{"".join(f'<th scope="col">{label}</th>' for _, label in COLUMNS)}</tr></thead>
<tbody>
"""
TAIL: Final = """\
</tbody>
</table></div>
</main>
<footer>
{footer}</footer>
</html>
"""


class Enhancement(NamedTuple):
    """What makes more of the page where scripts run: elements of its head, and what they may load.

    `sources` are directives of a Content-Security-Policy, beside those for the page alone.
    """

    elements: str
    sources: str


def content_security_policy(*, takes_files: bool, enhancement: Enhancement | None = None) -> str:
    """What the page may do: show itself, and send its form if it has one."""
    style, images, more = f"'sha256-{STYLE_HASH}'", "data:", ""
    if enhancement is not None:
        style, images = f"'self' {style}", "'self' data: blob:"
        more = f"{enhancement.sources}; "
    return (
        f"default-src 'none'; img-src {images}; style-src {style}; {more}base-uri 'none'; "
        f"form-action '{'self' if takes_files else 'none'}'; frame-ancestors 'self'"
    )


class Page:
    """The page of a folder; with a form for files if the folder `takes_files`."""

    def __init__(
        self,
        query: ListingQuery,
        *,
        takes_files: bool = False,
        enhancement: Enhancement | None = None,
    ) -> None:
        self._query = query
        self._elements = "" if enhancement is None else enhancement.elements
        self._form = FORM if takes_files else ""
        self._folders = 0
        self._others = 0
        self._size = 0
        # Whoever looks for what is new finds it in the next folder, too.
        address = query.sorted(query.ordering).address()
        self._keep_order = "" if address == "./" else address

    def head(self) -> bytes:
        """Everything before the first row."""
        folder = self._query.folder
        columns = "".join(self._column(sort, label) for sort, label in COLUMNS)
        head = HEAD.format(
            name=_text(folder[-1] if folder else ROOT_NAME),
            icon=escape(WAVES),
            style=STYLE,
            elements=self._elements,
            crumbs=self._crumbs(),
            columns=columns,
            form=self._form,
        )
        return head.encode()

    def rows(self, entries: list[Entry]) -> bytes:
        """Some rows, in a table of their own if they are not the first."""
        begins = not (self._folders or self._others)
        rows = "".join(map(self._row, entries))
        return (rows if begins or not rows else CONTINUED + rows).encode()

    def tail(self, following: str | None) -> bytes:
        """Everything behind the last row."""
        footer = ""
        row = ""
        if self._folders or self._others:
            footer = f"<p>{self._summary()}</p>\n"
        else:
            text = "Nothing more here." if self._query.after else "This folder is empty."
            row = f'<tr><td colspan="3" class="none">{text}</td></tr>\n'
        links = ""
        if self._query.after:
            links += f'<a href="{escape(self._query.address())}">First page</a>\n'
        if following is not None:
            links += f'<a href="{escape(following)}" rel="next">Next page</a>\n'
        if links:
            footer += f'<nav aria-label="Pages">\n{links}</nav>\n'
        return (row + TAIL.format(footer=footer)).encode()

    def _crumbs(self) -> str:
        """The way here, as links up."""
        folder = self._query.folder
        if not folder:
            return ""
        items = "".join(
            f'<li><a href="{"../" * (len(folder) - depth)}{escape(self._keep_order)}">'
            f"{_text(name)}</a></li>\n"
            for depth, name in enumerate((ROOT_NAME, *folder[:-1]))
        )
        return f'<nav aria-label="Folders above">\n<ol>\n{items}</ol>\n</nav>\n'

    def _column(self, sort: Sort, label: str) -> str:
        current = self._query.ordering
        if sort is current.sort:
            order = OPPOSITES[current.order]
            aria_sort = f' aria-sort="{ARIA_SORTS[current.order]}"'
        else:
            order = DEFAULT_ORDERS[sort]
            aria_sort = ""
        address = self._query.sorted(Ordering(sort, order)).address()
        return f'<th scope="col"{aria_sort}><a href="{escape(address)}">{label}</a></th>'

    def _row(self, entry: Entry) -> str:
        name = _text(entry.name)
        size = ""
        if entry.href is None:
            self._others += 1
            cell = f"<span>{name}</span>"
        elif entry.size is None:
            self._folders += 1
            cell = f'<a class="d" href="{entry.href}{escape(self._keep_order)}">{name}</a>'
        else:
            self._others += 1
            self._size += entry.size
            size = format_size(entry.size)
            kind = ICONS.get((entry.media_type or "").partition("/")[0])
            icon = f' class="{kind}"' if kind else ""
            cell = f'<a{icon} href="{entry.href}">{name}</a>'
        time = entry.modified
        return (
            f"<tr><td>{cell}</td><td>{size}</td>"
            f'<td><time datetime="{time}">{time[:10]}<span> {time[11:16]}</span></time></td></tr>\n'
        )

    def _summary(self) -> str:
        parts = []
        if self._folders:
            parts.append(_count(self._folders, "folder"))
        if self._others:
            parts += [_count(self._others, "file"), format_size(self._size)]
        return ", ".join(parts)


def format_size(size: int) -> str:
    """A number of bytes for people, to two or three digits."""
    if size < 1000:
        return f"{size} B"
    shown, step = size / 1000, 0
    while shown >= 999.5 and step < len(SIZE_UNITS) - 1:
        shown, step = shown / 1000, step + 1
    return f"{shown:.{1 if shown < 9.95 else 0}f} {SIZE_UNITS[step]}"


def _text(name: str) -> str:
    """A name as text of the page."""
    return escape(visible(name))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
