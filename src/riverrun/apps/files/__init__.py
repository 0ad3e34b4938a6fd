"""A folder: ranges, conditions, listings, zero-copy."""

from riverrun.apps.files.files import Files

__all__ = ["Files"]
