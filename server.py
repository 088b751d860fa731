"""Start the Twocans server. `python server.py --help` tells its options."""

from bootstrap.start import start

if __name__ == "__main__":
    start("twocans.server")
