"""kms-audit: who can do what with every AWS KMS key of an organization, under which conditions, and why."""

__version__ = "0.1.0"
