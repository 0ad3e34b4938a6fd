"""Header fields as handlers see them: names in any case, values as text.

The wire carries bytes. A request's fields are parsed into a plain ``dict`` of bytes, which the
protocol code reads directly; `FieldView` shows that dict as text. A response's fields are
collected in `Headers`, checked as they are set, and rendered once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, MutableMapping

from riverrun.http.fields import check_field

Fields = dict[bytes, bytes]
"""Field values by lower-case name; repeated fields are joined (RFC 9110, 5.3)."""


class FieldView(Mapping[str, str]):
    """A request's fields, read-only: ``request.headers["content-type"]``."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        try:
            return self._fields[name.lower().encode("latin-1")].decode("latin-1")
        except (KeyError, UnicodeEncodeError):
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"FieldView({dict(self)!r})"


class Headers(MutableMapping[str, str]):
    """A response's fields. Setting replaces; `add` repeats (``set-cookie``).

    Setting raises `ValueError` for what may not be in a field: a name that is no token, a value
    with a line break or NUL (RFC 9110, 5.1 and 5.5).
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields: dict[str, list[str]] = {}
        if fields:
            self.update(fields)

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._fields[name.lower()])

    def __setitem__(self, name: str, value: str) -> None:
        check_field(name, value)
        self._fields[name.lower()] = [value]

    def __delitem__(self, name: str) -> None:
        del self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"

    def add(self, name: str, value: str) -> None:
        """Append a field beside those of the same name."""
        check_field(name, value)
        self._fields.setdefault(name.lower(), []).append(value)

    def render(self, *, without: Container[str] = ()) -> bytes:
        """The field lines as they go on the wire, each with its line end.

        Those whose names, in lower case, are in `without` are left out.
        """
        return "".join(
            f"{name}: {value}\r\n"
            for name, values in self._fields.items()
            if name not in without
            for value in values
        ).encode("latin-1")
