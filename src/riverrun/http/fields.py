"""The grammar that field names and values share (RFC 9110, 5).

What goes out is checked here, so that no value ends its line and starts another. What comes in has
been through the parser; here it is only taken apart: lists at their commas, parameters at their
semicolons, quoted strings out of their quotes. Nothing here knows what a field means.
"""

from __future__ import annotations

import re
from functools import lru_cache

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
TEXT = r"[\t\x20-\x7e\x80-\xff]*"
# A quoted string that is never closed runs to the end: no input makes these fail or backtrack.
QUOTED = rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
ELEMENT = rb"(?s:[^,\"]|" + QUOTED + rb")++"
PARAMETER = rb"(?s:[^;\"]|" + QUOTED + rb")++"
WHITESPACE = b" \t"


@lru_cache(maxsize=512)
def is_token(text: str) -> bool:
    """Whether `text` is a token: a method, a field name, a coding (RFC 9110, 5.6.2)."""
    return TOKEN.fullmatch(text) is not None


def check_field(name: str, value: str) -> None:
    """Raise `ValueError` for what may not be sent as a field.

    A name is a token (RFC 9110, 5.1). A value holds no control character but the tab, and no
    character beyond latin-1 (5.5): anything else must be encoded by whoever sets it.
    """
    if not is_token(name):
        raise ValueError(f"{name!r} is no field name")
    # Printable ASCII, the common case, is told apart faster without a pattern.
    if not (value.isascii() and value.isprintable()) and re.fullmatch(TEXT, value) is None:
        raise ValueError(f"the value of {name} holds a character that may not be sent: {value!r}")


def split_list(value: bytes) -> list[bytes]:
    """The elements of a comma-separated list, without empty ones (RFC 9110, 5.6.1.2).

    Commas within quoted strings do not separate; the strings keep their quotes.
    """
    elements = re.findall(ELEMENT, value) if b'"' in value else value.split(b",")
    return [element for part in elements if (element := part.strip(WHITESPACE))]


def split_parameters(element: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """What stands before the first semicolon, and the parameters behind it (RFC 9110, 5.6.6).

    Parameter names are lower-cased and values unquoted; of a repeated name the first counts. What
    is no ``name=value`` is left out.
    """
    first, _, rest = element.partition(b";")
    parameters: dict[bytes, bytes] = {}
    for part in re.findall(PARAMETER, rest):
        name, equals, value = part.partition(b"=")
        name = name.strip(WHITESPACE).lower()
        if equals and name:
            parameters.setdefault(name, unquote(value.strip(WHITESPACE)))
    return first.strip(WHITESPACE), parameters


def unquote(value: bytes) -> bytes:
    """The text of a quoted string (RFC 9110, 5.6.4); any other value as it is."""
    if len(value) < 2 or value[0] != 0x22 or value[-1] != 0x22:
        return value
    inner = value[1:-1]
    return re.sub(rb"\\(.)", rb"\1", inner, flags=re.DOTALL) if b"\\" in inner else inner


def quote(text: str) -> str:
    """`text` as a quoted string (RFC 9110, 5.6.4). What may not be sent, `check_field` refuses."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
