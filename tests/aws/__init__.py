"""A loopback stand-in for AWS: moto's HTTP server behind a proxy that pages, fills in, fails and counts on demand."""
