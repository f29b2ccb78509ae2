"""Rules about services, vendors and federated parties that act for others."""
