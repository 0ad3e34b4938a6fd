"""Bytes coming in: a folder that can be uploaded to, in any dialect."""

from riverrun.apps.uploads.limits import Permissions, UploadLimits
from riverrun.apps.uploads.upload import Upload
from riverrun.apps.uploads.uploads import Uploads

__all__ = ["Permissions", "Upload", "UploadLimits", "Uploads"]
