"""Rules about logging, alarms and analyzers."""
