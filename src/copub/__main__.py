"""``python -m copub``: the same as the command ``copub``."""

from copub.cli import main

main()
