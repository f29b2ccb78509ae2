"""Rules about policy text that does nothing, something else, or locks people out."""
