"""What you test your own streams with; ours are tested with it, too."""

from riverrun.testing.leaks import no_leaks
from riverrun.testing.readable import check_readable
from riverrun.testing.writable import Received, check_writable

__all__ = ["Received", "check_readable", "check_writable", "no_leaks"]
