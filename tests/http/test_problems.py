from __future__ import annotations

from html.parser import HTMLParser
from http import HTTPStatus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riverrun.errors import Explanation, HTTPError
from riverrun.http.problems import answer_of, problem_json, problem_page, render_problem
from riverrun.http.statuses import title_of

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (404, "Not Found"),
        (104, "Upload Resumption Supported"),
        # The names of RFC 9110, 15.5, whatever this Python calls them
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
        (431, "Request Header Fields Too Large"),
        (460, "Checksum Mismatch"),
        (499, "Client Error"),
        (599, "Server Error"),
    ],
)
def test_a_status_has_a_title(status: int, title: str) -> None:
    assert title_of(status) == title


def test_every_error_that_python_knows_has_a_title() -> None:
    for status in HTTPStatus:
        if status >= 400:
            assert title_of(status) not in ("", "Client Error", "Server Error")


@pytest.mark.parametrize(
    ("status", "detail", "extensions", "members"),
    [
        (404, None, None, {"title": "Not Found", "status": 404}),
        (
            409,
            "The offset is not the length.",
            {"offset": 70},
            {
                "title": "Conflict",
                "status": 409,
                "detail": "The offset is not the length.",
                "offset": 70,
            },
        ),
        # A type brings its own title (RFC 9457, 3.1.3); the status stays the one that is sent.
        (
            403,
            "Your balance is 30.",
            {"type": "https://example.com/probs/out-of-credit", "title": "Out of credit"},
            {
                "type": "https://example.com/probs/out-of-credit",
                "title": "Out of credit",
                "status": 403,
                "detail": "Your balance is 30.",
            },
        ),
        (
            400,
            "Yes.",
            {"status": 200, "detail": "No."},
            {"title": "Bad Request", "status": 400, "detail": "Yes."},
        ),
    ],
)
def test_a_problem_for_programs(
    status: int,
    detail: str | None,
    extensions: dict[str, object] | None,
    members: dict[str, object],
) -> None:
    assert msgspec.json.decode(problem_json(status, detail, extensions)) == members


class Page(HTMLParser):
    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.links: list[str | None] = []
        self.feed(page.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_problem_for_people() -> None:
    page = Page(problem_page(404, "There is no such stream."))
    assert "404" in page.text
    assert "Not Found" in page.text
    assert "There is no such stream." in page.text
    assert "prefers-color-scheme: dark" in page.text
    assert "script" not in page.tags


EXPLAINED = Explanation(
    "There is no <tide> here", "It has gone & is out.", (("../?a&b", "The <bay>"), ("/", "All"))
)


def test_an_explanation_takes_the_place_of_title_and_detail_for_people_alone() -> None:
    error = HTTPError(404, "No tide.", explanation=EXPLAINED)
    page = Page(answer_of(error, accept=BROWSER)[1])
    assert "There is no <tide> here" in page.text
    assert "It has gone & is out." in page.text
    assert "No tide." not in page.text
    assert page.links == ["../?a&b", "/"]
    plain = Page(problem_page(404, "No tide."))
    assert plain.links == []
    assert sorted({*page.tags} - {*plain.tags}) == ["a", "nav"]
    assert answer_of(error)[1] == problem_json(404, "No tide.")


def test_a_page_is_small() -> None:
    assert len(problem_page(404, "There is no such stream.")) < 1500


def test_a_page_without_a_detail_has_no_empty_paragraph() -> None:
    assert "p" not in Page(problem_page(404)).tags


def test_the_detail_is_text_and_never_markup() -> None:
    detail = "<script>alert(1)</script> & \"'</p>"
    page = Page(problem_page(400, detail))
    assert detail in page.text
    assert page.tags == Page(problem_page(400, "plain")).tags


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "application/problem+json"),
        (b"*/*", "application/problem+json"),
        (b"application/json", "application/problem+json"),
        (b"application/problem+json", "application/problem+json"),
        (b"image/*", "application/problem+json"),
        (b"text/html;q=0.5, application/problem+json", "application/problem+json"),
        (b"\xff", "application/problem+json"),
        (BROWSER, "text/html; charset=utf-8"),
        (b"text/html", "text/html; charset=utf-8"),
        (b"text/*", "text/html; charset=utf-8"),
    ],
)
def test_browsers_get_a_page_and_programs_json(accept: bytes | None, content_type: str) -> None:
    sent, body = render_problem(404, "Gone fishing.", extensions={"fish": 3}, accept=accept)
    assert sent == content_type
    if content_type.startswith("text/html"):
        assert body == problem_page(404, "Gone fishing.")
    else:
        assert body == problem_json(404, "Gone fishing.", {"fish": 3})


@pytest.mark.parametrize(
    ("given", "prepared", "fields"),
    [
        ({}, None, {}),
        ({"Allow": "GET"}, {"allow": "PUT", "set-cookie": "secret"}, {"allow": "GET"}),
        # What CORS needs stays: a page that may read the answer may read this one too.
        (
            {},
            {"access-control-allow-origin": "*", "etag": "x"},
            {"access-control-allow-origin": "*"},
        ),
    ],
)
@pytest.mark.parametrize("accept", [None, BROWSER])
def test_an_answer_replaces_the_fields_that_were_prepared(
    given: dict[str, str],
    prepared: dict[str, str] | None,
    fields: dict[str, str],
    accept: bytes | None,
) -> None:
    error = HTTPError(405, "Not so.", headers=given, extensions={"fish": 3})
    headers, body = answer_of(error, prepared, accept=accept)
    content_type, rendered = render_problem(405, "Not so.", extensions={"fish": 3}, accept=accept)
    assert dict(headers) == {**fields, "content-type": content_type, "vary": "accept"}
    assert body == rendered


def test_the_name_of_a_file_in_a_detail_may_be_any_bytes() -> None:
    assert b"There is no a?.txt." in problem_json(404, "There is no a\udcff.txt.")
    assert b"There is no a?.txt." in problem_page(404, "There is no a\udcff.txt.")


@given(st.integers(400, 599), st.none() | st.text(), st.none() | st.binary())
def test_any_problem_can_be_rendered(status: int, detail: str | None, accept: bytes | None) -> None:
    content_type, body = render_problem(status, detail, accept=accept)
    if content_type == "application/problem+json":
        assert msgspec.json.decode(body)["status"] == status
    else:
        Page(body)
