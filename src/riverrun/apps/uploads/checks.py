"""Digests that a client announced, checked against what came (RFC 9530)."""

from __future__ import annotations

from riverrun.http.digests import Digester, parse_digests


class DigestCheck:
    """Verifies the value of a digest field, Content-Digest or Repr-Digest; a `BodyCheck`.

    Algorithms that we do not know are passed over, as RFC 9530, 2 has it. Raises `HTTPError` 400
    when the field is not valid.
    """

    def __init__(self, field: str, value: bytes) -> None:
        self._field = field
        self._expected = parse_digests(value, field=field)
        self._digester = Digester(self._expected)

    def __bool__(self) -> bool:
        """Whether there is anything to verify."""
        return bool(self._expected)

    def update(self, chunk: bytes, /) -> None:
        """Take the next bytes into account."""
        self._digester.update(chunk)

    def verify(self) -> None:
        """Raise `HTTPError` 400 if one of the digests is another."""
        self._digester.check(self._expected, field=self._field)


def repr_check(value: str) -> DigestCheck:
    """The check of a Repr-Digest, which is that of the whole file. Raises as `DigestCheck`."""
    return DigestCheck("Repr-Digest", value.encode("latin-1"))
