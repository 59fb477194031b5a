"""Text for people: lines of 80 columns, aligned columns, numbers with their nouns."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten, wrap

WIDTH = 80


def amount(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 area", "2 areas", "2 entities"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def wrapped(text: str, *, indent: str = "") -> list[str]:
    """Return a text in lines of 80 columns, the later ones indented. Paths and addresses stay whole."""
    return wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def one_line(head: str, text: str) -> str:
    """Return a text behind its head in one line of 80 columns, cut at a word if it is too long."""
    return head + shorten(text, WIDTH - len(head), placeholder=" …")


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return rows as lines with aligned columns: the first `left` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
