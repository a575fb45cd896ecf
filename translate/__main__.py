"""``python -m translate`` is the command ``translate``."""

import sys

from translate.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
