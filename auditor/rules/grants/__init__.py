"""Rules about access that lives in grants."""
