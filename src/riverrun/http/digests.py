"""Digests of what is sent (RFC 9530): read, calculated as the bytes go by, compared, rendered.

Only the algorithms that can be relied upon are known here, sha-512 and sha-256. A recipient may
ignore any digest (RFC 9530, 2), so those of another algorithm are passed over, among them the
deprecated ones (5): md5, sha, unixsum, unixcksum, adler and crc32c.

What is wrong with a digest is answered with 400 and a problem type of
draft-ietf-httpapi-digest-fields-problem-types-06, which waits for its number as an RFC:
``digest-invalid-values`` for one that its algorithm cannot yield (3.2), and
``digest-mismatched-values`` for one that is not that of the bytes (3.3). The digest that was
calculated is never told, so that nobody can ask us for those of what he does not know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from riverrun.errors import HTTPError
from riverrun.http.structured_fields import parse_dictionary, render_dictionary
from riverrun.streams.contracts import Chunk

CONTENT_DIGEST = "Content-Digest"
REPR_DIGEST = "Repr-Digest"

HASHES = {"sha-512": hashlib.sha512, "sha-256": hashlib.sha256}
"""The algorithms that are known, the strongest first."""

MAX_PREFERENCE = 10
INVALID_VALUES = "https://iana.org/assignments/http-problem-types#digest-invalid-values"
MISMATCHED_VALUES = "https://iana.org/assignments/http-problem-types#digest-mismatched-values"


class Digester:
    """Calculates digests of bytes that go by, one for each algorithm asked for.

    Raises `KeyError` for an algorithm that is not among `HASHES`.
    """

    __slots__ = ("_running",)

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._running = {algorithm: HASHES[algorithm]() for algorithm in algorithms}

    def update(self, chunk: Chunk) -> None:
        """Take the next bytes into account."""
        for running in self._running.values():
            running.update(chunk)

    def digest(self, algorithm: str) -> bytes:
        """The digest of all bytes so far, by an algorithm that was asked for."""
        return self._running[algorithm].digest()

    def mismatched(self, expected: Mapping[str, bytes]) -> dict[str, bytes]:
        """Those of `expected` that are not the digests of the bytes so far.

        Raises `KeyError` for an algorithm that was not asked for.
        """
        return {
            algorithm: digest
            for algorithm, digest in expected.items()
            if self.digest(algorithm) != digest
        }

    def check(self, expected: Mapping[str, bytes], *, field: str = CONTENT_DIGEST) -> None:
        """Raise `HTTPError` 400 unless the bytes so far have all digests that `field` expected."""
        mismatched = self.mismatched(expected)
        if not mismatched:
            return
        raise HTTPError(
            400,
            f"The {_listed(mismatched)} digest in {field} is not that of the bytes that came.",
            extensions={
                "type": MISMATCHED_VALUES,
                "title": "Mismatched Digest Values",
                "mismatched_digests": [
                    {
                        "algorithm": algorithm,
                        "provided_digest": render_digest(algorithm, digest).partition("=")[2],
                        "header": field,
                    }
                    for algorithm, digest in mismatched.items()
                ],
            },
        )


def parse_digests(value: bytes, *, field: str = CONTENT_DIGEST) -> dict[str, bytes]:
    """The digests of a Content-Digest or Repr-Digest field by algorithm, of those that are known.

    Raises `HTTPError` 400 for what is no dictionary of byte sequences, and for a digest of a
    length that its algorithm does not have; `field` is what the error calls it.
    """
    members = parse_dictionary(value)
    if members is None:
        raise HTTPError(400, f"{field} is not valid.")
    digests: dict[str, bytes] = {}
    for algorithm, make in HASHES.items():
        if algorithm not in members:
            continue
        digest = members[algorithm]
        if not isinstance(digest, bytes):
            raise HTTPError(400, f"The {algorithm} digest in {field} is no byte sequence.")
        if len(digest) != make().digest_size:
            raise _invalid(algorithm, field, f"digest value is not {make().digest_size} bytes long")
        digests[algorithm] = digest
    return digests


def render_digest(algorithm: str, digest: bytes) -> str:
    """A Content-Digest or Repr-Digest field with one digest."""
    return render_dictionary({algorithm: digest})


def wanted_digest(value: bytes | None) -> str | None:
    """The known algorithm that a Want-Content-Digest or Want-Repr-Digest field likes best.

    None if there is no field, or it likes none of them: 0 means not acceptable. Preferences are
    hints (RFC 9530, 4), so what is not valid is passed over. Of equals the strongest is taken.
    """
    members = parse_dictionary(value) if value is not None else None
    wanted, highest = None, 0
    for algorithm in HASHES:
        preference = (members or {}).get(algorithm)
        if type(preference) is int and highest < preference <= MAX_PREFERENCE:
            wanted, highest = algorithm, preference
    return wanted


def _invalid(algorithm: str, field: str, reason: str) -> HTTPError:
    return HTTPError(
        400,
        f"The {algorithm} digest in {field} is not valid: {reason}.",
        extensions={
            "type": INVALID_VALUES,
            "title": "Invalid Digest Values",
            "invalid_digests": [{"algorithm": algorithm, "header": field, "reason": reason}],
        },
    )


def _listed(algorithms: Iterable[str]) -> str:
    return " and the ".join(algorithms)
