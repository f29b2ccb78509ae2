"""Pure: a snapshot → who can do what, under which conditions, and why. The specification is kms-authorization.md."""

from auditor.evaluator.surroundings import Context, Surroundings

__all__ = ["Context", "Surroundings"]
