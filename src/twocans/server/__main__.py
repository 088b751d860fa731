"""`python -m twocans.server`."""

import sys

if __name__ == "__main__":
    from twocans.standard_streams import open_closed

    open_closed()

    from twocans.server.cli import main

    sys.exit(main())
