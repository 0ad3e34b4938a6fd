"""The protocol without I/O: what the bytes of HTTP mean, and which bytes to send."""
