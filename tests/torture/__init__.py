"""Writers at full speed while the server, the clients or both are killed: nothing may be lost or doubled.

`python -m tests.torture --help` tells how to run it for as long as one likes.
"""
