"""Start the Twocans server. `python server.py --help` tells its options."""

import os
import sys

if __name__ == "__main__":
    # Also where Python is told to leave this folder out: -I, -P, PYTHONSAFEPATH.
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

    from bootstrap.isolation import isolate

    isolate()

    from bootstrap.standard_streams import open_closed

    open_closed()

    from bootstrap.start import start

    start("twocans.server")
