"""The request fixtures of llhttp: markdown with the bytes of requests, and what they should mean.

A fixture is a heading, a comment that says which parser it is for (strict or lenient in one way),
a block of ``http`` and a block of ``log``. The rules of writing are those of llhttp's own runner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

KIND = re.compile(r'<!-- meta=\{.*"type": *"([^"]+)".*\} *-->')
COMPLETE = re.compile(r"^off=\d+ message complete$", re.MULTILINE)
ERROR = re.compile(r'^off=\d+ error code=(?P<code>\d+) reason="(?P<reason>.*)"$', re.MULTILINE)
REPEATED = re.compile(r"\$\{'(.)'\.repeat\((\d+)\)\}")
MESSAGE = re.compile(r"off=\d+ message begin.*?(?=off=\d+ message begin|\Z)", re.DOTALL)
VERSION_END = re.compile(r"off=(?P<offset>\d+) version complete")
PAUSED_FOR_UPGRADE = "22"
HOST = re.compile(r'span\[header_field\]="host"', re.IGNORECASE)


@dataclass(frozen=True)
class Fixture:
    """`complete` messages, then perhaps an error, is what llhttp makes of `data`."""

    title: str
    kind: str
    data: bytes
    complete: int
    error: str | None
    upgrade: bool

    @property
    def lenient(self) -> bool:
        return "lenient" in self.kind


def read_fixtures(path: Path) -> list[Fixture]:
    """All fixtures of a file, in order."""
    found = []
    title = kind = data = ""
    lines = iter(path.read_text().split("\n"))
    for line in lines:
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif matched := KIND.match(line):
            kind = matched[1]
        elif line == "```http":
            data = _block(lines)
        elif line == "```log":
            found.append(_fixture(title, kind, data, _block(lines)))
    return found


def _block(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in takewhile(lambda line: line != "```", lines))


def _fixture(title: str, kind: str, data: str, log: str) -> Fixture:
    error = ERROR.search(log)
    upgrade = error is not None and error["code"] == PAUSED_FOR_UPGRADE
    return Fixture(
        title,
        kind,
        _with_hosts(_bytes_of(data), log),
        len(COMPLETE.findall(log)),
        None if error is None or upgrade else error["reason"],
        upgrade,
    )


def _bytes_of(block: str) -> bytes:
    text = block.removesuffix("\n")
    text = re.sub(r"\\\n", "", text)
    text = re.sub(r"\r\n|\r|\n", "\r\n", text)
    for escape, character in (("r", "\r"), ("n", "\n"), ("t", "\t"), ("f", "\f")):
        text = text.replace(f"\\{escape}", character)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda digits: chr(int(digits[1], 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda digits: chr(int(digits[1], 8)), text)
    text = REPEATED.sub(lambda call: call[1] * int(call[2]), text)
    return text.encode()


def _with_hosts(data: bytes, log: str) -> bytes:
    """Give a Host to every request of HTTP/1.1 without one: llhttp does not ask for it, we do."""
    for message in reversed(MESSAGE.findall(log)):
        version = VERSION_END.search(message)
        if version is None or HOST.search(message) or 'span[version]="1.1"' not in message:
            continue
        end = int(version["offset"])
        if data[end : end + 2] == b"\r\n":
            data = data[: end + 2] + b"Host: a\r\n" + data[end + 2 :]
    return data
