"""Open the Twocans window. `python client_gui.py --help` tells its options."""

from bootstrap.start import start

if __name__ == "__main__":
    start("twocans.gui", needs_tkinter=True)
