"""Which causes may have moved what of a work: found by comparing the inputs of each flag.

A cause is a candidate for a component of a work (in the population, its weights, critical,
listed, top level) if the component differs between the runs and the cause changed an input of
it. Where settings can be exchanged by computation they are: a setting is a candidate only if
one run's works come out otherwise under the other run's setting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from copub.runs.folder import Run
from copub.runs.instruments import (
    CRITICAL_SETTINGS,
    LISTED_SETTINGS,
    SIDES,
    code_of,
    hashes,
    last_retrieval,
    setting,
)
from copub.runs.states import (
    FINGERPRINTS,
    NO_PAIR,
    WEIGHTS,
    critical_under,
    listed_under,
    reasons_under,
    thresholds_of,
    weights_under,
)
from copub.study import Study


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of change: its name, its kind (question, world, record, instrument, unknown), its meaning."""

    name: str
    kind: str
    meaning: str


SETTINGS = Cause("study settings", "question", "other years, types, sides, levels, tiers or thresholds are asked for")
PUBLISHED = Cause("newly published", "world", "published after the last retrieval of the earlier run")
INDEXED = Cause("newly indexed", "record", "published before that, and yet not in the earlier run")
LEFT = Cause("left the pair", "record", "no co-publication of the two sides any more, or deleted, or merged")
DETAILS = Cause("details changed", "record", "another year, type or mark of retraction, paratext or expansion")
AFFILIATED = Cause("re-affiliated", "record", "other authors' countries, institutions or printed affiliations")
TEXT = Cause("text changed", "record", "another title, abstract or language")
TOPICS = Cause("topics changed", "instrument", "other OpenAlex topics or scores of them, or topics of another model")
MODEL = Cause("model or rules changed", "instrument", "another edition of the taxonomy's rules or of the trained model")
WATCHLIST = Cause("watchlist changed", "instrument", "another headline watchlist, another edition, or other entries")
CODE = Cause("code changed", "instrument", "no input differs, but copub itself does")
UNEXPLAINED = Cause("unexplained", "unknown", "neither an input nor copub differs as far as the runs tell")

CAUSES = (
    SETTINGS, PUBLISHED, INDEXED, LEFT, DETAILS, AFFILIATED, TEXT, TOPICS, MODEL, WATCHLIST, CODE, UNEXPLAINED,
)  # fmt: skip
"""All causes in the order in which they are applied."""

COMPONENTS = ("population", "weight", "critical", "listed", "top level")

_DETAIL_REASONS = ("year", "type", "retracted", "expansion")


@dataclass(frozen=True)
class Pair:
    """Two runs, the earlier first, with their studies."""

    before: Run
    after: Run
    study_before: Study
    study_after: Study

    def differs(self, *names: str) -> bool:
        """Return whether one of these settings differs between the studies."""
        return any(setting(self.study_before, name) != setting(self.study_after, name) for name in names)

    @property
    def code_differs(self) -> bool:
        """Return whether copub's version or code differs."""
        return code_of(self.before.manifest) != code_of(self.after.manifest)

    @property
    def watchlists_differ(self) -> bool:
        """Return whether the headline watchlists differ, by name or by content."""
        return self._hashes("watchlists", *(s.watchlists for s in (self.study_before, self.study_after)))

    @property
    def model_differs(self) -> bool:
        """Return whether rules or model of the headline taxonomy differ, the taxonomy being the same."""
        if self.study_before.taxonomy != self.study_after.taxonomy:
            return False
        ids = (self.study_before.taxonomy,)
        return any(self._hashes(kind, ids, ids) for kind in ("taxonomies", "models"))

    def _hashes(self, kind: str, before: tuple[str, ...], after: tuple[str, ...]) -> bool:
        return hashes(self.before.manifest, kind, before) != hashes(self.after.manifest, kind, after)


def candidates(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    """Return one row per work and component that differs: work_id, component, causes (in order).

    Parameters
    ----------
    works : the states of both runs joined by work_id, as `copub.runs.compare` makes them: the
        columns of `read_state` with the suffixes ``_a`` (earlier run) and ``_b`` (later run).
    """
    judged = _with_counterfactuals(pair, works)
    parts = [
        _rows(judged, pair, component, differs, checks)
        for component, differs, checks in (
            _population(pair),
            _weight(),
            _critical(pair),
            *(
                _standing(pair, component, flag)
                for component, flag in (("listed", "is_listed"), ("top level", "is_level_top"))
            ),
        )
    ]
    return pl.concat(parts).sort("work_id", "component")


_Checks = dict[Cause, pl.Expr]
_NEVER = pl.lit(False)


def _rows(works: pl.DataFrame, pair: Pair, component: str, differs: pl.Expr, checks: _Checks) -> pl.DataFrame:
    """Return the rows of one component; where no check holds, the code is the cause, or nothing known."""
    last = CODE if pair.code_differs else UNEXPLAINED
    named = [pl.when(checks[cause].fill_null(False)).then(pl.lit(cause.name)) for cause in CAUSES if cause in checks]
    found = pl.concat_list(named).list.drop_nulls()
    return works.filter(differs).select(
        "work_id",
        pl.lit(component).alias("component"),
        pl.when(found.list.len() == 0).then(pl.lit([last.name])).otherwise(found).alias("causes"),
    )


def _differ(column: str) -> pl.Expr:
    return pl.col(f"{column}_a").ne_missing(pl.col(f"{column}_b"))


_BOTH = pl.col("in_population_a") & pl.col("in_population_b")


def _population(pair: Pair) -> tuple[str, pl.Expr, _Checks]:
    added, gone = ~pl.col("known_a"), ~pl.col("known_b")
    kept = pl.col("known_a") & pl.col("known_b")
    # a work that the other study would have left out anyway is there, or not, because of the study
    asked_a, asked_b = pl.col("b_under_a").is_null(), pl.col("a_under_b").is_null()
    retrieved = last_retrieval(pair.before.manifest)[:10]
    until = pl.lit(date.fromisoformat(retrieved) if retrieved else None, dtype=pl.Date)
    new = added & (pl.col("publication_date_b") > until)
    under_same = [  # reasons for one study's population that the two records give differently
        pl.when(pl.col(one).ne_missing(pl.col(two))).then(pl.concat_list(one, two))
        for one, two in (("a_under_a", "b_under_a"), ("a_under_b", "b_under_b"))
    ]
    record = [reason.list.drop_nulls() for reason in under_same]
    by_detail = pl.any_horizontal(r.list.set_intersection(list(_DETAIL_REASONS)).list.len() > 0 for r in record)
    by_author = pl.any_horizontal(r.list.set_intersection(["author cap", NO_PAIR]).list.len() > 0 for r in record)
    settings = (
        (added & ~asked_a)
        | (gone & ~asked_b)
        | (kept & (pl.col("a_under_a").is_null() != asked_b))
        | (kept & (pl.col("b_under_b").is_null() != asked_a))
    )
    return (
        "population",
        _differ("in_population"),
        {
            SETTINGS: settings,
            PUBLISHED: new,
            INDEXED: added & ~new.fill_null(False) & asked_a,
            LEFT: gone & asked_b,
            DETAILS: kept & by_detail,
            AFFILIATED: kept & by_author,
        },
    )


def _weight() -> tuple[str, pl.Expr, _Checks]:
    differs = pl.any_horizontal(_differ(weight) for weight in WEIGHTS)
    return "weight", _BOTH & differs, {SETTINGS: pl.col("weight_by_settings"), AFFILIATED: _differ("affiliations")}


def _critical(pair: Pair) -> tuple[str, pl.Expr, _Checks]:
    return (
        "critical",
        _BOTH & _differ("is_critical"),
        {
            SETTINGS: pl.col("critical_by_settings"),
            TEXT: _differ("text"),
            # the classifier trusts a topic as far as the model that gave it, which the epoch tells
            TOPICS: _differ("topics") | (_differ("epoch") & (pl.col("topics_b") != "")),
            MODEL: pl.lit(pair.model_differs),
        },
    )


def _standing(pair: Pair, component: str, flag: str) -> tuple[str, pl.Expr, _Checks]:
    dated = pair.study_before.as_of or pair.study_after.as_of
    return (
        component,
        _BOTH & _differ(flag),
        {
            SETTINGS: pl.col(f"{flag}_by_settings"),
            DETAILS: _differ("publication_date") if dated else _NEVER,
            AFFILIATED: _differ("affiliations"),
            WATCHLIST: pl.lit(pair.watchlists_differ),
        },
    )


def _with_counterfactuals(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    """Add what each run's works would be under the other run's settings."""
    a, b, own_a, own_b = pair.before, pair.after, pair.study_before, pair.study_after
    for name, run, study in (
        ("a_under_a", a, own_a),
        ("a_under_b", a, own_b),
        ("b_under_b", b, own_b),
        ("b_under_a", b, own_a),
    ):
        works = works.join(reasons_under(run, study).rename({"reason": name}), on="work_id", how="left")
    works = works.with_columns(
        pl.col(f"in_population_{side}").fill_null(False).alias(f"in_population_{side}") for side in "ab"
    )
    works = _weights_moved(pair, works)
    works = _critical_moved(pair, works)
    return _standing_moved(pair, works)


def _weights_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    if not pair.differs(*SIDES):
        return works.with_columns(_NEVER.alias("weight_by_settings"))
    for suffix, run, study in (("a", pair.before, pair.study_after), ("b", pair.after, pair.study_before)):
        other = weights_under(run, study).rename({weight: f"{weight}_{suffix}_other" for weight in WEIGHTS})
        works = works.join(other, on="work_id", how="left")
    moved = [
        pl.col(f"{weight}_{side}").ne_missing(pl.col(f"{weight}_{side}_other")) for weight in WEIGHTS for side in "ab"
    ]
    return works.with_columns(pl.any_horizontal(moved).alias("weight_by_settings"))


def _critical_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    name = "critical_by_settings"
    if not pair.differs(*CRITICAL_SETTINGS):
        return works.with_columns(_NEVER.alias(name))
    if pair.differs("taxonomy"):
        return works.with_columns(pl.lit(True).alias(name))
    for suffix, run, other in (("a", pair.before, pair.after), ("b", pair.after, pair.before)):
        under = critical_under(run, pair.study_before, thresholds_of(other, pair.study_before))
        works = works.join(under.rename({"is_critical": f"critical_{suffix}_other"}), on="work_id", how="left")
    moved = [pl.col(f"is_critical_{side}") != pl.col(f"critical_{side}_other").fill_null(False) for side in "ab"]
    return works.with_columns(pl.any_horizontal(moved).alias(name))


def _standing_moved(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    flags = ("is_listed", "is_level_top")
    if not pair.differs(*LISTED_SETTINGS):
        return works.with_columns(_NEVER.alias(f"{flag}_by_settings") for flag in flags)
    # dates and repairs act before the table of hits; they cannot be exchanged after the fact
    beyond = pl.lit(True) if pair.differs("as_of") else (_differ("affiliations") if pair.differs("repairs") else _NEVER)
    for suffix, run, own, other in (
        ("a", pair.before, pair.study_before, pair.study_after),
        ("b", pair.after, pair.study_after, pair.study_before),
    ):
        for name, study in (("own", own), ("other", replace(other, watchlists=own.watchlists))):
            under = listed_under(run, own, study).rename({flag: f"{flag}_{suffix}_{name}" for flag in flags})
            works = works.join(under, on="work_id", how="left")
    return works.with_columns(
        pl.any_horizontal(
            beyond,
            *(
                pl.col(f"{flag}_{side}_own").fill_null(False) != pl.col(f"{flag}_{side}_other").fill_null(False)
                for side in "ab"
            ),
        ).alias(f"{flag}_by_settings")
        for flag in flags
    )


def differences(works: pl.DataFrame) -> pl.Expr:
    """Return an expression: the fingerprints of a work that differ between the runs, as a list."""
    kept = pl.col("known_a") & pl.col("known_b")
    named = [pl.when(kept & _differ(name)).then(pl.lit(name)) for name in FINGERPRINTS]
    return pl.concat_list(named).list.drop_nulls()
