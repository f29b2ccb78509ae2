"""Rules about change since the baseline, and reviews."""
