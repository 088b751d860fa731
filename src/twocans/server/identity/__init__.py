"""The certificate of the server, passwords, and who may read its files."""
