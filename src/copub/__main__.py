"""``python -m copub`` and the command ``copub``: what a signal does is settled before anything large is loaded."""

from copub.signals import end_at_once, heed, stop


def main() -> None:
    """Load the command line and run it."""
    heed(end_at_once)
    from copub.cli import main as command_line

    heed(stop)
    command_line()


if __name__ == "__main__":
    main()
