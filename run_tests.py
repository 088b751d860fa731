"""Check everything: style, types, layers and tests. Arguments go to pytest, which then runs alone."""

import sys

from bootstrap.checks import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
