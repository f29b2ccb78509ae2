"""A Terraform plan (``terraform show -json``) → edits of keys, policies, aliases, grants, identities and guardrails.

What a plan leaves open (values known after apply, keys that do not exist yet) is never guessed: it is listed.
"""

from __future__ import annotations

from auditor.questions.terraform.edits import PlannedEdits, edits_of_plan

__all__ = ["PlannedEdits", "edits_of_plan"]
