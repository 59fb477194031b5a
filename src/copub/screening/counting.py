"""Which hit counts, and why another does not: the one place of this rule.

Every hit carries all the reasons why it does not count (`BECAUSE`); a hit without a reason counts.
Settings decide four of the reasons, so these are evaluated anew under other settings. The other two
rest on a date or on a person who read the string: they hold under all settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from copub.screening.candidates import REVIEW

TIERS = ("identifier", "lineage", "name")
BECAUSE, COUNTED = "not_counted_because", "is_counted"
TIER, MEDICAL, DESCENDANT, DATE, COUNTRY, REVIEWER = "tier", "medical", "descendant", "date", "country", "reviewer"
REASONS = (TIER, MEDICAL, DESCENDANT, DATE, COUNTRY, REVIEWER)
"""The reasons in the order in which a hit lists them."""
_LASTING = (DATE, REVIEWER)

DECIDING = ("tier", "is_medical", "via_entity", "entity_country", "valid_from", "valid_to")
"""What the rule reads of a hit."""

_COULD_COUNT = pl.col(BECAUSE).list.set_intersection(list(_LASTING)).list.len().fill_null(0) == 0
"""Whether some settings could let a hit count: neither a date nor a reviewer is against it."""


@dataclass(frozen=True, slots=True)
class CountingRule:
    """What the settings of a study let count.

    Parameters
    ----------
    tiers : tiers of match that count; candidates for review never do.
    include_medical : whether medical units count.
    include_descendants : whether an entity counts where only a descendant of it is named.
    countries : countries whose entities count; None for all.
    """

    tiers: tuple[str, ...] = TIERS
    include_medical: bool = True
    include_descendants: bool = True
    countries: tuple[str, ...] | None = None

    def against(self) -> dict[str, pl.Expr]:
        """Return for each reason that settings decide whether it keeps a hit from counting."""
        is_descendant = pl.col("via_entity").is_not_null() | (pl.col("tier") == "lineage")
        found = {TIER: ~pl.col("tier").is_in([tier for tier in self.tiers if tier != REVIEW])}
        if not self.include_medical:
            found[MEDICAL] = pl.col("is_medical").fill_null(False)
        if not self.include_descendants:
            found[DESCENDANT] = is_descendant
        if self.countries is not None:
            found[COUNTRY] = ~pl.col("entity_country").is_in(list(self.countries)).fill_null(False)
        return found

    def counts(self) -> pl.Expr:
        """Return whether a hit counts under this rule, whatever the rule was under which it was found."""
        return _COULD_COUNT & ~pl.any_horizontal(self.against().values())


WHEN = ("work_id", "publication_date", "publication_year")
"""By what it is known when a work was published."""
EVERYTHING = CountingRule()
"""The rule that lets every tier, unit and country count."""


def with_reasons(hits: pl.DataFrame, rule: CountingRule, dates: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return hits with the columns `BECAUSE` and `COUNTED`.

    Parameters
    ----------
    hits : hits with tier, is_medical, via_entity, entity_country, valid_from and valid_to.
    rule : what counts.
    dates : `WHEN` of the works; if given, a hit counts only while the list names the entity.
    """
    against = rule.against()
    if dates is not None:
        days = dates.select(WHEN).unique("work_id")
        hits = hits.join(days, on="work_id", how="left", maintain_order="left")
        against[DATE] = ~is_valid()
    return with_counted(hits.with_columns(_listed(against)))


def with_rejected(hits: pl.DataFrame, is_rejected: pl.Expr) -> pl.DataFrame:
    """Return hits with one reason more where a reviewer rejected them."""
    found: dict[str, pl.Expr] = {reason: pl.col(BECAUSE).list.contains(reason) for reason in REASONS}
    return with_counted(hits.with_columns(_listed(found | {REVIEWER: found[REVIEWER].fill_null(False) | is_rejected})))


def with_counted(hits: pl.DataFrame) -> pl.DataFrame:
    """Return hits with the column `COUNTED`, which says whether there is no reason against a hit."""
    return hits.with_columns(pl.col(BECAUSE).is_null().alias(COUNTED))


def _listed(against: Mapping[str, pl.Expr]) -> pl.Expr:
    named: Sequence[pl.Expr] = [
        pl.when(against[reason].fill_null(False)).then(pl.lit(reason)) for reason in REASONS if reason in against
    ]
    reasons = pl.concat_list(named).list.drop_nulls()
    return pl.when(reasons.list.len() > 0).then(reasons).alias(BECAUSE)


def first_day() -> pl.Expr:
    """Return the first day on which a work may have been published: its date, else that of its year."""
    return pl.coalesce(pl.col("publication_date").cast(pl.Date), pl.date("publication_year", 1, 1))


def is_valid() -> pl.Expr:
    """Return whether the list names the entity at the date of the work; ends of partial dates are filled.

    Of a work whose record gives the year alone, the whole year must lie within: else nobody can say.
    """
    last_day = pl.coalesce(pl.col("publication_date").cast(pl.Date), pl.date("publication_year", 12, 31))
    first, last = (day.dt.strftime("%Y-%m-%d") for day in (first_day(), last_day))
    since = (pl.col("valid_from") + pl.lit("-01-01")).str.slice(0, 10)
    until = pl.col("valid_to") + pl.lit("-12-31").str.slice(pl.col("valid_to").str.len_chars().cast(pl.Int64) - 4)
    return (pl.col("valid_from").is_null() | (first >= since).fill_null(False)) & (
        pl.col("valid_to").is_null() | (last <= until).fill_null(False)
    )
