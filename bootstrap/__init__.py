"""Starting the programs with nothing but Python: sets up `.venv` and hands over to the packages in it.

Importing this package on a Python that is too old ends the program with a sentence. So this file and the three
programs at the root keep to what every Python since 2.7 can read; the rest of the folder needs not.
"""

import sys

if sys.hexversion < 0x030B0000:
    sys.exit(
        "Twocans needs Python 3.11 or newer, and this is Python "
        + sys.version.split()[0]
        + ".\nA newer one may be here already: try python3 in place of python. If it is not, install it with"
        + "\nyour system's package manager or from www.python.org, and start Twocans with it."
    )
