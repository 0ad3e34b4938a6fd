"""The page over HTTP: what its documents load, and the views that are no folders."""

from riverrun.apps.page.assets import Assets
from riverrun.apps.page.documents import PageHead, Views

__all__ = ["Assets", "PageHead", "Views"]
