"""Which causes may have moved what of a work: found by comparing the inputs of each flag.

A cause is a candidate for a component of a work (in the population, its weights, critical,
listed, top level) if the component differs between the runs and the cause changed an input of
it. Where settings can be exchanged by computation they are: a setting is a candidate only if
one run's works come out otherwise under the other run's setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from copub.corpus.population import REPAIR
from copub.history.counterfactuals import NEVER, differ, with_counterfactuals
from copub.history.runpair import Pair
from copub.history.states import FINGERPRINTS, NO_PAIR, WEIGHTS
from copub.runs.instruments import last_retrieval


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of change: its name, its kind (question, world, record, input, instrument, unknown), its meaning."""

    name: str
    kind: str
    meaning: str


SETTINGS = Cause("study settings", "question", "other years, types, sides, levels, tiers or thresholds are asked for")
PUBLISHED = Cause("newly published", "world", "published after the last retrieval of the earlier run")
RENAMED = Cause("same work, new id", "record", "another OpenAlex id: same DOI, or same title, year and first author")
INDEXED = Cause("newly indexed", "record", "published before that, and yet not in the earlier run")
FILES = Cause("other input files", "input", "the works files of one run hold the work, the input of the other does not")
LEFT = Cause("left the pair", "record", "no co-publication of the two sides any more, or deleted, or merged")
DETAILS = Cause("details changed", "record", "another year, type or mark of retraction, paratext or expansion")
AFFILIATED = Cause("re-affiliated", "record", "other authors' countries, institutions or printed affiliations")
REPAIRED = Cause("repairs changed", "instrument", "other corrections of registry errors are applied")
TEXT = Cause("text changed", "record", "another title, abstract or language")
TOPICS = Cause("topics changed", "instrument", "other OpenAlex topics or scores of them, or topics of another model")
MODEL = Cause("model or rules changed", "instrument", "another edition of the taxonomy's rules or of the trained model")
DECIDED = Cause("decisions changed", "instrument", "people decided otherwise on an affiliation")
WATCHLIST = Cause("watchlist changed", "instrument", "another headline watchlist, another edition, or other entries")
MATCHING = Cause("names and places changed", "instrument", "other tables of words, places and look-alikes to match by")
CODE = Cause("code changed", "instrument", "no input differs, but copub itself does")
UNEXPLAINED = Cause("unexplained", "unknown", "neither an input nor copub differs as far as the runs tell")

CAUSES = (
    SETTINGS, PUBLISHED, RENAMED, INDEXED, FILES, LEFT, DETAILS, AFFILIATED, REPAIRED, TEXT, TOPICS, MODEL, DECIDED,
    WATCHLIST, MATCHING, CODE, UNEXPLAINED,
)  # fmt: skip
"""All causes in the order in which they are applied."""

COMPONENTS = ("population", "weight", "critical", "listed", "top level")

_DETAIL_REASONS = ["year", "type", "paratext title", "retracted", "expansion"]
_AUTHOR_REASONS = ["author cap", NO_PAIR]


def candidates(pair: Pair, works: pl.DataFrame) -> pl.DataFrame:
    """Return one row per work and component that differs: work_id, component, causes (in order).

    Parameters
    ----------
    works : the states of both runs joined by work_id, as `copub.history.compare` makes them: the
        columns of `read_state` with the suffixes ``_a`` (earlier run) and ``_b`` (later run).
    """
    exchanged = with_counterfactuals(pair, works)
    parts = [
        _rows(exchanged, pair, component, differs, checks)
        for component, differs, checks in (
            _population(pair),
            _weight(pair),
            _critical(pair),
            *(
                _standing(pair, component, flag)
                for component, flag in (("listed", "is_listed"), ("top level", "is_level_top"))
            ),
        )
    ]
    return pl.concat(parts).sort("work_id", "component")


_Checks = dict[Cause, pl.Expr]


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


_BOTH = pl.col("in_population_a") & pl.col("in_population_b")


def _population(pair: Pair) -> tuple[str, pl.Expr, _Checks]:
    added, gone = ~pl.col("known_a"), ~pl.col("known_b")
    kept = pl.col("known_a") & pl.col("known_b")
    # a work that the other study would have left out anyway is there, or not, because of the study
    asked_a, asked_b = pl.col("b_under_a").is_null(), pl.col("a_under_b").is_null()
    retrieved = last_retrieval(pair.before.manifest)[:10]
    until = pl.lit(date.fromisoformat(retrieved) if retrieved else None, dtype=pl.Date)
    renamed = pl.col("work_id").is_in(list(pair.new_ids))
    new = added & ~renamed & (pl.col("publication_date_b") > until)
    under_same = [  # reasons for one study's population that the two records give differently
        pl.when(pl.col(one).ne_missing(pl.col(two))).then(pl.concat_list(one, two))
        for one, two in (("a_under_a", "b_under_a"), ("a_under_b", "b_under_b"))
    ]
    record = [reason.list.drop_nulls() for reason in under_same]

    def told_by(reasons: list[str]) -> pl.Expr:
        return pl.any_horizontal(r.list.set_intersection(reasons).list.len() > 0 for r in record)

    # what a repair would do to the other run's record is not known; if only one study repairs, that is the reason
    by_author = told_by(_AUTHOR_REASONS if pair.differs("apply_repairs") else [*_AUTHOR_REASONS, REPAIR])
    settings = (
        (added & ~asked_a)
        | (gone & ~asked_b)
        | (kept & (pl.col("a_under_a").is_null() != asked_b))
        | (kept & (pl.col("b_under_b").is_null() != asked_a))
    )
    return (
        "population",
        differ("in_population"),
        {
            SETTINGS: settings,
            PUBLISHED: new,
            RENAMED: renamed & ((added & asked_a) | (gone & asked_b)),
            **_came_and_went(pair, added & ~renamed & ~new.fill_null(False) & asked_a, gone & ~renamed & asked_b),
            DETAILS: kept & told_by(_DETAIL_REASONS),
            AFFILIATED: kept & by_author & ~_same_record(pair),
            REPAIRED: kept & by_author & _repaired(pair),
        },
    )


def _came_and_went(pair: Pair, came: pl.Expr, went: pl.Expr) -> _Checks:
    """Return why works that are in one run only came and went: by the files read, where those differ."""
    return {FILES: came | went} if pair.inputs_differ else {INDEXED: came, LEFT: went}


def _same_record(pair: Pair) -> pl.Expr:
    """Return whether repairs alone make the affiliations differ."""
    return pl.col("work_id").is_in(pair.repairs.alone)


def _repaired(pair: Pair) -> pl.Expr:
    """Return whether both studies repair, by other corrections, and the work's repairs differ."""
    return pl.col("work_id").is_in(pair.repairs.works) if pair.corrections_differ else NEVER


def _weight(pair: Pair) -> tuple[str, pl.Expr, _Checks]:
    differs = pl.any_horizontal(differ(weight) for weight in WEIGHTS)
    return (
        "weight",
        _BOTH & differs,
        {
            SETTINGS: pl.col("weight_by_settings"),
            AFFILIATED: differ("affiliations") & ~_same_record(pair),
            REPAIRED: _repaired(pair),
        },
    )


def _critical(pair: Pair) -> tuple[str, pl.Expr, _Checks]:
    return (
        "critical",
        _BOTH & differ("is_critical"),
        {
            SETTINGS: pl.col("critical_by_settings"),
            TEXT: differ("text"),
            # the classifier trusts a topic as far as the model that gave it, which the epoch tells
            TOPICS: differ("topics") | (differ("epoch") & (pl.col("topics_b") != "")),
            MODEL: pl.lit(pair.model_differs),
        },
    )


def _standing(pair: Pair, component: str, flag: str) -> tuple[str, pl.Expr, _Checks]:
    dated = pair.study_before.listed_at_publication_only or pair.study_after.listed_at_publication_only
    return (
        component,
        _BOTH & differ(flag),
        {
            SETTINGS: pl.col(f"{flag}_by_settings"),
            DETAILS: differ("publication_date") if dated else NEVER,
            AFFILIATED: differ("affiliations") & ~_same_record(pair),
            REPAIRED: _repaired(pair),
            DECIDED: pl.col("work_id").is_in(pair.decided_works),
            WATCHLIST: pl.lit(pair.watchlists_differ),
            MATCHING: pl.lit(pair.matching_differs),
        },
    )


def differences() -> pl.Expr:
    """Return an expression: the fingerprints of a work that differ between the runs, as a list."""
    kept = pl.col("known_a") & pl.col("known_b")
    named = [pl.when(kept & differ(name)).then(pl.lit(name)) for name in FINGERPRINTS]
    return pl.concat_list(named).list.drop_nulls()
