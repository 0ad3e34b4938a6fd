"""What the client would like best of what there is (RFC 9110, 12.5).

Preferences are hints: an element that is not valid is passed over, and a field without a valid
one counts as absent. Weights are whole thousandths. Where the client is indifferent the order of
what is offered decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from riverrun.http.fields import split_list, split_parameters

WEIGHT = rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?"
MEDIA_RANGE = r"\*/\*|[^\s/*]+/\*|[^\s/*]+/[^\s/*]+"
ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}  # RFC 9110, 8.4.1

Parameters = frozenset[tuple[bytes, bytes]]


def choose_media_type(accept: bytes | None, offered: Sequence[str]) -> str | None:
    """The media type of `offered` that an Accept field likes best, or None if it likes none.

    Without a field it is the first. The most specific range that fits a type gives its weight
    (RFC 9110, 12.5.1); a range with parameters fits only a type that is offered with them.
    """
    return _choose_media_type(accept, tuple(offered))


def acceptable_codings(accept_encoding: bytes | None, offered: Sequence[str]) -> list[str]:
    """The content codings of `offered` that an Accept-Encoding field accepts, best first.

    ``identity``, no coding, is among them where it is acceptable, behind its equals; without a
    field it is the only one, since a client that does not ask may not understand. The list is
    empty when nothing will do, not even identity (RFC 9110, 12.5.3).
    """
    return list(_acceptable_codings(accept_encoding, tuple(offered)))


@lru_cache(maxsize=256)
def _choose_media_type(accept: bytes | None, offered: tuple[str, ...]) -> str | None:
    weights = _weights(accept) if accept is not None else {}
    ranges = [
        (name, parameters, weight)
        for (name, parameters), weight in weights.items()
        if re.fullmatch(MEDIA_RANGE, name)
    ]
    if not ranges:
        return offered[0] if offered else None
    best = max(offered, key=lambda media_type: _media_weight(media_type, ranges), default=None)
    return best if best is not None and _media_weight(best, ranges) else None


def _media_weight(media_type: str, ranges: list[tuple[str, Parameters, int]]) -> int:
    """The weight that the most specific fitting range gives, 0 if none fits."""
    name, offered_with = _named(media_type.encode("latin-1"))
    kind = name.partition("/")[0]
    specificity = {"*/*": 1, f"{kind}/*": 2, name: 3}
    best = (0, 0, 0)
    for range_name, parameters, weight in ranges:
        if range_name in specificity and parameters <= offered_with:
            best = max(best, (specificity[range_name], len(parameters), weight))
    return best[-1]


@lru_cache(maxsize=256)
def _acceptable_codings(accept_encoding: bytes | None, offered: tuple[str, ...]) -> tuple[str, ...]:
    if accept_encoding is None:
        return ("identity",)
    elements = _weights(accept_encoding).items()
    asked = {ALIASES.get(name, name): weight for (name, _), weight in elements}
    weights = {name: asked.get(name, asked.get("*", 0)) for name in offered}
    # Unless it is excluded, by its name or by a star, identity is acceptable: as a last resort.
    weights["identity"] = asked.get("identity", asked.get("*", 1))
    acceptable = (name for name, weight in weights.items() if weight)
    return tuple(sorted(acceptable, key=lambda name: -weights[name]))


def _weights(value: bytes) -> dict[tuple[str, Parameters], int]:
    """The weight of each element of a list, keyed by its name and its other parameters."""
    weights: dict[tuple[str, Parameters], int] = {}
    for element in split_list(value):
        name, parameters = _named(element)
        weight = next((text for key, text in parameters if key == b"q"), b"1")
        if name and re.fullmatch(WEIGHT, weight):
            others = frozenset(pair for pair in parameters if pair[0] != b"q")
            weights[name, others] = round(float(weight) * 1000)
    return weights


def _named(element: bytes) -> tuple[str, Parameters]:
    """A name, and its parameters with their values in lower case, as media types compare."""
    name, parameters = split_parameters(element)
    pairs = frozenset((key, text.lower()) for key, text in parameters.items())
    return name.decode("latin-1").lower(), pairs
