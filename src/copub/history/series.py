"""A series over the runs of a study: the headline of each run with its instruments beside it.

Two lines are side by side: the shares as the runs gave them, and the shares that today's
instruments and the newest run's study give on each run's own records. Where the second line is
level and the first is not, an instrument moved and not the world. What OpenAlex itself assigned
at the time (institutions, topics) stays as each run got it; the epochs beside it say where it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from copub.intervals import with_intervals
from copub.lines import aligned
from copub.measures.adjusted import LABELLED
from copub.measures.shares import COUNTING_WEIGHT
from copub.progress import bar
from copub.report.messages import load_messages
from copub.runs.folder import ESTIMATE, Run, with_todays_columns
from copub.runs.instruments import (
    changed_settings,
    epoch_spans,
    instruments,
    last_retrieval,
    run_time,
    setting,
    setting_words,
    study_of,
)
from copub.schema import TEXTS, Column, Table
from copub.study import Study

Rescore = Callable[[Run, Study], pl.DataFrame]
"""Gives a run's works with their flags (as `copub.measures.copublications.flagged_works`) under a study."""

_ENDS = (("ci_low", "lower end of its interval"), ("ci_high", "upper end of its interval"))
SERIES = Table(
    "series",
    "one run of the study, oldest first",
    ("position",),
    (
        Column("position", pl.Int32, "place of the run, from 0"),
        Column("run", pl.String, "name of the run's folder"),
        Column("created", pl.String, "when it was made"),
        Column("retrieved", pl.String, "day of the last retrieval; empty if not known"),
        Column("counting", pl.String, "rule of counting, that of the newest run"),
        Column("numerator", pl.Float64, "critical and listed works, or sum of weights", "works"),
        Column("denominator", pl.Float64, "co-publications, or sum of weights", "works"),
        Column("share", pl.Float64, "headline as the run gave it; null if it was stopped before", "0 to 1"),
        *(Column(name, pl.Float64, meaning, "0 to 1") for name, meaning in _ENDS),
        Column("adjusted", pl.Float64, "corrected share, or share from reading, in full counting", "0 to 1"),
        Column("adjusted_low", pl.Float64, "lower end of its interval", "0 to 1"),
        Column("adjusted_high", pl.Float64, "upper end of its interval", "0 to 1"),
        Column("method", pl.String, "evaluation: corrected share | labelled sample: share from reading"),
        Column("today_numerator", pl.Float64, "the same with today's instruments", "works"),
        Column("today_denominator", pl.Float64, "the same with today's instruments", "works"),
        Column("today_share", pl.Float64, "headline with today's instruments on the run's own records", "0 to 1"),
        *(Column(f"today_{name}", pl.Float64, meaning, "0 to 1") for name, meaning in _ENDS),
        Column("affiliations", pl.String, "span of OpenAlex's affiliation matcher at retrieval"),
        Column("topics", pl.String, "span of OpenAlex's topic model at retrieval"),
        Column("instruments", TEXTS, "taxonomies, models, watchlists and code, with edition and hash"),
        Column("changed", TEXTS, "instruments and settings that differ from the run before"),
    ),
)
_NUMBERS = ("numerator", "denominator", "share", "ci_low", "ci_high")
_READ_TODAY = ("works", "topics", "authorships", "affiliations")


def series(runs: Sequence[Run], rescore: Rescore) -> pl.DataFrame:
    """Return the table `SERIES` over finished runs of a study, in the order of time.

    Parameters
    ----------
    rescore : today's instruments; `copub.history.rescoring.today` gives it.
    """
    ordered = sorted(runs, key=run_time)
    rows = []
    for position, run in enumerate(bar(ordered, label="trend", unit="runs")):
        study = study_of(ordered[-1].manifest)
        spans = epoch_spans(run.manifest)
        rows.append(
            {
                "position": position,
                "run": run.folder.name,
                "created": str(run.manifest.get("created", "")),
                "retrieved": last_retrieval(run.manifest)[:10],
                "counting": study.counting,
                **_own(run, study.counting),
                **{f"today_{name}": value for name, value in _today(run, study, rescore).items()},
                "affiliations": spans.get("affiliations"),
                "topics": spans.get("topics"),
                "instruments": [f"{name}: {state}" for name, state in _own_instruments(run).items()],
                "changed": _changed(ordered[position - 1], run) if position else [],
            }
        )
    return pl.DataFrame(rows, schema=SERIES.schema)


def _own(run: Run, counting: str) -> Mapping[str, Any]:
    if "shares" not in run.tables:
        return dict.fromkeys((*_NUMBERS, *ESTIMATE))
    share = run.share("critical_listed", counting)
    return {name: share[name] for name in (*_NUMBERS, *ESTIMATE)}


def _today(run: Run, study: Study, rescore: Rescore) -> Mapping[str, Any]:
    if any(name not in run.tables for name in _READ_TODAY):
        return dict.fromkeys(_NUMBERS)
    with with_todays_columns(run):
        works = rescore(run, study)
    works = works.filter(pl.col("excluded_because").is_null())
    weight, every = COUNTING_WEIGHT[study.counting], pl.col("work_id").is_not_null()
    sums = works.select(
        (weight * pl.col("is_critical_listed")).sum().alias("numerator"),
        (weight * every).sum().alias("denominator"),
        (weight * weight * every).sum().alias("squares"),
    )
    return with_intervals(sums, study.confidence).select(_NUMBERS).row(0, named=True)


def _own_instruments(run: Run) -> dict[str, str]:
    return {name: state for name, state in instruments(run.manifest).items() if not name.startswith("OpenAlex")}


def _changed(before: Run, after: Run) -> list[str]:
    first, second = instruments(before.manifest), instruments(after.manifest)
    named = [name for name in dict.fromkeys([*first, *second]) if first.get(name) != second.get(name)]
    studies = study_of(before.manifest), study_of(after.manifest)
    return named + [
        f"setting {name}: {', then '.join(setting_words(setting(study, name)) for study in studies)}"
        for name in changed_settings(*studies)
    ]


def estimate_words(row: Mapping[str, Any]) -> str:
    """Return the estimate of a share with its interval and what it is: corrected, or from reading; else nothing."""
    if row["adjusted"] is None:
        return ""
    share, low, high = (load_messages().percent(row[name], 2) for name in ESTIMATE[:3])
    return f"{share} ({low} to {high}), {'from reading' if row['method'] == LABELLED else 'corrected'}"


def series_lines(table: pl.DataFrame) -> list[str]:
    """Return what ``copub trend`` prints: one line per run, and below it what changed since the run before."""

    def percent(value: float | None) -> str:
        return "none" if value is None else load_messages().percent(value, 2)

    rows = [
        [
            row["run"],
            percent(row["share"]),
            "" if row["ci_low"] is None else f"{percent(row['ci_low'])} to {percent(row['ci_high'])}",
            percent(row["today_share"]),
            f"{row['today_numerator'] or 0:,.0f} of {row['today_denominator'] or 0:,.0f}",
        ]
        for row in table.iter_rows(named=True)
    ]
    head, *lines = aligned([["run", "share", "interval", "today", "works today"], *rows])
    below = [
        [
            *([f"  estimate: {estimate_words(row)}"] if row["adjusted"] is not None else []),
            *(f"  changed: {change}" for change in row["changed"]),
        ]
        for row in table.iter_rows(named=True)
    ]
    return [
        f"Critical and listed, {table['counting'][0]} counting; today: with today's instruments on the same records.",
        head,
        *(text for line, more in zip(lines, below, strict=True) for text in (line, *more)),
    ]
