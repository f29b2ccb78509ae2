"""Rules about rotation, age, expiry, deletion and use of keys."""
