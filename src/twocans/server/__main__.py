"""`python -m twocans.server`."""

import sys

from twocans.server.cli import main

sys.exit(main())
