"""Shared by server, client and window: files of this user, network interfaces, local sockets and transcripts."""
