"""Names of files, which are bytes to the system, as text for people."""

from __future__ import annotations

# Shown as U+FFFD: what draws nothing, and what would turn the direction of the text around it.
UNREADABLE = dict.fromkeys(
    (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD
)


def readable(name: str) -> str:
    """A name without surrogate escapes."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def visible(name: str) -> str:
    """A name for people's eyes: what it cannot show, or would be misled by, as U+FFFD."""
    name = readable(name)
    return name if name.isprintable() else name.translate(UNREADABLE)
