"""Content-Disposition of a part: the field's name, and the name of the file if it is one.

Two kinds of clients quote in two ways. Browsers write what they have between the quotes, with only
``"``, CR and LF percent-encoded, and a backslash is a backslash (HTML Standard, 4.10.21.8). Others
escape with backslashes, as a quoted string does (RFC 9110, 5.6.4). A value that can be read the
browsers' way was written by one: in the other way, a quote inside would follow a backslash, and
what follows that quote is then no parameter. ``filename*`` is no part of forms (RFC 7578, 4.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from riverrun.http.fields import TOKEN

PARAMETER = rf'[ \t]*;[ \t]*(?:({TOKEN.pattern})=(?:"(QUOTED)"|({TOKEN.pattern})))?[ \t]*'
BROWSERS = re.compile(PARAMETER.replace("QUOTED", r'[^"]*'))
ESCAPED = re.compile(PARAMETER.replace("QUOTED", r'(?:[^"\\]|\\.)*+'))


def parse_disposition(value: str) -> tuple[str, str | None]:
    """The name and the file name, None without one; neither is safe to use as a path.

    Raises `ValueError` for what is not ``form-data``, has no name or says anything twice.
    """
    kind, semicolon, rest = value.partition(";")
    if kind.strip(" \t").lower() != "form-data":
        raise ValueError("a part is not form-data")
    parameters = _parameters(semicolon + rest, BROWSERS, _percent_decoded)
    if parameters is None:
        parameters = _parameters(semicolon + rest, ESCAPED, _without_backslashes)
    if parameters is None:
        raise ValueError("the Content-Disposition of a part cannot be read")
    if "name" not in parameters:
        raise ValueError("a part has no name")
    return parameters["name"], parameters.get("filename")


def _parameters(
    text: str, pattern: re.Pattern[str], decoded: Callable[[str], str]
) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return None
        position = match.end()
        name, quoted, token = match.groups()
        if name is None:
            continue
        if name.lower() in parameters:
            return None
        parameters[name.lower()] = token if quoted is None else decoded(quoted)
    return parameters


def _percent_decoded(text: str) -> str:
    return text.replace("%0A", "\n").replace("%0D", "\r").replace("%22", '"')


def _without_backslashes(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
