"""How much of every log is kept."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
SEGMENT_SIZE = 64 * MIB
PARTS = 8  # of what is kept, as one segment: what is dropped late is at most that much


@dataclass(frozen=True, slots=True)
class Retention:
    """Keep the last `size` bytes of every log, and what is younger than `age` seconds.

    None keeps everything. A log drops whole segments, so that it may keep an eighth more.
    """

    size: int | None = None
    age: float | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise ValueError(f"size must be positive, not {self.size}")
        if self.age is not None and not self.age > 0:
            raise ValueError(f"age must be positive, not {self.age}")

    @property
    def segment_size(self) -> int:
        """After how many bytes a log begins a new file."""
        return SEGMENT_SIZE if self.size is None else max(1, min(SEGMENT_SIZE, self.size // PARTS))

    def is_full(self, size: int, age: float) -> bool:
        """Whether a segment of `size` bytes, begun `age` seconds ago, is not to be continued."""
        return size >= self.segment_size or (self.age is not None and age >= self.age / PARTS)
