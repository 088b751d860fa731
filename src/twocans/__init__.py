"""Twocans: simple chat for your own network."""

import os

_KEY_LOG = "SSLKEYLOGFILE"

# Virus scanners set it to a file that others can't write to. Every library that encrypts would then fail, some as soon as
# they are imported.
if _named := os.environ.get(_KEY_LOG):
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).keylog_filename = _named
    except (OSError, ValueError):
        del os.environ[_KEY_LOG]
