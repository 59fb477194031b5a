"""What a run says about the pairs of its panel: their names, their rows, the sentences about them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from copub.countrygroups import key_of_side
from copub.report.facts import Facts, Row

HEADLINE = "critical_listed"


def pair_names(facts: Facts) -> dict[str, str]:
    """Return the name of each pair of the panel by its key: that of the side in which pairs differ, or of both."""
    pairs = [(pair["side_a"], pair["side_b"]) for pair in facts.study.get("pairs") or ()]
    keys = [tuple(key_of_side(side["countries"]) for side in pair) for pair in pairs]
    sides = [place for place in (0, 1) if len({key[place] for key in keys}) > 1] or [0, 1]
    return {
        "-".join(key): " – ".join(facts.side_name(pair[place]).alone for place in sides)
        for key, pair in zip(keys, pairs, strict=True)
    }


def panel_rows(facts: Facts, measure: str = HEADLINE) -> pl.DataFrame:
    """Return the rows of a measure by the study's own counting, the largest share first; pairs without works last."""
    own = facts.table("panel").filter(measure=measure, counting=facts.counting)
    return own.sort("share", "pair", descending=[True, False], nulls_last=True)


def panel_sentences(facts: Facts) -> list[str]:
    """Return which pair of the panel has the largest share, and where the reference is; nothing without a panel.

    No pair of few works is named as the largest.
    """
    rows = panel_rows(facts).drop_nulls("share")
    if rows.is_empty():
        return []
    names = pair_names(facts)
    sure = rows.filter(~pl.col("is_small"))
    if sure.is_empty():
        first, top = facts.words.say("panel.few", pairs=facts.words.count(rows["pairs"][0])), None
    else:
        key = "top_sure" if sure.height < rows.height else "top"
        first, top = _sentence(facts, key, sure.row(0, named=True), names), sure["pair"][0]
    own = rows.filter(pl.col("pair") == facts.study.get("reference"), pl.col("pair").ne_missing(top))
    return [first, *(_sentence(facts, "own", row, names) for row in own.iter_rows(named=True))]


def _sentence(facts: Facts, key: str, row: Row, names: Mapping[str, str]) -> str:
    count = facts.words.count
    return facts.words.say(
        f"panel.{key}",
        pair=names.get(row["pair"], row["pair"]),
        pairs=count(row["pairs"]),
        share=facts.words.percent(row["share"]),
        interval=facts.interval(row),
        **{name: count(row[f"rank{end}"]) for name, end in (("rank", ""), ("low", "_low"), ("high", "_high"))},
    )


def pair_pages(facts: Facts) -> dict[str, str]:
    """Return the page of each pair that has a run of its own, from the folder of this run."""
    return {
        str(entry.get("pair")): f"../../{entry.get('study')}/{entry.get('run')}/report.html"
        for entry in facts.entries("pair_runs")
    }
