"""A comparison in words and rows, for the page and for the command line: nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from copub.countries import listing
from copub.history.causes import CAUSES
from copub.history.compare import Comparison
from copub.history.series import estimate_words
from copub.report.messages import load_messages
from copub.runs.folder import ESTIMATE
from copub.runs.instruments import last_retrieval

MEASURES: Mapping[str, str] = {
    "critical_listed": "critical and with a listed institution",
    "top_level": "critical and with a listed institution of the top level",
    "critical": "critical",
    "listed": "with a listed institution",
}
COUNTINGS: Mapping[str, str] = {
    "full": "each work counts 1",
    "fractional-authors": "each work counts its share of authors on the two sides",
    "fractional-countries": "each work counts the part of its countries that are on one of the two sides",
}
MEANINGS: Mapping[str, str] = {cause.name: cause.meaning for cause in CAUSES}


_PLACES = 2  # parts of a change are often under a tenth of a point


def percent(share: float | None) -> str:
    """Return a share as "12.34%", as the report writes it."""
    return "not defined (no works)" if share is None else load_messages().percent(share, _PLACES)


def points(part: float | None) -> str:
    """Return a difference of shares as "+1.23 points"; a difference of shares is no per cent."""
    if part is None:
        return "not defined"
    text = f"{100 * part:+.2f}"
    return f"{'0.00' if text in ('+0.00', '-0.00') else text.replace('-', '−')} points"


def cautions(comparison: Comparison) -> list[str]:
    """Return what is to be read before any number: another question, epochs that were crossed, other limits."""
    warning = "so a difference may come from OpenAlex rather than from the research itself"
    certain = [f"{change}, {warning}." for change in comparison.instrument_changes if change.certain]
    unknown = [change.instrument for change in comparison.instrument_changes if not change.certain]
    undated = [
        f"At least one of the runs does not record when its works were retrieved. OpenAlex may have changed its "
        f"{listing(unknown)} in between, {warning}."
    ]
    asked = [f"{_sentence(question)}." for question in comparison.questions]
    noted = [f"{_sentence(note)}." for note in comparison.notes]
    return [*asked, *certain, *(undated if unknown else []), *noted]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def run_name(comparison: Comparison, side: str) -> str:
    """Return how a run is named: its id, and the day of the last retrieval."""
    run = comparison.before if side == "before" else comparison.after
    day = last_retrieval(run.manifest)[:10]
    return f"{run.manifest.get('run_id', run.folder.name)}" + (f" (works as of {day})" if day else "")


def share_sentence(comparison: Comparison, measure: str, counting: str) -> str:
    """Return the sentence on one share: from, to, difference, counting rule, denominators."""
    rows = comparison.tables["shares"].filter((pl.col("measure") == measure) & (pl.col("counting") == counting))
    row = rows.row(0, named=True)
    return (
        f"{MEASURES[measure].capitalize()}: {percent(row['share_before'])} "
        f"({_count(row['numerator_before'])} of {_count(row['denominator_before'])}), then "
        f"{percent(row['share_after'])} ({_count(row['numerator_after'])} of {_count(row['denominator_after'])}): "
        f"{points(row['difference'])}; {COUNTINGS[counting]}.{estimates_sentence(row)}"
    )


def estimates_sentence(row: Mapping[str, Any]) -> str:
    """Return the sentence on the corrected shares, or shares from reading, of the two runs; nothing without any."""
    first, second = (estimate_words({name: row[f"{name}_{side}"] for name in ESTIMATE}) for side in ("before", "after"))
    return f" Estimate: {first or 'none'}, then {second or 'none'}." if first or second else ""


def _count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def part_rows(comparison: Comparison, measure: str, counting: str) -> list[dict[str, Any]]:
    """Return the causes of one share's change as rows of text, in the order of attribution."""
    return [
        {
            "cause": row["cause"],
            "meaning": MEANINGS[row["cause"]],
            "kind": row["kind"],
            "part": points(row["part"]),
            "shapley": points(row["shapley"]),
            "works": f"{row['works']:,}",
            "entered": f"{row['entered']:,}",
            "left": f"{row['left']:,}",
            "gained": f"{row['gained']:,}",
            "lost": f"{row['lost']:,}",
        }
        for row in comparison.split(measure, counting).iter_rows(named=True)
    ]


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return what ``copub compare`` prints: cautions first, then the headline and its causes."""
    counting = str(comparison.after.manifest["study"]["counting"])
    counts = comparison.counts()
    lines = [
        *cautions(comparison),
        f"{run_name(comparison, 'before')}  ->  {run_name(comparison, 'after')}",
        f"works added {counts['added']:,}, removed {counts['removed']:,}, changed {counts['changed']:,}",
    ]
    for measure in ("critical_listed", "top_level"):
        lines.append(share_sentence(comparison, measure, counting))
        for row in part_rows(comparison, measure, counting):
            moved = f"{row['works']} {'work' if row['works'] == '1' else 'works'}"
            lines.append(
                f"  {row['part']:>14}  {row['cause']} [{row['kind']}], {moved}; Shapley value {row['shapley']}"
            )
    return lines
