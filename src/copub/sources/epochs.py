"""Epochs of OpenAlex's own instruments: spans in which figures may be compared.

Two instruments changed in 2026: the matcher that gives affiliations their institutions
(2026-09-28; 54 million works got other institutions, most without a new ``updated_date``), and
the model that gives works their topics (October 2026; 71 % of works changed the primary topic).
Sources: OpenAlex's affiliation-matcher and topic-classification repositories.
"""

from __future__ import annotations

# instrument, how a label names it, dates of change with the label of the span that then begins
_INSTRUMENTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("affiliations", (("2026-09-28", "2026-09-28"),)),
    ("topics", (("2026-10-01", "2026-10"),)),
)


def epoch_of(date: str) -> str:
    """Return the epoch of an ISO date of retrieval, both instruments named; "unknown" for "".

    >>> epoch_of("2026-11-21")
    'affiliations 2026-09-28, topics 2026-10'
    >>> epoch_of("2026-03-02")
    'affiliations before 2026-09-28, topics before 2026-10'
    """
    if not date:
        return "unknown"
    return ", ".join(f"{name} {_span(changes, date[:10])}" for name, changes in _INSTRUMENTS)


def _span(changes: tuple[tuple[str, str], ...], date: str) -> str:
    begun = [label for since, label in changes if since <= date]
    return begun[-1] if begun else f"before {changes[0][1]}"
