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
    facts["watchlists"][0]["title"] = ATTACKS[2]
    facts["source"]["query"] = ATTACKS[0]
    facts["command"] = ["copub", "run", ATTACKS[0]]
    facts["warnings"] = [ATTACKS[0]]
    return attacked, facts


# What copub itself writes is what it is; what comes from a source may be anything.
_KEPT = ("work_id", "measure", "slice_kind", "counting", "taxonomy", "watchlist", "year", "side", "switch", "metric")


def _attack(rng: random.Random, table_name: str, column: str, dtype: Any, value: Any) -> Any:
    kept = column in _KEPT or (column == "risk_level" and table_name == "shares")
    if kept or column.startswith(("is_", "n_")) or column.endswith("_seq") or column in ("assigned", "classifiable"):
        return value
    if column == "doi":
        return rng.choice([*EVIL_DOIS, None, "10.5555/fine"])
    if column in ("area", "entity_id", "tier", "field"):  # never null by the schema
        return rng.choice(ATTACKS)
    if dtype == pl.String:
        return rng.choice([*ATTACKS, None])
    if dtype == pl.List(pl.String):
        return rng.choice([[rng.choice(ATTACKS), rng.choice(ATTACKS)], [], None])
    return rng.choice([value, None]) if table_name in ("works", "copublications", "assignments", "hits") else value
