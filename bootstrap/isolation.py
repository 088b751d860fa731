"""Limits the search for modules to Python's own folders, as `python -I` does, in a Python that runs already.

PYTHONPATH, the current folder and the programs' folder may hold a module that is named like one of Python's, such as
queue.py. So a program calls this before it imports anything but `os` and `sys`, which Python has loaded itself.
"""

import os
import sys


def isolate() -> None:
    """Remove those folders from `sys.path`; the modules of `bootstrap` are found all the same."""
    library = os.path.dirname(os.__file__)
    own = (library, os.path.join(library, "lib-dynload"), os.path.join(sys.base_exec_prefix, "DLLs"))
    programs = os.path.dirname(os.path.dirname(__file__))
    added = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), programs]
    removed = {_normalize(folder) for folder in added if folder} - {_normalize(folder) for folder in own}
    sys.path[:] = [
        folder for folder in sys.path if os.path.isabs(folder) and _normalize(folder) not in removed
    ]


def _normalize(folder: str) -> str:
    try:
        return os.path.normcase(os.path.abspath(folder))
    except OSError:  # a relative one, and the current folder is gone
        return folder
