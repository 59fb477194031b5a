"""Classify: works x taxonomies -> assignments with evidence, and what each decision rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from copub.arguments import each_frame, expect, expect_each, expect_numbers, frame_of
from copub.engine import KeptParts, in_parallel
from copub.errors import InputError
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.schema import TABLES
from copub.technology.areascorer import ModelAreaScorer, ModelView, RuleAreaScorer, Scores, technologies_found
from copub.technology.languages import classifiable
from copub.technology.model import Model, load_model
from copub.technology.reasons import NgramFinder, TermFinder, sentence
from copub.technology.topics import mapped_topics, topic_sentence
from copub.technology.workchunk import Chunk, TextReader

PART = 10_000
CHUNK = 1_000
"""Works read at a time: few enough for the processor's own memory."""
SCORE_SHOWN = 0.05
DECIDED = ("work_id", "taxonomy", "area", "score", "threshold", "assigned")
"""What is decided, of the columns of ``assignments``; the others are evidence."""
Part = tuple[pl.DataFrame, pl.DataFrame]
"""Texts of works, and their topics."""
_TEXTS = {
    name: TABLES["works"].schema[name]
    for name in ("work_id", "title", "abstract", "abstract_status", "language", "epoch")
}
_TOPICS = {name: TABLES["topics"].schema[name] for name in ("work_id", "rank", "topic_id", "score")}
_BASIS = {"work_id": pl.String, "classified_from": pl.String, "classifiable": pl.Boolean}


@dataclass(frozen=True, slots=True)
class Classification:
    """What classify made.

    `assignments` conforms to the table of that name; `basis` has one row per work: work_id,
    classified_from ("title and abstract", "title", "nothing") and classifiable.
    """

    assignments: pl.DataFrame
    basis: pl.DataFrame


def classify(
    works: pl.DataFrame | Iterable[pl.DataFrame],
    topics: pl.DataFrame,
    taxonomies: Sequence[Taxonomy],
    *,
    operating_point: str = "balanced",
    thresholds: Mapping[str, float] | None = None,
) -> Classification:
    """Assign works to areas of taxonomies.

    Parameters
    ----------
    works : work_id, title, abstract, abstract_status, language, epoch; whole, or in parts.
    topics : the table `topics`; may be empty.
    taxonomies : the first is the headline; `thresholds` holds for areas of any of them.
    operating_point : precision, balanced or recall: where the thresholds lie.
    thresholds : probability by area id, wins over the operating point.

    Raises
    ------
    InputError : the operating point is unknown, or a taxonomy links to a base
        classifier that the model does not calibrate.
    """
    cut = parts_of(works, topics)
    parts = list(classify_parts(cut, taxonomies, operating_point=operating_point, thresholds=thresholds))
    assignments = pl.concat(part.assignments for part in parts).sort(TABLES["assignments"].key)
    return Classification(assignments, pl.concat(part.basis for part in parts).sort("work_id"))


def classify_parts(
    parts: Iterable[Part],
    taxonomies: Sequence[Taxonomy],
    *,
    operating_point: str = "balanced",
    thresholds: Mapping[str, float] | None = None,
    kept_in: Path | None = None,
) -> Iterator[Classification]:
    """Do as `classify` with works that are cut (`parts_of`), part by part, each part sorted by itself.

    There is at least one part, if only an empty one.

    Parameters
    ----------
    kept_in : folder for what is made of each part; parts that are there already, from a call that was stopped, are
        not classified again. It must be used for these works, taxonomies and settings alone.
    """
    model = load_model()
    expect_each(taxonomies, Taxonomy, "taxonomies", "a list of taxonomies: [load_taxonomy(NAME)]")
    expect(operating_point, str, "operating_point", f"one of {', '.join(model.thresholds)}")
    expect_numbers({} if thresholds is None else thresholds, "thresholds")
    if operating_point not in model.thresholds:
        raise InputError(
            f"there is no operating point {operating_point!r}", hint=f"operating points: {', '.join(model.thresholds)}"
        )
    asked = _Asked(tuple(taxonomies), operating_point, tuple(sorted((thresholds or {}).items())))
    yield Classification(pl.DataFrame(schema=TABLES["assignments"].schema), pl.DataFrame(schema=_BASIS))
    kept = None if kept_in is None else KeptParts(kept_in, _write_part, _read_part)
    for part in in_parallel(partial(_classify_part, asked), parts, kept=kept):
        yield Classification(part.assignments.sort(TABLES["assignments"].key), part.basis.sort("work_id"))


def _write_part(folder: Path, part: Classification) -> None:
    part.assignments.write_parquet(folder / "assignments.parquet")
    part.basis.write_parquet(folder / "basis.parquet")


def _read_part(folder: Path) -> Classification:
    return Classification(*(pl.read_parquet(folder / f"{name}.parquet") for name in ("assignments", "basis")))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every part of the works."""

    taxonomies: tuple[Taxonomy, ...]
    operating_point: str
    thresholds: tuple[tuple[str, float], ...]


@lru_cache(maxsize=2)
def _scorers(asked: _Asked) -> _Scorers:
    return _Scorers(load_model(), asked.taxonomies, asked.operating_point, dict(asked.thresholds))


def parts_of(works: pl.DataFrame | Iterable[pl.DataFrame], topics: pl.DataFrame) -> Iterator[Part]:
    """Cut works into parts for the processes, each with its topics."""
    topics = frame_of(topics, _TOPICS, "topics")
    for texts in map(_texts, each_frame(works, _TEXTS, "works")):
        for start in range(0, texts.height, PART):
            part = texts.slice(start, PART)
            yield part, topics.join(part.select("work_id"), on="work_id", how="semi")


def _classify_part(asked: _Asked, part: Part) -> Classification:
    scorers = _scorers(asked)
    texts, topics = part
    rows: list[dict[str, Any]] = []
    known: list[pl.DataFrame] = []
    for kind, of_kind in (("full", texts.filter("has_abstract")), ("title", texts.filter(~pl.col("has_abstract")))):
        for start in range(0, of_kind.height, CHUNK):
            chunk = _WorkChunk(of_kind.slice(start, CHUNK), kind, topics)
            read = scorers.read(chunk)
            rows += scorers.rows_of(chunk, read)
            known.append(scorers.basis_of(chunk, read))
    return Classification(pl.DataFrame(rows, schema=TABLES["assignments"].schema), pl.concat(known))


def _texts(works: pl.DataFrame) -> pl.DataFrame:
    """Return id, title, abstract where it counts, language and epoch; a short abstract does not count."""
    title, abstract = pl.col("title").fill_null("").str.strip_chars(), pl.col("abstract").fill_null("")
    counts = (abstract != "") & (pl.col("abstract_status").fill_null("full") == "full")
    return works.select(
        "work_id",
        "language",
        "epoch",
        title=title,
        abstract=pl.when(counts).then(abstract).otherwise(pl.lit("")),
        has_abstract=counts,
    )


@dataclass(frozen=True, slots=True)
class _WorkChunk:
    works: pl.DataFrame
    kind: str
    topics: pl.DataFrame


class _Scorers:
    """The scorers of all taxonomies asked for, and the readers they share."""

    def __init__(
        self, model: Model, taxonomies: Sequence[Taxonomy], operating_point: str, thresholds: Mapping[str, float]
    ) -> None:
        self.model = model
        self.taxonomies = taxonomies
        own = [t for t in taxonomies if t.id == model.taxonomy]
        self.base = own[0] if own else load_taxonomy(model.taxonomy)
        self.base_reader = TextReader(self.base)
        self.readers = {t.id: TextReader(t) for t in taxonomies if t.id != model.taxonomy}
        chosen = {**model.thresholds[operating_point], **thresholds}
        self.base_scorer = ModelAreaScorer(model, self.base, chosen)
        self.own_scorers = {
            t.id: RuleAreaScorer(
                model, t, self.base if t.crosswalk == self.base.id else None, operating_point, thresholds
            )
            for t in taxonomies
            if t.id != model.taxonomy
        }
        self._technology_of = np.array([rule.technology for rule in self.base_reader.ruleset.rules])

    def read(self, chunk: _WorkChunk) -> Chunk:
        """Read the texts of a chunk by the rules of the model's taxonomy."""
        return self.base_reader.read(chunk.works["title"], chunk.works["abstract"])

    def basis_of(self, chunk: _WorkChunk, read: Chunk) -> pl.DataFrame:
        """Return the basis of the decision of the works of a chunk."""
        has_text = (pl.col("title") != "") | pl.col("has_abstract")
        rests_on = pl.when("has_abstract").then(pl.lit("title and abstract")).otherwise(pl.lit("title"))
        vocabulary = self.model.scorers[chunk.kind].vocabulary
        known = classifiable(chunk.works["language"], read, vocabulary, self.model.languages)
        return chunk.works.select(
            "work_id",
            classified_from=pl.when(has_text).then(rests_on).otherwise(pl.lit("nothing")),
            classifiable=has_text & pl.Series(known),
        )

    def rows_of(self, chunk: _WorkChunk, read: Chunk) -> Iterator[dict[str, Any]]:
        """Return the rows of `assignments` of a chunk."""
        topics = mapped_topics(chunk.works, chunk.topics, self.base, self.model)
        scores, view = self.base_scorer.score(read, chunk.kind, topics)
        base = _Explained(chunk, read, self.base_reader, scores, view, topics)
        found = technologies_found(read, self.base, self._technology_of)
        for taxonomy in self.taxonomies:
            if taxonomy.id == self.model.taxonomy:
                yield from base.rows()
                continue
            reader, scorer = self.readers[taxonomy.id], self.own_scorers[taxonomy.id]
            own = reader.read(chunk.works["title"], chunk.works["abstract"])
            linked = scores if taxonomy.crosswalk == self.base.id else None
            other = scorer.score(own, chunk.kind, view, linked, found)
            yield from _Linked(chunk, own, reader, other, scorer, base).rows()


class _Explained:
    """Rows of the model's taxonomy, each with its reason."""

    def __init__(
        self,
        chunk: _WorkChunk,
        read: Chunk,
        reader: TextReader,
        scores: Scores,
        view: ModelView,
        topics: pl.DataFrame,
    ) -> None:
        self.scores, self.taxonomy = scores, reader.ruleset.taxonomy
        self._works = chunk.works["work_id"].to_list()
        self._epochs = chunk.works["epoch"].to_list()
        self._terms = TermFinder(read, reader.ruleset)
        self.ngrams = NgramFinder(read, view)
        self._topics = {(row["work"], row["area"]): row for row in topics.sort("weight").iter_rows(named=True)}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Return the rows that have a score or evidence to show."""
        shown = (self.scores.score >= SCORE_SHOWN) | self.scores.by_rules
        for work, area in zip(*(part.tolist() for part in np.nonzero(shown)), strict=True):
            yield self.row(work, area)

    def row(self, work: int, area: int) -> dict[str, Any]:
        """Return one row."""
        scores = self.scores
        found = self._terms.find(work, area)
        ngrams = self.ngrams.find(work, area) if scores.by_model[work, area] else []
        topic = self._topics.get((work, area)) if scores.by_topic[work, area] else None
        stated = topic_sentence(topic, self._epochs[work]) if topic else ""
        return {
            **_decision(self._works[work], self.taxonomy, area, scores, work),
            "technology": found.technology,
            "matched_title": found.title,
            "matched_abstract": found.abstract,
            "ngrams": ngrams,
            "topic_id": topic["topic_id"] if topic else None,
            "evidence": sentence(found, ngrams, stated, ""),
        }


class _Linked:
    """Rows of another taxonomy: by its own rules, through a link, or by a base classifier of the model."""

    def __init__(
        self,
        chunk: _WorkChunk,
        read: Chunk,
        reader: TextReader,
        scores: Scores,
        scorer: RuleAreaScorer,
        base: _Explained,
    ) -> None:
        self._scores, self._scorer, self._base = scores, scorer, base
        self._works = chunk.works["work_id"].to_list()
        self._terms = TermFinder(read, reader.ruleset)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Return the rows that have a score to show."""
        for work, area in zip(*(part.tolist() for part in np.nonzero(self._scores.score >= SCORE_SHOWN)), strict=True):
            yield self._row(work, area)

    def _row(self, work: int, area: int) -> dict[str, Any]:
        scores, taxonomy = self._scores, self._scorer.taxonomy
        decided = _decision(self._works[work], taxonomy, area, scores, work)
        number, head = int(scores.route[work, area]), taxonomy.areas[area].head
        if number < 0:
            found = self._terms.find(work, area)
            ngrams = self._base.ngrams.find_in_head(work, head) if head else []
            via = f"head {head} ({decided['score']:.2f})" if head else ""
            return {
                **decided,
                "technology": found.technology,
                "matched_title": found.title,
                "matched_abstract": found.abstract,
                "ngrams": ngrams,
                "topic_id": None,
                "evidence": sentence(found, ngrams, "", via),
            }
        route = self._scorer.routes[area][number]
        source = self._base.row(work, route.area)
        return {
            **source,
            **decided,
            "technology": route.own_technology or None,
            "evidence": f"through {source['area']} ({source['score']:.2f}): {source['evidence']}",
        }


def _decision(work_id: str, taxonomy: Taxonomy, area: int, scores: Scores, work: int) -> dict[str, Any]:
    score, threshold = float(scores.score[work, area]), float(scores.threshold[work, area])
    speaking = (("rules", scores.by_rules), ("model", scores.by_model), ("topic", scores.by_topic))
    return {
        "work_id": work_id,
        "taxonomy": taxonomy.id,
        "area": taxonomy.area_ids[area],
        "score": score,
        "threshold": threshold,
        "assigned": score >= threshold,
        "method": "+".join(name for name, speaks in speaking if speaks[work, area]) or "model",
    }
