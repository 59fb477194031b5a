"""Comparing two runs: which works came, went and changed, and why each share moved.

Causes are reported forward in time, whichever run is named first: the earlier run is made into the
later one, and the result is turned round if the later was named first. So exchanging the runs
turns every sign and changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from copub.arguments import expect
from copub.corpus.population import affiliations_under
from copub.errors import InputError
from copub.history.attribution import State, masks_of, moves, parts, states_of, sums
from copub.history.causes import AFFILIATED, CAUSES, INDEXED, LEFT, TOPICS, candidates, differences
from copub.history.comparisontables import COMPARISON_TABLES, conform_comparison
from copub.history.runpair import Pair
from copub.history.states import read_state
from copub.lines import amount
from copub.runs.folder import ESTIMATE, Run, refuse_older, with_todays_columns
from copub.runs.instruments import (
    UNKNOWN,
    InstrumentChange,
    changed_settings,
    files_named,
    instrument_changes,
    instruments,
    last_retrieval,
    questions,
    run_time,
    setting,
    setting_words,
    study_of,
    works_files,
)
from copub.study import Study

_POPULATION = "population"
_A_RUN = "a run: copub.open_run(FOLDER), or what copub.run returns"


@dataclass(frozen=True, repr=False)
class Comparison:
    """What changed between two runs, and why.

    before, after : the runs as named. questions : how the studies ask otherwise, if they do.
    instrument_changes : instruments of OpenAlex that changed between them; read both first. notes : what
    else limits the comparison. tables : frames by name, as in `COMPARISON_TABLES`: shares, parts,
    works, moves, institutions, instruments.
    """

    before: Run
    after: Run
    questions: tuple[str, ...]
    instrument_changes: tuple[InstrumentChange, ...]
    notes: tuple[str, ...]
    tables: dict[str, pl.DataFrame]

    def __repr__(self) -> str:
        names = f"{self.before.folder.name!r}, {self.after.folder.name!r}"
        found = ", ".join(f"{status} {count}" for status, count in self.counts().items())
        return f"Comparison({names}: works {found}; tables {', '.join(self.tables)})"

    @property
    def is_empty(self) -> bool:
        """Return whether no work differs."""
        return self.tables["works"].is_empty()

    def counts(self) -> dict[str, int]:
        """Return the number of works added, removed and changed."""
        found = dict(self.tables["works"].group_by("status").len().iter_rows())
        return {status: int(found.get(status, 0)) for status in ("added", "removed", "changed")}

    def split(self, measure: str = "critical_listed", counting: str | None = None) -> pl.DataFrame:
        """Return the parts of one share; by default of the headline, by the later study's counting rule."""
        rule = counting or str(self.after.manifest["study"]["counting"])
        return self.tables["parts"].filter((pl.col("measure") == measure) & (pl.col("counting") == rule))


def compare(run_a: Run, run_b: Run) -> Comparison:
    """Compare two finished runs, by their tables and manifests alone.

    Raises `InputError` if a run was stopped before its shares were made, or if the works of one
    are synthetic and those of the other are not.
    """
    for name, run in (("run_a", run_a), ("run_b", run_b)):
        expect(run, Run, name, _A_RUN)
    _refuse_made_up(run_a, run_b)
    refuse_older(run_a, run_b)
    with with_todays_columns(run_a, run_b):
        return _compared(run_a, run_b)


def _compared(run_a: Run, run_b: Run) -> Comparison:
    forward = run_time(run_a) <= run_time(run_b)
    before, after = (run_a, run_b) if forward else (run_b, run_a)
    pair = Pair(before, after, study_of(before.manifest), study_of(after.manifest))
    met = instrument_changes(before.manifest, after.manifest)
    works = _joined(pair)
    found = candidates(pair, works)
    state_a, state_b = states_of(works)
    moved = moves(works, found)
    split = pl.DataFrame(parts(state_a, state_b, masks_of(works, found)), schema=_PART_TYPES)
    tables = {
        "shares": _with_estimates(_shares(state_a, state_b), before, after),
        "parts": _with_kinds(split, met),
        "works": _works(pair, works, moved),
        "moves": moved,
        "institutions": _institutions(pair, works, moved),
        "instruments": _instruments(pair),
    }
    if not forward:
        tables = {name: _turned(frame) for name, frame in tables.items()}
    return Comparison(
        run_a,
        run_b,
        tuple(questions(study_of(run_a.manifest), study_of(run_b.manifest))),
        tuple(met) if forward else tuple(InstrumentChange(c.instrument, c.after, c.before, c.certain) for c in met),
        tuple(_notes(pair, run_a, run_b)),
        {name: conform_comparison(name, frame) for name, frame in tables.items()},
    )


def _refuse_made_up(run_a: Run, run_b: Run) -> None:
    made_up = [run for run in (run_a, run_b) if run.manifest["study"]["synthetic"]]
    if len(made_up) == 1:
        raise InputError(
            "the works of this run are synthetic, those of the other are not",
            where=str(made_up[0].folder),
            hint="compare two runs of real works, or two of synthetic ones",
        )


_PART_TYPES = {name: dtype for name, dtype in COMPARISON_TABLES["parts"].schema.items() if name != "kind"}


def _joined(pair: Pair) -> pl.DataFrame:
    """Return the works that a run counts, with the states of both runs, sorted by work_id."""
    sides = []
    for suffix, run, study in (("a", pair.before, pair.study_before), ("b", pair.after, pair.study_after)):
        state = read_state(run, study)
        sides.append(state.rename({name: f"{name}_{suffix}" for name in state.columns if name != "work_id"}))
    joined = sides[0].join(sides[1], on="work_id", how="full", coalesce=True)
    known = [pl.col(f"in_population_{side}").is_not_null().alias(f"known_{side}") for side in "ab"]
    counted = [pl.col(f"in_population_{side}").fill_null(False) for side in "ab"]
    return joined.with_columns(*known).with_columns(*counted).filter(pl.any_horizontal(counted)).sort("work_id")


def _shares(before: State, after: State) -> pl.DataFrame:
    later = sums(after)
    rows = [
        {
            "measure": measure, "counting": counting,
            "numerator_before": numerator, "denominator_before": denominator,
            "numerator_after": later[measure, counting][0], "denominator_after": later[measure, counting][1],
        }
        for (measure, counting), (numerator, denominator) in sums(before).items()
    ]  # fmt: skip

    def share(side: str) -> pl.Expr:
        over = pl.col(f"denominator_{side}")
        return pl.when(over > 0).then(pl.col(f"numerator_{side}") / over).alias(f"share_{side}")

    return (
        pl.DataFrame(rows)
        .with_columns(share("before"), share("after"))
        .with_columns((pl.col("share_after") - pl.col("share_before")).alias("difference"))
    )


def _with_estimates(shares: pl.DataFrame, before: Run, after: Run) -> pl.DataFrame:
    """Add the corrected share of each run, or its share from reading, which are in full counting."""
    wanted = dict.fromkeys(ESTIMATE[:-1], pl.Float64) | {"method": pl.String}
    for side, run in (("before", before), ("after", after)):
        rows = [
            (measure, "full", *(run.estimate(measure)[name] for name in ESTIMATE))
            for measure in shares["measure"].unique().sort()
        ]
        schema = {"measure": pl.String, "counting": pl.String, **{f"{name}_{side}": of for name, of in wanted.items()}}
        found = pl.DataFrame(rows, schema=schema, orient="row")
        shares = shares.join(found, on=["measure", "counting"], how="left", maintain_order="left")
    return shares


def _with_kinds(split: pl.DataFrame, met: list[InstrumentChange]) -> pl.DataFrame:
    """Add the kind of each cause: across an epoch a record may have moved by the instrument alone."""
    kinds = {cause.name: cause.kind for cause in CAUSES}
    crossed = {change.instrument for change in met}
    if "affiliations" in crossed:
        kinds |= {cause.name: "record or instrument" for cause in (AFFILIATED, INDEXED, LEFT)}
    if "topics" in crossed:
        kinds[TOPICS.name] = "instrument"
    return split.with_columns(pl.col("cause").replace_strict(kinds, return_dtype=pl.String).alias("kind"))


def _works(pair: Pair, works: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    place = {cause.name: position for position, cause in enumerate(CAUSES)}
    ordered = (
        moved.with_columns(pl.col("cause").replace_strict(place, return_dtype=pl.Int32).alias("place"))
        .unique(["work_id", "cause"])
        .sort("work_id", "place")
        .group_by("work_id", maintain_order=True)
        .agg(pl.col("cause").alias("causes"))
    )
    changes = (pair.after.manifest.get("source", {}).get("changes") or {}).get("tombstones", [])
    notes = {stone["id"]: stone["status"] for stone in changes}
    notes |= {work: f"the same work as {other} in the other run" for work, other in pair.new_ids.items()}
    status = (
        pl.when(~pl.col("in_population_a"))
        .then(pl.lit("added"))
        .when(~pl.col("in_population_b"))
        .then(pl.lit("removed"))
        .otherwise(pl.lit("changed"))
    )
    return (
        works.join(ordered, on="work_id", how="left")
        .with_columns(
            differences().alias("differences"),
            pl.col("causes").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.coalesce("title_b", "title_a").alias("title"),
            pl.coalesce("publication_date_b", "publication_date_a").alias("publication_date"),
            status.alias("status"),
            pl.when(~pl.col("known_a") | ~pl.col("known_b"))
            .then(pl.col("work_id").replace_strict(notes, default=None, return_dtype=pl.String))
            .alias("note"),
        )
        .filter((pl.col("differences").list.len() > 0) | (pl.col("causes").list.len() > 0))
    )


def _institutions(pair: Pair, works: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of side-A institution and work that only one run has."""
    sides = [
        _institutions_of(run, study, works, suffix)
        for run, study, suffix in ((pair.before, pair.study_before, "a"), (pair.after, pair.study_after, "b"))
    ]
    entered = moved.filter(pl.col("component") == _POPULATION).select("work_id", "cause")
    found = [
        sides[mine]
        .join(sides[1 - mine], on=["key", "work_id"], how="anti")
        .with_columns(pl.lit(change).alias("change"))
        for mine, change in ((1, "added"), (0, "removed"))
    ]
    titles = works.select("work_id", pl.coalesce("title_b", "title_a").alias("title"))
    return (
        pl.concat(found)
        .join(titles, on="work_id", how="left")
        .join(entered, on="work_id", how="left")
        .with_columns(pl.col("cause").fill_null(AFFILIATED.name))
    )


def _institutions_of(run: Run, study: Study, works: pl.DataFrame, suffix: str) -> pl.DataFrame:
    counted = works.filter(f"in_population_{suffix}").select("work_id")
    return (
        affiliations_under(run.tables["affiliations"], repairs=study.apply_repairs)
        .filter(pl.col("country_code").is_in(study.side_a.countries))
        .join(counted, on="work_id", how="semi")
        .with_columns(pl.coalesce("institution_id", "institution_name").alias("key"))
        .filter(pl.col("key").is_not_null())
        .sort("work_id", "author_seq", "affiliation_seq")
        .unique(["key", "work_id"], keep="first", maintain_order=True)
        .select("key", "work_id", "institution_id", "institution_name")
    )


def _instruments(pair: Pair) -> pl.DataFrame:
    first, second = instruments(pair.before.manifest), instruments(pair.after.manifest)
    rows = [(name, first.get(name, UNKNOWN), second.get(name, UNKNOWN)) for name in dict.fromkeys([*first, *second])]
    rows += [
        (
            f"setting {name}",
            setting_words(setting(pair.study_before, name)),
            setting_words(setting(pair.study_after, name)),
        )
        for name in changed_settings(pair.study_before, pair.study_after)
    ]
    return pl.DataFrame(
        [(position, *row, row[1] != row[2]) for position, row in enumerate(rows)],
        schema=COMPARISON_TABLES["instruments"].schema,
        orient="row",
    )


def _notes(pair: Pair, first: Run, second: Run) -> list[str]:
    """Return what limits the comparison; `first` and `second` are the runs as named."""
    notes = []
    if not set(pair.before.tables["works"]["work_id"]) & set(pair.after.tables["works"]["work_id"]):
        notes.append("no work is in both runs")
    source_a, source_b = (run.manifest.get("source", {}) for run in (pair.before, pair.after))
    if pair.inputs_differ:
        files = (files_named(run.manifest) for run in (first, second))
        notes.append(
            f"the two runs read different input: {', then '.join(files)}. Works that are in one run only count as "
            "other input files, because a file may hold other works than OpenAlex had at that time"
        )
    elif not last_retrieval(pair.before.manifest) and not works_files(pair.before.manifest):
        notes.append(
            "the earlier run does not record when its works were retrieved, so newly published works count as "
            "newly indexed"
        )
    for name, run in (("earlier", pair.before), ("later", pair.after)):
        altered = run.altered()
        if altered:
            notes.append(f"tables of the {name} run are not as it wrote them: {', '.join(altered)}")
    for name, source in (("earlier", source_a), ("later", source_b)):
        if source.get("n_missing"):
            notes.append(
                f"the harvest of the {name} run lacks {amount(source['n_missing'], 'work')} that OpenAlex counts"
            )
        if source.get("blind_to"):
            notes.append(f"the harvest of the {name} run is blind to {source['blind_to']}")
    return notes


_OPPOSITE = {"added": "removed", "removed": "added"}
_SIDED = ("share", "numerator", "denominator", *ESTIMATE)
_PAIRS = (
    ("before", "after"),
    ("entered", "left"),
    ("gained", "lost"),
    *((f"{name}_before", f"{name}_after") for name in _SIDED),
)
_ENDS = {one: two for pair in _PAIRS for one, two in (pair, pair[::-1])}


def _turned(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table as seen from the later run: ends exchanged, signs turned, steps in reverse."""
    turned = frame.rename({name: _ENDS[name] for name in frame.columns if name in _ENDS})
    signed = [name for name in ("difference", "part", "shapley") if name in frame.columns]
    worded = [name for name in ("status", "change") if name in frame.columns]
    if "part" in frame.columns:
        turned = turned.with_columns(pl.col("position").max() - pl.col("position"))
    return turned.with_columns(
        *((0.0 - pl.col(name)).alias(name) for name in signed), *(pl.col(name).replace(_OPPOSITE) for name in worded)
    )
