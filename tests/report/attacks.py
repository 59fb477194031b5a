"""Texts that try to act, and a run made of them: titles, names and strings from outside may be anything."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

import polars as pl

from copub.schema import TABLES

ATTACKS = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "<svg/onload=window.hacked=1>",
    '<a href="javascript:window.hacked=1">link</a>',
    "[link](javascript:window.hacked=1)",
    "\u2066isolated\u2069 \u200fmark\u200e",
    "‮gnitser‬ reversed",
    "{{ 7*7 }} ${7*7} {% raw %}",
    "' onmouseover='window.hacked=1",
    ']]> & < > " \x00\x07\x1b[31m',
    "\\end{document} $x_1$ #% ~^ {unbalanced",
    "中文标题 العربية עברית",
    "x" * 10_000,
    "",
)
EVIL_DOIS = (
    "javascript:alert(1)",
    "10.5555/<script>",
    "data:text/html,x",
    "https://evil.example",
    "10.5555/a b",
    '10.5555/"onx=1',
)


def hostile(
    tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Return a run whose titles, names and strings are attacks, and half of whose values are null."""
    attacked, facts = dict(tables), copy.deepcopy(dict(manifest))
    rng = random.Random(3)
    for name, frame in tables.items():
        rows = frame.to_dicts()
        for row in rows:
            for column, dtype in TABLES[name].schema.items():
                row[column] = _attack(rng, name, column, dtype, row[column])
        attacked[name] = pl.DataFrame(rows, schema=TABLES[name].schema) if rows else frame
    for key in ("title", "question"):
        facts["study"][key] = ATTACKS[0]
    facts["study"]["side_a"]["name"] = ATTACKS[1]
    for number, pair in enumerate(facts["study"]["pairs"]):
        pair["side_a"]["name"] = ATTACKS[number]
    facts["watchlists"][0]["title"] = ATTACKS[2]
    facts["source"]["query"] = ATTACKS[0]
    facts["command"] = ["copub", "run", ATTACKS[0]]
    facts["warnings"] = [ATTACKS[0]]
    return attacked, facts


def bare(
    tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any]
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Return a run in which every value is null that a source could have left out, and the manifest says little."""
    emptied = {
        name: frame.with_columns(
            pl.lit(None, dtype).alias(column) for column, dtype in frame.schema.items() if not _is_own(name, column)
        )
        for name, frame in tables.items()
    }
    return emptied, {key: manifest[key] for key in ("study", "run_id")}


# What copub itself writes is what it is; what comes from a source may be anything.
_KEPT = (
    "work_id", "pair", "measure", "slice_kind", "counting", "taxonomy", "watchlist", "year", "side", "switch", "metric",
)  # fmt: skip


_NEVER_NULL = ("area", "entity_id", "tier", "field")
_COUNTED = (
    "shares", "trends", "institutions", "pairs", "area_levels", "funders", "funding", "roles", "panel", "panel_periods",
    "panel_events", "panel_funding", "panel_roles",
)  # their numbers are copub's own  # fmt: skip


def _is_own(table_name: str, column: str) -> bool:
    kept = column in _KEPT or (column == "risk_level" and table_name == "shares")
    kept |= table_name in ("funding", "roles", "panel_funding", "panel_roles") and column in ("group", "role")
    flags = column.startswith(("is_", "n_")) or column.endswith("_seq") or column in ("assigned", "classifiable")
    counts = table_name in _COUNTED and TABLES[table_name].schema[column].is_numeric()
    return kept or flags or counts or column in _NEVER_NULL


def _attack(rng: random.Random, table_name: str, column: str, dtype: Any, value: Any) -> Any:
    if column in _NEVER_NULL:
        return rng.choice(ATTACKS)
    if _is_own(table_name, column):
        return value
    if column == "doi":
        return rng.choice([*EVIL_DOIS, None, "10.5555/fine"])
    if dtype == pl.String:
        return rng.choice([*ATTACKS, None])
    if dtype == pl.List(pl.String):
        return rng.choice([[rng.choice(ATTACKS), rng.choice(ATTACKS)], [], None])
    return rng.choice([value, None]) if table_name in ("works", "copublications", "assignments", "hits") else value
