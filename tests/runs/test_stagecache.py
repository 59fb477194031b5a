"""Rules of the stage cache: the same inputs give the kept result, anything else never does."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import polars as pl
import pytest

from copub.engine import engine_of
from copub.runs import codehash, stagecache
from copub.runs.stagecache import DAMAGED, KEPT_PER_STAGE, MADE, REUSED, Makers, StageCache, key_of

FRAME = pl.DataFrame(
    {"work_id": ["W1", "W2"], "areas": [["a"], []], "day": [date(2020, 1, 1), None], "score": [0.1, None]},
    schema={"work_id": pl.String, "areas": pl.List(pl.String), "day": pl.Date, "score": pl.Float64},
)
PARTS = {"input": "abc", "settings": {"operating_point": "balanced"}}


class Stage:
    """A stage that counts how often it is carried out."""

    def __init__(self, frame: pl.DataFrame = FRAME) -> None:
        self.frame = frame
        self.calls = 0

    def __call__(self, _: Path) -> tuple[Makers, dict[str, Any]]:
        self.calls += 1
        return {"found": lambda: self.frame}, {"read": 2}


def test_tables_made_side_by_side_have_the_bytes_of_tables_made_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stagecache, "LARGE", -1)
    makers = {name: partial(FRAME.head, rows) for name, rows in (("found", 2), ("basis", 1), ("other", 0))}
    with engine_of(2):
        one, other = (
            StageCache(tmp_path / str(apart)).cached("tabulate", PARTS, lambda _: (makers, {}), apart=apart)
            for apart in (True, False)
        )
    assert one.hashes == other.hashes
    assert pl.read_parquet(one.paths["found"]).equals(FRAME)


def test_the_same_key_gives_the_kept_result_without_work(tmp_path: Path) -> None:
    stage = Stage()
    first = StageCache(tmp_path).cached("screen", PARTS, stage)
    second = StageCache(tmp_path).cached("screen", PARTS, stage)
    assert (first.origin, second.origin, stage.calls) == (MADE, REUSED, 1)
    assert pl.read_parquet(second.paths["found"]).equals(FRAME)
    assert pl.read_parquet(second.paths["found"]).schema == FRAME.schema
    assert first.facts == second.facts == {"read": 2}
    assert first.hashes == second.hashes


@pytest.mark.parametrize("parts", [{**PARTS, "input": "abd"}, {**PARTS, "settings": {"operating_point": "recall"}}, {}])
def test_another_input_or_setting_is_another_result(tmp_path: Path, parts: dict[str, Any]) -> None:
    stage = Stage()
    StageCache(tmp_path).cached("screen", PARTS, stage)
    assert StageCache(tmp_path).cached("screen", parts, stage).origin == MADE
    assert stage.calls == 2


def test_another_stage_code_or_library_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {key_of("screen", PARTS), key_of("classify", PARTS)}
    monkeypatch.setattr(stagecache, "code_hash", lambda *modules, alone: "other code")
    keys.add(key_of("screen", PARTS))
    monkeypatch.setattr(stagecache, "_libraries", lambda: {"polars": "99"})
    keys.add(key_of("screen", PARTS))
    assert len(keys) == 4


@pytest.mark.parametrize("harm", ["flip a bit", "cut", "remove a file", "break the entry", "remove the entry"])
def test_a_damaged_result_is_made_anew_and_said(tmp_path: Path, harm: str) -> None:
    stage = Stage()
    StageCache(tmp_path).cached("screen", PARTS, stage)
    place = next((tmp_path / stagecache.FOLDER).iterdir())
    path, entry = place / "found.parquet", place / "entry.json"
    if harm == "flip a bit":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif harm == "remove a file":
        path.unlink()
    elif harm == "break the entry":
        entry.write_text('{"facts": {}', encoding="utf-8")
    else:
        entry.unlink()
    again = StageCache(tmp_path).cached("screen", PARTS, stage)
    assert (again.origin, stage.calls) == (DAMAGED, 2)
    assert pl.read_parquet(again.paths["found"]).equals(FRAME)
    assert StageCache(tmp_path).cached("screen", PARTS, stage).origin == REUSED


def test_a_stage_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(_: Path) -> tuple[Makers, dict[str, Any]]:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        StageCache(tmp_path).cached("screen", PARTS, fail)
    assert not list(tmp_path.rglob("*.parquet"))
    assert StageCache(tmp_path).cached("screen", PARTS, Stage()).origin == MADE


def test_what_another_call_made_meanwhile_is_neither_taken_away_nor_missed(tmp_path: Path) -> None:
    stage, cache = Stage(), StageCache(tmp_path)

    def make(_: Path) -> tuple[Makers, dict[str, Any]]:
        made = StageCache(tmp_path).cached("screen", PARTS, stage)
        seen.append((made.paths["found"].parent / "entry.json").stat().st_ino)
        return {"found": lambda: FRAME}, {"read": 2}

    seen: list[int] = []
    ours = cache.cached("screen", PARTS, make)
    assert (
        pl.read_parquet(ours.paths["found"]).equals(FRAME)
        and (ours.paths["found"].parent / "entry.json").stat().st_ino == seen[0]
    )


def test_calls_at_once_on_a_damaged_result_all_end_well(tmp_path: Path) -> None:
    stage = Stage()
    place = StageCache(tmp_path).cached("screen", PARTS, stage).paths["found"].parent
    for _ in range(20):
        (place / "found.parquet").write_bytes(b"damaged")
        with ThreadPoolExecutor(4) as calls:
            results = list(calls.map(lambda _: StageCache(tmp_path).cached("screen", PARTS, stage), range(4)))
        assert all(pl.read_parquet(result.paths["found"]).equals(FRAME) for result in results)
        assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_what_a_killed_call_left_is_never_read_and_removed_by_the_next_but_nothing_of_running_ones(
    tmp_path: Path,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    name = f".partial-screen-{key_of('screen', PARTS)}"
    dead, alive = (tmp_path / stagecache.FOLDER / f"{name}-{pid}" for pid in (ended.pid, os.getppid()))
    dead.mkdir(parents=True)
    (dead / "found.parquet").write_bytes(b"PAR1")
    alive.mkdir()
    assert StageCache(tmp_path).cached("screen", PARTS, Stage()).origin == MADE
    assert not dead.exists() and alive.exists()


def test_of_calls_at_once_each_has_its_parts_until_it_ends_and_a_stopped_one_leaves_them(tmp_path: Path) -> None:
    folders: list[Path] = []

    def make(kept_in: Path, others: int, meet: Barrier | None = None) -> tuple[Makers, dict[str, Any]]:
        if meet:
            meet.wait(60)
        folders.append(kept_in)
        kept_in.mkdir(exist_ok=True)
        (kept_in / "part").touch()
        if others:
            other = partial(make, others=0, meet=Barrier(others))
            with ThreadPoolExecutor(others) as calls:
                list(calls.map(lambda _: StageCache(tmp_path).cached("screen", PARTS, other), range(others)))
            assert (kept_in / "part").exists()
        if others == 1:
            raise RuntimeError("stopped")
        return {"found": lambda: FRAME}, {"read": 2}

    StageCache(tmp_path).cached("screen", PARTS, partial(make, others=2))
    assert len(set(folders)) == 3 and not any(folder.exists() for folder in folders)
    cache = tmp_path / stagecache.FOLDER
    shutil.rmtree(next(cache.iterdir()))
    with pytest.raises(RuntimeError):
        StageCache(tmp_path).cached("screen", PARTS, partial(make, others=1))
    assert [folder.exists() for folder in folders[3:]] == [True, False]
    shutil.rmtree(next(cache.glob("screen-*")))
    StageCache(tmp_path).cached("screen", PARTS, partial(make, others=0))
    assert folders[-1] == folders[3] == folders[0]
    assert [path.name for path in cache.iterdir()] == [f"screen-{key_of('screen', PARTS)}"]


def test_a_killed_call_leaves_its_parts_to_the_next_and_the_parts_of_a_running_one_are_not_removed(
    tmp_path: Path,
) -> None:
    holding = """
import sys, time
from pathlib import Path
from copub.runs.stagecache import StageCache
def make(kept_in):
    kept_in.mkdir()
    (kept_in / "part").touch()
    print(kept_in, flush=True)
    time.sleep(600)
StageCache(Path(sys.argv[1])).cached("screen", {"number": 1}, make)
"""
    with subprocess.Popen([sys.executable, "-c", holding, str(tmp_path)], stdout=subprocess.PIPE, text=True) as call:
        assert call.stdout is not None
        parts = Path(call.stdout.readline().strip())
        os.utime(parts, (1, 1))
        for number in range(stagecache.STOPPED_PER_STAGE):
            (tmp_path / stagecache.FOLDER / f".parts-screen-{number}").mkdir()
        StageCache(tmp_path).cached("screen", PARTS, Stage())
        assert parts.exists()
        call.kill()
    seen: list[Path] = []

    def make(kept_in: Path) -> tuple[Makers, dict[str, Any]]:
        seen.extend(kept_in.iterdir())
        return {"found": lambda: FRAME}, {}

    StageCache(tmp_path).cached("screen", {"number": 1}, make)
    assert seen == [parts / "part"]
    assert not parts.exists()


def test_only_the_results_used_last_are_kept(tmp_path: Path) -> None:
    stage, cache = Stage(), StageCache(tmp_path)
    for number in range(KEPT_PER_STAGE + 2):
        cache.cached("screen", {"number": number}, stage)
        entry = tmp_path / stagecache.FOLDER / f"screen-{key_of('screen', {'number': number})}" / "entry.json"
        os.utime(entry, (number, number))
    cache.cached("classify", PARTS, stage)
    left = [path.name.partition("-")[0] for path in (tmp_path / stagecache.FOLDER).iterdir()]
    assert (left.count("screen"), left.count("classify")) == (KEPT_PER_STAGE, 1)
    assert cache.cached("screen", {"number": 0}, stage).origin == MADE


def test_the_key_is_written_nowhere_but_in_the_name(tmp_path: Path) -> None:
    StageCache(tmp_path).cached("screen", PARTS, Stage())
    place = next((tmp_path / stagecache.FOLDER).iterdir())
    assert place.name == f"screen-{key_of('screen', PARTS)}"
    assert set(json.loads((place / "entry.json").read_text())) == {"facts", "hashes"}


def names(*modules: str) -> set[str]:
    return {path.relative_to(codehash.PACKAGE).as_posix() for path in codehash.files_behind(*modules)}


def test_the_code_behind_a_stage_is_all_it_imports_and_no_more() -> None:
    screening = names("copub.screening")
    assert {"screening/hits.py", "lists/watchlist.py", "schema/__init__.py", "schema/columns.csv"} <= screening
    assert not any(name.startswith(("report/", "measures/", "sources/", "cli/", "demo/")) for name in screening)
    assert {"corpus/work.py", "corpus/repairs.py", "sources/worksfile.py"} <= names(*stagecache.MODULES["tabulate"])
    assert "screening/matching.py" not in names("copub.corpus")


def test_a_changed_line_changes_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "copub"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "room" / "__init__.py").write_text("from copub.room.thing import value\n")
    (package / "room" / "thing.py").write_text("import copub.other\nvalue = 1\n")
    (package / "room" / "words.csv").write_text("a\n")
    (package / "other.py").write_text("one = 1\n")
    (package / "apart.py").write_text("two = 2\n")
    monkeypatch.setattr(codehash, "PACKAGE", package)

    def now() -> str:
        return codehash.code_hash.__wrapped__("copub.room")

    seen = [now()]
    for name in ("room/thing.py", "room/words.csv", "other.py"):
        path = package / name
        path.write_text(path.read_text() + "# changed\n")
        seen.append(now())
    assert len(set(seen)) == 4
    (package / "apart.py").write_text("two = 3\n")
    assert now() == seen[-1]


def test_the_imports_found_in_the_text_are_those_of_the_parsed_module() -> None:
    for path in codehash.PACKAGE.rglob("*.py"):
        text, parsed = path.read_text(encoding="utf-8"), set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                parsed |= {(alias.name, ()) for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                parsed.add((node.module, tuple(alias.name for alias in node.names)))
        found = codehash._imports_in(text)
        own = [{one for one in imports if one[0].split(".")[0] == "copub"} for imports in (parsed, found)]
        assert own[0] == own[1], path


def test_no_stage_imports_in_a_way_that_the_hash_cannot_follow() -> None:
    for path in codehash.files_behind(*(module for modules in stagecache.MODULES.values() for module in modules)):
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            assert "from ." not in text and "import_module" not in text, f"{path} imports out of sight"


def test_a_shipped_folder_has_a_hash_of_all_its_files() -> None:
    one, two = codehash.shipped_hash("taxonomies/watchlists"), codehash.shipped_hash("taxonomies/technologies")
    assert one != two
    assert one == codehash.shipped_hash("taxonomies/watchlists")
