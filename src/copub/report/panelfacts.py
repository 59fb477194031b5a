"""What a run says about the pairs of its panel: their names, their rows, the sentences about them."""

from __future__ import annotations

from typing import Any

import polars as pl

from copub.countrygroups import key_of_side
from copub.report.facts import Facts, Row
from copub.report.messages import SideName

HEADLINE = "critical_listed"


def pair_names(facts: Facts) -> dict[str, str]:
    """Return the name of each pair of the panel by its key: that of the side in which pairs differ, or of both."""
    return {key: name.alone for key, name in _names(facts).items()}


def _names(facts: Facts) -> dict[str, SideName]:
    pairs = [(pair["side_a"], pair["side_b"]) for pair in facts.study.get("pairs") or ()]
    keys = [tuple(key_of_side(side["countries"]) for side in pair) for pair in pairs]
    places = [place for place in (0, 1) if len({key[place] for key in keys}) > 1] or [0, 1]
    named = [[facts.side_name(pair[place]) for place in places] for pair in pairs]
    return {
        "-".join(key): SideName(" – ".join(sides), " – ".join(side.alone for side in sides))
        for key, sides in zip(keys, named, strict=True)
    }


def panel_rows(facts: Facts, measure: str = HEADLINE) -> pl.DataFrame:
    """Return the rows of a measure by the study's own counting, the largest share first; pairs without works last."""
    own = facts.table("panel").filter(measure=measure, counting=facts.counting)
    return own.sort("share", "pair", descending=[True, False], nulls_last=True)


def panel_sentences(facts: Facts) -> list[str]:
    """Return which pairs of the panel have the largest share, and where the reference is; nothing without a panel.

    No pair of few works is named as the largest, none of several with the same share, and none that the lists do not
    cover: there a share of 0 says nothing.
    """
    names, own_rows = _names(facts), panel_rows(facts)
    every, unlisted = own_rows.filter("is_covered"), own_rows.filter(~pl.col("is_covered"))["pair"].sort()
    rows = every.drop_nulls("share")
    if rows.is_empty():
        return []
    say, count = facts.words.say, facts.words.count
    pairs, sure = count(every.height), rows.filter(~pl.col("is_small"))
    # to the digits of a table, equal shares are one
    first = sure.filter(pl.col("share") == pl.col("share").max())
    is_open = rows.height > 1 and bool(((rows["rank_low"] == 1) & (rows["rank_high"] == rows.height)).all())

    def figures(row: Row) -> dict[str, Any]:
        name = names.get(row["pair"], SideName(row["pair"]))
        return {"pair": name, "share": facts.words.percent(row["share"]), "interval": facts.interval(row)}

    def rank(row: Row) -> str:
        ends = {name: count(row[f"rank{end}"]) for name, end in (("rank", ""), ("low", "_low"), ("high", "_high"))}
        key = "rank_sure" if row["rank_low"] == row["rank_high"] else "rank"
        return (
            ""
            if is_open or rows.height == 1 or row["rank"] is None
            else say(f"panel.{key}", **ends, pairs=count(rows.height))
        )

    if every.height == 1:  # with nothing to compare it with
        lines = [say("panel.own", **figures(row)) for row in every.iter_rows(named=True)]
        first = every
    elif sure.is_empty():
        lines = [say("panel.few")]
    else:
        key = "compared" if sure.height == every.height else "compared_some"
        row = first.row(0, named=True)
        if first.height == 1:
            found = [say("panel.top" if sure.height > 1 else "panel.own", **figures(row)), rank(row)]
        elif first.height == sure.height:
            found = [say("panel.equal", **figures(row))]
        else:
            tied = "; ".join(names.get(pair, SideName(pair)).alone for pair in sorted(first["pair"]))
            found = [say("panel.tied", **figures(row), count=count(first.height), names=tied)]
        lines = [" ".join(filter(None, [say(f"panel.{key}", pairs=pairs, sure=count(sure.height)), *found]))]
    named = first["pair"].to_list() if first.height == 1 else []
    own = every.filter(pl.col("pair") == facts.study.get("reference"), ~pl.col("pair").is_in(named))
    for row in own.iter_rows(named=True):
        key = "own" if row["share"] is not None else "no_works"
        lines.append(" ".join(filter(None, [say(f"panel.{key}", **figures(row)), rank(row)])))
    lines += [say("panel.any_order")] if is_open else []
    if len(unlisted):
        lines.append(say("panel.not_covered", names="; ".join(names[pair].alone for pair in unlisted)))
    return lines


def pair_pages(facts: Facts) -> dict[str, str]:
    """Return the page of each pair that has a run of its own, from the folder of this run."""
    return {
        str(entry.get("pair")): f"../../{entry.get('study')}/{entry.get('run')}/report.html"
        for entry in facts.entries("pair_runs")
    }
