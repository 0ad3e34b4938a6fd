"""The fields of tus: whatever comes, it is read as it was meant or refused with 400."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riverrun.apps.uploads.tus.fields import (
    CHECKSUM_ALGORITHMS,
    parse_checksum,
    parse_concatenation,
    parse_metadata,
    parse_new_length,
    parse_number,
    target_of,
    wants_other_name,
)
from riverrun.errors import HTTPError

KEY_CHARACTERS = "".join(chr(code) for code in range(33, 127) if chr(code) != ",")
KEYS = st.text(KEY_CHARACTERS, min_size=1, max_size=20)
IDS = st.text("0123456789abcdef", min_size=1, max_size=32)
ANYTHING = st.binary(max_size=200)


def encode(metadata: dict[str, bytes]) -> bytes:
    return b",".join(
        key.encode() + b" " + base64.b64encode(value) for key, value in metadata.items()
    )


@contextmanager
def refused_or_read() -> Iterator[None]:
    """The block may end with 400, and with no other error."""
    refusal: HTTPError | None = None
    try:
        yield
    except HTTPError as error:
        refusal = error
    assert refusal is None or refusal.status == 400


# Upload-Metadata.


@given(st.dictionaries(KEYS, st.binary(max_size=50)))
def test_metadata_comes_back(metadata: dict[str, bytes]) -> None:
    assert parse_metadata(encode(metadata)) == metadata
    assert parse_metadata(encode(metadata).replace(b",", b" , ")) == metadata


@given(ANYTHING)
@example(b'"')
@example(b'a ",b "')
def test_any_metadata_is_read_or_refused(value: bytes) -> None:
    with refused_or_read():
        metadata = parse_metadata(value)
        assert all(key.isascii() and key.isprintable() and "," not in key for key in metadata)
        target_of(metadata)
        wants_other_name(metadata)


@pytest.mark.parametrize(
    ("value", "metadata"),
    [
        (b"", {}),
        (b"a", {"a": b""}),
        (b"a ", {"a": b""}),
        (b"a YQ==,b", {"a": b"a", "b": b""}),
        (b"a YQ==, b Yg==", {"a": b"a", "b": b"b"}),
        (b"file.name/x YQ==", {"file.name/x": b"a"}),
    ],
)
def test_values_may_be_empty(value: bytes, metadata: dict[str, bytes]) -> None:
    assert parse_metadata(value) == metadata


@pytest.mark.parametrize(
    "value",
    [
        b"a YQ",
        b"a Y!==",
        b"a  YQ==",
        b"a YQ== x",
        b"a YQ==,a Yg==",
        b"a,a",
        b"\xe4 YQ==",
        b"a\tYQ==",
    ],
)
def test_metadata_that_is_not_valid_is_refused(value: bytes) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_metadata(value)
    assert caught.value.status == 400


# Names.


@given(st.dictionaries(st.sampled_from(["relativePath", "path", "filename", "name"]), ANYTHING))
def test_a_target_never_climbs_nor_hides(metadata: dict[str, bytes]) -> None:
    target = target_of(metadata)
    if target is not None:
        assert target
        for name in target:
            assert name
            assert name[0] != "."
            assert not set(name) & set("/\\\0\r\n")
            assert len(name.encode()) <= 255


def test_only_a_path_makes_folders() -> None:
    assert target_of({"filename": b"a/b"}) == ("b",)
    assert target_of({"path": b"a/b"}) == ("a", "b")
    assert target_of({"filetype": b"a/b"}) is None


# Upload-Concat.


@given(st.lists(IDS, min_size=1, max_size=9), st.sampled_from(["", "/~/tus/", "http://a:1/~/tus/"]))
def test_parts_are_told_by_their_ids(ids: list[str], prefix: str) -> None:
    value = "final;" + " ".join(prefix + upload_id for upload_id in ids)
    concatenation = parse_concatenation(value.encode())
    assert concatenation is not None
    assert concatenation.final
    assert concatenation.parts == tuple(ids)


@given(ANYTHING)
@example(b"final;//[")
@example(b"final;a ")
def test_any_concatenation_is_read_or_refused(value: bytes) -> None:
    with refused_or_read():
        concatenation = parse_concatenation(value)
        assert concatenation is not None
        assert concatenation.final or value == b"partial"
        assert all(concatenation.parts)


def test_no_concatenation() -> None:
    assert parse_concatenation(None) is None
    partial = parse_concatenation(b"partial")
    assert partial is not None
    assert not partial.final


@pytest.mark.parametrize(
    "value",
    [b"", b"final", b"final;", b"final; ", b"final;/", b"other;/a", b"partial;", b"Partial"],
)
def test_a_concatenation_that_is_not_valid_is_refused(value: bytes) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_concatenation(value)
    assert caught.value.status == 400


# Upload-Checksum.


@given(st.sampled_from(CHECKSUM_ALGORITHMS), ANYTHING, ANYTHING)
def test_a_checksum_holds_for_its_bytes_and_no_others(
    algorithm: str, content: bytes, other: bytes
) -> None:
    encoded = base64.b64encode(hashlib.new(algorithm, content).digest())
    (check,) = parse_checksum(algorithm.encode() + b" " + encoded)
    check.update(other)
    if other == content:
        check.verify()
    else:
        with pytest.raises(HTTPError) as caught:
            check.verify()
        assert caught.value.status == 460


@given(ANYTHING)
@example(b"sha1 \xff")
def test_any_checksum_is_read_or_refused(value: bytes) -> None:
    with refused_or_read():
        parse_checksum(value)


def test_no_checksum() -> None:
    assert parse_checksum(None) == []


# Numbers.


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_numbers_come_back(number: int) -> None:
    assert parse_number({b"upload-offset": str(number).encode()}, b"upload-offset") == number
    assert parse_new_length({b"upload-length": str(number).encode()}) == number


@given(ANYTHING)
@example(b"\xb2")
@example(b"1_000")
@example(b"9" * 5000)
def test_any_number_is_read_or_refused(value: bytes) -> None:
    with refused_or_read():
        number = parse_number({b"upload-offset": value}, b"upload-offset")
        assert number == int(value)
