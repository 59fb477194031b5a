"""What is certain about the headline, in sentences: three statements, each with its own label.

The count is exact for the works at hand; the interval of the corrected share says how far errors of the
instruments may have moved it; the interval of a larger set takes the works as a draw. Where people have read
enough works of the study, the share from reading leads; where not, the report states how many works to read for
which width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from copub.measures.adjusted import FEW, LABELLED, UNUSED
from copub.report.facts import Facts, Row

HEADLINE = "critical_listed"
AIM = 0.04
"""Width of an interval for which the report states how many works to read: two points either way."""
NARROW = 0.01
"""An interval of at most this width settles a share, however small the share is."""


def headline_row(facts: Facts) -> Row | None:
    """Return the row of ``adjusted`` for the headline over all works, or None."""
    rows = facts.table("adjusted").filter(measure=HEADLINE, slice_kind="all")
    return rows.row(0, named=True) if rows.height else None


def read_sentence(facts: Facts) -> str:
    """Return the headline as people read it: the first sentence of a report that has one; else nothing."""
    row = headline_row(facts)
    if row is None or row["method"] != LABELLED or row["adjusted"] is None:
        return ""
    return facts.words.say(
        "certainty.read",
        share=facts.words.percent(row["adjusted"]),
        interval=_model_interval(facts, row),
        denominator=facts.words.count(row["denominator"]),
        a=facts.a,
        b=facts.b,
        years=facts.years,
        basis=facts.words.value(row["basis"]),
    )


def model_sentence(facts: Facts, *, advice: bool = True) -> str:
    """Return the share had every work been classified correctly, as the evaluation sets have it; else nothing.

    With `advice`, a wide interval is followed by what makes it narrower.
    """
    row = headline_row(facts)
    if row is None or row["method"] == LABELLED or not row["denominator"]:
        return ""
    basis, _, why = (row["basis"] or "").partition(UNUSED)
    unused = facts.words.say("certainty.unused", why=facts.words.value(why)) if why else ""
    return " ".join(filter(None, (_model(facts, row, basis, advice=advice), unused)))


def _model(facts: Facts, row: Row, basis: str, *, advice: bool) -> str:
    if basis == FEW:
        return facts.words.say("certainty.few", floor=facts.words.count(facts.study.get("small_rate")))
    if row["adjusted"] is None:
        return facts.words.say("certainty.no_model" if row["method"] == "none" else "certainty.open")
    share = facts.words.percent(row["adjusted"])
    line = facts.words.say("certainty.model", share=share, interval=_model_interval(facts, row))
    is_wide = advice and row["adjusted_high"] - row["adjusted_low"] > max(row["adjusted"], NARROW)
    return f"{line} {facts.words.say('certainty.wide')}" if is_wide else line


def plan_sentence(facts: Facts) -> str:
    """Return how many works to read for which width, and the command; nothing where works were read."""
    row, plan = headline_row(facts), facts.table("reading_plan").filter(measure=HEADLINE)
    if row is None or row["method"] == LABELLED or plan.is_empty():
        return ""
    enough = plan.filter(pl.col("width") <= AIM)
    chosen = (enough if enough.height else plan.tail(1)).row(0, named=True)
    return facts.words.say(
        "certainty.plan_all" if chosen["works_read"] == chosen["of"] else "certainty.plan",
        size=facts.words.count(chosen["works_read"]),
        points=facts.words.number(100 * chosen["width"] / 2, 1),
        command=f"copub review page {facts.study.get('id')} --size {chosen['works_read']}",
    )


def certainty_sentences(facts: Facts) -> list[str]:
    """Return everything that is stated about how certain the headline is, but for the sentence that leads."""
    row = headline_row(facts)
    if row is None or not row["denominator"]:
        return []
    apart = "" if facts.counting == "full" else facts.words.say("certainty.full_counting")
    made = (apart, _census(facts), model_sentence(facts), _larger_set(facts, row), plan_sentence(facts))
    return [line for line in (*made, *_beside(facts, row)) if line]


def _model_interval(facts: Facts, row: Row) -> str:
    ends = {"ci_low": row["adjusted_low"], "ci_high": row["adjusted_high"], "confidence": row["confidence"]}
    return facts.interval(ends)


def _census(facts: Facts) -> str:
    of_files = (facts.manifest.get("source") or {}).get("kind") == "works-files"
    return facts.words.say("certainty.census_files" if of_files else "certainty.census")


def _larger_set(facts: Facts, row: Row) -> str:
    """Return the share as a draw from more works like these, works one by one and by groups of authors."""
    words, values = facts.words, {"share": facts.words.percent(row["share"]), "interval": facts.interval(row)}
    if row["group_low"] is None:
        return words.say("certainty.larger_set", **values)
    groups = facts.bounds({"ci_low": row["group_low"], "ci_high": row["group_high"]})
    return words.say(
        "certainty.larger_set_groups", **values, groups=groups, effect=words.number(row["design_effect"], 1)
    )


def _beside(facts: Facts, row: Row) -> Iterator[str]:
    words, of = facts.words, row["denominator"]
    if row["expected"] is not None:
        yield words.say(
            "certainty.by_chance",
            expected=words.number(row["expected"] * of, 1),
            share=words.percent(row["expected"]),
            low=words.count(round(row["expected_low"] * of)),
            high=words.count(round(row["expected_high"] * of)),
            found=words.count(row["numerator"]),
        )
    yield taught_sentence(facts)
    yield _independence(facts) if row["adjusted"] is not None else ""
    yield repairs_sentence(facts)


def taught_sentence(facts: Facts) -> str:
    """Return how many of the works the classifier has learned from; nothing if none."""
    row, words = headline_row(facts), facts.words
    if row is None or not row["taught"]:
        return ""
    line = words.say("certainty.taught", count=words.count(row["taught"]), of=words.count(row["denominator"]))
    return line if row["adjusted"] is None else f"{line} {words.say('certainty.taught_topic')}"


def _independence(facts: Facts) -> str:
    """Return whether classifier and matcher were seen to err independently of each other."""
    words, rows = facts.words, facts.table("dependence")
    if rows.is_empty():
        return ""
    tested = rows.filter(status="tested")
    if tested.is_empty():
        return words.say("certainty.untested")
    count = words.count(tested["works"][0])
    differing = [_rate(facts, row) for row in tested.filter("differs").iter_rows(named=True)]
    if not differing:
        return words.say("certainty.independent", count=count)
    return words.say("certainty.dependent", count=count, rates="; ".join(differing))


def _rate(facts: Facts, row: dict[str, Any]) -> str:
    words = facts.words
    return words.say(
        "certainty.rate",
        what=words.say(f"certainty.{row['instrument']}_{row['rate']}"),
        points=words.points(row["difference"]),
        low=words.points(row["low"]),
        high=words.points(row["high"]),
    )


def repairs_sentence(facts: Facts) -> str:
    """Return the headline under the other rule for repairs of affiliations, where it counts other works."""
    rows = facts.table("sensitivity").filter(switch="repairs of affiliations")
    if rows.is_empty() or not rows["denominator"][0]:
        return ""
    other = rows.row(0, named=True)
    return facts.words.say(
        f"certainty.repairs_{other['setting']}",
        numerator=facts.words.count(other["numerator"]),
        denominator=facts.words.count(other["denominator"]),
        share=facts.words.percent(other["share"]),
    )
