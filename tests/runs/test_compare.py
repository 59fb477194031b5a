"""Rules of comparing runs: exactly the causes that were planted, with exactly their counts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from copub.errors import InputError
from copub.history.attribution import ORDERS, acting, chain, masks_of, orders_of, shapley, states_of, walk
from copub.history.causes import candidates
from copub.history.compare import Comparison, compare
from copub.history.compare import _joined as joined
from copub.history.comparisonwords import cautions, estimates_sentence
from copub.history.runpair import Pair as Runs
from copub.runs import Run, RunWriter
from copub.runs.folder import ESTIMATE
from copub.runs.instruments import study_of
from copub.study import Side, Study

from .world import BE, CN, EARLIER, FR, LATER, MEDICAL, RECODED, STUDY, Author, Seen, Work, make_run, plain_world

World = dict[str, Work]
Given = list[tuple[list[Work], Seen, Study]]
Change = Callable[[World], None]


def compared(
    folder: Path, change: Change, seen: Seen = LATER, study: Study = STUDY, first: Seen = EARLIER
) -> Comparison:
    before = plain_world()
    after = dict(before)
    change(after)
    return compare(make_run(folder, before.values(), first), make_run(folder, after.values(), seen, study))


def counts(comparison: Comparison) -> dict[str, int]:
    """Return cause -> works that it moved."""
    return dict(comparison.split("critical_listed", "full").select("cause", "works").iter_rows())


def nothing(world: World) -> None:
    pass


def publish(world: World) -> None:
    for number in range(3):
        world[f"W9{number}"] = Work(f"W9{number}", day=date(2026, 3, 1 + number))


def index(world: World) -> None:
    for number in range(2):
        world[f"W8{number}"] = Work(f"W8{number}", day=date(2019, 3, 1), title="a laser")


def leave(world: World) -> None:
    for number in (1, 2, 3, 4):
        world.pop(f"W{number}")


def correct_type(world: World) -> None:
    for number in (5, 6):
        world[f"W{number}"] = replace(world[f"W{number}"], type="editorial")


def affiliate(world: World) -> None:
    # W10 and W14 stood at the top level; W11 counts one author fewer
    for number in (10, 14):
        world[f"W{number}"] = replace(
            world[f"W{number}"], authors=(*world[f"W{number}"].authors[:1], Author("I21", CN))
        )
    world["W11"] = replace(world["W11"], authors=world["W11"].authors[:2])


def rewrite(world: World) -> None:
    world["W15"] = replace(world["W15"], title="a laser")
    world["W16"] = replace(world["W16"], title="nothing of the sort")
    world["W17"] = replace(world["W17"], title="still plain")  # moves no flag


def retopic(world: World) -> None:
    for number in (19, 21, 23):
        world[f"W{number}"] = replace(world[f"W{number}"], topic="T9")


OTHER_LIST = replace(LATER, edition="2", listed={"I22": "very high", "I24": "high"})
"""I23 goes (works W3, W7, … W39: 10), I24 comes (W4, W8, … W40: 10)."""
OTHER_RULES = replace(LATER, rules=("laser", "plain"))
"""Every one of the 20 works with a plain title becomes critical."""

ONE_AT_A_TIME = {
    "newly published": (publish, LATER, STUDY, 3),
    "newly indexed": (index, LATER, STUDY, 2),
    "left the pair": (leave, LATER, STUDY, 4),
    "details changed": (correct_type, LATER, STUDY, 2),
    "re-affiliated": (affiliate, LATER, STUDY, 3),
    "text changed": (rewrite, LATER, STUDY, 2),
    "topics changed": (retopic, LATER, STUDY, 3),
    "watchlist changed": (nothing, OTHER_LIST, STUDY, 20),
    "model or rules changed": (nothing, OTHER_RULES, STUDY, 20),
    "code changed": (nothing, replace(LATER, version="2.0", flipped=frozenset({"W1", "W2"})), STUDY, 2),
    "unexplained": (nothing, replace(LATER, flipped=frozenset({"W1", "W2", "W3"})), STUDY, 3),
}


@pytest.mark.parametrize("cause", ONE_AT_A_TIME)
def test_one_change_is_named_as_the_one_cause_with_its_count(tmp_path: Path, cause: str) -> None:
    change, seen, study, works = ONE_AT_A_TIME[cause]
    comparison = compared(tmp_path, change, seen, study)
    assert counts(comparison) == {cause: works}
    moved = comparison.tables["moves"]
    assert moved["work_id"].n_unique() == works
    assert set(moved["cause"]) == {cause}
    assert moved["also_possible"].list.len().sum() == 0


SETTINGS = {
    # works of 2016 and 2017 go: 5 + 5
    "years": (replace(STUDY, year_from=2018), 10),
    # the 10 works of I23 (high) are no longer listed
    "levels": (replace(STUDY, levels=("very high",)), 10),
    # the 10 works of I23 are at the top level, the 10 of I22 no longer
    "top level": (replace(STUDY, top_level="high"), 20),
    "tiers": (replace(STUDY, tiers=("name",)), 20),
    # every fifth work has an author in France: its weights change
    "sides": (replace(STUDY, side_a=Side("Belgium and France", (BE, FR))), 8),
    "author cap": (replace(STUDY, author_cap=2), 8),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_changed_setting_moves_exactly_the_works_it_decides(tmp_path: Path, name: str) -> None:
    study, works = SETTINGS[name]
    assert counts(compared(tmp_path, nothing, LATER, study)) == {"study settings": works}


def test_a_threshold_moves_exactly_the_works_between_the_old_and_the_new_one(tmp_path: Path) -> None:
    world = plain_world()
    for number in (1, 3, 5):
        world[f"W{number}"] = replace(world[f"W{number}"], title="a faint sign")
    before = make_run(tmp_path, world.values())
    after = make_run(
        tmp_path, world.values(), replace(LATER, threshold=0.6), replace(STUDY, operating_point="precision")
    )
    assert counts(compare(before, after)) == {"study settings": 3}


def test_rejected_hits_are_the_reviewers_doing_and_the_rest_the_lists(tmp_path: Path) -> None:
    # the 10 works of I22 lose their hits by decision; those of I23 and I24 change by the list
    seen = replace(OTHER_LIST, decided=("I22",))
    assert counts(compared(tmp_path, nothing, seen)) == {"decisions changed": 10, "watchlist changed": 20}


def test_what_repairs_leave_out_is_the_settings_doing(tmp_path: Path) -> None:
    world = plain_world()
    for number in (1, 2, 3):
        world[f"W{number}"] = replace(world[f"W{number}"], authors=(Author("I1", BE), Author("I29", CN)))
    repairing = replace(STUDY, apply_repairs=True)
    before = make_run(tmp_path, world.values())
    after = make_run(tmp_path, world.values(), LATER, repairing)
    assert counts(compare(before, after)) == {"study settings": 3}
    repaired = {**world, "W1": replace(world["W1"], authors=(Author("I1", BE), Author("I21", CN)))}
    last = make_run(tmp_path, repaired.values(), replace(LATER, created="2026-07"), repairing)
    assert counts(compare(after, last)) == {"re-affiliated": 1}


def test_a_topic_of_another_model_is_another_topic(tmp_path: Path) -> None:
    seen = replace(LATER, epoch="affiliations 2026-09-28, topics later", flipped=frozenset({"W1", "W2"}))
    assert counts(compared(tmp_path, nothing, seen)) == {"topics changed": 2}


def test_a_setting_changed_with_other_causes_takes_only_its_own_works(tmp_path: Path) -> None:
    def change(world: World) -> None:
        affiliate(world)
        leave(world)

    study = replace(STUDY, levels=("very high",))
    # of the 10 works of I23, W3 left the pair and W11 is re-affiliated in its weight alone
    assert counts(compared(tmp_path, change, LATER, study)) == {
        "study settings": 9,
        "left the pair": 4,
        "re-affiliated": 3,
    }


def test_many_changes_at_once_are_all_named_with_their_counts(tmp_path: Path) -> None:
    def change(world: World) -> None:
        for step in (publish, index, leave, correct_type, affiliate, rewrite, retopic):
            step(world)

    comparison = compared(tmp_path, change, OTHER_LIST)
    assert counts(comparison) == {
        "newly published": 3,
        "newly indexed": 2,
        "left the pair": 4,
        "details changed": 2,
        "re-affiliated": 3,
        "text changed": 2,
        "topics changed": 3,
        # 20 without W3 and W4, which left; W11, whose listing may stem from its changed authors
        "watchlist changed": 17,
    }
    # 9 works changed in their records, W17 without effect; of the 17, W15, W16, W19, W23 are among them
    assert comparison.counts() == {"added": 5, "removed": 6, "changed": 9 + 17 - 4}


def test_the_earlier_cause_in_the_order_takes_what_two_may_have_done(tmp_path: Path) -> None:
    def change(world: World) -> None:
        # W3 was listed through I23, which goes from the list; the work leaves I23 as well
        world["W3"] = replace(world["W3"], authors=(Author("I1", BE), Author("I21", CN)))

    comparison = compared(tmp_path, change, OTHER_LIST)
    moved = comparison.tables["moves"].filter(pl.col("work_id") == "W3", pl.col("component") == "listed")
    assert moved.select("cause", "also_possible").row(0) == ("re-affiliated", ["watchlist changed"])
    rows = {row["cause"]: row for row in comparison.split("listed", "full").iter_rows(named=True)}
    assert rows["re-affiliated"]["part"] == pytest.approx(-1 / 40)
    # in one of the two orders the list takes W3: each cause has half of it
    assert rows["re-affiliated"]["shapley"] == pytest.approx(-1 / 80)
    # ten works gain, ten lose; the list alone takes nine of the losses, or ten if it goes first
    assert rows["watchlist changed"]["part"] == pytest.approx(1 / 40)
    assert rows["watchlist changed"]["shapley"] == pytest.approx(1 / 80)


def test_a_work_that_enters_brings_its_flags_along(tmp_path: Path) -> None:
    def change(world: World) -> None:
        world["W90"] = Work("W90", "a laser", date(2020, 1, 5), authors=(Author("I1", BE), Author("I24", CN)))

    comparison = compared(tmp_path, change, OTHER_LIST)
    row = comparison.split("critical_listed", "full").row(0, named=True)
    assert (row["cause"], row["entered"], row["part"]) == ("newly indexed", 1, pytest.approx(11 / 41 - 10 / 40))


def test_tombstones_say_what_became_of_a_vanished_work(tmp_path: Path) -> None:
    stones = ({"id": "W1", "status": "deleted or merged"}, {"id": "W2", "status": "left the pair"})
    comparison = compared(tmp_path, leave, replace(LATER, tombstones=stones))
    notes = dict(comparison.tables["works"].select("work_id", "note").iter_rows())
    assert notes == {"W1": "deleted or merged", "W2": "left the pair", "W3": None, "W4": None}


def test_epoch_crossings_are_named_and_taint_the_causes_they_touch(tmp_path: Path) -> None:
    old = replace(EARLIER, epoch="affiliations before 2026-09-28, topics before 2026-10")

    def change(world: World) -> None:
        affiliate(world)
        retopic(world)
        rewrite(world)

    comparison = compared(tmp_path, change, LATER, first=old)
    assert [(c.instrument, c.certain) for c in comparison.instrument_changes] == [
        ("affiliations", True),
        ("topics", True),
    ]
    kinds = dict(comparison.split("critical_listed", "full").select("cause", "kind").iter_rows())
    assert kinds == {"re-affiliated": "record or instrument", "topics changed": "instrument", "text changed": "record"}


def test_an_unknown_epoch_is_named_as_uncertain_even_in_both_runs(tmp_path: Path) -> None:
    unknown = replace(EARLIER, epoch="unknown")
    comparison = compared(tmp_path, nothing, replace(LATER, epoch="unknown"), first=unknown)
    assert [c.certain for c in comparison.instrument_changes] == [False, False]
    assert cautions(comparison) == [
        "At least one of the runs does not record when its works were retrieved. OpenAlex may have changed its "
        "affiliations and topics in between, so a difference may come from OpenAlex rather than from the research "
        "itself."
    ]


def test_without_a_date_of_retrieval_every_new_work_is_newly_indexed_and_a_note_says_so(tmp_path: Path) -> None:
    comparison = compared(tmp_path, publish, first=replace(EARLIER, retrieved=""))
    assert counts(comparison) == {"newly indexed": 3}
    assert any("does not record when its works were retrieved" in note for note in comparison.notes)


def from_files(run: Run, **files: str) -> Run:
    """Return a copy of a run as if it had been made from works files of these names and hashes."""
    folder = shutil.copytree(run.folder, run.folder.with_name(f"{run.folder.name}-{'-'.join(files)}"))
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["source"] = {
        "kind": "works-files", "files": [{"name": name, "sha256": sha256} for name, sha256 in files.items()],
    }  # fmt: skip
    manifest["epochs"] = ["unknown"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return Run(folder)


@pytest.fixture
def two_runs(tmp_path: Path) -> tuple[Run, Run]:
    after = plain_world()
    publish(after)
    index(after)
    leave(after)
    return make_run(tmp_path, plain_world().values(), EARLIER), make_run(tmp_path, after.values(), LATER)


def test_works_of_other_input_files_are_not_called_newly_indexed(two_runs: tuple[Run, Run]) -> None:
    before, after = from_files(two_runs[0], one="a" * 64), from_files(two_runs[1], two="b" * 64)
    comparison = compare(before, after)
    assert counts(comparison) == {"other input files": 9}
    kinds = dict(comparison.split("critical_listed", "full").select("cause", "kind").iter_rows())
    assert kinds == {"other input files": "input"}
    assert any("one (hash aaaaaaaaaaaa), then two (hash bbbbbbbbbbbb)" in line for line in cautions(comparison))
    instrument = comparison.tables["instruments"].filter(instrument="works files").row(0, named=True)
    assert (instrument["before"], instrument["changed"]) == ("one (hash aaaaaaaaaaaa)", True)


def test_a_harvest_and_a_file_are_different_input_too(two_runs: tuple[Run, Run]) -> None:
    comparison = compare(two_runs[0], from_files(two_runs[1], two="b" * 64))
    assert counts(comparison) == {"other input files": 9}
    assert any("a harvest, then two (hash bbbbbbbbbbbb)" in line for line in cautions(comparison))


def test_runs_of_the_same_files_under_any_name_differ_in_no_input(two_runs: tuple[Run, Run]) -> None:
    comparison = compare(from_files(two_runs[0], one="a" * 64), from_files(two_runs[0], copy="a" * 64))
    assert comparison.is_empty
    assert cautions(comparison) == []


def test_institutions_list_the_works_that_came_and_went(tmp_path: Path) -> None:
    def change(world: World) -> None:
        publish(world)
        world["W6"] = replace(world["W6"], authors=(Author("I2", BE), *world["W6"].authors[1:]))
        del world["W1"]

    found = compared(tmp_path, change).tables["institutions"]
    assert found.select("institution_id", "change", "work_id", "cause").rows() == [
        ("I1", "added", "W90", "newly published"),
        ("I1", "added", "W91", "newly published"),
        ("I1", "added", "W92", "newly published"),
        ("I1", "removed", "W1", "left the pair"),
        ("I2", "added", "W6", "re-affiliated"),
        ("I3", "removed", "W6", "re-affiliated"),
    ]


def test_a_comparison_starts_and_ends_at_the_shares_of_the_runs(tmp_path: Path) -> None:
    after = plain_world()
    rewrite(after)
    leave(after)
    run_a = make_run(tmp_path, plain_world().values(), whole=True)
    run_b = make_run(tmp_path, after.values(), OTHER_LIST, whole=True)
    shares = compare(run_a, run_b).tables["shares"]
    assert shares.height == 12
    for row in shares.iter_rows(named=True):
        for run, side in ((run_a, "before"), (run_b, "after")):
            own = run.share(row["measure"], row["counting"])
            assert row[f"share_{side}"] == pytest.approx(own["share"], abs=1e-12)
            assert row[f"denominator_{side}"] == pytest.approx(own["denominator"], abs=1e-9)
            assert [row[f"{name}_{side}"] for name in ESTIMATE] == [own[name] for name in ESTIMATE]


def test_the_estimate_of_each_run_is_named_for_what_it_is() -> None:
    row = {f"{name}_{side}": None for name in ESTIMATE for side in ("before", "after")}
    assert estimates_sentence(row) == ""
    row |= {
        "adjusted_before": 0.1,
        "adjusted_low_before": 0.05,
        "adjusted_high_before": 0.2,
        "method_before": "evaluation",
    }
    first = "10.00% (5.00% to 20.00%), corrected"
    assert estimates_sentence(row) == f" Estimate: {first}, then none."
    row |= {f"{name}_after": row[f"{name}_before"] for name in ESTIMATE} | {"method_after": "labelled sample"}
    assert estimates_sentence(row) == f" Estimate: {first}, then 10.00% (5.00% to 20.00%), from reading."


def test_a_run_without_shares_cannot_be_compared(tmp_path: Path) -> None:
    whole = make_run(tmp_path, plain_world().values())
    writer = RunWriter(tmp_path, "world", "stopped")
    writer.table("works", whole.tables["works"])
    stopped = writer.finish(whole.manifest | {"tables": writer.written})
    with pytest.raises(InputError, match="lacks the tables topics"):
        compare(whole, stopped)


# --- properties -------------------------------------------------------------------------------

INSTITUTIONS = ("I21", "I22", "I23", "I24", "I28", "I29", "I41", MEDICAL)
TITLES = ("a laser", "a plain title", "a faint sign")


@st.composite
def single_works(draw: st.DrawFn, number: int) -> Work:
    countries = draw(st.lists(st.sampled_from([BE, CN, FR]), max_size=2))
    authors = [
        Author("I1", BE),
        Author(draw(st.sampled_from(INSTITUTIONS)), CN),
        *(Author(f"I{c}", c) for c in countries),
    ]
    return Work(
        f"W{number}",
        draw(st.sampled_from(TITLES)),
        draw(st.dates(date(2014, 1, 1), date(2026, 12, 31))),
        draw(st.sampled_from(["article", "article", "editorial"])),
        draw(st.sampled_from(["T1", "T9"])),
        tuple(authors),
    )


@st.composite
def seens(draw: st.DrawFn, base: Seen) -> Seen:
    level = st.sampled_from(["very high", "high", "low"])
    return replace(
        base,
        rules=draw(st.sampled_from([("laser",), ("laser", "plain")])),
        listed=draw(st.dictionaries(st.sampled_from(INSTITUTIONS), level)),
        threshold=draw(st.sampled_from([0.5, 0.6])),
        version=draw(st.sampled_from(["1.0", "2.0"])),
        epoch=draw(st.sampled_from([base.epoch, "affiliations before 2026-09-28, topics before 2026-10"])),
        decided=draw(st.sampled_from([(), ("I22",), ("I41", MEDICAL)])),
        confirmed=draw(st.sampled_from([(), ("I21",)])),
        named=draw(st.sampled_from([(), ("I41",)])),
        corrections=draw(st.sampled_from([EARLIER.corrections, {**EARLIER.corrections, "I23": RECODED}])),
    )


@st.composite
def studies(draw: st.DrawFn) -> Study:
    return replace(
        STUDY,
        year_from=draw(st.sampled_from([2014, 2018])),
        levels=draw(st.sampled_from([("very high",), ("very high", "high")])),
        author_cap=draw(st.sampled_from([0, 3])),
        side_a=draw(st.sampled_from([STUDY.side_a, Side("more", (BE, FR))])),
        apply_repairs=draw(st.booleans()),
        include_medical=draw(st.booleans()),
        tiers=draw(st.sampled_from([STUDY.tiers, ("name",)])),
    )


@st.composite
def run_pairs(draw: st.DrawFn) -> Given:
    numbers = st.lists(st.integers(1, 12), unique=True, max_size=10)
    common = {number: draw(single_works(number)) for number in range(1, 13)}
    pair = []
    for base in (EARLIER, LATER):
        works = [draw(st.one_of(st.just(common[n]), single_works(n))) for n in draw(numbers)]
        pair.append((works, draw(seens(base)), draw(studies())))
    return pair


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


def made(folder: Path, pair: Given) -> tuple[Run, Run]:
    return make_run(folder, *pair[0]), make_run(folder, *pair[1])


LIMITS = settings(max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.too_slow])


@given(run_pairs())
@LIMITS
def test_the_parts_of_the_causes_add_up_to_the_difference(folder: Path, pair: Given) -> None:
    comparison = compare(*made(folder, pair))
    for row in comparison.tables["shares"].iter_rows(named=True):
        split = comparison.split(row["measure"], row["counting"])
        if row["difference"] is None:
            continue
        # one step ends where the next begins: the chain from share to share is exact
        ends = [row["share_before"], *split["share_after"]]
        assert ends == [*split["share_before"], row["share_after"]]
        assert split["part"].sum() == pytest.approx(row["difference"], abs=1e-12)
        assert split["shapley"].sum() == pytest.approx(row["difference"], abs=1e-12)


@given(run_pairs())
@LIMITS
def test_the_shapley_value_is_the_mean_part_over_the_orders(folder: Path, pair: Given) -> None:
    run_a, run_b = made(folder, pair)
    runs = Runs(run_a, run_b, study_of(run_a.manifest), study_of(run_b.manifest))
    works = joined(runs)
    before, after = states_of(works)
    masks = masks_of(works, candidates(runs, works))
    causes = acting(masks)
    assume(len(causes) <= 4)
    values = shapley(before, after, masks, causes)
    walks = [[before, *(step.state for step in walk(before, after, masks, order))] for order in permutations(causes)]
    rows = [(order, chain(states)) for order, states in zip(permutations(causes), walks, strict=True)]
    for key in rows[0][1]:
        for cause in causes:
            parts = [
                row[key][order.index(cause) + 1] - row[key][order.index(cause)]
                for order, row in rows
                if None not in row[key]
            ]
            if parts:
                assert values[cause][key] == pytest.approx(sum(parts) / len(parts), abs=1e-9)


def test_many_causes_are_put_into_a_fixed_number_of_orders_that_favour_none() -> None:
    causes = tuple("abcdefg")
    orders = orders_of(causes)
    assert (len(orders), orders) == (ORDERS, orders_of(causes))
    assert all(sorted(order) == sorted(causes) for order in orders)
    first = [sum(order[0] == cause for order in orders) for cause in causes]
    assert min(first) > ORDERS / len(causes) * 0.7


@given(run_pairs())
@LIMITS
def test_exchanging_the_runs_turns_every_sign_and_nothing_else(folder: Path, pair: Given) -> None:
    run_a, run_b = made(folder, pair)
    there, back = compare(run_a, run_b), compare(run_b, run_a)
    one = there.tables["parts"].sort("measure", "counting", "cause")
    two = back.tables["parts"].sort("measure", "counting", "cause")
    assert one.select("cause", "kind", "works").equals(two.select("cause", "kind", "works"))
    for name, other in (
        ("part", "part"),
        ("shapley", "shapley"),
    ):
        assert (0.0 - one[name]).to_list() == pytest.approx(two[other].to_list(), abs=1e-15)
    for name, other in (("entered", "left"), ("left", "entered"), ("gained", "lost"), ("lost", "gained")):
        assert one[name].to_list() == two[other].to_list()
    assert (
        there.tables["moves"]
        .rename({"before": "after", "after": "before"})
        .select(back.tables["moves"].columns)
        .equals(back.tables["moves"])
    )
    ends = {"added": "removed", "removed": "added", "changed": "changed"}
    assert there.counts() == {ends[status]: count for status, count in back.counts().items()}


@given(run_pairs())
@LIMITS
def test_comparing_a_run_with_itself_is_empty(folder: Path, pair: Given) -> None:
    run = make_run(folder, *pair[0])
    comparison = compare(run, run)
    assert comparison.is_empty
    for name in ("parts", "works", "moves", "institutions"):
        assert comparison.tables[name].is_empty(), name
    assert not comparison.tables["instruments"]["changed"].any()


@given(run_pairs())
@LIMITS
def test_every_work_that_differs_has_a_cause_and_no_other_work_has(folder: Path, pair: Given) -> None:
    run_a, run_b = made(folder, pair)
    flags = ["is_critical", "is_listed", "is_critical_listed", "is_top_level"]
    columns = ["work_id", "weight", "weight_countries", *flags]
    seen = [set(run.tables["copublications"].select(columns).rows()) for run in (run_a, run_b)]
    differing = {row[0] for row in seen[0] ^ seen[1]}
    moved = set(compare(run_a, run_b).tables["moves"]["work_id"])
    assert differing <= moved
    # beyond these only the top level of works that are not critical may move
    assert all(
        set(group["component"]) == {"top level"}
        for (work,), group in compare(run_a, run_b).tables["moves"].group_by("work_id")
        if work not in differing
    )
