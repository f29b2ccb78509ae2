"""Rules about barriers of the organization."""
