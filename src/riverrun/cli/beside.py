"""What a server has beside the folder: its transfers and counts, and the page that people see.

None of it is needed for a first answer, so each part is loaded when it is first asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from riverrun.apps.files.listing import Enhancement
    from riverrun.apps.flows import Access
    from riverrun.apps.page import PageHead
    from riverrun.flows import Flows
    from riverrun.server import Handler, Vitals
    from riverrun.web import Build


class Transfers:
    """What `flows` and `vitals` tell, to whom the words of `--allow` let them be told."""

    def __init__(self, flows: Flows, vitals: Vitals, allow: Collection[str], host: str) -> None:
        self._flows = flows
        self._vitals = vitals
        self._allow = allow
        self._host = host

    def steering(self) -> Handler:
        """The handler that shows and steers transfers."""
        from riverrun.apps.flows import Steering  # noqa: PLC0415 - when it is asked for

        return Steering(self._flows, self._access)

    def metrics(self) -> Handler:
        """The handler that tells what the server counts."""
        from riverrun.apps.flows import Metrics  # noqa: PLC0415 - as above

        return Metrics(self._vitals, self._access)

    @cached_property
    def _access(self) -> Access:
        from riverrun.apps.flows import Access  # noqa: PLC0415 - as above

        return Access(
            steer="steer" in self._allow, remote="watch" in self._allow, names=(self._host,)
        )


class Page:
    """The page, if it was built; it learns what the words of `--allow` let it show."""

    def __init__(self, allow: Collection[str]) -> None:
        self._allow = allow

    def enhancement(self) -> Enhancement:
        """What brings it into the listings of folders."""
        return self._head.enhancement()

    def view(self, programs: Handler) -> Handler:
        """A handler that gives people the page, and programs what `programs` answers."""
        from riverrun.apps.page import Views  # noqa: PLC0415 - when it is asked for

        return Views(self._head, programs)

    def assets(self) -> Handler:
        """The handler that serves its files."""
        from riverrun.apps.page import Assets  # noqa: PLC0415 - as above

        return Assets(self._build)

    @cached_property
    def _build(self) -> Build:
        from riverrun.web import find_build  # noqa: PLC0415 - as above

        build = find_build()
        assert build is not None
        return build

    @cached_property
    def _head(self) -> PageHead:
        from riverrun.apps.page import PageHead  # noqa: PLC0415 - as above

        return PageHead(self._build, tuple(self._allow))
