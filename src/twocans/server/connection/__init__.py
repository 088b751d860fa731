"""A connection: the bytes, the dialect, the queue to send, and registration."""
