"""Rules about who inside holds more power over keys than the job needs."""
