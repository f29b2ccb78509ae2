"""Changes that somebody thinks about making, applied to the facts of a snapshot; nothing else is touched.

An edit that finds nothing to change is refused: a silent no-op would look like a safe change.
"""

from __future__ import annotations

from auditor.questions.edits.applying import apply_edits, try_edits
from auditor.questions.edits.kinds import FROM_PLANS, Edit, EditKind

__all__ = ["FROM_PLANS", "Edit", "EditKind", "apply_edits", "try_edits"]
