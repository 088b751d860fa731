"""What is said on the wire: framing, vocabulary, dialects, names and errors. No sockets, no clock, no disk."""
