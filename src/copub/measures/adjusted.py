"""Raw shares beside corrected ones, or those from reading: the table ``adjusted``.

A share is given three times, as three statements: counted over the works at hand (a census, exact), as it
would be if each of these works had been classified rightly (corrected share, or share from reading), and as a
draw from a larger set of works like them (superpopulation: Wilson's interval, and one that minds works of the same
authors).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import gammaln

from copub.intervals import DIGITS, wilson
from copub.lines import amount
from copub.lists.errorcounts import AFFILIATION_STRATA, TEXT_STRATA, Errors
from copub.measures.clusters import GROUPS, clustered, numbered
from copub.measures.correction import MEASURES, READ, Array, Decisions, Estimate, Read, adjust, from_labels
from copub.measures.strata import with_strata
from copub.names import READING_STRATA
from copub.schema import TABLES, conform
from copub.technology.taught import TAUGHT, with_readings

if TYPE_CHECKING:
    from copub.study import Study

LABELLED = "labelled sample"
"""In ``method``: the share is estimated from works of the study that people have read."""
FEW = "too few works for a correction"
NO_EVALUATION = "no evaluation of the classifier under these settings is at hand"
UNUSED = "; the labels are not used: "
"""In ``basis``: labels of the study's works are at hand, and why the share does not rest on them."""
NO_LEVELS = "the labels do not say the level"
TAUGHT_STRATUM = "taught"
_HAS_TRAINING_LABEL = pl.col("is_taught") & pl.col("read_critical").is_not_null()
"""Its topic is taken from its label; a training work that was left open is still to be read."""

_HAS: Mapping[str, pl.Expr] = {
    "critical": pl.col("is_critical"),
    "listed": pl.col("is_listed"),
    "critical_listed": pl.col("is_critical_listed"),
    "top_level": pl.col("is_top_level"),
}
READ_COLUMNS = (
    "work_id", "publication_year", "text", "affiliation", "listing", "classifiable", "is_critical", "is_listed",
    "is_critical_listed", "is_top_level", "is_taught", "read_critical", "group",
)  # fmt: skip
PREPARED = (
    "work_id", "doi", "publication_year", "classified_from", "classifiable", "has_institution", "max_score",
    "max_risk_level", "is_critical", "is_listed", "is_critical_listed", "is_top_level",
)  # fmt: skip
"""What `prepared` and those that it serves read of the table ``copublications``."""
_TEXT, _AFFILIATION = (pl.Enum(sorted(strata)) for strata in (TEXT_STRATA, AFFILIATION_STRATA))
_ESTIMATES = ("adjusted", "adjusted_low", "adjusted_high")


@dataclass(frozen=True, slots=True)
class _Basis:
    """Where the estimates of a slice come from: nothing, the shipped evaluation, or labels."""

    method: str
    words: str
    found: Mapping[str, Estimate]


def adjusted(
    study: Study,
    works: pl.DataFrame,
    errors: Errors | None,
    labels: Labels | None = None,
) -> pl.DataFrame:
    """Return the table ``adjusted``: raw shares beside corrected ones, or those from reading.

    Parameters
    ----------
    works : table ``copublications`` as `prepared` returns it.
    errors : the evaluation sets; None leaves the adjusted columns empty, and says so.
    labels : labels of the study's works (`labels_of_works`); used in place of the
        evaluation where nothing is lacking (every decision has some, and `copub.measures.readingplan.leading`).
    """
    rows = []
    for kind, piece, part in _slices(works.select(list(dict.fromkeys((*READ_COLUMNS, *READING_STRATA))))):
        for measure, estimate in corrected_shares(study, part, errors, labels).items():
            rows.append(
                {
                    **_raw(study, part, measure),
                    "measure": measure,
                    "slice_kind": kind,
                    "slice": piece,
                    **estimate,
                }
            )
    frame = pl.DataFrame(rows, schema=TABLES["adjusted"].schema)
    return conform("adjusted", frame.with_columns(pl.col(pl.Float64).round(DIGITS)))


def corrected_shares(
    study: Study, works: pl.DataFrame, errors: Errors | None, labels: Labels | None = None
) -> dict[str, dict[str, Any]]:
    """Return for each measure the corrected share or that from reading, interval, method and basis (`adjusted`)."""
    basis = _basis(study, works, errors, labels)
    return {measure: _estimate(basis, measure) for measure in MEASURES}


def prepared(
    study: Study, works: pl.DataFrame, groups: pl.DataFrame | None = None, taught: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return table ``copublications`` with strata, listing, group of authors, and the readings of training works.

    Parameters
    ----------
    groups : group of each work (`copub.measures.clusters.author_groups`); None if nobody has two works.
    taught : training works with their readings (`copub.technology.taught.TAUGHT`), where the study decides
        what is critical as they were read.
    """
    known = with_readings(works, pl.DataFrame(schema=TAUGHT) if taught is None else taught)
    of_authors = pl.DataFrame(schema=GROUPS) if groups is None else groups
    return (
        with_strata(known)
        .join(of_authors, on="work_id", how="left", maintain_order="left")
        .with_columns(
            numbered(),
            pl.when(pl.col("classified_from") == "title and abstract")
            .then(pl.lit("with abstract", _TEXT))
            .otherwise(pl.lit("title only", _TEXT))
            .alias("text"),
            pl.when("has_institution")
            .then(pl.lit("resolved", _AFFILIATION))
            .otherwise(pl.lit("unresolved", _AFFILIATION))
            .alias("affiliation"),
            pl.when("is_listed")
            .then(pl.when((pl.col("max_risk_level") == study.top_level).fill_null(False)).then(2).otherwise(1))
            .otherwise(0)
            .alias("listing"),
        )
    )


def _slices(works: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    yield "all", "all", works
    for text in TEXT_STRATA:
        yield "abstract", text, works.filter(pl.col("text") == text)
    for year in works["publication_year"].unique().sort():
        yield "year", str(year), works.filter(pl.col("publication_year") == year)


def _raw(study: Study, works: pl.DataFrame, measure: str) -> dict[str, Any]:
    count, of = int(works.select(_HAS[measure].sum()).item()), works.height
    low, high = wilson(count, of, study.confidence)
    return {
        "numerator": float(count),
        "denominator": float(of),
        "share": count / of if of else None,
        "ci_low": float(low) if of else None,
        "ci_high": float(high) if of else None,
        "not_classified": float(works.filter(~_has_topic()).height) if MEASURES[measure][0] else 0.0,
        "taught": float(works.filter(_HAS_TRAINING_LABEL).height),
        "confidence": study.confidence,
        **_by_groups(study, works, measure),
        **(_by_chance(study, works) if measure == "critical_listed" and of else {}),
    }


def sheet_works(works: pl.DataFrame) -> pl.DataFrame:
    """Return the works (as `prepared` returns them) worth reading: not those whose reading taught the model."""
    return works.filter(~_HAS_TRAINING_LABEL)


def _has_topic() -> pl.Expr:
    """Say whether the topic of a work is known: read for training and settled, or classified by the classifier.

    A training work that its readers left open tells nothing about itself: the model has seen it.
    """
    return pl.when("is_taught").then(pl.col("read_critical").is_not_null()).otherwise("classifiable")


def _by_groups(study: Study, works: pl.DataFrame, measure: str) -> dict[str, Any]:
    found = clustered(works.select(_HAS[measure]).to_series(), works["group"], study.confidence)
    return {
        "groups": float(found.groups),
        "group_low": found.low,
        "group_high": found.high,
        "design_effect": found.design_effect,
    }


def _by_chance(study: Study, works: pl.DataFrame) -> dict[str, Any]:
    """Return the share to expect if being listed had nothing to do with being critical, and its range by chance."""
    of, critical, listed = works.height, int(works["is_critical"].sum()), int(works["is_listed"].sum())
    low, high = _drawn_by_chance(of, critical, listed, study.confidence)
    return {
        "expected": critical * listed / of**2,
        "expected_low": low / of,
        "expected_high": high / of,
    }


def _drawn_by_chance(of: int, critical: int, listed: int, confidence: float) -> tuple[int, int]:
    """Return the range of how many of the listed works are critical if they are drawn blindly (hypergeometric).

    Written out, since loading scipy.stats takes longer than most commands.
    """
    fewest = max(0, critical + listed - of)
    both = np.arange(fewest, min(critical, listed) + 1)
    cells = (both, critical - both, listed - both, of - critical - listed + both)
    margins = (critical, of - critical, listed, of - listed)
    chance = np.exp(
        sum(gammaln(margin + 1) for margin in margins) - gammaln(of + 1) - sum(gammaln(cell + 1) for cell in cells)
    )
    low, high = np.searchsorted(np.cumsum(chance), [0.5 - confidence / 2, 0.5 + confidence / 2])
    return fewest + int(low), fewest + int(high)


def _estimate(basis: _Basis, measure: str) -> dict[str, Any]:
    found = basis.found.get(measure)
    if basis.found and found is None:
        return {"method": "none", "basis": NO_LEVELS}
    return {"method": basis.method, "basis": basis.words, **dict(zip(_ESTIMATES, found or (None,) * 3, strict=True))}


def _basis(study: Study, works: pl.DataFrame, errors: Errors | None, labels: Labels | None) -> _Basis:
    if labels is not None and not labels.lacking:
        return labels.basis(study, works)
    unused = f"{UNUSED}{labels.lacking}" if labels is not None else ""
    if errors is None:
        return _Basis("none", NO_EVALUATION + unused, {})
    if works.height < study.small_rate:
        return _Basis("none", FEW + unused, {})
    found = adjust(decisions(works), errors, study.confidence)
    return _Basis("evaluation", errors.source + unused, found)


def decisions(works: pl.DataFrame) -> Decisions:
    """Return the counts of decisions by stratum; training works are one of their own, decided as they were read."""
    classified: dict[tuple[str, str], Array] = {}
    unclassified: dict[str, Array] = {}
    taken = works.select(
        pl.col("read_critical").is_not_null().alias("is_read"),
        "text",
        "affiliation",
        _has_topic().alias("has_topic"),
        pl.coalesce("read_critical", "is_critical").alias("critical"),
        "listing",
    )
    for is_read, text, place, has_topic, critical, listing, count in taken.group_by(pl.all()).len().iter_rows():
        if has_topic:
            classified.setdefault((READ if is_read else text, place), np.zeros((2, 3)))[int(critical), listing] += count
        else:
            unclassified.setdefault(place, np.zeros(3))[listing] += count
    return Decisions(classified, unclassified)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels joined to the works: stratum of each work, readings by stratum, what is lacking to use them.

    read : works with a label, training works apart.
    """

    works: pl.DataFrame
    rates: Mapping[str, Array]
    words: str
    lacking: str
    knows_levels: bool
    read: int

    def strata(self, works: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, Read]]:
        """Yield the works of each stratum of a slice: its own readings, and those of the whole stratum for others."""
        part = self.works.join(works.select("work_id"), on="work_id", how="semi")
        for (name,), of_stratum in sorted(part.group_by("stratum"), key=lambda one: str(one[0][0])):
            known = _table(of_stratum.drop_nulls("critical"), pl.lit(1.0))
            yield of_stratum, Read(of_stratum.height, known, self.rates[str(name)])

    def basis(self, study: Study, works: pl.DataFrame) -> _Basis:
        """Return the estimates of a slice."""
        found = from_labels([stratum for _, stratum in self.strata(works)], study.confidence)
        if not self.knows_levels:
            found.pop("top_level", None)
        return _Basis(LABELLED, self.words, found)


def labels_of_works(works: pl.DataFrame, labelled: pl.DataFrame | None) -> Labels | None:
    """Join labels (`copub.lists.labels.LABELS`) to the works as `prepared` returns them.

    A stratum without a label joins the others of its decision; a decision without any label makes
    the labels unusable. Training works represent nobody but themselves: the model is better on them
    than on others. Where they were read, they are known.
    """
    if labelled is None:
        return None
    truth = labelled.select("work_id", "critical", "listed", "top_level", "reader", "date", "stands_for")
    columns = ("work_id", *READING_STRATA, "is_taught", "read_critical", "listing")
    joined = works.select(*dict.fromkeys(columns)).join(truth, on="work_id", how="left")
    apart = pl.col("is_taught") & pl.coalesce("critical", "read_critical").is_not_null()
    taught = joined.filter(apart).with_columns(
        pl.lit(TAUGHT_STRATUM).alias("stratum"),
        pl.coalesce("critical", "read_critical").alias("critical"),
        pl.coalesce("listed", "is_listed").alias("listed"),
        pl.when(pl.col("reader").is_null()).then(pl.col("listing") == 2).otherwise("top_level").alias("top_level"),
    )
    decision = READING_STRATA[:2]
    covered = (pl.col("critical").count().over(READING_STRATA) > 0).all().over(decision)
    name = pl.format("{} {}", *(pl.col(column).cast(pl.String) for column in decision))
    stratum = pl.when(covered).then(pl.format("{} {}", name, pl.col("is_near").cast(pl.String))).otherwise(name)
    others = joined.filter(~apart).with_columns(stratum.alias("stratum"))
    read = others.drop_nulls("critical")
    without = others.filter(pl.col("critical").count().over("stratum") == 0).select(decision).unique().sort(decision)
    lacking = ", ".join(
        f"{'critical' if critical else 'not critical'} and {'listed' if listed else 'not listed'}"
        for critical, listed in without.iter_rows()
    )
    placed = pl.concat([others, taught.select(others.columns)])
    known = placed.drop_nulls("critical")
    return Labels(
        placed,
        {str(name): _rate(part) for (name,), part in known.group_by("stratum")},
        _words(read, others, taught.height),
        _lacking(lacking, joined.drop_nulls("reader").height, labelled.height, taught),
        not known.filter(pl.col("listed") & pl.col("top_level").is_null()).height,
        read.height,
    )


def _lacking(decisions: str, known: int, labelled: int, taught: pl.DataFrame) -> str:
    """Return what the labels lack to be used, or nothing."""
    if not decisions:
        return ""
    if not known:
        return f"{amount(labelled, 'label')}, none of a work of this study" if labelled else "the file has no label"
    return f"no label of works that are decided {decisions}{_refused(taught)}"


def _refused(taught: pl.DataFrame) -> str:
    count = taught.drop_nulls("reader").height
    return f" (labels of {amount(count, 'training work')} do not count for other works)" if count else ""


def _words(read: pl.DataFrame, others: pl.DataFrame, taught: int) -> str:
    """Return what the estimate rests on: works that were read, of all others than training works; and these."""
    known = f"{amount(taught, 'training work')} as they were read"
    if read.is_empty():
        return known
    days = sorted(set(read["date"]))
    dates = " to ".join(dict.fromkeys(days[:1] + days[-1:]))
    number = len({name for names in set(read["reader"]) for name in names.split(", ")})
    readers = "one person" if number == 1 else f"{number} people"  # their names are in the manifest alone
    strata = amount(others["stratum"].n_unique(), "stratum", "strata")
    works = amount(read.height, "work")
    words = f"{works} of this study read by {readers} on {dates}, in {strata} of decision and score"
    chosen = read["stands_for"].null_count() if read.height < others.height else 0
    if chosen:
        words += f" ({chosen} of them without stands_for and taken as drawn at random from their strata)"
    return f"{words}; {known}" if taught else words


def _rate(read: pl.DataFrame) -> Array:
    """Return readings by truth; where works represent different numbers, weighted, at Kish's effective number."""
    weights = read["stands_for"].fill_null(1.0).to_numpy()
    effective = weights.sum() ** 2 / (weights**2).sum()
    table = _table(read, pl.col("stands_for").fill_null(1.0))
    return np.asarray(table * (effective / table.sum()))


def _table(read: pl.DataFrame, weight: pl.Expr) -> Array:
    """Return readings by truth: critical x listing (an unknown level counts as below the top)."""
    table = np.zeros((2, 3))
    listing = pl.when("listed").then(pl.when(pl.col("top_level").fill_null(False)).then(2).otherwise(1)).otherwise(0)
    for critical, at, value in read.select("critical", listing.alias("at"), weight.alias("value")).iter_rows():
        table[int(critical), at] += value
    return table
