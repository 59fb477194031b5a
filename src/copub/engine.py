"""The engine: one function over many parts, in processes of this machine or on the workers of a Dask cluster.

Which of them do the work is a matter of the call (`engine_of`), never of a stage: results come in the
order of the parts, so the tables are the same everywhere.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar
from uuid import uuid4

import polars as pl
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from copub.arguments import expect
from copub.errors import InputError
from copub.settings import memory_gb

MAIN_GB, PROCESS_GB = 1.0, 0.5
"""What a run takes besides its processes while they work, and what each of these takes (docs/performance.md)."""
_ALONE = {"POLARS_MAX_THREADS": "1"}
"""Every process that works has a core to itself: more threads than cores would wait for each other."""
THREADS = 2
"""Tables that are made at once: each takes memory of its own."""
_HASHES = "hashes.json"
_WAIT = 60
"""Seconds in which a scheduler, or its first worker, must answer."""
_WATCH = 2
"""Seconds between looks at whether the process that started a worker is still there."""

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class KeptParts(Generic[Result]):
    """A folder that keeps the result of every part, so that a call that was stopped resumes at the part.

    write : writes a result into a folder. read : returns the result from there; it may leave large tables on disk.
    in_file : puts what is large of a part into a file and returns a part that reads it from there, for a worker: a
        file goes to another process faster than what is sent to it.
    """

    folder: Path
    write: Callable[[Path, Result], None]
    read: Callable[[Path], Result]
    in_file: Callable[[Any, Path], Any] | None = None
    _given_by: str = field(default_factory=lambda: f".given-{uuid4().hex}-", init=False)
    """Another call with the same inputs may write the same files at the same time."""

    def has(self, number: int) -> bool:
        """Return whether the result of a part is there, and as it was written."""
        try:
            hashes = json.loads((self._place(number) / _HASHES).read_text(encoding="utf-8"))
            return bool(hashes == _hashes_in(self._place(number)))
        except (OSError, ValueError):
            return False

    def load(self, number: int) -> Result:
        """Return the result of a part."""
        return self.read(self._place(number))

    def save(self, number: int, result: Result) -> None:
        """Keep the result of a part: whole or not at all."""
        place = self._place(number)
        partial = self.folder / f".{place.name}-{os.getpid()}"
        with writing_to_cache(self.folder):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            self.write(partial, result)
            (partial / _HASHES).write_text(json.dumps(_hashes_in(partial)), encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            partial.rename(place)

    def given(self, number: int, part: Part) -> Part:
        """Return a part as it is given to a worker."""
        if self.in_file is None:
            return part
        with writing_to_cache(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            apart: Part = self.in_file(part, self._given(number).absolute())
        return apart

    def is_done_with(self, number: int) -> None:
        """Remove the file in which a part was given to a worker."""
        self._given(number).unlink(missing_ok=True)

    def is_done(self) -> None:
        """Remove all such files."""
        for path in self.folder.glob(f"{self._given_by}*"):
            path.unlink(missing_ok=True)

    def _given(self, number: int) -> Path:
        return self.folder / f"{self._given_by}{number:06}"

    def _place(self, number: int) -> Path:
        return self.folder / f"{number:06}"


@contextmanager
def writing_to_cache(folder: Path) -> Iterator[None]:
    """Turn errors of the disk into `InputError`."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:  # polars reports a full disk as the latter
        # another call with the same inputs may have put the same result there meanwhile
        if getattr(error, "errno", None) not in (errno.ENOTEMPTY, errno.EEXIST):
            raise InputError(
                f"the cache cannot be written: {getattr(error, 'strerror', None) or error}",
                where=str(folder),
                hint="free some space or give rights, or name another folder (--cache DIR); what is there is kept",
            ) from None


def _hashes_in(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.name != _HASHES)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@dataclass(frozen=True, slots=True)
class _Engine:
    """Who works: so many processes (None: as many as there are cores and memory for), or the workers of `client`."""

    workers: int | None = None
    client: Any = None


_ENGINE = ContextVar("_ENGINE", default=_Engine())  # noqa: B039  it cannot change


@contextmanager
def engine_of(workers: int | None = None, scheduler: str | None = None) -> Iterator[None]:
    """Let all that is mapped over parts inside the block run on these workers.

    Parameters
    ----------
    workers : processes on this machine; None for as many as there are cores and memory for.
    scheduler : address of a Dask scheduler (``tcp://host:8786``); its workers need copub and the folder of the cache.

    Raises
    ------
    InputError : the number is not positive; Dask is not installed, no scheduler answers, or it has no workers.
    """
    expect(workers, (int, type(None)), "workers", "a number of processes")
    expect(scheduler, (str, type(None)), "scheduler", "the address of a Dask scheduler: tcp://host:8786")
    if workers is not None and workers < 1:
        raise InputError(f"{workers} workers cannot work", where="--workers", hint="give 1 or more")
    with ExitStack() as stack:
        client = stack.enter_context(dask_client(workers or 1, scheduler)) if scheduler else None
        token = _ENGINE.set(_Engine(workers, client))
        try:
            yield
        finally:
            _ENGINE.reset(token)


def in_parallel(
    work: Callable[[Part], Result], parts: Iterable[Part], *, alone: int = 2, kept: KeptParts[Result] | None = None
) -> Iterator[Result]:
    """Yield `work(part)` for every part, in order; at most a few parts are in memory at once.

    Processes are started only if there are more than `alone` parts, more than one core, and memory
    (`copub.settings.memory_gb`) for more than one: they cost a second or two to start. `work` and
    its results must be picklable. An error of `parts` is raised once all parts before it are done.

    Parameters
    ----------
    kept : where results are kept; a part whose result is there is not worked on again.
    """
    failed: list[Exception] = []
    rest = _until_it_fails(parts, failed)
    numbered = enumerate(rest)
    yield from _map(work, numbered, alone) if kept is None else _resumed(work, numbered, alone, kept, failed)
    for error in failed:
        raise error


def _resumed(
    work: Callable[[Part], Result],
    numbered: Iterator[tuple[int, Part]],
    alone: int,
    kept: KeptParts[Result],
    failed: list[Exception],
) -> Iterator[Result]:
    is_there: deque[bool] = deque()  # filled as parts are read, which joblib does in a thread of its own

    def missing() -> Iterator[tuple[int, Part]]:
        for number, part in numbered:
            there = kept.has(number)
            is_there.append(there)
            if not there:
                yield number, part

    number = 0

    def given(parts: Iterator[tuple[int, Part]]) -> Iterator[Part]:
        return _until_it_fails((kept.given(number, part) for number, part in parts), failed)

    try:
        for result in _map(work, missing(), alone, given):
            while is_there.popleft():
                yield kept.load(number)
                number += 1
            kept.save(number, result)
            kept.is_done_with(number)
            del result
            yield kept.load(number)
            number += 1
    finally:
        kept.is_done()
    yield from map(kept.load, range(number, number + sum(is_there)))  # of a part that failed there is none


def _map(
    work: Callable[[Part], Result],
    numbered: Iterator[tuple[int, Part]],
    alone: int,
    given: Callable[[Iterator[tuple[int, Part]]], Iterator[Part]] | None = None,
) -> Iterator[Result]:
    engine = _ENGINE.get()
    first = list(islice(numbered, 0 if engine.client else alone + 1))
    number = processes()
    every = chain(first, numbered)
    is_alone = engine.client is None and (len(first) <= alone or number == 1)
    parts = given(every) if given and not is_alone else (part for _, part in every)
    del first
    if is_alone:
        yield from map(work, parts)
        return
    if engine.client is not None:
        yield from _on_dask(engine.client, work, parts)
        return
    pool = Parallel(n_jobs=number, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1, max_nbytes=None)
    with _environment(_ALONE):
        results = pool(delayed(_with_its_caller)(work, part) for part in parts)
    try:
        for result in results:  # not "yield from", which would close them first, and with a warning  # noqa: UP028
            yield result
    except BaseException as error:
        with warnings.catch_warnings(action="ignore"):
            results.close()
        get_reusable_executor().shutdown(wait=False, kill_workers=True)  # what they do is of no use any more
        if isinstance(error, TerminatedWorkerError):
            raise InputError(
                "a process that worked on a part was ended from outside, perhaps for want of memory",
                where="--workers",
                hint="give fewer workers or more memory, then repeat the command: it resumes where it stopped",
            ) from None
        raise
    get_reusable_executor().shutdown(wait=True)  # idle, the processes would hold their memory for minutes


def _with_its_caller(work: Callable[[Part], Result], part: Part) -> Result:
    """Work on a part in a process that ends with the one that started it, be that killed: it would stay for ever."""
    _end_with_caller()
    return work(part)


@cache
def _end_with_caller() -> None:
    caller = os.getppid()

    def watch() -> None:
        while os.getppid() == caller:
            time.sleep(_WATCH)
        os._exit(1)  # nobody waits for what it does

    Thread(target=watch, daemon=True).start()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for the processes that are started inside the block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def in_threads(makers: Mapping[str, Callable[[], Result]]) -> Iterator[tuple[str, Result]]:
    """Yield what each of these makes, by name and in order; two are made at a time where there are cores for it.

    They must not depend on each other. Threads share what is in memory, and polars, where most of the work is done,
    does not keep other threads waiting.
    """
    pool = ThreadPoolExecutor(min(THREADS, processes()))
    try:
        made = [(name, pool.submit(make)) for name, make in makers.items()]
        for name, result in made:
            yield name, result.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _on_dask(client: Any, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Yield results in order; two parts for every thread of the workers are under way at a time."""
    from distributed import KilledWorker

    waiting: deque[Any] = deque()

    def first() -> Result:
        try:
            result: Result = waiting.popleft().result()
        except KilledWorker:
            raise InputError(
                "every worker that took a part died",
                where="--scheduler",
                hint="give the workers more memory, then repeat the command: it resumes where it stopped",
            ) from None
        return result

    for part in parts:
        with warnings.catch_warnings():
            # a portion of records goes to a worker as it is; on a disk that workers may not share it is of no use
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            waiting.append(client.submit(work, part, pure=False))
        if len(waiting) >= 2 * max(1, sum(client.nthreads().values())):  # workers come and go
            yield first()
    while waiting:
        yield first()


def _until_it_fails(parts: Iterable[Part], failed: list[Exception]) -> Iterator[Part]:
    """Yield the parts; joblib reads them in a thread of its own, where an error would be lost."""
    try:
        yield from parts
    except Exception as error:  # noqa: BLE001  it is raised again, in the caller's thread
        failed.append(error)


def processes() -> int:
    """Return how many processes work: as many as the call asks for, else as there are cores and memory for."""
    asked = _ENGINE.get().workers
    if asked is not None:
        return asked
    cores: int = cpu_count()
    return max(1, min(cores, int((memory_gb() - MAIN_GB) / PROCESS_GB)))


@contextmanager
def dask_client(workers: int, scheduler: str | None) -> Iterator[Any]:
    """Yield a client of a Dask scheduler, or of so many workers started on this machine.

    Raises `InputError` if Dask is not installed, no scheduler answers, or it has no workers.
    """
    try:
        import dask.config
        from distributed import Client, LocalCluster
    except ImportError:
        raise InputError(
            "work on several workers needs dask.distributed",
            where="--scheduler" if scheduler else "--workers",
            hint="pip install distributed (the extra of copub that contains it is copub[cluster])",
        ) from None
    if scheduler is None:
        # One part at a time: a part that waits at a worker which dies would be taken for a cause of it.
        one = {"distributed.scheduler.worker-saturation": 1.0}
        with (
            dask.config.set(one),
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", env=dict(_ALONE)
            ) as cluster,  # type: ignore[no-untyped-call]
            Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=_WAIT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"no scheduler answers: {error}",
            where=f"--scheduler {scheduler}",
            hint="start it, or correct the address (tcp://host:8786)",
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_WAIT)
        except TimeoutError:
            raise InputError(
                "the scheduler has no workers",
                where=f"--scheduler {scheduler}",
                hint="start some: dask worker ADDRESS",
            ) from None
        _check_workers(client, scheduler)
        yield client


def _check_workers(client: Any, scheduler: str) -> None:
    """Raise `InputError` if a worker has another version of copub, or none: it could not read what it is sent."""
    own = version("copub")

    def installed() -> str:  # a function inside another is sent as it is, not by the name of its module
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("copub")
        except PackageNotFoundError:
            return "no copub"

    found = client.run(installed)
    others = sorted(f"{address} has {name}" for address, name in found.items() if name != own)
    if others:
        raise InputError(
            f"workers need copub {own}: {'; '.join(others)}",
            where=f"--scheduler {scheduler}",
            hint="install the same version of copub for the workers, and start them again",
        )
