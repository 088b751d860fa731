"""Bytes in and out: the event loop, a thread for each client, TLS, sockets and limits of connections."""
