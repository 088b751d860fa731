"""`python -m twocans.gui`: the desktop client."""

import sys

from twocans.gui.app import main

sys.exit(main())
