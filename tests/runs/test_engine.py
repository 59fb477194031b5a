"""Rules of the engine: results in the order of the parts wherever they are made, and a stopped call resumes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import pytest

import copub
from copub.corpus import Entry, makers_of_tables
from copub.engine import KeptParts, dask_client, engine_of, in_parallel
from copub.errors import InputError
from copub.runs import sha256_of
from copub.sources.worksfile import read_works
from copub.study import load_study


def write(folder: Path, result: str) -> None:
    (folder / "result.txt").write_text(result, encoding="utf-8")


def read(folder: Path) -> str:
    return (folder / "result.txt").read_text(encoding="utf-8")


class Work:
    """Work that remembers which parts it was given."""

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken
        self.given: list[int] = []

    def __call__(self, part: int) -> str:
        if part == self.broken:
            raise RuntimeError("stopped")
        self.given.append(part)
        return f"of {part}"


WHOLE = [f"of {part}" for part in range(6)]


def test_a_call_that_was_stopped_resumes_at_the_part(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path / "parts", write, read)
    with pytest.raises(RuntimeError), engine_of(workers=1):
        list(in_parallel(Work(broken=4), range(6), kept=kept))
    again = Work()
    with engine_of(workers=1):
        assert list(in_parallel(again, range(6), kept=kept)) == WHOLE
    assert again.given == [4, 5]
    with engine_of(workers=1):
        assert list(in_parallel(Work(broken=0), range(6), kept=kept)) == WHOLE


@pytest.mark.parametrize("damage", ["shorten", "remove", "forget"])
def test_a_part_that_is_not_as_it_was_written_is_made_again(damage: str, tmp_path: Path) -> None:
    kept = KeptParts(tmp_path, write, read)
    for number, result in enumerate(WHOLE):
        kept.save(number, result)
    if damage == "shorten":
        (tmp_path / "000002" / "result.txt").write_text("of", encoding="utf-8")
    elif damage == "remove":
        (tmp_path / "000002" / "result.txt").unlink()
    else:
        (tmp_path / "000002" / "hashes.json").write_text("{", encoding="utf-8")
    again = Work()
    with engine_of(workers=1):
        assert list(in_parallel(again, range(6), kept=kept)) == WHOLE
    assert again.given == [2]


@pytest.mark.parametrize(
    "there",
    [(0, 1, 4), *(pytest.param(there, marks=pytest.mark.slow) for there in ((), (0,), (5,), (1, 2, 3), range(6)))],
)
def test_kept_parts_and_new_ones_come_in_one_order_in_processes_too(there: tuple[int, ...], tmp_path: Path) -> None:
    kept = KeptParts(tmp_path / "parts", write, read)
    for number in there:
        kept.save(number, f"of {number}")
    with engine_of(workers=2):
        assert list(in_parallel("of {}".format, range(6), alone=1, kept=kept)) == WHOLE


def in_file(part: int, path: Path) -> Path:
    path.write_text(f"of {part}", encoding="utf-8")
    if part == 4:
        raise OSError(errno.ENOSPC, "No space left on device")
    return path


def test_parts_that_go_to_processes_in_files_leave_none_behind(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path / "parts", write, read, in_file)
    with engine_of(workers=2):
        assert list(in_parallel(methodcaller("read_text"), range(4), alone=1, kept=kept)) == WHOLE[:4]
    assert sorted(path.name for path in kept.folder.iterdir()) == [f"{number:06}" for number in range(4)]


def test_a_full_disk_is_named_once_the_parts_before_it_are_done(tmp_path: Path) -> None:
    kept = KeptParts(tmp_path / "parts", write, read, in_file)
    made = []
    with pytest.raises(InputError, match="the cache cannot be written") as caught, engine_of(workers=2):
        made.extend(in_parallel(methodcaller("read_text"), range(6), alone=1, kept=kept))
    assert caught.value.where == str(kept.folder)
    assert [path.name for path in sorted(kept.folder.iterdir())] == [f"{number:06}" for number in range(4)]


@pytest.mark.slow
def test_a_process_that_is_ended_from_outside_is_named_with_the_remedy() -> None:
    with pytest.raises(InputError, match="was ended from outside") as caught, engine_of(workers=2):
        list(in_parallel(os._exit, range(3, 9), alone=1))
    assert "repeat the command" in caught.value.hint


def is_running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


MANY_SLEEPS = """
import time
from copub.engine import engine_of, in_parallel
with engine_of(2):
    list(in_parallel(time.sleep, [60] * 4))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="where processes are listed differs")
def test_workers_of_a_process_that_was_killed_end_too() -> None:
    caller = subprocess.Popen([sys.executable, "-c", MANY_SLEEPS])
    children = Path(f"/proc/{caller.pid}/task/{caller.pid}/children")
    found: set[str] = set()
    until = time.monotonic() + 60
    while time.monotonic() < until and len(found) < 3:  # two workers, and what keeps count of their resources
        found = set(children.read_text().split())
        time.sleep(0.2)
    time.sleep(3)  # they have a part each
    caller.kill()
    caller.wait()
    while time.monotonic() < until and any(map(is_running, found)):
        time.sleep(0.2)
    assert found and not any(map(is_running, found))


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused(workers: int) -> None:
    with pytest.raises(InputError, match="cannot work") as caught, engine_of(workers=workers):
        pass
    assert caught.value.where == "--workers"


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("copub.engine._WAIT", 0.2)
    with pytest.raises(InputError, match="no scheduler answers") as caught, engine_of(scheduler="tcp://127.0.0.1:1"):
        pass
    assert caught.value.where == "--scheduler tcp://127.0.0.1:1"


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a Dask scheduler with two workers."""
    pytest.importorskip("distributed")
    with dask_client(2, None) as client:
        yield client.scheduler.address


def test_dask_workers_give_the_tables_of_one_process(scheduler: str, small_works: Path, tmp_path: Path) -> None:
    runs = [
        copub.run("demo", works=[small_works], cache=tmp_path / name, reports=tmp_path / name, until="screen", **engine)
        for name, engine in (("dask", {"scheduler": scheduler}), ("one", {"workers": 1}))
    ]
    assert runs[0].manifest["tables"] == runs[1].manifest["tables"]


def test_large_parts_go_to_dask_workers_without_a_warning(scheduler: str) -> None:
    with engine_of(scheduler=scheduler), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(in_parallel(len, [bytes(11 << 20)])) == [11 << 20]


def test_every_thread_of_a_dask_worker_has_a_part(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    threads = 4

    def meets_the_others(part: int) -> bool:  # inside the test: workers cannot import it by name
        (tmp_path / str(part)).touch()
        until = time.monotonic() + 20
        while len(list(tmp_path.iterdir())) < threads and time.monotonic() < until:
            time.sleep(0.05)
        return len(list(tmp_path.iterdir())) == threads

    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=threads, dashboard_address=":0") as cluster,
        engine_of(scheduler=cluster.scheduler_address),
    ):
        assert list(in_parallel(meets_the_others, range(threads))) == [True] * threads


@pytest.mark.slow
def test_a_killed_dask_worker_loses_no_part(scheduler: str, tmp_path: Path) -> None:
    flag = tmp_path / "killed"

    def killed_once(part: int) -> str:  # inside the test: workers cannot import it by name
        if part == 2 and not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return f"of {part}"

    with engine_of(scheduler=scheduler):
        assert list(in_parallel(killed_once, range(6))) == WHOLE
    assert flag.exists()


def test_workers_with_another_copub_are_refused(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copub.engine.version", lambda name: "99.0")
    needed = r"workers need copub 99\.0: tcp://\S+ has "
    with pytest.raises(InputError, match=needed) as caught, engine_of(scheduler=scheduler):
        pass
    assert caught.value.where == f"--scheduler {scheduler}"


@pytest.mark.slow
def test_tabulate_leaves_its_portions_for_the_next_call_if_it_is_stopped(
    small_works: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copub.sources.worksfile.PORTION", 30_000)
    few = tmp_path / "few.jsonl"
    few.write_bytes(b"".join(small_works.read_bytes().splitlines(keepends=True)[:80]))
    kept = tmp_path / "kept"
    kept.mkdir()
    entry = Entry.of(load_study("demo"))

    def tables(kept_in: Path | None) -> dict[str, list[dict[str, object]]]:
        made, funnel = makers_of_tables(read_works([few]), entry, kept_in)
        rows = {name: [row for part in make() for row in part.to_dicts()] for name, make in made.items()}
        return rows | {"funnel": [funnel.facts()]}

    with engine_of(workers=1):
        whole = tables(None)
        assert tables(kept) == whole
        portions = sorted(path.name for path in kept.iterdir())
        assert len(portions) > 3
        monkeypatch.setattr(
            sys.modules["copub.corpus.tabulate"], "_read_portion", Work(broken=0)
        )  # nothing is read again
        assert tables(kept) == whole


def test_a_works_file_that_changes_after_it_was_hashed_is_named_and_nothing_is_kept_under_its_hash(
    small_works: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "works.jsonl"
    whole = b"".join(small_works.read_bytes().splitlines(keepends=True)[:40])

    def run() -> int:
        folders = {"cache": tmp_path / "c", "reports": tmp_path / "r"}
        done = copub.run("demo", works=[path], until="tabulate", workers=1, **folders)
        return int(done.manifest["funnel"][0]["count"])

    def hashed(file: Path) -> str:
        found = sha256_of(file)
        path.write_bytes(whole[: whole.index(b"\n") + 1])
        return found

    path.write_bytes(whole)
    with monkeypatch.context() as patch:
        patch.setattr("copub.pipeline.sha256_of", hashed)
        with pytest.raises(InputError, match="changed while it was read"):
            run()
    path.write_bytes(whole)
    assert run() == 40


def test_a_file_that_is_gone_from_a_kept_portion_is_never_taken_for_no_rows(
    small_works: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_bytes(b"".join(small_works.read_bytes().splitlines(keepends=True)[:20]))
    entry = Entry.of(load_study("demo"))
    with engine_of(workers=1):
        makers_of_tables(read_works([few]), entry, tmp_path / "kept")
        (gone,) = (tmp_path / "kept" / "000000").glob("affiliations-*")
        monkeypatch.setattr(KeptParts, "has", lambda *_: gone.unlink() is None)  # gone once it was found to be whole
        made, _ = makers_of_tables(read_works([few]), entry, tmp_path / "kept")
        with pytest.raises(FileNotFoundError):
            list(made["affiliations"]())
