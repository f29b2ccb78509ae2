"""Rules about who outside the intended circle can use a key."""
