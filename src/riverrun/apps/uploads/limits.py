"""What uploads may do, and how much. Sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Permissions:
    """What clients may change. Nothing, unless it is asked for."""

    upload: bool = False
    """Make files that were not there."""

    overwrite: bool = False
    """Replace files that were."""

    delete: bool = False
    """Remove files, and folders that are empty."""

    @property
    def takes_files(self) -> bool:
        """Whether any file may come in."""
        return self.upload or self.overwrite


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The limits of one store of uploads; each is checked before a body is asked for, if it can."""

    size: int | None = None
    """Of one upload; beyond it 413. None: what the disk holds."""

    unfinished: int = 10_000
    """Uploads that have begun and are not complete; beyond it 429."""

    free_space: int = 64 * MIB
    """What stays free on the disk; beyond it 507."""

    expiry: float = 7 * DAY
    """An unfinished upload to which nothing was added for this long is removed."""

    memory: float = DAY
    """How long a complete upload can still be asked about."""

    remembered: int = 10_000
    """Complete uploads that can be asked about; beyond it the oldest are forgotten."""
