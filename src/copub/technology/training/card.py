"""The model card: what the model was trained from, and how good it is by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from copub.technology.areascorer import sigmoid
from copub.technology.classifierevaluation import ANY, ENOUGH, any_area, cohen_kappa, measure_row
from copub.technology.model import Scorer
from copub.technology.training.baseclassifiers import CATEGORY_HEADS, Batch, vectorize
from copub.technology.training.labelledworks import DATA_DATE, Corpus, Text
from copub.technology.training.metaclassifier import Labelled
from copub.technology.training.thresholds import kinds_of, probabilities
from copub.technology.workchunk import TextReader

Bools = npt.NDArray[np.bool_]
MARGIN = -0.25
"""Margin from which a category base classifier says yes; the recipe's value, not tuned on the texts evaluated."""
AI_AREAS = ("EU-02-AI", "EU-09-ROBOTICS")
"""What CSET calls AI has robotics in it."""
OPERATING_POINTS = ("precision", "balanced", "recall")
JUDGED_HEADS = ("robotics", "security", "language", "networks")
_FIGURES = ("precision", "recall", "f1")
_COLUMNS = tuple(f"{figure}{end}" for figure in _FIGURES for end in ("", "_low", "_high"))


def cross_validated(
    runs: Sequence[npt.NDArray[np.float32]], labels: Labelled, gold: Sequence[Text], areas: Sequence[str], card: Any
) -> list[dict[str, Any]]:
    """Return one row per area, one for any area, one for any area by stratum; means over the runs."""
    of_pair = np.array([text.stratum == "belgium-china" and not text.abstract for text in gold])
    per_run = []
    for run in runs:
        found = probabilities(run, kinds_of(gold), card) >= balanced_thresholds(card, kinds_of(gold))
        rows = decision_rows(labels.positive, found, labels.usable, gold, areas)
        truth, taken, ok = any_area(labels.positive, found, labels.usable)
        pair = {"what": f"{ANY}, Belgium x China titles", **measure_row(truth[ok & of_pair], taken[ok & of_pair])}
        per_run.append([*rows, pair])
    return [_mean([rows[at] for rows in per_run]) for at in range(len(per_run[0]))]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Works that were read and kept apart, as the model scores them: works x areas.

    `as_read` are probabilities by what the work has, `as_titles` by its title alone.
    """

    as_read: npt.NDArray[np.float64]
    as_titles: npt.NDArray[np.float64]
    positive: Bools
    usable: Bools


def read_unseen(
    texts: Sequence[Text], scorers: Mapping[str, Scorer], reader: TextReader, card: Mapping[str, Any]
) -> Unseen:
    """Score the works that were kept apart; the card holds `areas`, `calibration` and `together`."""
    if not texts:
        none = np.zeros((0, len(card["areas"])))
        return Unseen(none, none, none > 0, none > 0)
    kinds = kinds_of(texts)
    scored: dict[str, npt.NDArray[np.float64]] = {}
    for kind, scorer in scorers.items():
        vectors, rules = vectorize(reader, scorer.vocabulary, [Batch(texts, titles_only=kind == "title")])
        margins = scorer.margins(vectors)
        run = np.column_stack([scorer.logits(margins, rules), scorer.any_logits(margins, rules)])
        scored[kind] = probabilities(run, np.full(len(texts), kind), card)
    positive, unsure = (
        np.array([[area in named for area in card["areas"]] for named in of_texts], np.bool_).reshape(len(texts), -1)
        for of_texts in ([text.labels for text in texts], [text.unsure for text in texts])
    )
    as_read = np.where((kinds == "full")[:, None], scored["full"], scored["title"])
    return Unseen(as_read, scored["title"], positive, ~unsure)


def unseen_figures(texts: Sequence[Text], unseen: Unseen, card: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the decision on the works that were kept apart, by what they have, and all by their titles alone."""
    kinds = kinds_of(texts)
    found = unseen.as_read >= balanced_thresholds(card, kinds)
    made = [_mean([row]) for row in decision_rows(unseen.positive, found, unseen.usable, texts, card["areas"])]
    as_titles = [replace(text, abstract="") for text in texts]
    found = unseen.as_titles >= balanced_thresholds(card, kinds_of(as_titles))
    titles = [_mean([row]) for row in decision_rows(unseen.positive, found, unseen.usable, as_titles, card["areas"])]
    areas = len(card["areas"])
    return {
        "rows": made,
        "macro_f1": macro_f1(made[:areas]),
        "title_rows": titles[: areas + 1],
        "title_macro_f1": macro_f1(titles[:areas]),
        "read_by_two": read_by_two(texts),
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
    positive: Bools, found: Bools, usable: Bools, texts: Sequence[Text], areas: Sequence[str]
) -> list[dict[str, Any]]:
    """Return one row per area, one for any area, and for any area with and without abstract."""
    rows = []
    for at, area in enumerate(areas):
        ok = usable[:, at]
        rows.append({"what": area, **measure_row(positive[ok, at], found[ok, at])})
    truth, taken, ok = any_area(positive, found, usable)
    title_only = kinds_of(texts) == "title"
    chosen = {ANY: ok, f"{ANY}, with abstract": ok & ~title_only, f"{ANY}, title only": ok & title_only}
    return rows + [{"what": name, **measure_row(truth[kept], taken[kept])} for name, kept in chosen.items()]


def macro_f1(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean F1 of the areas with enough positives; None if there is none."""
    enough = [row["f1"] for row in rows if row["positives"] >= ENOUGH]
    return round(sum(enough) / len(enough), 3) if enough else None


def balanced_thresholds(card: Mapping[str, Any], kinds: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return works x areas: the thresholds of the balanced operating point, by the text of each work."""
    full, title = (
        [card[name]["balanced"][area] for area in card["areas"]] for name in ("thresholds", "title_thresholds")
    )
    return np.where((kinds == "full")[:, None], np.array(full), np.array(title))


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
    decided = scores >= balanced_thresholds(card, kinds_of(corpus.cset_test))
    taken = np.asarray(decided[:, [card["areas"].index(area) for area in AI_AREAS]].any(axis=1))
    truth = np.array(["cset:ai" in text.labels for text in corpus.cset_test])
    rows.append(_mean([{"what": "CSET test: area AI or robotics, as decided", **measure_row(truth, taken)}]))
    return rows


def figures(
    runs: Sequence[npt.NDArray[np.float32]],
    labels: Labelled,
    gold: Sequence[Text],
    areas: Sequence[str],
    card: Any,
) -> dict[str, Any]:
    """Return the cross-validated figures for the card."""
    rows = cross_validated(runs, labels, gold, areas, card)
    return {"cross_validated": rows, "macro_f1": macro_f1(rows[: len(areas)])}


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
        f"The vocabulary of titles has also the words of {texts['unread']} works that nobody has read. "
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
        "Balanced operating point, disputed pairs left out, 95 % intervals (Wilson; bootstrap for F1). The threshold "
        "of works with an abstract was chosen on the same scores, and terms of the rules were written with the gold "
        "set at hand: take the figures as somewhat too good.",
        "",
        *_table(card["cross_validated"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['macro_f1']}.",
        "",
        "### Works kept apart",
        "",
        "Works of `unseen-labels.csv`, drawn by topic, category, Chinese affiliation and at random, before anything "
        f"of this model was trained; read by automated readers ({twice['works']} by two, who agree on any area with a "
        f"kappa of {twice['kappa']}). Nothing was trained on them, but they were looked at while training texts were "
        "gathered, and so were the works that an earlier model missed by their titles. They are harder than the gold "
        "set: of the works that are easy to find by their words, most had been read before. Each work is decided by "
        "what it has. The thresholds for titles were chosen on these works and the gold set (below); those for works "
        "with an abstract were not.",
        "",
        *_table(card["unseen"]["rows"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['unseen']['macro_f1']}.",
        "",
        "### Works kept apart, read as titles",
        "",
        "The same works, all decided by their titles alone against what was read of them with their abstracts: what "
        "a title does not say counts as missed. The thresholds for titles were chosen on these decisions too, so the "
        "figures are somewhat too good.",
        "",
        *_table(card["unseen"]["title_rows"]),
        "",
        f"Macro F1 over the areas with {ENOUGH} positives or more: {card['unseen']['title_macro_f1']}.",
        "",
        "### Heads",
        "",
        f"Heads that repeat arXiv categories, on works never trained on, at a margin of {MARGIN}; and what is decided "
        "on CSET's test works.",
        "",
        *_table(card["heads_judged"]),
        "",
    ]
    lines += [
        "### Thresholds and calibration",
        "",
        "| thresholds of | precision | balanced | recall |",
        "|---|---|---|---|",
        *(
            f"| {what} | {' | '.join(str(min(card[name][point].values())) for point in OPERATING_POINTS)} |"
            for what, name in (("works with an abstract", "thresholds"), ("titles alone", "title_thresholds"))
        ),
        "",
        "What chose what:",
        "",
        "- Scores of works with an abstract are calibrated on the cross-validated logits of the gold works that have "
        "one, scores of titles on those of the titles of all gold works.",
        "- The thresholds of works with an abstract are those of the highest macro F1 plus F1 of any area on the gold "
        "works that have one, cross-validated. The figures of the gold set with abstract are therefore somewhat too "
        "good.",
        "- The thresholds of titles are those of the highest macro F1 plus F1 of any area on two sets together: the "
        "titles of the gold set, cross-validated, and the works kept apart, read as titles. All figures of titles are "
        "therefore somewhat too good.",
        "- What the terms of the rules and the example titles are worth was compared by cross-validation on the works "
        "that were read, and on titles of the works kept apart. Distilled scores, word vectors and base classifiers "
        "that learn titles from abstracts were tried in the same way, brought nothing, and are not in the model.",
        "",
        f"![Calibration: mean score against the share that is core]({card['taxonomy']}.calibration.svg)",
    ]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = ["| what | works | positives | precision | recall | F1 |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row[k]:.2f} ({row[f'{k}_low']:.2f} to {row[f'{k}_high']:.2f})" for k in _FIGURES]
        if row["positives"] < ENOUGH:
            cells = ["not evaluated"] * len(_FIGURES)
        lines.append(f"| {row['what']} | {row['works']} | {row['positives']} | {' | '.join(cells)} |")
    return lines
