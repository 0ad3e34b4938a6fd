"""The command line: `riverrun serve`, `riverrun run`.

What is written here turns words into the objects of the rooms below, and says what went wrong in
one line. The words are read before anything that serves is imported, so that help and mistakes are
answered at once; a command imports what it needs when it runs.
"""

from riverrun.cli.program import main

__all__ = ["main"]
