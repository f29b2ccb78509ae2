"""Files that the user hands in, read without trust: limits, one spelling of every mistake, no value twice.

Turns bytes into plain data and nothing more; what the data means is for the room that asked.
"""

from __future__ import annotations

from auditor.userfiles.reading import as_json, as_path, as_yaml, check_plain, read_text

__all__ = ["as_json", "as_path", "as_yaml", "check_plain", "read_text"]
