"""Sockets, threads, the operator's console and the configuration."""
