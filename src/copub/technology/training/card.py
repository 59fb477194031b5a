"""The model card: what the model was trained from, and how good it is by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from copub.technology.areascorer import sigmoid
from copub.technology.classifierevaluation import ANY, ENOUGH, any_area, cohen_kappa, measure_row
from copub.technology.model import Scorer
from copub.technology.topics import TopicsOfWorks
from copub.technology.training.baseclassifiers import CATEGORY_HEADS, Batch, vectorize
from copub.technology.training.labelledworks import DATA_DATE, Corpus, Text, title_readings
from copub.technology.training.metaclassifier import Labelled
from copub.technology.training.thresholds import kinds_of, probabilities
from copub.technology.workchunk import TextReader

Bools = npt.NDArray[np.bool_]
MARGIN = -0.25
"""Margin from which a category base classifier says yes; the recipe's value, not tuned on the texts evaluated."""
AI_AREAS = ("EU-02-AI", "EU-09-ROBOTICS")
"""What CSET calls AI has robotics in it."""
JUDGED_HEADS = ("robotics", "security", "language", "networks")
_FIGURES = ("precision", "recall", "f1")
_COLUMNS = tuple(f"{figure}{end}" for figure in _FIGURES for end in ("", "_low", "_high"))


def cross_validated(
    runs: Sequence[npt.NDArray[np.float32]],
    labels: Labelled,
    gold: Sequence[Text],
    card: Mapping[str, Any],
    topics: TopicsOfWorks | None = None,
) -> list[dict[str, Any]]:
    """Return one row per area, one for any area, one for any area by stratum; means over the runs.

    Parameters
    ----------
    topics : those of the works; None to decide by texts alone.
    """
    areas = card["areas"]
    of_pair = np.array([text.stratum == "belgium-china" and not text.abstract for text in gold])
    per_run = []
    for run in runs:
        found = probabilities(run, kinds_of(gold), card, topics) >= _balanced(card, areas)
        rows = decision_rows(labels.positive, found, labels.usable, gold, areas, topics)
        truth, taken, ok = any_area(labels.positive, found, labels.usable)
        pair = {"what": f"{ANY}, Belgium x China titles", **measure_row(truth[ok & of_pair], taken[ok & of_pair])}
        per_run.append([*rows, pair])
    return [_mean([rows[at] for rows in per_run]) for at in range(len(per_run[0]))]


def unseen_figures(
    texts: Sequence[Text],
    scorers: Mapping[str, Scorer],
    reader: TextReader,
    card: Mapping[str, Any],
    topics: TopicsOfWorks | None = None,
) -> dict[str, Any]:
    """Evaluate the decision on works that were read and kept apart: nothing was trained, tuned or chosen on them.

    Parameters
    ----------
    topics : those of the works; None to decide by texts alone.
    """
    kinds = kinds_of(texts)
    logits = np.zeros((len(texts), len(card["areas"]) + 1), dtype=np.float32)
    for kind, scorer in scorers.items():
        rows = np.flatnonzero(kinds == kind)
        if rows.size:
            batch = Batch([text for text, its in zip(texts, kinds, strict=True) if its == kind])
            vectors, rules = vectorize(reader, scorer.vocabulary, [batch])
            margins = scorer.margins(vectors)
            logits[rows] = np.column_stack([scorer.logits(margins, rules), scorer.any_logits(margins, rules)])
    found = probabilities(logits, kinds, card, topics) >= _balanced(card, card["areas"])
    positive, usable = (
        np.array([[area in named for area in card["areas"]] for named in of_texts], np.bool_).reshape(found.shape)
        for of_texts in ([text.labels for text in texts], [text.unsure for text in texts])
    )
    made = [_mean([row]) for row in decision_rows(positive, found, ~usable, texts, card["areas"], topics)]
    return {"rows": made, "macro_f1": macro_f1(made[: len(card["areas"])])}


def unseen_by_kind(
    texts: Sequence[Text], scorers: Mapping[str, Scorer], reader: TextReader, card: Mapping[str, Any]
) -> dict[str, Any]:
    """Evaluate works that were kept apart by what they have, and all by their titles alone; with the readers' kappa."""
    titles = unseen_figures([replace(text, abstract="") for text in texts], scorers, reader, card)
    return {
        **unseen_figures(texts, scorers, reader, card),
        "title_rows": titles["rows"][: len(card["areas"]) + 1],
        "title_macro_f1": titles["macro_f1"],
        "read_by_two": read_by_two(texts),
    }


def read_as_titles(
    read: Sequence[Text],
    gold: Sequence[Text],
    by_title: Sequence[npt.NDArray[np.float32]],
    card: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Return how a reader of titles alone, and the cross-validated model of titles, find what abstracts make critical.

    Parameters
    ----------
    read : works that were read with their abstracts, the gold set among them.
    by_title : logits of the gold works by their titles, one array per run.
    """
    readings, golden = title_readings(), {text.id for text in gold}
    rows = []
    for name, wanted in (("gold set", True), ("own labels", False)):
        texts = [text for text in read if text.id in readings and (text.id in golden) is wanted]
        truth = np.array([bool(text.labels) for text in texts], np.bool_)
        found = np.array([readings[text.id] for text in texts], np.bool_)
        rows.append(_mean([{"what": f"{name}: a reader", **measure_row(truth, found)}]))
    chosen = np.flatnonzero([text.id in readings for text in gold])
    truth = np.array([bool(gold[int(row)].labels) for row in chosen], np.bool_)
    at, kinds = _balanced(card, card["areas"]), np.full(chosen.size, "title")
    taken = [np.asarray((probabilities(run[chosen], kinds, card) >= at).any(axis=1)) for run in by_title]
    model = [{"what": "gold set: the model, cross-validated", **measure_row(truth, found)} for found in taken]
    return [*rows, _mean(model)]


def with_topics(
    golden: list[dict[str, Any]],
    texts: Sequence[Text],
    topics: TopicsOfWorks,
    scorers: Mapping[str, Scorer],
    reader: TextReader,
    card: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the figures of decisions by texts and topics, as runs decide.

    Parameters
    ----------
    golden : rows of the gold set (`cross_validated`). texts, topics : works kept apart.
    """
    as_titles = [replace(text, abstract="") for text in texts]
    by_text = unseen_figures(texts, scorers, reader, card, topics)
    by_title = unseen_figures(as_titles, scorers, reader, card, topics)
    areas = len(card["areas"])
    title_rows = [row for row in by_title["rows"] if not row["what"].endswith((", with abstract", ", title only"))]
    return {
        "cross_validated": golden,
        "macro_f1": macro_f1(golden[:areas]),
        "unseen": by_text,
        "titles": {**by_title, "rows": title_rows},
    }


def read_by_two(texts: Sequence[Text]) -> dict[str, Any]:
    """Return how many works two readers read, and their kappa on any area.

    Of an area that one of two named, the labels say only that it is unsure, not who named it; each
    reader is therefore taken once as the one and once as the other, so that both say yes equally often.
    """
    twice = [text for text in texts if text.readers == 2]
    more = np.array([bool(text.labels | text.unsure) for text in twice], np.bool_)
    fewer = np.array([bool(text.labels) for text in twice], np.bool_)
    kappa = cohen_kappa(np.concatenate([more, fewer]), np.concatenate([fewer, more]))
    return {"works": len(twice), "kappa": round(kappa, 3)}


def decision_rows(
    positive: Bools,
    found: Bools,
    usable: Bools,
    texts: Sequence[Text],
    areas: Sequence[str],
    topics: TopicsOfWorks | None = None,
) -> list[dict[str, Any]]:
    """Return one row per area, and for any area those of all works, with and without abstract, and topics."""
    rows = []
    for at, area in enumerate(areas):
        ok = usable[:, at]
        rows.append({"what": area, **measure_row(positive[ok, at], found[ok, at])})
    truth, taken, ok = any_area(positive, found, usable)
    title_only = kinds_of(texts) == "title"
    chosen = {ANY: ok, f"{ANY}, with abstract": ok & ~title_only, f"{ANY}, title only": ok & title_only}
    if topics is not None:
        chosen |= {f"{ANY}, with topics": ok & topics.is_known, f"{ANY}, without topics": ok & ~topics.is_known}
    return rows + [{"what": name, **measure_row(truth[kept], taken[kept])} for name, kept in chosen.items()]


def macro_f1(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean F1 of the areas with enough positives; None if there is none."""
    enough = [row["f1"] for row in rows if row["positives"] >= ENOUGH]
    return round(sum(enough) / len(enough), 3) if enough else None


def _balanced(card: Mapping[str, Any], areas: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.array([card["thresholds"]["balanced"][area] for area in areas])


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    mean = {name: round(float(np.mean([row[name] for row in rows])), 3) for name in _COLUMNS}
    return {"what": rows[0]["what"], "works": rows[0]["works"], "positives": rows[0]["positives"], **mean}


def head_figures(corpus: Corpus, scorer: Scorer, reader: TextReader, card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Evaluate the base classifiers on arXiv works never trained on; on the test part of CSET also the decision."""
    rows: list[dict[str, Any]] = []
    for name, texts in (("held fifth of the arXiv sample", corpus.arxiv(held=True)), ("CSET test", corpus.cset_test)):
        vectors, rules = vectorize(reader, scorer.vocabulary, [Batch(texts)])
        margins = scorer.margins(vectors)
        heads = JUDGED_HEADS if name != "CSET test" else ("ai",)
        for head in heads:
            wanted = {*CATEGORY_HEADS[head]} if head != "ai" else {"cset:ai"}
            truth = np.array([bool(wanted & text.labels) for text in texts])
            found = margins[:, scorer.heads.index(f"arXiv:{head}")] >= MARGIN
            rows.append(_mean([{"what": f"{name}: head {head}", **measure_row(truth, found)}]))
    read = card["head_scores"]["arXiv:ai"]["full"]
    score = sigmoid(read["slope"] * margins[:, scorer.heads.index("arXiv:ai")] + read["intercept"])
    taken = score >= read["thresholds"]["balanced"]
    rows.append(_mean([{"what": "CSET test: taxonomy cset-ai, as decided", **measure_row(truth, taken)}]))
    run = np.column_stack([scorer.logits(margins, rules), scorer.any_logits(margins, rules)])
    scores = probabilities(run, kinds_of(corpus.cset_test), card)
    decided = np.array(
        [score >= at for score, at in zip(scores.T, card["thresholds"]["balanced"].values(), strict=True)]
    )
    taken = np.asarray(decided[[card["areas"].index(area) for area in AI_AREAS]].any(axis=0))
    truth = np.array(["cset:ai" in text.labels for text in corpus.cset_test])
    rows.append(_mean([{"what": "CSET test: area AI or robotics, as decided", **measure_row(truth, taken)}]))
    return rows


def figures(
    runs: Sequence[npt.NDArray[np.float32]],
    labels: Labelled,
    gold: Sequence[Text],
    card: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the cross-validated figures for the card, of texts alone."""
    rows = cross_validated(runs, labels, gold, card)
    return {"cross_validated": rows, "macro_f1": macro_f1(rows[: len(card["areas"])])}


def card_text(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown; everything in it is read from the model's JSON file."""
    texts, twice = card["texts"], card["unseen"]["read_by_two"]
    lines = [
        f"# Model card: {card['taxonomy']}",
        "",
        "Made by `python -m copub.technology.training.train`; do not edit. Numbers: sha256 of "
        f"`{card['taxonomy']}.npz` is `{card['sha256']}`, of the taxonomy `{card['taxonomy_hash']}`.",
        "",
        "## Trained from",
        "",
        f"Data as of {DATA_DATE}: {texts['arXiv']} arXiv works with their categories (CSET's development part "
        f"among them), {texts['topics']} texts of OpenAlex topics mapped to areas, {texts['labelled']} labelled texts: "
        "the gold set (two automated readers), works labelled by one automated reader, the first 1,615 mostly from "
        "titles (`own-labels.csv`), titles written for copub at half weight (`own-examples.csv`), CSET's labels for "
        "the AI area at a fifth. "
        "Never trained on: the other half of the gold set, the works of `unseen-labels.csv`, CSET's test part, one "
        "fifth of the arXiv works.",
        "",
        "| file | sha256 |",
        "|---|---|",
        *(f"| {name} | `{digest}` |" for name, digest in card["data"].items()),
        "",
        "## How good it is",
        "",
        "### Gold set, cross-validated",
        "",
        "Balanced operating point, disputed pairs left out, 95 % intervals (Wilson; bootstrap for F1). The one "
        "threshold of an operating point was chosen on the same scores, and terms of the rules were written with "
        "the gold set at hand: take the figures as somewhat too good. Here and in the next two parts works are decided "
        "by their texts alone; what corrected shares rest on is from these.",
        "",
        *_table(card["cross_validated"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['macro_f1']}.",
        "",
        "### Works kept apart",
        "",
        "Works of `unseen-labels.csv`, drawn by topic, category, Chinese affiliation and at random, before anything "
        f"of this model was trained; read by automated readers ({twice['works']} by two, who agree on any area with a "
        f"kappa of {twice['kappa']}). Nothing was trained, chosen or fitted on them, but they were "
        "looked at while training texts were gathered. They are harder than the gold set: of the works that are easy "
        "to find by their words, most had been read before. Each work is decided by what it has.",
        "",
        *_table(card["unseen"]["rows"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['unseen']['macro_f1']}.",
        "",
        "### Works kept apart, read as titles",
        "",
        "The same works, all decided by their titles alone against what was read of them with their abstracts: what "
        "a title does not say counts as missed.",
        "",
        *_table(card["unseen"]["title_rows"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['unseen']['title_macro_f1']}.",
        "",
        "### With topics",
        "",
        "Works as a run decides them, by texts and by the OpenAlex topics that their records have: first the gold set, "
        "cross-validated (what topics add was learnt from other works), then the works kept apart, then these read as "
        "titles. "
        "OpenAlex chose the topics of works with an abstract by that too.",
        "",
        *_table(_of_any(card["with_topics"]["cross_validated"])),
        "",
        *_table(_of_any(card["with_topics"]["unseen"]["rows"])),
        "",
        *_table(_of_any(card["with_topics"]["titles"]["rows"])),
        "",
        f"Macro F1: {card['with_topics']['macro_f1']}, {card['with_topics']['unseen']['macro_f1']} and "
        f"{card['with_topics']['titles']['macro_f1']}.",
        "",
        "### How much a title shows",
        "",
        "An automated reader of titles alone (`title-readings.csv`) decided of works drawn at random, all of them "
        "with an abstract, whether they are critical. Their labels are taken as the truth; a few of the own labels "
        "were given from titles too. Recall is the share of critical works that a title shows. The last row is what "
        "the model finds in the same titles of the gold set.",
        "",
        *_table(card["titles_read"]),
        "",
        "### Heads",
        "",
        f"Heads that repeat arXiv categories, on works never trained on, at a margin of {MARGIN}; and what is decided "
        "on CSET's test works.",
        "",
        *_table(card["heads_judged"]),
        "",
    ]
    thresholds = ", ".join(
        f"{operating_point} {min(by_area.values())}" for operating_point, by_area in card["thresholds"].items()
    )
    lines += [
        "### Thresholds and calibration",
        "",
        f"Thresholds: {thresholds}.",
        "",
        "What chose what: calibration, thresholds and the weights of the joint adjustment are of the cross-validated "
        "logits of the gold set, each kind on the works that have such a text (titles: 153 works), topics left aside. "
        "What topics add was learnt from cross-validated logits of `own-labels.csv`. That all areas of a "
        "work are moved wholly together was chosen by cross-validation on `own-labels.csv` and the gold set, with "
        "abstracts and as titles. The works kept apart chose none of these.",
        "",
        f"![Calibration: mean score against the share that is core]({card['taxonomy']}.calibration.svg)",
    ]
    return "\n".join(lines) + "\n"


def _of_any(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["what"].startswith(ANY)]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| what | works | positives | precision | recall | F1 |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row[k]:.2f} ({row[f'{k}_low']:.2f} to {row[f'{k}_high']:.2f})" for k in _FIGURES]
        if row["positives"] < ENOUGH:
            cells = ["not evaluated"] * len(_FIGURES)
        lines.append(f"| {row['what']} | {row['works']} | {row['positives']} | {' | '.join(cells)} |")
    return lines
