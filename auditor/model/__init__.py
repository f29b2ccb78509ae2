"""The nouns of the project: frozen dataclasses and the KMS vocabulary. No I/O but reading its own data files."""
