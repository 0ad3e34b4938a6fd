"""What a folder can be shown as; here, so that knowing it loads no listing."""

from __future__ import annotations

from typing import Final

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
HTML: Final = "text/html"

LISTING_TYPES: Final = (JSON, NDJSON, HTML)
"""Programs that take anything get the first; a page goes to who asks for one: browsers."""
