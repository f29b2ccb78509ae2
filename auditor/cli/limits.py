"""What the operating system lets one process have, raised as far as it may be raised without asking anybody."""

from __future__ import annotations

from contextlib import suppress

OPEN_FILES = 8192
"""A run keeps connections for each service in each Region; macOS begins with 256 files, much of Linux with 1024."""


def raise_open_files() -> None:
    """Lets this process open as many files as its hard limit allows, up to ``OPEN_FILES``."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # more than the system allows anybody: it stays as it was
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
