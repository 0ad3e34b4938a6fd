"""What an error looks like: JSON for programs (RFC 9457), a small page for people.

Both say the status, its title and the detail that was written for the client, and nothing else:
no exception, no path of the machine. Where the error was explained to people, the page says that
instead, and where to go from there. It needs no script and fetches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from riverrun.errors import Explanation, HTTPError
from riverrun.http.headers import Headers
from riverrun.http.negotiation import choose_media_type
from riverrun.http.statuses import title_of

PROBLEM_JSON = "application/problem+json"
HTML = "text/html"

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{status} {title}</title>
<style>
:root {{ --ink: #22323c; --soft: #5c6d78; --ground: #f8fafb; --river: #3d8fb0 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #dfe8ed; --soft: #94a5b0; --ground: #121a1f; --river: #5aa9c8 }}
}}
body {{
  box-sizing: border-box; min-height: 100vh; margin: 0; padding: 2rem 2rem 18vh;
  display: grid; place-content: center;
  font: 1.0625rem/1.6 system-ui, sans-serif; color: var(--ink); background: var(--ground);
}}
b {{
  font-size: .875rem; font-weight: 500; letter-spacing: .08em; color: var(--soft);
  text-decoration: underline wavy 1.5px var(--river); text-underline-offset: .6em;
}}
main {{ display: grid; justify-items: start; gap: .5rem }}
h1 {{ margin: .75rem 0 0; font-size: 1.75rem; font-weight: 600; line-height: 1.25 }}
h1, p {{ max-width: 34rem; overflow-wrap: anywhere }}
p {{ margin: 0; color: var(--soft) }}
nav {{ display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: .75rem }}
a {{ padding: .375rem 0; color: inherit; text-underline-offset: .3em }}
a:focus-visible {{ outline: 2px solid var(--river); outline-offset: 4px; border-radius: 2px }}
</style>
<main>
<b>{status}</b>
<h1>{title}</h1>
{text}{links}</main>
</html>
"""


def answer_of(
    error: HTTPError, prepared: Mapping[str, str] | None = None, *, accept: bytes | None = None
) -> tuple[Headers, bytes]:
    """The fields and the body that answer `error`, in the form that the Accept field prefers.

    They replace the fields that were `prepared`, but for those of CORS: a page that may read the
    answer may read this one too.
    """
    content_type, body = render_problem(
        error.status,
        error.detail,
        extensions=error.extensions,
        explanation=error.explanation,
        accept=accept,
    )
    headers = Headers({**error.headers, "content-type": content_type, "vary": "accept"})
    for name, value in (prepared or {}).items():
        if name.startswith("access-control-"):
            headers[name] = value
    return headers, body


def render_problem(
    status: int,
    detail: str | None = None,
    *,
    extensions: Mapping[str, object] | None = None,
    explanation: Explanation | None = None,
    accept: bytes | None = None,
) -> tuple[str, bytes]:
    """The content type and the body of an error, in the form that the Accept field prefers.

    Whoever sends it on to caches adds ``Vary: Accept``.
    """
    if is_for_people(accept):
        return f"{HTML}; charset=utf-8", problem_page(status, detail, explanation)
    return PROBLEM_JSON, problem_json(status, detail, extensions)


def is_for_people(accept: bytes | None) -> bool:
    """Whether an error is answered with a page: to who prefers HTML, that is, to browsers."""
    return choose_media_type(accept, (PROBLEM_JSON, HTML)) == HTML


def problem_json(
    status: int, detail: str | None = None, extensions: Mapping[str, object] | None = None
) -> bytes:
    """A problem details object (RFC 9457, 3).

    `extensions` are members beside the standard ones; among them ``type``, ``title`` and
    ``instance`` may be set too. Their values are what msgspec can encode.
    """
    from msgspec.json import encode  # noqa: PLC0415 - until something is wrong

    members: dict[str, object] = {"title": title_of(status), **(extensions or {})}
    members["status"] = status
    if detail:
        members["detail"] = _encodable(detail)
    return encode(members)


def problem_page(
    status: int, detail: str | None = None, explanation: Explanation | None = None
) -> bytes:
    """A page that says what is wrong, calmly, in light and dark."""
    from html import escape  # noqa: PLC0415 - as above

    title, text, links = title_of(status), detail, ""
    if explanation is not None:
        title, text = explanation.title, explanation.text
        links = "".join(
            f'<a href="{escape(address)}">{escape(_encodable(name))}</a>\n'
            for address, name in explanation.links
        )
    return _PAGE.format(
        status=status,
        title=escape(_encodable(title)),
        text=f"<p>{escape(_encodable(text))}</p>\n" if text else "",
        links=f"<nav>\n{links}</nav>\n" if links else "",
    ).encode()


def _encodable(text: str) -> str:
    """`text` without surrogate escapes, which a file name may have brought into it."""
    return text.encode("utf-8", "replace").decode()
