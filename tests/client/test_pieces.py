"""In which pieces a file is appended to an upload."""

from __future__ import annotations

import pytest

from riverrun.client.fields import UploadLimits, read_limits
from riverrun.client.pieces import Pieces

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("size", "wanted", "limits", "offset", "piece"),
    [
        (100, None, UploadLimits(), 0, (100, True)),
        (100, None, UploadLimits(), 100, (0, True)),
        (100, 30, UploadLimits(), 0, (30, False)),
        (100, 30, UploadLimits(), 80, (20, True)),
        (100, 30, UploadLimits(None, 20), 0, (20, False)),
        (100, 10, UploadLimits(None, 20), 0, (10, False)),
        (100, 10, UploadLimits(None, None, 20), 0, (20, False)),
        (100, 10, UploadLimits(None, None, 20), 95, (5, True)),
        (100, None, UploadLimits(None, 0), 0, (100, True)),
    ],
)
def test_a_piece_is_what_is_wanted_within_the_limits(
    size: int, wanted: int | None, limits: UploadLimits, offset: int, piece: tuple[int, bool]
) -> None:
    pieces = Pieces(size, wanted)
    pieces.limit(limits)
    assert pieces.at(offset) == piece


def test_pieces_shrink_to_the_limit_that_is_told() -> None:
    pieces = Pieces(100 * MIB)
    assert pieces.shrink({"upload-limit": f"max-append-size={MIB}"})
    assert pieces.at(0) == (MIB, False)


def test_pieces_shrink_by_half_where_none_is_told_until_there_is_no_hope() -> None:
    pieces = Pieces(1000 * MIB)
    sizes = []
    while pieces.shrink({}):
        sizes.append(pieces.at(0)[0])
    assert sizes == [64 * MIB >> step for step in range(11)]


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        ("max-size=10, max-append-size=5;a, min-append-size=2", UploadLimits(10, 5, 2)),
        ("max-age=3, unknown", UploadLimits()),
        ("max-size=10, max-append-size=?1", UploadLimits()),
        ("max-size=-1", UploadLimits()),
        ("max-size=10,,", UploadLimits()),
        ("", UploadLimits()),
    ],
)
def test_limits_are_read_or_ignored(field: str, limits: UploadLimits) -> None:
    assert read_limits({"upload-limit": field}) == limits
