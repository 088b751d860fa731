"""Twocans: simple chat for your own network."""
