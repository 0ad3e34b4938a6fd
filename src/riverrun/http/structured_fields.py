"""Structured fields (RFC 9651), as far as our protocols use them: booleans, integers, dictionaries.

The grammar is http_sf's. Here its values become plain ones, without parameters, which RFC 9651, 2
has us ignore where a field defines none, and what is not valid becomes None: the fields that we
read either ignore such a value (RFC 9651, 4.2) or say what else is to be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import http_sf


def parse_boolean(value: bytes) -> bool | None:
    """The boolean of an item field, or None if it is not valid or something else."""
    item = _parse_item(value)
    return item if isinstance(item, bool) else None


def parse_integer(value: bytes) -> int | None:
    """The integer of an item field, or None if it is not valid or something else."""
    item = _parse_item(value)
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def parse_dictionary(value: bytes) -> dict[str, object] | None:
    """The members of a dictionary field, or None if it is not valid.

    A member may be of any type, ``bytes`` for a byte sequence; of a repeated name the last counts.
    """
    import http_sf  # noqa: PLC0415 - few fields are structured

    try:
        members = http_sf.parse(value, tltype="dictionary")
    except ValueError:
        return None
    assert isinstance(members, dict)
    return {name: _without_parameters(member) for name, member in members.items()}


def render_dictionary(members: Mapping[str, bool | int | bytes]) -> str:
    """A dictionary field.

    Raises `ValueError` for one that is empty, since such a field is not sent (RFC 9651, 4.1), for
    what is no key, and for an integer of more than 15 digits (3.3.1).
    """
    import http_sf  # noqa: PLC0415 - as above

    structure: http_sf.DictionaryType = {**members}
    return http_sf.ser(structure)


def _parse_item(value: bytes) -> object:
    import http_sf  # noqa: PLC0415 - as above

    try:
        return _without_parameters(http_sf.parse(value, tltype="item"))
    except ValueError:
        return None


def _without_parameters(parsed: object) -> object:
    return parsed[0] if isinstance(parsed, tuple) else parsed
