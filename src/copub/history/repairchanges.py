"""Where the repairs that two runs applied differ, and whether the record differs as well.

A row that a repair touched in either run is compared by its printed string alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from copub.corpus.population import affiliations_under, authorships_under
from copub.runs.folder import Run
from copub.runs.instruments import study_of

_PLACE = ("work_id", "author_seq", "affiliation_seq")
_STRING = (*_PLACE, "raw_affiliation_string")
_WHOLE = (*_STRING, "institution_id", "institution_name", "ror", "country_code", "lineage")


@dataclass(frozen=True, slots=True)
class RepairChanges:
    """The works whose applied repairs differ between two runs.

    works : all of them, sorted. alone : those whose affiliations differ by nothing else.
    """

    works: list[str]
    alone: list[str]


def repair_changes(before: Run, after: Run) -> RepairChanges:
    """Compare the applied repairs of two runs; a run without the table ``repairs`` applied none that is known."""
    first, second = _applied(before), _applied(after)
    differing = pl.concat([first.join(second, on=first.columns, how="anti", nulls_equal=True),
                           second.join(first, on=first.columns, how="anti", nulls_equal=True)])  # fmt: skip
    works = differing["work_id"].unique().sort()
    if works.is_empty():
        return RepairChanges([], [])
    places = pl.concat([first, second]).select(_PLACE).unique()
    records = [_record(run, works, places) for run in (before, after)]
    unlike = {row[0] for row in records[0] ^ records[1]}
    return RepairChanges(works.to_list(), [work for work in works if work not in unlike])


def _applied(run: Run) -> pl.DataFrame:
    schema = {"work_id": pl.String, "author_seq": pl.Int32, "affiliation_seq": pl.Int32, "kind": pl.String,
              "before": pl.String, "after": pl.String}  # fmt: skip
    if "repairs" not in run.tables:
        return pl.DataFrame(schema=schema)
    # a glued block, which names no row, changes none
    rows = pl.col("affiliation_seq").is_not_null() & study_of(run.manifest).apply_repairs
    return run.tables["repairs"].filter(rows).select(*schema)


def _record(run: Run, works: pl.Series, places: pl.DataFrame) -> set[tuple[object, ...]]:
    """Return the rows of some works: whole, or their string where a repair touched them, or their author."""
    study = study_of(run.manifest)
    own = (
        run.tables[name].filter(pl.col("work_id").is_in(works.implode())) for name in ("affiliations", "authorships")
    )
    affiliations, authorships = own
    rows = affiliations_under(affiliations, repairs=study.apply_repairs)
    touched = rows.join(places, on=_PLACE, how="semi").select(_STRING).rows()
    whole = rows.join(places, on=_PLACE, how="anti").select(
        *_WHOLE[:-1], pl.col("lineage").list.sort().list.join(" ")
    ).rows()  # fmt: skip
    authors = (
        authorships_under(authorships, study)
        .join(places, on=_PLACE[:2], how="anti")
        .select("work_id", "author_seq", pl.col("countries").list.sort().list.join(" "))
        .rows()
    )
    return {*touched, *whole, *authors}
