"""`python -m bootstrap download` fills the folder `wheels`, from which a machine without internet can set up."""

import sys

from bootstrap.isolation import isolate

if __name__ == "__main__":
    isolate()

    from bootstrap.standard_streams import open_closed

    open_closed()

    from bootstrap.download import main

    sys.exit(main(sys.argv[1:]))
