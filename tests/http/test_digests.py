from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.errors import HTTPError
from riverrun.http.digests import (
    HASHES,
    INVALID_VALUES,
    MISMATCHED_VALUES,
    REPR_DIGEST,
    Digester,
    parse_digests,
    render_digest,
    wanted_digest,
)

# RFC 9530, appendix B
CONTENT = b'{"hello": "world"}\n'
SHA_256 = b"RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="
SHA_512 = (
    b"YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg=="
)
DIGEST_256 = base64.b64decode(SHA_256)
DIGEST_512 = base64.b64decode(SHA_512)


@pytest.mark.parametrize(
    ("value", "digests"),
    [
        (b"sha-256=:%b:" % SHA_256, {"sha-256": DIGEST_256}),
        (
            b"sha-256=:%b:,sha-512=:%b:" % (SHA_256, SHA_512),
            {"sha-256": DIGEST_256, "sha-512": DIGEST_512},
        ),
        (b"sha-256=:%b:;by=proxy" % SHA_256, {"sha-256": DIGEST_256}),
        (b"", {}),
        # What is deprecated or not known is ignored, whatever its value is.
        (b"md5=:Sd/dVLAcvNLSq16eXua5uQ==:, sha=:3q2+7w==:", {}),
        (b"unixsum=:AAA=:, unixcksum=:AAAAAA==:, adler=:AAAAAA==:, crc32c=:AAAAAA==:", {}),
        (b"sha3-256=1, x, y=(1 2)", {}),
        (b"sha-256=:%b:, md5=5" % SHA_256, {"sha-256": DIGEST_256}),
    ],
)
def test_the_known_digests_are_parsed(value: bytes, digests: dict[str, bytes]) -> None:
    assert parse_digests(value) == digests


@pytest.mark.parametrize(
    "value",
    [
        b"sha-256",
        b"sha-256=1",
        b"sha-256=%b" % SHA_256,
        b'sha-256="%b"' % SHA_256,
        b"sha-256=(:%b:)" % SHA_256,
        b"sha-256=:%b" % SHA_256,
        b"sha-256=:%b:," % SHA_256,
        b"SHA-256=:%b:" % SHA_256,
        b"sha-256=:!:",
        b"\xff",
    ],
)
def test_a_field_that_is_not_valid_is_refused(value: bytes) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        parse_digests(value)
    assert caught.value.extensions == {}


def test_a_digest_that_its_algorithm_cannot_yield_is_refused_before_a_byte_is_read() -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        parse_digests(b"sha-512=:%b:" % SHA_256, field=REPR_DIGEST)
    assert caught.value.extensions == {
        "type": INVALID_VALUES,
        "title": "Invalid Digest Values",
        "invalid_digests": [
            {
                "algorithm": "sha-512",
                "header": "Repr-Digest",
                "reason": "digest value is not 64 bytes long",
            }
        ],
    }


@given(st.binary() | st.text("sha-256md=:;,?1A").map(str.encode))
def test_any_bytes_are_digests_or_refused(value: bytes) -> None:
    try:
        digests = parse_digests(value)
    except HTTPError:
        return
    assert all(len(digests[name]) == HASHES[name]().digest_size for name in digests)


@given(st.lists(st.binary()))
def test_the_digests_are_those_of_all_chunks(chunks: list[bytes]) -> None:
    digester = Digester(HASHES)
    for chunk in chunks:
        digester.update(chunk)
    whole = b"".join(chunks)
    expected = {
        "sha-256": hashlib.sha256(whole).digest(),
        "sha-512": hashlib.sha512(whole).digest(),
    }
    assert digester.mismatched(expected) == {}
    digester.check(expected)
    assert {name: digester.digest(name) for name in expected} == expected


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_a_chunk_may_be_any_buffer(make: type[bytes]) -> None:
    digester = Digester(["sha-256"])
    digester.update(make(CONTENT))
    assert digester.digest("sha-256") == DIGEST_256


def test_other_bytes_than_those_announced_are_refused() -> None:
    digester = Digester(["sha-256", "sha-512"])
    digester.update(b'{"hello": "woXYZ"}\n')
    expected = parse_digests(b"sha-256=:%b:" % SHA_256)
    with pytest.raises(HTTPError, match="400") as caught:
        digester.check(expected, field=REPR_DIGEST)
    # draft-ietf-httpapi-digest-fields-problem-types-06, figure 8
    assert caught.value.extensions == {
        "type": MISMATCHED_VALUES,
        "title": "Mismatched Digest Values",
        "mismatched_digests": [
            {
                "algorithm": "sha-256",
                "provided_digest": ":RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
                "header": "Repr-Digest",
            }
        ],
    }


def test_only_the_digest_that_differs_is_named() -> None:
    digester = Digester(HASHES)
    digester.update(CONTENT)
    wrong = bytes(32)
    assert digester.mismatched({"sha-512": DIGEST_512, "sha-256": wrong}) == {"sha-256": wrong}


def test_an_algorithm_that_is_not_known_cannot_be_asked_for() -> None:
    with pytest.raises(KeyError, match="md5"):
        Digester(["md5"])


def test_a_digest_is_rendered_as_it_is_read() -> None:
    assert render_digest("sha-256", DIGEST_256) == f"sha-256=:{SHA_256.decode()}:"
    assert parse_digests(render_digest("sha-512", DIGEST_512).encode()) == {"sha-512": DIGEST_512}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, None),
        (b"", None),
        # RFC 9530, 4
        (b"sha-256=1", "sha-256"),
        (b"sha-512=3, sha-256=10, unixsum=0", "sha-256"),
        (b"sha-512=5, sha-256=5", "sha-512"),
        (b"sha-256=5, sha-512=5", "sha-512"),
        (b"sha-512=0, sha-256=1", "sha-256"),
        (b"sha-512=0", None),
        (b"md5=10, sha=9", None),
        (b"md5=10, sha-256=1", "sha-256"),
        (b"sha-256=10;x=1", "sha-256"),
        # Hints: what is not valid is passed over.
        (b"sha-512=11, sha-256=1", "sha-256"),
        (b"sha-512=-1, sha-256=1", "sha-256"),
        (b"sha-512=0.5", None),
        (b"sha-512", None),
        (b"sha-512=:AA==:", None),
        (b"sha-512=1,", None),
        (b"\xff", None),
    ],
)
def test_the_digest_that_is_liked_best_is_chosen(value: bytes | None, wanted: str | None) -> None:
    assert wanted_digest(value) == wanted
