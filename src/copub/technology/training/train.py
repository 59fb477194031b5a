"""Training the model: ``python -m copub.technology.training.train [--data DIR] [--out DIR]``, or ``make model``.

The same data give the same bytes. Written are the model (npz and JSON) and its card.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from threadpoolctl import threadpool_limits

from copub.draw import draw_order
from copub.errors import CopubError
from copub.lists.taxonomy import Taxonomy, load_taxonomy
from copub.shipped import shipped_folder
from copub.technology.classifierevaluation import calibration_table
from copub.technology.model import FOLDER, KINDS, Scorer, write_model
from copub.technology.topics import TopicsOfWorks, TopicTexts
from copub.technology.training.baseclassifiers import (
    CATEGORY_HEADS,
    Batch,
    Task,
    learn_heads,
    learn_vocabulary,
    vectorize,
)
from copub.technology.training.calibration import learn_head_score, unseen_margins
from copub.technology.training.card import (
    card_text,
    cross_validated,
    figures,
    head_figures,
    read_as_titles,
    unseen_by_kind,
    with_topics,
)
from copub.technology.training.labelledworks import EXAMPLE, Corpus, Text, own_examples
from copub.technology.training.metaclassifier import (
    Labelled,
    cross_validate,
    draw_folds,
    learn_weights,
    squash,
    to_scorer,
)
from copub.technology.training.minorweights import learn_generic, learn_topic_weights, topics_of
from copub.technology.training.plot import calibration_svg
from copub.technology.training.thresholds import (
    calibrate,
    choose_thresholds,
    kinds_of,
    learn_together,
    probabilities,
)
from copub.technology.workchunk import TextReader

TAXONOMY = "eu-2023-2113"
DATA = Path("../shared/data")
FOLDS, REPEATS = 5, 2
AI, CSET = "EU-02-AI", "CSET"
WEIGHTS = {EXAMPLE: 0.5, CSET: 0.2}
"""How much a title written for copub, and CSET's label of the AI area, count beside a work that was read."""
AI_HEAD = "arXiv:ai"
HALVES = 2
VOCABULARY = {"full": (5, 130_000), "title": (3, 80_000)}
"""By kind: n-grams of at least so many texts, and at most so many n-grams."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The training texts, by what their labels mean; the last `cset` of the categories are CSET's works."""

    categories: Sequence[Text]
    cset: int
    topics: Sequence[Text]
    labelled: Sequence[Text]
    gold: int


def read_sources(corpus: Corpus, further: Sequence[Path]) -> Sources:
    """Gather the texts; the first `gold` of the labelled are the gold set."""
    labelled = [*corpus.gold, *corpus.read_by_hand, *own_examples(border=corpus.border)]
    labelled += [text for path in further for text in corpus.labelled(path)]
    cset = corpus.cset_dev()
    categories = [*corpus.arxiv(), *cset]
    labelled += ai_labels(cset)
    return Sources(categories, len(cset), corpus.topics(areas_of_topics()), labelled, len(corpus.gold))


def ai_labels(texts: Sequence[Text]) -> list[Text]:
    """Return the works of CSET's development part, unsure but for AI.

    What CSET calls AI has robotics in it, so AI works that name robots are left out.
    """
    others = frozenset(load_taxonomy(TAXONOMY).area_ids) - {AI}
    chosen = [text for text in texts if not text.labels or "robot" not in text.abstract]
    return [
        Text(text.id, text.title, text.abstract, frozenset({AI}) if text.labels else frozenset(), others, CSET)
        for text in chosen
    ]


def areas_of_topics() -> dict[str, tuple[str, ...]]:
    """Return the areas to which each OpenAlex topic is mapped (``<taxonomy>.topics.csv``)."""
    areas: dict[str, tuple[str, ...]] = {}
    path = shipped_folder("taxonomies/technologies") / f"{TAXONOMY}.topics.csv"
    for topic, area in pl.read_csv(path).select("topic_id", "area").iter_rows():
        areas[topic] = (*areas.get(topic, ()), area)
    return areas


def half_of(name: str) -> int:
    """Return the half, 0 or 1, into which an id falls."""
    return int(draw_order(name)[0], 16) % HALVES


def tasks_of(sources: Sources, taxonomy: Taxonomy) -> list[Task]:
    """Say what each base classifier learns: arXiv categories, and topics mapped to areas.

    The last `HALVES` are the AI base classifier again, each without one half of CSET's works: on works that a
    base classifier has learnt from it is too sure of itself to teach the meta-classifier, or to be calibrated.
    """
    labels = [text.labels for text in sources.categories]
    arxiv = np.array([i for i, text in enumerate(sources.categories) if text.labels and "cset:ai" not in text.labels])
    everything = np.arange(len(labels))
    tasks = []
    for name, categories in CATEGORY_HEADS.items():
        rows = everything if name == "ai" else arxiv
        wanted = {*categories, "cset:ai"} if name == "ai" else set(categories)
        positive = np.array([bool(wanted & labels[row]) for row in rows])
        tasks.append(Task(f"arXiv:{name}", rows, positive, "svm"))
    ai = tasks[list(CATEGORY_HEADS).index("ai")]
    first = len(labels) - sources.cset
    taught = {text.id for text in sources.categories[first:]}  # some are in the arXiv sample too
    halves = np.array([half_of(text.id) if text.id in taught else -1 for text in sources.categories])
    without = [
        Task(f"AI without half {at}", np.flatnonzero(halves != at), ai.positive[halves != at], "svm")
        for at in range(HALVES)
    ]
    offset = len(labels)
    rows = np.arange(offset, offset + len(sources.topics))
    for area in taxonomy.area_ids:
        positive = np.array([area in text.labels for text in sources.topics])
        tasks.append(Task(f"topics:{area}", rows, positive, "logistic"))
    return [*tasks, *without]


def batches_of(sources: Sources, kind: str) -> list[Batch]:
    """Return all texts as one kind reads them; topics keep their keywords in both kinds."""
    titles_only = kind == "title"
    return [Batch(sources.categories, titles_only), Batch(sources.topics), Batch(sources.labelled, titles_only)]


@dataclass(frozen=True, slots=True)
class Trained:
    """One kind: the scorer, the labelled works as it saw them, and the calibration of the AI classifier."""

    scorer: Scorer
    labelled: Labelled
    head_score: Mapping[str, Any]


def train_kind(reader: TextReader, sources: Sources, kind: str, processes: int) -> Trained:
    """Train base classifiers and meta-classifier of one kind."""
    batches = batches_of(sources, kind)
    at_least, at_most = VOCABULARY[kind]
    vocabulary = learn_vocabulary(reader, batches, at_least=at_least, at_most=at_most)
    vectors, rules = vectorize(reader, vocabulary, batches)
    taxonomy = reader.rulesets[0].taxonomy
    tasks = tasks_of(sources, taxonomy)
    weights, intercepts = learn_heads(vectors, tasks, processes=processes)
    start = vectors.shape[0] - len(sources.labelled)
    margins = np.asarray(vectors[start:] @ weights, dtype=np.float32) + intercepts
    names = [task.name for task in tasks[:-HALVES]]
    heads = len(names)
    rows = np.flatnonzero([text.stratum == CSET for text in sources.labelled])
    unseen = heads + np.array([half_of(sources.labelled[int(row)].id) for row in rows], dtype=np.int64)
    margins[rows, names.index(AI_HEAD)] = margins[rows, unseen]
    labelled = Labelled(
        squash(margins[:, :heads]),
        rules[start:],
        vectors[start:],
        np.array([[area in text.labels for area in taxonomy.area_ids] for text in sources.labelled]),
        np.array([[area not in text.unsure for area in taxonomy.area_ids] for text in sources.labelled]),
        np.array([WEIGHTS.get(text.stratum, 1.0) for text in sources.labelled]),
    )
    learnt = learn_weights(labelled)
    scorer = to_scorer(vocabulary, names, weights[:, :heads], intercepts[:heads], learnt)
    end = len(sources.categories)
    cset = sources.categories[end - sources.cset :]
    halves = np.array([half_of(text.id) for text in cset])
    of_cset = unseen_margins(vectors[end - sources.cset : end], halves, weights[:, heads:], intercepts[heads:])
    return Trained(scorer, labelled, learn_head_score(of_cset, np.array([bool(text.labels) for text in cset])))


def read_topics(reader: TextReader, scorer: Scorer, topics: Sequence[Text]) -> TopicTexts:
    """Return what the classifier reads in the texts of topics."""
    vectors, rules = vectorize(reader, scorer.vocabulary, [Batch(topics)])
    margins = scorer.margins(vectors)
    logits = np.column_stack([scorer.logits(margins, rules), scorer.any_logits(margins, rules)])
    return TopicTexts.of([text.id for text in topics], logits)


def topic_weights(
    trained: Mapping[str, Trained],
    sources: Sources,
    topics: TopicsOfWorks,
    calibration: Mapping[str, tuple[float, float]],
    processes: int,
) -> dict[str, Any]:
    """Learn by kind how topics move logits, from labelled works with topics that are not in the gold set.

    Parameters
    ----------
    topics : those of all labelled works.
    """
    rows = np.flatnonzero(topics.is_known & (np.arange(len(sources.labelled)) >= sources.gold))
    learnt = {}
    for kind in KINDS:
        labelled = trained[kind].labelled
        folds = draw_folds(labelled.positive[rows], [sources.labelled[int(row)].stratum for row in rows], FOLDS, seed=0)
        run = cross_validate(labelled, rows, folds, processes=processes).astype(np.float64)
        slope, intercept = calibration[kind]
        learnt[kind] = learn_topic_weights(
            slope * run[:, :-1] + intercept, run[:, -1], labelled.of(rows), topics.logits[:, rows]
        )
    return learnt


def cross_validated_logits(
    trained: Mapping[str, Trained], gold: Sequence[Text], seed: int, processes: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return cross-validated logits (works x areas and any area): by the kind that fits the text, and by titles."""
    scored = np.arange(len(gold))
    positive = trained["full"].labelled.positive[scored]
    folds = draw_folds(positive, [text.stratum for text in gold], FOLDS, seed)
    logits = {kind: cross_validate(trained[kind].labelled, scored, folds, processes=processes) for kind in KINDS}
    has_abstract = np.array([bool(text.abstract) for text in gold])
    return np.where(has_abstract[:, None], logits["full"], logits["title"]), logits["title"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the model."""
    parser = argparse.ArgumentParser(prog="python -m copub.technology.training.train", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of data (gold, technologies, real)")
    parser.add_argument("--out", type=Path, default=shipped_folder(FOLDER), help="folder for the model")
    parser.add_argument("--taxonomy", default=TAXONOMY, help="the same areas with other terms: a .toml file")
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="further labelled files to train on")
    parser.add_argument("--border", action="store_true", help="train on border-labels.csv and border-examples.csv too")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    threadpool_limits(1)  # sums on several threads differ in their last digits, and so would the bytes
    taxonomy = load_taxonomy(options.taxonomy)
    corpus = Corpus(options.data, border=options.border)
    sources = read_sources(corpus, options.labels)
    reader = TextReader(taxonomy)
    trained = {kind: train_kind(reader, sources, kind, options.processes) for kind in KINDS}
    gold = sources.labelled[: sources.gold]
    repeats = [cross_validated_logits(trained, gold, seed, options.processes) for seed in range(REPEATS)]
    runs, by_title = [run for run, _ in repeats], [run for _, run in repeats]
    labels = trained["full"].labelled.of(np.arange(len(gold)))
    card: dict[str, Any] = {
        "taxonomy": taxonomy.id,
        "areas": list(taxonomy.area_ids),
        "languages": ["en"],
        "calibration": calibrate(runs, labels, gold),
        "data": corpus.hashes(),
        "texts": {"arXiv": len(sources.categories), "topics": len(sources.topics), "labelled": len(sources.labelled)},
        "taxonomy_hash": taxonomy.hash,
    }
    kinds = kinds_of(gold)
    card["together"] = learn_together(runs, labels, gold, card["calibration"])
    chosen = choose_thresholds([probabilities(run, kinds, card) for run in runs], labels)
    card["thresholds"] = {
        operating_point: dict.fromkeys(taxonomy.area_ids, at) for operating_point, at in chosen.items()
    }
    texts, bearing = read_topics(reader, trained["full"].scorer, sources.topics), corpus.topics_of_works()
    of_labelled, of_gold, of_unseen = (
        topics_of(some, bearing, texts) for some in (sources.labelled, gold, corpus.unseen)
    )
    card["topic_weights"] = topic_weights(trained, sources, of_labelled, card["calibration"], options.processes)
    card["generic"] = {kind: learn_generic(trained[kind].labelled.of(np.arange(len(gold)))) for kind in KINDS}
    card["head_scores"] = {AI_HEAD: {kind: trained[kind].head_score for kind in KINDS}}
    card |= figures(runs, labels, gold, card)
    card["titles_read"] = read_as_titles([*gold, *corpus.read_by_hand], gold, by_title, card)
    scorers = {kind: trained[kind].scorer for kind in KINDS}
    card["unseen"] = unseen_by_kind(corpus.unseen, scorers, reader, card)
    golden = cross_validated(runs, labels, gold, card, of_gold)
    card["with_topics"] = with_topics(golden, corpus.unseen, of_unseen, scorers, reader, card)
    card["heads_judged"] = head_figures(corpus, trained["full"].scorer, reader, card)
    card = write_model(options.out, TAXONOMY, scorers, texts, card)
    (options.out / f"{TAXONOMY}.md").write_text(card_text(card), encoding="utf-8")
    scores = probabilities(runs[0], kinds, card, of_gold)
    table = calibration_table(labels.positive[labels.usable], scores[labels.usable])
    picture = calibration_svg(table, f"{TAXONOMY}: cross-validated on the gold set")
    (options.out / f"{TAXONOMY}.calibration.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except CopubError as error:
        raise SystemExit(f"{error}") from None
