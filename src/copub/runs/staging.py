"""The stages tabulate, classify and screen, each carried out once for the same inputs.

What a stage reads is its key (`copub.runs.stagecache`): the records by the hashes of their pages
or files, the frames of the stage before by their hashes, lists and taxonomies by theirs, and the
settings of the study. Of the settings, tabulate's key leaves out only those named here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from copub.corpus import Tables, tabulate_in_turn
from copub.corpus.funnel import Funnel
from copub.lists.taxonomy import Taxonomy
from copub.lists.watchlist import Watchlist
from copub.packed import pack, unpack
from copub.parallel import split_on_disk_by_work
from copub.progress import bar
from copub.runs.codehash import shipped_hash
from copub.runs.folder import ROWS_AT_ONCE
from copub.runs.stagecache import Frames, StageCache
from copub.schema import TABLES, empty
from copub.screening import Parts
from copub.screening.studyhits import rule_of, screen_study
from copub.sources.harvest.rawrecord import Record
from copub.study import NOT_SETTINGS, Side, Study
from copub.technology import DECIDED, Classification, classify_in_turn

NOT_READ_BY_TABULATE = frozenset(
    (
        "id", "title", "question", "synthetic", "taxonomy", "other_taxonomies", "operating_point", "thresholds",
        "watchlists", "other_watchlists", "levels", "top_level", "tiers", "include_medical", "include_descendants",
        "listed_at_publication_only", "counting", "confidence", "base_year", "small_cell", "small_rate", "events",
        "bounds", "published", "ties", "labelled", "evaluations", "language",
        *NOT_SETTINGS,
    )
)  # fmt: skip
"""Settings that only later stages read. A setting that is not named here is part of the key."""

LARGE = ("authorships", "affiliations")
"""Tables that are worked on in parts."""
_TAXONOMIES, _MODELS = "taxonomies/technologies", "taxonomies/models"
_SOURCE = ("kind", "query_hash", "round", "mode", "pages", "files")


@dataclass(frozen=True, slots=True)
class Tabulated:
    """Tables, the sha256 of each as it is kept, whether they were made or taken from there, and where that is.

    Abstracts, authorships and affiliations, most of all, stay on disk (these frames are empty): `texts`
    and `parts` read them.
    """

    tables: Tables
    hashes: Mapping[str, str]
    origin: str
    folder: Path

    def texts(self, *columns: str) -> Iterator[pl.DataFrame]:
        """Yield columns of table ``works``, abstracts too, in parts of `ROWS_AT_ONCE` rows, in its order."""
        whole = pl.scan_parquet(self.folder / "works.parquet").select(columns)
        for start in range(0, self.tables.works.height, ROWS_AT_ONCE):
            yield whole.slice(start, ROWS_AT_ONCE).collect()

    def parts(self, name: str) -> Iterator[pl.DataFrame]:
        """Yield a table that is on disk in parts, no work in two of them."""
        return split_on_disk_by_work(self.folder / f"{name}.parquet")

    def whole_works(self) -> Iterator[pl.DataFrame]:
        """Yield table ``works`` with its abstracts, in parts."""
        for number, abstracts in enumerate(self.texts("abstract")):
            part = self.tables.works.slice(number * ROWS_AT_ONCE, ROWS_AT_ONCE)
            yield part.hstack(abstracts).select(TABLES["works"].schema.names())


def tabulated(stages: StageCache, records: Iterable[Record], source: Mapping[str, Any], study: Study) -> Tabulated:
    """Carry out tabulate, or take its kept result.

    Parameters
    ----------
    source : what the manifest says of the records: their pages or files with sha256.
    """

    parts = {"source": {name: source.get(name) for name in _SOURCE}, "study": _settings(study)}
    kept_in = stages.parts_folder("tabulate", parts)

    def make() -> tuple[Frames, dict[str, Any]]:
        tables, funnel = tabulate_in_turn(records, study, kept_in)
        return tables, funnel.facts()

    left = {"works": ("abstract",)} | {name: TABLES[name].schema.names() for name in LARGE}
    staged = stages.cached("tabulate", parts, make, left_on_disk=left)
    tables = Tables(funnel=Funnel.of_facts(staged.facts), **staged.frames, **{name: empty(name) for name in LARGE})
    return Tabulated(tables, staged.hashes, staged.origin, staged.folder)


def classified(
    stages: StageCache, given: Tabulated, taxonomies: Sequence[Taxonomy], study: Study
) -> tuple[Classification, str, Path]:
    """Carry out classify, or take its kept result; return it, its origin and the file of all its assignments.

    Of the assignments, the evidence stays in that file.
    """

    parts = {
        "inputs": {name: given.hashes[name] for name in ("works", "topics")},
        "taxonomies": [taxonomy.hash for taxonomy in taxonomies],
        "shipped": [shipped_hash(folder) for folder in (_TAXONOMIES, _MODELS)],
        "operating_point": study.operating_point,
        "thresholds": dict(study.thresholds),
    }
    kept_in = stages.parts_folder("classify", parts)

    def frames() -> Iterator[tuple[str, pl.DataFrame | Iterator[pl.DataFrame]]]:
        works = given.texts("work_id", "title", "abstract", "abstract_status", "language", "epoch")
        basis: list[pl.DataFrame] = []

        def assignments() -> Iterator[pl.DataFrame]:
            packed: dict[str, list[bytes]] = {taxonomy.id: [] for taxonomy in taxonomies}
            with bar(label="classify", total=given.tables.works.height) as progress:
                for part in classify_in_turn(
                    works,
                    given.tables.topics,
                    taxonomies,
                    operating_point=study.operating_point,
                    thresholds=study.thresholds,
                    kept_in=kept_in,
                ):
                    progress.update(part.basis.height)
                    basis.append(part.basis)
                    for (name,), rows in part.assignments.group_by("taxonomy", maintain_order=True):
                        packed[str(name)].append(pack(rows))
            yield empty("assignments")
            for name in sorted(packed):  # the table is sorted by taxonomy first
                yield from map(unpack, packed[name])

        yield "assignments", assignments()
        yield "basis", pl.concat(basis)

    def make() -> tuple[Frames, dict[str, Any]]:
        return frames(), {}

    evidence = [name for name in TABLES["assignments"].schema.names() if name not in DECIDED]
    staged = stages.cached("classify", parts, make, left_on_disk={"assignments": evidence})
    return Classification(**staged.frames), staged.origin, staged.folder / "assignments.parquet"


def screened(
    stages: StageCache, given: Tabulated, affiliations: Parts, watchlists: Sequence[Watchlist], study: Study
) -> tuple[pl.DataFrame, str]:
    """Carry out screen, or take its kept result; return the table ``hits`` and its origin.

    Parameters
    ----------
    affiliations : gives the table as the study's rule for repairs has it.
    """

    def make() -> tuple[Frames, dict[str, Any]]:
        return [("hits", screen_study(study, affiliations, watchlists, given.tables.works))], {}

    parts = {
        "inputs": {
            name: given.hashes[name]
            for name in ("affiliations", *(["works"] if study.listed_at_publication_only else []))
        },
        "watchlists": [(watchlist.id, watchlist.hash) for watchlist in watchlists],
        "shipped": shipped_hash("taxonomies/watchlists/registry"),
        "switches": [asdict(rule_of(study)), study.listed_at_publication_only, study.apply_repairs],
    }
    staged = stages.cached("screen", parts, make)
    return staged.frames["hits"], staged.origin


def model_facts(taxonomies: Sequence[Taxonomy]) -> list[dict[str, str]]:
    """Return for the manifest the hash of all that classifies for a taxonomy, beside the taxonomy itself.

    That is the trained model, the map of topics, and the taxonomy to which it links, if any.
    """
    model = [shipped_hash(_MODELS, f"*.{kind}") for kind in ("json", "npz")]
    facts = []
    for taxonomy in taxonomies:
        names = dict.fromkeys(filter(None, (taxonomy.id, taxonomy.crosswalk)))
        files = [*model, *(shipped_hash(_TAXONOMIES, f"{name}.*") for name in names)]
        facts.append({"id": taxonomy.id, "hash": hashlib.sha256("".join(files).encode()).hexdigest()})
    return facts


def _settings(study: Study) -> dict[str, Any]:
    """Return the settings that tabulate may read; of a side, its countries."""
    values = {f.name: getattr(study, f.name) for f in fields(Study) if f.name not in NOT_READ_BY_TABULATE}
    return {name: value.countries if isinstance(value, Side) else value for name, value in values.items()}
