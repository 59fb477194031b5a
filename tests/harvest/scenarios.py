"""What can go wrong with a source, scenario by scenario, and what the harvest makes of it.

Used by the tests and by ``benchmarks/harvest_faults.py``, which prints one row for each.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

from bibliography import Work, author, bibliography, long_list, pair, work
from standin import Edit, Manners, Server
from standin_faults import Faults

from copub.errors import SourceUnavailableError
from copub.sources.harvest import Harvest, Query, Timing, harvest

QUERY = Query(("BE",), ("CN",), 2000, 2025)
QUICK = Timing(timeouts=(10.0, 10.0), per_second=0, first_wait=0.001, sleep=lambda _: None)
HASTY = replace(QUICK, timeouts=(10.0, 0.7))
MIXED = ("500-html", "502-html", "503-html", "503-retry-after", "504-json", "reset", "truncated-json", "cut-body",
         "200-html", "429-second", "429-key")  # fmt: skip


def corpus(count: int = 1500) -> list[Work]:
    """Return co-publications, some with long author lists, China or Belgium after the hundredth only."""
    works = bibliography(count)
    for number, authors in enumerate((100, 101, 150, 150, 150, 3000)):
        works.append(work(900_001 + number, long_list(5_000_000 + number * 10_000, authors, "CN"), date="2018-03-01"))
    late = [author(7_000_000 + at, "DE") for at in range(120)]
    works.append(work(900_020, [*late, author(7_900_001, "BE"), author(7_900_002, "CN")], date="2019-01-01"))
    # Belgium known from an address only, China only at author no. 150
    printed = [author(8_000_000, None, "BE"), *(author(8_000_001 + at, "DE") for at in range(148))]
    works.append(work(900_021, [*printed, author(8_900_000, "CN")], date="2020-05-05"))
    works.append(work(900_030, pair(9_000_000, 0), is_xpac=True))
    return works


def expected(works: list[Work], query: Query = QUERY) -> set[str]:
    """Return the ids of the co-publications, found by looking at every work."""

    def has(one: Work, codes: tuple[str, ...]) -> bool:
        resolved = {i["country_code"] for a in one["authorships"] for i in a["institutions"]}
        printed = {code for a in one["authorships"][:100] for code in a["countries"]}
        return bool((resolved | printed) & set(codes))

    return {
        one["id"].rpartition("/")[2]
        for one in works
        if has(one, query.side_a)
        and has(one, query.side_b)
        and query.year_from <= one["publication_year"] <= query.year_to
        and (query.expansion or not one["is_xpac"])
    }


def minimum(works: list[Work], harvested: Harvest) -> int:
    """Return the requests that no harvest can do without.

    The pages of the four queries, the count per year of each, the five context counts, and one
    request for each work with a hundred authors or more.
    """
    wanted = expected(works)
    long_lists = sum(len(one["authorships"]) >= 100 for one in works if one["id"].rpartition("/")[2] in wanted)
    counts = [row["expected"] for row in harvested.log["queries"].values()]
    return sum(max(1, ceil(count / 100)) for count in counts) + len(counts) + 5 + long_lists


@dataclass(frozen=True)
class Scenario:
    """A name, and how the source behaves; `runs` is how the harvest is called until it is done."""

    name: str
    faults: Faults = field(default_factory=Faults)
    manners: Manners = field(default_factory=Manners)
    edits: Callable[[], dict[int, Edit]] = dict
    works: Callable[[], list[Work]] = corpus
    run: Callable[[Server, Path], Harvest] = lambda server, folder: get(server, folder)


@dataclass(frozen=True)
class Row:
    """What came of a scenario; `bare` are the pages of one query without any check, and the single works."""

    name: str
    expected: int
    got: int
    same: bool
    duplicates: int
    incomplete: int
    missing: int
    requests: int
    minimum: int
    bare: int

    @property
    def ratio(self) -> float:
        """Return requests over the minimum."""
        return self.requests / self.minimum


def get(server: Server, folder: Path, query: Query = QUERY, **more: Any) -> Harvest:
    """Harvest, without waiting between tries."""
    return harvest(query, cache=folder, base_url=server.base_url, **{"timing": QUICK, **more})


def day_by_day(server: Server, folder: Path) -> Harvest:
    """Harvest; whenever the budget is spent, wait for the next day."""
    while True:
        try:
            return get(server, folder)
        except SourceUnavailableError as stop:
            assert stop.resume_at is not None
            server.reset_budget()


def killed(kills: int, seed: int = 1, longest: float = 0.12) -> Callable[[Server, Path], Harvest]:
    """Return a run that is killed that often, at random moments, before it may finish."""

    def run(server: Server, folder: Path) -> Harvest:
        draw = random.Random(seed)
        hits = 0
        while hits < kills:
            child = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("victim.py")), server.base_url, str(folder)],
                stdout=subprocess.PIPE,
            )
            assert child.stdout is not None
            child.stdout.readline()
            try:
                child.wait(draw.uniform(0.0, longest))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                hits += 1
            assert child.wait() == -signal.SIGKILL, "the harvest was done before all kills"
            child.stdout.close()
        server.faults = Faults()
        return get(server, folder)

    return run


def damaged(server: Server, folder: Path) -> Harvest:
    """Harvest, damage a page of the cache, and harvest again."""
    get(server, folder)
    page = sorted(folder.glob("0001/*.zst"))[3]
    page.write_bytes(page.read_bytes()[:-20])
    return get(server, folder)


def _moving() -> dict[int, Edit]:
    """Return changes of the index while it is read: works move back, move ahead, come in, change query."""

    def shuffle(works: list[Work]) -> None:
        draw = random.Random(7)
        for one in draw.sample(works[:1000], 30):
            year = draw.choice((2000, 2001, 2024, 2025))
            one["publication_year"], one["publication_date"] = year, f"{year}-07-07"

    def grow(works: list[Work]) -> None:
        works += [work(910_000 + at, pair(9_100_000 + at * 2, at % 4), date=f"{2001 + at}-02-02") for at in range(20)]

    def resolve(works: list[Work]) -> None:
        for one in works[:1500]:
            if not one["authorships"][0]["institutions"]:
                one["authorships"] = pair(int(one["id"].rpartition("W")[2]), 0)

    return {5: shuffle, 9: grow, 17: resolve}


def _round_number(count: int) -> Callable[[], list[Work]]:
    return lambda: [work(at, pair(at * 10, 0), date=f"{2000 + at % 26}-03-03") for at in range(1, count + 1)]


def _tenth(*kinds: str, slow: float = 1.0) -> Faults:
    return Faults(at={number: kinds[number // 10 % len(kinds)] for number in range(5, 3000, 10)}, slow=slow)


def killed_scenario(kills: int) -> Scenario:
    """Return a harvest that is killed that often; the server is slow enough to be caught in the middle."""
    slow = Faults(rate=1.0, kinds=("slow-body",), slow=0.04)
    return Scenario(f"killed {kills} times", slow, works=lambda: corpus(150 * kills), run=killed(kills))


SCENARIOS = (
    Scenario("clean"),
    Scenario("clean, cursors end with an empty page", manners=Manners(cursor_ending="empty")),
    Scenario("clean, 800 works: full last page", works=_round_number(800)),
    Scenario("clean, budget headers of 2025", manners=Manners(headers="old")),
    Scenario("clean, no budget headers", manners=Manners(headers="none")),
    Scenario("clean, at most 100 a page", manners=Manners(per_page_most=100)),
    Scenario("one request in ten fails, all kinds", _tenth(*MIXED), works=lambda: corpus(6000)),
    *(Scenario(f"one request in ten: {kind}", _tenth(kind)) for kind in MIXED),
    Scenario(
        "one request in ten: body too slow",
        _tenth("slow-body", slow=1.5),
        run=lambda server, folder: get(server, folder, timing=HASTY),
    ),
    Scenario("one request in three fails, all kinds", Faults(rate=0.33, kinds=MIXED)),
    Scenario("short page, no cursor, no flag", Faults(at={4: "short-page"})),
    Scenario("short pages, also when asked again", Faults(at={4: "short-page", 22: "short-page", 25: "short-page"})),
    Scenario("short first page of each query", Faults(at={1: "short-page", 2: "short-page", 3: "short-page"})),
    Scenario("works move while they are read", edits=_moving),
    Scenario("budget of 7 credits a day", manners=Manners(anonymous=7), run=day_by_day),
    Scenario("a page of the cache is damaged", run=damaged),
)


def play(scenario: Scenario, folder: Path) -> Row:
    """Run a scenario and set what came against what is there."""
    server = Server(scenario.works(), manners=scenario.manners, faults=scenario.faults, edits=scenario.edits())
    with server:
        harvested = scenario.run(server, folder)
        requests = len(server.requests)
    works = server.library.works
    wanted, whole = expected(works), {one["id"]: len(one["authorships"]) for one in works}
    records = [record.value for record in harvested.records()]
    ids = [value["id"].rpartition("/")[2] for value in records]
    return Row(
        scenario.name,
        len(wanted),
        len(set(ids)),
        set(ids) == wanted,
        len(ids) - len(set(ids)),
        sum(len(value["authorships"]) != whole[value["id"]] for value in records),
        harvested.log["n_missing"],
        requests,
        minimum(works, harvested),
        ceil(len(wanted) / 100) + sum(len(value["authorships"]) >= 100 for value in records),
    )
