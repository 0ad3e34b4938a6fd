"""tus 1.0.0, the resumable uploads that most clients speak, over the store of uploads."""

from riverrun.apps.uploads.tus.handler import Tus

__all__ = ["Tus"]
