"""Russian names in Latin letters, by the usual schemes.

The schemes are the columns of ``taxonomies/watchlists/registry/transliterations.csv``: BGN/PCGN,
its plain form (``-skiy`` as ``-sky``), ALA-LC (as in passports), ISO 9 without its accents (the
scholarly form) and GOST 7.79 system B. Accents and soft signs vanish when a string is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from copub.errors import CorrectFile, Fault
from copub.screening.entity import read_rows
from copub.shipped import shipped_folder

_CYRILLIC = re.compile("[а-яё]")
_COLUMNS = {"letter": "Cyrillic letter, or an ending", **dict.fromkeys(("bgn", "plain", "ala", "iso9", "gost"), "Latin")}


def romanised(name: str) -> tuple[str, ...]:
    """Return a name with Cyrillic letters in Latin ones, once per distinct result; none for another name."""
    lower = name.lower()
    if not _CYRILLIC.search(lower):
        return ()
    return tuple(
        dict.fromkeys(pattern.sub(lambda m, t=table: t[m.group()], lower) for pattern, table in _schemes())
    )


@lru_cache(maxsize=1)
def _schemes() -> tuple[tuple[re.Pattern[str], Mapping[str, str]], ...]:
    path = shipped_folder("taxonomies/watchlists") / "registry" / "transliterations.csv"
    faults: list[Fault] = []
    rows = read_rows(path, _COLUMNS, tuple(_COLUMNS), faults, kind="table of transliterations")
    if faults:
        raise CorrectFile(faults, kind="table of transliterations")
    endings = "|".join(rf"{row['letter']}\b" for row in rows if len(row["letter"]) > 1)
    letters = "".join(row["letter"] for row in rows if len(row["letter"]) == 1)
    pattern = re.compile(f"{endings}|[{letters}]")
    return tuple((pattern, {row["letter"]: row[scheme] for row in rows}) for scheme in _COLUMNS if scheme != "letter")
