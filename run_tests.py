"""Check everything: style, types, layers and tests. Arguments go to pytest, which then runs alone."""

import os
import sys

if __name__ == "__main__":
    # Also where Python is told to leave this folder out: -I, -P, PYTHONSAFEPATH.
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

    from bootstrap.isolation import isolate

    isolate()

    from bootstrap.standard_streams import open_closed

    open_closed()

    from bootstrap.checks import main

    sys.exit(main(sys.argv[1:]))
