"""Rules about ownership data."""
