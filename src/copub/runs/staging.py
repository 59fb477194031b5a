"""The stages tabulate, classify and screen, each carried out once for the same inputs.

What a stage reads is its key (`copub.runs.stagecache`): the records by the hashes of their pages
or files, the tables of the stage before by their hashes, lists and taxonomies by theirs. Of a study, only what
decides which works enter the corpus and where the classifier's thresholds lie: another question to the same
corpus makes none of this again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from copub.corpus import Corpus, Entry, makers_of_tables
from copub.corpus.funnel import Funnel
from copub.lists.taxonomy import Taxonomy
from copub.lists.watchlist import Watchlist
from copub.packed import pack, unpack
from copub.parallel import Parted, parts_on_disk, rows_of
from copub.progress import bar
from copub.runs.codehash import shipped_hash
from copub.runs.stagecache import Makers, StageCache, Staged
from copub.schema import empty
from copub.screening import found_parts
from copub.sources.rawrecord import Record
from copub.study import Study
from copub.technology import PART, classify_parts, parts_of

_TAXONOMIES, _MODELS = "taxonomies/technologies", "taxonomies/models"
_REGISTRY = "taxonomies/watchlists/registry"
_SOURCE = ("kind", "query_hash", "round", "mode", "pages", "files")
_TOPICS = ("work_id", "rank", "topic_id", "topic_name", "score")
_TEXTS = ("work_id", "title", "abstract", "abstract_status", "language", "epoch")


@dataclass(frozen=True, slots=True)
class Stored:
    """A corpus whose tables lie where results of stages are kept, with the sha256 of each and where it came from.

    origins : for each stage, whether its result was made or taken from there.
    """

    corpus: Corpus
    hashes: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Return the file of a table."""
        path = self.corpus.tables[name]
        assert isinstance(path, Path)
        return path

    def having(self, stage: str, made: Staged) -> Stored:
        """Return the corpus with the tables of one stage more."""
        corpus = self.corpus.having(**made.paths)
        return Stored(corpus, {**self.hashes, **made.hashes}, {**self.origins, stage: made.origin})


def tabulated(stages: StageCache, records: Iterable[Record], source: Mapping[str, Any], entry: Entry) -> Stored:
    """Carry out tabulate, or take its kept result.

    Parameters
    ----------
    source : what the manifest says of the records: their pages or files with sha256.
    entry : which works enter the corpus.
    """
    parts = {
        "source": {name: source.get(name) for name in _SOURCE},
        "entry": entry.pairs,
        "shipped": shipped_hash(_REGISTRY),
    }

    def make(kept_in: Path) -> tuple[Makers, dict[str, Any]]:
        makers, funnel = makers_of_tables(records, entry, kept_in)
        return makers, funnel.facts()

    made = stages.cached("tabulate", parts, make, apart=True)
    return Stored(Corpus({}, Funnel.of_facts(made.facts))).having("tabulate", made)


def classified(stages: StageCache, given: Stored, taxonomies: Sequence[Taxonomy], study: Study) -> Stored:
    """Carry out classify, or take its kept result: the tables ``assignments`` and ``basis``."""
    parts = {
        "inputs": {name: given.hashes[name] for name in ("works", "topics")},
        "taxonomies": [taxonomy.hash for taxonomy in taxonomies],
        "shipped": [shipped_hash(folder) for folder in (_TAXONOMIES, _MODELS)],
        "operating_point": study.operating_point,
        "thresholds": dict(study.thresholds),
    }
    topics = Parted(given.path("topics"), _TOPICS)
    texts = parts_on_disk(given.path("works"), PART, _TEXTS)
    works = chain.from_iterable(parts_of(part, rows_of(topics, part["work_id"])) for part in texts)
    total = pl.scan_parquet(given.path("works")).select(pl.len()).collect().item()

    def make(kept_in: Path) -> tuple[Makers, dict[str, Any]]:
        packed: dict[str, list[bytes]] = {taxonomy.id: [] for taxonomy in taxonomies}
        basis: list[pl.DataFrame] = []
        with bar(label="classify", total=total) as progress:
            for part in classify_parts(
                works,
                taxonomies,
                operating_point=study.operating_point,
                thresholds=study.thresholds,
                kept_in=kept_in,
            ):
                progress.update(part.basis.height)
                basis.append(part.basis)
                for (name,), rows in part.assignments.group_by("taxonomy", maintain_order=True):
                    packed[str(name)].append(pack(rows))
        found = chain.from_iterable(packed[name] for name in sorted(packed))  # the table is sorted by taxonomy first
        return {
            "assignments": lambda: chain([empty("assignments")], (unpack(rows) for rows in found)),
            "basis": lambda: pl.concat(basis),
        }, {}

    return given.having("classify", stages.cached("classify", parts, make))


def screened(stages: StageCache, given: Stored, watchlists: Sequence[Watchlist]) -> Stored:
    """Carry out screen, or take its kept result: the table ``found``."""
    parts = {
        "inputs": given.hashes["affiliations"],
        "watchlists": [(watchlist.id, watchlist.hash) for watchlist in watchlists],
        "shipped": shipped_hash(_REGISTRY),
    }

    def make(_: Path) -> tuple[Makers, dict[str, Any]]:
        return {"found": lambda: found_parts(given.corpus, watchlists)}, {}

    return given.having("screen", stages.cached("screen", parts, make))


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
