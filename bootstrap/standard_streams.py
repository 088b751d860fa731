"""Opens standard streams that are closed, before a file or a helper process gets their descriptors.

Init scripts (`>&- 2>&- <&-`) and windows without a console start programs so. What takes this process's place finds
them open.
"""

import os


def open_closed() -> None:
    """Open those of the descriptors 0, 1 and 2 that are closed on the null device."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null == descriptor:
                os.set_inheritable(descriptor, True)
            else:
                os.dup2(null, descriptor)
                os.close(null)
