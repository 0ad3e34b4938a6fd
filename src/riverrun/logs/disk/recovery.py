"""What a store does when it opens: whatever a crash has left, what counts is there again."""

from __future__ import annotations

from riverrun.logs.disk.catalogue import Catalogue
from riverrun.logs.disk.files import LogFiles


def recover(catalogue: Catalogue, files: LogFiles) -> None:
    """Write the journal into the files once more, and remove the files that no log has.

    Bytes beyond a log's tail stay where they are: they do not count, and the next append takes
    their place. Raises `OSError` and `sqlite3.Error`; it can be done again then.
    """
    written: set[str] = set()
    last = 0
    for entry in catalogue.journal():
        last = entry.id
        if catalogue.knows_file(entry.file):
            files.write(entry.file, entry.position, (entry.data,))
            written.add(entry.file)
    files.sync_other(tuple(written))
    if last:
        catalogue.clear_journal(last)
    files.remove([name for name in files.names() if not catalogue.knows_file(name)])
