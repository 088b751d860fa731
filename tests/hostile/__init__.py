"""Attacks on a real server beside two people who chat: what they cost it, and what those two notice."""
