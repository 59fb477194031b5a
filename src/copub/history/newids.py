"""The same work under another OpenAlex id in two runs: OpenAlex merges records and gives new ids."""

from __future__ import annotations

import polars as pl

from copub.corpus.duplicates import duplicates_of, traits_of
from copub.runs.folder import Run

_WORK = ("work_id", "doi", "title", "publication_year", "publication_date")


def new_ids(before: Run, after: Run) -> dict[str, str]:
    """Return for works that only one of two runs has the id of the same work in the other.

    Works are the same by the rule for duplicates (`copub.corpus.duplicates`): DOI, or title, year and first
    author. Of several on one side as many are taken as the other side has.
    """
    sides = (before, after)
    works = [run.tables["works"].select(_WORK) for run in sides]
    alone = [mine.join(other, on="work_id", how="anti") for mine, other in (works, works[::-1])]
    if any(frame.is_empty() for frame in alone):
        return {}
    traits = pl.concat(traits_of(frame, run.tables["authorships"]) for frame, run in zip(alone, sides, strict=True))
    marked = traits.join(duplicates_of(traits), on="work_id", how="left").select(
        "work_id",
        group=pl.coalesce("duplicate_of", "work_id"),
        is_before=pl.col("work_id").is_in(alone[0]["work_id"].implode()),
    )
    found: dict[str, str] = {}
    for group in marked.sort("work_id").partition_by("group", maintain_order=True):
        old, new = (group.filter(pl.col("is_before") == side)["work_id"] for side in (True, False))
        for one, other in zip(old, new, strict=False):
            found |= {one: other, other: one}
    return found
