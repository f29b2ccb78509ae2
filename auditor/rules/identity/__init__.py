"""Rules about the identities behind the access."""
