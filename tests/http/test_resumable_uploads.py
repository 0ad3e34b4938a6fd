"""The fields of resumable uploads, by draft-ietf-httpbis-resumable-upload-12 and those before."""

from __future__ import annotations

from typing import Any

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.errors import HTTPError
from riverrun.http.resumable_uploads import (
    INTEROP_VERSIONS,
    NEWEST,
    PARTIAL_UPLOAD,
    PROBLEM_TYPES,
    AnnouncedLimits,
    InteropVersion,
    UploadRequest,
    beyond_limit,
    check_append,
    check_bare,
    check_creation,
    completed_upload,
    inconsistent_length,
    interim_fields,
    mismatching_offset,
    parse_upload_request,
    upload_fields,
)

NO_LIMITS = AnnouncedLimits()
V3, V4, V5, V6, V7, V8, V9 = (INTEROP_VERSIONS[number] for number in range(3, 10))
EVERY_VERSION = pytest.mark.parametrize("version", INTEROP_VERSIONS.values())


def request(
    version: InteropVersion | None = None,
    *,
    complete: bool | None = None,
    offset: int | None = None,
    length: int | None = None,
    content_length: int | None = 0,
    media_type: str = PARTIAL_UPLOAD,
) -> UploadRequest:
    """What a client of `version` sends, parsed."""
    fields = upload_fields(version or NEWEST, complete=complete, offset=offset, length=length)
    fields["content-type"] = media_type
    if version is not None:
        fields["upload-draft-interop-version"] = str(version.number)
    encoded = {name.encode(): value.encode() for name, value in fields.items()}
    return parse_upload_request(encoded, content_length)


def append(version: InteropVersion | None = None, **said: Any) -> UploadRequest:
    return request(version, **{"complete": True, "offset": 100, "content_length": 50, **said})


# What a request says.


def test_the_newest_draft_is_spoken_without_a_version() -> None:
    upload = parse_upload_request(
        {
            b"upload-complete": b"?0",
            b"upload-offset": b"20000000",
            b"upload-length": b"1234567890",
            b"content-type": b"Application/Partial-Upload; x=1",
        },
        3456789,
    )
    assert upload == UploadRequest(
        version=NEWEST,
        interim=False,
        complete=False,
        offset=20000000,
        length=1234567890,
        content_length=3456789,
        media_type=PARTIAL_UPLOAD,
    )
    assert upload.resumable
    assert not upload.completes


@pytest.mark.parametrize(
    ("number", "version", "interim"),
    [
        (b"3", V3, True),
        (b"9", V9, True),
        (b"2", NEWEST, False),
        (b"10", NEWEST, False),
        (b"9.0", NEWEST, False),
        (b"draft", NEWEST, False),
        (b"", NEWEST, False),
    ],
)
def test_only_a_version_that_is_spoken_gets_interim_responses(
    number: bytes, version: InteropVersion, interim: bool
) -> None:
    upload = parse_upload_request({b"upload-draft-interop-version": number}, 0)
    assert (upload.version, upload.interim) == (version, interim)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"upload-complete", b"1"),
        (b"upload-complete", b"true"),
        (b"upload-complete", b"?1, ?0"),
        (b"upload-complete", b""),
        (b"upload-offset", b"-1"),
        (b"upload-offset", b"1.0"),
        (b"upload-offset", b"1000000000000000"),
        (b"upload-length", b"?1"),
        (b"upload-length", b"100, 100"),
        (b"upload-length", b'"100"'),
    ],
)
def test_a_field_that_is_not_valid_is_ignored(name: bytes, value: bytes) -> None:
    assert parse_upload_request({name: value}, None) == parse_upload_request({}, None)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                b"upload-complete",
                b"upload-incomplete",
                b"upload-offset",
                b"upload-length",
                b"upload-draft-interop-version",
                b"content-type",
            ]
        ),
        st.binary() | st.sampled_from([b"?0", b"?1", b"3", b"9"]),
    ),
    st.none() | st.integers(0),
    st.integers(0, 10),
    st.none() | st.integers(10, 20),
)
def test_any_request_is_understood_or_refused(
    fields: dict[bytes, bytes], content_length: int | None, offset: int, length: int | None
) -> None:
    upload = parse_upload_request(fields, content_length)
    statuses = []
    try:
        agreed = check_append(upload, NO_LIMITS, offset=offset, length=length)
        assert length is None or agreed == length
        assert agreed is None or agreed >= offset + (content_length or 0)
    except HTTPError as error:
        statuses.append(error.status)
    assert statuses in ([], [400], [409], [415])


def test_version_3_says_the_opposite() -> None:
    def parsed(value: bytes) -> UploadRequest:
        fields = {b"upload-draft-interop-version": b"3", b"upload-incomplete": value}
        return parse_upload_request(fields, 100)

    assert parsed(b"?1").complete is False
    assert parsed(b"?0").complete is True
    assert upload_fields(V3, complete=True) == {"upload-incomplete": "?0"}
    assert upload_fields(V3, complete=False) == {"upload-incomplete": "?1"}


def test_the_field_of_another_version_says_nothing() -> None:
    fields = {b"upload-draft-interop-version": b"3", b"upload-complete": b"?0"}
    assert parse_upload_request(fields, 0).complete is None
    assert parse_upload_request({b"upload-incomplete": b"?0"}, 0).complete is None


@pytest.mark.parametrize(
    ("version", "resumable", "completes"),
    [(V3, True, True), (V4, False, False), (V6, False, False), (V9, False, False)],
)
def test_what_it_means_to_say_nothing_depends_on_the_version(
    version: InteropVersion, resumable: bool, completes: bool
) -> None:
    upload = request(version)
    assert (upload.resumable, upload.completes) == (resumable, completes)


# Creation.


@pytest.mark.parametrize(
    ("said", "length"),
    [
        ({"complete": True, "content_length": 100}, 100),
        ({"complete": True, "content_length": 100, "length": 100}, 100),
        ({"complete": True, "content_length": 0}, 0),
        ({"complete": True, "content_length": None}, None),
        ({"complete": True, "content_length": None, "length": 100}, 100),
        ({"complete": False, "content_length": 25, "length": 100}, 100),
        ({"complete": False, "content_length": 100, "length": 100}, 100),
        ({"complete": False, "content_length": 25}, None),
        ({"complete": False, "content_length": 0}, None),
    ],
)
@EVERY_VERSION
def test_a_creation_says_how_long_the_upload_is(
    version: InteropVersion, said: dict[str, Any], length: int | None
) -> None:
    assert check_creation(request(version, **said), NO_LIMITS) == length


@pytest.mark.parametrize(
    "said",
    [
        {"complete": True, "content_length": 100, "length": 99},
        {"complete": True, "content_length": 100, "length": 101},
        {"complete": False, "content_length": 100, "length": 99},
    ],
)
def test_a_creation_that_contradicts_itself_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        check_creation(request(**said), NO_LIMITS)
    # Inconsistent Length
    assert caught.value.headers["upload-complete"] == "?0"
    assert caught.value.extensions == {
        "type": "https://iana.org/assignments/http-problem-types#inconsistent-upload-length",
        "title": "Inconsistent Upload Length Values",
    }


# Appending.


@pytest.mark.parametrize(
    ("said", "recorded", "length"),
    [
        ({}, None, 150),
        ({}, 150, 150),
        ({"length": 150}, None, 150),
        ({"content_length": 0}, None, 100),
        ({"content_length": None}, None, None),
        ({"content_length": None}, 150, 150),
        ({"complete": False}, None, None),
        ({"complete": False}, 150, 150),
        ({"complete": False, "length": 200}, None, 200),
    ],
)
@EVERY_VERSION
def test_an_append_at_the_end_passes(
    version: InteropVersion, said: dict[str, Any], recorded: int | None, length: int | None
) -> None:
    upload = append(version, **said)
    assert check_append(upload, NO_LIMITS, offset=100, length=recorded) == length


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ({}, 149),
        ({}, 151),
        ({"length": 151}, None),
        ({"length": 150}, 200),
        ({"complete": False}, 149),
        ({"complete": False, "length": 149}, None),
        ({"complete": False, "content_length": None, "length": 99}, None),
    ],
)
def test_an_append_that_contradicts_the_length_is_refused(
    said: dict[str, Any], recorded: int | None
) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        check_append(append(**said), NO_LIMITS, offset=100, length=recorded)
    assert caught.value.extensions["type"] == PROBLEM_TYPES + "inconsistent-upload-length"


@EVERY_VERSION
def test_appending_takes_a_media_type_of_its_own_since_version_6(version: InteropVersion) -> None:
    upload = append(version, media_type="application/octet-stream")
    if version.number < 6:
        assert check_append(upload, NO_LIMITS, offset=100, length=None) == 150
        return
    with pytest.raises(HTTPError, match="415") as caught:
        check_append(upload, NO_LIMITS, offset=100, length=None)
    assert caught.value.headers == {
        "upload-complete": "?0",
        "upload-offset": "100",
        "accept-patch": PARTIAL_UPLOAD,
    }


@EVERY_VERSION
def test_appending_takes_an_offset(version: InteropVersion) -> None:
    with pytest.raises(HTTPError, match="400: Upload-Offset"):
        check_append(append(version, offset=None), NO_LIMITS, offset=100, length=None)


@EVERY_VERSION
def test_appending_says_whether_it_is_the_last_since_version_7(version: InteropVersion) -> None:
    upload = append(version, complete=None)
    if version.number < 7:
        length = check_append(upload, NO_LIMITS, offset=100, length=None)
        assert length == (150 if version is V3 else None)
        return
    with pytest.raises(HTTPError, match="400: Upload-Complete"):
        check_append(upload, NO_LIMITS, offset=100, length=None)


@pytest.mark.parametrize("provided", [0, 99, 101, 25000000])
def test_appending_elsewhere_is_a_conflict_that_tells_where(provided: int) -> None:
    with pytest.raises(HTTPError, match="409") as caught:
        check_append(append(offset=provided), NO_LIMITS, offset=100, length=None)
    assert caught.value.headers == {"upload-complete": "?0", "upload-offset": "100"}
    assert caught.value.extensions == {
        "type": "https://iana.org/assignments/http-problem-types#mismatching-upload-offset",
        "title": "Mismatching Upload Offset",
        "expected-offset": 100,
        "provided-offset": provided,
    }


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        (V5, "inconsistent-upload-length"),
        (V6, "completed-upload"),
        (V8, "completed-upload"),
        (V9, "inconsistent-upload-length"),
        (None, "inconsistent-upload-length"),
    ],
)
@pytest.mark.parametrize(
    "said",
    [{}, {"complete": False}, {"content_length": None}, {"content_length": 0, "complete": False}],
)
def test_nothing_is_added_to_a_complete_upload(
    version: InteropVersion | None, problem: str, said: dict[str, Any]
) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        check_append(append(version, **said), NO_LIMITS, offset=100, length=100, complete=True)
    assert caught.value.extensions["type"] == PROBLEM_TYPES + problem
    assert caught.value.headers == {"upload-complete": "?0", "upload-offset": "100"}


@EVERY_VERSION
def test_who_missed_the_answer_may_complete_again_where_the_draft_lets_him(
    version: InteropVersion,
) -> None:
    upload = append(version, content_length=0)
    if version.number in (6, 7, 8):
        with pytest.raises(HTTPError, match="400"):
            check_append(upload, NO_LIMITS, offset=100, length=100, complete=True)
    else:
        assert check_append(upload, NO_LIMITS, offset=100, length=100, complete=True) == 100


def test_a_complete_upload_too_tells_where_its_end_is() -> None:
    with pytest.raises(HTTPError, match="409"):
        check_append(append(offset=50), NO_LIMITS, offset=100, length=100, complete=True)


# HEAD and DELETE.


@pytest.mark.parametrize("said", [{"offset": 0}, {"complete": True}, {"complete": False}])
@EVERY_VERSION
def test_other_requests_carry_no_fields_until_version_6(
    version: InteropVersion, said: dict[str, Any]
) -> None:
    check_bare(request(version))
    if version.number > 6:
        check_bare(request(version, **said))
        return
    with pytest.raises(HTTPError, match="400"):
        check_bare(request(version, **said))


# Limits.

LIMITS = AnnouncedLimits(max_size=1000, max_append_size=200, min_append_size=50)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"complete": True, "content_length": 200}, None),
        ({"complete": True, "content_length": 201}, 413),
        ({"complete": False, "content_length": 200, "length": 1000}, None),
        ({"complete": False, "content_length": 200, "length": 1001}, 413),
        ({"complete": False, "content_length": 49}, 400),
        ({"complete": False, "content_length": 50}, None),
        ({"complete": True, "content_length": 49}, None),  # the last may be small
        ({"complete": False, "content_length": 0}, None),  # so may one that only begins
        ({"complete": True, "content_length": None}, None),  # counted as it comes
    ],
)
def test_a_creation_keeps_to_the_limits(said: dict[str, Any], status: int | None) -> None:
    if status is None:
        check_creation(request(**said), LIMITS)
        return
    with pytest.raises(HTTPError, match=str(status)) as caught:
        check_creation(request(**said), LIMITS)
    # "the response SHOULD include the Upload-Limit header field carrying all limits"
    limits = "max-size=1000, max-append-size=200, min-append-size=50"
    assert caught.value.headers == {"upload-complete": "?0", "upload-limit": limits}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"content_length": 100}, None),
        ({"content_length": 101}, 413),
        ({"content_length": 100, "complete": False}, None),
        ({"content_length": 49, "complete": False}, 400),
        ({"content_length": 0, "complete": False}, 400),
    ],
)
def test_an_append_keeps_to_the_limits(said: dict[str, Any], status: int | None) -> None:
    upload = append(offset=900, **said)
    if status is None:
        check_append(upload, LIMITS, offset=900, length=None)
        return
    with pytest.raises(HTTPError, match=str(status)):
        check_append(upload, LIMITS, offset=900, length=None)


@pytest.mark.parametrize(
    ("limits", "version", "value"),
    [
        (NO_LIMITS, V9, "min-size=0"),
        (AnnouncedLimits(max_size=1234567890), V9, "max-size=1234567890"),
        (AnnouncedLimits(max_age=3600), V9, "max-age=3600"),
        (AnnouncedLimits(max_age=3600), V7, "max-age=3600"),
        (AnnouncedLimits(max_age=3600), V6, "expires=3600"),
        (
            AnnouncedLimits(1, 2, 3, 4, 5),
            V9,
            "max-size=1, min-size=2, max-append-size=3, min-append-size=4, max-age=5",
        ),
        (AnnouncedLimits(max_size=0, max_age=0), V9, "max-size=0, max-age=0"),
    ],
)
def test_limits_are_rendered(limits: AnnouncedLimits, version: InteropVersion, value: str) -> None:
    assert limits.render(version) == value
    assert upload_fields(version, limits=limits) == {"upload-limit": value}
    assert isinstance(http_sf.parse(value.encode(), tltype="dictionary"), dict)


@pytest.mark.parametrize("version", [V3, V4, V5])
def test_limits_are_not_told_to_who_does_not_know_the_field(version: InteropVersion) -> None:
    assert upload_fields(version, limits=LIMITS) == {}


# Answers.


def test_an_upload_is_described() -> None:
    # Offset Retrieval, examples
    limits = AnnouncedLimits(max_age=3600)
    fields = upload_fields(NEWEST, complete=False, offset=25, length=100, limits=limits)
    assert fields == {
        "upload-complete": "?0",
        "upload-offset": "25",
        "upload-length": "100",
        "upload-limit": "max-age=3600",
    }
    assert upload_fields(NEWEST) == {}


@pytest.mark.parametrize("version", [V5, V6, V9])
def test_an_interim_response_announces_and_counts(version: InteropVersion) -> None:
    upload = request(version, complete=True)
    number = {"upload-draft-interop-version": str(version.number)}
    announced = interim_fields(upload, location="/~/uploads/abc", limits=LIMITS)
    limits = upload_fields(version, limits=LIMITS)
    assert announced == {**number, "location": "/~/uploads/abc", **limits}
    assert interim_fields(upload, offset=50) == {**number, "upload-offset": "50"}


@pytest.mark.parametrize("version", [V3, V4])
def test_who_does_not_know_of_progress_is_told_the_place_only(version: InteropVersion) -> None:
    upload = request(version, complete=True)
    number = {"upload-draft-interop-version": str(version.number)}
    announced = interim_fields(upload, location="/~/uploads/abc", offset=0)
    assert announced == {**number, "location": "/~/uploads/abc"}
    assert interim_fields(upload, offset=50) is None


def test_without_a_version_there_is_no_interim_response() -> None:
    assert interim_fields(request(complete=True), location="/~/uploads/abc") is None


@pytest.mark.parametrize("version", [V6, V9])
def test_every_refusal_says_that_it_is_not_the_answer_to_the_whole(
    version: InteropVersion,
) -> None:
    refusals = (
        mismatching_offset(version, expected=1, provided=2),
        inconsistent_length(version),
        completed_upload(version, 1),
        beyond_limit(version, LIMITS, "Too much."),
    )
    for refusal in refusals:
        assert refusal.headers["upload-complete"] == "?0"


@EVERY_VERSION
def test_the_status_of_an_append_that_is_not_the_last(version: InteropVersion) -> None:
    assert version.appended == (201 if version.number < 7 else 204)
