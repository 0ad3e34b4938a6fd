"""The corpus of python-multipart means to our forms what it means there, wherever it is cut.

It comes inside that library's source distribution, which is fetched once and cached. Every case
is given whole, cut in two at every offset, and byte by byte. Every difference is listed, with why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.blackbox.multipart_corpus import Case, Expected, read_cases
from tests.blackbox.published import unpacked
from tests.http.forms import cut, one_by_one, outcome_of, request_of

CASES = 33
MALFORMED = 8
BOUNDARIES = {"single_field_blocks": "boundary"}
"""By case: the boundary that the library's own test uses, which is not the one in the file."""

NOT_TRANSFERRED = "no transfer encoding is undone: deprecated in forms (RFC 7578, 4.7)"
NOT_DATA = "the boundary must not begin a line of a part (RFC 2046, 5.1.1)"
DIFFERENT: dict[str, tuple[list[bytes] | None, str]] = {
    "almost_match_boundary_without_CR": (None, NOT_DATA),
    "almost_match_boundary_without_LF": (None, NOT_DATA),
    "almost_match_boundary_without_final_hyphen": (None, NOT_DATA),
    "base64_encoding": ([b"VGVzdCAxMjM="], NOT_TRANSFERRED),
    "base64_encoding_whitespace": ([b"aGVsbG8="] * 2, NOT_TRANSFERRED),
    "mixed_case_headers": ([b"VGVzdCAxMjM="] * 3, NOT_TRANSFERRED),
    "mixed_plain_and_base64_encoding": (
        [b"VGVzdCAxMjM=", b"This is a test.", b"VGVzdCBzdHJpbmcuCg==", b"This is also a test."],
        NOT_TRANSFERRED,
    ),
    "quoted_printable_encoding": ([b"foo=3Dbar"], NOT_TRANSFERRED),
    "boundary_padding": (None, "no composer may pad a boundary (RFC 2046, 5.1.1)"),
    "header_with_number": (None, "the parser takes letters, digits, - and _ in field names"),
    "non_ascii_whitespace_before_filename": (None, "heads are UTF-8 (RFC 7578, 5.1.2)"),
}
"""By case: what its parts hold instead, or None if it is refused; and why."""


@pytest.fixture(scope="session")
def cases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Case]:
    folder: Path = unpacked(
        request, tmp_path_factory, "python-multipart", "0.0.34", "tests/test_data/http"
    )
    return read_cases(folder)


def expected(case: Case) -> list[Expected] | None:
    if case.name not in DIFFERENT:
        return case.parts
    held, _ = DIFFERENT[case.name]
    if held is None:
        return None
    assert case.parts is not None
    return [replace(part, data=data) for part, data in zip(case.parts, held, strict=True)]


async def is_as(wanted: list[Expected] | None, case: Case, chunks: Iterable[bytes]) -> bool:
    boundary = BOUNDARIES.get(case.name, case.boundary)
    got = await outcome_of(request_of(chunks, f"multipart/form-data; boundary={boundary}"))
    if wanted is None or isinstance(got, int):
        return wanted is None and got == 400
    return len(got) == len(wanted) and all(
        (part.name, part.filename, part.data) == (want.name, want.filename, want.data)
        and want.content_type in (None, part.content_type)
        for part, want in zip(got, wanted, strict=True)
    )


async def test_the_corpus_means_here_what_it_means_there(cases: dict[str, Case]) -> None:
    assert len(cases) == CASES
    wrong = []
    for case in cases.values():
        wanted = expected(case)
        ways = [cut(case.body, offset) for offset in range(len(case.body))]
        for way in [*ways, one_by_one(case.body)]:
            if not await is_as(wanted, case, way):
                wrong.append((case.name, way))
                break
    assert [name for name, _ in wrong] == []


async def test_every_difference_that_is_listed_is_one(cases: dict[str, Case]) -> None:
    for name in DIFFERENT:
        assert not await is_as(cases[name].parts, cases[name], [cases[name].body]), name


def test_the_corpus_is_read_as_it_is_written(cases: dict[str, Case]) -> None:
    assert sum(case.parts is None for case in cases.values()) == MALFORMED
    assert cases["empty_message"].parts == []
    assert cases["header_with_number"].parts == [
        Expected("files", "secret.txt", "text/plain; charset=utf-8", b"aaaaaa")
    ]
    assert [part.name for part in cases["multiple_files"].parts or ()] == ["file1", "file2"]
