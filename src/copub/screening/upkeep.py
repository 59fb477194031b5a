"""Comparing a watchlist with the official document: a draft of what a person has to enter or take out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import polars as pl
from rapidfuzz import fuzz, process

from copub.addresses.affiliationtext import DIVIDER
from copub.errors import InputError
from copub.lists.watchlist import Watchlist, left_out
from copub.screening.compilednames import Lexicon
from copub.screening.document import Rows, read_document
from copub.screening.index import build_index

ALIKE = 90.0
"""Similarity (0 to 100, `rapidfuzz.fuzz.ratio`) from which a new name may be an old one in another spelling."""

_FEWEST = 0.2
"""Share of the names of the list that a column must hold to be the column of names."""

_RESEARCH = re.compile(
    r"universit|institut|academ|colleg|school|laborator|research|cent(?:er|re)\b|design bureau|институт|университет"
    r"|академи|бюро|دانشگاه|大学|学院|研究",
    re.IGNORECASE,
)
_ALIASES = re.compile(r",?\s*(?:a\.?k\.?a\.?|also known as)\b.*", re.IGNORECASE | re.DOTALL)
_HEAD = re.compile(
    r"(?:foreign )?(?:name|entity|entities|institution|organi[sz]ation|end user|title)s?\b.{0,20}", re.IGNORECASE
)
_PARTS = re.compile(r"[|;\u2014]")
"""What is between the further names of an entry."""

_COLUMNS = ("change", "name", "before", "entity_id", "looks_like_research")


def check_watchlist(watchlist: Watchlist, against: Path) -> pl.DataFrame:
    """Compare the names that a list keeps as printed with those of an official document.

    Parameters
    ----------
    watchlist : a list whose rows have `listed_as`; without it the names of the entities are compared.
    against : the document: .csv, .xlsx, .html or .txt.

    Returns
    -------
    One row per difference, sorted: change (added | removed | renamed), name (as the document has it; of a
    removed one as the list has it), before (the printed name that a renamed entry had), entity_id (of the
    registry; for an added entry a suggestion, null without one), looks_like_research (whether the name has
    a word such as university or institute). Names that the list leaves out with a reason are no difference.

    Raises
    ------
    InputError : the document cannot be read, or no column of it holds the names of the list.
    """
    lexicon = build_index([watchlist]).lexicon
    printed = _printed(watchlist, lexicon)
    left = {_key(row["listed_as"], lexicon) for row in left_out() if row["watchlist"] == watchlist.id}
    document = read_document(against)
    names = _names(document, {*printed, *left}, lexicon, against)
    anywhere = {_key(part, lexicon) for row in document for cell in row for part in _PARTS.split(cell)}
    missing = {key: value for key, value in printed.items() if key not in names and key not in anywhere}
    rows = []
    for key, name in names.items():
        if key in printed or key in left:
            continue
        entity = _entity(key, lexicon)
        old = _old_name(key, entity, missing)
        before, owner = missing.pop(old) if old else (None, entity)
        rows.append(("renamed" if old else "added", name, before, owner, bool(_RESEARCH.search(name))))
    rows += [("removed", name, None, entity, bool(_RESEARCH.search(name))) for name, entity in missing.values()]
    schema = {**dict.fromkeys(_COLUMNS[:-1], pl.String()), _COLUMNS[-1]: pl.Boolean()}
    return pl.DataFrame(rows, schema=pl.Schema(schema), orient="row").sort("change", "name")


def _printed(watchlist: Watchlist, lexicon: Lexicon) -> dict[str, tuple[str, str]]:
    """Return the key of each printed name with the name and its entity."""
    return {
        _key(name, lexicon): (name, member.entity.id)
        for member in watchlist.entities
        for name in member.listed_as or (member.entity.name,)
    }


def _key(name: str, lexicon: Lexicon) -> str:
    return lexicon.reader.read(_ALIASES.sub("", name)).text.replace(DIVIDER, "")


def _names(rows: Rows, known: Set[str], lexicon: Lexicon, path: Path) -> dict[str, str]:
    """Return the keys and names of the column that holds most names of the list."""
    columns: list[dict[str, str]] = [
        {key: row[place] for row in rows if len(row) > place and (key := _key(row[place], lexicon))}
        for place in range(max(map(len, rows), default=0))
    ]
    best = max(columns, key=lambda column: len(known & column.keys()), default={})
    if len(known & best.keys()) < max(1, _FEWEST * len(known)):
        hint = "give the document of this list, with one entry per row; in a table, one column must hold the names"
        raise InputError("no column holds the names of the list", where=str(path), hint=hint)
    return {key: name for key, name in best.items() if not _HEAD.fullmatch(name)}


def _entity(key: str, lexicon: Lexicon) -> str | None:
    """Return the one entity that bears a name; None if none or several do."""
    ids = {meaning.entity.id for meaning in lexicon.patterns.get(key, ()) if meaning.entity is not None}
    return ids.pop() if len(ids) == 1 else None


def _old_name(key: str, entity: str | None, missing: Mapping[str, tuple[str, str]]) -> str | None:
    """Return the key of the missing name that a new name replaces: of the same entity, or nearly the same."""
    same = [old for old, (_, owner) in missing.items() if owner == entity]
    if same:
        return same[0]
    found = process.extractOne(key, list(missing), scorer=fuzz.ratio, score_cutoff=ALIKE)
    return str(found[0]) if found else None


def draft_lines(differences: pl.DataFrame) -> Iterator[str]:
    """Yield the draft as lines to read: research bodies first, the others as a number."""
    for change in ("added", "renamed", "removed"):
        some = differences.filter(pl.col("change") == change)
        shown = some if change != "added" else some.filter("looks_like_research")
        for row in shown.iter_rows(named=True):
            before = f"  was: {row['before']}" if row["before"] else ""
            entity = f"  [{row['entity_id']}]" if row["entity_id"] else ""
            yield f"{change:<8} {row['name']}{entity}{before}"
        if some.height > shown.height:
            yield f"{change:<8} and {some.height - shown.height} without a word of research in the name: see --json"


def counts(differences: pl.DataFrame, changes: Sequence[str] = ("added", "renamed", "removed")) -> dict[str, int]:
    """Return the number of differences of each kind."""
    return {change: differences.filter(pl.col("change") == change).height for change in changes}
