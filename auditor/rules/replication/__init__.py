"""Rules about related multi-Region keys."""
