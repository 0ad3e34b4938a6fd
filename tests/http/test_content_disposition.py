from __future__ import annotations

from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.http.content_disposition import content_disposition
from riverrun.http.fields import check_field, split_parameters


@pytest.mark.parametrize(
    ("filename", "inline", "value"),
    [
        (None, False, "attachment"),
        (None, True, "inline"),
        ("", False, "attachment"),
        ("river.mp4", False, 'attachment; filename="river.mp4"'),
        ("river.mp4", True, 'inline; filename="river.mp4"'),
        ("a b, c;d.txt", False, 'attachment; filename="a b, c;d.txt"'),
        # RFC 6266, 5 and RFC 8187, 3.2.3
        (
            "€ rates.txt",
            False,
            "attachment; filename=\"_ rates.txt\"; filename*=UTF-8''%E2%82%AC%20rates.txt",
        ),
        ("café.txt", False, "attachment; filename=\"cafe.txt\"; filename*=UTF-8''caf%C3%A9.txt"),
        # RFC 6266, appendix D: no quotes, backslashes or percent signs in the plain form
        ('a"b.txt', False, "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("100%.txt", False, "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        # What no name may hold
        ("a/b\\c.txt", False, 'attachment; filename="a_b_c.txt"'),
        ("../../etc/passwd", False, 'attachment; filename=".._.._etc_passwd"'),
        ("a\r\nX: y\0.txt", False, 'attachment; filename="a__X: y_.txt"'),
        ("a\udcff.txt", False, 'attachment; filename="a_.txt"'),
        ("a\u202egpj.exe", False, 'attachment; filename="a_gpj.exe"'),
    ],
)
def test_a_file_is_saved_or_shown_under_its_name(
    filename: str | None, inline: bool, value: str
) -> None:
    assert content_disposition(filename, inline=inline) == value


@given(st.text(min_size=1))
def test_any_name_can_be_sent(filename: str) -> None:
    value = content_disposition(filename)
    check_field("content-disposition", value)
    assert value.isascii()
    kind, parameters = split_parameters(value.encode())
    assert kind == b"attachment"
    assert len(parameters[b"filename"]) > 0


SAFE_NAMES = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs"]), min_size=1).filter(
    lambda name: not set(name) & {"/", "\\"}
)


@given(SAFE_NAMES)
def test_a_name_arrives_whole(filename: str) -> None:
    value = content_disposition(filename)
    _, parameters = split_parameters(value.encode())
    extended = parameters.get(b"filename*")
    if extended is None:
        assert parameters[b"filename"].decode() == filename
    else:
        charset, language, encoded = extended.decode().split("'")
        assert (charset, language) == ("UTF-8", "")
        assert unquote(encoded, errors="strict") == filename


def test_the_standard_library_reads_it() -> None:
    message = Message()
    message["content-disposition"] = content_disposition("€ rates.txt").replace(
        'filename="_ rates.txt"; ', ""
    )
    assert message.get_filename() == "€ rates.txt"
