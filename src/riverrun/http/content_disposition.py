"""Content-Disposition of a response: shown or saved, and under which name (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

# Slashes would name a folder. Control characters may not be sent, and those that turn the
# direction of text make a name look like another, ``exe.gpj`` like ``jpg.exe``.
NOT_IN_A_NAME = "[/\\\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
# RFC 6266, appendix D: old clients read quotes, backslashes and percent signs each in their way.
NOT_IN_A_FALLBACK = r'[^\x20-\x7e]|["\\%]'
ATTRIBUTE_SAFE = "!#$&+^`|"  # attr-char of RFC 8187, 3.2.1, besides letters, digits and -._~


def content_disposition(filename: str | None = None, *, inline: bool = False) -> str:
    """The field that has a browser save a response, or show it, under `filename`.

    Only the last part of a path should be given. What no name may hold becomes ``_``; a name
    beyond ASCII is sent whole beside an approximation for clients that know no better.
    """
    kind = "inline" if inline else "attachment"
    if not filename:
        return kind
    name = re.sub(NOT_IN_A_NAME, "_", filename)
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    fallback = re.sub(NOT_IN_A_FALLBACK, "_", plain)
    field = f'{kind}; filename="{fallback}"'
    if fallback != name:
        field += f"; filename*=UTF-8''{quote(name, safe=ATTRIBUTE_SAFE)}"
    return field
