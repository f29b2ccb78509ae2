"""Rules about what the run could not see or decide."""
