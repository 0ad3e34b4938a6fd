"""Resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload): the protocol without I/O.

A client begins an upload by any request that says Upload-Complete, learns of an upload resource
from an interim 104 or from the final 201, asks it by HEAD how much it has, appends by PATCH, and
gives up by DELETE. Here the fields of such requests are read and checked, and those of the answers
rendered; what an upload is, and where its bytes wait, is not known here.

The drafts do not understand each other. Each has an interop version, which its clients send; how
the versions differ stands in `INTEROP_VERSIONS`, and nowhere else. A client that sends none, or
one that is not known, is taken to speak the newest: the RFC will have no versions. Sections are
cited by their names in draft -12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from riverrun.errors import HTTPError
from riverrun.http.fields import split_parameters
from riverrun.http.structured_fields import parse_boolean, parse_integer, render_dictionary

PARTIAL_UPLOAD = "application/partial-upload"
PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types#"
COMPLETE, INCOMPLETE = "upload-complete", "upload-incomplete"


class InteropVersion(NamedTuple):
    """What sets one iteration of the draft apart from the others."""

    number: int

    completeness: str
    """The field for whether all is there: `COMPLETE`, or `INCOMPLETE`, which says the opposite."""

    default: bool | None
    """Whether a request without that field completes its upload; None: it must have the field."""

    progress: bool
    """Whether a 104 may tell how much has been stored."""

    partial_upload: bool
    """Whether what is appended must be of the media type `PARTIAL_UPLOAD`."""

    lifetime: str | None
    """What Upload-Limit calls the seconds that are left; None: there is no such field."""

    appended: int
    """The status for bytes that were appended and are not the last."""

    bare: bool
    """Whether HEAD and DELETE must be refused when they carry fields of an upload."""

    completed_upload: bool
    """Whether appending to a complete upload must be refused, with a problem type of its own."""


# fmt: off
INTEROP_VERSIONS: Mapping[int, InteropVersion] = {row[0]: InteropVersion(*row) for row in (
    #   completeness default progress partial lifetime appended bare completed
    (3, INCOMPLETE,  True,   False,   False,  None,      201,   True,  False),  # -01
    (4, COMPLETE,    False,  False,   False,  None,      201,   True,  False),  # -02
    (5, COMPLETE,    False,  True,    False,  None,      201,   True,  False),  # -03
    (6, COMPLETE,    False,  True,    True,   "expires", 201,   True,  True),   # -04 and -05
    (7, COMPLETE,    None,   True,    True,   "max-age", 204,   False, True),   # -06 to -08
    (8, COMPLETE,    None,   True,    True,   "max-age", 204,   False, True),   # -09 to -11
    (9, COMPLETE,    None,   True,    True,   "max-age", 204,   False, False),  # -12
)}
# fmt: on
"""By number. Of -03 only the list of its changes was at hand, not the text."""

NEWEST = INTEROP_VERSIONS[max(INTEROP_VERSIONS)]


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What the fields of a request say about an upload.

    What is not valid counts as not said: "Other values MUST cause the entire header field to be
    ignored" (Offset, Completeness, Length).
    """

    version: InteropVersion

    interim: bool
    """Whether it may be answered with 104: only a version that was sent (Draft Version)."""

    complete: bool | None
    """Whether its bytes are the last of the upload, as far as it says."""

    offset: int | None
    length: int | None
    """Of the whole, from Upload-Length."""

    content_length: int | None
    """Of the request's own body; None when that is chunked."""

    media_type: str

    @property
    def resumable(self) -> bool:
        """Whether this, if it is not sent to an upload resource, begins a resumable upload."""
        return self.complete is not None or self.version.default is True

    @property
    def completes(self) -> bool:
        """Whether the upload is complete once all of this request's bytes are stored."""
        return self.version.default is True if self.complete is None else self.complete


@dataclass(frozen=True, slots=True)
class AnnouncedLimits:
    """What an Upload-Limit field tells (Limits): sizes in bytes, of the whole or of one request.

    `max_age` is how many seconds an upload resource has left.
    """

    max_size: int | None = None
    min_size: int | None = None
    max_append_size: int | None = None
    min_append_size: int | None = None
    max_age: int | None = None

    def render(self, version: InteropVersion = NEWEST) -> str:
        """The Upload-Limit field, which is not empty where nothing is limited.

        Raises `ValueError` for a number of more than 15 digits.
        """
        limits = {
            "max-size": self.max_size,
            "min-size": self.min_size,
            "max-append-size": self.max_append_size,
            "min-append-size": self.min_append_size,
            version.lifetime or "max-age": self.max_age,
        }
        stated = {name: value for name, value in limits.items() if value is not None}
        return render_dictionary(stated or {"min-size": 0})


def parse_upload_request(
    fields: Mapping[bytes, bytes], content_length: int | None
) -> UploadRequest:
    """What a request says; `fields` has lower-case names, `content_length` is None if chunked."""
    number = parse_integer(fields.get(b"upload-draft-interop-version", b""))
    known = INTEROP_VERSIONS.get(number) if number is not None else None
    version = known or NEWEST
    complete = parse_boolean(fields.get(version.completeness.encode(), b""))
    if complete is not None and version.completeness == INCOMPLETE:
        complete = not complete
    return UploadRequest(
        version=version,
        interim=known is not None,
        complete=complete,
        offset=_size(fields, b"upload-offset"),
        length=_size(fields, b"upload-length"),
        content_length=content_length,
        media_type=split_parameters(fields.get(b"content-type", b""))[0].decode("latin-1").lower(),
    )


def check_creation(upload: UploadRequest, limits: AnnouncedLimits) -> int | None:
    """The length of an upload that this request begins, None while it is not known.

    Raises `HTTPError` 400 when the request contradicts itself (Length), and what `check_limits`
    raises.
    """
    length = _agreed_length(upload, 0, None)
    check_limits(upload, limits, 0, length)
    return length


def check_append(
    upload: UploadRequest,
    limits: AnnouncedLimits,
    *,
    offset: int,
    length: int | None,
    complete: bool = False,
) -> int | None:
    """The length of the upload with what an append says of it, None while it is not known.

    `offset`, `length` and `complete` are what the upload resource knows. An append to a complete
    upload passes only if it adds nothing: answer it as the last one was answered (Upload Append).

    Raises `HTTPError` 415 for another media type than `PARTIAL_UPLOAD`, 400 when Upload-Offset or
    Upload-Complete is missing, 409 for another offset, 400 for what does not fit the length or
    the complete upload, and what `check_limits` raises.
    """
    version = upload.version
    refusal = upload_fields(version, complete=False, offset=offset)
    if version.partial_upload and upload.media_type != PARTIAL_UPLOAD:
        detail = f"Bytes are appended as {PARTIAL_UPLOAD}."
        # The types that would do are told (RFC 5789, 2.2).
        raise HTTPError(415, detail, headers={**refusal, "accept-patch": PARTIAL_UPLOAD})
    if upload.offset is None:
        raise HTTPError(400, "Upload-Offset is missing or not valid.", headers=refusal)
    if upload.complete is None and version.default is None:
        raise HTTPError(400, "Upload-Complete is missing or not valid.", headers=refusal)
    if complete and version.completed_upload:
        raise completed_upload(version, offset)
    if upload.offset != offset:
        raise mismatching_offset(version, expected=offset, provided=upload.offset)
    if complete and not (upload.completes and upload.content_length == 0):
        raise completed_upload(version, offset)
    length = _agreed_length(upload, offset, length)
    if not complete:
        check_limits(upload, limits, offset, length)
    return length


def check_bare(upload: UploadRequest) -> None:
    """Raise `HTTPError` 400 for HEAD or DELETE with fields that their version forbids there."""
    stated = upload.complete is not None or upload.offset is not None
    if upload.version.bare and stated:
        raise HTTPError(400, "Upload-Offset and Upload-Complete have no meaning here.")


def check_limits(
    upload: UploadRequest, limits: AnnouncedLimits, offset: int, length: int | None
) -> None:
    """Raise `HTTPError` 413 for what is too large, 400 for what is too small (Limits).

    The upload has `offset` bytes and will have `length`, if that is known. `min_size` is not
    looked at: what is smaller may be stored too, without being resumable.
    """
    size = upload.content_length
    if limits.max_size is not None and max(length or 0, offset + (size or 0)) > limits.max_size:
        raise beyond_limit(
            upload.version, limits, f"An upload has {limits.max_size} bytes at most."
        )
    if size is None:
        return
    if limits.max_append_size is not None and size > limits.max_append_size:
        detail = f"A request brings {limits.max_append_size} bytes at most."
        raise beyond_limit(upload.version, limits, detail)
    exempt = upload.completes or (size == 0 and upload.offset is None)
    if limits.min_append_size is not None and size < limits.min_append_size and not exempt:
        detail = (
            f"A request brings {limits.min_append_size} bytes at least, unless they are the last."
        )
        raise beyond_limit(upload.version, limits, detail, status=400)


def beyond_limit(
    version: InteropVersion, limits: AnnouncedLimits, detail: str, *, status: int = 413
) -> HTTPError:
    """A limit was not kept to; all of them are told (Limits)."""
    return HTTPError(status, detail, headers=upload_fields(version, complete=False, limits=limits))


def mismatching_offset(version: InteropVersion, *, expected: int, provided: int) -> HTTPError:
    """Bytes were to be appended elsewhere than at the end (Mismatching Offset)."""
    return HTTPError(
        409,
        f"The upload has {expected} bytes, so its next are not those at {provided}.",
        headers=upload_fields(version, complete=False, offset=expected),
        extensions={
            "type": PROBLEM_TYPES + "mismatching-upload-offset",
            "title": "Mismatching Upload Offset",
            "expected-offset": expected,
            "provided-offset": provided,
        },
    )


def inconsistent_length(version: InteropVersion, offset: int | None = None) -> HTTPError:
    """What is known of the length does not agree, or more bytes came (Inconsistent Length)."""
    return HTTPError(
        400,
        "The length of the upload contradicts what was said of it, or what was sent.",
        headers=upload_fields(version, complete=False, offset=offset),
        extensions={
            "type": PROBLEM_TYPES + "inconsistent-upload-length",
            "title": "Inconsistent Upload Length Values",
        },
    )


def completed_upload(version: InteropVersion, length: int) -> HTTPError:
    """Something was to be appended to a complete upload.

    Its problem type came with -04 and went with -12; without it, the length is exceeded.
    """
    if not version.completed_upload:
        return inconsistent_length(version, length)
    return HTTPError(
        400,
        "The upload is complete.",
        headers=upload_fields(version, complete=False, offset=length),
        extensions={
            "type": PROBLEM_TYPES + "completed-upload",
            "title": "Upload Is Already Completed",
        },
    )


def upload_fields(
    version: InteropVersion,
    *,
    complete: bool | None = None,
    offset: int | None = None,
    length: int | None = None,
    limits: AnnouncedLimits | None = None,
) -> dict[str, str]:
    """The fields of a final response that tell what is given.

    `complete` is whether the response is that to the whole upload: what the request that began it
    would have got, had it brought everything (Completeness). In the answer to HEAD it is whether
    there has been such a response.
    """
    fields: dict[str, str] = {}
    if complete is not None:
        stated = complete if version.completeness == COMPLETE else not complete
        fields[version.completeness] = "?1" if stated else "?0"
    if offset is not None:
        fields["upload-offset"] = str(offset)
    if length is not None:
        fields["upload-length"] = str(length)
    if limits is not None and version.lifetime is not None:
        fields["upload-limit"] = limits.render(version)
    return fields


def interim_fields(
    upload: UploadRequest,
    *,
    location: str | None = None,
    offset: int | None = None,
    limits: AnnouncedLimits | None = None,
) -> dict[str, str] | None:
    """The fields of a 104, or None if none may be sent to this client.

    `location`, with `limits`, announces the upload resource, once, and never to an append;
    `offset` tells how much has been stored so far (Status Code 104).
    """
    if not upload.interim:
        return None
    if not upload.version.progress:
        if location is None:
            return None
        offset = None
    fields = {"upload-draft-interop-version": str(upload.version.number)}
    if location is not None:
        fields["location"] = location
    return fields | upload_fields(upload.version, offset=offset, limits=limits)


def _agreed_length(upload: UploadRequest, offset: int, recorded: int | None) -> int | None:
    """What the request and the upload resource, which has `offset` bytes, say alike (Length)."""
    end = offset + (upload.content_length or 0)
    ends_here = upload.completes and upload.content_length is not None
    indicated = {recorded, upload.length, end if ends_here else None} - {None}
    if len(indicated) > 1 or any(length is not None and length < end for length in indicated):
        raise inconsistent_length(upload.version, offset)
    return indicated.pop() if indicated else None


def _size(fields: Mapping[bytes, bytes], name: bytes) -> int | None:
    value = parse_integer(fields.get(name, b""))
    return value if value is not None and value >= 0 else None
