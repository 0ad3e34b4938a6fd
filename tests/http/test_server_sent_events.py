"""Events as bytes, judged by the algorithm that browsers follow (HTML Standard, 9.2.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.http.event_streams import Event, EventStream

from riverrun.http.server_sent_events import render_comment, render_event, render_retry

TEXT = st.text(st.characters(codec="utf-8"))
ONE_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"))
BREAKS = ("\n", "\r", "\r\n")


def test_the_bytes_of_an_event() -> None:
    assert render_event("hello") == b"data: hello\n\n"
    whole = render_event("a\nb", event="line", id="7", retry=2.5)
    assert whole == b"event: line\nid: 7\nretry: 2500\ndata: a\ndata: b\n\n"


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("", ""),
        (" leading", " leading"),
        ("a: b", "a: b"),
        (":a", ":a"),
        ("\n", "\n"),
        ("a\n", "a\n"),
        ("a\r\nb\rc\n\nd", "a\nb\nc\n\nd"),
        ("\ufeffa", "\ufeffa"),
        ("nul\0 and \u2028", "nul\0 and \u2028"),
        ("žluťoučký 🌊", "žluťoučký 🌊"),
        (b"bytes\nof text", "bytes\nof text"),
    ],
)
def test_data_arrives_as_it_was_with_line_feeds(data: str | bytes, seen: str) -> None:
    assert EventStream.parse(render_event(data)).events == [Event(seen)]


@given(data=TEXT, event=st.none() | ONE_LINE, id_=st.none() | ONE_LINE)
def test_what_is_sent_is_what_is_seen(data: str, event: str | None, id_: str | None) -> None:
    if id_ is not None:
        id_ = id_.replace("\0", "")
    stream = render_event("before") + render_event(data, event=event, id=id_)
    seen = data.replace("\r\n", "\n").replace("\r", "\n")
    expected = Event(seen, event or "message", id_ or "")
    assert EventStream.parse(stream).events == [Event("before"), expected]


@given(first=TEXT, second=TEXT)
def test_what_is_whole_stays_when_the_stream_is_cut(first: str, second: str) -> None:
    whole, cut = render_event(first, id="1"), render_event(second, id="2")
    only_first = EventStream.parse(whole)
    for size in range(len(cut)):
        parsed = EventStream.parse(whole + cut[:size])
        assert (parsed.events, parsed.last_event_id) == (only_first.events, "1")


def test_without_data_an_id_takes_effect_and_nothing_is_dispatched() -> None:
    parsed = EventStream.parse(render_event("a", id="1") + render_event(None, id="2"))
    assert parsed.events == [Event("a", last_event_id="1")]
    assert parsed.last_event_id == "2"


def test_an_empty_id_takes_the_last_one_away() -> None:
    parsed = EventStream.parse(render_event("a", id="1") + render_event("b", id=""))
    assert parsed.last_event_id == ""


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_line_break_in_a_name_or_an_id_is_refused(line_break: str) -> None:
    with pytest.raises(ValueError, match="field event"):
        render_event("a", event=f"x{line_break}data: forged")
    with pytest.raises(ValueError, match="field id"):
        render_event("a", id=f"x{line_break}data: forged")


def test_an_id_that_a_client_would_ignore_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        render_event("a", id="a\0b")


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0, 0), (0.0004, 0), (3, 3000), (1.5, 1500)])
def test_retry_is_in_milliseconds(seconds: float, milliseconds: int) -> None:
    assert EventStream.parse(render_retry(seconds)).reconnection_time == milliseconds


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_a_retry_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="retry"):
        render_retry(seconds)


@pytest.mark.parametrize("text", ["", "hello", "a\nb", "a\rdata: b", "\n\n"])
def test_comments_are_seen_by_nobody(text: str) -> None:
    parsed = EventStream.parse(render_comment(text) + render_event("a"))
    assert parsed.events == [Event("a")]
    assert "\n".join(parsed.comments) == text.replace("\r", "\n")
