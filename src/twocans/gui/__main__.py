"""`python -m twocans.gui`: the desktop client."""

import sys

if __name__ == "__main__":
    from twocans.standard_streams import open_closed

    open_closed()

    from twocans.gui.app import main

    sys.exit(main())
