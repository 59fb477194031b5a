"""The manifest: everything another researcher needs to get the same number. Never a key."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from copub.demo import true_shares
from copub.lists.taxonomy import Taxonomy
from copub.lists.watchlist import Watchlist
from copub.runs.folder import FORMAT
from copub.study import NOT_SETTINGS, Study

_LIBRARIES = ("polars", "pyarrow", "pyalex", "scikit-learn", "scipy", "numpy", "altair", "orjson", "rapidfuzz")
_LIST_FACTS = (
    "id", "title", "authority", "edition", "kind", "retrieved", "completeness", "terms", "levels",
    "unrated", "unrated_totals", "countries", "hash",
)  # fmt: skip
_TAXONOMY_FACTS = ("id", "title", "source", "date", "verification", "hash")


def study_facts(study: Study) -> dict[str, Any]:
    """Return the study as JSON-ready values, with the hash of its text; the run folder holds the text itself."""
    names = [field.name for field in fields(study) if field.name not in NOT_SETTINGS]
    values = {name: _plain(getattr(study, name)) for name in names}
    return values | {"hash": study.hash, "years": [study.year_from, study.year_to]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def taxonomy_facts(taxonomies: Sequence[Taxonomy]) -> list[dict[str, Any]]:
    """Return title, source, date, state of proof, hash and names of the areas of each taxonomy."""
    return [
        {fact: getattr(taxonomy, fact) for fact in _TAXONOMY_FACTS}
        | {"areas": {area.id: area.name for area in taxonomy.areas}}
        for taxonomy in taxonomies
    ]


def watchlist_facts(watchlists: Sequence[Watchlist]) -> list[dict[str, Any]]:
    """Return authority, edition, kind, completeness, entities by country and hash of each watchlist."""
    return [{fact: getattr(watchlist, fact) for fact in _LIST_FACTS} for watchlist in watchlists]


def versions() -> dict[str, str]:
    """Return the versions of copub, Python, and the libraries that shape the numbers."""
    return {
        "copub": version("copub"),
        "python": platform.python_version(),
        **{library: version(library) for library in _LIBRARIES},
    }


def build_manifest(study: Study, run_id: str, *, last: str = "", **parts: Any) -> dict[str, Any]:
    """Return the manifest of a run: its study, the parts the pipeline gives, and the versions.

    `last` is when the run before was made, by its manifest. Where the clock is before that, the
    run is dated a second after it, so that runs keep their order, and `clock` says what the clock showed.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    created = now if now >= last else _second_after(last)
    return {
        "format": FORMAT,
        "run_id": run_id,
        "created": created,
        **({"clock": now} if created != now else {}),
        "copub_version": version("copub"),
        "study": study_facts(study),
        **parts,
        "versions": versions(),
    }


def command_line(arguments: Sequence[str]) -> list[str]:
    """Return a command line with paths cut to the names of their files: a manifest names no folder of the machine."""
    parts = (argument.partition("=") if argument.startswith("-") else ("", "", argument) for argument in arguments)
    return [f"{option}{equals}{Path(value).name}" for option, equals, value in parts]


def _second_after(moment: str) -> str:
    return (datetime.fromisoformat(moment) + timedelta(seconds=1)).isoformat(timespec="seconds")


def true_value_facts(shares: pl.DataFrame, study: Study) -> list[dict[str, Any]]:
    """Return true values next to measured ones for a synthetic run: one row per measure, full counting."""
    found = shares.filter((pl.col("slice_kind") == "all") & (pl.col("counting") == "full"))
    return [
        {"measure": measure, "true_value": truth, "measured": row["share"]}
        for measure, truth in true_shares(study.year_from, study.year_to).items()
        for row in found.filter(pl.col("measure") == measure).iter_rows(named=True)
    ]
