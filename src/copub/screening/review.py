"""The review round trip: candidates and samples go to a sheet, a person's decisions come back.

Decisions are keyed by the string and the entity, so they hold for every later run and are
applied to every affiliation with that string. Fuzzy candidates are never counted by themselves.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from copub import schema
from copub.csvtext import unquoted
from copub.draw import in_draw_order
from copub.errors import CorrectFile, Fault
from copub.names import SEED
from copub.screening.candidates import REVIEW, candidates
from copub.screening.counting import EVERYTHING, CountingRule, with_reasons, with_rejected
from copub.screening.entity import CsvRow, read_rows
from copub.screening.index import HOLDERS, build_index
from copub.screening.watchlist import Watchlist

COLUMNS: Mapping[str, str] = {
    "sample": "hit | non-hit | candidate: from where the row was drawn",
    "value": "the affiliation string",
    "entity_id": "the entity in question; a reviewer may correct it",
    "entity_name": "its name",
    "matched_text": "the matched characters",
    "decision": "yes = the string names the entity; no = it does not; empty = not decided",
    "reason": "why",
    "reviewer": "who decided",
    "date": "when (YYYY-MM-DD)",
}
_CONFIRMED = "confirmed by review"
_PLACE = ["work_id", "author_seq", "affiliation_seq"]


def draw_sheet(
    hits: pl.DataFrame,
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    *,
    n_hits: int = 50,
    n_others: int = 50,
    seed: str = SEED,
) -> pl.DataFrame:
    """Draw a sheet for human reading: random hits, random non-hits, all candidates (`COLUMNS`).

    Samples are drawn from distinct pairs of string and entity (hits) and distinct strings
    (non-hits), so that no much-repeated string fills the sheet. Candidates are sought in strings
    of the lists' countries and of no known country. The same seed draws the same rows, and another
    string among the affiliations replaces at most one of them.
    """
    named = hits.filter(pl.col("tier") == "name").select("value", "entity_id", "entity_name", "matched_text")
    pairs = named.sort(named.columns).unique(["value", "entity_id"], keep="first", maintain_order=True)
    texts = affiliations.select(value="raw_affiliation_string").drop_nulls().unique()
    others = texts.join(pairs, on="value", how="anti").sort("value")  # sorted for the candidates
    near = candidates(_of_country(others, affiliations, watchlists), watchlists)
    parts = [
        in_draw_order(pairs, "value", "entity_id", seed=seed).head(n_hits).with_columns(sample=pl.lit("hit")),
        in_draw_order(others.join(near, on="value", how="anti"), "value", seed=seed)
        .head(n_others)
        .with_columns(sample=pl.lit("non-hit")),
        near.drop("score").with_columns(sample=pl.lit("candidate")),
    ]
    sheet = pl.concat(parts, how="diagonal")
    absent = [name for name in COLUMNS if name not in sheet.columns]
    return sheet.with_columns(pl.lit(None, pl.String).alias(name) for name in absent).select(*COLUMNS)


def _of_country(texts: pl.DataFrame, affiliations: pl.DataFrame, watchlists: Sequence[Watchlist]) -> pl.Series:
    """Return the strings that stand with a country of the lists, or with none."""
    countries = sorted({member.entity.country for watchlist in watchlists for member in watchlist.entities})
    there = affiliations.filter(pl.col("country_code").is_null() | pl.col("country_code").is_in(countries))
    return texts.join(there.select(value="raw_affiliation_string"), on="value", how="semi", maintain_order="left")[
        "value"
    ]


def read_decisions(path: Path) -> pl.DataFrame:
    """Read the decisions out of a sheet: value, entity_id, decision, reason, reviewer, date; sorted.

    Rows without a decision are passed over. Raises `CorrectFile` with all faults: unknown
    decisions, a decision without reviewer, date or entity, two decisions that contradict each other.
    """
    faults: list[Fault] = []
    rows = read_rows(
        path, COLUMNS, ("value", "entity_id", "decision", "reviewer", "date"), faults, kind="review sheet", strip=False
    )
    decided = [_trimmed(row) for row in rows if row["decision"].strip()]
    seen: dict[tuple[str, str], CsvRow] = {}
    for row in decided:
        faults += _decision_faults(row)
        before = seen.setdefault((row["value"], row["entity_id"]), row)
        if before["decision"] != row["decision"]:
            faults.append(Fault(row.where, f"contradicts the decision of {before.where}", "keep one of them"))
    if faults:
        raise CorrectFile(faults, kind="review sheet")
    names = ("value", "entity_id", "decision", "reason", "reviewer", "date")
    data = [tuple(unquoted(row[name]) for name in names) for row in seen.values()]
    return pl.DataFrame(data, schema=pl.Schema(dict.fromkeys(names, pl.String())), orient="row").sort(
        "value", "entity_id"
    )


def _trimmed(row: CsvRow) -> CsvRow:
    """Drop spaces around all cells but the string, which must stay as it is."""
    return CsvRow(row.where, {name: cell if name == "value" else cell.strip() for name, cell in row.cells.items()})


def _decision_faults(row: CsvRow) -> Iterator[Fault]:
    if row["decision"] not in ("yes", "no"):
        yield Fault(row.where, f"decision is {row['decision']!r}", "known: yes, no, empty")
    for name in ("entity_id", "reviewer"):
        if not row[name]:
            yield Fault(row.where, f"a decision needs {name}", COLUMNS[name])
    try:
        datetime.date.fromisoformat(row["date"])
    except ValueError:
        yield Fault(row.where, f"date {row['date']!r} is no date", "YYYY-MM-DD")


def merge_decisions(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return all decisions of both; where both decide on the same pair the later date wins, then `new`."""
    both = pl.concat([old.with_columns(rank=pl.lit(0)), new.with_columns(rank=pl.lit(1))])
    latest = both.sort("value", "entity_id", "date", "rank").unique(["value", "entity_id"], keep="last")
    return latest.drop("rank").sort("value", "entity_id")


def apply_decisions(
    hits: pl.DataFrame,
    affiliations: pl.DataFrame,
    watchlists: Sequence[Watchlist],
    decisions: pl.DataFrame,
    *,
    rule: CountingRule = EVERYTHING,
    dates: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return `hits` as decided: rejected name hits no longer count, confirmed pairs are hits.

    A confirmed pair that the matcher did not find becomes a name hit whose `rule` says that a
    reviewer confirmed it. The reviewer says what the string names; whether the study counts such a
    hit depends on its settings and dates, as for every other hit. Identifier and lineage hits do not
    change: they rest on the registry, not on a reading of the string.
    """
    verdicts = decisions.select("value", "decision", decided_id="entity_id")
    named = pl.coalesce("via_entity", "entity_id")
    judged = hits.with_columns(decided_id=named).join(verdicts, on=["value", "decided_id"], how="left")
    is_name = pl.col("tier").is_in(["name", REVIEW])
    kept = with_rejected(judged, (is_name & (pl.col("decision") == "no")).fill_null(False)).select(hits.columns)
    found = _confirmed(affiliations, watchlists, decisions.filter(pl.col("decision") == "yes"))
    added = with_reasons(found, rule, dates).select(schema.TABLES["hits"].schema.names())
    key = list(schema.TABLES["hits"].key)
    return schema.conform("hits", pl.concat([kept, added.join(kept, on=key, how="anti").select(hits.columns)]))


def _confirmed(affiliations: pl.DataFrame, watchlists: Sequence[Watchlist], decisions: pl.DataFrame) -> pl.DataFrame:
    index = build_index(watchlists)
    keys = pl.DataFrame(
        {"decided_id": [entity.id for entity in index.entities], "key": range(len(index.entities))},
        schema={"decided_id": pl.String, "key": HOLDERS["key"]},
    )
    pairs = decisions.select("value", "reviewer", "date", decided_id="entity_id").join(keys, on="decided_id")
    rows = affiliations.select(*_PLACE, value="raw_affiliation_string").join(pairs, on="value")
    found = rows.join(index.holders, on="key").sort(pl.col("via_entity").is_not_null())
    complete = found.with_columns(
        tier=pl.lit("name"),
        field=pl.lit("raw_affiliation_string"),
        matched_text=pl.col("value"),
        matched_start=pl.lit(0, pl.Int32),
        matched_end=pl.col("value").str.len_chars().cast(pl.Int32),
        rule=pl.format("{}: {}, {}", pl.lit(_CONFIRMED), "reviewer", "date"),
    )
    return complete.unique(schema.TABLES["hits"].key, keep="first", maintain_order=True)
