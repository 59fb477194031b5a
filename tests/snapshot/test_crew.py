"""Many workers, dying workers, a scheduler started elsewhere: the bytes are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from copub.errors import InputError
from copub.sources.snapshot import executors as crew_module
from copub.sources.snapshot import extract, parse_pairs

BE_CN = parse_pairs(["BE:CN"])
DASK = [sys.executable, "-m", "dask"]


@pytest.fixture
def snapshot(builder: Any) -> Path:
    """A snapshot of 12 files, one of them damaged."""
    root: Path = builder.snapshot("jsonl", [builder.works(300, 1 + 1000 * n) for n in range(12)], manifest=False)
    path = max(root.rglob("*.gz"))
    path.write_bytes(path.read_bytes()[:-20])
    return root


@pytest.fixture
def alone(snapshot: Path) -> bytes:
    """What one process makes of the snapshot."""
    target = snapshot.parent / "alone.jsonl.zst"
    extract(str(snapshot), target, BE_CN)
    return target.read_bytes()


@pytest.fixture
def distributed() -> Any:
    return pytest.importorskip("distributed", reason="dask.distributed is not installed: copub[cluster]")


@pytest.mark.slow
def test_a_cluster_on_this_machine_gives_the_same_bytes(snapshot: Path, alone: bytes, distributed: Any) -> None:
    target = snapshot.parent / "many.jsonl.zst"
    summary = extract(str(snapshot), target, BE_CN, workers=2)
    assert target.read_bytes() == alone
    assert (summary.files, len(summary.faults)) == (11, 1)


def wait(seconds: float, until: Any) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "this took too long"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_nothing(
    snapshot: Path, builder: Any, distributed: Any, tmp_path: Path
) -> None:
    for path in snapshot.rglob("part_0001.gz"):
        if path != max(snapshot.rglob("*.gz")):
            builder.write(path, builder.works(3000, int(path.parent.name[-5:-3]) * 10_000))
    whole, target = tmp_path / "whole.jsonl.zst", tmp_path / "many.jsonl.zst"
    extract(str(snapshot), whole, BE_CN)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        victim = next(iter(cluster.workers.values())).pid
        parts = tmp_path / f"{target.name}.parts"

        def kill() -> None:
            wait(60, lambda: parts.is_dir() and any(parts.glob("*.part")))
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        summary = extract(str(snapshot), target, BE_CN, scheduler=cluster.scheduler_address)
        killer.join()
        wait(60, lambda: len(cluster.workers) == 2)
        assert victim not in {worker.pid for worker in cluster.workers.values()}
    assert target.read_bytes() == whole.read_bytes()
    assert len(summary.faults) == 1


@pytest.mark.slow
def test_a_file_that_kills_every_worker_is_named_and_passed_over(
    snapshot: Path, distributed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask = pytest.importorskip("dask")
    poison = str(min(snapshot.rglob("*.gz")))

    def dying(job: Any) -> Any:
        import os

        from copub.sources.snapshot.job import extract_file

        return os._exit(1) if job.file.path == poison else extract_file(job)

    monkeypatch.setattr(crew_module, "extract_file", dying)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        summary = extract(str(snapshot), snapshot.parent / "out.jsonl", BE_CN, workers=2)
    assert summary.files == 10
    assert summary.faults[0].where == poison
    assert "every worker that took it died" in summary.faults[0].what


@pytest.fixture
def scheduler(tmp_path: Path, distributed: Any) -> Iterator[str]:
    """The address of a scheduler with one worker, both processes of their own."""
    file = tmp_path / "scheduler.json"
    options = ["--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    started = [
        subprocess.Popen(
            [*DASK, "scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", *options], **quiet
        )  # type: ignore[call-overload]
    ]
    try:
        wait(60, file.exists)
        started.append(subprocess.Popen([*DASK, "worker", "--nworkers", "1", "--nthreads", "1", *options], **quiet))  # type: ignore[call-overload]
        yield json.loads(file.read_text())["address"]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


@pytest.mark.slow
def test_a_scheduler_started_separately_gives_the_same_bytes(snapshot: Path, alone: bytes, scheduler: str) -> None:
    target = snapshot.parent / "cluster.jsonl.zst"
    summary = extract(str(snapshot), target, BE_CN, scheduler=scheduler)
    assert target.read_bytes() == alone
    assert (summary.files, len(summary.faults)) == (11, 1)


def test_a_scheduler_that_does_not_answer_is_named(
    snapshot: Path, distributed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copub.engine._WAIT", 0.3)
    with pytest.raises(InputError, match="no scheduler answers") as caught:
        extract(str(snapshot), snapshot.parent / "out.jsonl", BE_CN, scheduler="tcp://127.0.0.1:9")
    assert "tcp://127.0.0.1:9" in caught.value.where


def test_a_scheduler_without_workers_is_named(
    snapshot: Path, distributed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copub.engine._WAIT", 5)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster,
        pytest.raises(InputError, match="the scheduler has no workers"),
    ):
        extract(str(snapshot), snapshot.parent / "out.jsonl", BE_CN, scheduler=cluster.scheduler_address)


def test_several_workers_without_dask_ask_for_the_extra(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="needs dask") as caught:
        extract(str(snapshot), snapshot.parent / "out.jsonl", BE_CN, workers=2)
    assert "copub[cluster]" in caught.value.hint
