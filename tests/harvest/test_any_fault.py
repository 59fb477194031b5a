"""Whatever goes wrong, and wherever: nothing is repeated, and what does not come is counted as missing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from bibliography import bibliography
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scenarios import MIXED, QUICK, expected, get
from standin import Manners, Server
from standin_faults import Faults

from copub.errors import SourceUnavailableError
from copub.sources.harvest import Harvest, Query, harvest

WORKS = bibliography(230, others=20)
TRANSIENT = tuple(kind for kind in MIXED if not kind.startswith("503-r"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.dictionaries(st.integers(1, 40), st.sampled_from((*TRANSIENT, "short-page", "short-page")), max_size=12),
    ending=st.sampled_from(("null", "empty")),
)
@example(at=dict.fromkeys(range(1, 7), "500-html"), ending="null")
@example(at=dict.fromkeys(range(8, 20), "500-html"), ending="null")
def test_what_came_and_what_is_missing_are_all_there_is(
    at: dict[int, str], ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Server(WORKS, manners=Manners(cursor_ending=ending), faults=Faults(at=at)) as server:
        harvested = _get_in_the_end(server, tmp_path_factory.mktemp("cache"))
    ids = [record.value["id"].rpartition("/")[2] for record in harvested.records()]
    wanted = expected(WORKS)
    assert len(ids) == len(set(ids))
    assert set(ids) <= wanted
    assert len(wanted) - len(ids) == harvested.log["n_missing"]


def _get_in_the_end(server: Server, cache: Path) -> Harvest:
    """Harvest, and again where the source answered with nothing but faults for too long, as the message says."""
    for _ in range(5):
        try:
            return get(server, cache)
        except SourceUnavailableError:
            continue
    return get(server, cache)


def _countries(authorship: dict[str, Any]) -> set[str]:
    return {(institution or {}).get("country_code") for institution in authorship.get("institutions") or ()}


def _is_wanted(work: dict[str, Any], query: Query) -> bool:
    authorships = work.get("authorships") or []
    codes = set().union(*map(_countries, authorships)) | {
        code for authorship in authorships[:100] for code in authorship.get("countries") or ()
    }
    year = work.get("publication_year") or 0
    return bool(
        codes & set(query.side_a) and codes & set(query.side_b) and query.year_from <= year <= query.year_to
    ) and not work.get("is_xpac")


@pytest.mark.real
def test_real_works_of_every_era_are_harvested_whole(real_data: Path, tmp_path: Path) -> None:
    works: dict[str, dict[str, Any]] = {}
    for name in ("schema_variants", "works_be_cn_reconstructed", "works_cn_or_be_versions"):
        with gzip.open(real_data / "real" / f"{name}.jsonl.gz", "rt") as lines:
            for line in lines:
                row = json.loads(line)
                work = row.get("work", row)
                works.setdefault(work["id"], work)
    query = Query(("BE",), ("CN", "HK", "MO"), 1950, 2026)
    with Server(list(works.values())) as server:
        harvested = harvest(query, cache=tmp_path, base_url=server.base_url, timing=QUICK)
    records = {record.value["id"]: record.value for record in harvested.records()}
    assert records.keys() == {one for one, work in works.items() if _is_wanted(work, query)}
    assert len(records) > 330
    assert harvested.log["n_missing"] == 0
    for one, value in records.items():
        assert value == {name: works[one][name] for name in value}
        assert value["authorships"] == works[one]["authorships"]
