"""Classify: works x taxonomies -> assignments with evidence, and what each decision rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from copub.arguments import each_frame, expect, expect_each, expect_numbers, frame_of
from copub.engine import KeptParts, in_parallel
from copub.errors import InputError
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.parallel import no_collection, series_of_texts
from copub.schema import TABLES
from copub.technology.areascorer import (
    Bools,
    ModelAreaScorer,
    ModelView,
    RuleAreaScorer,
    Scores,
    Values,
    technologies_found,
)
from copub.technology.languages import classifiable
from copub.technology.linking import Route
from copub.technology.model import Model, load_model
from copub.technology.reasons import NgramFinder, TermFinder, sentence
from copub.technology.rules import Ruleset
from copub.technology.topics import TopicsOfWorks, TopicTexts, known_topics, logits_of_topics, topic_sentence
from copub.technology.workchunk import Chunk, TextReader

PART = 10_000
CHUNK = 1_000
"""Works read at a time: few enough for the processor's own memory."""
SCORE_SHOWN = 0.05
DECIDED = ("work_id", "taxonomy", "area", "score", "threshold", "assigned")
"""What is decided, of the columns of ``assignments``; the others are evidence."""
_METHODS = tuple(
    "+".join(name for bit, name in enumerate(("rules", "model", "topic")) if speaking >> bit & 1) or "model"
    for speaking in range(8)
)
"""What speaks, by one bit each: 1 rules, 2 model, 4 topic."""
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


@no_collection()
def _classify_part(asked: _Asked, part: Part) -> Classification:
    scorers = _scorers(asked)
    texts, topics = part
    rows: list[_Row] = []
    basis: list[pl.DataFrame] = []
    for kind, of_kind in (("full", texts.filter("has_abstract")), ("title", texts.filter(~pl.col("has_abstract")))):
        known = known_topics(of_kind, topics, scorers.model.topic_texts)
        works, shares = known["work"].to_numpy(), []
        for start in range(0, of_kind.height, CHUNK):
            own = slice(*np.searchsorted(works, [start, start + CHUNK]).tolist())
            chunk = _WorkChunk(of_kind.slice(start, CHUNK), kind, known[own].with_columns(pl.col("work") - start))
            read = scorers.read(chunk)
            scores, view = scorers.base_scorer.score(read[0], kind, chunk.logits_of_topics(scorers.model.topic_texts))
            rows += scorers.rows_of(chunk, read, scores, view)
            shares.append(view.known_share)
        basis.append(_basis(of_kind, np.concatenate([np.zeros(0), *shares]), scorers.model.languages))
    return Classification(_table(rows), pl.concat(basis))


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


def _basis(texts: pl.DataFrame, share: Values, languages: Sequence[str]) -> pl.DataFrame:
    """Return the basis of the decision of works, of whose words the model of these languages knows some share."""
    has_text = (pl.col("title") != "") | pl.col("has_abstract")
    rests_on = pl.when("has_abstract").then(pl.lit("title and abstract")).otherwise(pl.lit("title"))
    return texts.select(
        "work_id",
        classified_from=pl.when(has_text).then(rests_on).otherwise(pl.lit("nothing")),
        classifiable=has_text & pl.Series(classifiable(texts["language"], share, languages)),
    )


@dataclass(frozen=True, slots=True)
class _WorkChunk:
    """Works read at a time, and their topics: work is the position among them (`known_topics`)."""

    works: pl.DataFrame
    kind: str
    topics: pl.DataFrame

    def logits_of_topics(self, texts: TopicTexts) -> TopicsOfWorks:
        """Return what the topics say of the works."""
        work, topic = self.topics["work"].to_numpy(), self.topics["topic"].to_numpy()
        return logits_of_topics(work, topic, self.works.height, texts)


class _Scorers:
    """The scorers of all taxonomies asked for, and the reader they share."""

    def __init__(
        self, model: Model, taxonomies: Sequence[Taxonomy], operating_point: str, thresholds: Mapping[str, float]
    ) -> None:
        self.model = model
        own = [t for t in taxonomies if t.id == model.taxonomy]
        others = [t for t in taxonomies if t.id != model.taxonomy]
        self._asks_for_base = bool(own)
        self.base = own[0] if own else load_taxonomy(model.taxonomy)
        self.reader = TextReader(self.base, *others)
        chosen = {**model.thresholds[operating_point], **thresholds}
        self.base_scorer = ModelAreaScorer(model, self.base, chosen)
        self._others = [
            RuleAreaScorer(model, t, self.base if t.crosswalk == self.base.id else None, operating_point, thresholds)
            for t in others
        ]
        self._technology_of = np.array([rule.technology for rule in self.reader.rulesets[0].rules])

    def read(self, chunk: _WorkChunk) -> tuple[Chunk, ...]:
        """Read the texts of a chunk by the rules of the model's taxonomy and of each other one."""
        return self.reader.read(chunk.works["title"], chunk.works["abstract"])

    def rows_of(self, chunk: _WorkChunk, read: tuple[Chunk, ...], scores: Scores, view: ModelView) -> Iterator[_Row]:
        """Return the rows of `assignments` of a chunk, read and scored by the model's taxonomy."""
        base = _Explained(chunk, read[0], self.reader.rulesets[0], scores, view, self.model.topic_texts)
        if self._asks_for_base:
            yield from _rows(chunk, self.base, scores, (scores.score >= SCORE_SHOWN) | scores.by_rules, base.reason)
        found = technologies_found(read[0], self.base, self._technology_of)
        for own, ruleset, scorer in zip(read[1:], self.reader.rulesets[1:], self._others, strict=True):
            linked = scores if scorer.taxonomy.crosswalk == self.base.id else None
            other = scorer.score(own, chunk.kind, view, linked, found)
            linked_to = _Linked(own, ruleset, other, scorer, base)
            yield from _rows(chunk, scorer.taxonomy, other, other.score >= SCORE_SHOWN, linked_to.reason)


class _Reason(NamedTuple):
    """Why a work has its score in an area: columns of ``assignments``."""

    technology: str | None
    matched_title: list[str]
    matched_abstract: list[str]
    ngrams: list[str]
    topic_id: str | None
    evidence: str


class _Row(NamedTuple):
    """A row of ``assignments``."""

    work_id: str
    taxonomy: str
    area: str
    score: float
    threshold: float
    assigned: bool
    method: str
    reason: _Reason


def _rows(
    chunk: _WorkChunk, taxonomy: Taxonomy, scores: Scores, shown: Bools, reason: Callable[[int, int], _Reason]
) -> Iterator[_Row]:
    """Return the rows of the works and areas that have something to show."""
    at = np.nonzero(shown)
    score, threshold = scores.score[at], scores.threshold[at]
    speaking = scores.by_rules[at] + 2 * scores.by_model[at] + 4 * scores.by_topic[at]
    decided = (column.tolist() for column in (*at, score, threshold, score >= threshold, speaking))
    ids, areas = chunk.works["work_id"].to_list(), taxonomy.area_ids
    for work, area, probability, needed, assigned, methods in zip(*decided, strict=True):
        why = reason(work, area)
        yield _Row(ids[work], taxonomy.id, areas[area], probability, needed, assigned, _METHODS[methods], why)


def _table(rows: Sequence[_Row]) -> pl.DataFrame:
    schema = TABLES["assignments"].schema
    if not rows:
        return pl.DataFrame(schema=schema)
    *decided, reasons = zip(*rows, strict=True)
    names = (*_Row._fields[:-1], *_Reason._fields)
    cells = dict(zip(names, (*decided, *zip(*reasons, strict=True)), strict=True))
    return pl.DataFrame(
        [
            series_of_texts(name, cells[name]) if dtype == pl.List else pl.Series(name, cells[name], dtype)
            for name, dtype in schema.items()
        ]
    )


class _Explained:
    """Reasons for scores in the model's taxonomy, each found once."""

    def __init__(
        self, chunk: _WorkChunk, read: Chunk, ruleset: Ruleset, scores: Scores, view: ModelView, texts: TopicTexts
    ) -> None:
        self.scores, self.taxonomy = scores, ruleset.taxonomy
        self.ngrams = NgramFinder(read, view)
        self._epochs = chunk.works["epoch"]
        self._terms = TermFinder(read, ruleset)
        self._topics, self._of_work, self._texts = chunk.topics, chunk.topics["work"].to_numpy(), texts
        self._known: dict[tuple[int, int], _Reason] = {}

    def reason(self, work: int, area: int) -> _Reason:
        """Return one reason."""
        if (work, area) not in self._known:
            self._known[work, area] = self._reason(work, area)
        return self._known[work, area]

    def _reason(self, work: int, area: int) -> _Reason:
        found = self._terms.find(work, area)
        ngrams = self.ngrams.find(work, area) if self.scores.by_model[work, area] else []
        topic = self._topic(work, area) if self.scores.by_topic[work, area] else None
        stated = topic_sentence(topic, self._epochs[work]) if topic else ""
        return _Reason(*found, ngrams, topic["topic_id"] if topic else None, sentence(found, ngrams, stated, ""))

    def _topic(self, work: int, area: int) -> dict[str, Any]:
        """Return the topic of a work that speaks most for an area; the first of equals."""
        first, end = np.searchsorted(self._of_work, [work, work + 1])
        logits = self._texts.logits[self._topics["topic"][int(first) : int(end)].to_numpy(), area]
        return self._topics.row(int(first) + int(np.argmax(logits)), named=True)


class _Linked:
    """Reasons in another taxonomy: by its own rules, through a link, or by a base classifier of the model."""

    def __init__(self, read: Chunk, ruleset: Ruleset, scores: Scores, scorer: RuleAreaScorer, base: _Explained) -> None:
        self._scores, self._scorer, self._base = scores, scorer, base
        self._terms = TermFinder(read, ruleset)

    def reason(self, work: int, area: int) -> _Reason:
        """Return one reason."""
        number = int(self._scores.route[work, area])
        if number >= 0:
            return self._through_link(work, self._scorer.routes[area][number])
        found, head = self._terms.find(work, area), self._scorer.taxonomy.areas[area].head
        ngrams = self._base.ngrams.find_in_head(work, head) if head else []
        via = f"head {head} ({self._scores.score[work, area]:.2f})" if head else ""
        return _Reason(*found, ngrams, None, sentence(found, ngrams, "", via))

    def _through_link(self, work: int, route: Route) -> _Reason:
        source, base = self._base.reason(work, route.area), self._base
        through = f"through {base.taxonomy.area_ids[route.area]} ({base.scores.score[work, route.area]:.2f})"
        return source._replace(technology=route.own_technology or None, evidence=f"{through}: {source.evidence}")
